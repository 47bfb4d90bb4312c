//! The gain of the loss where it is left to the program: chosen once, kept as a number, the same for all.

use crate::asyt::{Bench, Ended};

/// A short training of the default network, or of another one.
fn train(bench: &Bench, more: &[&str], out: &str) -> Ended {
    let limits = ["train", "--train-limit", "100", "--test-limit", "50", "--batch-size", "20", "--epochs", "3"];
    let rest = ["--method", "at", "--out", out];
    bench.run(limits.iter().chain(&rest).chain(more).copied()).done()
}

/// The line of a run's settings with its gain.
fn gain(bench: &Bench, file: &str) -> f64 {
    let config: toml::Table = bench.read(file).parse().unwrap();
    config["loss-gain"].as_float().unwrap_or_else(|| panic!("loss-gain of {file} is {}", config["loss-gain"]))
}

#[test]
fn a_gain_that_the_program_chooses_is_kept_as_a_number_that_repeats_the_run() {
    let bench = Bench::new();
    let run = train(&bench, &[], "auto");
    let chosen = gain(&bench, "auto/config.toml");
    assert!(chosen > 0.0 && chosen < 1.0, "{chosen}");
    assert!(run.stderr.contains(&format!("gain     {chosen}, ")), "{}", run.stderr);
    train(&bench, &["--loss-gain", &chosen.to_string(), "--quiet"], "number");
    bench.run(["train", "--config", "auto/config.toml", "--out", "again", "--quiet"]).done();
    let trained = |run: &str| std::fs::read(bench.path(&format!("{run}/at.safetensors"))).unwrap();
    assert!(trained("auto") == trained("number") && trained("auto") == trained("again"));
    train(&bench, &["--loss-gain", "1", "--quiet"], "one");
    assert!(trained("auto") != trained("one"), "it matters");
}

#[test]
fn errors_of_cells_lower_the_gain_and_chips_of_a_kind_share_it() {
    let bench = Bench::new();
    let of = |flags: &[&str], out: &str| {
        train(&bench, &[flags, &["--quiet"]].concat(), out);
        gain(&bench, &format!("{out}/config.toml"))
    };
    let deep = ["--network", "bank:in-32-32-out", "--initialization", "normal:0.3:0.1"];
    let usual = of(&deep, "usual");
    let chip_7 = of(&[&deep[..], &["--chip-seed", "7"]].concat(), "chip-7");
    let perfect = of(&[&deep[..], &["--chip", "ideal"]].concat(), "perfect");
    assert_eq!(usual, chip_7);
    assert!(usual < 0.5 * perfect, "{usual} {perfect}");
}

#[test]
fn every_point_of_a_sweep_has_its_own_gain_and_its_methods_share_it() {
    let bench = Bench::new();
    let sweep = ["sweep", "--train-limit", "100", "--test-limit", "50", "--epochs", "1", "--method", "at,ideal"];
    let vary = ["--chips", "1", "--vary", "network=bank:in-out;bank:in-32-32-out", "--out", "s", "--quiet"];
    bench.run(sweep.into_iter().chain(vary)).done();
    let mut gains = std::collections::BTreeMap::new();
    for cell in bench.entries("s/cells") {
        let result: serde_json::Value =
            serde_json::from_str(&bench.read(&format!("s/cells/{cell}/result.json"))).unwrap();
        let network = result["settings"]["network"].as_str().unwrap().to_string();
        gains.entry(network).or_insert_with(Vec::new).push(result["settings"]["loss-gain"].as_f64().unwrap());
    }
    let gains: Vec<Vec<f64>> = gains.into_values().collect();
    assert!(gains.iter().all(|own| own.len() == 2 && own[0] == own[1]), "{gains:?}");
    assert_ne!(gains[0][0], gains[1][0], "{gains:?}");
}

#[test]
fn values_are_met_as_they_are() {
    let bench = Bench::new();
    train(&bench, &["--loss", "mean-square", "--quiet"], "run");
    assert_eq!(gain(&bench, "run/config.toml"), 1.0);
}

#[test]
fn a_deep_bank_learns_where_it_ran_away() {
    let bench = Bench::new();
    let network = ["--network", "bank:in-32-32-32-32-32-out", "--initialization", "normal:0.3:0.1", "--encoding", "l2"];
    let steps = ["--optimizer", "adam", "--learning-rate", "0.005", "--epochs", "30", "--batch-size", "50"];
    let score = |gain: &[&str], out: &str| {
        let rest = ["--engine", "cpu", "--method", "at", "--quiet", "--json", "--out", out];
        let all = ["train"].iter().chain(&network).chain(&steps).chain(&rest).chain(gain).copied();
        let summary: serde_json::Value = serde_json::from_str(&bench.run(all).done().stdout).unwrap();
        summary["results"][0]["final_test_accuracy"].as_f64().unwrap_or_else(|| panic!("{summary}"))
    };
    let (chosen, one) = (score(&[], "chosen"), score(&["--loss-gain", "1"], "one"));
    assert!(chosen > 0.75 && one < 0.6, "{chosen} {one}");
}
