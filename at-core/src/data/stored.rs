//! Features that stay where they are, in a file or as a file's own bytes, and become numbers when somebody asks for their samples.

use crate::error::{Error, Result};
use crate::files::npy::{Element, Parsed};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

/// Bytes that are read at once at most, where samples lie one behind the other.
const MOST_AT_ONCE: usize = 1 << 20;

/// Where the bytes of a block are.
#[derive(Debug)]
pub(crate) enum Bytes {
    /// In an open file, which was last written at this time, where the system tells.
    File(Mutex<File>, Option<SystemTime>),
    /// In memory, as a file had them.
    Memory(Vec<u8>),
}

/// How the numbers of a sample lie in a file, and what becomes of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Arrangement {
    /// So many channels come last, `[row, column, channel]`; features have them first.
    pub channels_last: Option<usize>,
    /// Pixels are unsigned bytes, and become `value / 255`.
    pub pixels: bool,
}

impl Arrangement {
    /// Makes the features of the samples in `values`, `[samples, elements]` of `reals` each (1, or 2 of complex ones).
    pub fn arrange(self, values: &mut [f32], elements: usize, reals: usize) {
        if self.pixels {
            values.iter_mut().for_each(|value| *value /= 255.0);
        }
        let Some(channels) = self.channels_last else { return };
        let pixels = elements / channels;
        let mut room = vec![0.0; elements * reals];
        for sample in values.chunks_exact_mut(elements * reals) {
            room.copy_from_slice(sample);
            for (at, element) in room.chunks_exact(reals).enumerate() {
                let place = at % channels * pixels + at / channels;
                sample[place * reals..][..reals].copy_from_slice(element);
            }
        }
    }
}

/// Samples at even distances in one file.
#[derive(Debug)]
pub(crate) struct Block {
    /// The file, for messages.
    pub path: PathBuf,
    /// What it is read from.
    pub bytes: Bytes,
    /// Where the first sample begins.
    pub start: u64,
    /// Bytes from one sample to the next.
    pub step: usize,
    /// How many samples.
    pub samples: usize,
    /// Elements of each.
    pub elements: usize,
    /// What they are.
    pub element: Element,
    /// What becomes of them.
    pub arrangement: Arrangement,
}

impl Block {
    /// Opens the file `path` to be read in parts.
    pub fn open(path: &Path) -> Result<Bytes> {
        let file = crate::files::whole::open_regular(path)?;
        let written = modified(&file);
        Ok(Bytes::File(Mutex::new(file), written))
    }

    /// Numbers of a sample: two of every complex element.
    fn stride(&self) -> usize {
        self.elements * self.element.reals()
    }

    /// Samples `first..first + count`, one behind the other.
    fn read(&self, first: usize, count: usize, room: &mut Vec<u8>, into: &mut [f32]) -> Result<()> {
        let own = self.elements * self.element.bytes();
        let length = (count - 1) * self.step + own;
        let start = self.start + first as u64 * self.step as u64;
        let bytes = match &self.bytes {
            Bytes::Memory(all) => &all[start as usize..][..length],
            Bytes::File(file, written) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                room.resize(length, 0);
                let read = file.seek(SeekFrom::Start(start)).and_then(|_| file.read_exact(room));
                read.map_err(|error| match error.kind() {
                    std::io::ErrorKind::UnexpectedEof => {
                        Error::malformed(&self.path, "it has become shorter while it was read in parts")
                    }
                    _ => Error::file(&self.path, error),
                })?;
                if modified(&file) != *written {
                    let reason = "it was written to while it was read in parts, so that its samples are no longer the same; start again";
                    return Err(Error::malformed(&self.path, reason));
                }
                &room[..]
            }
        };
        let stride = self.stride();
        for (sample, into) in into.chunks_exact_mut(stride).enumerate() {
            let decoded: Parsed<()> = self.element.decode(&bytes[sample * self.step..][..own], into);
            decoded.map_err(|reason| Error::malformed(&self.path, reason))?;
        }
        self.arrangement.arrange(into, self.elements, self.element.reals());
        Ok(())
    }
}

