//! The two real scalars that an engine computes with.

use crate::gemm::Gemm;
use crate::lanes::Lanes;
use num_traits::{Float, FloatConst, NumAssign};
use std::fmt::{Debug, Display};
use std::iter::Sum;

/// Values below which a loop of few operations each is not worth a second thread: some microseconds of work.
pub(crate) const SERIAL: usize = 16_384;

/// A real scalar: `f32` or `f64`. `f64` is the meaning, `f32` the speed.
pub trait Real:
    Float + FloatConst + NumAssign + Sum + Default + Debug + Display + bytemuck::Pod + Lanes + Gemm + Send + Sync + 'static
{
    /// `"f32"` or `"f64"`.
    const NAME: &'static str;
    /// Rounds to this scalar.
    fn of(value: f64) -> Self;
    /// Widens to `f64`.
    fn wide(self) -> f64;
}

impl Real for f32 {
    const NAME: &'static str = "f32";
    fn of(value: f64) -> Self {
        value as f32
    }
    fn wide(self) -> f64 {
        f64::from(self)
    }
}

impl Real for f64 {
    const NAME: &'static str = "f64";
    fn of(value: f64) -> Self {
        value
    }
    fn wide(self) -> f64 {
        self
    }
}
