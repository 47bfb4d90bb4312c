//! `--log-dir`: which event files a run leaves. What is in them is read by TensorBoard in `at-py/tests/test_events.py`.

use crate::asyt::{Bench, TINY};

#[test]
fn methods_chips_and_cells_have_folders_of_their_own_and_a_run_that_goes_on_adds_what_is_missing() {
    let bench = Bench::new();
    let train = ["--method", "at,ideal", "--epochs", "2", "--share-model", "2", "--log-dir", "logs", "--quiet"];
    bench.train(&[&train[..], &["--out", "runs/shared"]].concat()).done();
    assert_eq!(bench.entries("logs/shared"), ["at-chip-1", "at-chip-2", "ideal-chip-1"]);
    let size = |name: &str| std::fs::metadata(bench.path(name)).unwrap().len();
    let files = |folder: &str| {
        let names = bench.entries(folder).into_iter();
        names.map(|name| (size(&format!("{folder}/{name}")), name)).collect::<Vec<_>>()
    };
    let before = files("logs/shared/at-chip-2");
    assert_eq!(before.len(), 1);
    assert!(before[0].1.starts_with("events.out.tfevents."), "{before:?}");
    // all is done, and nothing is written twice
    bench.run(["train", "--resume", "runs/shared", "--log-dir", "logs", "--quiet"]).done();
    assert_eq!(files("logs/shared/at-chip-2"), before);
    // a run that has logged nothing writes all of it later
    bench.train(&["--method", "at", "--epochs", "2", "--out", "runs/late", "--quiet"]).done();
    bench.run(["train", "--resume", "runs/late", "--log-dir", "logs", "--quiet"]).done();
    assert_eq!(files("logs/late/at-chip-1").len(), 1);
    // cells
    let sweep = "--vary epochs=1,2 --chips 2 --method at --quiet --out runs/swept --log-dir logs";
    bench.run(["sweep"].into_iter().chain(TINY).chain(sweep.split(' '))).done();
    assert_eq!(bench.entries("logs/swept"), bench.entries("runs/swept/cells"));
    assert!(bench.entries("logs/swept").iter().all(|cell| files(&format!("logs/swept/{cell}")).len() == 1));
}

#[test]
fn the_events_of_another_run_are_not_mixed_with() {
    let bench = Bench::new();
    let run = |out: &str, more: &[&str]| {
        bench
            .train(&[&["--method", "at", "--epochs", "2", "--quiet", "--out", out, "--log-dir", "logs"], more].concat())
    };
    run("one/run", &[]).done();
    run("two/run", &[]).refused(2, &["logs/run holds the events of another run", "--log-dir"]);
    assert!(bench.entries("two/run").is_empty(), "it has not begun");
    bench.train(&["--method", "at", "--epochs", "2", "--seed", "9", "--quiet", "--out", "three/run"]).done();
    let resume = ["train", "--resume", "three/run", "--log-dir", "logs", "--quiet"];
    bench.run(resume).refused(1, &["logs/run/at-chip-1 holds the events of another run", "--log-dir"]);
    bench.write("file", "");
    let ended = bench.train(&["--method", "at", "--epochs", "2", "--quiet", "--out", "five", "--log-dir", "file"]);
    assert!(ended.code == Some(1) && ended.stderr.contains("--log-dir") && ended.stderr.contains("file"), "{ended:?}");
}
