//! Presets: settings files that are part of the program (`at-cli/presets`).

use super::flags::RunSettings;
use crate::{methods, names};
use anyhow::{Context, Result, anyhow};
use at_core::training::MethodName;

/// The preset of a run that names none.
pub const DEFAULT: &str = "digits";

/// Settings that come with the program.
struct Preset {
    name: &'static str,
    /// What it is; where a method is meant, `{}` stands for that method's title.
    meaning: &'static str,
    /// The method whose publication it follows.
    method: Option<MethodName>,
    settings: &'static str,
}

const PRESETS: [Preset; 5] = [
    Preset {
        name: "digits",
        meaning: "an uncalibrated weight bank on the embedded digits (default)",
        method: None,
        settings: include_str!("../../presets/digits.toml"),
    },
    Preset {
        name: "asyt-demo",
        meaning: "the published demonstration of {}, MNIST",
        method: Some(MethodName::At),
        settings: include_str!("../../presets/asyt-demo.toml"),
    },
    Preset {
        name: "dat",
        meaning: "the three 64-mode meshes of {}, MNIST",
        method: Some(MethodName::Dat),
        settings: include_str!("../../presets/dat.toml"),
    },
    Preset {
        name: "lenet-5",
        meaning: "convolutions on roughly calibrated weight banks, MNIST",
        method: None,
        settings: include_str!("../../presets/lenet-5.toml"),
    },
    Preset {
        name: "vgg-8",
        meaning: "six convolutions and two dense layers of such banks, CIFAR-10",
        method: None,
        settings: include_str!("../../presets/vgg-8.toml"),
    },
];

/// The presets' names.
pub fn names() -> impl Iterator<Item = &'static str> {
    PRESETS.iter().map(|preset| preset.name)
}

/// The presets, one per line.
pub fn help() -> String {
    let line = |Preset { name, meaning, method, .. }: &Preset| {
        let title = method.map_or("", |method| methods::facts(method).title);
        format!("  {name:<12} {}", meaning.replace("{}", title))
    };
    PRESETS.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The settings of preset `name`.
pub fn find(name: &str) -> Result<RunSettings> {
    let preset = PRESETS
        .iter()
        .find(|preset| preset.name == name)
        .ok_or_else(|| anyhow!(names::unknown("preset", name, names())))?;
    toml::from_str(preset.settings).with_context(|| format!("preset {name}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_preset_that_follows_a_publication_says_its_methods_title() {
        let help = help();
        for preset in &PRESETS {
            let line = help.lines().find(|line| line.split_whitespace().next() == Some(preset.name)).unwrap();
            let title = preset.method.map_or("", |method| methods::facts(method).title);
            assert!(line.contains(title) && !line.contains("{}") && line.chars().count() <= 80, "{line}");
            find(preset.name).unwrap();
        }
    }
}
