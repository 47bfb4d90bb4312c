//! The description of a photonic network: stages that light crosses, grouped into layers. It runs nothing.

mod identity;

pub(crate) use identity::stage_words;
pub use identity::{Identity, Owner};

use crate::error::same_size;
use crate::optics::waveguide_phases::waveguides;
use crate::optics::{Activation, Mesh};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What travels between two stages: one complex field or one real number per mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signal {
    /// Number of modes.
    pub modes: usize,
    /// Complex fields (interleaved re, im) or real numbers (powers, voltages).
    pub complex: bool,
}

impl Signal {
    /// Complex fields on `modes` waveguides.
    pub fn fields(modes: usize) -> Self {
        Signal { modes, complex: true }
    }

    /// Real numbers on `modes` wires.
    pub fn reals(modes: usize) -> Self {
        Signal { modes, complex: false }
    }

    /// Reals per sample: `modes`, twice that for complex fields.
    pub fn width(&self) -> usize {
        if self.complex { 2 * self.modes } else { self.modes }
    }
}

/// How fields become real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Detection {
    /// Power `|z|²` of every mode.
    Intensity,
    /// Amplitude `|z|` of every mode; its derivative at 0 is taken as 0.
    Amplitude,
    /// Difference of the powers of two neighbours, `|z_{2k}|² - |z_{2k+1}|²`: half as many outputs as modes.
    Balanced,
    /// Real part against a local oscillator, `Re(z e^{-iφ})`.
    Homodyne {
        /// Phase φ of the local oscillator (radians).
        phase: f64,
    },
}

/// One thing that light or its detected signal crosses.
#[derive(Clone, Debug, PartialEq)]
pub enum Stage {
    /// A mesh of MZIs. Controls: `[θ, φ, γ]` ([`Mesh`]).
    Mesh(Mesh),
    /// Attenuators between the two meshes of a singular-value stage: mode k < min(inputs, outputs) passes with the field
    /// transmission `g·sin(θ_k/2)`, the other modes are dumped or dark. Controls: `[θ_k.., g]`.
    Attenuators {
        /// Modes that enter.
        inputs: usize,
        /// Modes that leave.
        outputs: usize,
    },
    /// Passive splitters that divide the light of every mode evenly: of C copies, c has the fields `y[c·inputs + m] = x[m]/√C`.
    Splitter {
        /// Modes that enter.
        inputs: usize,
        /// Copies C that leave.
        copies: usize,
    },
    /// Passive combiners that bring the light of C modes to one, `y[b·block + m] = Σ_c x[(b·C + c)·block + m]/√C`: what does not
    /// interfere to the output is lost. The transpose of splitters, block by block.
    Combiner {
        /// Modes that leave, whole blocks.
        outputs: usize,
        /// Parts C that are added up.
        parts: usize,
        /// Neighbouring modes that belong together.
        block: usize,
    },
    /// An optical nonlinearity on every mode.
    Activation {
        /// Number of modes.
        modes: usize,
        /// The nonlinearity.
        activation: Activation,
    },
    /// Photodetection: complex fields become real numbers.
    Detection {
        /// Number of modes that enter.
        modes: usize,
        /// How they are detected.
        detection: Detection,
    },
    /// Modulation: real numbers become field amplitudes.
    Modulation {
        /// Number of modes.
        modes: usize,
    },
    /// `max(x - threshold, 0)` on detected signals.
    Rectifier {
        /// Number of modes.
        modes: usize,
        /// What is subtracted first.
        threshold: f64,
    },
    /// A real matrix and bias whose entries are the controls `[W row-major [output, input], b]`: the stand-in for a chip in
    /// the published demonstration.
    Matrix {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
    /// A bank of incoherent, balanced MZI weight cells: `w = sin φ` per cell and per bias; controls `[φ row-major, φ of b]`.
    WeightBank {
        /// Inputs.
        inputs: usize,
        /// Outputs.
        outputs: usize,
    },
}

impl Stage {
    /// What enters.
    pub fn input(&self) -> Signal {
        match *self {
            Stage::Mesh(ref mesh) => Signal::fields(mesh.modes()),
            Stage::Attenuators { inputs, .. } | Stage::Splitter { inputs, .. } => Signal::fields(inputs),
            Stage::Combiner { outputs, parts, .. } => Signal::fields(outputs.saturating_mul(parts)),
            Stage::Activation { modes, .. } | Stage::Detection { modes, .. } => Signal::fields(modes),
            Stage::Modulation { modes } | Stage::Rectifier { modes, .. } => Signal::reals(modes),
            Stage::Matrix { inputs, .. } | Stage::WeightBank { inputs, .. } => Signal::reals(inputs),
        }
    }

    /// What leaves.
    pub fn output(&self) -> Signal {
        match *self {
            Stage::Mesh(ref mesh) => Signal::fields(mesh.modes()),
            Stage::Attenuators { outputs, .. } | Stage::Combiner { outputs, .. } => Signal::fields(outputs),
            Stage::Splitter { inputs, copies } => Signal::fields(inputs.saturating_mul(copies)),
            Stage::Activation { modes, .. } | Stage::Modulation { modes } => Signal::fields(modes),
            Stage::Detection { modes, detection: Detection::Balanced } => Signal::reals(modes / 2),
            Stage::Detection { modes, .. } | Stage::Rectifier { modes, .. } => Signal::reals(modes),
            Stage::Matrix { outputs, .. } | Stage::WeightBank { outputs, .. } => Signal::reals(outputs),
        }
    }

