//! Settings that have no meaning, or none that fits in this machine: each is refused before anything is written.

use crate::asyt::Bench;
use at_core::imperfections::{Imperfections, Range, Value};

/// Arguments of `asyt train`, and what the message is about.
const CASES: &[(&[&str], &[&str])] = &[
    (&["--learning-rate", "nan"], &["learning-rate = NaN", "positive"]),
    (&["--learning-rate", "-0.1"], &["learning-rate = -0.1", "positive"]),
    (&["--learning-rate", "inf"], &["learning-rate = inf"]),
    (&["--learning-rate", "0"], &["learning-rate = 0"]),
    (&["--epochs", "0"], &["epochs = 0", "at least 1"]),
    (&["--batch-size", "0"], &["batch-size = 0", "at least 1"]),
    (&["--batch-size", "1438"], &["batch-size = 1438", "1437 training samples"]),
    (&["--batch-size", "9223372036854775807"], &["batch-size", "1437 training samples"]),
    (&["--train-limit", "0"], &["train-limit = 0", "1 to 1437"]),
    (&["--test-limit", "361"], &["test-limit = 361", "1 to 360"]),
    (&["--optimizer", "adm"], &["optimizer", "adam[:BETA1"]),
    (&["--optimizer", "adam:2:0.9:1e-8"], &["2"]),
    (&["--schedule", "step:0:0.5"], &["schedule", "EVERY"]),
    (&["--initialization", "normal:-1:nan"], &["normal"]),
    (&["--loss", "l1"], &["loss", "l1", "cross-entropy"]),
    (&["--loss-gain", "nan"], &["loss-gain = NaN"]),
    (&["--loss-gain", "-1"], &["loss-gain = -1"]),
    (&["--digital-weight", "-1"], &["digital-weight = -1"]),
    (&["--physical-weight", "inf"], &["physical-weight = inf"]),
    (&["--tether", "-0.1"], &["tether = -0.1"]),
    (&["--digital-step", "match"], &["digital-step", "matched"]),
    (&["--method", "att"], &["did you mean at?"]),
    (&["--method", "at,at"], &["named twice"]),
    (&["--method", ""], &["method", "pat-output"]),
    (&["--chip", "weight-bnk"], &["did you mean weight-bank?"]),
    (&["--response-slope", "nan"], &["response-slope = NaN"]),
    (&["--response-slope", "-0.1"], &["response-slope = -0.1"]),
    (&["--preset", "asyt_demo"], &["did you mean asyt-demo?"]),
    (&["--dataset", "digit"], &["did you mean digits?", "train.csv"]),
    (&["--encoding", "fourier-crop:9"], &["fourier-crop:9", "1 to 8"]),
    (&["--encoding", "fourier-crop:2"], &["takes real numbers", "--encoding raw"]),
    (&["--encoding", "amplitude:9999999999999"], &["PB", "--network"]),
    (&["--encoding", "rwa"], &["encoding = rwa"]),
    (&["--engine", "tpu"], &["engine", "tpu", "cpu"]),
    (&["--engine", "cpu", "--adapter", "0"], &["--adapter", "cpu"]),
    (&["--precision", "f16"], &["precision", "f16", "f32"]),
    (&["--network", ""], &["matrix:64-32-10"]),
    (&["--network", "bnak:in-out"], &["did you mean bank?"]),
    (&["--network", "bank:in"], &["at least two widths"]),
    (&["--network", "bank:in-0-out"], &["\"0\" is no size"]),
    (&["--network", "bank:63-10"], &["63 inputs", "64 signals"]),
    (&["--network", "bank:64-9"], &["9 outputs", "10 classes"]),
    (&["--network", "bank:in-9999999999-out"], &["720.0 GB", "--network"]),
    (&["--network", "bank:in-99999999999999999999-out"], &["is no size"]),
    (&["--preset", "digits", "--network", "mesh:64x2"], &["weight-bank", "--chip mesh"]),
    (&["--network", "mesh:1", "--chip", "mesh"], &["modes = 1"]),
    (&["--network", "mesh:63x2", "--chip", "mesh", "--encoding", "raw"], &["63 inputs", "64 signals"]),
    (&["--network", "mesh:64x99999999999", "--chip", "mesh"], &["too many"]),
    (&["--network", "mesh:64,depth=99999999999", "--chip", "mesh"], &["TB"]),
    (&["--network", "mesh:99999999999999x2", "--chip", "mesh"], &["EB"]),
    (&["--network", "mesh:64,detection=homodyn", "--chip", "mesh"], &["did you mean homodyne?"]),
    (&["--network", "mesh:64,dept=4", "--chip", "mesh"], &["dept=4", "depth="]),
    (&["--dat-maps", "4,8"], &["dat-maps", "4,8,16"]),
    (&["--dat-warm-up", "1.5"], &["dat-warm-up = 1.5"]),
    (&["--dat-rate", "0"], &["dat-rate = 0"]),
    (&["--dat-joint=-1"], &["dat-joint = -1"]),
    (&["--tap-noise", "-1"], &["tap-noise = -1"]),
    (&["--in-situ-subtraction", "toggle"], &["in-situ-subtraction", "toggled"]),
    (&["--digital-model", "data-sheets"], &["digital-model", "data-sheet"]),
    (&["--resume", "nowhere"], &["nowhere", "config.toml"]),
];

