//! Chips that are kept in files and met again.

use crate::asyt::{Bench, Ended};
use at_core::files::npz::Npz;

fn train(bench: &Bench, network: &str, more: &[&str]) -> Ended {
    let base =
        ["train", "--train-limit", "100", "--test-limit", "50", "--batch-size", "20", "--epochs", "2", "--quiet"];
    bench.run(base.into_iter().chain(["--method", "at,pat,ideal", "--network", network]).chain(more.iter().copied()))
}

/// `metrics.csv` without the chip's number, what was measured, and the seconds.
fn numbers(bench: &Bench, run: &str) -> String {
    let metrics = bench.read(&format!("{run}/metrics.csv"));
    metrics.lines().map(|line| line.rsplitn(4, ',').last().unwrap()).collect::<Vec<_>>().join("\n")
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

#[test]
fn chips_that_share_a_model_have_rows_and_results_of_their_own() {
    let bench = Bench::new();
    let at = ["--method", "at,ideal", "--epochs", "2", "--quiet", "--chip-seed"];
    let run = |seed: &'static str, more: &[&'static str]| bench.train(&[&at[..], &[seed], more].concat()).done();
    let shared = run("4", &["--share-model", "3", "--out", "fleet"]);
    assert!(shared.stdout.contains("at, chip 6") && shared.stdout.matches("below ideal").count() <= 1, "{shared:#?}");
    run("5", &["--out", "alone"]);
    let rows = |run: &str| -> Vec<(u64, String)> {
        let text = bench.read(&format!("{run}/metrics.csv"));
        let mut csv = csv::Reader::from_reader(text.as_bytes());
        let rows = csv.deserialize::<std::collections::BTreeMap<String, String>>().map(Result::unwrap);
        let at = rows.filter(|row| row["method"] == "at");
        let learned = ["epoch", "train_loss", "test_loss", "test_accuracy", "chip_reads", "control_writes"];
        at.map(|row| (row["chip_seed"].parse().unwrap(), learned.map(|key| row[key].clone()).join(" "))).collect()
    };
    let fleet = rows("fleet");
    assert_eq!(fleet.iter().map(|row| row.0).collect::<Vec<_>>(), [4, 5, 6, 4, 5, 6]);
    assert_eq!(fleet.into_iter().filter(|row| row.0 == 5).collect::<Vec<_>>(), rows("alone"));
    let results = |run: &str| -> Vec<serde_json::Value> {
        let summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
        summary["results"].as_array().unwrap().iter().filter(|result| result["method"] == "at").cloned().collect()
    };
    let (all, alone) = (results("fleet"), results("alone"));
    assert_eq!(all.len(), 3);
    assert_eq!(all[1]["final_test_accuracy"], alone[0]["final_test_accuracy"]);
    // a pass forward costs half of one back: (1 + 2)/3 + 2 against 1 + 2 + 2
    let flops = |result: &serde_json::Value| result["digital_flops"].as_u64().unwrap();
    assert_eq!(5 * flops(&all[1]), 3 * flops(&alone[0]));
    // all is there already, and comes out again
    bench.run(["train", "--resume", "fleet", "--quiet"]).done();
    assert_eq!(results("fleet").len(), 3);
    assert_eq!(rows("fleet").len(), 6);
}

#[test]
fn sharing_that_makes_no_sense_is_refused() {
    let bench = Bench::new();
    bench.train(&["--share-model", "0"]).refused(2, &["share-model = 0"]);
    bench.train(&["--share-model", "2", "--method", "pat"]).refused(2, &["share-model", "at"]);
    bench.train(&["--share-model", "2", "--digital-step", "as-published"]).refused(2, &["share-model", "matched"]);
    bench.train(&["--share-model", "2", "--chip-file", "c.npz"]).refused(2, &["share-model", "--chip-file"]);
    assert!(!bench.path("runs").exists());
}

