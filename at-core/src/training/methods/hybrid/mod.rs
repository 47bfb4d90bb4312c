//! A network whose meshes are the chip's and all else the computer's: what in-situ methods share.
//!
//! Light crosses one mesh at a time; detection, nonlinearity and their derivatives between meshes are digital, from the nominal
//! stages, as in the published experiments. How a mesh's own gradient is measured is the method's.
//!
//! Meshes inside convolutions and residual connections are lit as all others are: the computer cuts images into patches and joins what
//! leaves them, splits and adds (`way.rs`). A patch is a pass.

mod measured;
mod parts;
mod patches;
mod size;
mod turns;
mod way;

pub use measured::Measured;
pub use parts::Hybrid;
pub use size::{Room, crossings, reals_inside, room};
pub use turns::Turns;
pub use way::MeshPlace;

use crate::network::{Entry, Network, Stage, refuse_loops};
use crate::propagator::{Bidirectional, Buffer};
use crate::{Error, Result};

/// How a mesh is lit.
pub trait Lighting<C: Bidirectional> {
    /// Whether shifters have slopes: else meshes stay as they are, and no light goes back through one that has nothing in front of it to train.
    const SLOPES: bool;

    /// Sends `fields [size, modes]` forward through `mesh` and reads them into `output`. Of a mesh that patches cross, `size` counts patches.
    fn ahead(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        size: usize,
        output: &mut Buffer<C>,
    ) -> Result<()>;

    /// From `adjoint = ∂L/∂y*` at the end of `mesh`, in front of which stood `fields`, to that at its inputs in `input`, and to
    /// `dL/d(control)` of each of its shifters. May change `adjoint`.
    fn back(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        adjoint: &mut Buffer<C>,
        size: usize,
        input: &mut Buffer<C>,
    ) -> Result<Vec<f64>>;
}

/// Errs where a network has no mesh, or weights that are no mesh, or meshes that cannot be lit by themselves; `method` is who would light them.
pub fn check(network: &Network, method: &str) -> Result<()> {
    if network.recurrence().is_some_and(|own| own.entry != Entry::Once) {
        let reason = "it lights single meshes, and parts of a sample that enter at a step beside light are not among what it sends";
        refuse_loops(network, method, reason)?;
    }
    if let Some(stage) = network.stages().find(|stage| stage.hides_a_mesh() && network.recurrence().is_some()) {
        return Err(Error::Unsupported {
            what: format!("{method} on meshes inside a {} of a network whose output is fed back", stage.word()),
            instead: "it lights meshes of a loop that stand by themselves; choose another `network`, or at-adaptive"
                .into(),
        });
    }
    if network.stages().any(is_weights) {
        return Err(Error::Unsupported {
            what: format!("{method} on matrices or weight banks"),
            instead: "it lights meshes; choose a `network` of meshes, dense ends of convolutions included (`svd:`)"
                .into(),
        });
    }
    if network.all_meshes().next().is_none() {
        return Err(Error::Unsupported {
            what: format!("{method} without a mesh"),
            instead: "choose a `network` of meshes".into(),
        });
    }
    Ok(())
}

/// Whether it has weights of detected signals. All else that is no mesh is the computer's: what stands in the light between meshes, and
/// electronics.
fn is_weights(stage: &Stage) -> bool {
    if stage.hides_a_mesh() {
        return stage.inside().is_some_and(|inside| inside.iter().any(is_weights));
    }
    stage.controls() > 0 && !stage.input().complex && !matches!(stage, Stage::Normalization(_))
}
