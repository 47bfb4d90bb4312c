//! MATLAB files as MATLAB, Octave and SciPy write them, and what is said of others.

use super::mat::matrix;
use super::matrix_file::read_matrix;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use ndarray::{Array2, array};
use num_complex::Complex64;
use std::io::Write;

/// An element, padded to eight bytes.
fn element(kind: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (data.len() as u32).to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(bytes.len().next_multiple_of(8), 0);
    bytes
}

/// An element of up to four bytes, which stand in its tag.
fn small(kind: u16, data: &[u8]) -> Vec<u8> {
    let mut bytes = [kind.to_le_bytes(), (data.len() as u16).to_le_bytes()].concat();
    bytes.extend(data);
    bytes.resize(8, 0);
    bytes
}

/// A variable of `class` with flags, whose parts are elements.
fn variable(class: u32, name: &str, dimensions: &[i32], parts: &[Vec<u8>]) -> Vec<u8> {
    let flags = element(6, &[class.to_le_bytes(), [0; 4]].concat());
    let dimensions: Vec<u8> = dimensions.iter().flat_map(|length| length.to_le_bytes()).collect();
    let name = if name.len() <= 4 { small(1, name.as_bytes()) } else { element(1, name.as_bytes()) };
    element(14, &[flags, element(5, &dimensions), name, parts.concat()].concat())
}

fn doubles(values: &[f64]) -> Vec<u8> {
    element(9, &values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())
}

pub(super) fn packed(variable: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(variable).unwrap();
    let data = encoder.finish().unwrap();
    [&15_u32.to_le_bytes()[..], &(data.len() as u32).to_le_bytes(), &data].concat()
}

pub(super) fn file(variables: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"MATLAB 5.0 MAT-file, Platform: GLNXA64".to_vec();
    bytes.resize(124, b' ');
    bytes.extend([0, 1, b'I', b'M']);
    [bytes, variables.concat()].concat()
}

const DOUBLE: u32 = 6;
const COMPLEX: u32 = 0x0806;

/// `U = [1 2i; 3+4i 5; -6 7]`, a scalar and a text.
pub(super) fn complex() -> [Vec<u8>; 3] {
    let (re, im) = (doubles(&[1., 3., -6., 0., 5., 7.]), doubles(&[0., 4., 0., 2., 0., 0.]));
    [
        variable(DOUBLE, "n", &[1, 1], &[doubles(&[3.0])]),
        variable(COMPLEX, "U", &[3, 2], &[re, im]),
        variable(4, "remark", &[1, 2], &[small(16, b"hi")]),
    ]
}

fn expected() -> Array2<Complex64> {
    let c = Complex64::new;
    array![[c(1., 0.), c(0., 2.)], [c(3., 4.), c(5., 0.)], [c(-6., 0.), c(7., 0.)]]
}

#[test]
fn a_complex_matrix_is_read_packed_or_not_by_name_or_as_the_only_one() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("U.mat");
    for content in [file(&complex()), file(&complex().map(|variable| packed(&variable)))] {
        std::fs::write(&path, content).unwrap();
        for name in [None, Some("U")] {
            assert_eq!(read_matrix(&path, name).unwrap(), expected());
        }
    }
}

#[test]
fn numbers_that_matlab_stores_shorter_are_widened() {
    // matlab stores whole doubles as the shortest integers that hold them
    let cases: [(u32, Vec<u8>); 4] = [
        (DOUBLE, small(2, &[1, 200, 3, 4])),
        (DOUBLE, element(3, &[1_i16, -200, 3, 4].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())),
        (7, element(7, &[1_f32, -0.5, 3., 4.].iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>())),
        (0x0209, small(2, &[1, 0, 0, 1])), // logical
    ];
    let second = [200.0, -200.0, -0.5, 0.0];
    for ((class, part), second) in cases.into_iter().zip(second) {
        let read = matrix(&file(&[variable(class, "A", &[2, 2], &[part])]), None).unwrap();
        assert_eq!((read[[0, 0]].re, read[[1, 0]].re), (1.0, second), "column-major");
    }
}

