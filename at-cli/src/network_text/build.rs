//! Networks from layers of stages that are spelled out.

use super::stage::element_elsewhere;
use super::{CrossedInTurn, StageText};
use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::network::{Detection, Entry, Layer, Network, Recurrence, Signal, Stage, singular_value_stages};
use at_core::optics::layout::Layout;
use at_core::optics::{AngularSpectrum, Mesh};
use at_core::stage::{Patches, Pooling, RingBank};
use at_core::tiled::{tiled_singular_value_stages, tiled_stages};

/// The network of these layers. Call [`super::controls`] first: this takes memory in proportion to the meshes' columns.
pub fn build(layers: &[Vec<StageText>]) -> Result<Network> {
    let mut signal = None;
    let mut built = Vec::new();
    let mut recurrence = None;
    for (number, layer) in layers.iter().enumerate() {
        let mut stages = &layer[..];
        if let Some((head @ StageText::Loop { .. }, rest)) = layer.split_first() {
            let place = place(number, 0, head);
            ensure!(recurrence.is_none(), "{place}: a network has one loop");
            recurrence = Some((loop_of(number, head).context(place.clone())?, place));
            stages = rest;
        }
        if let Some(stage) = stages.iter().position(|stage| matches!(stage, StageText::Loop { .. })) {
            bail!("{}: it stands at the head of the first layer that is looped", place(number, stage, &stages[stage]));
        }
        built.push(build_layer(number, stages, &mut signal)?);
    }
    if let Some((number, last)) = layers.iter().enumerate().next_back()
        && signal.is_some_and(|signal| signal.complex)
    {
        let stage = last.len() - 1;
        bail!(
            "{}: it is the last stage, and must detect: a readout is real numbers",
            place(number, stage, &last[stage])
        );
    }
    match recurrence {
        None => Ok(Network::new(built)?),
        Some((recurrence, place)) => Network::recurrent(built, recurrence).context(place),
    }
}

/// The loop that begins with layer number `layer`.
fn loop_of(layer: usize, text: &StageText) -> Result<Recurrence> {
    let StageText::Loop { steps, layers, held, parts, feedback } = *text else { bail!("no loop") };
    let entry = match (held, parts) {
        (None, None) => Entry::Once,
        (Some(modes), None) => Entry::Held(modes),
        (None, Some(modes)) => Entry::Parts(modes),
        (Some(_), Some(_)) => bail!("a sample is held, or enters in parts; drop one of the keys held and parts"),
    };
    Ok(Recurrence { layers: layer..layer.saturating_add(layers), steps, entry, feedback })
}

/// Where a stage stands.
fn place(layer: usize, stage: usize, text: &StageText) -> String {
    format!("layer {layer}, stage {stage} ({})", text.kind())
}

fn build_layer(number: usize, texts: &[StageText], signal: &mut Option<Signal>) -> Result<Layer> {
    ensure!(!texts.is_empty(), "layer {number} has no stage");
    build_stages(texts, signal, &|stage, text| place(number, stage, text))
}

/// The stages of these texts behind `signal`, which becomes what leaves them; `place` tells where one stands.
fn build_stages(
    texts: &[StageText],
    signal: &mut Option<Signal>,
    place: &dyn Fn(usize, &StageText) -> String,
) -> Result<Layer> {
    let mut layer = Layer::new();
    for (stage, text) in texts.iter().enumerate() {
        if let StageText::Own { name } = text {
            return Err(element_elsewhere(name));
        }
        let before = layer.len();
        push_stage(&mut layer, text, *signal).with_context(|| place(stage, text))?;
        let (now, previous) = (layer[before].input(), *signal);
        if let Some(previous) = previous.filter(|previous| *previous != now) {
            let place = place(stage, text);
            let kind = |complex| if complex { "complex fields" } else { "real numbers" };
            ensure!(
                previous.complex == now.complex,
                "{place}: it takes {}, and {} leave the stage before",
                kind(now.complex),
                kind(previous.complex)
            );
            bail!("{place}: it takes {} modes, and {} leave the stage before", now.modes, previous.modes);
        }
        *signal = layer.last().map(Stage::output);
    }
    Ok(layer)
}

