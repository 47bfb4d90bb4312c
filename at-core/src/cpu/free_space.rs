//! Free space between two grids: a fast Fourier transform of every sample, to and fro.
//!
//! Rows that are dark are not transformed, and columns beyond the band neither; memory is one padded sample per thread. Nothing has to be kept
//! for the way back, which goes the same way with every factor conjugated.
//!
//! An estimate of where the second grid stands has, of shifts and the distance, `dL/dp = 2 Re Σ conj(F(R* a))·(∂H/∂p)·F(x)` over samples and
//! frequencies: the way back has the first spectrum, and transforms what entered for the second. Of tilts it is a sum over pixels of what left.

use super::memory::Held;
use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
use crate::optics::AngularSpectrum;
use crate::optics::plane_position::{COORDINATES, PlanePosition};
use crate::stage::{FreeSpace, StageErrors};
use crate::{Real, Result};
use num_complex::{Complex, Complex64};
use rayon::prelude::*;
use rustfft::{Fft, FftDirection, FftPlanner};
use std::any::TypeId;
use std::sync::Arc;

/// Columns that are gathered and transformed together: a cache line of every row, in single precision.
const COLUMNS: usize = 8;

/// `y = R·F⁻¹(H·F(x))`.
struct FreeSpaceStage<T> {
    spectrum: AngularSpectrum,
    /// Columns and rows.
    sides: [usize; 2],
    /// Of the padded grid.
    padded: [usize; 2],
    /// Along rows and along columns, each there and back.
    transforms: [[Transform; 2]; 2],
    /// The columns within the band.
    passed: Vec<usize>,
    /// H divided by the number of padded pixels, of every column that passes, `[passed, padded row]`.
    transfer: Vec<Complex<T>>,
    /// R along x and y.
    ramps: [Vec<Complex<T>>; 2],
    estimate: Option<Estimate>,
}

/// An estimate of where the second grid stands.
struct Estimate {
    position: PlanePosition,
    /// H of the design, as `transfer`.
    designed: Vec<Complex64>,
    coordinates: [f64; COORDINATES],
}

/// A transform of either precision.
enum Transform {
    Single(Arc<dyn Fft<f32>>),
    Double(Arc<dyn Fft<f64>>),
}

impl Transform {
    fn new<T: Real>(length: usize, direction: FftDirection) -> Self {
        match TypeId::of::<T>() == TypeId::of::<f64>() {
            true => Transform::Double(FftPlanner::new().plan_fft(length, direction)),
            false => Transform::Single(FftPlanner::new().plan_fft(length, direction)),
        }
    }

    fn scratch(&self) -> usize {
        match self {
            Transform::Single(own) => own.get_inplace_scratch_len(),
            Transform::Double(own) => own.get_inplace_scratch_len(),
        }
    }

    /// Transforms every line of `lines`, which is whole lines.
    fn run<T: Real>(&self, lines: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        match self {
            Transform::Single(own) => own.process_with_scratch(same_mut(lines), same_mut(scratch)),
            Transform::Double(own) => own.process_with_scratch(same_mut(lines), same_mut(scratch)),
        }
    }
}

/// The same numbers, whose type is known where it was planned by.
fn same_mut<A: Real, B: Real>(values: &mut [Complex<A>]) -> &mut [Complex<B>] {
    assert_eq!(A::NAME, B::NAME, "transforms are of the stage's own precision");
    bytemuck::cast_slice_mut(values)
}

/// A sample on its way.
struct Lines<T> {
    /// `[row, padded column]`.
    rows: Vec<Complex<T>>,
    /// `[column, padded row]` of some columns.
    columns: Vec<Complex<T>>,
}

/// Memory of one thread.
struct Room<T> {
    own: Lines<T>,
    /// What entered, where slopes of an estimate are asked for.
    entered: Option<Lines<T>>,
    scratch: Vec<Complex<T>>,
}

