//! Memory as it is stated before a training, against what the program then asks for.

use crate::asyt::{Bench, Ended};
use serde_json::Value;

/// The size behind `words` in a text: `91.2 MB`.
fn size_behind(words: &str, text: &str) -> f64 {
    let size = text.split_once(words).unwrap_or_else(|| panic!("{text}")).1;
    let mut parts = size.split([' ', ',', ';']);
    let (number, unit) = (parts.next().unwrap(), parts.next().unwrap());
    let unit = ["B", "kB", "MB", "GB"].iter().position(|own| *own == unit).unwrap_or_else(|| panic!("{text}"));
    number.parse::<f64>().unwrap() * 1000_f64.powi(unit as i32)
}

/// Bytes that `--dry-run` states.
fn stated(bench: &Bench, arguments: &[&str]) -> f64 {
    size_behind("memory   at least ", &bench.run(arguments.iter().copied().chain(["--dry-run"])).done().stdout)
}

/// Bytes that a training asks for at its peak.
fn found(bench: &Bench, arguments: &[&str]) -> f64 {
    let _ = std::fs::remove_dir_all(bench.path("run"));
    bench.run(arguments.iter().copied().chain(["--out", "run", "--quiet", "--figures", "svg"])).done();
    let summary: Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    summary["results"][0]["peak_memory_bytes"].as_f64().unwrap_or_else(|| panic!("{summary}"))
}

/// What `arguments` state and what is then found, where the one is more than such a share off the other.
fn apart(bench: &Bench, arguments: &[&str], most: f64) -> Option<String> {
    let (stated, found) = (stated(bench, arguments), found(bench, arguments));
    let wrong = (found / stated - 1.0).abs() > most;
    wrong.then(|| format!("{}: {stated:.3e} stated, {found:.3e} found", arguments.join(" ")))
}

