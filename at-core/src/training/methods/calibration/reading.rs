//! What was read of an MZI, and the light that enters it at given errors.
//!
//! Light u, v at its inputs is told by its Stokes parameters, `s = (|u|² − |v|², 2 Re uv*, 2 Im uv*)`. Whatever M = `[[a, b], [c, d]]` it crosses,
//!
//! ```text
//! P2 − P1 = k·s,     k = ((|c|² − |a|² − |d|² + |b|²)/2, Re w, −Im w),   w = c d* − a b*
//! ```
//!
//! so that at given errors s follows by linear least squares, one of three unknowns per sample, whose matrix all samples share. Where waveguides between
//! M's parts lose more or less than others, P2 − P1 has a share of the light's power s0, which is known, as well: `k0·s0`,
//! `k0 = (|c|² − |a|² + |d|² − |b|²)/2`. Where other light meets one output, twice the other's power is read, without what is the same in all settings.

use super::dark::Dim;
use super::least_squares::{dot, inverse};
use crate::optics::mzi::{Coupler, mzi_of_phasors, mzi_transfer};
use num_complex::Complex64;
use std::borrow::Cow;

/// A transfer matrix of two waveguides, `[row][column]`.
pub type Transfer = [[Complex64; 2]; 2];

/// Unknown errors: α, β and δθ of the MZI; the phase of its upper output against the lower where they enter the second MZI, and β and δθ of that; s
/// of θ and φ.
pub const UNKNOWN: usize = 8;
/// Where s of θ and of φ are among them.
pub const THETA_HEATER: usize = 6;
/// See [`THETA_HEATER`].
pub const PHI_HEATER: usize = 7;
/// How far θ of a second MZI that is stuck may be from where it was read itself (radians).
const NEAR: f64 = 0.1;
/// See [`UNKNOWN`].
pub type Errors = [f64; UNKNOWN];

/// The MZI behind.
#[derive(Clone)]
pub struct Second {
    /// e^{iθ} of its control in every setting.
    pub theta: Vec<Complex64>,
    /// e^{iφ}.
    pub phi: Vec<Complex64>,
    /// e^{iφ} on the lower waveguide between both.
    pub between: Vec<Complex64>,
    /// What the fields of the upper and the lower waveguide keep of themselves between both.
    pub kept: [f64; 2],
    /// Its first coupler's error.
    pub first_coupler: f64,
    /// What is known of the errors of its second coupler and of θ.
    pub errors: [f64; 2],
    /// Its θ is dead, so that its errors are known from where it was read itself: next to a half split others would do with other light.
    pub stuck: bool,
}

/// The outputs of an MZI that are read: those whose detectors see no other light.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outputs {
    /// P2 − P1.
    Both,
    /// −2·P1 without its mean over all settings.
    Upper,
    /// 2·P2 without its mean.
    Lower,
}

impl Outputs {
    /// What is read where these are the powers of both, but for its mean.
    pub fn of(self, [upper, lower]: [f64; 2]) -> f64 {
        match self {
            Outputs::Both => lower - upper,
            Outputs::Upper => -2.0 * upper,
            Outputs::Lower => 2.0 * lower,
        }
    }

    /// k, and k0, behind `m`.
    fn row(self, m: Transfer) -> [f64; 4] {
        let both = m.map(row_of);
        [0, 1, 2, 3].map(|index| self.of(both.map(|own| own[index])))
    }

    /// Takes the mean over all settings off `values [sample, setting]`, where it is no part of what is read.
    pub fn centre(self, values: &mut [f64], settings: usize) {
        match self {
            Outputs::Both => (),
            Outputs::Upper | Outputs::Lower => values.chunks_exact_mut(settings).for_each(|own| {
                let mean = own.iter().sum::<f64>() / settings as f64;
                own.iter_mut().for_each(|value| *value -= mean);
            }),
        }
    }
}

