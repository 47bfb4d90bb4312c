//! Records of a run that somebody edited: each is refused by name, without a panic and without a loop that does not end.

use crate::asyt::Bench;
use serde_json::{Value, json};

/// A comparison of one chip in the folder `run`.
fn comparison(bench: &Bench) {
    let task = ["compare", "--dataset", "iris", "--network", "bank:in-6-out", "--batch-size", "10", "--chips", "1"];
    let rest = ["--method", "at", "--epochs", "2", "--engine", "cpu", "--jobs", "1", "--out", "run", "--quiet"];
    bench.run(task.iter().chain(&rest).copied()).done();
}

/// Writes the file with `value` at the pointer, looks that report and resume refuse it with `parts`, and puts it back.
fn refuses(bench: &Bench, file: &str, pointer: &str, value: Value, parts: &[&str]) {
    let before = bench.read(file);
    let mut record: Value = serde_json::from_str(&before).unwrap();
    *record.pointer_mut(pointer).unwrap_or_else(|| panic!("{file} has no {pointer}")) = value;
    bench.write(file, record.to_string());
    let said: Vec<&str> = [file.rsplit('/').next().unwrap(), "is damaged"].iter().chain(parts).copied().collect();
    for (code, command) in [(None, ["report", "run"].as_slice()), (None, &["compare", "--resume", "run", "--quiet"])] {
        let ended = bench.run(command.iter().copied());
        let code = code.or(ended.code.filter(|code| [1, 2].contains(code)));
        assert!(code.is_some(), "{file} {pointer}: {ended:#?}");
        ended.refused(code.unwrap(), &said);
    }
    bench.write(file, before);
}

#[test]
fn an_edited_request_or_result_of_a_comparison_is_refused_by_name() {
    let bench = Bench::new();
    comparison(&bench);
    let request = "run/request.json";
    bench.write(
        request,
        bench.read(request).replace("\"vary\": []", "\"vary\": [{\"names\": [\"epochs\"], \"values\": [\"2\"]}]"),
    );
    let cases = [
        ("/chips", json!(u64::MAX), "chips = 18446744073709551615"),
        ("/chips", json!(0), "chips = 0"),
        ("/target", json!(7.0), "target = 7"),
        ("/vary/0/values", json!([]), "epochs has no values"),
        ("/vary/0/names", json!([]), "no setting is named"),
        ("/vary/0/names", json!(["chip-seed"]), "--chips"),
        ("/vary/0/values", json!(["2", "2"]), "twice"),
        ("/cost_model/heater-pi-w", json!(1.7e308), "heater-pi-w = 1.7e308"),
        ("/cost_model/sample-rate-hz", json!(1e-300), "sample-rate-hz"),
        ("/cost_model/wall-plug-efficiency", json!(-0.1), "wall-plug-efficiency"),
    ];
    for (pointer, value, part) in cases {
        refuses(&bench, request, pointer, value, &[part]);
    }
    bench.write(request, bench.read(request)); // with the settings that vary, nothing else is wrong
    let cell = bench.entries("run/cells").remove(0);
    let result = format!("run/cells/{cell}/result.json");
    let cases = [
        ("/test/accuracy", json!(7.0), "accuracy = 7"),
        ("/test/correct", json!(1_000_000), "1000000 of"),
        ("/train/loss", json!(null), "null"),
        ("/records/1/test_accuracy", json!(7.0), "test_accuracy = 7"),
        ("/records/1/epoch", json!(1), "not in order"),
        ("/records/0/epoch", json!(u64::MAX), "epoch 18446744073709551615"),
        ("/records/1/accesses/control_writes", json!(u64::MAX), "control_writes"),
        ("/accesses/reads", json!(u64::MAX), "reads"),
        ("/records/1/method", json!("pat"), "not of at"),
        ("/chip_size/controls", json!(u64::MAX), "controls"),
        ("/wall_seconds", json!(1e300), "wall_seconds"),
        ("/chance/guess", json!(7.0), "guess = 7"),
        ("/chance/limit", json!(-1.0), "limit = -1"),
        ("/chance/limit", json!(1e308), "limit = 1e308"),
        ("/cell", json!("at-1-000000000000"), "it is the result of at-1-000000000000"),
        ("/chip_seed", json!(77), "on chip 77"),
        ("/method", json!("pat"), "pat"),
    ];
    for (pointer, value, part) in cases {
        refuses(&bench, &result, pointer, value, &[part]);
    }
    // fewer writes in all than in an epoch are odd, and no reason for more than odd costs
    let edited = bench.read(&result);
    let mut fewer: Value = serde_json::from_str(&edited).unwrap();
    *fewer.pointer_mut("/accesses/control_writes").unwrap() = json!(0);
    bench.write(&result, fewer.to_string());
    bench.run(["report", "run"]).done();
    bench.write(&result, edited);
    bench.run(["compare", "--resume", "run", "--quiet"]).done();
}

