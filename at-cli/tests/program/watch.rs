//! `asyt watch`: a look at runs of every kind and state, which leaves them as they are.

use crate::asyt::{Bench, Ended, TINY};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A run of two methods of minutes.
const LONG: &str = "train --network bank:in-64-out --method at,ideal --epochs 5000 --engine cpu --quiet --out run";

/// Every file below `folder`, with its content and the time of its last change.
fn everything(folder: &Path) -> BTreeMap<String, (Vec<u8>, std::time::SystemTime)> {
    let mut all = BTreeMap::new();
    for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            all.extend(everything(&path));
        } else {
            let changed = path.metadata().unwrap().modified().unwrap();
            all.insert(path.display().to_string(), (std::fs::read(&path).unwrap(), changed));
        }
    }
    all
}

/// What a look at `run` prints; the folder is as it was.
fn look(bench: &Bench, run: &str) -> String {
    let before = everything(&bench.path(run));
    let ended = bench.run(["watch", run, "--once"]).done();
    assert_eq!(everything(&bench.path(run)), before, "watching writes");
    assert_eq!(ended.stderr, "");
    assert!(ended.stdout.lines().all(|line| line.chars().count() <= 80), "{}", ended.stdout);
    ended.stdout
}

/// Waits until a file is there.
fn wait_for(path: &Path) {
    let began = Instant::now();
    while !path.exists() {
        assert!(began.elapsed() < Duration::from_secs(120), "{} is still missing", path.display());
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn kill(mut child: Child) {
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn a_run_is_told_finished_running_and_interrupted() {
    let bench = Bench::new();
    bench.train(&["--method", "at,ideal", "--epochs", "3", "--out", "whole", "--quiet"]).done();
    let text = look(&bench, "whole");
    assert!(text.starts_with("whole  asyt train: finished\n6 of 6 epochs (100 %)\n"), "{text}");
    assert!(text.contains("\nat      ") && text.contains("\nideal   ") && text.contains(" 3/3 "), "{text}");
    let summary: serde_json::Value = serde_json::from_str(&bench.read("whole/summary.json")).unwrap();
    let misfit = format!("{:.1} %", 100.0 * summary["results"][0]["misfit"].as_f64().unwrap());
    let score = format!("{:.2} %", 100.0 * summary["results"][0]["final_test_accuracy"].as_f64().unwrap());
    assert!(text.contains(&misfit) && text.contains(&score), "{misfit} {score} {text}");

    let child = bench.asyt(LONG.split(' ')).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(&bench.path("run/metrics.csv"));
    let text = bench.run(["watch", "run", "--once"]).done().stdout;
    assert!(text.starts_with("run  asyt train: running, last written ") && text.contains(" left"), "{text}");
    assert!(text.contains(" of 10000 epochs") && text.contains(" 0/5000 "), "{text}");
    kill(child);
    let text = look(&bench, "run");
    assert!(text.starts_with("run  asyt train: interrupted, last written ") && !text.contains(" left"), "{text}");
}

#[test]
fn cells_are_counted_and_what_failed_is_named() {
    let bench = Bench::new();
    let words = |more: &'static str| TINY.into_iter().chain(more.split(' '));
    bench
        .run(["compare"].into_iter().chain(words("--chips 2 --method at,ideal --epochs 3 --quiet --out compared")))
        .done();
    let text = look(&bench, "compared");
    assert!(text.starts_with("compared  asyt compare: finished\n4 of 4 cells (100 %)\n"), "{text}");
    assert!(text.lines().any(|line| line.starts_with("ideal ") && line.contains(" 2/2 ")), "{text}");
    let sweep = "--vary epochs=10,3 --chips 1 --method ideal,at --quiet --out swept";
    bench.run(["sweep"].into_iter().chain(words(sweep))).done();
    let text = look(&bench, "swept");
    let rows: Vec<&str> = text.lines().skip(4).map(|line| &line[..line.find("  ").unwrap()]).collect();
    let methods = [rows[0], rows[1]];
    assert!(
        methods.contains(&"10 at")
            && methods.contains(&"10 ideal")
            && rows[2..].iter().all(|row| row.starts_with("3 ")),
        "{text}"
    );
    // one cell as if it were still to be trained, one that failed
    let cells = bench.entries("swept/cells");
    std::fs::remove_file(bench.path(&format!("swept/cells/{}/result.json", cells[0]))).unwrap();
    std::fs::rename(
        bench.path(&format!("swept/cells/{}/result.json", cells[1])),
        bench.write(&format!("swept/cells/{}/failure.txt", cells[1]), ""),
    )
    .unwrap();
    bench.write(&format!("swept/cells/{}/failure.txt", cells[1]), "the disk is full\n");
    let text = look(&bench, "swept");
    assert!(
        text.starts_with("swept  asyt sweep: interrupted, last written ") && text.contains("3 of 4 cells"),
        "{text}"
    );
    assert!(text.contains("the disk is full"), "{text}");
}

#[test]
fn what_is_no_run_is_refused() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("empty")).unwrap();
    for folder in ["empty", "missing"] {
        bench.run(["watch", folder]).refused(2, &[folder, "is no run of asyt train, compare or sweep"]);
    }
    bench.train(&["--method", "at", "--epochs", "1", "--out", "run", "--quiet"]).done();
    bench.write("run/metrics.csv", "method,epoch\nat,one\n");
    bench.run(["watch", "run", "--once"]).refused(1, &["metrics.csv is damaged"]);
}

#[cfg(unix)]
mod terminal {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
    use std::process::Command;

    /// A pseudo terminal of 24 lines and 80 columns: what a person holds, and what a program gets.
    fn terminal() -> (File, OwnedFd) {
        let (mut person, mut program) = (0, 0);
        let mut size = libc::winsize { ws_row: 24, ws_col: 80, ws_xpixel: 0, ws_ypixel: 0 };
        // SAFETY: both numbers and the size outlive the call, and null stands for what is not wanted.
        let opened = unsafe {
            libc::openpty(&mut person, &mut program, std::ptr::null_mut(), std::ptr::null_mut(), &raw mut size)
        };
        assert_eq!(opened, 0);
        // SAFETY: both were just opened and are nobody else's.
        unsafe { (File::from_raw_fd(person), OwnedFd::from_raw_fd(program)) }
    }

    /// How the terminal handles lines, echo and signals.
    fn modes(terminal: &File) -> [libc::tcflag_t; 4] {
        // SAFETY: zeros are a valid value of a structure of numbers, which the call fills.
        let mut modes: libc::termios = unsafe { std::mem::zeroed() };
        // SAFETY: the file is open, and the structure outlives the call.
        assert_eq!(unsafe { libc::tcgetattr(terminal.as_raw_fd(), &mut modes) }, 0);
        [modes.c_iflag, modes.c_oflag, modes.c_cflag, modes.c_lflag]
    }

    /// Watches `run` until `end` ends it; gives what came to the terminal.
    fn watched(bench: &Bench, run: &str, end: impl Fn(&mut File, u32)) -> String {
        let (mut person, program) = terminal();
        let before = modes(&person);
        let own = || Stdio::from(program.try_clone().unwrap());
        let mut command: Command = bench.asyt(["watch", run]);
        command.env("TERM", "xterm-256color").stdin(own()).stdout(own()).stderr(own());
        let mut child = command.spawn().unwrap();
        drop(command);
        let mut seen = Vec::new();
        let mut read = |person: &mut File, until: &str| {
            let mut part = [0; 4096];
            while until.is_empty() || !String::from_utf8_lossy(&seen).contains(until) {
                match person.read(&mut part) {
                    Ok(0) | Err(_) => return, // the program has let go of it
                    Ok(count) => seen.extend(&part[..count]),
                }
            }
        };
        read(&mut person, "ends"); // a cell that stays blank is not drawn, so that words come one by one
        assert_ne!(modes(&person), before, "keys come one by one");
        end(&mut person, child.id());
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert_eq!(modes(&person), before, "the terminal is left as it was");
        drop(program);
        read(&mut person, "");
        String::from_utf8(seen).unwrap()
    }

    #[test]
    fn q_control_c_and_a_signal_leave_the_terminal_clean() {
        let bench = Bench::new();
        bench.train(&["--method", "at,ideal", "--epochs", "3", "--out", "run", "--quiet"]).done();
        let before = everything(&bench.path("run"));
        type End<'a> = &'a dyn Fn(&mut File, u32);
        let ends: [End; 3] = [
            &|person, _| person.write_all(b"q").unwrap(),
            &|person, _| person.write_all(b"\x03").unwrap(),
            &|_, process| {
                assert!(Command::new("sh").args(["-c", &format!("kill -TERM {process}")]).status().unwrap().success());
            },
        ];
        for end in ends {
            let seen = watched(&bench, "run", end);
            let (enter, leave) = (seen.find("\u{1b}[?1049h").unwrap(), seen.rfind("\u{1b}[?1049l").unwrap());
            assert!(enter < leave && seen[leave..].ends_with("\u{1b}[?25h"), "{:?}", &seen[leave..]);
            assert!(seen.contains("train:") && seen.contains("finished"), "{seen}");
        }
        assert_eq!(everything(&bench.path("run")), before);
    }
}

#[test]
fn a_run_that_is_watched_can_be_resumed_meanwhile() {
    let bench = Bench::new();
    bench.train(&["--method", "at", "--epochs", "2", "--out", "run", "--quiet"]).done();
    let looks = std::thread::scope(|scope| {
        let resumed =
            scope.spawn(|| (0..3).map(|_| bench.run(["train", "--resume", "run", "--quiet"])).collect::<Vec<Ended>>());
        let mut looks = 0;
        while !resumed.is_finished() {
            bench.run(["watch", "run", "--once"]).done();
            looks += 1;
        }
        resumed.join().unwrap().into_iter().for_each(|ended| drop(ended.done()));
        looks
    });
    assert!(looks > 0);
}
