//! A stage as it is spelled out in TOML.

use anyhow::{Error, anyhow};
use at_core::network::Detection;
use at_core::optics::Activation;
use at_core::optics::layout::{Columns, Layout};
use at_core::stage::Transmission;
use serde::{Deserialize, Serialize};

/// A stage in TOML. Stages between others take their number of modes from the stage before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum StageText {
    /// A mesh; `depth` truncates a rectangular one, `columns` are those of a custom one.
    Mesh {
        modes: usize,
        #[serde(default = "rectangular")]
        layout: Layout,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        depth: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Columns>,
    },
    /// Mesh, attenuators, mesh: any matrix; with `tile` one such for every tile, between splitters and combiners.
    SingularValue {
        inputs: usize,
        outputs: usize,
        #[serde(default = "rectangular")]
        layout: Layout,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tile: Option<usize>,
    },
    /// Splitters, a mesh of `tile` modes for every tile, combiners; `depth` and `columns` as of a mesh.
    Tiles {
        inputs: usize,
        outputs: usize,
        tile: usize,
        #[serde(default = "rectangular")]
        layout: Layout,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        depth: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        columns: Option<Columns>,
    },
    Matrix {
        inputs: usize,
        outputs: usize,
    },
    WeightBank {
        inputs: usize,
        outputs: usize,
    },
    /// A mask of pixels.
    Mask {
        rows: usize,
        columns: usize,
        #[serde(default)]
        transmission: Transmission,
    },
    /// Free space between two grids of pixels.
    FreeSpace {
        rows: usize,
        columns: usize,
        pitch_um: f64,
        distance_um: f64,
        wavelength_um: f64,
    },
    /// Detectors, `count` squares of `side` pixels.
    Regions {
        rows: usize,
        columns: usize,
        count: usize,
        side: usize,
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
    /// An element of somebody's own, which the program that has its page can build and this one can name.
    Own {
        name: String,
    },
}

impl StageText {
    /// Its kind, as written.
    pub fn kind(&self) -> &'static str {
        match self {
            StageText::Mesh { .. } => "mesh",
            StageText::SingularValue { .. } => "singular-value",
            StageText::Tiles { .. } => "tiles",
            StageText::Matrix { .. } => "matrix",
            StageText::WeightBank { .. } => "weight-bank",
            StageText::Mask { .. } => "mask",
            StageText::FreeSpace { .. } => "free-space",
            StageText::Regions { .. } => "regions",
            StageText::Activation { .. } => "activation",
            StageText::Detection { .. } => "detection",
            StageText::Modulation {} => "modulation",
            StageText::Rectifier { .. } => "rectifier",
            StageText::Own { .. } => "own",
        }
    }
}

/// Why there is no element of somebody's own here.
pub fn element_elsewhere(name: &str) -> Error {
    anyhow!(
        "own:{name} is an element whose page is not in this library; train it with the program that has its page, as \
         at-core/examples/own_stage.rs does"
    )
}

fn rectangular() -> Layout {
    Layout::Rectangular
}
