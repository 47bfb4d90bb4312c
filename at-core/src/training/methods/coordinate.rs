//! Zeroth-order coordinate descent: controls of a random subset are tried one by one, and keep or reverse their step.
//!
//! ```text
//! S a random subset of the controls, drawn anew each step
//! for i in S:  Θ_i ← Θ_i + η  if L(Θ + η e_i) < L(Θ),  Θ_i − η  if it is greater,  Θ_i  if it is the same
//! ```
//!
//! All losses are those of one batch around the same Θ; then all of S moves together. The learning rate is the step itself, so
//! the optimizer has no part in it. Per step |S| + 1 passes, readouts of P values each, and, after the first D, one control write
//! per trial and one to take it back.
//!
//! Source: Gu et al., "Efficient on-chip learning for optical neural networks through power-aware sparse zeroth-order
//! optimization", AAAI 35(9), 7583 (2021).

use super::probe::Probe;
use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach};
use crate::Result;
use crate::engine::{Engine, Loss, Optimizer};
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::draws::{Purpose, stream};
use crate::training::{Batch, Parameters};
use std::cmp::Ordering;

/// |S|.
pub const COORDINATE_SUBSET: MethodOption = MethodOption {
    name: "coordinate-subset",
    help: "controls that are tried per step [default: 32]",
    range: OptionRange::AtLeastOne,
    read: |options| Some(options.coordinate_subset as f64),
    multiplies_passes: true,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("coordinate"),
    title: "zeroth-order coordinate descent",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: some controls are tried, and keep or reverse their step",
    manner: super::facts::WITHOUT_MODEL,
    colour: [15, 150, 150],
    dash: Dash::Dotted,
    marker: Marker::Triangle,
    model: Model::None,
    needs_classes: false,
    options: &[COORDINATE_SUBSET],
    passes: |options, network| options.coordinate_subset.min(network.controls()) as f64,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (settings, subset) = (from.settings, from.options.coordinate_subset);
    let (outputs, seed) = (from.network.outputs(), settings.seed);
    let (loss, capacity) = (settings.loss, settings.batch_size);
    Ok(Box::new(Coordinate::new(from.engine, outputs, subset, seed, from.initial, loss, capacity)?))
}

/// The method.
pub struct Coordinate<E: Engine> {
    subset: usize,
    seed: u64,
    controls: Parameters<E>,
    probe: Probe<E>,
}

impl<E: Engine> Coordinate<E> {
    /// Starts from the `initial` values, on a chip with `outputs` readouts. Of a `subset` larger than that, all are tried.
    pub fn new(
        engine: &E,
        outputs: usize,
        subset: usize,
        seed: u64,
        initial: &[f64],
        loss: Loss,
        capacity: usize,
    ) -> Result<Self> {
        COORDINATE_SUBSET.check(subset as f64)?;
        Ok(Coordinate {
            subset: subset.min(initial.len()),
            seed,
            controls: Parameters::new(engine, Optimizer::Sgd, initial)?,
            probe: Probe::new(engine, outputs, loss, capacity)?,
        })
    }
}

impl<E: Engine, C: Propagator<Engine = E>> Method<C> for Coordinate<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Coordinate { subset, seed, controls, probe } = self;
        let engine = probe.engine.clone();
        let mut random = stream(*seed, Purpose::Subset, controls.memory.step);
        chip.program(&controls.values)?;
        let here = probe.measure(chip, batch, tally)?;
        let start = engine.download(&controls.values)?;
        let mut values = start.clone();
        let mut end = start.clone();
        let mut changed = Vec::new();
        for index in rand::seq::index::sample(&mut random, start.len(), *subset) {
            changed.push(index);
            values[index] += learning_rate;
            chip.reprogram(&engine.upload(&values)?, &changed)?;
            let there = probe.measure(chip, batch, tally)?;
            end[index] += match there.partial_cmp(&here) {
                Some(Ordering::Less) => learning_rate,
                Some(Ordering::Greater) => -learning_rate,
                _ => 0.0,
            };
            values[index] = start[index];
            changed = vec![index];
        }
        controls.values = engine.upload(&end)?;
        controls.memory.step += 1;
        Ok(())
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls)]
    }
}
