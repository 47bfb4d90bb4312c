//! How far the readouts of a method's model lie from its chip's when the training is over.

use crate::methods;
use at_core::Result;
use at_core::engine::Engine;
use at_core::network::Network;
use at_core::propagator::{Buffer, Propagator, Simulator, Tunable};
use at_core::training::methods::{Method, MethodOptions, Model};
use at_core::training::{Batch, MethodName, Split};

/// Samples that are enough to tell.
const MOST: usize = 500;

/// `‖m − c‖/‖c‖` for the readouts m of the model and c of the chip, of the first test samples, each with its own controls at the end.
///
/// The model is the data sheet's, with what the method has learned of the chip. None where a method has no such model, and where what it
/// has learned lies between the stages of its model (`dat`), which nobody else can run; and where the chip is dark.
pub fn misfit<E: Simulator, C: Propagator<Engine = E>>(
    engine: &E,
    network: &Network,
    options: &MethodOptions,
    method: &dyn Method<C>,
    name: MethodName,
    chip: &mut C,
    test: &Split<E>,
) -> Result<Option<f64>> {
    let modelled = match methods::facts(name).model {
        Model::DataSheet | Model::Statistics => true,
        Model::None | Model::Electronics | Model::Oracle => false,
    };
    let vectors = method.parameters();
    let vector = |wanted: &str| vectors.iter().find(|(name, _)| *name == wanted).map(|(_, own)| &own.values);
    if !modelled || vector("networks").is_some() {
        return Ok(None);
    }
    let mut model = engine.build(network, &options.known(network)?)?;
    if let Some(estimate) = vector("estimate") {
        model.set_imperfections(estimate)?;
    }
    model.program(vector("model").unwrap_or(method.controls()))?;
    let samples = test.samples().min(MOST);
    let mut batch = Batch::new(engine, chip.inputs(), samples)?;
    batch.gather(engine, test, test.in_order(), 0, samples)?;
    let [own, true_ones] = [read(engine, &mut model, &batch)?, read(engine, chip, &batch)?];
    let apart: f64 = own.iter().zip(&true_ones).map(|(m, c)| (m - c) * (m - c)).sum();
    let size: f64 = true_ones.iter().map(|c| c * c).sum();
    let relative = (apart / size).sqrt();
    Ok(relative.is_finite().then_some(relative))
}

fn read<E: Engine, P: Propagator<Engine = E>>(engine: &E, light: &mut P, batch: &Batch<E>) -> Result<Vec<f64>> {
    let mut readout: Buffer<P> = engine.zeros(light.outputs() * batch.size())?;
    light.propagate(batch.signals(), batch.size(), &mut readout)?;
    engine.download(&readout)
}
