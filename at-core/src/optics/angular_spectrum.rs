//! Propagation through free space by the angular spectrum, between two parallel grids of the same pixels.
//!
//! ```text
//! u(x, y, z) = F⁻¹[ H(f, g)·F[u(x, y, 0)] ],   H(f, g) = e^{2πi z √(1/λ² − f² − g²)}
//! ```
//!
//! with the Fourier transform F over the plane, spatial frequencies f and g, and decay where the root is imaginary. A grid is surrounded by
//! darkness up to the next power of two from twice its pixels on (`padded`), so that light that leaves it on one side does not come back
//! on the other. H turns faster the steeper light goes; steeper than one window of the padded grid lets it turn without ambiguity,
//! `|f| ≤ 1/(λ√((2z/S)² + 1))` with the side S of the padded grid, and likewise g, no light passes: the band limit of Matsushima and
//! Shimobaba, Opt. Express 17, 19662 (2009), eq. 13. With S twice the grid's side that is light that goes farther aside than the grid is wide.
//!
//! Lengths are in micrometres. Index 0 of every pair is of x, along a row, index 1 of y, along a column.

use crate::{Error, Result};
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// More pixels than any memory holds the fields of.
const MOST_PIXELS: usize = 1 << 26;

/// Two parallel grids and the space between them.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AngularSpectrum {
    /// Pixels of a column.
    pub rows: usize,
    /// Pixels of a row.
    pub columns: usize,
    /// Distance of neighbouring pixels (µm).
    pub pitch_um: f64,
    /// Distance of the grids (µm).
    pub distance_um: f64,
    /// Wavelength λ between them (µm).
    pub wavelength_um: f64,
}

/// How far the second grid is from where it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Misalignment {
    /// It stands so far along x and y (µm).
    pub shift_um: [f64; 2],
    /// It stands so much farther away (µm).
    pub distance_um: f64,
    /// Light comes from so far aside of its normal, towards x and y (radians).
    pub tilt_rad: [f64; 2],
}

impl AngularSpectrum {
    /// Pixels along x and y.
    pub fn sides(&self) -> [usize; 2] {
        [self.columns, self.rows]
    }

    /// The same with the darkness around: the least powers of two from twice the pixels on.
    pub fn padded(&self) -> [usize; 2] {
        self.sides().map(|side| (2 * side).next_power_of_two())
    }

    /// Fresnel numbers `a²/(λz)` with half a side a of the grid.
    pub fn fresnel_numbers(&self) -> [f64; 2] {
        self.sides().map(|side| (0.5 * side as f64 * self.pitch_um).powi(2) / (self.wavelength_um * self.distance_um))
    }

    /// The greatest spatial frequencies that pass (1/µm).
    pub fn band(&self) -> [f64; 2] {
        self.padded().map(|padded| {
            let window = padded as f64 * self.pitch_um;
            1.0 / (self.wavelength_um * (2.0 * self.distance_um / window).hypot(1.0))
        })
    }

    /// The frequency of entry `index` of a padded axis (1/µm).
    pub(super) fn frequency(&self, index: usize, padded: usize) -> f64 {
        let signed = if 2 * index < padded { index as f64 } else { index as f64 - padded as f64 };
        signed / (padded as f64 * self.pitch_um)
    }

    /// How far aside along x and y the steepest light goes that these pixels make and the band lets pass (µm).
    pub fn reach_um(&self) -> [f64; 2] {
        self.band().map(|band| {
            let sine = self.wavelength_um * band.min(0.5 / self.pitch_um);
            self.distance_um * sine / (1.0 - sine * sine).sqrt()
        })
    }

    /// For every entry along the padded axis whether light of that frequency passes.
    pub fn passes(&self, axis: usize) -> Vec<bool> {
        let (padded, band) = (self.padded()[axis], self.band()[axis]);
        (0..padded).map(|index| self.frequency(index, padded).abs() <= band).collect()
    }

    /// H of every frequency, `[y, x]` of the padded grid, 0 beyond the band. A misaligned grid adds `e^{2πi(f Δx + g Δy)}` and its part of the
    /// distance; the band stays that of the design.
    pub fn transfer(&self, misaligned: &Misalignment) -> Vec<Complex64> {
        let [across, along] = self.padded();
        let [passes_x, passes_y] = [0, 1].map(|axis| self.passes(axis));
        let wavelength = self.wavelength_um;
        let turns = (self.distance_um + misaligned.distance_um) / wavelength;
        let entry = |row: usize, column: usize| {
            if !passes_y[row] || !passes_x[column] {
                return Complex64::ZERO;
            }
            let (f, g) = (self.frequency(column, across), self.frequency(row, along));
            let shift = f * misaligned.shift_um[0] + g * misaligned.shift_um[1];
            let square = 1.0 - (wavelength * f).powi(2) - (wavelength * g).powi(2);
            match square >= 0.0 {
                // whole turns first: of some hundred thousand the sine would be a rough one
                true => Complex64::cis(TAU * ((turns * square.sqrt()).fract() + shift.fract())),
                false => (-TAU * turns * (-square).sqrt()).exp() * Complex64::cis(TAU * shift),
            }
        };
        (0..along)
            .flat_map(|row| (0..across).map(move |column| (row, column)))
            .map(|(row, column)| entry(row, column))
            .collect()
    }

