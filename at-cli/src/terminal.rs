//! Texts for a terminal: names and fields of files can hold characters that a terminal obeys instead of showing.

use anstyle::{AnsiColor, Style};
use std::borrow::Cow;
use std::io::Write;

/// Headings.
pub const BOLD: Style = Style::new().bold();
/// What went wrong.
pub const WRONG: Style = AnsiColor::Red.on_default().bold();
/// What makes one doubt.
pub const DOUBTFUL: Style = AnsiColor::Yellow.on_default().bold();

/// Writes a line on stderr that begins with a word like `error: `, in colour where the terminal has some and `NO_COLOR` is not set.
/// Nobody listening is no failure.
pub fn say(style: Style, word: &str, text: &str) {
    let _ = writeln!(anstream::stderr(), "{style}{word}{style:#}{}", visible(text));
}

/// Writes a table to stdout, its first line bold where the terminal can.
pub fn print_table(table: &str) -> std::io::Result<()> {
    let table = visible(table);
    let (head, rest) = table.split_once('\n').unwrap_or((table.as_ref(), ""));
    let mut out = anstream::stdout().lock();
    write!(out, "{BOLD}{head}{BOLD:#}\n{rest}")?;
    out.flush()
}

/// `text` with every control character but tabs and line feeds, and every character that turns the direction of writing, as
/// `\u{1b}`.
pub fn visible(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let shown = |character: char| match is_obeyed(character) {
        true => character.escape_unicode().collect(),
        false => String::from(character),
    };
    Cow::Owned(text.chars().map(shown).collect())
}

fn is_obeyed(character: char) -> bool {
    let turns = matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    (character.is_control() && character != '\n' && character != '\t') || turns
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_obey_is_shown() {
        assert_eq!(visible("a\u{1b}[2Jb\r\u{7f}\u{9b}1m\u{202e}"), "a\\u{1b}[2Jb\\u{d}\\u{7f}\\u{9b}1m\\u{202e}");
        for text in ["θ = π, 95 %\n\tnext", "", "名前"] {
            assert!(matches!(visible(text), Cow::Borrowed(same) if same == text));
        }
    }
}
