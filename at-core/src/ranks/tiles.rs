//! Light and errors through a network whose tiles are shared: every rank has all samples and its own dies.

use super::deal::Deal;
use super::{Place, Ranked, RankedBuffer, RankedTrace};
use crate::network::Network;
use crate::propagator::{Adjoint, LayerAccess, Simulator};
use crate::training::MethodName;
use crate::training::methods::{MethodFacts, Reach};
use crate::{Error, Result};
use std::sync::Arc;

type Own<E> = RankedBuffer<<E as crate::engine::Engine>::Buffer>;
type Trace<E> = <<E as Simulator>::Network as Adjoint>::Trace;

/// Errs where a method needs of a chip or its model what is not there when ranks share its tiles.
pub fn require_tiles(method: &MethodFacts) -> Result<()> {
    let needs = match method.reach {
        Reach::BothEnds(_) => Some("lights single meshes"),
        Reach::Powers => Some("reads powers behind single meshes"),
        Reach::Output | Reach::Taps | Reach::Layers => {
            (method.name == MethodName::AtAdaptive).then_some("estimates the imperfections of every mesh")
        }
    };
    needs.map_or(Ok(()), |needs| {
        let what = format!("{} on ranks that share tiles: it {needs}", method.name);
        Err(Error::Unsupported { what, instead: "share batches, or choose another method".into() })
    })
}

/// What rank number `rank` of `ranks` has of `network` where tiles are shared: its own dies, and all stages that are no tiles. Errs where no
/// layer has as many tiles as there are ranks.
pub fn tiles_of(network: &Network, rank: usize, ranks: usize) -> Result<Network> {
    Ok(Deal::new(network, rank, ranks)?.own)
}

/// How the layers of a rank's network make those of the whole.
pub(super) struct Tiles(Arc<Deal>);

impl Tiles {
    pub fn new(deal: Arc<Deal>) -> Self {
        Tiles(deal)
    }

    /// The design of all ranks together.
    pub fn whole(&self) -> &Network {
        &self.0.whole
    }

    fn width(&self, layer: usize) -> usize {
        self.0.own.layer_output(layer).width()
    }

