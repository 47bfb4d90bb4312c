//! An optical nonlinearity on every mode: a gain that depends on the power, `f(z) = h(|z|²)·z`.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::Result;
use crate::optics::Activation;
use num_complex::Complex64;

/// An optical nonlinearity on every mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Nonlinearity {
    /// Number of modes.
    pub modes: usize,
    /// The nonlinearity.
    pub activation: Activation,
}

impl Stage {
    /// A [`Nonlinearity`].
    pub fn activation(modes: usize, activation: Activation) -> Self {
        Stage::Activation(Nonlinearity { modes, activation })
    }
}

impl Element for Nonlinearity {
    fn input(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        self.activation.validate()
    }

    fn words(&self) -> String {
        match self.activation {
            Activation::ELECTRO_OPTIC => "electro-optic".to_string(),
            Activation::ElectroOptic { tap, gain, bias } => {
                format!("electro-optic(tap {tap}, gain {gain}, bias {bias})")
            }
            Activation::Saturable { depth, saturation } => {
                format!("saturable(depth {depth}, saturation {saturation})")
            }
            Activation::ModRelu { bias } => format!("mod-relu(bias {bias})"),
            Activation::Spm { gain } => format!("spm(gain {gain})"),
        }
    }

    fn description(&self) -> String {
        format!("nonlinearity {} on {} modes", self.words(), self.modes)
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
        Some(Sines::Broken("a nonlinearity"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        Beside::plain(Stage::activation(count * self.modes, self.activation))
    }

    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let output: Vec<Complex64> = fields.iter().map(|z| gain(self.activation, z.norm_sqr()).0 * z).collect();
        bytemuck::cast_slice(&output).to_vec()
    }

    /// `a_z = f_z*·a_f + f_{z*}·a_f*`, where `f_z = h + h'·|z|²` and `f_{z*} = h'·z²`.
    fn backward(&self, _: &StageErrors, _: &[f64], signal: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let adjoint: &[Complex64] = bytemuck::cast_slice(error);
        let carried = |(z, a): (&Complex64, &Complex64)| {
            let (h, slope) = gain(self.activation, z.norm_sqr());
            (h + slope * z.norm_sqr()).conj() * a + slope * z * z * a.conj()
        };
        let carried: Vec<Complex64> = fields.iter().zip(adjoint).map(carried).collect();
        bytemuck::cast_slice(&carried).to_vec()
    }
}

/// The complex gain `h(I)` and its slope `dh/dI`.
fn gain(activation: Activation, power: f64) -> (Complex64, Complex64) {
    match activation {
        Activation::ElectroOptic { tap, gain, bias } => {
            let (half, psi) = (Complex64::new(0.0, 0.5 * (1.0 - tap).sqrt()), gain * power + bias);
            (half * (1.0 + Complex64::cis(-psi)), half * Complex64::new(0.0, -gain) * Complex64::cis(-psi))
        }
        Activation::Saturable { depth, saturation } => {
            let h = (-0.5 * depth / (1.0 + power / saturation)).exp();
            (h.into(), (h * 0.5 * depth * saturation / (saturation + power).powi(2)).into())
        }
        Activation::ModRelu { bias } if power.sqrt() > bias => {
            ((1.0 - bias / power.sqrt()).into(), (0.5 * bias * power.powf(-1.5)).into())
        }
        Activation::ModRelu { .. } => (0.0.into(), 0.0.into()),
        Activation::Spm { gain } => {
            (Complex64::cis(-gain * power), Complex64::new(0.0, -gain) * Complex64::cis(-gain * power))
        }
    }
}
