//! Real additions and multiplications that a network takes on a computer, per sample.

use super::Stage;

/// Operations of a pass forward and of one back.
///
/// An MZI takes 28 forward: four complex multiplications and two additions. Back it takes 76: the field is rebuilt (28), the
/// adjoint carried (28), field and adjoint brought behind the inner shifter (12), two products added up (8). A weight takes 2
/// forward, and 4 back: its own gradient and the error that it carries. What grows with the number of modes only (output
/// phases, attenuators, biases, nonlinearities, detection) is left out, and so are coefficients, which are made once a step.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Flops {
    /// Of a pass forward.
    pub forward: u64,
    /// Of a pass back, which needs one forward.
    pub backward: u64,
}

impl Flops {
    /// What grows with the number of modes only.
    pub const NONE: Flops = Flops { forward: 0, backward: 0 };

    /// The operations of `stages` together.
    pub fn of<'a>(stages: impl IntoIterator<Item = &'a Stage>) -> Self {
        let counts = stages.into_iter().map(|stage| stage.element().flops());
        counts.fold(Flops::NONE, |sum, own| Flops {
            forward: sum.forward + own.forward,
            backward: sum.backward + own.backward,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::optics::{Layout, Mesh};

    #[test]
    fn meshes_and_weights_are_counted() {
        let mesh = Stage::Mesh(Mesh::universal(8, Layout::Rectangular).unwrap());
        assert_eq!(Flops::of([&mesh]), Flops { forward: 28 * 28, backward: 28 * 76 });
        let matrix = Stage::matrix(784, 256);
        let rectifier = Stage::rectifier(256, 0.0);
        let bank = Stage::weight_bank(256, 10);
        let weights = 784 * 256 + 256 * 10;
        assert_eq!(Flops::of([&matrix, &rectifier, &bank]), Flops { forward: 2 * weights, backward: 4 * weights });
    }
}
