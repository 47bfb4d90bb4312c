//! Products of full matrices.

use crate::Real;
use gemm_common::Parallelism;

/// A strided view; `stride` is (row, column).
pub struct Matrix<'a, T> {
    /// The entries.
    pub values: &'a [T],
    /// Number of rows.
    pub rows: usize,
    /// Number of columns.
    pub columns: usize,
    /// Distance of two neighbours in a column and in a row.
    pub stride: (usize, usize),
}

/// `target [lhs.rows, rhs.columns] row-major ← lhs·rhs`, added to what is there if `add`.
pub fn product<T: Real>(lhs: Matrix<T>, rhs: Matrix<T>, add: bool, target: &mut [T]) {
    assert_eq!(lhs.columns, rhs.rows, "inner sizes of a product");
    assert!(target.len() >= lhs.rows * rhs.columns, "room for a product");
    for matrix in [&lhs, &rhs] {
        let last = (matrix.rows - 1) * matrix.stride.0 + (matrix.columns - 1) * matrix.stride.1;
        assert!(last < matrix.values.len(), "entries of a factor");
    }
    // a kernel writes columns best, and those of the transposed product are these rows
    // SAFETY: the assertions above keep every strided access inside its slice; `target` overlaps nothing, being `&mut`.
    unsafe {
        T::kernel()(
            rhs.columns,
            lhs.rows,
            lhs.columns,
            target.as_mut_ptr(),
            rhs.columns as isize,
            1,
            add,
            rhs.values.as_ptr(),
            rhs.stride.0 as isize,
            rhs.stride.1 as isize,
            lhs.values.as_ptr(),
            lhs.stride.0 as isize,
            lhs.stride.1 as isize,
            T::one(),
            T::one(),
            false,
            false,
            false,
            Parallelism::Rayon(0),
        );
    }
}
