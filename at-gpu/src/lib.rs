//! at-core's engine as WGSL compute kernels on any GPU: Vulkan, Metal or Direct3D 12, found when the program runs.
//!
//! Everything is `f32`; buffers stay on the device and only [`Engine::download`](at_core::propagator::Engine::download) waits for it.
//! A missing or lost device is an error, never a panic and never a silent fall back.

mod adapter;
mod adjoint;
mod arithmetic;
mod attenuators;
mod bidirectional;
mod commands;
mod context;
mod control;
mod dense;
mod engine;
mod layout;
pub mod measure;
pub mod memory;
mod mesh;
mod mesh_blocks;
mod mesh_cost;
mod mesh_estimate;
mod mesh_lanes;
mod mesh_optics;
mod mesh_send;
mod mesh_stream;
mod mesh_whole;
mod network;
mod noise;
mod perturbation;
mod pointwise;
mod product;
mod scratch;
mod stage;
mod stream_plan;
mod sums;
pub mod testing;
mod tiling;
mod tunable;
mod vectors;

pub use adapter::{AdapterDescription, Selection, adapters};
pub use adjoint::GpuTrace;
pub use context::LimitChoice;
pub use engine::{Gpu, LOOP_CAP, Preferences};
pub use mesh_cost::MeshVariant;
pub use network::GpuNetwork;
pub use vectors::{Indices, Vector};
