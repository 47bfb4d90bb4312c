//! What matrices, banks and crossbars have in common: products with weights. How a weight follows its control, each says in its file.

use crate::engine::Gpu;
use crate::layout::{Weights as Parameters, parameters};
use crate::product::{Afterwards, Product, View};
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, GpuStage, OfStage, Training};
use crate::sums::Sum;
use crate::vectors::{At, Vector, count};
use at_core::Result;
use at_core::stage::Controlled;
use at_shaders::Kernel;

/// Memory of such a stage: weights and slopes, and what its errors take; with an estimate the model's errors, the weights' slopes of them, and
/// the gradient of the weights.
pub(crate) fn memory(page: &impl Controlled, training: &Training) -> OfStage {
    let controls = page.runs().iter().map(|run| run.count).sum::<usize>() as u64;
    let [imperfect, estimate] = [training.imperfect, training.estimate].map(u64::from);
    let networks = (8 + 20 * imperfect + 32 * estimate) * controls;
    OfStage { networks, between: 4 * estimate * controls, ..OfStage::NOTHING }
}

/// How weights follow their controls.
pub(crate) trait Response {
    /// Weights follow more than their own control each: the gradient takes the way of [`Response::to_controls`].
    const MIXES: bool = false;

    /// Records the making of `weights`, and of `slopes` where the stage has some that change, from `controls`.
    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        slopes: Option<&Vector>,
    ) -> Result<()>;

    /// Records the way from `of_weights`, `∂L/∂w` of every weight, to the gradient of their controls, where weights mix.
    fn to_controls(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        of_weights: &wgpu::Buffer,
        gradient: &wgpu::Buffer,
    ) -> Result<()>;

    /// Takes on `count` weights' part of an estimate, which counts from the next [`Response::program`] on.
    fn take_on(&mut self, gpu: &Gpu, count: usize, estimate: At) -> Result<()>;

    /// Records the way from `of_weights` to the gradient of the estimate; where weights do not mix, also to that of their controls, which
    /// follow by `slopes`.
    fn to_imperfections(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        of_weights: &wgpu::Buffer,
        slopes: Option<&Vector>,
        gradient: &wgpu::Buffer,
        imperfections: At,
    ) -> Result<()>;
}

/// Every weight follows a control of its own, by three errors of its own.
pub(crate) struct ByEntry {
    kernels: Kernels,
    /// What the kernels take of the errors e, per entry: `(1 + e0, 1 + e1, e2, 0)`; none where ideal.
    errors: Option<wgpu::Buffer>,
    /// `∂w/∂e` of every entry, where the errors are estimated.
    slopes_of_errors: Option<wgpu::Buffer>,
}

/// The kernels of one kind of entries.
#[derive(Clone, Copy)]
pub(crate) struct Kernels {
    /// Makes weights and their slopes from controls and errors.
    pub coefficients: Kernel,
    /// Makes `∂w/∂e` from the same.
    pub of_errors: Kernel,
}

parameters! {
    /// Entries of a part of an estimate, which begins at `offset`.
    WeightsEstimate { len: u32, offset: u32 }
    /// Entries, where their controls begin, and where their part of an estimate does.
    WeightsSlopes { len: u32, offset: u32, estimate_offset: u32 }
}

impl ByEntry {
    /// A stage of such weights, made by `kernels`, of the sizes `[inputs, outputs]`, whose controls begin at `offset`. `label` is what has the
    /// errors.
    pub fn stage(
        gpu: Gpu,
        sizes: [usize; 2],
        offset: usize,
        kernels: Kernels,
        label: &str,
        errors: Option<[&[f64]; 3]>,
    ) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let pods = errors.map(|[first, second, third]| {
            let entries = first.iter().zip(second).zip(third);
            entries.map(|((&a, &b), &c)| [1.0 + a, 1.0 + b, c, 0.0].map(|x| x as f32)).collect::<Vec<[f32; 4]>>()
        });
        let errors = pods.map(|pods| Vector::pods(context, label, &pods)).transpose()?;
        let slopes = Vector::zeros(context, "slopes of weights", sizes[1] * (sizes[0] + 1))?;
        let response = ByEntry { kernels, errors, slopes_of_errors: None };
        Ok(Box::new(WeightStage::new(gpu, sizes, offset, response, Some(slopes))?))
    }
}

impl Response for ByEntry {
    fn program(
        &self,
        gpu: &Gpu,
        parameters: Parameters,
        controls: &wgpu::Buffer,
        weights: &Vector,
        slopes: Option<&Vector>,
    ) -> Result<()> {
        let slopes = slopes.expect("such weights have slopes");
        let parameters = Parameters { has_errors: u32::from(self.errors.is_some()), ..parameters };
        let errors = self.errors.as_ref().unwrap_or(controls);
        let buffers = [controls, errors, &weights.buffer, &slopes.buffer];
        gpu.each(self.kernels.coefficients, &parameters, &buffers, weights.len)?;
        match &self.slopes_of_errors {
            Some(of_errors) => {
                gpu.each(self.kernels.of_errors, &parameters, &[controls, errors, of_errors], weights.len)
            }
            None => Ok(()),
        }
    }

    /// Each weight has a control of its own.
    fn to_controls(&self, _: &Gpu, _: Parameters, _: &wgpu::Buffer, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
    }

