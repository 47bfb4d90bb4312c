//! What would run, told before it does: `--print-config`, `--print-config --long`, `--dry-run`.

use crate::asyt::Bench;
use serde_json::Value;

/// Words of a small run of meshes.
const MESHES: &str = "--network mesh:4x2 --dataset iris --train-limit 45 --batch-size 10 --epochs 3 --engine cpu";

fn line<'a>(told: &'a str, begin: &str) -> &'a str {
    told.lines().find(|line| line.starts_with(begin)).unwrap_or_else(|| panic!("no line {begin:?} in {told}"))
}

/// The numbers of a line, in their order.
fn numbers(line: &str) -> Vec<u64> {
    line.split(|sign: char| !sign.is_ascii_digit()).filter_map(|word| word.parse().ok()).collect()
}

#[test]
fn the_printed_settings_are_those_that_a_run_keeps_and_nothing_is_written() {
    let bench = Bench::new();
    let words = |more: &'static str| ["train"].into_iter().chain(MESHES.split(' ')).chain(more.split(' '));
    let printed = bench.run(words("--print-config")).done().stdout;
    assert!(bench.entries(".").is_empty(), "{:?}", bench.entries("."));
    bench.run(words("--out run --quiet")).done();
    assert_eq!(bench.read("run/config.toml"), printed);
    for ended in [bench.run(words("--long")), bench.run(["train", "--resume", "run", "--print-config"])] {
        assert!(ended.code == Some(2) && ended.stderr.contains("--print-config"), "{ended:?}");
    }
}

/// Examples of trainings on what the program brings along, of README and `asyt train --help`, up to their remark.
fn examples(text: &str) -> Vec<Vec<&str>> {
    let elsewhere =
        ["FILE", "fields", "flowers", "mnist", "--preset", "--chip-", "--resume", "--start-from", "--config"];
    let lines = text.lines().map(str::trim).filter_map(|line| line.strip_prefix("asyt train "));
    let own = lines.filter(|line| !elsewhere.iter().any(|word| line.contains(word)));
    let words = own.map(|line| line.split(" #").next().unwrap_or_default().split("   ").next().unwrap_or_default());
    words.map(|words| words.split(' ').filter(|word| !word.is_empty()).collect()).collect()
}

#[test]
fn trainings_that_readme_and_help_name_have_networks_that_fit_their_data() {
    let bench = Bench::new();
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap_or_default();
    let help = bench.run(["train", "--help"]).done().stdout;
    let (of_readme, of_help) = (examples(&readme), examples(&help));
    assert!(of_help.len() >= 2 && (readme.is_empty() || of_readme.len() >= 8), "{of_readme:?} {of_help:?}");
    for words in of_readme.iter().chain(&of_help) {
        let more: &[&str] = if words.contains(&"--print-config") { &[] } else { &["--print-config"] };
        bench.run(["train"].iter().chain(words).chain(more).copied()).done();
    }
}

#[test]
fn a_network_in_its_long_form_trains_to_the_same_numbers() {
    let bench = Bench::new();
    let words = |more: &'static str| ["train"].into_iter().chain(MESHES.split(' ')).chain(more.split(' '));
    let long = bench.run(words("--print-config --long --method ideal")).done().stdout;
    assert!(
        long.contains("kind = \"mesh\"") && long.contains("\"electro-optic\"") && !long.contains("mesh:4x2"),
        "{long}"
    );
    bench.write("long.toml", &long);
    bench.run(words("--method ideal --out short --quiet")).done();
    bench.run("train --config long.toml --out long --quiet".split(' ')).done();
    let table = |out: &str| {
        let text = bench.read(&format!("{out}/metrics.csv"));
        let rows = text.lines().map(|line| line.split(',').take(8).collect::<Vec<_>>().join(","));
        rows.collect::<Vec<_>>()
    };
    assert_eq!(table("short"), table("long"));
    // what it prints of itself is the same again
    let again = bench.run(["train", "--config", "long.toml", "--print-config"]).done().stdout;
    assert_eq!(again, long);
}

