//! Tiled layers from outside: they learn, one tile is its mesh, their chips are kept, and what does not fit is said.

use crate::asyt::{Bench, Ended};
use at_gpu::testing::require_gpu;

fn train(bench: &Bench, network: &str, more: &[&str]) -> Ended {
    let data = ["train", "--dataset", "digits", "--encoding", "fourier-crop:4", "--batch-size", "50", "--quiet"];
    let loss = ["--loss-normalization", "l2", "--loss-gain", "10", "--optimizer", "adam", "--learning-rate", "0.01"];
    let limits = ["--train-limit", "500", "--test-limit", "100", "--epochs", "4", "--network", network];
    bench.run(data.into_iter().chain(loss).chain(limits).chain(more.iter().copied()))
}

/// Training loss of a method, epoch by epoch.
fn losses(bench: &Bench, run: &str, method: &str) -> Vec<f64> {
    let text = bench.read(&format!("{run}/metrics.csv"));
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    let rows = csv.deserialize::<std::collections::BTreeMap<String, String>>().map(Result::unwrap);
    rows.filter(|row| row["method"] == method).map(|row| row["train_loss"].parse().unwrap()).collect()
}

const CHIP: [&str; 8] = ["--chip", "mesh", "--splitter-angle", "0.03", "--phase", "0.05", "--loss-spread-db", "0.01"];

#[test]
fn a_tiled_network_learns_and_its_page_shows_the_tiles() {
    let bench = Bench::new();
    let methods = ["--method", "at,ideal,in-silico,pat", "--engine", "cpu", "--out", "run"];
    train(&bench, "tiles:16x16/4x2", &[&CHIP[..], &methods].concat()).done();
    for method in ["at", "ideal", "in-silico", "pat"] {
        let losses = losses(&bench, "run", method);
        assert!(losses[3] < 0.8 * losses[0], "{method}: {losses:?}");
    }
    bench.run(["report", "run"]).done();
    let page = bench.read("run/report.html");
    for text in ["16 dies, each a rectangular mesh of 4 modes", "Optical power in mesh 2", "die beside die"] {
        assert!(page.contains(text), "{text}");
    }
    bench.run(["train", "--config", "run/config.toml", "--out", "again", "--quiet"]).done();
    assert_eq!(losses(&bench, "again", "at"), losses(&bench, "run", "at"));
}

#[test]
fn one_tile_is_its_mesh() {
    let bench = Bench::new();
    for (network, out) in [("mesh:16x2,triangular", "mesh"), ("tiles:16x16/16x2,triangular", "tile")] {
        let methods = ["--method", "ideal,pat", "--engine", "cpu", "--out", out];
        train(&bench, network, &[&CHIP[..], &methods].concat()).done();
    }
    for method in ["ideal", "pat"] {
        assert_eq!(losses(&bench, "mesh", method), losses(&bench, "tile", method));
    }
}

#[test]
fn a_kept_chip_of_tiles_gives_the_same_numbers() {
    let bench = Bench::new();
    let pat = ["--method", "ideal", "--engine", "cpu"];
    let drawn = ["--crosstalk", "0.01", "--die-phase", "0.1", "--save-chip", "chip.npz", "--out", "drawn"];
    train(&bench, "tiles:12x16/4", &[&CHIP[..], &pat, &drawn].concat()).done();
    train(&bench, "tiles:12x16/4", &[&pat[..], &["--chip-file", "chip.npz", "--out", "read"]].concat()).done();
    assert_eq!(losses(&bench, "drawn", "ideal"), losses(&bench, "read", "ideal"));
    train(&bench, "mesh:16", &["--chip-file", "chip.npz", "--out", "other"]).refused(1, &["chip.npz"]);
}

#[test]
fn a_gpu_trains_as_the_cpu_does() {
    if require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    for more in
        [["--engine", "cpu", "--out", "cpu"].as_slice(), &["--engine", "gpu", "--adapter", "any", "--out", "gpu"]]
    {
        train(&bench, "tiles:16x16/4x2", &[&CHIP[..], &["--method", "at"], more].concat()).done();
    }
    let both = losses(&bench, "cpu", "at").into_iter().zip(losses(&bench, "gpu", "at"));
    assert!(both.clone().all(|(cpu, gpu)| (cpu - gpu).abs() < 0.02 * cpu), "{:?}", both.collect::<Vec<_>>());
}

#[test]
fn sizes_that_do_not_fit_are_refused() {
    let bench = Bench::new();
    let refused = |network, part| train(&bench, network, &["--chip", "mesh"]).refused(2, &[part]);
    refused("tiles:16x14/4", "tiles of 4 modes do not divide 14 inputs; use 12 or 16");
    refused("tiles:10x16/4", "tiles of 4 modes do not divide 10 outputs; use 8 or 12");
    refused("tiles:12x16/4x2", "2 layers of 12 outputs and 16 inputs do not follow on one another");
    refused("tiles:16/4", "OUTPUTSxINPUTS/TILE");
}
