//! Photonic neural networks, the imperfect chips that run them, and the methods that train them.
//!
//! # Conventions
//! - Column vectors; a batch of signals is stored `[batch, mode]`, row-major, batch outermost.
//! - Complex fields are interleaved pairs (re, im). Angles are radians, losses dB where named `_db`.
//! - MZI: `M = B(δ2)·diag(e^{iθ},1)·B(δ1)·diag(e^{iφ},1)` with `B(δ) = [[c, is],[is, c]]`, `c = cos(π/4+δ)`: light meets
//!   the external phase φ on the upper arm first; output phases γ stand at the mesh's end.
//! - The gradient with respect to a field z is `a = ∂L/∂z* = ½(∂L/∂x + i∂L/∂y)`, so `dL = 2 Re(aᴴ dz)`.

pub mod checksum;
pub mod chip;
pub mod cost;
pub mod cpu;
pub mod data;
pub mod deployment;
pub mod engine;
pub mod error;
pub mod fabrication;
pub mod files;
mod gemm;
pub mod image_shape;
pub mod imperfections;
mod interleave;
mod lanes;
pub mod link;
pub mod looped;
pub mod network;
mod numpy_random;
pub mod optics;
pub mod population;
pub mod prelude;
pub mod propagator;
pub mod ranks;
pub mod real;
pub mod reference;
pub mod stage;
pub mod statistics;
pub mod tiled;
pub mod training;
pub mod turns;

pub use error::{Error, Result};
pub use real::Real;
pub use stage::flops;

/// The crate's page of introduction, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
mod readme {}
