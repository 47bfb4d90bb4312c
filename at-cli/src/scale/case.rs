//! What is measured: one pass through one network, with the operations and the memory that it takes.

use crate::memory;
use crate::network_text::{self, NetworkText};
use anyhow::Result;
use at_core::cpu::Held;
use at_core::network::{Network, Stage};
use at_core::optics::Mesh;
use serde::{Deserialize, Serialize};

/// Bytes of a real of the CPU engine that is measured.
const REAL: f64 = 4.0;

/// Columns of a mesh that is made to be told its memory.
const DEEPEST: usize = 1 << 24;

/// What a step does. Setting the controls is part of each, because in training they change every step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum Pass {
    /// Controls set, light sent through, readout.
    Propagate,
    /// That, recorded, and an error of the readout carried back to every control.
    Backpropagate,
    /// A whole step of asymmetrical training: chip forward, model forward, two errors back, two updates.
    Step,
    /// Chips with errors of their own under the same controls, all at once: made, set, light sent through, readouts judged.
    Population,
}

impl Pass {
    /// As it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Pass::Propagate => "propagate",
            Pass::Backpropagate => "backpropagate",
            Pass::Step => "step",
            Pass::Population => "population",
        }
    }

    /// Real operations per MZI and sample, counted for the plain algorithm: 28 to cross a general 2×2 block, 76 to rebuild its
    /// input, carry an adjoint back and add up two derivatives. An engine that finds a shorter way gets a higher rate.
    pub fn operations(self) -> f64 {
        let (forward, backward) = (28.0, 76.0);
        match self {
            Pass::Propagate | Pass::Population => forward,
            Pass::Backpropagate => forward + backward,
            Pass::Step => 2.0 * (forward + backward),
        }
    }

    /// How often light or errors cross the layers.
    pub fn crossings(self) -> f64 {
        match self {
            Pass::Propagate | Pass::Population => 1.0,
            Pass::Backpropagate => 2.0,
            Pass::Step => 4.0,
        }
    }
}

/// An engine to measure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
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
    /// Chips at once, through each of which all samples go; 1 but for [`Pass::Population`].
    #[serde(default = "one")]
    pub chips: usize,
    /// Ranks that share the batch.
    #[serde(default = "one")]
    pub ranks: usize,
}

fn one() -> usize {
    1
}

/// What grows along a curve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Variable {
    /// Waveguides.
    Modes,
    /// Columns of each mesh.
    Depth,
    /// Meshes.
    Layers,
    /// Samples per step.
    Batch,
    /// Chips at once.
    Chips,
    /// Ranks that share the batch.
    Ranks,
}

impl Variable {
    /// The first that has several values in `cases`; modes where nothing has.
    pub fn of(cases: &[Case]) -> Self {
        let all =
            [Variable::Modes, Variable::Depth, Variable::Layers, Variable::Batch, Variable::Chips, Variable::Ranks];
        let varies = |own: &Variable| cases.iter().any(|case| own.value(case) != own.value(&cases[0]));
        all.into_iter().find(varies).unwrap_or(Variable::Modes)
    }

    /// Its value.
    pub fn value(self, case: &Case) -> usize {
        match self {
            Variable::Modes => case.modes,
            Variable::Depth => case.depth,
            Variable::Layers => case.layers,
            Variable::Batch => case.batch,
            Variable::Chips => case.chips,
            Variable::Ranks => case.ranks,
        }
    }

