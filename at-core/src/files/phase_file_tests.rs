//! What phase files hold comes back, and what is wrong with one is said.

use super::npy::{read_matrix, write_matrix};
use super::npz::Npz;
use super::npz_draft;
use super::phase_file::{ProgrammedMesh, read_errors, read_phases, write_errors, write_phases};
use crate::network::Owner;
use crate::optics::convention::CONVENTIONS;
use crate::optics::{Convention, Layout, Mesh, MeshErrors, decompose, transfer_matrix};
use ndarray::{Array1, Array2, array};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use num_complex::Complex64;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

fn spread(count: usize, step: f64) -> Vec<f64> {
    (0..count).map(|k| (step * (k as f64 + 1.0)).rem_euclid(6.2)).collect()
}

fn meshes() -> Vec<ProgrammedMesh> {
    let dies = [Mesh::rectangular(5).unwrap().on_dies(3), Mesh::triangular(4).unwrap().on_dies(2)];
    let geometries = [Mesh::rectangular(4), Mesh::triangular(5), Mesh::truncated(5, 2), Mesh::triangular(2)];
    let geometries = geometries.into_iter().chain(dies);
    let programmed = |mesh: Mesh| ProgrammedMesh { controls: spread(mesh.controls(), 0.7), mesh };
    geometries.map(|mesh| programmed(mesh.unwrap())).collect()
}

fn matrix(own: &ProgrammedMesh) -> Array2<Complex64> {
    transfer_matrix(&own.mesh, &own.controls, None).unwrap()
}

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phases.npz");
    (folder, path)
}

