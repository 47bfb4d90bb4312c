//! Chip files: everything of one fabrication as an npz, so that an individual can be kept, moved and met again.
//!
//! | array | shape | what |
//! | --- | --- | --- |
//! | `chip` | text | JSON: format, seed, noise, drift, quartic and levels of the control path |
//! | `stageK.first_coupler`, `.second_coupler`, `.phases`, `.loss_db` | as in [`StageErrors::Mesh`] | of stage K, a mesh |
//! | `stageK.spread` | per control | of a matrix |
//! | `stageK.amplitude`, `.slope`, `.offset` | per control | of a weight bank |
//! | `layerL.perturbation` | row-major `[width, width]` | of layer L |
//! | `update_error` | per control | |
//! | `shifters` | `[control, 3]` | gain, base, range |
//! | `crosstalk.starts`, `.neighbours`, `.strengths` | rows of a sparse matrix | |
//!
//! Stages count from 0 and those as designed are left out, as are empty vectors. Reals are f64, so nothing is lost.
//! [`read_chip`] takes files of mesh errors ([`super::phase_file`]) too.

use super::atomic_write;
use super::npz::{Npz, add_text};
use super::phase_file::read_errors;
use crate::chip::control::Shifter;
use crate::chip::{Drift, Fabrication, Noise, StageErrors};
use crate::deployment::deployed_fabrication;
use crate::network::{Network, Stage};
use crate::optics::{Convention, Mesh};
use crate::{Error, Result};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzWriter;
use serde::{Deserialize, Serialize};
use std::io::Error as IoError;
use std::path::Path;

const FORMAT: u32 = 1;
const HEADER: &str = "chip";

/// What is no array.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    format: u32,
    seed: u64,
    noise: Noise,
    drift: Drift,
    quartic: f64,
    levels: f64,
    #[serde(default)]
    amplified: bool,
}

/// Writes `chip`, atomically.
pub fn write_chip(path: &Path, chip: &Fabrication) -> Result<()> {
    let Fabrication { stages, update_error, perturbation, amplified, control, noise, drift, seed } = chip;
    let (quartic, levels) = (control.quartic, control.levels);
    let (seed, noise, drift, amplified) = (*seed, *noise, *drift, *amplified);
    let header = Header { format: FORMAT, seed, noise, drift, quartic, levels, amplified };
    let header = serde_json::to_string(&header).map_err(|failure| Error::file(path, failure.into()))?;
    let mut vectors: Vec<(String, Vec<f64>)> = Vec::new();
    for (index, errors) in stages.iter().enumerate() {
        let named = named(errors);
        vectors.extend(named.into_iter().map(|(name, values)| (format!("stage{index}.{name}"), values.clone())));
    }
    let layers = perturbation.iter().enumerate();
    vectors.extend(layers.map(|(layer, matrix)| (format!("layer{layer}.perturbation"), matrix.clone())));
    let integers = |values: &[u32]| values.iter().map(|&value| f64::from(value)).collect();
    vectors.push(("update_error".into(), update_error.clone()));
    vectors.push(("crosstalk.starts".into(), integers(&control.coupling.starts)));
    vectors.push(("crosstalk.neighbours".into(), integers(&control.coupling.neighbours)));
    vectors.push(("crosstalk.strengths".into(), control.coupling.strengths.clone()));
    let shifters: Vec<f64> = control.shifters.iter().flat_map(|s| [s.gain, s.base, s.range]).collect();
    let shifters = Array2::from_shape_vec((control.shifters.len(), 3), shifters).expect("three numbers each");
    atomic_write(path, |writer| {
        let mut file = NpzWriter::new(writer);
        add_text(&mut file, HEADER, &header).map_err(IoError::other)?;
        for (name, values) in vectors.into_iter().filter(|(_, values)| !values.is_empty()) {
            file.add_array(name, &Array1::from(values)).map_err(IoError::other)?;
        }
        if !shifters.is_empty() {
            file.add_array("shifters", &shifters).map_err(IoError::other)?;
        }
        file.finish().map(drop).map_err(IoError::other)
    })
}

/// The vectors of a stage's errors by name.
fn named(errors: &StageErrors) -> Vec<(&'static str, &Vec<f64>)> {
    match errors {
        StageErrors::None => Vec::new(),
        StageErrors::Mesh { first_coupler, second_coupler, phases, loss_db } => vec![
            ("first_coupler", first_coupler),
            ("second_coupler", second_coupler),
            ("phases", phases),
            ("loss_db", loss_db),
        ],
        StageErrors::Matrix { spread } => vec![("spread", spread)],
        StageErrors::WeightBank { amplitude, slope, offset } => {
            vec![("amplitude", amplitude), ("slope", slope), ("offset", offset)]
        }
    }
}

