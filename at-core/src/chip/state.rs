//! What changes of a chip while it works.

use super::Accesses;
use serde::{Deserialize, Serialize};

/// The state of a chip between two calls; all else of it follows from its fabrication.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct State {
    /// What has crossed its interface.
    pub accesses: Accesses,
    /// Batches that were sent through it or one of its layers, metered or not: each had its own noise.
    pub passes: u64,
    /// Metered programmings, each a step of its drift.
    pub programmings: u64,
    /// What its drift has added to every control, where it does not stand still; then of every pair of non-volatile cells the level and the
    /// writings of both. Not part of the serialized form, which is text.
    #[serde(skip)]
    pub drifted: Vec<f64>,
}
