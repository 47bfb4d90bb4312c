//! Free space between two parallel grids of pixels: `y = R·F⁻¹(H·F(x))`, the angular spectrum ([`crate::optics::angular_spectrum`]) of a
//! padded and band-limited grid, and a ramp R of phases where light comes from aside. Misaligned by Δx, Δy, Δz and tilts α, β, H has
//! `e^{2πi(f Δx + g Δy)}` and the distance z + Δz, and R is `e^{2πi(x sin α + y sin β)/λ}`.

use super::{
    Beside, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect, Order, Signal, Sines, Stage,
    StageErrors,
};
use crate::Result;
use crate::imperfections::Draws;
use crate::optics::angular_spectrum::{Misalignment, length};
use crate::optics::plane_position::COORDINATES;
use crate::optics::{AngularSpectrum, PlanePosition};
use num_complex::Complex64;
use std::f64::consts::TAU;

/// Free space between two grids.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FreeSpace {
    /// The grids, and how light goes from one to the other.
    pub spectrum: AngularSpectrum,
}

impl Stage {
    /// [`FreeSpace`].
    pub fn free_space(spectrum: AngularSpectrum) -> Self {
        Stage::FreeSpace(FreeSpace { spectrum })
    }
}

impl FreeSpace {
    /// Pixels of a grid.
    pub fn pixels(&self) -> usize {
        self.spectrum.rows.saturating_mul(self.spectrum.columns)
    }

    /// What these errors say of the second grid.
    pub fn misalignment(errors: &StageErrors) -> Misalignment {
        let own = errors.get(["shift", "distance", "tilt"]);
        own.map_or(Misalignment::default(), |[shift, distance, tilt]| Misalignment {
            shift_um: [shift[0], shift[1]],
            distance_um: distance[0],
            tilt_rad: [tilt[0], tilt[1]],
        })
    }

    /// `C·F⁻¹·D·F·P`: padded, transformed, multiplied by `factors`, transformed back, cropped.
    fn filter(&self, field: &[Complex64], factors: &[Complex64]) -> Vec<Complex64> {
        let ([columns, rows], [across, along]) = (self.spectrum.sides(), self.spectrum.padded());
        let mut padded = vec![Complex64::ZERO; across * along];
        for row in 0..rows {
            padded[row * across..][..columns].copy_from_slice(&field[row * columns..][..columns]);
        }
        let mut spectrum = transform(&padded, [across, along], -1.0);
        spectrum.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor / (across * along) as f64);
        let back = transform(&spectrum, [across, along], 1.0);
        (0..rows).flat_map(|row| back[row * across..][..columns].iter().copied()).collect()
    }
}

/// `Σ_{m,n} u_{m,n}·e^{±2πi(m j/M + n k/N)}`, the discrete Fourier transform as it is written down, rows first.
fn transform(field: &[Complex64], [across, along]: [usize; 2], sign: f64) -> Vec<Complex64> {
    let turns = |count: usize| (0..count).map(|k| Complex64::cis(sign * TAU * k as f64 / count as f64)).collect();
    let (row_turns, column_turns): (Vec<_>, Vec<_>) = (turns(across), turns(along));
    let mut rows = vec![Complex64::ZERO; field.len()];
    for (row, line) in field.chunks_exact(across).enumerate() {
        if line.iter().all(|value| *value == Complex64::ZERO) {
            continue; // the darkness around a grid
        }
        for k in 0..across {
            rows[row * across + k] = line.iter().enumerate().map(|(n, u)| u * row_turns[n * k % across]).sum();
        }
    }
    let mut all = vec![Complex64::ZERO; field.len()];
    for j in 0..along {
        for m in 0..along {
            let turn = column_turns[m * j % along];
            for k in 0..across {
                all[j * across + k] += rows[m * across + k] * turn;
            }
        }
    }
    all
}

impl Element for FreeSpace {
    fn input(&self) -> Signal {
        Signal::fields(self.pixels())
    }

    fn output(&self) -> Signal {
        Signal::fields(self.pixels())
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        self.spectrum.validate()
    }

