//! Chip files: everything of one fabrication as an npz, so that an individual can be kept, moved and met again.
//!
//! | array | shape | what |
//! | --- | --- | --- |
//! | `chip` | text | JSON: format, network ([`Identity`]), seed, noise, drift, quartic and levels of the control path, noise of writing |
//! | `stageK.NAME` | a vector | errors of stage K, by the schema on its page ([`crate::stage::Imperfect`]) |
//! | `layerL.perturbation` | row-major `[width, width]` | of layer L |
//! | `update_error` | per control | |
//! | `shifters` | `[control, 3]` | gain, base, range |
//! | `crosstalk.starts`, `.neighbours`, `.strengths` | rows of a sparse matrix | |
//!
//! Stages count from 0 and those as designed are left out, as are empty vectors. Reals are f64, so nothing is lost. Files of format 1
//! do not name their network. [`read_chip`] takes files of mesh errors ([`super::phase_file`]) too.

use super::atomic_write;
use super::npz::Npz;
use super::npz_draft::write_npz;
use super::phase_file::read_errors;
use crate::fabrication::Fabrication;
use crate::fabrication::control::Shifter;
use crate::fabrication::coupling::Coupling;
use crate::imperfections::{Drift, Noise};
use crate::network::{Identity, Network, Owner, Stage};
use crate::optics::{Convention, Mesh};
use crate::stage::StageErrors;
use crate::{Error, Result};
use md5::{Digest, Md5};
use ndarray::{Array1, Array2};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::Path;

/// With the network's name; 1 was without.
const FORMAT: u32 = 2;
const NAMELESS_FORMAT: u32 = 1;
const HEADER: &str = "chip";
/// What allows a file of another network.
const BY_NAME: &str = "pass `chip-of-other-network` to take what fits of it";

/// What is no array.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<Identity>,
    seed: u64,
    noise: Noise,
    drift: Drift,
    quartic: f64,
    levels: f64,
    #[serde(default)]
    amplified: bool,
    #[serde(default)]
    write_noise: f64,
    #[serde(default)]
    cycle_spread: f64,
}

impl Header {
    fn new(chip: &Fabrication, network: Option<Identity>) -> Self {
        let Fabrication { noise, drift, seed, amplified, write_noise, cycle_spread, ref control, .. } = *chip;
        let (quartic, levels) = (control.quartic, control.levels);
        let format = if network.is_some() { FORMAT } else { NAMELESS_FORMAT };
        Header { format, network, seed, noise, drift, quartic, levels, amplified, write_noise, cycle_spread }
    }

    fn to_json(&self) -> String {
        serde_json::to_string(self).expect("a header has only texts and numbers")
    }
}

/// A chip as a file has it.
#[derive(Clone, Debug, PartialEq)]
pub struct KeptChip {
    /// The individual, checked.
    pub chip: Fabrication,
    /// What makes one doubt that it is the one that was meant, a sentence each.
    pub notes: Vec<String>,
}

/// Writes `chip`, one of `network`, atomically.
pub fn write_chip(path: &Path, network: &Network, chip: &Fabrication) -> Result<()> {
    chip.check(network)?;
    let header = Header::new(chip, Some(network.identity()));
    atomic_write(path, |writer| write_into(writer, &header, chip))
}

fn write_into(writer: impl Write, header: &Header, chip: &Fabrication) -> std::io::Result<()> {
    write_npz(writer, |file| {
        file.add_text(HEADER, &header.to_json())?;
        for (name, values) in vectors(chip) {
            file.add_array(name, &Array1::from(values))?;
        }
        let shifters = shifters(chip);
        if shifters.is_empty() {
            return Ok(());
        }
        let rows = Array2::from_shape_vec((shifters.len() / 3, 3), shifters).expect("three numbers each");
        file.add_array(SHIFTERS, &rows)
    })
}

const SHIFTERS: &str = "shifters";

/// All vectors that are not empty, by name.
fn vectors(chip: &Fabrication) -> Vec<(String, Vec<f64>)> {
    let mut vectors: Vec<(String, Vec<f64>)> = Vec::new();
    for (index, errors) in chip.stages.iter().enumerate() {
        vectors.extend(errors.iter().map(|(name, values)| (format!("stage{index}.{name}"), values.to_vec())));
    }
    let layers = chip.perturbation.iter().enumerate();
    vectors.extend(layers.map(|(layer, matrix)| (format!("layer{layer}.perturbation"), matrix.clone())));
    let integers = |values: &[u32]| values.iter().map(|&value| f64::from(value)).collect();
    let coupling = &chip.control.coupling;
    vectors.push(("update_error".into(), chip.update_error.clone()));
    vectors.push(("crosstalk.starts".into(), integers(&coupling.starts)));
    vectors.push(("crosstalk.neighbours".into(), integers(&coupling.neighbours)));
    vectors.push(("crosstalk.strengths".into(), coupling.strengths.clone()));
    vectors.retain(|(_, values)| !values.is_empty());
    vectors
}

