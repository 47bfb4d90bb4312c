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
mod convolution;
mod costs;
mod detection;
mod division;
mod engine;
mod free_space;
mod layout;
mod learned;
mod mask;
mod matrix;
pub mod measure;
pub mod memory;
mod mesh;
mod modulation;
mod network;
mod noise;
mod normalization;
mod perturbation;
mod phase_change;
mod pooling;
mod preferences;
mod product;
mod rectifier;
mod regions;
mod residual;
mod ring_bank;
mod scratch;
mod series;
mod simulator;
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
pub use context::{LOOP_CAP, LimitChoice};
pub use costs::MeshCosts;
pub use engine::Gpu;
pub use mesh::measure_mesh_costs;
pub use network::GpuNetwork;
pub use preferences::{MeshVariant, Preferences};
pub use vectors::{Indices, Vector};
