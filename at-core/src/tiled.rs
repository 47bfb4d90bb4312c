//! Layers larger than one physical module, by using many modules at once: spatial tiles.
//!
//! A `p·k × q·k` layer is cut into p × q tiles, each a mesh of k modes on a die of its own, with errors of its own. With the light of
//! block j divided evenly among p tiles, and that of the q tiles of a row brought to one set of modes,
//!
//! ```text
//! y_i = 1/√(pq)·Σ_j U_ij x_j        a_xj = 1/√(pq)·Σ_i U_ijᴴ a_yi
//! ```
//!
//! Both factors are those of passive, balanced splitters and combiners: by Cauchy and Schwarz
//! `Σ_i |y_i|² ≤ 1/p·Σ_ij |U_ij x_j|² ≤ |x|²`, and with random tiles about 1/q of the light arrives.
//!
//! Source of the two ways to scale: Wang et al., Nat. Commun. 16, 2143 (2025), Fig. 4; the other way is [`crate::fabrication::copies`].

use crate::network::Stage;
use crate::optics::{Layout, Mesh, singular_value_controls};
use crate::{Error, Result};
use ndarray::{Array2, s};
use num_complex::Complex64;

/// Splitters, the meshes of all tiles, combiners: a layer of `outputs × inputs`, of which every tile is a die with the mesh `tile`.
///
/// Tile (i, j) is die `i·q + j`. Splitters or combiners that would do nothing are left out: one tile is its mesh. Errs unless tiles
/// divide inputs and outputs.
pub fn tiled_stages(inputs: usize, outputs: usize, tile: &Mesh) -> Result<Vec<Stage>> {
    let modes = tile.modes();
    divides(modes, "inputs", inputs)?;
    divides(modes, "outputs", outputs)?;
    let (copies, parts) = (outputs / modes, inputs / modes);
    let mut stages = Vec::new();
    if copies > 1 {
        stages.push(Stage::splitter(inputs, copies));
    }
    stages.push(Stage::Mesh(tile.on_dies(copies.saturating_mul(parts))?));
    if parts > 1 {
        stages.push(Stage::combiner(outputs, parts, modes));
    }
    Ok(stages)
}

/// The same with a singular-value stage in every tile: splitters, the meshes for Vᴴ of all tiles, attenuators σ, the meshes for U, combiners.
///
/// `W_ij = g U_ij diag(σ_ij) V_ijᴴ` of `tile` modes each, with one gain g for all. Errs as [`tiled_stages`] does.
pub fn tiled_singular_value_stages(inputs: usize, outputs: usize, tile: &Mesh) -> Result<Vec<Stage>> {
    let mut stages = tiled_stages(inputs, outputs, tile)?;
    let place = stages.iter().position(|stage| matches!(stage, Stage::Mesh(_))).expect("tiles are meshes");
    let right = stages[place].clone();
    let modes = right.input().modes;
    stages.splice(place..place, [right, Stage::attenuators(modes, modes)]);
    Ok(stages)
}

/// Controls of [`tiled_singular_value_stages`] that make `matrix` [output, input], of tiles of `tile` modes with meshes of `layout`:
/// `[θ, φ, γ for Vᴴ of all dies; θ_k of all dies, g; θ, φ, γ for U of all dies]`.
///
/// `g sin(θ_k/2) = √(pq) σ_k` of every tile, where the largest σ of all has θ = π. Errs as
/// [`singular_value_controls`] and [`tiled_singular_value_stages`] do.
pub fn tiled_singular_value_controls(matrix: &Array2<Complex64>, tile: usize, layout: Layout) -> Result<Vec<f64>> {
    let (outputs, inputs) = matrix.dim();
    let own = Mesh::universal(tile, layout)?;
    divides(tile, "inputs", inputs)?;
    divides(tile, "outputs", outputs)?;
    let (rows, columns) = (outputs / tile, inputs / tile);
    let dies = own.on_dies(rows.saturating_mul(columns))?;
    let block =
        |(i, j): (usize, usize)| matrix.slice(s![i * tile..(i + 1) * tile, j * tile..(j + 1) * tile]).to_owned();
    let places = (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j)));
    let tiles: Vec<Vec<f64>> =
        places.map(|place| singular_value_controls(&block(place), layout)).collect::<Result<_>>()?;
    // of every tile: Vᴴ, angles, gain, U
    let (mesh, gain_at) = (own.controls(), own.controls() + tile);
    let gain = tiles.iter().map(|controls| controls[gain_at]).fold(0.0, f64::max);
    let of_dies =
        |first: usize| dies.die_controls().into_iter().map(|(die, control)| tiles[die][first + control]).collect();
    let right: Vec<f64> = of_dies(0);
    let left: Vec<f64> = of_dies(gain_at + 1);
    let angles = tiles.iter().flat_map(|controls| {
        let share = if gain > 0.0 { controls[gain_at] / gain } else { 0.0 };
        controls[mesh..gain_at].iter().map(move |angle| 2.0 * (share * (0.5 * angle).sin()).asin())
    });
    let middle: Vec<f64> = angles.chain([gain * ((rows * columns) as f64).sqrt()]).collect();
    Ok([right, middle, left].concat())
}

fn divides(modes: usize, name: &'static str, size: usize) -> Result<()> {
    if size > 0 && size.is_multiple_of(modes) {
        return Ok(());
    }
    let (below, above) = (size / modes * modes, (size / modes).saturating_add(1).saturating_mul(modes));
    let instead = if below == 0 { format!("{above}") } else { format!("{below} or {above}") };
    Err(Error::invalid(name, size, format!("tiles of {modes} modes do not divide {size} {name}; use {instead}")))
}

#[cfg(test)]
#[path = "tiled_tests.rs"]
mod tests;
