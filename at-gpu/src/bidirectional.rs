//! Light through the single meshes of a network on a GPU, in both directions.

use crate::network::GpuNetwork;
use crate::stage::Watch;
use crate::vectors::{Vector, check_range};
use at_core::propagator::{Bidirectional, Direction, Monitor};
use at_core::{Error, Result};

impl Bidirectional for GpuNetwork {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Vector,
        batch: usize,
        output: Option<&mut Vector>,
        monitor: Monitor<'_, Vector>,
    ) -> Result<()> {
        self.ready(batch)?;
        let meshes: Vec<_> = self.layers.iter().flatten().flat_map(|placed| placed.stage.meshes()).collect();
        let Some(&crossed) = meshes.get(mesh) else {
            return Err(Error::invalid("mesh", mesh, format!("the network has {} meshes", meshes.len())));
        };
        let (modes, controls) = crossed.sizes();
        let width = 2 * modes;
        check_range("fields that enter the mesh", fields.len, 0, batch * width)?;
        if let Some(output) = &output {
            check_range("fields that leave the mesh", output.len, 0, batch * width)?;
        }
        let watch = match &monitor {
            Monitor::Nothing => Watch::Nothing,
            Monitor::Powers(powers) => {
                check_range("powers at the shifters", powers.len, 0, controls)?;
                Watch::Powers(&powers.buffer)
            }
            Monitor::Fields(seen) => {
                check_range("fields at the shifters", seen.len, 0, batch * 2 * controls)?;
                Watch::Fields(&seen.buffer)
            }
        };
        self.scratch.reserve(&self.gpu.commands.context, &crossed.needs_of_sending(batch, watch))?;
        crossed.send(direction, &fields.buffer, batch, output.map(|output| &output.buffer), watch, &self.scratch)
    }
}
