//! A stage of one's own, that of the library's example: every method trains a chip that has it, the CPU does what the reference does,
//! files name it, and where nobody has its page that is one error.

#[allow(dead_code, reason = "its main is run as the example")]
#[path = "../at-core/examples/own_stage.rs"]
mod example;

use at_core::chip::{AnyChip, Chip, Physical};
use at_core::cpu::Cpu;
use at_core::engine::{Loss, Optimizer, Schedule};
use at_core::fabrication::Fabrication;
use at_core::files::chip_file::{read_chip, write_chip};
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Owner, Stage};
use at_core::optics::Mesh;
use at_core::propagator::Simulator;
use at_core::stage::{StageErrors, slope_error};
use at_core::training::methods::build;
use at_core::training::{
    Checkpoint, Checkpoints, Initialization, MethodName, MethodOptions, Outcome, Settings, Split, Trainer,
    initial_controls,
};
use at_gpu::testing::require_gpu;
use at_tests::case::{Case, LOSSY};
use at_tests::compare::assert_close;
use example::KerrRings;
use std::path::Path;

const MODES: usize = 4;

fn rings() -> KerrRings {
    KerrRings { modes: MODES, coupling: 0.8, roundtrip: 0.9, kerr: 0.4, spread: 0.5 }
}

/// Rings of one's own behind both meshes, so that light and its adjoint cross them in the middle of a chip too.
fn network() -> Network {
    let mesh = || Stage::Mesh(Mesh::rectangular(MODES).unwrap());
    let detection = Stage::detection(MODES, Detection::Intensity);
    let layers = vec![vec![mesh(), Stage::own(rings())], vec![mesh(), Stage::own(rings()), detection]];
    Network::new(layers).unwrap()
}

/// The number of the first stage that is one's own.
const RINGS: usize = 1;

fn kind() -> Imperfections {
    Imperfections { phase: 0.2, splitter_angle: 0.05, ..Imperfections::NONE }
}

fn split<E: Simulator>(engine: &E) -> Split<E> {
    let labels: Vec<u32> = (0..40).map(|sample| sample % 2).collect();
    let field = |k: usize| (0.9 * (k % MODES) as f32 + 1.7 * (k / MODES % 2) as f32 + 0.1 * (k as f32).sin()).cos();
    let signals: Vec<f32> = (0..40 * MODES).flat_map(|k| [field(k), 0.0]).collect();
    Split::new(engine, &signals, &labels).unwrap()
}

/// Trains from the checkpoint at `path` on, where there is one, and leaves one there.
fn train<E: Simulator>(
    engine: &E,
    name: MethodName,
    chip: &Fabrication,
    epochs: usize,
    path: Option<&Path>,
) -> at_core::Result<Outcome> {
    let network = network();
    let loss = Loss { gain: 2.0, ..Loss::cross_entropy(2) };
    let (schedule, optimizer) = (Schedule::Constant, Optimizer::ADAM);
    let settings = Settings { epochs, batch_size: 8, learning_rate: 0.05, schedule, optimizer, loss, seed: 1 };
    let (data, initial) = (split(engine), initial_controls(&network, 2, &Initialization::FanIn)?);
    let mut own = AnyChip::new(Chip::new(engine, &network, chip)?);
    let (options, meter) = (MethodOptions { imperfections: kind(), ..MethodOptions::default() }, own.meter().clone());
    let mut method = build(name, engine, &network, chip, &initial, &settings, &options, &meter)?;
    let trainer = Trainer { engine, settings: &settings, train: &data, test: &data };
    let earlier = path.filter(|path| path.exists()).map(|path| Checkpoint::load(path, "own")).transpose()?;
    let checkpoints = path.map(|path| Checkpoints { path, every: 1, fingerprint: "own", network: &network });
    trainer.run(&mut own, &mut *method, earlier.as_ref(), checkpoints, &mut ())
}

#[test]
fn the_way_back_through_rings_is_the_derivative_of_the_way_there() {
    let stage = Stage::own(rings());
    let own = stage.element().imperfect().unwrap();
    let signal: Vec<f64> = (0..6 * MODES).map(|k| (1.3 * k as f64 + 0.2).sin()).collect();
    let controls = [0.3, -1.2, 2.0, 6.1];
    for errors in [StageErrors::NONE, StageErrors::new(own, vec![vec![0.4, -0.7, 0.1, 3.0]])] {
        let found = slope_error(stage.element(), &errors, &controls, &signal);
        assert!(found < 1e-7, "{found}");
    }
    let turned = controls.map(|theta| theta + std::f64::consts::TAU);
    let pass = |controls: &[f64]| stage.element().forward(&StageErrors::NONE, controls, &signal);
    assert_close("a whole turn of every ring", &pass(&turned), &pass(&controls), 1e-13);
}

#[test]
fn the_cpu_does_what_the_reference_does() {
    fn agrees<E: Simulator>(engine: &E, tolerance: f64) {
        for (batch, imperfections) in [(1, LOSSY), (7, Imperfections::NONE), (33, LOSSY), (130, LOSSY)] {
            let case = Case::new(network(), &imperfections, batch, 40 + batch as u64);
            assert!(case.fabrication.stages[RINGS].get(["detuning"]).unwrap()[0].iter().all(|own| *own != 0.0));
            let (got, expected) = (case.run(engine), case.expected());
            assert_close("readout", &got.readout, &expected.readout, tolerance);
            assert_close("gradient", &got.gradient, &expected.gradient, tolerance);
            let layer = case.reference().propagate_layer(0, &case.controls, &case.fields).unwrap();
            let found = case.run_layer(engine, 0, &case.fields);
            assert_close("the first layer alone", &found[..layer.len()], &layer, tolerance);
        }
    }
    agrees(&Cpu::<f64>::new(), 1e-12);
    agrees(&Cpu::<f32>::new(), 1e-4);
}

