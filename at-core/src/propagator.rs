//! The cut: what light goes through, what is known of its inside, and where the numbers live.
//!
//! A method asks in its signature for exactly what it may use. [`Propagator`] is all that an encapsulated chip offers;
//! [`TapAccess`] adds the readout of hidden signals on the way, [`PowerTapAccess`] that of powers behind its meshes,
//! [`LayerAccess`] hidden readout and injection, [`Bidirectional`] light in both directions through single meshes with detectors at their shifters; [`Adjoint`] is for what a computer knows
//! from the inside, and [`Tunable`] for a model whose imperfections are learned. All are generic over the [`Engine`], so one
//! text of a method runs on a CPU and on a GPU, and controls, gradients and optimizer state stay where the engine keeps them.

use crate::Result;
use crate::engine::Engine;
use crate::fabrication::Fabrication;
use crate::fabrication::drift::DriftStep;
use crate::fabrication::noise::{Draw, SignalNoise};
use crate::network::Network;
use crate::optics::Mesh;

/// An engine that also simulates networks and chips. Training asks for no more than an [`Engine`], except for digital models.
pub trait Simulator: Engine {
    /// A network as this engine runs it.
    type Network: Tunable<Engine = Self> + LayerAccess + TapAccess + Drifting + Bidirectional + Watched;

    /// A network with the given imperfections; [`Fabrication::ideal`] for a nominal model.
    fn build(&self, network: &Network, fabrication: &Fabrication) -> Result<Self::Network>;

    /// How many chips with meshes like this one are best laid side by side as one network ([`crate::fabrication::side_by_side`]) for
    /// `samples` samples; 1 where chips are best run by themselves.
    fn side_by_side(&self, mesh: &Mesh, samples: usize) -> usize {
        let _ = (mesh, samples);
        1
    }

    /// One step of a chip's drift, in place: the formula of [`crate::fabrication::drift`].
    fn advance(&self, step: &DriftStep, drift: &mut Self::Buffer) -> Result<()>;

    /// What a chip's noise makes of `signal [batch, mode]`, in place: the formula of [`crate::fabrication::noise`].
    fn disturb(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut Self::Buffer) -> Result<()>;
}

/// The vector type of a propagator's engine.
pub type Buffer<P> = <<P as Propagator>::Engine as Engine>::Buffer;

/// Something light goes through: controls and fields in, a readout of the output layer out. An encapsulated chip is this.
pub trait Propagator {
    /// Where its vectors live.
    type Engine: Engine;

    /// Number of controls.
    fn controls(&self) -> usize;
    /// Reals per input sample (complex modes count twice).
    fn inputs(&self) -> usize;
    /// Reals per readout.
    fn outputs(&self) -> usize;

    /// Sets every control. The first call defines the point from which update errors count.
    fn program(&mut self, controls: &Buffer<Self>) -> Result<()>;

    /// [`Propagator::program`] where only the controls with these indices differ from those that are set: a meter counts as
    /// many writes.
    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        let _ = changed;
        self.program(controls)
    }

    /// Sends `fields [batch, inputs]` through and writes `readout [batch, outputs]`. Buffers may be longer than that.
    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()>;
}

/// A propagator that is known to consist of layers. This is its design, not its inside: no signal between layers is given away.
///
/// Layers are counted as light crosses them ([`Network::visits`]): one that is looped stands here once per step. Where parts of a sample enter
/// on the way, a layer that is lit or recorded by itself gets those of the sample of which layer 0 was lit or recorded last.
pub trait Layered: Propagator {
    /// Number of layers.
    fn layers(&self) -> usize;
    /// Reals per sample that leave layer `layer`.
    fn layer_outputs(&self, layer: usize) -> usize;
}

/// A propagator with taps behind its hidden layers: their signals are read, and the light goes on.
pub trait TapAccess: Layered {
    /// [`Propagator::propagate`] that also reads every hidden layer's output into `taps[layer] [batch, layer_outputs]`: one
    /// buffer per layer but the last, each at least as long as that.
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()>;
}

/// A propagator whose layers can be lit and read one by one: what physics-aware training needs of a chip.
pub trait LayerAccess: Layered {
    /// Injects `input` into one layer and reads its output `[batch, layer_outputs]`.
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()>;
}

/// A propagator with detectors behind its meshes: a little light is tapped, of which the power is read, and the rest goes on.
pub trait PowerTapAccess: Propagator {
    /// [`Propagator::propagate`] that also reads the power of every mode behind every mesh but the last into
    /// `powers[mesh] [batch, modes]`, meshes counted as light meets them.
    fn propagate_watched(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()>;
}

/// A network whose light can be looked at behind its meshes: what the simulation of a chip with such detectors needs inside.
pub trait Watched: Layered {
    /// Sends `input` through one layer and writes the power behind its first meshes into `powers [mesh][batch, modes]`.
    fn propagate_layer_watched(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        output: &mut Buffer<Self>,
    ) -> Result<()>;
}

/// A network whose effective controls can stand elsewhere than told: what the simulation of a drifting chip needs inside.
pub trait Drifting: Propagator {
    /// [`Propagator::program`], with `drift` added to every effective control.
    fn program_drifted(&mut self, controls: &Buffer<Self>, drift: Option<&Buffer<Self>>) -> Result<()>;
}

/// Which way light crosses a mesh.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the inputs to the outputs: `y = U x`.
    Forward,
    /// From the outputs to the inputs: `x = Uᵀ y`, by reciprocity.
    Backward,
}

