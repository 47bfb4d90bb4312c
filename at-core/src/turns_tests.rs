//! Turning a control back changes nothing of the light, and what would change is left.

use super::*;
use crate::cpu::Cpu;
use crate::network::{Detection, singular_value_stages};
use crate::optics::{Layout, Mesh};
use crate::propagator::{Propagator, Simulator};
use crate::reference::Reference;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

fn coherent() -> Network {
    let svd = singular_value_stages(4, 4, Layout::Rectangular).unwrap();
    let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
    let detection = Stage::detection(4, Detection::Intensity);
    Network::new(vec![svd.into_iter().collect(), vec![mesh, detection]]).unwrap()
}

fn banks() -> Network {
    Network::new(vec![vec![Stage::weight_bank(4, 3)]]).unwrap()
}

/// Controls within a turn of zero, and the same `turns` of 4π away; the attenuators' gain stays.
fn near_and_far(network: &Network, turns: f64) -> [Vec<f64>; 2] {
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let near: Vec<f64> = (0..network.controls()).map(|_| random.random_range(0.1..6.0)).collect();
    let phases = meanings(network).map(|meaning| matches!(meaning, Meaning::Phase { .. }));
    let far = near.iter().zip(phases).map(|(c, phase)| if phase { c + 2.0 * TAU * turns } else { *c }).collect();
    [near, far]
}

