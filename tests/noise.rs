//! Noise of a chip: its statistics, and what is common to what.

use at_core::chip::{Chip, Physical};
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::fabrication::Fabrication;
use at_core::fabrication::noise::{Draw, SignalNoise};
use at_core::imperfections::{Imperfections, Noise, random};
use at_core::network::{Detection, Network, Signal};
use at_core::optics::Activation;
use at_core::propagator::{LayerAccess, Layered, Propagator, Simulator, TapAccess};
use at_tests::case::{Case, LOSSY};
use at_tests::conformance::EVERY_NOISE;
use at_tests::networks::{coherent, matrices};

fn networks() -> [Network; 2] {
    [coherent(5, 3, Activation::ELECTRO_OPTIC, Detection::Intensity), matrices(&[6, 9, 4])]
}

/// `x` disturbed in 4000 samples, on `modes` modes.
fn disturbed(noise: &SignalNoise, x: f64, pass: u64) -> Vec<f64> {
    let engine = Cpu::<f64>::new();
    let mut signal = engine.upload(&vec![x; 4000 * noise.signal.width()]).unwrap();
    let draw = Draw { key: random::key(5), pass, site: 3, first: 0 };
    engine.disturb(noise, &draw, 4000, &mut signal).unwrap();
    engine.download(&signal).unwrap()
}

fn variance(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let count = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / count;
    values.map(|value| (value - mean).powi(2)).sum::<f64>() / count
}

#[test]
fn variances_are_those_of_the_formula() {
    let reals = SignalNoise::none(Signal::reals(3));
    let x = 2.5;
    let cases = [
        (SignalNoise { relative: 0.1, ..reals }, 0.01 * x * x),
        (SignalNoise { absolute: 0.2, ..reals }, 0.04),
        (SignalNoise { shot: 0.3, ..reals }, 0.09 * x),
        (SignalNoise { sample: 0.1, ..reals }, 0.01 * x * x),
        (SignalNoise { shot: 0.3, absolute: 0.2, ..reals }, 0.09 * x + 0.04),
    ];
    for (noise, expected) in cases {
        let found = variance(disturbed(&noise, x, 1).into_iter());
        assert!((found / expected - 1.0).abs() < 0.06, "{noise:?}: {found} for {expected}");
    }
    // a field's noise is shared by its two quadratures, and relative noise also turns its phase
    let fields = SignalNoise { relative: 0.1, absolute: 0.2, ..SignalNoise::none(Signal::fields(3)) };
    let field = disturbed(&fields, x, 1);
    for quadrature in [0, 1] {
        let found = variance(field.iter().skip(quadrature).step_by(2).copied());
        let expected = 0.01 * x * x + 0.02; // |z|² = 2x²
        assert!((found / expected - 1.0).abs() < 0.06, "{found} for {expected}");
    }
    let turned = disturbed(&SignalNoise { absolute: 0.0, ..fields }, x, 1);
    let difference = variance(turned.chunks_exact(2).map(|z| z[1] - z[0]));
    assert!((difference / (0.02 * x * x) - 1.0).abs() < 0.06, "{difference}");
}

/// A quantised signal is off by `step/√12`, and only by less than a step and a half of clipping at the top.
#[test]
fn a_converter_adds_the_noise_of_its_steps() {
    let engine = Cpu::<f64>::new();
    let read = Noise { adc_bits: 6, ..Noise::NONE }.read(Signal::reals(1), false);
    let step = 1.0 / 64.0;
    let signal: Vec<f64> = (0..20_000).map(|k| f64::from(k) / 20_000.0 * (1.0 - step)).collect();
    let mut converted = engine.upload(&signal).unwrap();
    engine.disturb(&read, &Draw { key: [0; 2], pass: 0, site: 0, first: 0 }, signal.len(), &mut converted).unwrap();
    let errors = converted.iter().zip(&signal).map(|(a, b)| a - b);
    assert!(errors.clone().all(|error| error.abs() <= step / 2.0 + 1e-12));
    assert!((variance(errors).sqrt() / (step / 12f64.sqrt()) - 1.0).abs() < 0.02);
    assert!(converted.iter().all(|value| (value / step).fract() == 0.0));
}

