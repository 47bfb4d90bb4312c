//! What lies in a run folder and is no file of the run: links, pipes, files of others. None is followed, waited for or emptied.

use crate::asyt::{Bench, TINY};

#[cfg(unix)]
use std::os::unix::fs::symlink;

/// A finished run in the folder `run`, and in `notes` what must not be lost.
#[cfg(unix)]
fn finished() -> Bench {
    let bench = Bench::new();
    bench.train(&["--method", "ideal", "--epochs", "2", "--out", "run", "--quiet"]).done();
    bench.write("notes", "years of work");
    bench
}

#[cfg(unix)]
fn pipe(bench: &Bench, name: &str) {
    assert!(bench.command("mkfifo").arg(bench.path(name)).status().unwrap().success());
}

#[cfg(unix)]
#[test]
fn a_lock_that_is_a_link_does_not_empty_its_target() {
    let bench = finished();
    std::fs::create_dir(bench.path("new")).unwrap();
    for run in ["new", "run"] {
        let lock = bench.path(run).join(".lock");
        let _ = std::fs::remove_file(&lock);
        symlink(bench.path("notes"), lock).unwrap();
    }
    bench.train(&["--out", "new", "--quiet"]).refused(1, &["new/.lock", "is a link", "remove it"]);
    bench.run(["train", "--resume", "run", "--quiet"]).refused(1, &["run/.lock", "is a link"]);
    assert_eq!(bench.read("notes"), "years of work");
}

#[cfg(unix)]
#[test]
fn a_pipe_in_a_run_folder_is_not_waited_for() {
    for file in [".lock", "ideal.safetensors", "metrics.csv", "config.toml"] {
        let bench = finished();
        std::fs::remove_file(bench.path("run").join(file)).unwrap();
        pipe(&bench, &format!("run/{file}"));
        let ended = bench.run(["train", "--resume", "run", "--quiet"]);
        assert!(matches!(ended.code, Some(1 | 2)) && ended.stderr.contains(file), "{file}: {ended:#?}");
    }
    let bench = finished();
    std::fs::remove_file(bench.path("run/summary.json")).unwrap();
    pipe(&bench, "run/summary.json");
    bench.run(["report", "run", "--quiet"]).refused(1, &["summary.json", "is a pipe"]);
}

#[cfg(unix)]
#[test]
fn results_are_made_anew_where_links_lie() {
    let bench = finished();
    let files = ["summary.json", "accuracy.svg", "report.html"];
    for file in files {
        let _ = std::fs::remove_file(bench.path("run").join(file));
        symlink(bench.path("notes"), bench.path("run").join(file)).unwrap();
    }
    bench.run(["train", "--resume", "run", "--quiet"]).done();
    bench.run(["report", "run", "--quiet"]).done();
    assert_eq!(bench.read("notes"), "years of work");
    assert!(files.iter().all(|file| !bench.path("run").join(file).is_symlink()));
}

#[cfg(unix)]
#[test]
fn state_that_is_a_link_is_not_read() {
    let bench = finished();
    for file in ["ideal.safetensors", "metrics.csv"] {
        let path = bench.path("run").join(file);
        let elsewhere = bench.path(&format!("elsewhere-{file}"));
        std::fs::rename(&path, &elsewhere).unwrap();
        symlink(&elsewhere, &path).unwrap();
        bench.run(["train", "--resume", "run", "--quiet"]).refused(1, &[file, "is a link"]);
        std::fs::remove_file(&path).unwrap();
        std::fs::rename(&elsewhere, &path).unwrap();
    }
    bench.run(["train", "--resume", "run", "--quiet"]).done();
}

