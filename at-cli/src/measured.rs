//! Files of what was measured of a chip (for `--chip-file`): any part of it, and the rest is drawn as the kind of chip says.
//!
//! ```toml
//! [mesh0]                      # the first mesh; also matrix0, weight-bank0, mask0, free-space0, …: whatever has errors
//! first_coupler = [0.02, …]    # names, units and order of the stage's errors; nan where nothing was measured
//! theta = [0.1, …]             # of meshes the phases may come in parts: theta, phi, gamma
//!
//! [shifters]
//! gain = [1.02, …]             # of every control, in the order of controls.csv: what it does over what it is told
//! range = [9.4, …]             # radians
//! dead = [17, 40]              # numbers of controls
//! ```
//!
//! The same as an npz has the arrays `mesh0.first_coupler`, …, `shifters.dead`, and an entry `measured` (whatever it holds), which
//! tells it from files of chips and of mesh errors.

use crate::names::unknown;
use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::checksum::md5_hex;
use at_core::fabrication::Measurements;
use at_core::files::npz::Npz;
use at_core::files::whole::read_text;
use at_core::network::{Network, Stage};
use std::path::Path;
use toml::{Table, Value};

/// Longest file (bytes): some million numbers.
const LONGEST: u64 = 1 << 26;

/// The entry of an npz that says what it is.
const MARK: &str = "measured";
/// The section of what every control does.
const SHIFTERS: &str = "shifters";

/// What a file says, section by section.
type Sections = Vec<(String, Vec<(String, Values)>)>;

/// What stands behind a key.
enum Values {
    Reals(Vec<f64>),
    /// What is no list of numbers.
    Other,
}

/// `file` holds what was measured, and no whole chip. One that cannot be read does not.
pub fn is_measured(file: &Path) -> bool {
    let has = |extension: &str| file.extension().is_some_and(|own| own.eq_ignore_ascii_case(extension));
    has("toml") || (has("npz") && Npz::open(file).is_ok_and(|npz| npz.has(MARK)))
}

/// Reads what was measured of a chip of `network`, and a checksum of it. Errs with file, section and key.
pub fn read(path: &Path, network: &Network) -> Result<(Measurements, String)> {
    let sections = if path.extension().is_some_and(|own| own.eq_ignore_ascii_case("npz")) {
        of_npz(path)?
    } else {
        of_toml(&read_text(path, LONGEST)?).with_context(|| path.display().to_string())?
    };
    let measured = understood(&sections, network).with_context(|| path.display().to_string())?;
    Ok((measured, checksum(&sections)))
}

/// Of the numbers and their names, so that the same in another form is the same chip.
fn checksum(sections: &Sections) -> String {
    let mut all = Vec::new();
    for (section, entries) in sections {
        for (key, values) in entries {
            let Values::Reals(values) = values else { continue };
            let numbers = values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
            all.push([format!("{section}.{key} {} ", values.len()).into_bytes(), numbers].concat());
        }
    }
    all.sort_unstable();
    md5_hex(&all.concat())
}

fn of_toml(text: &str) -> Result<Sections> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1);
        anyhow!("line {line}: {}", error.message().replace('\n', ", "))
    })?;
    let real = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let reals = |value: &Value| value.as_array()?.iter().map(real).collect::<Option<Vec<f64>>>();
    let mut sections = Vec::new();
    for (section, content) in &table {
        let entries = content.as_table().with_context(|| format!("{section} is no section; write [{section}]"))?;
        let entries =
            entries.iter().map(|(key, value)| (key.clone(), reals(value).map_or(Values::Other, Values::Reals)));
        sections.push((section.clone(), entries.collect()));
    }
    Ok(sections)
}

fn of_npz(path: &Path) -> Result<Sections> {
    let npz = Npz::open(path)?;
    let mut sections: Sections = Vec::new();
    for name in npz.names().filter(|name| *name != MARK) {
        let (section, key) = name
            .split_once('.')
            .with_context(|| format!("{}: array {name} names no section; write it as mesh0.theta", path.display()))?;
        let values = npz.array(name)?.reals().map_err(|reason| anyhow!("{}: {name}: {reason}", path.display()))?;
        let values = Values::Reals(values);
        match sections.iter_mut().find(|(own, _)| own == section) {
            Some((_, entries)) => entries.push((key.to_string(), values)),
            None => sections.push((section.to_string(), vec![(key.to_string(), values)])),
        }
    }
    Ok(sections)
}

