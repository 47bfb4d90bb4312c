//! `asyt reproduce` from outside.

use crate::asyt::Bench;
use serde_json::Value;

#[test]
fn a_closed_form_comes_out_and_its_verdict_is_on_the_plot() {
    let bench = Bench::new();
    let run = bench.run(["reproduce", "pat-toy"]).done();
    assert!(run.stdout.contains("PASS") && run.stdout.contains("n = 24") && !run.stdout.contains("FAIL"));
    assert_eq!(bench.entries("runs/pat-toy-1"), ["pat-toy.png", "pat-toy.svg", "result.json"]);
    assert!(bench.read("runs/pat-toy-1/pat-toy.svg").contains("PASS"));
}

#[test]
fn counts_at_the_interface_are_the_published_ones_and_a_run_goes_on() {
    let bench = Bench::new();
    let arguments = ["reproduce", "fig6", "--out", "counts", "--json", "--quiet"];
    let run = bench.run(arguments).done();
    let result: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(result["pass"], true);
    let findings = result["findings"].as_array().unwrap();
    let deep = findings.iter().find(|finding| finding["found"] == 522.0).unwrap();
    assert_eq!((deep["claim"].as_str(), deep["pass"].as_bool()), (Some("pat: 2M - P accesses"), Some(true)));
    assert!(bench.read("counts/fig6.svg").contains("accesses of the chip per sample"));
    let again = bench.run(["reproduce", "fig6", "--resume", "counts", "--json", "--quiet"]).done();
    assert_eq!(again.stdout, run.stdout);
    bench.run(["reproduce", "fig5e", "--resume", "counts", "--quiet"]).refused(2, &["counts", "fig6"]);
}

#[test]
fn what_comes_out_otherwise_is_a_failure() {
    let bench = Bench::new();
    bench.run(["reproduce", "fig6", "--out", "counts", "--quiet"]).done();
    for cell in bench.entries("counts/cells").iter().filter(|cell| cell.starts_with("at-")) {
        let file = format!("counts/cells/{cell}/result.json");
        let mut result: Value = serde_json::from_str(&bench.read(&file)).unwrap();
        let reads = result["accesses"]["reads"].as_u64().unwrap();
        result["accesses"]["reads"] = (2 * reads).into();
        bench.write(&file, result.to_string());
    }
    let run = bench.run(["reproduce", "fig6", "--quick", "--resume", "counts", "--quiet"]);
    assert_eq!(run.code, Some(2), "begun at another size: {run:?}");
    let run = bench.run(["reproduce", "fig6", "--resume", "counts", "--quiet"]);
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains("3 of ") && run.stderr.contains("expectations were not met"), "{run:?}");
    assert!(run.stdout.ends_with("FAIL\n") && run.stdout.contains("20  per sample  FAIL"), "{}", run.stdout);
    assert!(bench.read("counts/fig6.svg").contains("FAIL"));
}

#[test]
fn a_result_without_a_reduced_size_is_not_said_to_have_one() {
    let bench = Bench::new();
    for name in ["fig6", "pat-toy"] {
        let run = bench.run(["reproduce", name, "--quick", "--out", name, "--quiet"]).done();
        assert!(run.stdout.ends_with("\nPASS\n") && run.stdout.contains("there is no reduced size"), "{}", run.stdout);
        let result: Value = serde_json::from_str(&bench.read(&format!("{name}/result.json"))).unwrap();
        assert_eq!(result["quick"], false, "{name}");
        assert!(!bench.read(&format!("{name}/{name}.svg")).contains("reduced"), "{name}");
    }
}

#[test]
fn requests_without_sense_are_refused() {
    let bench = Bench::new();
    bench.run(["reproduce", "fig5z"]).refused(2, &["fig5z", "did you mean", "pat-toy"]);
    bench.run(["reproduce", "dat-mnist"]).refused(2, &["--reference"]);
    bench.run(["reproduce", "pat-toy", "--resume", "runs/x"]).refused(2, &["pat-toy", "without --resume"]);
    let help = bench.run(["reproduce", "--help"]).done();
    assert!(help.stdout.contains("fig5d") && help.stdout.contains("--quick"));
}
