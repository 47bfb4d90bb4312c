//! What the last bits of results depend on beside the program: the vector instructions that kernels and matrix products are
//! dispatched to, and the system's mathematical functions.

use md5::{Digest, Md5};
use std::hint::black_box;

/// `x86_64-avx512`, `x86_64-avx2`, `x86_64-scalar`, `aarch64-…`: the instruction set that kernels run on here.
pub fn instruction_set() -> String {
    let dispatched = format!("{:?}", pulp::Arch::new());
    let name = match dispatched.split('(').next() {
        Some("V4") => "avx512",
        Some("V3") => "avx2",
        Some(other) => other,
        None => "unknown",
    };
    format!("{}-{}", std::env::consts::ARCH, name.to_lowercase())
}

/// A checksum of what the system's mathematical functions return for some thousand arguments.
pub fn mathematical_functions() -> String {
    let mut digest = Md5::new();
    for k in 1..1000_u32 {
        let x = black_box(f64::from(k) * 0.013);
        let (small, positive) = (black_box((x - 6.5) / 6.5), black_box(x));
        let double = [
            positive.sin(),
            positive.cos(),
            positive.exp(),
            positive.ln(),
            positive.log10(),
            small.asin(),
            small.acos(),
            small.tanh(),
            small.atan2(positive),
            small.hypot(positive),
            positive.powf(small),
            positive.cbrt(),
        ];
        double.iter().for_each(|value| digest.update(value.to_le_bytes()));
        let (small, positive) = (black_box(small as f32), black_box(positive as f32));
        let single = [
            positive.sin(),
            positive.cos(),
            positive.exp(),
            positive.ln(),
            small.asin(),
            small.tanh(),
            small.atan2(positive),
            small.hypot(positive),
            positive.powf(small),
        ];
        single.iter().for_each(|value| digest.update(value.to_le_bytes()));
    }
    digest.finalize()[..4].iter().map(|byte| format!("{byte:02x}")).collect()
}
