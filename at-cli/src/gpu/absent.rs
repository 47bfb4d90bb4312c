//! The same questions where the program was built without GPUs: there is none, and asking for one is an error that says why.

use crate::plan::Plan;
use anyhow::{Result, bail};
use at_core::cpu::Cpu;
use at_core::network::Network;
use serde_json::Value;

/// Stands in the place of a GPU; as [`open`] always errs, no value of it is ever made for one.
pub type Gpu = Cpu<f32>;

/// Errs.
pub fn open(_adapter: Option<&str>, _rank: Option<usize>) -> Result<Gpu> {
    bail!(
        "this asyt was built without GPUs; use --engine cpu, or build it with its feature gpu, which is on by default"
    )
}

/// Errs.
pub fn measure(_adapter: Option<&str>, _tell: &mut dyn FnMut(&str)) -> Result<(String, Value)> {
    open(None, None).map(|_| Default::default())
}

/// False.
pub fn has_hardware() -> bool {
    false
}

/// What `asyt devices` says.
pub fn lines() -> Result<Vec<String>> {
    Ok(vec!["gpu    none: this asyt was built without GPUs (cargo feature gpu)".to_string()])
}

/// None.
pub fn json() -> Result<Vec<Value>> {
    Ok(Vec::new())
}

/// Nothing to check.
pub fn check_memory(_gpu: &Gpu, _plan: &Plan, _network: &Network, _samples: usize) -> Result<()> {
    Ok(())
}

/// Nothing known.
pub fn needs(_gpu: &Gpu, _plan: &Plan, _network: &Network, _samples: usize) -> String {
    "its memory is not known".to_string()
}

/// Not known.
pub fn taken_memory(_gpu: &Gpu) -> Option<u64> {
    None
}

/// Errs.
pub fn matrix_rate(_gpu: &Gpu) -> Result<f64> {
    open(None, None).map(|_| 0.0)
}

/// Errs.
pub fn copy_rate(_gpu: &Gpu) -> Result<f64> {
    open(None, None).map(|_| 0.0)
}
