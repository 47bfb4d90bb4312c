//! All that the numbers of a run depend on: its settings, its samples, and what it took from other files. A run goes on only
//! with the same.

use crate::network_files::FileSums;
use crate::plan::Plan;
use anyhow::{Context, Result, anyhow};
use at_core::Error;
use at_core::data::Contents;
use at_core::training::Checkpoint;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::path::Path;

/// What a run reads: the same samples, chip and first controls have the same.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunContents {
    /// The samples.
    pub data: Contents,
    /// The chip and the first controls, where they come from files.
    #[serde(default)]
    pub files: FileSums,
}

impl RunContents {
    /// What has changed since these were noted, with the names of `place`; none where `now` is the same.
    pub fn difference(&self, now: &RunContents, place: &SourceNames) -> Option<String> {
        if let Some(difference) = self.data.difference(&now.data) {
            return Some(format!("data set {}: {difference}", place.data));
        }
        if self.files.chip != now.files.chip {
            return Some(format!("{}: it holds another chip", place.chip));
        }
        (self.files.controls != now.files.controls).then(|| format!("{}: it holds other controls", place.controls))
    }
}

/// What errors call the sources of a run's contents.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceNames {
    /// Data set, with its folder where one was given.
    pub data: String,
    /// Files of the chip.
    pub chip: String,
    /// File of the first controls.
    pub controls: String,
}

impl SourceNames {
    /// The names in the settings of `plan`.
    pub fn of(plan: &Plan) -> Self {
        let settings = &plan.settings;
        let name = settings.dataset.clone().unwrap_or_default();
        let chip = settings.chip_file.iter().chain(settings.chip_errors.iter().flatten());
        SourceNames {
            data: match &settings.data_dir {
                Some(folder) => format!("{name} in {}", folder.display()),
                None => name,
            },
            chip: match settings.way() {
                Some(way) => format!("the chip from outside ({way})"),
                None => chip.map(|file| file.display().to_string()).collect::<Vec<_>>().join(", "),
            },
            controls: settings.start_from.iter().map(|file| file.display().to_string()).collect(),
        }
    }
}

/// Kept in every checkpoint of a run.
pub struct Fingerprint {
    /// Settings that matter, those that are not set left out.
    settings: Map<String, Value>,
    contents: RunContents,
    place: SourceNames,
}

/// A fingerprint as it is kept.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Kept {
    settings: Map<String, Value>,
    contents: RunContents,
}

/// What a kept fingerprint says of the run that asks.
#[derive(Debug, PartialEq)]
enum Comparison {
    Same,
    /// Settings and numbers of samples are the same, and an earlier version kept no more.
    SameAsFarAsKept,
    /// And in what.
    Different(String),
}

impl Fingerprint {
    /// Of the run of `plan`, which reads `contents`.
    pub fn new(plan: &Plan, contents: RunContents) -> Result<Self> {
        let same = crate::settings::RunSettings { method: None, ..plan.settings.identity() };
        let settings = serde_json::to_value(same).context("settings")?;
        Ok(Fingerprint { settings: set(settings), contents, place: SourceNames::of(plan) })
    }

    /// The text that is kept.
    pub fn text(&self) -> String {
        let kept = Kept { settings: self.settings.clone(), contents: self.contents.clone() };
        serde_json::to_string(&kept).expect("a fingerprint has only texts and numbers")
    }

    /// The checkpoint at `path`, if there is one, and a doubt about it. Errs where it is of a run with other settings or
    /// contents, with what has changed.
    pub fn open(&self, path: &Path) -> Result<(Option<Checkpoint>, Option<String>)> {
        if !path.exists() {
            return Ok((None, None));
        }
        let checkpoint = Checkpoint::open(path)?;
        match self.compare(&checkpoint.fingerprint) {
            Comparison::Same => Ok((Some(checkpoint), None)),
            Comparison::SameAsFarAsKept => {
                let doubt = format!(
                    "{} is of an earlier version, which noted how many samples there were and not which; whether data and files \
                     are still the same cannot be told",
                    path.display()
                );
                Ok((Some(checkpoint), Some(doubt)))
            }
            Comparison::Different(reason) => Err(anyhow!(Error::malformed(path, reason))),
        }
    }

    fn compare(&self, kept: &str) -> Comparison {
        if kept == self.text() {
            return Comparison::Same;
        }
        if let Ok(Kept { settings, contents }) = serde_json::from_str(kept) {
            if let Some(changed) = changed(&settings, &self.settings) {
                return other_settings(&changed);
            }
            return match contents.difference(&self.contents, &self.place) {
                None => Comparison::Same,
                Some(difference) => Comparison::Different(format!(
                    "the run was begun with other contents of {difference}; put back what was there, or start a new run"
                )),
            };
        }
        self.compare_earlier(kept)
    }

    /// With the form of the version that kept no contents: settings as JSON, then `N + M samples`.
    fn compare_earlier(&self, kept: &str) -> Comparison {
        let mut values = serde_json::Deserializer::from_str(kept).into_iter::<Value>();
        let Some(Ok(settings)) = values.next() else {
            return Comparison::Different("belongs to a run that is not known".to_string());
        };
        let samples = &kept[values.byte_offset()..];
        let settings = set(settings);
        // what that version did not know it did not keep
        let known: Map<String, Value> =
            self.settings.clone().into_iter().filter(|(name, _)| settings.contains_key(name)).collect();
        if let Some(changed) = changed(&settings, &known) {
            return other_settings(&changed);
        }
        let Contents { train, test, .. } = &self.contents.data;
        let now = format!("{} + {} samples", train.samples, test.samples);
        if samples.trim() == now {
            return Comparison::SameAsFarAsKept;
        }
        let data = &self.place.data;
        Comparison::Different(format!(
            "the run was begun with {} of data set {data}, and there are {now}",
            samples.trim()
        ))
    }
}

