//! Dual adaptive training: besides the chip's controls, networks behind the meshes of the digital model are trained, which
//! predict what the chip's meshes do that the nominal ones do not.
//!
//! With CN the error-prediction network ([`Sepn`]) of each mesh, x its field, Ω their parameters and κ their weight, per batch:
//!
//! ```text
//! I_p   the chip's output powers for the controls Θ
//! model x ← mesh(x; Θ);  x ← x + κ·CN(x; Ω);  then the nonlinearity, and powers I = |x|² at the end
//! (i)   Ω ← Ω − η·∂/∂Ω mean (Ĩ − Ĩ_p)²               with κ = 1; ~ scales as the loss does, first outputs only
//! (ii)  x ← |x_p|·e^{i arg x} at the detectors, |x_p|² = I_p      state fusion
//!       Θ ← Θ − η·[BP(∂L(I_p)/∂I_p) + j·∂/∂Θ mean (Ĩ − Ĩ_p)²]
//!                                                    BP through meshes and networks, with κ = 0 in the first epochs, then 1
//! ```
//!
//! With `j = 0` this follows the published text. In the published code automatic differentiation adds the gradient of (i) to that
//! of (ii), which is `j = 1` ([`DatOptions::joint`]): the controls are pulled to where the model describes the chip.
//!
//! As there, the loss is differentiated at the chip's scaled readout Ĩ_p, and the scaling at the model's readout, because it
//! belongs to the model. With a model that is wrong this matters: while κ = 0 the controls then learn nearly as in silico, and
//! wait for the networks, whereas the derivative of the scaling at the chip's readout drives them away.
//!
//! With internal readouts ([`internal`]) the powers behind the hidden meshes are read as well.
//!
//! Reads the output layer only. Source: Zheng et al., Nat. Mach. Intell. 5, 1119 (2023).

mod convolution;
pub mod internal;
mod model;
mod readout;
mod sepn;
mod size;

pub use internal::DatInternal;
pub use sepn::{Maps, Sepn};
pub use size::size;

use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach};
use crate::chip::Meter;
use crate::engine::{Engine, Loss, Normalization, Optimizer};
use crate::flops::Flops;
use crate::network::{Detection, Network, Stage, refuse_loops};
use crate::propagator::{Adjoint, Buffer, LayerAccess, Propagator, Simulator};
use crate::training::{Batch, Parameters, Settings};
use crate::{Error, Result};
use model::{Corrected, Correction, fusion, single};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use readout::{prediction_error, scaled, through_scaling};
use serde::{Deserialize, Serialize};

/// [`DatOptions::maps`].
pub const DAT_MAPS: MethodOption = MethodOption {
    name: "dat-maps",
    help: "maps of its error-prediction networks at their three scales",
    range: OptionRange::AtLeastOne,
    read: |_| None,
    multiplies_passes: false,
};

/// [`DatOptions::warm_up`].
pub const DAT_WARM_UP: MethodOption = MethodOption {
    name: "dat-warm-up",
    help: "share of the epochs after which these networks enter the controls' gradient",
    range: OptionRange::Share,
    read: |options| Some(options.dat.warm_up),
    multiplies_passes: false,
};

/// [`DatOptions::rate`].
pub const DAT_RATE: MethodOption = MethodOption {
    name: "dat-rate",
    help: "their learning rate, relative to that of the controls",
    range: OptionRange::Positive,
    read: |options| Some(options.dat.rate),
    multiplies_passes: false,
};

/// [`DatOptions::joint`].
pub const DAT_JOINT: MethodOption = MethodOption {
    name: "dat-joint",
    help: "weight of the prediction error's gradient in the controls' step; 0 as in the published text [default: 1, as in the published code]",
    range: OptionRange::NotNegative,
    read: |options| Some(options.dat.joint),
    multiplies_passes: false,
};

/// The options of both forms.
const OPTIONS: &[MethodOption] = &[DAT_MAPS, DAT_WARM_UP, DAT_RATE, DAT_JOINT];

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("dat"),
    title: "dual adaptive training",
    uses: "its output",
    reach: Reach::Output,
    summary: "dual adaptive training: networks behind the model's meshes learn what the chip's meshes do differently",
    manner: super::facts::OUTPUT_ONLY,
    colour: [240, 15, 120],
    dash: Dash::Dashed,
    marker: Marker::Diamond,
    model: Model::DataSheet,
    needs_classes: false,
    options: OPTIONS,
    passes: MethodFacts::one_pass,
    check,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    Ok(Box::new(Dat::<E::Network>::of(from)?))
}

