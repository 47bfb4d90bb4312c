//! Data of one's own in one piece: split, scale and complex fields belong to a run, from training to evaluation and comparison.

use crate::asyt::{Bench, Ended};
use ndarray::{Array1, Array2, Array4};
use ndarray_npy::NpzWriter;
use num_complex::Complex32;
use serde_json::Value;
use std::fs::File;

/// Two kinds of flowers, of which one is longer.
fn flowers(bench: &Bench, file: &str) {
    let row = |k: usize| {
        let (longer, kind) = [(0.0, "lily"), (2.0, "rose")][k % 2];
        let noise = ((k * 37 + 11) % 17) as f64 / 17.0;
        format!("{:.4};{:.4};{kind}\n", 1.0 + longer + noise, 3.0 - noise * noise).replace('.', ",")
    };
    bench.write(file, "length;width;kind\n".to_string() + &(0..60).map(row).collect::<String>());
}

/// Fields whose phases tell the class, and their powers do not.
fn fields(bench: &Bench, file: &str) {
    let mut archive = NpzWriter::new(File::create(bench.path(file)).unwrap());
    let phase =
        |k: usize, mode: usize| if k.is_multiple_of(2) { 0.3 } else { 2.4 } * mode as f32 + 0.01 * (k % 7) as f32;
    let x = Array2::from_shape_fn((60, 4), |(k, mode)| Complex32::from_polar(1.0, phase(k, mode)));
    archive.add_array("x", &x).unwrap();
    archive.add_array("y", &Array1::from_iter((0..60).map(|k| k % 2_i32))).unwrap();
    archive.finish().unwrap();
}

