//! Runs on a GPU, seen from outside: hardware only where it is asked for, memory refused before the run and in the middle of it, Ctrl-C, two programs at once.

use crate::asyt::{Bench, Ended};
use at_gpu::testing::require_gpu;
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// A mesh and 20 short epochs, on whichever adapter there is.
const RUN: [&str; 19] = [
    "train",
    "--train-limit",
    "100",
    "--test-limit",
    "50",
    "--encoding",
    "fourier-crop:4",
    "--network",
    "mesh:16x2",
    "--chip",
    "mesh",
    "--batch-size",
    "50",
    "--epochs",
    "20",
    "--method",
    "at",
    "--engine",
    "gpu",
];

fn on_any_adapter(out: &str) -> Vec<&str> {
    RUN.into_iter().chain(["--adapter", "any", "--out", out]).collect()
}

/// All numbers of a run but its times.
fn outcome(bench: &Bench, run: &str) -> (String, Vec<u8>) {
    let metrics = bench.read(&format!("{run}/metrics.csv"));
    let metrics = metrics.lines().map(|line| line.rsplit_once(',').unwrap().0).collect::<Vec<_>>().join("\n");
    (metrics, std::fs::read(bench.path(&format!("{run}/at.safetensors"))).unwrap())
}

#[cfg(unix)]
#[test]
fn control_c_leaves_a_checkpoint_and_the_run_can_go_on() {
    if require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    bench.run(on_any_adapter("whole")).done();
    let mut child = bench.asyt(on_any_adapter("cut")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut text = String::new();
    while !text.contains("epoch 1/20") {
        assert_ne!(stderr.read_line(&mut text).unwrap(), 0, "{text}");
    }
    assert!(Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap().success());
    stderr.read_to_string(&mut text).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(1), "{text}");
    assert!(text.contains("asyt train --resume cut"), "{text}");
    bench.run(["train", "--resume", "cut", "--quiet"]).done();
    assert_eq!(outcome(&bench, "cut"), outcome(&bench, "whole"));
}

#[test]
fn two_programs_on_one_adapter_do_not_disturb_each_other() {
    if require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let start = |out| bench.asyt(on_any_adapter(out)).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let both = [start("first"), start("second")];
    for child in both {
        Ended::new(child.wait_with_output().unwrap()).done();
    }
    assert_eq!(outcome(&bench, "first"), outcome(&bench, "second"));
}

#[test]
fn what_does_not_fit_the_stated_memory_is_refused_before_the_run() {
    if require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let run = |memory: &str| {
        let mut command = bench.asyt(on_any_adapter("none"));
        command.arg("--quiet").env("AT_GPU_MEMORY", memory);
        Ended::new(command.output().unwrap())
    };
    run("0.001").refused(1, &["a batch of 50 needs", "networks", "no batch fits", "--engine cpu"]);
    run("much").refused(1, &["AT_GPU_MEMORY", "GB"]);
    assert!(!bench.path("none").exists());
}

