//! The font of all pictures, and how wide its texts are: layouts are measured, not guessed.

use skrifa::instance::{LocationRef, Size};
use skrifa::{FontRef, MetadataProvider};

/// What SVG files call it first; viewers without it take another one, squeezed to the measured width.
pub const FAMILY: &str = "Ubuntu";

/// Height of capitals and of digits, as a share of the size.
pub const CAPITAL: f64 = 0.69;

/// The file, of a font that may be embedded.
pub fn file() -> &'static [u8] {
    epaint_default_fonts::UBUNTU_LIGHT
}

/// Width of a text of this size. A character that the font lacks counts as a square.
pub fn width(text: &str, size: f64) -> f64 {
    let Ok(font) = FontRef::new(file()) else { return size * text.chars().count() as f64 };
    let (glyphs, metrics) = (font.charmap(), font.glyph_metrics(Size::new(size as f32), LocationRef::default()));
    let wide = |letter: char| glyphs.map(letter).and_then(|glyph| metrics.advance_width(glyph)).map_or(size, f64::from);
    text.chars().map(wide).sum()
}

/// The lines of a text, broken between words so that none is wider than `most`; a word that is wider by itself stays whole.
pub fn lines(text: &str, size: f64, most: f64) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if width(&format!("{line} {word}"), size) <= most => *line += &format!(" {word}"),
            Some(_) | None => lines.push(word.to_string()),
        }
    }
    lines
}

/// A name in lines that are no wider than `most`, broken behind blanks, commas and hyphens; none where a part is wider by itself.
pub fn broken(name: &str, size: f64, most: f64) -> Option<Vec<String>> {
    let mut lines: Vec<String> = vec![String::new()];
    for part in name.split_inclusive([' ', ',', '-']) {
        let line = lines.last_mut()?;
        if line.is_empty() || width(format!("{line}{part}").trim_end(), size) <= most {
            line.push_str(part);
        } else {
            lines.push(part.to_string());
        }
    }
    let lines: Vec<String> = lines.iter().map(|line| line.trim_end().to_string()).collect();
    lines.iter().all(|line| width(line, size) <= most).then_some(lines)
}

/// The beginning of a text that is no wider than `most`, with an ellipsis where something is left out.
pub fn shortened(text: &str, size: f64, most: f64) -> String {
    if width(text, size) <= most {
        return text.to_string();
    }
    let mut short = text.to_string();
    while short.pop().is_some() {
        let shown = format!("{}…", short.trim_end());
        if width(&shown, size) <= most {
            return shown;
        }
    }
    "…".to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn widths_follow_letters_and_size() {
        assert!(width("iiii", 10.0) < 0.5 * width("mmmm", 10.0));
        assert!((width("θ = π", 20.0) - 2.0 * width("θ = π", 10.0)).abs() < 0.1);
        assert_eq!(width("", 10.0), 0.0);
        assert_eq!(width("名", 10.0), 10.0, "what the font lacks");
    }

    #[test]
    fn a_name_is_broken_behind_its_hyphens_or_not_at_all() {
        let lines = broken("matrix:in-64-64-64-64-out", 7.5, 60.0).unwrap();
        assert!(lines.len() == 2 && lines.concat() == "matrix:in-64-64-64-64-out", "{lines:?}");
        assert!(lines.iter().all(|line| width(line, 7.5) <= 60.0), "{lines:?}");
        assert_eq!(broken("short", 7.5, 60.0), Some(vec!["short".to_string()]));
        assert_eq!(broken("0.3, 0.4", 10.0, 25.0), Some(vec!["0.3,".to_string(), "0.4".to_string()]));
        assert_eq!(broken("unbreakable", 10.0, 20.0), None);
        assert_eq!(broken("", 10.0, 20.0), Some(vec![String::new()]));
    }

    #[test]
    fn long_texts_are_broken_between_words_or_cut() {
        assert_eq!(lines("short", 10.0, 100.0), ["short"]);
        let long = lines(&"word ".repeat(20), 10.0, 200.0);
        assert!(long.len() > 2 && long.iter().all(|line| width(line, 10.0) <= 200.0), "{long:?}");
        assert_eq!(lines("unbreakable", 10.0, 1.0), ["unbreakable"]);
        let cut = shortened("a name that is longer than the room", 10.0, 80.0);
        assert!(cut.starts_with("a name") && cut.ends_with('…') && width(&cut, 10.0) <= 80.0, "{cut}");
        assert_eq!(shortened("short", 10.0, 80.0), "short");
    }
}
