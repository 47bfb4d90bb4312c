//! Stages one behind the other as one. What leaves each is kept by the series itself, and made again on the way back.

use crate::engine::Gpu;
use crate::scratch::{Needs, Scratch};
use crate::stage::{Backward, BothWays, Device, GpuStage, OfStage, OnGpu, Training, build, memory};
use crate::vectors::At;
use at_core::Result;
use at_core::stage::{Series, Stage, StageErrors};
use std::cell::RefCell;
use std::ops::Range;

/// A stage of the series, and what signals and imperfections are its.
struct Part {
    stage: Box<dyn GpuStage>,
    imperfections: Range<usize>,
    inputs: usize,
    outputs: usize,
}

/// The stages.
pub(crate) struct SeriesStage {
    gpu: Gpu,
    parts: Vec<Part>,
    room: RefCell<Room>,
}

/// Signals behind every stage, and two adjoints, from one to the other.
#[derive(Default)]
struct Room {
    signals: Vec<Option<wgpu::Buffer>>,
    adjoints: [Option<wgpu::Buffer>; 2],
}

/// A buffer of at least so many reals in the place of `slot`, and that buffer. What was recorded with a smaller one keeps that one alive.
pub(crate) fn reserved<'a>(gpu: &Gpu, slot: &'a mut Option<wgpu::Buffer>, reals: usize) -> Result<&'a wgpu::Buffer> {
    let bytes = 4 * reals as u64;
    if slot.as_ref().is_none_or(|buffer| buffer.size() < bytes) {
        *slot = None;
        let context = &gpu.commands.context;
        *slot = Some(context.buffer("signals inside a stage", bytes, wgpu::BufferUsages::STORAGE)?);
    }
    Ok(slot.as_ref().expect("it was just made"))
}

impl OnGpu for Series {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        Ok(Box::new(SeriesStage::of(self, gpu, errors, offset)?))
    }

    /// Those of its stages, and the signals between them on both ways.
    fn memory(&self, training: &Training, device: &Device) -> OfStage {
        let (all, widest) = self.widths();
        let between = 2 * 4 * (training.batch * (all + 2 * widest)) as u64; // of chip and model
        let parts = self.stages.iter().map(|stage| memory(stage, training, device));
        let own = parts.fold(OfStage::NOTHING, |sum, own| OfStage {
            networks: sum.networks + own.networks,
            states: sum.states.max(own.states),
            between: sum.between.max(own.between),
        });
        OfStage { between: own.between + between, ..own }
    }
}

impl SeriesStage {
    /// The stages of `page` with their errors; the controls of the first begin at `offset`.
    pub(crate) fn of(page: &Series, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Self> {
        let (controls, imperfections) = (page.first_controls(), page.first_imperfections());
        let errors = page.errors_of_stages(errors);
        let part = |(index, stage): (usize, &Stage)| {
            Ok(Part {
                stage: build(&gpu, stage, &errors[index], offset + controls[index])?,
                imperfections: imperfections[index]..imperfections[index + 1],
                inputs: stage.input().width(),
                outputs: stage.output().width(),
            })
        };
        let parts = page.stages.iter().enumerate().map(part).collect::<Result<_>>()?;
        Ok(SeriesStage { gpu, parts, room: RefCell::default() })
    }

    /// Sends `input` through as many stages as there are `signals` for what leaves them.
    fn cross(&self, input: &wgpu::Buffer, batch: usize, signals: &[&wgpu::Buffer], scratch: &Scratch) -> Result<()> {
        let mut source = input;
        for (part, target) in self.parts.iter().zip(signals) {
            part.stage.forward(source, batch, target, scratch)?;
            source = target;
        }
        Ok(())
    }
}

impl Room {
    /// Room behind every one of `parts`.
    fn signals(&mut self, gpu: &Gpu, parts: &[Part], batch: usize) -> Result<Vec<&wgpu::Buffer>> {
        self.signals.resize_with(parts.len().max(self.signals.len()), || None);
        parts.iter().zip(&mut self.signals).map(|(part, slot)| reserved(gpu, slot, batch * part.outputs)).collect()
    }
}

impl GpuStage for SeriesStage {
    fn meshes(&self) -> Vec<&dyn BothWays> {
        self.parts.iter().flat_map(|part| part.stage.meshes()).collect()
    }

    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.parts.iter().try_for_each(|part| part.stage.program(controls))
    }

    fn take_on(&mut self, (estimate, start): At) -> Result<()> {
        let parts = self.parts.iter_mut().filter(|part| !part.imperfections.is_empty());
        parts.into_iter().try_for_each(|part| part.stage.take_on((estimate, start + part.imperfections.start)))
    }

    fn needs(&self, batch: usize, backward: bool) -> Needs {
        self.parts.iter().fold(Needs::default(), |needs, part| needs.max(part.stage.needs(batch, backward)))
    }

    fn needs_of_imperfections(&self, batch: usize) -> Needs {
        self.parts.iter().fold(Needs::default(), |needs, part| needs.max(part.stage.needs_of_imperfections(batch)))
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, scratch: &Scratch) -> Result<()> {
        let mut room = self.room.borrow_mut();
        let mut signals = room.signals(&self.gpu, &self.parts[..self.parts.len() - 1], batch)?;
        signals.push(output);
        self.cross(input, batch, &signals, scratch)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let Backward { batch, scratch, .. } = *pass;
        let mut room = self.room.borrow_mut();
        let Room { adjoints: [one, other], .. } = &mut *room;
        let widest = self.parts.iter().map(|part| part.inputs).max().unwrap_or(0);
        let mut between =
            [reserved(&self.gpu, one, batch * widest)?.clone(), reserved(&self.gpu, other, batch * widest)?.clone()];
        let signals = room.signals(&self.gpu, &self.parts, batch)?;
        self.cross(pass.input, batch, &signals, scratch)?;
        let last = self.parts.len() - 1;
        for (index, part) in self.parts.iter().enumerate().rev() {
            let asked = pass.imperfections.filter(|_| !part.imperfections.is_empty());
            part.stage.backward(&Backward {
                input: if index == 0 { pass.input } else { signals[index - 1] },
                output: signals[index],
                adjoint: if index == last { pass.adjoint } else { &between[0] },
                batch,
                adjoint_in: if index == 0 { pass.adjoint_in } else { &between[1] },
                gradient: pass.gradient,
                imperfections: asked.map(|(slopes, start)| (slopes, start + part.imperfections.start)),
                scratch,
            })?;
            between.swap(0, 1);
        }
        Ok(())
    }
}

/// The widest signal inside `stage`, in reals per sample.
pub(crate) fn widest_inside(stage: &Stage) -> usize {
    if let Stage::Series(own) = stage { own.widths().1 } else { stage.input().width().max(stage.output().width()) }
}
