//! How far the model of a method lies from its chip: in every table, whoever trained.

use crate::asyt::Bench;
use serde_json::Value;

const MESH: &str =
    "--dataset iris --network mesh:4x2 --chip silicon --train-limit 60 --batch-size 20 --engine cpu --quiet";

fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split_whitespace()
}

/// Per method of a run of `train` its misfit, chip by chip.
fn trained(bench: &Bench, run: &str) -> Vec<(String, Option<f64>)> {
    let summary: Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
    let results = summary["results"].as_array().unwrap().iter();
    results.map(|result| (result["method"].as_str().unwrap().to_string(), result["misfit"].as_f64())).collect()
}

/// The first cell of a method.
fn cell(bench: &Bench, method: &str) -> String {
    let name = bench.entries("run/cells").into_iter().find(|name| name.starts_with(&format!("{method}-1-"))).unwrap();
    format!("run/cells/{name}/result.json")
}

#[test]
fn a_method_with_a_model_has_a_misfit_wherever_a_comparison_has_numbers() {
    let bench = Bench::new();
    let methods = ["at-adaptive", "in-silico", "spsa", "ideal"];
    let compare = "compare --chips 2 --epochs 3 --out run --method";
    let listed = methods.join(",");
    let narrow = bench.run(words(compare).chain([&listed[..]]).chain(words(MESH))).done().stdout;
    assert!(narrow.lines().next().unwrap().contains(" misfit"), "{narrow}");
    assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
    let report: Value = serde_json::from_str(&bench.read("run/compare.json")).unwrap();
    let found = report["points"][0]["methods"].as_array().unwrap();
    let (wide, page) = (bench.read("run/compare.txt"), bench.read("run/compare.md"));
    let mut csv = csv::Reader::from_path(bench.path("run/compare.csv")).unwrap();
    let rows: Vec<std::collections::HashMap<String, String>> = csv.deserialize().map(Result::unwrap).collect();
    for ((method, own), row) in methods.iter().zip(found).zip(&rows) {
        let misfit = &own["misfit"];
        let result: Value = serde_json::from_str(&bench.read(&cell(&bench, method))).unwrap();
        let line = wide.lines().find(|line| line.starts_with(&format!("{method} "))).unwrap();
        if ["spsa", "ideal"].contains(method) {
            assert!(misfit.is_null() && result["misfit"].is_null() && row["misfit_mean"].is_empty(), "{own}");
            assert!(!page.contains(&format!("misfit of `{method}`")) && line.contains("  -  "), "{page}{line}");
            continue;
        }
        let number = |value: &Value| value.as_f64().unwrap();
        let [one, other] = [0, 1].map(|chip| number(&misfit["by_chip"][chip]));
        assert!(one != other && one == number(&result["misfit"]), "{misfit} {}", result["misfit"]);
        let mean = number(&misfit["mean"]);
        let [low, high] = [0, 1].map(|end| number(&misfit["interval"][end]));
        assert!((mean - 0.5 * (one + other)).abs() < 1e-12 && 0.0 < low && low < mean && mean < high, "{misfit}");
        assert_eq!(row["misfit_mean"].parse::<f64>().unwrap(), mean);
        assert_eq!(row["misfit_low"].parse::<f64>().unwrap(), low);
        let shown = format!("{:.1} %", 100.0 * mean);
        let ends = format!("{:.1} to {:.1}", 100.0 * low, 100.0 * high);
        assert!(line.contains(&shown) && line.contains(&ends) && narrow.contains(&shown), "{line}");
        assert!(page.contains(&format!("| {:.1} ({ends}) |", 100.0 * mean)), "{page}");
    }
    bench.run(["report", "run", "--quiet"]).done();
    assert!(bench.read("run/report.html").contains("Misfit: how far"));
}

#[test]
fn cells_without_a_misfit_are_read_and_make_no_column_of_it() {
    let bench = Bench::new();
    bench.run(words("compare --chips 1 --epochs 2 --method in-silico,ideal --out run").chain(words(MESH))).done();
    let own = cell(&bench, "in-silico");
    let mut result: Value = serde_json::from_str(&bench.read(&own)).unwrap();
    let misfit = result.as_object_mut().unwrap().remove("misfit").unwrap();
    bench.write(&own, result.to_string());
    let table = bench.run(["compare", "--resume", "run", "--wide", "--quiet"]).done().stdout;
    assert!(table.contains("in-silico") && !table.contains("misfit"), "{table}");
    assert!(!bench.read("run/compare.md").contains("isfit"));
    for (wrong, refused) in [(-misfit.as_f64().unwrap(), true), (misfit.as_f64().unwrap(), false)] {
        result["misfit"] = wrong.into();
        bench.write(&own, result.to_string());
        let ended = bench.run(["compare", "--resume", "run", "--wide", "--quiet"]);
        assert_eq!(ended.stderr.contains("misfit = -"), refused, "{ended:#?}");
    }
}

