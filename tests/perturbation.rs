//! The perturbation between layers: how strong it is, that it acts on modes as it should, and that oracles follow it.

use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_tests::case::Case;
use at_tests::compare::assert_close;
use at_tests::networks::{coherent, every_stage, matrices, recorded_stages};

const STRENGTH: f64 = 0.4;

fn perturbed(network: Network, batch: usize) -> Case {
    Case::new(network, &Imperfections { perturbation: STRENGTH, ..Imperfections::NONE }, batch, 8)
}

/// What is added to the signals behind layer 0, and the signals without it.
fn added(case: &Case) -> (Vec<f64>, Vec<f64>) {
    let ideal = Case::new(case.network.clone(), &Imperfections::NONE, case.batch, 8);
    let layer = |chip: &Case| chip.reference().propagate_layer(0, &case.controls, &case.fields).unwrap();
    let (clean, disturbed) = (layer(&ideal), layer(case));
    (disturbed.iter().zip(&clean).map(|(disturbed, clean)| disturbed - clean).collect(), clean)
}

#[test]
fn it_is_as_strong_as_told_whatever_the_width() {
    for width in [16, 64] {
        let fields = coherent(width, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
        for network in [fields, matrices(&[16, width, 4])] {
            let (added, clean) = added(&perturbed(network, 50));
            let power = |values: &[f64]| values.iter().map(|x| x * x).sum::<f64>();
            let share = (power(&added) / power(&clean)).sqrt();
            assert!((share / STRENGTH - 1.0).abs() < 0.2, "{width} modes: {share}");
        }
    }
}

/// A field turned by i comes out turned by i, so nothing but fields is mixed; and both quadratures mix.
#[test]
fn fields_mix_as_fields() {
    let mut case = perturbed(coherent(6, 2, Activation::Spm { gain: 0.7 }, Detection::Intensity), 9);
    let (before, clean) = added(&case);
    case.fields = case.fields.chunks_exact(2).flat_map(|z| [-z[1], z[0]]).collect();
    let (after, _) = added(&case);
    let turned: Vec<f64> = before.chunks_exact(2).flat_map(|z| [-z[1], z[0]]).collect();
    assert_close("turned by i", &after, &turned, 1e-12);
    let matrix = &case.fabrication.perturbation[0];
    assert!(matrix[1] != 0.0 && matrix[0] != 1.0 && clean.len() == 9 * 12);
}

#[test]
fn only_hidden_signals_meet_it_and_chips_differ() {
    let of = |seed| {
        let imperfections = Imperfections { perturbation: STRENGTH, ..Imperfections::NONE };
        imperfections.fabricate(&recorded_stages(), seed).unwrap().perturbation
    };
    let sizes: Vec<usize> = of(1).iter().map(Vec::len).collect();
    assert_eq!(sizes, [36, 196, 25, 0]);
    assert_eq!(of(1), of(1));
    assert_ne!(of(1), of(2));
    let single = matrices(&[4, 3]);
    let chip = Imperfections { perturbation: STRENGTH, ..Imperfections::NONE }.fabricate(&single, 1).unwrap();
    assert!(chip.perturbation.is_empty());
}

#[test]
fn the_oracles_gradient_is_that_of_the_perturbed_chip() {
    let case = perturbed(every_stage(), 3);
    let gradient = case.expected().gradient;
    let loss = |controls: &[f64]| {
        let readout = case.reference().propagate(controls, &case.fields).unwrap();
        readout.iter().zip(&case.error).map(|(readout, error)| readout * error).sum::<f64>()
    };
    let step = 1e-5;
    let difference = |k: usize| {
        let mut moved = case.controls.clone();
        moved[k] += step;
        let above = loss(&moved);
        moved[k] -= 2.0 * step;
        (above - loss(&moved)) / (2.0 * step)
    };
    let differences: Vec<f64> = (0..case.controls.len()).map(difference).collect();
    assert_close("gradient", &gradient, &differences, 1e-7);
}
