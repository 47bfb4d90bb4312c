//! One device for all tests of a process.

use crate::{Gpu, Selection};
use std::sync::OnceLock;

/// The shared device, hardware or software. Without an adapter prints why and returns `None`, so that the test ends early;
/// with `AT_REQUIRE_GPU=1` in the environment that is a failure.
pub fn require_gpu() -> Option<Gpu> {
    static SHARED: OnceLock<Result<Gpu, String>> = OnceLock::new();
    match SHARED.get_or_init(|| Gpu::new(&Selection::Any).map_err(|error| error.to_string())) {
        Ok(gpu) => Some(gpu.clone()),
        Err(reason) => {
            let required = std::env::var_os("AT_REQUIRE_GPU").is_some_and(|value| value == "1");
            assert!(!required, "AT_REQUIRE_GPU is set: {reason}");
            eprintln!("skipped: no GPU adapter ({reason})");
            None
        }
    }
}
