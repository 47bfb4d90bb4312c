//! Methods by name.

use super::at::{Asymmetric, Weights};
use super::at_adaptive::{AdaptiveAsymmetric, Estimation};
use super::coordinate::Coordinate;
use super::dat::{Dat, DatInternal, DatOptions};
use super::dfa::Dfa;
use super::dfa_model::DfaModel;
use super::feedback::Feedback;
use super::ffm::fully_forward;
use super::fleet::Fleet;
use super::ideal::Ideal;
use super::in_silico::InSilico;
use super::in_situ::{Subtraction, in_situ};
use super::noise_aware::{NoiseAware, Redrawn};
use super::parameter_shift::ParameterShift;
use super::pat::Pat;
use super::pat_output::PatOutput;
use super::phyll::PhysicalLocal;
use super::probe::{Explorer, Probing};
use super::spsa::Spsa;
use super::turned_back::TurnedBack;
use super::zeroth_order::ZerothOrder;
use super::{Method, MethodName};
use crate::chip::{Fabrication, Imperfections, Meter};
use crate::error::same_size;
use crate::network::Network;
use crate::propagator::{Bidirectional, LayerAccess, PowerTapAccess, Simulator, TapAccess};
use crate::training::{Digital, Settings};
use crate::turns::FreePhases;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// How the digital model of `at` and `in-silico` moves.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitalStep {
    /// By its own gradient, undistorted; in `at` with the weight m1 + m2.
    ///
    /// On a perfect chip both errors are the same, so the controls move by (m1 + m2)·BP(e). With this weight the model moves
    /// along, and `at` stays on the trajectory of ideal backpropagation; with any smaller one the two part at the second step
    /// although nothing is wrong with the chip. It learns a little faster than [`DigitalStep::AsPublished`], and needs
    /// no knowledge of the chip.
    #[default]
    Matched,
    /// As in the published demonstration, whose code scales and distorts one shared list in place: in `at` the model moves by
    /// m1·(1+E)∘g, in `in-silico` by (1+E)∘g, where E are the chip's update errors. A trainer of a real chip does not know E;
    /// here it is taken from the simulated one.
    AsPublished,
}

/// What the digital models of all methods know of the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DigitalModel {
    /// The data sheet of its kind ([`Imperfections::data_sheet`]): nominal losses, shifters and crosstalk, and nothing of the
    /// individual.
    #[default]
    DataSheet,
    /// Its design only: no loss, no crosstalk, controls followed as told.
    Perfect,
}

/// What is particular to some methods.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
pub struct MethodOptions {
    /// `at`: share m1 of the model's error in the control update.
    pub digital_weight: f64,
    /// `at`: share m2 of the chip's error in it.
    pub physical_weight: f64,
    /// `at`: rate κ at which the controls return to the model's values ([`Weights::tether`]).
    pub tether: f64,
    /// `at` and `in-silico`: how the model moves.
    pub digital_step: DigitalStep,
    /// `at-adaptive`: how the chip's imperfections are learned.
    pub estimation: Estimation,
    /// `spsa` and `zeroth-order`: random directions per step.
    pub probe_draws: usize,
    /// `spsa` and `zeroth-order`: how far the controls are moved along them.
    pub probe_step: f64,
    /// `coordinate`: controls that are tried per step.
    pub coordinate_subset: usize,
    /// `noise-aware`: batches between two draws of imperfections.
    pub redraw_every: usize,
    /// The chip's kind, of which the digital models know the data sheet and `noise-aware` the statistics.
    pub imperfections: Imperfections,
    /// What the digital models of all methods know.
    pub digital_model: DigitalModel,
    /// `dat`: its error-prediction networks.
    pub dat: DatOptions,
    /// `in-situ`: how interference is told from powers.
    pub subtraction: Subtraction,
}

impl Default for MethodOptions {
    fn default() -> Self {
        MethodOptions {
            digital_weight: 0.5,
            physical_weight: 0.5,
            tether: 0.0,
            digital_step: DigitalStep::Matched,
            estimation: Estimation::default(),
            probe_draws: 10,
            probe_step: 0.01,
            coordinate_subset: 32,
            redraw_every: 1,
            imperfections: Imperfections::default(),
            digital_model: DigitalModel::default(),
            dat: DatOptions::default(),
            subtraction: Subtraction::Measured,
        }
    }
}

impl MethodOptions {
    /// The chip that digital models of `network` stand for.
    pub fn known(&self, network: &Network) -> Result<Fabrication> {
        match self.digital_model {
            DigitalModel::DataSheet => self.imperfections.typical(network),
            DigitalModel::Perfect => Ok(Fabrication::ideal()),
        }
    }

    /// The weights of `at`.
    fn weights(&self) -> Weights {
        let model = match self.digital_step {
            DigitalStep::Matched => self.digital_weight + self.physical_weight,
            DigitalStep::AsPublished => self.digital_weight,
        };
        Weights { digital: self.digital_weight, physical: self.physical_weight, model, tether: self.tether }
    }
}

/// A chip for which methods of all kinds can be built; one that does not offer an access errs where a method uses it. A method
/// itself is typed for the access that it needs, and is built without this where the chip has no more.
pub trait Reachable: TapAccess + LayerAccess + PowerTapAccess + Bidirectional {}

impl<C: TapAccess + LayerAccess + PowerTapAccess + Bidirectional> Reachable for C {}

