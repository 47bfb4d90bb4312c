//! A chip of whatever kind as one type.

use super::{Meter, Physical, State};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{
    Bidirectional, Buffer, Direction, LayerAccess, Layered, Monitor, PowerTapAccess, Propagator, TapAccess,
};
use std::any::Any;

/// What every kind of chip is to one that trains it with methods of all kinds; those that lack an access err where it is used.
pub trait Kind<E: Engine>:
    Propagator<Engine = E> + TapAccess + LayerAccess + PowerTapAccess + Bidirectional + Physical + Any
{
}

impl<E: Engine, C: Propagator<Engine = E> + TapAccess + LayerAccess + PowerTapAccess + Bidirectional + Physical + Any>
    Kind<E> for C
{
}

/// A chip, simulated or not. Generic code is compiled once per type of chip, so that whoever trains chips of several kinds has every
/// method compiled once per engine with this type, and not once more per kind; a call costs as much as one through a pointer.
///
/// It gives no more away than the chip in it does:
///
/// ```compile_fail,E0277
/// fn needs_the_inside(_: &impl at_core::propagator::Adjoint) {}
/// fn peek<E: at_core::propagator::Simulator>(chip: &at_core::chip::AnyChip<E>) {
///     needs_the_inside(chip);
/// }
/// ```
pub struct AnyChip<E: Engine>(Box<dyn Kind<E>>);

impl<E: Engine> AnyChip<E> {
    /// The `chip` as one of any kind.
    pub fn new(chip: impl Kind<E>) -> Self {
        AnyChip(Box::new(chip))
    }

    /// The chip itself, where it is of this kind.
    pub fn kind<C: Kind<E>>(&self) -> Option<&C> {
        let chip: &dyn Any = &*self.0;
        chip.downcast_ref()
    }
}

impl<E: Engine> Propagator for AnyChip<E> {
    type Engine = E;

    fn controls(&self) -> usize {
        self.0.controls()
    }

    fn inputs(&self) -> usize {
        self.0.inputs()
    }

    fn outputs(&self) -> usize {
        self.0.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.0.program(controls)
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        self.0.reprogram(controls, changed)
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.0.propagate(fields, batch, readout)
    }
}

impl<E: Engine> Layered for AnyChip<E> {
    fn layers(&self) -> usize {
        self.0.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.0.layer_outputs(layer)
    }
}

impl<E: Engine> TapAccess for AnyChip<E> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.0.propagate_tapped(fields, batch, taps, readout)
    }
}

impl<E: Engine> LayerAccess for AnyChip<E> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.0.propagate_layer(layer, input, batch, output)
    }
}

impl<E: Engine> PowerTapAccess for AnyChip<E> {
    fn propagate_watched(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.0.propagate_watched(fields, batch, powers, readout)
    }
}

impl<E: Engine> Bidirectional for AnyChip<E> {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Buffer<Self>,
        batch: usize,
        output: Option<&mut Buffer<Self>>,
        monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()> {
        self.0.send(mesh, direction, fields, batch, output, monitor)
    }
}

impl<E: Engine> Physical for AnyChip<E> {
    fn meter(&self) -> &Meter {
        self.0.meter()
    }

    fn set_metered(&mut self, metered: bool) -> bool {
        self.0.set_metered(metered)
    }

    fn state(&mut self) -> Result<State> {
        self.0.state()
    }

    fn resume(&mut self, state: &State) -> Result<()> {
        self.0.resume(state)
    }

    fn astray(&self, controls: &Buffer<Self>) -> Result<Option<String>> {
        self.0.astray(controls)
    }
}
