//! What a run leaves: on stdout, on stderr, in its folder.

use crate::asyt::{Bench, Ended};
use std::process::Stdio;

const COLUMNS: &str = "method,epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,chip_reads,\
                       chip_injections,control_writes,digital_passes,digital_backward_passes,digital_flops,\
                       chip_seed,measuring,wall_seconds";

#[test]
fn the_table_goes_to_stdout_and_the_progress_to_stderr() {
    let bench = Bench::new();
    let run = bench.train(&["--epochs", "2"]).done();
    for part in ["method ", "at ", "in-silico ", "ideal ", "writes", "misfit", "which knows every imperfection"] {
        assert!(run.stdout.contains(part), "{}", run.stdout);
    }
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    for part in ["engine   cpu", "digits: 100 training and 50 test", "response-slope 0.3", "epoch 2/2", "runs/digits-1"]
    {
        assert!(run.stderr.replace('\\', "/").contains(part) && !run.stdout.contains(part), "{}", run.stderr);
    }
}

#[test]
fn who_trains_a_mesh_by_plain_at_is_told_what_works_there() {
    let bench = Bench::new();
    let mesh = ["train", "--dataset", "iris", "--network", "mesh:4x2", "--chip", "mesh", "--epochs", "1"];
    let run = |flags: &[&'static str]| bench.run(mesh.iter().chain(flags).copied()).done().stderr;
    assert!(run(&["--method", "at"]).contains("at-adaptive, or at with --tether 50"));
    assert!(!run(&["--method", "at", "--tether", "50"]).contains("--tether"));
    assert!(!run(&["--method", "at-adaptive"]).contains("--tether"));
}

#[test]
fn json_is_the_summary_and_nothing_else_and_quiet_says_where_it_is() {
    let bench = Bench::new();
    let run = bench.train(&["--epochs", "2", "--out", "mine", "--json", "--quiet"]).done();
    assert_eq!(run.stdout, bench.read("mine/summary.json"));
    let said = run.beside_notes().replace('\\', "/");
    assert!(said.starts_with("results in mine (accuracy.svg, metrics.csv, summary.json); "), "{said}");
    assert!(said.lines().count() == 1 && said.contains("pictures as SVG in mine/figures"), "{said}");
    let summary: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let text = |key: &str| summary[key].as_str().unwrap_or_default();
    assert_eq!((text("dataset"), text("preset"), text("version")), ("digits", "digits", env!("CARGO_PKG_VERSION")));
    assert!(summary["seed"].is_u64() && summary["chip_seed"].is_u64());
    let results = summary["results"].as_array().unwrap();
    let methods: Vec<_> = results.iter().map(|result| result["method"].as_str().unwrap()).collect();
    assert_eq!(methods, ["at", "in-silico", "ideal"]);
    for result in results {
        for key in ["final_test_accuracy", "best_test_accuracy", "final_train_accuracy", "wall_seconds"] {
            assert!(result[key].is_f64(), "{key}: {result}");
        }
        let counts = ["chip_reads", "chip_injections", "control_writes", "digital_passes", "digital_flops"];
        for key in counts.into_iter().chain(["epochs", "digital_backward_passes"]) {
            assert!(result[key].is_u64(), "{key}: {result}");
        }
        assert!(result["engine"].as_str().unwrap().contains("cpu"));
    }
    let loud = bench.train(&["--epochs", "2", "--json"]).done();
    assert!(loud.stdout.starts_with('{') && loud.stdout.ends_with("}\n") && !loud.stderr.is_empty());
}

#[test]
fn the_folder_holds_one_row_per_method_and_epoch() {
    let bench = Bench::new();
    bench.train(&["--epochs", "3", "--method", "ideal,pat", "--out", "deep/mine", "--quiet"]).done();
    let files = [
        "accuracy.svg",
        "config.toml",
        "figures",
        "ideal.safetensors",
        "metrics.csv",
        "pat.safetensors",
        "summary.json",
    ];
    assert_eq!(bench.entries("deep/mine"), files);
    let pictures =
        ["accuracy.svg", "confusion-ideal.svg", "confusion-pat.svg", "cost-bench.svg", "interface.svg", "loss.svg"];
    let drawn = bench.entries("deep/mine/figures");
    assert!(pictures.iter().all(|name| drawn.iter().any(|file| file == name)), "{drawn:?}");
    let metrics = bench.read("deep/mine/metrics.csv");
    let mut lines = metrics.lines();
    assert_eq!(lines.next(), Some(COLUMNS));
    let keys: Vec<_> = lines.map(|line| line.split(',').take(2).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(keys, ["ideal 1", "ideal 2", "ideal 3", "pat 1", "pat 2", "pat 3"]);
    let svg = bench.read("deep/mine/accuracy.svg");
    assert!(svg.starts_with("<svg") && svg.contains("ideal") && svg.contains("test accuracy"));
}

#[test]
fn a_reader_who_closes_stdout_is_no_failure() {
    let bench = Bench::new();
    let mut command = bench.asyt(["train", "--epochs", "1", "--train-limit", "50", "--out", "mine", "--quiet"]);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    drop(child.stdout.take());
    let ended = Ended::new(child.wait_with_output().unwrap());
    assert_eq!((ended.code, ended.beside_notes().as_str()), (Some(0), ""));
    assert!(bench.path("mine/summary.json").exists());
}

#[test]
fn colours_are_for_terminals_that_want_them() {
    let bench = Bench::new();
    let coloured = |variable: &str, value: &str| {
        let mut command = bench.asyt(["train", "--epochs", "x"]);
        let refused = Ended::new(command.env(variable, value).output().unwrap());
        assert_eq!(refused.code, Some(2));
        let mut command = bench.asyt(["report", "none"]);
        Ended::new(command.env(variable, value).output().unwrap()).stderr.contains('\u{1b}')
    };
    assert!(!coloured("UNUSED", "1"), "stderr is no terminal");
    assert!(coloured("CLICOLOR_FORCE", "1"));
    let mut command = bench.asyt(["report", "none"]);
    let plain = Ended::new(command.env("NO_COLOR", "1").output().unwrap());
    assert!(!plain.stderr.contains('\u{1b}') && plain.stderr.starts_with("error: "), "{plain:?}");
}

#[test]
fn help_and_version_are_results() {
    let bench = Bench::new();
    let version = bench.run(["--version"]).done();
    let said = version.stdout.trim_end().strip_prefix(&format!("asyt {}", env!("CARGO_PKG_VERSION"))).unwrap();
    // a release says its commit too
    assert!(said.is_empty() || (said.starts_with(" (") && said.len() >= 12 && said.ends_with(')')), "{version:?}");
    let help = bench.run(["train", "--help"]).done();
    for part in ["asyt-demo", "bank:in-48-out", "--learning-rate", "--resume", "uncalibrated"] {
        assert!(help.stdout.contains(part), "{part}");
    }
    let none = bench.run([]);
    assert_eq!(none.code, Some(2));
    assert!(none.stderr.contains("asyt train"), "{none:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_stdout_is_a_failure_that_keeps_the_results() {
    let bench = Bench::new();
    let mut command = bench.asyt(["train", "--epochs", "1", "--train-limit", "50", "--out", "mine", "--quiet"]);
    command.stdout(std::fs::File::options().write(true).open("/dev/full").unwrap());
    Ended::new(command.output().unwrap()).refused(1, &["stdout", "mine", "No space left"]);
    assert!(bench.path("mine/summary.json").exists());
}
