//! Who follows a run: a person at a terminal, or the program that has begun it.

use at_core::training::{MethodName, Record};

/// A program that follows a run which it has begun: told of everything that a person would see, at once and from the thread that
/// computes.
pub trait Listener: Sync {
    /// `method` begins; `done` of its `epochs` were done before.
    fn begin(&self, method: MethodName, done: usize, epochs: usize) {
        let _ = (method, done, epochs);
    }

    /// `done` of the `total` batches of an epoch are over.
    fn batch(&self, done: usize, total: usize) {
        let _ = (done, total);
    }

    /// An epoch is over.
    fn epoch(&self, record: &Record) {
        let _ = record;
    }

    /// What makes one doubt that this is meant.
    fn note(&self, text: &str) {
        let _ = text;
    }

    /// Somebody wants an end: asked after every step, and the run ends there with what it has kept.
    fn stopped(&self) -> bool {
        false
    }
}

/// Who is told.
#[derive(Clone, Copy)]
pub enum Audience<'a> {
    /// A person, through stderr.
    Terminal {
        /// Of notes only.
        quiet: bool,
    },
    /// A program; nothing is written to stderr.
    Program(&'a dyn Listener),
}

impl<'a> Audience<'a> {
    /// Nothing but notes is for stderr.
    pub fn quiet(self) -> bool {
        match self {
            Audience::Terminal { quiet } => quiet,
            Audience::Program(_) => true,
        }
    }

    /// The program that listens.
    pub fn listener(self) -> Option<&'a dyn Listener> {
        match self {
            Audience::Terminal { .. } => None,
            Audience::Program(listener) => Some(listener),
        }
    }
}