/// The first method needs 40 MB per signal on the chip alone, the second several times that for its model.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_a_driver_refuses_in_the_middle_of_a_run_ends_it_and_keeps_what_is_done() {
    let Some(adapter) = at_gpu::adapters().into_iter().find(|adapter| adapter.software) else { return };
    let adapter = adapter.index.to_string();
    let bench = Bench::new();
    let row = |k: usize| format!("0.{},0.{},{}\n", k % 97 + 1, k % 89 + 1, k % 2);
    bench.write("data/train.csv", (0..20_000).map(row).collect::<String>());
    bench.write("data/test.csv", (0..50).map(row).collect::<String>());
    let what = ["train", "--dataset", "./data", "--encoding", "raw", "--network", "bank:in-500-out"];
    let how = ["--batch-size", "20000", "--epochs", "1", "--method", "spsa,at", "--probe-draws", "1"];
    let place = ["--engine", "gpu", "--adapter", &adapter, "--out", "run", "--quiet"];
    // A software adapter keeps its memory in the address space, of which threads and the C library's arenas take their part.
    let bounded = |arguments: &[&str], kilobytes: usize| {
        let script = format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\"");
        let mut command = bench.command("sh");
        command.args(["-c", &script]).arg(assert_cmd::cargo::cargo_bin!("asyt")).args(arguments);
        command.envs([("LP_NUM_THREADS", "1"), ("RAYON_NUM_THREADS", "2"), ("MALLOC_ARENA_MAX", "2")]);
        Ended::new(command.env("AT_GPU_MEMORY", "1000").output().unwrap())
    };
    let done = |method: &str| bench.path(&format!("run/{method}.safetensors"));
    let (mut limit, mut ended) = (600_000, None);
    while !done("spsa").exists() {
        assert!(limit < 2_000_000, "{ended:#?}");
        let _ = std::fs::remove_dir_all(bench.path("run"));
        limit += 100_000;
        ended = Some(bounded(&[what.as_slice(), &how, &place].concat(), limit));
    }
    let said = ["method at", "out of memory", "signals", "smaller batch", "--engine cpu", "kept in run", "needs 480"];
    ended.unwrap().refused(1, &said);
    let kept = || (std::fs::read(done("spsa")).unwrap(), bench.read("run/summary.json"));
    let before = kept();
    assert!(before.1.contains("spsa") && !done("at").exists());
    bounded(&["train", "--resume", "run", "--quiet"], limit).refused(1, &said);
    assert_eq!(kept(), before);
}

#[test]
fn a_software_adapter_computes_only_where_it_is_named() {
    let bench = Bench::new();
    let ended = bench.train(&["--epochs", "1", "--engine", "auto"]).done();
    let hardware = at_gpu::adapters().iter().any(|adapter| !adapter.software);
    assert!(ended.stderr.contains(if hardware { "engine   gpu" } else { "engine   cpu" }), "{}", ended.stderr);
    if !hardware {
        bench.train(&["--engine", "gpu", "--quiet"]).refused(1, &["hardware GPU", "--engine cpu"]);
    }
    if let Some(gpu) = require_gpu() {
        let ended = bench.train(&["--epochs", "1", "--adapter", &gpu.adapter().index.to_string()]).done();
        assert!(ended.stderr.contains(&gpu.adapter().name), "{}", ended.stderr);
    }
}

#[cfg(unix)]
#[test]
fn drivers_that_look_for_a_display_do_not_mix_their_complaints_into_the_programs_messages() {
    if require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    for folder in [None, Some("nowhere")] {
        let mut command = bench.asyt(["devices"]);
        match folder {
            Some(folder) => command.env("XDG_RUNTIME_DIR", bench.path(folder)),
            None => command.env_remove("XDG_RUNTIME_DIR"),
        };
        let ended = Ended::new(command.output().unwrap()).done();
        assert_eq!(ended.stderr, "");
    }
}

/// The one file that `asyt devices --measure` has written in the cache below `folder`.
fn measured_file(bench: &Bench, folder: &str) -> String {
    let names = bench.entries(folder);
    let [name] = &names[..] else { panic!("{names:?}") };
    assert!(name.starts_with("adapter-") && name.ends_with(".json"), "{name}");
    format!("{folder}/{name}")
}

