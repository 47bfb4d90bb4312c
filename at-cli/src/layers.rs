//! Where settings come from: the preset, then the file, then the flags; each wins over those before it. Where neither names a
//! preset, what the kind of network needs ([`crate::families`]) lies above the default one.

use crate::network_text::NetworkText;
use crate::settings::{self, Settings};
use crate::{chips, families, names, presets};
use anyhow::{Context, Result, anyhow, bail};
use at_core::files::own;
use at_core::files::whole::{LONGEST_TEXT, read_text};
use std::path::Path;
use toml::Table;

/// All settings of a run from its `file` and `flags`. The preset is that of the flags, else of the file, else `digits`.
pub fn resolve(file: Option<&Path>, flags: &Settings) -> Result<Settings> {
    Ok(explained(file, flags, None)?.0)
}

/// [`resolve`] with the file of a run's own folder.
pub fn resolve_own(file: &Path, flags: &Settings) -> Result<Settings> {
    Ok(combine(&read_own(file)?, flags, None)?.0)
}

/// The same, and a line on the defaults that follow the network; where there is a `lead`, they follow that one.
pub fn explained(
    file: Option<&Path>,
    flags: &Settings,
    lead: Option<&NetworkText>,
) -> Result<(Settings, Option<String>)> {
    combine(&file.map(read).transpose()?.unwrap_or_default(), flags, lead)
}

fn combine(file: &Settings, flags: &Settings, lead: Option<&NetworkText>) -> Result<(Settings, Option<String>)> {
    let named = flags.preset.is_some() || file.preset.is_some();
    let preset = flags.preset.as_deref().or(file.preset.as_deref()).unwrap_or(presets::DEFAULT);
    let mut layers = table(&presets::find(preset)?)?;
    let mut given = Table::new();
    for layer in [file, flags] {
        overlay(&mut given, table(layer)?);
    }
    let mut line = None;
    let network = lead.or(flags.network.as_ref()).or(file.network.as_ref()).filter(|_| !named);
    if let Some(network) = network {
        let dataset = given.get("dataset").or(layers.get("dataset")).and_then(toml::Value::as_str).unwrap_or_default();
        let own = table(&families::defaults(network, &given.clone().try_into().context("settings")?, dataset)?)?;
        let text = |value: &toml::Value| value.to_string().replace(['"', '[', ']', ' '], "");
        let taken = own.iter().filter(|(name, _)| !given.contains_key(*name));
        let taken: Vec<String> = taken.map(|(name, value)| format!("{name} {}", text(value))).collect();
        line = (!taken.is_empty()).then(|| format!("defaults that follow the network: {}", taken.join(", ")));
        overlay(&mut layers, own);
    }
    for layer in [file, flags] {
        overlay(&mut layers, table(layer)?);
    }
    layers.insert("preset".to_string(), preset.into());
    Ok((layers.try_into().context("settings")?, line))
}

/// Reads a settings file. Errs on unknown keys with the nearest known one, and on values of a wrong type with their line.
pub fn read(path: &Path) -> Result<Settings> {
    let text = read_text(path, LONGEST_TEXT).context("settings file")?;
    parse(&text).with_context(|| format!("settings file {}", path.display()))
}

/// Reads a settings file of a run's own folder.
pub fn read_own(path: &Path) -> Result<Settings> {
    let text = own::read_text(path, LONGEST_TEXT).context("settings file")?;
    parse(&text).with_context(|| format!("settings file {}", path.display()))
}

fn parse(text: &str) -> Result<Settings> {
    let known = settings::keys();
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

fn table(settings: &Settings) -> Result<Table> {
    Table::try_from(settings).context("settings")
}

/// Puts `layer` on top. A layer that names a kind of chip starts that chip anew: spreads of lower layers do not shine through.
fn overlay(base: &mut Table, layer: Table) {
    if layer.contains_key("chip") {
        chips::SPREADS.iter().for_each(|spread| drop(base.remove(*spread)));
    }
    base.extend(layer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_layers_win_and_a_chip_starts_anew() {
        let mut base = table(&presets::find("asyt-demo").unwrap()).unwrap();
        overlay(&mut base, toml::from_str("epochs = 3\nupdate-error = 0.1").unwrap());
        assert_eq!((base["epochs"].as_integer(), base["update-error"].as_float()), (Some(3), Some(0.1)));
        overlay(&mut base, toml::from_str("chip = 'ideal'").unwrap());
        assert!(!base.contains_key("update-error"));
        let all: Settings = base.try_into().unwrap();
        assert_eq!((all.batch_size, all.epochs), (Some(600), Some(3)));
    }

    #[test]
    fn defaults_follow_the_network_unless_a_preset_is_named() {
        let flags = |preset: Option<&str>, network: &str| Settings {
            preset: preset.map(String::from),
            network: Some(network.parse().unwrap()),
            ..Settings::default()
        };
        let (all, line) = explained(None, &flags(None, "mesh:64x3"), None).unwrap();
        assert_eq!((all.chip.as_deref(), all.optimizer.as_deref()), (Some("mesh"), Some("adam")));
        let line = line.unwrap();
        assert!(
            line.contains("chip mesh, encoding fourier-crop:8") && line.contains("at-adaptive,in-silico"),
            "{line}"
        );
        let (all, line) = explained(None, &flags(Some("digits"), "mesh:64x3"), None).unwrap();
        assert_eq!((all.chip.as_deref(), line), (Some("weight-bank"), None));
        let own = Settings { chip: Some("ideal".into()), learning_rate: Some(0.5), ..flags(None, "mesh:64x3") };
        let (all, line) = explained(None, &own, None).unwrap();
        assert_eq!((all.chip.as_deref(), all.learning_rate), (Some("ideal"), Some(0.5)));
        assert!(!line.unwrap().contains("chip"));
        assert_eq!(explained(None, &flags(None, "bank:in-out"), None).unwrap().1, None);
    }

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

    #[test]
    fn resolved_settings_read_back_as_themselves() {
        for name in presets::names() {
            let flags = Settings { preset: Some(name.to_string()), ..Settings::default() };
            let all = resolve(None, &flags).unwrap();
            assert_eq!(parse(&toml::to_string(&all).unwrap()).unwrap(), all);
        }
    }
}
