//! Cases that the benches share.