    /// Reals per sample that enter a layer of the rank's network.
    fn inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.0.own.input().width() } else { self.width(layer - 1) }
    }

    /// Sends `input` through layer `layer` of the whole, recorded in `trace` and read into `output` where these are given.
    pub fn layer<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        layer: usize,
        input: &E::Buffer,
        batch: usize,
        mut trace: Option<&mut Trace<E>>,
        output: Option<&mut Own<E>>,
    ) -> Result<()> {
        let parts = self.0.layers[layer].clone();
        let (last, mut output) = (parts.end - 1, output);
        let mut between: Option<E::Buffer> = None;
        for part in parts {
            let wanted = part < last || output.is_some();
            let mut made = if part < last { Some(engine.engine().zeros(batch * self.width(part))?) } else { None };
            if let (None, Some(output)) = (&made, output.as_deref_mut()) {
                engine.lay(output, Place::Whole)?;
            }
            let source = between.as_ref().unwrap_or(input);
            let target = made.as_mut().or(output.as_deref_mut().map(|output| &mut output.values));
            match (trace.as_deref_mut(), target) {
                (Some(trace), target) => {
                    inside.record_layer(part, source, batch, trace)?;
                    if let Some(target) = target {
                        inside.recorded_output(part, trace, target)?;
                        self.meet(engine, part, target, batch * self.width(part))?;
                    }
                }
                (None, Some(target)) => {
                    inside.propagate_layer(part, source, batch, target)?;
                    self.meet(engine, part, target, batch * self.width(part))?;
                }
                (None, None) => debug_assert!(!wanted, "light goes somewhere"),
            }
            between = made;
        }
        Ok(())
    }

    /// Adds up what leaves part `part`, where that is one of tiles.
    fn meet<E: Simulator>(&self, engine: &Ranked<E>, part: usize, signal: &mut E::Buffer, len: usize) -> Result<()> {
        if self.0.tiled[part] { engine.add_up(signal, Some(0..len)) } else { Ok(()) }
    }

    /// Sends `fields` through all layers. `taps` get what leaves the hidden ones, or are none.
    pub fn propagate<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        fields: &Own<E>,
        batch: usize,
        taps: &mut [Own<E>],
        readout: &mut Own<E>,
    ) -> Result<()> {
        self.through(inside, engine, fields, batch, None, taps, readout)
    }

    /// The same, recorded.
    pub fn record<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        fields: &Own<E>,
        batch: usize,
        trace: &mut RankedTrace<Trace<E>>,
        readout: &mut Own<E>,
    ) -> Result<()> {
        trace.batch = batch;
        self.through(inside, engine, fields, batch, Some(&mut trace.trace), &mut [], readout)
    }

    fn through<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        fields: &Own<E>,
        batch: usize,
        mut trace: Option<&mut Trace<E>>,
        taps: &mut [Own<E>],
        readout: &mut Own<E>,
    ) -> Result<()> {
        let last = self.0.layers.len() - 1;
        if !taps.is_empty() {
            crate::error::same_size("taps, one per hidden layer", last, taps.len())?;
        }
        let fields = engine.own_rows(fields, batch, self.inputs(0))?;
        let mut between: Option<Own<E>> = None;
        for layer in 0..last {
            let width = self.0.whole.layer_output(layer).width();
            let mut made = None;
            let (before, after) = taps.split_at_mut(layer.min(taps.len()));
            let source = match (&between, before.last()) {
                (Some(between), _) => &between.values,
                (None, Some(tap)) => &tap.values,
                (None, None) => &*fields,
            };
            let output = match after.first_mut() {
                Some(tap) => tap,
                None => made.insert(RankedBuffer::whole(engine.engine().zeros(batch * width)?, batch * width)),
            };
            self.layer(inside, engine, layer, source, batch, trace.as_deref_mut(), Some(output))?;
            between = made;
        }
        let source = match (&between, taps.last()) {
            (Some(between), _) => &between.values,
            (None, Some(tap)) => &tap.values,
            (None, None) => &*fields,
        };
        self.layer(inside, engine, last, source, batch, trace, Some(readout))
    }

    /// What left a layer of the whole when it was recorded.
    pub fn recorded_output<E: Simulator>(
        &self,
        inside: &E::Network,
        engine: &Ranked<E>,
        layer: usize,
        trace: &RankedTrace<Trace<E>>,
        output: &mut Own<E>,
    ) -> Result<()> {
        let part = self.0.layers[layer].end - 1;
        engine.lay(output, Place::Whole)?;
        inside.recorded_output(part, &trace.trace, &mut output.values)?;
        self.meet(engine, part, &mut output.values, trace.batch * self.width(part))
    }

    /// From an error at the output of one layer of the whole to the gradient of its controls, and to the error at its input.
    pub fn backpropagate_layer<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        layer: usize,
        trace: &RankedTrace<Trace<E>>,
        output_error: &Own<E>,
        input_error: Option<&mut Own<E>>,
        gradient: &mut Own<E>,
    ) -> Result<()> {
        engine.bring(gradient, Place::Tiles)?;
        let output_error = engine.own_rows(output_error, trace.batch, self.0.whole.layer_output(layer).width())?;
        let wanted = input_error.is_some();
        let error = self.layer_back(inside, engine, layer, trace, &output_error, wanted, &mut gradient.values)?;
        engine.add_up_entries(&mut gradient.values, &self.partial(layer))?;
        if let (Some(input_error), Some(error)) = (input_error, error) {
            engine.lay(input_error, Place::Whole)?;
            // a longer buffer keeps its length
            let order: Vec<u32> = (0..trace.batch as u32).collect();
            let (width, order) = (self.inputs(self.0.layers[layer].start), engine.engine().upload_indices(&order)?);
            engine.engine().gather(&error, width, &order, 0, trace.batch, &mut input_error.values)?;
        }
        Ok(())
    }

    /// The gradient of all controls.
    pub fn backpropagate<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        trace: &RankedTrace<Trace<E>>,
        readout_error: &Own<E>,
        gradient: &mut Own<E>,
    ) -> Result<()> {
        engine.lay(gradient, Place::Tiles)?;
        let last = self.0.layers.len() - 1;
        let readout_error = engine.own_rows(readout_error, trace.batch, self.0.whole.outputs())?;
        let mut error: Option<E::Buffer> = None;
        for layer in (0..=last).rev() {
            let from = error.as_ref().unwrap_or(&*readout_error);
            error = self.layer_back(inside, engine, layer, trace, from, layer > 0, &mut gradient.values)?;
        }
        let partial: Vec<usize> = (0..=last).flat_map(|layer| self.partial(layer)).collect();
        engine.add_up_entries(&mut gradient.values, &partial)
    }

    /// Controls of a layer of the whole that every rank has a part of the gradient of.
    fn partial(&self, layer: usize) -> Vec<usize> {
        self.0.partial[self.0.layers[layer].clone()].concat()
    }

    /// Carries an error back through one layer of the whole. Gives that at its input where it is `wanted`.
    fn layer_back<E: Simulator>(
        &self,
        inside: &mut E::Network,
        engine: &Ranked<E>,
        layer: usize,
        trace: &RankedTrace<Trace<E>>,
        output_error: &E::Buffer,
        wanted: bool,
        gradient: &mut E::Buffer,
    ) -> Result<Option<E::Buffer>> {
        let parts = self.0.layers[layer].clone();
        let mut error: Option<E::Buffer> = None;
        for part in parts.clone().rev() {
            let len = trace.batch * self.inputs(part);
            let on = part > parts.start || wanted;
            let mut carried = on.then(|| engine.engine().zeros(len)).transpose()?;
            let from = error.as_ref().unwrap_or(output_error);
            inside.backpropagate_layer(part, &trace.trace, from, carried.as_mut(), gradient)?;
            if let Some(carried) = &mut carried {
                self.meet(engine, part, carried, len)?;
            }
            error = carried;
        }
        Ok(error)
    }
}
