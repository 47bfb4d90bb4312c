//! Ranks: several processes or threads that train one network together, each with its share of every batch.
//!
//! [`Ranked`] is an engine around an engine. Every rank runs the same text of the same method; what differs is how many samples it has
//! in hand. Of each vector it is known how it lies on the ranks ([`Place`]):
//!
//! ```text
//! Whole      the same on all ranks: controls, gradients, moments of optimizers, data sets
//! Rows       samples rank·B/R … (rank+1)·B/R of a batch of B on R ranks: fields, readouts, errors, traces
//! Partial    what counts is the sum over the ranks: tallies
//! Tiles      the controls of a rank's own dies: controls, gradients and moments where dies are shared
//! ```
//!
//! Light, losses, noise and backpropagation take rows; gradients are summed over the ranks; and whatever a method fetches from the engine is
//! whole, so that a method cannot tell that there are ranks, and none is written for them. Where a method mixes vectors that lie
//! differently, one is brought to the other's place, over the ranks if need be: the meaning is always that of one rank.
//!
//! **By tiles.** [`Ranked::by_tiles`] shares the dies of tiled layers instead of batches ([`crate::tiled`]): every rank has all samples, and controls,
//! gradients, moments and coefficients of its own dies only. What leaves a tiled layer, forwards and backwards, is one sum over the ranks each.
//! So a network trains that is larger than the memory of one device. Networks of other designs, as a method may make them, are on every rank.
//!
//! **Order.** Sums over ranks are taken in f64, from rank 0 to the last, whatever network lies between ([`Collective::sum`]), so that R ranks
//! repeat themselves bit for bit. They differ from one rank in the last digits only, because the sums of a batch are put together from R
//! parts. A sample's noise is drawn by its number in the whole batch: R ranks see the noise that one sees.
//!
//! **Errors.** What all ranks compute alike fails on all alike. A rank that fails alone leaves the collective, and the others err at their next
//! operation there instead of waiting for it.

mod collective;
mod cut;
mod deal;
mod engine;
mod network;
mod place;
mod ranked;
pub mod threads;
mod tiles;

pub use collective::{Collective, share};
pub use network::{RankedNetwork, RankedTrace};
pub use place::{Place, RankedBuffer, RankedIndices};
pub use ranked::{Ranked, Traffic};
pub use tiles::{require_tiles, tiles_of};

#[cfg(test)]
mod tests;
#[cfg(test)]
mod tile_tests;
