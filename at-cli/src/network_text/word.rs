//! One word for a network: `matrix:64-32-10`, `bank:in-48-out`, `rings:10x64`, `pcm:in-48-out`, `mesh:64x3,triangular`, `tiles:32x64/16`,
//! `svd:32x64`, `diffractive:64x64x5`.

use super::looped::LoopWord;
use super::stage::{StageText, element_elsewhere};
use super::{diffractive, images};
use crate::names;
use anyhow::{Result, anyhow, bail, ensure};
use at_core::data::ImageShape;
use at_core::files::layout_file::read_columns;
use at_core::network::Detection;
use at_core::optics::Activation;
use at_core::optics::layout::{Columns, Layout, NAMED, columns_of, columns_text};
use std::path::Path;

/// The layers of a word, whose numbers `in` and `out` are these, and whose images have this shape where that is known.
pub fn layers_of(text: &str, inputs: usize, image: Option<ImageShape>, outputs: usize) -> Result<Vec<Vec<StageText>>> {
    if LoopWord::is_in(text) {
        let own = LoopWord::of(text)?;
        let kind = own.rest.split(':').next().unwrap_or("");
        ensure!(
            ["matrix", "bank", "rings", "pcm", "mesh", "tiles", "svd"].contains(&kind),
            "a word of kind {kind:?} has no loop; matrix, bank, rings, pcm, mesh, tiles and svd can have one"
        );
        return own.close(layers_of(&own.rest, inputs, image, outputs)?);
    }
    if images::is_of_images(text) {
        return images::layers(text, inputs, image, outputs);
    }
    let (kind, rest) = text.split_once(':').ok_or_else(|| {
        let named = images::NAMED.map(|own| own.0);
        match names::nearest(text, named) {
            Some(_) => anyhow!("{}", names::unknown("network", text, named)),
            None => anyhow!("write it as in matrix:64-32-10 or mesh:64x3"),
        }
    })?;
    match kind {
        "matrix" | "bank" if rest.contains(',') => {
            let option = rest.split(',').nth(1).unwrap_or_default();
            let of_rings =
                if option.starts_with("channels=") || option.starts_with("finesse=") { "; rings: has it" } else { "" };
            bail!("{kind}: has no options, and {option:?} is one{of_rings}")
        }
        "matrix" | "bank" if !rest.contains('-') && rest.contains('x') => {
            bail!(
                "the widths of {kind}: stand in the order of light with - between them, as in 64-10 for 64 inputs and 10 outputs"
            )
        }
        "matrix" => dense(rest, inputs, outputs, |inputs, outputs| StageText::Matrix { inputs, outputs }),
        "bank" => dense(rest, inputs, outputs, |inputs, outputs| StageText::WeightBank { inputs, outputs }),
        "rings" => {
            let (widths, options) = rest.split_once(',').unwrap_or((rest, ""));
            let (channels, finesse) = ring_options(options)?;
            crossbars(widths, inputs, outputs, |inputs, outputs| StageText::RingBank {
                inputs,
                outputs,
                channels,
                finesse,
            })
        }
        "pcm" => {
            let (widths, options) = rest.split_once(',').unwrap_or((rest, ""));
            ensure!(
                options.is_empty(),
                "unknown option {options:?}: a crossbar has none; the levels of its cells are the chip's, --pcm-levels"
            );
            crossbars(widths, inputs, outputs, |inputs, outputs| StageText::PhaseChange { inputs, outputs })
        }
        "mesh" => meshes(rest, inputs),
        "tiles" => tiles(rest, inputs),
        "svd" => singular_values(rest, inputs, outputs),
        "diffractive" => diffractive::layers_of(rest, outputs),
        "own" => Err(element_elsewhere(rest)),
        _ => {
            let known =
                ["matrix", "bank", "rings", "pcm", "mesh", "tiles", "svd", "conv", "pool", "image", "diffractive"];
            bail!("{}", names::unknown("kind", kind, known))
        }
    }
}