#[test]
fn what_was_measured_of_an_adapter_is_kept_read_and_where_it_is_broken_refused() {
    let Some(gpu) = require_gpu() else { return };
    let index = gpu.adapter().index.to_string();
    let bench = Bench::new();
    let before = bench.run(["devices"]).done().stdout;
    assert!(before.contains("kernels chosen as for") && !before.contains("measured here"), "{before}");
    let ended = bench.run(["devices", "--measure", "--adapter", &index]).done();
    assert!(ended.stderr.contains("measuring products of blocks …\n"), "{ended:#?}");
    let file = measured_file(&bench, ".cache/asyt");
    assert!(ended.stdout.contains("GFLOP/s"), "{ended:#?}");
    let after = bench.run(["devices", "--json"]).done().stdout;
    let after: serde_json::Value = serde_json::from_str(&after).unwrap();
    let own = &after["adapters"][gpu.adapter().index];
    assert!(own["measured"].as_str().unwrap().ends_with(&file), "{own}");
    let kept = bench.read(&file);
    let record: serde_json::Value = serde_json::from_str(&kept).unwrap();
    assert_eq!(own["mesh_costs"], record["mesh_costs"]);
    bench.run(on_any_adapter("measured").into_iter().chain(["--quiet"])).done();

    let changed = |change: &dyn Fn(&mut serde_json::Value)| {
        let mut record = record.clone();
        change(&mut record);
        record.to_string()
    };
    let broken = [
        ("".to_string(), "EOF"),
        (kept[..kept.len() / 2].to_string(), "EOF"),
        (changed(&|record| record["mesh_costs"]["bandwidth"] = (-1.0).into()), "bandwidth"),
        (changed(&|record| drop(record["mesh_costs"].as_object_mut().unwrap().remove("fields"))), "fields"),
        (changed(&|record| record["mesh_costs"]["speed"] = 1.0.into()), "speed"),
        (changed(&|record| record["driver"] = "another".into()), "another"),
    ];
    for (content, part) in broken {
        bench.write(&file, content);
        let parts = [&file, part, "delete it, or measure again: asyt devices --measure --adapter"];
        bench.run(["devices"]).refused(1, &parts);
        bench.run(on_any_adapter("broken").into_iter().chain(["--quiet"])).refused(1, &parts);
        assert!(!bench.path("broken").exists());
    }
    let again = bench.run(["devices", "--measure", "--adapter", &index, "--quiet", "--json"]).done();
    assert_eq!(again.stderr, "");
    let again: serde_json::Value = serde_json::from_str(&again.stdout).unwrap();
    assert!(again["path"].as_str().unwrap().ends_with(&file), "{again}");
    assert!(bench.run(["devices"]).done().stdout.contains("measured here"));

    // the system's custom decides where the cache is, and one that cannot be written to is named
    let elsewhere = |name: &str, value: &str| {
        let mut command = bench.asyt(["devices", "--measure", "--adapter", &index, "--quiet"]);
        Ended::new(command.env(name, value).output().unwrap())
    };
    if cfg!(target_os = "linux") {
        elsewhere("XDG_CACHE_HOME", bench.path("own").to_str().unwrap()).done();
        measured_file(&bench, "own/asyt");
        bench.write("full/asyt", "");
        let full = bench.path("full");
        elsewhere("XDG_CACHE_HOME", full.to_str().unwrap()).refused(1, &["cannot write to", "XDG_CACHE_HOME"]);
    }
    let without = bench.run(["devices", "--adapter", &index]);
    assert!(without.code == Some(2) && without.stderr.contains("--measure"), "{without:#?}");
}

#[test]
fn the_kernels_of_a_run_follow_what_was_measured() {
    let Some(gpu) = require_gpu() else { return };
    let bench = Bench::new();
    let index = gpu.adapter().index.to_string();
    bench.run(["devices", "--measure", "--adapter", &index, "--quiet"]).done();
    let file = measured_file(&bench, ".cache/asyt");
    let record: serde_json::Value = serde_json::from_str(&bench.read(&file)).unwrap();
    let run = |out: &str, costs: [(&str, f64); 3]| {
        let mut record = record.clone();
        // what a dispatch took, of which blocks need more, decides nothing: on a busy machine it was as long as columns take here
        let dispatches = ("dispatch_seconds", 1e-9);
        costs.iter().chain(&[dispatches]).for_each(|&(name, value)| record["mesh_costs"][name] = value.into());
        bench.write(&file, record.to_string());
        bench.run(on_any_adapter(out).into_iter().chain(["--quiet"])).done();
        outcome(&bench, out)
    };
    // blocks where columns take long, columns where products do: the same sums, otherwise rounded
    let blocks = run("blocks", [("column_seconds", 1e-3), ("lane_instructions", 1.0), ("product_flops", 1e15)]);
    let again = run("again", [("column_seconds", 1e-3), ("lane_instructions", 1.0), ("product_flops", 1e15)]);
    let columns = run("columns", [("column_seconds", 1e-9), ("lane_instructions", 1e12), ("product_flops", 1e3)]);
    assert_eq!(blocks, again);
    assert_ne!(blocks.1, columns.1);
}
