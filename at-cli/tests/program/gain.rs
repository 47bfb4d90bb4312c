//! The gain of the loss where it is left to the program: chosen once, kept as a number, the same for all.

use crate::asyt::Bench;

/// The line of a run's settings with its gain.
fn gain(bench: &Bench, file: &str) -> f64 {
    let config: toml::Table = bench.read(file).parse().unwrap();
    config["loss-gain"].as_float().unwrap_or_else(|| panic!("loss-gain of {file} is {}", config["loss-gain"]))
}

#[test]
fn a_gain_that_the_program_chooses_is_kept_as_a_number_that_repeats_the_run() {
    let bench = Bench::new();
    let run = bench.train(&["--epochs", "3", "--method", "at", "--out", "auto"]).done();
    let chosen = gain(&bench, "auto/config.toml");
    assert!(chosen > 0.0 && chosen < 1.0, "{chosen}");
    assert!(run.stderr.contains(&format!("gain     {chosen}, ")), "{}", run.stderr);
    let number = chosen.to_string();
    bench.train(&["--epochs", "3", "--method", "at", "--loss-gain", &number, "--out", "number", "--quiet"]).done();
    bench.run(["train", "--config", "auto/config.toml", "--out", "again", "--quiet"]).done();
    let trained = |run: &str| std::fs::read(bench.path(&format!("{run}/at.safetensors"))).unwrap();
    assert!(trained("auto") == trained("number") && trained("auto") == trained("again"));
    bench.train(&["--epochs", "3", "--method", "at", "--loss-gain", "1", "--out", "one", "--quiet"]).done();
    assert_ne!(trained("auto"), trained("one"), "it matters");
}

#[test]
fn errors_of_cells_lower_the_gain_and_chips_of_a_kind_share_it() {
    let bench = Bench::new();
    let of = |flags: &[&str], out: &str| {
        bench.train(&[flags, &["--epochs", "1", "--method", "at", "--quiet", "--out", out]].concat()).done();
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
    bench.train(&["--loss", "mean-square", "--epochs", "1", "--method", "at", "--out", "run", "--quiet"]).done();
    assert_eq!(gain(&bench, "run/config.toml"), 1.0);
}
