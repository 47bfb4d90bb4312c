//! Texts for a terminal: names and fields of files can hold characters that a terminal obeys instead of showing.

use std::borrow::Cow;

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
