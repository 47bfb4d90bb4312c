//! What is asked of a driver, and what it answers.

use super::description::Description;
use serde::{Deserialize, Serialize};

/// The version of the protocol that this program speaks.
pub const PROTOCOL: u32 = 1;

/// Messages in one direction.
pub(super) trait Spoken {
    /// What they are called.
    const NAMES: &[&str];
}

/// What the program asks for. The arrays that belong to it stand behind the line.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Question {
    /// The first message: which protocol, and who speaks it.
    Hello { protocol: u32, program: String },
    /// Set every control: `[controls]`. Of these so many are new.
    Program { changed: usize, counted: bool },
    /// Send `[batch, inputs]` and read the output layer.
    Send { batch: usize, counted: bool },
    /// The same, reading every layer's output on the way.
    SendTapped { batch: usize, counted: bool },
    /// Send `[batch, inputs of the layer]` into one layer and read its output.
    SendLayer { layer: usize, batch: usize, counted: bool },
    /// What the driver needs to go on later as if nothing had been between.
    State {},
    /// Go on from such a state: `[values]` as f64.
    Resume { passes: u64, programmings: u64 },
    /// Nothing more comes.
    End {},
}

impl Spoken for Question {
    const NAMES: &[&str] = &["hello", "program", "send", "send-tapped", "send-layer", "state", "resume", "end"];
}

impl Question {
    /// For people.
    pub fn name(&self) -> &'static str {
        match self {
            Question::Hello { .. } => "hello",
            Question::Program { .. } => "program",
            Question::Send { .. } => "send",
            Question::SendTapped { .. } => "send-tapped",
            Question::SendLayer { .. } => "send-layer",
            Question::State {} => "state",
            Question::Resume { .. } => "resume",
            Question::End {} => "end",
        }
    }
}

/// What the driver says.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "message", rename_all = "kebab-case", rename_all_fields = "kebab-case")]
pub(super) enum Answer {
    /// To hello: what the chip is. Behind it, where its limits are said control by control, all lower and then all upper ones.
    Chip(Description),
    /// The request is done. How long the chip itself took, if the driver knows (milliseconds).
    Done {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        busy_ms: Option<f64>,
    },
    /// What the detectors say: `[batch, outputs]`, or `[batch, outputs of the layer]`, or all layers' one after the other.
    Readout {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        busy_ms: Option<f64>,
    },
    /// To state: two counts and `[values]` as f64, whatever they mean to the driver.
    State { passes: u64, programmings: u64 },
    /// It cannot be done, and why.
    Fault { text: String },
}

impl Spoken for Answer {
    const NAMES: &[&str] = &["chip", "done", "readout", "state", "fault"];
}

impl Answer {
    /// For people.
    pub fn name(&self) -> &'static str {
        match self {
            Answer::Chip(_) => "chip",
            Answer::Done { .. } => "done",
            Answer::Readout { .. } => "readout",
            Answer::State { .. } => "state",
            Answer::Fault { .. } => "fault",
        }
    }
}
