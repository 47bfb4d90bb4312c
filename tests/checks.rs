//! What is checked across crates, a module a subject, in one program: each program more is linked with all of the workspace and compiles its
//! generic code anew. Of their own are those that are called by name, and those that count what their whole process does.
//!
//! `cargo test --workspace --test checks noise::`

mod bidirectional;
mod chip_files;
mod control;
mod convention;
mod diffraction;
mod drift;
mod drivers;
mod fabrication;
mod gpu_estimate;
#[cfg(unix)] // a script of bash
mod gpu_script;
mod gpu_training;
mod gpu_variants;
mod invariants;
mod many_chips;
mod neurophox;
mod noise;
mod own_stage;
mod perturbation;
mod real_targets;
mod replay;
mod shapes;
