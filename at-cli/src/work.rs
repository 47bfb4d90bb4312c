//! How long work takes: a bound below which no computer ends it, known before it begins, and the pace of its first steps.

use crate::methods;
use crate::notes::Notes;
use crate::plan::Plan;
use anyhow::{Result, ensure};
use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::flops::Flops;
use at_core::network::Network;
use at_core::propagator::{Propagator, Simulator};
use at_core::training::MethodName;
use std::time::{Duration, Instant};

/// Seconds of a day. What takes longer is said before it begins.
pub const DAY: f64 = 86_400.0;

/// Seconds of a year. What cannot end in one is refused.
pub const YEAR: f64 = 365.0 * DAY;

/// Operations per second that no computer of these years reaches: a hundred times the peak of a large GPU, and ten thousand times
/// that of a core. An engine that finds a shorter way than the plain algorithm, or skips what is zero, stays below it too.
const RATE: f64 = 1e16;

/// Operations per second that any computer reaches which trains networks.
const SLOW_RATE: f64 = 1e9;

/// Seconds below which no readout is computed and no control is written, however small the network.
const ACT: f64 = 3e-7;

/// A rate is told after this time and not before: first steps are slow.
pub const SETTLED: Duration = Duration::from_secs(1);

/// A number that a person has chosen, and that the time of the work is proportional to.
#[derive(Clone, Copy, Debug)]
pub struct Factor {
    /// Its name on the command line, without dashes.
    pub name: &'static str,
    /// Its value.
    pub value: f64,
}

/// Work of a known least size.
#[derive(Clone, Debug, Default)]
pub struct Work {
    /// Seconds below which no computer ends it.
    pub seconds: f64,
    /// What it is proportional to.
    pub factors: Vec<Factor>,
}

impl Work {
    /// The training of `network` with every method of `plan`, on so many training and test samples.
    pub fn of_training(plan: &Plan, network: &Network, [train, test]: [usize; 2]) -> Self {
        let training = &plan.training;
        let (epochs, train, test) = (training.epochs as f64, train as f64, test as f64);
        let batches = (train / training.batch_size as f64).ceil();
        let forward = Flops::of(network.crossed_stages()).forward as f64 / RATE;
        let fleet = plan.fleet() as f64;
        let passes = |method: &MethodName| {
            let own = (methods::facts(*method).passes)(&plan.options, network);
            if *method == MethodName::At { own * fleet } else { own }
        };
        let epoch = |method: &MethodName| passes(method) * (batches * ACT + train * forward) + test * forward + ACT;
        let seconds = epochs * plan.methods.iter().map(epoch).sum::<f64>();
        let mut factors = vec![Factor { name: "epochs", value: epochs }];
        for method in &plan.methods {
            let options = methods::facts(*method).options.iter().filter(|option| option.multiplies_passes);
            for option in options {
                let value = (option.read)(&plan.options).unwrap_or(1.0).min(passes(method));
                if factors.iter().all(|factor| factor.name != option.name) {
                    factors.push(Factor { name: option.name, value });
                }
            }
        }
        if plan.methods.contains(&MethodName::At) {
            factors.push(Factor { name: "share-model", value: fleet });
        }
        Work { seconds, factors }
    }

    /// Seconds that the training takes on this computer's CPU or more, from a pass of light that is timed, where that may be more than a day.
    /// Its way back and its controls come on top.
    pub fn timed(plan: &Plan, network: &Network, [train, test]: [usize; 2]) -> Result<Option<f64>> {
        let flops = Flops::of(network.crossed_stages()).forward as f64;
        let samples = |passes: f64| plan.training.epochs as f64 * (passes * train as f64 + test as f64);
        let passes: f64 =
            plan.methods.iter().map(|&method| (methods::facts(method).passes)(&plan.options, network)).sum();
        // what even a slow computer ends within a day needs no timing
        if samples(passes) * (flops / SLOW_RATE + ACT) < DAY {
            return Ok(None);
        }
        let batch = plan.training.batch_size.clamp(1, if flops < 1e7 { 64 } else { 1 });
        let mut model = Cpu::<f32>::new().build(network, &Fabrication::ideal())?;
        model.program(&plan.initial_controls(network)?.iter().map(|&control| control as f32).collect())?;
        let light = vec![0.5; batch * network.input().width()];
        let mut readout = vec![0.0; batch * network.outputs()];
        let mut least = f64::INFINITY;
        for _ in 0..3 {
            let began = Instant::now();
            model.propagate(&light, batch, &mut readout)?;
            least = least.min(began.elapsed().as_secs_f64());
            if least > 0.3 {
                break;
            }
        }
        Ok(Some(samples(passes) * least / batch as f64))
    }

