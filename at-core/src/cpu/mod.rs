//! The CPU engine: vectors in memory, tiles of samples over threads, `f32` or `f64`.

mod adjoint;
mod attenuators;
mod awake;
mod bidirectional;
mod control;
mod dense;
mod drift;
mod engine;
mod ideal_mesh;
mod ideal_tiles;
mod instruction_set;
pub(crate) mod lanes;
mod mesh;
mod mesh_kernel;
mod mesh_monitor;
mod mesh_send;
mod network;
mod noise;
mod own;
mod perturbation;
mod pointwise;
mod product;
mod rotation_kernel;
mod sines;
mod sparse;
mod stage;
mod tiles;
mod tiling;
mod transfer;

pub use adjoint::CpuTrace;
pub use engine::Cpu;
pub use network::CpuNetwork;
