//! Real targets: the columns of a table that `--target-columns` names are met, from training to the report, on every engine.

use crate::asyt::Bench;
use at_core::files::phase_file::{ProgrammedMesh, write_phases};
use at_core::optics::{Convention, Mesh};
use at_gpu::testing::require_gpu;
use serde_json::Value;

/// Three features and two sums of them, at places that `first` tells apart.
fn table(first: usize, samples: usize) -> String {
    let row = |k: usize| {
        let [a, b, c] = [0.7, 1.3, 2.9].map(|step| (step * (k + 1) as f64).sin());
        format!("{a},{},{b},{},{c}\n", 0.6 * a - 0.3 * b, 0.4 * c + 0.2 * b)
    };
    "x0,y0,x1,y1,x2\n".to_string() + &(first..first + samples).map(row).collect::<String>()
}

fn bench() -> Bench {
    let bench = Bench::new();
    bench.write("sums/train.csv", table(0, 120));
    bench.write("sums/test.csv", table(500, 60));
    bench
}

const SUMS: [&str; 10] = [
    "--dataset",
    "sums",
    "--target-columns",
    "y0,y1",
    "--network",
    "bank:in-out",
    "--chip",
    "weight-bank",
    "--batch-size",
    "20",
];

fn run(bench: &Bench, command: &str, more: &[&str]) -> crate::asyt::Ended {
    bench.run([command].into_iter().chain(SUMS).chain(more.iter().copied()))
}

fn json(bench: &Bench, file: &str) -> Value {
    serde_json::from_str(&bench.read(file)).unwrap()
}

/// R² of every method at the end, by name and kind in every file.
fn learned(bench: &Bench, out: &str) {
    let summary = json(bench, &format!("{out}/summary.json"));
    assert_eq!((&summary["judged_by"], &summary["chance"]), (&"r-squared".into(), &Value::Null));
    for result in summary["results"].as_array().unwrap() {
        let best = result["best_test_r_squared"].as_f64().unwrap();
        assert!(best > 0.9, "{}: {best}", result["method"]);
        assert!(result.get("final_test_accuracy").is_none() && result.get("final_test_score").is_none(), "{result}");
    }
    let heading = bench.read(&format!("{out}/metrics.csv")).lines().next().unwrap().to_string();
    assert!(
        heading.contains("train_loss,train_r_squared,test_loss,test_r_squared") && !heading.contains("accuracy"),
        "{heading}"
    );
    assert!(bench.read(&format!("{out}/r-squared.svg")).contains("R² of the chip"));
    assert!(!bench.path(&format!("{out}/accuracy.svg")).exists());
}

#[test]
fn real_targets_are_met_on_every_engine_and_scores_have_their_name() {
    let bench = bench();
    let mut engines: Vec<(&str, &[&str])> =
        vec![("f32", &["--engine", "cpu"]), ("f64", &["--engine", "cpu", "--precision", "f64"])];
    if require_gpu().is_some() {
        engines.push(("gpu", &["--engine", "gpu", "--adapter", "any"]));
    }
    let mut last: Vec<f64> = Vec::new();
    for (out, engine) in engines {
        let rest = ["--method", "at,ideal", "--epochs", "40", "--learning-rate", "0.1", "--out", out];
        let ended = run(&bench, "train", &[&rest, engine].concat()).done();
        // no score is a share; the misfit of at's model is the one number that is
        let shares = ended.stdout.matches('%').count();
        assert!(ended.stdout.contains("are R² of the chip") && shares == 1, "{}", ended.stdout);
        assert!(!ended.stdout.contains("accuracy"), "{}", ended.stdout);
        learned(&bench, out);
        let results = json(&bench, &format!("{out}/summary.json"))["results"].clone();
        last.push(results[1]["final_test_r_squared"].as_f64().unwrap());
    }
    assert!(last.iter().all(|one| (one - last[0]).abs() < 1e-3), "engines differ: {last:?}");
}

