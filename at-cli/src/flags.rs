//! The settings that the libraries name, and the flags that set them here.

/// Settings that texts of at-core and at-gpu may name in backquotes; the flag of each has its name.
const SETTINGS: [&str; 24] = [
    "adc-bits",
    "adc-range",
    "amplified",
    "chip-of-other-network",
    "convention",
    "data-dir",
    "data-memory",
    "dataset",
    "embed",
    "encoding",
    "engine",
    "epochs",
    "label-column",
    "learning-rate",
    "loss-gain",
    "loss-normalization",
    "measuring-steps",
    "network",
    "scale",
    "seed",
    "split",
    "svd",
    "target-columns",
    "variable",
];

/// What a library says, for somebody who sets flags: where it names a setting, as `learning-rate`, stands the flag --learning-rate.
pub fn named(text: &str) -> String {
    let mut parts = text.split('`');
    let mut said = parts.next().unwrap_or_default().to_string();
    let mut closed = true; // whether the last backquote has been said or replaced, so that the next one opens
    let mut parts = parts.peekable();
    while let Some(part) = parts.next() {
        if closed && parts.peek().is_some() && SETTINGS.contains(&part) {
            said += "--";
            said += part;
            said += parts.next().unwrap_or_default();
        } else {
            said.push('`');
            said += part;
            closed = !closed;
        }
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::CommandFactory;
    use std::collections::BTreeSet;
    use std::path::{Path, PathBuf};

    #[test]
    fn settings_become_flags_and_all_else_stays() {
        let error = at_core::Error::invalid("x", 1, "lower `learning-rate`, or choose another `network`");
        assert_eq!(named(&error.to_string()), "x = 1 is not valid: lower --learning-rate, or choose another --network");
        for text in ["", "`", "`seed", "seed`", "`copy` asks", "the `column`seed`", "no `such` thing", "``seed"] {
            assert_eq!(named(text), text);
        }
        assert_eq!(named("`seed`"), "--seed");
        assert_eq!(named("`copy``seed`"), "`copy`--seed");
    }

    #[test]
    fn every_setting_is_a_flag() {
        fn flags(command: &clap::Command, found: &mut BTreeSet<String>) {
            found.extend(command.get_arguments().filter_map(|argument| argument.get_long().map(String::from)));
            command.get_subcommands().for_each(|command| flags(command, found));
        }
        let mut found = BTreeSet::new();
        flags(&crate::args::Arguments::command(), &mut found);
        for setting in SETTINGS {
            assert!(found.contains(setting), "--{setting}");
        }
    }

    /// Lines of code, without those of comments.
    fn lines(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                lines(&path, found);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                let code = text.lines().filter(|line| !line.trim_start().starts_with("//"));
                found
                    .extend(code.map(|line| (path.clone(), line.split(" // ").next().unwrap_or_default().to_string())));
            }
        }
    }

    #[test]
    fn the_libraries_name_no_flag_and_no_setting_that_is_unknown_here() {
        let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let mut found = Vec::new();
        for library in ["at-core/src", "at-gpu/src"].map(|library| workspace.join(library)) {
            if library.is_dir() {
                lines(&library, &mut found); // a package stands alone and has none beside it
            }
        }
        for (path, line) in found {
            let flag =
                line.match_indices("--").any(|(at, _)| line[at + 2..].starts_with(|c: char| c.is_ascii_lowercase()));
            assert!(!flag, "{}: a flag of this program in {line}", path.display());
            for (opening, word) in line.split('`').enumerate().skip(1).step_by(2) {
                let whole = line.split('`').count() > opening + 1;
                let setting = word.contains('-') && word.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
                assert!(!whole || !setting || SETTINGS.contains(&word), "{}: `{word}` is no setting", path.display());
            }
        }
    }
}
