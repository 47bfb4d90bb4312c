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
use crate::optics::Mesh;
use crate::{Error, Result};

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
