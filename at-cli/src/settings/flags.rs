//! Every setting of a training run, once: the same struct is the flags, the TOML file and a run folder's `config.toml`.
//!
//! All are optional, because each of the layers preset, file and flags gives only some ([`super::resolve()`]). Those that change a kind of
//! chip are the rows of [`at_core::imperfections!`].

use super::gain::LossGain;
use crate::measured;
use crate::network_text::NetworkText;
use at_core::imperfections::{Imperfections, Unit};
use at_core::optics::Convention;
use clap::builder::ValueRange;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};

/// Makes [`RunSettings`]: its own settings, and between them one for every imperfection of the library's table.
macro_rules! settings {
    (
        { $($before:tt)* } { $($after:tt)* }
        $($section:ident { $($(#[$doc:meta])* $name:ident $(in $home:ident)?: $type:ty = $default:expr, $unit:ident, $range:expr,
            $scope:ident, $acts:expr, $help:literal;)* })*
    ) => {
        /// Settings as written by a person. Their meaning is checked by [`Plan`](crate::library::Plan). The help of a method's options is the
        /// method's own.
        #[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
        #[allow(rustdoc::broken_intra_doc_links, reason = "brackets in the flags' help mean optional parts")]
        pub struct RunSettings {
            $($before)*
            $($(
                #[doc = $help]
                #[arg(
                    long,
                    value_name = Unit::$unit.placeholder(),
                    num_args = values(Unit::$unit),
                    default_missing_value = "true",
                    help_heading = heading!($section)
                )]
                pub $name: Option<$type>,
            )*)*
            $($after)*
        }

        impl RunSettings {
            /// Takes over into `chip` what is set, and sets what is not.
            pub(super) fn make_explicit(&mut self, chip: &mut Imperfections) {
                $($(chip.$($home.)?$name = *self.$name.get_or_insert(chip.$($home.)?$name);)*)*
            }
        }
    };
}

/// The heading in the help over a section of the table.
macro_rules! heading {
    (plain) => {
        "Chip"
    };
    (passive) => {
        "Chip: what light meets"
    };
    (process) => {
        "Chip: what light meets"
    };
    (rings) => {
        "Chip: rings and cells"
    };
    (memory) => {
        "Chip: rings and cells"
    };
    (planes) => {
        "Chip: what light meets"
    };
    (plan) => {
        "Chip: what light meets"
    };
    (module) => {
        "Chip: what light meets"
    };
    (control) => {
        "Chip: control"
    };
    (dead) => {
        "Chip: control"
    };
    (drift) => {
        "Chip: drift"
    };
    (noise) => {
        "Chip: noise"
    };
}

/// How many values a flag takes: a switch may stand alone.
fn values(unit: Unit) -> ValueRange {
    if unit == Unit::Switch { (0..=1).into() } else { 1.into() }
}

