//! Phases that make a mesh a Haar-random unitary.

use super::{Layout, Mesh};
use rand::{Rng, RngExt};
use std::f64::consts::TAU;

/// Controls `[θ, φ, γ]` of a Haar-random unitary, one on every die: φ and γ uniform on [0, 2π), bar power sin²(θ/2) ~ Beta(1, α).
///
/// α depends on the MZI's place ([`haar_exponent`]); drawn as s = 1 - u^{1/α}, θ = 2 asin √s. Uniform θ would bias the
/// mesh to banded matrices (Pai et al., Phys. Rev. Applied 11, 064044 (2019)). A rectangular mesh of other depth than N
/// repeats the rule every N columns and is then only near Haar. In meshes of other layouts α is 1: each MZI by itself is a Haar-random one.
pub fn haar_phases(mesh: &Mesh, random: &mut impl Rng) -> Vec<f64> {
    let mut controls = Vec::with_capacity(mesh.controls());
    controls.extend(mesh.positions().map(|(column, [row, _])| {
        let alpha = haar_exponent(mesh, column, row) as f64;
        let u: f64 = random.random();
        2.0 * (1.0 - u.powf(1.0 / alpha)).sqrt().asin()
    }));
    controls.extend((0..mesh.mzis() + mesh.modes()).map(|_| TAU * random.random::<f64>()));
    controls
}

/// The exponent α of the MZI at (`column`, upper `row`): its bar power follows Beta(1, α) in a Haar-random mesh.
pub fn haar_exponent(mesh: &Mesh, column: usize, row: usize) -> usize {
    let row = row % mesh.die_modes();
    match mesh.layout() {
        Layout::Triangular => row + 1,
        Layout::Diamond | Layout::Butterfly | Layout::Benes | Layout::Custom => 1,
        Layout::Rectangular => {
            let modes = mesh.die_modes();
            let column = column % modes;
            let before = row.min(column);
            let after = (modes - 2 - row).min(modes - 1 - column);
            let diagonal = before + after + 1;
            let place = if modes % 2 == 1 { diagonal - 1 - before } else { before };
            let start = if diagonal % 2 == 1 { 1 } else { 2 };
            let value = start + 2 * place;
            if value <= diagonal { value } else { 2 * diagonal + 1 - value }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_exponent_k_occurs_n_minus_k_times() {
        for modes in 2..12 {
            for layout in [Layout::Rectangular, Layout::Triangular] {
                let mesh = Mesh::universal(modes, layout).unwrap();
                let mut counts = vec![0; modes + 1];
                for (column, [row, _]) in mesh.positions() {
                    counts[haar_exponent(&mesh, column, row)] += 1;
                }
                for (k, &count) in counts.iter().enumerate().take(modes).skip(1) {
                    assert_eq!(count, modes - k, "{layout:?}, N = {modes}, α = {k}");
                }
            }
        }
    }
}
