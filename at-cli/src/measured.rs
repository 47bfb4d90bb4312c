//! Files of what was measured of a chip (TOML, for `--chip-file`): any part of it, and the rest is drawn as the kind of chip says.
//!
//! ```toml
//! [mesh0]                      # the first mesh; also attenuators0, matrix0, weight-bank0
//! first_coupler = [0.02, …]    # names, units and order of the stage's errors; nan where nothing was measured
//! theta = [0.1, …]             # of meshes the phases may come in parts: theta, phi, gamma
//!
//! [shifters]
//! gain = [1.02, …]             # of every control, in the order of controls.csv: what it does over what it is told
//! range = [9.4, …]             # radians
//! dead = [17, 40]              # numbers of controls
//! ```

use crate::names::unknown;
use crate::stage_names;
use anyhow::{Context, Result, anyhow, bail, ensure};
use at_core::chip::Measurements;
use at_core::files::whole::read_text;
use at_core::network::{Network, Stage};
use std::path::Path;
use toml::{Table, Value};

/// Longest file (bytes): some million numbers.
const LONGEST: u64 = 1 << 26;

/// Reads what was measured of a chip of `network`, and its text. Errs with file, section and key.
pub fn read(path: &Path, network: &Network) -> Result<(Measurements, String)> {
    let text = read_text(path, LONGEST)?;
    let measured = parse(&text, network).with_context(|| path.display().to_string())?;
    Ok((measured, text))
}

fn parse(text: &str, network: &Network) -> Result<Measurements> {
    let table: Table = toml::from_str(text).map_err(|error| {
        let line =
            error.span().and_then(|span| text.get(..span.start)).map_or(0, |before| before.matches('\n').count() + 1);
        anyhow!("line {line}: {}", error.message().replace('\n', ", "))
    })?;
    ensure!(!table.is_empty(), "nothing was measured: it has no section");
    let names = stage_names::names(network);
    let mut measured = Measurements::default();
    for (section, content) in &table {
        let entries = content.as_table().with_context(|| format!("{section} is no section; write [{section}]"))?;
        if section == "shifters" {
            shifters(&mut measured, entries)?;
            continue;
        }
        let found = names.iter().position(|name| name.as_ref() == Some(section));
        let index = found.with_context(|| {
            unknown("section", section, names.iter().flatten().map(String::as_str).chain(["shifters"]))
        })?;
        let stage = network.stages().nth(index).context("a stage")?;
        errors(&mut measured, section, index, stage, entries)?;
    }
    Ok(measured)
}

fn shifters(measured: &mut Measurements, entries: &Table) -> Result<()> {
    for (key, value) in entries {
        match key.as_str() {
            "gain" => measured.gains = reals("shifters", key, value)?,
            "range" => measured.ranges = reals("shifters", key, value)?,
            "dead" => {
                let index = |value: &Value| value.as_integer().and_then(|index| usize::try_from(index).ok());
                let all = value.as_array().and_then(|values| values.iter().map(index).collect::<Option<Vec<_>>>());
                measured.dead = all.context("[shifters] dead must be a list of numbers of controls, as [17, 40]")?;
            }
            _ => bail!("[shifters] {}", unknown("key", key, ["gain", "range", "dead"])),
        }
    }
    Ok(())
}

fn errors(measured: &mut Measurements, section: &str, index: usize, stage: &Stage, entries: &Table) -> Result<()> {
    let schema: Vec<&str> =
        stage.element().imperfect().map_or(Vec::new(), |own| own.errors()).iter().map(|own| own.name).collect();
    let mut parts = None;
    for (key, value) in entries {
        let values = reals(section, key, value)?;
        if let Stage::Mesh(mesh) = stage
            && let Some(part) = ["theta", "phi", "gamma"].iter().position(|own| own == key)
        {
            ensure!(!entries.contains_key("phases"), "[{section}] has phases and {key}; keep one of them");
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

fn reals(section: &str, key: &str, value: &Value) -> Result<Vec<f64>> {
    let real = |value: &Value| value.as_float().or_else(|| value.as_integer().map(|whole| whole as f64));
    let all = value.as_array().and_then(|values| values.iter().map(real).collect::<Option<Vec<_>>>());
    all.with_context(|| {
        format!("[{section}] {key} must be a list of numbers, as [0.01, -0.02]; nan where nothing was measured")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::network::Detection;
    use at_core::optics::Mesh;

    fn network() -> Network {
        let mesh = || Stage::Mesh(Mesh::rectangular(2).unwrap());
        Network::new(vec![vec![mesh(), mesh(), Stage::detection(2, Detection::Intensity)]]).unwrap()
    }

    #[test]
    fn parts_of_a_chip_are_read_by_name() {
        let text = "[mesh1]\ntheta = [0.1]\ngamma = [nan, 2]\nfirst_coupler = [0.3]\n[shifters]\ndead = [7]";
        let measured = parse(text, &network()).unwrap();
        assert_eq!(
            (measured.errors[0].0, &measured.errors[0].1[..], &measured.errors[0].2[..]),
            (1, "first_coupler", &[0.3][..])
        );
        let (index, name, phases) = &measured.errors[1];
        assert_eq!((*index, &name[..], phases[0], phases[3]), (1, "phases", 0.1, 2.0));
        assert!(phases[1].is_nan() && phases[2].is_nan() && measured.dead == [7]);
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
            ("mesh0 = 3", "write [mesh0]"),
            ("[mesh0]\ntheta = [0.1", "line 2"),
        ] {
            let error = format!("{:#}", parse(text, &network()).unwrap_err());
            assert!(error.contains(words), "{text}: {error}");
        }
    }
}
