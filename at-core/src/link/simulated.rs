//! A simulated chip, served.

use super::description::{Access, Description};
use super::limits::Limits;
use super::message::PROTOCOL;
use super::serve::Driven;
use crate::Result;
use crate::chip::{Chip, Physical, State};
use crate::network::Network;
use crate::propagator::{LayerAccess, Layered, Propagator, Simulator, TapAccess};

/// A simulated chip that does for whoever connects what it does for a trainer in the same program, to the bit on an engine of
/// 32-bit reals.
pub struct Simulated<E: Simulator> {
    chip: Chip<E>,
    engine: E,
    description: Description,
}

impl<E: Simulator> Simulated<E> {
    /// `chip`, of `network`, which offers `access`.
    pub fn new(engine: &E, network: &Network, chip: Chip<E>, name: &str, access: &[Access]) -> Self {
        /// Longest batch: what it needs of memory is the engine's to refuse.
        const LARGEST: usize = 1 << 20;
        let description = Description {
            protocol: PROTOCOL,
            name: name.to_string(),
            controls: chip.controls(),
            unit: "rad".to_string(),
            limits: Limits::None, // its own heaters place what they are told
            period: None,
            inputs: chip.inputs(),
            complex: network.input().complex,
            outputs: chip.outputs(),
            layers: (0..chip.layers()).map(|layer| chip.layer_outputs(layer)).collect(),
            largest_batch: LARGEST,
            settle_ms: 0.0,
            access: access.to_vec(),
        };
        Simulated { chip, engine: engine.clone(), description }
    }

    fn read(&self, buffer: &E::Buffer) -> Result<Vec<f32>> {
        Ok(self.engine.download(buffer)?.iter().map(|&value| value as f32).collect())
    }
}

impl<E: Simulator> Driven for Simulated<E> {
    fn description(&self) -> Description {
        self.description.clone()
    }

    fn program(&mut self, controls: &[f32], counted: bool) -> Result<()> {
        self.chip.set_metered(counted);
        self.chip.program(&self.engine.upload(controls)?)
    }

    fn send(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        self.chip.set_metered(counted);
        let mut readout = self.engine.zeros(batch * self.description.outputs)?;
        self.chip.propagate(&self.engine.upload(fields)?, batch, &mut readout)?;
        self.read(&readout)
    }

    fn send_tapped(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        self.description.require(Access::Taps)?;
        self.chip.set_metered(counted);
        let widths = &self.description.layers;
        let mut all = widths.iter().map(|width| self.engine.zeros(batch * width)).collect::<Result<Vec<_>>>()?;
        if let Some((readout, taps)) = all.split_last_mut() {
            self.chip.propagate_tapped(&self.engine.upload(fields)?, batch, taps, readout)?;
        }
        let read = all.iter().map(|layer| self.read(layer)).collect::<Result<Vec<_>>>()?;
        Ok(read.concat())
    }

    fn send_layer(&mut self, layer: usize, input: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        self.description.require(Access::Layers)?;
        self.chip.set_metered(counted);
        let mut output = self.engine.zeros(batch * self.description.layers[layer])?;
        self.chip.propagate_layer(layer, &self.engine.upload(input)?, batch, &mut output)?;
        self.read(&output)
    }

    fn state(&mut self) -> Result<State> {
        self.description.require(Access::State)?;
        self.chip.state()
    }

    fn resume(&mut self, state: &State) -> Result<()> {
        self.description.require(Access::State)?;
        self.chip.resume(state)
    }
}
