//! Refusing what cannot fit, before anything is built.

mod available;

pub use available::{allowed, available};

use anyhow::{Result, ensure};

/// Bytes per control that no method and no engine can do without: the first value in f64, the value that is trained, the one that
/// the chip holds, and the one that a checkpoint writes.
pub const BYTES_PER_CONTROL: f64 = 24.0;

/// A part of what is needed.
#[derive(Clone, Debug)]
struct Part {
    what: &'static str,
    bytes: f64,
    /// The setting that it grows with, where a person has chosen one: its name, its value, and the power.
    setting: Option<(&'static str, f64, f64)>,
}

/// Memory that something takes at the least, by purpose. What is left out is small beside it, or not certain.
#[derive(Clone, Debug, Default)]
pub struct Need {
    parts: Vec<Part>,
}

impl Need {
    /// Adds a part that no single setting decides on.
    pub fn fixed(&mut self, what: &'static str, bytes: f64) {
        self.parts.push(Part { what, bytes, setting: None });
    }

    /// Adds a part that is proportional to the setting `name`, which has this `value`.
    pub fn growing(&mut self, what: &'static str, bytes: f64, name: &'static str, value: f64) {
        self.parts.push(Part { what, bytes, setting: Some((name, value, 1.0)) });
    }

    /// Adds a part that is proportional to the square of the setting `name`, which has this `value`.
    pub fn growing_squared(&mut self, what: &'static str, bytes: f64, name: &'static str, value: f64) {
        self.parts.push(Part { what, bytes, setting: Some((name, value, 2.0)) });
    }

    /// All parts together (bytes).
    pub fn bytes(&self) -> f64 {
        self.parts.iter().map(|part| part.bytes).sum()
    }

    /// Errs where it is more than there is: with the sizes, with the largest part, and with what would fit.
    pub fn check(&self) -> Result<()> {
        self.check_or("choose a smaller --network")
    }

    /// [`Need::check`] with what to do where no setting decides on the largest part.
    pub fn check_or(&self, advice: &str) -> Result<()> {
        self.check_within(allowed()?, advice)
    }

    fn check_within(&self, available: f64, otherwise: &str) -> Result<()> {
        let bytes = self.bytes();
        let Some(largest) = self.parts.iter().max_by(|a, b| a.bytes.total_cmp(&b.bytes)) else { return Ok(()) };
        let share = ((available - (bytes - largest.bytes)) / largest.bytes).max(0.0);
        let advice = match largest.setting.map(|(name, value, power)| (name, (value * share.powf(1.0 / power)).floor()))
        {
            None => otherwise.to_string(),
            Some((name, fits)) if fits >= 1.0 => format!("--{name} up to {fits} would fit"),
            Some((name, _)) => format!("choose a smaller --network or a smaller --{name}"),
        };
        ensure!(
            bytes <= available,
            "needs at least {} of memory, {} of it for {}, and {} are free; {advice}",
            size(bytes),
            size(largest.bytes),
            largest.what,
            size(available)
        );
        Ok(())
    }
}

/// Errs where a network of so many controls would need more memory than there is, whatever is done with it.
pub fn check(controls: f64) -> Result<()> {
    let mut need = Need::default();
    need.fixed("its controls", controls * BYTES_PER_CONTROL);
    need.check()
}

/// Bytes with a decimal unit.
pub fn size(bytes: f64) -> String {
    let exponent = ((bytes.max(1.0).log10() / 3.0) as usize).min(6);
    format!("{:.1} {}", bytes / 1000_f64.powi(exponent as i32), ["B", "kB", "MB", "GB", "TB", "PB", "EB"][exponent])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_networks_are_refused_with_their_size() {
        check(1e5).unwrap();
        let error = check(1e15).unwrap_err().to_string();
        assert!(error.contains("24.0 PB") && error.contains("--network"), "{error}");
    }

    #[test]
    fn what_does_not_fit_is_refused_with_what_would() {
        let mut need = Need::default();
        need.fixed("the controls", 1e9);
        need.growing("the signals of a batch", 8e9, "batch-size", 2000.0);
        let within = |need: &Need, bytes| need.check_within(bytes, "elsewhere");
        within(&need, 9e9).unwrap();
        let error = within(&need, 5e9).unwrap_err().to_string();
        assert!(error.contains("at least 9.0 GB") && error.contains("8.0 GB of it for the signals"), "{error}");
        assert!(error.contains("5.0 GB are free") && error.contains("--batch-size up to 1000 would fit"), "{error}");
        let error = within(&need, 1e9).unwrap_err().to_string();
        assert!(error.contains("a smaller --network or a smaller --batch-size"), "{error}");
        need.fixed("the matrix", 1e10);
        assert!(within(&need, 1e9).unwrap_err().to_string().ends_with("; elsewhere"));
    }
}