/// Adds what `text` says behind a stage that gives `signal`.
fn push_stage(layer: &mut Layer, text: &StageText, signal: Option<Signal>) -> Result<()> {
    let modes = || {
        let begins = || {
            anyhow!("a network begins with a mesh, a matrix, a bank, a crossbar, a convolution, a mask or free space")
        };
        signal.map(|signal| signal.modes).ok_or_else(begins)
    };
    match *text {
        StageText::Mesh { modes, layout, depth, ref columns } => {
            layer.push(Stage::Mesh(mesh(modes, layout, depth, columns.as_deref())?));
        }
        StageText::Tiles { inputs, outputs, tile, layout, depth, ref columns } => {
            layer.extend(tiled_stages(inputs, outputs, &mesh(tile, layout, depth, columns.as_deref())?)?);
        }
        StageText::SingularValue { inputs, outputs, layout, tile: None } => {
            layer.extend(singular_value_stages(inputs, outputs, layout)?);
        }
        StageText::SingularValue { inputs, outputs, layout, tile: Some(tile) } => {
            layer.extend(tiled_singular_value_stages(inputs, outputs, &Mesh::universal(tile, layout)?)?);
        }
        StageText::Matrix { inputs, outputs } => layer.push(Stage::matrix(inputs, outputs)),
        StageText::WeightBank { inputs, outputs } => layer.push(Stage::weight_bank(inputs, outputs)),
        StageText::RingBank { inputs, outputs, channels, finesse } => {
            let (channels, finesse) = (channels.unwrap_or(RingBank::CHANNELS), finesse.unwrap_or(RingBank::FINESSE));
            let bank = Stage::ring_bank(inputs, outputs, channels, finesse);
            bank.element().validate()?;
            layer.push(bank);
        }
        StageText::PhaseChange { inputs, outputs } => layer.push(Stage::phase_change(inputs, outputs)),
        StageText::Mask { rows, columns, transmission } => layer.push(Stage::mask(rows, columns, transmission)),
        StageText::FreeSpace { rows, columns, pitch_um, distance_um, wavelength_um } => {
            let spectrum = AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um };
            spectrum.validate()?;
            layer.push(Stage::free_space(spectrum));
        }
        StageText::Regions { rows, columns, count, side } => {
            let regions = Stage::regions(rows, columns, count, side);
            regions.element().validate()?;
            layer.push(regions);
        }
        StageText::Activation { activation } => layer.push(Stage::activation(modes()?, activation)),
        StageText::Detection { detection } => layer.push(Stage::detection(modes()?, detection)),
        StageText::Modulation {} => layer.push(Stage::modulation(modes()?)),
        StageText::Rectifier { threshold } => layer.push(Stage::rectifier(modes()?, threshold)),
        StageText::Convolution {
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
        } => {
            let patches = Patches { image, kernel, stride, padding };
            patches.validate()?;
            let element =
                element_of_patches(patches.entries(), outputs, element, (channels, finesse), tile, detection)?;
            let stage = Stage::convolution(patches, element);
            stage.element().validate()?;
            layer.push(stage);
        }
        StageText::Normalization { image, groups } => {
            let stage = Stage::normalization(image, groups);
            stage.element().validate()?;
            layer.push(stage);
        }
        StageText::Pooling { image, size, stride, pool } => {
            let stage = Stage::Pooling(Pooling { image, size, stride: stride.unwrap_or(size), pool });
            stage.element().validate()?;
            layer.push(stage);
        }
        StageText::Residual { ref stages } => {
            ensure!(!stages.is_empty(), "a residual connection needs stages");
            let mut inside = signal;
            let place = |stage: usize, text: &StageText| format!("stage {stage} of the branch ({})", text.kind());
            let stage = Stage::residual(build_stages(stages, &mut inside, &place)?);
            stage.element().validate()?;
            layer.push(stage);
        }
        StageText::Own { ref name } => return Err(element_elsewhere(name)),
        StageText::Loop { .. } => bail!("it stands at the head of the first layer that is looped"),
    }
    Ok(())
}

