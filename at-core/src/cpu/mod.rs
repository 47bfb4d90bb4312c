//! The CPU engine: vectors in memory, tiles of samples over threads, `f32` or `f64`.

mod attenuators;
mod dense;
mod engine;
mod mesh;
mod mesh_kernel;
mod network;
mod pointwise;
mod product;
mod sparse;
mod stage;

pub use engine::Cpu;
pub use network::{CpuNetwork, CpuTrace};