    /// The evaluation of one chip of `network` on so many samples.
    pub fn of_evaluation(network: &Network, samples: usize) -> Self {
        let forward = Flops::of(network.crossed_stages()).forward as f64 / RATE;
        Work { seconds: samples as f64 * forward + ACT, factors: Vec::new() }
    }

    /// A step of so many operations.
    pub fn of_step(operations: f64) -> Self {
        Work { seconds: operations / RATE + ACT, factors: Vec::new() }
    }

    /// The same `count` times, where a person has chosen that number under this `name`.
    pub fn times(mut self, name: &'static str, count: f64) -> Self {
        self.seconds *= count;
        self.factors.push(Factor { name, value: count });
        self
    }

    /// The work of this and of `other`, which depend on the same numbers.
    pub fn and(self, other: Work) -> Self {
        let of = |name: &str, value: f64| {
            let same = other.factors.iter().find(|factor| factor.name == name);
            same.map_or(value, |same| same.value.max(value))
        };
        let factors = self.factors.iter().map(|own| Factor { value: of(own.name, own.value), ..*own }).collect();
        Work { seconds: self.seconds + other.seconds, factors }
    }

    /// Errs where no computer ends it in a year.
    pub fn check(&self) -> Result<()> {
        let Work { seconds, factors } = self;
        // of several numbers the one that is farthest from what people ask for
        let largest = factors.iter().max_by(|a, b| a.value.total_cmp(&b.value));
        let advice = largest.map_or(String::new(), |largest| {
            let fits = (largest.value * YEAR / seconds).floor();
            let lower = if fits >= 1.0 { format!("at most {fits}") } else { "a smaller number".to_string() };
            format!("{} = {} is too much; choose {lower}, or less of everything", largest.name, largest.value)
        });
        ensure!(*seconds <= YEAR, "this cannot end before {}, on any computer: {advice}", duration(*seconds));
        Ok(())
    }

    /// Says on stderr that it takes more than a day, where that is known before it begins.
    pub fn say(&self, notes: &mut Notes) {
        if self.seconds > DAY {
            notes.say([format!("this takes more than {}, and no computer is that fast", duration(self.seconds))]);
        }
    }
}

/// Says on stderr that work takes more than a day, where its least time was told from a piece of it or from the computer's rate.
pub fn say_expected(seconds: f64, notes: &mut Notes) {
    if seconds > DAY {
        notes.say([format!("this takes about {} or more on this computer", duration(seconds))]);
    }
}

/// `42 s`, `3 min`, `2.5 h`, `12 days`, `3.1 years`, `1e9 years`.
pub fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s if s < 2.0 * DAY => format!("{:.1} h", s / 3600.0),
        s if s < 2.0 * YEAR => format!("{:.0} days", s / DAY),
        s if s < 1e6 * YEAR => format!("{:.0} years", s / YEAR),
        s => format!("{:.0e} years", s / YEAR),
    }
}

/// Errs where `value` is no time that a process spends.
pub fn seconds(name: &str, value: f64) -> Result<(), String> {
    /// Some three thousand years.
    const MOST: f64 = 1e11;
    let valid = (0.0..=MOST).contains(&value);
    valid.then_some(()).ok_or_else(|| format!("{name} = {value} is not valid: must be from 0 to {MOST:e}"))
}

/// The time of an epoch, told from its first batches.
pub struct Pace {
    began: Instant,
    batches: usize,
    told: bool,
}

impl Pace {
    /// The first batch begins.
    pub fn new() -> Self {
        Pace { began: Instant::now(), batches: 0, told: false }
    }

    /// A batch is over, of `total` in each epoch. Gives the seconds of an epoch, once.
    pub fn batch(&mut self, total: usize) -> Option<f64> {
        if self.told {
            return None;
        }
        self.batches += 1;
        let elapsed = self.began.elapsed();
        self.told = elapsed >= SETTLED;
        self.told.then(|| elapsed.as_secs_f64() / self.batches as f64 * total as f64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_the_unit_of_a_person() {
        let all = [42.0, 300.0, 9000.0, 12.0 * DAY, 5.0 * YEAR, 3e9 * YEAR].map(duration);
        assert_eq!(all, ["42 s", "5 min", "2.5 h", "12 days", "5 years", "3e9 years"]);
    }

    #[test]
    fn what_cannot_end_in_a_year_is_refused_with_the_largest_number_and_what_would_do() {
        let work = Work { seconds: 1e-3, factors: vec![Factor { name: "epochs", value: 50.0 }] };
        work.check().unwrap();
        let error = work.times("chips", 1e12).check().unwrap_err().to_string();
        assert!(error.contains("32 years") && error.contains("chips = 1000000000000 is too much"), "{error}");
        assert!(error.contains(&format!("at most {}", (YEAR / 1e-3).floor())), "{error}");
    }
}
