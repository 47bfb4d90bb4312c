//! `--log-dir`: the curves of a run as event files, which TensorBoard shows while it goes on.
//!
//! ```text
//! DIR/RUN/METHOD-chip-SEED/events.out.tfevents.…    of asyt train; RUN is the name of its folder
//!        /CELL/events.out.tfevents.…                of asyt compare and asyt sweep
//! ```
//!
//! Epochs are steps from 1 on; `loss/step` and `learning-rate/step` count the steps of the training.
//! A run that goes on writes a file of its own beside the earlier ones, with the steps that they lack.

mod format;
mod log;

pub use log::{EventLog, every, folder};
