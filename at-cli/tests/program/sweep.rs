//! `asyt sweep`: grids, and sweeps that end before their end.

use crate::asyt::{Bench, Ended, TINY};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Twelve cells of tens of milliseconds.
const SWEEP: [&str; 12] = [
    "--vary",
    "response-slope,response-amplitude=0,0.4",
    "--vary",
    "epochs=10,15",
    "--chips",
    "2",
    "--method",
    "at,ideal",
    "--jobs",
    "2",
    "--quiet",
    "--out",
];

/// The arguments of the sweep into `out`.
fn sweep(out: &str) -> Vec<&str> {
    ["sweep"].into_iter().chain(TINY).chain(SWEEP).chain([out]).collect()
}

/// Everything that a sweep ends with, except times of this machine.
fn outcome(bench: &Bench, run: &str) -> (String, String, String) {
    let columns = |file: &str| {
        let mut csv = csv::Reader::from_path(bench.path(&format!("{run}/{file}"))).unwrap();
        let wall = csv.headers().unwrap().iter().position(|name| name == "wall_seconds");
        let rows = csv.records().map(|record| {
            let record = record.unwrap();
            let cells = record.iter().enumerate().filter(|(column, _)| Some(*column) != wall);
            cells.map(|(_, cell)| cell.to_string()).collect::<Vec<_>>().join(",")
        });
        rows.collect::<Vec<_>>().join("\n")
    };
    (columns("sweep.csv"), columns("epochs.csv"), bench.read(&format!("{run}/accuracy-2.svg")))
}

#[test]
fn a_sweep_killed_at_any_moment_resumes_to_the_same_table() {
    let bench = Bench::new();
    let began = Instant::now();
    bench.run(sweep("whole")).done();
    let length = began.elapsed();
    let whole = outcome(&bench, "whole");
    let page = bench.read("whole/sweep.md");
    let heading = "| response-slope,response-amplitude | epochs | `ideal` (%) | `at` (%) | `at` below `ideal` (points) | \
                   misfit of `at` (%) | mean cosine of `at` | `at` chip by chip (%) |\n";
    assert!(page.starts_with(heading) && page.contains("\n| 0.4 | 15 | "), "{page}");
    assert_eq!(whole.0.lines().count(), 2 * 2 * 2);
    let mut kills = 0;
    for round in 0..3_u32 {
        let run = format!("cut-{round}");
        let mut finished = std::collections::BTreeMap::new();
        for part in 0.. {
            assert!(part < 100, "no end of {run}");
            let begun = bench.path(&run).join("request.json").exists();
            let arguments = if begun { vec!["sweep", "--resume", &run, "--quiet"] } else { sweep(&run) };
            let mut child = bench.asyt(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
            let share = f64::from((part * 37 + round * 61) % 100) / 100.0;
            std::thread::sleep(length.mul_f64(0.15 + 0.5 * share));
            child.kill().unwrap();
            let ended = child.wait().unwrap().success();
            // what was done stays as it is
            for name in bench.entries(&format!("{run}/cells")) {
                if let Ok(result) = std::fs::read(bench.path(&format!("{run}/cells/{name}/result.json"))) {
                    assert_eq!(*finished.entry(name).or_insert(result.clone()), result);
                }
            }
            if ended {
                break;
            }
            kills += 1;
        }
        assert_eq!(outcome(&bench, &run), whole, "{run}");
    }
    assert!(kills >= 3, "only {kills} kills hit a sweep of {length:?}");
}

#[cfg(unix)]
#[test]
fn control_c_keeps_what_is_done_and_leaves_no_process() {
    let bench = Bench::new();
    let arguments = ["sweep", "--network", "bank:in-256-out", "--batch-size", "10", "--epochs", "50", "--chips", "4"];
    let rest = ["--method", "at", "--vary", "seed=1,2", "--jobs", "2", "--out", "run"];
    let mut command = bench.asyt(arguments.into_iter().chain(rest));
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains(" epoch ") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status().unwrap();
    assert!(sent.success());
    let ended = Ended::new(child.wait_with_output().unwrap());
    let rest = std::io::read_to_string(stderr).unwrap();
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(1), ""), "{rest}");
    assert!(rest.contains("of 8 cells done; continue with: asyt sweep --resume run"), "{rest}");
    let half_done = bench.entries("run/cells").into_iter().filter(|name| {
        let folder = bench.path(&format!("run/cells/{name}"));
        // nobody holds a lock any more
        if let Ok(lock) = std::fs::File::open(folder.join(".lock")) {
            lock.try_lock().unwrap();
        }
        folder.join("checkpoint.safetensors").exists()
    });
    assert!((1..=2).contains(&half_done.count()), "{rest}");
}