    fn take_on(&mut self, gpu: &Gpu, len: usize, (estimate, offset): At) -> Result<()> {
        let room = |label| gpu.commands.context.buffer(label, 16 * len as u64, wgpu::BufferUsages::STORAGE);
        if self.slopes_of_errors.is_none() {
            self.slopes_of_errors = Some(room("slopes of weights by their errors")?);
        }
        let errors = match &mut self.errors {
            Some(errors) => errors,
            none => none.insert(room("estimated errors of weights")?),
        };
        let parameters = WeightsEstimate { len: count(len)?, offset: count(offset)? };
        gpu.each(Kernel::WeightsEstimate, &parameters, &[estimate, &*errors], len)
    }

    fn to_imperfections(
        &self,
        gpu: &Gpu,
        Parameters { len, offset, .. }: Parameters,
        of_weights: &wgpu::Buffer,
        slopes: Option<&Vector>,
        gradient: &wgpu::Buffer,
        (imperfections, estimate_offset): At,
    ) -> Result<()> {
        let slopes = &slopes.expect("such weights have slopes").buffer;
        let of_errors = self.slopes_of_errors.as_ref().expect("an estimate was taken on");
        let parameters = WeightsSlopes { len, offset, estimate_offset: count(estimate_offset)? };
        let buffers = [of_weights, slopes, of_errors, gradient, imperfections];
        gpu.each(Kernel::WeightsSlopes, &parameters, &buffers, len as usize)
    }
}

/// `y = W x + b` with every weight and bias a function of controls.
pub(crate) struct WeightStage<R> {
    gpu: Gpu,
    inputs: usize,
    outputs: usize,
    offset: usize,
    response: R,
    /// Effective `[W row-major [output, input], b]`.
    weights: Vector,
    /// d(weight)/d(control) of every weight; none where all are 1.
    slopes: Option<Vector>,
}

impl<R: Response> WeightStage<R> {
    /// Weights from `inputs` to `outputs`, whose controls begin at `offset`.
    pub fn new(
        gpu: Gpu,
        [inputs, outputs]: [usize; 2],
        offset: usize,
        response: R,
        slopes: Option<Vector>,
    ) -> Result<Self> {
        let weights = Vector::zeros(&gpu.commands.context, "weights", outputs * (inputs + 1))?;
        Ok(WeightStage { gpu, inputs, outputs, offset, response, weights, slopes })
    }

    /// Memory of the gradient of weights.
    fn room_for_weights(&self) -> Needs {
        Needs::of(&[(Slot::Sums, 4 * self.weights.len as u64)])
    }

    fn parameters(&self) -> Result<Parameters> {
        Ok(Parameters { len: count(self.weights.len)?, offset: count(self.offset)?, has_errors: 0 })
    }
}

impl<R: Response> GpuStage for WeightStage<R> {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.response.program(&self.gpu, self.parameters()?, controls, &self.weights, self.slopes.as_ref())
    }

    fn take_on(&mut self, estimate: At) -> Result<()> {
        self.response.take_on(&self.gpu, self.weights.len, estimate)
    }

    fn needs(&self, _batch: usize, backward: bool) -> Needs {
        if !(backward && R::MIXES) {
            return Needs::default();
        }
        self.room_for_weights()
    }

    fn needs_of_imperfections(&self, _batch: usize) -> Needs {
        self.room_for_weights()
    }

    fn forward(&self, input: &wgpu::Buffer, batch: usize, output: &wgpu::Buffer, _: &Scratch) -> Result<()> {
        let weights = &self.weights.buffer;
        Product {
            a: View { buffer: input, row: self.inputs, column: 1 },
            b: View { buffer: weights, row: 1, column: self.inputs },
            sizes: [batch, self.inputs, self.outputs],
            afterwards: Afterwards::AddRow(weights, self.inputs * self.outputs),
            target: output,
            offset: 0,
        }
        .record(&self.gpu)
    }

    fn backward(&self, pass: &Backward) -> Result<()> {
        let (inputs, outputs, batch) = (self.inputs, self.outputs, pass.batch);
        Product {
            a: View { buffer: pass.adjoint, row: outputs, column: 1 },
            b: View { buffer: &self.weights.buffer, row: inputs, column: 1 },
            sizes: [batch, outputs, inputs],
            afterwards: Afterwards::Nothing,
            target: pass.adjoint_in,
            offset: 0,
        }
        .record(&self.gpu)?;
        let whole = R::MIXES || pass.imperfections.is_some(); // ∂L/∂w itself is asked for
        let slopes = self.slopes.as_ref().map(|slopes| &slopes.buffer).filter(|_| !whole);
        let (target, offset) = match whole {
            true => (pass.scratch.get(Slot::Sums), 0),
            false => (pass.gradient, self.offset),
        };
        Product {
            a: View { buffer: pass.adjoint, row: 1, column: outputs },
            b: View { buffer: pass.input, row: inputs, column: 1 },
            sizes: [outputs, batch, inputs],
            afterwards: slopes.map_or(Afterwards::Nothing, Afterwards::Multiply),
            target,
            offset,
        }
        .record(&self.gpu)?;
        Sum {
            source: pass.adjoint,
            rows: batch,
            columns: outputs,
            stride: outputs,
            factors: slopes.map(|slopes| (slopes, inputs * outputs)),
            scale: 1.0,
            target,
            offset: offset + inputs * outputs,
        }
        .record(&self.gpu)?;
        if R::MIXES {
            self.response.to_controls(&self.gpu, self.parameters()?, target, pass.gradient)?;
        }
        let Some(imperfections) = pass.imperfections else { return Ok(()) };
        let (parameters, slopes) = (self.parameters()?, self.slopes.as_ref());
        self.response.to_imperfections(&self.gpu, parameters, target, slopes, pass.gradient, imperfections)
    }
}