    fn words(&self) -> String {
        let AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um } = self.spectrum;
        format!("free-space:{rows}x{columns}(pitch {pitch_um}, distance {distance_um}, wavelength {wavelength_um})")
    }

    fn description(&self) -> String {
        let AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um } = self.spectrum;
        let [pitch, distance, wavelength] = [pitch_um, distance_um, wavelength_um].map(length);
        format!("{distance} of free space between {rows} × {columns} pixels of {pitch}, wavelength {wavelength}")
    }

    /// `5 n log₂ n` of a transform of n, of rows that are not all dark and of all columns, to and fro; `6` of a complex product.
    fn flops(&self) -> Flops {
        let [across, along] = self.spectrum.padded().map(|side| side as u64);
        let of = |side: u64| 5 * side * u64::from(side.ilog2());
        let once = 2 * (self.spectrum.rows as u64 * of(across) + across * of(along)) + 6 * across * along;
        Flops { forward: once, backward: once }
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        None
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        Some(self)
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Kept)
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let misaligned = Self::misalignment(errors);
        let (transfer, [ramp_x, ramp_y]) = (self.spectrum.transfer(&misaligned), self.spectrum.ramps(&misaligned));
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let mut output = Vec::new();
        for field in fields.chunks_exact(self.pixels()) {
            let arrived = self.filter(field, &transfer);
            let columns = self.spectrum.columns;
            output.extend(arrived.iter().enumerate().map(|(k, u)| u * ramp_x[k % columns] * ramp_y[k / columns]));
        }
        bytemuck::cast_slice(&output).to_vec()
    }

    /// `a_x = F⁻¹(H*·F(R*·a_y))`: the same way with every factor conjugated.
    fn backward(&self, errors: &StageErrors, _: &[f64], _: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        let misaligned = Self::misalignment(errors);
        let (mut transfer, [ramp_x, ramp_y]) = (self.spectrum.transfer(&misaligned), self.spectrum.ramps(&misaligned));
        transfer.iter_mut().for_each(|factor| *factor = factor.conj());
        let adjoints: &[Complex64] = bytemuck::cast_slice(error);
        let mut carried = Vec::new();
        for adjoint in adjoints.chunks_exact(self.pixels()) {
            let columns = self.spectrum.columns;
            let turned = |(k, a): (usize, &Complex64)| a * (ramp_x[k % columns] * ramp_y[k / columns]).conj();
            let turned: Vec<_> = adjoint.iter().enumerate().map(turned).collect();
            carried.extend(self.filter(&turned, &transfer));
        }
        bytemuck::cast_slice(&carried).to_vec()
    }
}

impl Imperfect for FreeSpace {
    fn errors(&self) -> Vec<ErrorVector> {
        let vector = |name, what, unit, length, most| ErrorVector {
            name,
            what,
            unit,
            length,
            most,
            order: Order::Stage,
            stretches: false,
            sheet: None,
        };
        vec![
            vector("shift", "shift of a plane", "µm", 2, self.spectrum.most_shift_um()),
            vector("distance", "error of a distance", "µm", 1, self.spectrum.distance_um),
            vector("tilt", "tilt of a plane", "rad", 2, self.spectrum.most_tilt_rad()),
        ]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let planes = &draws.imperfections.planes;
        vec![
            draws.normal(1, 2, 0.0, planes.plane_shift),
            draws.normal(2, 1, 0.0, planes.plane_distance),
            draws.normal(3, 2, 0.0, planes.plane_tilt),
        ]
    }

    /// Where the second grid stands, in the coordinates of [`crate::optics::plane_position`].
    fn estimable(&self) -> Estimable {
        Estimable::PhasesByBatches(COORDINATES)
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        let Misalignment { shift_um, distance_um, tilt_rad } = PlanePosition::misalignment(&self.spectrum, estimate);
        let all = [shift_um[0], shift_um[1], distance_um, tilt_rad[0], tilt_rad[1]];
        known.or_zeros(self).replaced(["shift", "distance", "tilt"], &all)
    }

    /// No frequency leaves brighter than it enters.
    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}
