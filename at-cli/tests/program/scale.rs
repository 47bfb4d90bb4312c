//! `asyt scale` from outside: what it measures, writes and refuses.

use crate::asyt::Bench;
use serde_json::Value;
use std::process::Stdio;
use std::time::{Duration, Instant};

const TINY: [&str; 9] = ["scale", "--engine", "cpu", "--repeats", "2", "--warm-up", "1", "--out", "sizes"];

fn run(bench: &Bench, arguments: &[&str]) -> Value {
    let json = bench.run(TINY.iter().chain(arguments).copied().chain(["--json", "--quiet"])).done();
    assert_eq!(json.stderr, "results in sizes (scale.csv, scale.json; as SVG and PNG: time, samples, rate, memory)\n");
    assert_eq!(json.stdout, bench.read("sizes/scale.json"));
    serde_json::from_str(&json.stdout).unwrap()
}

#[test]
fn a_sweep_leaves_a_table_and_pictures_and_rates_that_follow_from_its_times() {
    let bench = Bench::new();
    let results = run(&bench, &["--modes", "8,4", "--layers", "2", "--batch", "3"]);
    let names: Vec<String> = ["memory", "rate", "samples", "time"]
        .iter()
        .flat_map(|name| [format!("{name}.png"), format!("{name}.svg")])
        .collect();
    let files: Vec<String> = bench.entries("sizes").into_iter().filter(|name| !name.starts_with("scale.")).collect();
    assert_eq!(files, names);
    let csv = bench.read("sizes/scale.csv");
    let heads: Vec<_> = csv.lines().map(|line| line.split(',').take(6).collect::<Vec<_>>().join(" ")).collect();
    assert_eq!(heads[..3], ["engine pass modes depth layers batch", "cpu propagate 4 4 2 3", "cpu propagate 8 8 2 3"]);
    assert_eq!(heads.len(), 1 + 2 * 3);
    let peak = results["peaks"][0][1]["matrix_product_flops"].as_f64().unwrap();
    for row in results["rows"].as_array().unwrap() {
        let number = |key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key}: {row}"));
        let per_mzi = match row["pass"].as_str().unwrap() {
            "propagate" => 28.0,
            "backpropagate" => 104.0,
            _ => 208.0,
        };
        let flops = per_mzi * number("mzis") * 3.0 / number("seconds");
        assert!((number("effective_gflops") * 1e9 / flops - 1.0).abs() < 1e-9, "{row}");
        assert!((number("fraction_of_peak") * peak / flops - 1.0).abs() < 1e-9, "{row}");
        assert!((number("samples_per_second") * number("seconds") - 3.0).abs() < 1e-9, "{row}");
    }
    assert_eq!(results["fits"].as_array().unwrap().len(), 3);
    assert!(bench.read("sizes/time.svg").contains("time per step"));
}

#[test]
fn the_memory_of_signals_grows_with_the_batch_and_not_with_the_depth() {
    let bench = Bench::new();
    let arguments =
        ["--modes", "16", "--layers", "1", "--pass", "backpropagate", "--depth", "16,256", "--batch", "64,512"];
    let results = run(&bench, &arguments);
    let bytes = |depth: u64, batch: u64| {
        let rows = results["rows"].as_array().unwrap();
        let row = rows.iter().find(|row| row["depth"] == depth && row["batch"] == batch).unwrap();
        row["signal_bytes"].as_f64().unwrap()
    };
    let (shallow, deep) = (bytes(16, 512), bytes(256, 512));
    assert!(deep < 1.5 * shallow, "{shallow} bytes at 16 columns, {deep} at 256");
    assert!(bytes(256, 512) > 4.0 * bytes(256, 64), "{} {}", bytes(256, 512), bytes(256, 64));
}

