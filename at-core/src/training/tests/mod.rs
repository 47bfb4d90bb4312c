//! What the methods promise, on small networks and the CPU.

mod adaptive;
mod alignment;
mod checkpoints;
mod convolution;
mod counts;
mod data_sheet;
mod feedback;
pub(crate) mod fixture;
mod fleet;
mod gradient_free;
mod identities;
mod journal;
mod looped;
mod noise_aware;
mod optics;
mod published;
mod resume;
mod runs;
mod subspace;
mod toy;
mod turned_back;
