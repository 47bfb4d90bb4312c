//! Networks of a rank: light of its rows, gradients of all.

use super::{Place, Ranked, RankedBuffer};
use crate::Result;
use crate::fabrication::Fabrication;
use crate::network::Network;
use crate::propagator::{
    Adjoint, Bidirectional, Buffer, Direction, Drifting, LayerAccess, Layered, Monitor, Propagator, Simulator,
    TapAccess, Tunable, Watched,
};
use std::ops::Range;

/// A network through which every rank sends its rows of a batch.
pub struct RankedNetwork<E: Simulator> {
    inside: E::Network,
    engine: Ranked<E>,
    /// The controls of every layer.
    layers: Vec<Range<usize>>,
    /// Modes and controls of every mesh, as light meets them.
    meshes: Vec<(usize, usize)>,
    /// Modes of the meshes of every layer.
    watched: Vec<Vec<usize>>,
}

/// The trace of this rank's rows, and the batch that they belong to.
pub struct RankedTrace<T> {
    trace: T,
    batch: usize,
}

impl<E: Simulator> RankedNetwork<E> {
    /// The same network on all ranks.
    pub(super) fn new(engine: &Ranked<E>, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        let mut end = 0;
        let range = |layer: &crate::network::Layer| {
            let start = end;
            end += layer.iter().map(|stage| stage.controls()).sum::<usize>();
            start..end
        };
        let layers = network.layers().iter().map(range).collect();
        Ok(RankedNetwork {
            inside: engine.engine().build(network, fabrication)?,
            engine: engine.clone(),
            layers,
            meshes: network.meshes().map(|mesh| (mesh.modes(), mesh.controls())).collect(),
            watched: network.layers().iter().map(watched).collect(),
        })
    }

    /// Reals per sample that enter layer `layer`.
    fn layer_inputs(&self, layer: usize) -> usize {
        if layer == 0 { self.inside.inputs() } else { self.inside.layer_outputs(layer - 1) }
    }
}

fn watched(layer: &crate::network::Layer) -> Vec<usize> {
    let meshes = layer.iter().filter(|stage| matches!(stage, crate::network::Stage::Mesh(_)));
    meshes.map(|mesh| mesh.output().modes).collect()
}

impl<E: Simulator> Propagator for RankedNetwork<E> {
    type Engine = Ranked<E>;

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
        self.inside.program(&*self.engine.whole(controls)?)
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        self.inside.reprogram(&*self.engine.whole(controls)?, changed)
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        if own > 0 {
            self.inside.propagate(&fields, own, &mut readout.values)?;
        }
        readout.place = Place::Rows { batch, width: self.inside.outputs() };
        Ok(())
    }
}

impl<E: Simulator> Layered for RankedNetwork<E> {
    fn layers(&self) -> usize {
        self.inside.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.inside.layer_outputs(layer)
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
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        if own > 0 {
            let engine = self.engine.engine();
            lent(
                taps,
                || engine.zeros(1),
                |taps| self.inside.propagate_tapped(&fields, own, taps, &mut readout.values),
            )?;
        }
        for (layer, tap) in taps.iter_mut().enumerate() {
            tap.place = Place::Rows { batch, width: self.inside.layer_outputs(layer) };
        }
        readout.place = Place::Rows { batch, width: self.inside.outputs() };
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
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        if own > 0 {
            self.inside.propagate_layer(layer, &input, own, &mut output.values)?;
        }
        output.place = Place::Rows { batch, width: self.inside.layer_outputs(layer) };
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
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        if own > 0 {
            let engine = self.engine.engine();
            lent(
                powers,
                || engine.zeros(1),
                |powers| self.inside.propagate_layer_watched(layer, &input, own, powers, &mut output.values),
            )?;
        }
        for (power, &width) in powers.iter_mut().zip(&self.watched[layer]) {
            power.place = Place::Rows { batch, width };
        }
        output.place = Place::Rows { batch, width: self.inside.layer_outputs(layer) };
        Ok(())
    }
}

