//! Trainings that can hardly be meant, from outside: dark readouts, networks without settings of their own, divergence, chance, a
//! chip that is measured until the end.

use crate::asyt::Bench;
use at_gpu::testing::require_gpu;
use std::collections::HashMap;

type Rows = Vec<HashMap<String, String>>;

fn rows(bench: &Bench, file: &str) -> Rows {
    let text = bench.read(file);
    csv::Reader::from_reader(text.as_bytes()).deserialize().map(Result::unwrap).collect()
}

fn summary(bench: &Bench, run: &str) -> serde_json::Value {
    serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap()
}

/// Networks of `--help` and the README, what they are trained on, and what the program says where that cannot be.
const NETWORKS: [(&str, &[&str], Result<(), &str>); 22] = [
    ("matrix:784-256-10", &[], Err("784 inputs")),
    ("matrix:64-32-10", &[], Ok(())),
    ("matrix:in-48-out", &[], Ok(())),
    ("bank:in-48-out", &[], Ok(())),
    ("bank:in-12-out", &["--dataset", "iris", "--batch-size", "10", "--epochs", "40"], Ok(())),
    ("conv:8@3x3,pool:2,bank:out", &["--epochs", "30"], Ok(())),
    ("mesh:4", &["--dataset", "iris"], Ok(())),
    ("mesh:4x2", &["--dataset", "iris"], Ok(())),
    ("mesh:64x3", &[], Ok(())),
    ("mesh:64x3,triangular", &[], Ok(())),
    ("mesh:64x3,depth=16", &[], Ok(())),
    ("mesh:64x3,activation=none", &[], Ok(())),
    ("mesh:64x3,activation=saturable", &[], Ok(())),
    ("mesh:64x3,activation=mod-relu", &[], Ok(())),
    ("mesh:64x3,activation=spm", &[], Ok(())),
    ("mesh:64x3,detection=amplitude", &[], Ok(())),
    ("mesh:64x3,detection=balanced", &[], Ok(())),
    ("mesh:64x3,detection=homodyne", &[], Ok(())),
    ("diffractive:16x16x2", &[], Ok(())),
    ("tiles:32x64/16", &[], Ok(())),
    ("tiles:64x64/16x3", &[], Ok(())),
    ("[[{ kind = 'mesh', modes = 16 }, { kind = 'detection', detection = { kind = 'intensity' } }]]", &[], Ok(())),
];

#[test]
fn a_network_that_help_names_trains_without_further_settings_or_says_why_not() {
    let bench = Bench::new();
    for (index, (network, more, ends)) in NETWORKS.iter().enumerate() {
        let quoted = if network.starts_with('[') { network.to_string() } else { format!("{network:?}") };
        let config = bench.write("config.toml", format!("network = {quoted}\n"));
        let run = format!("run-{index}");
        // defaults in all but the number of epochs; of the methods the oracle, which is not slower than others
        let rest = ["--config", &config, "--method", "ideal", "--quiet", "--engine", "cpu", "--out", &run];
        let epochs = if more.is_empty() { &["--epochs", "6"][..] } else { more };
        let ended = bench.run(["train"].into_iter().chain(rest).chain(epochs.iter().copied()));
        match ends {
            Err(part) => ended.refused(2, &[part]),
            Ok(()) => {
                ended.done();
                let summary = summary(&bench, &run);
                let accuracy = summary["results"][0]["final_test_accuracy"].as_f64().unwrap();
                assert!(accuracy > summary["chance"]["limit"].as_f64().unwrap() + 0.1, "{network}: {accuracy}");
                assert_eq!(summary["notes"], serde_json::json!([]), "{network}");
            }
        }
    }
}