#[test]
fn a_run_of_real_targets_goes_on_and_has_its_report() {
    let bench = bench();
    let rest = ["--method", "ideal", "--epochs", "12", "--engine", "cpu", "--out", "run", "--quiet"];
    run(&bench, "train", &rest).done();
    let whole = bench.read("run/summary.json");
    bench.run(["train", "--resume", "run", "--quiet"]).done();
    assert_eq!(json(&bench, "run/summary.json")["results"][0]["final_test_r_squared"], {
        let whole: Value = serde_json::from_str(&whole).unwrap();
        whole["results"][0]["final_test_r_squared"].clone()
    });
    bench.run(["report", "run"]).done();
    let page = bench.read("run/report.html");
    assert!(
        page.contains("test R²") && !page.contains("What is taken for what") && !page.contains("ccuracy"),
        "{page}"
    );
}

#[test]
fn comparisons_and_sweeps_of_real_targets_name_their_score() {
    let bench = bench();
    let rest =
        ["--method", "at,ideal", "--chips", "2", "--epochs", "20", "--jobs", "1", "--engine", "cpu", "--out", "all"];
    let ended = run(&bench, "compare", &[&rest[..], &["--learning-rate", "0.1"]].concat()).done();
    assert!(ended.stdout.contains("R²") && !ended.stdout.contains("accuracy"), "{}", ended.stdout);
    let report = json(&bench, "all/compare.json");
    let method = &report["points"][0]["methods"][1];
    assert_eq!(report["judged_by"], "r-squared");
    assert!(method["r_squared"]["mean"].as_f64().unwrap() > 0.5 && method["best_r_squared"].is_number(), "{method}");
    assert_eq!(method["r_squared_by_chip"].as_array().unwrap().len(), 2);
    assert!(bench.read("all/compare.csv").starts_with("method,chips,r_squared_mean,"));
    assert!(bench.read("all/compare.md").contains("`ideal` (R²)"));
    for file in ["r-squared.svg", "r-squared-time.svg", "r-squared-energy.svg"] {
        assert!(bench.read(&format!("all/{file}")).contains("R² of the chip"), "{file}");
    }
    let rest =
        ["--vary", "learning-rate=0.01,0.02", "--method", "ideal", "--chips", "1", "--epochs", "2", "--jobs", "1"];
    run(&bench, "sweep", &[&rest[..], &["--engine", "cpu", "--out", "grid", "--score", "mean-square-error"]].concat())
        .done();
    assert!(bench.read("grid/sweep.csv").contains("mean_square_error_mean"));
    assert!(bench.read("grid/mean-square-error.svg").contains("mean square error"));
}

#[test]
fn evaluated_phases_are_judged_by_the_real_targets_that_they_meet() {
    let bench = bench();
    let mesh = Mesh::rectangular(3).unwrap();
    let controls = (0..mesh.controls()).map(|k| (1.0 + k as f64).sqrt()).collect();
    write_phases(&bench.path("phases.npz"), Convention::Native, &[ProgrammedMesh { mesh, controls }]).unwrap();
    let words = "evaluate --dataset sums --encoding raw --network mesh:3 --phases phases.npz --engine cpu";
    let sums = || words.split_whitespace().chain(["--target-columns", "y0,y1"]);
    let evaluated = |more: &'static [&'static str]| -> Value {
        let ended = bench.run(sums().chain(["--json"]).chain(more.iter().copied())).done();
        serde_json::from_str(&ended.stdout).unwrap()
    };
    let [by_default, squares] = [&[][..], &["--score", "mean-square-error"]].map(evaluated);
    let (r_squared, error) = (&by_default["r_squared"], &squares["mean_square_error"]);
    let (r_squared, error) = (r_squared.as_f64().unwrap(), error.as_f64().unwrap());
    assert_eq!((&by_default["accuracy"], &by_default["correct"]), (&Value::Null, &Value::Null));
    // R² = 1 - mean square error over the variance of the targets, each about its own mean
    let test = bench.read("sums/test.csv");
    let rows: Vec<Vec<f64>> =
        test.lines().skip(1).map(|line| line.split(',').map(|x| x.parse().unwrap()).collect()).collect();
    let variance = [1, 3].map(|column| {
        let mean = rows.iter().map(|row| row[column]).sum::<f64>() / rows.len() as f64;
        rows.iter().map(|row| (row[column] - mean).powi(2)).sum::<f64>() / rows.len() as f64
    });
    let expected = 1.0 - error / (variance.iter().sum::<f64>() / 2.0);
    assert!((r_squared - expected).abs() < 1e-4 && r_squared < 1.0, "{r_squared} for {expected}");
    let line = bench.run(sums()).done().stdout;
    assert!(line.starts_with(&format!("R² {r_squared:.4} (60 test samples of ")), "{line}");
    // of an error, less is better
    let many = evaluated(&["--chips", "4", "--chip", "mesh", "--score", "mean-square-error", "--good", "0,1000"]);
    let shares: Vec<f64> =
        many["yields"].as_array().unwrap().iter().map(|own| own["share"].as_f64().unwrap()).collect();
    assert_eq!(shares, [0.0, 1.0]);
    assert_eq!(many["mean_square_error_by_chip"].as_array().unwrap().len(), 4);
    bench.run(sums().chain(["--score", "accuracy"])).refused(2, &["counts classes", "r-squared"]);
}

