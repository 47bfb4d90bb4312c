//! How far the readouts of a method's model lie from its chip's when the training is over.

use at_core::Result;
use at_core::engine::Engine;
use at_core::network::{Network, Stage};
use at_core::propagator::{Buffer, LayerAccess, Propagator, Simulator};
use at_core::training::methods::dat::{Maps, Sepn};
use at_core::training::methods::learned_model::Design;
use at_core::training::methods::{Method, MethodOptions};
use at_core::training::{Batch, Settings, Split};

/// Samples that are enough to tell.
const MOST: usize = 500;

/// Samples that go side by side through the networks of `dat`.
const AT_ONCE: usize = 50;

/// What a method knows of its chip when the training is over, kept apart from the method, whose memory the model takes.
pub struct Learned<E: Engine> {
    /// What its model is programmed with.
    pub controls: E::Buffer,
    /// What it has found of the chip's imperfections (`at-adaptive`).
    pub estimate: Option<E::Buffer>,
    /// The parameters of the networks behind its meshes (`dat`).
    pub networks: Option<E::Buffer>,
}

impl<E: Engine> Learned<E> {
    /// None where a method has no model of its chip.
    pub fn of<C: Propagator<Engine = E>>(engine: &E, method: &dyn Method<C>) -> Result<Option<Self>> {
        if !method.facts().model.knows_the_kind() {
            return Ok(None);
        }
        let vectors = method.parameters();
        let vector = |wanted: &str| vectors.iter().find(|(name, _)| *name == wanted).map(|(_, own)| &own.values);
        let controls = Self::copy(engine, vector("model").unwrap_or(method.controls()))?;
        let [estimate, networks] =
            ["estimate", "networks"].map(|wanted| vector(wanted).map(|own| Self::copy(engine, own)).transpose());
        Ok(Some(Learned { controls, estimate: estimate?, networks: networks? }))
    }

    /// What a model is programmed with that has nothing else from its chip.
    pub fn controls(engine: &E, controls: &E::Buffer) -> Result<Self> {
        Ok(Learned { controls: Self::copy(engine, controls)?, estimate: None, networks: None })
    }

    fn copy(engine: &E, values: &E::Buffer) -> Result<E::Buffer> {
        engine.upload(&engine.download(values)?)
    }
}

/// `‖m − c‖/‖c‖` for the readouts m of the model and c of the chip, of the first test samples, each with its own controls at the end.
///
/// The model is the data sheet's, with what the method has `learned` of the chip. The networks of `dat` learn readouts as the loss of the `settings` scales them, so
/// that of its model these are compared. None where the chip is dark.
pub fn misfit<E: Simulator, C: Propagator<Engine = E>>(
    engine: &E,
    network: &Network,
    options: &MethodOptions,
    settings: &Settings,
    learned: &Learned<E>,
    chip: &mut C,
    test: &Split<E>,
) -> Result<Option<f64>> {
    let samples = test.samples().min(MOST);
    let (batch, outputs) = (settings.batch_size.min(samples), chip.outputs());
    let true_ones = read(engine, chip, test, samples, batch)?;
    let [own, true_ones] = match &learned.networks {
        Some(networks) => {
            let own = corrected(engine, network, options, &learned.controls, networks, test, samples)?;
            [own, true_ones].map(|readouts| {
                let rows = readouts.chunks_exact(outputs);
                rows.flat_map(|row| settings.loss.compared(row)).collect::<Vec<f64>>()
            })
        }
        None => {
            let own = match &learned.estimate {
                Some(estimate) => {
                    let design = Design::of(network, options)?;
                    let inside = engine.build(&design.network, &design.fabrication)?;
                    let mut model = design.model(engine, inside)?;
                    model.set_estimate(estimate)?;
                    model.program(&learned.controls)?;
                    read(engine, &mut model, test, samples, batch)?
                }
                None => {
                    let mut model = engine.build(network, &options.known(network)?)?;
                    model.program(&learned.controls)?;
                    read(engine, &mut model, test, samples, batch)?
                }
            };
            [own, true_ones]
        }
    };
    let apart: f64 = own.iter().zip(&true_ones).map(|(m, c)| (m - c) * (m - c)).sum();
    let size: f64 = true_ones.iter().map(|c| c * c).sum();
    let relative = (apart / size).sqrt();
    Ok(relative.is_finite().then_some(relative))
}

/// The readouts of the first `samples` in batches of up to `batch`, which need no more room than those of the training.
fn read<E: Engine, P: Propagator<Engine = E>>(
    engine: &E,
    light: &mut P,
    test: &Split<E>,
    samples: usize,
    batch: usize,
) -> Result<Vec<f64>> {
    let (outputs, mut readouts) = (light.outputs(), Vec::with_capacity(samples * light.outputs()));
    let mut own = Batch::new(engine, light.inputs(), batch)?;
    let mut readout: Buffer<P> = engine.zeros(outputs * batch)?;
    for start in (0..samples).step_by(batch.max(1)) {
        let size = batch.min(samples - start);
        own.gather(engine, test, test.in_order(), start, size)?;
        light.propagate(own.signals(), size, &mut readout)?;
        readouts.extend_from_slice(&engine.download(&readout)?[..size * outputs]);
    }
    Ok(readouts)
}

/// The readouts of the model of `dat` for the first `samples`: behind every mesh, what its network of these parameters predicts is added to
/// the field.
fn corrected<E: Simulator>(
    engine: &E,
    network: &Network,
    options: &MethodOptions,
    controls: &E::Buffer,
    networks: &E::Buffer,
    test: &Split<E>,
    samples: usize,
) -> Result<Vec<f64>> {
    let network = network.single_stages()?;
    let mut model = engine.build(&network, &options.known(&network)?)?;
    model.program(controls)?;
    let weights = single(engine.download(networks)?);
    let mut batch = Batch::new(engine, model.inputs(), AT_ONCE.min(samples))?;
    let (mut readouts, mut maps) = (Vec::with_capacity(samples * model.outputs()), Maps::default());
    for start in (0..samples).step_by(AT_ONCE) {
        let size = AT_ONCE.min(samples - start);
        batch.gather(engine, test, test.in_order(), start, size)?;
        let (mut signal, mut first) = (None, 0);
        for (layer, stage) in network.stages().enumerate() {
            let reals = size * stage.output().width();
            let mut next = engine.zeros(reals)?;
            model.propagate_layer(layer, signal.as_ref().unwrap_or(batch.signals()), size, &mut next)?;
            if let Stage::Mesh(mesh) = stage {
                let sepn = Sepn::new(mesh.modes(), options.dat.maps)?;
                let field = single(engine.download(&next)?);
                let mut sum = field.clone();
                sepn.forward(&weights[first..][..sepn.reals()], &field, &mut sum, &mut maps);
                first += sepn.reals();
                next = engine.upload(&sum.into_iter().map(f64::from).collect::<Vec<_>>())?;
            }
            signal = Some(next);
        }
        readouts.extend(engine.download(signal.as_ref().unwrap_or(batch.signals()))?);
    }
    Ok(readouts)
}

/// As the networks read numbers.
fn single(values: Vec<f64>) -> Vec<f32> {
    values.into_iter().map(|value| value as f32).collect()
}
