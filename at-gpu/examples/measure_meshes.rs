//! Measures what docs/results.md states of a GPU: training steps of three meshes, one mesh forward and backward, memory against
//! depth. Prints one JSON object per line; benches/gpu.sh runs it.
//!
//! ```text
//! measure_meshes [--adapter NAME|INDEX|hardware|any] [--modes 256,512,…] [--batch 1024] [--seconds 20]
//! ```

use at_core::chip::{Chip, Physical};
use at_core::engine::{Engine, Loss, Optimizer, Schedule};
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Layer, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_core::training::{Batch, MethodName, MethodOptions, Settings, Split, initial_controls, methods};
use at_core::{Error, Result};
use at_gpu::measure::{copy_rate, matrix_rate};
use at_gpu::memory::Training;
use at_gpu::{Gpu, Selection};
use std::time::Instant;

/// Meshes of the trained network.
const MESHES: usize = 3;
/// Operations per MZI and sample: forward, and backward with its phase gradients.
const FORWARD: f64 = 28.0;
const BACKWARD: f64 = 76.0;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let value = |name: &str, default: &str| {
        let place = arguments.iter().position(|argument| argument == name);
        place.and_then(|place| arguments.get(place + 1)).map_or(default, String::as_str).to_string()
    };
    let number = |text: &str| text.parse::<usize>().map_err(|_| Error::invalid("number", text, "must be whole"));
    let gpu = Gpu::new(&Selection::parse(&value("--adapter", "hardware")))?;
    let modes = value("--modes", "256,512,1024,2048,4096,8192");
    let modes = modes.split(',').map(number).collect::<Result<Vec<_>>>()?;
    let batch = number(&value("--batch", "1024"))?;
    let seconds = number(&value("--seconds", "20"))? as f64;

    let peak = matrix_rate(&gpu)?;
    let (name, driver) = (&gpu.adapter().name, &gpu.adapter().driver);
    let copy = copy_rate(&gpu)?;
    println!(r#"{{"device": {name:?}, "driver": {driver:?}, "matrix_gflops": {peak:.1}, "copy_gbytes": {copy:.1}}}"#);
    for &modes in &modes {
        for line in [step(&gpu, modes, batch, seconds, peak), mesh(&gpu, modes, batch, seconds)] {
            // One size that does not fit does not end the others.
            println!(
                "{}",
                line.unwrap_or_else(|error| format!(r#"{{"modes": {modes}, "error": {:?}}}"#, error.to_string()))
            );
        }
    }
    for &modes in modes.iter().filter(|&&modes| modes <= 1024) {
        for depth in [modes / 4, modes / 2, modes] {
            let line = memory(&gpu, modes, depth, batch);
            println!(
                "{}",
                line.unwrap_or_else(|error| format!(r#"{{"modes": {modes}, "error": {:?}}}"#, error.to_string()))
            );
        }
    }
    Ok(())
}

fn network(modes: usize, meshes: usize, depth: usize) -> Result<Network> {
    let mut layers: Vec<Layer> = Vec::new();
    for index in 1..=meshes {
        let next = if index < meshes {
            Stage::activation(modes, Activation::ELECTRO_OPTIC)
        } else {
            Stage::detection(modes, Detection::Intensity)
        };
        layers.push(vec![Stage::Mesh(Mesh::truncated(modes, depth)?), next]);
    }
    Network::new(layers)
}

/// Numbers that fill fields, the same on every machine.
fn fields(count: usize) -> Vec<f32> {
    (0..count).map(|index| ((index as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0).collect()
}

/// Calls `work` until `seconds` are over, at least twice, after one call to warm up; gives the seconds of one.
fn timed(seconds: f64, mut work: impl FnMut() -> Result<()>, mut wait: impl FnMut() -> Result<()>) -> Result<f64> {
    work()?;
    wait()?;
    let first = Instant::now();
    work()?;
    wait()?;
    let once = first.elapsed().as_secs_f64();
    let times = (seconds / once).clamp(2.0, 50.0) as usize;
    let start = Instant::now();
    (0..times).try_for_each(|_| work())?;
    wait()?;
    Ok(start.elapsed().as_secs_f64() / times as f64)
}

/// A step of asymmetrical training: chip forward, model forward, two gradients, two optimizer steps.
fn step(gpu: &Gpu, modes: usize, batch: usize, seconds: f64, peak: f64) -> Result<String> {
    let network = network(modes, MESHES, modes)?;
    let training = Training {
        network: &network,
        imperfect: true,
        batch,
        moments: 2,
        samples: batch,
        shifter_fields: false,
        estimate: false,
    };
    training.check(gpu, None)?;
    let imperfections = Imperfections { phase: 0.05, splitter_angle: 0.02, ..Imperfections::default() };
    let fabrication = imperfections.fabricate(&network, 1)?;
    let controls = initial_controls(&network, 2, &Default::default())?;
    let settings = Settings {
        epochs: 1,
        batch_size: batch,
        learning_rate: 1e-3,
        schedule: Schedule::Constant,
        optimizer: Optimizer::ADAM,
        loss: Loss::cross_entropy(modes.min(10)),
        seed: 1,
    };
    let labels: Vec<u32> = (0..batch as u32).map(|sample| sample % modes.min(10) as u32).collect();
    let split = Split::new(gpu, &fields(2 * modes * batch), &labels)?;
    let mut chip = Chip::new(gpu, &network, &fabrication)?;
    let options = MethodOptions::default();
    let mut method =
        methods::build(MethodName::At, gpu, &network, &fabrication, &controls, &settings, &options, chip.meter())?;
    let mut samples = Batch::new(gpu, split.width(), batch)?;
    let mut tally = gpu.zeros(3)?;
    let once = timed(
        seconds,
        || {
            samples.gather(gpu, &split, split.in_order(), 0, batch)?;
            method.step(&mut chip, &samples, 1e-3, &mut tally)
        },
        || gpu.settle(),
    )?;
    let loss = gpu.download(&tally)?;
    let mzis = (MESHES * modes * (modes - 1) / 2) as f64;
    let rate = 1e-12 * (2.0 * FORWARD + 2.0 * BACKWARD) * mzis * batch as f64 / once;
    Ok(format!(
        r#"{{"case": "AT step, three meshes", "modes": {modes}, "batch": {batch}, "seconds": {once:.6}, "tflops": {rate:.3}, "of_measured_peak": {:.4}, "allocated_bytes": {}, "estimated_bytes": {}, "mean_loss": {:.4}}}"#,
        1e3 * rate / peak,
        gpu.allocated_bytes().map_or("null".to_string(), |bytes| bytes.to_string()),
        training.estimate(gpu).total(),
        loss[0] / loss[2],
    ))
}

/// One mesh forward and its gradient, controls set anew each time.
fn mesh(gpu: &Gpu, modes: usize, batch: usize, seconds: f64) -> Result<String> {
    let (once, _) = one_mesh(gpu, modes, modes, batch, seconds)?;
    let rate = 1e-12 * (FORWARD + BACKWARD) * (modes * (modes - 1) / 2) as f64 * batch as f64 / once;
    Ok(format!(
        r#"{{"case": "one mesh, forward and gradient", "modes": {modes}, "batch": {batch}, "seconds": {once:.6}, "tflops": {rate:.3}}}"#
    ))
}

/// Memory of one mesh that grows with the batch: what `batch` samples take beyond one sample.
fn memory(gpu: &Gpu, modes: usize, depth: usize, batch: usize) -> Result<String> {
    let (_, one) = one_mesh(gpu, modes, depth, 1, 0.0)?;
    let (_, all) = one_mesh(gpu, modes, depth, batch, 0.0)?;
    let beyond = one.zip(all).map_or("null".to_string(), |(one, all)| all.saturating_sub(one).to_string());
    let all = all.map_or("null".to_string(), |all| all.to_string());
    Ok(format!(
        r#"{{"case": "memory", "modes": {modes}, "depth": {depth}, "batch": {batch}, "allocated_bytes": {all}, "beyond_one_sample": {beyond}}}"#
    ))
}

fn one_mesh(gpu: &Gpu, modes: usize, depth: usize, batch: usize, seconds: f64) -> Result<(f64, Option<u64>)> {
    let network = network(modes, 1, depth)?;
    let mut built = gpu.build(&network, &Fabrication::ideal())?;
    let controls = gpu.upload(&initial_controls(&network, 2, &Default::default())?)?;
    let input = gpu.upload(&fields(2 * modes * batch))?;
    let error = gpu.upload(&fields(modes * batch))?;
    let (mut readout, mut gradient) = (gpu.zeros(modes * batch)?, gpu.zeros(network.controls())?);
    let mut trace = built.trace(batch)?;
    let once = timed(
        seconds,
        || {
            built.program(&controls)?;
            built.record(&input, batch, &mut trace, &mut readout)?;
            built.backpropagate(&trace, &error, &mut gradient)
        },
        || gpu.settle(),
    )?;
    Ok((once, gpu.allocated_bytes()))
}
