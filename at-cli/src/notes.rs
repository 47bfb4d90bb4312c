//! Doubts: what was taken although it can hardly be meant. Each is said once on stderr, also with `--quiet`, or to the program that
//! listens, and kept for the results.

use crate::flags;
use crate::listener::{Audience, Listener};
use crate::terminal;

/// The doubts of one command, in the order in which they came up.
#[derive(Clone, Default)]
pub struct Notes<'a> {
    texts: Vec<String>,
    listener: Option<&'a dyn Listener>,
}

impl<'a> Notes<'a> {
    /// None yet; they are said to `audience`.
    pub fn to(audience: Audience<'a>) -> Self {
        Notes { texts: Vec::new(), listener: audience.listener() }
    }

    /// Says `texts` that have not been said yet, a line each, with the flags of what the libraries name, and keeps them. Nobody listening is no failure.
    pub fn say(&mut self, texts: impl IntoIterator<Item = String>) {
        for text in texts.into_iter().map(|text| flags::named(&text)) {
            if !self.texts.contains(&text) {
                match self.listener {
                    Some(listener) => listener.note(&text),
                    None => terminal::say(terminal::DOUBTFUL, "note: ", &text),
                }
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
