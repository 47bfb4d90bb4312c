//! The font of all pictures, and how wide its texts are: layouts are measured, not guessed.

use super::canvas::Anchor;
use super::marks::Segment;
use std::sync::OnceLock;
use ttf_parser::{Face, GlyphId, OutlineBuilder};

/// What SVG files call it first; viewers without it take another one, squeezed to the measured width.
pub const FAMILY: &str = "Ubuntu";

/// Height of capitals and of digits, as a share of the size.
pub const CAPITAL: f64 = 0.69;

/// The file, of a font that may be embedded.
pub fn file() -> &'static [u8] {
    epaint_default_fonts::UBUNTU_LIGHT
}

/// The file understood.
pub fn face() -> &'static Face<'static> {
    static FACE: OnceLock<Face<'static>> = OnceLock::new();
    FACE.get_or_init(|| Face::parse(file(), 0).expect("the font is part of the program"))
}

/// Advance in units of the size. A character that the font lacks counts as a square.
fn advance(letter: char) -> f64 {
    let face = face();
    let wide = face.glyph_index(letter).and_then(|glyph| face.glyph_hor_advance(glyph));
    wide.map_or(1.0, |units| f64::from(units) / f64::from(face.units_per_em()))
}

/// Width of a text of this size.
pub fn width(text: &str, size: f64) -> f64 {
    size * text.chars().map(advance).sum::<f64>()
}

/// A letter of a text.
pub struct Glyph {
    /// What it stands for.
    pub letter: char,
    /// Its shape; that of the font for what it lacks, where it lacks it.
    pub id: GlyphId,
    /// How far right of the text's point it begins (points).
    pub x: f64,
}

/// The letters of a text of this size, side by side.
pub fn laid_out(text: &str, size: f64, anchor: Anchor) -> Vec<Glyph> {
    let mut x = match anchor {
        Anchor::Start => 0.0,
        Anchor::Middle => -0.5 * width(text, size),
        Anchor::End => -width(text, size),
    };
    let mut glyph = |letter| {
        let own = Glyph { letter, id: face().glyph_index(letter).unwrap_or_default(), x };
        x += size * advance(letter);
        own
    };
    text.chars().map(&mut glyph).collect()
}

/// The outline of a letter of this size, from the text's point.
pub fn outline(glyph: &Glyph, size: f64) -> Vec<Segment> {
    let mut outline =
        Outline { segments: Vec::new(), last: (0.0, 0.0), scale: size / f64::from(face().units_per_em()), x: glyph.x };
    face().outline_glyph(glyph.id, &mut outline);
    outline.segments
}

/// An outline in the making, from the font's units, whose y grows upwards.
struct Outline {
    segments: Vec<Segment>,
    last: (f64, f64),
    scale: f64,
    x: f64,
}

impl Outline {
    fn point(&self, x: f32, y: f32) -> (f64, f64) {
        (self.x + self.scale * f64::from(x), -self.scale * f64::from(y))
    }
}

impl OutlineBuilder for Outline {
    fn move_to(&mut self, x: f32, y: f32) {
        self.last = self.point(x, y);
        self.segments.push(Segment::Move(self.last));
    }

    fn line_to(&mut self, x: f32, y: f32) {
        self.last = self.point(x, y);
        self.segments.push(Segment::Line(self.last));
    }

    fn quad_to(&mut self, x1: f32, y1: f32, x: f32, y: f32) {
        let (by, to) = (self.point(x1, y1), self.point(x, y));
        let near = |end: (f64, f64)| ((end.0 + 2.0 * by.0) / 3.0, (end.1 + 2.0 * by.1) / 3.0);
        self.segments.push(Segment::Curve([near(self.last), near(to), to]));
        self.last = to;
    }

    fn curve_to(&mut self, x1: f32, y1: f32, x2: f32, y2: f32, x: f32, y: f32) {
        let to = self.point(x, y);
        self.segments.push(Segment::Curve([self.point(x1, y1), self.point(x2, y2), to]));
        self.last = to;
    }

    fn close(&mut self) {
        self.segments.push(Segment::Close);
    }
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
    fn letters_stand_side_by_side_and_upright() {
        let text = laid_out("mi", 10.0, Anchor::End);
        assert!(
            (text[0].x + width("mi", 10.0)).abs() < 1e-12 && (text[1].x - text[0].x - width("m", 10.0)).abs() < 1e-12
        );
        let ends = outline(&text[1], 10.0).into_iter().filter_map(|segment| match segment {
            Segment::Move(to) | Segment::Line(to) | Segment::Curve([_, _, to]) => Some(to),
            Segment::Close => None,
        });
        let (mut highest, mut lowest) = (f64::INFINITY, f64::NEG_INFINITY);
        for (x, y) in ends {
            assert!((text[1].x..=0.0).contains(&x), "{x}");
            (highest, lowest) = (highest.min(y), lowest.max(y));
        }
        assert!(highest < -6.0 && lowest.abs() < 0.2, "from {highest} to {lowest}");
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
