//! Weight matrices on the CPU: the distorted matrix and the weight bank differ only in how a weight follows its control.

use super::stage::CpuStage;
use crate::Real;
use crate::chip::StageErrors;
use rayon::prelude::*;

/// `y = W x + b` with every weight and bias a function of its own control.
pub struct DenseStage<T> {
    inputs: usize,
    outputs: usize,
    response: Response,
    /// Effective `[W row-major [output, input], b]`.
    weights: Vec<T>,
    /// d(weight)/d(control) of every weight; empty where all are 1.
    slopes: Vec<T>,
}

/// How a weight follows its control.
enum Response {
    /// `w = c`.
    Identity,
    /// `w = (1 + d)·c`.
    Spread(Vec<f64>),
    /// `w = (1 + a)·sin((1 + s)·φ + o)`, with `(a, s, o)` per cell; ideal where empty.
    Sine(Vec<[f64; 3]>),
}

impl<T: Real> DenseStage<T> {
    /// The matrix of the published demonstration.
    pub fn matrix(inputs: usize, outputs: usize, errors: &StageErrors) -> Self {
        let response = match errors {
            StageErrors::Matrix { spread } => Response::Spread(spread.clone()),
            _ => Response::Identity,
        };
        Self::new(inputs, outputs, response)
    }

    /// A bank of balanced MZI cells.
    pub fn weight_bank(inputs: usize, outputs: usize, errors: &StageErrors) -> Self {
        let cells = match errors {
            StageErrors::WeightBank { amplitude, slope, offset } => {
                amplitude.iter().zip(slope).zip(offset).map(|((&a, &s), &o)| [a, s, o]).collect()
            }
            _ => Vec::new(),
        };
        Self::new(inputs, outputs, Response::Sine(cells))
    }

    fn new(inputs: usize, outputs: usize, response: Response) -> Self {
        let controls = outputs * (inputs + 1);
        let slopes = match response {
            Response::Identity => Vec::new(),
            _ => vec![T::zero(); controls],
        };
        DenseStage { inputs, outputs, response, weights: vec![T::zero(); controls], slopes }
    }
}

impl<T: Real> CpuStage<T> for DenseStage<T> {
    fn program(&mut self, controls: &[T]) {
        match &self.response {
            Response::Identity => self.weights.copy_from_slice(controls),
            Response::Spread(spread) => {
                for (index, (weight, slope)) in self.weights.iter_mut().zip(&mut self.slopes).enumerate() {
                    *slope = T::of(1.0 + spread[index]);
                    *weight = *slope * controls[index];
                }
            }
            Response::Sine(cells) => {
                self.weights.par_iter_mut().zip(&mut self.slopes).enumerate().with_min_len(1024).for_each(
                    |(index, (weight, slope))| {
                        let [amplitude, stretch, offset] = cells.get(index).copied().unwrap_or_default();
                        let (sin, cos) = ((1.0 + stretch) * controls[index].wide() + offset).sin_cos();
                        *weight = T::of((1.0 + amplitude) * sin);
                        *slope = T::of((1.0 + amplitude) * (1.0 + stretch) * cos);
                    },
                );
            }
        }
    }

    fn forward(&mut self, input: &[T], batch: usize, output: &mut [T]) {
        let (weights, bias) = self.weights.split_at(self.outputs * self.inputs);
        for row in output[..batch * self.outputs].chunks_exact_mut(self.outputs) {
            row.copy_from_slice(bias);
        }
        let input = Matrix { values: input, rows: batch, columns: self.inputs, stride: (self.inputs, 1) };
        let weights = Matrix { values: weights, rows: self.inputs, columns: self.outputs, stride: (1, self.inputs) };
        product(input, weights, true, output);
    }

    fn backward(
        &mut self,
        input: &[T],
        _output: &[T],
        adjoint: &[T],
        batch: usize,
        adjoint_in: &mut [T],
        gradient: &mut [T],
    ) {
        let (inputs, outputs) = (self.inputs, self.outputs);
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(outputs * inputs);
        let errors = Matrix { values: adjoint, rows: batch, columns: outputs, stride: (outputs, 1) };
        let weights = Matrix { values: &self.weights, rows: outputs, columns: inputs, stride: (inputs, 1) };
        product(errors, weights, false, adjoint_in);
        let errors = Matrix { values: adjoint, rows: outputs, columns: batch, stride: (1, outputs) };
        let input = Matrix { values: input, rows: batch, columns: inputs, stride: (inputs, 1) };
        product(errors, input, false, weight_gradient);
        bias_gradient.fill(T::zero());
        for row in adjoint[..batch * outputs].chunks_exact(outputs) {
            for (slot, &error) in bias_gradient.iter_mut().zip(row) {
                *slot += error;
            }
        }
        for (slot, &slope) in gradient.iter_mut().zip(&self.slopes) {
            *slot *= slope;
        }
    }
}

/// A strided view; `stride` is (row, column).
struct Matrix<'a, T> {
    values: &'a [T],
    rows: usize,
    columns: usize,
    stride: (usize, usize),
}

/// `target [lhs.rows, rhs.columns] row-major ← lhs·rhs`, added to what is there if `add`.
fn product<T: Real>(lhs: Matrix<T>, rhs: Matrix<T>, add: bool, target: &mut [T]) {
    assert_eq!(lhs.columns, rhs.rows, "inner sizes of a product");
    assert!(target.len() >= lhs.rows * rhs.columns, "room for a product");
    for matrix in [&lhs, &rhs] {
        let last = (matrix.rows - 1) * matrix.stride.0 + (matrix.columns - 1) * matrix.stride.1;
        assert!(last < matrix.values.len(), "entries of a factor");
    }
    // SAFETY: the assertions above keep every strided access inside its slice; `target` overlaps nothing, being `&mut`.
    unsafe {
        gemm::gemm(
            lhs.rows,
            rhs.columns,
            lhs.columns,
            target.as_mut_ptr(),
            1,
            rhs.columns as isize,
            add,
            lhs.values.as_ptr(),
            lhs.stride.1 as isize,
            lhs.stride.0 as isize,
            rhs.values.as_ptr(),
            rhs.stride.1 as isize,
            rhs.stride.0 as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            gemm::Parallelism::Rayon(0),
        );
    }
}
