//! Samples that stay in their file: whatever is done with them takes a small part of the memory that they would take.

use at_core::data::{Choices, Dataset, Encoding, SampleLimits, Scale, Source, open_chosen};
use at_tests::allocations::Counting;
use std::io::Write;
use std::path::Path;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// Images of one byte per pixel, and what they would take as numbers: 92 MB.
const IMAGES: usize = 10_000;
const SIDE: usize = 48;
/// Most bytes that may be taken: labels and orders of 10000 samples, and some buffers of 1 MiB.
const MOST: usize = 8 << 20;
/// Samples of a batch.
const BATCH: usize = 50;

fn write(path: &Path, descr: &str, shape: &str, bytes: impl Iterator<Item = u8>) {
    let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({shape}), }}\n");
    let mut file = std::io::BufWriter::new(std::fs::File::create(path).unwrap());
    file.write_all(b"\x93NUMPY\x01\x00").unwrap();
    file.write_all(&(header.len() as u16).to_le_bytes()).unwrap();
    file.write_all(header.as_bytes()).unwrap();
    bytes.for_each(|byte| file.write_all(&[byte]).unwrap());
    file.flush().unwrap();
}

fn pixel(image: usize, at: usize) -> u8 {
    (image * 31 + at * at % 127) as u8
}

/// One test, because the count is that of the whole process.
#[test]
fn a_data_set_in_parts_takes_no_memory_to_speak_of() {
    let folder = tempfile::tempdir().unwrap();
    let (x, y) = (folder.path().join("x.npy"), folder.path().join("y.npy"));
    let pixels = (0..IMAGES).flat_map(|image| (0..SIDE * SIDE).map(move |at| pixel(image, at)));
    write(&x, "|u1", &format!("{IMAGES}, {SIDE}, {SIDE}"), pixels);
    write(&y, "|u1", &format!("{IMAGES},"), (0..IMAGES).map(|image| (image % 10) as u8));
    let files = format!("{},{}", x.display(), y.display());
    let prepared = |memory, scale| -> Dataset {
        let choices = Choices { memory, ..Choices::default() };
        let set = open_chosen(&files, &Source::default(), &choices).unwrap();
        set.prepared(SampleLimits::default(), scale).unwrap()
    };
    rayon_is_warm();

    let before = MEMORY.held();
    MEMORY.restart();
    let set = prepared(Some(1 << 20), Scale::Standard);
    assert!(set.is_stored());
    let contents = set.contents().unwrap();
    let encoding = Encoding::FourierCrop { size: 4 };
    let mut sums = Vec::new();
    for start in (0..set.train.len()).step_by(BATCH) {
        let order: Vec<u32> = (0..BATCH).map(|at| ((start + at) * 7919 % set.train.len()) as u32).collect();
        let encoded = encoding.encode(&set.train.select(&order), set.image).unwrap();
        sums.push(encoded.signals.iter().map(|x| f64::from(*x)).sum::<f64>());
    }
    let peak = MEMORY.peak() - before;
    assert!(peak < MOST, "{peak} bytes for images of {} bytes as numbers", 4 * IMAGES * SIDE * SIDE);

    // and nothing is another number than in memory
    let held = prepared(None, Scale::Standard);
    assert_eq!(held.contents().unwrap(), contents);
    let order: Vec<u32> = (0..BATCH).map(|at| (at * 7919 % held.train.len()) as u32).collect();
    let first = encoding.encode(&held.train.select(&order), held.image).unwrap();
    assert_eq!(first.signals.iter().map(|x| f64::from(*x)).sum::<f64>(), sums[0]);
}

/// Threads and their room are there before anything is counted.
fn rayon_is_warm() {
    let samples = at_core::data::load(at_core::data::DatasetName::Digits, &Source::default()).unwrap();
    Encoding::FourierCrop { size: 4 }.encode(&samples.train, samples.image).unwrap();
}
