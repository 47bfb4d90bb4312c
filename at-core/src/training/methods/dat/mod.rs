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
mod sepn;

pub use internal::DatInternal;
pub use sepn::{Maps, Sepn};

use super::{Method, MethodName};
use crate::chip::Meter;
use crate::flops::Flops;
use crate::network::{Detection, Network, Stage};
use crate::propagator::{Adjoint, Buffer, Engine, LayerAccess, Propagator};
use crate::training::{Batch, Loss, Normalization, Optimizer, Parameters};
use crate::{Error, Result};
use num_complex::Complex64;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

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
        if !(0.0..=1.0).contains(&self.warm_up) {
            return Err(Error::invalid("dat-warm-up", self.warm_up, "a share lies in [0, 1]"));
        }
        if !(self.rate.is_finite() && self.rate > 0.0) {
            return Err(Error::invalid("dat-rate", self.rate, "must be positive"));
        }
        if !(self.joint.is_finite() && self.joint >= 0.0) {
            return Err(Error::invalid("dat-joint", self.joint, "must be finite and not negative"));
        }
        Ok(())
    }
}

/// The network behind one mesh.
struct Correction {
    /// The stage that is the mesh.
    stage: usize,
    sepn: Sepn,
    /// Where its parameters begin.
    start: usize,
    /// The maps of the last forward pass.
    maps: Maps,
}

/// The digital model: nominal stages one by one, a network behind each mesh. Networks are the host's work, in f32.
struct Model<M: Adjoint> {
    engine: M::Engine,
    stages: M,
    corrections: Vec<Correction>,
    /// Ω, as the networks read them.
    weights: Vec<f32>,
    trace: M::Trace,
    /// Output of every stage.
    signals: Vec<Buffer<M>>,
    /// Reals per sample that leave each stage.
    widths: Vec<usize>,
    /// Adjoints, wide enough for every stage.
    adjoints: [Buffer<M>; 2],
    /// Operations of the stages, per sample.
    flops: Flops,
    meter: Meter,
}

impl<M: Adjoint + LayerAccess> Model<M> {
    /// Fills signals and trace; `corrected` is κ. Behind every mesh of which `fused` has measured powers, light goes on with their
    /// amplitudes and its own phases.
    fn forward(&mut self, fields: &Buffer<M>, size: usize, corrected: bool, fused: &[Buffer<M>]) -> Result<()> {
        let networks: u64 = if corrected { self.corrections.iter().map(|own| own.sepn.flops()).sum() } else { 0 };
        self.meter.count(|accesses| {
            accesses.digital_passes += size as u64;
            accesses.digital_flops += size as u64 * (self.flops.forward + networks);
        });
        let mut corrections = self.corrections.iter_mut().peekable();
        let mut fused = fused.iter();
        for stage in 0..self.widths.len() {
            let (before, after) = self.signals.split_at_mut(stage);
            let input = before.last().unwrap_or(fields);
            self.stages.record_layer(stage, input, size, &mut self.trace)?;
            self.stages.propagate_layer(stage, input, size, &mut after[0])?;
            let Some(own) = corrections.next_if(|own| own.stage == stage) else { continue };
            if corrected {
                let field = single(self.engine.download(&after[0])?);
                let mut sum = field.clone();
                let reals = size * self.widths[stage];
                let weights = &self.weights[own.start..own.start + own.sepn.reals()];
                own.sepn.forward(weights, &field[..reals], &mut sum[..reals], &mut own.maps);
                after[0] = self.engine.upload(&sum)?;
            }
            if let Some(powers) = fused.next() {
                after[0] = fusion(&self.engine, &after[0], powers)?;
            }
        }
        Ok(())
    }

