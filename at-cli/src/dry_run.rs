//! `--dry-run`: what would run, its sizes, steps, conversions, memory and time, with nothing on the disk.
//!
//! Conversions and time are told from a rehearsal: every method trains two short epochs of the same chip, and what the second takes is
//! multiplied by the samples and the steps of the run. A method that measures the chip first rehearses both, and is told with the least and the most
//! that its measuring can come to.

use crate::engines::Device;
use crate::failure::{OrUsage, Outcome};
use crate::memory;
use crate::plan::Precision;
use crate::settings::RunSettings;
use crate::trial::{Task, Tasks, Trials};
use crate::work::duration;
use anyhow::Result;
use at_core::chip::Accesses;
use at_core::cpu::Cpu;
use at_core::data::Dataset;
use at_core::engine::Engine;
use at_core::network::Network;
use at_core::propagator::Simulator;
use at_core::training::methods::{Measured, Measures};
use at_core::training::{MethodName, Observer, Record};
use std::ops::ControlFlow;
use std::time::Instant;

/// Steps of an epoch of the rehearsal.
const STEPS: usize = 2;
/// Test samples in it.
const TESTS: usize = 256;
/// Layers that are described one by one.
const MOST_LAYERS: usize = 12;

/// What a method takes in a whole run on one chip.
pub struct Expected {
    /// The method.
    pub method: MethodName,
    /// What crosses the interface, at least and at most.
    pub accesses: [Accesses; 2],
    /// Time on this computer, likewise (s).
    pub seconds: [f64; 2],
    /// Columns may be calibrated, whose fits are not in the time.
    pub calibrates: bool,
}

/// What `task` is, a line each: data, encoding, network, chip, methods, steps.
pub fn described(task: &Task, data: &Dataset, device: &Device) -> Vec<String> {
    let (plan, network) = (&task.plan, &task.network);
    let (train, test) = (data.train.len(), data.test.len());
    let kind = if data.is_complex() { "complex features" } else { "features" };
    let learned = match data.real_targets() {
        Some(targets) => format!("{targets} real targets"),
        None => format!("{} classes", data.classes),
    };
    let mut lines = vec![
        format!("engine   {}", engine(device)),
        format!(
            "data     {}: {train} training and {test} test samples of {} {kind}, {learned}",
            data.name,
            data.width()
        ),
    ];
    lines.extend(data.note.iter().map(|note| format!("         {note}")));
    let input = network.input();
    let signals = if input.complex { "fields" } else { "real numbers" };
    lines.push(format!("encoding {}: {} {signals} enter", plan.encoding, input.modes));
    lines.push(format!("network  {}: {} controls", network.identity(), network.controls()));
    lines.extend(layers(network));
    let seed = plan.settings.chip_seed.unwrap_or_default();
    match plan.settings.has_outside_chip() {
        true => lines.push("chip     from outside, which is not met; what follows is told of a simulated one".into()),
        false => lines.push(format!("chip     {} (seed {seed}): {}", plan.chip(), task.imperfections)),
    }
    let methods: Vec<&str> = plan.methods.iter().map(MethodName::as_str).collect();
    lines.push(format!("methods  {}", methods.join(", ")));
    lines.extend(plan.chosen_gain.iter().map(|gain| format!("gain     {gain}")));
    let (epochs, batch) = (plan.training.epochs, plan.training.batch_size);
    let steps = train.div_ceil(batch);
    let all = epochs.saturating_mul(steps);
    lines.push(format!("steps    {epochs} epochs of {steps} steps of {batch} samples: {all} steps of each method"));
    lines
}

/// A line on memory of which at least so many bytes are needed.
pub fn memory_line(bytes: f64) -> Result<String> {
    Ok(format!("memory   at least {}, and {} are free", memory::size(bytes), memory::size(memory::allowed()?)))
}

