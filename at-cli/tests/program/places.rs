//! Run folders that cannot be had, are taken, or were damaged.

use crate::asyt::Bench;

#[test]
fn folders_that_cannot_be_written_are_named() {
    let bench = Bench::new();
    let file = bench.write("file", "kept");
    bench.train(&["--out", &file, "--quiet"]).refused(1, &["file", "--out"]);
    bench.train(&["--out", &format!("{file}/run"), "--quiet"]).refused(1, &["file", "--out"]);
    assert_eq!(bench.read("file"), "kept");
    #[cfg(target_os = "linux")]
    bench.train(&["--out", "/proc/asyt", "--quiet"]).refused(1, &["/proc/asyt", "--out"]);
}

#[cfg(unix)]
#[test]
fn a_folder_without_write_permission_is_named() {
    use std::os::unix::fs::PermissionsExt;
    let bench = Bench::new();
    let locked = bench.path("locked");
    std::fs::create_dir(&locked).unwrap();
    std::fs::set_permissions(&locked, std::fs::Permissions::from_mode(0o555)).unwrap();
    if std::fs::write(locked.join("probe"), "").is_ok() {
        eprintln!("skipped: this user may write everywhere");
        return;
    }
    bench.train(&["--out", "locked", "--quiet"]).refused(1, &["locked", "Permission denied", "--out"]);
    bench.train(&["--out", "locked/run", "--quiet"]).refused(1, &["locked/run", "Permission denied", "--out"]);
}

#[test]
fn results_are_never_overwritten() {
    let bench = Bench::new();
    bench.write("mine/thesis.txt", "years of work");
    bench.train(&["--out", "mine", "--quiet"]).refused(1, &["not empty", "--out"]);
    assert_eq!(bench.entries("mine"), ["thesis.txt"]);
    for number in 1..=2 {
        bench.train(&["--epochs", "1", "--quiet"]).done();
        assert!(bench.path(&format!("runs/digits-{number}/summary.json")).exists());
    }
    // a process that was killed before it wrote anything left these
    bench.write("new/.lock", "");
    bench.write("new/.asyt-abc.part", "half a fi");
    bench.train(&["--epochs", "1", "--out", "new", "--quiet"]).done();
    assert!(!bench.path("new/.asyt-abc.part").exists());
}

#[test]
fn a_damaged_checkpoint_is_refused_and_stays_as_it_is() {
    let bench = Bench::new();
    bench.train(&["--epochs", "2", "--method", "ideal", "--out", "mine", "--quiet"]).done();
    let path = bench.path("mine/ideal.safetensors");
    let good = std::fs::read(&path).unwrap();
    let mut flipped = good.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let foreign = b"{\"no\": \"checkpoint\"}".to_vec();
    for damaged in [good[..good.len() / 2].to_vec(), Vec::new(), flipped, foreign] {
        std::fs::write(&path, &damaged).unwrap();
        bench.run(["train", "--resume", "mine", "--quiet"]).refused(1, &["ideal.safetensors", "checkpoint"]);
        assert_eq!(std::fs::read(&path).unwrap(), damaged);
    }
    std::fs::write(&path, &good).unwrap();
    bench.run(["train", "--resume", "mine", "--quiet"]).done();
}

#[test]
fn a_run_whose_settings_were_changed_or_damaged_is_not_resumed() {
    let bench = Bench::new();
    bench.train(&["--epochs", "2", "--method", "ideal", "--out", "mine", "--quiet"]).done();
    let config = bench.read("mine/config.toml");
    bench.write("mine/config.toml", config.replace("seed = 1", "seed = 2"));
    bench.run(["train", "--resume", "mine", "--quiet"]).refused(1, &["ideal.safetensors", "other settings"]);
    bench.write("mine/config.toml", &config[..config.len() / 2 + 3]);
    let cut = bench.run(["train", "--resume", "mine", "--quiet"]);
    assert!(matches!(cut.code, Some(1 | 2)) && cut.stderr.lines().count() == 1, "{cut:?}");
    bench.write("mine/config.toml", &config);
    bench.write("mine/metrics.csv", "method,epoch\nideal,one\n");
    bench.run(["train", "--resume", "mine", "--quiet"]).refused(1, &["metrics.csv", "damaged", "delete"]);
    let others = ["train", "--resume", "mine", "--epochs", "9"];
    bench.run(others).refused(2, &["own settings", "--config"]);
    bench.run(["train", "--resume", "mine", "--out", "other"]).refused(2, &["--out"]);
}

#[test]
fn a_run_starts_from_the_controls_of_another() {
    let bench = Bench::new();
    let run = |flags: &[&str]| bench.train(&[&["--method", "ideal", "--quiet"], flags].concat());
    let accuracy = |folder: &str| {
        let summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{folder}/summary.json"))).unwrap();
        summary["results"][0]["final_test_accuracy"].as_f64().unwrap()
    };
    run(&["--epochs", "30", "--out", "first"]).done();
    let still = ["--epochs", "1", "--learning-rate", "1e-12", "--seed", "5"];
    run(&[&still[..], &["--start-from", "first/ideal.safetensors", "--out", "second"]].concat()).done();
    run(&[&still[..], &["--out", "third"]].concat()).done();
    assert_eq!(accuracy("second"), accuracy("first"));
    assert!(accuracy("third") < accuracy("first") - 0.2, "{} from random controls", accuracy("third"));
    run(&["--start-from", "none.safetensors"]).refused(1, &["none.safetensors"]);
    run(&["--start-from", "first/summary.json"]).refused(1, &["summary.json", "RUN/METHOD.safetensors"]);
    diverged(&bench, "first/ideal.safetensors", "nan.safetensors");
    run(&["--start-from", "nan.safetensors"]).refused(1, &["nan.safetensors", "entry 0 is NaN", "choose a checkpoint"]);
    let other = ["train", "--network", "bank:in-8-out", "--quiet", "--start-from", "first/ideal.safetensors"];
    bench.run(other).refused(1, &["ideal.safetensors", "holds controls of bank:64-10", "--start-from-other-network"]);
    let asked = [&other[..], &["--start-from-other-network"]].concat();
    bench.run(asked).refused(1, &["ideal.safetensors", "controls, the network has"]);
}

/// Writes the checkpoint `from` as it were had its run left the finite numbers.
fn diverged(bench: &Bench, from: &str, to: &str) {
    use at_core::training::Checkpoint;
    // a safetensors file: eight bytes of length, then JSON
    let file = std::fs::read(bench.path(from)).unwrap();
    let length = u64::from_le_bytes(file[..8].try_into().unwrap()) as usize;
    let head: serde_json::Value = serde_json::from_slice(&file[8..8 + length]).unwrap();
    let own: serde_json::Value =
        serde_json::from_str(head["__metadata__"]["asyt-checkpoint"].as_str().unwrap()).unwrap();
    let mut checkpoint = Checkpoint::load(&bench.path(from), own["fingerprint"].as_str().unwrap()).unwrap();
    checkpoint.parameters[0].values[0] = f64::NAN;
    checkpoint.save(&bench.path(to)).unwrap();
}
