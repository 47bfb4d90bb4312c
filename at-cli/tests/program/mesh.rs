//! `asyt mesh` from outside: what it writes, and how it refuses.

use assert_cmd::Command;
use at_core::files::npy::{read_matrix, write_matrix};
use at_core::files::phase_file::{ProgrammedMesh, write_errors, write_phases};
use at_core::optics::{Convention, Layout, Mesh, MeshErrors, imperfect_transfer_matrix, transfer_matrix};
use ndarray::Array2;
use num_complex::Complex64;
use std::path::PathBuf;
use tempfile::TempDir;

fn programmed(mesh: Mesh, step: f64) -> ProgrammedMesh {
    let controls = (0..mesh.controls()).map(|k| (step * (k + 1) as f64) % 6.2).collect();
    ProgrammedMesh { mesh, controls }
}

fn errors(mesh: &Mesh) -> MeshErrors {
    let list = |count: usize, step: f64| (0..count).map(|k| 0.1 * (step * k as f64).cos()).collect();
    MeshErrors {
        first_coupler: list(mesh.mzis(), 1.0),
        second_coupler: list(mesh.mzis(), 2.0),
        theta: list(mesh.mzis(), 3.0),
        phi: list(mesh.mzis(), 4.0),
        gamma: list(mesh.modes(), 5.0),
    }
}

/// A folder with `phases.npz`, two meshes in convention dat-mpnn, and `chip.npz`, their errors.
struct Bench {
    folder: TempDir,
    meshes: [ProgrammedMesh; 2],
}

