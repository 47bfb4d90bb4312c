//! What matrices, banks and crossbars have in common: products with weights. How a weight follows its control, each says in its file.

use crate::engine::Gpu;
use crate::layout::Weights as Parameters;
use crate::product::{Afterwards, Product, View};
use crate::scratch::{Needs, Scratch, Slot};
use crate::stage::{Backward, GpuStage, OfStage, Training};
use crate::sums::Sum;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::stage::Controlled;
use at_shaders::Kernel;

/// Memory of such a stage: weights and slopes, and what its errors take.
pub(crate) fn memory(page: &impl Controlled, training: &Training) -> OfStage {
    let controls: usize = page.runs().iter().map(|run| run.count).sum();
    OfStage { networks: (8 + 20 * u64::from(training.imperfect)) * controls as u64, ..OfStage::NOTHING }
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
}

/// Every weight follows a control of its own, by three errors of its own.
pub(crate) struct ByEntry {
    kernel: Kernel,
    /// What the kernel takes of the errors, per entry; none where ideal.
    errors: Option<wgpu::Buffer>,
}

impl ByEntry {
    /// A stage of such weights, made by `kernel`, from `inputs` to `outputs`, whose controls begin at `offset`. Where there are errors,
    /// each three are told to the kernel as `taken` says; `label` is what they are.
    pub fn stage(
        gpu: Gpu,
        sizes: [usize; 2],
        offset: usize,
        kernel: Kernel,
        label: &str,
        errors: Option<[&[f64]; 3]>,
        taken: impl Fn([f64; 3]) -> [f64; 4],
    ) -> Result<Box<dyn GpuStage>> {
        let context = &gpu.commands.context;
        let pods = errors.map(|[first, second, third]| {
            let entries = first.iter().zip(second).zip(third);
            entries.map(|((&a, &b), &c)| taken([a, b, c]).map(|x| x as f32)).collect::<Vec<[f32; 4]>>()
        });
        let errors = pods.map(|pods| Vector::pods(context, label, &pods)).transpose()?;
        let slopes = Vector::zeros(context, "slopes of weights", sizes[1] * (sizes[0] + 1))?;
        Ok(Box::new(WeightStage::new(gpu, sizes, offset, ByEntry { kernel, errors }, Some(slopes))?))
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
        gpu.each(self.kernel, &parameters, &[controls, errors, &weights.buffer, &slopes.buffer], weights.len)
    }

    /// Each weight has a control of its own.
    fn to_controls(&self, _: &Gpu, _: Parameters, _: &wgpu::Buffer, _: &wgpu::Buffer) -> Result<()> {
        Ok(())
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

    fn parameters(&self) -> Result<Parameters> {
        Ok(Parameters { len: count(self.weights.len)?, offset: count(self.offset)?, has_errors: 0 })
    }
}

impl<R: Response> GpuStage for WeightStage<R> {
    fn program(&self, controls: &wgpu::Buffer) -> Result<()> {
        self.response.program(&self.gpu, self.parameters()?, controls, &self.weights, self.slopes.as_ref())
    }

    fn needs(&self, _batch: usize, backward: bool) -> Needs {
        if !(backward && R::MIXES) {
            return Needs::default();
        }
        Needs::of(&[(Slot::Sums, 4 * self.weights.len as u64)])
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
        let slopes = self.slopes.as_ref().map(|slopes| &slopes.buffer);
        let (target, offset) = match R::MIXES {
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
        match R::MIXES {
            true => self.response.to_controls(&self.gpu, self.parameters()?, target, pass.gradient),
            false => Ok(()),
        }
    }
}
