//! Data files that are cut, damaged or of another kind: each is named, and nothing is trained on it.

use crate::asyt::Bench;
use flate2::{Compression, write::GzEncoder};
use std::io::Write;

/// An IDX file of unsigned bytes.
fn idx(shape: &[u32], bytes: &[u8]) -> Vec<u8> {
    let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
    [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(bytes.iter().copied()).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Images of 4x4 and labels, as gzipped files of the MNIST family in `folder`.
fn write_images(bench: &Bench, folder: &str) {
    for (part, count) in [("train", 60), ("t10k", 20)] {
        let pixels: Vec<u8> = (0..count * 16).map(|index| (index * 37 % 256) as u8).collect();
        let labels: Vec<u8> = (0..count).map(|index| (index % 10) as u8).collect();
        let images = idx(&[count, 4, 4], &pixels);
        bench.write(&format!("{folder}/{part}-images-idx3-ubyte.gz"), gzip(&images));
        bench.write(&format!("{folder}/{part}-labels-idx1-ubyte.gz"), gzip(&idx(&[count], &labels)));
    }
}

const IMAGES: [&str; 10] =
    ["train", "--dataset", "mnist", "--data-dir", "data", "--epochs", "1", "--network", "bank:in-out", "--quiet"];

#[test]
fn images_that_are_damaged_are_refused_with_file_and_place() {
    let bench = Bench::new();
    write_images(&bench, "data");
    bench.run(IMAGES).done();
    let images = std::fs::read(bench.path("data/t10k-images-idx3-ubyte.gz")).unwrap();
    let mut flipped = images.clone();
    let last = flipped.len() - 6;
    flipped[last] ^= 1;
    let plain = idx(&[20, 4, 4], &[0; 320]);
    let labels = |bytes: &[u8]| gzip(&idx(&[bytes.len() as u32], bytes));
    let files: [(&str, Vec<u8>, &str); 12] = [
        ("t10k-images-idx3-ubyte.gz", images[..images.len() / 2].to_vec(), "gzip stream is broken"),
        ("t10k-images-idx3-ubyte.gz", flipped, "gzip stream is broken"),
        ("t10k-images-idx3-ubyte.gz", Vec::new(), "empty"),
        ("t10k-images-idx3-ubyte.gz", plain[..200].to_vec(), "ends after 184 of the 320"),
        ("t10k-images-idx3-ubyte.gz", [&plain[..], &[0]].concat(), "bytes follow"),
        ("t10k-images-idx3-ubyte.gz", idx(&[20, 4, 5], &[0; 400]), "test images 4x5"),
        ("t10k-images-idx3-ubyte.gz", idx(&[u32::MAX, u32::MAX, 4], &[]), "the header claims"),
        ("t10k-images-idx3-ubyte.gz", idx(&[0, 4, 4], &[]), "0 images"),
        ("t10k-images-idx3-ubyte.gz", b"<html>not found</html>".to_vec(), "magic number"),
        ("train-labels-idx1-ubyte.gz", labels(&[3; 59]), "59 labels for the 60 images"),
        ("train-labels-idx1-ubyte.gz", labels(&[[3; 59].as_slice(), &[10]].concat()), "label 10 at index 59"),
        ("train-labels-idx1-ubyte.gz", idx(&[60, 1], &[0; 60]), "magic number"),
    ];
    for (file, content, part) in files {
        write_images(&bench, "data");
        bench.write(&format!("data/{file}"), content);
        bench.run(IMAGES).refused(1, &["data", part]);
    }
    std::fs::remove_file(bench.path("data/train-labels-idx1-ubyte.gz")).unwrap();
    bench.run(IMAGES).refused(1, &["train-labels-idx1-ubyte", "asyt data fetch mnist"]);
    assert_eq!(bench.entries("runs"), ["digits-1"], "only the good run has a folder");
}

#[cfg(target_os = "linux")] // elsewhere the cache folder has another place
#[test]
fn downloads_are_found_in_the_cache_folder() {
    let bench = Bench::new();
    let train = ["train", "--dataset", "fashion-mnist", "--epochs", "1", "--network", "bank:in-out", "--quiet"];
    bench.run(train).refused(1, &[".cache/asyt/fashion-mnist", "asyt data fetch fashion-mnist"]);
    write_images(&bench, ".cache/asyt/fashion-mnist");
    bench.run(train).done();
}

#[test]
fn tables_that_make_no_sense_are_refused_with_file_and_line() {
    let bench = Bench::new();
    let train =
        ["train", "--dataset", "mine", "--epochs", "1", "--network", "bank:in-out", "--batch-size", "1", "--quiet"];
    bench.write("mine/test.csv", "0.5,1,0\n");
    let cases = [
        ("", "no sample"),
        ("x,y,class\n", "no sample"),
        ("1,2,0\n1,nan,1\n", "line 2: column 2: 'nan'"),
        ("1,2,0\n1,1e99,1\n", "line 2: column 2: '1e99'"),
        ("1,2,0\n1,2\n", "line 2: 2 columns, expected 3"),
        ("1,2,0\n1,2,-1\n", "line 2: column 3: class '-1'"),
        ("1,2,0\n1,2,1.5\n", "class '1.5'"),
        ("1,2,0\n1,2,4294967296\n", "class '4294967296'"),
        ("1,2,3,0\n1,2,3,1\n", "expected 3, got 2"),
        ("\u{0}\u{1},\u{2}\n\u{3}", "line 2"),
    ];
    for (table, part) in cases {
        bench.write("mine/train.csv", table);
        bench.run(train).refused(1, &["mine", part]);
    }
    bench.write("mine/train.csv", "1,2,0\n1,2,1\n");
    bench.write("mine/test.csv", "1,2,2\n");
    bench.run(train).refused(1, &["mine", "label = 2", "test sample 0"]);
    std::fs::remove_file(bench.path("mine/test.csv")).unwrap();
    bench.run(train).refused(1, &["test.csv", "mine"]);
    assert!(!bench.path("runs").exists());
    bench.write("mine/test.csv", "1,2,1\n");
    bench.run(train).done();
}
