//! A chip's signals on their way, with the noise that they meet: between layers, and where they are read.

use crate::Result;
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::fabrication::noise::{self, Draw, SignalNoise};
use crate::imperfections::random;
use crate::network::{Network, Signal, Stage};
use crate::propagator::{LayerAccess, Propagator, Simulator, TapAccess, Watched};

/// The noise of every layer, and the number of passes that have met it.
pub(super) struct Signals<E: Simulator> {
    engine: E,
    key: [u32; 2],
    /// Passes so far.
    pub passes: u64,
    /// What a signal meets when it leaves a layer, and when it is read there; looped layers once per step.
    layers: Vec<Met>,
    /// Layer of every mesh but the last, and what its powers meet when they are read.
    taps: Vec<(usize, SignalNoise)>,
    /// Signals between layers, swapped from layer to layer, and the batch for which there is room.
    between: Option<(usize, [E::Buffer; 2])>,
}

#[derive(Clone, Copy)]
struct Met {
    hidden: SignalNoise,
    read: SignalNoise,
    /// It is read there and written again, to be fed back.
    converted: bool,
}

impl Met {
    /// Whether what goes on from here is what left the layer.
    fn passes_on(&self) -> bool {
        self.hidden.is_none() && (!self.converted || self.read.is_none())
    }
}

impl<E: Simulator> Signals<E> {
    /// The noise that `fabrication` has at every layer of `network`.
    pub fn new(engine: &E, network: &Network, fabrication: &Fabrication) -> Self {
        let noise = &fabrication.noise;
        let visits = network.visits();
        let last = visits.len() - 1;
        let layers = visits.iter().enumerate().map(|(number, visit)| {
            let signal = network.layer_output(visit.layer);
            if number == last {
                return Met { hidden: SignalNoise::none(signal), read: noise.readout(network), converted: false };
            }
            let signed = noise::signed(network, visit.layer);
            let converted = network.converts(visits[number + 1]);
            Met { hidden: noise.hidden(signal), read: noise.read(signal, signed), converted }
        });
        let layers = layers.collect();
        let meshes = visits.iter().enumerate().flat_map(|(number, visit)| {
            let meshes = network.layers()[visit.layer].iter().filter(|stage| matches!(stage, Stage::Mesh(_)));
            meshes.map(move |mesh| (number, noise.read(Signal::reals(mesh.output().modes), false)))
        });
        let mut taps: Vec<_> = meshes.collect();
        taps.pop();
        Signals { engine: engine.clone(), key: random::key(fabrication.seed), passes: 0, layers, taps, between: None }
    }

    /// Sends `fields` through all of `inside`.
    pub fn propagate(
        &mut self,
        inside: &mut E::Network,
        fields: &E::Buffer,
        batch: usize,
        readout: &mut E::Buffer,
    ) -> Result<()> {
        let last = self.layers.len() - 1;
        if self.layers.iter().all(Met::passes_on) {
            inside.propagate(fields, batch, readout)?;
        } else {
            let (capacity, mut between) = self.room(batch)?;
            for layer in 0..last {
                let [source, target] = &mut between;
                let source = if layer == 0 { fields } else { source };
                inside.propagate_layer(layer, source, batch, target)?;
                self.go_on(layer, batch, target)?;
                between.swap(0, 1);
            }
            let source = if last == 0 { fields } else { &between[0] };
            inside.propagate_layer(last, source, batch, readout)?;
            self.between = Some((capacity, between));
        }
        self.disturb(last, true, batch, readout)?;
        self.passes += 1;
        Ok(())
    }

    /// [`Signals::propagate`] that also reads what leaves the hidden layers. The light that goes on has met no reading noise,
    /// unless it is converted to be fed back.
    pub fn propagate_tapped(
        &mut self,
        inside: &mut E::Network,
        fields: &E::Buffer,
        batch: usize,
        taps: &mut [E::Buffer],
        readout: &mut E::Buffer,
    ) -> Result<()> {
        let last = self.layers.len() - 1;
        if self.layers.iter().all(Met::passes_on) {
            inside.propagate_tapped(fields, batch, taps, readout)?;
        } else {
            same_size("taps, one per hidden layer", last, taps.len())?;
            for layer in 0..last {
                let (before, after) = taps.split_at_mut(layer);
                inside.propagate_layer(layer, before.last().unwrap_or(fields), batch, &mut after[0])?;
                self.go_on(layer, batch, &mut after[0])?;
            }
            inside.propagate_layer(last, taps.last().unwrap_or(fields), batch, readout)?;
        }
        for (layer, tap) in taps.iter_mut().enumerate() {
            // what is converted was read on its way
            if !self.layers[layer].converted || self.layers.iter().all(Met::passes_on) {
                self.disturb(layer, true, batch, tap)?;
            }
        }
        self.disturb(last, true, batch, readout)?;
        self.passes += 1;
        Ok(())
    }

