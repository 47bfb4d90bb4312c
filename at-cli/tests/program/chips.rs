//! Chips that are kept in files and met again.

use crate::asyt::{Bench, Ended};

fn train(bench: &Bench, network: &str, more: &[&str]) -> Ended {
    let base =
        ["train", "--train-limit", "100", "--test-limit", "50", "--batch-size", "20", "--epochs", "2", "--quiet"];
    bench.run(base.into_iter().chain(["--method", "at,pat,ideal", "--network", network]).chain(more.iter().copied()))
}

/// `metrics.csv` without the seconds.
fn numbers(bench: &Bench, run: &str) -> String {
    let metrics = bench.read(&format!("{run}/metrics.csv"));
    metrics.lines().map(|line| line.rsplit_once(',').unwrap().0).collect::<Vec<_>>().join("\n")
}

#[test]
fn a_kept_chip_gives_the_same_numbers() {
    let bench = Bench::new();
    let imperfect = ["--shot-noise", "0.1", "--adc-bits", "8", "--drift-step", "0.01", "--perturbation", "0.5"];
    let own = [&imperfect[..], &["--chip-seed", "7", "--save-chip", "chip.npz", "--out", "drawn"]].concat();
    train(&bench, "bank:in-12-out", &own).done();
    train(&bench, "bank:in-12-out", &["--chip-file", "chip.npz", "--out", "read"]).done();
    assert_eq!(numbers(&bench, "drawn"), numbers(&bench, "read"));
    let milder = ["--shot-noise", "0.1", "--adc-bits", "8", "--drift-step", "0.01", "--chip-seed", "7"];
    train(&bench, "bank:in-12-out", &[&milder[..], &["--out", "milder"]].concat()).done();
    assert_ne!(numbers(&bench, "drawn"), numbers(&bench, "milder"), "the perturbation acts");
    // a run is continued from wherever its chip's file is seen differently
    assert!(bench.read("read/config.toml").contains(bench.path("chip.npz").to_str().unwrap()));
}

#[test]
fn chips_that_do_not_fit_are_refused() {
    let bench = Bench::new();
    train(&bench, "bank:in-out", &["--save-chip", "chip.npz", "--out", "run"]).done();
    let refused = |network, more: &[&str], code, parts: &[&str]| train(&bench, network, more).refused(code, parts);
    refused("bank:in-12-out", &["--chip-file", "chip.npz"], 1, &["chip.npz"]);
    refused("bank:in-out", &["--chip-file", "none.npz"], 1, &["none.npz"]);
    refused("bank:in-out", &["--perturbation", "-1"], 2, &["perturbation"]);
    refused("bank:in-out", &["--chip", "ideal", "--perturbation", "0.5"], 2, &["hidden layers"]);
}
