//! What most programs that train a chip need: `use at_core::prelude::*`.

pub use crate::chip::{Accesses, AnyChip, Chip, Meter, Physical};
pub use crate::cpu::Cpu;
pub use crate::data::Dataset;
pub use crate::engine::Engine;
pub use crate::engine::{Loss, Optimizer, Schedule};
pub use crate::fabrication::Fabrication;
pub use crate::imperfections::Imperfections;
pub use crate::network::{Detection, Network, Stage};
pub use crate::optics::{Activation, Layout, Mesh};
pub use crate::propagator::{Adjoint, Buffer, Propagator, Simulator};
pub use crate::training::methods::build;
pub use crate::training::{
    Batch, Evaluation, Initialization, Method, MethodName, MethodOptions, Observer, Outcome, Parameters, Record,
    Settings, Split, Trainer, initial_controls,
};
pub use crate::{Error, Result};
