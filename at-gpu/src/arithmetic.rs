//! The engine's operations on flat vectors: combinations, rows of a data set, losses, optimizer steps.

use crate::commands::Span;
use crate::engine::Gpu;
use crate::layout::{Adam, Combine, CopyColumns, Gather, Length, Loss as LossParameters, Tally};
use crate::product::{Afterwards, Product, View};
use crate::vectors::{Indices, Vector, check_range, count};
use at_core::engine::{
    Columns, Engine, Factor, Loss, LossKind, Normalization, Optimizer, OptimizerState, Targets, adam_rate, groups,
    product_sizes,
};
use at_core::error::same_size;
use at_core::{Error, Real, Result};
use at_shaders::Kernel;

/// Elements per workgroup of the elementwise kernels.
const ELEMENTS: usize = 64;

/// So many rows of any width end at a multiple of 256 bytes, where a binding may start.
pub(crate) const ROWS_ALIGNED: usize = 64;

/// Most samples whose losses one workgroup of 256 adds up without passing [`crate::LOOP_CAP`].
const MOST_TALLIED: usize = 256 * 60_000;

impl Gpu {
    /// Runs an elementwise kernel over `elements`.
    pub(crate) fn each<'a, P: crate::layout::Parameters, S: Into<Span<'a>> + Copy>(
        &self,
        kernel: Kernel,
        parameters: &P,
        buffers: &[S],
        elements: usize,
    ) -> Result<()> {
        let pipeline = self.commands.pipeline(kernel, &[])?;
        self.commands.dispatch(&pipeline, parameters, buffers, elements.div_ceil(ELEMENTS))
    }

    /// Rows of `width` values of which one binding holds a multiple that ends where the next part may start.
    fn rows_of_a_binding(&self, width: usize) -> Result<usize> {
        let binding = self.commands.context.limits.max_storage_buffer_binding_size as usize;
        match binding / (4 * ROWS_ALIGNED * width.max(1)) * ROWS_ALIGNED {
            0 => {
                let reason = format!(
                    "sees at most {binding} bytes at once, fewer than {ROWS_ALIGNED} samples of {width} values"
                );
                Err(self.commands.context.error(reason))
            }
            rows => Ok(rows),
        }
    }

    fn combine_vectors(&self, a: f64, x: &Vector, b: f64, y: &Vector) -> Result<()> {
        self.combine_buffers(a, &x.buffer, b, &y.buffer, y.len)
    }

    /// `y ← a·x + b·y` of the first `reals` of both.
    pub(crate) fn combine_buffers(
        &self,
        a: f64,
        x: &wgpu::Buffer,
        b: f64,
        y: &wgpu::Buffer,
        reals: usize,
    ) -> Result<()> {
        let parameters = Combine { len: count(reals)?, a: a as f32, b: b as f32 };
        self.each(Kernel::Combine, &parameters, &[x, y], reals)
    }
}

impl Engine for Gpu {
    type Buffer = Vector;
    type Indices = Indices;

    fn describe(&self) -> String {
        let adapter = self.adapter();
        format!("gpu f32, {} ({})", adapter.name, adapter.backend)
    }

    fn zeros(&self, len: usize) -> Result<Vector> {
        Vector::zeros(&self.commands.context, "vector", len)
    }

    fn upload<R: Real>(&self, values: &[R]) -> Result<Vector> {
        Vector::upload(&self.commands.context, "vector", values)
    }

    fn finish(&self) -> Result<()> {
        self.commands.finish()
    }

    fn download(&self, buffer: &Vector) -> Result<Vec<f64>> {
        let bytes = self.commands.read(&buffer.buffer, 4 * buffer.len as u64)?;
        Ok(bytemuck::pod_collect_to_vec::<u8, f32>(&bytes).into_iter().map(f64::from).collect())
    }

    fn upload_indices(&self, values: &[u32]) -> Result<Indices> {
        Indices::upload(&self.commands.context, values)
    }

    fn combine(&self, a: f64, x: &Vector, b: f64, y: &mut Vector) -> Result<()> {
        same_size("vectors to combine", y.len, x.len)?;
        self.combine_vectors(a, x, b, y)
    }

