//! No damaged file does more than give an error: no panic, and no memory that the file does not justify.

use super::npy::{NpyArray, read_matrix};
use super::npz::Npz;
use super::npz_draft::NpzWriter;
use super::phase_file::{read_errors, read_phases};
use crate::network::Owner;
use crate::optics::{Convention, Mesh};
use flate2::write::DeflateEncoder;
use flate2::{Compression, Crc};
use ndarray::{Array1, Array2, array};
use ndarray_npy::WriteNpyExt;
use proptest::prelude::*;
use std::io::Write;
use std::path::PathBuf;
use tempfile::TempDir;

fn folder() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("phases.npz");
    (folder, path)
}

#[test]
fn a_header_that_asks_for_much_memory_gets_none() {
    let shapes =
        ["(1099511627776, 1048576)", "(1152921504606846976, 0)", "(18446744073709551615, 18446744073709551615)"];
    for shape in shapes {
        for order in ["False", "True"] {
            let header = format!("{{'descr': '<f8', 'fortran_order': {order}, 'shape': {shape}, }}\n");
            let mut npy = b"\x93NUMPY\x01\x00".to_vec();
            npy.extend((header.len() as u16).to_le_bytes());
            npy.extend(header.bytes());
            if let Ok(array) = NpyArray::parse(&npy) {
                assert!(array.reals().unwrap().is_empty());
            }
        }
    }
    assert!(NpyArray::parse(b"\x93NUMPY\x02\x00\xff\xff\xff\xff{}").unwrap_err().contains("claims"));
}

/// A zip file of deflated arrays, as NumPy's `savez_compressed` makes it.
pub(crate) fn deflated(arrays: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut content, mut list) = (Vec::new(), Vec::new());
    for (name, npy) in arrays {
        let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
        encoder.write_all(npy).unwrap();
        let packed = encoder.finish().unwrap();
        let mut crc = Crc::new();
        crc.update(npy);
        let name = format!("{name}.npy");
        let mut common = vec![20, 0, 0, 0, 8, 0, 0, 0, 0, 0]; // version, flags, method, time and date
        for number in [crc.sum(), packed.len() as u32, npy.len() as u32, name.len() as u32] {
            common.extend(number.to_le_bytes()); // the last is the name's length and no extra field, 16 bits each
        }
        list.extend([b"PK\x01\x02\x14\x00".as_slice(), &common, &[0; 10]].concat());
        list.extend((content.len() as u32).to_le_bytes());
        list.extend(name.bytes());
        content.extend([b"PK\x03\x04", common.as_slice(), name.as_bytes(), &packed].concat());
    }
    let (count, start) = ((arrays.len() as u16).to_le_bytes(), content.len() as u32);
    let end = [b"PK\x05\x06\0\0\0\0".as_slice(), &count, &count, &(list.len() as u32).to_le_bytes()].concat();
    [content, list, end, start.to_le_bytes().to_vec(), vec![0, 0]].concat()
}

fn npy(array: &Array2<f64>) -> Vec<u8> {
    let mut content = Vec::new();
    array.write_npy(&mut content).unwrap();
    content
}

#[test]
fn deflated_files_are_read_and_small_ones_do_not_unpack_to_much() {
    let (_folder, path) = folder();
    let mut gamma = Vec::new();
    Array1::from(vec![0.25; 4]).write_npy(&mut gamma).unwrap();
    let table = npy(&Array2::from_elem((4, 2), 0.5));
    let arrays = [("mesh0.theta", table.clone()), ("mesh0.phi", table), ("mesh0.gamma", gamma)];
    std::fs::write(&path, deflated(&arrays)).unwrap();
    let read = read_phases(&path, Some(Convention::Native)).unwrap();
    assert_eq!((read[0].controls[3], read[0].controls[15]), (0.5, 0.25));

    std::fs::write(&path, deflated(&[("mesh0.gamma", npy(&Array2::zeros((1 << 12, 1 << 12))))])).unwrap();
    assert!(path.metadata().unwrap().len() < 1 << 20);
    let text = read_phases(&path, Some(Convention::Native)).unwrap_err().to_string();
    assert!(text.contains("mesh0.gamma") && text.contains("claims"), "{text}");
}

