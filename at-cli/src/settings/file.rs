//! Settings as a file: read from anywhere, and written where a run can be repeated with it.

use super::flags::{RunSettings, keys};
use crate::names;
use anyhow::{Context, Result, anyhow, bail};
use at_core::files::own;
use at_core::files::whole::{LONGEST_TEXT, read_text};
use std::path::{Path, PathBuf};
use toml::Table;

/// Reads a settings file. Errs on unknown keys with the nearest known one, and on values of a wrong type with their line.
pub fn read(path: &Path) -> Result<RunSettings> {
    let text = read_text(path, LONGEST_TEXT).context("settings file")?;
    parse(&text).with_context(|| format!("settings file {}", path.display()))
}

/// Reads a settings file of a run's own folder.
pub fn read_own(path: &Path) -> Result<RunSettings> {
    let text = own::read_text(path, LONGEST_TEXT).context("settings file")?;
    parse(&text).with_context(|| format!("settings file {}", path.display()))
}

/// Reads settings. Errs on unknown keys with the nearest known one.
pub fn parse(text: &str) -> Result<RunSettings> {
    let known = keys();
    for key in toml::from_str::<Table>(text).map_err(|error| in_a_line(&error, text, false))?.keys() {
        if !known.contains(key) {
            let flag_only = ["config", "out", "resume", "json", "quiet"].contains(&key.as_str());
            if flag_only {
                bail!("key {key:?} is a flag only: pass --{key}");
            }
            bail!("{}", names::unknown("key", key, known.iter().map(String::as_str)));
        }
    }
    toml::from_str(text).map_err(|error| in_a_line(&error, text, true))
}

/// The place and the message, on one line. What stands there is said only where every key is a setting's (`shown`): any other file may
/// have been named by mistake, with something in it that is not for the screen.
fn in_a_line(error: &toml::de::Error, text: &str, shown: bool) -> anyhow::Error {
    let message = error.message().replace('\n', ", ");
    let Some(before) = error.span().and_then(|span| text.get(..span.start)) else { return anyhow!(message) };
    let line = before.matches('\n').count() + 1;
    if shown {
        let found: String = text.lines().nth(line - 1).unwrap_or_default().trim().chars().take(60).collect();
        return anyhow!("line {line}, {found:?}: {message}");
    }
    let column = before.chars().rev().take_while(|&char| char != '\n').count() + 1;
    anyhow!("line {line}, column {column}: {message}")
}

/// The settings as a file that repeats the run. Folders become absolute, so that it can be read from anywhere.
pub fn config(settings: &RunSettings) -> Result<String> {
    let data_dir = settings.data_dir.as_ref().map(std::path::absolute).transpose().context("--data-dir")?;
    let absolute = |files: &Vec<PathBuf>| files.iter().map(std::path::absolute).collect::<std::io::Result<_>>();
    let chip_errors = settings.chip_errors.as_ref().map(absolute).transpose().context("--chip-errors")?;
    let text = toml::to_string(&RunSettings { data_dir, chip_errors, ..settings.clone() }).context("config.toml")?;
    Ok(format!("# Settings of this run; `asyt train --config` with this file repeats it.\n{text}"))
}

#[cfg(test)]
mod tests {
    use super::super::presets;
    use super::*;

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest() {
        let message = |text| format!("{:#}", parse(text).unwrap_err());
        assert!(message("learning_rate = 1.0").contains("did you mean learning-rate?"));
        assert!(message("json = true").contains("--json"));
        let wrong = message("seed = 1\nepochs = 'many'");
        assert!(wrong.contains("epochs") && wrong.contains("line 2"), "{wrong}");
        assert!(message("epochs = 0.5").contains("epochs"));
        assert!(message("epochs = ").contains("line 1"));
    }

    /// Of changed files; `AT_FUZZ_INPUTS` says how many.
    #[test]
    fn settings_files_that_went_wrong_are_read_or_refused_in_few_words() {
        let count =
            std::env::var("AT_FUZZ_INPUTS").map_or(5000, |count| count.parse().expect("AT_FUZZ_INPUTS is a number"));
        let seeds: Vec<String> =
            presets::names().map(|name| toml::to_string(&presets::find(name).unwrap()).unwrap()).collect();
        for input in 0..count {
            let mut mutator = at_tests::mutation::Mutator::new(input);
            let seed = &seeds[mutator.below(seeds.len())];
            let changed = mutator.mutate(seed.as_bytes());
            let Ok(text) = String::from_utf8(changed) else { continue };
            if let Err(error) = parse(&text) {
                let said = format!("{error:#}");
                assert!(said.chars().count() < 2000, "input {input}: {said}");
            }
        }
    }
}
