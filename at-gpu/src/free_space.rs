//! Free space between two grids: rows, columns and rows again are transformed in workgroup memory, a workgroup each.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, Device, GpuStage, OfStage, OnGpu, Training};
use crate::sums::Sum;
use crate::vectors::{At, Vector, count};
use at_core::optics::angular_spectrum::Misalignment;
use at_core::optics::plane_position::COORDINATES;
use at_core::optics::{AngularSpectrum, PlanePosition};
use at_core::stage::{self, StageErrors};
use at_core::{Error, Result};
use at_shaders::Kernel;
use num_complex::Complex64;
use std::f64::consts::TAU;

parameters! {
    /// Two grids and the columns of spectra that pass.
    FreeSpace { rows: u32, columns: u32, passed: u32, batch: u32, back: u32 }
    /// The same, with the padded length of a column, and where an estimate begins.
    FreeSpaceEstimate { rows: u32, columns: u32, passed: u32, length: u32, offset: u32 }
}

/// Of [`COORDINATES`] the first, which act on spectra; the others are tilts.
const SHIFTS_AND_DISTANCE: usize = 3;

/// Bytes of a complex number.
const COMPLEX: usize = 8;

/// `y = R·F⁻¹(H·F(x))`.
struct FreeSpaceStage {
    gpu: Gpu,
    spectrum: AngularSpectrum,
    /// Columns and rows.
    sides: [usize; 2],
    /// Of the padded grid.
    padded: [usize; 2],
    /// Columns within the band.
    passed: Vec<usize>,
    /// Where a transform of a row leaves them.
    places: wgpu::Buffer,
    /// `e^{-2πi j/N}` along rows and along columns, of j < N/2.
    turns: [wgpu::Buffer; 2],
    /// H divided by the number of padded pixels, `[passed, padded row]` in the order in which a transform leaves a column.
    transfer: wgpu::Buffer,
    /// R along x, then along y.
    ramps: wgpu::Buffer,
    estimate: Option<Estimate>,
}

/// What an estimate of where the second grid stands multiplies.
struct Estimate {
    /// H of the design and its slope by the distance, as `transfer`.
    designed: wgpu::Buffer,
    depth: wgpu::Buffer,
    /// u, v, `f/f_e` of the columns that pass, `g/g_e` in the order in which a transform leaves a column.
    places: wgpu::Buffer,
}

/// `index` of `0..length`, a power of two, with its bits in reverse.
fn reversed(index: usize, length: usize) -> usize {
    match length {
        1 => index,
        _ => index.reverse_bits() >> (usize::BITS - length.ilog2()),
    }
}

/// What a transform there and back multiplies by.
fn scale([across, along]: [usize; 2]) -> f64 {
    1.0 / (across * along) as f64
}

/// Of `whole [padded row, padded column]` the columns that pass, times `scale`, each in the order in which a transform leaves it.
fn of_passed(whole: &[Complex64], padded: [usize; 2], passed: &[usize], scale: f64) -> Vec<[f32; 2]> {
    let entries = passed.iter().flat_map(|&column| (0..padded[1]).map(move |k| (column, k)));
    let entry = |(column, k): (usize, usize)| whole[reversed(k, padded[1]) * padded[0] + column] * scale;
    entries.map(entry).map(|value| [value.re as f32, value.im as f32]).collect()
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
        let transfer = of_passed(&whole, padded, &passed, scale(padded));
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
        let (spectrum, estimate) = (self.spectrum, None);
        Ok(Box::new(FreeSpaceStage { spectrum, sides, padded, passed, places, turns, transfer, ramps, estimate, gpu }))
    }

    /// H of chip and model, and the spectra of a batch, which are states between its kernels. An estimate has H of the design, its slope, the
    /// spectra of what entered, and what every line says of it.
    fn memory(&self, training: &Training, _: &Device) -> OfStage {
        let [across, along] = self.spectrum.padded();
        let passed = self.spectrum.passes(0).iter().filter(|passes| **passes).count();
        let estimates = usize::from(training.estimate);
        let networks = ((2 + 2 * estimates) * COMPLEX * (passed * along + across + along)) as u64;
        let spectra = ((1 + estimates) * COMPLEX * training.batch * passed * self.spectrum.rows) as u64;
        let lines = (SHIFTS_AND_DISTANCE * passed).max((COORDINATES - SHIFTS_AND_DISTANCE) * self.spectrum.rows);
        let between = (estimates * 4 * training.batch * lines) as u64;
        OfStage { networks, states: spectra, between }
    }
}

