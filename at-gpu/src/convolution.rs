//! Convolutions: patches of some samples at a time, as samples of the element that all of them cross.

use crate::engine::Gpu;
use crate::layout::parameters;
use crate::scratch::{Needs, Scratch, Slot};
use crate::series::widest_inside;
use crate::stage::{Backward, BothWays, Device, GpuStage, OfStage, OnGpu, Training, build, memory};
use crate::sums::MOST_ROWS;
use crate::vectors::{At, count};
use at_core::Result;
use at_core::stage::{Convolution, StageErrors};
use at_shaders::Kernel;

/// Bytes of the patches that are made at a time.
const PIECE: u64 = 256 << 20;

parameters! {
    /// Patches of images from the sample `first` on.
    Patches {
        len: u32,
        first: u32,
        channels: u32,
        height: u32,
        width: u32,
        kernel_rows: u32,
        kernel_columns: u32,
        stride: u32,
        padding: u32,
        rows: u32,
        columns: u32,
    }
    /// A transposition of every sample.
    Turn { len: u32, rows: u32, columns: u32, source_offset: u32, target_offset: u32 }
    /// A part of the network's gradient.
    PieceGradient { len: u32, offset: u32, is_first: u32 }
}

/// The element, and where its patches lie.
struct ConvolutionStage {
    gpu: Gpu,
    page: Convolution,
    offset: usize,
    controls: usize,
    /// Where its imperfections begin among all, once an estimate was taken on, and their number.
    first_imperfection: usize,
    imperfections: usize,
    /// Samples of a piece.
    piece: usize,
    element: Box<dyn GpuStage>,
}

/// Reals of a sample: of its image, of all patches, of what leaves the element.
fn sizes(page: &Convolution) -> [usize; 3] {
    let positions = page.patches.positions();
    let [entering, leaving] = [page.element.input(), page.element.output()].map(|signal| positions * signal.width());
    [page.patches.image.features(), entering, leaving]
}

/// Samples whose patches are made at a time on a device whose kernels see at most `binding` bytes at once.
fn samples_of_a_piece(page: &Convolution, binding: u64) -> usize {
    let bytes = 4 * page.patches.positions().saturating_mul(widest_inside(&page.element)) as u64;
    let samples = PIECE.min(binding) / bytes.max(1);
    (samples as usize).min(MOST_ROWS / page.patches.positions().max(1)).max(1)
}

impl OnGpu for Convolution {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let element = build(&gpu, &self.element, errors, offset)?;
        let binding = gpu.commands.context.limits.max_storage_buffer_binding_size;
        let piece = gpu.preferences.samples_of_patches.unwrap_or_else(|| samples_of_a_piece(self, binding));
        let (controls, imperfections) = (self.element.controls(), self.element.imperfections());
        let page = self.clone();
        let first_imperfection = 0;
        Ok(Box::new(ConvolutionStage {
            gpu,
            page,
            offset,
            controls,
            first_imperfection,
            imperfections,
            piece,
            element,
        }))
    }

    fn memory(&self, training: &Training, device: &Device) -> OfStage {
        let samples = samples_of_a_piece(self, device.binding).min(training.batch);
        let patches = Training { batch: samples * self.patches.positions(), ..*training };
        let (own, samples) = (memory(&self.element, &patches, device), samples as u64);
        let [_, entering, leaving] = sizes(self).map(|reals| 4 * reals as u64);
        let estimated = if training.estimate { training.network.imperfections() } else { 0 };
        let gradient = 4 * (training.network.controls() + estimated) as u64;
        OfStage { between: own.between + samples * (2 * entering + leaving) + gradient, ..own }
    }
}

impl ConvolutionStage {
    /// Records one of the two kernels of patches for `samples` images from the sample `first` on.
    fn patches(
        &self,
        kernel: Kernel,
        [first, samples]: [usize; 2],
        source: &wgpu::Buffer,
        target: &wgpu::Buffer,
    ) -> Result<()> {
        let [features, entering, _] = sizes(&self.page);
        let len = samples * if kernel == Kernel::ConvolutionPatches { entering } else { features };
        let (own, [rows, columns]) = (self.page.patches, self.page.patches.counts());
        let parameters = Patches {
            len: count(len)?,
            first: count(first)?,
            channels: count(own.image.channels)?,
            height: count(own.image.height)?,
            width: count(own.image.width)?,
            kernel_rows: count(own.kernel[0])?,
            kernel_columns: count(own.kernel[1])?,
            stride: count(own.stride)?,
            padding: count(own.padding)?,
            rows: count(rows)?,
            columns: count(columns)?,
        };
        self.gpu.each(kernel, &parameters, &[source, target], len)
    }

