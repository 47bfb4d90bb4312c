//! The GPUs of this machine, or that the program was built without them (cargo feature `gpu`).

#[cfg(not(feature = "gpu"))]
mod absent;
#[cfg(feature = "gpu")]
mod measured;
#[cfg(feature = "gpu")]
mod present;

#[cfg(not(feature = "gpu"))]
pub use absent::*;
#[cfg(feature = "gpu")]
pub use present::*;
