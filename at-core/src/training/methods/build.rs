//! Methods by name.

use super::fleet::Fleet;
use super::turned_back::TurnedBack;
use super::{DigitalStep, Ingredients, Method, MethodName, MethodOptions, registry};
use crate::chip::Meter;
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::network::Network;
use crate::propagator::{Bidirectional, LayerAccess, PowerTapAccess, Simulator, TapAccess};
use crate::training::{Digital, Settings};
use crate::turns::FreePhases;
use crate::{Error, Result};

/// A chip for which methods of all kinds can be built; one that does not offer an access errs where a method uses it. A method
/// itself is typed for the access that it needs, and is built by its own file where a chip's type has no more.
pub trait Reachable: TapAccess + LayerAccess + PowerTapAccess + Bidirectional {}

impl<C: TapAccess + LayerAccess + PowerTapAccess + Bidirectional> Reachable for C {}

/// The method `name` for a chip of `network`, from the `initial` controls on. Errs where the library has none of that name.
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
    if let Some(facts) = name.facts() {
        facts.options.iter().try_for_each(|option| option.check_in(options))?;
    }
    let ingredients = Ingredients { engine, network, initial, settings, options, meter, fabrication };
    let method = registry::build(name, &ingredients).unwrap_or_else(|| {
        let names: Vec<&str> = MethodName::ALL.iter().map(MethodName::as_str).collect();
        let reason = format!("the library builds {}; another method is made by its own crate", names.join(", "));
        Err(Error::invalid("method", name, reason))
    })?;
    let free = FreePhases::new(network, fabrication, &options.imperfections);
    Ok(if free.is_empty() { method } else { Box::new(TurnedBack::new(method, engine, free)) })
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
