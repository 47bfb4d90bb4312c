//! Files that went wrong, by the million: each is read or refused, without a panic, in memory that follows from its size.
//!
//! An ordinary run tries some thousands. For more, say how many in all:
//!
//! ```sh
//! AT_FUZZ_INPUTS=10000000 nice -n 19 cargo test -p at-tests --test fuzz -- --nocapture
//! ```
//!
//! Inputs follow from their number, so a failure comes again; the file that failed is kept and named.

use at_core::chip::{Accesses, State};
use at_core::cost::{ChipSize, CostModel};
use at_core::data::{self, Choices, DatasetName, Source};
use at_core::files::matrix_file::parse_matrix;
use at_core::files::npy::NpyArray;
use at_core::files::npz::Npz;
use at_core::files::phase_file::read_phases;
use at_core::optics::Convention;
use at_core::training::checkpoint::{Checkpoint, SavedParameters};
use at_core::training::{MethodName, Record};
use at_tests::allocations::Counting;
use at_tests::mutation::Mutator;
use flate2::write::{DeflateEncoder, GzEncoder, ZlibEncoder};
use flate2::{Compression, Crc};
use md5::{Digest, Md5};
use ndarray::{Array1, Array2};
use ndarray_npy::WriteNpyExt;
use num_complex::Complex64;
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// Inputs of an ordinary run.
const FEW: usize = 8_000;
/// What any reader may take beside a multiple of the file: buffers, tables of a decoder, messages.
const SLACK: usize = 2 << 20;
/// Most bytes of memory per byte of a file that is not packed: JSON and TOML become trees.
const PLAIN: usize = 256;
/// And of one that is: deflate packs 1032 zeros into a byte, and a byte may become a float64, twice over.
const PACKED: usize = 1032 * 20;

/// Bytes that are wrong in some way, of a seed.
type Make = fn(&[u8], &mut Mutator) -> Vec<u8>;

struct Format {
    name: &'static str,
    /// Of a hundred inputs.
    share: usize,
    multiple: usize,
    seeds: Vec<Vec<u8>>,
    make: Make,
    read: fn(&[u8], &Path),
}

fn plain(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    mutator.mutate(seed)
}

fn npy_seeds() -> Vec<Vec<u8>> {
    let mut seeds = vec![Vec::new(); 4];
    Array2::from_elem((3, 2), 0.5_f64).write_npy(&mut seeds[0]).unwrap();
    Array2::from_elem((2, 3), Complex64::I).t().write_npy(&mut seeds[1]).unwrap();
    Array1::from(vec![1_i16, -2, 3]).write_npy(&mut seeds[2]).unwrap();
    Array1::from(vec![true, false]).write_npy(&mut seeds[3]).unwrap();
    let header = "{\"descr\": '<f16', 'fortran_order': False, 'shape': (1L, 2L), }\n";
    let long = [b"\x93NUMPY\x01\x00".as_slice(), &(header.len() as u16).to_le_bytes(), header.as_bytes(), &[0; 32]];
    seeds.push(long.concat());
    seeds
}

fn read_npy(content: &[u8], _: &Path) {
    if let Ok(array) = NpyArray::parse(content) {
        let _ = (array.reals().map(drop), array.complexes().map(drop), array.text());
    }
}

/// A zip file of deflated entries.
fn zip(entries: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut content, mut list) = (Vec::new(), Vec::new());
    for (name, bytes) in entries {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(bytes);
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0];
        for number in [crc.sum(), packed.len() as u32, bytes.len() as u32, name.len() as u32] {
            common.extend(number.to_le_bytes());
        }
        list.extend([b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10]].concat());
        list.extend((content.len() as u32).to_le_bytes());
        list.extend(name.bytes());
        content.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), &packed].concat());
    }
    let (count, start) = ((entries.len() as u16).to_le_bytes(), content.len() as u32);
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &(list.len() as u32).to_le_bytes()].concat();
    [content, list, end, start.to_le_bytes().to_vec(), vec![0, 0]].concat()
}

/// Wrong inside, with the checksums of that, or wrong outside.
fn wrong_zip(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    let (inside, mut table) = (mutator.below(2) == 0, Vec::new());
    Array2::<f32>::zeros((2, 1)).write_npy(&mut table).unwrap();
    let gamma = if inside { mutator.mutate(seed) } else { seed.to_vec() };
    let file = zip(&[("mesh0.theta.npy", &table), ("mesh0.phi.npy", &table), ("mesh0.gamma.npy", &gamma)]);
    if inside { file } else { mutator.mutate(&file) }
}

