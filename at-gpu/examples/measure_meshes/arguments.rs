//! The arguments of the programs that measure: `--name value`, all with defaults.

use at_core::{Error, Result};

/// The arguments of this process.
pub struct Arguments(Vec<String>);

impl Arguments {
    /// Takes them.
    pub fn of_process() -> Self {
        Arguments(std::env::args().skip(1).collect())
    }

    /// What stands behind `name`.
    pub fn text(&self, name: &str, default: &str) -> String {
        let place = self.0.iter().position(|argument| argument == name);
        place.and_then(|place| self.0.get(place + 1)).map_or(default, String::as_str).to_string()
    }

    /// The same as a number.
    pub fn number(&self, name: &str, default: usize) -> Result<usize> {
        number(&self.text(name, &default.to_string()))
    }

    /// The same as numbers between commas.
    pub fn numbers(&self, name: &str, default: &str) -> Result<Vec<usize>> {
        self.text(name, default).split(',').map(number).collect()
    }
}

fn number(text: &str) -> Result<usize> {
    text.parse().map_err(|_| Error::invalid("number", text, "must be whole"))
}