#[test]
fn a_wrong_stage_in_a_settings_file_is_named_with_its_layer_and_key() {
    let bench = Bench::new();
    bench.write(
        "wrong.toml",
        "network = [[\n  { kind = \"mesh\", modes = 8 },\n  { kind = \"detection\", detektion = 1 },\n]]\n",
    );
    let parts = ["wrong.toml", "layer 0, stage 1 (detection): unknown key \"detektion\"; did you mean detection?"];
    bench.run(["train", "--config", "wrong.toml"]).refused(2, &parts);
    bench.write("sizes.toml", "network = [[{ kind = \"matrix\", inputs = 64, outputs = 8 }], [{ kind = \"matrix\", inputs = 9, outputs = 10 }]]\n");
    bench
        .run(["train", "--config", "sizes.toml"])
        .refused(2, &["layer 1, stage 0 (matrix): it takes 9 modes, and 8 leave"]);
}

#[test]
fn a_dry_run_counts_what_the_run_then_reads_and_writes_and_leaves_nothing() {
    let bench = Bench::new();
    for (method, more) in [
        ("at", "--tether 50"),
        ("ideal", ""),
        ("pat", ""),
        ("spsa", "--probe-draws 2"),
        ("coordinate", "--coordinate-subset 3"),
    ] {
        let words =
            || ["train", "--method", method].into_iter().chain(MESHES.split(' ')).chain(more.split_whitespace());
        let told = bench.run(words().chain(["--dry-run"])).done().stdout;
        assert!(!bench.path("runs").exists());
        let out = format!("run-{method}");
        bench.run(words().chain(["--out", &out, "--quiet"])).done();
        let summary: Value = serde_json::from_str(&bench.read(&format!("{out}/summary.json"))).unwrap();
        let of = |name: &str| summary["results"][0]["accesses"][name].as_u64().unwrap();
        let counted = ["reads", "injections", "inputs", "control_writes", "passes", "rounds"].map(of);
        let expected = numbers(line(&told, &format!("{method}: ")));
        assert_eq!(expected[..6], counted, "{method}: {told}");
    }
}

/// Every number of a line that stands before the time, with the one behind ` to `, if there is one.
fn bounds(line: &str) -> Vec<[u64; 2]> {
    let counts = line.split_once(": ").unwrap().1.split("; about").next().unwrap();
    let each = counts.split(", ").flat_map(|part| part.split(" in "));
    each.map(numbers).map(|own| [own[0], own[own.len() - 1]]).collect()
}

#[test]
fn a_dry_run_counts_what_at_adaptive_sends_before_it_trains() {
    let bench = Bench::new();
    let run = "--network mesh:4x2 --dataset iris --train-limit 45 --batch-size 10 --epochs 40 --engine cpu --method at-adaptive,pat";
    for (number, chip) in [
        "--chip silicon",
        "--chip mesh --phase 3",
        "--chip mesh --dead-shifters 0.1",
        "--chip ideal --measuring-steps 30",
    ]
    .into_iter()
    .enumerate()
    {
        let words = || ["train"].into_iter().chain(run.split(' ')).chain(chip.split(' '));
        let told = bench.run(words().chain(["--dry-run"])).done().stdout;
        let out = format!("run-{number}");
        bench.run(words().chain(["--out", &out, "--quiet"])).done();
        let summary: Value = serde_json::from_str(&bench.read(&format!("{out}/summary.json"))).unwrap();
        for (result, method) in ["at-adaptive", "pat"].into_iter().enumerate() {
            let of = |name: &str| summary["results"][result]["accesses"][name].as_u64().unwrap();
            let counted = ["reads", "injections", "inputs", "control_writes", "passes", "rounds"].map(of);
            let expected = bounds(line(&told, &format!("{method}: ")));
            assert_eq!(expected.len(), counted.len(), "{told}");
            for ([least, most], counted) in expected.iter().zip(counted) {
                assert!((*least..=*most).contains(&counted), "{method}, {chip}: {counted} of {told}");
                assert!(method == "at-adaptive" || least == most, "{told}");
            }
        }
    }
}