at_core::imperfections! { settings {
    /// Settings to start from: digits (the default), asyt-demo, dat, lenet-5, vgg-8
    ///
    /// The default has what the kind of --network needs on top; a preset that is named stays what it is. asyt train --print-config shows what
    /// all defaults are then.
    #[arg(long, help_heading = "Task")]
    pub preset: Option<String>,
    /// mnist, fashion-mnist, kmnist, cifar-10, vowel, digits, iris, or your own: FILE.csv, FILE.npz, X.npy,Y.npy, or a folder (asyt help data)
    #[arg(long, help_heading = "Task")]
    pub dataset: Option<String>,
    /// Tables: the column that holds the classes: its name, its index from 0, first, or last [default: last]
    #[arg(long, value_name = "NAME|INDEX|first|last", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    // so that the settings of runs without one stay the same text
    pub label_column: Option<String>,
    /// Tables: columns that hold real values to be met, by name or index from 0, one output of the chip each; all others are features.
    /// Arrays: all, or indices of columns of the targets
    #[arg(long, value_delimiter = ',', value_name = "A,B,…", conflicts_with = "label_column", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_columns: Option<Vec<String>>,
    /// One table or one pair of arrays: the share of the training samples, of every class, and the seed that draws them
    /// [default: 0.8]
    #[arg(long, value_name = "SHARE[:SEED]", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub split: Option<String>,
    /// Scale every feature as the training samples measure it: standard (mean 0, deviation 1), unit (0 to 1) or none; complex ones by
    /// their magnitudes [default: none]
    #[arg(long, value_name = "standard|unit|none", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scale: Option<String>,
    /// What results are judged by: accuracy of classes; r-squared or mean-square-error of real targets [default: accuracy,
    /// r-squared]
    #[arg(long, help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub score: Option<String>,
    /// Folder that holds the data set's files
    #[arg(long, value_name = "DIR", help_heading = "Task")]
    pub data_dir: Option<PathBuf>,
    /// Most memory for features (MB); what takes more as numbers is read from its files batch by batch, with the same results
    /// [default: an eighth of what is free]
    #[arg(long, value_parser = count, value_name = "MB", help_heading = "Task")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub data_memory: Option<usize>,
    /// How samples become signals: raw, l2, fourier-crop:SIZE, pool:SIZE, amplitude[:MODES], phase[:MODES], …
    ///
    /// On a grid of pixels: amplitude-image:ROWSxCOLUMNS, phase-image:ROWSxCOLUMNS.
    #[arg(long, help_heading = "Task")]
    pub encoding: Option<String>,
    /// Only the first N training samples
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Task")]
    pub train_limit: Option<usize>,
    /// Only the first N test samples
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Task")]
    pub test_limit: Option<usize>,

    /// matrix:784-256-10, bank:in-48-out, mesh:64x3, … (see below)
    #[arg(long, help_heading = "Chip")]
    pub network: Option<NetworkText>,
    /// Kind of imperfect chip: ideal, weight-bank, demo, mesh, silicon, … (see below); what follows changes it
    #[arg(long, help_heading = "Chip")]
    pub chip: Option<String>,
    /// Which chip of that kind
    #[arg(long, value_name = "SEED", help_heading = "Chip", value_parser = seed_parser())]
    pub chip_seed: Option<u64>,
    /// This individual, from a file of --save-chip or of mesh errors (npz), of this very network; --chip is then only its kind,
    /// whose data sheet digital models know. Or what was measured of it (toml or npz, docs/imperfections.md); the rest is drawn as --chip says
    #[arg(long, value_name = "FILE", help_heading = "Chip")]
    pub chip_file: Option<PathBuf>,
    /// Files (npz) of mesh errors that add up to the chip, with a convention that they may not record; as --chip-file otherwise
    #[arg(long, value_name = "FILE", num_args = 1.., help_heading = "Chip", conflicts_with = "chip_file")]
    pub chip_errors: Option<Vec<PathBuf>>,
    /// Convention of these errors: native, neurophox, dat-mpnn
    #[arg(long, value_name = "C", help_heading = "Chip")]
    pub chip_errors_convention: Option<Convention>,
    /// Take what fits of a chip that belongs to another network, and of what it lacks the design
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Chip")]
    pub chip_of_other_network: Option<bool>,
    /// With a chip from files or from outside: flags that change the kind of chip are the data sheet that digital models know;
    /// without this they are refused, because they cannot change the individual
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Chip")]
    pub data_sheet: Option<bool>,
    /// A chip from outside: start this command, which drives it over its standard input and output (docs/chip-protocol.md)
    #[arg(long, value_name = "COMMAND", help_heading = "Chip from outside", conflicts_with_all = ["chip_file", "chip_errors"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip_command: Option<String>,
    /// A chip from outside: connect to its driver, which listens there
    #[arg(long, value_name = "HOST:PORT", help_heading = "Chip from outside", conflicts_with_all = ["chip_command", "chip_file", "chip_errors"])]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip_address: Option<String>,
    /// Where it is left at the end and on Ctrl-C: last (the last controls), zero, or a file that holds controls (RUN/METHOD.safetensors,
    /// npy) [default: last]
    #[arg(long, value_name = "last|zero|FILE", help_heading = "Chip from outside")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip_park: Option<String>,
    /// Longest wait for an answer of its driver, beyond the time that the chip needs to settle [default: 10]
    #[arg(long, value_name = "SECONDS", help_heading = "Chip from outside")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub chip_timeout: Option<f64>,
} {
    /// Methods to compare, comma-separated (see below): at, at-adaptive, in-silico, ideal, pat, dfa, spsa, …
    #[arg(long, value_delimiter = ',', value_name = "A,B,…", help_heading = "Training")]
    pub method: Option<Vec<String>>,
    /// Passes through the training samples
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub epochs: Option<usize>,
    /// Samples per step
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub batch_size: Option<usize>,
    /// Step size at the start
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    pub learning_rate: Option<f64>,
    /// constant, cosine, or step:EVERY:FACTOR (in epochs)
    #[arg(long, help_heading = "Training")]
    pub schedule: Option<String>,
    /// sgd, momentum[:KEEP], or adam[:BETA1:BETA2:EPSILON]
    #[arg(long, help_heading = "Training")]
    pub optimizer: Option<String>,
    /// cross-entropy (classes only) or mean-square
    #[arg(long, help_heading = "Training")]
    pub loss: Option<String>,
    /// Scaling of the readout before the loss: none, total, l2
    #[arg(long, value_name = "NORM", help_heading = "Training")]
    pub loss_normalization: Option<String>,
    /// Factor on the scaled readout: a number, or auto, at which a softmax begins unsaturated (1 for mean-square)
    #[arg(long, value_name = "FACTOR", help_heading = "Training")]
    pub loss_gain: Option<LossGain>,
    /// Error of a batch: mean or sum over its samples
    #[arg(long, value_name = "REDUCTION", help_heading = "Training")]
    pub loss_reduction: Option<String>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "WEIGHT", help_heading = "Training")]
    pub digital_weight: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "WEIGHT", help_heading = "Training")]
    pub physical_weight: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    pub tether: Option<f64>,
    /// at: chips, numbers --chip-seed on, that are trained with one digital model [default: 1]
    #[arg(long, value_parser = count, value_name = "K", help_heading = "Training")]
    pub share_model: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "STEP", help_heading = "Training")]
    pub digital_step: Option<String>,
    /// What digital models know of the chip: data-sheet (losses, shifters and crosstalk of its kind, nothing of the individual)
    /// or perfect (its design only) [default: data-sheet]
    #[arg(long, value_name = "MODEL", help_heading = "Training")]
    pub digital_model: Option<String>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub measuring_steps: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    pub estimate_rate: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "MISFIT", help_heading = "Training")]
    pub estimate_trust: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    pub estimate_prior: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub probe_draws: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "STEP", help_heading = "Training")]
    pub probe_step: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub coordinate_subset: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    pub redraw_every: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_delimiter = ',', value_name = "F1,F2,F3", help_heading = "Training")]
    pub dat_maps: Option<Vec<usize>>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    pub dat_warm_up: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "FACTOR", help_heading = "Training")]
    pub dat_rate: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "WEIGHT", help_heading = "Training")]
    pub dat_joint: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "HOW", help_heading = "Training")]
    pub in_situ_subtraction: Option<String>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "SWEEPS", help_heading = "Training")]
    pub subspace_calibration: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "SWEEPS", help_heading = "Training")]
    pub subspace_mapping: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "LENGTH", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sharpness_radius: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "N", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide_directions: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub guide_share: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_parser = count, value_name = "STEPS", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_every: Option<usize>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "RATE", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_rate: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "SHARE", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fast_decay: Option<f64>,
    /// An option of a method, which says its help
    #[arg(long, value_name = "GRAIN", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub transfer_threshold: Option<f64>,
    /// in-situ: noise of the detectors at the phase shifters, at unit power; grows as the root of power
    #[arg(long, value_name = "SPREAD", help_heading = "Chip")]
    pub tap_noise: Option<f64>,
    /// First weights of matrices and weight banks: fan-in, normal:WEIGHT:BIAS (deviations), or demonstration (the published
    /// demonstration's own numbers); meshes start Haar-random
    #[arg(long, value_name = "RULE", help_heading = "Training")]
    pub initialization: Option<String>,
    /// Train the first EPOCHS of the run's epochs on the computer, by in-silico, noise-aware or sat, and go on at the chip: any method
    #[arg(long, value_name = "METHOD:EPOCHS", help_heading = "Training")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub prepare: Option<String>,
    /// Start from the controls that another run has trained, RUN/METHOD.safetensors, instead of random ones
    #[arg(long, value_name = "FILE", help_heading = "Training")]
    pub start_from: Option<PathBuf>,
    /// Take them from a run of another network, one by one in their order
    #[arg(long, value_name = "BOOL", num_args = 0..=1, default_missing_value = "true", help_heading = "Training")]
    pub start_from_other_network: Option<bool>,
    /// Draws the first controls and the order of the samples
    #[arg(long, help_heading = "Training", value_parser = seed_parser())]
    pub seed: Option<u64>,

    /// auto (a GPU where there is one), cpu, or gpu
    #[arg(long, help_heading = "Engine")]
    pub engine: Option<String>,
    /// f32 or f64 (f64 on the CPU only)
    #[arg(long, help_heading = "Engine")]
    pub precision: Option<String>,
    /// The GPU for engine gpu, by index or part of its name, as `asyt devices` lists them
    #[arg(long, value_name = "NAME|INDEX", help_heading = "Engine")]
    pub adapter: Option<String>,
    /// What ranks share under mpirun: batch (samples; every rank has all controls), or tiles (dies of tiled layers, OUTxIN/TILE; every rank
    /// has all samples, and the controls of its own dies) [default: batch]
    #[arg(long, value_name = "batch|tiles", help_heading = "Engine")]
    #[serde(skip_serializing_if = "Option::is_none")]
    pub share: Option<String>,
} }

