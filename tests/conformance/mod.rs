//! What an engine must do to be one: the suite that every engine passes, whatever it runs on.
//!
//! Each check is a function that is generic over the engine and compares it with the reference. [`conforms!`](crate::conforms) makes one
//! test of each, for an engine that is given once. A new engine passes when it stands in one such line.

mod chips;
mod layers;
mod light;
mod networks;
mod refusals;

pub use chips::*;
pub use layers::*;
pub use light::*;
pub use networks::*;
pub use refusals::*;

use crate::case::{Case, Outcome};
use crate::compare::assert_close;
use at_core::engine::Engine;
use at_core::network::{Network, Stage};

/// The scalars that an engine computes with, which decide how near to the reference it must come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// `f32`.
    Single,
    /// `f64`.
    Double,
}

impl Precision {
    /// The tolerance of a check that allows `double` in `f64` and `single` in `f32`, relative to the largest entry.
    pub fn tolerance(self, double: f64, single: f64) -> f64 {
        match self {
            Precision::Double => double,
            Precision::Single => single,
        }
    }

    /// Error per square root of the columns that light crosses, relative to the largest entry: rounding adds up like a walk.
    fn rounding(self) -> f64 {
        self.tolerance(1e-13, 1e-5)
    }
}

/// Columns of all meshes; a stage of another kind counts as one.
fn columns(network: &Network) -> usize {
    network.stages().map(columns_of).sum()
}

/// Columns of a mesh; 1 of a stage of another kind.
fn columns_of(stage: &Stage) -> usize {
    if let Stage::Mesh(mesh) = stage { mesh.columns().len() } else { 1 }
}

/// Readout and gradient are those of the reference.
fn close<E: Engine>(engine: &E, got: &Outcome, case: &Case, tolerance: f64, what: &str) {
    let expected = case.expected();
    let what = |part| format!("{part} of {what}, batch {}, on {}", case.batch, engine.describe());
    assert_close(&what("readout"), &got.readout, &expected.readout, tolerance);
    assert_close(&what("gradient"), &got.gradient, &expected.gradient, tolerance);
}

/// One test of every check of the suite, in a module of the engine's name: `conforms!(cpu_f64, Precision::Double, Some(engine))`.
/// Where the expression gives `None`, the engine cannot be had here, and says so itself.
#[macro_export]
macro_rules! conforms {
    ($name:ident, $precision:expr, $engine:expr) => {
        $crate::conforms! {
            @ $name, $precision, $engine;
            meshes_of_every_size
            every_layout_and_depth
            meshes_of_other_shapes
            every_stage_activation_and_detection
            tiled_layers
            matrices_and_weight_banks
            ring_banks_and_crossbars
            convolutions_and_pooling
            residual_connections
            diffractive_planes
            layers_that_are_crossed_again_and_again
            where_light_is_hard_to_rebuild
            taps_and_the_way_back_through_single_layers
            powers_behind_meshes
            light_through_single_meshes
            the_way_from_controls_to_phases
            steps_of_controls
            perturbed_hidden_signals
            noise_of_every_kind
            drift_over_time
            what_does_not_fit_is_refused
        }
    };
    (@ $name:ident, $precision:expr, $engine:expr; $($check:ident)*) => {
        mod $name {
            use super::*;

            $(#[test]
            fn $check() {
                let Some(engine) = $engine else { return };
                $crate::conformance::$check(&engine, $precision);
            })*
        }
    };
}
