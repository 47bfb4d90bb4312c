//! Drift, control by control.

use crate::imperfections::Drift;
use crate::imperfections::random::{key, normals, site};

/// What has been added to `controls` controls of chip number `seed` after `steps` programmings.
pub fn drifted(drift: &Drift, seed: u64, controls: usize, steps: u64) -> Vec<f64> {
    let mut own = vec![0.0; controls];
    let mut common = 0.0;
    for time in 0..steps {
        let keep = 1.0 - drift.drift_return;
        common = keep * common + drift.drift_common * normals(key(seed), [0, time as u32, 1, site::DRIFT])[0];
        for (k, own) in own.iter_mut().enumerate() {
            let draws = normals(key(seed), [(k / 4) as u32, time as u32, 0, site::DRIFT]);
            *own = keep * *own + drift.drift_step * draws[k % 4];
        }
    }
    own.iter().map(|own| own + common).collect()
}
