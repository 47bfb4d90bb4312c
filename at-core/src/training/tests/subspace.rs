//! Subspace training: what it moves, along which gradient, and what calibration and mapping leave.

use super::fixture::{Fixture, losses, meshes, settings};
use super::meshes_inside::normalised;
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::network::{Detection, Network, Stage};
use crate::optics::{Activation, Mesh, transfer_matrix};
use crate::stage::StageErrors;
use crate::tiled::tiled_singular_value_stages;
use crate::training::MethodName;
use ndarray::Array2;
use num_complex::Complex64;
use std::ops::Range;

const BAD: Imperfections = Imperfections { splitter_angle: 0.1, phase: 0.4, ..Imperfections::NONE };

/// Two layers by their singular values, cut into tiles.
fn layers() -> Network {
    let tile = Mesh::rectangular(3).unwrap();
    let mut first = tiled_singular_value_stages(6, 6, &tile).unwrap();
    let mut last = tiled_singular_value_stages(6, 3, &tile).unwrap();
    first.push(Stage::activation(6, Activation::ELECTRO_OPTIC));
    last.push(Stage::detection(3, Detection::Homodyne { phase: 0.3 }));
    Network::new(vec![first, last]).unwrap()
}

fn fixture(errors: &Imperfections, rate: f64) -> Fixture<Cpu<f64>> {
    Fixture::new(Cpu::<f64>::new(), layers(), errors, settings(3, 1, rate, Optimizer::Sgd))
}

/// Every stage, those inside others in their place, with its errors and where its controls lie.
fn stages(fixture: &Fixture<Cpu<f64>>) -> Vec<(&Stage, StageErrors, Range<usize>)> {
    let mut end = 0;
    let stages = fixture.network.stages().enumerate();
    let parts = stages.flat_map(|(index, stage)| stage.parts_with_errors(fixture.fabrication.stage(index)));
    let place = |(part, errors): (_, StageErrors)| {
        let part: &Stage = part;
        let start = end;
        end += part.controls();
        (part, errors, start..end)
    };
    parts.map(place).collect()
}

