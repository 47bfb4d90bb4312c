//! Networks of a rank: light of its rows, gradients of all.

use super::tiles::Tiles;
use super::{Place, Ranked, RankedBuffer};
use crate::fabrication::Fabrication;
use crate::network::{Layer, Network, Stage};
use crate::propagator::{
    Adjoint, Bidirectional, Buffer, Direction, Drifting, LayerAccess, Layered, Monitor, Propagator, Simulator,
    TapAccess, Tunable, Watched,
};
use crate::{Error, Result};
use std::ops::Range;

/// A network through which every rank sends its rows of a batch, or of which it has its tiles.
pub struct RankedNetwork<E: Simulator> {
    inside: E::Network,
    engine: Ranked<E>,
    /// The controls of every layer.
    layers: Vec<Range<usize>>,
    /// The imperfections of every layer.
    estimates: Vec<Range<usize>>,
    /// Modes and controls of every mesh, those inside other stages too, as light meets them.
    meshes: Vec<(usize, usize)>,
    /// Modes of the meshes of every layer.
    watched: Vec<Vec<usize>>,
    /// Where it is a part of a network whose tiles are shared.
    tiles: Option<Tiles>,
}

/// The trace of this rank's rows, and the batch that they belong to.
pub struct RankedTrace<T> {
    pub(super) trace: T,
    pub(super) batch: usize,
}

impl<E: Simulator> RankedNetwork<E> {
    /// The same network on all ranks.
    pub(super) fn new(engine: &Ranked<E>, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        let ranges = |of: fn(&Stage) -> usize| -> Vec<Range<usize>> {
            let mut end = 0;
            let range = |layer: &Layer| {
                let start = end;
                end += layer.iter().map(of).sum::<usize>();
                start..end
            };
            network.layers().iter().map(range).collect()
        };
        let (layers, estimates) = (ranges(Stage::controls), ranges(Stage::imperfections));
        let deal = engine.deal.as_ref().filter(|deal| deal.whole == *network);
        let inside = match deal {
            Some(deal) => {
                fabrication.check(network)?;
                engine.engine().build(&deal.own, &deal.fabrication(fabrication)?)?
            }
            None => engine.engine().build(network, fabrication)?,
        };
        Ok(RankedNetwork {
            inside,
            tiles: deal.map(|deal| Tiles::new(deal.clone())),
            engine: engine.clone(),
            layers,
            estimates,
            meshes: network.all_meshes().map(|mesh| (mesh.modes(), mesh.controls())).collect(),
            watched: network.layers().iter().map(watched).collect(),
        })
    }

    /// Reals per sample that enter layer `layer`.
    fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inputs() } else { self.layer_outputs(layer - 1) }
    }

    /// Errs where tiles are shared, of which `what` is not.
    fn without_tiles(&self, what: &str) -> Result<()> {
        if self.tiles.is_none() {
            return Ok(());
        }
        let what = format!("{what} whose tiles are shared by ranks");
        Err(Error::Unsupported { what, instead: "share batches, or choose another method".into() })
    }
}

impl<E: Simulator> RankedNetwork<E> {
    /// [`Adjoint::backpropagate_layer`], and the same of the imperfections where their gradient is given.
    fn carry_layer_back(
        &mut self,
        layer: usize,
        trace: &RankedTrace<<E::Network as Adjoint>::Trace>,
        output_error: &Buffer<Self>,
        mut input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
        mut of_estimate: Option<&mut Buffer<Self>>,
    ) -> Result<()> {
        let (batch, inputs) = (trace.batch, self.layer_inputs(layer));
        let RankedNetwork { inside, engine, layers, estimates, tiles, .. } = self;
        if let Some(tiles) = tiles {
            return tiles.backpropagate_layer(inside, engine, layer, trace, output_error, input_error, gradient);
        }
        let output_error = engine.own_rows(output_error, batch, inside.layer_outputs(layer))?;
        engine.bring(gradient, Place::Whole)?;
        if let Some(error) = input_error.as_deref_mut() {
            engine.lay(error, engine.batch(batch, inputs))?;
        }
        if let Some(estimate) = of_estimate.as_deref_mut() {
            engine.bring(estimate, Place::Whole)?;
        }
        if engine.rows(batch).is_empty() {
            let own = [(Some(&mut *gradient), &layers[layer]), (of_estimate.as_deref_mut(), &estimates[layer])];
            for (buffer, range) in own {
                let Some(buffer) = buffer else { continue };
                let mut values = engine.engine().download(&buffer.values)?;
                values[range.clone()].fill(0.0);
                buffer.values = engine.engine().upload(&values)?;
            }
        } else {
            let back = input_error.map(|error| &mut error.values);
            let (trace, gradient) = (&trace.trace, &mut gradient.values);
            match of_estimate.as_deref_mut() {
                None => inside.backpropagate_layer(layer, trace, &output_error, back, gradient)?,
                Some(estimate) => {
                    let estimate = &mut estimate.values;
                    inside.backpropagate_layer_imperfections(layer, trace, &output_error, back, gradient, estimate)?;
                }
            }
        }
        // the parts of other layers are sums already
        engine.add_up(&mut gradient.values, Some(layers[layer].clone()))?;
        match of_estimate {
            None => Ok(()),
            Some(estimate) => engine.add_up(&mut estimate.values, Some(estimates[layer].clone())),
        }
    }
}