/// A step or two of three meshes with every method that has memory of a kind of its own.
#[test]
fn a_training_takes_the_memory_that_is_stated_before() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let all = ["at", "at-adaptive", "pat", "ideal"];
    // 4096 samples of a probe of 512 modes take a while
    let cases = [
        ("256", "64", "f32", &all[..]),
        ("256", "64", "f64", &all),
        ("512", "100", "f32", &all[2..]),
        ("512", "100", "f64", &all[..1]),
    ];
    for (modes, batch, precision, methods) in cases {
        for method in methods {
            let network = format!("mesh:{modes}x3");
            let words = ["train", "--dataset", "iris", "--engine", "cpu", "--epochs", "1", "--optimizer", "adam"];
            let more = ["--network", &network, "--batch-size", batch, "--precision", precision, "--method", method];
            let arguments = [&words[..], &more[..]].concat();
            wrong.extend(apart(&bench, &arguments, 0.25));
        }
    }
    // what warms what is as large as all else
    let words =
        ["train", "--dataset", "iris", "--engine", "cpu", "--epochs", "1", "--method", "at", "--chip", "silicon"];
    let arguments = [&words[..], &["--network", "mesh:128x3"]].concat();
    wrong.extend(apart(&bench, &arguments, 0.25));
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Meshes are the chip's there, the rest the computer's: meshes by themselves, singular values in tiles, and patches through both.
#[test]
fn a_training_that_lights_single_meshes_takes_the_memory_that_is_stated_before() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let cases = [
        ("in-situ", "mesh:256x2", "iris", "f32", "50"),
        ("ffm", "mesh:64x2", "iris", "f64", "100"),
        ("subspace", "svd:128x128/16x2", "iris", "f64", "50"),
        ("subspace", "conv:16@4x4,svd=4,pool:2,svd:outxin/2", "digits", "f64", "100"),
        ("in-situ", "conv:16@5x5,svd,split,conv:16@3,svd,padding=1,add,pool:2,svd:out", "digits", "f32", "100"),
    ];
    for (method, network, dataset, precision, batch) in cases {
        let words = ["train", "--dataset", dataset, "--engine", "cpu", "--epochs", "1", "--train-limit", "100"];
        let more = ["--network", network, "--batch-size", batch, "--precision", precision, "--method", method];
        let arguments = [&words[..], &more[..]].concat();
        wrong.extend(apart(&bench, &arguments, 0.12));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Weights of every kind, planes of pixels, and patches of images.
#[test]
fn a_training_of_other_elements_than_meshes_takes_the_memory_that_is_stated_before() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    let cases = [
        // some 2 to 4 MB are the same for all sizes and not stated, of which two threads take more or less: networks are far larger than that
        ("at", "bank:in-800-800-out", "iris", "f32", "50"),
        ("at-adaptive", "bank:in-400-400-out", "iris", "f64", "50"),
        ("at", "pcm:in-400-400-out", "iris", "f32", "50"),
        ("ideal", "pcm:in-400-400-out", "iris", "f64", "50"),
        ("ideal", "rings:in-300-300-out", "iris", "f32", "50"),
        ("at", "matrix:in-600-600-out", "iris", "f32", "50"),
        ("at", "diffractive:48x48x3", "digits", "f32", "100"),
        ("at-adaptive", "diffractive:48x48x3", "digits", "f64", "50"),
        ("at", "conv:64@5x5,pool:2,bank:256-out", "digits", "f64", "300"),
        ("ideal", "conv:64@5x5,pool:2,bank:256-out", "digits", "f64", "300"),
        ("phyll", "conv:32@5x5,pool:2,bank:256-out", "digits", "f64", "100"),
        ("phyll", "bank:in-800-800-out", "iris", "f32", "50"),
        ("phyll", "mesh:200x3", "iris", "f32", "100"),
    ];
    for (method, network, dataset, precision, batch) in cases {
        let words = ["train", "--dataset", dataset, "--engine", "cpu", "--epochs", "1"];
        let limit = ["--train-limit", if dataset == "digits" { "300" } else { "100" }];
        let more = ["--network", network, "--batch-size", batch, "--precision", precision, "--method", method];
        let arguments = [&words[..], &limit[..], &more[..]].concat();
        wrong.extend(apart(&bench, &arguments, 0.15));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Of several methods, which come one after the other, the one that needs most: their needs do not add up.
#[test]
fn methods_that_come_one_after_the_other_need_no_more_than_the_largest_of_them() {
    let bench = Bench::new();
    let of = |methods: &str| {
        let words = ["train", "--dataset", "iris", "--engine", "cpu", "--network", "mesh:64x2", "--method", methods];
        stated(&bench, &words)
    };
    let alone = ["in-situ", "at-adaptive", "ffm"].map(of);
    assert_eq!(of("in-situ,at-adaptive,ffm"), alone.into_iter().fold(0.0, f64::max));
}

/// What is refused of the memory that a person states, and what is measured where there is enough.
#[test]
fn a_case_of_scale_takes_the_memory_that_is_stated_before() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for (modes, layers) in [("256", "3"), ("512", "1")] {
        for pass in ["propagate", "backpropagate", "step"] {
            let words =
                ["scale", "--engine", "cpu", "--batch", "256", "--repeats", "1", "--warm-up", "1", "--out", "s"];
            let more = ["--modes", modes, "--layers", layers, "--pass", pass, "--quiet", "--json"];
            let arguments = || words.into_iter().chain(more);
            let refused = Ended::new(bench.asyt(arguments()).env("AT_MEMORY", "0.001").output().unwrap());
            let stated = size_behind("needs about ", &refused.stderr);
            refused.refused(2, &["1.0 MB are free"]);
            let _ = std::fs::remove_dir_all(bench.path("s"));
            let results: Value = serde_json::from_str(&bench.run(arguments()).done().stdout).unwrap();
            let row = &results["rows"][0];
            let bytes = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{row}"));
            // beside the samples, that is, and the first controls
            let found = bytes("network_bytes") + bytes("signal_bytes") + 8.0 * bytes("controls");
            if (found / stated - 1.0).abs() > 0.25 {
                wrong.push(format!("{modes} {pass}: {stated:.3e} stated, {found:.3e} found"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