/// A file of one 4-mode mesh whose arrays `change` may change, as (name, array) pairs of f32.
fn made(path: &Path, change: impl FnOnce(&mut Vec<(&'static str, Array2<f32>)>)) {
    let mut arrays = vec![
        ("mesh0.theta", Array2::zeros((4, 2))),
        ("mesh0.phi", Array2::from_elem((4, 2), 0.5)),
        ("gamma", Array2::zeros((1, 4))),
    ];
    change(&mut arrays);
    let mut file = NpzWriter::new(std::fs::File::create(path).unwrap());
    for (name, array) in arrays {
        match name {
            "gamma" => file.add_array("mesh0.gamma", &array.row(0)).unwrap(),
            other => file.add_array(other, &array).unwrap(),
        }
    }
    file.finish().unwrap();
}

fn refusal(path: &Path) -> String {
    read_phases(path, Some(Convention::Native)).unwrap_err().to_string()
}

#[test]
fn a_written_file_gives_the_same_matrices_in_every_convention() {
    let (_folder, path) = folder();
    for convention in CONVENTIONS {
        let before = meshes();
        write_phases(&path, convention, &before).unwrap();
        for given in [None, Some(convention)] {
            let after = read_phases(&path, given).unwrap();
            assert_eq!(before.len(), after.len());
            for (one, other) in before.iter().zip(&after) {
                assert_eq!(one.mesh, other.mesh);
                assert!((matrix(one) - matrix(other)).iter().all(|entry| entry.norm() < 1e-13), "{convention}");
            }
        }
        for other in CONVENTIONS.into_iter().filter(|&other| other != convention) {
            let text = read_phases(&path, Some(other)).unwrap_err().to_string();
            assert!(text.contains(convention.name()) && text.contains(other.name()), "{text}");
        }
    }
}

#[test]
fn unused_entries_are_zero_when_written_and_free_when_read() {
    let (_folder, path) = folder();
    write_phases(&path, Convention::Native, &meshes()[..1]).unwrap();
    let theta = Npz::open(&path).unwrap().array("mesh0.theta").unwrap().reals().unwrap();
    assert_eq!((theta[3], theta[7]), (0.0, 0.0));
    assert_eq!(theta[2], meshes()[0].controls[2]);
    made(&path, |arrays| arrays[0].1[[3, 1]] = f32::NAN);
    let read = read_phases(&path, Some(Convention::Native)).unwrap();
    assert_eq!(read[0].controls[6..12], [0.5; 6]);
}

#[test]
fn gamma_as_a_row_or_a_column_and_numbers_of_every_kind_are_read() {
    let (_folder, path) = folder();
    let write = |gamma: &dyn Fn(&mut NpzWriter<std::fs::File>)| {
        let mut file = NpzWriter::new(std::fs::File::create(&path).unwrap());
        file.add_array("mesh0.theta", &array![[1_i16, 2], [3, 0]]).unwrap();
        file.add_array("mesh0.phi", &array![[true, false], [true, false]]).unwrap();
        gamma(&mut file);
        file.finish().unwrap();
        read_phases(&path, Some(Convention::Native)).map(|read| read[0].controls.clone())
    };
    let expected = [1., 2., 3., 1., 0., 1., 0.5, 1.5, 2.5, 3.5];
    let gamma = array![0.5, 1.5, 2.5, 3.5];
    let row = gamma.clone().into_shape_with_order((1, 4)).unwrap();
    let column = gamma.clone().into_shape_with_order((4, 1)).unwrap();
    type Fill<'a> = &'a dyn Fn(&mut NpzWriter<std::fs::File>);
    let shapes: [Fill; 3] = [
        &|file| file.add_array("mesh0.gamma", &gamma).unwrap(),
        &|file| file.add_array("mesh0.gamma", &row).unwrap(),
        &|file| file.add_array("mesh0.gamma", &column).unwrap(),
    ];
    for shape in shapes {
        assert_eq!(write(shape).unwrap(), expected);
    }
    let square = gamma.into_shape_with_order((2, 2)).unwrap();
    let error = write(&|file| file.add_array("mesh0.gamma", &square).unwrap()).unwrap_err().to_string();
    assert!(error.contains("[1, N] or [N, 1], got [2, 2]"), "{error}");
}

/// Meshes of other layouts, in the one convention that has them.
#[test]
fn other_layouts_are_kept_and_other_conventions_refuse_them() {
    let (_folder, path) = folder();
    let custom = Mesh::of_columns(7, &[vec![[0, 6], [1, 3]], vec![[2, 5]]]).unwrap();
    let dies = [custom.on_dies(2), Mesh::butterfly(4).unwrap().on_dies(3)];
    let geometries = [Mesh::diamond(6), Mesh::butterfly(8), Mesh::benes(8), Ok(custom)].into_iter().chain(dies);
    let programmed = |mesh: Mesh| ProgrammedMesh { controls: spread(mesh.controls(), 0.7), mesh };
    let before: Vec<ProgrammedMesh> = geometries.map(|mesh| programmed(mesh.unwrap())).collect();
    write_phases(&path, Convention::Native, &before).unwrap();
    assert_eq!(read_phases(&path, None).unwrap(), before);
    let errors: Vec<MeshErrors> = before
        .iter()
        .map(|own| MeshErrors { theta: spread(own.mesh.mzis(), 0.1), ..MeshErrors::none(&own.mesh) })
        .collect();
    let chip: Vec<(&Mesh, &MeshErrors)> = before.iter().map(|own| &own.mesh).zip(&errors).collect();
    write_errors(&path, Convention::Native, &chip).unwrap();
    let meshes: Vec<&Mesh> = before.iter().map(|own| &own.mesh).collect();
    assert_eq!(read_errors(&path, None, &meshes, Owner::ThisNetwork).unwrap(), errors);
    for convention in [Convention::Neurophox, Convention::DatMpnn] {
        let said = write_phases(&path, convention, &before).unwrap_err().to_string();
        assert!(said.contains("no diamond meshes") && said.contains("use native"), "{said}");
        assert!(convention.errors_to_native(meshes[1], &errors[1]).is_err());
    }
}

#[test]
fn what_is_wrong_with_listed_pairs_is_said_by_name() {
    let (_folder, path) = folder();
    for (pairs, part) in [
        (array![[0., 0., 1.], [2., 1., 2.]], "row 1 leaves the order"),
        (array![[0., 0.5, 1.]], "row 0 holds 0.5"),
        (array![[0., 0., 9.]], "no mode 9"),
        (array![[0., 1.]], "[MZIs, 3]"),
    ] {
        let mut file = npz_draft::NpzWriter::new(std::fs::File::create(&path).unwrap());
        file.add_array("mesh0.gamma", &Array1::<f64>::zeros(4)).unwrap();
        file.add_array("mesh0.pairs", &pairs).unwrap();
        file.add_text("mesh0.layout", "custom").unwrap();
        file.finish().unwrap();
        assert!(refusal(&path).contains(part), "{}", refusal(&path));
    }
}

#[test]
fn what_is_wrong_with_a_file_is_said_by_name() {
    let (_folder, path) = folder();
    type Change = fn(&mut Vec<(&'static str, Array2<f32>)>);
    let cases: [(Change, &[&str]); 8] = [
        (|arrays| drop(arrays.remove(1)), &["mesh0.phi", "missing"]),
        (|arrays| drop(arrays.remove(2)), &["mesh0.gamma", "missing"]),
        (|arrays| arrays.clear(), &["mesh0.gamma is missing"]),
        (|arrays| arrays[1].1 = Array2::zeros((3, 2)), &["mesh0.phi", "[4, 2]", "[3, 2]"]),
        (|arrays| arrays[0].1 = Array2::zeros((4, 3)), &["mesh0.theta", "[columns, 2]", "[4, 3]"]),
        (|arrays| arrays[0].1[[1, 0]] = f32::INFINITY, &["mesh0.theta", "(1, 0)", "inf"]),
        (|arrays| arrays[2].1 = Array2::zeros((1, 1)), &["mesh0", "2 to"]),
        (|arrays| arrays[1].0 = "mesh0.ph", &["mesh0.ph:", "not known"]),
    ];
    for (change, words) in cases {
        made(&path, change);
        let text = refusal(&path);
        assert!(words.iter().all(|word| text.contains(word)) && text.contains("phases.npz"), "{text}");
    }
    made(&path, |_| ());
    assert!(read_phases(&path, None).unwrap_err().to_string().contains("`convention`"));
    assert!(read_phases(&path.with_extension("no"), None).is_err());
    for (name, text) in [("convention", "clements"), ("mesh0.layout", "round")] {
        let mut file = npz_draft::NpzWriter::new(std::fs::File::create(&path).unwrap());
        file.add_array("mesh0.gamma", &Array1::<f64>::zeros(4)).unwrap();
        file.add_text(name, text).unwrap();
        file.finish().unwrap();
        assert!(refusal(&path).contains(text), "{}", refusal(&path));
    }
}

#[test]
fn errors_of_a_chip_come_back_and_must_fit_it() {
    let (_folder, path) = folder();
    let own = meshes();
    let geometries: Vec<&Mesh> = own.iter().map(|own| &own.mesh).collect();
    let chip: Vec<MeshErrors> = (geometries.iter())
        .map(|mesh| MeshErrors {
            first_coupler: spread(mesh.mzis(), 0.01),
            second_coupler: spread(mesh.mzis(), 0.02),
            theta: spread(mesh.mzis(), 0.03),
            phi: spread(mesh.mzis(), 0.04),
            gamma: spread(mesh.modes(), 0.05),
        })
        .collect();
    let pairs: Vec<_> = geometries.iter().copied().zip(&chip).collect();
    for convention in CONVENTIONS {
        write_errors(&path, convention, &pairs).unwrap();
        let read = read_errors(&path, None, &geometries, Owner::ThisNetwork).unwrap();
        for (mesh, (one, other)) in geometries.iter().zip(chip.iter().zip(&read)) {
            let lists = |errors: &MeshErrors| {
                let phases = errors.distort(mesh, &vec![0.0; mesh.controls()]).unwrap();
                [phases, errors.first_coupler.clone(), errors.second_coupler.clone()].concat()
            };
            let near = |(a, b): (f64, f64)| (a - b).abs() < 1e-13;
            assert!(lists(one).into_iter().zip(lists(other)).all(near), "{convention}");
        }
    }
    write_errors(&path, Convention::Native, &pairs).unwrap();
    assert_eq!(read_errors(&path, None, &geometries, Owner::ThisNetwork).unwrap(), chip);
    assert!(
        read_errors(&path, None, &geometries[..3], Owner::ThisNetwork).unwrap_err().to_string().contains("6 meshes")
    );
    let split = geometries[1].modes() == 5 && geometries[4].dies() == 3;
    let fewer = Mesh::rectangular(15).unwrap();
    let changed: Vec<&Mesh> = geometries.iter().map(|mesh| if mesh.dies() == 3 { &fewer } else { *mesh }).collect();
    let error = read_errors(&path, None, &changed, Owner::ThisNetwork).unwrap_err().to_string();
    assert!(split && error.contains("3 dies of mesh:5") && error.contains("mesh:15"), "{error}");
    assert!(read_errors(&path, None, &changed, Owner::AnyNetwork).unwrap_err().to_string().contains("mesh4.dies"));
    let turned: Vec<&Mesh> = geometries.iter().rev().copied().collect();
    assert!(read_errors(&path, None, &turned, Owner::ThisNetwork).is_err());
    assert!(write_errors(&path, Convention::Native, &[(geometries[0], &chip[1])]).is_err());

    made(&path, |arrays| *arrays = vec![("mesh0.split_right", Array2::from_elem((4, 2), 0.5))]);
    let few = read_errors(&path, Some(Convention::DatMpnn), &geometries, Owner::ThisNetwork).unwrap_err().to_string();
    assert!(few.contains("errors of 1 meshes, the network has 6") && few.contains("`chip-of-other-network`"), "{few}");
    let errors = read_errors(&path, Some(Convention::DatMpnn), &geometries, Owner::AnyNetwork).unwrap();
    assert!((errors[0].second_coupler[3] + 0.5_f64.asin() / 2.0).abs() < 1e-15);
    assert_eq!((errors[0].first_coupler[3], errors[1].gamma[0]), (0.0, 0.0));
    made(&path, |arrays| *arrays = vec![("mesh0.split_right", Array2::from_elem((4, 2), 1.5))]);
    assert!(
        read_errors(&path, Some(Convention::DatMpnn), &geometries, Owner::AnyNetwork)
            .unwrap_err()
            .to_string()
            .contains("1.5")
    );
}

#[test]
fn a_matrix_goes_through_a_file_and_a_mesh() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("matrix.npy");
    let unitary = matrix(&meshes()[0]);
    for stored in [unitary.clone(), unitary.t().to_owned().reversed_axes()] {
        write_matrix(&path, &stored).unwrap();
        assert_eq!(read_matrix(&path).unwrap(), unitary);
    }
    unitary.t().write_npy(std::fs::File::create(&path).unwrap()).unwrap();
    assert_eq!(read_matrix(&path).unwrap(), unitary.t(), "column-major");
    array![[0.0_f32, 1.0], [1.0, 0.0]].write_npy(std::fs::File::create(&path).unwrap()).unwrap();
    assert!(decompose(&read_matrix(&path).unwrap(), Layout::Triangular).is_ok());
    Array1::<f64>::zeros(4).write_npy(std::fs::File::create(&path).unwrap()).unwrap();
    assert!(read_matrix(&path).unwrap_err().to_string().contains("[4]"));
}