/// Only attenuators move, along the true gradient of the imperfect chip, losses included.
#[test]
fn singular_values_descend_and_meshes_stay() {
    for errors in [BAD, Imperfections { loss_db: 0.3, loss_spread_db: 0.1, ..BAD }] {
        let fixture = fixture(&errors, 1.0);
        let truth = &fixture.trajectory(MethodName::Ideal, 1)[0];
        let found = &fixture.trajectory(MethodName::Subspace, 1)[0];
        let mut attenuators = 0;
        for (stage, _, own) in stages(&fixture) {
            let before = &fixture.initial[own.clone()];
            if let Stage::Attenuators(_) = stage {
                attenuators += 1;
                assert!(truth[own.clone()].iter().zip(before).any(|(after, before)| (after - before).abs() > 1e-3));
                let apart = found[own.clone()].iter().zip(&truth[own]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
                assert!(apart < 1e-12, "{apart:e}");
            } else {
                assert_eq!(&found[own], before);
            }
        }
        assert_eq!(attenuators, 2);
    }
}

/// The block of every die that the chip makes with `controls`.
fn blocks(mesh: &Mesh, errors: &StageErrors, controls: &[f64]) -> Array2<Complex64> {
    let modes = mesh.modes();
    let mut matrix = Array2::zeros((modes, modes));
    for input in 0..modes {
        let mut light = vec![0.0; 2 * modes];
        light[2 * input] = 1.0;
        let output = Stage::Mesh(mesh.clone()).element().forward(errors, controls, &light);
        for (mode, z) in output.chunks_exact(2).enumerate() {
            matrix[[mode, input]] = Complex64::new(z[0], z[1]);
        }
    }
    matrix
}

/// Largest entry of what `error` makes of every mesh of the chip and of what it was told.
fn worst(
    fixture: &Fixture<Cpu<f64>>,
    controls: &[f64],
    error: impl Fn(&Array2<Complex64>, &Array2<Complex64>) -> f64,
) -> f64 {
    let of_mesh = |(stage, errors, own): (&Stage, StageErrors, Range<usize>)| {
        let Stage::Mesh(mesh) = stage else { return 0.0 };
        let told = transfer_matrix(mesh, &fixture.initial[own.clone()], None).unwrap();
        error(&blocks(mesh, &errors, &controls[own]), &told)
    };
    stages(fixture).into_iter().map(of_mesh).fold(0.0, f64::max)
}

#[test]
fn calibration_leads_to_the_identity_and_mapping_to_what_was_told() {
    let mut fixture = fixture(&BAD, 1e-12);
    let dark = |made: &Array2<Complex64>, _: &Array2<Complex64>| {
        let defect = |((output, input), z): ((usize, usize), &Complex64)| {
            (z.norm_sqr() - f64::from(u8::from(output == input))).abs()
        };
        made.indexed_iter().map(defect).fold(0.0, f64::max)
    };
    let apart = |made: &Array2<Complex64>, told: &Array2<Complex64>| {
        (made - told).iter().map(|entry| entry.norm()).fold(0.0, f64::max)
    };
    assert!(worst(&fixture, &fixture.initial, dark) > 0.5 && worst(&fixture, &fixture.initial, apart) > 0.3);
    fixture.options.subspace_calibration = 25;
    let calibrated = &fixture.trajectory(MethodName::Subspace, 1)[0];
    let left = worst(&fixture, calibrated, dark);
    assert!(left < 0.05, "{left}");
    // what a mesh is told, couplers that are far from even do not let it make
    let mut fixture = self::fixture(&Imperfections { splitter_angle: 0.02, ..BAD }, 1e-12);
    assert!(worst(&fixture, &fixture.initial, apart) > 0.3);
    fixture.options.subspace_mapping = 25;
    let mapped = &fixture.trajectory(MethodName::Subspace, 1)[0];
    let left = worst(&fixture, mapped, apart);
    assert!(left < 0.06, "{left}");
    // singular values are projected onto what is left, near those that were told
    for (stage, _, own) in stages(&fixture) {
        let Stage::Attenuators(attenuators) = stage else { continue };
        let passes = mapped[own].iter().take(attenuators.passed()).map(|angle| (0.5 * angle).sin());
        let passes: Vec<f64> = passes.collect();
        assert!(passes.iter().all(|t| (0.98..=1.0).contains(t)) && passes.iter().any(|t| *t < 1.0), "{passes:?}");
    }
}

/// The same of meshes that patches cross.
#[test]
fn meshes_inside_a_convolution_are_mapped_as_all_others_are() {
    let errors = Imperfections { splitter_angle: 0.02, ..BAD };
    let settings = settings(3, 1, 1e-12, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), normalised(), &errors, settings);
    let apart = |made: &Array2<Complex64>, told: &Array2<Complex64>| {
        (made - told).iter().map(|entry| entry.norm_sqr()).sum::<f64>().sqrt()
    };
    let before = worst(&fixture, &fixture.initial, apart);
    fixture.options.subspace_mapping = 15;
    let mapped = &fixture.trajectory(MethodName::Subspace, 1)[0];
    let left = worst(&fixture, mapped, apart);
    assert!(before > 1.0 && left < 0.25 * before, "{before} to {left}");
    for (stage, _, own) in stages(&fixture) {
        let Stage::Attenuators(attenuators) = stage else { continue };
        let passes: Vec<f64> = mapped[own].iter().take(attenuators.passed()).map(|angle| (0.5 * angle).sin()).collect();
        assert!(passes.iter().any(|t| *t < 1.0) && passes.iter().all(|t| *t > 0.8), "{passes:?}");
    }
}

#[test]
fn it_learns_on_a_bad_chip() {
    let mut fixture = Fixture::new(Cpu::<f32>::new(), layers(), &BAD, settings(3, 40, 0.02, Optimizer::ADAM));
    for sweeps in [0, 5] {
        fixture.options.subspace_mapping = sweeps;
        let (first, last) = losses(&fixture, MethodName::Subspace);
        assert!(last < 0.8 * first, "{sweeps} sweeps: {first} to {last}");
    }
}

#[test]
fn meshes_without_singular_values_are_refused() {
    let said = (MethodName::Subspace.facts().unwrap().check)(&meshes(4)).unwrap_err().to_string();
    assert!(said.contains("without singular values") && said.contains("svd:16x16"), "{said}");
}
