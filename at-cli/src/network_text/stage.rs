//! A stage as it is spelled out in TOML.

use anyhow::{Error, anyhow};
use at_core::data::ImageShape;
use at_core::network::{Detection, Feedback};
use at_core::optics::Activation;
use at_core::optics::layout::{Columns, Layout};
use at_core::stage::{Pool, Transmission};
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
    /// Microrings, `channels` wavelengths on a bus, of the given `finesse`.
    RingBank {
        inputs: usize,
        outputs: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finesse: Option<f64>,
    },
    /// Pairs of phase-change cells.
    PhaseChange {
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
    /// Patches of an image through one element in turn; `image` is the one that enters, `outputs` are channels.
    Convolution {
        #[serde(with = "shape")]
        image: ImageShape,
        outputs: usize,
        kernel: [usize; 2],
        #[serde(default = "one")]
        stride: usize,
        #[serde(default)]
        padding: usize,
        #[serde(default)]
        element: CrossedInTurn,
        /// Wavelengths on a bus, and finesse, of rings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        channels: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        finesse: Option<f64>,
        /// Modes of a tile of singular values or tiles.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        tile: Option<usize>,
        /// What becomes of light.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        detection: Option<Detection>,
    },
    /// What leaves these stages is added to what enters the first.
    Residual {
        stages: Vec<StageText>,
    },
    /// Every sample normalised in groups of channels.
    Normalization {
        #[serde(with = "shape")]
        image: ImageShape,
        #[serde(default = "one")]
        groups: usize,
    },
    /// One number of every patch of `size` by `size`; patches touch where no `stride` is given.
    Pooling {
        #[serde(with = "shape")]
        image: ImageShape,
        size: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stride: Option<usize>,
        #[serde(default = "max")]
        pool: Pool,
    },
    /// No stage: at the head of a layer it says that this one, and with `layers` those behind, are crossed in so many `steps`. What a
    /// sample has of modes at a time is `held`, or are `parts` of it.
    Loop {
        steps: usize,
        #[serde(default = "one", skip_serializing_if = "is_one")]
        layers: usize,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<usize>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        parts: Option<usize>,
        #[serde(default)]
        feedback: Feedback,
    },
    /// An element of somebody's own, which the program that has its page can build and this one can name.
    Own {
        name: String,
    },
}

/// What patches cross in turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CrossedInTurn {
    #[default]
    WeightBank,
    Matrix,
    RingBank,
    PhaseChange,
    /// A mesh between modulators and detectors, of as many modes as a patch has entries.
    Mesh,
    /// Mesh, attenuators, mesh between them.
    SingularValue,
    /// Meshes of tiles between them.
    Tiles,
}

impl CrossedInTurn {
    /// As written in TOML.
    pub const NAMES: [&'static str; 7] =
        ["weight-bank", "matrix", "ring-bank", "phase-change", "mesh", "singular-value", "tiles"];

    /// Whether light crosses it.
    pub fn is_of_light(self) -> bool {
        match self {
            CrossedInTurn::Mesh | CrossedInTurn::SingularValue | CrossedInTurn::Tiles => true,
            CrossedInTurn::WeightBank
            | CrossedInTurn::Matrix
            | CrossedInTurn::RingBank
            | CrossedInTurn::PhaseChange => false,
        }
    }
}

/// The shape of an image as a word: `3x32x32`.
mod shape {
    use super::ImageShape;
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub fn serialize<S: Serializer>(image: &ImageShape, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(image)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<ImageShape, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

fn one() -> usize {
    1
}

fn is_one(count: &usize) -> bool {
    *count == 1
}

fn max() -> Pool {
    Pool::Max
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
            StageText::RingBank { .. } => "ring-bank",
            StageText::PhaseChange { .. } => "phase-change",
            StageText::Mask { .. } => "mask",
            StageText::FreeSpace { .. } => "free-space",
            StageText::Regions { .. } => "regions",
            StageText::Activation { .. } => "activation",
            StageText::Detection { .. } => "detection",
            StageText::Modulation {} => "modulation",
            StageText::Rectifier { .. } => "rectifier",
            StageText::Convolution { .. } => "convolution",
            StageText::Normalization { .. } => "normalization",
            StageText::Pooling { .. } => "pooling",
            StageText::Loop { .. } => "loop",
            StageText::Residual { .. } => "residual",
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