    /// Number of controls.
    pub fn controls(&self) -> usize {
        match *self {
            Stage::Mesh(ref mesh) => mesh.controls(),
            Stage::Attenuators { inputs, outputs } => inputs.min(outputs) + 1,
            Stage::Matrix { inputs, outputs } | Stage::WeightBank { inputs, outputs } => outputs * (inputs + 1),
            _ => 0,
        }
    }

    /// Number of imperfections that can be estimated ([`crate::propagator::Tunable`]).
    pub fn imperfections(&self) -> usize {
        match self {
            Stage::Mesh(mesh) => 3 * mesh.mzis() + waveguides(mesh),
            Stage::WeightBank { .. } => 3 * self.controls(),
            _ => 0,
        }
    }

    fn validate(&self) -> Result<()> {
        match self {
            Stage::Activation { activation, .. } => activation.validate(),
            Stage::Detection { modes, detection: Detection::Balanced } if modes % 2 == 1 => {
                Err(Error::invalid("detection", "balanced", format!("{modes} modes do not pair up")))
            }
            Stage::Detection { detection: Detection::Homodyne { phase }, .. } if !phase.is_finite() => {
                Err(Error::invalid("phase", phase, "must be finite"))
            }
            Stage::Rectifier { threshold, .. } if !threshold.is_finite() => {
                Err(Error::invalid("threshold", threshold, "must be finite"))
            }
            Stage::Combiner { outputs, block, .. } if *block == 0 || outputs % block != 0 => {
                Err(Error::invalid("block", block, format!("must divide the {outputs} outputs of a combiner")))
            }
            _ if self.input().modes == 0 || self.output().modes == 0 => {
                Err(Error::invalid("modes", 0, "every stage needs at least one mode"))
            }
            _ => Ok(()),
        }
    }
}

/// Stages that a truncated method reads out and re-injects as one: typically a linear stage and its nonlinearity.
pub type Layer = Vec<Stage>;

/// A stack of layers. The output of the last is what the chip's readout gives: real numbers.
#[derive(Clone, Debug, PartialEq)]
pub struct Network {
    layers: Vec<Layer>,
}

impl Network {
    /// Checks that stages fit together and that the last gives real numbers.
    pub fn new(layers: Vec<Layer>) -> Result<Self> {
        let network = Network { layers };
        let mut previous: Option<Signal> = None;
        for (index, stage) in network.stages().enumerate() {
            stage.validate()?;
            let input = stage.input();
            if let Some(signal) = previous {
                same_size(&format!("modes that enter stage {index}"), input.modes, signal.modes)?;
                if signal.complex != input.complex {
                    let kind = |complex| if complex { "complex fields" } else { "real numbers" };
                    let (need, got) = (kind(input.complex), kind(signal.complex));
                    return Err(Error::invalid(
                        "network",
                        format!("stage {index}"),
                        format!("needs {need}, gets {got}"),
                    ));
                }
            }
            previous = Some(stage.output());
        }
        match previous {
            Some(signal) if !signal.complex && network.layers.iter().all(|layer| !layer.is_empty()) => Ok(network),
            Some(signal) if signal.complex => {
                Err(Error::invalid("network", "last stage", "must detect: a readout is real numbers"))
            }
            _ => Err(Error::invalid("network", "empty", "needs at least one stage in every layer")),
        }
    }

    /// The same stages, each a layer of its own.
    pub fn single_stages(&self) -> Result<Self> {
        Self::new(self.stages().map(|stage| vec![stage.clone()]).collect())
    }

    /// The layers.
    pub fn layers(&self) -> &[Layer] {
        &self.layers
    }

    /// All stages in order.
    pub fn stages(&self) -> impl Iterator<Item = &Stage> {
        self.layers.iter().flatten()
    }

    /// The meshes, in the order in which light meets them.
    pub fn meshes(&self) -> impl Iterator<Item = &Mesh> {
        self.stages().filter_map(|stage| match stage {
            Stage::Mesh(mesh) => Some(mesh),
            _ => None,
        })
    }

    /// What enters the chip.
    pub fn input(&self) -> Signal {
        self.layers[0][0].input()
    }

    /// Number of values that one readout gives.
    pub fn outputs(&self) -> usize {
        self.layer_output(self.layers.len() - 1).modes
    }

    /// What leaves a layer.
    pub fn layer_output(&self, layer: usize) -> Signal {
        let stages = &self.layers[layer];
        stages[stages.len() - 1].output()
    }

    /// Number of controls of all stages.
    pub fn controls(&self) -> usize {
        self.stages().map(Stage::controls).sum()
    }

    /// Number of imperfections of all stages that can be estimated.
    pub fn imperfections(&self) -> usize {
        self.stages().map(Stage::imperfections).sum()
    }

    /// `M` of the interface counts: signals after the input, hidden and output ones.
    pub fn neurons(&self) -> usize {
        (0..self.layers.len()).map(|layer| self.layer_output(layer).modes).sum()
    }
}

/// The three stages `U·diag(σ)·Vᴴ` that realise any complex `outputs × inputs` matrix up to the gain (physics: Miller's SVD mesh).
pub fn singular_value_stages(inputs: usize, outputs: usize, layout: crate::optics::Layout) -> Result<[Stage; 3]> {
    Ok([
        Stage::Mesh(Mesh::universal(inputs, layout)?),
        Stage::Attenuators { inputs, outputs },
        Stage::Mesh(Mesh::universal(outputs, layout)?),
    ])
}
