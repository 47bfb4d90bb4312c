//! Time and memory of one case on one engine.

use super::case::{Case, Pass, mzis};
use super::fit::median;
use crate::allocations;
use anyhow::Result;
use at_core::chip::{Chip, Physical};
use at_core::engine::{Loss, Optimizer, Schedule};
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::Network;
use at_core::population::Examination;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_core::ranks::Traffic;
use at_core::training::methods::at::Asymmetric;
use at_core::training::{Batch, Digital, Initialization, Method, MethodOptions, Settings, Split, initial_controls};
use serde::{Deserialize, Serialize};
use std::time::Instant;

/// A time that clocks and thread pools resolve; shorter steps are done several times between two looks at the clock.
const RESOLVED_SECONDS: f64 = 0.02;

/// More steps are not done between two looks at the clock.
const MOST_STEPS: f64 = 1000.0;

/// How carefully to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// What ranks exchange in a step.
    #[serde(default, flatten)]
    pub exchange: Option<Exchange>,
}

/// What rank 0 exchanges with the others in a step.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// Values that are summed or gathered.
    pub exchanged_values: f64,
    /// Time in that, waiting for slower ranks included (seconds).
    pub exchange_seconds: f64,
    /// Time of copies between a device and memory for it (seconds).
    pub copy_seconds: f64,
}

/// What several ranks that measure the same step need to know of each other.
pub struct Together<'a> {
    /// The number that rank 0 has.
    pub agree: &'a dyn Fn(usize) -> Result<usize>,
    /// What was exchanged so far.
    pub traffic: &'a dyn Fn() -> Traffic,
}

/// Measures `case` on `engine`, which may be one rank's: then all of them call it alike, and of memory, which they take from one, nothing is said.
pub fn measure<E: Simulator>(
    engine: &E,
    case: &Case,
    effort: &Care,
    device: DeviceMemory,
    together: Option<&Together>,
) -> Result<Measurement> {
    let network = case.network()?;
    let (mut network_bytes, mut bytes) = (None, None);
    if together.is_none() {
        let single = Workload::new(engine, &Case { batch: 1, ..*case }, &network)?;
        network_bytes = single.run(&Care { warm_up: 1, repeats: 0 }, device, None)?.bytes;
    }
    let Taken { mut times, bytes: all_bytes, exchange } =
        Workload::new(engine, case, &network)?.run(effort, device, together)?;
    if together.is_none() {
        bytes = all_bytes;
    }
    times.sort_by(f64::total_cmp);
    Ok(Measurement {
        mzis: mzis(&network),
        controls: network.controls(),
        seconds: median(&times),
        shortest_seconds: times[0],
        longest_seconds: times[times.len() - 1],
        network_bytes,
        signal_bytes: bytes.zip(network_bytes).map(|(all, one)| all.saturating_sub(one)),
        exchange,
    })
}

/// What chips have of errors.
fn spreads() -> Imperfections {
    Imperfections { splitter_angle: 0.02, phase: 0.04, ..Imperfections::default() }
}

/// A step, ready to be done again and again.
type Step<'a> = Box<dyn FnMut() -> Result<()> + 'a>;

/// What the repeats took.
struct Taken {
    /// Seconds per step.
    times: Vec<f64>,
    /// The most memory beside the samples.
    bytes: Option<u64>,
    exchange: Option<Exchange>,
}

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

    fn run(&self, effort: &Care, device: DeviceMemory, together: Option<&Together>) -> Result<Taken> {
        allocations::restart_peak();
        let before = device.map_or(Some(allocations::live() as u64), |taken| taken());
        let mut step = self.step()?;
        let mut seconds_of = |steps: usize| {
            let start = Instant::now();
            (0..steps).try_for_each(|_| step())?;
            self.engine.finish()?;
            anyhow::Ok(start.elapsed().as_secs_f64() / steps as f64)
        };
        let mut once = f64::INFINITY;
        for _ in 0..effort.warm_up {
            once = once.min(seconds_of(1)?);
        }
        let own = (RESOLVED_SECONDS / once).ceil().clamp(1.0, MOST_STEPS) as usize;
        let steps = together.map_or(Ok(own), |together| (together.agree)(own))?;
        let traffic = || together.map(|together| (together.traffic)());
        let earlier = traffic();
        let times: Vec<f64> = (0..effort.repeats).map(|_| seconds_of(steps)).collect::<Result<_>>()?;
        let exchange = traffic().zip(earlier).map(|(all, earlier)| {
            let steps = (steps * effort.repeats) as f64;
            Exchange {
                exchanged_values: (all.values - earlier.values) as f64 / steps,
                exchange_seconds: (all.time - earlier.time).as_secs_f64() / steps,
                copy_seconds: (all.copies - earlier.copies).as_secs_f64() / steps,
            }
        });
        let after = device.map_or(Some(allocations::peak() as u64), |taken| taken());
        let bytes = after.zip(before).map(|(after, before)| after.saturating_sub(before));
        Ok(Taken { times, bytes, exchange })
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
        let Workload { engine, network, initial, batch, settings, case, .. } = self;
        let mut chip = Chip::new(*engine, network, &spreads().fabricate(network, 1)?)?;
        chip.program(&engine.upload(initial)?)?;
        // the method by itself: all others would be compiled for engines that only measure
        let options = MethodOptions::default();
        let model = Digital::new(engine.build(network, &options.known(network)?)?, network, chip.meter());
        let (weights, optimizer, loss) = (options.weights(), settings.optimizer, settings.loss);
        let mut method = Asymmetric::new(*engine, model, weights, None, initial, optimizer, loss, case.batch)?;
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
            let case =
                Case { engine: EngineName::Cpu, pass, modes: 5, depth: 3, layers: 2, batch: 7, chips: 3, ranks: 1 };
            let found = measure(&Cpu::<f32>::new(), &case, &Care { warm_up: 1, repeats: 2 }, None, None).unwrap();
            assert_eq!(found.exchange, None);
            assert_eq!((found.mzis, found.controls), (2 * 6, 2 * (12 + 5)), "{pass:?}");
            assert!(0.0 < found.shortest_seconds && found.shortest_seconds <= found.seconds, "{found:?}");
            assert!(found.seconds <= found.longest_seconds && found.network_bytes > Some(0), "{found:?}");
        }
    }

    #[test]
    fn ranks_exchange_the_gradients_of_a_step_and_nothing_else() {
        for (pass, gradients) in [(Pass::Propagate, 0), (Pass::Backpropagate, 1), (Pass::Step, 2)] {
            let case =
                Case { engine: EngineName::Cpu, pass, modes: 5, depth: 3, layers: 2, batch: 7, chips: 1, ranks: 2 };
            let found = super::super::ranks::case(&case, &Care { warm_up: 1, repeats: 2 }, None, None).unwrap();
            let exchange = found.exchange.unwrap();
            assert_eq!(exchange.exchanged_values, (gradients * found.controls) as f64, "{pass:?}");
            assert_eq!(exchange.exchange_seconds > 0.0, gradients > 0);
            assert!(exchange.exchange_seconds < found.longest_seconds && found.network_bytes.is_none());
        }
    }
}
