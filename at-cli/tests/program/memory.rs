//! Memory as it is stated before a training, against what the program then asks for.

use crate::asyt::Bench;
use serde_json::Value;

/// Bytes that `--dry-run` states.
fn stated(bench: &Bench, arguments: &[&str]) -> f64 {
    let said = bench.run(arguments.iter().copied().chain(["--dry-run"])).done().stdout;
    let line =
        said.lines().find_map(|line| line.strip_prefix("memory   at least ")).unwrap_or_else(|| panic!("{said}"));
    let mut words = line.split([' ', ',']);
    let (number, unit) = (words.next().unwrap(), words.next().unwrap());
    let units = ["B", "kB", "MB", "GB"];
    let unit = units.iter().position(|own| *own == unit).unwrap_or_else(|| panic!("{line}"));
    number.parse::<f64>().unwrap() * 1000_f64.powi(unit as i32)
}

/// Bytes that a training asks for at its peak.
fn found(bench: &Bench, arguments: &[&str]) -> f64 {
    let _ = std::fs::remove_dir_all(bench.path("run"));
    bench.run(arguments.iter().copied().chain(["--out", "run", "--quiet", "--figures", "svg"])).done();
    let summary: Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    summary["results"][0]["peak_memory_bytes"].as_f64().unwrap_or_else(|| panic!("{summary}"))
}

/// A step or two of three meshes with every method that has memory of a kind of its own.
#[test]
fn a_training_takes_the_memory_that_is_stated_before() {
    let bench = Bench::new();
    let mut wrong = Vec::new();
    for (modes, batch) in [("256", "64"), ("512", "100")] {
        for precision in ["f32", "f64"] {
            for method in ["at", "at-adaptive", "pat", "ideal"] {
                let network = format!("mesh:{modes}x3");
                let words = ["train", "--dataset", "iris", "--engine", "cpu", "--epochs", "1", "--optimizer", "adam"];
                let more = ["--network", &network, "--batch-size", batch, "--precision", precision, "--method", method];
                let arguments = [&words[..], &more[..]].concat();
                let (stated, found) = (stated(&bench, &arguments), found(&bench, &arguments));
                println!(
                    "{network} {precision} {method}: {stated:.3e} stated, {found:.3e} found, {:.2}",
                    found / stated
                );
                if (found / stated - 1.0).abs() > 0.25 {
                    wrong.push(format!("{network} {precision} {method}: {stated:.3e} stated, {found:.3e} found"));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
