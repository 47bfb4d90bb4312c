//! Kernels for products of full matrices, one per real scalar.

use gemm_common::Parallelism;

/// `gemm`'s kernel for a scalar: sizes m, n and k, then `target`, `lhs` and `rhs`, each with its distances from column to column and from row
/// to row, factors, what is conjugated, and threads.
type Kernel<T> = unsafe fn(
    usize,
    usize,
    usize,
    *mut T,
    isize,
    isize,
    bool,
    *const T,
    isize,
    isize,
    *const T,
    isize,
    isize,
    T,
    T,
    bool,
    bool,
    bool,
    Parallelism,
);

/// A scalar of which full matrices are multiplied. The crate `gemm` would bring kernels for complex scalars, which nothing here uses.
pub trait Gemm: Sized {
    /// The kernel for this processor.
    fn kernel() -> Kernel<Self>;
}

impl Gemm for f32 {
    fn kernel() -> Kernel<f32> {
        gemm_f32::gemm::f32::get_gemm_fn()
    }
}

impl Gemm for f64 {
    fn kernel() -> Kernel<f64> {
        gemm_f64::gemm::f64::get_gemm_fn()
    }
}