impl RunSettings {
    /// What numbers depend on: not where data lie, how much of them is held, which preset the settings came from, the GPU's name, what was allowed, or how a
    /// chip from outside is reached.
    pub fn identity(&self) -> RunSettings {
        let allowed = RunSettings {
            chip_of_other_network: None,
            data_sheet: None,
            start_from_other_network: None,
            ..self.clone()
        };
        RunSettings { data_dir: None, data_memory: None, preset: None, adapter: None, ..allowed.without_way() }
    }

    /// All but how a chip from outside is reached.
    pub fn without_way(self) -> RunSettings {
        RunSettings { chip_command: None, chip_address: None, chip_park: None, chip_timeout: None, ..self }
    }

    /// How a chip from outside is reached, for people.
    pub fn way(&self) -> Option<&str> {
        self.chip_command.as_deref().or(self.chip_address.as_deref())
    }

    /// The settings of a run that is there already: what an earlier version took beside a chip from files is taken again, and said.
    pub fn of_a_kept_run(self) -> RunSettings {
        let data_sheet = if self.has_individual() { self.data_sheet.or(Some(true)) } else { self.data_sheet };
        RunSettings { data_sheet, ..self }
    }

    /// The chip is an individual from files.
    pub fn has_chip_files(&self) -> bool {
        (self.chip_file.is_some() && self.measured_chip().is_none()) || self.chip_errors.is_some()
    }