    /// What light from aside has for phases on the second grid, `e^{2πi sin(α)(k − (N−1)/2)·pitch/λ}` for pixel k of N along x and along y.
    pub fn ramps(&self, misaligned: &Misalignment) -> [Vec<Complex64>; 2] {
        [0, 1].map(|axis| {
            let side = self.sides()[axis];
            let step = TAU * misaligned.tilt_rad[axis].sin() * self.pitch_um / self.wavelength_um;
            (0..side).map(|k| Complex64::cis(step * (k as f64 - 0.5 * (side as f64 - 1.0)))).collect()
        })
    }

    /// The largest shift that the darkness around the grid has room for (µm).
    pub fn most_shift_um(&self) -> f64 {
        let room = self.sides().into_iter().zip(self.padded()).map(|(side, padded)| padded - side).min();
        room.unwrap_or(0) as f64 * self.pitch_um
    }

    /// The largest tilt that these pixels can tell from a smaller one (radians).
    pub fn most_tilt_rad(&self) -> f64 {
        let sine = 0.5 * self.wavelength_um / self.pitch_um;
        if sine < 1.0 { sine.asin() } else { 0.5 * PI }
    }

    /// Errs where a length is none, where there are more pixels than can be counted on, and beyond the sampling limit: where the band lets not even
    /// that light pass that leaves the grid's own edges apart, `band < 1/side`, which is a distance of about side²/λ.
    pub fn validate(&self) -> Result<()> {
        let lengths = [("pitch", self.pitch_um), ("distance", self.distance_um), ("wavelength", self.wavelength_um)];
        for (name, value) in lengths {
            if !(1e-6..=1e12).contains(&value) {
                return Err(Error::invalid(name, format!("{value} µm"), "is a length, from 1e-6 µm to 1e12 µm"));
            }
        }
        check_pixels(self.rows, self.columns)?;
        let [across, down] = self.sides().map(|side| side as f64 * self.pitch_um);
        for ((side_um, band), padded) in [across, down].into_iter().zip(self.band()).zip(self.padded()) {
            if band * side_um >= 1.0 {
                continue;
            }
            let AngularSpectrum { pitch_um, distance_um, wavelength_um, rows, columns } = *self;
            let turns = side_um / wavelength_um;
            if turns <= 1.0 {
                let reason = format!(
                    "no light of it leaves a grid that is {} wide as a beam; take more or larger pixels",
                    length(side_um)
                );
                return Err(Error::invalid("wavelength", length(wavelength_um), reason));
            }
            let most = 0.5 * padded as f64 * pitch_um * (turns * turns - 1.0).sqrt();
            let needed = (wavelength_um * distance_um).sqrt() / pitch_um;
            let reason = format!(
                "{rows} × {columns} pixels of {} do not sample light of {} so far away, whose angles are all finer than theirs: \
                 take at most {}, or some {:.0} pixels a side",
                length(pitch_um),
                length(wavelength_um),
                length(most),
                needed.ceil() + 1.0
            );
            return Err(Error::invalid("distance", length(distance_um), reason));
        }
        Ok(())
    }
}

/// Errs where a grid has no pixels, or more than can be counted on.
pub fn check_pixels(rows: usize, columns: usize) -> Result<()> {
    match rows.checked_mul(columns) {
        Some(1..=MOST_PIXELS) => Ok(()),
        _ => {
            let reason = format!("a plane has 1 to {MOST_PIXELS} pixels");
            Err(Error::invalid("pixels", format!("{rows} × {columns}"), reason))
        }
    }
}

/// A length for people, from micrometres: `400 µm`, `30 mm`, `532 nm`.
pub fn length(um: f64) -> String {
    let (value, unit) = match um.abs() {
        size if size < 1.0 => (um * 1e3, "nm"),
        size if size < 1e3 => (um, "µm"),
        size if size < 1e6 => (um * 1e-3, "mm"),
        _ => (um * 1e-6, "m"),
    };
    let digits = (3 - value.abs().max(1.0).log10().floor() as i32).max(0) as usize;
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.') } else { &text };
    format!("{text} {unit}")
}

#[cfg(test)]
#[path = "angular_spectrum_tests.rs"]
mod tests;