/// The method `name` for a chip of `network`, from the `initial` controls on.
///
/// `fabrication` is the chip's own; only `ideal` sees it, and of its update errors [`DigitalStep::AsPublished`]. The other
/// methods get a model of what [`MethodOptions::known`] says. Its work, and that of the oracle, is counted on `meter`, which is the chip's.
pub fn build<E: Simulator, C: Reachable<Engine = E> + 'static>(
    name: MethodName,
    engine: &E,
    network: &Network,
    fabrication: &Fabrication,
    initial: &[f64],
    settings: &Settings,
    options: &MethodOptions,
    meter: &Meter,
) -> Result<Box<dyn Method<C>>> {
    settings.validate()?;
    same_size("initial controls", network.controls(), initial.len())?;
    let Settings { optimizer, loss, batch_size, seed, .. } = *settings;
    let probing = Probing { draws: options.probe_draws, step: options.probe_step, seed };
    let outputs = network.outputs();
    let explorer = || Explorer::new(engine, outputs, probing, initial, optimizer, loss, batch_size);
    let model = |fabrication: &Fabrication| Ok(Digital::new(engine.build(network, fabrication)?, network, meter));
    let nominal = || model(&options.known(network)?);
    let feedback = || Feedback::random(engine, network, seed, batch_size, meter);
    // single stages, whose work the method counts itself
    let stages = |network: &Network| engine.build(network, &options.known(network)?);
    let mask = || match options.digital_step {
        DigitalStep::AsPublished if !fabrication.update_error.is_empty() => {
            let factors: Vec<f64> = fabrication.update_error.iter().map(|error| 1.0 + error).collect();
            engine.upload(&factors).map(Some)
        }
        _ => Ok(None),
    };
    let method: Box<dyn Method<C>> = match name {
        MethodName::At => Box::new(Asymmetric::new(
            engine,
            nominal()?,
            options.weights(),
            mask()?,
            initial,
            optimizer,
            loss,
            batch_size,
        )?),
        MethodName::AtAdaptive => {
            Box::new(AdaptiveAsymmetric::new(engine, nominal()?, network, options.estimation, initial, settings)?)
        }
        MethodName::InSilico => {
            Box::new(InSilico::new(engine, nominal()?, mask()?, initial, optimizer, loss, batch_size)?)
        }
        MethodName::Ideal => Box::new(Ideal::new(engine, model(fabrication)?, initial, optimizer, loss, batch_size)?),
        MethodName::Pat => Box::new(Pat::new(engine, nominal()?, initial, optimizer, loss, batch_size)?),
        MethodName::PatOutput => Box::new(PatOutput::new(engine, nominal()?, initial, optimizer, loss, batch_size)?),
        MethodName::NoiseAware => {
            let redrawn = Redrawn { imperfections: options.imperfections, every: options.redraw_every, seed };
            Box::new(NoiseAware::new(engine, network, redrawn, initial, optimizer, loss, batch_size, meter)?)
        }
        MethodName::Dfa => Box::new(Dfa::new(engine, nominal()?, feedback()?, initial, optimizer, loss, batch_size)?),
        MethodName::DfaModel => {
            Box::new(DfaModel::new(engine, nominal()?, feedback()?, initial, optimizer, loss, batch_size)?)
        }
        MethodName::Spsa => Box::new(Spsa(explorer()?)),
        MethodName::ZerothOrder => Box::new(ZerothOrder(explorer()?)),
        MethodName::Coordinate => {
            Box::new(Coordinate::new(engine, outputs, options.coordinate_subset, seed, initial, loss, batch_size)?)
        }
        MethodName::ParameterShift => {
            Box::new(ParameterShift::new(engine, network, initial, optimizer, loss, batch_size)?)
        }
        MethodName::Dat | MethodName::DatInternal => {
            let own = options.dat;
            let dat = Dat::new(engine, network, stages, initial, optimizer, loss, batch_size, own, seed, meter)?;
            match name {
                MethodName::Dat => Box::new(dat),
                _ => Box::new(DatInternal::new(dat, batch_size)?),
            }
        }
        MethodName::InSitu => {
            let subtraction = options.subtraction;
            Box::new(in_situ(engine, network, stages, initial, optimizer, loss, batch_size, subtraction)?)
        }
        MethodName::Phyll => Box::new(PhysicalLocal::new(engine, network, initial, optimizer, loss, settings.seed)?),
        MethodName::Ffm => Box::new(fully_forward(engine, network, stages, initial, optimizer, loss, batch_size)?),
    };
    let free = FreePhases::new(network, fabrication, &options.imperfections);
    let tethered = name == MethodName::At && options.tether > 0.0;
    Ok(if free.is_empty() { method } else { Box::new(TurnedBack::new(method, engine, free, tethered)) })
}

/// `at` for `chips` chips of `network` that share one digital model, from the same `initial` controls on. What is done once for
/// all is counted on `shared`.
pub fn build_fleet<E: Simulator>(
    engine: &E,
    network: &Network,
    chips: usize,
    initial: &[f64],
    settings: &Settings,
    options: &MethodOptions,
    shared: &Meter,
) -> Result<Fleet<E::Network>> {
    settings.validate()?;
    same_size("initial controls", network.controls(), initial.len())?;
    if options.digital_step == DigitalStep::AsPublished {
        let reason = "follows the update errors of one chip; a model that several share moves by matched";
        return Err(Error::invalid("digital-step", "as-published", reason));
    }
    let Settings { optimizer, loss, batch_size, .. } = *settings;
    let model = Digital::new(engine.build(network, &options.known(network)?)?, network, shared);
    let free = FreePhases::new(network, &Fabrication::ideal(), &options.imperfections); // the chips have the kind's statistics
    let fleet = Fleet::new(engine, model, chips, options.weights(), initial, optimizer, loss, batch_size, shared)?;
    Ok(fleet.with_free_phases(free))
}
