//! The GPU beyond single passes: meshes wider than a workgroup's memory, whole trainings, small adapters, lost devices.

use at_core::chip::{AnyChip, Chip, Physical};
use at_core::cpu::Cpu;
use at_core::engine::{Engine, Loss, Optimizer, Schedule};
use at_core::imperfections::{Control, Imperfections, Passive, Planes};
use at_core::network::{Detection, Network, Stage, singular_value_stages};
use at_core::optics::{Activation, Layout, Mesh};
use at_core::propagator::{Propagator, Simulator};
use at_core::training::methods::{Preparation, Transfer};
use at_core::training::{
    Checkpoint, Checkpoints, Estimation, MethodName, MethodOptions, Observer, Record, Settings, Split, Trainer, methods,
};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, MeshVariant, Preferences, Selection};
use at_tests::case::{Case, LOSSY};
use at_tests::compare::assert_close;
use at_tests::draws::normals;
use at_tests::networks::{
    coherent, convolutional, diffractive, looped, mesh_and_detectors, meshes_inside, phase_change, residuals,
    ring_banks, tiled, weight_banks,
};
use std::ops::ControlFlow;
use std::path::Path;

/// A device with no more than every WebGPU adapter offers.
fn small(shared: &Gpu) -> Gpu {
    Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap()
}

#[test]
fn a_mesh_wider_than_workgroup_memory_crosses_in_windows() {
    let Some(shared) = require_gpu() else { return };
    // 16 KiB hold 1024 fields with their adjoints: two windows of 768 modes, and more columns than the halo of 128.
    let network = mesh_and_detectors(&Mesh::truncated(1100, 150).unwrap(), Detection::Intensity);
    let case = Case::new(network, &LOSSY, 3, 5);
    let (expected, got) = (case.run(&Cpu::<f64>::new()), case.run(&small(&shared)));
    assert_close("readout", &got.readout, &expected.readout, 1e-5 * 150f64.sqrt());
    assert_close("gradient", &got.gradient, &expected.gradient, 1e-5 * 150f64.sqrt());
}

/// Losses of 50 steps of `at`, one epoch each.
fn losses<E: Simulator>(engine: &E, network: &Network, optimizer: Optimizer, learning_rate: f64) -> Vec<f64> {
    let records = train(engine, network, optimizer, learning_rate, None, &mut ()).unwrap();
    records.iter().map(|record| record.train_loss).collect()
}

/// 50 steps of `at`, one epoch each, going on from `checkpoint` where there is one and keeping it up to date.
fn train<E: Simulator>(
    engine: &E,
    network: &Network,
    optimizer: Optimizer,
    learning_rate: f64,
    checkpoint: Option<&Path>,
    observer: &mut dyn Observer,
) -> at_core::Result<Vec<Record>> {
    let options = MethodOptions::default();
    train_with(MethodName::At, &LOSSY, &options, engine, network, optimizer, learning_rate, checkpoint, observer)
}

/// The same with another method on another kind of chip.
fn train_with<E: Simulator>(
    name: MethodName,
    kind: &Imperfections,
    options: &MethodOptions,
    engine: &E,
    network: &Network,
    optimizer: Optimizer,
    learning_rate: f64,
    checkpoint: Option<&Path>,
    observer: &mut dyn Observer,
) -> at_core::Result<Vec<Record>> {
    let width = network.input().width();
    let fabrication = kind.fabricate(network, 3).unwrap();
    let controls = at_core::training::initial_controls(network, 3, &Default::default()).unwrap();
    let settings = Settings {
        epochs: 50,
        batch_size: 40,
        learning_rate,
        schedule: Schedule::Cosine,
        optimizer,
        loss: Loss::cross_entropy(network.outputs()),
        seed: 9,
    };
    let labels: Vec<u32> = (0..40).map(|sample| (sample % network.outputs()) as u32).collect();
    let signals: Vec<f32> = normals(40 * width, 8).into_iter().map(|value| value as f32).collect();
    let split = Split::new(engine, &signals, &labels).unwrap();
    let mut chip = AnyChip::new(Chip::new(engine, network, &fabrication).unwrap());
    let mut method =
        methods::build(name, engine, network, &fabrication, &controls, &settings, options, chip.meter()).unwrap();
    let trainer = Trainer { engine, settings: &settings, train: &split, test: &split };
    let earlier = checkpoint.filter(|path| path.exists()).map(|path| Checkpoint::load(path, "same").unwrap());
    let checkpoints = checkpoint.map(|path| Checkpoints { path, every: 1, fingerprint: "same", network });
    trainer.run(&mut chip, &mut *method, earlier.as_ref(), checkpoints, observer).map(|outcome| outcome.records)
}

