//! `asyt compare`: the numbers of its tables, and what it leaves.

use crate::asyt::{Bench, TINY};
use serde_json::Value;

/// `asyt compare` with a tiny task and these arguments.
fn compare(bench: &Bench, arguments: &[&str]) -> crate::asyt::Ended {
    bench.run(["compare"].iter().chain(&TINY).chain(arguments).copied())
}

#[test]
fn every_method_meets_the_same_chips_and_the_numbers_follow_from_the_epochs() {
    let bench = Bench::new();
    let arguments = ["--chips", "3", "--epochs", "4", "--method", "at,pat,in-silico,ideal", "--target", "0.2"];
    let ended =
        compare(&bench, &[&arguments[..], &["--out", "run", "--json", "--jobs", "2", "--quiet"]].concat()).done();
    let report: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(report["chip_seeds"], serde_json::json!([1, 2, 3]));
    let methods = report["points"][0]["methods"].as_array().unwrap();
    assert_eq!(methods.len(), 4);
    let mut rows = csv::Reader::from_path(bench.path("run/epochs.csv")).unwrap();
    let rows: Vec<std::collections::HashMap<String, String>> = rows.deserialize().map(Result::unwrap).collect();
    assert_eq!(rows.len(), 4 * 3 * 4);
    for method in methods {
        let name = method["method"].as_str().unwrap();
        let last: Vec<f64> = rows
            .iter()
            .filter(|row| row["method"] == name && row["epoch"] == "4")
            .map(|row| row["test_accuracy"].parse().unwrap())
            .collect();
        let accuracies: Vec<f64> =
            method["accuracies"].as_array().unwrap().iter().map(|a| a.as_f64().unwrap()).collect();
        assert_eq!(accuracies, last, "{name}");
        let mean = last.iter().sum::<f64>() / 3.0;
        let deviation = (last.iter().map(|a| (a - mean).powi(2)).sum::<f64>() / 2.0).sqrt();
        let of = |key: &str| method["accuracy"][key].as_f64().unwrap();
        assert!((of("mean") - mean).abs() < 1e-12 && (of("deviation") - deviation).abs() < 1e-12, "{name}");
        // t_{0.975} of two degrees of freedom
        assert!((of("half_width") - 4.302_653 * deviation / 3_f64.sqrt()).abs() < 1e-5, "{name}");
        let alignment = method["alignment"].as_array().unwrap();
        assert_eq!(alignment.len(), 4, "{name}");
        let first = alignment[0].as_f64().unwrap();
        if name == "ideal" {
            assert!((first - 1.0).abs() < 1e-5 && method["cost"].is_null(), "{method}");
        } else {
            assert!(first.abs() < 0.999 && method["cost"]["time_s"].as_f64().unwrap() > 0.0, "{method}");
        }
    }
    // one layer of 64 × 10 cells: pat reads as many outputs as at, and injects nothing
    let count = |index: usize, key: &str| methods[index]["accesses"][key].as_u64().unwrap();
    assert_eq!((count(0, "reads"), count(1, "reads"), count(1, "injections")), (4000, 4000, 0));
    assert_eq!((count(0, "control_writes"), count(2, "control_writes")), (21 * 650, 650));
    for file in ["accuracy", "accuracy-time", "accuracy-energy", "alignment", "cost", "cost-integrated"] {
        let svg = bench.read(&format!("run/{file}.svg"));
        assert!(svg.contains("in-silico") && svg.trim_end().ends_with("</svg>"), "{file}");
    }
    assert_eq!(bench.read("run/compare.json"), ended.stdout);
    assert_eq!(bench.read("run/compare.csv").lines().count(), 5);
    // the table for a page of results has the numbers of the report
    let page = bench.read("run/compare.md");
    let mean = |index: usize| 100.0 * methods[index]["accuracy"]["mean"].as_f64().unwrap();
    let end = |index: usize, end: usize| 100.0 * methods[index]["interval"][end].as_f64().unwrap();
    let accuracies =
        [3, 0, 1, 2].map(|index| format!("{:.2} ({:.2} to {:.2})", mean(index), end(index, 0), end(index, 1)));
    assert!((0..4).all(|index| 0.0 <= end(index, 0) && end(index, 1) <= 100.0), "{methods:?}");
    let below = (0..3).map(|index| format!("{:.2}", mean(3) - mean(index)));
    let numbers = |key: &str| methods[0][key].as_array().unwrap().iter().map(|number| number.as_f64().unwrap());
    let cosine = format!("{:.2}", numbers("alignment").sum::<f64>() / 4.0);
    let chips = numbers("accuracies").map(|accuracy| format!("{:.2}", 100.0 * accuracy)).collect::<Vec<_>>().join(", ");
    let share = |own: &Value| 100.0 * own.as_f64().unwrap();
    let misfits = (0..3).map(|index| {
        let misfit = &methods[index]["misfit"];
        let [low, high] = [0, 1].map(|end| share(&misfit["interval"][end]));
        format!("{:.1} ({low:.1} to {high:.1})", share(&misfit["mean"]))
    });
    let row: Vec<String> = accuracies.into_iter().chain(below).chain(misfits).chain([cosine, chips]).collect();
    assert_eq!(page.lines().nth(2), Some(format!("| {} |", row.join(" | ")).as_str()), "{page}");
    let heading = "| `ideal` (%) | `at` (%) | `pat` (%) | `in-silico` (%) | `at` below `ideal` (points) | \
                   `pat` below `ideal` (points) | `in-silico` below `ideal` (points) | misfit of `at` (%) | misfit of `pat` (%) | \
                   misfit of `in-silico` (%) | mean cosine of `at` | `at` chip by chip (%) |\n| --- |";
    assert!(page.starts_with(heading), "{page}");
    assert!(page.contains("the mean over 3 chips") && page.contains("chip seeds 1, 2, 3"), "{page}");
}

