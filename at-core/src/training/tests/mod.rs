//! What the methods promise, on small networks and the CPU.

mod alignment;
mod checkpoints;
mod counts;
mod fixture;
mod identities;
mod published;
mod resume;
mod runs;
mod toy;
