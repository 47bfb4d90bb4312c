//! Readouts as the loss scales them, and derivatives through that scaling.

use crate::engine::{Loss, Normalization};

/// `dE/dI` of `E = mean over samples and classes of (Ĩ - Ĩ_p)²`, where ~ scales a readout of `outputs` values as `loss` does,
/// for the first `size` samples of `readout` and `measured`; 0 for the rest.
pub(super) fn prediction_error(
    loss: &Loss,
    readout: &[f64],
    measured: &[f64],
    outputs: usize,
    size: usize,
) -> Vec<f64> {
    let mut errors = vec![0.0; readout.len()];
    let weight = 2.0 / (size * loss.classes) as f64;
    let rows = readout.chunks_exact(outputs).zip(measured.chunks_exact(outputs)).zip(errors.chunks_exact_mut(outputs));
    for ((readout, measured), error) in rows.take(size) {
        let (scale, truth) = (scale(loss.normalization, readout), scale(loss.normalization, measured));
        for class in 0..loss.classes {
            error[class] = weight * (scale * readout[class] - truth * measured[class]);
        }
    }
    through_scaling(loss, readout, outputs, size, &mut errors);
    errors
}

/// From the derivatives with respect to the scaled readouts of `size` samples to those with respect to the readouts.
pub(super) fn through_scaling(loss: &Loss, readouts: &[f64], outputs: usize, size: usize, errors: &mut [f64]) {
    for (error, readout) in errors.chunks_exact_mut(outputs).zip(readouts.chunks_exact(outputs)).take(size) {
        let scale = scale(loss.normalization, readout);
        let projection: f64 = error.iter().zip(readout).map(|(s, x)| s * scale * x).sum();
        for (slot, x) in error.iter_mut().zip(readout) {
            *slot = scale
                * match loss.normalization {
                    Normalization::None => *slot,
                    Normalization::Total => *slot - projection / outputs as f64,
                    Normalization::L2 => *slot - projection * scale * x,
                };
        }
    }
}

/// Readouts as the loss sees them.
pub(super) fn scaled(loss: &Loss, readouts: &[f64], outputs: usize) -> Vec<f64> {
    let scaled = |row: &[f64]| {
        let scale = scale(loss.normalization, row);
        row.iter().map(|x| scale * x).collect::<Vec<_>>()
    };
    readouts.chunks_exact(outputs).flat_map(scaled).collect()
}

/// The factor with which `normalization` scales a readout; 1 in the dark.
pub(super) fn scale(normalization: Normalization, readout: &[f64]) -> f64 {
    let norm = match normalization {
        Normalization::None => 1.0,
        Normalization::Total => readout.iter().sum::<f64>() / readout.len() as f64,
        Normalization::L2 => readout.iter().map(|x| x * x).sum::<f64>().sqrt(),
    };
    if norm == 0.0 { 1.0 } else { norm.recip() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prediction_error_matches_central_differences() {
        let (readout, measured) = ([0.3, 1.2, 0.1, 0.8, 0.5, 0.6], [0.2, 1.0, 0.4, 0.9, 0.1, 0.7]);
        for normalization in [Normalization::None, Normalization::Total, Normalization::L2] {
            let loss = Loss { normalization, ..Loss::cross_entropy(2) };
            let value = |readout: &[f64]| -> f64 {
                let rows = readout.chunks_exact(3).zip(measured.chunks_exact(3));
                let square = |(x, p): (&[f64], &[f64])| -> f64 {
                    let (a, b) = (scale(normalization, x), scale(normalization, p));
                    (0..2).map(|class| (a * x[class] - b * p[class]).powi(2)).sum()
                };
                rows.map(square).sum::<f64>() / 4.0
            };
            let errors = prediction_error(&loss, &readout, &measured, 3, 2);
            for index in 0..6 {
                let at = |step: f64| {
                    let mut moved = readout;
                    moved[index] += step;
                    value(&moved)
                };
                let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
                assert!((difference - errors[index]).abs() < 1e-9, "{normalization:?} {index}");
            }
        }
    }
}
