//! How these tests start the program: in a folder of their own, without the cache of whoever runs them.

use assert_cmd::Command;
use std::path::{Path, PathBuf};
use std::process::Output;
use tempfile::TempDir;

/// A run of milliseconds: add these to `train`.
pub const TINY: [&str; 8] =
    ["--train-limit", "100", "--test-limit", "50", "--network", "bank:in-out", "--batch-size", "20"];

/// A folder to work in, removed at the end.
pub struct Bench {
    folder: TempDir,
}

impl Bench {
    /// An empty folder.
    pub fn new() -> Self {
        Bench { folder: tempfile::tempdir().unwrap() }
    }

    /// A path in the folder.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file, with the folders above it; gives its path as text.
    pub fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_string()
    }

    /// Reads a text file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
    }

    /// Names in `folder`, sorted; files for the program's own use begin with a dot and are left out.
    pub fn entries(&self, folder: &str) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.path(folder)) else { return Vec::new() };
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.starts_with('.') || name.ends_with(".part"));
        names.sort();
        names
    }

    /// A command that runs in the folder and finds no cache.
    pub fn command(&self, program: impl AsRef<Path>) -> std::process::Command {
        let mut command = std::process::Command::new(program.as_ref());
        command.current_dir(self.folder.path()).env("HOME", self.folder.path()).env_remove("XDG_CACHE_HOME");
        command
    }

    /// The program with these arguments, not started yet.
    pub fn asyt<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> std::process::Command {
        let mut command = self.command(assert_cmd::cargo::cargo_bin!("asyt"));
        command.args(arguments);
        command
    }

    /// Runs the program to its end.
    pub fn run<'a>(&self, arguments: impl IntoIterator<Item = &'a str>) -> Ended {
        Ended::new(Command::from_std(self.asyt(arguments)).output().unwrap())
    }

    /// Runs `asyt train` with the arguments of [`TINY`] and these.
    pub fn train(&self, arguments: &[&str]) -> Ended {
        self.run(["train"].iter().chain(&TINY).chain(arguments).copied())
    }
}

/// What a program left on its outputs.
#[derive(Debug)]
pub struct Ended {
    /// Exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ended {
    /// The output of a program whose texts are UTF-8.
    pub fn new(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ended { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// It did what it was asked.
    #[track_caller]
    pub fn done(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// What it said on stderr besides its notes, which are said with `--quiet` too.
    pub fn beside_notes(&self) -> String {
        self.stderr.split_inclusive('\n').filter(|line| !line.starts_with("note: ")).collect()
    }

    /// It ended with `code`, nothing on stdout and, besides notes and what a slow machine makes it say that it is doing (`… …`), one
    /// line on stderr that says `error: …` with all of `parts`.
    #[track_caller]
    pub fn refused(self, code: i32, parts: &[&str]) {
        assert_eq!((self.code, self.stdout.as_str()), (Some(code), ""), "{self:#?}");
        let said = self.beside_notes();
        let said: String = said.split_inclusive('\n').filter(|line| !line.ends_with(" …\n")).collect();
        let error = said.strip_suffix('\n').and_then(|line| line.strip_prefix("error: ")).unwrap_or_default();
        assert!(!error.is_empty() && error.lines().count() == 1, "not one line with an error: {self:#?}");
        let parts_said: Vec<_> = error.split(": ").collect();
        assert!(parts_said.windows(2).all(|pair| pair[0] != pair[1]), "said twice: {error}");
        assert!(parts.iter().all(|part| error.contains(part)), "not about {parts:?}: {error}");
    }
}
