//! The conventions, pinned by numbers that owe nothing to the code: orientation, phase signs, mode order, where loss acts.

use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::network::{Detection, Network};
use at_core::optics::Mesh;
use at_core::stage::StageErrors;
use at_tests::case::Case;
use at_tests::networks::mesh_and_detectors;
use num_complex::Complex64;
use std::f64::consts::{FRAC_PI_4, PI};

const ROUNDING: f64 = 1e-14;

fn i() -> Complex64 {
    Complex64::i()
}

fn turn(phase: f64) -> Complex64 {
    Complex64::cis(phase)
}

/// `U[output][input]` of a mesh on the reference and on the CPU, which must agree.
fn matrix(mesh: &Mesh, controls: &[f64], errors: StageErrors) -> Vec<Vec<Complex64>> {
    let modes = mesh.modes();
    let network = mesh_and_detectors(mesh, Detection::Intensity);
    let fabrication = Fabrication { stages: vec![errors, StageErrors::NONE], ..Fabrication::ideal() };
    let mut identity = vec![0.0; 2 * modes * modes];
    (0..modes).for_each(|mode| identity[2 * (mode * modes + mode)] = 1.0);
    let case = Case {
        network,
        fabrication,
        first_controls: controls.to_vec(),
        controls: controls.to_vec(),
        fields: identity,
        error: Vec::new(),
        batch: modes,
    };
    let reference = case.reference().propagate_layer(0, controls, &case.fields).unwrap();
    let cpu = case.run_layer(&Cpu::<f64>::new(), 0, &case.fields);
    at_tests::compare::assert_close("CPU against reference", &cpu, &reference, ROUNDING);
    let entry = |output: usize, input: usize| {
        let at = 2 * (input * modes + output);
        Complex64::new(reference[at], reference[at + 1])
    };
    (0..modes).map(|output| (0..modes).map(|input| entry(output, input)).collect()).collect()
}

#[track_caller]
fn assert_equal(what: &str, got: Complex64, expected: Complex64) {
    assert!((got - expected).norm() < ROUNDING, "{what}: {got}, not {expected}");
}

#[test]
fn an_ideal_mzi_is_the_published_matrix() {
    let mesh = Mesh::rectangular(2).unwrap();
    let (theta, phi, gamma) = (0.7_f64, 1.9, [0.4, -1.1]);
    let u = matrix(&mesh, &[theta, phi, gamma[0], gamma[1]], StageErrors::NONE);
    let (sine, cosine) = (0.5 * theta).sin_cos();
    let common = i() * turn(0.5 * theta);
    assert_equal("bar, upper", u[0][0], turn(gamma[0]) * common * turn(phi) * sine);
    assert_equal("cross, from below", u[0][1], turn(gamma[0]) * common * cosine);
    assert_equal("cross, from above", u[1][0], turn(gamma[1]) * common * turn(phi) * cosine);
    assert_equal("bar, lower", u[1][1], turn(gamma[1]) * common * -sine);
}

#[test]
fn each_coupler_error_acts_where_its_coupler_stands() {
    let mesh = Mesh::rectangular(2).unwrap();
    let (theta, first, second) = (0.7, 0.2, -0.1);
    let mut errors = StageErrors::zeros(&mesh);
    errors.get_mut("first_coupler")[0] = first;
    errors.get_mut("second_coupler")[0] = second;
    errors.get_mut("phases").copy_from_slice(&[0.05, 0.3, -0.2, 0.6]);
    let u = matrix(&mesh, &[theta, 0.0, 0.0, 0.0], errors);
    let ((s1, c1), (s2, c2)) = ((FRAC_PI_4 + first).sin_cos(), (FRAC_PI_4 + second).sin_cos());
    let (inner, outer, gamma) = (turn(theta + 0.05), turn(0.3), [turn(-0.2), turn(0.6)]);
    assert_equal("upper to upper", u[0][0], gamma[0] * outer * (c1 * c2 * inner - s1 * s2));
    assert_equal("lower to upper", u[0][1], gamma[0] * i() * (s1 * c2 * inner + c1 * s2));
    assert_equal("upper to lower", u[1][0], gamma[1] * outer * i() * (c1 * s2 * inner + s1 * c2));
    assert_equal("lower to lower", u[1][1], gamma[1] * (c1 * c2 - s1 * s2 * inner));
}

#[test]
fn light_takes_the_columns_in_order_and_the_matrix_acts_on_column_vectors() {
    // Three modes: MZIs join modes 0-1, 1-2, 0-1. The paths between modes 0 and 2 are single, so each is a plain product.
    let mesh = Mesh::rectangular(3).unwrap();
    let (theta, phi, gamma) = ([0.3, 1.1, 2.3], [0.5, -0.7, 1.7], [0.2, 0.9, -0.4]);
    let u = matrix(&mesh, &[theta, phi, gamma].concat(), StageErrors::NONE);
    let common = |k: usize| i() * turn(0.5 * theta[k]);
    let crossing = |k: usize| common(k) * (0.5 * theta[k]).cos();
    // From mode 2: straight past the first column, up in the second, up in the third. φ acts on upper inputs only.
    assert_equal("from 2 to 0", u[0][2], turn(gamma[0]) * crossing(2) * crossing(1));
    // From mode 0: down in the first, down in the second, straight past the third.
    let down = turn(phi[0]) * crossing(0) * turn(phi[1]) * crossing(1);
    assert_equal("from 0 to 2", u[2][0], turn(gamma[2]) * down);
    assert!((u[0][2] - u[2][0]).norm() > 0.1, "the example tells a matrix from its transpose");
    // From mode 2 to itself: the lower bar state of the second column alone.
    let bar = -common(1) * (0.5 * theta[1]).sin();
    assert_equal("from 2 to 2", u[2][2], turn(gamma[2]) * bar);
}