fn shifters(chip: &Fabrication) -> Vec<f64> {
    chip.control.shifters.iter().flat_map(|shifter| [shifter.gain, shifter.base, shifter.range]).collect()
}

/// The MD5 sum of everything of a chip: the same for equal chips, whatever file they lie in.
pub fn chip_checksum(chip: &Fabrication) -> String {
    let mut digest = Md5::new();
    digest.update(Header::new(chip, None).to_json());
    for (name, values) in vectors(chip).into_iter().chain([(SHIFTERS.to_string(), shifters(chip))]) {
        digest.update(format!(" {name} {} ", values.len()));
        values.iter().for_each(|value| digest.update(value.to_le_bytes()));
    }
    crate::checksum::hex(&digest.finalize())
}

/// Reads a chip of `network`: a file of [`write_chip`], or mesh errors, for which `convention` is needed where the file does not
/// record it. Errs with [`Error::Malformed`] where something is missing, not known, no number that a chip can have
/// ([`Fabrication::check`]), or, unless the `owner` may be another network, of another one.
pub fn read_chip(path: &Path, network: &Network, convention: Option<Convention>, owner: Owner) -> Result<KeptChip> {
    let file = Npz::open(path)?;
    if file.names().any(|name| name == HEADER) {
        return parse(&file, network, owner);
    }
    let meshes: Vec<&Mesh> = network.meshes().collect();
    let chip = Fabrication::of_meshes(network, &read_errors(path, convention, &meshes, owner)?)?;
    chip.check(network).map_err(|failure| Error::malformed(path, failure.to_string()))?;
    Ok(KeptChip { chip, notes: Vec::new() })
}

fn parse(file: &Npz, network: &Network, owner: Owner) -> Result<KeptChip> {
    let header = header(file)?;
    let own = network.identity();
    let of_another = header.network.as_ref().filter(|other| !other.is(&own));
    if let (Some(other), Owner::ThisNetwork) = (of_another, owner) {
        let reason = format!("it is a chip of {other}, the network is {own}; {BY_NAME}");
        return Err(Error::malformed(file.path(), reason));
    }
    let mut arrays = Arrays { file, known: vec![HEADER.to_string()] };
    let chip = arrays.chip(network, &header)?;
    if let Some(name) = file.names().find(|name| !arrays.known.iter().any(|other| other == name)) {
        return Err(file.malformed(name, &format!("not known in a chip file of the network {own}")));
    }
    chip.check(network)
        .map_err(|failure| Error::malformed(file.path(), format!("no chip of the network {own}: {failure}")))?;
    let name = file.path().display();
    let mut notes = Vec::new();
    match (&header.network, of_another) {
        (Some(_), None) => {}
        (Some(_), Some(other)) => notes.push(format!("{name} is a chip of {other}, of which {own} takes what fits")),
        (None, _) => {
            if owner == Owner::ThisNetwork {
                require_all_stages(file, network, &chip)?;
            }
            let fits = if chip.stages.is_empty() { "nothing in it tells whether it fits" } else { "its arrays fit" };
            notes.push(format!("{name} is of an earlier version and does not name its network; {fits} {own}"));
        }
    }
    Ok(KeptChip { chip, notes })
}

fn header(file: &Npz) -> Result<Header> {
    let wrong = |reason: &str| Err(file.malformed(HEADER, reason));
    let text = file.array(HEADER)?.text().map_err(|reason| file.malformed(HEADER, &reason))?;
    /// What every format begins with.
    #[derive(Deserialize)]
    struct Format {
        format: u32,
    }
    // serde puts fields in backquotes, which here are those of settings
    let unreadable = |failure: serde_json::Error| file.malformed(HEADER, &failure.to_string().replace('`', "'"));
    let Format { format } = serde_json::from_str(&text).map_err(unreadable)?;
    if format != FORMAT && format != NAMELESS_FORMAT {
        return wrong(&format!("it has format {format}, this program reads {NAMELESS_FORMAT} and {FORMAT}"));
    }
    let header: Header = serde_json::from_str(&text).map_err(unreadable)?;
    match (format, &header.network) {
        (FORMAT, None) => wrong(&format!("a file of format {FORMAT} names its network, and this does not")),
        _ => Ok(header),
    }
}