/// Reads a chip of `network`: a file of [`write_chip`], or mesh errors, for which `convention` is needed where the file does not
/// record it. Errs with [`Error::Malformed`] where something is missing, not known, not finite, or of another network.
pub fn read_chip(path: &Path, network: &Network, convention: Option<Convention>) -> Result<Fabrication> {
    let file = Npz::open(path)?;
    if !file.names().any(|name| name == HEADER) {
        let meshes: Vec<&Mesh> = network.stages().filter_map(mesh).collect();
        return deployed_fabrication(network, &read_errors(path, convention, &meshes)?);
    }
    let text = file.array(HEADER)?.text().map_err(|reason| file.malformed(HEADER, &reason))?;
    let header: Header = serde_json::from_str(&text).map_err(|failure| file.malformed(HEADER, &failure.to_string()))?;
    if header.format != FORMAT {
        let reason = format!("it has format {}, this program reads {FORMAT}", header.format);
        return Err(file.malformed(HEADER, &reason));
    }
    let mut known = vec![HEADER.to_string()];
    let mut reals = |name: String, shape: Option<usize>| -> Result<Vec<f64>> {
        let there = file.names().any(|other| other == name);
        known.push(name.clone());
        if !there {
            return Ok(Vec::new());
        }
        let array = file.array(&name)?;
        let columns = array.shape().get(1).copied();
        if columns != shape {
            return Err(file.malformed(&name, &format!("it has the shape {:?}", array.shape())));
        }
        let values = array.reals().map_err(|reason| file.malformed(&name, &reason))?;
        match values.iter().find(|value| !value.is_finite()) {
            Some(value) => Err(file.malformed(&name, &format!("it holds {value}"))),
            None => Ok(values),
        }
    };
    let Header { noise, drift, seed, amplified, .. } = header;
    let mut chip = Fabrication { noise, drift, seed, amplified, ..Fabrication::ideal() };
    for (index, stage) in network.stages().enumerate() {
        let mut vector = |name: &str| reals(format!("stage{index}.{name}"), None);
        let errors = match stage {
            Stage::Mesh(_) => StageErrors::Mesh {
                first_coupler: vector("first_coupler")?,
                second_coupler: vector("second_coupler")?,
                phases: vector("phases")?,
                loss_db: vector("loss_db")?,
            },
            Stage::Matrix { .. } => StageErrors::Matrix { spread: vector("spread")? },
            Stage::WeightBank { .. } => StageErrors::WeightBank {
                amplitude: vector("amplitude")?,
                slope: vector("slope")?,
                offset: vector("offset")?,
            },
            _ => StageErrors::None,
        };
        let missing = named(&errors).iter().all(|(_, values)| values.is_empty());
        chip.stages.push(if missing { StageErrors::None } else { errors });
    }
    if chip.stages.iter().all(|errors| *errors == StageErrors::None) {
        chip.stages.clear();
    }
    for layer in 0..network.layers().len() {
        chip.perturbation.push(reals(format!("layer{layer}.perturbation"), None)?);
    }
    if chip.perturbation.iter().all(Vec::is_empty) {
        chip.perturbation.clear();
    }
    chip.update_error = reals("update_error".into(), None)?;
    chip.control.quartic = header.quartic;
    chip.control.levels = header.levels;
    let shifters = reals("shifters".into(), Some(3))?;
    chip.control.shifters = shifters.chunks_exact(3).map(|s| Shifter { gain: s[0], base: s[1], range: s[2] }).collect();
    let mut integers = |name: &str| -> Result<Vec<u32>> {
        let values = reals(format!("crosstalk.{name}"), None)?;
        let whole = values.iter().all(|value| value.fract() == 0.0 && (0.0..=f64::from(u32::MAX)).contains(value));
        if whole {
            Ok(values.into_iter().map(|value| value as u32).collect())
        } else {
            Err(file.malformed(&format!("crosstalk.{name}"), "it holds something that is no index"))
        }
    };
    chip.control.coupling.starts = integers("starts")?;
    chip.control.coupling.neighbours = integers("neighbours")?;
    chip.control.coupling.strengths = reals("crosstalk.strengths".into(), None)?;
    if let Some(name) = file.names().find(|name| !known.iter().any(|other| other == name)) {
        return Err(file.malformed(name, "not known in a chip file of this network"));
    }
    chip.noise.validate()?;
    chip.drift.validate()?;
    chip.check(network).map_err(|failure| Error::malformed(path, format!("no chip of this network: {failure}")))?;
    Ok(chip)
}

