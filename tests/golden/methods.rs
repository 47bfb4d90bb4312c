//! Ten steps of every method on every network that it can train, with every option said.

use super::kinds::{EVERYTHING, STATIC};
use super::record::Record;
use at_core::Real;
use at_core::chip::{Accesses, AnyChip, Chip, Meter, Physical};
use at_core::cpu::Cpu;
use at_core::engine::{Engine, Loss, LossKind, Normalization, Optimizer, Reduction, Schedule};
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_core::propagator::{Propagator, Simulator};
use at_core::tiled::tiled_singular_value_stages;
use at_core::training::methods::dat::DatOptions;
use at_core::training::methods::in_situ::Subtraction;
use at_core::training::methods::{DigitalModel, Preparation, Transfer, build, build_fleet};
use at_core::training::{
    Batch, DigitalStep, Estimation, Initialization, MethodName, MethodOptions, Parameters, Settings, Split,
    initial_controls,
};
use at_tests::draws::normals;
use at_tests::networks::{
    coherent, few_patches, looped, matrices, phase_change, recorded_stages, ring_banks, tiled, weight_banks,
};

/// Steps, in two epochs.
const STEPS: usize = 10;
/// Samples of a step.
const BATCH: usize = 6;

/// Settings for ten steps.
pub fn settings(optimizer: Optimizer, classes: usize) -> Settings {
    let loss = Loss {
        kind: LossKind::CrossEntropy,
        normalization: Normalization::L2,
        gain: 3.0,
        classes,
        reduction: Reduction::Mean,
    };
    let schedule = Schedule::Constant;
    Settings { epochs: 2, batch_size: BATCH, learning_rate: 0.02, schedule, optimizer, loss, seed: 11 }
}

/// Every option of every method.
#[allow(clippy::needless_update, reason = "options that are added later keep their defaults")]
pub fn options(imperfections: Imperfections) -> MethodOptions {
    MethodOptions {
        digital_weight: 0.4,
        physical_weight: 0.6,
        tether: 0.0,
        digital_step: DigitalStep::Matched,
        estimation: Estimation {
            measuring_steps: Some(4),
            rate: Some(0.01),
            trust: Some(0.05),
            prior: Some(0.1),
            ..Estimation::default()
        },
        probe_draws: 3,
        probe_step: 0.01,
        coordinate_subset: 5,
        redraw_every: 2,
        imperfections,
        digital_model: DigitalModel::DataSheet,
        dat: DatOptions { maps: [2, 2, 2], warm_up: 0.5, rate: 0.5, joint: 1.0, ..DatOptions::default() },
        subtraction: Subtraction::Measured,
        sharpness_radius: 0.3,
        guide_directions: 3,
        guide_share: 0.4,
        transfer: Transfer { every: 3, rate: 0.5, decay: 0.2, threshold: 0.0 },
        ..MethodOptions::default()
    }
}

/// Everything of one training.
struct Case {
    network: Network,
    imperfections: Imperfections,
    optimizer: Optimizer,
    options: MethodOptions,
}

impl Case {
    fn new(network: Network) -> Self {
        Case { network, imperfections: EVERYTHING, optimizer: Optimizer::ADAM, options: options(EVERYTHING) }
    }

