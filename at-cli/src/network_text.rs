//! The notation of networks: one word on the command line, or stages spelled out in TOML.

use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::network::{Detection, Layer, Network, Signal, Stage, singular_value_stages};
use at_core::optics::{Activation, Layout, Mesh};
use serde::{Deserialize, Serialize};
use std::convert::Infallible;
use std::str::FromStr;

/// How `--help` explains the notation.
pub const HELP: &str = "  matrix:784-256-10     real matrices with biases, ReLU between them
  bank:in-48-out        weight banks, ReLU between them; `in` and `out` fit the
                        data set
  mesh:64x3             3 rectangular meshes of 64 modes, electro-optic
                        activations between them, intensity readout
  mesh:64x3,triangular  options after commas: rectangular, triangular; depth=N;
                        activation=none, saturable, mod-relu or spm;
                        detection=amplitude, balanced or homodyne
  In a settings file also a list of layers, each a list of stages:
    network = [[
      { kind = \"mesh\", modes = 16 },
      { kind = \"detection\", detection = { kind = \"intensity\" } },
    ]]
  kinds: mesh (modes, layout, depth), singular-value (inputs, outputs, layout),
  matrix and weight-bank (inputs, outputs), activation (activation),
  detection (detection), modulation, rectifier (threshold)
";

/// A network as written.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a network such as \"matrix:64-32-10\", or a list of layers that are lists of stages")]
pub enum NetworkText {
    /// `matrix:…`, `bank:…`, `mesh:…`.
    Short(String),
    /// Layers of stages.
    Long(Vec<Vec<StageText>>),
}

impl FromStr for NetworkText {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Infallible> {
        Ok(NetworkText::Short(text.to_string()))
    }
}

/// A stage in TOML. Stages between others take their number of modes from the stage before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum StageText {
    /// A mesh; `depth` truncates a rectangular one.
    Mesh {
        modes: usize,
        #[serde(default = "rectangular")]
        layout: Layout,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        depth: Option<usize>,
    },
    /// Mesh, attenuators, mesh: any matrix.
    SingularValue {
        inputs: usize,
        outputs: usize,
        #[serde(default = "rectangular")]
        layout: Layout,
    },
    Matrix {
        inputs: usize,
        outputs: usize,
    },
    WeightBank {
        inputs: usize,
        outputs: usize,
    },
    Activation {
        activation: Activation,
    },
    Detection {
        detection: Detection,
    },
    Modulation {},
    Rectifier {
        #[serde(default)]
        threshold: f64,
    },
}

fn rectangular() -> Layout {
    Layout::Rectangular
}

impl NetworkText {
    /// The layers, with the words `in` and `out` replaced by these numbers.
    pub fn layers(&self, inputs: usize, outputs: usize) -> Result<Vec<Vec<StageText>>> {
        match self {
            NetworkText::Long(layers) => Ok(layers.clone()),
            NetworkText::Short(text) => short(text, inputs, outputs).with_context(|| format!("network {text:?}")),
        }
    }
}

impl NetworkText {
    /// The same text with these numbers in the place of the words `in` and `out`.
    pub fn explicit(&self, inputs: usize, outputs: usize) -> NetworkText {
        let NetworkText::Short(text) = self else { return self.clone() };
        let text = match text.split_once(':') {
            Some(("mesh", rest)) if rest.starts_with("in") => format!("mesh:{inputs}{}", &rest[2..]),
            Some((kind @ ("matrix" | "bank"), widths)) => {
                let number = |word: &str| match word {
                    "in" => inputs.to_string(),
                    "out" => outputs.to_string(),
                    _ => word.to_string(),
                };
                format!("{kind}:{}", widths.split('-').map(number).collect::<Vec<_>>().join("-"))
            }
            _ => text.clone(),
        };
        NetworkText::Short(text)
    }
}

fn short(text: &str, inputs: usize, outputs: usize) -> Result<Vec<Vec<StageText>>> {
    let (kind, rest) = text.split_once(':').ok_or_else(|| anyhow!("write it as in matrix:64-32-10 or mesh:64x3"))?;
    match kind {
        "matrix" => dense(rest, inputs, outputs, |inputs, outputs| StageText::Matrix { inputs, outputs }),
        "bank" => dense(rest, inputs, outputs, |inputs, outputs| StageText::WeightBank { inputs, outputs }),
        "mesh" => meshes(rest, inputs),
        _ => bail!("{}", crate::names::unknown("kind", kind, ["matrix", "bank", "mesh"])),
    }
}

/// `in-48-out`: linear stages between the given widths, rectifiers between them.
fn dense(
    text: &str,
    inputs: usize,
    outputs: usize,
    stage: impl Fn(usize, usize) -> StageText,
) -> Result<Vec<Vec<StageText>>> {
    let width = |word: &str| match word {
        "in" => Ok(inputs),
        "out" => Ok(outputs),
        _ => size(word),
    };
    let widths = text.split('-').map(width).collect::<Result<Vec<usize>>>()?;
    ensure!(widths.len() >= 2, "needs at least two widths, inputs and outputs, as in 64-10");
    let mut layers: Vec<_> =
        widths.windows(2).map(|pair| vec![stage(pair[0], pair[1]), StageText::Rectifier { threshold: 0.0 }]).collect();
    layers.last_mut().expect("two widths make a layer").pop();
    Ok(layers)
}

/// `64x3,option,…`: meshes with activations between them and a detection at the end.
fn meshes(text: &str, inputs: usize) -> Result<Vec<Vec<StageText>>> {
    let mut parts = text.split(',');
    let shape = parts.next().unwrap_or_default();
    let (modes, count) = shape.split_once('x').unwrap_or((shape, "1"));
    let modes = if modes == "in" { inputs } else { size(modes)? };
    let (mut layout, mut depth) = (Layout::Rectangular, None);
    let mut activation = Some(Activation::ELECTRO_OPTIC);
    let mut detection = Detection::Intensity;
    for part in parts {
        match part.split_once('=') {
            None if part == "rectangular" => layout = Layout::Rectangular,
            None if part == "triangular" => layout = Layout::Triangular,
            Some(("depth", columns)) => depth = Some(size(columns)?),
            Some(("activation", name)) => activation = find_activation(name)?,
            Some(("detection", name)) => detection = find_detection(name)?,
            _ => bail!("unknown option {part:?}; known: triangular, rectangular, depth=, activation=, detection="),
        }
    }
    let count = size(count)?;
    ensure!(count <= 100_000, "{count} meshes are too many");
    let mut layers = vec![vec![StageText::Mesh { modes, layout, depth }]; count];
    let (last, hidden) = layers.split_last_mut().ok_or_else(|| anyhow!("needs at least one mesh"))?;
    for layer in hidden {
        layer.extend(activation.map(|activation| StageText::Activation { activation }));
    }
    last.push(StageText::Detection { detection });
    Ok(layers)
}

fn size(word: &str) -> Result<usize> {
    match word.parse() {
        Ok(0) | Err(_) => bail!("{word:?} is no size; a size is a whole number from 1"),
        Ok(size) => Ok(size),
    }
}

/// The activation of a name, with parameters that suit fields of mean power 1.
fn find_activation(name: &str) -> Result<Option<Activation>> {
    Ok(Some(match name {
        "none" => return Ok(None),
        "electro-optic" => Activation::ELECTRO_OPTIC,
        "saturable" => Activation::Saturable { depth: 1.0, saturation: 1.0 },
        "mod-relu" => Activation::ModRelu { bias: 0.5 },
        "spm" => Activation::Spm { gain: 1.0 },
        _ => bail!(
            "{}",
            crate::names::unknown("activation", name, ["none", "electro-optic", "saturable", "mod-relu", "spm"])
        ),
    }))
}

fn find_detection(name: &str) -> Result<Detection> {
    Ok(match name {
        "intensity" => Detection::Intensity,
        "amplitude" => Detection::Amplitude,
        "balanced" => Detection::Balanced,
        "homodyne" => Detection::Homodyne { phase: 0.0 },
        _ => bail!("{}", crate::names::unknown("detection", name, ["intensity", "amplitude", "balanced", "homodyne"])),
    })
}

/// Number of controls, as a float because absurd sizes overflow.
pub fn controls(layers: &[Vec<StageText>]) -> f64 {
    let square = |modes: usize| (modes as f64).powi(2);
    let stage = |stage: &StageText| match *stage {
        StageText::Mesh { modes, depth: Some(depth), .. } => modes as f64 * (depth as f64 + 1.0),
        StageText::Mesh { modes, .. } => square(modes),
        StageText::SingularValue { inputs, outputs, .. } => square(inputs) + square(outputs),
        StageText::Matrix { inputs, outputs } | StageText::WeightBank { inputs, outputs } => {
            outputs as f64 * (inputs as f64 + 1.0)
        }
        _ => 0.0,
    };
    layers.iter().flatten().map(stage).sum()
}

/// The network of these layers. Call [`controls`] first: this takes memory in proportion to the meshes' columns.
pub fn build(layers: &[Vec<StageText>]) -> Result<Network> {
    let mut signal = None;
    let layers = layers.iter().map(|layer| build_layer(layer, &mut signal)).collect::<Result<Vec<_>>>()?;
    Ok(Network::new(layers)?)
}

fn build_layer(texts: &[StageText], signal: &mut Option<Signal>) -> Result<Layer> {
    let mut layer = Layer::new();
    for text in texts {
        let modes = || {
            let signal = signal.ok_or_else(|| anyhow!("a network begins with a mesh, a matrix or a weight bank"))?;
            anyhow::Ok(signal.modes)
        };
        match *text {
            StageText::Mesh { modes, layout: Layout::Rectangular, depth: Some(depth) } => {
                layer.push(Stage::Mesh(Mesh::truncated(modes, depth)?));
            }
            StageText::Mesh { depth: Some(_), .. } => bail!("only a rectangular mesh can have a depth"),
            StageText::Mesh { modes, layout, depth: None } => layer.push(Stage::Mesh(Mesh::universal(modes, layout)?)),
            StageText::SingularValue { inputs, outputs, layout } => {
                layer.extend(singular_value_stages(inputs, outputs, layout)?);
            }
            StageText::Matrix { inputs, outputs } => layer.push(Stage::Matrix { inputs, outputs }),
            StageText::WeightBank { inputs, outputs } => layer.push(Stage::WeightBank { inputs, outputs }),
            StageText::Activation { activation } => layer.push(Stage::Activation { modes: modes()?, activation }),
            StageText::Detection { detection } => layer.push(Stage::Detection { modes: modes()?, detection }),
            StageText::Modulation {} => layer.push(Stage::Modulation { modes: modes()? }),
            StageText::Rectifier { threshold } => layer.push(Stage::Rectifier { modes: modes()?, threshold }),
        }
        *signal = layer.last().map(Stage::output);
    }
    Ok(layer)
}

#[cfg(test)]
#[path = "network_text_tests.rs"]
mod tests;