fn read_npz(content: &[u8], path: &Path) {
    if let Ok(file) = Npz::parse(path, content.to_vec()) {
        for name in file.names().map(str::to_string).collect::<Vec<_>>() {
            let _ = file.array(&name).map(|array| array.reals());
        }
    }
    if content.len().is_multiple_of(8) {
        std::fs::write(path, content).unwrap();
        let _ = read_phases(path, Some(Convention::Native));
    }
}

/// A MATLAB file with a complex 2 × 2 matrix `U` and a number `n`.
fn mat_seed() -> Vec<u8> {
    let element = |kind: u32, data: &[u8]| {
        let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
        bytes.extend(data);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes
    };
    let variable = |class: u32, name: u8, lengths: [u32; 2], parts: &[Vec<u8>]| {
        let flags = element(6, &[class.to_le_bytes(), [0; 4]].concat());
        let lengths = element(5, &lengths.map(u32::to_le_bytes).concat());
        element(14, &[flags, lengths, vec![1, 0, 1, 0, name, 0, 0, 0], parts.concat()].concat())
    };
    let part = || element(9, &[0.5_f64, 1.0, -1.0, 2.0].map(f64::to_le_bytes).concat());
    let mut file = b"MATLAB 5.0 MAT-file".to_vec();
    file.resize(124, b' ');
    file.extend([0, 1, b'I', b'M']);
    file.extend(variable(0x0806, b'U', [2, 2], &[part(), part()]));
    file.extend(variable(6, b'n', [1, 1], &[vec![2, 0, 1, 0, 7, 0, 0, 0]]));
    file
}

/// Wrong as it is, or wrong within a packed variable.
fn wrong_mat(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    if mutator.below(2) == 0 {
        return mutator.mutate(seed);
    }
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(&mutator.mutate(&seed[128..])).unwrap();
    let packed = encoder.finish().unwrap();
    [&seed[..128], &15_u32.to_le_bytes(), &(packed.len() as u32).to_le_bytes(), &packed].concat()
}

fn read_mat(content: &[u8], _: &Path) {
    let _ = (parse_matrix(content, None), parse_matrix(content, Some("U")));
}

/// The metadata of a checkpoint, which is JSON.
fn checkpoint_seed() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let record = Record {
        method: MethodName::At,
        chip: 0,
        epoch: 1,
        learning_rate: 0.1,
        train_loss: 1.5,
        judged_by: Default::default(),
        train_score: 0.5,
        test_loss: 1.25,
        test_score: 0.75,
        accesses: Accesses { reads: 100, ..Accesses::default() },
        alignment: Some(0.5),
        measuring: false,
    };
    let controls =
        SavedParameters { name: "controls".into(), values: vec![0.5; 3], step: 7, moments: vec![vec![0.25; 3]] };
    let checkpoint = Checkpoint {
        fingerprint: "{}".into(),
        method: MethodName::At,
        epoch: 1,
        chip: State { accesses: record.accesses, passes: 3, programmings: 4, drifted: Vec::new() },
        others: Vec::new(),
        shared: Accesses::default(),
        network: None,
        arrays: Vec::new(),
        arithmetic: Vec::new(),
        ranks: 1,
        records: vec![record],
        parameters: vec![controls],
    };
    checkpoint.save(&path).unwrap();
    let file = std::fs::read(&path).unwrap();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let header: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    header["__metadata__"]["asyt-checkpoint"].as_str().unwrap().into()
}