fn readout(network: &Network, fabrication: &Fabrication, controls: &[f64]) -> Vec<f64> {
    let fields: Vec<f64> = (0..network.input().width()).map(|k| (k as f64 * 0.7).sin()).collect();
    Reference { network, fabrication, first_controls: controls, drift: &[] }.propagate(controls, &fields).unwrap()
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

fn kinds() -> Vec<Imperfections> {
    let errors = Imperfections {
        splitter_angle: 0.05,
        phase: 0.3,
        response_amplitude: 0.2,
        response_offset: 0.4,
        update_error: 0.3,
        ..Imperfections::NONE
    };
    let control = |control| Imperfections { control, ..errors };
    vec![
        Imperfections::NONE,
        errors,
        Imperfections { response_slope: 0.3, ..errors },
        control(Control {
            control_range: 19.28,
            control_bits: 6,
            heater_quartic: 0.2,
            crosstalk: 0.1,
            ..Control::NONE
        }),
        control(Control { heater_spread: 0.1, ..Control::NONE }),
        control(Control { crosstalk: 0.1, ..Control::NONE }),
    ]
}

#[test]
fn turning_first_controls_back_changes_no_light_on_any_kind_of_chip() {
    for (network, kind) in [coherent(), banks()].iter().flat_map(|n| kinds().into_iter().map(move |kind| (n, kind))) {
        let chip = kind.fabricate(network, 5).unwrap();
        for turns in [10.0, -300.0, 5e5] {
            let [_, far] = near_and_far(network, turns);
            let mut told = far.clone();
            turn_first(network, &[&chip], &mut told).unwrap();
            let [expected, found] = [&far, &told].map(|controls| readout(network, &chip, controls));
            assert!(distance(&expected, &found) < 1e-6, "{kind:?} {turns}: {expected:?}, {found:?}");
        }
    }
}

#[test]
fn phases_come_back_and_what_a_turn_would_change_stays() {
    let network = coherent();
    let [near, far] = near_and_far(&network, 5e5);
    let mut told = far.clone();
    turn_first(&network, &[&Fabrication::ideal()], &mut told).unwrap();
    let apart = |(near, told): (&f64, &f64)| ((near - told) / TAU).rem_euclid(1.0);
    assert!(told.iter().all(|control| control.abs() <= TAU));
    assert!(near.iter().zip(&told).map(apart).all(|part| !(1e-8..1.0 - 1e-8).contains(&part)));
    let gains = Imperfections { control: Control { heater_spread: 0.1, ..Control::NONE }, ..Imperfections::NONE };
    let gains = gains.fabricate(&network, 1).unwrap();
    for together in [&[&gains][..], &[&Fabrication::ideal(), &gains]] {
        let mut told = far.clone();
        turn_first(&network, together, &mut told).unwrap();
        assert_eq!(told, far, "a heater with a gain of 1.1 follows 1.1 turns");
    }
}

#[test]
fn a_heater_at_rest_is_not_driven_through_its_range_by_whole_turns() {
    let network = coherent();
    let control = Control { control_range: 19.28, heater_spread: 0.1, ..Control::NONE };
    let chip = Imperfections { control, ..Imperfections::NONE }.fabricate(&network, 5).unwrap();
    let gains: Vec<bool> = turns(&network, &chip).map(|turn| turn == Turn::Matter).collect();
    for turns in (9..2000).chain([123_456, 100_000_000]).flat_map(|turns| [f64::from(turns), -f64::from(turns)]) {
        let mut told = vec![turns * TAU; network.controls()];
        turn_first(&network, &[&chip], &mut told).unwrap();
        let mut phases = told.iter().zip(&gains).filter(|(_, gain)| !**gain).map(|(control, _)| *control);
        assert!(phases.all(|control| (0.0..1e-6).contains(&control)), "{turns} turns: {told:?}");
    }
}

#[test]
fn controls_near_zero_are_left_to_the_bit() {
    let network = coherent();
    let [near, further] = near_and_far(&network, 3.0);
    let mut told = near.clone();
    turn_first(&network, &[&Fabrication::ideal()], &mut told).unwrap();
    assert_eq!(told, near);
    let free = FreePhases::new(&network, &Fabrication::ideal(), &Imperfections::NONE);
    assert_eq!(free.excess(&further), Ok(None), "in training only what is far away is turned");
}

/// 32 bits tell phases of 44 rad apart by 4e-6 rad only, which used to be in the readouts.
#[test]
fn a_few_whole_turns_change_no_readout_of_32_bits() {
    let mesh = Stage::Mesh(Mesh::rectangular(16).unwrap());
    let network = Network::new(vec![vec![mesh, Stage::detection(16, Detection::Intensity)]]).unwrap();
    let fabrication = Fabrication::ideal();
    let fields: Vec<f32> = (0..32).map(|k| (k as f32 * 0.7).sin()).collect();
    let readout = |controls: &[f64]| {
        let mut built = Cpu::<f32>::new().build(&network, &fabrication).unwrap();
        built.program(&controls.iter().map(|&control| control as f32).collect()).unwrap();
        let mut readout = vec![0.0; 16];
        built.propagate(&fields, 1, &mut readout).unwrap();
        readout.into_iter().map(f64::from).collect::<Vec<f64>>()
    };
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let near: Vec<f64> = (0..network.controls()).map(|_| random.random_range(0.1..6.0)).collect();
    let expected = readout(&near);
    for turns in 1..=7 {
        let far: Vec<f64> = near.iter().map(|control| control + TAU * f64::from(turns)).collect();
        let mut told = far.clone();
        turn_first(&network, &[&fabrication], &mut told).unwrap();
        let (with, without) = (distance(&readout(&told), &expected), distance(&readout(&far), &expected));
        println!("{turns} turns: {without:.1e} as they stand, {with:.1e} turned back");
        assert!(with < 5e-7, "{turns} turns move a readout by {with:e}");
    }
}

#[test]
fn a_phase_that_nobody_knows_is_refused() {
    let network = banks();
    let mut controls = vec![0.1; network.controls()];
    controls[7] = 6e13;
    let error = turn_first(&network, &[&Fabrication::ideal()], &mut controls).unwrap_err().to_string();
    assert!(error.contains("control = 7") && error.contains("6.0e13 rad"), "{error}");
    let weights = Network::new(vec![vec![Stage::matrix(4, 3)]]).unwrap();
    turn_first(&weights, &[&Fabrication::ideal()], &mut controls).unwrap();
    assert_eq!(controls[7], 6e13, "a weight is no phase");
}

#[test]
fn only_phases_that_everybody_follows_alike_are_free_in_training() {
    let coherent = coherent();
    let count = |network: &Network, kind: Imperfections| {
        let chip = kind.fabricate(network, 1).unwrap();
        FreePhases::new(network, &chip, &kind).periods.iter().filter(|&&period| period > 0).count()
    };
    assert_eq!(count(&coherent, Imperfections::NONE), coherent.controls() - 1, "all but the attenuators' gain");
    assert_eq!(count(&banks(), Imperfections::NONE), 0, "a model of weight banks has slopes of its own");
    let bent = [
        Control { heater_spread: 0.1, ..Control::NONE },
        Control { crosstalk: 0.1, ..Control::NONE },
        Control { control_range: 19.28, ..Control::NONE },
    ];
    let bent = bent.map(|control| Imperfections { control, ..Imperfections::NONE });
    for kind in bent.into_iter().chain([Imperfections { update_error: 0.1, ..Imperfections::NONE }]) {
        assert_eq!(count(&coherent, kind), 0, "{kind:?}");
    }
}

#[test]
fn a_control_that_no_training_needs_is_found() {
    let bounds = crate::network::Bounds::of(&coherent());
    let mut controls = vec![50.0; coherent().controls()];
    assert_eq!(bounds.passed(&controls), None);
    for (number, value) in [(3, f64::NAN), (3, -2e4), (20, 2e6), (20, f64::INFINITY)] {
        let before = std::mem::replace(&mut controls[number], value);
        assert!(bounds.passed(&controls).is_some_and(|text| text.contains(&format!("control {number} "))), "{value}");
        controls[number] = before;
    }
    controls[20] = 2e4;
    assert_eq!(bounds.passed(&controls), None, "a gain of 20,000 is no phase");
}
