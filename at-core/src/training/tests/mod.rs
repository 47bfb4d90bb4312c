//! What the methods promise, on small networks and the CPU.

mod adaptive;
mod alignment;
mod checkpoints;
mod converters;
mod convolution;
mod counts;
mod data_sheet;
mod feedback;
pub(crate) mod fixture;
mod fleet;
mod gradient_free;
mod guided;
mod identities;
mod journal;
mod looped;
pub(crate) mod meshes_inside;
mod noise_aware;
mod optics;
mod prepared;
mod published;
mod resume;
mod runs;
mod sharpness;
mod subspace;
mod tiki_taka;
mod toy;
mod turned_back;