#[test]
fn the_methods_that_a_network_gets_by_default_learn_on_it() {
    let bench = Bench::new();
    for (index, (network, more, _)) in NETWORKS.iter().enumerate().filter(|(_, (_, _, ends))| ends.is_ok()) {
        let quoted = if network.starts_with('[') { network.to_string() } else { format!("{network:?}") };
        let config = bench.write("config.toml", format!("network = {quoted}\n"));
        let run = format!("run-{index}");
        // defaults in all but the size of the run, and of weight banks and of irises, who take their epochs, in that too
        let small = ["--train-limit", "300", "--test-limit", "200", "--epochs", "12"];
        let whole = network.starts_with("bank") || !more.is_empty();
        let size = if whole { &more[..more.len().min(4)] } else { &small[..] };
        let rest = ["--config", &config, "--quiet", "--engine", "cpu", "--out", &run];
        bench.run(["train"].into_iter().chain(rest).chain(size.iter().copied())).done();
        let summary = summary(&bench, &run);
        let limit = summary["chance"]["limit"].as_f64().unwrap();
        for result in summary["results"].as_array().unwrap() {
            let method = result["method"].as_str().unwrap();
            let accuracy = result["final_test_accuracy"].as_f64().unwrap();
            // what was trained on the computer alone may fail on the chip: that is what the others are for
            assert!(method == "in-silico" || accuracy > limit + 0.1, "{network}, {method}: {accuracy}");
        }
        assert_eq!(summary["results"].as_array().unwrap().len(), 3, "{network}");
    }
}

#[test]
fn planes_that_do_not_mix_and_masks_beyond_their_sampling_are_named() {
    let bench = Bench::new();
    let near = "diffractive:16x16,distance=0.1mm";
    let run =
        ["train", "--network", near, "--train-limit", "100", "--epochs", "1", "--method", "ideal", "--out", "run"];
    let ended = bench.run(run).done();
    assert!(
        ended.stderr.contains("note: light goes ") && ended.stderr.contains("pixels hardly mix"),
        "{}",
        ended.stderr
    );
    let far = ["train", "--network", "diffractive:16x16,distance=1m"];
    bench
        .run(far)
        .refused(2, &["distance = 1 m", "16 × 16 pixels of 400 µm", "take at most 5", "or some 70 pixels a side"]);
}

#[test]
fn defaults_that_follow_the_network_are_said_and_written_down() {
    let bench = Bench::new();
    let run = ["train", "--network", "mesh:16", "--train-limit", "100", "--epochs", "1", "--out", "run"];
    let ended = bench.run(run).done();
    let line = ended.stderr.lines().find(|line| line.starts_with("defaults that follow the network")).unwrap();
    for part in ["chip mesh", "encoding fourier-crop:4", "method at-adaptive,in-silico,ideal", "optimizer adam"] {
        assert!(line.contains(part), "{part}: {line}");
    }
    assert!(ended.stderr.contains("\nlight    mean power per layer "), "{}", ended.stderr);
    let config = bench.read("run/config.toml");
    assert!(config.contains("chip = \"mesh\"") && config.contains("loss-normalization = \"l2\""), "{config}");
    // the file repeats the run, whatever the defaults
    let again = ["train", "--config", "run/config.toml", "--out", "again"];
    assert!(!bench.run(again).done().stderr.contains("defaults that follow"));
    let losses = |run| rows(&bench, run).iter().map(|row| row["test_loss"].clone()).collect::<Vec<_>>();
    assert_eq!(losses("run/metrics.csv"), losses("again/metrics.csv"));
}

#[test]
fn a_sweep_over_networks_goes_on_with_the_defaults_with_which_it_began() {
    let bench = Bench::new();
    let sweep =
        ["sweep", "--vary", "network=mesh:4,mesh:4x2", "--dataset", "iris", "--batch-size", "10", "--epochs", "1"];
    let ended =
        bench.run(sweep.into_iter().chain(["--chips", "1", "--quiet", "--out", "run", "--method", "ideal"])).done();
    let cells = bench.entries("run/cells");
    assert_eq!(cells.len(), 2);
    assert_eq!(bench.run(["sweep", "--resume", "run", "--quiet"]).done().stdout, ended.stdout);
    assert_eq!(bench.entries("run/cells"), cells, "nothing is trained twice");
}