impl FreeSpaceStage {
    fn parameters(&self, batch: usize, back: bool) -> Result<FreeSpace> {
        Ok(FreeSpace {
            rows: count(self.sides[1])?,
            columns: count(self.sides[0])?,
            passed: count(self.passed.len())?,
            batch: count(batch)?,
            back: u32::from(back),
        })
    }

    /// A kernel with a workgroup for each of `lines` of the padded length of `axis`.
    fn each_line(
        &self,
        kernel: Kernel,
        axis: usize,
        parameters: &FreeSpace,
        buffers: &[&wgpu::Buffer],
        lines: usize,
    ) -> Result<()> {
        let commands = &self.gpu.commands;
        let pipeline = commands.pipeline(kernel, &[("LENGTH", count(self.padded[axis])?)])?;
        commands.dispatch(&pipeline, parameters, buffers, lines)
    }

    /// Rows of `input` to their spectra.
    fn enter(&self, input: &wgpu::Buffer, spectra: &wgpu::Buffer, batch: usize, back: bool) -> Result<()> {
        let buffers = [&self.turns[0], &self.places, &self.ramps, input, spectra];
        let parameters = self.parameters(batch, back)?;
        self.each_line(Kernel::FreeSpaceEnter, 0, &parameters, &buffers, batch * self.sides[1])
    }

    /// Their columns through space, and back to rows of `output`.
    fn cross_and_leave(&self, spectra: &wgpu::Buffer, output: &wgpu::Buffer, batch: usize, back: bool) -> Result<()> {
        let parameters = self.parameters(batch, back)?;
        let buffers = [&self.turns[1], &self.transfer, spectra];
        self.each_line(Kernel::FreeSpaceCross, 1, &parameters, &buffers, batch * self.passed.len())?;
        let buffers = [&self.turns[0], &self.places, &self.ramps, spectra, output];
        self.each_line(Kernel::FreeSpaceLeave, 0, &parameters, &buffers, batch * self.sides[1])
    }

    /// The slopes of the estimate, with the spectra of the rows of what entered and of the adjoint.
    fn slopes(&self, pass: &Backward, estimate: &Estimate, (target, offset): At) -> Result<()> {
        let Backward { batch, scratch, .. } = *pass;
        let parameters = self.parameters(batch, false)?;
        let [adjoints, spectra, products, sums] =
            [Slot::Fields, Slot::StatesA, Slot::Products, Slot::Sums].map(|slot| scratch.get(slot));
        // sums over the batch, then over columns or rows
        let summed = |lines: usize, columns: usize, offset: usize| {
            let all = lines * columns;
            let over = |source, rows, columns, target, offset| {
                let (stride, factors, scale) = (columns, None, 1.0);
                Sum { source, rows, columns, stride, factors, scale, target, offset }.record(&self.gpu)
            };
            over(products, batch, all, sums, 0)?;
            over(sums, lines, columns, target, offset)
        };
        let Estimate { depth, places, .. } = estimate;
        let buffers = [&self.turns[1], &self.transfer, depth, places, spectra, adjoints, products];
        self.each_line(Kernel::FreeSpaceSlopes, 1, &parameters, &buffers, batch * self.passed.len())?;
        summed(self.passed.len(), SHIFTS_AND_DISTANCE, offset)?;
        let commands = &self.gpu.commands;
        let tilts = commands.pipeline(Kernel::FreeSpaceTilts, &[])?;
        commands.dispatch(
            &tilts,
            &parameters,
            &[places, pass.output, pass.adjoint, products],
            batch * self.sides[1],
        )?;
        summed(self.sides[1], COORDINATES - SHIFTS_AND_DISTANCE, offset + SHIFTS_AND_DISTANCE)
    }
}

