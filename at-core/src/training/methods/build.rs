//! Methods by name.

use super::fleet::Fleet;
use super::prepared::Prepared;
use super::turned_back::TurnedBack;
use super::{DigitalStep, Ingredients, Method, MethodName, MethodOptions, registry};
use crate::chip::{AnyChip, Meter};
use crate::cpu::Cpu;
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::network::Network;
use crate::propagator::{Bidirectional, LayerAccess, PowerTapAccess, Simulator, TapAccess};
use crate::training::{Digital, Settings};
use crate::turns::FreePhases;
use crate::{Error, Real, Result};
use std::any::{Any, TypeId};

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
    let mut method = named(name, &ingredients)?;
    if let Some(preparation) = options.prepare {
        preparation.check(settings.epochs)?;
        preparation.admits(name)?;
        let preparer = named(preparation.method, &ingredients)?;
        method = Box::new(Prepared::new(engine, preparer, method, preparation.epochs));
    }
    let free = FreePhases::new(network, fabrication, &options.imperfections);
    Ok(if free.is_empty() { method } else { Box::new(TurnedBack::new(method, engine, free)) })
}

/// The library's own method of that name.
fn named<E: Simulator, C: Reachable<Engine = E> + 'static>(
    name: MethodName,
    ingredients: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let compiled = on_cpu::<E, f32, C>(name, ingredients).or_else(|| on_cpu::<E, f64, C>(name, ingredients));
    compiled.unwrap_or_else(|| registry::build(name, ingredients)).unwrap_or_else(|| {
        let names: Vec<&str> = MethodName::ALL.iter().map(MethodName::as_str).collect();
        let reason = format!("the library builds {}; another method is made by its own crate", names.join(", "));
        Err(Error::invalid("method", name, reason))
    })
}

/// What [`registry::build`] makes for an [`AnyChip`] on the CPU; nothing for another type of chip or engine.
///
/// Generic code is compiled anew by every crate that uses it. Methods for these chips, which the program uses, are compiled here, once: the
/// functions of [`OnCpu`] are not generic.
fn on_cpu<E: Simulator, T: OnCpu, C: Reachable<Engine = E> + 'static>(
    name: MethodName,
    ingredients: &Ingredients<'_, E>,
) -> Option<Built<C>> {
    let engine = (ingredients.engine as &dyn Any).downcast_ref::<Cpu<T>>()?;
    if TypeId::of::<C>() != TypeId::of::<AnyChip<Cpu<T>>>() {
        return None;
    }
    let Ingredients { network, initial, settings, options, meter, fabrication, .. } = *ingredients;
    let ingredients = Ingredients { engine, network, initial, settings, options, meter, fabrication };
    Some(T::method(name, &ingredients).map(|method| {
        let method: Box<dyn Any> = Box::new(method?);
        Ok(*method.downcast().expect("C is this chip"))
    }))
}

/// A method; nothing where the library has none of that name.
type Built<C> = Option<Result<Box<dyn Method<C>>>>;

/// A real of the CPU's chips.
trait OnCpu: Real {
    fn method(name: MethodName, ingredients: &Ingredients<'_, Cpu<Self>>) -> Built<AnyChip<Cpu<Self>>>;
}

impl OnCpu for f32 {
    fn method(name: MethodName, from: &Ingredients<'_, Cpu<f32>>) -> Built<AnyChip<Cpu<f32>>> {
        registry::build(name, from)
    }
}

impl OnCpu for f64 {
    fn method(name: MethodName, from: &Ingredients<'_, Cpu<f64>>) -> Built<AnyChip<Cpu<f64>>> {
        registry::build(name, from)
    }
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
    if let Some(preparation) = options.prepare {
        let reason =
            "prepares one chip; several that share a model are prepared by starting from what another run has trained";
        return Err(Error::invalid("prepare", preparation, reason));
    }
    let Settings { optimizer, loss, batch_size, .. } = *settings;
    let model = Digital::new(engine.build(network, &options.known(network)?)?, network, shared);
    let free = FreePhases::new(network, &Fabrication::ideal(), &options.imperfections); // the chips have the kind's statistics
    let fleet = Fleet::new(engine, model, chips, options.weights(), initial, optimizer, loss, batch_size, shared)?;
    Ok(fleet.with_free_phases(free))
}
