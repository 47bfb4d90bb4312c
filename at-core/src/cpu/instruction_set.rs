//! Which vector instructions the kernels use here.
//!
//! Kernels are chosen at run time. With wider or no vectors they add in another order, or take sines from elsewhere, so last
//! digits depend on it: see `sines` and the sums over samples.

use pulp::{Simd, WithSimd};

struct Name;

impl WithSimd for Name {
    type Output = &'static str;

    fn with_simd<S: Simd>(self, _: S) -> &'static str {
        std::any::type_name::<S>().rsplit("::").next().unwrap_or_default()
    }
}

/// The processor's family and the level that the kernels use of it: `x86_64 V3` (AVX2), `x86_64 V4` (AVX-512), `aarch64 Neon`;
/// `Scalar` where there are no vectors.
pub fn instruction_set() -> String {
    format!("{} {}", std::env::consts::ARCH, pulp::Arch::new().dispatch(Name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_level_has_a_name() {
        let name = instruction_set();
        let level = name.split_once(' ').unwrap().1;
        assert!(["Scalar", "V3", "V4", "Neon", "Simd128", "RelaxedSimd"].contains(&level), "{name}");
    }
}