#[test]
fn a_target_that_is_never_reached_takes_for_ever() {
    let bench = Bench::new();
    let base = ["--chips", "2", "--epochs", "2", "--method", "at,ideal", "--quiet", "--wide", "--out", "run"];
    let table = compare(&bench, &[&base[..], &["--target", "1"]].concat()).done().stdout;
    let line = |table: &str, method: &str| table.lines().find(|line| line.starts_with(method)).unwrap().to_string();
    assert_eq!(line(&table, "at ").matches(" inf").count(), 2, "{table}");
    assert_eq!(line(&table, "ideal ").matches("inf").count(), 0, "{table}");
    assert!(table.contains("time to 100 %") && table.contains("cost model bench"), "{table}");
    // another target and another cost model need no training
    let resume = ["compare", "--resume", "run", "--target", "0", "--cost-model", "integrated", "--quiet"];
    let table = bench.run(resume).done().stdout;
    assert!(
        !table.lines().take(3).any(|line| line.contains(" inf")) && table.contains("cost model integrated"),
        "{table}"
    );
    assert!(bench.read("run/compare.csv").contains("settling_time_s"));
}

#[test]
fn one_chip_has_no_interval_and_more_chips_are_added_to_it() {
    let bench = Bench::new();
    let base = ["--epochs", "2", "--method", "at", "--quiet", "--out", "run", "--chips", "1"];
    let table = compare(&bench, &base).done().stdout;
    let interval = |table: &str| table.lines().any(|line| line.starts_with("at ") && line.contains(" to "));
    assert!(!interval(&table), "{table}");
    let result = |bench: &Bench| {
        let name = bench.entries("run/cells").into_iter().find(|name| name.starts_with("at-1-")).unwrap();
        std::fs::metadata(bench.path(&format!("run/cells/{name}/result.json"))).unwrap().modified().unwrap()
    };
    let before = result(&bench);
    let table = bench.run(["compare", "--resume", "run", "--chips", "2", "--quiet"]).done().stdout;
    assert!(interval(&table) && result(&bench) == before, "{table}");
    assert_eq!(bench.entries("run/cells").len(), 2);
}