#[test]
fn the_model_of_a_cell_lies_as_far_from_its_chip_as_that_of_a_run() {
    let bench = Bench::new();
    let noisy =
        "--tap-noise 0.5 --drift-step 0.01 --gain-noise 0.1 --shot-noise 0.05 --process-phase 0.05 --dat-maps 2,2,2";
    let methods =
        "--epochs 2 --method at,at-adaptive,pat,pat-output,noise-aware,dfa-model,dat,dat-internal,in-situ,phyll";
    let all = || words(noisy).chain(words(methods)).chain(words(MESH));
    bench.run(words("train --out train").chain(all())).done();
    bench.run(words("compare --chips 1 --out run").chain(all())).done();
    let report: Value = serde_json::from_str(&bench.read("run/compare.json")).unwrap();
    let cells = report["points"][0]["methods"].as_array().unwrap();
    for ((method, misfit), own) in trained(&bench, "train").iter().zip(cells) {
        assert_eq!(own["misfit"]["mean"].as_f64(), *misfit, "{method}");
        assert_eq!(misfit.is_none(), ["in-situ", "phyll"].contains(&method.as_str()), "{method}: {misfit:?}");
    }
}

#[test]
fn a_sweep_has_the_misfit_of_every_point() {
    let bench = Bench::new();
    let sweep = "sweep --chips 1 --epochs 2 --method in-silico --vary phase=0,0.5 --out run";
    let table = bench.run(words(sweep).chain(words(MESH))).done().stdout;
    assert!(table.lines().next().unwrap().contains("misfit"), "{table}");
    let report: Value = serde_json::from_str(&bench.read("run/sweep.json")).unwrap();
    let of = |point: usize| report["points"][point]["methods"][0]["misfit"]["mean"].as_f64().unwrap();
    assert!(of(1) > of(0), "wrong phases are farther from the data sheet: {} and {}", of(0), of(1));
}

#[test]
fn each_of_the_chips_that_share_a_model_has_its_own_misfit() {
    let bench = Bench::new();
    let fleet =
        "train --method at --share-model 2 --epochs 2 --out fleet --dataset iris --network bank:in-out --batch-size 10";
    bench.run(words(fleet).chain(["--engine", "cpu", "--quiet"])).done();
    let [(_, Some(one)), (_, Some(other))] = trained(&bench, "fleet")[..] else {
        panic!("{:?}", trained(&bench, "fleet"))
    };
    assert!(one > 0.0 && other > 0.0 && one != other, "{one} {other}");
    let picture = bench.read("fleet/accuracy.svg");
    assert!(picture.contains("iris on 2 chips of kind") && picture.contains(", numbers 1 to 2"), "{picture}");
    assert!(bench.read("fleet/figures/cost-bench.svg").contains("at, chip 2"));
    // the first of them gets what it gets alone
    let alone = fleet.replace("--share-model 2", "--share-model 1").replace("--out fleet", "--out alone");
    bench.run(words(&alone).chain(["--engine", "cpu", "--quiet"])).done();
    assert_eq!(trained(&bench, "alone"), [("at".to_string(), Some(one))]);
}

#[test]
fn what_the_networks_of_dat_have_learned_counts_to_its_model() {
    let bench = Bench::new();
    let misfit = |out: &str, method: &str, more: &str| {
        let train = format!("train --method {method} --epochs 60 --dat-maps 2,2,2 --out {out} {more}");
        bench.run(words(&train).chain(words(MESH))).done();
        trained(&bench, out)[0].1.unwrap()
    };
    // networks that learn nearly nothing stay as they were drawn, and those that learn come near to the chip
    let idle = misfit("idle", "dat", "--dat-rate 1e-12");
    for method in ["dat", "dat-internal"] {
        let learned = misfit(method, method, "");
        assert!(learned < 0.5 * idle, "{method}: {learned}, and {idle} without learning");
    }
}