    fn multiply(&self, x: &Vector, y: &mut Vector) -> Result<()> {
        same_size("vectors to multiply", y.len, x.len)?;
        self.each(Kernel::Multiply, &Length { len: count(y.len)? }, &[&x.buffer, &y.buffer], y.len)
    }

    fn product(&self, sizes: [usize; 3], a: Factor<Vector>, b: Factor<Vector>, target: &mut Vector) -> Result<()> {
        let [rows, inner, columns] = product_sizes(sizes)?;
        check_range("first factor", a.values.len, 0, rows * inner)?;
        check_range("second factor", b.values.len, 0, inner * columns)?;
        check_range("room for a product", target.len, 0, rows * columns)?;
        let (a_stride, b_stride) = (a.stride(rows, inner), b.stride(inner, columns));
        Product {
            a: View { buffer: &a.values.buffer, row: a_stride.0, column: a_stride.1 },
            b: View { buffer: &b.values.buffer, row: b_stride.0, column: b_stride.1 },
            sizes,
            afterwards: Afterwards::Nothing,
            target: &target.buffer,
            offset: 0,
        }
        .record(self)
    }

    fn gather(
        &self,
        source: &Vector,
        width: usize,
        order: &Indices,
        start: usize,
        rows: usize,
        target: &mut Vector,
    ) -> Result<()> {
        check_range("samples to gather", order.len, start, rows)?;
        check_range("room for gathered samples", target.len, 0, rows * width)?;
        check_range("samples of the data set", source.len, 0, order.bound * width)?;
        let seen = self.rows_of_a_binding(width)?;
        for first in (0..order.bound).step_by(seen) {
            let part = seen.min(order.bound - first);
            let parameters = Gather {
                count: count(rows)?,
                width: count(width)?,
                start: count(start)?,
                first: count(first)?,
                rows: count(part)?,
            };
            let (start, bytes) = (4 * (first * width) as u64, Some(4 * (part * width) as u64));
            let buffers =
                [Span { buffer: &source.buffer, start, bytes }, (&order.buffer).into(), (&target.buffer).into()];
            self.each(Kernel::Gather, &parameters, &buffers, rows * width)?;
        }
        Ok(())
    }

    fn gather_indices(
        &self,
        source: &Indices,
        order: &Indices,
        start: usize,
        rows: usize,
        target: &mut Indices,
    ) -> Result<()> {
        check_range("labels to gather", order.len, start, rows)?;
        check_range("room for gathered labels", target.len, 0, rows)?;
        check_range("labels of the data set", source.len, 0, order.bound)?;
        // What the target held beyond these rows stays there.
        target.bound = if rows == target.len { source.bound } else { source.bound.max(target.bound) };
        let (count, start, rows_seen) = (count(rows)?, count(start)?, count(source.len)?);
        let parameters = Gather { count, width: 1, start, first: 0, rows: rows_seen };
        self.each(Kernel::GatherIndices, &parameters, &[&source.buffer, &order.buffer, &target.buffer], rows)
    }

    fn copy_columns(
        &self,
        [rows, columns]: [usize; 2],
        from: Columns,
        source: &Vector,
        to: Columns,
        target: &mut Vector,
    ) -> Result<()> {
        from.check("columns to copy", [rows, columns], source.len)?;
        to.check("room for copied columns", [rows, columns], target.len)?;
        let parameters = CopyColumns {
            rows: count(rows)?,
            count: count(columns)?,
            from_width: count(from.width)?,
            from_first: count(from.first)?,
            to_width: count(to.width)?,
            to_first: count(to.first)?,
        };
        self.each(Kernel::CopyColumns, &parameters, &[&source.buffer, &target.buffer], rows * columns)
    }