    /// Carries an error of the readout, and those of the `hidden` powers behind the first meshes, back through everything.
    /// `gradient` takes that of the controls, the networks' goes to `weights` where that is asked for; nothing is carried further
    /// than to the first of them unless `to_controls`.
    fn backward(
        &mut self,
        readout_error: &Buffer<M>,
        hidden: &[Vec<f64>],
        size: usize,
        corrected: bool,
        mut weights: Option<&mut [f32]>,
        to_controls: bool,
        gradient: &mut Buffer<M>,
    ) -> Result<()> {
        let Model { engine, stages, corrections, trace, signals, widths, adjoints, flops, meter, .. } = self;
        let [adjoint, next] = adjoints;
        meter.count(|accesses| {
            accesses.digital_backward_passes += size as u64;
            accesses.digital_flops += size as u64 * flops.backward;
        });
        let mut corrections = corrections.iter().enumerate().rev().peekable();
        for stage in (0..widths.len()).rev() {
            if let Some((mesh, own)) = corrections.next_if(|(_, own)| own.stage == stage)
                && corrected
            {
                let range = own.start..own.start + own.sepn.reals();
                let mut error = single(engine.download(adjoint)?);
                if let Some(slopes) = hidden.get(mesh) {
                    // of a power |z|²: ∂L/∂z* = (∂L/∂|z|²) z
                    let fields = engine.download(&signals[stage])?;
                    let pairs = error.chunks_exact_mut(2).zip(fields.chunks_exact(2)).zip(slopes);
                    for ((error, z), slope) in pairs.take(size * widths[stage] / 2) {
                        error[0] += (slope * z[0]) as f32;
                        error[1] += (slope * z[1]) as f32;
                    }
                }
                let slopes = weights.as_deref_mut().map(|all| &mut all[range.clone()]);
                let done = !to_controls && corrections.peek().is_none();
                own.sepn.backward(&self.weights[range], &own.maps, &mut error[..size * widths[stage]], slopes);
                let products = if weights.is_some() { 2 } else { 1 }; // for the fields, and for the parameters
                meter.count(|accesses| accesses.digital_flops += size as u64 * products * own.sepn.flops());
                if done {
                    return Ok(());
                }
                *adjoint = engine.upload(&error)?;
            }
            let from = if stage + 1 == widths.len() { readout_error } else { &*adjoint };
            let to = if stage == 0 { None } else { Some(&mut *next) };
            stages.backpropagate_layer(stage, trace, from, to, gradient)?;
            std::mem::swap(adjoint, next);
        }
        Ok(())
    }
}

/// `fields` with the amplitudes of `powers` and phases of their own.
fn fusion<E: Engine>(engine: &E, fields: &E::Buffer, powers: &E::Buffer) -> Result<E::Buffer> {
    let mut fields = engine.download(fields)?;
    let powers = engine.download(powers)?;
    for (z, power) in fields.chunks_exact_mut(2).zip(powers) {
        let fused = Complex64::from_polar(power.max(0.0).sqrt(), z[1].atan2(z[0]));
        (z[0], z[1]) = (fused.re, fused.im);
    }
    engine.upload(&fields)
}

fn single(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}