fn understood(sections: &Sections, network: &Network) -> Result<Measurements> {
    ensure!(!sections.is_empty(), "nothing was measured: it has no section");
    let imperfect =
        network.stages().map(|stage| stage.element().imperfect().is_some_and(|own| !own.errors().is_empty()));
    let names: Vec<Option<String>> =
        network.stage_names().into_iter().zip(imperfect).map(|(name, own)| own.then_some(name)).collect();
    let mut measured = Measurements::default();
    for (section, entries) in sections {
        if section == SHIFTERS {
            shifters(&mut measured, entries)?;
            continue;
        }
        let found = names.iter().position(|name| name.as_ref() == Some(section));
        let index = found.with_context(|| {
            unknown("section", section, names.iter().flatten().map(String::as_str).chain([SHIFTERS]))
        })?;
        let stage = network.stages().nth(index).context("a stage")?;
        errors(&mut measured, section, index, stage, entries)?;
    }
    Ok(measured)
}

fn shifters(measured: &mut Measurements, entries: &[(String, Values)]) -> Result<()> {
    for (key, values) in entries {
        match key.as_str() {
            "gain" => measured.gains = reals(SHIFTERS, key, values)?,
            "range" => measured.ranges = reals(SHIFTERS, key, values)?,
            "dead" => {
                let index =
                    |value: &f64| (value.fract() == 0.0 && (0.0..1e15).contains(value)).then_some(*value as usize);
                let Values::Reals(values) = values else { bail!("{DEAD}") };
                measured.dead = values.iter().map(index).collect::<Option<Vec<_>>>().context(DEAD)?;
            }
            _ => bail!("[shifters] {}", unknown("key", key, ["gain", "range", "dead"])),
        }
    }
    Ok(())
}

const DEAD: &str = "[shifters] dead must be a list of numbers of controls, as [17, 40]";

fn errors(
    measured: &mut Measurements,
    section: &str,
    index: usize,
    stage: &Stage,
    entries: &[(String, Values)],
) -> Result<()> {
    let schema: Vec<&str> =
        stage.element().imperfect().map_or(Vec::new(), |own| own.errors()).iter().map(|own| own.name).collect();
    let mut parts = None;
    for (key, values) in entries {
        let values = reals(section, key, values)?;
        if let Stage::Mesh(mesh) = stage
            && let Some(part) = ["theta", "phi", "gamma"].iter().position(|own| own == key)
        {
            let whole = entries.iter().any(|(other, _)| other == "phases");
            ensure!(!whole, "[{section}] has phases and {key}; keep one of them");
            let [start, count] = [[0, mesh.mzis()], [mesh.mzis(), mesh.mzis()], [2 * mesh.mzis(), mesh.modes()]][part];
            ensure!(values.len() == count, "[{section}] {key} must hold {count} numbers, found {}", values.len());
            let all = parts.get_or_insert_with(|| vec![f64::NAN; mesh.controls()]);
            all[start..start + count].copy_from_slice(&values);
            continue;
        }
        if !schema.contains(&key.as_str()) {
            let parts = matches!(stage, Stage::Mesh(_)).then_some(["theta", "phi", "gamma"]);
            bail!("[{section}] {}", unknown("key", key, schema.iter().copied().chain(parts.into_iter().flatten())));
        }
        measured.errors.push((index, key.clone(), values));
    }
    measured.errors.extend(parts.map(|values| (index, "phases".to_string(), values)));
    Ok(())
}