/// A file that does not name its network has errors of every stage that can have some, or of none.
fn require_all_stages(file: &Npz, network: &Network, chip: &Fabrication) -> Result<()> {
    let stages = network.stages().zip(&chip.stages).enumerate();
    let missing =
        stages.into_iter().find(|(_, (stage, errors))| stage.element().imperfect().is_some() && errors.is_none());
    match missing {
        None => Ok(()),
        Some((index, (stage, _))) => {
            let own = network.identity();
            let what = stage.element().words();
            let reason = format!(
                "it has no array of stage {index}, {what}, so it is a chip of another network than {own}; {BY_NAME}"
            );
            Err(Error::malformed(file.path(), reason))
        }
    }
}

/// The arrays of a file, and which of them have been asked for.
struct Arrays<'a> {
    file: &'a Npz,
    known: Vec<String>,
}

impl Arrays<'_> {
    fn chip(&mut self, network: &Network, header: &Header) -> Result<Fabrication> {
        let Header { noise, drift, seed, amplified, write_noise, cycle_spread, quartic, levels, .. } = *header;
        let mut chip = Fabrication { noise, drift, seed, amplified, write_noise, cycle_spread, ..Fabrication::ideal() };
        for (index, stage) in network.stages().enumerate() {
            chip.stages.push(self.stage(index, stage)?);
        }
        if chip.stages.iter().all(StageErrors::is_none) {
            chip.stages.clear();
        }
        for layer in 0..network.layers().len() {
            chip.perturbation.push(self.vector(format!("layer{layer}.perturbation"))?);
        }
        if chip.perturbation.iter().all(Vec::is_empty) {
            chip.perturbation.clear();
        }
        chip.update_error = self.vector("update_error".into())?;
        chip.control.quartic = quartic;
        chip.control.levels = levels;
        let shifters = self.reals(SHIFTERS.into(), |shape| matches!(shape, [_, 3]))?;
        let shifter = |three: &[f64]| Shifter { gain: three[0], base: three[1], range: three[2] };
        chip.control.shifters = shifters.chunks_exact(3).map(shifter).collect();
        let coupling = Coupling {
            starts: self.indices("crosstalk.starts")?,
            neighbours: self.indices("crosstalk.neighbours")?,
            strengths: self.vector("crosstalk.strengths".into())?,
        };
        chip.control.coupling = coupling.into();
        Ok(chip)
    }

    /// The errors of a stage by its schema; none where the file has none of them.
    fn stage(&mut self, index: usize, stage: &Stage) -> Result<StageErrors> {
        let Some(own) = stage.element().imperfect() else { return Ok(StageErrors::NONE) };
        let schema = own.errors();
        let vectors = schema.iter().map(|vector| self.vector(format!("stage{index}.{}", vector.name)));
        let vectors = vectors.collect::<Result<Vec<_>>>()?;
        let missing = vectors.iter().all(Vec::is_empty);
        Ok(if missing { StageErrors::NONE } else { StageErrors::new(own, vectors) })
    }

    fn vector(&mut self, name: String) -> Result<Vec<f64>> {
        self.reals(name, |shape| shape.len() == 1)
    }

    /// An array of finite numbers; empty where it is missing.
    fn reals(&mut self, name: String, fits: impl Fn(&[usize]) -> bool) -> Result<Vec<f64>> {
        let file = self.file;
        let there = file.names().any(|other| other == name);
        self.known.push(name.clone());
        if !there {
            return Ok(Vec::new());
        }
        let array = file.array(&name)?;
        if !fits(array.shape()) {
            return Err(file.malformed(&name, &format!("it has the shape {:?}", array.shape())));
        }
        let values = array.reals().map_err(|reason| file.malformed(&name, &reason))?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(file.malformed(&name, &format!("it holds {value}"))),
            None => Ok(values),
        }
    }

    fn indices(&mut self, name: &str) -> Result<Vec<u32>> {
        let values = self.vector(name.to_string())?;
        let whole = values.iter().all(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value));
        if whole {
            Ok(values.into_iter().map(|value| value as u32).collect())
        } else {
            Err(self.file.malformed(name, "it holds something that is no index"))
        }
    }
}

#[cfg(test)]
#[path = "chip_mutation_tests.rs"]
mod mutation_tests;
#[cfg(test)]
#[path = "chip_file_tests.rs"]
mod tests;