    /// Adds what `name` has after ten steps, unless the network is one that it cannot train.
    fn add<T: Real>(&self, record: &mut Record, what: &str, name: MethodName) {
        let Case { network, imperfections, optimizer, options } = self;
        let engine = Cpu::<T>::new();
        let settings = settings(*optimizer, network.outputs().min(3));
        let fabrication = imperfections.fabricate(network, 5).unwrap();
        let initial = initial_controls(network, 6, &Initialization::FanIn).unwrap();
        let mut chip = AnyChip::new(Chip::new(&engine, network, &fabrication).unwrap());
        let meter = chip.meter().clone();
        let Ok(mut method) = build(name, &engine, network, &fabrication, &initial, &settings, options, &meter) else {
            return;
        };
        chip.unmetered(|chip| chip.program(method.controls())).unwrap();
        let mut tally = engine.zeros(3).unwrap();
        let split = split(&engine, network, settings.loss.classes);
        let mut batch = Batch::new(&engine, split.width(), BATCH).unwrap();
        for step in 0..STEPS {
            if step % 5 == 0 {
                method.begin_epoch(step / 5, 2);
            }
            batch.gather(&engine, &split, split.in_order(), step % 4 * BATCH, BATCH).unwrap();
            method.step(&mut chip, &batch, settings.learning_rate, &mut tally).unwrap();
        }
        let controls = engine.download(method.controls()).unwrap();
        let mut rest = engine.download(&tally).unwrap();
        for (_, parameters) in method.parameters() {
            rest.extend(all_of(&engine, parameters));
        }
        rest.extend(chip.state().unwrap().drifted);
        record.of(T::NAME, &format!("{name} on {what}, controls"), &controls);
        record.of(T::NAME, &format!("{name} on {what}, all it keeps"), &rest);
        if T::NAME == "f64" {
            record.exact(&format!("{name} on {what}, accesses"), &counts(&chip.accesses()));
        }
    }
}

fn all_of<E: Simulator>(engine: &E, parameters: &Parameters<E>) -> Vec<f64> {
    let mut all = engine.download(&parameters.values).unwrap();
    all.push(parameters.memory.step as f64);
    parameters.memory.moments.iter().for_each(|moment| all.extend(engine.download(moment).unwrap()));
    all
}

/// Samples of three classes.
pub fn split<E: Simulator>(engine: &E, network: &Network, classes: usize) -> Split<E> {
    let (width, samples) = (network.input().width(), 4 * BATCH);
    let signals: Vec<f32> = normals(width * samples, 20).into_iter().map(|x| x as f32).collect();
    let labels: Vec<u32> = (0..samples).map(|sample| (sample % classes) as u32).collect();
    Split::new(engine, &signals, &labels).unwrap()
}

/// The counts, in the order in which they are declared.
pub fn counts(accesses: &Accesses) -> Vec<f64> {
    let Accesses {
        reads,
        injections,
        inputs,
        control_writes,
        passes,
        rounds,
        frames,
        digital_passes,
        digital_backward_passes,
        digital_flops,
        ..
    } = *accesses;
    let interface = [reads, injections, inputs, control_writes, passes, rounds, frames];
    let digital = [digital_passes, digital_backward_passes, digital_flops];
    interface.iter().chain(&digital).map(|&count| count as f64).collect()
}

/// Every method on every network, then the variants of methods and of optimizers.
pub fn all() -> Record {
    let mut record = Record::default();
    with::<f64>(&mut record);
    with::<f32>(&mut record);
    record
}