#[test]
fn a_big_endian_file_is_read() {
    let word = |value: u32| value.to_be_bytes().to_vec();
    let element = |kind: u32, data: Vec<u8>| [word(kind), word(data.len() as u32), data].concat();
    let values: Vec<u8> = [1.5_f64, 2.5].iter().flat_map(|value| value.to_be_bytes()).collect();
    let name = [0, 1, 0, 1, b'A', 0, 0, 0]; // one byte in the tag itself
    let parts = [
        element(6, [word(6), word(0)].concat()),
        element(5, [word(2), word(1)].concat()),
        name.to_vec(),
        element(9, values),
    ];
    let mut content = file(&[element(14, parts.concat())]);
    content[124..128].copy_from_slice(&[1, 0, b'M', b'I']);
    assert_eq!(matrix(&content, None).unwrap(), array![[Complex64::from(1.5)], [Complex64::from(2.5)]]);
}

#[test]
fn what_is_no_single_matrix_is_named_with_what_to_do() {
    let two = |a: &str, b: &str| file(&[a, b].map(|name| variable(DOUBLE, name, &[1, 2], &[doubles(&[1., 2.])])));
    let many: Vec<String> = (0..20).map(|index| format!("matrix{index}")).collect();
    let many =
        file(&many.iter().map(|name| variable(DOUBLE, name, &[2, 1], &[doubles(&[1., 2.])])).collect::<Vec<_>>());
    let only = |class, dimensions: &[i32]| file(&[variable(class, "thing", dimensions, &[doubles(&[1.])])]);
    let mut newer = only(DOUBLE, &[1, 1]);
    newer[125] = 2;
    let cases: [(Vec<u8>, Option<&str>, &str); 11] = [
        (two("A", "B"), None, "the matrices A, B; choose one with `variable`"),
        (two("A", "B"), Some("C"), "no variable C; its matrices are A, B"),
        (many, None, "matrix7 and 12 more"),
        (only(5, &[2, 2]), None, "thing is a sparse matrix, of which full()"),
        (only(2, &[1, 1]), Some("thing"), "a structure"),
        (only(1, &[1, 1]), None, "a cell array"),
        (only(DOUBLE, &[2, 2, 2]), None, "other than two axes"),
        (only(DOUBLE, &[4, 4]), None, "8 bytes are there for 16 numbers"),
        (only(DOUBLE, &[1 << 30, 1 << 30]), None, "more than 536870912 elements"),
        (newer, None, "version 7.3; save it with save(…, '-v7')"),
        (file(&[]), None, "no matrix of numbers"),
    ];
    for (content, name, part) in cases {
        let error = matrix(&content, name).unwrap_err();
        assert!(error.contains(part) && error.chars().count() < 250, "{error} is not about {part}");
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other");
    for (content, part) in [
        (&b"\x89HDF\r\n\x1a\n"[..], "HDF5"),
        (b"1,2\n3,4\n", "neither an npy array nor a MATLAB file"),
        (b"\x93NUMPY\x01\x00", "drop `variable`"),
    ] {
        std::fs::write(&path, content).unwrap();
        let error = read_matrix(&path, Some("U")).unwrap_err().to_string();
        assert!(error.contains(part), "{error} is not about {part}");
    }
}

#[test]
fn a_small_packed_variable_does_not_unpack_to_much() {
    let zeros = variable(DOUBLE, "Z", &[3000, 3000], &[element(9, &vec![0; 72_000_000])]);
    let content = file(&[packed(&zeros)]);
    assert!(content.len() < 1 << 18);
    assert!(matrix(&content, None).unwrap_err().contains("save it unpacked"));
    let bytes = variable(9, "Z", &[4096, 4096], &[element(2, &vec![0; 1 << 24])]);
    assert!(matrix(&file(&[packed(&bytes)]), None).unwrap_err().contains("bytes of numbers are packed in"));
}