/// What is particular to dual adaptive training.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct DatOptions {
    /// Maps of the error-prediction networks at their three scales.
    pub maps: [usize; 3],
    /// Share of the epochs, from the first on, in which they do not enter the controls' gradient (κ = 0).
    pub warm_up: f64,
    /// Their learning rate, relative to the controls'.
    pub rate: f64,
    /// Weight j of the prediction error's gradient in the controls' step: 1 in the published code, 0 in the published text.
    pub joint: f64,
}

impl Default for DatOptions {
    fn default() -> Self {
        DatOptions { maps: [4, 8, 16], warm_up: 0.4, rate: 1.0, joint: 1.0 }
    }
}

impl DatOptions {
    /// Errs where a value has no meaning.
    pub fn validate(&self) -> Result<()> {
        DAT_WARM_UP.check(self.warm_up)?;
        DAT_RATE.check(self.rate)?;
        DAT_JOINT.check(self.joint)
    }
}

/// Errs where a network has no mesh, a mesh's number of modes is no square, or it does not end in detectors of power.
pub(super) fn check(network: &Network) -> Result<()> {
    let reason = "its networks correct every mesh once, and a looped one is met at every step";
    refuse_loops(network, "dual adaptive training", reason)?;
    let unsupported = |what: &str, instead: &str| Error::Unsupported { what: what.into(), instead: instead.into() };
    if !matches!(
        network.stages().last(),
        Some(Stage::Detection(own)) if own.detection == Detection::Intensity
    ) {
        let instead = "state fusion needs the amplitude of every output field; end the `network` in detectors of power";
        return Err(unsupported("dual adaptive training without detectors of power at the end", instead));
    }
    if network.stages().any(Stage::hides_a_mesh) {
        let instead = "its networks stand behind meshes by themselves; choose another `network`";
        return Err(unsupported(
            "dual adaptive training with meshes inside a convolution or a residual connection",
            instead,
        ));
    }
    let mut modes = network.meshes().map(|mesh| mesh.modes()).peekable();
    if modes.peek().is_none() {
        let instead = "its networks stand behind meshes; choose a `network` of meshes";
        return Err(unsupported("dual adaptive training without a mesh", instead));
    }
    modes.try_for_each(sepn::check_square)
}

/// The method with its model.
pub struct Dat<M: Adjoint> {
    model: Corrected<M>,
    loss: Loss,
    options: DatOptions,
    controls: Parameters<M::Engine>,
    networks: Parameters<M::Engine>,
    /// The networks enter the controls' gradient: κ = 1.
    trusted: bool,
    measured: Buffer<M>,
    /// Powers behind the hidden meshes, where they are read.
    hidden: Vec<Buffer<M>>,
    error: Buffer<M>,
    gradient: Buffer<M>,
    /// That of the prediction error.
    joint_gradient: Buffer<M>,
    slopes: Vec<f32>,
}

