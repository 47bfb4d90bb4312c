//! Detectors of square regions of a grid.

use crate::context::LOOP_CAP;
use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::{Vector, count};
use at_core::stage::{self, StageErrors};
use at_core::{Error, Result};
use at_shaders::Kernel;

parameters! {
    /// Detectors on a grid.
    Regions { columns: u32, pixels: u32, count: u32, side: u32, batch: u32, share: f32 }
}

/// `I_k = (1/s²)·Σ |z_p|²`.
struct RegionStage {
    gpu: Gpu,
    regions: stage::Regions,
    /// The first row and column of every region.
    corners: wgpu::Buffer,
    /// The region of every pixel, and their number beside all.
    region_of: wgpu::Buffer,
}

impl OnGpu for stage::Regions {
    fn on_gpu(&self, gpu: Gpu, _: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        let area = self.side * self.side;
        if area >= LOOP_CAP {
            let what = format!("detectors of {0} × {0} pixels on a GPU", self.side);
            let instead = format!("choose `engine` cpu, or at most {} pixels a side", (LOOP_CAP - 1).isqrt());
            return Err(Error::Unsupported { what, instead });
        }
        let corners: Vec<[u32; 2]> = self.corners().iter().map(|corner| corner.map(|place| place as u32)).collect();
        let mut region_of = vec![count(self.count)?; self.rows * self.columns];
        for (region, pixels) in self.pixels().into_iter().enumerate() {
            pixels.into_iter().for_each(|pixel| region_of[pixel] = region as u32);
        }
        let context = &gpu.commands.context;
        let corners = Vector::pods(context, "corners of detectors", &corners)?;
        let region_of = Vector::pods(context, "detectors of pixels", &region_of)?;
        Ok(Box::new(RegionStage { regions: *self, corners, region_of, gpu }))
    }

    /// The region of every pixel, of chip and model.
    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        OfStage { networks: 8 * (self.rows * self.columns + 2 * self.count) as u64, ..OfStage::NOTHING }
    }
}

impl RegionStage {
    fn parameters(&self, batch: usize) -> Result<Regions> {
        let stage::Regions { rows, columns, count: regions, side } = self.regions;
        let share = (1.0 / (side * side) as f64) as f32;
        Ok(Regions {
            columns: count(columns)?,
            pixels: count(rows * columns)?,
            count: count(regions)?,
            side: count(side)?,
            batch: count(batch)?,
            share,
        })
    }
}

impl GpuStage for RegionStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, _batch: usize, _backward: bool) -> Needs {
        Needs::default()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let buffers = [&self.corners, input, output];
        self.gpu.each(Kernel::RegionsForward, &self.parameters(batch)?, &buffers, batch * self.regions.count)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let pixels = self.regions.rows * self.regions.columns;
        let buffers = [&self.region_of, pass.input, pass.adjoint, pass.adjoint_in];
        self.gpu.each(Kernel::RegionsBackward, &self.parameters(pass.batch)?, &buffers, pass.batch * pixels)
    }
}