#[test]
fn controls_are_ordered_column_by_column_from_the_top() {
    let rectangular = [(0, 0), (0, 2), (1, 1), (1, 3), (2, 0), (2, 2), (3, 1), (3, 3), (4, 0), (4, 2)];
    let triangular = [(0, 0), (1, 1), (2, 0), (2, 2), (3, 1), (3, 3), (4, 0), (4, 2), (5, 1), (6, 0)];
    let shallow = [(0, 0), (0, 2), (1, 1), (1, 3)];
    let meshes = [
        (Mesh::rectangular(5).unwrap(), &rectangular[..]),
        (Mesh::triangular(5).unwrap(), &triangular[..]),
        (Mesh::truncated(5, 2).unwrap(), &shallow[..]),
    ];
    for (mesh, positions) in meshes {
        assert_eq!(mesh.positions().map(|(column, [row, _])| (column, row)).collect::<Vec<_>>(), positions);
        let bars = |modes: usize| [vec![PI; mesh.mzis()], vec![0.0; mesh.mzis() + modes]].concat();
        for (mzi, &(_, row)) in positions.iter().enumerate() {
            // All bar but one: that one swaps its two modes and no others.
            let mut controls = bars(5);
            controls[mzi] = 0.0;
            let u = matrix(&mesh, &controls, StageErrors::NONE);
            for (output, row_of_u) in u.iter().enumerate() {
                let source = if output == row {
                    row + 1
                } else if output == row + 1 {
                    row
                } else {
                    output
                };
                assert!((row_of_u[source].norm() - 1.0).abs() < ROUNDING, "{mesh:?}, MZI {mzi}, output {output}");
            }
            // The external phase of the same MZI turns light that enters at its upper mode.
            let plain = matrix(&mesh, &bars(5), StageErrors::NONE);
            let mut controls = bars(5);
            controls[mesh.mzis() + mzi] = 0.6;
            let u = matrix(&mesh, &controls, StageErrors::NONE);
            for mode in 0..5 {
                let phase = if mode == row { 0.6 } else { 0.0 };
                assert_equal("a turned bar state", u[mode][mode], turn(phase) * plain[mode][mode]);
            }
        }
    }
}

#[test]
fn loss_stands_behind_the_mzis_of_its_column() {
    let mesh = Mesh::rectangular(3).unwrap();
    let controls = [0.3, 1.1, 2.3, 0.5, -0.7, 1.7, 0.2, 0.9, -0.4];
    let ideal = matrix(&mesh, &controls, StageErrors::NONE);
    let lossy = |column: usize, mode: usize| {
        let mut errors = StageErrors::zeros(&mesh);
        errors.get_mut("loss_db")[3 * column + mode] = 20.0;
        matrix(&mesh, &controls, errors)
    };
    // 20 dB of power are a tenth of the field. Behind the last column a loss is on an output, whatever the input.
    let last = lossy(2, 1);
    for input in 0..3 {
        assert_equal("lossy output", last[1][input], 0.1 * ideal[1][input]);
        assert_equal("other output", last[0][input], ideal[0][input]);
    }
    // Mode 2 has no MZI in the first column: loss there is on input 2.
    let first = lossy(0, 2);
    for output in 0..3 {
        assert_equal("lossy input", first[output][2], 0.1 * ideal[output][2]);
        assert_equal("other input", first[output][1], ideal[output][1]);
    }
    // Behind the second column, the only way from 2 to 0 leads along mode 1.
    assert_equal("lossy path", lossy(1, 1)[0][2], 0.1 * ideal[0][2]);
    assert_equal("other path", lossy(1, 1)[2][2], ideal[2][2]);
}

#[test]
fn detectors_read_what_their_names_say() {
    let mesh = Mesh::rectangular(2).unwrap();
    let (upper, lower) = (Complex64::from_polar(2.0, 0.8), Complex64::from_polar(3.0, -0.3));
    // Through the bar state the modes leave with a factor -1 above and 1 below; γ undoes the sign.
    let controls = [PI, 0.0, PI, 0.0];
    let read = |detection: Detection| -> Vec<f64> {
        let network: Network = mesh_and_detectors(&mesh, detection);
        let fields = vec![upper.re, upper.im, lower.re, lower.im];
        let error = vec![1.0; network.outputs()];
        let (fabrication, first) = (Fabrication::ideal(), controls.to_vec());
        let case =
            Case { network, fabrication, controls: first.clone(), first_controls: first, fields, error, batch: 1 };
        let readout = case.run(&Cpu::<f64>::new()).readout;
        at_tests::compare::assert_close("CPU against reference", &readout, &case.expected().readout, ROUNDING);
        readout
    };
    let near = |got: Vec<f64>, expected: &[f64]| at_tests::compare::assert_close("readout", &got, expected, ROUNDING);
    near(read(Detection::Intensity), &[4.0, 9.0]);
    near(read(Detection::Amplitude), &[2.0, 3.0]);
    near(read(Detection::Balanced), &[4.0 - 9.0]);
    // In phase with the local oscillator, a field reads its amplitude.
    near(read(Detection::Homodyne { phase: 0.8 }), &[2.0, 3.0 * (-0.3_f64 - 0.8).cos()]);
}
