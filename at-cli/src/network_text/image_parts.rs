//! Convolutions and pooling in the word of a network for images.

use super::stage::{CrossedInTurn, StageText};
use super::word::{find_detection, finesse_of, size};
use anyhow::{Result, anyhow, bail, ensure};
use at_core::data::ImageShape;
use at_core::stage::{Patches, Pool};

/// A part of the word and its options.
pub struct Part<'a> {
    /// What stands in front of the colon.
    pub kind: &'a str,
    /// What stands behind it.
    pub rest: &'a str,
    /// What follows up to the next part.
    pub options: Vec<&'a str>,
}

/// `16@5x5` or `16@5`, with stride=, padding=, what patches cross, norm: the stages, and the image that leaves them.
pub fn convolution(part: &Part, image: ImageShape) -> Result<(Vec<StageText>, ImageShape)> {
    let form = || anyhow!("write it as CHANNELS@ROWSxCOLUMNS, as in 16@5x5");
    let (channels, kernel) = part.rest.split_once('@').ok_or_else(form)?;
    let (rows, columns) = kernel.split_once('x').unwrap_or((kernel, kernel));
    let (outputs, kernel) = (size(channels)?, [size(rows)?, size(columns)?]);
    let (mut stride, mut padding, mut element, mut groups) = (1, 0, CrossedInTurn::WeightBank, None);
    let (mut channels, mut finesse, mut tile, mut detection) = (None, None, None, None);
    for option in &part.options {
        match option.split_once('=') {
            Some(("stride", number)) => stride = size(number)?,
            Some(("padding", number)) => {
                let none = || anyhow!("{number:?} is no padding; a padding is a whole number from 0");
                padding = number.parse().map_err(|_| none())?;
            }
            None if *option == "bank" => element = CrossedInTurn::WeightBank,
            None if *option == "matrix" => element = CrossedInTurn::Matrix,
            Some(("norm", number)) => groups = Some(size(number)?),
            None if *option == "norm" => groups = Some(1),
            None if *option == "rings" => element = CrossedInTurn::RingBank,
            Some(("channels", number)) => channels = Some(size(number)?),
            Some(("finesse", number)) => finesse = Some(finesse_of(number)?),
            None if *option == "pcm" => element = CrossedInTurn::PhaseChange,
            None if *option == "mesh" => element = CrossedInTurn::Mesh,
            None if *option == "svd" => element = CrossedInTurn::SingularValue,
            Some(("svd", number)) => (element, tile) = (CrossedInTurn::SingularValue, Some(size(number)?)),
            Some(("tiles", number)) => (element, tile) = (CrossedInTurn::Tiles, Some(size(number)?)),
            Some(("detection", name)) => detection = Some(find_detection(name)?),
            Some(_) | None => bail!(
                "unknown option {option:?}; known: stride=, padding=, norm, bank, matrix, rings, channels=, finesse=, pcm, mesh, \
                 svd, svd=, tiles=, detection="
            ),
        }
    }
    let patches = Patches { image, kernel, stride, padding };
    patches.validate()?;
    let [height, width] = patches.counts();
    let leaves = ImageShape::new(outputs, height, width);
    let mut stages = vec![StageText::Convolution {
        image,
        outputs,
        kernel,
        stride,
        padding,
        element,
        channels,
        finesse,
        tile,
        detection,
    }];
    if let Some(groups) = groups {
        ensure!(outputs.is_multiple_of(groups), "norm={groups}: must divide the {outputs} channels");
        stages.push(StageText::Normalization { image: leaves, groups });
    }
    Ok((stages, leaves))
}

/// Puts pooling by detectors behind the convolution with which `stages` ends, before normalisation and rectifier. `leaves` is the pooled image.
pub fn pool_currents(stages: &mut Vec<StageText>, pooling: StageText, leaves: ImageShape) {
    let convolved = stages.iter().rposition(|stage| matches!(stage, StageText::Convolution { .. }));
    let at = convolved.map_or(stages.len(), |index| index + 1);
    for stage in &mut stages[at..] {
        if let StageText::Normalization { image, .. } = stage {
            *image = leaves;
        }
    }
    stages.insert(at, pooling);
}

/// `2`, with stride=, max, average, detectors: the stage, and the image that leaves it.
pub fn pooling(part: &Part, image: ImageShape) -> Result<(StageText, ImageShape)> {
    let (length, mut stride, mut pool) = (size(part.rest)?, None, Pool::Max);
    for option in &part.options {
        match (option.split_once('='), Pool::ALL.iter().find(|pool| pool.name() == *option)) {
            (Some(("stride", number)), _) => stride = Some(size(number)?),
            (None, Some(&named)) => pool = named,
            (None, None) if *option == "light" => bail!(
                "light: patches cross a convolution in turn, so that the light of two of them is never there at once; \
                 detectors gathers their currents instead, average their numbers"
            ),
            (Some(_) | None, _) => bail!("unknown option {option:?}; known: stride=, max, average, detectors"),
        }
    }
    let patches = Patches { image, kernel: [length; 2], stride: stride.unwrap_or(length), padding: 0 };
    patches.validate()?;
    let [height, width] = patches.counts();
    Ok((StageText::Pooling { image, size: length, stride, pool }, ImageShape::new(image.channels, height, width)))
}