#[cfg(unix)]
#[test]
fn cells_and_pictures_that_are_links_are_not_written_into() {
    let bench = finished();
    std::fs::create_dir(bench.path("elsewhere")).unwrap();
    symlink(bench.path("elsewhere"), bench.path("run/report")).unwrap();
    bench.run(["report", "run", "--quiet"]).refused(1, &["run/report", "is a link"]);
    let compare = ["compare", "--chips", "1", "--method", "ideal", "--epochs", "1", "--quiet", "--out", "compared"];
    bench.run(compare.into_iter().chain(TINY)).done();
    std::fs::remove_dir_all(bench.path("compared/cells")).unwrap();
    symlink(bench.path("elsewhere"), bench.path("compared/cells")).unwrap();
    bench.run(["compare", "--resume", "compared", "--quiet"]).refused(1, &["compared/cells", "is a link"]);
    assert_eq!(bench.entries("elsewhere"), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_run_folder_may_itself_be_a_link() {
    let bench = Bench::new();
    std::fs::create_dir(bench.path("disk")).unwrap();
    symlink(bench.path("disk"), bench.path("run")).unwrap();
    bench.train(&["--method", "ideal", "--epochs", "1", "--out", "run", "--quiet"]).done();
    assert!(bench.path("disk/summary.json").exists() && bench.path("run").is_symlink());
    bench.run(["train", "--resume", "run", "--quiet"]).done();
}

#[cfg(unix)]
#[test]
fn a_private_result_stays_private() {
    use std::os::unix::fs::PermissionsExt;
    let bench = finished();
    let mode = |file: &str| bench.path(file).metadata().unwrap().permissions().mode() & 0o777;
    let files = ["run/summary.json", "run/metrics.csv", "run/ideal.safetensors"];
    for file in files {
        std::fs::set_permissions(bench.path(file), std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    bench.run(["train", "--resume", "run", "--quiet"]).done();
    files.iter().for_each(|file| assert_eq!(mode(file), 0o600, "{file}"));
}

#[test]
fn a_settings_file_that_is_another_file_is_not_shown() {
    let bench = Bench::new();
    for secret in ["root:x:hunter2:0:0", "-----BEGIN PRIVATE KEY hunter2-----", "[core]\nhunter2", "a = hunter2\n"] {
        let file = bench.write("other", secret);
        for command in ["train", "compare", "sweep"] {
            let vary: &[&str] = if command == "sweep" { &["--vary", "seed=1,2"] } else { &[] };
            let ended = bench.run([command, "--quiet", "--config", &file].iter().chain(vary).copied());
            assert_eq!(ended.code, Some(2), "{secret}: {ended:#?}");
            assert!(ended.stderr.contains("line ") && !ended.stderr.contains("hunter2"), "{secret}: {ended:#?}");
        }
        bench.run(["compare", "--quiet", "--cost-model", &file]).refused(2, &["other", "line "]);
        assert!(!bench.run(["compare", "--quiet", "--cost-model", &file]).stderr.contains("hunter2"));
    }
}

#[test]
fn a_comparison_stopped_at_its_first_breath_goes_on() {
    let bench = Bench::new();
    let compare = |out: &str| {
        let flags = ["compare", "--chips", "1", "--method", "ideal", "--epochs", "1", "--quiet", "--out", out];
        bench.run(flags.into_iter().chain(TINY).map(String::from).collect::<Vec<_>>().iter().map(String::as_str))
    };
    compare("whole").done();
    let table = |run: &str| {
        let text = bench.read(&format!("{run}/epochs.csv"));
        assert!(text.lines().count() > 1);
        text
    };
    // the request stands and nothing else
    let request = bench.read("whole/request.json");
    bench.write("request-only/request.json", &request);
    bench.run(["train", "--resume", "request-only"]).refused(2, &["begun by asyt compare"]);
    bench.run(["compare", "--resume", "request-only", "--quiet"]).done();
    assert_eq!(table("request-only"), table("whole"));
    assert_eq!(bench.read("request-only/config.toml"), bench.read("whole/config.toml"));
    // the folder and its lock stand
    bench.write("lock-only/.lock", "");
    bench.run(["compare", "--resume", "lock-only", "--quiet"]).refused(2, &["request.json", "--out"]);
    compare("lock-only").done();
    assert_eq!(table("lock-only"), table("whole"));
    // a folder of an earlier version, whose request lacks the settings
    let mut earlier: serde_json::Value = serde_json::from_str(&request).unwrap();
    assert!(earlier.as_object_mut().unwrap().remove("config").is_some());
    bench.write("earlier/request.json", earlier.to_string());
    bench.run(["compare", "--resume", "earlier", "--quiet"]).refused(1, &["lost its config.toml"]);
    bench.write("earlier/config.toml", bench.read("whole/config.toml"));
    bench.run(["compare", "--resume", "earlier", "--quiet"]).done();
    assert_eq!(table("earlier"), table("whole"));
}
