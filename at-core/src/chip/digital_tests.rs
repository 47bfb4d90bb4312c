//! Numbers of digital electronics on a chip: no converter writes them, and they neither drift nor err.

use super::{Chip, Physical};
use crate::cpu::Cpu;
use crate::imperfections::{Drift, Imperfections};
use crate::network::{Network, Stage};
use crate::propagator::Propagator;
use crate::stage::Patches;
use crate::{data::ImageShape, engine::Engine};

/// Ten cells, gains and offsets of two channels, 38 cells.
fn network() -> Network {
    let patches = Patches { image: ImageShape::single(4, 4), kernel: [2, 2], stride: 1, padding: 0 };
    let normalized = Stage::normalization(ImageShape::new(2, 3, 3), 1);
    let convolution = Stage::convolution(patches, Stage::weight_bank(4, 2));
    Network::new(vec![vec![convolution, normalized], vec![Stage::weight_bank(18, 2)]]).unwrap()
}

#[test]
fn gains_and_offsets_of_a_normalisation_are_not_written_and_stand_still() {
    let network = network();
    assert_eq!(network.controls(), 52);
    let drift = Drift { drift_step: 0.1, drift_common: 0.05, ..Drift::NONE };
    let kind = Imperfections { update_error: 0.3, drift, ..Imperfections::NONE };
    let fabrication = kind.fabricate(&network, 3).unwrap();
    for (control, error) in fabrication.update_error.iter().enumerate() {
        assert_eq!(*error == 0.0, (10..14).contains(&control), "control {control}");
    }
    let engine = Cpu::<f64>::new();
    let mut chip = Chip::new(&engine, &network, &fabrication).unwrap();
    let controls = engine.upload(&vec![0.4; 52]).unwrap();
    chip.program(&controls).unwrap();
    assert_eq!(chip.accesses().control_writes, 48);
    chip.reprogram(&controls, &[3, 11, 13, 20]).unwrap();
    assert_eq!(chip.accesses().control_writes, 48 + 2);
    for (control, drifted) in chip.state().unwrap().drifted.iter().enumerate() {
        assert_eq!(*drifted == 0.0, (10..14).contains(&control), "control {control}");
    }
}
