//! Photodetection: complex fields become real numbers.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::{Error, Result};
use num_complex::Complex64;
use serde::{Deserialize, Serialize};

/// How fields become real numbers.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Detection {
    /// Power `|z|²` of every mode.
    Intensity,
    /// Amplitude `|z|` of every mode; its derivative at 0 is taken as 0.
    Amplitude,
    /// Difference of the powers of two neighbours, `|z_{2k}|² - |z_{2k+1}|²`: half as many outputs as modes.
    Balanced,
    /// Real part against a local oscillator, `Re(z e^{-iφ})`.
    Homodyne {
        /// Phase φ of the local oscillator (radians).
        phase: f64,
    },
}

/// Photodetectors.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Photodetection {
    /// Number of modes that enter.
    pub modes: usize,
    /// How they are detected.
    pub detection: Detection,
}

impl Stage {
    /// A [`Photodetection`].
    pub fn detection(modes: usize, detection: Detection) -> Self {
        Stage::Detection(Photodetection { modes, detection })
    }
}

impl Element for Photodetection {
    fn input(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn output(&self) -> Signal {
        match self.detection {
            Detection::Balanced => Signal::reals(self.modes / 2),
            Detection::Intensity | Detection::Amplitude | Detection::Homodyne { .. } => Signal::reals(self.modes),
        }
    }

    fn signed(&self) -> bool {
        match self.detection {
            Detection::Intensity | Detection::Amplitude => false,
            Detection::Balanced | Detection::Homodyne { .. } => true,
        }
    }

    fn validate(&self) -> Result<()> {
        match self.detection {
            Detection::Balanced if self.modes % 2 == 1 => {
                Err(Error::invalid("detection", "balanced", format!("{} modes do not pair up", self.modes)))
            }
            Detection::Homodyne { phase } if !phase.is_finite() => {
                Err(Error::invalid("phase", phase, "must be finite"))
            }
            Detection::Intensity | Detection::Amplitude | Detection::Balanced | Detection::Homodyne { .. } => Ok(()),
        }
    }

    fn words(&self) -> String {
        match self.detection {
            Detection::Intensity => "intensity".to_string(),
            Detection::Amplitude => "amplitude".to_string(),
            Detection::Balanced => "balanced".to_string(),
            Detection::Homodyne { phase } => format!("homodyne(phase {phase})"),
        }
    }

    fn description(&self) -> String {
        format!("{} detection of {} modes", self.words(), self.modes)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        None
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        None
    }

    fn sines(&self) -> Option<Sines> {
        Some(match self.detection {
            Detection::Amplitude => Sines::Broken("detection of amplitudes"),
            Detection::Intensity | Detection::Balanced | Detection::Homodyne { .. } => {
                Sines::KeptByTheLast("a detection that is not the last stage")
            }
        })
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        Beside::plain(Stage::detection(count * self.modes, self.detection))
    }

    /// Samples lie one after the other, so a pair of neighbours never crosses two samples.
    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        match self.detection {
            Detection::Intensity => fields.iter().map(|z| z.norm_sqr()).collect(),
            Detection::Amplitude => fields.iter().map(|z| z.norm()).collect(),
            Detection::Balanced => fields.chunks_exact(2).map(|pair| pair[0].norm_sqr() - pair[1].norm_sqr()).collect(),
            Detection::Homodyne { phase } => fields.iter().map(|z| (z * Complex64::cis(-phase)).re).collect(),
        }
    }

    /// `a = ∂L/∂z*` from `e = dL/du`: `e·z` for a power, `½e·z/|z|` for an amplitude, `½e·e^{iφ}` for a real part.
    fn backward(&self, _: &StageErrors, _: &[f64], signal: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let adjoint = |(index, z): (usize, &Complex64)| match self.detection {
            Detection::Intensity => z * error[index],
            Detection::Amplitude if z.norm() == 0.0 => Complex64::new(0.0, 0.0),
            Detection::Amplitude => z / z.norm() * (0.5 * error[index]),
            Detection::Balanced if index % 2 == 0 => z * error[index / 2],
            Detection::Balanced => -z * error[index / 2],
            Detection::Homodyne { phase } => Complex64::cis(phase) * (0.5 * error[index]),
        };
        let adjoint: Vec<Complex64> = fields.iter().enumerate().map(adjoint).collect();
        bytemuck::cast_slice(&adjoint).to_vec()
    }
}
