//! What is measured: one pass through one network, with the operations and the memory that it takes.

use crate::network_text::{self, NetworkText};
use anyhow::Result;
use at_core::network::Network;
use at_core::optics::Mesh;
use serde::Serialize;

/// Bytes per control of a mesh: drawn errors and settings in f64, controls, gradients and coefficients of a chip and its model.
/// Measured on the CPU engine as an order of magnitude, not as a limit.
const BYTES_PER_CONTROL: f64 = 80.0;

/// What a step does. Setting the controls is part of each, because in training they change every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// Controls set, light sent through, readout.
    Propagate,
    /// That, recorded, and an error of the readout carried back to every control.
    Backpropagate,
    /// A whole step of asymmetrical training: chip forward, model forward, two errors back, two updates.
    Step,
}

impl Pass {
    /// As it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Pass::Propagate => "propagate",
            Pass::Backpropagate => "backpropagate",
            Pass::Step => "step",
        }
    }

    /// Real operations per MZI and sample, counted for the plain algorithm: 28 to cross a general 2×2 block, 76 to rebuild its
    /// input, carry an adjoint back and add up two derivatives. An engine that finds a shorter way gets a higher rate.
    pub fn operations(self) -> f64 {
        let (forward, backward) = (28.0, 76.0);
        match self {
            Pass::Propagate => forward,
            Pass::Backpropagate => forward + backward,
            Pass::Step => 2.0 * (forward + backward),
        }
    }
}

/// An engine to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineName {
    /// The CPU in `f32`.
    Cpu,
    /// A GPU.
    Gpu,
}

impl EngineName {
    /// As it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            EngineName::Cpu => "cpu",
            EngineName::Gpu => "gpu",
        }
    }
}

/// Sizes of a network of rectangular meshes, electro-optic activations between them, intensity readout.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Case {
    /// Where it runs.
    pub engine: EngineName,
    /// What is done.
    pub pass: Pass,
    /// Waveguides.
    pub modes: usize,
    /// Columns of each mesh.
    pub depth: usize,
    /// Meshes.
    pub layers: usize,
    /// Samples per step.
    pub batch: usize,
}

impl Case {
    fn text(&self) -> NetworkText {
        NetworkText::Short(format!("mesh:{}x{},depth={}", self.modes, self.layers, self.depth))
    }

    /// The network. Takes memory in proportion to its columns.
    pub fn network(&self) -> Result<Network> {
        network_text::build(&self.text().layers(1, 1)?)
    }

    /// A name for messages: `step of 3 meshes of 64 modes and 64 columns, batch 256, on cpu`.
    pub fn describe(&self) -> String {
        let Case { engine, pass, modes, depth, layers, batch } = self;
        let meshes = if *layers == 1 { "mesh" } else { "meshes" };
        let (pass, engine) = (pass.as_str(), engine.as_str());
        format!("{pass} of {layers} {meshes} of {modes} modes and {depth} columns, batch {batch}, on {engine}")
    }

    /// Operations of a step, counted for the plain algorithm and for the MZIs that every such mesh has.
    pub fn operations(&self) -> f64 {
        let mzis = self.layers as f64 * self.depth as f64 * (self.modes.saturating_sub(1) / 2) as f64;
        self.pass.operations() * mzis * self.batch as f64
    }

    /// Bytes that it will take on the CPU, to an order of magnitude, from sizes alone.
    pub fn bytes(&self) -> f64 {
        let controls = self.layers as f64 * self.modes as f64 * (self.depth as f64 + 1.0);
        let signals = self.layers as f64 * self.modes as f64 * self.batch as f64;
        controls * BYTES_PER_CONTROL + 32.0 * signals
    }
}

/// Number of MZIs of a network.
pub fn mzis(network: &Network) -> usize {
    network.meshes().map(Mesh::mzis).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_case_is_the_network_that_it_says() {
        let case = Case { engine: EngineName::Cpu, pass: Pass::Step, modes: 6, depth: 4, layers: 3, batch: 2 };
        let network = case.network().unwrap();
        assert_eq!((network.layers().len(), network.outputs()), (3, 6));
        assert_eq!(mzis(&network), 3 * (3 + 2 + 3 + 2));
        assert_eq!(case.describe(), "step of 3 meshes of 6 modes and 4 columns, batch 2, on cpu");
    }
}
