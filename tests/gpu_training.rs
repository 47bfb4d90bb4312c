//! The GPU beyond single passes: meshes wider than a workgroup's memory, whole trainings, small adapters, lost devices.

use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::network::{Detection, Network};
use at_core::optics::{Activation, Mesh};
use at_core::propagator::{Engine, Propagator};
use at_core::training::{Loss, MethodName, MethodOptions, Optimizer, Schedule, Settings, Split, Trainer, methods};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};
use at_tests::case::{Case, LOSSY};
use at_tests::compare::assert_close;
use at_tests::draws::normals;
use at_tests::networks::{coherent, mesh_and_detectors, weight_banks};

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
fn losses<E: Engine>(engine: &E, network: &Network, optimizer: Optimizer, learning_rate: f64) -> Vec<f64> {
    let width = network.input().width();
    let fabrication = LOSSY.fabricate(network, 3).unwrap();
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
    let mut chip = Chip::new(engine, network, &fabrication).unwrap();
    let options = MethodOptions::default();
    let mut method =
        methods::build(MethodName::At, engine, network, &fabrication, &controls, &settings, &options).unwrap();
    let trainer = Trainer { engine, settings: &settings, train: &split, test: &split };
    let outcome = trainer.run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
    outcome.records.iter().map(|record| record.train_loss).collect()
}

#[test]
fn trainings_on_gpu_and_cpu_follow_each_other() {
    let Some(gpu) = require_gpu() else { return };
    let mesh = coherent(6, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    for network in [mesh, weight_banks(&[5, 9, 4])] {
        for (optimizer, rate) in
            [(Optimizer::Sgd, 0.3), (Optimizer::Momentum { momentum: 0.9 }, 0.05), (Optimizer::ADAM, 0.01)]
        {
            let cpu = losses(&Cpu::<f64>::new(), &network, optimizer, rate);
            let gpu = losses(&gpu, &network, optimizer, rate);
            assert!((cpu[49] - cpu[0]).abs() > 0.01, "{optimizer:?} moves");
            let apart = cpu.iter().zip(&gpu).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-3, "{optimizer:?}: {apart:.1e} apart");
        }
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
    assert!(result.unwrap_err().to_string().contains("--engine cpu"));
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