fn other_settings(changed: &str) -> Comparison {
    let remedy = "resume with those, or start a new run";
    Comparison::Different(format!("belongs to a run with other settings ({changed}); {remedy}"))
}

/// What is set of settings.
fn set(settings: Value) -> Map<String, Value> {
    let Value::Object(settings) = settings else { return Map::new() };
    settings.into_iter().filter(|(_, value)| !value.is_null()).collect()
}

/// The first settings that differ, as `seed: 1 there, 2 here`.
fn changed(there: &Map<String, Value>, here: &Map<String, Value>) -> Option<String> {
    let names = there.keys().chain(here.keys().filter(|name| !there.contains_key(*name)));
    let differing: Vec<&String> = names.filter(|name| there.get(*name) != here.get(*name)).collect();
    let text = |value: Option<&Value>| value.map_or("not set".to_string(), Value::to_string);
    let shown = differing.iter().take(3).map(|name| {
        let (there, here) = (text(there.get(*name)), text(here.get(*name)));
        format!("{name}: {there} there, {here} here")
    });
    let more = if differing.len() > 3 { format!(", and {} more", differing.len() - 3) } else { String::new() };
    (!differing.is_empty()).then(|| shown.collect::<Vec<_>>().join(", ") + &more)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::RunSettings;
    use at_core::data::{Dataset, Samples};

    fn data() -> Dataset {
        let samples = |labels: &[u32]| Samples {
            features: vec![0.5; labels.len()].into(),
            width: 1,
            complex: false,
            labels: labels.to_vec(),
            real: None,
        };
        let (train, test) = (samples(&[0, 1, 0]), samples(&[1]));
        Dataset {
            name: "small".into(),
            classes: 2,
            image: None,
            note: None,
            notes: Vec::new(),
            class_names: None,
            train,
            test,
        }
    }

    fn fingerprint(change: impl FnOnce(&mut RunSettings), data: &Dataset, files: FileSums) -> Fingerprint {
        let mut settings = crate::settings::resolve(None, &RunSettings::default()).unwrap();
        settings.chip_file = Some("/c/chip.npz".into());
        settings.start_from = Some("/c/start.safetensors".into());
        change(&mut settings);
        let plan = Plan::new(settings).unwrap();
        Fingerprint::new(&plan, RunContents { data: data.contents().unwrap(), files }).unwrap()
    }

    fn sums(chip: &str, controls: &str) -> FileSums {
        FileSums { chip: Some(chip.to_string()), controls: Some(controls.to_string()) }
    }

    #[test]
    fn what_has_changed_since_a_run_was_begun_is_named() {
        let begun = fingerprint(|_| {}, &data(), sums("a", "b")).text();
        let mut other = data();
        other.train.labels[0] = 1;
        let unchanged: fn(&mut RunSettings) = |_| {};
        let compare =
            |change: fn(&mut RunSettings), data: &Dataset, files| fingerprint(change, data, files).compare(&begun);
        assert_eq!(compare(unchanged, &data(), sums("a", "b")), Comparison::Same);
        assert_eq!(compare(|s| s.data_dir = Some("/d".into()), &data(), sums("a", "b")), Comparison::Same);
        let cases = [
            (compare(unchanged, &other, sums("a", "b")), "data set digits: the training labels have changed"),
            (compare(unchanged, &data(), sums("c", "b")), "/c/chip.npz: it holds another chip"),
            (compare(unchanged, &data(), sums("a", "c")), "/c/start.safetensors: it holds other controls"),
            (compare(|s| s.seed = Some(9), &data(), sums("a", "b")), "other settings (seed: 1 there, 9 here)"),
        ];
        for (comparison, part) in cases {
            assert!(
                matches!(&comparison, Comparison::Different(text) if text.contains(part)),
                "{part}: {comparison:?}"
            );
        }
    }

    /// As the version before this wrote it: no contents, and what is not set as null.
    #[test]
    fn an_earlier_fingerprint_is_believed_as_far_as_it_goes() {
        let now = fingerprint(|_| {}, &data(), sums("a", "b"));
        let mut kept = now.settings.clone();
        kept.remove("probe-step"); // a setting that did not exist yet
        kept.insert("tether".to_string(), Value::Null);
        let text = |settings: &Map<String, Value>, samples| format!("{} {samples}", Value::from(settings.clone()));
        assert_eq!(now.compare(&text(&kept, "3 + 1 samples")), Comparison::SameAsFarAsKept);
        let fewer = now.compare(&text(&kept, "2 + 1 samples"));
        assert!(matches!(&fewer, Comparison::Different(text) if text.contains("3 + 1 samples")), "{fewer:?}");
        kept.insert("seed".to_string(), 7.into());
        let other = now.compare(&text(&kept, "3 + 1 samples"));
        assert!(matches!(&other, Comparison::Different(text) if text.contains("seed: 7 there, 1 here")), "{other:?}");
        assert!(matches!(now.compare("mine"), Comparison::Different(_)));
    }
}