/// What gives, times (s, s0), the power of an output that has so much of both inputs.
fn row_of([a, b]: [Complex64; 2]) -> [f64; 4] {
    let (w, [a, b]) = (a * b.conj(), [a, b].map(|z| z.norm_sqr()));
    [0.5 * (a - b), w.re, -w.im, 0.5 * (a + b)]
}

/// What was read of an MZI.
#[derive(Clone)]
pub struct Reading {
    /// θ of its control in every setting, and what it gets per s.
    pub theta: Vec<[f64; 2]>,
    /// The same of φ.
    pub phi: Vec<[f64; 2]>,
    /// Its s are unknown.
    pub heaters: bool,
    /// The MZI behind it; none where light goes straight.
    pub second: Option<Second>,
    /// What is behind it, and behind the second.
    pub behind: Transfer,
    /// Its outputs that are read, or the second's.
    pub outputs: Outputs,
    /// What was read of them, `[sample, setting]`.
    pub differences: Vec<f64>,
    /// P1 + P2 of every sample; none where one output is read alone.
    pub sums: Vec<f64>,
    /// s0 of every sample; none where no waveguide loses more than others.
    pub totals: Vec<f64>,
    /// The powers that it was read of; none where no nonlinearity is behind.
    pub dim: Option<Dim>,
}

impl Reading {
    /// Keeps θ of a second MZI that is stuck near where it is known to be, and on its side of a half split, which decides half a turn of the first.
    pub fn confine(&self, errors: &mut Errors) {
        if let Some(Second { stuck: true, errors: [_, theta], .. }) = &self.second {
            let near = NEAR.min(0.5 * theta.cos().asin().abs());
            errors[5] = errors[5].clamp(theta - near, theta + near);
        }
    }

    /// What becomes of light in every setting.
    fn transfers(&self, errors: &Errors) -> Vec<Transfer> {
        let [alpha, beta, theta, phase, second_beta, second_theta, theta_heater, phi_heater] = *errors;
        let [first, last] = [alpha, beta].map(Coupler::new);
        let upper = Complex64::cis(phase);
        let behind = self.second.as_ref().map(|second| {
            let [first, last] = [second.first_coupler, second_beta].map(Coupler::new);
            (second, Complex64::cis(second_theta), first, last)
        });
        (self.theta.iter().zip(&self.phi).enumerate())
            .map(|(setting, (t, f))| {
                let (t, f) = (theta + t[0] + theta_heater * t[1], f[0] + phi_heater * f[1]);
                let mut m = mzi_transfer(t, f, first, last);
                if let Some((second, own, first, last)) = &behind {
                    let turn = [upper * second.kept[0], second.between[setting] * second.kept[1]];
                    m.iter_mut().zip(turn).for_each(|(row, turn)| row.iter_mut().for_each(|z| *z *= turn));
                    let (t, f) = (own * second.theta[setting], second.phi[setting]);
                    m = product(&mzi_of_phasors(t, f, *first, *last), &m);
                }
                product(&self.behind, &m)
            })
            .collect()
    }

    /// Powers of both outputs `[sample, setting]`, where this light enters.
    pub fn powers(&self, errors: &Errors, stokes: &[[f64; 3]]) -> [Vec<f64>; 2] {
        let both: Vec<[[f64; 4]; 2]> = self.transfers(errors).into_iter().map(|m| m.map(row_of)).collect();
        [0, 1].map(|side| {
            let of = |[x, y, z]: &[f64; 3]| {
                let own = [*x, *y, *z, x.hypot(*y).hypot(*z)];
                both.iter().map(move |rows| dot(&rows[side], &own))
            };
            stokes.iter().flat_map(of).collect()
        })
    }