fn with<T: Real>(record: &mut Record) {
    let meshes = || coherent(4, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let one_mesh = || coherent(4, 1, Activation::ELECTRO_OPTIC, Detection::Intensity);
    for (what, network) in [
        ("every stage", recorded_stages()),
        ("tiles", tiled(&Mesh::rectangular(2).unwrap())),
        ("two meshes", meshes()),
        ("one mesh", one_mesh()),
        ("matrices", matrices(&[6, 5, 3])),
        ("weight banks", weight_banks(&[6, 5, 3])),
        ("ring banks", ring_banks(&[6, 5, 3])),
        ("phase-change crossbars", phase_change(&[6, 5, 3])),
        ("convolutions", few_patches()),
    ] {
        let case = Case::new(network);
        MethodName::ALL.into_iter().for_each(|name| case.add::<T>(record, what, name));
    }
    for (what, network) in looped().into_iter().filter(|own| !own.0.contains("held") && !own.0.contains("all")) {
        let case = Case::new(network);
        MethodName::ALL.into_iter().for_each(|name| case.add::<T>(record, what, name));
    }
    let banks = || Case::new(weight_banks(&[6, 5, 3]));
    let mut tethered = banks();
    tethered.options.tether = 0.5;
    tethered.add::<T>(record, "weight banks, tethered", MethodName::At);
    let mut published = banks();
    published.options.digital_step = DigitalStep::AsPublished;
    published.add::<T>(record, "weight banks, digital step as published", MethodName::At);
    published.add::<T>(record, "weight banks, digital step as published", MethodName::InSilico);
    let mut perfect = Case::new(meshes());
    perfect.options.digital_model = DigitalModel::Perfect;
    perfect.add::<T>(record, "two meshes, model of a perfect chip", MethodName::At);
    let mut toggled = Case::new(meshes());
    toggled.options.subtraction = Subtraction::Toggled;
    toggled.add::<T>(record, "two meshes, toggled", MethodName::InSitu);
    let mut layer = tiled_singular_value_stages(4, 4, &Mesh::rectangular(2).unwrap()).unwrap();
    layer.push(Stage::detection(4, Detection::Intensity));
    let mut singular = Case::new(Network::new(vec![layer]).unwrap());
    singular.add::<T>(record, "singular values in tiles", MethodName::Subspace);
    (singular.options.subspace_calibration, singular.options.subspace_mapping) = (1, 2);
    singular.add::<T>(record, "singular values in tiles, calibrated and mapped", MethodName::Subspace);
    let mut grains = Case::new(phase_change(&[6, 5, 3]));
    grains.options.transfer.threshold = 1.0 / 32.0;
    grains.add::<T>(record, "phase-change crossbars, in grains", MethodName::TikiTaka);
    let mut prepared = banks();
    prepared.options.prepare = Some(Preparation { method: MethodName::InSilico, epochs: 1 });
    prepared.add::<T>(record, "weight banks, prepared in silico", MethodName::At);
    for (name, optimizer) in [("sgd", Optimizer::Sgd), ("momentum", Optimizer::Momentum { momentum: 0.8 })] {
        Case { optimizer, ..banks() }.add::<T>(record, &format!("weight banks, {name}"), MethodName::At);
    }
    fleet::<T>(record);
}

/// Three chips that share a model.
fn fleet<T: Real>(record: &mut Record) {
    let engine = Cpu::<T>::new();
    let network = weight_banks(&[6, 5, 3]);
    let settings = settings(Optimizer::ADAM, 3);
    let initial = initial_controls(&network, 6, &Initialization::FanIn).unwrap();
    let drawn = |number| Chip::new(&engine, &network, &STATIC.fabricate(&network, number).unwrap()).unwrap();
    let mut chips: Vec<_> = (0..3).map(drawn).collect();
    let shared = Meter::default();
    let mut fleet = build_fleet(&engine, &network, 3, &initial, &settings, &options(STATIC), &shared).unwrap();
    for (index, chip) in chips.iter_mut().enumerate() {
        chip.unmetered(|chip| chip.program(fleet.controls(index))).unwrap();
    }
    let meters: Vec<Meter> = chips.iter().map(|chip| chip.meter().clone()).collect();
    let mut tallies: Vec<_> = (0..3).map(|_| engine.zeros(3).unwrap()).collect();
    let split = split(&engine, &network, 3);
    let mut batch = Batch::new(&engine, split.width(), BATCH).unwrap();
    for step in 0..STEPS {
        batch.gather(&engine, &split, split.in_order(), step % 4 * BATCH, BATCH).unwrap();
        fleet.step(&mut chips, &meters, &batch, settings.learning_rate, &mut tallies).unwrap();
    }
    let all: Vec<f64> = fleet.parameters().iter().flat_map(|(_, own)| all_of(&engine, own)).collect();
    record.of(T::NAME, "three chips with one model", &all);
    if T::NAME == "f64" {
        let accesses = fleet.accesses_of_one(chips[2].accesses());
        record.exact("three chips with one model, accesses of one", &counts(&accesses));
    }
}
