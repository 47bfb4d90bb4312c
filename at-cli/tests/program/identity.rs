//! Files and data belong to a network and to a run: those of another one are refused by name, and taken only where that is asked for.

use crate::asyt::{Bench, Ended};

const SMALL: [&str; 9] = ["train", "--train-limit", "60", "--test-limit", "30", "--batch-size", "20", "--epochs", "1"];

fn train(bench: &Bench, flags: &[&str]) -> Ended {
    bench.run(SMALL.into_iter().chain(["--engine", "cpu", "--quiet"]).chain(flags.iter().copied()))
}

const MESH: [&str; 4] = ["--encoding", "fourier-crop:4", "--chip", "mesh"];

fn notes(bench: &Bench, run: &str) -> String {
    let summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
    summary["notes"].to_string()
}

#[test]
fn a_chip_of_one_mesh_is_not_taken_for_a_network_of_three() {
    let bench = Bench::new();
    let own = [&MESH[..], &["--method", "ideal"]].concat();
    let run = |network: &str, more: &[&str]| train(&bench, &[&own[..], &["--network", network], more].concat());
    run("mesh:16x1", &["--save-chip", "chip.npz", "--out", "one"]).done();
    let both =
        ["chip.npz", "a chip of mesh:16 > intensity", "is 2 x (mesh:16 > electro-optic)", "--chip-of-other-network"];
    run("mesh:16x3", &["--chip-file", "chip.npz", "--out", "three"]).refused(1, &both);
    assert!(!bench.path("three").exists(), "no run folder before the chip is known");
    run("mesh:16x3", &["--chip-file", "chip.npz", "--chip-of-other-network", "--out", "three"]).done();
    assert!(notes(&bench, "three").contains("takes what fits"));
    run("mesh:16x1", &["--chip-file", "chip.npz", "--out", "same"]).done();
    assert!(!notes(&bench, "same").contains("chip"), "a chip of its own network is not doubted");
}

#[test]
fn controls_of_another_network_with_as_many_are_refused() {
    let bench = Bench::new();
    let ideal = ["--method", "ideal"];
    let mesh = [&MESH[..], &ideal].concat();
    let bank = [&["--chip", "ideal"][..], &ideal].concat();
    let pairs: [(&[&str], &str, &str, [&str; 2]); 2] = [
        (&mesh, "mesh:16x2", "mesh:16x2,triangular", ["(mesh:16 >", "mesh:16,triangular"]),
        (&bank, "bank:in-10", "matrix:in-10", ["bank:64-10", "matrix:64-10"]),
    ];
    for (own, from, to, named) in pairs {
        let out = from.replace(':', "-");
        train(&bench, &[own, &["--network", from, "--out", &out]].concat()).done();
        let checkpoint = format!("{out}/ideal.safetensors");
        let started = [own, &["--network", to, "--start-from", &checkpoint]].concat();
        let named: Vec<&str> = named.into_iter().map(|name| name.trim_start_matches('(')).collect();
        train(&bench, &started).refused(1, &[&named[..], &["--start-from-other-network"]].concat());
        let other = format!("{out}-other");
        train(&bench, &[&started[..], &["--start-from-other-network", "--out", &other]].concat()).done();
        assert!(notes(&bench, &other).contains("in their order"));
        train(&bench, &[own, &["--network", from, "--start-from", &checkpoint]].concat()).done();
    }
}

#[test]
fn flags_beside_a_chip_file_do_not_change_the_model_in_silence() {
    let bench = Bench::new();
    let own = [&MESH[..], &["--method", "in-silico", "--network", "mesh:16x1"]].concat();
    let run = |more: &[&str]| train(&bench, &[&own[..], more].concat());
    run(&["--save-chip", "chip.npz", "--out", "drawn"]).done();
    let file = ["--chip-file", "chip.npz"];
    let lossy = ["--control-range", "19", "--control-bits", "6", "--loss-db", "0.4"];
    let refused = ["loss-db 0.4", "control-bits 6", "digital models alone", "--data-sheet"];
    run(&[&file[..], &lossy].concat()).refused(2, &refused);
    run(&[&file[..], &["--shot-noise", "0.1"]].concat()).refused(2, &["shot-noise 0.1", "would change nothing"]);
    run(&["--data-sheet"]).refused(2, &["data-sheet", "--chip-file"]);
    run(&[&file[..], &lossy, &["--data-sheet", "--out", "sheet"]].concat()).done();
    let said = notes(&bench, "sheet");
    assert!(said.contains("the chip is as its files have it") && said.contains("loss 0 dB a column"), "{said}");
    // the kind is its data sheet, and its settings repeat the run
    let kind = ["--encoding", "fourier-crop:4", "--method", "in-silico", "--network", "mesh:16x1", "--chip", "silicon"];
    train(&bench, &[&kind[..], &file, &["--out", "kind"]].concat()).done();
    assert!(notes(&bench, "kind").contains("where the data sheet has"));
    for run in ["kind", "sheet", "drawn"] {
        let config = format!("{run}/config.toml");
        bench.run(["train", "--config", &config, "--quiet", "--out", &format!("{run}-again")]).done();
    }
}

