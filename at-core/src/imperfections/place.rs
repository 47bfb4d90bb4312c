//! Where phase shifters lie on a die: what crosstalk and correlated process variation depend on.
//!
//! Every stage is a die of its own, and a mesh can have several.

/// Where a heater lies.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Place {
    /// Its die, of those of its stage: nothing passes from one to another.
    pub die: usize,
    /// Along the light and across it, in units of the pitch, the distance of nearest heaters.
    pub at: [f64; 2],
}

impl Place {
    /// On the only die of its stage, this many pitches along the light and across it.
    pub fn on_one_die(along: usize, across: usize) -> Self {
        Place { die: 0, at: [along as f64, across as f64] }
    }
}

/// Where the heaters of a stage lie, asked for where it matters: the plan takes more room than all errors of the stage.
pub trait FloorPlan {
    /// Controls, heaters among them.
    fn controls(&self) -> usize;

    /// The places of those that are heaters.
    fn heaters(&self) -> Vec<Place>;
}