/// Modes of the meshes of a layer.
fn watched(layer: &Layer) -> Vec<usize> {
    let meshes = layer.iter().filter(|stage| matches!(stage, Stage::Mesh(_)));
    meshes.map(|mesh| mesh.output().modes).collect()
}

impl<E: Simulator> Propagator for RankedNetwork<E> {
    type Engine = Ranked<E>;

    fn controls(&self) -> usize {
        self.tiles.as_ref().map_or_else(|| self.inside.controls(), |tiles| tiles.whole().controls())
    }

    fn inputs(&self) -> usize {
        self.inside.inputs()
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.program_drifted(controls, None)
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        if self.tiles.is_some() {
            return self.program(controls);
        }
        self.inside.reprogram(&*self.engine.whole(controls)?, changed)
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            return tiles.propagate(&mut self.inside, &self.engine, fields, batch, &mut [], readout);
        }
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        self.engine.lay(readout, self.engine.batch(batch, self.inside.outputs()))?;
        if own > 0 {
            self.inside.propagate(&fields, own, &mut readout.values)?;
        }
        Ok(())
    }
}

impl<E: Simulator> Layered for RankedNetwork<E> {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        let outputs = |tiles: &Tiles| tiles.whole().layer_output(layer).width();
        self.tiles.as_ref().map_or_else(|| self.inside.layer_outputs(layer), outputs)
    }
}

/// Lends this rank's parts of `buffers` to `work`.
fn lent<B, R>(
    buffers: &mut [RankedBuffer<B>],
    spare: impl Fn() -> Result<B>,
    work: impl FnOnce(&mut [B]) -> Result<R>,
) -> Result<R> {
    let mut own = Vec::with_capacity(buffers.len());
    for buffer in &mut *buffers {
        own.push(std::mem::replace(&mut buffer.values, spare()?));
    }
    let done = work(&mut own);
    buffers.iter_mut().zip(own).for_each(|(buffer, own)| buffer.values = own);
    done
}

impl<E: Simulator> TapAccess for RankedNetwork<E> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            return tiles.propagate(&mut self.inside, &self.engine, fields, batch, taps, readout);
        }
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        for (layer, tap) in taps.iter_mut().enumerate() {
            self.engine.lay(tap, self.engine.batch(batch, self.inside.layer_outputs(layer)))?;
        }
        self.engine.lay(readout, self.engine.batch(batch, self.inside.outputs()))?;
        if own > 0 {
            let engine = self.engine.engine();
            lent(
                taps,
                || engine.zeros(1),
                |taps| self.inside.propagate_tapped(&fields, own, taps, &mut readout.values),
            )?;
        }
        Ok(())
    }
}

impl<E: Simulator> LayerAccess for RankedNetwork<E> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
            return tiles.layer(&mut self.inside, &self.engine, layer, &input, batch, None, Some(output));
        }
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        self.engine.lay(output, self.engine.batch(batch, self.inside.layer_outputs(layer)))?;
        if own > 0 {
            self.inside.propagate_layer(layer, &input, own, &mut output.values)?;
        }
        Ok(())
    }
}

impl<E: Simulator> Watched for RankedNetwork<E> {
    fn propagate_layer_watched(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.without_tiles("powers behind the meshes of a network")?;
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        for (power, &width) in powers.iter_mut().zip(&self.watched[layer]) {
            self.engine.lay(power, self.engine.batch(batch, width))?;
        }
        self.engine.lay(output, self.engine.batch(batch, self.inside.layer_outputs(layer)))?;
        if own > 0 {
            let engine = self.engine.engine();
            lent(
                powers,
                || engine.zeros(1),
                |powers| self.inside.propagate_layer_watched(layer, &input, own, powers, &mut output.values),
            )?;
        }
        Ok(())
    }
}

impl<E: Simulator> Drifting for RankedNetwork<E> {
    fn program_drifted(&mut self, controls: &Buffer<Self>, drift: Option<&Buffer<Self>>) -> Result<()> {
        let place = if self.tiles.is_some() { Place::Tiles } else { Place::Whole };
        let drift = drift.map(|drift| self.engine.at(drift, place)).transpose()?;
        self.inside.program_drifted(&*self.engine.at(controls, place)?, drift.as_deref())
    }
}

