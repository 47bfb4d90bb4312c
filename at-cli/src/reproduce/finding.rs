//! What was expected, and what came out.

use crate::export::chart::Chart;
use crate::export::columns::{align, wrapped};
use crate::run_folder::RunFolder;
use serde::Serialize;

/// One expectation at one place.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Finding {
    /// What was expected, in words.
    pub claim: String,
    /// Where: the values of what varies.
    pub place: String,
    /// The least that is expected.
    pub low: f64,
    /// The most that is expected.
    pub high: f64,
    /// What came out.
    pub found: f64,
    /// Unit of the three.
    pub unit: String,
    /// It came out as expected.
    pub pass: bool,
    /// Who expects it.
    pub source: String,
    /// Methods of it whose training diverged, each as `pat on 2 of 5 chips`; those chips count as 0 %.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub diverged: Vec<String>,
}

impl Finding {
    /// Judges `found` by its expected range.
    pub fn new(
        claim: impl Into<String>,
        place: impl Into<String>,
        (low, high): (f64, f64),
        found: f64,
        unit: &str,
        source: &str,
    ) -> Self {
        let pass = (low..=high).contains(&found);
        let (claim, place) = (claim.into(), place.into());
        let (unit, source, diverged) = (unit.into(), source.into(), Vec::new());
        Finding { claim, place, low, high, found, unit, pass, source, diverged }
    }

    /// The same where trainings of these methods diverged: that is a result, which stands beside the verdict.
    pub fn with_diverged(self, diverged: Vec<String>) -> Self {
        Finding { diverged, ..self }
    }

    /// The last column of the table.
    fn verdict(&self) -> String {
        let verdict = if self.pass { "pass" } else { "FAIL" };
        match self.diverged.is_empty() {
            true => verdict.to_string(),
            false => format!("{verdict} (diverged: {})", self.diverged.join(", ")),
        }
    }

    /// The range, without an end that nothing can pass.
    fn range(&self, most: f64) -> String {
        match (self.low > -most, self.high < most) {
            (true, true) => format!("{} to {}", number(self.low), number(self.high)),
            (true, false) => format!("{} or more", number(self.low)),
            (false, _) => format!("{} or less", number(self.high)),
        }
    }
}

/// Up to four decimals.
fn number(value: f64) -> String {
    format!("{}", (value * 1e4).round() / 1e4)
}

/// A result that was run again.
pub struct Reproduction {
    /// What it is.
    pub title: String,
    /// Run at reduced size.
    pub quick: bool,
    /// What a reader must know: what differs from the publication.
    pub notes: Vec<String>,
    /// One per expectation and place.
    pub findings: Vec<Finding>,
    /// The charts of its picture, one for each quantity.
    pub charts: Vec<Chart>,
    /// Where it goes.
    pub folder: RunFolder,
}

impl Reproduction {
    /// Everything came out as expected.
    pub fn passed(&self) -> bool {
        !self.findings.is_empty() && self.findings.iter().all(|finding| finding.pass)
    }

    /// `PASS` or `FAIL`, with the reduced size said.
    pub fn verdict(&self) -> String {
        let verdict = if self.passed() { "PASS" } else { "FAIL" };
        format!("{verdict}{}", if self.quick { ", at reduced size (--quick)" } else { "" })
    }

    /// The table for a person.
    pub fn table(&self) -> String {
        let mut claims: Vec<&str> = Vec::new();
        for finding in &self.findings {
            if !claims.contains(&finding.claim.as_str()) {
                claims.push(&finding.claim);
            }
        }
        let head = ["  at", "expected", "found", "", ""].map(String::from).to_vec();
        let row = |finding: &Finding| {
            let (place, unit) = (format!("  {}", finding.place), finding.unit.clone());
            vec![place, finding.range(1e3), number(finding.found), unit, finding.verdict()]
        };
        // aligned together, so that columns are the same below every claim
        let ordered = claims.iter().flat_map(|claim| self.findings.iter().filter(move |own| own.claim == *claim));
        let rows: Vec<Vec<String>> = std::iter::once(head).chain(ordered.map(row)).collect();
        let aligned = align(&rows, 1);
        let mut lines = aligned.lines();
        let mut text = format!("{}\n\n{}\n", self.title, lines.next().unwrap_or_default());
        for claim in claims {
            let own = self.findings.iter().filter(|finding| finding.claim == claim).count();
            text += &wrapped(claim, 2);
            lines.by_ref().take(own).for_each(|line| text += &format!("{line}\n"));
        }
        for note in &self.notes {
            text += &format!("\n{note}");
        }
        let mut sources: Vec<&str> = self.findings.iter().map(|finding| finding.source.as_str()).collect();
        sources.dedup();
        for source in sources {
            text += &format!("\nexpected by: {source}");
        }
        wrapped(&format!("{text}\n{}\n", self.verdict()), 2)
    }

    /// `result.json`.
    pub fn to_json(&self) -> String {
        let object = serde_json::json!({
            "version": env!("CARGO_PKG_VERSION"),
            "title": self.title,
            "quick": self.quick,
            "pass": self.passed(),
            "notes": self.notes,
            "findings": self.findings,
        });
        format!("{object:#}\n")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_passes_within_its_range_and_never_without_a_number() {
        let pass = |found| Finding::new("", "", (1.0, 2.0), found, "%", "").pass;
        assert_eq!([0.99, 1.0, 2.0, 2.01, f64::NAN].map(pass), [false, true, true, false, false]);
        let range = |low, high| Finding::new("", "", (low, high), 0.0, "", "").range(1e3);
        assert_eq!(range(-2.5, 1e3), "-2.5 or more");
        assert_eq!(range(-1e3, 27.0), "27 or less");
        assert_eq!(range(1.0, 1.5), "1 to 1.5");
    }

    #[test]
    fn a_rival_that_diverged_is_a_result_beside_the_verdict() {
        let finding = Finding::new("at is not below pat", "1", (0.0, 1e3), 88.0, "points", "");
        assert_eq!(finding.verdict(), "pass");
        assert!(!serde_json::to_string(&finding).unwrap().contains("diverged"));
        let finding = finding.with_diverged(vec!["pat on 5 of 5 chips".into()]);
        assert_eq!(finding.verdict(), "pass (diverged: pat on 5 of 5 chips)");
        assert!(serde_json::to_string(&finding).unwrap().contains("\"diverged\":[\"pat on 5 of 5 chips\"]"));
    }
}
