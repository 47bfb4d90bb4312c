//! Flat vectors on the device, and the bytes between them and the host.

use crate::context::Context;
use at_core::error::same_size;
use at_core::{Error, Real, Result};

/// What a vector may be used for.
const USAGE: wgpu::BufferUsages =
    wgpu::BufferUsages::STORAGE.union(wgpu::BufferUsages::COPY_SRC).union(wgpu::BufferUsages::COPY_DST);

/// A flat vector of `f32` on one device.
pub struct Vector {
    pub(crate) buffer: wgpu::Buffer,
    pub(crate) len: usize,
}

/// A flat vector on the device, and where a stage's part of it begins.
pub(crate) type At<'a> = (&'a wgpu::Buffer, usize);

/// A flat vector of indices on one device, with what bounds them: a kernel cannot report an index that leads nowhere.
pub struct Indices {
    pub(crate) buffer: wgpu::Buffer,
    pub(crate) len: usize,
    /// Every entry is below this.
    pub(crate) bound: usize,
}

impl Vector {
    /// `len` zeros.
    pub(crate) fn zeros(context: &Context, label: &str, len: usize) -> Result<Self> {
        count_values(context, label, len)?;
        Ok(Vector { buffer: context.buffer(label, 4 * len as u64, USAGE)?, len })
    }

    /// A copy of `values`, rounded to `f32`. It may exceed what one binding holds: a data set is gathered from in parts.
    pub(crate) fn upload<R: Real>(context: &Context, label: &str, values: &[R]) -> Result<Self> {
        let len = values.len();
        count_values(context, label, len)?;
        let vector = Vector { buffer: context.buffer_in_parts(label, 4 * len as u64, USAGE)?, len };
        // In pieces, so that a large data set is not in memory twice.
        for (index, piece) in values.chunks(PIECE).enumerate() {
            let rounded: Vec<f32> = piece.iter().map(|value| value.wide() as f32).collect();
            let start = 4 * (index * PIECE) as u64;
            context.queue.write_buffer(&vector.buffer, start, bytemuck::cast_slice(&rounded));
        }
        context.check()?;
        Ok(vector)
    }

    /// A new buffer that holds `values`, or 16 unused bytes where there are none.
    pub(crate) fn pods<T: bytemuck::NoUninit>(context: &Context, label: &str, values: &[T]) -> Result<wgpu::Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        Self::fill(context, context.buffer(label, bytes.len() as u64, USAGE)?, bytes)
    }

    /// The same, to be bound in parts.
    pub(crate) fn pods_in_parts<T: bytemuck::NoUninit>(
        context: &Context,
        label: &str,
        values: &[T],
    ) -> Result<wgpu::Buffer> {
        let bytes: &[u8] = bytemuck::cast_slice(values);
        Self::fill(context, context.buffer_in_parts(label, bytes.len() as u64, USAGE)?, bytes)
    }

    fn fill(context: &Context, buffer: wgpu::Buffer, bytes: &[u8]) -> Result<wgpu::Buffer> {
        for (index, piece) in bytes.chunks(4 * PIECE).enumerate() {
            context.queue.write_buffer(&buffer, (4 * index * PIECE) as u64, piece);
        }
        context.check()?;
        Ok(buffer)
    }
}

fn count_values(context: &Context, label: &str, len: usize) -> Result<u32> {
    u32::try_from(len).map_err(|_| context.error(format!("counts in 32 bits, and `{label}` has {len} values")))
}

/// Values per transfer.
const PIECE: usize = 1 << 22;

impl Indices {
    /// A copy of `values`.
    pub(crate) fn upload(context: &Context, values: &[u32]) -> Result<Self> {
        let bound = values.iter().max().map_or(0, |&most| most as usize + 1);
        Ok(Indices { buffer: Vector::pods(context, "indices", values)?, len: values.len(), bound })
    }
}

/// `value` as the kernels count.
pub(crate) fn count(value: usize) -> Result<u32> {
    u32::try_from(value).map_err(|_| Error::invalid("size", value, "a GPU counts to 2^32; use a smaller batch"))
}

/// Errs unless `start..start+count` lies in `0..len`.
pub(crate) fn check_range(what: &str, len: usize, start: usize, count: usize) -> Result<()> {
    match start.checked_add(count) {
        Some(end) if end <= len => Ok(()),
        end => same_size(what, end.unwrap_or(usize::MAX), len),
    }
}
