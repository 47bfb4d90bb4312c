//! Slow drift: what stands in a chip walks away from what it is told, one step for every metered programming.
//!
//! ```text
//! ε ← (1 - k)·ε + σ ξ + σ_T ξ_T
//! ```
//!
//! ξ is every control's own draw of N(0, 1), ξ_T one draw for all of them, the ambient temperature. With k = 0 that is a random
//! walk; else an Ornstein-Uhlenbeck process with the deviation `√((σ² + σ_T²)/(k(2 - k)))` in the long run. A chip begins at ε = 0.
//!
//! A change ΔT of the temperature turns a shifter of length L by `(2π/λ)(dn/dT)L ΔT`, in silicon (dn/dT = 1.86e-4/K) at 1.55 µm
//! by 0.15 rad/K for 200 µm. Evaluations, which are not metered, take no time. Of a chip whose controls are weights, ε is one.

use crate::imperfections::Drift;
use crate::imperfections::random::{key, normals, site};

impl Drift {
    /// Whether the chip stands still.
    pub fn is_none(&self) -> bool {
        self.drift_step == 0.0 && self.drift_common == 0.0
    }

    /// The step number `time` of chip number `seed`.
    pub fn at(&self, seed: u64, time: u64) -> DriftStep {
        let key = key(seed);
        let draw = normals(key, [0, time as u32, 1, site::DRIFT])[0];
        let common = self.drift_common * draw;
        DriftStep { key, time, keep: 1.0 - self.drift_return, own: self.drift_step, common }
    }
}

/// One step of a drift: `ε ← keep·ε + own·ξ + common`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftStep {
    /// The chip's key.
    pub key: [u32; 2],
    /// Number of the step.
    pub time: u64,
    /// `1 - k`.
    pub keep: f64,
    /// σ.
    pub own: f64,
    /// `σ_T ξ_T`.
    pub common: f64,
}

impl DriftStep {
    /// The counter of the draws of controls `4·group ..`, one of [`normals`] each.
    pub fn counter(&self, group: usize) -> [u32; 4] {
        [group as u32, self.time as u32, 0, site::DRIFT]
    }
}