/// The method with its model.
pub struct Dat<M: Adjoint> {
    model: Model<M>,
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
    /// Starts from the `initial` controls; `seed` draws the networks' first parameters; `meter` counts digital work. `build` makes a nominal model of a
    /// network. Errs where the network has no mesh, a mesh's number of modes is no square, or it does not end in detectors of
    /// power.
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
        let unsupported = |what: String, instead: &str| Error::Unsupported { what, instead: instead.into() };
        let network = network.single_stages()?;
        let stages: Vec<&Stage> = network.stages().collect();
        if !matches!(stages.last(), Some(Stage::Detection { detection: Detection::Intensity, .. })) {
            let instead =
                "state fusion needs the amplitude of every output field; end the --network in detectors of power";
            return Err(unsupported("dual adaptive training without detectors of power at the end".into(), instead));
        }
        let mut corrections = Vec::new();
        let mut start = 0;
        for (index, stage) in stages.iter().enumerate() {
            if let Stage::Mesh(mesh) = stage {
                let sepn = Sepn::new(mesh.modes(), options.maps)?;
                let reals = sepn.reals();
                corrections.push(Correction { stage: index, sepn, start, maps: Maps::default() });
                start += reals;
            }
        }
        if corrections.is_empty() {
            let instead = "its networks stand behind meshes; choose a --network of meshes";
            return Err(unsupported("dual adaptive training without a mesh".into(), instead));
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
            model: Model {
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
        let Model { engine, stages, trace, signals, .. } = &mut self.model;
        let last = signals.len() - 1;
        if last == 0 {
            return Ok(());
        }
        stages.record_layer(last, &fusion(engine, &signals[last - 1], &self.measured)?, size, trace)
    }

    /// Both updates, once the chip's powers for this batch are in `measured` and, where they are read, `hidden`.
    fn learn(&mut self, batch: &Batch<M::Engine>, learning_rate: f64, tally: &mut Buffer<M>) -> Result<()> {
        let (size, labels) = (batch.size(), batch.labels());
        self.model.stages.program(&self.controls.values)?;
        self.fit(batch, learning_rate)?;

        self.model.forward(batch.signals(), size, self.trusted, &self.hidden)?;
        let engine = self.model.engine.clone();
        let outputs = self.model.stages.outputs();
        let modelled = engine.download(self.model.signals.last().expect("a network has stages"))?;
        self.fuse(size)?;
        let scaled = engine.upload(&scaled(&self.loss, &engine.download(&self.measured)?, outputs))?;
        let loss = Loss { normalization: Normalization::None, ..self.loss };
        engine.loss(&loss, &scaled, outputs, labels, size, Some(&mut self.error), tally)?;
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
    fn name(&self) -> MethodName {
        MethodName::Dat
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

/// `dE/dI` of `E = mean over samples and classes of (Ĩ - Ĩ_p)²`, where ~ scales a readout of `outputs` values as `loss` does,
/// for the first `size` samples of `readout` and `measured`; 0 for the rest.
fn prediction_error(loss: &Loss, readout: &[f64], measured: &[f64], outputs: usize, size: usize) -> Vec<f64> {
    let mut errors = vec![0.0; readout.len()];
    let weight = 2.0 / (size * loss.classes) as f64;
    let rows = readout.chunks_exact(outputs).zip(measured.chunks_exact(outputs)).zip(errors.chunks_exact_mut(outputs));
    for ((readout, measured), error) in rows.take(size) {
        let (scale, truth) = (scale(loss.normalization, readout), scale(loss.normalization, measured));
        for class in 0..loss.classes {
            error[class] = weight * (scale * readout[class] - truth * measured[class]);
        }
    }
    through_scaling(loss, readout, outputs, size, &mut errors);
    errors
}

/// From the derivatives with respect to the scaled readouts of `size` samples to those with respect to the readouts.
fn through_scaling(loss: &Loss, readouts: &[f64], outputs: usize, size: usize, errors: &mut [f64]) {
    for (error, readout) in errors.chunks_exact_mut(outputs).zip(readouts.chunks_exact(outputs)).take(size) {
        let scale = scale(loss.normalization, readout);
        let projection: f64 = error.iter().zip(readout).map(|(s, x)| s * scale * x).sum();
        for (slot, x) in error.iter_mut().zip(readout) {
            *slot = scale
                * match loss.normalization {
                    Normalization::None => *slot,
                    Normalization::Total => *slot - projection / outputs as f64,
                    Normalization::L2 => *slot - projection * scale * x,
                };
        }
    }
}

/// Readouts as the loss sees them.
fn scaled(loss: &Loss, readouts: &[f64], outputs: usize) -> Vec<f64> {
    let scaled = |row: &[f64]| {
        let scale = scale(loss.normalization, row);
        row.iter().map(|x| scale * x).collect::<Vec<_>>()
    };
    readouts.chunks_exact(outputs).flat_map(scaled).collect()
}

/// The factor with which `normalization` scales a readout; 1 in the dark.
fn scale(normalization: Normalization, readout: &[f64]) -> f64 {
    let norm = match normalization {
        Normalization::None => 1.0,
        Normalization::Total => readout.iter().sum::<f64>() / readout.len() as f64,
        Normalization::L2 => readout.iter().map(|x| x * x).sum::<f64>().sqrt(),
    };
    if norm == 0.0 { 1.0 } else { norm.recip() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::Fabrication;
    use crate::cpu::Cpu;
    use crate::optics::{Activation, Mesh};

    /// The way back through meshes and networks together, along a random direction of the controls.
    #[test]
    fn gradients_through_the_networks_match_central_differences() {
        let mesh = || Stage::Mesh(Mesh::rectangular(4).unwrap());
        let activation = Stage::Activation { modes: 4, activation: Activation::ELECTRO_OPTIC };
        let detection = Stage::Detection { modes: 4, detection: Detection::Intensity };
        let network = Network::new(vec![vec![mesh(), activation], vec![mesh(), detection]]).unwrap();
        let engine = Cpu::<f64>::new();
        let build = |network: &Network| engine.build(network, &Fabrication::ideal());
        let wave =
            |count: usize, step: f64| -> Vec<f64> { (0..count).map(|k| (step * (k + 1) as f64).sin()).collect() };
        let (controls, fields, error, along) = (wave(32, 0.7), wave(24, 1.3), wave(12, 2.1), wave(32, 3.3));
        let options = DatOptions { maps: [2, 2, 2], ..DatOptions::default() };
        let loss = Loss::cross_entropy(3);
        let meter = Meter::default();
        let mut dat =
            Dat::new(&engine, &network, build, &controls, Optimizer::Sgd, loss, 3, options, 1, &meter).unwrap();
        dat.model.weights = single(dat.networks.values.clone());
        let mut value = |controls: &Vec<f64>| -> f64 {
            dat.model.stages.program(controls).unwrap();
            dat.model.forward(&fields, 3, true, &[]).unwrap();
            dat.model.signals.last().unwrap().iter().zip(&error).map(|(x, e)| x * e).sum()
        };
        let moved = |step: f64| controls.iter().zip(&along).map(|(c, d)| c + step * d).collect();
        let difference = (value(&moved(1e-3)) - value(&moved(-1e-3))) / 2e-3;
        value(&controls);
        dat.model.backward(&error, &[], 3, true, None, true, &mut dat.gradient).unwrap();
        let mut slopes = vec![0.0; dat.slopes.len()];
        dat.model.backward(&error, &[], 3, true, Some(&mut slopes), true, &mut dat.joint_gradient).unwrap();
        assert!(slopes.iter().any(|&slope| slope != 0.0));
        let apart = dat.gradient.iter().zip(&dat.joint_gradient).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        assert!(apart == 0.0, "the controls' gradient is the same with the networks' and without: {apart}");
        let slope: f64 = dat.gradient.iter().zip(&along).map(|(g, d)| g * d).sum();
        let size = dat.gradient.iter().map(|g| g * g).sum::<f64>().sqrt();
        assert!(size > 0.1 && (difference - slope).abs() < 2e-3 * size, "{difference} for {slope} of {size}");
    }

    #[test]
    fn the_prediction_error_matches_central_differences() {
        let (readout, measured) = ([0.3, 1.2, 0.1, 0.8, 0.5, 0.6], [0.2, 1.0, 0.4, 0.9, 0.1, 0.7]);
        for normalization in [Normalization::None, Normalization::Total, Normalization::L2] {
            let loss = Loss { normalization, ..Loss::cross_entropy(2) };
            let value = |readout: &[f64]| -> f64 {
                let rows = readout.chunks_exact(3).zip(measured.chunks_exact(3));
                let square = |(x, p): (&[f64], &[f64])| -> f64 {
                    let (a, b) = (scale(normalization, x), scale(normalization, p));
                    (0..2).map(|class| (a * x[class] - b * p[class]).powi(2)).sum()
                };
                rows.map(square).sum::<f64>() / 4.0
            };
            let errors = prediction_error(&loss, &readout, &measured, 3, 2);
            for index in 0..6 {
                let at = |step: f64| {
                    let mut moved = readout;
                    moved[index] += step;
                    value(&moved)
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((difference - errors[index]).abs() < 1e-9, "{normalization:?} {index}");
            }
        }
    }
}