/// A line for what a method takes.
pub fn line(own: &Expected) -> String {
    let between = |count: fn(&Accesses) -> u64| match own.accesses.each_ref().map(count) {
        [least, most] if least == most => least.to_string(),
        [least, most] => format!("{least} to {most}"),
    };
    format!(
        "{}: {} values read, {} injected, {} inputs written, {} controls written, {} passes in {} rounds; about {}{}",
        own.method,
        between(|own| own.reads),
        between(|own| own.injections),
        between(|own| own.inputs),
        between(|own| own.control_writes),
        between(|own| own.passes),
        between(|own| own.rounds),
        time(own.seconds),
        if own.calibrates { ", and the fits of a calibration where one is needed" } else { "" }
    )
}

/// The least and the most seconds, where these differ.
pub fn time(seconds: [f64; 2]) -> String {
    let [least, most] = seconds.map(duration);
    if least == most { least } else { format!("{least} to {most}") }
}

/// The times of several methods, one after the other (s).
pub fn together(all: &[Expected]) -> [f64; 2] {
    [0, 1].map(|end| all.iter().map(|own| own.seconds[end]).sum())
}

fn engine(device: &Device) -> String {
    match device {
        Device::Gpu(gpu) => gpu.describe(),
        Device::Cpu(Precision::F32) => Cpu::<f32>::new().describe(),
        Device::Cpu(Precision::F64) => Cpu::<f64>::new().describe(),
    }
}

fn layers(network: &Network) -> Vec<String> {
    let all = network.layers();
    let stage = |stage: &at_core::network::Stage| match stage.controls() {
        0 => stage.word(),
        controls => format!(
            "{} ({} to {} signals, {controls} controls)",
            stage.word(),
            stage.input().modes,
            stage.output().modes
        ),
    };
    let shown = all.iter().enumerate().take(MOST_LAYERS).map(|(number, layer)| {
        format!("         layer {number}: {}", layer.iter().map(stage).collect::<Vec<_>>().join(" > "))
    });
    let more = all.len().saturating_sub(MOST_LAYERS);
    let looped = network.recurrence().map(|own| format!("         {own}"));
    shown.chain(looped).chain((more > 0).then(|| format!("         and {more} more layers"))).collect()
}

/// What every method takes of the run of `task`, whose samples are `data`. Nothing is written.
pub fn rehearse(task: &Task, data: &Dataset, device: &Device) -> Outcome<Vec<Expected>> {
    let (samples, batch) = (data.train.len(), task.plan.training.batch_size);
    let few: Vec<u32> = (0..samples.min(STEPS * batch) as u32).collect();
    let tests: Vec<u32> = (0..data.test.len().min(TESTS) as u32).collect();
    let (learned, judged) = (data.train.select(&few), data.test.select(&tests));
    let some = Dataset { image: data.image, ..Dataset::of(&data.name, data.classes, learned, judged) };
    let measured = measured(task, samples.div_ceil(batch))?;
    let measures = measured.is_some();
    let settings = RunSettings {
        epochs: Some(2),
        measuring_steps: if measures { Some(0) } else { task.plan.settings.measuring_steps },
        train_limit: None,
        test_limit: None,
        split: None,
        scale: None,
        chip_command: None,
        chip_address: None,
        chip_park: None,
        chip_timeout: None,
        ..task.plan.settings.clone()
    };
    let measuring = RunSettings {
        method: Some(vec![MethodName::AtAdaptive.to_string()]),
        measuring_steps: Some(2 * STEPS),
        ..settings.clone()
    };
    let rehearsed = |settings: RunSettings, some: Dataset| -> Outcome<Vec<(MethodName, Marks)>> {
        let mut tasks = Tasks::default();
        let plan = tasks.given(settings, some).or_usage()?;
        let small = tasks.complete(plan)?;
        let some = tasks.data(&small.plan)?;
        Ok(match device {
            Device::Gpu(gpu) => each(gpu, &small, some),
            Device::Cpu(Precision::F32) => Cpu::<f32>::new().install(|| each(&Cpu::<f32>::new(), &small, some)),
            Device::Cpu(Precision::F64) => Cpu::<f64>::new().install(|| each(&Cpu::<f64>::new(), &small, some)),
        }?)
    };
    let probing = measures.then(|| rehearsed(measuring, some.clone())).transpose()?;
    let probing = probing.and_then(|marks| marks.first().map(|(_, mark)| mark.of_step()));
    let marks = rehearsed(settings, some)?;
    let run = Sizes { samples, steps: samples.div_ceil(batch) };
    let rehearsed = Sizes { samples: few.len(), steps: few.len().div_ceil(batch) };
    let epochs = task.plan.training.epochs;
    let expected = |(method, mark): (MethodName, Marks)| match (&measured, probing) {
        (Some(measures), Some(probe)) if method == MethodName::AtAdaptive => {
            mark.with_probes(method, &rehearsed, &run, epochs, (measures, batch, probe))
        }
        _ => mark.grown(method, &rehearsed, &run, epochs),
    };
    Ok(marks.into_iter().map(expected).collect())
}