/// Imperfections that are no numbers of their kind, and what is said of them.
const UNPHYSICAL: &[(&str, &str, &str)] = &[
    ("--phase", "inf", "from 0 to 1e5"),
    ("--phase", "1e300", "from 0 to 1e5"),
    ("--loss-db", "1000", "from 0 to 100"),
    ("--die-phase", "nan", "from 0 to 1e5"),
    ("--splitter-mean", "-0.8", "π/4"),
    ("--control-bits", "25", "24 bits"),
    ("--heater-spread", "0.4", "cool"),
    ("--adc-bits", "17", "16 bits"),
];

#[test]
fn unphysical_imperfections_are_refused_by_name_and_range() {
    let bench = Bench::new();
    let refuse = |name: &str, value: &str, range: &str| {
        println!("--{name} {value}");
        let chip = ["--chip", "silicon", "--network", "mesh:64x2", "--encoding", "fourier-crop:8"];
        let words = [format!("--{name}"), value.to_string()];
        let words = words.iter().map(String::as_str);
        bench.run(["train", "--quiet"].into_iter().chain(chip).chain(words)).refused(2, &[name, range]);
    };
    for (flag, value, range) in UNPHYSICAL {
        refuse(flag.trim_start_matches('-'), value, range);
    }
    for own in Imperfections::TABLE {
        let Range { least, most, demand } = own.range;
        let Value::Number(_) = own.default() else { continue };
        refuse(own.name, &if least > 0.0 { 0.0 } else { least - 0.1 }.to_string(), demand);
        if most < f64::MAX {
            refuse(own.name, &(1.1 * most).to_string(), demand);
        }
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn each_is_wrong_usage_in_one_line_and_leaves_no_folder() {
    let bench = Bench::new();
    for (arguments, parts) in CASES {
        println!("{arguments:?}");
        bench.run(["train", "--quiet"].iter().chain(*arguments).copied()).refused(2, parts);
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn values_of_another_kind_are_wrong_usage() {
    let bench = Bench::new();
    let cases = [
        ["--epochs", "1.5"],
        ["--epochs", "-1"],
        ["--epochs", "18446744073709551615"],
        ["--batch-size", "ten"],
        ["--seed", "-1"],
        ["--seed", "9223372036854775808"],
        ["--learning-rate", "fast"],
        ["--out", ""],
        ["--chip-errors-convention", "dat"],
    ];
    for [flag, value] in cases {
        let ended = bench.run(["train", flag, value]);
        assert!(ended.code == Some(2) && ended.stderr.contains(flag), "{flag} {value}: {ended:?}");
    }
}

#[test]
fn a_run_that_leaves_the_finite_numbers_fails_and_keeps_what_was_done() {
    let bench = Bench::new();
    let run = bench.train(&["--learning-rate", "1e300", "--out", "mine", "--quiet"]);
    run.refused(1, &["at diverged in epoch 1", "--learning-rate", "mine"]);
    // a chip whose response only `ideal` differentiates
    let run = bench.train(&["--response-slope", "1e5", "--epochs", "1", "--out", "late", "--quiet"]);
    run.refused(1, &["ideal diverged in epoch 1", "late"]);
    let summary: serde_json::Value = serde_json::from_str(&bench.read("late/summary.json")).unwrap();
    assert_eq!(summary["results"].as_array().unwrap().len(), 2);
    assert_eq!(bench.read("late/metrics.csv").lines().count(), 3);
}

#[test]
fn a_gpu_that_cannot_be_had_is_an_error_and_not_the_cpu() {
    let bench = Bench::new();
    bench.train(&["--engine", "gpu", "--adapter", "no such adapter", "--quiet"]).refused(1, &["--engine cpu"]);
    assert!(!bench.path("runs").exists());
}