#[test]
fn what_real_targets_cannot_have_is_refused_by_name() {
    let bench = bench();
    let refused = |more: &[&str], parts: &[&str]| {
        let rest = ["--epochs", "1", "--engine", "cpu", "--quiet", "--out", "never"];
        run(&bench, "train", &[&rest, more].concat()).refused(2, parts);
        assert!(!bench.path("never").exists());
    };
    refused(&["--method", "phyll"], &["phyll with real targets"]);
    refused(&["--loss", "cross-entropy"], &["cross-entropy", "mean-square"]);
    refused(&["--score", "accuracy"], &["counts classes", "r-squared"]);
    refused(&["--score", "r2"], &["accuracy, r-squared, mean-square-error"]);
    let narrow = ["--target-columns", "y0,y1", "--network", "bank:in-1", "--quiet", "--out", "never"];
    bench.run(["train", "--dataset", "sums"].into_iter().chain(narrow)).refused(2, &["1 outputs", "2 real targets"]);
    let wrong = |columns: &str, parts: &[&str]| {
        let rest = ["train", "--dataset", "sums", "--target-columns", columns, "--quiet", "--out", "never"];
        bench.run(rest).refused(if parts[0] == "''" { 2 } else { 1 }, parts);
    };
    wrong("z", &["no column is called 'z'", "--target-columns"]);
    wrong("y0,1", &["names column 1 twice"]);
    wrong("0,1,2,3,4", &["all columns are targets"]);
    bench.run(["train", "--target-columns", "y0", "--out", "never"]).refused(2, &["digits", "classes"]);
    bench.run(["train", "--score", "r-squared", "--out", "never"]).refused(2, &["--target-columns"]);
    let mixed = ["sweep", "--vary", "score=r-squared,mean-square-error", "--out", "never"];
    bench.run(mixed.into_iter().chain(SUMS)).refused(2, &["one score"]);
    bench.write("both.toml", "label-column = 'y0'\n");
    refused(&["--config", "both.toml"], &["target-columns", "label-column"]);
    bench.write("bad/train.csv", "a,b\n1,0.5\n2,x\n");
    bench.write("bad/test.csv", "a,b\n1,0.5\n2,3\n");
    let bad = ["train", "--dataset", "bad", "--target-columns", "b", "--quiet", "--out", "never"];
    bench.run(bad).refused(1, &["line 3: column 2: 'x' is not a finite number"]);
}

/// What a preparation came to was written by a name that was not read again.
#[test]
fn a_run_on_real_targets_that_was_prepared_is_read_again() {
    let bench = bench();
    let rest = ["--prepare", "in-silico:1", "--epochs", "2", "--method", "at", "--engine", "cpu", "--out", "prepared"];
    let trained = run(&bench, "train", &rest).done();
    assert!(!trained.stderr.contains("warning"), "{}", trained.stderr);
    bench.run(["report", "prepared"]).done();
}
