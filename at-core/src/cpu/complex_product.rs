//! Products of complex matrices by three real ones in the place of four (Gauss).
//!
//! ```text
//! (A + iB)(C + iD) = AC - BD + i [(A + B)(C + D) - AC - BD]        (A + iB)(C - iD) = AC + BD + i [(A + B)(C - D) - AC + BD]
//! ```
//!
//! Batches are interleaved, `[sample, mode]` of real and imaginary parts, and are taken apart and put together in blocks that stay in a
//! cache. What the sums in brackets lose is in proportion to the size of the whole product, not of each entry (Higham, Stability of a Method
//! for Multiplying Complex Matrices with Three Real Matrix Multiplications, 1992).

use super::product::{Matrix, Threads, product};
use crate::Real;
use rayon::prelude::*;

/// Samples of a block: enough for products at their full rate, and few enough for six planes of them in a cache. Neither this nor what
/// follows depends on the number of threads, and so no result does.
const BLOCK: usize = 64;

/// Samples of which moments are added up at a time.
const SUMMED: usize = 256;

/// Values of a plane that one thread takes apart.
const PIECE: usize = 4096;

/// A square matrix in four planes of reals.
#[derive(Default)]
pub struct Planes<T> {
    values: Vec<T>,
    modes: usize,
}

impl<T: Real> Planes<T> {
    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// There is none from here on.
    pub fn clear(&mut self) {
        self.values.clear();
    }

    /// The rows that `fill` makes of unit rows, `[row, column]` of real and imaginary parts: `fill` gets those of the identity and room for what
    /// becomes of them.
    pub fn fill(&mut self, modes: usize, fill: impl FnOnce(&[T], &mut [T])) {
        let (square, width) = (modes * modes, 2 * modes);
        self.modes = modes;
        self.values.clear();
        self.values.resize(4 * square, T::zero());
        let (units, rows) = self.values.split_at_mut(2 * square);
        units.iter_mut().step_by(width + 2).for_each(|unit| *unit = T::one());
        fill(units, rows);
        let (real, imaginary) = units.split_at_mut(square);
        for ((real, imaginary), entry) in real.iter_mut().zip(imaginary).zip(rows.chunks_exact(2)) {
            (*real, *imaginary) = (entry[0], entry[1]);
        }
        let (parts, sums) = self.values.split_at_mut(2 * square);
        let (real, imaginary) = parts.split_at(square);
        let (sum, difference) = sums.split_at_mut(square);
        for (((sum, difference), &real), &imaginary) in sum.iter_mut().zip(difference).zip(real).zip(imaginary) {
            (*sum, *difference) = (real + imaginary, real - imaginary);
        }
    }

    /// Writes the rows, interleaved.
    pub fn write(&self, rows: &mut [T]) {
        let [real, imaginary, ..] = self.planes();
        for ((entry, &real), &imaginary) in rows.chunks_exact_mut(2).zip(real).zip(imaginary) {
            (entry[0], entry[1]) = (real, imaginary);
        }
    }

    /// Real and imaginary parts, sums and differences of both.
    fn planes(&self) -> [&[T]; 4] {
        let square = self.modes * self.modes;
        let (parts, sums) = self.values.split_at(2 * square);
        let ((real, imaginary), (sum, difference)) = (parts.split_at(square), sums.split_at(square));
        [real, imaginary, sum, difference]
    }
}

/// Room for blocks of samples in planes.
#[derive(Default)]
pub struct Room<T>(Vec<T>);

/// Reals that [`Room`] has for samples of so many modes.
pub fn room(modes: usize) -> usize {
    6 * modes * SUMMED.max(BLOCK * rayon::current_num_threads())
}

