//! Our conversion of neurophox phases against matrices that neurophox itself computed (golden/neurophox).

use at_core::optics::{Convention, Mesh, MeshErrors, imperfect_transfer_matrix, mzi};
use num_complex::Complex64;
use serde_json::Value;

fn rows(case: &Value, key: &str) -> Vec<Vec<f64>> {
    let numbers = |row: &Value| row.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect();
    case[key].as_array().unwrap().iter().map(numbers).collect()
}

/// [column][pair] → one entry per MZI.
fn per_mzi(mesh: &Mesh, case: &Value, key: &str) -> Vec<f64> {
    let table = rows(case, key);
    mesh.table_places().map(|[column, pair]| table[column][pair]).collect()
}

fn mesh(case: &Value) -> Mesh {
    let (modes, columns) = (case["modes"].as_u64().unwrap() as usize, case["columns"].as_u64().unwrap() as usize);
    match case["layout"].as_str().unwrap() {
        "triangular" => Mesh::triangular(modes).unwrap(),
        _ => Mesh::truncated(modes, columns).unwrap(),
    }
}

#[test]
fn converted_phases_make_the_matrices_of_neurophox() {
    let cases: Value = serde_json::from_str(include_str!("golden/neurophox/matrices.json")).unwrap();
    for case in cases.as_array().unwrap() {
        let mesh = mesh(case);
        assert_eq!(case["columns"], mesh.columns().len());
        let mut phases = per_mzi(&mesh, case, "theta");
        phases.extend(per_mzi(&mesh, case, "phi"));
        phases.extend(case["gamma"].as_array().unwrap().iter().map(|angle| angle.as_f64().unwrap()));
        let power_splits = MeshErrors {
            first_coupler: per_mzi(&mesh, case, "split_left"),
            second_coupler: per_mzi(&mesh, case, "split_right"),
            ..MeshErrors::none(&mesh)
        };
        let angles = |splits: &[f64]| splits.iter().map(|&split| mzi::angle_of_split(split)).collect();
        let angle_errors = MeshErrors {
            first_coupler: angles(&power_splits.first_coupler),
            second_coupler: angles(&power_splits.second_coupler),
            ..MeshErrors::none(&mesh)
        };
        let (real, imag) = (rows(case, "real"), rows(case, "imag"));
        for (convention, errors) in [(Convention::DatMpnn, power_splits), (Convention::Neurophox, angle_errors)] {
            let controls = convention.to_native(&mesh, &phases).unwrap();
            let errors = convention.errors_to_native(&mesh, &errors).unwrap();
            let matrix = imperfect_transfer_matrix(&mesh, &controls, &errors).unwrap();
            for ((output, input), &entry) in matrix.indexed_iter() {
                let expected = Complex64::new(real[input][output], imag[input][output]); // row vectors
                assert!((entry - expected).norm() < 1e-13, "{convention}, {mesh:?}: {entry} for {expected}");
            }
        }
    }
}
