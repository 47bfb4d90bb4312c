//! What matrices, banks and crossbars have in common: products with weights. How a weight follows its control, each says in its file.

use super::memory::Held;
use super::product::{Matrix, product};
use super::sparse::SparseRows;
use super::stage::{CpuStage, Kept, Recorded, Slopes};
use crate::Real;
use crate::real::SERIAL;
use rayon::prelude::*;

/// Share of nonzero inputs up to which the sparse product beats the full one. It makes half as many operations per second
/// (AVX2), and the zeros have to be found first.
const SPARSE: f64 = 0.4;

/// Narrower matrices are not worth the search for zeros.
const NARROWEST: usize = 16;

/// How weights follow their controls.
pub trait Response<T>: Send {
    /// The `weights` at these controls, and their `slopes` d(weight)/d(control), where the stage keeps them.
    fn program(&mut self, controls: &[T], weights: &mut [T], slopes: &mut [T]);

    /// From `∂L/∂w` of every weight to the gradient of the controls, in place.
    fn to_controls(&mut self, slopes: &[T], gradient: &mut [T]);

    /// See [`CpuStage::set_imperfections`].
    fn set_imperfections(&mut self, estimate: &[T]);

    /// From `∂L/∂w` of every weight to the gradient of the estimate.
    fn slope_of_imperfections(&mut self, weight_gradient: &[T], slopes: &mut [T]);
}

/// The way of weights each of which follows its own control alone; none of `slopes` where all are 1.
pub fn one_by_one<T: Real>(slopes: &[T], gradient: &mut [T]) {
    let slopes = gradient.par_iter_mut().zip(slopes);
    slopes.with_min_len(SERIAL).for_each(|(slot, &slope)| *slot *= slope);
}

/// `y = W x + b` with every weight and bias a function of controls.
pub struct WeightStage<T, R> {
    inputs: usize,
    outputs: usize,
    response: R,
    /// Effective `[W row-major [output, input], b]`.
    weights: Vec<T>,
    /// `Wᵀ`, row-major `[input, output]`.
    transposed: Vec<T>,
    /// d(weight)/d(control) of every weight; empty where all are 1.
    slopes: Vec<T>,
    room: Room<T>,
}

/// Memory of the sparse products, kept from call to call.
#[derive(Default)]
struct Room<T> {
    rows: SparseRows<T>,
    /// `[input, output]`.
    gradient: Vec<T>,
}

impl<T: Real, R: Response<T>> WeightStage<T, R> {
    /// Weights from `inputs` to `outputs`, whose `slopes` are these; none where all are 1.
    pub fn new(inputs: usize, outputs: usize, response: R, slopes: Vec<T>) -> Self {
        let weights = vec![T::zero(); outputs * (inputs + 1)];
        let transposed = vec![T::zero(); outputs * inputs];
        WeightStage { inputs, outputs, response, weights, transposed, slopes, room: Room::default() }
    }
}

impl<T: Real, R: Response<T>> CpuStage<T> for WeightStage<T, R> {
    fn program(&mut self, controls: &[T]) {
        self.response.program(controls, &mut self.weights, &mut self.slopes);
        if self.outputs >= NARROWEST {
            transpose(&self.weights[..self.outputs * self.inputs], self.inputs, &mut self.transposed);
        }
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        self.weigh(input, batch, output);
    }

    fn record(&mut self, input: &[T], batch: usize, output: &mut [T], kept: &mut Kept<T>) {
        if self.weigh(input, batch, output) {
            kept.columns.get_or_insert_default().fill_transposed(&self.room.rows);
        } else {
            kept.columns = None;
        }
    }

    fn reads_input(&self, kept: &Kept<T>) -> bool {
        kept.columns.is_none()
    }

    fn backward(&mut self, pass: &Recorded<T>, slopes: Slopes<T>) {
        let Recorded { input, adjoint, batch, kept, .. } = *pass;
        let Slopes { adjoint_in, all_the_way, gradient, imperfections } = slopes;
        if all_the_way {
            self.carry_back(&adjoint[..batch * self.outputs], batch, adjoint_in);
        }
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (input, adjoint) = (&input[..batch * inputs], &adjoint[..batch * outputs]);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(outputs * inputs);
        sum_rows(adjoint, bias_gradient);
        if let Some(columns) = &kept.columns {
            let sum = &mut self.room.gradient;
            sum.resize(inputs * outputs, T::zero());
            columns.multiply(adjoint, outputs, None, sum);
            transpose(sum, outputs, weight_gradient);
        } else {
            let errors = Matrix { values: adjoint, rows: outputs, columns: batch, stride: (1, outputs) };
            let input = Matrix { values: input, rows: batch, columns: inputs, stride: (inputs, 1) };
            product(errors, input, false, weight_gradient);
        }
        if let Some(imperfections) = imperfections {
            self.response.slope_of_imperfections(gradient, imperfections);
        }
        self.response.to_controls(&self.slopes, gradient);
    }