/// A recorded sample, and where the slopes of an estimate go that follow from it and the adjoint.
struct Passed<'a, T> {
    input: &'a [Complex<T>],
    output: &'a [Complex<T>],
    slopes: &'a mut [f64],
}

impl OnCpu for FreeSpace {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let misaligned = FreeSpace::misalignment(errors);
        let (sides, padded) = (self.spectrum.sides(), self.spectrum.padded());
        let passes = self.spectrum.passes(0);
        let passed: Vec<usize> = (0..padded[0]).filter(|&column| passes[column]).collect();
        let transfer = of_passed(&self.spectrum.transfer(&misaligned), padded, &passed);
        let ramps = self.spectrum.ramps(&misaligned).map(|ramp| ramp.into_iter().map(rounded).collect());
        let transforms = padded
            .map(|length| [FftDirection::Forward, FftDirection::Inverse].map(|way| Transform::new::<T>(length, way)));
        let transfer = transfer.into_iter().map(rounded).collect();
        let spectrum = self.spectrum;
        Ok(Box::new(FreeSpaceStage { spectrum, sides, padded, transforms, passed, transfer, ramps, estimate: None }))
    }

    /// H, and that of the design with its slope by the distance where there is an estimate; what lies along a side is small beside them.
    fn bytes(&self, held: &Held) -> usize {
        let [across, along] = self.spectrum.padded();
        held.real * 6 * across * along
    }
}

/// Of `whole [padded row, padded column]` the columns that pass, `[passed, padded row]`, divided by the number of padded pixels.
fn of_passed(whole: &[Complex64], padded: [usize; 2], passed: &[usize]) -> Vec<Complex64> {
    let scale = 1.0 / (padded[0] * padded[1]) as f64;
    let entries = passed.iter().flat_map(|&column| (0..padded[1]).map(move |row| row * padded[0] + column));
    entries.map(|index| whole[index] * scale).collect()
}

fn rounded<T: Real>(value: Complex64) -> Complex<T> {
    Complex::new(T::of(value.re), T::of(value.im))
}

impl<T: Real> FreeSpaceStage<T> {
    fn room(&self, estimating: bool) -> Room<T> {
        let zeros = |count| vec![Complex::new(T::zero(), T::zero()); count];
        let scratch = self.transforms.iter().flatten().map(Transform::scratch).max().unwrap_or(0);
        let lines = || Lines { rows: zeros(self.sides[1] * self.padded[0]), columns: zeros(COLUMNS * self.padded[1]) };
        Room { own: lines(), entered: estimating.then(lines), scratch: zeros(scratch) }
    }

    /// All samples, there, or back with everything conjugated.
    fn carry(&self, input: &[T], batch: usize, output: &mut [T], back: bool) {
        let width = 2 * self.sides[0] * self.sides[1];
        let samples = output[..batch * width].par_chunks_exact_mut(width).zip(input.par_chunks_exact(width));
        samples.for_each_init(
            || self.room(false),
            |room, (y, x)| self.carry_one(bytemuck::cast_slice(x), bytemuck::cast_slice_mut(y), back, room, None),
        );
    }

    /// All samples back, and the slopes of the estimate.
    fn carry_back_estimated(&self, pass: &Recorded<T>, adjoint_in: &mut [T], imperfections: &mut [T]) {
        let width = 2 * self.sides[0] * self.sides[1];
        let mut of_samples = vec![0.0; pass.batch * COORDINATES];
        let recorded = pass.input.par_chunks_exact(width).zip(pass.output.par_chunks_exact(width));
        let ways =
            adjoint_in[..pass.batch * width].par_chunks_exact_mut(width).zip(pass.adjoint.par_chunks_exact(width));
        ways.zip(recorded).zip(of_samples.par_chunks_exact_mut(COORDINATES)).for_each_init(
            || self.room(true),
            |room, (((to, from), (input, output)), slopes)| {
                let [from, input, output] = [from, input, output].map(bytemuck::cast_slice);
                self.carry_one(from, bytemuck::cast_slice_mut(to), true, room, Some(Passed { input, output, slopes }));
            },
        );
        for (coordinate, slot) in imperfections.iter_mut().enumerate() {
            *slot = T::of(of_samples.iter().skip(coordinate).step_by(COORDINATES).sum());
        }
    }

