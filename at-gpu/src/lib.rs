//! at-core's engine as WGSL compute kernels on any GPU: Vulkan, Metal or Direct3D 12, found when the program runs.
//!
//! Everything is `f32`; buffers stay on the device and only [`Engine::download`](at_core::engine::Engine::download) waits for it.
//! A missing or lost device is an error, never a panic and never a silent fall back.

mod activation;
mod adapter;
mod adjoint;
mod arithmetic;
mod attenuators;
mod bidirectional;
mod combiner;
mod commands;
mod context;
mod control;
mod detection;
mod division;
mod engine;
mod layout;
mod matrix;
pub mod measure;
pub mod memory;
mod mesh;
mod mesh_blocks;
mod mesh_cost;
mod mesh_estimate;
mod mesh_lanes;
mod mesh_layout;
mod mesh_optics;
mod mesh_send;
mod mesh_stream;
mod mesh_stream_plan;
mod mesh_whole;
mod modulation;
mod network;
mod noise;
mod perturbation;
mod product;
mod rectifier;
mod scratch;
mod splitter;
mod stage;
mod sums;
pub mod testing;
mod tunable;
mod vectors;
mod weight_bank;
mod weights;

pub use adapter::{AdapterDescription, Selection, adapters};
pub use adjoint::GpuTrace;
pub use context::LimitChoice;
pub use engine::{Gpu, LOOP_CAP, Preferences};
pub use mesh_cost::MeshVariant;
pub use network::GpuNetwork;
pub use vectors::{Indices, Vector};
