//! Light through single meshes in both directions: not on a GPU yet, and it says so.

use crate::network::GpuNetwork;
use crate::vectors::Vector;
use at_core::propagator::{Bidirectional, Direction, Monitor};
use at_core::{Error, Result};

impl Bidirectional for GpuNetwork {
    fn send(
        &mut self,
        _mesh: usize,
        _direction: Direction,
        _fields: &Vector,
        _batch: usize,
        _output: Option<&mut Vector>,
        _monitor: Monitor<'_, Vector>,
    ) -> Result<()> {
        Err(Error::Unsupported {
            what: "light in both directions through a mesh, with detectors at its shifters, on a GPU".into(),
            instead: "pass --engine cpu".into(),
        })
    }
}
