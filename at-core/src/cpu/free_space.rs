//! Free space between two grids: a fast Fourier transform of every sample, to and fro.
//!
//! Rows that are dark are not transformed, and columns beyond the band neither; memory is one padded sample per thread. Nothing has to be kept
//! for the way back, which goes the same way with every factor conjugated.

use super::stage::{CpuStage, Kept, OnCpu, Recorded, Slopes};
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

/// Memory of one thread.
struct Room<T> {
    /// `[row, padded column]`.
    rows: Vec<Complex<T>>,
    /// `[column, padded row]` of some columns.
    columns: Vec<Complex<T>>,
    scratch: Vec<Complex<T>>,
}

impl OnCpu for FreeSpace {
    fn on_cpu<T: Real>(&self, errors: &StageErrors) -> Result<Box<dyn CpuStage<T>>> {
        let misaligned = FreeSpace::misalignment(errors);
        let (sides, padded) = (self.spectrum.sides(), self.spectrum.padded());
        let whole = self.spectrum.transfer(&misaligned);
        let scale = 1.0 / (padded[0] * padded[1]) as f64;
        let passes = self.spectrum.passes(0);
        let passed: Vec<usize> = (0..padded[0]).filter(|&column| passes[column]).collect();
        let factors = passed.iter().flat_map(|&column| (0..padded[1]).map(move |row| row * padded[0] + column));
        let transfer = factors.map(|index| rounded(whole[index] * scale)).collect();
        let ramps = self.spectrum.ramps(&misaligned).map(|ramp| ramp.into_iter().map(rounded).collect());
        let transforms = padded
            .map(|length| [FftDirection::Forward, FftDirection::Inverse].map(|way| Transform::new::<T>(length, way)));
        Ok(Box::new(FreeSpaceStage { sides, padded, transforms, passed, transfer, ramps }))
    }

    /// H and R; plans are small beside them.
    fn reals(&self) -> usize {
        let [across, along] = self.spectrum.padded();
        2 * (across * along + self.spectrum.rows + self.spectrum.columns)
    }
}

fn rounded<T: Real>(value: Complex64) -> Complex<T> {
    Complex::new(T::of(value.re), T::of(value.im))
}

impl<T: Real> FreeSpaceStage<T> {
    fn room(&self) -> Room<T> {
        let zeros = |count| vec![Complex::new(T::zero(), T::zero()); count];
        let scratch = self.transforms.iter().flatten().map(Transform::scratch).max().unwrap_or(0);
        Room {
            rows: zeros(self.sides[1] * self.padded[0]),
            columns: zeros(COLUMNS * self.padded[1]),
            scratch: zeros(scratch),
        }
    }

    /// All samples, there, or back with everything conjugated.
    fn carry(&self, input: &[T], batch: usize, output: &mut [T], back: bool) {
        let width = 2 * self.sides[0] * self.sides[1];
        let samples = output[..batch * width].par_chunks_exact_mut(width).zip(input.par_chunks_exact(width));
        samples.for_each_init(
            || self.room(),
            |room, (y, x)| self.carry_one(bytemuck::cast_slice(x), bytemuck::cast_slice_mut(y), back, room),
        );
    }

    fn carry_one(&self, from: &[Complex<T>], to: &mut [Complex<T>], back: bool, room: &mut Room<T>) {
        let ([columns, rows], [across, along]) = (self.sides, self.padded);
        let Room { rows: lines, columns: stripes, scratch } = room;
        let zero = Complex::new(T::zero(), T::zero());
        let [of_rows, of_columns] = &self.transforms;
        for ((line, from), ramp) in lines.chunks_exact_mut(across).zip(from.chunks_exact(columns)).zip(&self.ramps[1]) {
            if back {
                let turned = from.iter().zip(&self.ramps[0]).map(|(value, other)| value * (ramp * other).conj());
                line.iter_mut().zip(turned).for_each(|(slot, value)| *slot = value);
            } else {
                line[..columns].copy_from_slice(from);
            }
            line[columns..].fill(zero);
        }
        of_rows[0].run(lines, scratch);
        let mut dark = 0;
        for (passed, factors) in self.passed.chunks(COLUMNS).zip(self.transfer.chunks(COLUMNS * along)) {
            let stripes = &mut stripes[..passed.len() * along];
            stripes.fill(zero);
            for (row, line) in lines.chunks_exact(across).enumerate() {
                passed.iter().enumerate().for_each(|(k, &column)| stripes[k * along + row] = line[column]);
            }
            of_columns[0].run(stripes, scratch);
            match back {
                true => stripes.iter_mut().zip(factors).for_each(|(value, factor)| *value *= factor.conj()),
                false => stripes.iter_mut().zip(factors).for_each(|(value, factor)| *value *= *factor),
            }
            of_columns[1].run(stripes, scratch);
            let (first, last) = (passed[0], passed[passed.len() - 1]);
            for (row, line) in lines.chunks_exact_mut(across).enumerate() {
                line[dark..=last].fill(zero); // columns beyond the band lie between those that pass
                passed.iter().enumerate().for_each(|(k, &column)| line[column] = stripes[k * along + row]);
            }
            debug_assert!(first >= dark);
            dark = last + 1;
        }
        lines.chunks_exact_mut(across).for_each(|line| line[dark..].fill(zero));
        of_rows[1].run(lines, scratch);
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
}

impl<T: Real> CpuStage<T> for FreeSpaceStage<T> {
    fn program(&mut self, _controls: &[T]) {}

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.carry(input, batch, output, false);
    }

    fn reads_input(&self, _kept: &Kept<T>) -> bool {
        false
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        if slopes.all_the_way {
            self.carry(pass.adjoint, pass.batch, slopes.adjoint_in, true);
        }
    }
}
