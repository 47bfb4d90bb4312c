//! A file operation that fails, wherever it is: the N-th one of a command is killed, finds no space, a broken disk or no
//! permission, for every N. What follows, `--resume` or the same command again, ends with the numbers of an undisturbed run.
//!
//! Faults are those of `at_core::files::fault`, which exist in builds with debug assertions only. Downloads are walked through
//! beside their code.

use crate::asyt::{Bench, Ended};
use std::path::Path;

/// A kill, and what a file operation can answer.
const KINDS: [&str; 4] = ["kill", "space", "io", "access"];

/// More operations than any of these commands has.
const MOST: usize = 400;

const TASK: [&str; 11] = [
    "--dataset",
    "iris",
    "--train-limit",
    "20",
    "--test-limit",
    "10",
    "--network",
    "bank:in-out",
    "--batch-size",
    "10",
    "--quiet",
];

/// Runs `arguments` with fault number `number`. `None`: it has fewer operations.
fn run_with_fault(bench: &Bench, arguments: &[&str], number: usize, kind: &str) -> Option<Ended> {
    let mut command = bench.asyt(arguments.iter().copied());
    let ended = Ended::new(command.env("AT_FAULT", format!("{number}:{kind}")).output().unwrap());
    let place = format!("fault {number}: ");
    if !ended.stderr.contains(&place) {
        assert_eq!(ended.code, Some(0), "without a fault: {ended:#?}");
        return None;
    }
    assert!(!ended.stderr.contains("panicked"), "{ended:#?}");
    let said = ended.stderr.lines().filter(|line| !line.starts_with("fault ")).count();
    assert!(said > 0 || ended.code != Some(1), "failed without a word: {ended:#?}");
    Some(ended)
}

/// Walks through the operations of the command `start`, which writes the folder that `--out` names, for each of `kinds`.
fn walk(bench: &Bench, start: &[&str], numbers: &(dyn Fn(&str) -> String + Sync), kinds: [&[&str]; 2]) {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: no faults in release builds");
        return;
    }
    let with_out = |run: &str| start.iter().copied().chain(["--out", run]).map(String::from).collect::<Vec<_>>();
    bench.run(with_out("whole").iter().map(String::as_str)).done();
    let whole = numbers("whole");
    let one_kind = |kind: &str| {
        for number in 1..MOST {
            let run = format!("{kind}-{number}");
            let again = with_out(&run);
            let again: Vec<&str> = again.iter().map(String::as_str).collect();
            let Some(ended) = run_with_fault(bench, &again, number, kind) else {
                assert!(number > 20, "only {number} operations");
                assert_eq!(numbers(&run), whole, "{run}");
                return;
            };
            let told = || format!("{run} after {ended:#?}");
            let second = bench.run(again.iter().copied());
            if second.code != Some(0) {
                assert!(second.stderr.contains("is not empty"), "{}: {second:#?}", told());
                let third = bench.run([start[0], "--resume", &run, "--quiet"]);
                assert_eq!(third.code, Some(0), "{}: {third:#?}", told());
            }
            assert_eq!(numbers(&run), whole, "{}", told());
            std::fs::remove_dir_all(bench.path(&run)).unwrap();
        }
        panic!("more than {MOST} operations");
    };
    std::thread::scope(|scope| {
        let walkers = kinds.map(|kinds| scope.spawn(|| kinds.iter().for_each(|kind| one_kind(kind))));
        walkers.into_iter().for_each(|walker| walker.join().unwrap());
    });
}