    /// `target ← sourceᵀ` of `samples` matrices of so many rows and columns, from these places on.
    fn turn(
        &self,
        samples: usize,
        [rows, columns]: [usize; 2],
        (source, source_offset): (&wgpu::Buffer, usize),
        (target, target_offset): (&wgpu::Buffer, usize),
    ) -> Result<()> {
        let len = samples * rows * columns;
        let parameters = Turn {
            len: count(len)?,
            rows: count(rows)?,
            columns: count(columns)?,
            source_offset: count(source_offset)?,
            target_offset: count(target_offset)?,
        };
        self.gpu.each(Kernel::ConvolutionTurn, &parameters, &[source, target], len)
    }

    /// Adds the gradient of the piece from the sample `first` on to that of the batch, in so many places from this one on.
    fn add(&self, first: usize, (offset, len): (usize, usize), piece: &wgpu::Buffer, all: &wgpu::Buffer) -> Result<()> {
        let parameters = PieceGradient { len: count(len)?, offset: count(offset)?, is_first: u32::from(first == 0) };
        self.gpu.each(Kernel::ConvolutionAdd, &parameters, &[piece, all], len)
    }

    /// First sample and number of samples of every piece.
    fn pieces(&self, batch: usize) -> impl Iterator<Item = [usize; 2]> {
        let piece = self.piece;
        (0..batch).step_by(piece).map(move |first| [first, piece.min(batch - first)])
    }
}

impl GpuStage for ConvolutionStage {
    fn meshes(&self) -> Vec<&dyn BothWays> {
        self.element.meshes()
    }

    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.element.program(controls)
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        let samples = self.piece.min(batch);
        let [_, entering, leaving] = sizes(&self.page).map(|reals| (4 * samples * reals) as u64);
        let inside = self.element.needs(samples * self.page.patches.positions(), backward);
        let own = [(Slot::Patches, entering), (Slot::PatchesLeave, leaving)];
        let back = match backward {
            true if self.piece < batch => Needs::of(&[
                (Slot::PatchAdjoints, entering),
                (Slot::PieceGradient, 4 * (self.offset + self.controls) as u64),
            ]),
            true => Needs::of(&[(Slot::PatchAdjoints, entering)]),
            false => Needs::default(),
        };
        inside.max(Needs::of(&own)).max(back)
    }

    fn take_on(&mut self, estimate: At) -> Result<()> {
        self.first_imperfection = estimate.1;
        self.element.take_on(estimate)
    }

    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        let patches = self.piece.min(batch) * self.page.patches.positions();
        let slopes = match self.piece < batch {
            true => Needs::of(&[(Slot::PieceImperfections, 4 * (self.first_imperfection + self.imperfections) as u64)]),
            false => Needs::default(),
        };
        self.needs(batch, true).max(self.element.needs_of_imperfections(patches)).max(slopes)
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let (positions, outputs) = (self.page.patches.positions(), self.page.element.output().width());
        let [patches, leaves] = [Slot::Patches, Slot::PatchesLeave].map(|slot| scratch.get(slot));
        for [first, samples] in self.pieces(batch) {
            self.patches(Kernel::ConvolutionPatches, [first, samples], input, patches)?;
            self.element.forward(patches, samples * positions, leaves, scratch)?;
            let place = first * positions * outputs;
            self.turn(samples, [positions, outputs], (leaves, 0), (output, place))?;
        }
        Ok(())
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let (positions, outputs) = (self.page.patches.positions(), self.page.element.output().width());
        let [patches, leaves, back] =
            [Slot::Patches, Slot::PatchesLeave, Slot::PatchAdjoints].map(|slot| pass.scratch.get(slot));
        let in_pieces = self.piece < pass.batch;
        let gradient = if in_pieces { pass.scratch.get(Slot::PieceGradient) } else { pass.gradient };
        let slopes = pass.imperfections.map(|(slopes, start)| match in_pieces {
            true => (pass.scratch.get(Slot::PieceImperfections), start),
            false => (slopes, start),
        });
        for [first, samples] in self.pieces(pass.batch) {
            self.patches(Kernel::ConvolutionPatches, [first, samples], pass.input, patches)?;
            let place = first * positions * outputs;
            self.turn(samples, [outputs, positions], (pass.adjoint, place), (leaves, 0))?;
            self.element.backward(&Backward {
                input: patches,
                // stages between numbers ask for what entered and not for what left
                output: patches,
                adjoint: leaves,
                batch: samples * positions,
                adjoint_in: back,
                gradient,
                imperfections: slopes,
                scratch: pass.scratch,
            })?;
            if in_pieces {
                self.add(first, (self.offset, self.controls), gradient, pass.gradient)?;
                if let (Some((piece, start)), Some((all, _))) = (slopes, pass.imperfections) {
                    self.add(first, (start, self.imperfections), piece, all)?;
                }
            }
            self.patches(Kernel::ConvolutionBack, [first, samples], back, pass.adjoint_in)?;
        }
        Ok(())
    }
}
