//! Every setting of a training run, once: the same struct is the flags, the TOML file and a run folder's `config.toml`.
//!
//! All are optional, because each of the layers preset, file and flags gives only some ([`crate::layers`]).

use crate::network_text::NetworkText;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Settings as written by a person. Their meaning is checked in [`crate::plan`].
#[derive(Clone, Debug, Default, PartialEq, clap::Args, Serialize, Deserialize)]
#[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
#[allow(rustdoc::broken_intra_doc_links, reason = "brackets in the flags' help mean optional parts")]
pub struct Settings {
    /// Settings to start from: digits (the default), asyt-demo, dat
    #[arg(long, help_heading = "Task")]
    pub preset: Option<String>,
    /// mnist, fashion-mnist, kmnist, vowel, digits, iris, or a folder with train.csv and test.csv
    #[arg(long, help_heading = "Task")]
    pub dataset: Option<String>,
    /// Folder that holds the data set's files
    #[arg(long, value_name = "DIR", help_heading = "Task")]
    pub data_dir: Option<PathBuf>,
    /// How samples become signals: raw, l2, fourier-crop:SIZE, amplitude[:MODES], phase[:MODES]
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
    /// Kind of imperfect chip: ideal, weight-bank, demo, mesh; the spreads below change it
    #[arg(long, help_heading = "Chip")]
    pub chip: Option<String>,
    /// Which chip of that kind
    #[arg(long, value_name = "SEED", help_heading = "Chip", value_parser = seed_parser())]
    pub chip_seed: Option<u64>,
    /// Meshes: spread of the couplers' angle errors (radians)
    #[arg(long, value_name = "RAD", help_heading = "Chip")]
    pub splitter_angle: Option<f64>,
    /// Meshes: spread of the static phase errors (radians)
    #[arg(long, value_name = "RAD", help_heading = "Chip")]
    pub phase: Option<f64>,
    /// Meshes: insertion loss per waveguide and column (dB)
    #[arg(long, value_name = "DB", help_heading = "Chip")]
    pub loss_db: Option<f64>,
    /// Meshes: spread of that loss (dB)
    #[arg(long, value_name = "DB", help_heading = "Chip")]
    pub loss_spread_db: Option<f64>,
    /// Matrices: relative spread of every entry
    #[arg(long, value_name = "FRACTION", help_heading = "Chip")]
    pub parameter_spread: Option<f64>,
    /// Weight banks: relative spread of the cells' amplitudes
    #[arg(long, value_name = "FRACTION", help_heading = "Chip")]
    pub response_amplitude: Option<f64>,
    /// Weight banks: relative spread of the cells' slopes
    #[arg(long, value_name = "FRACTION", help_heading = "Chip")]
    pub response_slope: Option<f64>,
    /// Weight banks: spread of the cells' phase offsets (radians)
    #[arg(long, value_name = "RAD", help_heading = "Chip")]
    pub response_offset: Option<f64>,
    /// All: relative spread of the slope with which the chip follows its controls
    #[arg(long, value_name = "FRACTION", help_heading = "Chip")]
    pub update_error: Option<f64>,

    /// Methods to compare, comma-separated: at, in-silico, ideal, pat, pat-output
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
    /// cross-entropy or mean-square
    #[arg(long, help_heading = "Training")]
    pub loss: Option<String>,
    /// Scaling of the readout before the loss: none, total, l2
    #[arg(long, value_name = "NORM", help_heading = "Training")]
    pub loss_normalization: Option<String>,
    /// Factor on the scaled readout
    #[arg(long, value_name = "FACTOR", help_heading = "Training")]
    pub loss_gain: Option<f64>,
    /// Error of a batch: mean or sum over its samples
    #[arg(long, value_name = "REDUCTION", help_heading = "Training")]
    pub loss_reduction: Option<String>,
    /// at: weight of the digital model's error
    #[arg(long, value_name = "WEIGHT", help_heading = "Training")]
    pub digital_weight: Option<f64>,
    /// at: weight of the chip's error
    #[arg(long, value_name = "WEIGHT", help_heading = "Training")]
    pub physical_weight: Option<f64>,
    /// at: and in-silico: step of the digital model: matched or as-published
    #[arg(long, value_name = "STEP", help_heading = "Training")]
    pub digital_step: Option<String>,
    /// First weights of matrices and weight banks: fan-in, normal:WEIGHT:BIAS (deviations), or demonstration (the published
    /// demonstration's own numbers); meshes start Haar-random
    #[arg(long, value_name = "RULE", help_heading = "Training")]
    pub initialization: Option<String>,
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
}

impl Settings {
    /// What numbers depend on: not where data lie, which preset the settings came from, or the GPU's name.
    pub fn identity(&self) -> Settings {
        Settings { data_dir: None, preset: None, adapter: None, ..self.clone() }
    }
}

/// Seeds that TOML can hold.
fn seed_parser() -> clap::builder::RangedU64ValueParser {
    clap::value_parser!(u64).range(..=i64::MAX as u64)
}

/// A number of things that TOML can hold.
fn count(text: &str) -> Result<usize, &'static str> {
    let count = text.parse().ok().filter(|&count: &usize| i64::try_from(count).is_ok());
    count.ok_or("must be a whole number")
}

/// The keys of the TOML file: the long flags.
pub fn keys() -> Vec<String> {
    let command = <Settings as clap::Args>::augment_args(clap::Command::new(""));
    command.get_arguments().filter_map(|flag| flag.get_long().map(String::from)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_and_keys_have_the_same_names() {
        for key in keys() {
            let values = ["1", "'a'", "['a']"].map(|value| toml::from_str::<Settings>(&format!("{key} = {value}")));
            assert!(values.iter().any(Result::is_ok), "{key}");
        }
    }
}
