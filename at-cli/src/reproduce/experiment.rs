//! A result as a file: settings, what varies, what is expected and by whom.

use crate::comparison::Vary;
use crate::settings::RunSettings;
use anyhow::{Context, Result};
use serde::Deserialize;

const FILES: [(&str, &str); 12] = [
    ("demo", include_str!("../../reproductions/demo.toml")),
    ("fig4", include_str!("../../reproductions/fig4.toml")),
    ("fig5a", include_str!("../../reproductions/fig5a.toml")),
    ("fig5b", include_str!("../../reproductions/fig5b.toml")),
    ("fig5c", include_str!("../../reproductions/fig5c.toml")),
    ("fig5d", include_str!("../../reproductions/fig5d.toml")),
    ("fig5e", include_str!("../../reproductions/fig5e.toml")),
    ("fig5f", include_str!("../../reproductions/fig5f.toml")),
    ("fig5g", include_str!("../../reproductions/fig5g.toml")),
    ("fig5h", include_str!("../../reproductions/fig5h.toml")),
    ("fig6", include_str!("../../reproductions/fig6.toml")),
    ("fig6c", include_str!("../../reproductions/fig6c.toml")),
];

/// The whole file.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Experiment {
    /// What it is.
    pub title: String,
    /// Who published it, and where the expectation comes from.
    pub source: String,
    /// What differs from the publication.
    #[serde(default)]
    pub notes: Vec<String>,
    /// What varies, as the axis of the picture says it.
    #[serde(default)]
    pub axis: Option<String>,
    /// Chips per method.
    pub chips: u64,
    /// The settings of every training.
    pub settings: RunSettings,
    /// What varies.
    #[serde(default)]
    pub vary: Vec<Vary>,
    /// What is expected.
    pub expect: Vec<Expectation>,
    /// What is different with `--quick`.
    #[serde(default)]
    pub quick: Option<Quick>,
}

/// A reduced size.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Quick {
    /// How it is reduced, in words.
    pub note: String,
    /// Chips per method.
    pub chips: u64,
    /// Settings that win over the others.
    #[serde(default)]
    pub settings: RunSettings,
    /// In the place of what varies.
    #[serde(default)]
    pub vary: Option<Vec<Vary>>,
    /// In the place of what is expected.
    #[serde(default)]
    pub expect: Option<Vec<Expectation>>,
}

/// An expected range.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Expectation {
    /// In words.
    pub claim: String,
    /// Whose.
    pub method: String,
    /// Of what.
    #[serde(default)]
    pub quantity: Quantity,
    /// The other method that is subtracted.
    #[serde(default)]
    pub minus: Option<String>,
    /// Only at this value of what varies.
    #[serde(default)]
    pub at: Option<String>,
    /// The least.
    #[serde(default = "least")]
    pub low: f64,
    /// The most.
    #[serde(default = "most")]
    pub high: f64,
}

fn least() -> f64 {
    -1e3
}

fn most() -> f64 {
    1e3
}

/// What is expected to lie in a range.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Quantity {
    /// Accuracy on the test samples after the last epoch, mean over the chips (%).
    #[default]
    Accuracy,
    /// Values read from and injected into the chip, per sample.
    Accesses,
    /// Turns from light to numbers and back, per step.
    TimeSteps,
    /// Real operations of digital models, per sample (thousands).
    DigitalWork,
}

impl Quantity {
    /// Its name on an axis.
    pub fn label(self) -> &'static str {
        match self {
            Quantity::Accuracy => "test accuracy of the chip (%)",
            Quantity::Accesses => "accesses of the chip per sample",
            Quantity::TimeSteps => "time steps per training step",
            Quantity::DigitalWork => "thousand digital operations per sample and chip",
        }
    }

    /// Its unit in the table, of a difference where one is taken.
    pub fn unit(self, difference: bool) -> &'static str {
        match self {
            Quantity::Accuracy if difference => "points",
            Quantity::Accuracy => "%",
            Quantity::Accesses => "per sample",
            Quantity::TimeSteps => "per step",
            Quantity::DigitalWork => "thousands",
        }
    }
}

impl Experiment {
    /// The description called `name`.
    pub fn find(name: &str) -> Option<Result<Self>> {
        let (_, text) = FILES.iter().find(|file| file.0 == name)?;
        Some(toml::from_str(text).with_context(|| format!("the description of {name}")))
    }

    /// The same at reduced size.
    pub fn quick(self) -> Result<Self> {
        let Some(quick) = self.quick.clone() else { return Ok(self) };
        let mut settings = toml::Table::try_from(&self.settings).context("settings")?;
        settings.extend(toml::Table::try_from(&quick.settings).context("settings")?);
        let mut notes = self.notes;
        notes.push(format!("Reduced size: {}", quick.note));
        Ok(Experiment {
            notes,
            chips: quick.chips,
            settings: settings.try_into().context("settings")?,
            vary: quick.vary.unwrap_or(self.vary),
            expect: quick.expect.unwrap_or(self.expect),
            quick: None,
            ..self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_description_makes_sense_at_both_sizes() {
        for (name, _) in FILES {
            let full = Experiment::find(name).unwrap().unwrap();
            for description in [full.clone(), full.quick().unwrap()] {
                let settings = crate::settings::resolve(None, &description.settings).unwrap();
                crate::plan::Plan::new(settings.clone()).unwrap_or_else(|error| panic!("{name}: {error:#}"));
                let methods = settings.method.unwrap();
                assert!(description.vary.len() <= 1 && description.vary.is_empty() == description.axis.is_none());
                assert!(!description.expect.is_empty(), "{name}");
                for expect in &description.expect {
                    assert!(expect.low <= expect.high && methods.contains(&expect.method), "{name}: {expect:?}");
                    assert!(expect.minus.iter().all(|other| methods.contains(other)), "{name}: {expect:?}");
                    let known = |at| description.vary.iter().any(|vary: &Vary| vary.values.contains(at));
                    assert!(expect.at.iter().all(known), "{name}: {expect:?}");
                }
            }
        }
    }
}
