//! Networks, cases and comparisons that the tests and the benches share.

pub mod allocations;
pub mod case;
pub mod compare;
pub mod conformance;
pub mod draws;
pub mod mutation;
pub mod networks;
