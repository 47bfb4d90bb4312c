//! What lighting single meshes keeps in memory, known before anything is built.

use super::super::Seen;
use super::MeshPlace;
use super::way::{Part, Step, Way};
use crate::Result;
use crate::cpu::{self, Held};
use crate::network::{Network, Stage};
use crate::stage::Patches;

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

/// Bytes that lighting single meshes takes.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Room {
    /// As long as the method is there, whatever the batch.
    pub fixed: f64,
    /// As long as it is there, of a batch.
    pub of_batch: f64,
    /// While a batch is measured.
    pub passing: f64,
}

/// What lighting single meshes of `network` takes on the CPU beside the chip and all controls. `chip` and `sheet` say what the chip and what the
/// computer knows of it are like, for batches of `chip.batch`. For networks that [`super::check`] lets pass.
pub fn room(network: &Network, seen: Seen, chip: &Held, sheet: &Held) -> Result<Room> {
    let Way { steps, widths, parts } = Way::of(network)?;
    let (real, batch) = (chip.real as f64, chip.batch as f64);
    let wide = |stage: &Stage| (stage.input().width() + stage.output().width()) as f64;
    // an order of values has their places, and says of some that they are none
    let (place, there) = (4.0, real);
    let of_step = |step: &Step<Patches, [usize; 2]>| match step {
        Step::Cut(patches) => {
            let places: usize = patches.kernel.iter().map(|length| length.div_ceil(patches.stride)).product();
            let values = patches.positions() as f64 * patches.entries() as f64;
            let gaps = if patches.padding > 0 { there } else { 0.0 };
            values * (place + gaps) + (places as f64 * (place + there) + real) * patches.image.features() as f64
        }
        Step::Join([patches, outputs]) => 2.0 * place * *patches as f64 * *outputs as f64,
        // signs and places of what is turned, and what is measured
        Step::Mesh(mesh) => {
            let (reals, shifters) = ((mesh.patches * mesh.width) as f64, (mesh.patches * mesh.controls.len()) as f64);
            let measured = match seen {
                Seen::Nothing => 0.0,
                Seen::Powers => real * reals,
                Seen::Fields => 4.0 * real * shifters,
            };
            (place + there) * reals + measured
        }
        Step::Electronics { .. } | Step::Split { .. } | Step::Add { .. } => 0.0,
    };
    let ordered: f64 = steps.iter().map(of_step).sum();
    // of the mesh that is measured: light that nobody reads, or its fields as they are multiplied
    let passing = steps.iter().filter_map(Step::mesh).map(|mesh| match seen {
        Seen::Nothing => 0.0,
        Seen::Powers => real * (mesh.patches * mesh.width) as f64,
        Seen::Fields => 32.0 * (mesh.patches * mesh.controls.len()) as f64,
    });
    let passing = passing.fold(0.0, f64::max);
    let signals = 2.0 * real * widths.iter().map(|&width| width as f64).sum::<f64>();
    let (mut traced, mut fixed) = (0.0, 0.0);
    for part in &parts {
        let widest = part.network.stages().map(|stage| stage.input().width().max(stage.output().width())).max();
        let all: f64 = part.network.crossed_stages().map(wide).sum();
        traced += real * part.patches as f64 * (all + 2.0 * widest.unwrap_or(0) as f64);
        fixed += standing(part, sheet);
    }
    let mut lit = vec![None; network.all_meshes().count()];
    let crossed: Vec<&MeshPlace> = steps.iter().filter_map(Step::mesh).collect();
    for mesh in &crossed {
        lit[mesh.index] = Some(mesh.patches);
    }
    for (mesh, patches) in network.all_meshes().zip(lit) {
        let batch = chip.batch.saturating_mul(patches.unwrap_or(1));
        fixed += cpu::lit_bytes(mesh, &Held { batch, ..*chip }) as f64;
    }
    let shifters = crossed.iter().map(|mesh| mesh.controls.len() as f64);
    let most = shifters.clone().fold(0.0, f64::max);
    // powers of data light, and its slopes in double precision, with those powers that they come from
    let slopes = match seen {
        Seen::Nothing | Seen::Fields => 8.0 * most,
        Seen::Powers => {
            fixed += (real + 8.0) * shifters.sum::<f64>();
            24.0 * most
        }
    };
    Ok(Room { fixed, of_batch: batch * (signals + traced + ordered), passing: batch * passing + slopes })
}

/// What the stages of a part keep, whose meshes are the chip's: no light crosses those here.
fn standing(part: &Part, sheet: &Held) -> f64 {
    let of_stage = |stage: &Stage| match stage {
        Stage::Mesh(_) => cpu::bytes(stage, &Held { back: false, batch: 0, still: 0, ..*sheet }),
        electronics => {
            let batch = sheet.batch.saturating_mul(part.patches);
            cpu::bytes(electronics, &Held { back: true, batch, still: batch, ..*sheet })
        }
    };
    part.network.stages().map(|stage| of_stage(stage) as f64).sum()
}

/// The meshes of a network as often as light crosses them. For networks that [`super::check`] lets pass.
pub fn crossings(network: &Network) -> Result<Vec<MeshPlace>> {
    Ok(Way::of(network)?.steps.iter().filter_map(Step::mesh).cloned().collect())
}
