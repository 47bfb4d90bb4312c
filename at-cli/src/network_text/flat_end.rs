//! The linear stages that take a flattened image, at the end of a network for images.
//!
//! ```text
//! bank:128-out     rings:10,channels=8     pcm:20-out     svd:10x36/4,detection=intensity
//! ```
//!
//! Widths are those behind the image, or `10x36` for one stage of 10 outputs. Singular values stand between modulators and detectors, in tiles of k
//! as `10x36/k`.

use super::stage::StageText;
use super::word::{dense, find_detection, finesse_of, size};
use anyhow::{Result, bail, ensure};
use at_core::data::ImageShape;
use at_core::network::Detection;
use at_core::optics::layout::Layout;

/// A kind of such stages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatEnd {
    /// Weight banks.
    Bank,
    /// Real matrices.
    Matrix,
    /// Banks of microrings.
    Rings,
    /// Phase-change crossbars.
    PhaseChange,
    /// Singular values.
    SingularValues,
}

impl FlatEnd {
    /// What they are called, in the order of [`FlatEnd::ALL`].
    pub const NAMES: [&str; 5] = ["bank", "matrix", "rings", "pcm", "svd"];
    const ALL: [FlatEnd; 5] =
        [FlatEnd::Bank, FlatEnd::Matrix, FlatEnd::Rings, FlatEnd::PhaseChange, FlatEnd::SingularValues];

    /// The kind of this name.
    pub fn named(name: &str) -> Option<Self> {
        Self::NAMES.iter().position(|own| *own == name).map(|place| Self::ALL[place])
    }

    /// The layers with these `widths` behind the flattened `image`, and `classes` outputs where they say `out`.
    pub fn layers(
        self,
        widths: &str,
        options: &[&str],
        image: ImageShape,
        classes: usize,
    ) -> Result<Vec<Vec<StageText>>> {
        let (mut channels, mut finesse, mut detection) = (None, None, Detection::Homodyne { phase: 0.0 });
        for option in options {
            match (self, option.split_once('=')) {
                (FlatEnd::Rings, Some(("channels", number))) => channels = Some(size(number)?),
                (FlatEnd::Rings, Some(("finesse", number))) => finesse = Some(finesse_of(number)?),
                (FlatEnd::SingularValues, Some(("detection", name))) => detection = find_detection(name)?,
                (FlatEnd::Rings, _) => bail!("unknown option {option:?}; known: channels=, finesse="),
                (FlatEnd::SingularValues, _) => bail!("unknown option {option:?}; known: detection="),
                (FlatEnd::Bank | FlatEnd::Matrix | FlatEnd::PhaseChange, _) => bail!("has no option {option:?}"),
            }
        }
        let (widths, tile) = match widths.split_once('/') {
            Some((widths, tile)) if self == FlatEnd::SingularValues => (widths, Some(size(tile)?)),
            Some(_) | None => (widths, None),
        };
        let linear = |inputs, outputs| match self {
            FlatEnd::Bank => StageText::WeightBank { inputs, outputs },
            FlatEnd::Matrix => StageText::Matrix { inputs, outputs },
            FlatEnd::Rings => StageText::RingBank { inputs, outputs, channels, finesse },
            FlatEnd::PhaseChange => StageText::PhaseChange { inputs, outputs },
            FlatEnd::SingularValues => StageText::SingularValue { inputs, outputs, layout: Layout::Rectangular, tile },
        };
        let mut layers = dense(&self.behind(widths, image)?, image.features(), classes, linear)?;
        for layer in &mut layers {
            if let StageText::SingularValue { outputs, .. } = &mut layer[0] {
                // two neighbours make one readout
                *outputs = if detection == Detection::Balanced { outputs.saturating_mul(2) } else { *outputs };
                layer.insert(0, StageText::Modulation {});
                layer.insert(2, StageText::Detection { detection });
            }
        }
        Ok(layers)
    }

    /// The widths from the flattened image on.
    fn behind(self, widths: &str, image: ImageShape) -> Result<String> {
        let flat = image.features();
        let shaped = !matches!(self, FlatEnd::Bank | FlatEnd::Matrix);
        let Some((outputs, inputs)) = widths.split_once('x').filter(|_| shaped) else {
            return Ok(format!("{flat}-{widths}"));
        };
        let fits = inputs == "in" || size(inputs)? == flat;
        ensure!(fits, "the flattened image of {image} has {flat} features: write {outputs}x{flat}, or {outputs}");
        Ok(format!("{flat}-{outputs}"))
    }
}