/// A table without its times.
fn table(path: &Path) -> String {
    let mut csv = csv::Reader::from_path(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let wall = csv.headers().unwrap().iter().position(|name| name == "wall_seconds");
    let rows = csv.records().map(|record| {
        let record = record.unwrap();
        let cells = record.iter().enumerate().filter(|(column, _)| Some(*column) != wall);
        cells.map(|(_, cell)| cell).collect::<Vec<_>>().join(",")
    });
    rows.collect::<Vec<_>>().join("\n")
}

#[test]
fn training_after_a_fault_anywhere_ends_with_the_same_numbers() {
    let bench = Bench::new();
    // 33 chips a model: their records fill a block in epoch 2, which begins a file beside the checkpoint, and one in epoch 4
    let start = ["train", "--method", "at", "--share-model", "33", "--epochs", "4"];
    let start: Vec<&str> = start.into_iter().chain(TASK).collect();
    let numbers = |run: &str| {
        let file = |name: &str| bench.path(&format!("{run}/{name}"));
        let mut summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
        // what a process took is its own
        let own = ["wall_seconds", "peak_memory_bytes"];
        let results = summary["results"].as_array_mut().unwrap();
        results.iter_mut().for_each(|result| own.iter().for_each(|name| drop(result[name].take())));
        let state = std::fs::read(file("at.safetensors")).unwrap();
        let records = bench.read(&format!("{run}/at.records.jsonl"));
        assert_eq!(records.lines().count(), 128);
        format!("{}\n{summary}\n{state:?}\n{records}", table(&file("metrics.csv")))
    };
    walk(&bench, &start, &numbers, [&["kill", "io"], &["space", "access"]]);
}

#[test]
fn a_comparison_after_a_fault_anywhere_ends_with_the_same_numbers() {
    let bench = Bench::new();
    let start = ["compare", "--method", "at", "--chips", "1", "--epochs", "2", "--jobs", "1"];
    let start: Vec<&str> = start.into_iter().chain(TASK).collect();
    let numbers = |run: &str| {
        let files = ["compare.csv", "epochs.csv"].map(|file| table(&bench.path(&format!("{run}/{file}"))));
        files.join("\n") + &bench.read(&format!("{run}/accuracy.svg"))
    };
    walk(&bench, &start, &numbers, [&["kill", "io"], &["space", "access"]]);
}

#[test]
fn a_sweep_after_a_fault_anywhere_ends_with_the_same_numbers() {
    let bench = Bench::new();
    let start = ["sweep", "--method", "ideal", "--vary", "seed=1,2", "--chips", "1", "--epochs", "1", "--jobs", "1"];
    let start: Vec<&str> = start.into_iter().chain(TASK).collect();
    let numbers = |run: &str| {
        let files = ["sweep.csv", "epochs.csv"].map(|file| table(&bench.path(&format!("{run}/{file}"))));
        files.join("\n") + &bench.read(&format!("{run}/accuracy.svg"))
    };
    walk(&bench, &start, &numbers, [&["kill", "io"], &["space", "access"]]);
}

/// A matrix that a mesh makes, as NumPy writes it.
fn identity(bench: &Bench, name: &str) {
    let header = format!("{:<117}\n", "{'descr': '<f8', 'fortran_order': False, 'shape': (4, 4), }");
    let mut file = [b"\x93NUMPY\x01\x00".as_slice(), &118_u16.to_le_bytes(), header.as_bytes()].concat();
    file.extend((0..16).flat_map(|k| f64::from(u8::from(k % 5 == 0)).to_le_bytes()));
    bench.write(name, file);
}

#[test]
fn a_file_for_other_programs_is_whole_or_not_there_after_a_fault_anywhere() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: no faults in release builds");
        return;
    }
    let bench = Bench::new();
    identity(&bench, "U.npy");
    bench.run(["mesh", "decompose", "U.npy", "--out", "phases.npz"]).done();
    let chip: Vec<&str> =
        ["train", "--method", "ideal", "--epochs", "1", "--save-chip", "new"].into_iter().chain(TASK).collect();
    let commands: [&[&str]; 4] = [
        &["mesh", "decompose", "U.npy", "--out", "new"],
        &["mesh", "convert", "phases.npz", "--from", "native", "--to", "neurophox", "--out", "new"],
        &["mesh", "matrix", "phases.npz", "--mesh", "0", "--out", "new"],
        &chip,
    ];
    for command in commands {
        bench.run(command.iter().copied()).done();
        let whole = std::fs::read(bench.path("new")).unwrap();
        for kind in KINDS {
            let mut hit = 0;
            for number in 1..MOST {
                std::fs::remove_file(bench.path("new")).unwrap_or_default();
                std::fs::remove_dir_all(bench.path("runs")).unwrap_or_default(); // each run looks past those before it
                let Some(ended) = run_with_fault(&bench, command, number, kind) else { break };
                let told = || format!("{command:?} {number}:{kind} {ended:#?}");
                let left = std::fs::read(bench.path("new")).ok();
                assert!(left.as_ref().is_none_or(|left| *left == whole), "half a file: {}", told());
                if ended.code == Some(1) {
                    let said = ended.beside_notes();
                    let said: Vec<&str> = said.lines().filter(|line| !line.starts_with("fault ")).collect();
                    let [error] = said[..] else { panic!("not one line: {}", told()) };
                    assert!(error.starts_with("error: "), "{}", told());
                } else {
                    assert!(kind == "kill" || ended.code == Some(0) && left.is_some(), "{}", told());
                }
                hit = number;
            }
            assert!((4..MOST - 1).contains(&hit), "{command:?} {kind}: {hit} operations");
        }
    }
}

#[test]
fn a_report_after_a_fault_anywhere_is_the_same_page() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: no faults in release builds");
        return;
    }
    let bench = Bench::new();
    let run = ["train", "--method", "ideal", "--epochs", "2", "--out", "run"];
    bench.run(run.into_iter().chain(TASK)).done();
    let report = ["report", "run", "--quiet"];
    bench.run(report).done();
    let (page, kept) = (bench.read("run/report.html"), bench.read("run/summary.json"));
    let mut hit = 0;
    for number in 1..MOST {
        // a page is made of nothing but the run, so faults may follow each other: each finds what those before have left
        let Some(ended) = run_with_fault(&bench, &report, number, KINDS[number % 4]) else { break };
        if let Ok(found) = std::fs::read_to_string(bench.path("run/report.html")) {
            // what could not be read is named on the page, which is whole all the same
            // (a run of the command that failed leaves the page of the one before)
            let said = ended.code != Some(0) || ended.stderr.contains("are not shown");
            let named = said && found.contains("are not shown");
            assert!(found == page || named && found.ends_with("</html>\n"), "half a page, after {ended:#?}");
        }
        if number.is_multiple_of(2) {
            std::fs::remove_file(bench.path("run/report.html")).unwrap_or_default();
        }
        hit = number;
    }
    assert!((20..MOST - 1).contains(&hit), "{hit} operations");
    bench.run(report).done();
    assert!(bench.read("run/report.html") == page && bench.read("run/summary.json") == kept);
}

/// Without MPI each of several processes would do everything, and write over what the others write.
#[cfg(not(feature = "mpi"))]
#[test]
fn a_program_without_mpi_is_not_started_several_times_at_once() {
    let bench = Bench::new();
    let mut command = bench.asyt(["train", "--epochs", "1"]);
    let ended = command.env("OMPI_COMM_WORLD_SIZE", "4").output().unwrap();
    Ended::new(ended).refused(2, &["4 processes were started together", "feature mpi"]);
}