/// What patches of so many `entries` cross in turn, for so many `outputs`; light between modulators and detectors.
fn element_of_patches(
    entries: usize,
    outputs: usize,
    element: CrossedInTurn,
    (channels, finesse): (Option<usize>, Option<f64>),
    tile: Option<usize>,
    detection: Option<Detection>,
) -> Result<Stage> {
    let known = |key: &str, given: bool, allowed: bool| -> Result<()> {
        ensure!(!given || allowed, "{key} goes with another element of a convolution");
        Ok(())
    };
    known("channels", channels.is_some(), element == CrossedInTurn::RingBank)?;
    known("finesse", finesse.is_some(), element == CrossedInTurn::RingBank)?;
    known("tile", tile.is_some(), matches!(element, CrossedInTurn::SingularValue | CrossedInTurn::Tiles))?;
    known("detection", detection.is_some(), element.is_of_light())?;
    let detection = detection.unwrap_or(Detection::Homodyne { phase: 0.0 });
    // two neighbours make one readout
    let modes = if detection == Detection::Balanced { outputs.saturating_mul(2) } else { outputs };
    let light = |stages: Vec<Stage>| {
        let ends = (vec![Stage::modulation(entries)], vec![Stage::detection(modes, detection)]);
        Stage::series([ends.0, stages, ends.1].concat())
    };
    let tiled = || tile.map(|tile| Mesh::universal(tile, Layout::Rectangular)).transpose();
    Ok(match element {
        CrossedInTurn::WeightBank => Stage::weight_bank(entries, outputs),
        CrossedInTurn::Matrix => Stage::matrix(entries, outputs),
        CrossedInTurn::RingBank => {
            let (channels, finesse) = (channels.unwrap_or(RingBank::CHANNELS), finesse.unwrap_or(RingBank::FINESSE));
            Stage::ring_bank(entries, outputs, channels, finesse)
        }
        CrossedInTurn::PhaseChange => Stage::phase_change(entries, outputs),
        CrossedInTurn::Mesh => {
            ensure!(
                modes == entries,
                "a mesh has as many outputs as inputs, {entries} entries of a patch, and {modes} are read; take svd, a mesh on \
                 both sides of attenuators, for any number of channels"
            );
            light(vec![Stage::Mesh(Mesh::universal(entries, Layout::Rectangular)?)])
        }
        CrossedInTurn::SingularValue => light(match tiled()? {
            None => singular_value_stages(entries, modes, Layout::Rectangular)?.into(),
            Some(tile) => tiled_singular_value_stages(entries, modes, &tile)?,
        }),
        CrossedInTurn::Tiles => {
            let tile = tiled()?.ok_or_else(|| anyhow!("tiles need the modes of one, as in tiles=16"))?;
            light(tiled_stages(entries, modes, &tile)?)
        }
    })
}

/// The mesh of these settings; a rectangular or custom layout may leave its name to them.
pub fn mesh(modes: usize, layout: Layout, depth: Option<usize>, columns: Option<&[Vec<[usize; 2]>]>) -> Result<Mesh> {
    Ok(match (layout, depth, columns) {
        (Layout::Custom, None, Some(columns)) => Mesh::of_columns(modes, columns)?,
        (Layout::Custom, None, None) => bail!("a custom mesh needs columns, as 0-1.2-3/1-2 or layout=FILE"),
        (_, _, Some(_)) => bail!("columns are those of a custom mesh, and go with no other layout and no depth"),
        (Layout::Rectangular, Some(depth), None) => Mesh::truncated(modes, depth)?,
        (_, Some(_), None) => bail!("only a rectangular mesh can have a depth"),
        (layout, None, None) => Mesh::universal(modes, layout)?,
    })
}