/// The example of the docs is a chip, and flags say what it leaves open.
#[test]
fn a_measured_chip_is_what_was_measured_and_otherwise_what_flags_say() {
    let bench = Bench::new();
    let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/imperfections.md");
    let page = std::fs::read_to_string(docs).unwrap();
    let file = page.split("```toml\n").nth(1).and_then(|rest| rest.split("```").next()).unwrap();
    bench.write("F.toml", file);
    let words = page.lines().find_map(|line| line.trim().strip_prefix("asyt train ")).unwrap();
    let run = |out: &str, more: &[&str]| {
        let own = ["--epochs", "2", "--quiet", "--engine", "cpu", "--method", "ideal", "--out", out, "--save-chip"];
        let kept = format!("{out}.npz");
        let all: Vec<&str> = ["train"]
            .into_iter()
            .chain(words.split(' '))
            .chain(own)
            .chain([&kept[..]])
            .chain(more.iter().copied())
            .collect();
        bench.run(all).done();
        let chip = Npz::open(&bench.path(&kept)).unwrap();
        ["stage0.first_coupler", "stage0.second_coupler", "stage0.phases", "shifters"]
            .map(|name| chip.array(name).unwrap().reals().unwrap())
    };
    let [first, second, phases, shifters] = run("a", &[]);
    assert_eq!(
        (first[0], first[2], &second[..], &phases[..3]),
        (0.021, -0.014, &[0.0, 0.033, 0.008][..], &[0.12, -0.31, 0.05][..])
    );
    assert!(
        first[1] != 0.0 && phases[3..6].iter().all(|&phase| phase != 0.0),
        "the rest is drawn: {first:?} {phases:?}"
    );
    // gain, base, range
    assert_eq!((shifters[0], shifters[2], shifters[3 * 2 + 2], shifters[3 * 3]), (1.02, 9.4, 9.1, 0.0));
    let [other, _, _, _] = run("b", &["--chip-seed", "5"]);
    assert_eq!((other[0], other[2]), (first[0], first[2]));
    assert_ne!(other[1], first[1], "another individual around the same measurements");
    assert!(bench.read("a/config.toml").contains("control-bits = 6"));

    let evaluate = |more: &[&str]| {
        let words = ["evaluate", "--phases", "a", "--json", "--chip-file", "F.toml"];
        bench.run(words.into_iter().chain(more.iter().copied())).done().stdout
    };
    let summary: serde_json::Value = serde_json::from_str(&bench.read("a/summary.json")).unwrap();
    let evaluated: serde_json::Value = serde_json::from_str(&evaluate(&[])).unwrap();
    assert_eq!(evaluated["accuracy"], summary["results"][0]["final_test_accuracy"]);
    assert_ne!(evaluate(&["--chip-seed", "77"]), evaluate(&[]), "another rest of the chip");
    bench
        .run(["evaluate", "--phases", "a", "--chip-file", "a.npz", "--chip-seed", "3"])
        .refused(2, &["holds a whole one"]);

    // put back between a stop and a resume it is the same chip, changed it is not
    bench.write("F.toml", file.replace("0.021", "0.022"));
    bench.run(["train", "--resume", "a", "--quiet"]).refused(1, &["F.toml", "another chip"]);
}

#[test]
fn measurements_that_fit_no_chip_are_refused_with_their_section() {
    let bench = Bench::new();
    let refused = |text: &str, words: &[&str]| {
        bench.write("F.toml", text);
        let run = [
            "train",
            "--network",
            "mesh:4",
            "--dataset",
            "iris",
            "--encoding",
            "raw",
            "--chip-file",
            "F.toml",
            "--epochs",
            "1",
        ];
        bench.run(run).refused(1, &[&["F.toml"], words].concat());
        assert!(!bench.path("runs").exists());
    };
    refused("[mesh1]\ntheta = [0.1]", &["unknown section", "mesh0"]);
    refused("[mesh0]\ntheta = [0.1]", &["[mesh0] theta must hold 6 numbers"]);
    refused("[mesh0]\nfirst_coupler = [0.1]", &["first_coupler"]);
    refused("[mesh0]\ntheta = [inf, 0, 0, 0, 0, 0]", &["phase error"]);
    refused("[shifters]\ndead = [16]", &["16 controls"]);
    refused("not toml at all", &["line 1"]);
}
