//! How far a model's readouts lie from the chip's, and the slope of that.

use crate::network::{Detection, Network, Stage};
use crate::stage::Photodetection;

/// An amplitude below this share of a readout's root mean square power counts as dark: it has no slope of its own.
const DARK: f64 = 1e-3;

/// A distance between readouts, relative to the chip's, averaged over the batch.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Misfit {
    /// `Σ_k (√m_k - √c_k)² / Σ_k c_k` for powers m of the model and c of the chip. Amplitudes weigh bright and dark outputs alike
    /// where powers would let the brightest outputs decide.
    Amplitude,
    /// That of a [`Contrast`] of this root q, over (2q)²: where readouts differ little, as large as that of amplitudes.
    Root(f64),
    /// `Σ_k (m_k - c_k)² / Σ_k c_k²` for readouts of any sign.
    Difference,
}

impl Misfit {
    /// What suits the detectors of `network`.
    pub fn of(network: &Network) -> Self {
        match network.stages().last() {
            Some(Stage::Detection(Photodetection { detection: Detection::Intensity, .. }) | Stage::Regions(_)) => {
                Misfit::Amplitude
            }
            _ => Misfit::Difference, // of any sign, or of nobody knows what
        }
    }

    /// The same for powers that nonlinearities set further apart than amplitudes tell, where `root` is below ½.
    pub fn at(self, root: f64) -> Self {
        match self {
            Misfit::Amplitude if root < 0.5 => Misfit::Root(root),
            Misfit::Amplitude | Misfit::Root(_) | Misfit::Difference => self,
        }
    }

    /// The mean over the samples of `model [batch, outputs]` against `chip`; fills `error` with its derivative with respect to
    /// the model's readouts. A sample in which the chip is dark counts nothing; powers that noise made negative count as 0.
    pub fn compare(self, model: &[f64], chip: &[f64], outputs: usize, error: &mut [f64]) -> f64 {
        let each = match self {
            Misfit::Amplitude => amplitude,
            Misfit::Difference => difference,
            Misfit::Root(root) => {
                let size = 4.0 * root * root;
                let misfit = Contrast::new(chip, outputs, root).compare(model, error) / size;
                error.iter_mut().for_each(|slope| *slope /= size);
                return misfit;
            }
        };
        let batch = (model.len() / outputs).max(1) as f64;
        let samples = model.chunks_exact(outputs).zip(chip.chunks_exact(outputs));
        let misfits = samples.zip(error.chunks_exact_mut(outputs)).map(|((m, c), slope)| each(m, c, batch, slope));
        misfits.sum::<f64>() / batch
    }
}

/// Powers below this share of a readout's mean count little in [`contrast`].
const DIM: f64 = 1e-6;

/// `Σ_k (m_k^q - c_k^q)² / Σ_k c_k^2q` for powers of a model and the chip, the mean over the samples. A root q below ½ weighs alike
/// what nonlinearities that are dark at low power set orders of magnitude apart.
struct Contrast {
    outputs: usize,
    root: f64,
    /// `c_k^q` of the chip, `[sample, output]`.
    chip: Vec<f64>,
    /// Power that is added to all of a sample, and the norm of its roots; 0 where the chip is dark, which counts nothing.
    samples: Vec<[f64; 2]>,
}

impl Contrast {
    /// To the powers `chip [sample, output]`, with the exponent `root`.
    fn new(chip: &[f64], outputs: usize, root: f64) -> Self {
        let own = chip.chunks_exact(outputs).map(|chip| {
            let floor = DIM * chip.iter().map(|power| power.max(0.0)).sum::<f64>() / outputs as f64;
            let least = floor.powf(root);
            [floor, chip.iter().map(|power| (raised(*power, floor, root) - least).powi(2)).sum()]
        });
        let samples: Vec<[f64; 2]> = own.collect();
        let roots = chip
            .chunks_exact(outputs)
            .zip(&samples)
            .flat_map(|(chip, [floor, _])| chip.iter().map(|power| raised(*power, *floor, root)));
        Contrast { outputs, root, chip: roots.collect(), samples }
    }

