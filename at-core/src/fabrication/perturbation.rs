//! A perturbation between layers that no digital model describes: every hidden signal leaks into every other.
//!
//! ```text
//! x ← x + s·R x/√n      R_ij ~ N(0, 1) for real signals, complex with E|R_ij|² = 1 for fields
//! ```
//!
//! for the n modes that leave a hidden layer, with s the `perturbation` and R drawn once per chip and layer. What is added
//! has s times the norm of the signal, E‖s R x/√n‖² = s²‖x‖². It is the same in every pass and belongs to no stage, so a model of
//! the stages cannot take it on, while the chip's own oracle differentiates it.
//!
//! Condition of Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 5g, a strong perturbation unknown to the model; the form is ours.

use crate::imperfections::normal_draws;
use crate::network::Signal;

/// The matrix `1 + s R/√n` of `signal` from stream `stream` of `seed`, real and row-major `[width, width]`: a complex entry
/// `a + ib` is the block `[[a, -b], [b, a]]` on the interleaved (re, im). Empty for a `strength` s of 0.
pub(super) fn matrix(signal: Signal, strength: f64, seed: u64, stream: u64) -> Vec<f64> {
    if strength == 0.0 {
        return Vec::new();
    }
    let (modes, width) = (signal.modes, signal.width());
    let parts = width / modes;
    let deviation = strength / (width as f64).sqrt(); // of each part: n modes share s², and so do the parts
    let draws = normal_draws(seed, stream, modes * width, 0.0, deviation);
    let mut matrix = vec![0.0; width * width];
    for (index, entry) in draws.chunks_exact(parts).enumerate() {
        let (row, column) = (parts * (index / modes), parts * (index % modes));
        let mut set = |down, right, value| matrix[(row + down) * width + column + right] = value;
        set(0, 0, entry[0]);
        if let [real, imaginary] = *entry {
            set(0, 1, -imaginary);
            set(1, 0, imaginary);
            set(1, 1, real);
        }
    }
    (0..width).for_each(|k| matrix[k * width + k] += 1.0);
    matrix
}
