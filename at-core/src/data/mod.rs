//! Data sets, their files, and how their samples become fields.