#[test]
fn a_dry_run_of_ring_banks_counts_their_probes() {
    let bench = Bench::new();
    let words = || {
        "train --network rings:in-6-out --dataset iris --epochs 6 --engine cpu --method at-adaptive --chip ring-bank"
            .split(' ')
    };
    let told = bench.run(words().chain(["--dry-run"])).done().stdout;
    bench.run(words().chain(["--out", "run", "--quiet"])).done();
    let summary: Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    let [least, most] = bounds(line(&told, "at-adaptive: "))[4];
    let passes = summary["results"][0]["accesses"]["passes"].as_u64().unwrap();
    assert!((least..=most).contains(&passes) && passes > 6 * 120, "{passes} of {told}");
}

#[test]
fn memory_that_a_person_states_is_what_is_free() {
    let bench = Bench::new();
    let words = ["train", "--dry-run"].into_iter().chain(MESHES.split(' '));
    let ended = crate::asyt::Ended::new(bench.asyt(words).env("AT_MEMORY", "0.5").output().unwrap());
    assert!(line(&ended.done().stdout, "memory   ").ends_with("and 500.0 MB are free"));
}

#[test]
fn a_dry_run_says_network_chip_sizes_memory_steps_and_time() {
    let bench = Bench::new();
    let words = ["train", "--chip", "silicon", "--chip-seed", "7", "--dry-run"].into_iter().chain(MESHES.split(' '));
    let told = bench.run(words).done().stdout;
    for (begin, parts) in [
        ("engine   ", &["cpu"][..]),
        ("data     iris", &["45 training and 30 test samples of 4 features, 3 classes"]),
        ("encoding phase:4", &["4 fields enter"]),
        ("network  2 x", &[]),
        ("         layer 0", &["mesh (4 to 4 signals, 16 controls) > activation"]),
        ("         layer 1", &["> detection"]),
        ("chip     silicon (seed 7)", &["splitter"]),
        ("methods  ", &["in-silico"]),
        ("steps    3 epochs of 5 steps of 10 samples", &["15 steps of each method"]),
        ("memory   at least ", &["are free"]),
        ("in-silico: ", &["controls written", "about"]),
        ("time     about ", &["a few steps"]),
    ] {
        if begin == "network  2 x" {
            assert!(line(&told, "network  ").ends_with(": 32 controls"), "{told}");
            continue;
        }
        let said = line(&told, begin);
        assert!(parts.iter().all(|part| said.to_lowercase().contains(part)), "{said}");
    }
    assert!(bench.entries(".").is_empty(), "{:?}", bench.entries("."));
}

#[test]
fn a_dry_run_of_a_grid_counts_its_cells_and_leaves_nothing() {
    let bench = Bench::new();
    let words = |begin: &'static str| {
        begin.split(' ').chain(MESHES.split(' ')).chain(["--method", "ideal,in-silico", "--dry-run"])
    };
    let told = bench.run(words("compare --chips 4")).done().stdout;
    assert_eq!(line(&told, "cells    "), "cells    8 trainings: 1 points, 2 methods, 4 chips");
    let told = bench.run(words("sweep --chips 3 --vary learning-rate=0.01,0.02,0.03")).done().stdout;
    assert_eq!(line(&told, "cells    "), "cells    18 trainings: 3 points, 2 methods, 3 chips");
    assert!(told.contains("vary     learning-rate = 0.01, 0.02, 0.03") && told.contains("points   3"), "{told}");
    assert!(line(&told, "memory   ").contains("for each of") && told.contains("\nideal: "), "{told}");
    assert!(bench.entries(".").is_empty(), "{:?}", bench.entries("."));
    bench.run(words("compare --chips 4 --chip never")).refused(2, &["never"]);
}
