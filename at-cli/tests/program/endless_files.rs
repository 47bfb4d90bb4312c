//! What is no file of a size: devices, pipes and folders in the place of a file are named, and nobody reads them to an end.
#![cfg(target_os = "linux")]

use crate::asyt::Bench;
use std::process::Command;

#[test]
fn devices_pipes_and_folders_are_refused_wherever_a_file_is_named() {
    let bench = Bench::new();
    bench.train(&["--epochs", "1", "--method", "at", "--out", "run", "--quiet"]).done();
    let pipe = bench.path("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::fs::create_dir(bench.path("folder")).unwrap();
    let places: [(&str, &[&str]); 8] = [
        ("mesh decompose FILE --out F.npz", &[]),
        ("mesh matrix FILE --out U.npy", &[]),
        ("mesh convert FILE --to native --out F.npz", &[]),
        ("train --config FILE", &["settings file"]),
        ("compare --config FILE", &["settings file"]),
        ("compare --cost-model FILE", &[]),
        ("train --start-from FILE", &[]),
        ("train --chip mesh --network mesh:64x1 --chip-errors FILE", &[]),
    ];
    for (line, parts) in places {
        for (file, kind) in [("/dev/zero", "is a device"), ("pipe", "is a pipe"), ("folder", "is a folder")] {
            let ended = bench.run(line.replace("FILE", file).split(' '));
            let code = ended.code.filter(|code| [1, 2].contains(code)).unwrap_or_else(|| panic!("{line}: {ended:#?}"));
            ended.refused(code, &[parts, &[file, kind, "name a regular file"]].concat());
        }
    }
    for file in ["summary.json", "metrics.csv", "at.safetensors"] {
        let path = bench.path(&format!("run/{file}"));
        let kept = std::fs::read(&path).unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let ended = bench.run(["report", "run"]);
        let said = format!("{}{}", ended.stdout, ended.stderr);
        assert!(said.contains(file) && said.contains("is a pipe"), "{file}: {ended:#?}");
        std::fs::remove_file(&path).unwrap();
        std::fs::write(&path, kept).unwrap();
    }
}

#[test]
fn settings_may_come_through_a_pipe_that_is_already_open() {
    let bench = Bench::new();
    bench.write("settings.toml", "epochs = 1\nmethod = [\"at\"]\nengine = \"cpu\"\n");
    let mut command =
        bench.asyt(["train", "--config", "/dev/stdin", "--train-limit", "100", "--test-limit", "50", "--quiet"]);
    command.stdin(std::fs::File::open(bench.path("settings.toml")).unwrap());
    crate::asyt::Ended::new(command.output().unwrap()).done();
    let mut cat =
        Command::new("cat").arg(bench.path("settings.toml")).stdout(std::process::Stdio::piped()).spawn().unwrap();
    let mut command =
        bench.asyt(["train", "--config", "/dev/stdin", "--train-limit", "100", "--test-limit", "50", "--quiet"]);
    command.stdin(cat.stdout.take().unwrap());
    crate::asyt::Ended::new(command.output().unwrap()).done();
    assert!(cat.wait().unwrap().success());
}

#[test]
fn a_settings_file_longer_than_any_is_refused() {
    let bench = Bench::new();
    bench.write("long.toml", "# ".repeat(1 << 20));
    bench.run(["train", "--config", "long.toml"]).refused(2, &["long.toml", "2097152 bytes, more than the 1048576"]);
}
