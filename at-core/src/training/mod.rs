//! Losses, optimizers, methods, and the one loop that runs them.

pub mod loss;
pub mod optimizer;

pub use loss::{Loss, Normalization, Reduction};
pub use optimizer::{Optimizer, OptimizerState};
