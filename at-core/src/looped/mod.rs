//! Networks as light crosses them, on every engine: layers that are looped ([`crate::network::Recurrence`]) are crossed once per step.
//!
//! [`Looped`] is around an engine's own network, which is the chip: its controls, errors and coefficients exist once. Here they are crossed
//! again and again, and gradients of the crossings are added up, from the last step to the first, so that a training repeats itself bit for
//! bit. What is counted as layers are visits. A network without a loop is only handed on.

mod adjoint;
#[cfg(test)]
mod tests;
mod way;

use crate::Result;
use crate::network::Network;
use crate::propagator::{
    Bidirectional, Buffer, Direction, Drifting, LayerAccess, Layered, Monitor, Propagator, TapAccess, Watched,
};
pub use adjoint::LoopedTrace;
use way::Way;

/// An engine's network with its loop, if it has one.
pub struct Looped<N: Propagator> {
    inside: N,
    way: Option<Way<N::Engine>>,
}

impl<N: Layered> Looped<N> {
    /// `network` on `engine`, which `build`s it without its loop.
    pub fn new(engine: &N::Engine, network: &Network, build: impl FnOnce(&Network) -> Result<N>) -> Result<Self> {
        Ok(match network.recurrence() {
            None => Looped { inside: build(network)?, way: None },
            Some(recurrence) => {
                let inside = build(&network.without_loop())?;
                Looped { inside, way: Some(Way::new(engine, network, recurrence)?) }
            }
        })
    }

    /// The engine's own network, of the chip without its loop.
    pub fn inside(&self) -> &N {
        &self.inside
    }
}

impl<N: LayerAccess> Propagator for Looped<N> {
    type Engine = N::Engine;

    fn controls(&self) -> usize {
        self.inside.controls()
    }

    fn inputs(&self) -> usize {
        self.way.as_ref().map_or_else(|| self.inside.inputs(), |way| way.inputs)
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.inside.program(controls)
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        self.inside.reprogram(controls, changed)
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.propagate(fields, batch, readout);
        };
        let last = way.visits.len() - 1;
        let mut between = way.take_between(batch)?;
        for number in 0..=last {
            let [source, target] = &mut between;
            let source = if number == 0 { fields } else { source };
            let target = if number == last { &mut *readout } else { target };
            let layer = way.visits[number].layer;
            let entered = way.enter(number, source, batch)?;
            inside.propagate_layer(layer, entered, batch, target)?;
            between.swap(0, 1);
        }
        way.keep_between(between);
        Ok(())
    }
}

impl<N: LayerAccess + Drifting> Drifting for Looped<N> {
    fn program_drifted(&mut self, controls: &Buffer<Self>, drift: Option<&Buffer<Self>>) -> Result<()> {
        self.inside.program_drifted(controls, drift)
    }
}

impl<N: LayerAccess> Layered for Looped<N> {
    fn layers(&self) -> usize {
        self.way.as_ref().map_or_else(|| self.inside.layers(), |way| way.visits.len())
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        let layer = self.way.as_ref().map_or(layer, |way| way.visits[layer].layer);
        self.inside.layer_outputs(layer)
    }
}

impl<N: TapAccess + LayerAccess> TapAccess for Looped<N> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.propagate_tapped(fields, batch, taps, readout);
        };
        let last = way.visits.len() - 1;
        crate::error::same_size("taps, one per hidden layer", last, taps.len())?;
        for number in 0..=last {
            let (before, after) = taps.split_at_mut(number);
            let target = if number == last { &mut *readout } else { &mut after[0] };
            let layer = way.visits[number].layer;
            let entered = way.enter(number, before.last().unwrap_or(fields), batch)?;
            inside.propagate_layer(layer, entered, batch, target)?;
        }
        Ok(())
    }
}

impl<N: LayerAccess> LayerAccess for Looped<N> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.propagate_layer(layer, input, batch, output);
        };
        let own = way.visit(layer)?.layer;
        inside.propagate_layer(own, way.enter(layer, input, batch)?, batch, output)
    }
}

impl<N: Watched + LayerAccess> Watched for Looped<N> {
    fn propagate_layer_watched(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        let Looped { inside, way: Some(way) } = self else {
            return self.inside.propagate_layer_watched(layer, input, batch, powers, output);
        };
        let own = way.visit(layer)?.layer;
        inside.propagate_layer_watched(own, way.enter(layer, input, batch)?, batch, powers, output)
    }
}

/// Single meshes are those of the chip, each once.
impl<N: Bidirectional + LayerAccess> Bidirectional for Looped<N> {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Buffer<Self>,
        batch: usize,
        output: Option<&mut Buffer<Self>>,
        monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()> {
        self.inside.send(mesh, direction, fields, batch, output, monitor)
    }
}