fn reals(section: &str, key: &str, values: &Values) -> Result<Vec<f64>> {
    match values {
        Values::Reals(values) => Ok(values.clone()),
        Values::Other => {
            bail!("[{section}] {key} must be a list of numbers, as [0.01, -0.02]; nan where nothing was measured")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::imperfections::Imperfections;
    use at_core::network::Detection;
    use at_core::optics::{AngularSpectrum, Mesh};
    use at_core::stage::Transmission;
    use ndarray::arr1;

    fn network() -> Network {
        let mesh = || Stage::Mesh(Mesh::rectangular(2).unwrap());
        Network::new(vec![vec![mesh(), mesh(), Stage::detection(2, Detection::Intensity)]]).unwrap()
    }

    fn parse(text: &str, network: &Network) -> Result<Measurements> {
        understood(&of_toml(text)?, network)
    }

    const TEXT: &str = "[mesh1]\ntheta = [0.1]\ngamma = [nan, 2]\nfirst_coupler = [0.3]\n[shifters]\ndead = [7]";

    #[test]
    fn parts_of_a_chip_are_read_by_name() {
        let measured = parse(TEXT, &network()).unwrap();
        assert_eq!(
            (measured.errors[0].0, &measured.errors[0].1[..], &measured.errors[0].2[..]),
            (1, "first_coupler", &[0.3][..])
        );
        let (index, name, phases) = &measured.errors[1];
        assert_eq!((*index, &name[..], phases[0], phases[3]), (1, "phases", 0.1, 2.0));
        assert!(phases[1].is_nan() && phases[2].is_nan() && measured.dead == [7]);
    }

    #[test]
    fn planes_are_measured_by_the_names_of_their_errors() {
        let spectrum =
            AngularSpectrum { rows: 2, columns: 2, pitch_um: 400.0, distance_um: 100.0, wavelength_um: 750.0 };
        let mask = Stage::mask(2, 2, Transmission::Phase);
        let planes =
            Network::new(vec![vec![Stage::free_space(spectrum), mask, Stage::detection(4, Detection::Intensity)]])
                .unwrap();
        let text = "[free-space0]\nshift = [12, -7]\ntilt = [1e-3, nan]\n[mask0]\nphase = [0.1, 0.2, 0.3, 0.4]";
        let measured = parse(text, &planes).unwrap();
        let mut chip = Imperfections::default().fabricate(&planes, 1).unwrap();
        measured.put_on(&planes, &mut chip).unwrap();
        assert_eq!(chip.stages[0].get(["shift", "tilt"]).unwrap(), [&[12.0, -7.0][..], &[1e-3, 0.0]]);
        assert_eq!(chip.stages[1].get(["phase"]).unwrap(), [&[0.1, 0.2, 0.3, 0.4]]);
        let error = format!("{:#}", parse("[free-space1]\nshift = [1, 2]", &planes).unwrap_err());
        assert!(error.contains("known: free-space0, mask0, shifters"), "{error}");
    }

    #[test]
    fn an_archive_and_a_text_of_the_same_chip_are_the_same_chip() {
        let folder = tempfile::tempdir().unwrap();
        let [text, archive, errors] = ["a.toml", "a.npz", "b.npz"].map(|name| folder.path().join(name));
        std::fs::write(&text, TEXT).unwrap();
        let write = |path: &Path, arrays: &[(&str, &[f64])]| {
            let mut npz = ndarray_npy::NpzWriter::new(std::fs::File::create(path).unwrap());
            arrays.iter().for_each(|(name, values)| npz.add_array(*name, &arr1(values)).unwrap());
            npz.finish().unwrap();
        };
        let arrays: [(&str, &[f64]); 4] = [
            ("shifters.dead", &[7.0]),
            ("mesh1.first_coupler", &[0.3]),
            ("mesh1.gamma", &[f64::NAN, 2.0]),
            ("mesh1.theta", &[0.1]),
        ];
        write(&archive, &[&arrays[..], &[(MARK, &[1.0])]].concat());
        write(&errors, &arrays);
        assert_eq!([&text, &archive, &errors].map(|file| is_measured(file)), [true, true, false]);
        let [(one, sum), (other, theirs)] = [&text, &archive].map(|file| read(file, &network()).unwrap());
        assert_eq!((format!("{one:?}"), sum), (format!("{other:?}"), theirs));
        write(&archive, &[("theta", &[0.1]), (MARK, &[1.0])]);
        let error = format!("{:#}", read(&archive, &network()).unwrap_err());
        assert!(error.contains("a.npz: array theta names no section"), "{error}");
    }

    #[test]
    fn what_is_not_understood_is_named_with_its_section() {
        for (text, words) in [
            ("", "no section"),
            ("[mesh2]\ntheta = [0.1]", "unknown section \"mesh2\""),
            ("[mesh0]\nthete = [0.1]", "[mesh0] unknown key \"thete\"; did you mean theta"),
            ("[mesh0]\ntheta = [0.1, 0.2]", "[mesh0] theta must hold 1 numbers, found 2"),
            ("[mesh0]\ntheta = 0.1", "[mesh0] theta must be a list of numbers"),
            ("[mesh0]\ntheta = [0.1]\nphases = [0.1]", "has phases and theta"),
            ("[shifters]\ndead = [-1]", "[shifters] dead must be"),
            ("[shifters]\ndead = [1.5]", "[shifters] dead must be"),
            ("mesh0 = 3", "write [mesh0]"),
            ("[mesh0]\ntheta = [0.1", "line 2"),
        ] {
            let error = format!("{:#}", parse(text, &network()).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
