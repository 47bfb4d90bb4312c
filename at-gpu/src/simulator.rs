//! The GPU as an engine that simulates networks and chips.

use crate::engine::Gpu;
use crate::mesh;
use crate::network::GpuNetwork;
use crate::vectors::Vector;
use at_core::Result;
use at_core::fabrication::Fabrication;
use at_core::fabrication::drift::DriftStep;
use at_core::fabrication::noise::{Draw, SignalNoise};
use at_core::looped::Looped;
use at_core::network::Network;
use at_core::optics::Mesh;
use at_core::propagator::Simulator;

impl Simulator for Gpu {
    type Network = Looped<GpuNetwork>;

    fn build(&self, network: &Network, fabrication: &Fabrication) -> Result<Self::Network> {
        Looped::new(self, network, |plain| GpuNetwork::new(self, plain, fabrication))
    }

    fn side_by_side(&self, mesh: &Mesh, samples: usize) -> usize {
        mesh::side_by_side(self, mesh, samples)
    }

    fn advance(&self, step: &DriftStep, drift: &mut Vector) -> Result<()> {
        self.drift(step, drift)
    }

    fn disturb(&self, noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut Vector) -> Result<()> {
        self.add_noise(noise, draw, batch, signal)
    }
}
