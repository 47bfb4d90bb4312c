//! Fixed matrices that carry the error of the output straight to every hidden layer: the feedback of `dfa` and `dfa-model`.

use crate::Result;
use crate::chip::{Fabrication, Meter};
use crate::error::same_size;
use crate::flops::Flops;
use crate::network::{Network, Stage};
use crate::propagator::{Adjoint, Engine, Propagator};
use crate::training::draws::{Purpose, normals, stream};

/// `δ_l = B_l e`, one matrix per hidden layer.
pub struct Feedback<E: Engine> {
    projections: Vec<Projection<E>>,
    meter: Meter,
}

struct Projection<E: Engine> {
    matrix: E::Network,
    flops: u64,
    /// `[batch, layer outputs]`.
    error: E::Buffer,
}

impl<E: Engine> Feedback<E> {
    /// Entries of N(0, 1/P), P the outputs of `network`, drawn once from `seed`.
    pub fn random(engine: &E, network: &Network, seed: u64, capacity: usize, meter: &Meter) -> Result<Self> {
        let outputs = network.outputs();
        let hidden = 0..network.layers().len() - 1;
        let draw = |layer: usize| {
            let count = network.layer_output(layer).width() * outputs;
            normals(&mut stream(seed, Purpose::Feedback, layer as u64), count, (outputs as f64).sqrt().recip())
        };
        Self::new(engine, network, hidden.map(draw).collect(), capacity, meter)
    }

    /// The given `matrices [layer outputs, outputs]`, row-major, for batches of up to `capacity` samples.
    pub fn new(engine: &E, network: &Network, matrices: Vec<Vec<f64>>, capacity: usize, meter: &Meter) -> Result<Self> {
        same_size("feedback matrices, one per hidden layer", network.layers().len() - 1, matrices.len())?;
        let inputs = network.outputs();
        let build = |(layer, mut entries): (usize, Vec<f64>)| {
            let outputs = network.layer_output(layer).width();
            same_size("entries of a feedback matrix", outputs * inputs, entries.len())?;
            let network = Network::new(vec![vec![Stage::Matrix { inputs, outputs }]])?;
            let mut matrix = engine.build(&network, &Fabrication::ideal())?;
            entries.resize(network.controls(), 0.0); // no bias
            matrix.program(&engine.upload(&entries)?)?;
            let flops = Flops::of(network.stages()).forward;
            Ok(Projection { matrix, flops, error: engine.zeros(outputs * capacity)? })
        };
        let projections = matrices.into_iter().enumerate().map(build).collect::<Result<_>>()?;
        Ok(Feedback { projections, meter: meter.clone() })
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
        for (layer, Projection { matrix, flops, error: hidden }) in self.projections.iter_mut().enumerate() {
            matrix.propagate(error, batch, hidden)?;
            self.meter.count(|accesses| accesses.digital_flops += batch as u64 * *flops);
            model.backpropagate_layer(layer, trace, hidden, None, gradient)?;
        }
        model.backpropagate_layer(last, trace, error, None, gradient)
    }
}
