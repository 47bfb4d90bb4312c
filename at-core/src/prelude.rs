//! What most programs that train a chip need: `use at_core::prelude::*`.

pub use crate::chip::{Accesses, Chip, Fabrication, Imperfections, Meter, Physical};
pub use crate::cpu::Cpu;
pub use crate::data::Dataset;
pub use crate::network::{Detection, Network, Stage};
pub use crate::optics::{Activation, Layout, Mesh};
pub use crate::propagator::{Adjoint, Buffer, Engine, Propagator, Simulator};
pub use crate::training::methods::build;
pub use crate::training::{
    Batch, Evaluation, Initialization, Loss, Method, MethodName, MethodOptions, Observer, Optimizer, Outcome,
    Parameters, Record, Schedule, Settings, Split, Trainer, initial_controls,
};
pub use crate::{Error, Result};
