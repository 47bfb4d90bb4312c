//! `--shard K/N`: cells of one run trained by several processes that share its folder.

use crate::asyt::{Bench, Ended, TINY};
use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// Twenty-four cells.
const SWEEP: &str = "--vary response-slope,response-amplitude=0,0.4 --vary epochs=10,15,20 --chips 2 --method at,ideal --jobs 1 --quiet";

fn sweep<'a>(more: &[&'a str]) -> Vec<&'a str> {
    ["sweep"].into_iter().chain(TINY).chain(SWEEP.split(' ')).chain(more.iter().copied()).collect()
}

/// All rows of the tables, without times of this machine.
fn tables(bench: &Bench, run: &str) -> String {
    let rows = |file: &str| {
        let mut csv = csv::Reader::from_path(bench.path(&format!("{run}/{file}"))).unwrap();
        let wall = csv.headers().unwrap().iter().position(|name| name == "wall_seconds");
        let rows = csv.records().map(|record| {
            let record = record.unwrap();
            let cells = record.iter().enumerate().filter(|(column, _)| Some(*column) != wall);
            cells.map(|(_, cell)| cell.to_string()).collect::<Vec<_>>().join(",") + "\n"
        });
        rows.collect::<String>()
    };
    rows("sweep.csv") + &rows("epochs.csv")
}

/// The results that are there, by cell.
fn results(bench: &Bench, run: &str) -> BTreeMap<String, Vec<u8>> {
    let names = bench.entries(&format!("{run}/cells")).into_iter();
    names
        .filter_map(|name| {
            let result = std::fs::read(bench.path(&format!("{run}/cells/{name}/result.json"))).ok()?;
            Some((name, result))
        })
        .collect()
}

#[test]
fn three_shards_of_which_one_is_killed_and_restarted_end_with_the_table_of_one_process() {
    let bench = Bench::new();
    bench.run(sweep(&["--out", "whole"])).done();
    let whole = tables(&bench, "whole");
    assert_eq!(results(&bench, "whole").len(), 24);

    let shards = ["1/3", "2/3", "3/3"];
    let start = |shard: &str| -> Child {
        let mut command = bench.asyt(sweep(&["--out", "shared", "--shard", shard]));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut children = shards.map(start);
    let began = Instant::now();
    let mut finished: BTreeMap<String, Vec<u8>> = BTreeMap::new();
    // a cell is trained once: its result, with the time that it took, stays as it is
    let collect = |finished: &mut BTreeMap<String, Vec<u8>>| {
        for (name, result) in results(&bench, "shared") {
            assert_eq!(*finished.entry(name.clone()).or_insert(result.clone()), result, "{name} was trained twice");
        }
        finished.len()
    };
    while collect(&mut finished) < 3 {
        assert!(began.elapsed() < Duration::from_secs(120), "nothing is trained");
        std::thread::sleep(Duration::from_millis(2));
    }
    children[1].kill().unwrap();
    assert!(!children[1].wait().unwrap().success(), "shard 2/3 was over before it was killed");
    collect(&mut finished);
    children[1] = start("2/3");
    let ended = children.map(|child| Ended::new(child.wait_with_output().unwrap()).done());
    assert_eq!(collect(&mut finished), 24);
    assert_eq!(tables(&bench, "shared"), whole);
    // those that were not the last one say how far the others are
    let told = ended.iter().filter(|ended| ended.stderr.contains("of other shards are open")).count();
    let printed = ended.iter().filter(|ended| !ended.stdout.is_empty()).count();
    assert!(told + printed == 3 && printed >= 1, "{ended:#?}");
    assert_eq!(bench.entries("shared/shards"), [""; 0], "no claim is left");
    // and without a shard nothing is left to do
    let again = bench.run(["sweep", "--resume", "shared", "--quiet"]).done();
    assert!(!again.stdout.is_empty());
    assert_eq!((collect(&mut finished), tables(&bench, "shared")), (24, whole));
}

#[test]
fn what_shards_left_is_trained_by_one_process_and_not_before_they_have_ended() {
    let bench = Bench::new();
    let task = "--network bank:in-64-out --epochs 2000 --chips 1 --method at --vary seed=1,2 --jobs 1 --quiet --out run --shard 1/2";
    let mut command = bench.asyt(["sweep"].into_iter().chain(task.split(' ')));
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let began = Instant::now();
    while bench.entries("run/cells").is_empty() {
        assert!(began.elapsed() < Duration::from_secs(120), "nothing is begun");
        std::thread::sleep(Duration::from_millis(20));
    }
    bench.run(["sweep", "--resume", "run", "--quiet"]).refused(1, &["run is in use by another asyt"]);
    let same = ["sweep", "--resume", "run", "--quiet", "--shard"];
    bench.run(same.into_iter().chain(["1/2"])).refused(1, &["shard 1/2 of run is at work (process "]);
    bench.run(same.into_iter().chain(["1/3"])).refused(1, &["shard 1/2 of run is at work", "one number N"]);
    let text = bench.run(["watch", "run"]).done().stdout;
    assert!(text.starts_with("run  asyt sweep: running"), "{text}");
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(bench.entries("run/shards"), ["1-of-2"], "a killed process leaves its claim");
}

#[test]
fn shards_of_a_compare_share_one_folder_and_other_settings_are_refused() {
    let bench = Bench::new();
    let words = |more: &'static str| ["compare"].into_iter().chain(TINY).chain(more.split(' '));
    bench
        .run(words("--shard 1/2 --chips 2 --method at --quiet"))
        .refused(2, &["--shard needs the folder", "--out DIR"]);
    for shard in ["0/2", "3/2", "x"] {
        let ended = bench.run(words("--chips 2 --out run --shard").chain([shard]));
        assert!(ended.code == Some(2) && ended.stderr.contains("must be K/N"), "{ended:?}");
    }
    let run = "--chips 3 --method at --epochs 2 --quiet --out run --shard";
    let first = bench.run(words(run).chain(["1/2"])).done();
    assert!(first.stderr.contains("shard 1/2 of run is done: 2 cells; 1 of other shards are open"), "{first:?}");
    assert!(first.stdout.is_empty() && !bench.path("run/compare.csv").exists());
    bench
        .run(words("--chips 3 --method at --epochs 3 --quiet --out run --shard 2/2"))
        .refused(2, &["run was begun with other settings", "choose another --out"]);
    bench.run(words("--chips 3 --method at --epochs 2 --quiet --out run")).refused(1, &["run is not empty"]);
    let last = bench.run(words(run).chain(["2/2"])).done();
    assert!(!last.stdout.is_empty() && bench.path("run/compare.csv").exists(), "{last:?}");
    // of foreign things nothing is touched
    bench.write("own/notes.txt", "mine");
    bench.run(words("--chips 3 --method at --out own --shard 1/2")).refused(1, &["own is not empty"]);
}
