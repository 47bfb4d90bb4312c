//! What pictures are drawn on: points of print, from which every format is made.

use super::marks::{Fill, Mark, Picture};
use super::sheet::Sheet;
use crate::terminal::visible;

/// Red, green, blue.
pub type Colour = [u8; 3];

/// Of paper.
pub const WHITE: Colour = [255; 3];
/// Of texts and axes.
pub const INK: Colour = [26, 26, 26];
/// Of lines that help the eye.
pub const FAINT: Colour = [222, 222, 222];
/// Of what curves are compared with.
pub const GREY: Colour = [110, 110, 110];

/// Colours that remain distinct for colour-blind eyes (Okabe & Ito, 2008), on white.
pub const PALETTE: [Colour; 7] =
    [[0, 114, 178], [213, 94, 0], [0, 158, 115], [204, 121, 167], [0, 0, 0], [86, 180, 233], [230, 159, 0]];

/// Size of texts (points): the least that journals ask for is 5 to 7.
pub const SIZE: f64 = 7.5;
/// From line to line of a text.
pub const LINE: f64 = 9.6;
/// Width of curves, of axes, of lines that help the eye.
pub const CURVE: f64 = 1.1;
pub const AXIS: f64 = 0.6;
pub const HAIR: f64 = 0.5;

/// Where a text lies from its point.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Anchor {
    /// To the right of it.
    Start,
    /// On both sides.
    Middle,
    /// To the left.
    End,
}

/// How a line is drawn.
#[derive(Clone, Debug)]
pub struct Stroke {
    /// Its colour.
    pub colour: Colour,
    /// Its width.
    pub width: f64,
    /// Lengths of strokes and gaps; none for a solid line.
    pub dashes: &'static [f64],
}

impl Stroke {
    /// A solid line.
    pub fn solid(colour: Colour, width: f64) -> Self {
        Stroke { colour, width, dashes: &[] }
    }
}

/// A picture in the making.
pub struct Canvas {
    marks: Vec<Mark>,
    /// Width (points).
    pub width: f64,
}

impl Canvas {
    /// An empty one of this width.
    pub fn new(width: f64) -> Self {
        Canvas { marks: Vec::new(), width }
    }

    /// A filled rectangle from one corner to the other.
    pub fn rectangle(&mut self, [left, top, right, bottom]: [f64; 4], colour: Colour, opacity: f64) {
        let sides = [left.min(right), top.min(bottom), (right - left).abs(), (bottom - top).abs()];
        self.marks.push(Mark::Rectangle(sides, Fill { colour, opacity }));
    }

    /// A line through points; nothing where there are fewer than two.
    pub fn line(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        if points.len() > 1 {
            self.marks.push(Mark::Line { points: points.to_vec(), closed: false, stroke: stroke.clone() });
        }
    }

    /// A polygon, filled.
    pub fn polygon(&mut self, points: &[(f64, f64)], colour: Colour, opacity: f64) {
        if points.len() > 2 {
            self.marks.push(Mark::Polygon(points.to_vec(), Fill { colour, opacity }));
        }
    }

    /// The outline of a polygon, on white.
    pub fn hollow(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        self.polygon(points, WHITE, 1.0);
        self.marks.push(Mark::Line { points: points.to_vec(), closed: true, stroke: stroke.clone() });
    }

    /// A disc, or a ring on white.
    pub fn circle(&mut self, centre: (f64, f64), radius: f64, colour: Colour, filled: bool, width: f64) {
        let (fill, ring) = if filled { (colour, None) } else { (WHITE, Some((colour, width))) };
        self.marks.push(Mark::Circle { centre, radius, fill, ring });
    }

    /// Rectangles (left, top, width, height) in units of their own: where their origin lies, and how many points a unit is across and down.
    pub fn cells(&mut self, origin: (f64, f64), scale: (f64, f64), cells: Vec<(Colour, Vec<[f64; 4]>)>) {
        self.marks.push(Mark::Cells { origin, scale, cells });
    }

    /// A text that stands on its point.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, colour: Colour, text: &str) {
        self.write(at, anchor, colour, text, false);
    }

    /// A text that is written upwards.
    pub fn upwards(&mut self, at: (f64, f64), anchor: Anchor, text: &str) {
        self.write(at, anchor, INK, text, true);
    }

    fn write(&mut self, at: (f64, f64), anchor: Anchor, colour: Colour, text: &str, upwards: bool) {
        if !text.trim().is_empty() {
            let text = visible(text).into_owned();
            self.marks.push(Mark::Text { at, anchor, colour, text, upwards });
        }
    }

    /// The picture, cut at this height.
    pub fn finish(self, height: f64, sheet: Sheet) -> Picture {
        Picture { size: (self.width, height), sheet, marks: self.marks }
    }
}

/// A text as it stands in XML and HTML.
pub fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
