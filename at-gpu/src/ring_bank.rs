//! A bank of microrings.

use crate::engine::Gpu;
use crate::layout::{Weights as Parameters, parameters};
use crate::stage::{Device, GpuStage, OfStage, OnGpu, Training};
use crate::vectors::{At, Vector, count};
use crate::weights::{Response, WeightStage};
use at_core::stage::{self, Controlled, StageErrors};
use at_core::{Error, Result};
use at_shaders::Kernel;
use std::f64::consts::PI;

parameters! {
    /// A ring bank and where its controls lie.
    RingBank {
        len: u32,
        offset: u32,
        inputs: u32,
        outputs: u32,
        channels: u32,
        half_linewidth: f32,
        half_width: f32,
    }
}

/// An invocation meets every ring with every channel of a bus, in fewer turns than some drivers let a loop have.
const MOST_CHANNELS: usize = 255;

/// The balance of every channel behind the rings of its bus.
struct Rings {
    bank: stage::RingBank,
    /// `(o, u², 1-x, (1-x)·10^{-l/10})` per ring.
    rings: wgpu::Buffer,
    /// Cosine and sine of half of every ring's phase.
    turns: Vector,
    /// Cosine and sine of `πn/C`.
    steps: wgpu::Buffer,
}

impl OnGpu for stage::RingBank {
    fn on_gpu(&self, gpu: Gpu, errors: &StageErrors, offset: usize) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let stage::RingBank { inputs, outputs, channels, .. } = *self;
        if channels.min(inputs + 1) > MOST_CHANNELS {
            let what = format!("a ring bank of {} wavelengths on a bus, on a GPU", channels.min(inputs + 1));
            let instead = format!("use up to {MOST_CHANNELS} channels, or `engine` cpu");
            return Err(Error::Unsupported { what, instead });
        }
        let own = errors.get(["offset", "linewidth", "leak", "loss_db"]);
        let ring = |k: usize| {
            let [offset, linewidth, leak, loss] = own.map_or([0.0; 4], |own| own.map(|vector| vector[k]));
            let width = (self.half_width() * linewidth.exp()).powi(2);
            let taken = 1.0 - leak;
            [offset, width, taken, taken * 10_f64.powf(-0.1 * loss)].map(|x| x as f32)
        };
        let step = |n: usize| {
            let (sin, cos) = (PI * n as f64 / channels as f64).sin_cos();
            [cos as f32, sin as f32]
        };
        let rings: Vec<[f32; 4]> = (0..outputs * (inputs + 1)).map(ring).collect();
        let steps: Vec<[f32; 2]> = (0..channels.min(inputs + 1)).map(step).collect();
        let response = Rings {
            bank: *self,
            turns: Vector::zeros(context, "turns of rings", 2 * rings.len())?,
            rings: Vector::pods(context, "rings", &rings)?,
            steps: Vector::pods(context, "steps between channels", &steps)?,
        };
        Ok(Box::new(WeightStage::new(gpu, [inputs, outputs], offset, response, None)?))
    }

    /// Weights, four numbers of every ring and its turn, of chip and model; the gradient of weights.
    fn memory(&self, _: &Training, _: &Device) -> OfStage {
        let rings = self.runs().iter().map(|run| run.count).sum::<usize>() as u64;
        OfStage { networks: 2 * (4 + 16 + 8) * rings, between: 4 * rings, ..OfStage::NOTHING }
    }
}

impl Rings {
    fn parameters(&self, Parameters { len, offset, .. }: Parameters) -> Result<RingBank> {
        let stage::RingBank { inputs, outputs, channels, .. } = self.bank;
        let [inputs, outputs, channels] = [count(inputs)?, count(outputs)?, count(channels)?];
        let [half_linewidth, half_width] = [self.bank.half_linewidth(), self.bank.half_width()].map(|x| x as f32);
        Ok(RingBank { len, offset, inputs, outputs, channels, half_linewidth, half_width })
    }
}

impl Response for Rings {
    const MIXES: bool = true;

    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        _: Option<&Vector>,
    ) -> Result<()> {
        let (parameters, turns) = (self.parameters(parameters)?, &self.turns.buffer);
        gpu.each(Kernel::RingBankTurns, &parameters, &[controls, &self.rings, turns], weights.len)?;
        let buffers = [&self.rings, turns, &self.steps, &weights.buffer];
        gpu.each(Kernel::RingBankCoefficients, &parameters, &buffers, weights.len)
    }

    fn to_controls(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        of_weights: &wgpu::Buffer,
        gradient: &wgpu::Buffer,
    ) -> Result<()> {
        let parameters = self.parameters(parameters)?;
        let buffers = [&self.rings, &self.turns.buffer, &self.steps, of_weights, gradient];
        gpu.each(Kernel::RingBankGradient, &parameters, &buffers, parameters.len as usize)
    }

    /// Resonances and linewidths become those of the estimate; what is dropped and what stays in the bus is as it was.
    fn take_on(&mut self, gpu: &Gpu, len: usize, (estimate, offset): At) -> Result<()> {
        let part = Parameters { len: count(len)?, offset: count(offset)?, has_errors: 0 };
        gpu.each(Kernel::RingBankEstimate, &self.parameters(part)?, &[estimate, &self.rings], len)
    }

    fn to_imperfections(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        of_weights: &wgpu::Buffer,
        _: Option<&Vector>,
        _: &wgpu::Buffer,
        (imperfections, offset): At,
    ) -> Result<()> {
        let parameters = self.parameters(Parameters { offset: count(offset)?, ..parameters })?;
        let buffers = [&self.rings, &self.turns.buffer, &self.steps, of_weights, imperfections];
        gpu.each(Kernel::RingBankSlopes, &parameters, &buffers, parameters.len as usize)
    }
}