#[test]
fn chips_at_once_are_a_curve_of_their_own_and_an_earlier_run_stands_beside() {
    let bench = Bench::new();
    let words = [
        "scale",
        "--engine",
        "cpu",
        "--repeats",
        "1",
        "--warm-up",
        "1",
        "--modes",
        "4",
        "--layers",
        "2",
        "--batch",
        "5",
    ];
    let chips = |out, more: &[&'static str]| {
        let own = ["--chips", "4,2", "--quiet", "--json", "--out", out];
        let ended = bench.run(words.iter().chain(&own).chain(more).copied()).done();
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    let first = chips("first", &[]);
    for (row, count) in first["rows"].as_array().unwrap().iter().zip([2.0, 4.0]) {
        let number = |key: &str| row[key].as_f64().unwrap();
        assert_eq!((row["pass"].as_str(), number("chips")), (Some("population"), count), "{row}");
        assert!((number("samples_per_second") * number("seconds") / (5.0 * count) - 1.0).abs() < 1e-9, "{row}");
        let flops = 28.0 * number("mzis") * 5.0 * count / number("seconds");
        assert!((number("effective_gflops") * 1e9 / flops - 1.0).abs() < 1e-9, "{row}");
        assert!(row.get("earlier_seconds").is_none());
    }
    assert_eq!((first["fits"][0]["along"].as_str(), first["fits"].as_array().unwrap().len()), (Some("chips"), 1));
    let picture = bench.read("first/time.svg");
    for part in ["chips", "cpu population at the rate of matrix products", "cpu population at the rate of copies"] {
        assert!(picture.contains(part), "{part}");
    }
    let second = chips("second", &["--compare", "first"]);
    for (own, earlier) in second["rows"].as_array().unwrap().iter().zip(first["rows"].as_array().unwrap()) {
        assert_eq!(own["earlier_seconds"], earlier["seconds"]);
    }
    assert!(bench.read("second/time.svg").contains("cpu population, earlier") && !picture.contains("earlier"));
    let table = bench
        .run(words.into_iter().chain(["--compare", "first/scale.json", "--out", "third", "--quiet"]))
        .done()
        .stdout;
    assert!(table.contains("to earlier") && table.contains("first/scale.json") && !table.contains("chips"), "{table}");
    assert!(table.lines().nth(1).unwrap().contains(" - "), "of another pass there is nothing earlier: {table}");
}

#[test]
fn what_cannot_be_compared_and_chips_of_other_passes_are_refused() {
    let bench = Bench::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        bench.run(TINY.iter().chain(arguments).copied()).refused(2, parts);
        assert!(!bench.path("sizes").exists());
    };
    bench.write("other.json", "{\"version\": \"1\"}");
    refused(&["--compare", "other.json"], &["other.json is no scale.json of asyt scale"]);
    refused(&["--compare", "missing.json"], &["missing.json"]);
    let row = "{\"engine\": \"cpu\", \"pass\": \"step\", \"modes\": 4, \"depth\": 4, \"layers\": 1, \"batch\": 1, \"mzis\": 6, \"controls\": 16, \
               \"seconds\": 0, \"shortest_seconds\": 0, \"longest_seconds\": 0, \"network_bytes\": null, \"signal_bytes\": null, \
               \"samples_per_second\": 1, \"effective_gflops\": 1, \"fraction_of_peak\": null}";
    bench.write("zero.json", format!("{{\"version\": \"1\", \"rows\": [{row}]}}"));
    refused(&["--compare", "zero.json"], &["zero.json", "a number is not valid in step of 1 mesh"]);
    refused(&["--chips", "2", "--pass", "step"], &["--chips counts the chips of the pass population"]);
}

#[test]
fn the_table_goes_to_stdout_and_the_progress_to_stderr() {
    let bench = Bench::new();
    let run = bench.run(TINY.iter().copied().chain(["--modes", "4", "--pass", "propagate", "--batch", "2"])).done();
    for part in ["GFLOP/s", "of peak", "propagate", "matrix products", "allocations"] {
        assert!(run.stdout.contains(part), "{part}: {}", run.stdout);
    }
    assert!(run.stdout.lines().all(|line| line.chars().count() <= 80), "{}", run.stdout);
    assert!(run.stderr.contains("1/1 propagate of 3 meshes of 4 modes") && !run.stdout.contains("1/1"), "{run:?}");
}

#[test]
fn sizes_that_do_not_fit_are_named_before_anything_runs() {
    let bench = Bench::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        bench.run(TINY.iter().chain(arguments).copied()).refused(2, parts);
        assert!(!bench.path("sizes").exists());
    };
    refused(&["--modes", "4,900000", "--pass", "step"], &["step of 3 meshes of 900000 modes", "TB", "--modes"]);
    refused(&["--modes", "1"], &["1 modes and 1 columns", "2 to"]);
    refused(&["--adapter", "x"], &["--adapter", "--engine gpu"]);
}

