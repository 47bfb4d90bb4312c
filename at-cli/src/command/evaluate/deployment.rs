//! The evaluation of controls on chips.

use crate::plan::Plan;
use crate::trial::split;
use crate::{activity, work};
use anyhow::{Context, Result};
use at_core::data::Dataset;
use at_core::fabrication::Fabrication;
use at_core::network::Network;
use at_core::population::Examination;
use at_core::propagator::Simulator;
use at_core::training::{Evaluation, Split};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Instant;

/// Controls on a chip, or on many.
pub struct Deployment<'a> {
    pub plan: &'a Plan,
    pub data: &'a Dataset,
    pub network: &'a Network,
    pub controls: &'a [f64],
    /// The one chip, where there are not many.
    pub chip: &'a Fabrication,
}

impl Deployment<'_> {
    fn split<E: Simulator>(&self, engine: &E) -> Result<Split<E>> {
        split(engine, self.plan, self.network, self.data, &self.data.test).context("test samples")
    }

    /// The evaluations of `count` chips, and the engine that made them.
    pub fn run_many<E: Simulator>(&self, engine: &E, count: u32) -> Result<(Vec<Evaluation>, String)> {
        let split = self.split(engine)?;
        let first = self.plan.settings.chip_seed.unwrap_or_default();
        let (network, loss) = (self.network, &self.plan.training.loss);
        let examination = Examination { engine, network, controls: self.controls, split: &split, loss };
        let (began, begun) = (Instant::now(), AtomicU32::new(0));
        let fabricate = |k| {
            // the first is made once more, to look how the others can be evaluated
            let number = begun.fetch_add(1, Ordering::Relaxed).saturating_add(1).min(count);
            activity::now_and_then(|| progress(number, count, began));
            self.plan.fabricate(network, first.wrapping_add(k))
        };
        let evaluations = examination.all(0..u64::from(count), fabricate)?;
        let finite = |(k, own): (u64, Evaluation)| own.finite(&format!("chip {}", first.wrapping_add(k)));
        let evaluations = (0..).zip(evaluations).map(finite).collect::<at_core::Result<_>>()?;
        Ok((evaluations, engine.describe()))
    }

    /// The evaluation and the engine that made it.
    pub fn run<E: Simulator>(&self, engine: &E) -> Result<(Evaluation, String)> {
        let split = self.split(engine)?;
        let (network, loss) = (self.network, &self.plan.training.loss);
        let examination = Examination { engine, network, controls: self.controls, split: &split, loss };
        Ok((examination.one(self.chip)?.finite("these phases")?, engine.describe()))
    }
}

/// How far the chips are, with the time that the others take where that can be told.
fn progress(number: u32, count: u32, began: Instant) -> String {
    let elapsed = began.elapsed();
    let left = elapsed.as_secs_f64() / f64::from(number) * f64::from(count - number);
    match elapsed > work::SETTLED {
        true => format!("chip {number} of {count}, {} left", work::duration(left)),
        false => format!("chip {number} of {count}"),
    }
}
