//! Parameter shift: the exact gradient of a chip, from readouts at two settings of every phase, and no model at all.
//!
//! A readout r is `A + B cos φ + C sin φ` in each phase φ where light meets its shifter once on the way to linear detectors, so
//!
//! ```text
//! ∂r/∂φ_i = (r(φ_i + π/2) − r(φ_i − π/2))/2                exact, whatever the couplers and losses are
//! Θ ← Θ − η·Σ_batch e·∂r/∂Θ                                 e = ∂L/∂r at Θ
//! ```
//!
//! That is so for meshes behind one another and then power, balanced or homodyne detection. A nonlinearity or a second detection
//! on the way, and controls that are no phases, break it; such a network is refused. On a chip that follows its controls with an
//! update error the shifts are not π/2, and the gradient is as wrong as they are: nobody outside can know.
//!
//! Per step 2D + 1 passes, readouts of P values each, and, after the first D, control writes one by one: two per shift, and one
//! to take it back.
//!
//! Source: physics of interference; as a training rule Mitarai et al., Phys. Rev. A 98, 032309 (2018), and Schuld et al., Phys.
//! Rev. A 99, 032331 (2019).

use super::probe::Probe;
use super::{Dash, Gradient, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::engine::{Engine, Loss};
use crate::network::{Network, Stage, refuse_loops};
use crate::propagator::{Buffer, Propagator, Simulator};
use crate::training::{Batch, Parameters};
use crate::{Error, Result};
use std::f64::consts::FRAC_PI_2;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("parameter-shift"),
    title: "the parameter-shift rule",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: the exact gradient of meshes with one detection, two passes per control",
    manner: super::facts::WITHOUT_MODEL,
    colour: [150, 195, 45],
    dash: Dash::Dotted,
    marker: Marker::Diamond,
    model: Model::None,
    needs_classes: false,
    options: &[],
    passes: |_, network| network.controls() as f64,
    check,
};

/// The method from its parts.
pub fn build<E: Simulator, C: Propagator<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (network, settings) = (from.network, from.settings);
    let maker = ParameterShift::new(from.engine, network, settings.loss, settings.batch_size)?;
    Ok(Box::new(from.descent(maker)?))
}

/// Errs unless every control of `network` is a phase that light meets once before linear detectors.
pub fn check(network: &Network) -> Result<()> {
    refuse_loops(network, "parameter-shift", "a readout is no sine of a control that light meets at every step")?;
    let stages: Vec<&Stage> = network.stages().collect();
    let refuse = |what: String| {
        Err(Error::Unsupported {
            what: format!("parameter-shift with {what}"),
            instead: "it is exact for meshes and one detection behind them, as in `network` mesh:16; choose such a \
                      network, or another method"
                .into(),
        })
    };
    for (index, stage) in stages.iter().enumerate() {
        let (element, last) = (stage.element(), index + 1 == stages.len());
        let broken = match element.sines() {
            Some(sines) => sines.broken_by(index == 0, last).map(str::to_string),
            None => Some(element.words()),
        };
        if let Some(what) = broken {
            return refuse(format!("{what} (stage {index})"));
        }
    }
    Ok(())
}

/// The gradient.
pub struct ParameterShift<E: Engine> {
    probe: Probe<E>,
    error: E::Buffer,
    gradient: E::Buffer,
}

impl<E: Engine> ParameterShift<E> {
    /// On a chip of `network`, for batches of up to `capacity`. Errs where the rule is not exact for that.
    pub fn new(engine: &E, network: &Network, loss: Loss, capacity: usize) -> Result<Self> {
        check(network)?;
        Ok(ParameterShift {
            probe: Probe::new(engine, network.outputs(), loss, capacity)?,
            error: engine.zeros(network.outputs() * capacity)?,
            gradient: engine.zeros(network.controls())?,
        })
    }
}

impl<E: Engine, C: Propagator<Engine = E>> Gradient<C> for ParameterShift<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let ParameterShift { probe: Probe { engine, loss, readout }, error, gradient: slopes } = self;
        let (size, signals) = (batch.size(), batch.signals());
        chip.program(&controls.values)?;
        chip.propagate(signals, size, readout)?;
        engine.loss(loss, readout, chip.outputs(), batch.targets(), size, Some(error), tally)?;
        let error = engine.download(error)?;
        let mut values = engine.download(&controls.values)?;
        let mut changed = Vec::new();
        let mut gradient = vec![0.0; values.len()];
        for (index, slope) in gradient.iter_mut().enumerate() {
            let here = values[index];
            changed.push(index);
            for sign in [0.5_f64, -0.5] {
                values[index] = here + sign.signum() * FRAC_PI_2;
                chip.reprogram(&engine.upload(&values)?, &changed)?;
                changed = vec![index];
                chip.propagate(signals, size, readout)?;
                let read = engine.download(readout)?;
                let products = read.iter().zip(&error).take(size * chip.outputs()).map(|(r, e)| r * e);
                *slope += sign * products.sum::<f64>();
            }
            values[index] = here;
        }
        *slopes = engine.upload(&gradient)?;
        Ok(slopes)
    }
}
