//! Runs that end before their end, by Ctrl-C, by kill -9, by a full disk: what was saved goes on to the very same numbers.

use crate::asyt::{Bench, Ended};
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// Long enough to be hit in the middle: tens of milliseconds for each of two methods.
const RUN: [&str; 13] = [
    "train",
    "--train-limit",
    "200",
    "--test-limit",
    "50",
    "--network",
    "bank:in-out",
    "--epochs",
    "40",
    "--method",
    "at,pat",
    "--optimizer",
    "adam",
];

/// One epoch of seconds.
const SLOW: [&str; 7] = ["train", "--network", "bank:in-512-512-out", "--batch-size", "2", "--epochs", "3"];

/// The run never interrupted, in folder `whole`.
fn whole(bench: &Bench) {
    bench.run(RUN.into_iter().chain(["--out", "whole", "--quiet"])).done();
}

/// Everything that a run must end with, whenever it was interrupted: all but times and memory. Checkpoints hold no times.
fn outcome(bench: &Bench, run: &str) -> (String, serde_json::Value, [Vec<u8>; 2]) {
    let metrics = bench.read(&format!("{run}/metrics.csv"));
    let metrics = metrics.lines().map(|line| line.rsplit_once(',').unwrap().0).collect::<Vec<_>>().join("\n");
    let mut summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
    for result in summary["results"].as_array_mut().unwrap() {
        assert!(result["wall_seconds"].take().as_f64().unwrap() > 0.0);
        drop(result["peak_memory_bytes"].take()); // of the process that ended it
    }
    let checkpoint = |method: &str| std::fs::read(bench.path(&format!("{run}/{method}.safetensors"))).unwrap();
    (metrics, summary, ["at", "pat"].map(checkpoint))
}

fn interrupt(child: &Child) {
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
}

/// Reads stderr up to a line that contains `part`.
fn wait_for(stderr: &mut impl BufRead, part: &str) {
    let mut lines = String::new();
    while !lines.contains(part) {
        assert_ne!(stderr.read_line(&mut lines).unwrap(), 0, "{part} is not in {lines}");
    }
}

#[cfg(unix)]
#[test]
fn control_c_ends_the_epoch_and_the_run_can_go_on() {
    let bench = Bench::new();
    whole(&bench);
    let mut command = bench.asyt(RUN.into_iter().chain(["--out", "cut", "--json"]));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "epoch 1/40");
    interrupt(&child);
    let ended = Ended::new(child.wait_with_output().unwrap());
    let mut rest = String::new();
    stderr.read_to_string(&mut rest).unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{rest}");
    assert!(rest.contains("error: interrupted after epoch ") && rest.contains("asyt train --resume cut"), "{rest}");
    assert!(bench.path("cut/at.safetensors").exists() && !bench.path("cut/pat.safetensors").exists());
    bench.run(["train", "--resume", "cut", "--quiet"]).done();
    assert_eq!(outcome(&bench, "cut"), outcome(&bench, "whole"));
}

#[cfg(unix)]
#[test]
fn a_second_control_c_ends_the_program_at_once() {
    let bench = Bench::new();
    let mut child = bench.asyt(SLOW).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "folder ");
    interrupt(&child);
    wait_for(&mut stderr, "once more stops at once");
    let asked = Instant::now();
    interrupt(&child);
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(asked.elapsed() < Duration::from_millis(500), "took {:?}", asked.elapsed());
    assert!(!bench.path("runs/digits-1/at.safetensors").exists(), "the epoch was over before it could be cut");
}

