//! Data sets, their files, and how their samples become fields.
//!
//! [`open`] gives a [`Dataset`] by name or from files of one's own; [`Encoding`] turns its samples into signals; [`epoch_order`] says in
//! which order an epoch visits them.

mod array_files;
mod arrays;
pub mod batches;
pub mod chance;
mod cifar;
pub mod contents;
mod csv_folder;
pub mod dataset;
mod embedded;
pub mod encoding;
pub mod features;
#[cfg(test)]
mod file_tests;
mod fourier;
mod grid;
mod heading;
mod idx;
mod image_files;
pub mod label_column;
pub mod name;
mod numeral;
pub mod own_files;
mod parts;
mod pooling;
pub mod samples;
pub mod scale;
mod separator;
pub mod source;
pub mod split;
pub mod stored;
mod table;
mod table_doubts;

pub use crate::image_shape::ImageShape;
pub use batches::epoch_order;
pub use chance::Chance;
pub use contents::Contents;
pub use dataset::{Dataset, SampleLimits};
pub use encoding::{Encoded, Encoding};
pub use features::Features;
pub use label_column::{LabelColumn, TargetColumns};
pub use name::DatasetName;
pub use samples::{RealTargets, Samples};
pub use scale::Scale;
pub use source::{Choices, Location, Source, image_of, load, locate, open, open_chosen};
pub use split::SplitRule;