impl<T: Real> Room<T> {
    /// `output ← input·U`, or `output ← input·Uᴴ`, of interleaved samples.
    pub fn multiply(&mut self, input: &[T], matrix: &Planes<T>, adjoint: bool, output: &mut [T]) {
        let (modes, width) = (matrix.modes, 2 * matrix.modes);
        let [real, imaginary, sum, difference] = matrix.planes();
        let third = if adjoint { difference } else { sum };
        let stride = if adjoint { (1, modes) } else { (modes, 1) };
        let blocks = input.len().div_ceil(BLOCK * width);
        let tasks = blocks.min(rayon::current_num_threads()).max(1);
        let threads = if blocks < rayon::current_num_threads() { Threads::All } else { Threads::This };
        let of_task = blocks.div_ceil(tasks) * BLOCK * width;
        self.0.resize(6 * BLOCK * modes * tasks, T::zero());
        let tasks = self.0.par_chunks_mut(6 * BLOCK * modes).zip(input.par_chunks(of_task));
        tasks.zip(output.par_chunks_mut(of_task)).for_each(|((room, input), output)| {
            for (input, output) in input.chunks(BLOCK * width).zip(output.chunks_mut(BLOCK * width)) {
                let (planes, products) = room.split_at_mut(3 * BLOCK * modes);
                let (planes, products) = (three(planes, input.len() / 2), three(products, input.len() / 2));
                let planes = take_apart(input, planes, false);
                let factors = planes.into_iter().zip([real, imaginary, third]);
                let products = factors.zip(products).map(|((light, values), target)| {
                    let rows = light.len() / modes;
                    let light = Matrix { values: light, rows, columns: modes, stride: (modes, 1) };
                    let matrix = Matrix { values, rows: modes, columns: modes, stride };
                    product(light, matrix, false, target, threads);
                    &*target
                });
                put_together(products, adjoint, output);
            }
        });
    }

    /// `moments[i, j] ← Σ_b x*_b[i]·a_b[j]` of interleaved samples and adjoints; `sums` has room for four squares.
    pub fn moments(&mut self, input: &[T], adjoints: &[T], modes: usize, sums: &mut [T], moments: &mut [T]) {
        let (square, block) = (modes * modes, 2 * SUMMED * modes);
        self.0.resize(3 * block, T::zero());
        let mut sums = three(sums, square);
        for (index, (input, adjoints)) in input.chunks(block).zip(adjoints.chunks(block)).enumerate() {
            let (light, errors) = self.0.split_at_mut(3 * block / 2);
            let light = take_apart(input, three(light, input.len() / 2), true);
            let errors = take_apart(adjoints, three(errors, adjoints.len() / 2), false);
            for ((light, errors), sum) in light.into_iter().zip(errors).zip(&mut sums) {
                let columns = light.len() / modes;
                let light = Matrix { values: light, rows: modes, columns, stride: (1, modes) };
                let errors = Matrix { values: errors, rows: columns, columns: modes, stride: (modes, 1) };
                product(light, errors, index > 0, sum, Threads::All);
            }
        }
        put_together(sums.into_iter().map(|sum| &*sum), true, moments);
    }
}

/// Three planes of so many values.
fn three<T>(room: &mut [T], len: usize) -> [&mut [T]; 3] {
    let (first, rest) = room.split_at_mut(len);
    let (second, rest) = rest.split_at_mut(len);
    [first, second, &mut rest[..len]]
}

/// Real parts, imaginary parts, and their sum or difference.
fn take_apart<'a, T: Real>(samples: &[T], planes: [&'a mut [T]; 3], difference: bool) -> [&'a [T]; 3] {
    let [real, imaginary, both] = planes;
    let sign = if difference { -T::one() } else { T::one() };
    let pieces = real.par_chunks_mut(PIECE).zip(imaginary.par_chunks_mut(PIECE)).zip(both.par_chunks_mut(PIECE));
    pieces.zip(samples.par_chunks(2 * PIECE)).for_each(|(((real, imaginary), both), samples)| {
        let planes = real.iter_mut().zip(imaginary).zip(both);
        for (((real, imaginary), both), entry) in planes.zip(samples.chunks_exact(2)) {
            (*real, *imaginary, *both) = (entry[0], entry[1], entry[0] + sign * entry[1]);
        }
    });
    [real, imaginary, both]
}

/// The complex product of three real ones, of which one factor was `conjugated` or none.
fn put_together<'a, T: Real>(products: impl Iterator<Item = &'a [T]>, conjugated: bool, target: &mut [T]) {
    let products: Vec<&[T]> = products.collect();
    let [real, imaginary, both] = products[..] else { unreachable!("there are three") };
    let sign = if conjugated { -T::one() } else { T::one() };
    let products = real.iter().zip(imaginary).zip(both);
    for (slot, ((&real, &imaginary), &both)) in target.chunks_exact_mut(2).zip(products) {
        let imaginary = sign * imaginary;
        (slot[0], slot[1]) = (real - imaginary, both - real - imaginary);
    }
}

#[cfg(test)]
#[path = "complex_product_tests.rs"]
mod tests;
