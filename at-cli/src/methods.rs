//! The methods that the program has: those of the library's registry, with all that help, tables and flags say of them.

use crate::names;
use anyhow::{Result, anyhow};
use at_core::training::MethodName;
use at_core::training::methods::{MethodFacts, MethodOption, registry};

/// Columns of a terminal that help is written for.
const WIDTH: usize = 80;
/// Columns in front of what a method does.
const INDENT: usize = 19;

/// The method that a person calls by this name.
pub fn find(text: &str) -> Result<MethodName> {
    let names = registry::FACTS.map(|facts| facts.name);
    let found = names.into_iter().find(|name| name.as_str() == text);
    found.ok_or_else(|| anyhow!(names::unknown("method", text, names.iter().map(MethodName::as_str))))
}

/// Errs where a file names a method that the program has not, of another version or an edited one.
pub fn known(name: MethodName) -> Result<(), String> {
    find(name.as_str()).map(drop).map_err(|error| error.to_string())
}

/// What there is to say of a method that was named by a person or read from a file.
pub fn facts(name: MethodName) -> &'static MethodFacts {
    name.facts().expect("a name is looked up where it is read")
}

/// The options of all methods, each once, with the methods that have it.
pub fn options() -> Vec<(MethodOption, Vec<MethodName>)> {
    let mut all: Vec<(MethodOption, Vec<MethodName>)> = Vec::new();
    for facts in registry::FACTS {
        for option in facts.options {
            match all.iter_mut().find(|(known, _)| known.name == option.name) {
                Some((_, methods)) => methods.push(facts.name),
                None => all.push((*option, vec![facts.name])),
            }
        }
    }
    all
}

/// What a flag of `option` says, as `spsa and zeroth-order: random directions per step`.
pub fn option_help(option: &MethodOption, methods: &[MethodName]) -> String {
    let methods: Vec<&str> = methods.iter().map(MethodName::as_str).collect();
    format!("{}: {}", methods.join(" and "), option.help)
}

/// The methods with what they do, broken into lines.
pub fn help() -> String {
    let mut text = String::new();
    for facts in registry::FACTS {
        let mut line = format!("  {:<1$}", facts.name, INDENT - 3);
        for word in facts.summary.split_whitespace() {
            if line.chars().count() + 1 + word.chars().count() > WIDTH {
                text += &format!("{line}\n");
                line = " ".repeat(INDENT - 1);
            }
            line += &format!(" {word}");
        }
        text += &format!("{line}\n");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The rows of README's table.
    fn table() -> String {
        let row = |facts: &MethodFacts| format!("| `{}` | {} | {} |\n", facts.name, facts.uses, facts.summary);
        registry::FACTS.map(row).concat()
    }

    #[test]
    fn help_names_every_method_and_fits_a_terminal() {
        let help = help();
        for method in MethodName::ALL {
            assert!(help.lines().any(|line| line.split_whitespace().next() == Some(method.as_str())), "{method}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
        assert_eq!(help.split_whitespace().count(), {
            let words = registry::FACTS.map(|facts| 1 + facts.summary.split_whitespace().count());
            words.into_iter().sum::<usize>()
        });
    }

    #[test]
    fn every_option_of_a_method_is_a_flag_that_says_what_the_method_says() {
        let command = crate::args::command();
        for name in ["train", "compare", "sweep"] {
            let command = command.find_subcommand(name).unwrap();
            for (option, methods) in options() {
                let flag = command.get_arguments().find(|flag| flag.get_long() == Some(option.name)).unwrap();
                let help = flag.get_help().unwrap().to_string();
                assert_eq!(help, option_help(&option, &methods), "{name}");
                let range = option.range.demand();
                let words = range.strip_prefix("choose ").into_iter().flat_map(|words| words.split(" or "));
                words.for_each(|word| assert!(help.contains(word), "{help}: {word} is missing"));
            }
        }
    }

    #[test]
    fn a_method_that_the_program_has_not_is_no_method_of_a_file() {
        let error = known(MethodName::new("at-adaptiv")).unwrap_err();
        assert!(error.contains("at-adaptiv") && error.contains("at-adaptive?"), "{error}");
        assert_eq!(known(MethodName::Dat), Ok(()));
    }

    #[test]
    fn the_readme_says_of_every_method_what_it_says_of_itself() {
        let readme = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../README.md");
        let Ok(readme) = std::fs::read_to_string(readme) else {
            return eprintln!("skipped: the README lies outside this package");
        };
        assert!(readme.contains(&table()), "README.md, Methods: the rows of the table should be\n{}", table());
    }
}
