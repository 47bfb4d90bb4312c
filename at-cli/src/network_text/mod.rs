//! The notation of networks: one word on the command line ([`word`]), or stages spelled out in TOML.

mod build;
mod diffractive;
mod flat_end;
mod help;
mod image_parts;
mod images;
mod long;
mod looped;
mod stage;
#[cfg(test)]
mod tests;
mod word;

pub use build::{build, mesh};
pub use help::STAGES;
use looped::LoopWord;
pub use stage::{CrossedInTurn, StageText};
pub use word::columns_in;

use anyhow::{Context, Result};
use at_core::data::ImageShape;
use at_core::optics::layout::{Columns, Layout};
use serde::Serialize;
use std::convert::Infallible;
use std::str::FromStr;
use word::layers_of;

/// How `--help` explains the notation.
pub const HELP: &str = "  matrix:784-256-10     real matrices with biases, ReLU between them
  bank:in-48-out        weight banks, ReLU between them; `in` and `out` fit the
                        data set
  rings:10x64           a microring weight bank of 10 outputs and 64 inputs, a
                        wavelength each; rings:in-48-out two, ReLU between them;
                        rings:10x64,channels=32,finesse=200 for 32 wavelengths
                        on a bus [16] and this finesse [100]
  pcm:10x64             a crossbar of pairs of phase-change cells; pcm:in-48-out
                        as above; levels are the chip's: --pcm-levels
  mesh:64x3             3 rectangular meshes of 64 modes, electro-optic
                        activations between them, intensity readout
  mesh:64x3,depth=80    options after commas: depth=N columns, redundant ones
                        too; activation=none, saturable, mod-relu or spm;
                        detection=amplitude, balanced or homodyne; residual:
                        the light of every hidden layer is split before it and
                        added behind it (of tiles and svd too)
  mesh:64x3,butterfly   other layouts: triangular, diamond (64 modes for 33),
                        butterfly and benes (2^k modes), layout=FILE or
                        columns=0-1.2-3/1-2 for any other
  tiles:32x64/16        a layer of 32 outputs and 64 inputs, cut into tiles of
                        16 modes, each a mesh on a die of its own; options as
                        of meshes
  tiles:64x64/16x3      3 such layers, electro-optic activations between them
  svd:32x64             any matrix of 32 outputs and 64 inputs: a mesh,
                        attenuators, a mesh; svd:32x64/16 cut into tiles;
                        options and x3 as of tiles, without depth and columns
  diffractive:64x64x5   5 masks of 64 x 64 pixels, free space before, between
                        and behind them, and a detector per class; options:
                        pitch=400um, distance=30mm, wavelength=750um (as in the
                        first such networks), mask=amplitude or complex,
                        regions=K detectors of detector=N pixels a side,
                        activation=
  conv:16@5x5,pool:2,conv:32@5x5,pool:2,bank:128-out
                        images: 16 kernels of 5 x 5 that all patches cross in
                        turn, maxima of 2 x 2 patches, …, flattened into weight
                        banks; ReLU behind all but the last
  conv:8@3,stride=2,padding=1,matrix
                        options after commas, also norm (norm=G: in G groups
                        of channels); of pools: average, detectors (whose
                        currents add up), stride=N. What patches cross: bank,
                        matrix, rings (channels=N, finesse=F), pcm, or light
                        between modulators and detectors: svd, svd=16 or
                        tiles=16 in tiles, mesh; detection=homodyne as
                        default, amplitude, intensity, balanced
  conv:8@4x4,svd=4,pool:2,svd:outxin/2
                        nothing but meshes, in tiles: what methods that light
                        single meshes (subspace, in-situ, ffm) can train
  conv:8@3,padding=1,split,conv:8@3,padding=1,conv:8@3,padding=1,add,bank:out
                        a residual connection: what is split is added again
                        The shape of images is the data set's; of tables they
                        are square, of one channel or three, unless the word
                        begins with their shape, channels first:
                        image:3x24x32,conv:8@3,bank:out
  lenet-5, vgg-8        such networks by name
  bank:in-32-out,sequence=8
                        recurrent: all layers but the last are crossed in 8
                        steps; at each an eighth of the features enters, in
                        their order, beside the 32 values that left the step
                        before. Images enter row by row where steps are rows
  mesh:16x2,sequence=8x8
                        the same in light: 8 modes of 16 take what enters, the
                        last 8 what left them
  mesh:64x2,repeat=5,activation=saturable
                        the sample enters once; what leaves is fed back 4 times
  bank:in-32-out,hold=5
                        the sample stays beside the state at all 5 steps
                        (a mesh: hold=5x8). More after commas:
                        feedback=converted: read and written at every step;
                        else light, or analogue electronics, lead it back
  Without a --preset, defaults follow the network: meshes and tiles get a chip
  of kind mesh, at-adaptive, scaled readouts and Adam; matrices a demo chip;
  rings and pcm a chip of their kind, at-adaptive and Adam.
  In a settings file also a list of layers, each a list of stages (asyt help
  networks has every kind; --print-config --long writes a word so):
    network = [[
      { kind = \"mesh\", modes = 16 },
      { kind = \"detection\", detection = { kind = \"intensity\" } },
    ]]
";

/// A network as written.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(untagged)]
pub enum NetworkText {
    /// `matrix:…`, `bank:…`, `rings:…`, `pcm:…`, `mesh:…`, `tiles:…`, `svd:…`, `conv:…`, `diffractive:…`.
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

impl NetworkText {
    /// Whether it leaves the shape of its images to the data.
    pub fn leaves_its_images_open(&self) -> bool {
        matches!(self, NetworkText::Short(word) if images::is_of_images(word) && !word.starts_with("image:"))
    }

    /// Equal parts of its inputs that enter one after the other; 1 where they enter as a whole.
    pub fn parts(&self) -> usize {
        match self {
            NetworkText::Short(word) => LoopWord::parts_in(word),
            NetworkText::Long(_) => 1,
        }
    }

    /// The layers, with the words `in` and `out` replaced by these numbers, where nothing is known of images.
    pub fn layers(&self, inputs: usize, outputs: usize) -> Result<Vec<Vec<StageText>>> {
        self.layers_for(inputs, None, outputs)
    }

    /// The layers for such inputs, which are images of this shape where that is known.
    pub fn layers_for(&self, inputs: usize, image: Option<ImageShape>, outputs: usize) -> Result<Vec<Vec<StageText>>> {
        match self {
            NetworkText::Long(layers) => Ok(layers.clone()),
            NetworkText::Short(text) => {
                layers_of(text, inputs, image, outputs).with_context(|| format!("network {text:?}"))
            }
        }
    }

    /// The same network as a list of layers, with these numbers in the place of the words `in` and `out`.
    pub fn long(&self, inputs: usize, outputs: usize) -> Result<NetworkText> {
        self.layers(inputs, outputs).map(NetworkText::Long)
    }

    /// The same text with these numbers in the place of the words `in` and `out`, the shape of its images, and columns in the place of
    /// the file that tells them.
    pub fn explicit(&self, inputs: usize, image: Option<ImageShape>, outputs: usize) -> NetworkText {
        let NetworkText::Short(text) = self else { return self.clone() };
        if images::is_of_images(text) {
            return NetworkText::Short(images::explicit(text, inputs, image, outputs));
        }
        let text = match text.split_once(':') {
            Some(("mesh", rest)) if rest.starts_with("in") => format!("mesh:{inputs}{}", &rest[2..]),
            Some((kind @ ("tiles" | "svd"), rest)) => {
                let end = rest.find(['/', ',']).unwrap_or(rest.len());
                let (shape, more) = rest.split_at(end);
                let number = |word: &str| match word {
                    "in" => inputs.to_string(),
                    "out" if kind == "svd" => outputs.to_string(),
                    _ => word.to_string(),
                };
                format!("{kind}:{}{more}", shape.split('x').map(number).collect::<Vec<_>>().join("x"))
            }
            Some(("diffractive", _)) => diffractive::explicit(text, outputs),
            Some((kind @ ("matrix" | "bank" | "rings" | "pcm"), rest)) => {
                let number = |word: &str| match word {
                    "in" => inputs.to_string(),
                    "out" => outputs.to_string(),
                    _ => word.to_string(),
                };
                let (widths, options) = rest.split_at(rest.find(',').unwrap_or(rest.len()));
                let between = if widths.contains('-') { "-" } else { "x" };
                format!("{kind}:{}{options}", widths.split(between).map(number).collect::<Vec<_>>().join(between))
            }
            _ => text.clone(),
        };
        NetworkText::Short(word::with_columns(&text))
    }
}

/// Number of controls, as a float because absurd sizes overflow.
pub fn controls(layers: &[Vec<StageText>]) -> f64 {
    let square = |modes: usize| (modes as f64).powi(2);
    let stage = |stage: &StageText| match *stage {
        StageText::Mesh { modes, layout, depth, ref columns } => {
            modes as f64 * (depth_of(modes, layout, depth, columns) + 1.0)
        }
        StageText::SingularValue { inputs, outputs, tile: None, .. } => square(inputs) + square(outputs),
        StageText::SingularValue { inputs, outputs, .. } => 2.0 * inputs as f64 * outputs as f64,
        StageText::Tiles { inputs, outputs, tile, layout, depth, ref columns } => {
            inputs as f64 * outputs as f64 * (depth_of(tile, layout, depth, columns) + 1.0) / tile as f64
        }
        StageText::Matrix { inputs, outputs }
        | StageText::WeightBank { inputs, outputs }
        | StageText::RingBank { inputs, outputs, .. }
        | StageText::PhaseChange { inputs, outputs } => outputs as f64 * (inputs as f64 + 1.0),
        StageText::Convolution { image, outputs, kernel, element, tile, .. } => {
            let entries = image.channels as f64 * kernel[0] as f64 * kernel[1] as f64;
            match (element, tile) {
                (CrossedInTurn::Mesh, _) => entries * entries,
                (CrossedInTurn::SingularValue, None) => entries * entries + square(outputs),
                (CrossedInTurn::SingularValue, Some(_)) => 2.0 * entries * outputs as f64,
                (CrossedInTurn::Tiles, _) => entries * outputs as f64,
                (
                    CrossedInTurn::WeightBank
                    | CrossedInTurn::Matrix
                    | CrossedInTurn::RingBank
                    | CrossedInTurn::PhaseChange,
                    _,
                ) => outputs as f64 * (entries + 1.0),
            }
        }
        StageText::Residual { ref stages } => controls(std::slice::from_ref(stages)),
        StageText::Normalization { image, .. } => 2.0 * image.channels as f64,
        StageText::Mask { rows, columns, transmission } => {
            let kinds = transmission.has().into_iter().filter(|has| *has).count();
            kinds as f64 * rows as f64 * columns as f64
        }
        // an element of somebody's own is not built here
        StageText::Own { .. }
        | StageText::FreeSpace { .. }
        | StageText::Regions { .. }
        | StageText::Activation { .. }
        | StageText::Detection { .. }
        | StageText::Modulation {}
        | StageText::Pooling { .. }
        | StageText::Loop { .. }
        | StageText::Rectifier { .. } => 0.0,
    };
    layers.iter().flatten().map(stage).sum()
}

/// Columns of a mesh, each counted as if it were full.
fn depth_of(modes: usize, layout: Layout, depth: Option<usize>, columns: &Option<Columns>) -> f64 {
    let own = match layout {
        Layout::Rectangular | Layout::Triangular => modes as f64 - 1.0,
        Layout::Diamond => modes as f64 / 2.0,
        Layout::Butterfly => (modes as f64).log2(),
        Layout::Benes => 2.0 * (modes as f64).log2() - 1.0,
        Layout::Custom => columns.as_ref().map_or(0.0, |columns| columns.len() as f64),
    };
    depth.map_or(own, |depth| depth as f64)
}
