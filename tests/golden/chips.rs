//! Chips as they are drawn, and what they give when they are used.

use super::files::{npz_arrays, numbers_of_header};
use super::kinds::{EVERYTHING, kinds};
use super::record::Record;
use at_core::Real;
use at_core::chip::{Chip, Physical, TapNoise};
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::fabrication::{Fabrication, demonstration};
use at_core::files::chip_file::write_chip;
use at_core::imperfections::Imperfections;
use at_core::network::Network;
use at_core::optics::Mesh;
use at_core::propagator::{
    Bidirectional, Direction, LayerAccess, Layered, Monitor, PowerTapAccess, Propagator, TapAccess,
};
use at_core::training::{Initialization, initial_controls};
use at_tests::draws::normals;
use at_tests::networks::{
    diffractive, few_patches, matrices, phase_change, recorded_stages, ring_banks, tiled, weight_banks,
};

/// The networks whose chips are drawn, by name.
fn networks() -> [(&'static str, Network); 8] {
    [
        ("every stage", recorded_stages()),
        ("tiles", tiled(&Mesh::rectangular(3).unwrap())),
        ("weight banks", weight_banks(&[4, 4, 4])),
        ("matrices", matrices(&[4, 4, 4])),
        ("ring banks", ring_banks(&[4, 4, 4])),
        ("phase-change crossbars", phase_change(&[4, 4, 4])),
        ("convolutions", few_patches()),
        ("diffractive planes", diffractive(4, 3)),
    ]
}

/// Every kind of chip on every network that has what it acts on, and the controls that networks start from.
pub fn drawn() -> Record {
    let mut record = Record::default();
    for (of, network) in networks() {
        for (kind, imperfections) in kinds() {
            let chip = imperfections.fabricate(&network, 5).unwrap();
            add_chip(&mut record, &format!("{kind}, {of}"), &network, &chip);
        }
        let typical = EVERYTHING.typical(&network).unwrap();
        add_chip(&mut record, &format!("data sheet of everything, {of}"), &network, &typical);
        for (name, initialization) in [
            ("fan-in", Initialization::FanIn),
            ("normal", Initialization::Normal { weight: 0.1, bias: 0.5 }),
            ("demonstration", Initialization::Demonstration),
        ] {
            let controls = initial_controls(&network, 42, &initialization).unwrap();
            record.double(&format!("first controls by {name}, {of}"), &controls);
        }
    }
    let imperfections = Imperfections { parameter_spread: 0.6, update_error: 0.5, ..Imperfections::NONE };
    let network = matrices(&[4, 4, 4]);
    let published = demonstration(&imperfections, &network, 42).unwrap();
    add_chip(&mut record, "demonstration, matrices", &network, &published);
    record
}

/// What a chip file holds of `chip`, where it is not zero.
fn add_chip(record: &mut Record, name: &str, network: &Network, chip: &Fabrication) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    write_chip(&path, network, chip).unwrap();
    for (array, values) in npz_arrays(&path).into_iter().filter(|(_, values)| values.iter().any(|x| *x != 0.0)) {
        record.double(&format!("{name}, {array}"), &values);
    }
    let header = numbers_of_header(&path, &["quartic", "levels"]);
    if header.iter().any(|x| *x != 0.0) {
        record.double(&format!("{name}, quartic and levels"), &header);
    }
}

/// Every kind of chip, put at three settings one after the other and lit; one with everything also at its hidden layers.
pub fn at_work() -> Record {
    let mut record = Record::default();
    with(&mut record, &Cpu::<f64>::new());
    with(&mut record, &Cpu::<f32>::new());
    record
}

fn with<T: Real>(record: &mut Record, engine: &Cpu<T>) {
    for (kind, imperfections) in kinds() {
        for (of, network) in [
            ("every stage", recorded_stages()),
            ("tiles", tiled(&Mesh::rectangular(3).unwrap())),
            ("ring banks", ring_banks(&[4, 4, 4])),
            ("phase-change crossbars", phase_change(&[4, 4, 4])),
        ] {
            let mut chip = programmed(engine, &network, &imperfections);
            record.of(T::NAME, &format!("{kind}, {of}"), &readout(engine, &mut chip, 9));
        }
    }
    let network = tiled(&Mesh::rectangular(3).unwrap());
    let chip = || programmed(engine, &network, &EVERYTHING).with_tap_noise(TapNoise { spread: 0.05, seed: 3 }).unwrap();
    record.of(T::NAME, "drift after three settings", &chip().state().unwrap().drifted);

    let batch = 5;
    let light = |width: usize| engine.upload(&normals(batch * width, 8)).unwrap();
    let room = |width: usize| engine.zeros(batch * width).unwrap();
    let mut tapped = chip();
    let mut taps: Vec<_> = (0..tapped.layers()).map(|layer| room(tapped.layer_outputs(layer))).collect();
    let mut output = taps.pop().unwrap();
    tapped.propagate_tapped(&light(tapped.inputs()), batch, &mut taps, &mut output).unwrap();
    taps.push(output);
    let all: Vec<f64> = taps.iter().flat_map(|tap| engine.download(tap).unwrap()).collect();
    record.of(T::NAME, "taps", &all);

    let mut layered = chip();
    let mut output = room(layered.layer_outputs(1));
    layered.propagate_layer(1, &light(layered.layer_outputs(0)), batch, &mut output).unwrap();
    record.of(T::NAME, "a layer by itself", &engine.download(&output).unwrap());

    let mut watched = chip();
    let mut powers = vec![room(18), room(9)];
    let mut output = room(watched.outputs());
    watched.propagate_watched(&light(watched.inputs()), batch, &mut powers, &mut output).unwrap();
    powers.push(output);
    let all: Vec<f64> = powers.iter().flat_map(|power| engine.download(power).unwrap()).collect();
    record.of(T::NAME, "powers behind meshes", &all);

    for (name, direction) in [("forward", Direction::Forward), ("backward", Direction::Backward)] {
        let mut sent = chip();
        let mut output = room(2 * 9);
        let mut powers = engine.zeros(9 * (3 + 1)).unwrap();
        sent.send(1, direction, &light(2 * 9), batch, Some(&mut output), Monitor::Powers(&mut powers)).unwrap();
        let all = [output, powers].map(|buffer| engine.download(&buffer).unwrap()).concat();
        record.of(T::NAME, &format!("light {name} through a mesh"), &all);
    }
}

fn programmed<T: Real>(engine: &Cpu<T>, network: &Network, imperfections: &Imperfections) -> Chip<Cpu<T>> {
    let mut chip = Chip::new(engine, network, &imperfections.fabricate(network, 5).unwrap()).unwrap();
    let first = initial_controls(network, 6, &Initialization::FanIn).unwrap();
    for distance in [0.0, 0.1, 0.2] {
        let steps = normals(first.len(), 7);
        let controls: Vec<f64> = first.iter().zip(steps).map(|(first, step)| first + distance * step).collect();
        chip.program(&engine.upload(&controls).unwrap()).unwrap();
    }
    chip
}

fn readout<T: Real>(engine: &Cpu<T>, chip: &mut Chip<Cpu<T>>, batch: usize) -> Vec<f64> {
    let light = engine.upload(&normals(batch * chip.inputs(), 8)).unwrap();
    let mut readout = engine.zeros(batch * chip.outputs()).unwrap();
    chip.propagate(&light, batch, &mut readout).unwrap();
    engine.download(&readout).unwrap()
}