    /// k of every setting, and k0.
    pub fn rows(&self, errors: &Errors) -> Vec<[f64; 4]> {
        let mut rows: Vec<[f64; 4]> = self.transfers(errors).into_iter().map(|m| self.outputs.row(m)).collect();
        let settings = rows.len() as f64;
        if self.outputs != Outputs::Both {
            let mean = [0, 1, 2, 3].map(|index| rows.iter().map(|row| row[index]).sum::<f64>() / settings);
            rows.iter_mut().for_each(|row| row.iter_mut().zip(mean).for_each(|(own, mean)| *own -= mean));
        }
        rows
    }
}

/// Least squares of the light at given errors.
pub struct Light {
    rows: Vec<[f64; 3]>,
    /// k0 of every setting.
    common: Vec<f64>,
    inverse: [[f64; 3]; 3],
}

impl Light {
    pub fn new(reading: &Reading, errors: &Errors) -> Self {
        let (rows, common): (Vec<_>, Vec<_>) =
            reading.rows(errors).into_iter().map(|[x, y, z, k0]| ([x, y, z], k0)).unzip();
        let mut normal = [[0.0; 3]; 3];
        for row in &rows {
            for (own, slots) in row.iter().zip(&mut normal) {
                slots.iter_mut().zip(row).for_each(|(slot, other)| *slot += own * other);
            }
        }
        normal.iter_mut().enumerate().for_each(|(index, row)| row[index] += 1e-12 * rows.len() as f64);
        Light { inverse: inverse(&normal), rows, common }
    }

    /// The differences of every sample that are for s to account for.
    fn samples<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = Cow<'a, [f64]>> {
        reading.differences.chunks_exact(self.rows.len()).enumerate().map(|(sample, own)| {
            match reading.totals.get(sample) {
                None => Cow::Borrowed(own),
                Some(total) => own.iter().zip(&self.common).map(|(value, k0)| value - k0 * total).collect(),
            }
        })
    }

    fn projected(&self, sample: &[f64]) -> [f64; 3] {
        let mut sums = [0.0; 3];
        for (row, value) in self.rows.iter().zip(sample) {
            sums.iter_mut().zip(row).for_each(|(sum, own)| *sum += own * value);
        }
        sums
    }

    fn solved(&self, sums: &[f64; 3]) -> [f64; 3] {
        self.inverse.map(|row| row.iter().zip(sums).map(|(a, b)| a * b).sum())
    }

    pub fn stokes<'a>(&'a self, reading: &'a Reading) -> impl Iterator<Item = [f64; 3]> {
        self.samples(reading).map(|sample| self.solved(&self.projected(&sample)))
    }

    /// Sum of the squares that the light accounts for.
    pub fn explained(&self, reading: &Reading) -> f64 {
        let of = |sample: Cow<[f64]>| {
            let sums = self.projected(&sample);
            let own = self.solved(&sums).iter().zip(&sums).map(|(a, b)| a * b).sum::<f64>();
            // what s0 does not account for is left
            if reading.totals.is_empty() { own } else { own - dot(&sample, &sample) }
        };
        self.samples(reading).map(of).sum()
    }

    /// What it does not account for.
    pub fn left(&self, reading: &Reading) -> Vec<f64> {
        let mut left = Vec::with_capacity(reading.differences.len());
        for sample in self.samples(reading) {
            let [x, y, z] = self.solved(&self.projected(&sample));
            left.extend(sample.iter().zip(&self.rows).map(|(value, [a, b, c])| value - (a * x + b * y + c * z)));
        }
        left
    }
}

/// What leaves `m` where `u, v` enter it.
pub fn carried(m: &Transfer, [u, v]: [Complex64; 2]) -> [Complex64; 2] {
    m.map(|[a, b]| a * u + b * v)
}

/// `a·b`.
pub fn product(a: &Transfer, b: &Transfer) -> Transfer {
    let of = |row: usize, column: usize| a[row][0] * b[0][column] + a[row][1] * b[1][column];
    [[of(0, 0), of(0, 1)], [of(1, 0), of(1, 1)]]
}
