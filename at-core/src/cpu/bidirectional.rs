//! Light through the single meshes of a network on the CPU, in both directions.

use super::mesh::MeshStage;
use super::network::{CpuNetwork, Lit, holds};
use crate::propagator::{Bidirectional, Direction, Monitor};
use crate::{Error, Real, Result};

impl<T: Real> Bidirectional for CpuNetwork<T> {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Vec<T>,
        batch: usize,
        output: Option<&mut Vec<T>>,
        monitor: Monitor<'_, Vec<T>>,
    ) -> Result<()> {
        self.ready(batch)?;
        let count = self.lit.len();
        let Some(stage) = self.mesh(mesh) else {
            return Err(Error::invalid("mesh", mesh, format!("the network has {count} meshes")));
        };
        let (width, controls) = (2 * stage.modes(), stage.shifters());
        holds("fields that enter the mesh", batch, width, fields.len())?;
        if let Some(output) = &output {
            holds("fields that leave the mesh", batch, width, output.len())?;
        }
        match &monitor {
            Monitor::Nothing => {}
            Monitor::Powers(powers) => holds("powers at the shifters", 1, controls, powers.len())?,
            Monitor::Fields(fields) => holds("fields at the shifters", batch, 2 * controls, fields.len())?,
        }
        stage.send(direction, &fields[..batch * width], batch, output.map(Vec::as_mut_slice), monitor);
        Ok(())
    }
}

impl<T: Real> CpuNetwork<T> {
    fn mesh(&mut self, mesh: usize) -> Option<&mut MeshStage<T>> {
        let &Lit { layer, place, inside } = self.lit.get(mesh)?;
        self.layers[layer][place].stage.meshes().into_iter().nth(inside)
    }
}
