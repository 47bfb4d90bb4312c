//! How efficient ranks would be that an interconnect joins: the time of a rank's share, measured, and the time of the exchanges, by formula.
//!
//! ```text
//! T(R) = T_rank(B/R) + k X(R, N)        efficiency T_rank(B)/(R T(R))
//! ```
//!
//! T_rank is a step of one rank alone, with the copies between a device and memory that its exchanges would need.

use super::case::{Case, Pass};
use super::exchange::Interconnect;
use super::measure::Measurement;
use super::table::time;
use anyhow::{Result, ensure};
use serde::Serialize;

/// What is predicted of a case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Prediction {
    /// The case, on so many ranks.
    #[serde(flatten)]
    pub case: Case,
    /// What joins them.
    pub interconnect: Interconnect,
    /// A rank's share, measured (s).
    pub share_seconds: f64,
    /// The exchanges of a step, by formula (s).
    pub exchange_seconds: f64,
    /// Both.
    pub seconds: f64,
    /// The time on one rank over that on so many, times their number.
    pub efficiency: f64,
}

/// Gradients of a step that are summed.
fn gradients(pass: Pass) -> f64 {
    match pass {
        Pass::Propagate | Pass::Population => 0.0,
        Pass::Backpropagate => 1.0,
        Pass::Step => 2.0,
    }
}

/// The rank's share of `case`, alone. Errs where there is none.
pub fn share(case: &Case) -> Result<Case> {
    ensure!(
        case.ranks <= case.batch,
        "--ranks {} is more than the {} samples of --batch, of which every rank needs one",
        case.ranks,
        case.batch
    );
    Ok(Case { ranks: 1, batch: case.batch.div_ceil(case.ranks), ..*case })
}

impl Prediction {
    /// Of `case`, from what its whole batch and a rank's share take on one rank alone.
    pub fn new(case: &Case, interconnect: &Interconnect, whole: &Measurement, share: &Measurement) -> Self {
        let exchange_seconds = gradients(case.pass) * interconnect.seconds(case.ranks, whole.controls as f64);
        let seconds = share.seconds + exchange_seconds;
        Prediction {
            case: *case,
            interconnect: interconnect.clone(),
            share_seconds: share.seconds,
            exchange_seconds,
            seconds,
            efficiency: whole.seconds / (case.ranks as f64 * seconds),
        }
    }

    /// Its row in a table below [`HEADING`].
    pub fn cells(&self) -> Vec<String> {
        let Prediction { case, interconnect, share_seconds, exchange_seconds, seconds, efficiency } = self;
        let Case { engine, pass, modes, ranks, .. } = case;
        let words = [engine.as_str(), pass.as_str(), &modes.to_string(), &ranks.to_string(), &interconnect.name];
        let times = [*share_seconds, *exchange_seconds, *seconds].map(time);
        words.map(str::to_string).into_iter().chain(times).chain([format!("{:.1} %", 100.0 * efficiency)]).collect()
    }
}

/// The columns of the table.
pub const HEADING: [&str; 9] =
    ["engine", "pass", "modes", "ranks", "interconnect", "share", "exchange", "time", "efficiency"];

#[cfg(test)]
mod tests {
    use super::super::case::EngineName;
    use super::*;

    #[test]
    fn the_efficiency_is_that_of_the_formula() {
        let case = Case {
            engine: EngineName::Cpu,
            pass: Pass::Step,
            modes: 6,
            depth: 6,
            layers: 1,
            batch: 10,
            chips: 1,
            ranks: 4,
        };
        assert_eq!(share(&case).unwrap(), Case { ranks: 1, batch: 3, ..case });
        assert!(share(&Case { ranks: 11, ..case }).unwrap_err().to_string().contains("10 samples"));
        let taken = |seconds: f64| Measurement {
            mzis: 15,
            controls: 36,
            seconds,
            shortest_seconds: seconds,
            longest_seconds: seconds,
            network_bytes: None,
            signal_bytes: None,
            exchange: None,
        };
        let network: Interconnect = "100:0.001".parse().unwrap();
        let found = Prediction::new(&case, &network, &taken(0.01), &taken(0.003));
        // two gradients: 6 latencies each, and 1.5 · 8 · 36 bytes at a megabyte a second
        let expected = 2.0 * (6e-4 + 432e-6);
        assert!((found.exchange_seconds - expected).abs() < 1e-12, "{found:?}");
        assert!((found.efficiency - 0.01 / (4.0 * (0.003 + expected))).abs() < 1e-12);
        let forward = Prediction::new(&Case { pass: Pass::Propagate, ..case }, &network, &taken(0.01), &taken(0.003));
        assert_eq!((forward.exchange_seconds, forward.seconds), (0.0, 0.003));
    }
}
