//! at-core's engine as WGSL compute stages on any GPU: Vulkan, Metal or Direct3D 12, found when the program runs.
//!
//! Everything is `f32`; buffers stay on the device and only [`Engine::download`](at_core::propagator::Engine::download) waits for it.
//! A missing or lost device is an error, never a panic and never a silent fall back.

mod adapter;
mod commands;
mod context;
mod engine;
mod layout;
mod shaders;
pub mod testing;

pub use adapter::{AdapterDescription, Selection, adapters};
pub use context::LimitChoice;
pub use engine::{Gpu, LOOP_CAP};