/// What `at-adaptive` sends of `task`, with so many steps in an epoch, before it trains on the chip; none where it does not, or is not there.
fn measured(task: &Task, steps: usize) -> Result<Option<Measures>> {
    let Task { plan, network, .. } = task;
    if !plan.methods.contains(&MethodName::AtAdaptive) {
        return Ok(None);
    }
    Ok(Measures::of(network, &plan.options, steps.saturating_mul(plan.training.epochs))?)
}

fn each<E: Simulator>(engine: &E, task: &Task, data: &Dataset) -> Result<Vec<(MethodName, Marks)>> {
    let trials = Trials::new(engine, task, data, None)?;
    let run = |&method: &MethodName| {
        let mut marks = Marks::default();
        let trained = trials.run(method, None, false, &mut marks)?;
        marks.end = trained.outcomes.first().map(|outcome| outcome.accesses).unwrap_or_default();
        Ok((method, marks))
    };
    task.plan.methods.iter().map(run).collect()
}

/// Samples and steps of an epoch.
struct Sizes {
    samples: usize,
    steps: usize,
}

/// When epochs ended, and what had crossed the interface then.
#[derive(Default)]
struct Marks {
    epochs: Vec<(Instant, Accesses)>,
    /// After the last, when the controls have been written for good.
    end: Accesses,
}

impl Observer for Marks {
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        if record.chip == 0 {
            self.epochs.push((Instant::now(), record.accesses));
        }
        ControlFlow::Continue(())
    }
}

impl Marks {
    /// What so many `epochs` take where each has the sizes of `run`, and those that were rehearsed had these.
    fn grown(&self, method: MethodName, rehearsed: &Sizes, run: &Sizes, epochs: usize) -> Expected {
        let [(began, first), (ended, both)] = self.epochs[..] else {
            return Expected { method, accesses: [Accesses::default(); 2], seconds: [0.0; 2], calibrates: false };
        };
        let whole = |first: u64, both: u64, now: usize, then: usize| {
            let epoch = both.saturating_sub(first);
            let once = u128::from(first.saturating_sub(epoch));
            let all = u128::from(epoch) * now as u128 / then.max(1) as u128 * epochs as u128;
            u64::try_from(once + all).unwrap_or(u64::MAX)
        };
        let by_sample = |first, both| whole(first, both, run.samples, rehearsed.samples);
        let by_step = |first, both| whole(first, both, run.steps, rehearsed.steps);
        let accesses = Accesses {
            reads: by_sample(first.reads, both.reads),
            injections: by_sample(first.injections, both.injections),
            inputs: by_sample(first.inputs, both.inputs),
            control_writes: by_step(first.control_writes, both.control_writes)
                + self.end.control_writes.saturating_sub(both.control_writes),
            cell_writes: by_step(first.cell_writes, both.cell_writes)
                + self.end.cell_writes.saturating_sub(both.cell_writes),
            passes: by_sample(first.passes, both.passes),
            rounds: by_step(first.rounds, both.rounds),
            frames: by_sample(first.frames, both.frames),
            digital_passes: by_sample(first.digital_passes, both.digital_passes),
            digital_backward_passes: by_sample(first.digital_backward_passes, both.digital_backward_passes),
            digital_flops: by_sample(first.digital_flops, both.digital_flops),
        };
        let epoch = ended.duration_since(began).as_secs_f64() * run.samples as f64 / rehearsed.samples.max(1) as f64;
        let seconds = epoch * epochs as f64;
        Expected { method, accesses: [accesses; 2], seconds: [seconds; 2], calibrates: false }
    }

