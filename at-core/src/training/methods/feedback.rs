//! Fixed matrices that carry the error of the output straight to every hidden layer: the feedback of `dfa` and `dfa-model`.

use super::Ingredients;
use crate::Result;
use crate::chip::Meter;
use crate::engine::{Engine, Factor};
use crate::error::same_size;
use crate::network::{Network, Signal};
use crate::propagator::{Adjoint, Simulator};
use crate::training::draws::{Purpose, normals, stream};

/// `δ_l = B_l e`, one matrix per hidden layer.
pub struct Feedback<E: Engine> {
    engine: E,
    outputs: usize,
    projections: Vec<Projection<E>>,
    meter: Meter,
}

struct Projection<E: Engine> {
    /// `[layer outputs, outputs]`.
    matrix: E::Buffer,
    layer_outputs: usize,
    /// `[batch, layer outputs]`.
    error: E::Buffer,
}

impl<E: Engine> Feedback<E> {
    /// [`Feedback::random`] for a method of these parts.
    pub(super) fn of(from: &Ingredients<'_, E>) -> Result<Self>
    where
        E: Simulator,
    {
        Self::random(from.engine, from.network, from.settings.seed, from.settings.batch_size, from.meter)
    }

    /// Entries of N(0, 1/P), P the outputs of `network`, drawn once from `seed`.
    pub fn random(engine: &E, network: &Network, seed: u64, capacity: usize, meter: &Meter) -> Result<Self> {
        let outputs = network.outputs();
        let hidden = network.visited_outputs().take(network.visits().len() - 1);
        let draw = |(layer, leaves): (usize, Signal)| {
            let count = leaves.width() * outputs;
            normals(&mut stream(seed, Purpose::Feedback, layer as u64), count, (outputs as f64).sqrt().recip())
        };
        Self::new(engine, network, hidden.enumerate().map(draw).collect(), capacity, meter)
    }

    /// The given `matrices [layer outputs, outputs]`, row-major, for batches of up to `capacity` samples.
    pub fn new(engine: &E, network: &Network, matrices: Vec<Vec<f64>>, capacity: usize, meter: &Meter) -> Result<Self> {
        same_size("feedback matrices, one per hidden layer", network.visits().len() - 1, matrices.len())?;
        let inputs = network.outputs();
        let build = |(leaves, entries): (Signal, Vec<f64>)| {
            let outputs = leaves.width();
            same_size("entries of a feedback matrix", outputs * inputs, entries.len())?;
            let (matrix, error) = (engine.upload(&entries)?, engine.zeros(outputs * capacity)?);
            Ok(Projection { matrix, layer_outputs: outputs, error })
        };
        let projections = network.visited_outputs().zip(matrices).map(build).collect::<Result<_>>()?;
        Ok(Feedback { engine: engine.clone(), outputs: inputs, projections, meter: meter.clone() })
    }

    /// From `error [batch, outputs]` at the output to the gradient of every layer of `model`, around the signals of `trace`.
    pub fn backpropagate<M: Adjoint<Engine = E>>(
        &mut self,
        model: &mut M,
        trace: &M::Trace,
        error: &E::Buffer,
        batch: usize,
        gradient: &mut E::Buffer,
    ) -> Result<()> {
        let last = self.projections.len();
        let Feedback { engine, outputs, meter, .. } = self;
        for (layer, Projection { matrix, layer_outputs, error: hidden }) in self.projections.iter_mut().enumerate() {
            let sizes = [batch, *outputs, *layer_outputs];
            engine.product(sizes, Factor::plain(error), Factor::transposed(matrix), hidden)?;
            let operations = 2 * batch * *outputs * *layer_outputs;
            meter.count(|accesses| accesses.digital_flops += operations as u64);
            model.backpropagate_layer(layer, trace, hidden, None, gradient)?;
        }
        model.backpropagate_layer(last, trace, error, None, gradient)
    }
}