#[test]
fn a_model_that_knows_the_data_sheet_is_the_chip_that_is_what_it_says() {
    let Some(shared) = require_gpu() else { return };
    let network = coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let passive = Passive { facet_db: 1.0, splitter_mean: 0.04, ..Passive::NONE };
    let control = Control { control_range: 19.0, crosstalk: 0.03, ..Control::NONE };
    let kind = Imperfections { loss_db: 0.5, passive, control, ..Imperfections::NONE };
    let options = MethodOptions { imperfections: kind, ..MethodOptions::default() };
    let losses = |name| -> Vec<f64> {
        let records =
            train_with(name, &kind, &options, &shared, &network, Optimizer::ADAM, 0.01, None, &mut ()).unwrap();
        records.iter().map(|record| record.test_loss).collect()
    };
    let ideal = losses(MethodName::Ideal);
    assert!(ideal.last() < ideal.first());
    for name in [MethodName::At, MethodName::Pat, MethodName::PatOutput] {
        assert_eq!(losses(name), ideal, "{name}");
    }
}

/// 50 estimates of pixels and planes, each taken on by a model that is on the GPU already.
#[test]
fn a_training_that_learns_where_planes_stand_is_the_same_on_a_gpu() {
    let Some(shared) = require_gpu() else { return };
    let planes = Planes { pixel_phase: 0.3, plane_shift: 60.0, plane_distance: 40.0, plane_tilt: 0.02, ..Planes::NONE };
    let kind = Imperfections { planes, ..Imperfections::NONE };
    let (network, options) = (diffractive(6, 5), MethodOptions::default());
    let (name, optimizer) = (MethodName::AtAdaptive, Optimizer::Sgd);
    let gpu = train_with(name, &kind, &options, &shared, &network, optimizer, 0.05, None, &mut ()).unwrap();
    let cpu = train_with(name, &kind, &options, &Cpu::<f64>::new(), &network, optimizer, 0.05, None, &mut ()).unwrap();
    for (gpu, cpu) in gpu.iter().zip(&cpu) {
        assert!((gpu.train_loss - cpu.train_loss).abs() < 1e-4 * cpu.train_loss, "{gpu:?} {cpu:?}");
    }
}

