//! A bank of balanced MZI cells: a [`super::matrix`] whose entries are `w_k = (1 + a_k)·sin((1 + s_k)·φ_k + o_k)`.

use super::matrix::Entry;
use crate::chip::StageErrors;

/// The entries at `controls`.
pub fn entries(errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
    let entry = |(k, control): (usize, &f64)| {
        let (height, stretch, offset) = match errors {
            StageErrors::WeightBank { amplitude, slope, offset } => (1.0 + amplitude[k], 1.0 + slope[k], offset[k]),
            _ => (1.0, 1.0, 0.0),
        };
        let angle = stretch * control + offset;
        Entry { weight: height * angle.sin(), slope: height * stretch * angle.cos() }
    };
    controls.iter().enumerate().map(entry).collect()
}
