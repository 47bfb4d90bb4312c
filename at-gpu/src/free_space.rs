//! Free space between two grids: rows, columns and rows again are transformed in workgroup memory, a workgroup each.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::{Vector, count};
use at_core::stage::{self, StageErrors};
use at_core::{Error, Result};
use at_shaders::Kernel;
use std::f64::consts::TAU;

parameters! {
    /// Two grids and the columns of spectra that pass.
    FreeSpace { rows: u32, columns: u32, passed: u32, batch: u32, back: u32 }
}

/// Bytes of a complex number.
const COMPLEX: usize = 8;

/// `y = R·F⁻¹(H·F(x))`.
struct FreeSpaceStage {
    gpu: Gpu,
    /// Columns and rows.
    sides: [usize; 2],
    /// Of the padded grid.
    padded: [usize; 2],
    /// Columns within the band.
    passed: usize,
    /// Where a transform of a row leaves them.
    places: wgpu::Buffer,
    /// `e^{-2πi j/N}` along rows and along columns, of j < N/2.
    turns: [wgpu::Buffer; 2],
    /// H divided by the number of padded pixels, `[passed, padded row]` in the order in which a transform leaves a column.
    transfer: wgpu::Buffer,
    /// R along x, then along y.
    ramps: wgpu::Buffer,
}

/// `index` of `0..length`, a power of two, with its bits in reverse.
fn reversed(index: usize, length: usize) -> usize {
    match length {
        1 => index,
        _ => index.reverse_bits() >> (usize::BITS - length.ilog2()),
    }
}

impl OnGpu for stage::FreeSpace {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, _: usize) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let (sides, padded) = (self.spectrum.sides(), self.spectrum.padded());
        let room = context.limits.max_compute_workgroup_storage_size as usize / COMPLEX;
        let most = if room.is_power_of_two() { room } else { room.next_power_of_two() / 2 };
        if padded[0].max(padded[1]) > most {
            return Err(Error::Unsupported {
                what: format!("free space between {} × {} pixels on this GPU", sides[1], sides[0]),
                instead: format!(
                    "it transforms at most {most} numbers; choose at most {} pixels a side, or `engine` cpu",
                    most / 2
                ),
            });
        }
        let misaligned = stage::FreeSpace::misalignment(errors);
        let (whole, passes) = (self.spectrum.transfer(&misaligned), self.spectrum.passes(0));
        let passed: Vec<usize> = (0..padded[0]).filter(|&column| passes[column]).collect();
        let scale = 1.0 / (padded[0] * padded[1]) as f64;
        let entry = |column: usize, k: usize| {
            let factor = whole[reversed(k, padded[1]) * padded[0] + column] * scale;
            [factor.re as f32, factor.im as f32]
        };
        let transfer: Vec<[f32; 2]> = passed
            .iter()
            .flat_map(|&column| (0..padded[1]).map(move |k| (column, k)))
            .map(|(c, k)| entry(c, k))
            .collect();
        let places: Vec<u32> = passed.iter().map(|&column| reversed(column, padded[0]) as u32).collect();
        let ramps = self.spectrum.ramps(&misaligned);
        let ramps: Vec<[f32; 2]> = ramps.iter().flatten().map(|turn| [turn.re as f32, turn.im as f32]).collect();
        let turns = |length: usize| {
            let turn = |j: usize| {
                let (sin, cos) = (-TAU * j as f64 / length as f64).sin_cos();
                [cos as f32, sin as f32]
            };
            Vector::pods(context, "turns of a transform", &(0..length / 2).map(turn).collect::<Vec<[f32; 2]>>())
        };
        let turns = [turns(padded[0])?, turns(padded[1])?];
        let transfer = Vector::pods(context, "transfer function of free space", &transfer)?;
        let places = Vector::pods(context, "columns within the band", &places)?;
        let ramps = Vector::pods(context, "ramps of a plane", &ramps)?;
        Ok(Box::new(FreeSpaceStage { sides, padded, passed: passed.len(), places, turns, transfer, ramps, gpu }))
    }

    /// H of chip and model, and the spectra of a batch, which are states between its kernels.
    fn memory(&self, training: &Training, _: u64) -> OfStage {
        let [across, along] = self.spectrum.padded();
        let passed = self.spectrum.passes(0).iter().filter(|passes| **passes).count();
        let networks = (2 * COMPLEX * (passed * along + across + along)) as u64;
        let spectra = (COMPLEX * training.batch * passed * self.spectrum.rows) as u64;
        OfStage { networks, states: spectra, ..OfStage::NOTHING }
    }
}

impl FreeSpaceStage {
    fn carry(
        &self,
        input: &wgpu::Buffer,
        batch: usize,
        output: &wgpu::Buffer,
        scratch: &Scratch,
        back: bool,
    ) -> Result<()> {
        let ([columns, rows], spectra) = (self.sides, scratch.get(Slot::Fields));
        let parameters = FreeSpace {
            rows: count(rows)?,
            columns: count(columns)?,
            passed: count(self.passed)?,
            batch: count(batch)?,
            back: u32::from(back),
        };
        let commands = &self.gpu.commands;
        let pipeline = |kernel, axis: usize| commands.pipeline(kernel, &[("LENGTH", count(self.padded[axis])?)]);
        let enter = pipeline(Kernel::FreeSpaceEnter, 0)?;
        let buffers = [&self.turns[0], &self.places, &self.ramps, input, spectra];
        commands.dispatch(&enter, &parameters, &buffers, batch * rows)?;
        let cross = pipeline(Kernel::FreeSpaceCross, 1)?;
        let buffers = [&self.turns[1], &self.transfer, spectra];
        commands.dispatch(&cross, &parameters, &buffers, batch * self.passed)?;
        let leave = pipeline(Kernel::FreeSpaceLeave, 0)?;
        let buffers = [&self.turns[0], &self.places, &self.ramps, spectra, output];
        commands.dispatch(&leave, &parameters, &buffers, batch * rows)
    }
}

impl GpuStage for FreeSpaceStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn needs(&self, batch: usize, _backward: bool) -> Needs {
        Needs::of(&[(Slot::Fields, (COMPLEX * batch * self.passed * self.sides[1]) as u64)])
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        self.carry(input, batch, output, scratch, false)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        self.carry(pass.adjoint, pass.batch, pass.adjoint_in, pass.scratch, true)
    }
}