fn modified(file: &File) -> Option<SystemTime> {
    file.metadata().and_then(|found| found.modified()).ok()
}

/// Which samples of the blocks, in which order.
#[derive(Debug, Clone, PartialEq)]
enum Chosen {
    /// The first so many.
    First(usize),
    /// These.
    These(Arc<[u32]>),
}

/// Features in blocks, of which some are chosen.
#[derive(Debug, Clone)]
pub struct Stored {
    blocks: Arc<[Block]>,
    chosen: Chosen,
    /// Numbers of a sample in the blocks.
    stride: usize,
    /// Beside every number stands the imaginary part 0.
    imaginary: bool,
    /// Numbers are moved and stretched, `(x − origin) / scale`, by one after the other of these.
    scales: Vec<Arc<[(f64, f64)]>>,
}

impl PartialEq for Stored {
    /// The same samples of the same open files.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.blocks, &other.blocks)
            && (&self.chosen, self.imaginary, &self.scales) == (&other.chosen, other.imaginary, &other.scales)
    }
}

impl Stored {
    /// All samples of `blocks`, which have the same elements.
    pub(crate) fn new(blocks: Vec<Block>) -> Self {
        let samples = blocks.iter().map(|block| block.samples).sum();
        let stride = blocks.first().map_or(0, Block::stride);
        Stored { blocks: blocks.into(), chosen: Chosen::First(samples), stride, imaginary: false, scales: Vec::new() }
    }

    /// Number of samples.
    pub fn samples(&self) -> usize {
        match &self.chosen {
            Chosen::First(count) => *count,
            Chosen::These(order) => order.len(),
        }
    }

    /// Numbers per sample.
    pub fn stride(&self) -> usize {
        if self.imaginary { 2 * self.stride } else { self.stride }
    }

    /// The samples at `order`, in that order, still in their files. Panics where there is no such sample, as slices do.
    pub(crate) fn select(&self, order: &[u32]) -> Self {
        let order = order.iter().map(|&index| self.place(index as usize) as u32).collect();
        Stored { chosen: Chosen::These(order), ..self.clone() }
    }

    /// Keeps the first `count`, of which there are at least so many.
    pub(crate) fn truncate(&mut self, count: usize) {
        self.chosen = match &self.chosen {
            Chosen::First(_) => Chosen::First(count),
            Chosen::These(order) => Chosen::These(order[..count].into()),
        };
    }

    /// The same with imaginary parts, which are 0.
    pub(crate) fn into_complex(self) -> Self {
        Stored { imaginary: true, ..self }
    }

    /// Every number becomes `(x − origin) / scale` of its place.
    pub(crate) fn rescale(&mut self, scale: &[(f64, f64)]) {
        self.scales.push(scale.into());
    }

    /// Where sample `index` is in the blocks.
    fn place(&self, index: usize) -> usize {
        match &self.chosen {
            Chosen::First(count) => {
                assert!(index < *count, "sample {index} of {count}");
                index
            }
            Chosen::These(order) => order[index] as usize,
        }
    }

    /// Reads the samples `order` into `[order, stride]`. Whatever the order, files are read from front to back.
    pub fn read(&self, order: &[u32], into: &mut [f32]) -> Result<()> {
        let stride = self.stride();
        debug_assert_eq!(into.len(), order.len() * stride);
        let mut places: Vec<(usize, usize)> =
            order.iter().enumerate().map(|(at, &index)| (self.place(index as usize), at)).collect();
        places.sort_unstable();
        let (mut bytes, mut room) = (Vec::new(), Vec::new());
        let (mut first_of_block, mut block) = (0, 0);
        let mut rest = &places[..];
        while let Some(&(start, _)) = rest.first() {
            while start >= first_of_block + self.blocks[block].samples {
                first_of_block += self.blocks[block].samples;
                block += 1;
            }
            let own = &self.blocks[block];
            let most = (MOST_AT_ONCE / own.step.max(1)).max(1);
            let end = (start + most).min(first_of_block + own.samples);
            // the longest run without a gap
            let follows = |pair: &[(usize, usize)]| pair[1].0 - pair[0].0 <= 1 && pair[1].0 < end;
            let run = 1 + rest.windows(2).take_while(|pair| follows(pair)).count();
            let count = rest[run - 1].0 - start + 1;
            room.resize(count * self.stride, 0.0);
            own.read(start - first_of_block, count, &mut bytes, &mut room)?;
            for &(place, at) in &rest[..run] {
                let row = &room[(place - start) * self.stride..][..self.stride];
                self.give(row, &mut into[at * stride..][..stride]);
            }
            rest = &rest[run..];
        }
        Ok(())
    }