    /// The rows of a sample and their spectra; back, the ramp is taken off first.
    fn enter(&self, from: &[Complex<T>], lines: &mut [Complex<T>], back: bool, scratch: &mut [Complex<T>]) {
        let ([columns, _], [across, _]) = (self.sides, self.padded);
        for ((line, from), ramp) in lines.chunks_exact_mut(across).zip(from.chunks_exact(columns)).zip(&self.ramps[1]) {
            if back {
                let turned = from.iter().zip(&self.ramps[0]).map(|(value, other)| value * (ramp * other).conj());
                line.iter_mut().zip(turned).for_each(|(slot, value)| *slot = value);
            } else {
                line[..columns].copy_from_slice(from);
            }
            line[columns..].fill(Complex::new(T::zero(), T::zero()));
        }
        self.transforms[0][0].run(lines, scratch);
    }

    /// The spectra of some columns of what entered.
    fn gather(&self, lines: &[Complex<T>], passed: &[usize], stripes: &mut [Complex<T>], scratch: &mut [Complex<T>]) {
        let [across, along] = self.padded;
        stripes.fill(Complex::new(T::zero(), T::zero()));
        for (row, line) in lines.chunks_exact(across).enumerate() {
            passed.iter().enumerate().for_each(|(k, &column)| stripes[k * along + row] = line[column]);
        }
        self.transforms[1][0].run(stripes, scratch);
    }

