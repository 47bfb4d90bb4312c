//! Doubts: what was taken although it can hardly be meant. Each is said once on stderr, also with `--quiet`, and kept for the results.

use crate::flags;
use crate::terminal::visible;
use std::io::Write;

/// The doubts of one command, in the order in which they came up.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Notes {
    texts: Vec<String>,
}

impl Notes {
    /// Says `texts` that have not been said yet, a line each, with the flags of what the libraries name, and keeps them. Nobody listening is no failure.
    pub fn say(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts.into_iter().map(|text| flags::named(&text)) {
            if !self.texts.contains(&text) {
                let _ = writeln!(std::io::stderr(), "note: {}", visible(&text));
                self.texts.push(text);
            }
        }
    }

    /// All that was said.
    pub fn texts(&self) -> &[String] {
        &self.texts
    }
}

/// Adds those of `more` that `texts` lacks, with the flags of what the libraries name.
pub fn merge(texts: &mut Vec<String>, more: impl IntoIterator<Item = String>) {
    for text in more.into_iter().map(|text| flags::named(&text)) {
        if !texts.contains(&text) {
            texts.push(text);
        }
    }
}