/// Gradients at other places, along random directions, gathered and prepared: all of it is vectors, which an engine combines.
#[test]
fn sharp_guided_gathered_and_prepared_trainings_are_the_same_on_a_gpu() {
    let Some(shared) = require_gpu() else { return };
    let kind =
        Imperfections { loss_db: 0.2, splitter_angle: 0.05, phase: 0.1, response_offset: 0.1, ..Imperfections::NONE };
    let transfer = Transfer { every: 3, rate: 0.7, decay: 0.2, threshold: 0.0 };
    let plain = MethodOptions { guide_directions: 3, probe_draws: 3, transfer, ..MethodOptions::default() };
    let in_grains = MethodOptions { transfer: Transfer { threshold: 0.003, ..transfer }, ..plain };
    let preparation = Preparation { method: MethodName::InSilico, epochs: 10 };
    let prepared = MethodOptions { prepare: Some(preparation), ..plain };
    let meshes = coherent(4, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    for network in [meshes, weight_banks(&[6, 5, 3])] {
        for (name, options) in [
            (MethodName::Sat, plain),
            (MethodName::SatOutput, plain),
            (MethodName::Guided, plain),
            (MethodName::GuidedModel, plain),
            (MethodName::TikiTaka, plain),
            (MethodName::TikiTaka, in_grains),
            (MethodName::At, prepared),
        ] {
            let gpu =
                train_with(name, &kind, &options, &shared, &network, Optimizer::Sgd, 0.05, None, &mut ()).unwrap();
            let cpu = Cpu::<f64>::new();
            let cpu = train_with(name, &kind, &options, &cpu, &network, Optimizer::Sgd, 0.05, None, &mut ()).unwrap();
            for (gpu, cpu) in gpu.iter().zip(&cpu) {
                let (got, expected) = (gpu.test_loss, cpu.test_loss);
                assert!((got - expected).abs() < 2e-3 * expected, "{name}, epoch {}: {got} for {expected}", cpu.epoch);
                assert_eq!(gpu.accesses.control_writes == 0, cpu.accesses.control_writes == 0);
            }
            assert!(gpu[49].test_loss != gpu[0].test_loss, "{name} does something");
        }
    }
}

/// Gives the device up in the middle of epoch 20.
struct Loses<'a>(&'a Gpu, usize);

impl Observer for Loses<'_> {
    fn batch(&mut self, _done: usize, _total: usize) {
        if self.1 == 19 {
            self.0.lose();
        }
    }

    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        self.1 = record.epoch;
        ControlFlow::Continue(())
    }
}

#[test]
fn a_training_whose_device_is_lost_goes_on_from_its_last_checkpoint() {
    let Some(shared) = require_gpu() else { return };
    let network = coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("at.safetensors");
    let lost = small(&shared);
    let result = train(&lost, &network, Optimizer::ADAM, 0.01, Some(&path), &mut Loses(&lost, 0));
    let error = result.unwrap_err().to_string();
    assert!(error.contains("lost") && error.contains("`engine` cpu"), "{error}");
    assert_eq!(Checkpoint::load(&path, "same").unwrap().records.len(), 19);
    let resumed = train(&small(&shared), &network, Optimizer::ADAM, 0.01, Some(&path), &mut ()).unwrap();
    let whole = train(&small(&shared), &network, Optimizer::ADAM, 0.01, None, &mut ()).unwrap();
    assert_eq!(resumed, whole);
}