    /// One sample; `recorded` on a way back whose slopes are asked for.
    fn carry_one(
        &self,
        from: &[Complex<T>],
        to: &mut [Complex<T>],
        back: bool,
        room: &mut Room<T>,
        mut recorded: Option<Passed<T>>,
    ) {
        let ([columns, rows], [across, along]) = (self.sides, self.padded);
        let Room { own: Lines { rows: lines, columns: stripes }, entered, scratch } = room;
        let zero = Complex::new(T::zero(), T::zero());
        if let (Some(recorded), Some(estimate), Some(entered)) = (&mut recorded, &self.estimate, &mut *entered) {
            self.enter(recorded.input, &mut entered.rows, false, scratch);
            self.slopes_of_tilts(estimate, recorded, from);
        }
        self.enter(from, lines, back, scratch);
        let mut dark = 0;
        for (group, passed) in self.passed.chunks(COLUMNS).enumerate() {
            let (stripes, first) = (&mut stripes[..passed.len() * along], group * COLUMNS * along);
            let factors = &self.transfer[first..][..stripes.len()];
            self.gather(lines, passed, stripes, scratch);
            if let (Some(recorded), Some(estimate), Some(entered)) = (&mut recorded, &self.estimate, &mut *entered) {
                let light = &mut entered.columns[..stripes.len()];
                self.gather(&entered.rows, passed, light, scratch);
                light.iter_mut().zip(factors).for_each(|(value, factor)| *value *= *factor);
                self.slopes_of_columns(estimate, passed, light, stripes, recorded.slopes);
            }
            match back {
                true => stripes.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor.conj()),
                false => stripes.iter_mut().zip(factors).for_each(|(value, factor)| *value *= *factor),
            }
            self.transforms[1][1].run(stripes, scratch);
            let (first, last) = (passed[0], passed[passed.len() - 1]);
            for (row, line) in lines.chunks_exact_mut(across).enumerate() {
                line[dark..=last].fill(zero); // columns beyond the band lie between those that pass
                passed.iter().enumerate().for_each(|(k, &column)| line[column] = stripes[k * along + row]);
            }
            debug_assert!(first >= dark);
            dark = last + 1;
        }
        lines.chunks_exact_mut(across).for_each(|line| line[dark..].fill(zero));
        self.transforms[0][1].run(lines, scratch);
        for ((line, to), ramp) in lines.chunks_exact(across).zip(to.chunks_exact_mut(columns)).zip(&self.ramps[1]) {
            if back {
                to.copy_from_slice(&line[..columns]);
            } else {
                let turned = line.iter().zip(&self.ramps[0]).map(|(value, other)| value * (ramp * other));
                to.iter_mut().zip(turned).for_each(|(slot, value)| *slot = value);
            }
        }
        debug_assert_eq!(lines.len(), rows * across);
    }

    /// Adds to `dL/ds = 2 Re Σ a* (∂H/∂s) x` what columns `passed` of the spectra `light`, H x, and `adjoint` say.
    fn slopes_of_columns(
        &self,
        Estimate { position, .. }: &Estimate,
        passed: &[usize],
        light: &[Complex<T>],
        adjoint: &[Complex<T>],
        slopes: &mut [f64],
    ) {
        let [across, along] = self.padded;
        let columns = light.chunks_exact(along).zip(adjoint.chunks_exact(along));
        for (&column, (light, adjoint)) in passed.iter().zip(columns) {
            for (row, (x, a)) in light.iter().zip(adjoint).enumerate() {
                let product = a.conj() * x;
                let product = Complex64::new(product.re.wide(), product.im.wide());
                slopes[0] -= 2.0 * position.shifts[0][column] * product.im;
                slopes[1] -= 2.0 * position.shifts[1][row] * product.im;
                slopes[2] += 2.0 * (position.depth[row * across + column] * product).re;
            }
        }
    }

    /// `dL/dt = 2 Re Σ a* i u y`.
    fn slopes_of_tilts(&self, Estimate { position, .. }: &Estimate, recorded: &mut Passed<T>, adjoint: &[Complex<T>]) {
        let columns = self.sides[0];
        let rows = recorded.output.chunks_exact(columns).zip(adjoint.chunks_exact(columns));
        for ((light, adjoint), v) in rows.zip(&position.tilts[1]) {
            for ((y, a), u) in light.iter().zip(adjoint).zip(&position.tilts[0]) {
                let turned = (a.conj() * y).im.wide();
                recorded.slopes[3] -= 2.0 * u * turned;
                recorded.slopes[4] -= 2.0 * v * turned;
            }
        }
    }
}

impl<T: Real> CpuStage<T> for FreeSpaceStage<T> {
    fn program(&mut self, _controls: &[T]) {
        let Some(Estimate { position, designed, coordinates }) = &self.estimate else { return };
        let along = self.padded[1];
        let places = self.passed.iter().flat_map(|&column| (0..along).map(move |row| (row, column)));
        for ((slot, designed), (row, column)) in self.transfer.iter_mut().zip(designed).zip(places) {
            *slot = rounded(designed * position.turn(*coordinates, row, column));
        }
        self.ramps = position.ramps(*coordinates).map(|ramp| ramp.into_iter().map(rounded).collect());
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.carry(input, batch, output, false);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        self.estimate.is_some()
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        match slopes.imperfections {
            Some(imperfections) => self.carry_back_estimated(pass, slopes.adjoint_in, imperfections),
            None if slopes.all_the_way => self.carry(pass.adjoint, pass.batch, slopes.adjoint_in, true),
            None => {}
        }
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        let spectrum = &self.spectrum;
        let own = self.estimate.get_or_insert_with(|| Estimate {
            position: PlanePosition::new(spectrum),
            designed: of_passed(&spectrum.transfer(&Default::default()), self.padded, &self.passed),
            coordinates: [0.0; COORDINATES],
        });
        own.coordinates.iter_mut().zip(estimate).for_each(|(slot, value)| *slot = value.wide());
    }
}