    /// A sample as it is given out.
    fn give(&self, row: &[f32], into: &mut [f32]) {
        match self.imaginary {
            false => into.copy_from_slice(row),
            true => into.as_chunks_mut::<2>().0.iter_mut().zip(row).for_each(|(pair, &re)| *pair = [re, 0.0]),
        }
        self.scales.iter().for_each(|scale| rescale(into, scale));
    }
}

/// `x ← (x − origin) / scale` of a sample.
pub(crate) fn rescale(sample: &mut [f32], scale: &[(f64, f64)]) {
    for (x, (origin, scale)) in sample.iter_mut().zip(scale) {
        *x = ((f64::from(*x) - origin) / scale) as f32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::npy::BYTE;

    /// Two blocks of 3 and 2 samples of 4 bytes with one byte before each.
    fn stored() -> Stored {
        let block = |from: u8, samples: usize| Block {
            path: "block".into(),
            bytes: Bytes::Memory((0..5 * samples as u8).map(|k| from + k).collect()),
            start: 1,
            step: 5,
            samples,
            elements: 4,
            element: BYTE,
            arrangement: Arrangement { channels_last: None, pixels: false },
        };
        Stored::new(vec![block(0, 3), block(100, 2)])
    }

    fn read(stored: &Stored, order: &[u32]) -> Vec<f32> {
        let mut into = vec![f32::NAN; order.len() * stored.stride()];
        stored.read(order, &mut into).unwrap();
        into
    }

    #[test]
    fn samples_come_in_the_order_asked_for_across_blocks() {
        let all = stored();
        assert_eq!((all.samples(), all.stride()), (5, 4));
        assert_eq!(read(&all, &[4, 0, 2, 2, 3])[..8], [106., 107., 108., 109., 1., 2., 3., 4.]);
        assert_eq!(read(&all, &[4, 0, 2, 2, 3])[8..], [11., 12., 13., 14., 11., 12., 13., 14., 101., 102., 103., 104.]);
        let some = all.select(&[3, 1, 4]);
        assert_eq!(read(&some, &[1, 0]), [6., 7., 8., 9., 101., 102., 103., 104.]);
        let mut one = some.select(&[2, 0]);
        one.truncate(1);
        assert_eq!((one.samples(), read(&one, &[0])), (1, vec![106., 107., 108., 109.]));
    }

    #[test]
    fn numbers_are_scaled_and_completed_as_they_are_read() {
        let mut pairs = stored().into_complex();
        pairs.rescale(&[(0.0, 2.0); 8]);
        assert_eq!(read(&pairs, &[0]), [0.5, 0., 1., 0., 1.5, 0., 2., 0.]);
    }

    #[test]
    fn channels_that_come_last_come_first() {
        let mut values = [1., 10., 2., 20., 3., 30.];
        Arrangement { channels_last: Some(2), pixels: false }.arrange(&mut values, 6, 1);
        assert_eq!(values, [1., 2., 3., 10., 20., 30.]);
        let mut pairs = [1., -1., 10., -10., 2., -2., 20., -20.];
        Arrangement { channels_last: Some(2), pixels: false }.arrange(&mut pairs, 4, 2);
        assert_eq!(pairs, [1., -1., 2., -2., 10., -10., 20., -20.]);
        let mut pixels = [255., 51.];
        Arrangement { channels_last: None, pixels: true }.arrange(&mut pixels, 2, 1);
        assert_eq!(pixels, [1.0, 0.2]);
    }
}
