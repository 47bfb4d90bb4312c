//! Refusing what cannot fit, before anything is built.

use anyhow::{Result, ensure};

/// Bytes per control besides the optimizer's: drawn errors and settings in f64, controls, gradients and coefficients of
/// the chip and its model. Measured on the CPU engine as an order of magnitude, not as a limit.
pub const BYTES_PER_CONTROL: f64 = 80.0;

/// Errs where a network of so many controls would need more memory than there is.
pub fn check(controls: f64, moments: usize) -> Result<()> {
    let bytes = controls * (BYTES_PER_CONTROL + 8.0 * moments as f64);
    let available = available();
    ensure!(
        bytes <= available,
        "needs about {} of memory, and {} are free; choose a smaller --network",
        size(bytes),
        size(available)
    );
    Ok(())
}

/// Memory that programs may take; where the system does not say, 64 GB.
pub fn available() -> f64 {
    std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| free_kilobytes(&text)).map_or(64e9, |kb| kb * 1024.0)
}

fn free_kilobytes(meminfo: &str) -> Option<f64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    line.split_whitespace().next()?.parse().ok()
}

/// Bytes with a decimal unit.
pub fn size(bytes: f64) -> String {
    let exponent = ((bytes.max(1.0).log10() / 3.0) as usize).min(6);
    format!("{:.1} {}", bytes / 1000_f64.powi(exponent as i32), ["B", "kB", "MB", "GB", "TB", "PB", "EB"][exponent])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absurd_networks_are_refused_with_their_size() {
        check(1e5, 2).unwrap();
        let error = check(1e15, 0).unwrap_err().to_string();
        assert!(error.contains("80.0 PB") && error.contains("--network"), "{error}");
        assert_eq!(free_kilobytes("MemTotal: 9 kB\nMemAvailable:   17 kB\n"), Some(17.0));
    }
}
