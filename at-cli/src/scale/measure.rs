//! Time and memory of one case on one engine.

use super::case::{Case, Pass, mzis};
use crate::allocations;
use anyhow::Result;
use at_core::chip::{Chip, Physical};
use at_core::engine::{Loss, Optimizer, Schedule};
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::Network;
use at_core::population::Examination;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_core::training::{Batch, Initialization, MethodName, MethodOptions, Settings, Split, initial_controls, methods};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A time that clocks and thread pools resolve; shorter steps are done several times between two looks at the clock.
const RESOLVED_SECONDS: f64 = 0.02;

/// More steps are not done between two looks at the clock.
const MOST_STEPS: f64 = 1000.0;

/// How carefully to measure.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Care {
    /// Steps before the clock starts.
    pub warm_up: usize,
    /// Times to measure; their median counts.
    pub repeats: usize,
}

impl Care {
    /// Least seconds of a case whose single step takes `step`.
    pub fn seconds(&self, step: f64) -> f64 {
        // without a step before, it is not known how many are needed between two looks
        let steps = if self.warm_up == 0 { 1.0 } else { (RESOLVED_SECONDS / step).clamp(1.0, MOST_STEPS) };
        (self.warm_up as f64 + self.repeats as f64 * steps) * step
    }
}

/// Gives the bytes of an engine's own memory that are taken; engines without one live in this program's memory.
pub type DeviceMemory<'a> = Option<&'a dyn Fn() -> Option<u64>>;

/// What a case takes.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Measurement {
    /// MZIs of all meshes of a chip.
    pub mzis: usize,
    /// Controls of all meshes of a chip.
    pub controls: usize,
    /// Median time of a step (seconds).
    pub seconds: f64,
    /// Shortest time.
    pub shortest_seconds: f64,
    /// Longest time.
    pub longest_seconds: f64,
    /// Most memory beside the samples, with a single one: coefficients, controls, gradients (bytes).
    pub network_bytes: Option<u64>,
    /// How much more it is with all samples: what grows with batch times modes (bytes).
    pub signal_bytes: Option<u64>,
}

/// Measures `case` on `engine`.
pub fn measure<E: Simulator>(engine: &E, case: &Case, effort: &Care, device: DeviceMemory) -> Result<Measurement> {
    let network = case.network()?;
    let single = Workload::new(engine, &Case { batch: 1, ..*case }, &network)?;
    let (_, network_bytes) = single.run(&Care { warm_up: 1, repeats: 0 }, device)?;
    let (mut times, bytes) = Workload::new(engine, case, &network)?.run(effort, device)?;
    times.sort_by(f64::total_cmp);
    Ok(Measurement {
        mzis: mzis(&network),
        controls: network.controls(),
        seconds: median(&times),
        shortest_seconds: times[0],
        longest_seconds: times[times.len() - 1],
        network_bytes,
        signal_bytes: bytes.zip(network_bytes).map(|(all, one)| all.saturating_sub(one)),
    })
}

/// The middle of sorted values, the mean of the two middle ones where their number is even.
fn median(sorted: &[f64]) -> f64 {
    let half = sorted.len() / 2;
    if sorted.len() % 2 == 1 { sorted[half] } else { 0.5 * (sorted[half - 1] + sorted[half]) }
}

/// What chips have of errors.
fn spreads() -> Imperfections {
    Imperfections { splitter_angle: 0.02, phase: 0.04, ..Imperfections::default() }
}

/// A step, ready to be done again and again.
type Step<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// A network with samples and first controls, whose step is measured.
struct Workload<'a, E: Simulator> {
    engine: &'a E,
    network: &'a Network,
    case: Case,
    initial: Vec<f64>,
    split: Split<E>,
    batch: Batch<E>,
    settings: Settings,
}

impl<'a, E: Simulator> Workload<'a, E> {
    fn new(engine: &'a E, case: &Case, network: &'a Network) -> Result<Self> {
        let classes = network.outputs().min(10);
        let width = network.input().width();
        let signals: Vec<f32> = (0..case.batch * width).map(|k| (0.7 * k as f64).sin() as f32).collect();
        let labels: Vec<u32> = (0..case.batch).map(|k| (k % classes) as u32).collect();
        let split = Split::new(engine, &signals, &labels)?;
        let mut batch = Batch::new(engine, width, case.batch)?;
        batch.gather(engine, &split, split.in_order(), 0, case.batch)?;
        let settings = Settings {
            epochs: 1,
            batch_size: case.batch,
            learning_rate: 1e-3,
            schedule: Schedule::Constant,
            optimizer: Optimizer::Sgd,
            loss: Loss::cross_entropy(classes),
            seed: 1,
        };
        let initial = initial_controls(network, 1, &Initialization::FanIn)?;
        Ok(Workload { engine, network, case: *case, initial, split, batch, settings })
    }