    /// Time of a step of the second epoch (s).
    fn of_step(&self) -> f64 {
        let [(began, _), (ended, _)] = self.epochs[..] else { return 0.0 };
        ended.duration_since(began).as_secs_f64() / STEPS as f64
    }

    /// [`Marks::grown`] where some steps measure instead, as `measures` says: with the size of a batch, and the time that a probe takes (s).
    fn with_probes(
        &self,
        method: MethodName,
        rehearsed: &Sizes,
        run: &Sizes,
        epochs: usize,
        (measures, batch, probe): (&Measures, usize, f64),
    ) -> Expected {
        let Expected { accesses: [trained, _], seconds: [seconds, _], .. } = self.grown(method, rehearsed, run, epochs);
        let (steps, samples) = ((run.steps * epochs) as u64, (run.samples * epochs) as u64);
        let of = |own: &Measured, most: bool| {
            let (batches, others) = (own.batches as u64, steps - own.batches as u64);
            // the last batch of an epoch is smaller, and nobody knows whether it is one of these
            let all = batches * batch as u64;
            let of_batches =
                if most { all.min(samples) } else { samples.saturating_sub(others * batch as u64).min(all) };
            let probes = ((own.probes + own.again) * measures.samples + own.settings * measures.calibrating) as u64;
            let by_sample = |count: u64| count / samples.max(1) * (of_batches + probes);
            let written = trained.control_writes / (steps + 1).max(1);
            Accesses {
                reads: by_sample(trained.reads),
                injections: by_sample(trained.injections),
                inputs: by_sample(trained.inputs),
                control_writes: written * (batches + own.probes as u64 + own.settings as u64 + 1),
                passes: by_sample(trained.passes),
                rounds: trained.rounds / steps.max(1) * (batches + (own.probes + own.again + own.settings) as u64),
                ..trained
            }
        };
        let bounds = |most: bool| {
            let ways = measures.ways.iter().map(|own| of(own, most));
            let better = |one: u64, other: u64| if most { one.max(other) } else { one.min(other) };
            let join = |one: Accesses, other: Accesses| Accesses {
                reads: better(one.reads, other.reads),
                injections: better(one.injections, other.injections),
                inputs: better(one.inputs, other.inputs),
                control_writes: better(one.control_writes, other.control_writes),
                passes: better(one.passes, other.passes),
                rounds: better(one.rounds, other.rounds),
                ..one
            };
            ways.reduce(join).unwrap_or_default()
        };
        let times = measures.ways.iter().map(|own| {
            let settings = probe * (own.settings * measures.calibrating) as f64 / measures.samples.max(1) as f64;
            seconds * own.batches as f64 / steps.max(1) as f64 + probe * own.probes as f64 + settings
        });
        let ends = times.clone().fold(f64::INFINITY, f64::min);
        Expected {
            method,
            accesses: [bounds(false), bounds(true)],
            seconds: [ends, times.fold(0.0, f64::max)],
            calibrates: measures.ways.iter().any(|own| own.calibrating > 0),
        }
    }
}
