//! Where a plane stands, in the five coordinates in which an estimate learns it: phases (radians) at the edge of what passes.
//!
//! ```text
//! H = H₀·e^{i(s_x f/f_e + s_y g/g_e)}·e^{s_z D(f, g)},   D = i(κ(f, g) − 1)/(1 − κ_e),   κ = √(1 − (λf)² − (λg)²)
//! R = e^{i(t_x u + t_y v)},                              u_k = (2k − N + 1)/N of pixel k of N along x, v along y
//!
//! s_x = 2π f_e Δx     s_z = 2π Δz (1 − κ_e)/λ     t_x = π N pitch sin(α)/λ     and likewise s_y, t_y
//! ```
//!
//! H₀ is the design's H; f_e and g_e are the edges of the band, or of what the pixels sample where that is less; κ_e is κ on the axis at the
//! larger of them. So every coordinate turns the light at some edge by as much as a pixel's phase of its size, and one rate serves all.
//!
//! Without the 1 in κ − 1, D would have the phase 2πΔz/λ that a distance adds to all light alike. No detector of power sees it, pixels hold it
//! where one does, and it turns so much faster than all else that no gradient would follow: an estimate leaves it out.

use super::angular_spectrum::{AngularSpectrum, Misalignment};
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Numbers of `[s_x, s_y, s_z, t_x, t_y]`.
pub const COORDINATES: usize = 5;

/// What the coordinates multiply.
#[derive(Clone, Debug, PartialEq)]
pub struct PlanePosition {
    /// `f/f_e` of every entry along x, `g/g_e` of every entry along y, of the padded grid.
    pub shifts: [Vec<f64>; 2],
    /// D, `[y, x]` of the padded grid; 0 beyond the band.
    pub depth: Vec<Complex64>,
    /// u along x, and v along y.
    pub tilts: [Vec<f64>; 2],
}

/// `1 − √(1 − square)` without losing what is left of a small square.
fn lacks(square: f64) -> Complex64 {
    match square <= 1.0 {
        true => Complex64::from(square / (1.0 + (1.0 - square).sqrt())),
        false => Complex64::new(1.0, -(square - 1.0).sqrt()),
    }
}

impl PlanePosition {
    /// Of the second grid of `spectrum`.
    pub fn new(spectrum: &AngularSpectrum) -> Self {
        let ([across, along], [f_edge, g_edge]) = (spectrum.padded(), edges(spectrum));
        let [f, g] = [0, 1].map(|axis| {
            let padded = spectrum.padded()[axis];
            (0..padded).map(|index| spectrum.frequency(index, padded)).collect::<Vec<f64>>()
        });
        let [passes_x, passes_y] = [0, 1].map(|axis| spectrum.passes(axis));
        let (wavelength, edge) = (spectrum.wavelength_um, edge(spectrum));
        let depth = |row: usize, column: usize| match passes_y[row] && passes_x[column] {
            true => -Complex64::I * lacks((wavelength * f[column]).powi(2) + (wavelength * g[row]).powi(2)) / edge,
            false => Complex64::ZERO,
        };
        PlanePosition {
            depth: (0..along)
                .flat_map(|row| (0..across).map(move |column| (row, column)))
                .map(|(r, c)| depth(r, c))
                .collect(),
            shifts: [f.iter().map(|f| f / f_edge).collect(), g.iter().map(|g| g / g_edge).collect()],
            tilts: spectrum.sides().map(|side| {
                let last = side as f64 - 1.0;
                (0..side).map(|k| (2.0 * k as f64 - last) / side as f64).collect()
            }),
        }
    }

    /// What multiplies H₀ in `row` and `column` of the padded grid.
    pub fn turn(&self, [s_x, s_y, s_z, _, _]: [f64; COORDINATES], row: usize, column: usize) -> Complex64 {
        let depth = self.depth[row * self.shifts[0].len() + column] * s_z;
        Complex64::cis(s_x * self.shifts[0][column] + s_y * self.shifts[1][row] + depth.im) * depth.re.exp()
    }

    /// R along x and along y.
    pub fn ramps(&self, [_, _, _, t_x, t_y]: [f64; COORDINATES]) -> [Vec<Complex64>; 2] {
        let ramp = |places: &[f64], tilt: f64| places.iter().map(|place| Complex64::cis(tilt * place)).collect();
        [ramp(&self.tilts[0], t_x), ramp(&self.tilts[1], t_y)]
    }

    /// The coordinates of a plane that stands so.
    pub fn coordinates(spectrum: &AngularSpectrum, misaligned: &Misalignment) -> [f64; COORDINATES] {
        let ([f, g], Misalignment { shift_um: [x, y], distance_um, tilt_rad }) = (edges(spectrum), *misaligned);
        let [t_x, t_y] = [0, 1].map(|axis| {
            let side = spectrum.sides()[axis] as f64 * spectrum.pitch_um;
            PI * side * tilt_rad[axis].sin() / spectrum.wavelength_um
        });
        [TAU * f * x, TAU * g * y, TAU * distance_um * edge(spectrum) / spectrum.wavelength_um, t_x, t_y]
    }

    /// Where a plane of these coordinates, in their order, stands: the way back from [`PlanePosition::coordinates`]. Tilts beyond a right angle are
    /// one.
    ///
    /// # Panics
    /// With fewer coordinates than there are.
    pub fn misalignment(spectrum: &AngularSpectrum, coordinates: &[f64]) -> Misalignment {
        let ([f, g], wavelength) = (edges(spectrum), spectrum.wavelength_um);
        let tilt = |axis: usize| {
            let side = spectrum.sides()[axis] as f64 * spectrum.pitch_um;
            (coordinates[3 + axis] * wavelength / (PI * side)).clamp(-1.0, 1.0).asin()
        };
        Misalignment {
            shift_um: [coordinates[0] / (TAU * f), coordinates[1] / (TAU * g)],
            distance_um: coordinates[2] * wavelength / (TAU * edge(spectrum)),
            tilt_rad: [tilt(0), tilt(1)],
        }
    }
}

/// f_e and g_e.
fn edges(spectrum: &AngularSpectrum) -> [f64; 2] {
    spectrum.band().map(|band| band.min(0.5 / spectrum.pitch_um))
}

/// `1 − κ_e`.
fn edge(spectrum: &AngularSpectrum) -> f64 {
    let [f, g] = edges(spectrum);
    lacks((spectrum.wavelength_um * f.max(g)).powi(2)).re
}

#[cfg(test)]
#[path = "plane_position_tests.rs"]
mod tests;
