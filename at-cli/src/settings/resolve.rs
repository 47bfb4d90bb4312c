//! Where settings come from: the preset, then the file, then the flags; each wins over those before it. Where neither names a
//! preset, what the kind of network needs ([`families`]) lies above the default one.

use super::file::{read, read_own};
use super::flags::RunSettings;
use super::{chips, families, presets};
use crate::network_text::NetworkText;
use anyhow::{Context, Result, ensure};
use at_core::data::{ImageShape, image_of};
use at_core::training::methods::{Model, registry};
use std::path::Path;
use toml::Table;

/// All settings of a run from its `file` and `flags`. The preset is that of the flags, else of the file, else `digits`.
pub fn resolve(file: Option<&Path>, flags: &RunSettings) -> Result<RunSettings> {
    Ok(explained(file, flags, None)?.0)
}

/// [`resolve`] with the file of a run's own folder.
pub fn resolve_own(file: &Path, flags: &RunSettings) -> Result<RunSettings> {
    Ok(combine(&read_own(file)?, flags, None, None)?.0)
}

/// The same, and a line on the defaults that follow the network; where there is a `lead`, they follow that one.
pub fn explained(
    file: Option<&Path>,
    flags: &RunSettings,
    lead: Option<&NetworkText>,
) -> Result<(RunSettings, Option<String>)> {
    combine(&file.map(read).transpose()?.unwrap_or_default(), flags, lead, None)
}

/// The same without a file, for samples that a program has, which may be images.
pub fn explained_for(flags: &RunSettings, image: Option<ImageShape>) -> Result<(RunSettings, Option<String>)> {
    combine(&RunSettings::default(), flags, None, Some(image))
}

/// `image`: the shape of the images where the samples are there, else that of the data set is looked up.
fn combine(
    file: &RunSettings,
    flags: &RunSettings,
    lead: Option<&NetworkText>,
    image: Option<Option<ImageShape>>,
) -> Result<(RunSettings, Option<String>)> {
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
        let data = families::Data { name: dataset, image: image.unwrap_or_else(|| image_of(dataset)) };
        let own = table(&families::defaults(network, &given.clone().try_into().context("settings")?, data)?)?;
        let text = |value: &toml::Value| value.to_string().replace(['"', '[', ']', ' '], "");
        let taken = own.iter().filter(|(name, _)| !given.contains_key(*name));
        let taken: Vec<String> = taken.map(|(name, value)| format!("{name} {}", text(value))).collect();
        line = (!taken.is_empty()).then(|| format!("defaults that follow the network: {}", taken.join(", ")));
        overlay(&mut layers, own);
    }
    if ["chip-command", "chip-address"].iter().any(|way| given.contains_key(*way)) && !given.contains_key("method") {
        without_oracles(&mut layers);
    }
    if given.contains_key("target-columns") {
        overlay(&mut layers, table(&real_targets())?);
    }
    for layer in [file, flags] {
        overlay(&mut layers, table(layer)?);
    }
    layers.insert("preset".to_string(), preset.into());
    let settings: RunSettings = layers.try_into().context("settings")?;
    // in a file it may be what an earlier run has written down of itself
    ensure!(
        flags.chip_seed.is_none() || !settings.has_chip_files(),
        "--chip-seed says which chip is drawn, and this one comes from a file; drop one of the two"
    );
    Ok((settings, line))
}

/// Takes the methods that know the chip itself from those that a preset names: nobody knows a chip from outside.
fn without_oracles(layers: &mut Table) {
    if let Some(methods) = layers.get_mut("method").and_then(toml::Value::as_array_mut) {
        methods.retain(|name| {
            let facts = registry::FACTS.into_iter().find(|facts| name.as_str() == Some(facts.name.as_str()));
            facts.is_none_or(|facts| facts.model != Model::Oracle)
        });
    }
}

/// What no preset says of real targets: they are met, not told apart, and at their own scale.
fn real_targets() -> RunSettings {
    RunSettings {
        loss: Some("mean-square".into()),
        loss_normalization: Some("none".into()),
        learning_rate: Some(0.02),
        ..RunSettings::default()
    }
}

fn table(settings: &RunSettings) -> Result<Table> {
    Table::try_from(settings).context("settings")
}

/// Puts `layer` on top. A layer that names a kind of chip starts that chip anew: spreads of lower layers do not shine through.
fn overlay(base: &mut Table, layer: Table) {
    if layer.contains_key("chip") {
        base.retain(|name, _| chips::imperfection(name).is_none());
    }
    base.extend(layer);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_number_of_a_chip_that_is_not_drawn_is_refused() {
        let with = |file: &str, seed: Option<u64>| {
            resolve(None, &RunSettings { chip_file: Some(file.into()), chip_seed: seed, ..RunSettings::default() })
        };
        assert!(with("F.npz", Some(5)).unwrap_err().to_string().contains("--chip-seed"));
        assert!(with("F.npz", None).is_ok());
        assert!(with("F.toml", Some(5)).is_ok(), "what was not measured is drawn");
    }

    #[test]
    fn later_layers_win_and_a_chip_starts_anew() {
        let mut base = table(&presets::find("asyt-demo").unwrap()).unwrap();
        overlay(&mut base, toml::from_str("epochs = 3\nupdate-error = 0.1").unwrap());
        assert_eq!((base["epochs"].as_integer(), base["update-error"].as_float()), (Some(3), Some(0.1)));
        overlay(&mut base, toml::from_str("chip = 'ideal'").unwrap());
        assert!(!base.contains_key("update-error"));
        let all: RunSettings = base.try_into().unwrap();
        assert_eq!((all.batch_size, all.epochs), (Some(600), Some(3)));
    }

    #[test]
    fn defaults_follow_the_network_unless_a_preset_is_named() {
        let flags = |preset: Option<&str>, network: &str| RunSettings {
            preset: preset.map(String::from),
            network: Some(network.parse().unwrap()),
            ..RunSettings::default()
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
        let own = RunSettings { chip: Some("ideal".into()), learning_rate: Some(0.5), ..flags(None, "mesh:64x3") };
        let (all, line) = explained(None, &own, None).unwrap();
        assert_eq!((all.chip.as_deref(), all.learning_rate), (Some("ideal"), Some(0.5)));
        assert!(!line.unwrap().contains("chip"));
        assert_eq!(explained(None, &flags(None, "bank:in-out"), None).unwrap().1, None);
    }

    #[test]
    fn resolved_settings_read_back_as_themselves() {
        for name in presets::names() {
            let flags = RunSettings { preset: Some(name.to_string()), ..RunSettings::default() };
            let all = resolve(None, &flags).unwrap();
            assert_eq!(crate::settings::file::parse(&toml::to_string(&all).unwrap()).unwrap(), all);
        }
    }
}
