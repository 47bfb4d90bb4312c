//! What rank 0 tells the others.

use at_core::training::MethodName;
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// What to do next. One that was understood is taken part in to its end.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "order", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Order {
    /// Get ready for trainings of these settings, which have the form of `config.toml`.
    Train {
        /// The settings.
        settings: String,
    },
    /// Train with a method. A checkpoint to go on from follows as a message of its own, empty where there is none.
    Run {
        /// The method.
        method: MethodName,
        /// Of the run; one that differs on another rank has other files there.
        fingerprint: String,
        /// After how many steps the loss is put together, for event files.
        every: Option<usize>,
    },
    /// Train cells, and acknowledge it.
    Cells {
        /// Their folder, which all ranks see.
        folder: PathBuf,
        /// For each rank those that are its share.
        shares: Vec<Vec<String>>,
        /// Processes side by side.
        jobs: usize,
        /// Where the curves of the cells go as event files.
        log_folder: Option<PathBuf>,
    },
    /// Measure something together.
    Measure {
        /// What, in the form that it has for those who measure.
        what: String,
    },
    /// End with this exit code, and acknowledge it first.
    End {
        /// The exit code.
        code: u8,
    },
}