/// One laser lights all ports; one gain drifts for all samples; every other draw is its own.
#[test]
fn common_noise_is_common_and_other_noise_is_not() {
    let modes = 4;
    let none = SignalNoise::none(Signal::reals(modes));
    let laser = disturbed(&SignalNoise { sample: 0.1, ..none }, 1.0, 1);
    assert!(laser.chunks_exact(modes).all(|row| row.iter().all(|x| *x == row[0])));
    assert!(variance(laser.iter().step_by(modes).copied()) > 0.005);
    let gains: Vec<f64> = (0..400)
        .map(|pass| {
            let all = disturbed(&SignalNoise { gain: 0.1, ..none }, 1.0, pass);
            assert!(all.iter().all(|x| *x == all[0]));
            all[0]
        })
        .collect();
    assert!((variance(gains.into_iter()) / 0.01 - 1.0).abs() < 0.25);
    let own = disturbed(&SignalNoise { absolute: 1.0, ..none }, 0.0, 1);
    let next = disturbed(&SignalNoise { absolute: 1.0, ..none }, 0.0, 2);
    let product = |shift: usize| own.iter().zip(own.iter().skip(shift)).map(|(a, b)| a * b).sum::<f64>() / 16_000.0;
    for (what, correlation) in [
        ("modes", product(1)),
        ("samples", product(modes)),
        ("passes", own.iter().zip(&next).map(|(a, b)| a * b).sum::<f64>() / 16_000.0),
    ] {
        assert!(correlation.abs() < 0.03, "{what}: {correlation}");
    }
}

/// The oracle and every model are built by the engine, which knows no noise; the chip alone has it.
#[test]
fn noise_acts_on_the_chip_alone_also_layer_by_layer() {
    let engine = Cpu::<f64>::new();
    for network in networks() {
        let case = Case::new(network.clone(), &Imperfections { noise: EVERY_NOISE, ..LOSSY }, 9, 3);
        let calm = Fabrication { noise: Noise::NONE, ..case.fabrication.clone() };
        let readout = |fabrication: &Fabrication| {
            let mut inside = engine.build(&network, fabrication).unwrap();
            inside.program(&case.controls).unwrap();
            let mut readout = vec![0.0; 9 * network.outputs()];
            inside.propagate(&case.fields, 9, &mut readout).unwrap();
            readout
        };
        assert_eq!(readout(&case.fabrication), readout(&calm));
        let mut chip = Chip::new(&engine, &network, &case.fabrication).unwrap();
        chip.program(&case.controls).unwrap();
        let mut twice = [(); 2].map(|()| vec![0.0; 9 * chip.layer_outputs(0)]);
        for output in &mut twice {
            chip.propagate_layer(0, &case.fields, 9, output).unwrap();
        }
        assert!(twice[0].iter().zip(&twice[1]).all(|(a, b)| a != b), "every pass has its own draws");
        assert_eq!(chip.state().unwrap().passes, 2);
    }
}

/// A tap's own reading noise does not travel on: the readout is that of the same pass without taps.
#[test]
fn taps_do_not_disturb_the_light() {
    let engine = Cpu::<f64>::new();
    for noise in [EVERY_NOISE, Noise { thermal_noise: 0.1, ..Noise::NONE }, Noise::NONE] {
        for network in networks() {
            let case = Case::new(network, &Imperfections { noise, ..LOSSY }, 9, 3);
            let chip = || {
                let mut chip = Chip::new(&engine, &case.network, &case.fabrication).unwrap();
                chip.program(&case.controls).unwrap();
                chip
            };
            let (mut plain, mut tapped) = (chip(), chip());
            let mut readouts = [(); 2].map(|()| vec![0.0; 9 * case.network.outputs()]);
            let hidden = 0..plain.layers() - 1;
            let mut taps: Vec<_> = hidden.map(|layer| vec![0.0; 9 * plain.layer_outputs(layer)]).collect();
            plain.propagate(&case.fields, 9, &mut readouts[0]).unwrap();
            tapped.propagate_tapped(&case.fields, 9, &mut taps, &mut readouts[1]).unwrap();
            assert_eq!(readouts[0], readouts[1]);
            if let [first, ..] = &taps[..] {
                let mut alone = vec![0.0; first.len()];
                chip().propagate_layer(0, &case.fields, 9, &mut alone).unwrap();
                assert_eq!(*first, alone, "a tap reads what a readout of that layer would");
            }
        }
    }
}