impl<M: Adjoint + LayerAccess> Dat<M> {
    /// From its parts.
    fn of<E: Simulator<Network = M>>(from: &Ingredients<'_, E>) -> Result<Self>
    where
        M: Adjoint<Engine = E>,
    {
        let Settings { optimizer, loss, batch_size, seed, .. } = *from.settings;
        let (build, own) = (|network: &Network| from.stages(network), from.options.dat);
        Self::new(from.engine, from.network, build, from.initial, optimizer, loss, batch_size, own, seed, from.meter)
    }

    /// Starts from the `initial` controls; `seed` draws the networks' first parameters; `meter` counts digital work. `build` makes a nominal model of a
    /// network. Errs as the `check` of its facts does.
    pub fn new(
        engine: &M::Engine,
        network: &Network,
        build: impl Fn(&Network) -> Result<M>,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        capacity: usize,
        options: DatOptions,
        seed: u64,
        meter: &Meter,
    ) -> Result<Self> {
        options.validate()?;
        check(network)?;
        let network = network.single_stages()?;
        let stages: Vec<&Stage> = network.stages().collect();
        let mut corrections = Vec::new();
        let mut start = 0;
        for (index, mesh) in network.placed_meshes() {
            let sepn = Sepn::new(mesh.modes(), options.maps)?;
            let reals = sepn.reals();
            corrections.push(Correction { stage: index, sepn, start, maps: Maps::default() });
            start += reals;
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1 << 32); // far from those of the initial controls
        let first: Vec<f64> = corrections.iter().flat_map(|own| own.sepn.initial(&mut random)).collect();
        let widths: Vec<usize> = stages.iter().map(|stage| stage.output().width()).collect();
        let widest = widths.iter().copied().max().unwrap_or_default();
        let mut model = build(&network)?;
        let controls = Parameters::new(engine, optimizer, initial)?;
        model.program(&controls.values)?;
        let outputs = model.outputs();
        Ok(Dat {
            model: Corrected {
                engine: engine.clone(),
                trace: model.trace(capacity)?,
                stages: model,
                corrections,
                weights: Vec::new(),
                signals: widths.iter().map(|width| engine.zeros(width * capacity)).collect::<Result<_>>()?,
                adjoints: [engine.zeros(widest * capacity)?, engine.zeros(widest * capacity)?],
                flops: Flops::of(network.stages()),
                meter: meter.clone(),
                widths,
            },
            loss,
            options,
            controls,
            networks: Parameters::new(engine, Optimizer::ADAM, &first)?,
            trusted: options.warm_up == 0.0,
            measured: engine.zeros(outputs * capacity)?,
            hidden: Vec::new(),
            error: engine.zeros(outputs * capacity)?,
            gradient: engine.zeros(initial.len())?,
            joint_gradient: engine.zeros(initial.len())?,
            slopes: vec![0.0; first.len()],
        })
    }

    /// (i): the networks learn to predict the measured readout; `joint_gradient` takes what that says about the controls.
    fn fit(&mut self, batch: &Batch<M::Engine>, learning_rate: f64) -> Result<()> {
        let engine = self.model.engine.clone();
        let size = batch.size();
        self.model.weights = single(engine.download(&self.networks.values)?);
        self.model.forward(batch.signals(), size, true, &[])?;
        let readout = engine.download(self.model.signals.last().expect("a network has stages"))?;
        let outputs = self.model.stages.outputs();
        let error = prediction_error(&self.loss, &readout, &engine.download(&self.measured)?, outputs, size);
        let error = engine.upload(&error)?;
        let to_controls = self.options.joint > 0.0;
        let hidden = self.hidden_errors(size)?;
        let slopes = Some(&mut self.slopes[..]);
        self.model.backward(&error, &hidden, size, true, slopes, to_controls, &mut self.joint_gradient)?;
        self.networks.descend(&engine, learning_rate * self.options.rate, &engine.upload(&self.slopes)?)?;
        self.model.weights = single(engine.download(&self.networks.values)?);
        Ok(())
    }

    /// State fusion: the model's detectors see measured amplitudes with the model's phases.
    fn fuse(&mut self, size: usize) -> Result<()> {
        let Corrected { engine, stages, trace, signals, .. } = &mut self.model;
        let last = signals.len() - 1;
        if last == 0 {
            return Ok(());
        }
        stages.record_layer(last, &fusion(engine, &signals[last - 1], &self.measured)?, size, trace)
    }

    /// Both updates, once the chip's powers for this batch are in `measured` and, where they are read, `hidden`.
    fn learn(&mut self, batch: &Batch<M::Engine>, learning_rate: f64, tally: &mut Buffer<M>) -> Result<()> {
        let (size, targets) = (batch.size(), batch.targets());
        self.model.stages.program(&self.controls.values)?;
        self.fit(batch, learning_rate)?;

        self.model.forward(batch.signals(), size, self.trusted, &self.hidden)?;
        let engine = self.model.engine.clone();
        let outputs = self.model.stages.outputs();
        let modelled = engine.download(self.model.signals.last().expect("a network has stages"))?;
        self.fuse(size)?;
        let scaled = engine.upload(&scaled(&self.loss, &engine.download(&self.measured)?, outputs))?;
        let loss = Loss { normalization: Normalization::None, ..self.loss };
        engine.loss(&loss, &scaled, outputs, targets, size, Some(&mut self.error), tally)?;
        let mut error = engine.download(&self.error)?;
        through_scaling(&self.loss, &modelled, outputs, size, &mut error);
        self.error = engine.upload(&error)?;
        self.model.backward(&self.error, &[], size, self.trusted, None, true, &mut self.gradient)?;
        if self.options.joint > 0.0 {
            engine.combine(self.options.joint, &self.joint_gradient, 1.0, &mut self.gradient)?;
        }
        self.controls.descend(&engine, learning_rate, &self.gradient)
    }
}

impl<M: Adjoint + LayerAccess, C: Propagator<Engine = M::Engine>> Method<C> for Dat<M> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        self.trusted = epoch as f64 >= self.options.warm_up * epochs as f64;
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        chip.program(&self.controls.values)?;
        chip.propagate(batch.signals(), batch.size(), &mut self.measured)?;
        self.learn(batch, learning_rate, tally)
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls), ("networks", &self.networks)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls), ("networks", &mut self.networks)]
    }
}

#[cfg(test)]
mod tests;