impl Bench {
    fn new() -> Self {
        let meshes = [programmed(Mesh::rectangular(5).unwrap(), 0.7), programmed(Mesh::triangular(4).unwrap(), 1.3)];
        let bench = Bench { folder: tempfile::tempdir().unwrap(), meshes };
        write_phases(&bench.path("phases.npz"), Convention::DatMpnn, &bench.meshes).unwrap();
        let own: Vec<MeshErrors> = bench.meshes.iter().map(|own| errors(&own.mesh)).collect();
        let pairs: Vec<_> = bench.meshes.iter().map(|own| &own.mesh).zip(&own).collect();
        write_errors(&bench.path("chip.npz"), Convention::DatMpnn, &pairs).unwrap();
        bench
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn asyt(&self, line: &str) -> Command {
        let mut command = Command::cargo_bin("asyt").unwrap();
        command.current_dir(self.folder.path()).args(line.split_whitespace());
        command
    }

    /// Runs `line`, which must fail with `code` and say all `words`, in one line without a panic, and write nothing.
    fn refuses(&self, line: &str, code: i32, words: &[&str]) {
        let before = std::fs::read_dir(self.folder.path()).unwrap().count();
        let output = self.asyt(line).assert().code(code).get_output().clone();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(words.iter().all(|word| text.contains(word)), "{line}: {text}");
        assert!(code == 2 || text.lines().count() == 1, "{text}");
        assert!(!text.contains("panicked") && output.stdout.is_empty(), "{text}");
        assert_eq!(std::fs::read_dir(self.folder.path()).unwrap().count(), before, "{line}");
    }
}

fn distance(a: &Array2<Complex64>, b: &Array2<Complex64>) -> f64 {
    (a - b).iter().map(|entry| entry.norm()).fold(0.0, f64::max)
}

#[test]
fn matrices_of_ideal_and_imperfect_meshes_are_written() {
    let bench = Bench::new();
    for (index, own) in bench.meshes.iter().enumerate() {
        bench.asyt(&format!("mesh matrix phases.npz --mesh {index} --out U.npy")).assert().success();
        let expected = transfer_matrix(&own.mesh, &own.controls, None).unwrap();
        assert!(distance(&read_matrix(&bench.path("U.npy")).unwrap(), &expected) < 1e-13);

        let line = format!("mesh matrix phases.npz --mesh {index} --chip-errors chip.npz chip.npz --out U.npy");
        bench.asyt(&line).assert().success();
        let mut twice = errors(&own.mesh);
        twice.add(&errors(&own.mesh)).unwrap();
        let expected = imperfect_transfer_matrix(&own.mesh, &own.controls, &twice).unwrap();
        assert!(distance(&read_matrix(&bench.path("U.npy")).unwrap(), &expected) < 1e-12);
    }
}

#[test]
fn a_matrix_goes_through_phases_and_comes_back() {
    let bench = Bench::new();
    let unitary = transfer_matrix(&bench.meshes[0].mesh, &bench.meshes[0].controls, None).unwrap();
    write_matrix(&bench.path("U.npy"), &unitary).unwrap();
    for layout in ["rectangular", "triangular"] {
        for convention in ["native", "neurophox", "dat-mpnn"] {
            let line = format!("mesh decompose U.npy --layout {layout} --convention {convention} --out F.npz");
            let said = bench.asyt(&line).assert().success().get_output().stderr.clone();
            assert!(String::from_utf8(said).unwrap().contains(layout));
            bench.asyt("mesh matrix F.npz --out V.npy").assert().success();
            assert!(distance(&read_matrix(&bench.path("V.npy")).unwrap(), &unitary) < 1e-12, "{layout} {convention}");
        }
    }
}

#[test]
fn a_converted_file_makes_the_same_matrices() {
    let bench = Bench::new();
    for convention in ["native", "neurophox", "dat-mpnn"] {
        let line = format!("mesh convert phases.npz --from dat-mpnn --to {convention} --out other.npz");
        bench.asyt(&line).assert().success();
        for (index, own) in bench.meshes.iter().enumerate() {
            let line = format!("mesh matrix other.npz --mesh {index} --convention {convention} --out U.npy");
            bench.asyt(&line).assert().success();
            let expected = transfer_matrix(&own.mesh, &own.controls, None).unwrap();
            assert!(distance(&read_matrix(&bench.path("U.npy")).unwrap(), &expected) < 1e-12, "{convention}");
        }
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_exit_code() {
    let bench = Bench::new();
    let mut matrix = Array2::<Complex64>::eye(4);
    matrix[[0, 0]] = 1.5.into();
    write_matrix(&bench.path("stretched.npy"), &matrix).unwrap();
    write_matrix(&bench.path("wide.npy"), &Array2::zeros((2, 3))).unwrap();
    let whole = std::fs::read(bench.path("phases.npz")).unwrap();
    std::fs::write(bench.path("cut.npz"), &whole[..whole.len() / 2]).unwrap();
    write_phases(&bench.path("one.npz"), Convention::Native, &bench.meshes[..1]).unwrap();

    bench.refuses(
        "mesh decompose stretched.npy --out F.npz",
        1,
        &["stretched.npy", "UᴴU - I", "1.250", "1.000000 to 1.500000", "U Vᴴ"],
    );
    bench.refuses("mesh decompose wide.npy --out F.npz", 1, &["wide.npy", "square", "2 × 3", "--svd"]);
    bench.refuses("mesh fit wide.npy --layout butterfly --out F.npz", 2, &["wide.npy", "2 x 3", "square", "--svd"]);
    bench.refuses("mesh decompose phases.npz --out F.npz", 1, &["phases.npz", "npy"]);
    bench.refuses("mesh decompose none.npy --out F.npz", 1, &["none.npy"]);
    bench.refuses("mesh matrix cut.npz --out U.npy", 1, &["cut.npz", "cut short"]);
    bench.refuses("mesh matrix phases.npz --chip-errors cut.npz --out U.npy", 1, &["cut.npz"]);
    bench.refuses("mesh matrix one.npz --chip-errors chip.npz --out U.npy", 1, &["chip.npz", "2 meshes"]);
    bench.refuses("mesh matrix phases.npz --convention native --out U.npy", 1, &["dat-mpnn, not native"]);
    bench.refuses("mesh matrix phases.npz --out none/U.npy", 1, &["none/U.npy"]);
    bench.refuses("mesh convert phases.npz --from native --to neurophox --out F.npz", 1, &["dat-mpnn, not native"]);

    bench.refuses("mesh matrix phases.npz --mesh 2 --out U.npy", 2, &["--mesh 2", "meshes 0 to 1"]);
    bench.refuses("mesh matrix phases.npz --convention clements --out U.npy", 2, &["native, neurophox, dat-mpnn"]);
    bench.refuses("mesh matrix phases.npz", 2, &["--out"]);
    bench.refuses("mesh decompose wide.npy --layout square --out F.npz", 2, &["rectangular", "triangular"]);
    bench.refuses("mesh convert phases.npz --out F.npz", 2, &["--to"]);
    bench.refuses("mesh", 2, &["decompose"]);
}

#[test]
fn one_mesh_is_asked_for_and_no_other_is_read() {
    let bench = Bench::new();
    // damage within the second mesh's theta and its errors
    for name in ["phases.npz", "chip.npz"] {
        let mut content = std::fs::read(bench.path(name)).unwrap();
        let at = content.windows(15).position(|bytes| bytes == b"mesh1.theta.npy").unwrap();
        content[at + 200] ^= 1;
        std::fs::write(bench.path(name), content).unwrap();
    }
    for errors in ["", "--chip-errors chip.npz "] {
        bench.asyt(&format!("mesh matrix phases.npz --mesh 0 {errors}--out U.npy")).assert().success();
        let line = format!("mesh matrix phases.npz --mesh 1 {errors}--out U.npy");
        bench.refuses(&line, 1, &["phases.npz", "mesh1.theta", "checksum"]);
    }
}

#[test]
fn layouts_in_files_are_those_of_the_program() {
    let bench = Bench::new();
    write_matrix(&bench.path("U.npy"), &Array2::eye(3)).unwrap();
    bench.asyt("mesh decompose U.npy --layout triangular --out F.npz").assert().success();
    let read = at_core::files::phase_file::read_phases(&bench.path("F.npz"), None).unwrap();
    assert_eq!(read[0].mesh.layout(), Layout::Triangular);
}

/// A matrix that the mesh makes is found by gradient, one that it cannot make is said to be missed.
#[test]
fn meshes_of_any_layout_are_fitted() {
    let bench = Bench::new();
    let butterfly = programmed(Mesh::butterfly(8).unwrap(), 1.7);
    write_matrix(&bench.path("U.npy"), &transfer_matrix(&butterfly.mesh, &butterfly.controls, None).unwrap()).unwrap();
    let said = |line: &str| {
        let output = bench.asyt(line).assert().success().get_output().clone();
        (String::from_utf8(output.stdout).unwrap() + &String::from_utf8(output.stderr).unwrap()).replace('\n', " ")
    };
    let text = said("mesh fit U.npy --layout butterfly --starts 3 --out F.npz");
    assert!(text.contains("butterfly mesh of 8 modes in 3 columns, fidelity 1.0000"), "{text}");
    bench.asyt("mesh matrix F.npz --out V.npy").assert().success();
    let read = |name: &str| read_matrix(&bench.path(name)).unwrap();
    assert!(distance(&read("V.npy"), &read("U.npy")) < 1e-4);
    std::fs::write(bench.path("own.txt"), "0-1 2-3\n").unwrap();
    write_matrix(&bench.path("stretched.npy"), &(Array2::eye(4) * Complex64::new(1.5, 0.0))).unwrap();
    let text = said("mesh fit stretched.npy --layout own.txt --steps 50 --starts 1 --out G.npz");
    assert!(text.contains("custom mesh of 4 modes") && text.contains("not unitary"), "{text}");
    let read = at_core::files::phase_file::read_phases(&bench.path("G.npz"), None).unwrap();
    assert_eq!(read[0].mesh.die_columns(), [[[0, 1], [2, 3]]]);
    bench.refuses("mesh fit U.npy --layout round --out H.npz", 2, &["round", "butterfly", "file of columns"]);
    bench.refuses("mesh fit U.npy --layout diamond --depth 2 --out H.npz", 1, &["depth"]);
    bench.refuses("mesh fit U.npy --layout butterfly --starts 0 --out H.npz", 1, &["starts"]);
    bench.refuses("mesh fit U.npy --layout own.txt --depth 1 --out H.npz", 1, &["no depth"]);
    bench.refuses("mesh decompose U.npy --layout butterfly --out H.npz", 1, &["asyt mesh fit"]);
    bench.refuses("mesh convert F.npz --to neurophox --out H.npz", 1, &["no butterfly meshes", "native"]);
}

#[test]
fn redundant_columns_and_diamonds_make_the_matrix() {
    let bench = Bench::new();
    let own = programmed(Mesh::rectangular(6).unwrap(), 0.9);
    let unitary = transfer_matrix(&own.mesh, &own.controls, None).unwrap();
    write_matrix(&bench.path("U.npy"), &unitary).unwrap();
    let diamond = programmed(Mesh::diamond(6).unwrap(), 1.1);
    write_matrix(&bench.path("D.npy"), &transfer_matrix(&diamond.mesh, &diamond.controls, None).unwrap()).unwrap();
    let made = |line: &str, shape: &str| {
        let said = bench.asyt(line).assert().success().get_output().stderr.clone();
        assert!(String::from_utf8(said).unwrap().contains(shape), "{line}");
        bench.asyt("mesh matrix F.npz --out V.npy").assert().success();
        read_matrix(&bench.path("V.npy")).unwrap()
    };
    let read = |name: &str| read_matrix(&bench.path(name)).unwrap();
    for convention in ["native", "neurophox"] {
        let line = format!("mesh decompose U.npy --depth 9 --convention {convention} --out F.npz");
        assert!(distance(&made(&line, "rectangular mesh of 6 modes in 9 columns"), &unitary) < 1e-12);
    }
    let line = "mesh decompose D.npy --layout diamond --out F.npz";
    assert!(distance(&made(line, "diamond mesh of 6 modes in 5 columns"), &read("D.npy")) < 1e-12);
    let whole =
        made("mesh decompose U.npy --layout diamond --embed --out F.npz", "diamond mesh of 10 modes in 9 columns");
    let lower = whole.slice(ndarray::s![4.., 4..]).to_owned();
    assert!(distance(&lower, &unitary) < 1e-12);

    let said = ["U.npy", "beside the diagonal", "--embed", "asyt mesh fit"];
    bench.refuses("mesh decompose U.npy --layout diamond --out G.npz", 1, &said);
    bench.refuses("mesh decompose U.npy --depth 5 --out G.npz", 1, &["U.npy", "depth = 5", "asyt mesh fit"]);
    bench.refuses("mesh decompose U.npy --layout triangular --depth 9 --out G.npz", 1, &["only a rectangular mesh"]);
    bench.refuses("mesh decompose U.npy --embed --out G.npz", 2, &["--embed", "--layout diamond"]);
    bench.refuses(
        "mesh decompose D.npy --layout diamond --convention neurophox --out G.npz",
        1,
        &["no diamond meshes"],
    );
}

#[test]
fn any_matrix_becomes_meshes_and_attenuators() {
    let bench = Bench::new();
    let matrix = Array2::from_shape_fn((4, 6), |(row, column)| {
        Complex64::new((1.3 * row as f64 + column as f64).sin(), (0.7 * (row * column) as f64).cos())
    });
    write_matrix(&bench.path("W.npy"), &matrix).unwrap();
    for (more, meshes) in [("", [6, 4]), ("--tile 2 ", [12, 12]), ("--layout triangular --tile 2 ", [12, 12])] {
        bench.asyt(&format!("mesh decompose W.npy --svd {more}--out S.npz")).assert().success();
        let read = at_core::files::phase_file::read_phases(&bench.path("S.npz"), None).unwrap();
        assert_eq!([read[0].mesh.modes(), read[1].mesh.modes()], meshes);
        let own = |name: &str| at_core::files::phase_file::read_attenuators(&bench.path(name)).unwrap().unwrap();
        bench.asyt("mesh convert S.npz --to neurophox --out T.npz").assert().success();
        assert_eq!(own("T.npz"), own("S.npz"), "attenuators have no convention");
        if more.is_empty() {
            let [right, left] =
                [0, 1].map(|index| transfer_matrix(&read[index].mesh, &read[index].controls, None).unwrap());
            let controls = own("S.npz");
            let (gain, angles) = controls.split_last().unwrap();
            let made = Array2::from_shape_fn((4, 6), |(row, column)| {
                let path = |k: usize| left[[row, k]] * gain * (0.5 * angles[k]).sin() * right[[k, column]];
                (0..4).map(path).sum::<Complex64>()
            });
            assert!(distance(&made, &matrix) < 1e-12);
        }
    }
    bench.refuses("mesh decompose W.npy --svd --tile 4 --out F.npz", 1, &["W.npy", "tiles of 4 modes", "use 4 or 8"]);
    bench.refuses("mesh decompose W.npy --tile 2 --out F.npz", 2, &["--svd"]);
    for layout in ["butterfly", "diamond"] {
        bench.refuses(
            &format!("mesh decompose W.npy --svd --layout {layout} --out F.npz"),
            2,
            &["rectangular", layout],
        );
    }
    bench.refuses("mesh decompose W.npy --svd --depth 7 --out F.npz", 2, &["--depth"]);
}

#[cfg(target_os = "linux")]
#[test]
fn phases_and_matrices_go_into_a_pipe() {
    let bench = Bench::new();
    let unitary = transfer_matrix(&bench.meshes[0].mesh, &bench.meshes[0].controls, None).unwrap();
    write_matrix(&bench.path("U.npy"), &unitary).unwrap();
    bench.asyt("mesh decompose U.npy --layout triangular --out F.npz").assert().success();
    let piped = |line: &str| bench.asyt(line).assert().success().get_output().stdout.clone();
    std::fs::write(bench.path("G.npz"), piped("mesh decompose U.npy --layout triangular --out /dev/stdout")).unwrap();
    let read = |name: &str| at_core::files::phase_file::read_phases(&bench.path(name), None).unwrap();
    assert_eq!(read("G.npz"), read("F.npz"));
    std::fs::write(bench.path("V.npy"), piped("mesh matrix G.npz --out /dev/stdout")).unwrap();
    assert!(distance(&read_matrix(&bench.path("V.npy")).unwrap(), &unitary) < 1e-12);
    let converted = piped("mesh convert phases.npz --from dat-mpnn --to native --out /dev/stdout");
    std::fs::write(bench.path("H.npz"), converted).unwrap();
    assert_eq!(read("H.npz").len(), 2);
    bench.refuses("mesh decompose U.npy --layout triangular --out /dev/full", 1, &["/dev/full", "No space"]);
}
