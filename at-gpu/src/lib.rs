//! at-core's propagators as WGSL compute shaders.