    /// Times of the repeats (seconds per step), and the most memory beside the samples.
    fn run(&self, effort: &Care, device: DeviceMemory) -> Result<(Vec<f64>, Option<u64>)> {
        allocations::restart_peak();
        let before = device.map_or(Some(allocations::live() as u64), |taken| taken());
        let mut step = self.step()?;
        let something = self.engine.zeros(1)?;
        let mut seconds_of = |steps: usize| {
            let start = Instant::now();
            (0..steps).try_for_each(|_| step())?;
            self.engine.download(&something)?; // waits for a device that works on its own
            anyhow::Ok(start.elapsed().as_secs_f64() / steps as f64)
        };
        let mut once = f64::INFINITY;
        for _ in 0..effort.warm_up {
            once = once.min(seconds_of(1)?);
        }
        let steps = (RESOLVED_SECONDS / once).ceil().clamp(1.0, MOST_STEPS) as usize;
        let times = (0..effort.repeats).map(|_| seconds_of(steps)).collect::<Result<_>>()?;
        let after = device.map_or(Some(allocations::peak() as u64), |taken| taken());
        Ok((times, after.zip(before).map(|(after, before)| after.saturating_sub(before))))
    }

    fn step(&self) -> Result<Step<'_>> {
        match self.case.pass {
            Pass::Step => self.training_step(),
            Pass::Population => Ok(self.examination()),
            Pass::Propagate | Pass::Backpropagate => self.model_step(),
        }
    }

    /// All chips, as the engine prefers it: side by side as one network, or on several threads.
    fn examination(&self) -> Step<'_> {
        let Workload { engine, network, initial, split, settings, case, .. } = self;
        let loss = &settings.loss;
        let all = Examination { engine: *engine, network, controls: initial, split, loss };
        Box::new(move || Ok(all.all(0..case.chips as u64, |number| spreads().fabricate(network, number)).map(drop)?))
    }

    /// Asymmetrical training of a chip with errors.
    fn training_step(&self) -> Result<Step<'_>> {
        let Workload { engine, network, initial, batch, settings, .. } = self;
        let fabrication = spreads().fabricate(network, 1)?;
        let mut chip = Chip::new(*engine, network, &fabrication)?;
        chip.program(&engine.upload(initial)?)?;
        let options = MethodOptions::default();
        let mut method =
            methods::build(MethodName::At, *engine, network, &fabrication, initial, settings, &options, chip.meter())?;
        let mut tally = engine.zeros(3)?;
        Ok(Box::new(move || Ok(method.step(&mut chip, batch, settings.learning_rate, &mut tally)?)))
    }

    /// Through a model without errors, and back.
    fn model_step(&self) -> Result<Step<'_>> {
        let Workload { engine, network, initial, batch, .. } = self;
        let (samples, outputs) = (batch.size(), batch.size() * network.outputs());
        let mut model = engine.build(network, &Fabrication::ideal())?;
        let controls = engine.upload(initial)?;
        let mut readout = engine.zeros(outputs)?;
        if self.case.pass == Pass::Propagate {
            return Ok(Box::new(move || {
                model.program(&controls)?;
                Ok(model.propagate(batch.signals(), samples, &mut readout)?)
            }));
        }
        let error = engine.upload(&vec![1e-3_f32; outputs])?;
        let mut gradient = engine.zeros(network.controls())?;
        let mut trace = model.trace(samples)?;
        Ok(Box::new(move || {
            model.program(&controls)?;
            model.record(batch.signals(), samples, &mut trace, &mut readout)?;
            Ok(model.backpropagate(&trace, &error, &mut gradient)?)
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::super::case::EngineName;
    use super::*;
    use at_core::cpu::Cpu;

    #[test]
    fn every_pass_runs_and_takes_time_and_memory() {
        for pass in [Pass::Propagate, Pass::Backpropagate, Pass::Step, Pass::Population] {
            let case = Case { engine: EngineName::Cpu, pass, modes: 5, depth: 3, layers: 2, batch: 7, chips: 3 };
            let found = measure(&Cpu::<f32>::new(), &case, &Care { warm_up: 1, repeats: 2 }, None).unwrap();
            assert_eq!((found.mzis, found.controls), (2 * 6, 2 * (12 + 5)), "{pass:?}");
            assert!(0.0 < found.shortest_seconds && found.shortest_seconds <= found.seconds, "{found:?}");
            assert!(found.seconds <= found.longest_seconds && found.network_bytes > Some(0), "{found:?}");
        }
    }

    #[test]
    fn the_median_is_the_middle() {
        assert_eq!((median(&[1.0, 2.0, 9.0]), median(&[1.0, 3.0])), (2.0, 2.0));
    }
}