fn run(bench: &Bench, words: &str) -> Ended {
    bench.run(words.split_whitespace())
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

const FLOWERS: &str = "--dataset flowers.csv --split 0.7:3 --scale standard --network bank:in-out --method ideal --epochs 2 \
                       --batch-size 7 --engine cpu --quiet";

#[test]
fn split_and_scale_belong_to_the_run_and_names_of_classes_to_its_files() {
    let bench = Bench::new();
    flowers(&bench, "flowers.csv");
    run(&bench, &format!("train {FLOWERS} --out run")).done();
    let config = bench.read("run/config.toml");
    assert!(config.contains("split = \"0.7:3\"") && config.contains("scale = \"standard\""), "{config}");
    let summary = json(&bench.read("run/summary.json"));
    let note = summary["dataset_note"].as_str().unwrap();
    assert!(note.contains("split 0.7:3: 42 training and 18 test samples") && note.contains("standardised"), "{note}");
    assert_eq!(summary["class_names"], serde_json::json!(["lily", "rose"]));
    run(&bench, "train --config run/config.toml --out again --quiet").done();
    assert_eq!(bench.read("again/config.toml"), config);
    run(&bench, "train --resume run --quiet").done();
    run(&bench, "report run --quiet").done();
    run(&bench, "export run --only predictions --out out --quiet").done();
    assert!(bench.read("out/ideal/confusion.csv").contains("rose"));
    // the run is of these samples
    let table = bench.read("flowers.csv").replacen("rose", "lily", 1);
    bench.write("flowers.csv", table);
    run(&bench, "train --resume run --quiet").refused(1, &["other contents of data set flowers.csv"]);
}

#[test]
fn evaluate_judges_a_run_by_the_test_samples_that_its_split_left() {
    let bench = Bench::new();
    fields(&bench, "waves.npz");
    let words = "train --dataset waves.npz --split 0.6:5 --network mesh:4 --encoding raw --chip mesh --method ideal --epochs 3 \
                 --batch-size 6 --engine cpu --quiet --out run";
    run(&bench, words).done();
    let summary = json(&bench.read("run/summary.json"));
    let evaluated = run(&bench, "evaluate --phases run --method ideal --chips 1 --engine cpu --json").done();
    let evaluated = json(&evaluated.stdout);
    assert_eq!(evaluated["samples"], 24);
    let (trained, again) = (&summary["results"][0]["final_test_accuracy"], &evaluated["accuracy"]["mean"]);
    assert!((trained.as_f64().unwrap() - again.as_f64().unwrap()).abs() < 1e-6, "{trained} and {again}");
    // by hand: the same, or another split
    let other = run(&bench, "evaluate --phases run --method ideal --chips 1 --engine cpu --json --split 0.5").done();
    assert_eq!(json(&other.stdout)["samples"], 30);
}

#[test]
fn complex_fields_are_told_apart_by_their_phases_and_refused_by_numbers() {
    let bench = Bench::new();
    fields(&bench, "waves.npz");
    let words = "train --dataset waves.npz --method ideal --batch-size 6 --engine cpu --quiet";
    run(&bench, &format!("{words} --network mesh:4 --chip ideal --encoding raw --epochs 30 --out raw")).done();
    let summary = json(&bench.read("raw/summary.json"));
    assert!(summary["results"][0]["final_test_accuracy"].as_f64().unwrap() > 0.95, "{summary}");
    let refused =
        |more: &str, parts: &[&str]| run(&bench, &format!("{words} {more} --epochs 1 --out never")).refused(2, parts);
    refused("--network bank:in-out", &["takes real numbers, but the features of waves are complex"]);
    refused("--network mesh:4 --encoding phase", &["waves", "these are complex; choose raw, l2 or amplitude"]);
    // scaled by magnitude, phases kept
    run(&bench, &format!("{words} --network mesh:4 --encoding raw --scale unit --epochs 1 --out unit")).done();
    assert!(bench.read("unit/summary.json").contains("greatest magnitude, phases kept"));
}

#[test]
fn comparisons_and_sweeps_split_and_scale_each_point_by_itself() {
    let bench = Bench::new();
    flowers(&bench, "flowers.csv");
    let words = format!("{FLOWERS} --chips 1 --jobs 1 --out");
    run(&bench, &format!("compare {words} all")).done();
    assert!(bench.read("all/compare.json").contains("split 0.7:3"));
    run(&bench, &format!("sweep --vary split=0.5,0.7:3,0.7:4 {words} splits")).done();
    let rows = bench.read("splits/sweep.csv");
    assert_eq!((rows.lines().count(), bench.entries("splits/cells").len()), (4, 3), "{rows}");
    run(&bench, &format!("sweep --vary scale=none,unit {words} scales")).done();
    assert_eq!(bench.entries("scales/cells").len(), 2);
    run(&bench, "compare --resume all --quiet").done();
}

#[test]
fn what_a_split_or_a_path_cannot_mean_is_refused_by_name() {
    let bench = Bench::new();
    flowers(&bench, "flowers.csv");
    bench.write("notes.md", "none");
    let refused = |code: i32, words: &str, parts: &[&str]| {
        run(&bench, &format!("train {words} --quiet --out never")).refused(code, parts);
        assert!(!bench.path("never").exists());
    };
    refused(2, "--split 0.8", &["split = 0.8", "digits has training and test samples of its own"]);
    refused(2, "--dataset flowers.csv --split 1.5", &["split = 1.5", "as 0.8:7"]);
    refused(2, "--dataset flowers.csv --scale std", &["scale = std", "standard, unit or none"]);
    refused(
        1,
        "--dataset flowers.csv --split 0.999",
        &["flowers.csv: split 0.999 of 60 samples leaves no test sample"],
    );
    refused(2, "--dataset flower.csv", &["flower.csv", "there is no such file"]);
    refused(1, "--dataset notes.md", &["notes.md: it ends with 'md'"]);
    refused(1, "--dataset x.npy,y.npy", &["x.npy"]);
    refused(2, "--dataset flowers.csv --batch-size 2 --train-limit 49", &["train-limit = 49", "must be 1 to 48"]);
}

/// Coloured images of bytes, the channels last, of which one colour tells the class.
fn images(bench: &Bench, file: &str, count: usize) {
    let mut archive = NpzWriter::new(File::create(bench.path(file)).unwrap());
    let x = Array4::from_shape_fn((count, 20, 18, 3), |(k, row, column, channel)| {
        (40 * usize::from(k % 3 == channel) + (k * 7 + row * 5 + column * 3 + channel) % 97) as u8
    });
    archive.add_array("images", &x).unwrap();
    archive.add_array("labels", &Array1::from_iter((0..count).map(|k| (k % 3) as u8))).unwrap();
    archive.finish().unwrap();
}

#[test]
fn samples_that_stay_in_their_file_give_the_same_run() {
    let bench = Bench::new();
    images(&bench, "colours.npz", 300);
    let words = "--dataset colours.npz --encoding pool:2 --network bank:in-out --method ideal,at --epochs 2 --batch-size 32 --engine cpu";
    let words = words.replace("bank:in-out", "mesh:inx2");
    let held = run(&bench, &format!("train {words} --out held")).done();
    let stored = run(&bench, &format!("train {words} --data-memory 1 --out stored")).done();
    let said = "samples stay in their files and are read batch by batch";
    assert!(stored.stderr.contains(said) && !held.stderr.contains(said), "{}", stored.stderr);
    assert!(held.stderr.contains("images of 3x20x18 from 'images', which has channels last, bytes divided by 255"));
    let results = |out: &str| {
        let summary = json(&bench.read(&format!("{out}/summary.json")));
        let methods = summary["results"].as_array().unwrap();
        methods
            .iter()
            .map(|own| (own["final_test_accuracy"].clone(), own["final_train_accuracy"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(results("held"), results("stored"));
    let controls = |out: &str| std::fs::read(bench.path(&format!("{out}/at.safetensors"))).unwrap();
    assert_eq!(controls("held"), controls("stored"), "checkpoints differ");
    // what is held does not belong to the run
    run(&bench, "train --resume stored --quiet").done();
    run(&bench, "report stored --quiet").done();
    run(&bench, "export stored --only predictions,samples --out out --quiet").done();
}
