//! Optical elements: formulas and their derivatives, side by side. Nothing here runs a batch.

pub mod activation;
pub mod haar;
pub mod mesh;
pub mod mzi;

pub use activation::Activation;
pub use mesh::{Column, Layout, Mesh};
