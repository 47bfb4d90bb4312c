//! What lighting single meshes keeps in memory, known before anything is built.

use super::MeshPlace;
use super::way::{Step, Way};
use crate::Result;
use crate::network::{Network, Stage};

/// Reals per sample that the way through a network keeps with meshes inside other stages: signals and adjoints, what stages between keep, and
/// where values of patches come from; and those of the widest signal. 0 where all meshes stand by themselves. For networks that
/// [`super::check`] lets pass.
pub fn reals_inside(network: &Network) -> Result<[f64; 2]> {
    if !network.stages().any(Stage::hides_a_mesh) {
        return Ok([0.0; 2]);
    }
    let Way { steps, widths, parts } = Way::of(network)?;
    let traced = parts.iter().map(|part| {
        // meshes are the chip's: nothing is kept of them there
        let electronics = part.network.stages().filter(|stage| !matches!(stage, Stage::Mesh(_)));
        part.patches as f64 * electronics.map(|stage| stage.output().width() as f64).sum::<f64>()
    });
    let ordered = steps.iter().map(|step| match step {
        Step::Cut(patches) => {
            let places: usize = patches.kernel.iter().map(|length| length.div_ceil(patches.stride)).product();
            let values = patches.positions() as f64 * patches.entries() as f64;
            values + (2.0 * places as f64 + 1.0) * patches.image.features() as f64
        }
        Step::Join([patches, outputs]) => 2.0 * *patches as f64 * *outputs as f64,
        // signs and places of what is turned
        Step::Mesh(mesh) => 2.0 * mesh.patches as f64 * mesh.width as f64,
        Step::Electronics { .. } | Step::Split { .. } | Step::Add { .. } => 0.0,
    });
    let all = 2.0 * widths.iter().map(|&width| width as f64).sum::<f64>() + traced.sum::<f64>() + ordered.sum::<f64>();
    Ok([all, widths.into_iter().max().unwrap_or(0) as f64])
}

/// The meshes of a network as often as light crosses them. For networks that [`super::check`] lets pass.
pub fn crossings(network: &Network) -> Result<Vec<MeshPlace>> {
    Ok(Way::of(network)?.steps.iter().filter_map(Step::mesh).cloned().collect())
}
