//! The terms into which costs are split.

use serde::{Deserialize, Serialize};

/// Seconds, by what takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Time {
    /// Writing controls.
    pub control_writing_s: f64,
    /// Waiting until the chip follows them.
    pub settling_s: f64,
    /// Converting signals, written and read.
    pub conversion_s: f64,
    /// Latencies of serial turns.
    pub turns_s: f64,
    /// Light on its way.
    pub propagation_s: f64,
    /// Digital operations.
    pub digital_s: f64,
}

/// Joules, by what takes them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Energy {
    /// Reading signals.
    pub reading_j: f64,
    /// Writing signals: inputs and injections.
    pub writing_j: f64,
    /// Writing controls.
    pub control_writing_j: f64,
    /// Heaters that hold their phases, all the time.
    pub holding_j: f64,
    /// The laser, while light is needed.
    pub laser_j: f64,
    /// Digital operations.
    pub digital_j: f64,
}

/// Time and energy.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Bill {
    /// Seconds.
    pub time: Time,
    /// Joules.
    pub energy: Energy,
}

impl Bill {
    /// Term by term, the mean of `bills`; nothing where there is none.
    pub fn mean(bills: &[Bill]) -> Bill {
        let share = 1.0 / bills.len().max(1) as f64;
        let time = |term: fn(&Time) -> f64| bills.iter().map(|bill| term(&bill.time)).sum::<f64>() * share;
        let energy = |term: fn(&Energy) -> f64| bills.iter().map(|bill| term(&bill.energy)).sum::<f64>() * share;
        Bill {
            time: Time {
                control_writing_s: time(|t| t.control_writing_s),
                settling_s: time(|t| t.settling_s),
                conversion_s: time(|t| t.conversion_s),
                turns_s: time(|t| t.turns_s),
                propagation_s: time(|t| t.propagation_s),
                digital_s: time(|t| t.digital_s),
            },
            energy: Energy {
                reading_j: energy(|e| e.reading_j),
                writing_j: energy(|e| e.writing_j),
                control_writing_j: energy(|e| e.control_writing_j),
                holding_j: energy(|e| e.holding_j),
                laser_j: energy(|e| e.laser_j),
                digital_j: energy(|e| e.digital_j),
            },
        }
    }
}

impl Time {
    /// Names of the terms, in the order of [`Time::terms`].
    pub const NAMES: [&str; 6] = ["control writing", "settling", "conversion", "turns", "propagation", "digital"];

    /// The terms (s).
    pub fn terms(&self) -> [f64; 6] {
        let Time { control_writing_s, settling_s, conversion_s, turns_s, propagation_s, digital_s } = *self;
        [control_writing_s, settling_s, conversion_s, turns_s, propagation_s, digital_s]
    }

    /// Their sum (s).
    pub fn total(&self) -> f64 {
        self.terms().iter().sum()
    }
}

impl Energy {
    /// Names of the terms, in the order of [`Energy::terms`].
    pub const NAMES: [&str; 6] = ["reading", "writing", "control writing", "holding", "laser", "digital"];

    /// The terms (J).
    pub fn terms(&self) -> [f64; 6] {
        let Energy { reading_j, writing_j, control_writing_j, holding_j, laser_j, digital_j } = *self;
        [reading_j, writing_j, control_writing_j, holding_j, laser_j, digital_j]
    }

    /// Their sum (J).
    pub fn total(&self) -> f64 {
        self.terms().iter().sum()
    }
}