#[test]
fn a_dark_readout_is_named_before_and_after_and_level_with_nothing() {
    let bench = Bench::new();
    let dark =
        ["train", "--preset", "digits", "--network", "mesh:64x3", "--chip", "mesh", "--method", "at-adaptive,ideal"];
    let short = ["--train-limit", "200", "--epochs", "2", "--measuring-steps", "2", "--engine", "cpu", "--out", "run"];
    let ended = bench.run(dark.into_iter().chain(short)).done();
    let (before, after) = ended.stderr.split_once("at-adaptive epoch 2/2").unwrap();
    assert!(before.contains("note: the readout is dark: mean power per layer 0"), "{before}");
    assert!(before.contains("--loss-normalization l2") && before.contains("→"), "{before}");
    assert!(after.contains("ideal ends at chance"), "{after}");
    assert!(!ended.stdout.contains("level with") && ended.stdout.contains("ends at chance"), "{}", ended.stdout);
    let notes = summary(&bench, "run")["notes"].to_string();
    assert!(notes.contains("the readout is dark") && notes.contains("at-adaptive ends at chance"), "{notes}");
    bench.run(["report", "run"]).done();
    assert!(bench.read("run/report.html").contains("the readout is dark"));
}

#[test]
fn a_readout_beyond_its_converters_is_named_in_a_comparison_too() {
    let bench = Bench::new();
    let compare =
        ["compare", "--network", "bank:in-out", "--train-limit", "100", "--test-limit", "50", "--epochs", "1"];
    let converters = ["--adc-bits", "8", "--adc-range", "0.001", "--method", "ideal", "--chips", "1", "--out", "run"];
    let ended = bench.run(compare.into_iter().chain(converters)).done();
    assert!(ended.stderr.contains("note: the readout is beyond its converters"), "{}", ended.stderr);
    assert!(bench.read("run/compare.json").contains("the readout is beyond its converters"));
}

#[test]
fn controls_that_run_away_are_a_divergence_and_no_result() {
    let bench = Bench::new();
    let dat = ["train", "--preset", "digits", "--dataset", "iris", "--network", "mesh:4x2,activation=saturable"];
    let rest = ["--chip", "mesh", "--batch-size", "10", "--method", "dat-internal", "--engine", "cpu", "--quiet"];
    bench
        .run(dat.into_iter().chain(rest).chain(["--out", "run"]))
        .refused(1, &["dat-internal diverged in epoch", "rad"]);
    let fast = ["--learning-rate", "1e8", "--epochs", "2", "--quiet", "--out"];
    let mut engines = vec![["--engine", "cpu"]];
    if require_gpu().is_some() {
        engines.push(["--adapter", "any"]);
    }
    for engine in engines {
        for network in ["bank:in-8-out", "mesh:64x2", "matrix:in-8-out"] {
            let out = format!("{}-{}", engine[1], &network[..4]);
            let run =
                ["train", "--network", network, "--method", "ideal", "--optimizer", "sgd", "--train-limit", "200"];
            let ended = bench.run(run.into_iter().chain(engine).chain(fast).chain([out.as_str()]));
            ended.refused(1, &["ideal diverged in epoch 1", "control", "--learning-rate"]);
        }
    }
}

#[test]
fn a_run_that_only_measures_says_so_and_marks_what_the_model_did() {
    let bench = Bench::new();
    let mesh = ["train", "--dataset", "iris", "--network", "mesh:4x2", "--batch-size", "30", "--method", "at-adaptive"];
    let run = |more: &[&'static str]| bench.run(mesh.iter().chain(more).copied()).done().stderr;
    let measured = |run| {
        let rows = rows(&bench, &format!("{run}/metrics.csv"));
        rows.iter().filter(|row| row["measuring"] == "true").count()
    };
    // 10 epochs of 4 steps: half of them measure where nobody says otherwise
    let short = run(&["--epochs", "10", "--out", "short"]);
    assert!(short.contains("note: at-adaptive measures the chip in 20 of the 40 steps"), "{short}");
    assert_eq!(measured("short"), 5);
    let never = run(&["--epochs", "10", "--measuring-steps", "40", "--out", "never"]);
    assert!(never.contains("in all 40 steps of this run and never trains on it"), "{never}");
    assert_eq!(measured("never"), 10);
    assert!(!run(&["--epochs", "10", "--measuring-steps", "6", "--out", "given"]).contains("measures the chip"));
    assert_eq!(measured("given"), 1, "this chip is found in the first epoch, before the six steps are spent");
    bench.run(["report", "short"]).done();
    assert!(bench.read("short/report.html").contains("Epochs in which at-adaptive measured the chip are left out"));
}
