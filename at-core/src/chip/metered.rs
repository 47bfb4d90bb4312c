//! A meter around anything that light goes through.

use super::meter::Counter;
use super::{Meter, Physical, State};
use crate::Result;
use crate::error::same_size;
use crate::propagator::{Buffer, LayerAccess, Layered, Propagator, TapAccess};

/// Any propagator, with a meter at its interface that counts as that of the simulated [`super::Chip`] does. It offers what the
/// propagator inside offers: output, taps or single layers.
///
/// Values are counted as the propagator states their number: a layer that gives complex fields as two reals counts two.
#[derive(Debug)]
pub struct Metered<P> {
    inside: P,
    counter: Counter,
}

impl<P: Propagator> Metered<P> {
    /// `inside` with its count at 0.
    pub fn new(inside: P) -> Self {
        Metered { inside, counter: Counter::default() }
    }

    /// What is metered.
    pub fn into_inside(self) -> P {
        self.inside
    }
}

impl<P: Propagator> Propagator for Metered<P> {
    type Engine = P::Engine;

    fn controls(&self) -> usize {
        self.inside.controls()
    }

    fn inputs(&self) -> usize {
        self.inside.inputs()
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.inside.program(controls)?;
        self.counter.written(self.inside.controls());
        Ok(())
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        self.inside.reprogram(controls, changed)?;
        self.counter.written(changed.len());
        Ok(())
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.inside.propagate(fields, batch, readout)?;
        self.counter.passed(batch, self.inside.inputs(), self.inside.outputs());
        Ok(())
    }
}

impl<P: Layered> Layered for Metered<P> {
    fn layers(&self) -> usize {
        self.inside.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.inside.layer_outputs(layer)
    }
}

impl<P: TapAccess> TapAccess for Metered<P> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.inside.propagate_tapped(fields, batch, taps, readout)?;
        let read = (0..self.inside.layers()).map(|layer| self.inside.layer_outputs(layer)).sum();
        self.counter.passed(batch, self.inside.inputs(), read);
        Ok(())
    }
}

impl<P: LayerAccess> LayerAccess for Metered<P> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.inside.propagate_layer(layer, input, batch, output)?;
        let injected = layer.checked_sub(1).map(|before| self.inside.layer_outputs(before));
        self.counter.layer(batch, self.inside.inputs(), injected, self.inside.layer_outputs(layer));
        Ok(())
    }
}

impl<P: Propagator> Physical for Metered<P> {
    fn meter(&self) -> &Meter {
        self.counter.meter()
    }

    fn set_metered(&mut self, metered: bool) -> bool {
        self.counter.set(metered)
    }

    fn state(&mut self) -> Result<State> {
        Ok(State { accesses: self.accesses(), ..State::default() })
    }

    fn resume(&mut self, state: &State) -> Result<()> {
        same_size("drifts of the chip's controls", 0, state.drifted.len())?;
        self.meter().count(|count| *count = state.accesses);
        Ok(())
    }
}
