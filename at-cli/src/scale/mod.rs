//! Scaling curves: one step of a mesh network, measured over its sizes on the engines asked for.

pub mod case;
pub mod depth;
pub mod earlier;
pub mod exchange;
pub mod fit;
pub mod measure;
pub mod output;
pub mod peak;
pub mod plots;
pub mod predict;
pub mod ranks;
pub mod table;