#[test]
fn ranks_are_a_curve_with_what_they_exchange_and_how_efficient_they_are() {
    let bench = Bench::new();
    let words = ["--modes", "4", "--layers", "2", "--batch", "6", "--pass", "step", "--ranks", "3,1,2"];
    let ended = bench.run(TINY.iter().chain(&words).copied().chain(["--json", "--quiet"])).done();
    assert!(ended.stderr.contains("time, samples, rate, memory, exchange, efficiency"), "{}", ended.stderr);
    let results: Value = serde_json::from_str(&ended.stdout).unwrap();
    let rows = results["rows"].as_array().unwrap();
    let number = |row: &Value, key: &str| row[key].as_f64().unwrap_or_else(|| panic!("{key}: {row}"));
    assert_eq!(rows.iter().map(|row| number(row, "ranks")).collect::<Vec<_>>(), [1.0, 2.0, 3.0]);
    assert!(rows[0].get("efficiency").is_none() && rows[0].get("exchange_seconds").is_none());
    for row in &rows[1..] {
        assert_eq!(number(row, "exchanged_values"), 2.0 * number(row, "controls"));
        assert!(number(row, "exchange_seconds") > 0.0 && number(row, "copy_seconds") > 0.0);
        let efficiency = number(&rows[0], "seconds") / (number(row, "ranks") * number(row, "seconds"));
        assert!((number(row, "efficiency") / efficiency - 1.0).abs() < 1e-9, "{row}");
    }
    assert_eq!((results["fits"][0]["along"].as_str(), results["fits"].as_array().unwrap().len()), (Some("ranks"), 1));
    let csv = bench.read("sizes/scale.csv");
    assert!(csv.lines().next().unwrap().ends_with("ranks,exchanged_values,exchange_seconds,copy_seconds,efficiency"));
    assert_eq!(csv.lines().nth(2).unwrap().split(',').nth(19), Some("2"));
    assert!(bench.read("sizes/efficiency.svg").contains("efficiency of ranks"));
}

#[test]
fn sums_over_ranks_are_measured_by_themselves_with_the_network_that_fits_them() {
    let bench = Bench::new();
    let words =
        ["scale", "--exchange", "100,1000,30000", "--ranks", "2,3", "--repeats", "2", "--out", "sums", "--quiet"];
    let table = bench.run(words).done().stdout;
    assert!(table.contains("2 ranks by threads: ") && table.contains("3 ranks by threads: "), "{table}");
    let results: Value = serde_json::from_str(&bench.read("sums/exchange.json")).unwrap();
    let of_ranks = results["ranks"].as_array().unwrap();
    assert_eq!(of_ranks.iter().map(|own| own["ranks"].as_u64()).collect::<Vec<_>>(), [Some(2), Some(3)]);
    let values: Vec<_> = of_ranks[1]["sums"].as_array().unwrap().iter().map(|sum| sum["values"].as_u64()).collect();
    assert_eq!(values, [Some(100), Some(1000), Some(30000)]);
    bench.run(["scale", "--exchange", "--ranks", "1"]).refused(2, &["--exchange is between ranks"]);
    bench.run(["scale", "--exchange", "10000000000000"]).refused(2, &["the sums need about", "TB"]);
    let both = bench.run(["scale", "--exchange", "--modes", "4"]);
    assert!(both.code == Some(2) && both.stderr.contains("cannot be used with '--modes"), "{both:#?}");
}

#[test]
fn efficiency_is_predicted_from_a_rank_s_share_and_the_formula_of_an_interconnect() {
    let bench = Bench::new();
    let words = ["--modes", "4", "--layers", "2", "--batch", "9", "--pass", "step", "--ranks", "4"];
    let predict = ["--predict", "hdr-infiniband,2:0.5"];
    let ended = bench.run(TINY.iter().chain(&words).chain(&predict).copied().chain(["--json", "--quiet"])).done();
    let results: Value = serde_json::from_str(&ended.stdout).unwrap();
    let number = |value: &Value, key: &str| value[key].as_f64().unwrap_or_else(|| panic!("{key}: {value}"));
    let batches: Vec<f64> = results["rows"].as_array().unwrap().iter().map(|row| number(row, "batch")).collect();
    assert_eq!(batches, [9.0, 3.0], "the whole, and the share of the slowest rank");
    let controls = number(&results["rows"][0], "controls");
    for (own, (latency, rate)) in results["predictions"].as_array().unwrap().iter().zip([(1e-6, 25e9), (2e-6, 0.5e9)]) {
        let exchange = 2.0 * (6.0 * latency + 1.5 * 8.0 * controls / rate);
        assert!((number(own, "exchange_seconds") / exchange - 1.0).abs() < 1e-9, "{own}");
        let share = number(&results["rows"][1], "seconds");
        assert!((number(own, "seconds") / (share + exchange) - 1.0).abs() < 1e-9, "{own}");
        let efficiency = number(&results["rows"][0], "seconds") / (4.0 * (share + exchange));
        assert!((number(own, "efficiency") / efficiency - 1.0).abs() < 1e-9, "{own}");
    }
    let refused = |more: &[&str], parts: &[&str]| {
        bench.run(["scale", "--out", "other"].iter().chain(more).copied()).refused(2, parts);
        assert!(!bench.path("other").exists());
    };
    refused(&["--predict", "hdr-infiniband"], &["--ranks"]);
    let unknown = bench.run(["scale", "--predict", "token-ring", "--ranks", "2"]);
    assert!(unknown.code == Some(2) && unknown.stderr.contains("10-gigabit-ethernet, hdr-infiniband"), "{unknown:#?}");
    refused(&["--ranks", "3", "--batch", "2"], &["--ranks 3 is more than the 2 samples"]);
    refused(&["--ranks", "2", "--pass", "population"], &["--ranks share a batch"]);
}