impl FreeSpaceStage {
    fn bytes_of_spectra(&self, batch: usize) -> u64 {
        (COMPLEX * batch * self.passed.len() * self.sides[1]) as u64
    }
}

impl Estimate {
    fn new(gpu: &Gpu, spectrum: &AngularSpectrum, passed: &[usize]) -> Result<Self> {
        let (context, padded, position) = (&gpu.commands.context, spectrum.padded(), PlanePosition::new(spectrum));
        let pods = |label, values: Vec<[f32; 2]>| Vector::pods(context, label, &values);
        let designed = spectrum.transfer(&Misalignment::default());
        let [f, g] = &position.shifts;
        let along = (0..padded[1]).map(|k| g[reversed(k, padded[1])]);
        let [u, v] = &position.tilts;
        let places = u.iter().chain(v).copied().chain(passed.iter().map(|&column| f[column])).chain(along);
        let places: Vec<f32> = places.map(|place| place as f32).collect();
        Ok(Estimate {
            designed: pods("transfer function of a design", of_passed(&designed, padded, passed, scale(padded)))?,
            depth: pods("slopes by a distance", of_passed(&position.depth, padded, passed, 1.0))?,
            places: Vector::pods(context, "edges of light and planes", &places)?,
        })
    }
}

impl GpuStage for FreeSpaceStage {
    fn program(&self, _controls: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn take_on(&mut self, (values, offset): At) -> Result<()> {
        let own = match &mut self.estimate {
            Some(own) => own,
            none => none.insert(Estimate::new(&self.gpu, &self.spectrum, &self.passed)?),
        };
        let [[columns, rows], passed] = [self.sides, [self.passed.len(), self.padded[1]]];
        let parameters = FreeSpaceEstimate {
            rows: count(rows)?,
            columns: count(columns)?,
            passed: count(passed[0])?,
            length: count(passed[1])?,
            offset: count(offset)?,
        };
        let buffers = [values, &own.designed, &own.depth, &own.places, &self.transfer, &self.ramps];
        self.gpu.each(Kernel::FreeSpaceEstimate, &parameters, &buffers, passed[0] * passed[1] + columns + rows)
    }

    fn needs(&self, batch: usize, _backward: bool) -> Needs {
        Needs::of(&[(Slot::Fields, self.bytes_of_spectra(batch))])
    }

    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        let lines = [SHIFTS_AND_DISTANCE * self.passed.len(), (COORDINATES - SHIFTS_AND_DISTANCE) * self.sides[1]];
        let slopes = 4 * lines[0].max(lines[1]) as u64;
        let spectra = self.bytes_of_spectra(batch);
        Needs::of(&[
            (Slot::Fields, spectra),
            (Slot::StatesA, spectra),
            (Slot::Products, slopes * batch as u64),
            (Slot::Sums, slopes),
        ])
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let spectra = scratch.get(Slot::Fields);
        self.enter(input, spectra, batch, false)?;
        self.cross_and_leave(spectra, output, batch, false)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let (spectra, batch) = (pass.scratch.get(Slot::Fields), pass.batch);
        self.enter(pass.adjoint, spectra, batch, true)?;
        if let (Some(imperfections), Some(estimate)) = (pass.imperfections, &self.estimate) {
            self.enter(pass.input, pass.scratch.get(Slot::StatesA), batch, false)?;
            self.slopes(pass, estimate, imperfections)?;
        }
        self.cross_and_leave(spectra, pass.adjoint_in, batch, true)
    }
}