    fn loss(
        &self,
        loss: &Loss,
        readout: &Vector,
        outputs: usize,
        targets: Targets<'_, Self>,
        batch: usize,
        error: Option<&mut Vector>,
        tally: &mut Vector,
    ) -> Result<()> {
        match targets {
            Targets::Classes(labels) => check_range("labels of the batch", labels.len, 0, batch)?,
            Targets::Values(values) => {
                loss.check_real()?;
                check_range("targets of the batch", values.len, 0, batch * loss.classes)?;
            }
        }
        let groups = groups(tally.len, batch)?;
        loss.check(outputs)?;
        check_range("readouts of the batch", readout.len, 0, batch * outputs)?;
        if let Some(error) = &error {
            check_range("room for errors", error.len, 0, batch * outputs)?;
        }
        if let Targets::Classes(labels) = targets
            && batch > 0
            && labels.bound > loss.classes
        {
            let reason = format!("there are {} classes, from 0", loss.classes);
            return Err(Error::invalid("label", labels.bound - 1, reason));
        }
        check_range("samples of one batch on a GPU", MOST_TALLIED, 0, batch / groups)?;
        // The slot stays locked until both stages are recorded: another thread's loss comes before or after, not between.
        let scores = self.scores(batch)?;
        let scores = scores.as_ref().expect("was made above");
        let parameters = LossParameters {
            batch: count(batch)?,
            outputs: count(outputs)?,
            classes: count(loss.classes)?,
            comparison: match (targets, loss.kind) {
                (Targets::Classes(_), LossKind::CrossEntropy) => 0,
                (Targets::Classes(_), LossKind::MeanSquare) => 1,
                (Targets::Values(_), LossKind::MeanSquare | LossKind::CrossEntropy) => 2, // was checked above
            },
            normalization: match loss.normalization {
                Normalization::None => 0,
                Normalization::Total => 1,
                Normalization::L2 => 2,
            },
            gain: loss.gain as f32,
            weight: loss.weight(batch) as f32,
            wants_error: u32::from(error.is_some()),
        };
        // Without an error nothing is written there, but something must be bound.
        let target = error.map_or(&scores.errors.buffer, |error| &error.buffer);
        let pipeline = self.commands.pipeline(Kernel::Loss, &[])?;
        let wanted = match targets {
            Targets::Classes(labels) => &labels.buffer,
            Targets::Values(values) => &values.buffer,
        };
        let buffers = [&readout.buffer, wanted, target, &scores.values.buffer];
        self.commands.dispatch(&pipeline, &parameters, &buffers, batch)?;
        let pipeline = self.commands.pipeline(Kernel::Tally, &[])?;
        let parameters = Tally { batch: count(batch)?, groups: count(groups)? };
        self.commands.dispatch(&pipeline, &parameters, &[&scores.values.buffer, &tally.buffer], groups)
    }

    fn optimize(
        &self,
        optimizer: &Optimizer,
        learning_rate: f64,
        gradient: &Vector,
        state: &mut OptimizerState<Self>,
        parameters: &mut Vector,
    ) -> Result<()> {
        same_size("gradient", parameters.len, gradient.len)?;
        same_size("optimizer moments", optimizer.moments(), state.moments.len())?;
        for moment in &state.moments {
            same_size("optimizer moment", parameters.len, moment.len)?;
        }
        state.step += 1;
        match *optimizer {
            Optimizer::Sgd => self.combine_vectors(-learning_rate, gradient, 1.0, parameters),
            Optimizer::Momentum { momentum } => {
                let [velocity] = &state.moments[..] else { unreachable!("as many as the optimizer has") };
                self.combine_vectors(1.0, gradient, momentum, velocity)?;
                self.combine_vectors(-learning_rate, velocity, 1.0, parameters)
            }
            Optimizer::Adam { beta1, beta2, epsilon } => {
                let [first, second] = &state.moments[..] else { unreachable!("as many as the optimizer has") };
                let step = Adam {
                    len: count(parameters.len)?,
                    rate: adam_rate(learning_rate, state.step, beta1, beta2) as f32,
                    floor: (epsilon * (1.0 - beta2.powf(state.step as f64)).sqrt()) as f32,
                    keep_first: beta1 as f32,
                    take_first: (1.0 - beta1) as f32,
                    keep_second: beta2 as f32,
                    take_second: (1.0 - beta2) as f32,
                };
                let buffers = [&gradient.buffer, &first.buffer, &second.buffer, &parameters.buffer];
                self.each(Kernel::Adam, &step, &buffers, parameters.len)
            }
        }
    }
}
