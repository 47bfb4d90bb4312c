//! The methods as help and tables show them, from the methods' own facts.

use at_core::training::MethodName;

/// Columns of a terminal that help is written for.
const WIDTH: usize = 80;
/// Columns in front of what a method does.
const INDENT: usize = 19;

/// The methods with what they do, broken into lines.
pub fn help() -> String {
    let mut text = String::new();
    for facts in MethodName::ALL.map(MethodName::facts) {
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
        let row = |facts: at_core::training::methods::MethodFacts| {
            format!("| `{}` | {} | {} |\n", facts.name, facts.uses, facts.summary)
        };
        MethodName::ALL.map(MethodName::facts).map(row).concat()
    }

    #[test]
    fn help_names_every_method_and_fits_a_terminal() {
        let help = help();
        for method in MethodName::ALL {
            assert!(help.lines().any(|line| line.split_whitespace().next() == Some(method.as_str())), "{method}");
        }
        assert!(help.lines().all(|line| line.chars().count() <= WIDTH), "{help}");
        assert_eq!(help.split_whitespace().count(), {
            let words = MethodName::ALL.map(|method| 1 + method.facts().summary.split_whitespace().count());
            words.into_iter().sum::<usize>()
        });
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