    /// [`Signals::propagate`] that also reads the powers behind every mesh but the last.
    pub fn propagate_watched(
        &mut self,
        inside: &mut E::Network,
        fields: &E::Buffer,
        batch: usize,
        powers: &mut [E::Buffer],
        readout: &mut E::Buffer,
    ) -> Result<()> {
        same_size("powers, those of every mesh but the last", self.taps.len(), powers.len())?;
        let last = self.layers.len() - 1;
        let (capacity, mut between) = self.room(batch)?;
        let mut rest = &mut *powers;
        for layer in 0..=last {
            let own = self.taps.iter().filter(|tap| tap.0 == layer).count();
            let (seen, others) = rest.split_at_mut(own);
            rest = others;
            let [source, target] = &mut between;
            let source = if layer == 0 { fields } else { source };
            let target = if layer == last { &mut *readout } else { target };
            inside.propagate_layer_watched(layer, source, batch, seen, target)?;
            if layer < last {
                self.go_on(layer, batch, target)?;
            }
            between.swap(0, 1);
        }
        self.between = Some((capacity, between));
        for (mesh, seen) in powers.iter_mut().enumerate() {
            // beyond the sites of the layers
            let site = 2 * (self.layers.len() + mesh) as u32 + 1;
            self.disturb_by(&self.taps[mesh].1, site, batch, seen)?;
        }
        self.disturb(last, true, batch, readout)?;
        self.passes += 1;
        Ok(())
    }

    /// Sends `input` through one layer and reads its output.
    pub fn propagate_layer(
        &mut self,
        inside: &mut E::Network,
        layer: usize,
        input: &E::Buffer,
        batch: usize,
        output: &mut E::Buffer,
    ) -> Result<()> {
        inside.propagate_layer(layer, input, batch, output)?;
        self.disturb(layer, false, batch, output)?;
        self.disturb(layer, true, batch, output)?;
        self.passes += 1;
        Ok(())
    }

    /// Memory for the widest signal, twice, and the samples that it holds: at least `batch`.
    fn room(&mut self, batch: usize) -> Result<(usize, [E::Buffer; 2])> {
        match self.between.take() {
            Some(room) if room.0 >= batch => Ok(room),
            _ => {
                let widest = self.layers.iter().map(|met| met.hidden.signal.width()).max().unwrap_or(0);
                Ok((batch, [self.engine.zeros(batch * widest)?, self.engine.zeros(batch * widest)?]))
            }
        }
    }

    /// Values that detectors behind all meshes but the last read of a sample.
    pub fn watched(&self) -> usize {
        self.taps.iter().map(|(_, noise)| noise.signal.modes).sum()
    }

    /// What a signal meets between a layer and the next.
    fn go_on(&self, layer: usize, batch: usize, signal: &mut E::Buffer) -> Result<()> {
        self.disturb(layer, false, batch, signal)?;
        if self.layers[layer].converted { self.disturb(layer, true, batch, signal) } else { Ok(()) }
    }

    fn disturb(&self, layer: usize, read: bool, batch: usize, signal: &mut E::Buffer) -> Result<()> {
        let Met { hidden, read: reading, .. } = &self.layers[layer];
        let noise = if read { reading } else { hidden };
        self.disturb_by(noise, 2 * layer as u32 + u32::from(read), batch, signal)
    }

    fn disturb_by(&self, noise: &SignalNoise, site: u32, batch: usize, signal: &mut E::Buffer) -> Result<()> {
        if noise.is_none() {
            return Ok(());
        }
        let draw = Draw { key: self.key, pass: self.passes, site, first: 0 };
        self.engine.disturb(noise, &draw, batch, signal)
    }
}
