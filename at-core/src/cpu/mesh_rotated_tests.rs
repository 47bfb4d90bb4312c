use super::*;
use crate::imperfections::Imperfections;
use crate::network::{Detection, Network, Stage};

fn some(count: usize, step: f64) -> Vec<f64> {
    (0..count).map(|k| (step * (k + 1) as f64).sin()).collect()
}

/// What does not meet light is passed over, and nothing is lost by it: in meshes of neighbours, on dies, and where light may spread at once.
#[test]
fn units_are_fields_like_any_others() {
    let modes = 70;
    let on_dies = Mesh::rectangular(14).unwrap().on_dies(5).unwrap();
    let named = [Mesh::rectangular(modes), Mesh::triangular(modes), Mesh::truncated(modes, 21), Mesh::diamond(modes)];
    let meshes = named.map(|mesh| mesh.unwrap()).into_iter().chain([on_dies, Mesh::butterfly(64).unwrap()]);
    for (mesh, errors) in meshes.flat_map(|mesh| [(mesh.clone(), 0.0), (mesh, 0.1)]) {
        let imperfections = Imperfections { splitter_angle: errors, phase: errors, ..Imperfections::NONE };
        let detection = Stage::detection(mesh.modes(), Detection::Intensity);
        let network = Network::new(vec![vec![Stage::Mesh(mesh.clone()), detection]]).unwrap();
        let fabrication = imperfections.fabricate(&network, 3).unwrap();
        let mut stage = RotatedMesh::<f64>::new(&mesh, fabrication.stage(0)).unwrap().expect("nothing is lost");
        stage.program(&some(mesh.controls(), 0.37));
        let (modes, width) = (mesh.modes(), 2 * mesh.modes());
        let mut units = vec![0.0; modes * width];
        units.iter_mut().step_by(width + 2).for_each(|unit| *unit = 1.0);
        let [mut output, mut expected] = [(); 2].map(|()| vec![f64::NAN; modes * width]);
        stage.forward_units(&units, modes, &mut output);
        stage.forward(&units, modes, &mut expected);
        close(&output, &expected);
        let adjoint = some(modes * width, 0.59);
        let mut gradients = [(); 2].map(|()| vec![f64::NAN; mesh.controls()]);
        let kept = Kept::default();
        let pass = Recorded { input: &units, output: &output, adjoint: &adjoint, batch: modes, kept: &kept };
        for (gradient, of_units) in gradients.iter_mut().zip([true, false]) {
            let adjoint_in = &mut vec![0.0; modes * width];
            let slopes = Slopes { adjoint_in, all_the_way: false, gradient, imperfections: None };
            if of_units { stage.backward_units(&pass, slopes) } else { stage.backward(&pass, slopes) }
        }
        close(&gradients[0], &gradients[1]);
    }
}

/// Bar and cross states and whole and half turns, where a sign of what the loops hold turns over.
#[test]
fn rotations_by_any_angle_are_three_shears_each() {
    let angles = (-9..=9).map(|k| f64::from(k) * FRAC_PI_2).flat_map(|angle| [angle, angle + 1e-9, angle - 0.3]);
    let angles: Vec<f64> = angles.collect();
    for (&theta, &phi) in angles.iter().flat_map(|theta| angles.iter().map(move |phi| (theta, phi))) {
        let turn = Complex64::cis(phi);
        let (s, c) = (0.5 * theta).sin_cos();
        let (Rotation { turn: [t, sine], split: [p, q] }, signs) = Rotation::<f64>::new(turn, [s, c]);
        assert!(t.abs().max(p.abs()) < 1.0 + 1e-15, "{theta} {phi}: at most a quarter turn");
        let [mut upper, mut lower] = [Complex64::new(0.3, -0.8), Complex64::new(-0.5, 0.2)];
        let expected = [upper * turn * s + lower * c, upper * turn * c - lower * s];
        upper.re -= t * upper.im;
        upper.im += sine * upper.re;
        upper.re -= t * upper.im;
        upper -= p * lower;
        lower += q * upper;
        upper -= p * lower;
        for (own, expected) in [upper * signs[0], lower * signs[1]].iter().zip(expected) {
            assert!((own - expected).norm() < 1e-15, "{theta} {phi}: {own} instead of {expected}");
        }
    }
}

fn close(got: &[f64], expected: &[f64]) {
    let largest = expected.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((got - expected).abs() < 1e-12 * largest, "{index}: {got} instead of {expected}");
    }
}