#[test]
fn every_method_trains_a_chip_that_has_it() {
    let (engine, chip) = (Cpu::<f64>::new(), kind().fabricate(&network(), 3).unwrap());
    for name in MethodName::ALL {
        match train(&engine, name, &chip, 2, None) {
            Ok(outcome) => assert!(outcome.test.loss.is_finite(), "{name}"),
            Err(failure) if name == MethodName::Subspace => {
                assert!(failure.to_string().contains("without singular values"), "{failure}");
            }
            Err(failure) => {
                assert_eq!(name, MethodName::ParameterShift, "{failure}");
                let part = "parameter-shift with own:kerr-rings:4(coupling 0.8, roundtrip 0.9, kerr 0.4, spread 0.5) (stage 1)";
                assert!(failure.to_string().contains(part), "{failure}");
            }
        }
    }
}

#[test]
fn training_is_the_same_in_both_precisions_and_learns() {
    let chip = kind().fabricate(&network(), 3).unwrap();
    for name in [MethodName::At, MethodName::InSilico, MethodName::Ideal, MethodName::Pat] {
        let double = train(&Cpu::<f64>::new(), name, &chip, 12, None).unwrap();
        let single = train(&Cpu::<f32>::new(), name, &chip, 12, None).unwrap();
        for (double, single) in double.records.iter().zip(&single.records) {
            let (a, b) = (double.train_loss, single.train_loss);
            assert!((a - b).abs() < 2e-3 * a.abs(), "{name}: {a} and {b}");
        }
        let (first, now) = (double.records[0].train_loss, double.test.loss);
        assert!(now < 0.8 * first, "{name}: {first} to {now}");
    }
}

#[test]
fn what_only_the_chip_has_of_it_no_digital_model_knows() {
    let engine = Cpu::<f64>::new();
    let trained = |chip: &Fabrication| {
        let loss = |name| train(&engine, name, chip, 2, None).unwrap().records[1].train_loss;
        [MethodName::InSilico, MethodName::Ideal].map(loss)
    };
    let [blind, oracle] = trained(&Fabrication::ideal());
    assert!((blind - oracle).abs() < 1e-12, "without detunings there is nothing to know: {blind} and {oracle}");
    let [blind, oracle] = trained(&Imperfections::NONE.fabricate(&network(), 3).unwrap());
    assert!((blind - oracle).abs() > 1e-2, "the model has the chip's own detunings: {blind} and {oracle}");
}

#[test]
fn training_goes_on_from_a_checkpoint_to_the_same_numbers() {
    let (engine, chip) = (Cpu::<f32>::new(), kind().fabricate(&network(), 3).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    train(&engine, MethodName::At, &chip, 2, Some(&path)).unwrap();
    let resumed = train(&engine, MethodName::At, &chip, 4, Some(&path)).unwrap();
    let whole = train(&engine, MethodName::At, &chip, 4, None).unwrap();
    assert_eq!(resumed.test.loss.to_bits(), whole.test.loss.to_bits());
}

#[test]
fn a_gpu_refuses_it_by_name() {
    let Some(gpu) = require_gpu() else { return };
    for chip in [Fabrication::ideal(), kind().fabricate(&network(), 3).unwrap()] {
        let Err(failure) = gpu.build(&network(), &chip) else { panic!("a GPU has no kernels for it") };
        let text = failure.to_string();
        assert!(text.starts_with("own:kerr-rings:4(") && text.contains("`engine` cpu"), "{text}");
    }
}

#[test]
fn chip_files_keep_its_errors_and_no_other_network_takes_them_silently() {
    let (network, chip) = (network(), LOSSY.fabricate(&network(), 3).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("chip.npz");
    write_chip(&path, &network, &chip).unwrap();
    let read = read_chip(&path, &network, None, Owner::ThisNetwork).unwrap();
    assert_eq!((read.chip, read.notes), (chip, vec![]));
    // the same network where nobody has the page: something else stands in its place, or nothing
    let mesh = || Stage::Mesh(Mesh::rectangular(MODES).unwrap());
    let detection = || Stage::detection(MODES, Detection::Intensity);
    let without = Network::new(vec![vec![mesh()], vec![mesh(), detection()]]).unwrap();
    let other = KerrRings { spread: 0.1, ..rings() };
    let others = vec![vec![mesh(), Stage::own(other)], vec![mesh(), Stage::own(other), detection()]];
    for network in [without, Network::new(others).unwrap()] {
        let failure = read_chip(&path, &network, None, Owner::ThisNetwork).unwrap_err().to_string();
        assert!(
            failure.contains("is a chip of mesh:4 > own:kerr-rings:4(coupling 0.8") && failure.contains("spread 0.5"),
            "{failure}"
        );
    }
}

#[test]
fn the_name_of_a_network_has_all_parameters_of_its_own_elements() {
    let text = network().identity().description;
    let rings = "own:kerr-rings:4(coupling 0.8, roundtrip 0.9, kerr 0.4, spread 0.5)";
    assert_eq!(text, format!("mesh:4 > {rings} | mesh:4 > {rings} > intensity"));
}