    /// As it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Variable::Modes => "modes",
            Variable::Depth => "depth",
            Variable::Layers => "layers",
            Variable::Batch => "batch",
            Variable::Chips => "chips",
            Variable::Ranks => "ranks",
        }
    }
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
        let Case { engine, pass, modes, depth, layers, batch, chips, ranks } = self;
        let meshes = if *layers == 1 { "mesh" } else { "meshes" };
        let pass = match *pass {
            Pass::Population => format!("population of {chips} chips, each"),
            Pass::Propagate | Pass::Backpropagate | Pass::Step => pass.as_str().to_string(),
        };
        let engine = engine.as_str();
        let shared = if *ranks == 1 { String::new() } else { format!(", shared by {ranks} ranks") };
        format!("{pass} of {layers} {meshes} of {modes} modes and {depth} columns, batch {batch}, on {engine}{shared}")
    }

    /// Operations of a step, counted for the plain algorithm and for the MZIs that every such mesh has.
    pub fn operations(&self) -> f64 {
        let mzis = self.layers as f64 * self.depth as f64 * (self.modes.saturating_sub(1) / 2) as f64;
        self.pass.operations() * mzis * (self.batch * self.chips) as f64
    }

    /// Bytes that a step reads and writes where the fields of every layer come from memory and go back to it once per crossing.
    pub fn traffic(&self) -> f64 {
        /// Of a complex amplitude in `f32`.
        const AMPLITUDE: f64 = 8.0;
        let fields = self.layers as f64 * self.modes as f64 * (self.batch * self.chips) as f64;
        2.0 * AMPLITUDE * fields * self.pass.crossings()
    }

    /// Bytes that it will take on the CPU, from sizes alone.
    pub fn bytes(&self) -> f64 {
        let [layers, modes, batch, ranks] = [self.layers, self.modes, self.batch, self.ranks].map(|size| size as f64);
        let controls = layers * modes * (self.depth as f64 + 1.0);
        let mesh = if self.depth <= DEEPEST { Mesh::truncated(self.modes, self.depth).ok() } else { None };
        let Some(mesh) = mesh.map(Stage::Mesh) else {
            return ranks * self.chips as f64 * controls * memory::BYTES_PER_CONTROL;
        };
        let standing = |errors: bool, back: bool| {
            let batch = self.batch.div_ceil(self.ranks);
            let (real, uneven, estimated) = (REAL as usize, false, false);
            let held = Held { real, errors, uneven, back, estimated, batch, still: batch };
            layers * at_core::cpu::bytes(&mesh, &held) as f64 + controls * REAL
        };
        // errors of two couplers, two phases and two losses of every MZI
        let drawn = controls * 3.0 * 8.0;
        // controls; a gradient; both of chip and model
        let network = match self.pass {
            Pass::Propagate => standing(false, false) + controls * REAL,
            Pass::Backpropagate => standing(false, true) + 2.0 * controls * REAL,
            Pass::Step => standing(true, false) + (standing(false, true) + 4.0 * controls * REAL).max(drawn),
            Pass::Population => self.chips as f64 * (standing(true, false) + drawn) + controls * REAL,
        };
        // of every sample what enters and leaves, where it is on its way, and what is recorded behind meshes and activations
        let recorded = if self.pass.crossings() > 1.0 { 2.0 * layers } else { 0.0 };
        let passing = if self.pass == Pass::Step { 4.0 } else { 2.0 };
        let signals = self.chips as f64 * batch * 2.0 * modes * REAL * (3.0 + passing + recorded);
        controls * 8.0 + ranks * network + signals
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
        let case = Case {
            engine: EngineName::Cpu,
            pass: Pass::Step,
            modes: 6,
            depth: 4,
            layers: 3,
            batch: 2,
            chips: 1,
            ranks: 1,
        };
        let network = case.network().unwrap();
        assert_eq!((network.layers().len(), network.outputs()), (3, 6));
        assert_eq!(mzis(&network), 3 * (3 + 2 + 3 + 2));
        assert_eq!(case.describe(), "step of 3 meshes of 6 modes and 4 columns, batch 2, on cpu");
        let shared = Case { ranks: 2, ..case };
        assert!(shared.describe().ends_with("on cpu, shared by 2 ranks") && shared.bytes() > case.bytes());
        let many = Case { pass: Pass::Population, chips: 5, ..case };
        assert_eq!(many.operations(), 5.0 * Case { chips: 1, ..many }.operations());
        assert_eq!(case.traffic(), 4.0 * 16.0 * (3 * 6 * 2) as f64);
    }

    #[test]
    fn a_curve_runs_along_the_first_number_that_has_several_values() {
        let case = Case {
            engine: EngineName::Cpu,
            pass: Pass::Step,
            modes: 6,
            depth: 6,
            layers: 3,
            batch: 2,
            chips: 1,
            ranks: 1,
        };
        let along = |other: Case| Variable::of(&[case, other]);
        assert_eq!(along(case), Variable::Modes);
        assert_eq!(along(Case { chips: 50, ..case }), Variable::Chips);
        assert_eq!(along(Case { chips: 50, batch: 7, ..case }), Variable::Batch);
        assert_eq!(along(Case { modes: 8, depth: 8, ..case }), Variable::Modes);
        assert_eq!(Variable::Depth.value(&Case { depth: 9, ..case }), 9);
        assert_eq!(along(Case { ranks: 2, ..case }), Variable::Ranks);
    }
}