#[test]
fn an_edited_summary_or_table_of_a_run_is_refused_by_name() {
    let bench = Bench::new();
    bench.train(&["--epochs", "2", "--method", "at", "--out", "run", "--quiet"]).done();
    let report = |parts: &[&str]| bench.run(["report", "run"]).refused(1, parts);
    let summary = bench.read("run/summary.json");
    for (pointer, value, part) in [
        ("/results/0/final_test_accuracy", json!(7.0), "final_test_accuracy = 7"),
        ("/results/0/wall_seconds", json!(-1.0), "wall_seconds = -1"),
        ("/results/0/accesses/digital_flops", json!(u64::MAX), "digital_flops"),
        ("/results/0/digital_passes", json!(u64::MAX), "digital_passes"),
        ("/results/0/share_model", json!(1_u64 << 50), "share_model = 1125899906842624"),
        ("/results/0/epochs", json!(1_u64 << 50), "epochs = "),
        ("/test_samples", json!(u64::MAX), "test_samples"),
        ("/chance/guess", json!(-1e308), "guess = -1e308"),
        ("/chance/limit", json!(1e308), "limit = 1e308"),
        ("/controls", json!(u64::MAX), "controls"),
    ] {
        let mut edited: Value = serde_json::from_str(&summary).unwrap();
        *edited.pointer_mut(pointer).unwrap() = value;
        bench.write("run/summary.json", edited.to_string());
        report(&["summary.json is damaged", part]);
    }
    bench.write("run/summary.json", &summary);
    let metrics = bench.read("run/metrics.csv");
    let column = metrics.lines().next().unwrap().split(',').position(|name| name == "test_accuracy").unwrap();
    let edited = |word: &str| {
        let mut lines: Vec<String> = metrics.lines().map(String::from).collect();
        let mut cells: Vec<&str> = metrics.lines().nth(1).unwrap().split(',').collect();
        cells[column] = word;
        lines[1] = cells.join(",");
        lines.join("\n") + "\n"
    };
    for (word, part) in [("7.0", "test_accuracy = 7"), ("NaN", "test_accuracy = NaN"), ("many", "float")] {
        bench.write("run/metrics.csv", edited(word));
        report(&["metrics.csv is damaged", part]);
        bench.run(["train", "--resume", "run", "--quiet"]).refused(1, &["metrics.csv is damaged", part]);
    }
    bench.write("run/metrics.csv", &metrics);
    bench.run(["report", "run"]).done();
}

#[test]
fn results_that_changed_places_are_not_taken_for_each_others() {
    let bench = Bench::new();
    let task =
        ["--dataset", "iris", "--network", "bank:in-6-out", "--batch-size", "10", "--chips", "1", "--method", "at"];
    let rest = ["--epochs", "1", "--engine", "cpu", "--jobs", "1", "--quiet", "--vary", "learning-rate=0.1,0.5"];
    bench.run(["sweep", "--out", "run"].iter().chain(&task).chain(&rest).copied()).done();
    let table = bench.read("run/sweep.csv");
    let files: Vec<String> =
        bench.entries("run/cells").iter().map(|cell| format!("run/cells/{cell}/result.json")).collect();
    let [one, two] = &files[..] else { panic!("{files:?}") };
    let (first, second) = (bench.read(one), bench.read(two));
    bench.write(one, &second);
    bench.write(two, &first);
    let said = ["result.json is damaged", "it is the result of at-1-", "delete it"];
    bench.run(["sweep", "--resume", "run", "--quiet"]).refused(1, &said);
    bench.run(["report", "run"]).refused(1, &said);
    std::fs::remove_file(bench.path(one)).unwrap();
    bench.write(two, &second);
    bench.run(["sweep", "--resume", "run", "--quiet"]).done();
    let scores = |table: &str| {
        table.lines().map(|line| line.split(',').take(4).collect::<Vec<_>>().join(",")).collect::<Vec<_>>()
    };
    assert_eq!(scores(&bench.read("run/sweep.csv")), scores(&table));
    // a result of an earlier version does not name its cell
    let mut nameless: Value = serde_json::from_str(&second).unwrap();
    assert!(nameless.as_object_mut().unwrap().remove("cell").is_some());
    bench.write(two, nameless.to_string());
    bench.run(["sweep", "--resume", "run", "--quiet"]).done();
}