#[test]
fn ranks_are_measured_where_there_is_one_thread() {
    let bench = Bench::new();
    let words = ["--modes", "16", "--batch", "64", "--pass", "step", "--ranks", "1,2", "--json", "--quiet"];
    let mut command = bench.asyt(TINY.into_iter().chain(words));
    command.env("RAYON_NUM_THREADS", "1").stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = command.spawn().unwrap();
    let begun = Instant::now();
    let ended = loop {
        match child.try_wait().unwrap() {
            None if begun.elapsed() < Duration::from_secs(120) => std::thread::sleep(Duration::from_millis(20)),
            ended => break ended,
        }
    };
    if ended.is_none() {
        child.kill().unwrap();
    }
    assert!(ended.is_some_and(|status| status.success()), "no end after {:?}: {ended:?}", begun.elapsed());
    let results: Value = serde_json::from_str(&bench.read("sizes/scale.json")).unwrap();
    assert_eq!(results["rows"].as_array().unwrap().len(), 2);
}

#[test]
fn a_mesh_as_deep_as_it_is_wide_by_chance_stays_on_the_curve_of_its_depth() {
    let bench = Bench::new();
    let step = ["--layers", "1", "--batch", "2", "--pass", "step"];
    let results = run(&bench, &[&["--modes", "8,12,16,20", "--depth", "8"], &step[..]].concat());
    let fits = results["fits"].as_array().unwrap();
    assert_eq!((fits.len(), fits[0]["depth"].as_u64(), fits[0]["sizes"].as_u64()), (1, Some(8), Some(4)), "{fits:?}");
    let picture = bench.read("sizes/time.svg");
    assert!(!picture.contains("depth = modes"), "a curve of its own");

    // what is both lies on both
    let both = |more: &[&'static str]| {
        let words = ["scale", "--engine", "cpu", "--repeats", "1", "--warm-up", "1", "--quiet", "--modes", "8,12,16"];
        bench.run(words.iter().chain(&["--depth", "8,modes"]).chain(&step).chain(more).copied()).done().stdout
    };
    let results: Value = serde_json::from_str(&both(&["--out", "both", "--json"])).unwrap();
    let sizes = |fit: &Value| (fit["depth"].as_u64(), fit["sizes"].as_u64());
    let fits = results["fits"].as_array().unwrap();
    assert_eq!(fits.iter().map(sizes).collect::<Vec<_>>(), [(Some(8), Some(3)), (None, Some(3))], "{fits:?}");
    assert_eq!(results["rows"].as_array().unwrap().len(), 5, "8 modes and columns are measured once");
    let table = both(&["--out", "again", "--compare", "both"]);
    for part in ["cpu step, depth 8: time grows", "cpu step, depth = modes: time grows"] {
        assert!(table.contains(part), "{table}");
    }
    let picture = bench.read("again/time.svg");
    for part in ["depth 8, earlier", "depth = modes, earlier"] {
        assert!(picture.contains(part), "{part}");
    }
}

#[test]
fn two_sizes_are_said_to_fit_any_law() {
    let bench = Bench::new();
    let words = ["--layers", "1", "--batch", "2", "--pass", "propagate", "--quiet", "--modes"];
    let table = bench.run(TINY.into_iter().chain(words).chain(["4,8"])).done().stdout;
    assert!(table.contains("; two sizes fit any law") && !table.contains("% off"), "{table}");
    std::fs::remove_dir_all(bench.path("sizes")).unwrap();
    let table = bench.run(TINY.into_iter().chain(words).chain(["4,8,12"])).done().stdout;
    assert!(table.contains("% off") && !table.contains("any law"), "{table}");
}