impl<E: Simulator> Bidirectional for RankedNetwork<E> {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Buffer<Self>,
        batch: usize,
        mut output: Option<&mut Buffer<Self>>,
        monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()> {
        self.without_tiles("light through single meshes of a network")?;
        let RankedNetwork { inside, engine, meshes, .. } = self;
        let own = engine.rows(batch).len();
        let (modes, controls) = meshes[mesh];
        let fields = engine.own_rows(fields, batch, 2 * modes)?;
        if let Some(output) = output.as_deref_mut() {
            engine.lay(output, engine.batch(batch, 2 * modes))?;
        }
        let out = output.map(|output| &mut output.values);
        match monitor {
            Monitor::Nothing if own > 0 => inside.send(mesh, direction, &fields, own, out, Monitor::Nothing)?,
            Monitor::Nothing => {}
            Monitor::Fields(seen) => {
                engine.lay(seen, engine.batch(batch, 2 * controls))?;
                if own > 0 {
                    inside.send(mesh, direction, &fields, own, out, Monitor::Fields(&mut seen.values))?;
                }
            }
            Monitor::Powers(seen) => {
                engine.lay(seen, Place::Whole)?;
                match own {
                    0 => seen.values = engine.engine().zeros(seen.len)?,
                    own => inside.send(mesh, direction, &fields, own, out, Monitor::Powers(&mut seen.values))?,
                }
                engine.add_up(&mut seen.values, Some(0..controls))?;
            }
        }
        Ok(())
    }
}

impl<E: Simulator> Adjoint for RankedNetwork<E> {
    type Trace = RankedTrace<<E::Network as Adjoint>::Trace>;

    fn trace(&self, batch: usize) -> Result<Self::Trace> {
        Ok(RankedTrace { trace: self.inside.trace(self.engine.most_rows(batch))?, batch: 0 })
    }

    fn record(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            return tiles.record(&mut self.inside, &self.engine, fields, batch, trace, readout);
        }
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        self.engine.lay(readout, self.engine.batch(batch, self.inside.outputs()))?;
        if own > 0 {
            self.inside.record(&fields, own, &mut trace.trace, &mut readout.values)?;
        }
        trace.batch = batch;
        Ok(())
    }

    fn record_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
    ) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
            trace.batch = batch;
            return tiles.layer(&mut self.inside, &self.engine, layer, &input, batch, Some(&mut trace.trace), None);
        }
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        if own > 0 {
            self.inside.record_layer(layer, &input, own, &mut trace.trace)?;
        }
        trace.batch = batch;
        Ok(())
    }

    fn recorded_output(&self, layer: usize, trace: &Self::Trace, output: &mut Buffer<Self>) -> Result<()> {
        if let Some(tiles) = &self.tiles {
            return tiles.recorded_output(&self.inside, &self.engine, layer, trace, output);
        }
        self.engine.lay(output, self.engine.batch(trace.batch, self.inside.layer_outputs(layer)))?;
        if self.engine.rows(trace.batch).is_empty() {
            return Ok(());
        }
        self.inside.recorded_output(layer, &trace.trace, &mut output.values)
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.carry_layer_back(layer, trace, output_error, input_error, gradient, None)
    }

    fn backpropagate(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let RankedNetwork { inside, engine, tiles, .. } = self;
        if let Some(tiles) = tiles {
            return tiles.backpropagate(inside, engine, trace, readout_error, gradient);
        }
        let error = engine.own_rows(readout_error, trace.batch, inside.outputs())?;
        engine.lay(gradient, Place::Whole)?;
        match engine.rows(trace.batch).len() {
            0 => gradient.values = engine.engine().zeros(gradient.len)?,
            _ => inside.backpropagate(&trace.trace, &error, &mut gradient.values)?,
        }
        engine.add_up(&mut gradient.values, None)
    }
}

impl<E: Simulator> Tunable for RankedNetwork<E> {
    fn imperfections(&self) -> usize {
        self.tiles.as_ref().map_or_else(|| self.inside.imperfections(), |tiles| tiles.whole().imperfections())
    }

    fn set_imperfections(&mut self, estimate: &Buffer<Self>) -> Result<()> {
        self.without_tiles("an estimate of the imperfections of a network")?;
        self.inside.set_imperfections(&*self.engine.whole(estimate)?)
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.without_tiles("the gradient of the imperfections of a network")?;
        let RankedNetwork { inside, engine, .. } = self;
        let error = engine.own_rows(readout_error, trace.batch, inside.outputs())?;
        engine.lay(gradient, Place::Whole)?;
        engine.lay(imperfection_gradient, Place::Whole)?;
        match engine.rows(trace.batch).len() {
            0 => {
                gradient.values = engine.engine().zeros(gradient.len)?;
                imperfection_gradient.values = engine.engine().zeros(imperfection_gradient.len)?;
            }
            _ => {
                let (own, of_estimate) = (&mut gradient.values, &mut imperfection_gradient.values);
                inside.backpropagate_imperfections(&trace.trace, &error, own, of_estimate)?;
            }
        }
        engine.add_up(&mut gradient.values, None)?;
        engine.add_up(&mut imperfection_gradient.values, None)
    }
    fn backpropagate_layer_imperfections(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        self.without_tiles("the gradient of the imperfections of a network")?;
        self.carry_layer_back(layer, trace, output_error, input_error, gradient, Some(imperfection_gradient))
    }
}