/// Waits for the end of a program that has been asked for it, which would otherwise work for hours.
#[cfg(unix)]
fn end_of(mut child: Child, what: &str) -> Ended {
    let asked = Instant::now();
    while child.try_wait().unwrap().is_none() {
        if asked.elapsed() > Duration::from_secs(30) {
            child.kill().unwrap();
            panic!("{what} goes on");
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ended::new(child.wait_with_output().unwrap())
}

/// The unitary matrix of the Fourier transform, as npy.
#[cfg(unix)]
fn fourier(modes: usize) -> Vec<u8> {
    let header = format!("{{'descr': '<c16', 'fortran_order': False, 'shape': ({modes}, {modes}), }}\n");
    let mut file = b"\x93NUMPY\x01\x00".to_vec();
    file.extend((header.len() as u16).to_le_bytes());
    file.extend(header.as_bytes());
    for k in 0..modes * modes {
        let turn = std::f64::consts::TAU * ((k / modes) * (k % modes) % modes) as f64 / modes as f64;
        let (sin, cos) = turn.sin_cos();
        file.extend([cos, sin].iter().flat_map(|part| (part / (modes as f64).sqrt()).to_le_bytes()));
    }
    file
}

/// Every command in the middle of something that takes hours, days or for ever.
#[cfg(unix)]
#[test]
fn control_c_ends_any_command_in_the_middle_of_anything() {
    let bench = Bench::new();
    bench.write("small.npy", fourier(64));
    bench.write("large.npy", fourier(1500));
    bench.run(["mesh", "decompose", "small.npy", "--out", "small.npz"]).done();
    bench.run(RUN.into_iter().chain(["--out", "trained", "--quiet"])).done();
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let mirror = format!("http://{}", silent.local_addr().unwrap());
    let chips = ["--chips", "300000", "--chip", "mesh"];
    let on_digits = ["--dataset", "digits", "--encoding", "fourier-crop:8", "--network", "mesh:64"];
    let evaluate = ["evaluate", "--phases", "small.npz"].into_iter().chain(on_digits).chain(chips).collect();
    let seeds = (0..20_000).map(|k| k.to_string()).collect::<Vec<_>>().join(",");
    let vary = format!("seed={seeds}");
    // a command, and what it says before it is interrupted; the first silence is broken by what it is busy with
    let mut cases: Vec<(Vec<&str>, &str)> = vec![
        (vec!["train", "--method", "spsa", "--probe-draws", "20000000"], "folder "),
        (vec!["train", "--network", "bank:in-2000-2000-out", "--batch-size", "1", "--method", "ideal"], "epoch 1/"),
        (evaluate, "chip "),
        (vec!["sweep", "--vary", &vary, "--out", "sweep"], "understanding "),
        (vec!["compare", "--chips", "1000000", "--epochs", "2", "--method", "at", "--out", "compare"], "cells "),
        (vec!["scale", "--engine", "cpu", "--modes", "64", "--repeats", "10000000000", "--out", "scale"], "1/3 "),
        (vec!["data", "fetch", "mnist", "--mirror", &mirror, "--cache-dir", "cache"], "asking for "),
        (vec!["mesh", "decompose", "large.npy", "--out", "large.npz"], "decomposing "),
        (["report", "--out", "page.html"].into_iter().chain(["trained"; 2000]).collect(), "making the page of "),
    ];
    let software = at_gpu::adapters().into_iter().find(|adapter| adapter.software);
    let adapter = software.map(|adapter| adapter.index.to_string());
    if let Some(adapter) = &adapter {
        let gpu = ["train", "--engine", "gpu", "--adapter", adapter, "--method", "spsa", "--probe-draws", "20000000"];
        cases.push((gpu.to_vec(), "folder "));
    }
    for (arguments, said) in cases {
        let what = format!("{:.80}", arguments.join(" "));
        println!("{what}");
        let mut child = bench.asyt(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stderr = BufReader::new(child.stderr.take().unwrap());
        wait_for(&mut stderr, said);
        interrupt(&child);
        let rest = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
        let ended = end_of(child, &what);
        let rest = rest.join().unwrap();
        assert!(matches!(ended.code, Some(1 | 130)) && ended.stdout.is_empty(), "{what}: {ended:?} {rest}");
        assert!(rest.lines().any(|line| line.starts_with("error: interrupted")), "{what}: {rest}");
        assert!(ended.code == Some(130) || what.starts_with("compare"), "{what} came to its end: {rest}");
    }
}

#[cfg(unix)]
#[test]
fn an_epoch_that_takes_long_is_cut_and_the_run_goes_on_to_the_same_numbers() {
    let bench = Bench::new();
    // one step of many probes: seconds
    let arguments =
        ["train", "--train-limit", "20", "--test-limit", "20", "--network", "bank:in-out", "--batch-size", "20"];
    let rest = ["--method", "spsa", "--probe-draws", "100000", "--epochs", "2", "--engine", "cpu", "--out"];
    let run = |out| arguments.into_iter().chain(rest).chain([out]);
    bench.run(run("whole").chain(["--quiet"])).done();
    let mut child = bench.asyt(run("cut")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    wait_for(&mut stderr, "epoch 1/2  loss");
    std::thread::sleep(Duration::from_millis(500)); // into the next epoch: at the line itself the run may still end as asked
    interrupt(&child);
    let rest = std::thread::spawn(move || std::io::read_to_string(stderr).unwrap());
    let ended = end_of(child, "the epoch");
    let rest = rest.join().unwrap();
    assert_eq!(ended.code, Some(130), "{rest}");
    assert!(rest.contains("error: interrupted; continue with: asyt train --resume cut\n"), "{rest}");
    bench.run(["train", "--resume", "cut", "--quiet"]).done();
    let checkpoint = |run: &str| std::fs::read(bench.path(&format!("{run}/spsa.safetensors"))).unwrap();
    assert!(checkpoint("cut") == checkpoint("whole"), "the numbers differ");
}

/// A reader that has stopped must not keep the program alive.
#[cfg(target_os = "linux")]
#[test]
fn control_c_ends_a_program_whose_messages_nobody_reads() {
    let bench = Bench::new();
    let (reader, mut writer) = std::io::pipe().unwrap();
    std::io::Write::write_all(&mut writer, &[b'.'; 1 << 16]).unwrap(); // all that a pipe holds
    let arguments = ["train", "--method", "spsa", "--probe-draws", "20000000", "--out", "run"];
    let child = bench.asyt(arguments).stdout(Stdio::piped()).stderr(writer).spawn().unwrap();
    while !bench.path("run/config.toml").exists() {
        std::thread::sleep(Duration::from_millis(20));
    }
    interrupt(&child);
    assert_eq!(end_of(child, "the run").code, Some(130));
    drop(reader);
}

#[test]
fn after_kill_9_at_any_moment_the_numbers_are_the_same() {
    let bench = Bench::new();
    let began = Instant::now();
    whole(&bench);
    let mut length = began.elapsed();
    let mut kills = 0;
    for round in 0_u32.. {
        if round >= 4 && kills >= 4 {
            break;
        }
        assert!(round < 40, "only {kills} kills hit a run of {length:?}");
        let run = format!("cut-{round}");
        let start = RUN.into_iter().chain(["--out", &run, "--quiet"]).collect::<Vec<_>>();
        let resume = vec!["train", "--resume", &run, "--quiet"];
        // each part of a run gets a share of the whole time that differs from round to round
        for part in 0.. {
            assert!(part < 100, "no end of {run}");
            let began = bench.path(&run).join("config.toml").exists();
            let mut child =
                bench.asyt(if began { resume.clone() } else { start.clone() }).stdout(Stdio::null()).spawn().unwrap();
            let share = f64::from((part * 37 + round * 61) % 100) / 100.0;
            std::thread::sleep(length.mul_f64(0.1 + 0.6 * share));
            child.kill().unwrap();
            let status = child.wait().unwrap();
            if status.success() {
                if part == 0 {
                    length = length.mul_f64(0.7); // the first run was slowed down by others, and its time says too much
                }
                break;
            }
            assert_eq!(status.code(), None, "ended by itself");
            kills += 1;
            for method in ["at", "pat"] {
                let trained = bench.path(&run).join(format!("{method}.safetensors")).exists();
                let timed = trained && bench.read(&format!("{run}/metrics.csv")).contains(&format!("\n{method},"));
                assert_eq!(timed, trained, "{run}: the seconds of {method} are lost");
            }
        }
        assert_eq!(outcome(&bench, &run), outcome(&bench, "whole"), "{run}");
        assert!(!bench.entries(&run).iter().any(|name| name.ends_with(".part")), "{:?}", bench.entries(&run));
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_disk_that_fills_up_costs_the_epoch_and_nothing_else() {
    let bench = Bench::new();
    whole(&bench);
    // the checkpoint grows by a record per epoch: with Adam 650 controls take 31 kB in `at`, and 40 records 12 kB
    let limited = "trap '' XFSZ; ulimit -f 74; exec \"$0\" \"$@\""; // in units of 512 bytes: 37 kB
    let mut command = bench.command("/bin/sh");
    command
        .args(["-c", limited])
        .arg(assert_cmd::cargo::cargo_bin!("asyt"))
        .args(RUN)
        .args(["--out", "full", "--quiet"]);
    let ended = Ended::new(command.output().unwrap());
    ended.refused(1, &["at.safetensors", "File too large"]);
    assert!(bench.path("full/at.safetensors").exists(), "the disk was full before the first epoch");
    let left = bench.entries("full");
    assert!(!left.iter().any(|name| name.ends_with(".part")), "{left:?}");
    bench.run(["train", "--resume", "full", "--quiet"]).done();
    assert_eq!(outcome(&bench, "full"), outcome(&bench, "whole"));
}

#[test]
fn two_programs_never_write_into_one_folder() {
    let bench = Bench::new();
    let mut first = bench.asyt(SLOW.into_iter().chain(["--out", "mine"])).stderr(Stdio::piped()).spawn().unwrap();
    wait_for(&mut BufReader::new(first.stderr.take().unwrap()), "folder ");
    bench.run(["train", "--resume", "mine", "--quiet"]).refused(1, &["mine is in use", "--out"]);
    bench.train(&["--out", "mine", "--quiet"]).refused(1, &["mine", "--out"]);
    assert!(first.try_wait().unwrap().is_none(), "the first program had ended by itself");
    first.kill().unwrap();
    first.wait().unwrap();
}

#[test]
fn a_finished_run_resumes_to_the_same_summary() {
    let bench = Bench::new();
    whole(&bench);
    let (summary, before) = (bench.read("whole/summary.json"), outcome(&bench, "whole"));
    let again = bench.run(["train", "--resume", "whole", "--json", "--quiet"]).done();
    assert_eq!((again.stdout, outcome(&bench, "whole")), (summary, before));
}