fn mesh(stage: &Stage) -> Option<&Mesh> {
    if let Stage::Mesh(mesh) = stage { Some(mesh) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::{Control, Imperfections};
    use crate::files::phase_file::write_errors;
    use crate::network::{Detection, singular_value_stages};
    use crate::optics::{Layout, MeshErrors};

    fn network() -> Network {
        let [v, sigma, u] = singular_value_stages(3, 4, Layout::Rectangular).unwrap();
        let detection = Stage::Detection { modes: 4, detection: Detection::Intensity };
        let electronic = vec![Stage::WeightBank { inputs: 4, outputs: 3 }, Stage::Matrix { inputs: 3, outputs: 2 }];
        Network::new(vec![vec![v, sigma, u, detection], electronic]).unwrap()
    }

    fn chip() -> Fabrication {
        let imperfections = Imperfections {
            splitter_angle: 0.1,
            phase: 0.2,
            loss_db: 0.3,
            loss_spread_db: 0.1,
            parameter_spread: 0.4,
            response_slope: 0.2,
            update_error: 0.3,
            perturbation: 0.2,
            control: Control {
                control_range: 7.0,
                control_bits: 9,
                heater_spread: 0.1,
                crosstalk: 0.02,
                ..Control::NONE
            },
            drift: Drift { drift_step: 0.1, drift_common: 0.2, drift_return: 0.3 },
            noise: Noise { laser_noise: 1.0 / 3.0, adc_bits: 7, ..Noise::NONE },
            ..Imperfections::NONE
        };
        imperfections.fabricate(&network(), u64::MAX).unwrap()
    }

    #[test]
    fn everything_of_a_chip_comes_back() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip.npz");
        let amplified = Fabrication { amplified: true, ..chip() };
        for chip in [chip(), amplified, Imperfections::NONE.fabricate(&network(), 3).unwrap(), Fabrication::ideal()] {
            write_chip(&path, &chip).unwrap();
            let back = read_chip(&path, &network(), None).unwrap();
            assert_eq!(back, chip);
        }
    }

    #[test]
    fn a_mesh_that_gains_light_is_refused_unless_it_has_amplifiers() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip.npz");
        let mut chip = chip();
        let StageErrors::Mesh { loss_db, .. } = &mut chip.stages[0] else { panic!("the first stage is a mesh") };
        loss_db.fill(-0.01);
        write_chip(&path, &chip).unwrap();
        let error = read_chip(&path, &network(), None).unwrap_err().to_string();
        assert!(error.contains("loss-db") && error.contains("creates no power"), "{error}");
        let chip = Fabrication { amplified: true, ..chip };
        write_chip(&path, &chip).unwrap();
        assert_eq!(read_chip(&path, &network(), None).unwrap(), chip);
    }

    #[test]
    fn a_chip_of_another_network_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("chip.npz");
        write_chip(&path, &chip()).unwrap();
        let wider = Network::new(vec![vec![Stage::WeightBank { inputs: 4, outputs: 4 }]]).unwrap();
        let error = read_chip(&path, &wider, None).unwrap_err().to_string();
        assert!(error.contains("chip.npz") && error.contains("not known"), "{error}");
    }

    #[test]
    fn files_of_mesh_errors_are_chips_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("errors.npz");
        let mesh = Mesh::rectangular(4).unwrap();
        let detection = Stage::Detection { modes: 4, detection: Detection::Intensity };
        let network = Network::new(vec![vec![Stage::Mesh(mesh.clone()), detection]]).unwrap();
        let errors = MeshErrors { theta: vec![0.25; mesh.mzis()], ..MeshErrors::none(&mesh) };
        write_errors(&path, Convention::Native, &[(&mesh, &errors)]).unwrap();
        let chip = read_chip(&path, &network, None).unwrap();
        let StageErrors::Mesh { phases, .. } = &chip.stages[0] else { panic!("a mesh") };
        assert_eq!(phases[..mesh.mzis()], errors.theta);
    }
}
