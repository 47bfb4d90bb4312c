//! A chip that is accepted builds on every engine and gives finite readouts there: indices, ranges and losses are checked once, before.

use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::imperfections::{Control, Imperfections};
use at_core::network::Network;
use at_core::propagator::{Propagator, Simulator};
use at_gpu::testing::require_gpu;
use at_tests::networks::{ACTIVATIONS, DETECTIONS, coherent, every_stage, weight_banks};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::sync::Arc;

/// Changed chips of each network.
const CHANGES: usize = 60;
const BATCH: usize = 2;

fn drawn(network: &Network) -> Fabrication {
    let control = Control { control_range: 7.0, control_bits: 6, heater_spread: 0.1, crosstalk: 0.05, ..Control::NONE };
    let kind = Imperfections {
        phase: 0.1,
        loss_db: 0.3,
        loss_spread_db: 0.1,
        update_error: 0.2,
        control,
        ..Imperfections::NONE
    };
    kind.fabricate(network, 4).unwrap()
}

/// Changes one number of a chip to one of the ends of its kind.
fn change(chip: &mut Fabrication, random: &mut ChaCha8Rng) {
    let ends = [0.0, -1.0, 0.5, 1e6, -1e6, 100.0, -100.0, f64::NAN, f64::INFINITY, 1e300, 2.0];
    let value = ends[random.random_range(0..ends.len())];
    let control = &mut chip.control;
    let vector = match random.random_range(0..9) {
        0 => return control.levels = value,
        1 => return control.quartic = value,
        2 | 3 => {
            let entry = random.random_range(0..control.coupling.neighbours.len());
            let index = [0, 1, u32::MAX, entry as u32][random.random_range(0..4)];
            return Arc::make_mut(&mut control.coupling).neighbours[entry] = index;
        }
        4 => {
            let row = random.random_range(0..control.coupling.starts.len());
            return Arc::make_mut(&mut control.coupling).starts[row] = [0, 3, u32::MAX][random.random_range(0..3)];
        }
        5 => {
            let shifter = random.random_range(0..control.shifters.len());
            let shifter = &mut control.shifters[shifter];
            return *[&mut shifter.gain, &mut shifter.base, &mut shifter.range][random.random_range(0..3)] = value;
        }
        6 => &mut Arc::make_mut(&mut control.coupling).strengths,
        7 => &mut chip.update_error,
        _ => {
            let stage = random.random_range(0..chip.stages.len());
            let names: Vec<&str> = chip.stages[stage].iter().map(|(name, _)| name).collect();
            if names.is_empty() {
                return;
            }
            chip.stages[stage].get_mut(names[random.random_range(0..names.len())])
        }
    };
    let place = random.random_range(0..vector.len());
    vector[place] = value;
}

fn readout<E: Simulator>(engine: &E, network: &Network, chip: &Fabrication) -> Vec<f64> {
    let mut chip = Chip::new(engine, network, chip).unwrap();
    let controls: Vec<f64> = (0..network.controls()).map(|k| 1.0 + (k as f64).cos()).collect();
    let fields: Vec<f64> = (0..BATCH * network.input().width()).map(|k| (k as f64).sin()).collect();
    chip.program(&engine.upload(&controls).unwrap()).unwrap();
    let mut readout = engine.zeros(BATCH * network.outputs()).unwrap();
    chip.propagate(&engine.upload(&fields).unwrap(), BATCH, &mut readout).unwrap();
    engine.download(&readout).unwrap()
}

#[test]
fn an_accepted_chip_gives_finite_readouts_on_every_engine() {
    let Some(gpu) = require_gpu() else { return };
    let cpu = Cpu::<f32>::new();
    let networks = [coherent(6, 2, ACTIVATIONS[4], DETECTIONS[0]), weight_banks(&[5, 4, 3]), every_stage()];
    let mut random = ChaCha8Rng::seed_from_u64(19);
    let mut accepted = 0;
    for network in &networks {
        let good = drawn(network);
        for _ in 0..CHANGES {
            let mut chip = good.clone();
            change(&mut chip, &mut random);
            if chip.check(network).is_ok() {
                accepted += 1;
                for read in [readout(&cpu, network, &chip), readout(&gpu, network, &chip)] {
                    assert!(read.iter().all(|value| value.is_finite()), "{read:?} of {chip:?}");
                }
            }
        }
    }
    assert!(accepted > networks.len() * CHANGES / 10, "{accepted} were accepted: too few to tell anything");
}