/// Wrong metadata and numbers under a right checksum, or wrong all over.
fn wrong_checkpoint(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    let inside = mutator.below(2) == 0;
    let text = if inside { mutator.mutate(seed) } else { seed.to_vec() };
    let text = String::from_utf8_lossy(&text).into_owned();
    let mut tensors = [0.5_f64, 0.5, 0.5, 0.25, 0.25, 0.25].map(f64::to_le_bytes).concat();
    if inside && mutator.below(4) == 0 {
        tensors = mutator.mutate(&tensors);
        tensors.resize(48, 0);
    }
    let mut digest = Md5::new();
    for part in [text.as_bytes(), &tensors[..24], &tensors[24..]] {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    tensors.extend(digest.finalize());
    let entry = |kind: &str, length: usize, start: usize, end: usize| serde_json::json!({ "dtype": kind, "shape": [length], "data_offsets": [start, end] });
    let header = serde_json::json!({
        "__metadata__": { "asyt-checkpoint": text },
        "controls": entry("F64", 3, 0, 24),
        "controls.moment.0": entry("F64", 3, 24, 48),
        "checksum": entry("U8", 16, 48, 64),
    });
    let header = header.to_string();
    let file = [&(header.len() as u64).to_le_bytes(), header.as_bytes(), &tensors].concat();
    if inside { file } else { mutator.mutate(&file) }
}

fn read_checkpoint(content: &[u8], _: &Path) {
    if let Ok(checkpoint) = Checkpoint::parse(content) {
        let numbers = checkpoint.parameters.iter().flat_map(|saved| &saved.values);
        assert!(numbers.copied().all(f64::is_finite), "a control that is no number was taken");
    }
}

fn read_cost_model(content: &[u8], _: &Path) {
    let Ok(text) = std::str::from_utf8(content) else { return };
    if let Ok(model) = CostModel::parse(text) {
        let many = Accesses { reads: u64::MAX, rounds: u64::MAX, frames: 1, passes: u64::MAX, ..Accesses::default() };
        let bill = model.bill(&many, &ChipSize { controls: 9, inputs: 9, cells: 0, others: None });
        assert!(bill.time.total().is_finite() && bill.energy.total().is_finite(), "an infinite bill");
    }
}

/// `path` lies in a folder with a good `test.csv`.
fn read_table(content: &[u8], path: &Path) {
    let folder = path.parent().unwrap();
    std::fs::write(folder.join("train.csv"), content).unwrap();
    let _ = data::open(folder.to_str().unwrap(), &Source::default());
    let _ = data::open(folder.join("train.csv").to_str().unwrap(), &Source::default());
}

fn idx_seed() -> Vec<u8> {
    [&[0, 0, 8, 3, 0, 0, 0, 2, 0, 0, 0, 2, 0, 0, 0, 3][..], &[7; 12]].concat()
}

fn wrong_idx(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    let gzip = |bytes: &[u8]| {
        let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    };
    match mutator.below(3) {
        0 => mutator.mutate(seed),
        1 => gzip(&mutator.mutate(seed)),
        _ => mutator.mutate(&gzip(seed)),
    }
}

/// `path` lies in a folder with the labels.
fn read_idx(content: &[u8], path: &Path) {
    let folder = path.parent().unwrap();
    std::fs::write(folder.join("t10k-images-idx3-ubyte"), content).unwrap();
    let _ = data::load(DatasetName::Mnist, &Source { data_dir: Some(folder.to_path_buf()), cache_dir: None });
}

/// Bytes of an image of CIFAR-10.
const PHOTOGRAPH: usize = 3 * 32 * 32;

/// A batch of CIFAR-10 with one image as Python 2 pickles it.
fn pickled_batch() -> Vec<u8> {
    let [one, width, length] = [1, PHOTOGRAPH as u32, PHOTOGRAPH as u32].map(u32::to_le_bytes);
    [
        b"\x80\x02}q\x01(U\x06labelsq\x02]q\x03(K\x07eU\x04dataq\x04cnumpy.core.multiarray\n_reconstruct\nq\x05".as_slice(),
        b"cnumpy\nndarray\nq\x06K\x00\x85U\x01b\x87Rq\x07(K\x01J",
        &one,
        b"J",
        &width,
        b"\x86cnumpy\ndtype\nq\x08U\x02u1K\x00K\x01\x87Rq\x09(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89T",
        &length,
        &[7; PHOTOGRAPH],
        b"tbU\x09filenamesq\x0a]q\x0bU\x05a.pngq\x0cau.",
    ]
    .concat()
}

/// Wrong before the pixels, mostly.
fn wrong_batch(seed: &[u8], mutator: &mut Mutator) -> Vec<u8> {
    let pixels = seed.len() - PHOTOGRAPH - 40;
    match mutator.below(4) {
        0 => mutator.mutate(seed),
        _ => [&mutator.mutate(&seed[..pixels]), &seed[pixels..]].concat(),
    }
}

/// `path` lies in a folder with one that has the other batches.
fn read_batch(content: &[u8], path: &Path) {
    let folder = path.parent().unwrap().join("cifar");
    std::fs::write(folder.join("data_batch_1"), content).unwrap();
    let source = Source { data_dir: Some(folder), cache_dir: None };
    let choices = Choices { memory: Some(1), ..Choices::default() };
    let _ = data::open_chosen("cifar-10", &source, &choices).map(|set| set.contents());
}

/// `path` lies in a folder with labels of three samples; what is read of the features is not held.
fn read_in_parts(content: &[u8], path: &Path) {
    std::fs::write(path.with_extension("npy"), content).unwrap();
    let files = format!("{},{}", path.with_extension("npy").display(), path.with_file_name("kinds.npy").display());
    let choices = Choices { memory: Some(1), ..Choices::default() };
    let _ = data::open_chosen(&files, &Source::default(), &choices).map(|set| set.contents());
}

fn formats() -> [Format; 9] {
    let model = include_bytes!("../at-core/src/cost/bench.toml").to_vec();
    let table = b"x,y,class\n1.5,-2,0\n\"3\", 4e-1 ,1\r\n0,0,2\n".to_vec();
    let of = |name, share, multiple, seeds, make: Make, read: fn(&[u8], &Path)| Format {
        name,
        share,
        multiple,
        seeds,
        make,
        read,
    };
    [
        of("npy", 24, PLAIN, npy_seeds(), plain, read_npy),
        of("npz", 14, PACKED, npy_seeds(), wrong_zip, read_npz),
        of("mat", 20, PACKED, vec![mat_seed()], wrong_mat, read_mat),
        of("safetensors", 10, PLAIN, vec![checkpoint_seed()], wrong_checkpoint, read_checkpoint),
        of("csv", 9, PLAIN, vec![table], plain, read_table),
        of("idx", 7, PACKED, vec![idx_seed()], wrong_idx, read_idx),
        of("pickle", 8, PLAIN, vec![pickled_batch()], wrong_batch, read_batch),
        of("npy in parts", 4, PLAIN, npy_seeds(), plain, read_in_parts),
        of("cost model", 4, PLAIN, vec![model], plain, read_cost_model),
    ]
}

/// One test, because the memory is that of the whole process.
#[test]
fn no_changed_file_panics_or_takes_more_memory_than_it_justifies() {
    let all = std::env::var("AT_FUZZ_INPUTS").map_or(FEW, |count| count.parse().expect("AT_FUZZ_INPUTS is a number"));
    let shared = Path::new("/dev/shm"); // in memory, where there is such a thing
    let folder = if shared.is_dir() { tempfile::tempdir_in(shared) } else { tempfile::tempdir() }.unwrap();
    std::fs::write(folder.path().join("test.csv"), "1,2,0\n").unwrap();
    for part in ["t10k", "train"] {
        std::fs::write(folder.path().join(format!("{part}-images-idx3-ubyte")), idx_seed()).unwrap();
        std::fs::write(folder.path().join(format!("{part}-labels-idx1-ubyte")), [0, 0, 8, 1, 0, 0, 0, 2, 1, 2])
            .unwrap();
    }
    let mut kinds = Vec::new();
    Array1::from(vec![0_i64, 1, 0]).write_npy(&mut kinds).unwrap();
    std::fs::write(folder.path().join("kinds.npy"), kinds).unwrap();
    std::fs::create_dir(folder.path().join("cifar")).unwrap();
    for batch in ["data_batch_2", "data_batch_3", "data_batch_4", "data_batch_5", "test_batch"] {
        std::fs::write(folder.path().join("cifar").join(batch), pickled_batch()).unwrap();
    }
    let path = folder.path().join("input");
    for Format { name, share, multiple, seeds, make, read } in formats() {
        let count = all * share / 100;
        let mut worst = 0;
        for input in 0..count {
            let mut mutator = Mutator::new(input as u64);
            let seed = &seeds[mutator.below(seeds.len())];
            let content = make(seed, &mut mutator);
            let before = MEMORY.held();
            MEMORY.restart();
            let ended = catch_unwind(AssertUnwindSafe(|| read(&content, &path)));
            let taken = MEMORY.peak() - before;
            worst = worst.max(taken);
            let most = SLACK + multiple * content.len();
            if ended.is_err() || taken > most {
                let kept = std::env::temp_dir().join(format!("asyt-fuzz-{}", name.replace(' ', "-")));
                std::fs::write(&kept, &content).unwrap();
                panic!("{name}, input {input}, kept as {}: {taken} bytes taken of at most {most}", kept.display());
            }
        }
        eprintln!("{name}: {count} inputs, at most {worst} bytes of memory");
    }
}