    /// The file of what was measured of the chip, the rest of which is drawn.
    pub fn measured_chip(&self) -> Option<&Path> {
        self.chip_file.as_deref().filter(|file| measured::is_measured(file))
    }

    /// Some other process drives the chip.
    pub fn has_outside_chip(&self) -> bool {
        self.chip_command.is_some() || self.chip_address.is_some()
    }

    /// The chip is there already: flags that make one cannot change it.
    pub fn has_individual(&self) -> bool {
        self.has_chip_files() || self.has_outside_chip()
    }
}

/// Seeds that TOML can hold.
fn seed_parser() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

/// A number of things that TOML can hold.
fn count(text: &str) -> Result<usize, &'static str> {
    let count = text.parse().ok().filter(|&count: &usize| i64::try_from(count).is_ok());
    count.ok_or("must be a whole number up to 9223372036854775807")
}

/// The keys of the TOML file: the long flags.
pub fn keys() -> Vec<String> {
    let command = <RunSettings as clap::Args>::augment_args(clap::Command::new(""));
    command.get_arguments().filter_map(|flag| flag.get_long().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_keys_have_the_same_names() {
        for key in keys() {
            let values = ["1", "true", "'a'", "['a']", "[1]", "'native'"]
                .map(|value| toml::from_str::<RunSettings>(&format!("{key} = {value}")));
            assert!(values.iter().any(Result::is_ok), "{key}");
        }
    }

    /// The help of a flag, as words without commas and the like.
    fn help(flag: &str) -> Vec<String> {
        let command = <RunSettings as clap::Args>::augment_args(clap::Command::new(""));
        let found = command.get_arguments().find(|own| own.get_long() == Some(flag)).unwrap();
        let help = found.get_help().unwrap().to_string();
        help.split_whitespace().map(|word| word.trim_matches(|c: char| ",:;()".contains(c)).to_string()).collect()
    }

    #[test]
    fn the_names_in_the_help_of_flags_are_those_that_exist() {
        let names = |flag: &str| help(flag).into_iter().collect::<std::collections::BTreeSet<_>>();
        assert!(crate::settings::presets::names().all(|preset| names("preset").contains(preset)));
        let sets = at_core::data::DatasetName::ALL;
        assert!(sets.iter().all(|set| names("dataset").contains(set.as_str())), "{:?}", help("dataset"));
        let listed = help("method");
        let after = listed.iter().skip_while(|word| *word != "below").skip(1).filter(|word| *word != "…");
        let known = at_core::training::MethodName::ALL.map(|method| method.to_string());
        let unknown: Vec<_> = after.filter(|word| !known.contains(word)).collect();
        assert!(unknown.is_empty() && listed.len() > 8, "{unknown:?} in {listed:?}");
    }
}
