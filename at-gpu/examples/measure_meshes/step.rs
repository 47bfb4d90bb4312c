//! A step of a training of three meshes on a chip with errors.

use crate::case::{BACKWARD, Case, FORWARD, Measured, fields, network};
use at_core::chip::{Chip, Physical};
use at_core::engine::{Engine, Loss, Optimizer, Schedule};
use at_core::imperfections::Imperfections;
use at_core::propagator::Propagator;
use at_core::training::{Batch, MethodName, MethodOptions, Settings, Split, initial_controls, methods};
use at_gpu::Gpu;
use at_gpu::memory::Training;

/// Meshes of the network.
const MESHES: usize = 3;

/// Amplitude of what enters, up to this in either quadrature: activations that are given little light give almost none on.
const LIGHT: f32 = 5.0;

/// Adam's rate of every control and the spread of a chip's errors, at one mode: divided by N and by its root they move light as much in
/// meshes of any size.
const RATE: f64 = 0.005;
const SPREAD: f64 = 0.1;

/// A step by `method`; `at-adaptive` measures in at most so many steps first. Of `at` that is chip forward, model forward, two
/// gradients, two optimizer steps, and the operations of these are counted.
pub fn step(case: &Case, modes: usize, method: MethodName, measuring_steps: Option<usize>) -> Measured {
    let Case { gpu, batch, .. } = *case;
    let network = network(modes, MESHES, modes)?;
    let training = Training {
        network: &network,
        imperfect: true,
        batch,
        moments: 2,
        samples: batch,
        single_meshes: false,
        shifter_fields: false,
        estimate: method == MethodName::AtAdaptive,
    };
    training.check(gpu, None)?;
    let (rate, spread) = (RATE / modes as f64, SPREAD / (modes as f64).sqrt());
    let imperfections = Imperfections { phase: spread, splitter_angle: 0.5 * spread, ..Imperfections::default() };
    let fabrication = imperfections.fabricate(&network, 1)?;
    let controls = initial_controls(&network, 2, &Default::default())?;
    let settings = Settings {
        epochs: 1,
        batch_size: batch,
        learning_rate: rate,
        schedule: Schedule::Constant,
        optimizer: Optimizer::ADAM,
        loss: Loss::cross_entropy(modes.min(10)),
        seed: 1,
    };
    let labels: Vec<u32> = (0..batch as u32).map(|sample| sample % modes.min(10) as u32).collect();
    let light: Vec<f32> = fields(2 * modes * batch).into_iter().map(|value| LIGHT * value).collect();
    let split = Split::new(gpu, &light, &labels)?;
    let mut chip = Chip::new(gpu, &network, &fabrication)?;
    let mut options = MethodOptions { imperfections, ..MethodOptions::default() };
    options.estimation.measuring_steps = measuring_steps;
    let meter = chip.meter();
    let mut method = methods::build(method, gpu, &network, &fabrication, &controls, &settings, &options, meter)?;
    chip.program(method.controls())?;
    let mut samples = Batch::new(gpu, split.width(), batch)?;
    let mut once = |tally: &mut <Gpu as Engine>::Buffer| {
        samples.gather(gpu, &split, split.in_order(), 0, batch)?;
        method.step(&mut chip, &samples, rate, tally)
    };
    let loss = |tally: &<Gpu as Engine>::Buffer| gpu.download(tally).map(|tally| tally[0] / tally[2]);
    let mut tally = gpu.zeros(3)?;
    once(&mut tally)?;
    let first = loss(&tally)?;
    let seconds = case.timed(|| once(&mut tally))?;
    let mut tally = gpu.zeros(3)?;
    once(&mut tally)?;
    let last = loss(&tally)?;
    let number = |value: f64| if value.is_finite() { format!("{value:.6}") } else { "null".to_string() };
    let mzis = (MESHES * modes * (modes - 1) / 2) as f64;
    let tflops = 1e-12 * (2.0 * FORWARD + 2.0 * BACKWARD) * mzis * batch as f64 / seconds;
    Ok(format!(
        r#""batch": {batch}, "seconds": {seconds:.6}, "tflops": {tflops:.6}, "of_matrix_product": {:.4}, "allocated_bytes": {}, "estimated_bytes": {}, "first_loss": {}, "last_loss": {}"#,
        1e3 * tflops / case.peak,
        gpu.allocated_bytes().map_or("null".to_string(), |bytes| bytes.to_string()),
        training.estimate(gpu).total(),
        number(first),
        number(last),
    ))
}