/// What is looked at while light crosses a mesh. One place per control, ordered as the mesh's controls: behind the shifters
/// of θ and γ, in front of those of φ, whichever way the light goes.
pub enum Monitor<'a, B> {
    /// Nothing.
    Nothing,
    /// The power at every shifter, summed over the batch by the detectors themselves: `[controls of the mesh]`.
    Powers(&'a mut B),
    /// The complex field at every shifter, sample by sample: `[batch, controls of the mesh]`, (re, im).
    Fields(&'a mut B),
}

/// A chip each of whose meshes has ports at both ends and detectors at its phase shifters: what in-situ methods need.
///
/// Only the meshes are lit: what stands between them is the computer's, as in the published experiments.
pub trait Bidirectional: Propagator {
    /// Sends `fields [batch, modes]` through mesh number `mesh` of [`Network::all_meshes`]. Of a mesh inside a convolution a sample is a
    /// patch. Where `output` is given, the fields at the other end are read into it.
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Buffer<Self>,
        batch: usize,
        output: Option<&mut Buffer<Self>>,
        monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()>;
}

/// A propagator whose inside is known: an error at the readout can be carried back to the controls.
pub trait Adjoint: Layered {
    /// What the backward pass needs of a forward pass; of a mesh only its output field, from which the others are rebuilt.
    type Trace;

    /// Room for the trace of up to `batch` samples.
    fn trace(&self, batch: usize) -> Result<Self::Trace>;

    /// [`Propagator::propagate`] that also fills `trace`.
    fn record(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
        readout: &mut Buffer<Self>,
    ) -> Result<()>;

    /// Fills the part of `trace` that belongs to one layer, around the given `input` of that layer.
    fn record_layer(&mut self, layer: usize, input: &Buffer<Self>, batch: usize, trace: &mut Self::Trace)
    -> Result<()>;

    /// Writes what left layer `layer` when its part of `trace` was filled, `[batch, layer_outputs]`, to `output`.
    fn recorded_output(&self, layer: usize, trace: &Self::Trace, output: &mut Buffer<Self>) -> Result<()>;

    /// From `output_error [batch, layer_outputs]`, an error at the output of one layer, to that layer's part of the `gradient`
    /// of all controls, whose other entries stay as they are, and to the error at the layer's input where it is asked for.
    ///
    /// A looped layer ([`crate::network::Recurrence`]) is a layer per step here, and all steps have the same part: it is overwritten by the first
    /// of them that is asked for, and again when one is asked for anew; the others add to it.
    ///
    /// The error of a complex field is `∂L/∂z*`, that of a real `∂L/∂x`. The trace needs to hold this layer only.
    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()>;

    /// `gradient ← Σ_batch (∂readout/∂controls)ᵀ readout_error` at the traced signals. The trace stays valid.
    fn backpropagate(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()>;
}

/// A model that can take on an estimate of a chip's imperfections, and say how to improve it.
///
/// The imperfections of a mesh are `[δ1 of every MZI, δ2 of every MZI, δθ of every MZI, phase error of every waveguide]`: angle
/// errors of the couplers, what is added to θ, and the phase errors `[column, mode]` of the waveguides in front of every column
/// and behind the last ([`crate::optics::waveguide_phases`]), all in radians. An estimate takes the place of these errors that the network was
/// built with. Its loss stays, unless the mesh is one of unknown losses ([`Mesh::with_unknown_losses`]): the imperfections of that one
/// have, behind the others, the loss (dB) of every waveguide in every column, `[column, mode]`, that comes beside what it was built with.
/// What other stages have is said by their pages.
pub trait Tunable: Adjoint {
    /// Number of imperfections.
    fn imperfections(&self) -> usize;

    /// Takes on an estimate, which counts from the next [`Propagator::program`] on.
    fn set_imperfections(&mut self, estimate: &Buffer<Self>) -> Result<()>;

    /// [`Adjoint::backpropagate`] that also fills
    /// `imperfection_gradient ← Σ_batch (∂readout/∂imperfections)ᵀ readout_error`. Errs before an estimate is programmed.
    fn backpropagate_imperfections(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()>;

    /// [`Adjoint::backpropagate_layer`] that also fills the layer's part of the `imperfection_gradient`, whose other entries stay as they
    /// are. Errs before an estimate is programmed.
    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()>;
}