/// A data set of two features that training cannot tell by its size from another one.
fn write_data(bench: &Bench, folder: &str, label: u32) {
    let rows = (0..40).map(|k| format!("{}.5,{}.25,{}\n", k % 7, k % 5, if k == 3 { label } else { k % 2 }));
    bench.write(&format!("{folder}/train.csv"), rows.collect::<String>());
    bench.write(&format!("{folder}/test.csv"), "1.5,2.25,0\n2.5,1.25,1\n");
}

#[test]
fn a_run_is_not_resumed_on_other_samples_or_another_chip() {
    let bench = Bench::new();
    write_data(&bench, "mine", 1);
    let own = ["train", "--dataset", "mine", "--network", "bank:in-out", "--batch-size", "10", "--epochs", "2"];
    let flags = ["--method", "ideal", "--engine", "cpu", "--quiet"];
    let run = |more: &[&str]| bench.run(own.into_iter().chain(flags).chain(more.iter().copied()));
    let resume = || bench.run(["train", "--resume", "run", "--quiet"]);
    run(&["--save-chip", "chip.npz", "--out", "drawn"]).done();
    run(&["--chip-file", "chip.npz", "--out", "run"]).done();
    resume().done();
    write_data(&bench, "mine", 0);
    resume().refused(1, &["ideal.safetensors", "data set mine", "the training labels have changed"]);
    write_data(&bench, "mine", 1);
    let chip = std::fs::read(bench.path("chip.npz")).unwrap();
    run(&["--chip-seed", "9", "--save-chip", "chip.npz", "--out", "other"]).done();
    resume().refused(1, &["ideal.safetensors", "chip.npz: it holds another chip"]);
    std::fs::write(bench.path("chip.npz"), chip).unwrap();
    resume().done();
    run(&["--start-from", "drawn/ideal.safetensors", "--out", "started"]).done();
    std::fs::copy(bench.path("other/ideal.safetensors"), bench.path("drawn/ideal.safetensors")).unwrap();
    bench.run(["train", "--resume", "started", "--quiet"]).refused(1, &["ideal.safetensors: it holds other controls"]);
}

#[test]
fn a_sweep_is_not_continued_on_other_samples_and_is_still_reported() {
    let bench = Bench::new();
    write_data(&bench, "mine", 1);
    let own = ["sweep", "--dataset", "mine", "--network", "bank:in-out", "--batch-size", "10", "--method", "ideal"];
    let more = ["--vary", "epochs=1,2", "--chips", "1", "--jobs", "1", "--engine", "cpu", "--quiet", "--out", "grid"];
    bench.run(own.into_iter().chain(more)).done();
    let resume = || bench.run(["sweep", "--resume", "grid", "--jobs", "1", "--quiet"]);
    resume().done();
    let cells = bench.entries("grid/cells");
    write_data(&bench, "mine", 0);
    resume().refused(1, &["data set mine", "the training labels have changed"]);
    bench.run(["report", "grid"]).done();
    assert_eq!(bench.entries("grid/cells"), cells, "no cell was begun on other samples");
    // a run of an earlier version, which noted nothing, is continued as far as it goes
    let mut request: serde_json::Value = serde_json::from_str(&bench.read("grid/request.json")).unwrap();
    request.as_object_mut().unwrap().remove("contents");
    bench.write("grid/request.json", request.to_string());
    let ended = resume().done();
    assert!(ended.stderr.contains("of an earlier version"), "{ended:#?}");
}

#[test]
fn chips_are_not_counted_where_a_file_holds_one() {
    let bench = Bench::new();
    let own = [&SMALL[1..], &["--network", "bank:in-out", "--method", "ideal", "--engine", "cpu", "--quiet"]].concat();
    let run = |command: &str, more: &[&str]| {
        bench.run([command].into_iter().chain(own.iter().copied()).chain(more.iter().copied()).collect::<Vec<_>>())
    };
    run("train", &["--save-chip", "chip.npz", "--out", "drawn"]).done();
    let refused = run("compare", &["--chip-file", "chip.npz", "--chips", "3", "--out", "three"]);
    refused.refused(2, &["--chips 3", "is one"]);
    run("compare", &["--chip-file", "chip.npz", "--jobs", "1", "--out", "one"]).done();
    assert_eq!(bench.entries("one/cells").len(), 1);
}
