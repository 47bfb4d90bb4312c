//! The task and the chips of a publication, as its files have them.

use crate::settings::RunSettings;
use crate::trial::Tasks;
use at_core::cpu::Cpu;
use std::path::PathBuf;

/// A published task, ready for phases and trainings.
pub struct Published {
    /// `mnist` or `fashion-mnist`.
    pub dataset: String,
    /// The settings that all of its plans begin with.
    pub settings: RunSettings,
    /// Where light is computed.
    pub engine: Cpu<f32>,
    /// What was read of the task.
    pub tasks: Tasks,
    /// The folder of phases and chips.
    pub reference: PathBuf,
}

impl Published {
    /// The files of a chip with these levels of errors, "0" for none.
    pub fn error_files(&self, splitter: &str, phase: &str) -> Vec<PathBuf> {
        let levels = [("splitter", splitter), ("phase", phase)].into_iter().filter(|level| level.1 != "0");
        levels.map(|(kind, level)| self.reference.join(format!("{kind}-error-{level}.npz"))).collect()
    }
}