#[test]
fn the_table_fits_a_terminal_and_its_file_has_all_columns() {
    let bench = Bench::new();
    let base =
        ["--chips", "2", "--epochs", "1", "--method", "at-adaptive,parameter-shift,ideal", "--network", "mesh:4"];
    let iris = ["--dataset", "iris", "--batch-size", "20", "--train-limit", "40", "--quiet", "--out", "run"];
    let ended = bench.run(["compare"].iter().chain(&base).chain(&iris).copied()).done();
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    assert!(ended.stdout.contains("more with --wide: deviation"), "{}", ended.stdout);
    let wide = bench.run(["compare", "--resume", "run", "--wide", "--quiet"]).done().stdout;
    assert_eq!(wide, bench.read("run/compare.txt"));
    for column in ["deviation", "energy to it", "cosine", "injected"] {
        assert!(wide.lines().next().unwrap().contains(column), "{wide}");
        let told =
            ended.stdout.lines().filter(|line| !line.starts_with("more with")).any(|line| line.contains("cosine:"));
        assert!(!told && wide.contains("cosine:"), "a column that is not shown is explained: {}", ended.stdout);
    }
    assert!(ended.stderr.contains("results in run ("), "said with --quiet too: {}", ended.stderr);
}

#[test]
fn numbers_do_not_depend_on_how_many_train_side_by_side() {
    let bench = Bench::new();
    let accuracies = |jobs: &str| {
        let out = format!("run-{jobs}");
        let base = ["--chips", "2", "--epochs", "3", "--method", "at,pat", "--quiet"];
        compare(&bench, &[&base[..], &["--jobs", jobs, "--out", &out]].concat()).done();
        bench.read(&format!("{out}/epochs.csv"))
    };
    assert_eq!(accuracies("1"), accuracies("3"));
}

#[test]
fn what_makes_no_sense_is_refused_before_anything_is_trained() {
    let bench = Bench::new();
    let own = bench.write("mine.toml", "sample-rate-hz = 1e9\n");
    let cases: [(&[&str], &str); 7] = [
        (&["--chips", "0"], "--chips"),
        (&["--target", "90"], "0 to 1"),
        (&["--cost-model", "lab"], "bench, integrated"),
        (&["--cost-model", &own], "missing field"),
        (&["--jobs", "0"], "--jobs"),
        (&["--method", "at,att"], "did you mean at?"),
        (&["--resume", "none"], "none"),
    ];
    for (arguments, part) in cases {
        let ended = bench.run(["compare", "--quiet"].iter().chain(arguments).copied());
        assert!(ended.code == Some(2) && ended.stderr.contains(part), "{arguments:?}: {ended:#?}");
    }
    assert!(!bench.path("runs").exists());
    compare(&bench, &["--chips", "1", "--epochs", "1", "--out", "run", "--quiet"]).done();
    bench.run(["sweep", "--resume", "run"]).refused(2, &["begun by asyt compare"]);
    bench.run(["train", "--resume", "run"]).refused(2, &["asyt compare --resume"]);
    bench.run(["compare", "--resume", "run", "--epochs", "2"]).refused(2, &["--resume", "drop the other flags"]);
}

/// The columns that both tables of epochs have, of a run of `train` or `compare`.
fn learned(bench: &Bench, file: &str) -> Vec<String> {
    let mut csv = csv::Reader::from_path(bench.path(file)).unwrap();
    let rows = csv.deserialize::<std::collections::HashMap<String, String>>().map(Result::unwrap);
    let columns = ["method", "epoch", "train_loss", "train_accuracy", "test_loss", "test_accuracy", "measuring"];
    rows.map(|row| columns.map(|column| row[column].clone()).join(" ")).collect()
}

#[test]
fn a_cell_is_the_trial_that_train_runs() {
    let bench = Bench::new();
    let everything = [
        "--chip silicon --tap-noise 0.5 --drift-step 0.01 --gain-noise 0.1 --shot-noise 0.05 --adc-bits 8 --process-phase 0.05",
        "--dataset iris --encoding raw --network mesh:4x2 --train-limit 40 --batch-size 20 --epochs 2 --engine cpu --quiet",
        "--dat-maps 2,2,2 --dat-warm-up 0",
    ];
    let methods = "--method at,at-adaptive,in-silico,ideal,pat,pat-output,noise-aware,spsa,dat,in-situ,ffm,phyll";
    let words: Vec<&str> = everything.iter().chain([&methods]).flat_map(|words| words.split_whitespace()).collect();
    bench.run(["train", "--out", "train"].into_iter().chain(words.iter().copied())).done();
    bench.run(["compare", "--chips", "1", "--out", "compare"].into_iter().chain(words)).done();
    let trained = learned(&bench, "train/metrics.csv");
    assert_eq!(trained.len(), 2 * 12);
    assert_eq!(learned(&bench, "compare/epochs.csv"), trained);
}
