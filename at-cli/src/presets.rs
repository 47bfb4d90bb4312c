//! Presets: settings files that are part of the program (`at-cli/presets`).

use crate::names;
use crate::settings::Settings;
use anyhow::{Context, Result, anyhow};

/// The preset of a run that names none.
pub const DEFAULT: &str = "digits";

/// Name, what it is, settings.
const PRESETS: [(&str, &str, &str); 3] = [
    ("digits", "an uncalibrated weight bank on the embedded digits (default)", include_str!("../presets/digits.toml")),
    (
        "asyt-demo",
        "the published demonstration of asymmetrical training, MNIST",
        include_str!("../presets/asyt-demo.toml"),
    ),
    ("dat", "the published network of three 64-mode meshes, MNIST", include_str!("../presets/dat.toml")),
];

/// The presets' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.0)
}

/// The presets, one per line.
pub fn help() -> String {
    PRESETS.map(|(name, meaning, _)| format!("  {name:<12} {meaning}")).join("\n")
}

/// The settings of preset `name`.
pub fn find(name: &str) -> Result<Settings> {
    let (.., text) = PRESETS
        .iter()
        .find(|preset| preset.0 == name)
        .ok_or_else(|| anyhow!(names::unknown("preset", name, names())))?;
    toml::from_str(text).with_context(|| format!("preset {name}"))
}