#[test]
fn entries_that_overlap_or_repeat_are_refused_before_one_is_read() {
    let (_folder, path) = folder();
    let zeros = npy(&Array2::zeros((64, 64)));
    let good = deflated(&[("mesh0.gamma", zeros.clone()), ("mesh1.gamma", zeros.clone())]);
    assert!(Npz::parse(&path, good.clone()).unwrap().array("mesh1.gamma").is_ok());
    // where the list says that each entry begins, 42 bytes into its line
    let lines: Vec<usize> = (0..good.len() - 4).filter(|&at| good[at..].starts_with(b"PK\x01\x02")).collect();
    let begin = |at: usize| u32::from_le_bytes(good[lines[at] + 42..][..4].try_into().unwrap());
    for (entry, start) in [(1, begin(0)), (1, begin(0) + 8), (0, begin(1)), (0, begin(1) - 4), (1, lines[0] as u32)] {
        let mut bad = good.clone();
        bad[lines[entry] + 42..][..4].copy_from_slice(&start.to_le_bytes());
        let error = Npz::parse(&path, bad).unwrap_err().to_string();
        assert!(error.contains("overlaps"), "{entry} at {start}: {error}");
    }
    let twice = deflated(&[("mesh0.gamma", zeros.clone()), ("mesh0.gamma", zeros)]);
    assert!(Npz::parse(&path, twice).unwrap_err().to_string().contains("twice"));
    // an entry whose own header claims a longer name than there is room for
    let mut long = good;
    long[28..30].copy_from_slice(&u16::MAX.to_le_bytes());
    assert!(Npz::parse(&path, long).unwrap().array("mesh0.gamma").is_err());
}

#[test]
fn small_numbers_do_not_become_many_large_ones() {
    let (_folder, path) = folder();
    let mut bytes = Vec::new();
    Array2::<u8>::zeros((1 << 13, 1 << 12)).write_npy(&mut bytes).unwrap();
    let file = deflated(&[("zeros", bytes)]);
    assert!(file.len() < 1 << 16);
    let error = Npz::parse(&path, file).unwrap().array("zeros").unwrap_err().to_string();
    assert!(error.contains("268435456 bytes of float64") && error.contains("numpy.savez"), "{error}");
}

#[test]
fn an_error_about_an_archive_is_short_whatever_its_names_are() {
    let (_folder, path) = folder();
    let long = "x".repeat(60_000);
    let rude = "\u{1b}[31m".repeat(40);
    for name in [long.as_str(), &rude] {
        std::fs::write(&path, deflated(&[(name, npy(&Array2::zeros((1, 1))))])).unwrap();
        let error = read_phases(&path, Some(Convention::Native)).unwrap_err().to_string();
        assert!(error.chars().count() < 500 && !error.contains('\u{1b}'), "{error}");
    }
}

/// A small valid file in memory.
fn valid() -> Vec<u8> {
    let mut file = NpzWriter::new(Vec::new());
    file.add_array("mesh0.theta", &Array2::<f64>::zeros((2, 1))).unwrap();
    file.add_array("mesh0.phi", &Array2::<f64>::zeros((2, 1))).unwrap();
    file.add_array("mesh0.gamma", &Array1::<f32>::zeros(2)).unwrap();
    file.add_text("convention", "native").unwrap();
    file.finish().unwrap()
}

/// Writes `content` and reads it both ways; whether it panics is the question.
fn read_any(content: &[u8]) {
    let (_folder, path) = folder();
    std::fs::write(&path, content).unwrap();
    if let Ok(read) = read_phases(&path, None) {
        assert!(read.iter().all(|own| own.controls.iter().all(|phase| phase.is_finite())));
    }
    let mesh = Mesh::rectangular(2).unwrap();
    let _ = read_errors(&path, Some(Convention::DatMpnn), &[&mesh], Owner::AnyNetwork);
    let _ = read_matrix(&path);
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_never_a_panic(content in prop::collection::vec(any::<u8>(), 0..400)) {
        read_any(&content);
        let _ = NpyArray::parse(&content);
        let _ = NpyArray::parse(&[b"\x93NUMPY\x01\x00".as_slice(), &content].concat());
    }

    #[test]
    fn damaged_archives_are_never_a_panic(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let mut content = valid();
        for (place, value) in changes {
            let place = place.index(content.len());
            content[place] = value;
        }
        if is_cut {
            content.truncate(cut.index(content.len()));
        }
        read_any(&content);
    }

    #[test]
    fn damaged_arrays_are_never_a_panic(
        changes in prop::collection::vec((0..140_usize, any::<u8>()), 1..6),
        fortran in any::<bool>(),
    ) {
        let array = array![[1.0, 2.0, 3.0], [4.0, 5.0, 6.0_f64]];
        let mut npy = Vec::new();
        if fortran { array.t().write_npy(&mut npy).unwrap() } else { array.write_npy(&mut npy).unwrap() }
        for (place, value) in changes {
            npy[place] = value;
        }
        if let Ok(array) = NpyArray::parse(&npy) {
            let _ = (array.reals(), array.complexes(), array.text());
        }
    }
}