impl<E: Simulator> Drifting for RankedNetwork<E> {
    fn program_drifted(&mut self, controls: &Buffer<Self>, drift: Option<&Buffer<Self>>) -> Result<()> {
        let drift = drift.map(|drift| self.engine.whole(drift)).transpose()?;
        self.inside.program_drifted(&*self.engine.whole(controls)?, drift.as_deref())
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
        let RankedNetwork { inside, engine, meshes, .. } = self;
        let own = engine.rows(batch).len();
        let (modes, controls) = meshes[mesh];
        let fields = engine.own_rows(fields, batch, 2 * modes)?;
        let out = output.as_mut().map(|output| &mut output.values);
        match monitor {
            Monitor::Nothing if own > 0 => inside.send(mesh, direction, &fields, own, out, Monitor::Nothing)?,
            Monitor::Nothing => {}
            Monitor::Fields(seen) => {
                if own > 0 {
                    inside.send(mesh, direction, &fields, own, out, Monitor::Fields(&mut seen.values))?;
                }
                seen.place = Place::Rows { batch, width: 2 * controls };
            }
            Monitor::Powers(seen) => {
                match own {
                    0 => seen.values = engine.engine().zeros(seen.len)?,
                    own => inside.send(mesh, direction, &fields, own, out, Monitor::Powers(&mut seen.values))?,
                }
                seen.values = engine.sum(&seen.values, Some(0..controls))?;
                seen.place = Place::Whole;
            }
        }
        if let Some(output) = output {
            output.place = Place::Rows { batch, width: 2 * modes };
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
        let own = self.engine.rows(batch).len();
        let fields = self.engine.own_rows(fields, batch, self.inside.inputs())?;
        if own > 0 {
            self.inside.record(&fields, own, &mut trace.trace, &mut readout.values)?;
        }
        trace.batch = batch;
        readout.place = Place::Rows { batch, width: self.inside.outputs() };
        Ok(())
    }

    fn record_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        trace: &mut Self::Trace,
    ) -> Result<()> {
        let own = self.engine.rows(batch).len();
        let input = self.engine.own_rows(input, batch, self.layer_inputs(layer))?;
        if own > 0 {
            self.inside.record_layer(layer, &input, own, &mut trace.trace)?;
        }
        trace.batch = batch;
        Ok(())
    }

    fn backpropagate_layer(
        &mut self,
        layer: usize,
        trace: &Self::Trace,
        output_error: &Buffer<Self>,
        mut input_error: Option<&mut Buffer<Self>>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let (batch, inputs) = (trace.batch, self.layer_inputs(layer));
        let RankedNetwork { inside, engine, layers, .. } = self;
        let output_error = engine.own_rows(output_error, batch, inside.layer_outputs(layer))?;
        engine.bring(gradient, Place::Whole)?;
        match engine.rows(batch).len() {
            0 => {
                let mut values = engine.engine().download(&gradient.values)?;
                values[layers[layer].clone()].fill(0.0);
                gradient.values = engine.engine().upload(&values)?;
            }
            _ => {
                let back = input_error.as_mut().map(|error| &mut error.values);
                inside.backpropagate_layer(layer, &trace.trace, &output_error, back, &mut gradient.values)?;
            }
        }
        if let Some(error) = input_error {
            error.place = Place::Rows { batch, width: inputs };
        }
        // the parts of other layers are sums already
        gradient.values = engine.sum(&gradient.values, Some(layers[layer].clone()))?;
        Ok(())
    }

    fn backpropagate(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let RankedNetwork { inside, engine, .. } = self;
        let error = engine.own_rows(readout_error, trace.batch, inside.outputs())?;
        match engine.rows(trace.batch).len() {
            0 => gradient.values = engine.engine().zeros(gradient.len)?,
            _ => inside.backpropagate(&trace.trace, &error, &mut gradient.values)?,
        }
        gradient.values = engine.sum(&gradient.values, None)?;
        gradient.place = Place::Whole;
        Ok(())
    }
}

impl<E: Simulator> Tunable for RankedNetwork<E> {
    fn imperfections(&self) -> usize {
        self.inside.imperfections()
    }

    fn set_imperfections(&mut self, estimate: &Buffer<Self>) -> Result<()> {
        self.inside.set_imperfections(&*self.engine.whole(estimate)?)
    }

    fn backpropagate_imperfections(
        &mut self,
        trace: &Self::Trace,
        readout_error: &Buffer<Self>,
        gradient: &mut Buffer<Self>,
        imperfection_gradient: &mut Buffer<Self>,
    ) -> Result<()> {
        let RankedNetwork { inside, engine, .. } = self;
        let error = engine.own_rows(readout_error, trace.batch, inside.outputs())?;
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
        for sum in [gradient, imperfection_gradient] {
            sum.values = engine.sum(&sum.values, None)?;
            sum.place = Place::Whole;
        }
        Ok(())
    }
}