#[test]
fn a_training_within_small_limits_gives_the_same() {
    let Some(shared) = require_gpu() else { return };
    // 0.6 MB of coefficients and 1.3 MB of matrices, in bindings of 400 KiB.
    let network = mesh_and_detectors(&Mesh::rectangular(200).unwrap(), Detection::Homodyne { phase: 0.3 });
    // A perturbation is one full matrix, which a binding must hold.
    let case = Case::new(network, &Imperfections { perturbation: 0.0, ..LOSSY }, 5, 5);
    let expected = case.run(&Cpu::<f64>::new());
    let index = Selection::Index(shared.adapter().index);
    let tight = Gpu::with_limits(&index, LimitChoice::Binding(400 << 10)).unwrap();
    for mesh in [MeshVariant::Stream, MeshVariant::Blocks] {
        let got = case.run(&tight.preferring(Preferences { mesh: Some(mesh), ..Preferences::default() }));
        assert_close(&format!("readout, {mesh:?}"), &got.readout, &expected.readout, 1e-5 * 15.0);
        assert_close(&format!("gradient, {mesh:?}"), &got.gradient, &expected.gradient, 1e-5 * 15.0);
    }
    let network = coherent(6, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let cpu = losses(&Cpu::<f64>::new(), &network, Optimizer::ADAM, 0.01);
    let gpu = losses(&tight, &network, Optimizer::ADAM, 0.01);
    assert!(cpu.iter().zip(&gpu).all(|(a, b)| (a - b).abs() < 1e-3), "{cpu:?} {gpu:?}");
}

/// The greatest difference.
fn apart(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn trainings_on_gpu_and_cpu_follow_each_other() {
    let Some(gpu) = require_gpu() else { return };
    let mesh = coherent(6, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let of = |mesh: Mesh| {
        let (modes, stage) = (mesh.modes(), || Stage::Mesh(mesh.clone()));
        let hidden = vec![stage(), Stage::activation(modes, Activation::ELECTRO_OPTIC)];
        Network::new(vec![hidden, vec![stage(), Stage::detection(modes, Detection::Intensity)]]).unwrap()
    };
    let custom =
        Mesh::of_columns(5, &[vec![[0, 3], [1, 4]], vec![[2, 4]], vec![[0, 1], [2, 3]], vec![[1, 3]]]).unwrap();
    let others = [Mesh::butterfly(8).unwrap(), Mesh::benes(4).unwrap(), Mesh::diamond(6).unwrap(), custom].map(of);
    let loops = looped().into_iter().filter(|own| own.0.contains("parts")).map(|own| own.1);
    let light = [
        vec![Stage::modulation(5)],
        singular_value_stages(5, 4, Layout::Rectangular).unwrap().into(),
        vec![Stage::detection(4, Detection::Homodyne { phase: 0.0 })],
    ];
    let singular = Network::new(vec![light.concat()]).unwrap();
    let branches = residuals().into_iter().map(|own| own.1);
    let plain = [mesh, weight_banks(&[5, 9, 4]), phase_change(&[5, 9, 4]), convolutional(), singular];
    // a weight of a ring turns within a linewidth of 0.5 rad
    let rings = [ring_banks(&[5, 4])].map(|network| (network, 0.1));
    let plain = plain.into_iter().chain(others).chain(loops).chain(branches).map(|network| (network, 1.0));
    for (network, scale) in plain.chain(rings) {
        let words = network.identity().description;
        for (optimizer, rate) in
            [(Optimizer::Sgd, 0.3), (Optimizer::Momentum { momentum: 0.9 }, 0.05), (Optimizer::ADAM, 0.01)]
        {
            let cpu = losses(&Cpu::<f64>::new(), &network, optimizer, scale * rate);
            let gpu = losses(&gpu, &network, optimizer, scale * rate);
            assert!((cpu[49] - cpu[0]).abs() > 0.01, "{words}: {optimizer:?} moves");
            let distance = apart(&cpu, &gpu);
            assert!(distance < 1e-3, "{words}: {optimizer:?}: {distance:.1e} apart");
        }
    }
}

#[test]
fn light_in_both_directions_trains_alike_on_gpu_and_cpu() {
    let Some(gpu) = require_gpu() else { return };
    let chain = coherent(5, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let kind = Imperfections { update_error: 0.0, perturbation: 0.0, ..LOSSY };
    fn losses<E: Simulator>(
        engine: &E,
        (name, rate, mapping): (MethodName, f64, usize),
        kind: &Imperfections,
        network: &Network,
    ) -> Vec<f64> {
        let options = MethodOptions { subspace_mapping: mapping, ..MethodOptions::default() };
        let records = train_with(name, kind, &options, engine, network, Optimizer::ADAM, rate, None, &mut ()).unwrap();
        records.iter().map(|record| record.train_loss).collect()
    }
    let inside = meshes_inside();
    // on the way through so many columns loss leaves in-situ no gradient that leads down
    let lossless = Imperfections { loss_db: 0.0, loss_spread_db: 0.0, ..kind };
    let both = [MethodName::InSitu, MethodName::Ffm].map(|name| ((name, 0.01, 0), &chain, &kind));
    // singular values begin at their greatest, where slopes are nothing but rounding; mapping leads them away
    let inner = [(MethodName::Subspace, 0.05, 2), (MethodName::InSitu, 0.005, 0), (MethodName::Ffm, 0.005, 0)];
    let inner = inner.map(|method| (method, &inside, &lossless));
    for (method, network, kind) in both.into_iter().chain(inner) {
        let cpu = losses(&Cpu::<f64>::new(), method, kind, network);
        let gpu = losses(&gpu, method, kind, network);
        assert!(cpu[0] - cpu[49] > 0.01, "{method:?} learns: {cpu:?}");
        let distance = apart(&cpu, &gpu);
        assert!(distance < 1e-3, "{method:?}: {distance:.1e} apart");
    }
}

#[test]
fn a_model_that_learns_the_chip_learns_alike_on_gpu_and_cpu() {
    let Some(gpu) = require_gpu() else { return };
    fn losses<E: Simulator>(engine: &E, kind: &Imperfections, network: &Network) -> Vec<f64> {
        let options = MethodOptions {
            estimation: Estimation { measuring_steps: Some(80), rate: Some(0.02), ..Estimation::default() },
            ..Default::default()
        };
        let (name, adam) = (MethodName::AtAdaptive, Optimizer::ADAM);
        let records = train_with(name, kind, &options, engine, network, adam, 0.02, None, &mut ()).unwrap();
        records.iter().flat_map(|record| [record.train_loss, record.test_loss]).collect()
    }
    let tiles = tiled(&Mesh::rectangular(4).unwrap());
    let kind = |splitter_angle, phase| Imperfections { splitter_angle, phase, loss_db: 0.1, ..Imperfections::NONE };
    // Of the errors that tiles have here, the chain of meshes would be searched, by a fit that stops short of the last digits.
    let chain = coherent(6, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    for (network, kind) in [(chain, kind(0.05, 0.1)), (tiles, kind(0.1, 0.2))] {
        let (cpu, gpu) = (losses(&Cpu::<f64>::new(), &kind, &network), losses(&gpu, &kind, &network));
        assert!(cpu[1] - cpu[99] > 0.01, "it learns: {cpu:?}");
        let distance = apart(&cpu, &gpu);
        assert!(distance < 2e-3, "{distance:.1e} apart: {cpu:?} {gpu:?}");
    }
}

#[test]
fn a_device_lost_in_mid_run_is_an_error() {
    let Some(shared) = require_gpu() else { return };
    let gpu = small(&shared);
    let case = Case::new(weight_banks(&[5, 9, 4]), &LOSSY, 3, 5);
    let mut network = case.programmed(&gpu);
    let (fields, mut readout) = (gpu.upload(&case.fields).unwrap(), gpu.zeros(12).unwrap());
    network.propagate(&fields, 3, &mut readout).unwrap();
    gpu.lose();
    let result = network.propagate(&fields, 3, &mut readout).and_then(|()| gpu.download(&readout));
    assert!(result.unwrap_err().to_string().contains("`engine` cpu"));
}

#[test]
fn what_does_not_fit_is_refused_with_its_size() {
    let Some(shared) = require_gpu() else { return };
    let error = small(&shared).zeros(1 << 26).err().expect("256 MiB exceed a binding of 128").to_string();
    assert!(error.contains("256.0 MiB") && error.contains("128.0 MiB"), "{error}");
}

#[test]
fn two_handles_on_one_adapter_do_not_disturb_each_other() {
    let Some(shared) = require_gpu() else { return };
    let case = Case::new(weight_banks(&[5, 9, 4]), &LOSSY, 7, 5);
    let expected = case.run(&shared).readout;
    let runs = [(); 2].map(|()| {
        let (gpu, fields, controls) = (small(&shared), case.fields.clone(), case.controls.clone());
        let (network, fabrication, first) =
            (case.network.clone(), case.fabrication.clone(), case.first_controls.clone());
        std::thread::spawn(move || {
            let mut network = gpu.build(&network, &fabrication).unwrap();
            for controls in [&first, &controls] {
                network.program(&gpu.upload(controls).unwrap()).unwrap();
            }
            let (fields, mut readout) = (gpu.upload(&fields).unwrap(), gpu.zeros(28).unwrap());
            network.propagate(&fields, 7, &mut readout).unwrap();
            gpu.download(&readout).unwrap()
        })
    });
    for run in runs {
        assert_eq!(run.join().unwrap(), expected);
    }
}