/// `in-48-out`: linear stages between the given widths, rectifiers between them.
pub(super) fn dense(
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

/// `10x64`, outputs by inputs, for one linear stage, or as of [`dense`].
fn crossbars(
    text: &str,
    inputs: usize,
    outputs: usize,
    stage: impl Fn(usize, usize) -> StageText,
) -> Result<Vec<Vec<StageText>>> {
    match text.split_once('x').filter(|_| !text.contains('-')) {
        Some((rows, columns)) => dense(&format!("{columns}-{rows}"), inputs, outputs, stage),
        None if text.contains('-') => dense(text, inputs, outputs, stage),
        None => bail!("write it as OUTPUTSxINPUTS, as in 10x64, or as widths, as in in-48-out"),
    }
}

/// `channels=32,finesse=200`.
fn ring_options(options: &str) -> Result<(Option<usize>, Option<f64>)> {
    let (mut channels, mut finesse) = (None, None);
    for part in options.split(',').filter(|_| !options.is_empty()) {
        match part.split_once('=') {
            Some(("channels", count)) => channels = Some(size(count)?),
            Some(("finesse", number)) => {
                finesse = Some(finesse_of(number)?);
            }
            _ => bail!("unknown option {part:?}; known: channels=, finesse="),
        }
    }
    Ok((channels, finesse))
}

pub(super) fn finesse_of(number: &str) -> Result<f64> {
    number.parse().map_err(|_| anyhow!("{number:?} is no finesse; a finesse is a number"))
}

/// `64x3,option,…`, `inx3`, `in-x3`: meshes with activations between them and a detection at the end.
fn meshes(text: &str, inputs: usize) -> Result<Vec<Vec<StageText>>> {
    let (shape, options) = text.split_once(',').unwrap_or((text, ""));
    // with a hyphen, as the words of matrices have them, or without
    let parts = shape.split_once("-x").or_else(|| shape.split_once('x'));
    let (modes, count) = parts.unwrap_or((shape, "1"));
    let modes = if modes == "in" { inputs } else { size(modes)? };
    let linear = |Shape { layout, depth, columns }| Ok(StageText::Mesh { modes, layout, depth, columns });
    coherent(size(count)?, options, linear)
}

/// `32x64/16x3,option,…`: the same with tiled layers of outputs × inputs.
fn tiles(text: &str, network_inputs: usize) -> Result<Vec<Vec<StageText>>> {
    let (shape, options) = text.split_once(',').unwrap_or((text, ""));
    let parts = shape.split_once('/').and_then(|(layer, tile)| Some((layer.split_once('x')?, tile)));
    let ((outputs, inputs), tile) = parts.ok_or_else(|| anyhow!("write it as OUTPUTSxINPUTS/TILE, as in 32x64/16"))?;
    let (tile, count) = tile.split_once('x').unwrap_or((tile, "1"));
    let number = |word: &str| if word == "in" { Ok(network_inputs) } else { size(word) };
    let (inputs, outputs, tile, count) = (number(inputs)?, number(outputs)?, size(tile)?, size(count)?);
    follow(count, outputs, inputs)?;
    let linear =
        |Shape { layout, depth, columns }| Ok(StageText::Tiles { inputs, outputs, tile, layout, depth, columns });
    coherent(count, options, linear)
}

/// `32x64`, `32x64x1`, `32x64/16x3,option,…`: layers of any matrix, whole or in tiles.
fn singular_values(text: &str, network_inputs: usize, network_outputs: usize) -> Result<Vec<Vec<StageText>>> {
    let (shape, options) = text.split_once(',').unwrap_or((text, ""));
    let form = || anyhow!("write it as OUTPUTSxINPUTS or OUTPUTSxINPUTS/TILE, as in 32x64/16");
    let (layer, tile) = shape.split_once('/').map_or((shape, None), |(layer, tile)| (layer, Some(tile)));
    let (outputs, inputs) = layer.split_once('x').ok_or_else(form)?;
    // the number of layers stands behind what is last
    let (last, count) = tile.unwrap_or(inputs).split_once('x').unwrap_or((tile.unwrap_or(inputs), "1"));
    let number = |word: &str| match word {
        "in" => Ok(network_inputs),
        "out" => Ok(network_outputs),
        _ => size(word),
    };
    let (outputs, count) = (number(outputs)?, size(count)?);
    let (inputs, tile) = match tile {
        Some(_) => (number(inputs)?, Some(size(last)?)),
        None => (number(last)?, None),
    };
    follow(count, outputs, inputs)?;
    coherent(count, options, |shape| {
        ensure!(shape.depth.is_none(), "the meshes of svd: make any unitary, and have no depth=");
        ensure!(shape.layout.is_universal(), "the meshes of svd: make any unitary: rectangular or triangular ones");
        Ok(StageText::SingularValue { inputs, outputs, layout: shape.layout, tile })
    })
}

/// Errs where so many layers do not follow on one another.
fn follow(count: usize, outputs: usize, inputs: usize) -> Result<()> {
    ensure!(
        count == 1 || inputs == outputs,
        "{count} layers of {outputs} outputs and {inputs} inputs do not follow on one another; one does, or square ones"
    );
    Ok(())
}

/// Where the MZIs of a mesh stand.
#[derive(Clone)]
struct Shape {
    layout: Layout,
    depth: Option<usize>,
    columns: Option<Columns>,
}

/// The columns that the value of `layout=` stands for, which is no name.
pub fn columns_in(file: &str) -> Result<Columns> {
    let known = || NAMED.map(Layout::name).join(", ");
    ensure!(Path::new(file).exists(), "{file:?} is no layout and no file; known: {}, or a file of columns", known());
    Ok(read_columns(Path::new(file))?)
}

/// The word with `columns=` in the place of the file of a `layout=`, where that can be read.
pub fn with_columns(word: &str) -> String {
    let part = |part: &str| match part.strip_prefix("layout=") {
        Some(file) if Layout::named(file).is_none() => {
            columns_in(file).map_or(part.to_string(), |columns| format!("columns={}", columns_text(&columns)))
        }
        _ => part.to_string(),
    };
    word.split(',').map(part).collect::<Vec<_>>().join(",")
}

/// `count` layers of `linear` stages, with `options` such as `triangular,detection=homodyne`.
fn coherent(count: usize, options: &str, linear: impl Fn(Shape) -> Result<StageText>) -> Result<Vec<Vec<StageText>>> {
    let mut shape = Shape { layout: Layout::Rectangular, depth: None, columns: None };
    let mut activation = Some(Activation::ELECTRO_OPTIC);
    let (mut detection, mut residual) = (Detection::Intensity, false);
    for part in options.split(',').filter(|_| !options.is_empty()) {
        if let Some(&layout) = NAMED.iter().find(|layout| layout.name() == part) {
            shape.layout = layout;
            continue;
        }
        if part == "residual" {
            residual = true;
            continue;
        }
        match part.split_once('=') {
            Some(("layout", name)) => match Layout::named(name) {
                Some(named) => shape.layout = named,
                None => (shape.layout, shape.columns) = (Layout::Custom, Some(columns_in(name)?)),
            },
            Some(("columns", text)) => (shape.layout, shape.columns) = (Layout::Custom, Some(columns_of(text)?)),
            Some(("depth", columns)) => shape.depth = Some(size(columns)?),
            Some(("activation", name)) => activation = find_activation(name)?,
            Some(("detection", name)) => detection = find_detection(name)?,
            _ => bail!(
                "unknown option {part:?}; known: {}, layout=, columns=, depth=, activation=, detection=, residual",
                NAMED.map(Layout::name).join(", ")
            ),
        }
    }
    ensure!(count <= 100_000, "{count} layers are too many");
    ensure!(
        !residual || count > 1,
        "residual: light is added behind hidden layers, and there is only one; x2 makes two"
    );
    let mut layers = vec![vec![linear(shape)?]; count];
    let (last, hidden) = layers.split_last_mut().ok_or_else(|| anyhow!("needs at least one layer"))?;
    for layer in hidden {
        layer.extend(activation.map(|activation| StageText::Activation { activation }));
        if residual {
            *layer = vec![StageText::Residual { stages: std::mem::take(layer) }];
        }
    }
    last.push(StageText::Detection { detection });
    Ok(layers)
}

pub(super) fn size(word: &str) -> Result<usize> {
    match word.parse() {
        Ok(0) | Err(_) => bail!("{word:?} is no size; a size is a whole number from 1"),
        Ok(size) => Ok(size),
    }
}

/// The activation of a name, with parameters that suit fields of mean power 1.
pub(super) fn find_activation(name: &str) -> Result<Option<Activation>> {
    Ok(Some(match name {
        "none" => return Ok(None),
        "electro-optic" => Activation::ELECTRO_OPTIC,
        "saturable" => Activation::Saturable { depth: 1.0, saturation: 1.0 },
        "mod-relu" => Activation::ModRelu { bias: 0.5 },
        "spm" => Activation::Spm { gain: 1.0 },
        _ => bail!("{}", names::unknown("activation", name, ["none", "electro-optic", "saturable", "mod-relu", "spm"])),
    }))
}

pub(super) fn find_detection(name: &str) -> Result<Detection> {
    Ok(match name {
        "intensity" => Detection::Intensity,
        "amplitude" => Detection::Amplitude,
        "balanced" => Detection::Balanced,
        "homodyne" => Detection::Homodyne { phase: 0.0 },
        _ => bail!("{}", names::unknown("detection", name, ["intensity", "amplitude", "balanced", "homodyne"])),
    })
}