#[cfg(unix)]
#[test]
fn the_processes_end_when_the_one_that_started_them_is_killed() {
    let bench = Bench::new();
    let arguments = ["sweep", "--network", "bank:in-64-out", "--epochs", "1000", "--chips", "1", "--method", "at"];
    let rest = ["--vary", "seed=1,2", "--jobs", "2", "--quiet", "--out", "run"];
    let mut child = bench.asyt(arguments.into_iter().chain(rest)).stdout(Stdio::null()).spawn().unwrap();
    let locks = || {
        let names = bench.entries("run/cells");
        names.into_iter().filter_map(|name| std::fs::File::open(bench.path(&format!("run/cells/{name}/.lock"))).ok())
    };
    let held = || locks().filter(|lock| lock.try_lock().is_err()).count();
    let wait_for = |count: usize| {
        let began = Instant::now();
        while held() != count {
            assert!(began.elapsed() < Duration::from_secs(60), "{} locks are held, not {count}", held());
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    wait_for(2);
    child.kill().unwrap();
    child.wait().unwrap();
    wait_for(0);
}

#[test]
fn a_training_that_diverges_is_a_row_and_stops_no_other() {
    let bench = Bench::new();
    let task = ["--train-limit", "100", "--test-limit", "50", "--network", "matrix:in-8-out", "--chip", "demo"];
    let rest = ["--chips", "1", "--method", "at", "--epochs", "3", "--quiet", "--out", "run"];
    let diverging = ["sweep", "--vary", "learning-rate=0.1,1e30"];
    let ended = bench.run(diverging.into_iter().chain(task).chain(rest)).done();
    let row = ended.stdout.lines().find(|line| line.starts_with("1e30")).unwrap();
    assert!(row.contains("at") && row.contains("diverged"), "{row}");
    let table = bench.read("run/sweep.txt");
    let why = table.lines().find(|line| line.starts_with("diverged")).unwrap();
    assert!(why.contains("1 of 1 at 1e30") && why.contains("at diverged in epoch 1"), "{why}");
    let csv = bench.read("run/sweep.csv");
    assert_eq!(csv.lines().count(), 3);
    let last: Vec<&str> = csv.lines().nth(2).unwrap().split(',').collect();
    assert_eq!(
        (last.len(), last[..3].join(" "), last[last.len() - 1]),
        (csv.lines().next().unwrap().split(',').count(), "1e30 at 0".to_string(), "1")
    );
    let json: serde_json::Value = serde_json::from_str(&bench.read("run/sweep.json")).unwrap();
    assert_eq!(json["points"][1]["diverged"][0]["chips"], 1);
    assert!(bench.read("run/accuracy.svg").contains("diverged"), "the picture says so");
    // it is done, and not tried again
    let again = bench.run(["sweep", "--resume", "run", "--quiet"]).done();
    assert_eq!(again.stdout, ended.stdout);
    bench.run(["report", "run"]).done();
    assert!(bench.read("run/report.html").contains("diverged on 1 of 1 chips"));
}

#[test]
fn values_without_numbers_have_their_places() {
    let bench = Bench::new();
    let base = ["sweep"].into_iter().chain(TINY).chain(["--chips", "1", "--method", "at,ideal", "--epochs", "1"]);
    let vary = ["--quiet", "--out", "run", "--vary", "network=bank:in-out,bank:in-8-out", "--vary", "seed=1,2"];
    let table = bench.run(base.chain(vary)).done().stdout;
    assert!(table.lines().next().unwrap().starts_with("network        seed  method"), "{table}");
    assert!(table.lines().any(|line| line.starts_with("bank:in-8-out  2     ideal")), "{table}");
    let picture = bench.read("run/accuracy-1.svg");
    assert!(picture.contains("bank:in-8-out") && picture.contains("seed = 1"), "{picture}");
    assert!(bench.path("run/accuracy-2.svg").exists() && !bench.path("run/accuracy.svg").exists());
}

#[test]
fn grids_that_make_no_sense_are_refused_before_anything_is_trained() {
    let bench = Bench::new();
    let cases: [(&[&str], &str); 8] = [
        (&[], "--vary NAME=VALUE"),
        (&["--vary", "epochs"], "NAME=VALUE"),
        (&["--vary", "epoch=1,2"], "did you mean epochs?"),
        (&["--vary", "epochs=1,many"], "many"),
        (&["--vary", "chip-seed=1,2"], "--chips"),
        (&["--vary", "epochs=1", "--vary", "epochs=2"], "given twice"),
        (&["--vary", "network=bank:in-out,bank:5-out"], "network = bank:5-out"),
        (&["--vary", "update-error=0.1,-0.1"], "update-error = -0.1"),
    ];
    for (arguments, part) in cases {
        let base = ["sweep", "--quiet", "--engine", "cpu"];
        bench.run(base.iter().chain(arguments).copied()).refused(2, &[part]);
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn points_with_other_target_columns_read_other_targets() {
    let bench = Bench::new();
    let row = |k: usize| format!("{},{},{},{}\n", k % 3, (k * k) % 5, k % 4, k % 2);
    let table = "a,b,c,d\n".to_string() + &(0..12).map(row).collect::<String>();
    bench.write("own/train.csv", &table);
    bench.write("own/test.csv", &table);
    let words = "sweep --dataset own --network bank:in-out --batch-size 4 --epochs 1 --method ideal --chips 1 --engine cpu \
                 --vary target-columns=c;d --out run --quiet";
    bench.run(words.split_whitespace()).done();
    let mut csv = csv::Reader::from_path(bench.path("run/epochs.csv")).unwrap();
    let rows = csv.deserialize::<std::collections::HashMap<String, String>>().map(Result::unwrap);
    let losses: Vec<String> = rows.map(|row| row["test_loss"].clone()).collect();
    assert!(losses.len() == 2 && losses[0] != losses[1], "{losses:?}");
}