    fn set_imperfections(&mut self, estimate: &[T]) {
        self.response.set_imperfections(estimate);
    }
}

impl<T: Real, R> WeightStage<T, R> {
    /// `output ← input·Wᵀ + b`; says whether `room.rows` now holds the input.
    fn weigh(&mut self, input: &[T], batch: usize, output: &mut [T]) -> bool {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (weights, bias) = self.weights.split_at(outputs * inputs);
        let input = &input[..batch * inputs];
        if outputs >= NARROWEST && self.room.rows.fill(input, inputs, SPARSE) {
            self.room.rows.multiply(&self.transposed, outputs, Some(bias), output);
            return true;
        }
        let rows = output[..batch * outputs].par_chunks_exact_mut(outputs);
        rows.with_min_len(SERIAL.div_ceil(outputs)).for_each(|row| row.copy_from_slice(bias));
        let input = Matrix { values: input, rows: batch, columns: inputs, stride: (inputs, 1) };
        let weights = Matrix { values: weights, rows: inputs, columns: outputs, stride: (1, inputs) };
        product(input, weights, true, output);
        false
    }

    /// `adjoint_in ← adjoint·W`.
    fn carry_back(&mut self, adjoint: &[T], batch: usize, adjoint_in: &mut [T]) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let weights = &self.weights[..outputs * inputs];
        let errors = Matrix { values: adjoint, rows: batch, columns: outputs, stride: (outputs, 1) };
        let weights = Matrix { values: weights, rows: outputs, columns: inputs, stride: (inputs, 1) };
        product(errors, weights, false, adjoint_in);
    }
}

/// Bytes of such weights beside a copy of their controls: the transposed matrix, slopes, and on the way back the sum of sparse products.
pub fn bytes(inputs: usize, outputs: usize, held: &Held) -> usize {
    let sparse = if held.back && outputs >= NARROWEST { inputs * outputs } else { 0 };
    held.real * (outputs * (inputs + 1) + outputs * inputs + sparse)
}

/// `sums [columns] ← Σ` of the rows of `source [rows, columns]`.
fn sum_rows<T: Real>(source: &[T], sums: &mut [T]) {
    /// Columns that one thread takes: whole cache lines of every row.
    const TILE: usize = 64;
    let columns = sums.len();
    let tiles =
        sums.par_chunks_mut(TILE).enumerate().with_min_len((SERIAL * columns).div_ceil(source.len() * TILE).max(1));
    tiles.for_each(|(tile, sums)| {
        sums.fill(T::zero());
        for row in source.chunks_exact(columns) {
            sums.iter_mut().zip(&row[tile * TILE..]).for_each(|(sum, &value)| *sum += value);
        }
    });
}

/// `target [columns, rows] ← sourceᵀ` of `source [rows, columns]`.
fn transpose<T: Real>(source: &[T], columns: usize, target: &mut [T]) {
    /// Edge of the squares that are turned: one cache line of `f32`.
    const EDGE: usize = 16;
    let rows = source.len() / columns;
    target.par_chunks_mut(EDGE * rows).enumerate().with_min_len(4).for_each(|(band, target)| {
        let first = band * EDGE;
        let whole = if target.len() == EDGE * rows { rows - rows % EDGE } else { 0 };
        let mut square = [[T::zero(); EDGE]; EDGE];
        for start in (0..whole).step_by(EDGE) {
            // By way of a square of known size, so that no index needs a check.
            for (line, row) in square.iter_mut().zip(start..) {
                line.copy_from_slice(&source[row * columns + first..][..EDGE]);
            }
            for (offset, target) in target.chunks_exact_mut(rows).enumerate() {
                let slots: &mut [T; EDGE] =
                    (&mut target[start..start + EDGE]).try_into().expect("the edge of a square");
                *slots = std::array::from_fn(|row| square[row][offset % EDGE]);
            }
        }
        for (offset, target) in target.chunks_exact_mut(rows).enumerate() {
            for (row, slot) in (whole..rows).zip(&mut target[whole..]) {
                *slot = source[row * columns + first + offset];
            }
        }
    });
}