    /// Of the powers `model`; fills `error` with its derivative.
    fn compare(&self, model: &[f64], error: &mut [f64]) -> f64 {
        let batch = self.samples.len().max(1) as f64;
        let rows = model.chunks_exact(self.outputs).zip(self.chip.chunks_exact(self.outputs));
        let mut all = 0.0;
        for (((model, chip), error), [floor, norm]) in rows.zip(error.chunks_exact_mut(self.outputs)).zip(&self.samples)
        {
            if *norm == 0.0 {
                error.fill(0.0);
                continue;
            }
            let mut total = 0.0;
            for ((slot, &m), chip) in error.iter_mut().zip(model).zip(chip) {
                let own = raised(m, *floor, self.root);
                let miss = own - chip;
                total += miss * miss;
                *slot = 2.0 * miss * self.root * own / ((m.max(0.0) + floor) * norm * batch);
            }
            all += total / norm;
        }
        all / batch
    }
}

/// `(power + floor)^root`; powers that noise made negative count as 0.
fn raised(power: f64, floor: f64, root: f64) -> f64 {
    (power.max(0.0) + floor).powf(root)
}

fn amplitude(model: &[f64], chip: &[f64], batch: f64, error: &mut [f64]) -> f64 {
    let norm: f64 = chip.iter().map(|power| power.max(0.0)).sum();
    if norm == 0.0 {
        error.fill(0.0);
        return 0.0;
    }
    let dark = DARK * (norm / chip.len() as f64).sqrt();
    let mut total = 0.0;
    for ((slot, &m), &c) in error.iter_mut().zip(model).zip(chip) {
        let root = m.max(0.0).sqrt();
        let miss = root - c.max(0.0).sqrt();
        total += miss * miss;
        *slot = miss / (root.max(dark) * norm * batch);
    }
    total / norm
}

fn difference(model: &[f64], chip: &[f64], batch: f64, error: &mut [f64]) -> f64 {
    let norm: f64 = chip.iter().map(|value| value * value).sum();
    if norm == 0.0 {
        error.fill(0.0);
        return 0.0;
    }
    let mut total = 0.0;
    for ((slot, &m), &c) in error.iter_mut().zip(model).zip(chip) {
        total += (m - c) * (m - c);
        *slot = 2.0 * (m - c) / (norm * batch);
    }
    total / norm
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slopes_match_central_differences() {
        let model = [0.3, 1.2, 0.1, 0.8, 0.5, 2.0];
        let chip = [0.5, 1.0, 0.4, 0.7, 0.9, 0.2];
        for misfit in [Misfit::Amplitude, Misfit::Root(0.2), Misfit::Difference] {
            let (mut error, mut unused) = ([0.0; 6], [0.0; 6]);
            misfit.compare(&model, &chip, 3, &mut error);
            for index in 0..6 {
                let mut moved = |step: f64| {
                    let mut model = model;
                    model[index] += step;
                    misfit.compare(&model, &chip, 3, &mut unused)
                };
                let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
                assert!((slope - error[index]).abs() < 1e-8, "{misfit:?} {index}");
            }
        }
    }

    #[test]
    fn slopes_of_contrasts_match_central_differences() {
        let model = [0.3, 1.2, 1e-4, 0.8, 0.5, 2.0];
        let chip = [0.5, 1.0, 4e-4, 0.7, 0.9, 0.2];
        let (mut error, mut unused) = ([0.0; 6], [0.0; 6]);
        let contrast = Contrast::new(&chip, 3, 1.0 / 6.0);
        contrast.compare(&model, &mut error);
        for index in 0..6 {
            let mut moved = |step: f64| {
                let mut model = model;
                model[index] *= 1.0 + step;
                contrast.compare(&model, &mut unused)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / (2e-5 * model[index]);
            assert!((slope - error[index]).abs() < 1e-6 * (1.0 + slope.abs()), "{index}");
        }
        assert_eq!(Contrast::new(&chip, 3, 0.1).compare(&chip, &mut error), 0.0);
        assert_eq!(Contrast::new(&[0.0; 6], 3, 0.1).compare(&model, &mut error), 0.0);
    }

    #[test]
    fn equal_readouts_have_no_misfit_and_dark_ones_no_slope() {
        let readout = [0.25, 0.0, 4.0, 0.0, 0.0, 0.0];
        for misfit in [Misfit::Amplitude, Misfit::Root(0.2), Misfit::Difference] {
            let mut error = [1.0; 6];
            assert_eq!(misfit.compare(&readout, &readout, 3, &mut error), 0.0);
            assert_eq!(error, [0.0; 6]);
            assert!(misfit.compare(&[0.0; 6], &readout, 3, &mut error).is_finite());
            assert!(error.iter().all(|slope| slope.is_finite()));
        }
    }
}
