//! What pictures are drawn on: points of print with hundredths, as SVG, from which every other format is made.

use super::font;
use super::sheet::Sheet;
use crate::terminal::visible;
use std::fmt::Write;

/// Red, green, blue.
pub type Colour = [u8; 3];

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
    body: String,
    /// Width (points).
    pub width: f64,
}

impl Canvas {
    /// An empty one of this width.
    pub fn new(width: f64) -> Self {
        Canvas { body: String::new(), width }
    }

    /// A filled rectangle from one corner to the other.
    pub fn rectangle(&mut self, [left, top, right, bottom]: [f64; 4], fill: Colour, opacity: f64) {
        let (x, y) = (left.min(right), top.min(bottom));
        let (width, height) = ((right - left).abs(), (bottom - top).abs());
        let fill = filled(fill, opacity);
        let _ = write!(
            self.body,
            "<rect x=\"{}\" y=\"{}\" width=\"{}\" height=\"{}\"{fill}/>",
            n(x),
            n(y),
            n(width),
            n(height)
        );
    }

    /// A line through points; nothing where there are fewer than two.
    pub fn line(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        if points.len() > 1 {
            let path = path(points);
            self.outline(&path, stroke);
        }
    }

    fn outline(&mut self, path: &str, Stroke { colour, width, dashes }: &Stroke) {
        let dashes = match dashes {
            [] => String::new(),
            some => format!(" stroke-dasharray=\"{}\"", some.iter().map(|&dash| n(dash)).collect::<Vec<_>>().join(" ")),
        };
        let _ = write!(
            self.body,
            "<path d=\"{path}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}/>",
            hex(*colour),
            n(*width)
        );
    }

    /// A polygon, filled.
    pub fn polygon(&mut self, points: &[(f64, f64)], fill: Colour, opacity: f64) {
        if points.len() > 2 {
            let _ = write!(self.body, "<path d=\"{}Z\"{}/>", path(points), filled(fill, opacity));
        }
    }

    /// The outline of a polygon, on white.
    pub fn hollow(&mut self, points: &[(f64, f64)], stroke: &Stroke) {
        self.polygon(points, [255; 3], 1.0);
        self.outline(&(path(points) + "Z"), stroke);
    }

    /// A disc, or a ring on white.
    pub fn circle(&mut self, (x, y): (f64, f64), radius: f64, colour: Colour, filled: bool, width: f64) {
        let (colour, place) = (hex(colour), format!("cx=\"{}\" cy=\"{}\" r=\"{}\"", n(x), n(y), n(radius)));
        let _ = match filled {
            true => write!(self.body, "<circle {place} fill=\"{colour}\"/>"),
            false => write!(
                self.body,
                "<circle {place} fill=\"#ffffff\" stroke=\"{colour}\" stroke-width=\"{}\"/>",
                n(width)
            ),
        };
    }

    /// A path in SVG's own words, filled, within a transformation.
    pub fn cells(&mut self, transform: &str, paths: impl Iterator<Item = (Colour, String)>) {
        let _ = write!(self.body, "<g transform=\"{transform}\">");
        for (colour, path) in paths {
            let _ = write!(self.body, "<path fill=\"{}\" d=\"{path}\"/>", hex(colour));
        }
        self.body += "</g>";
    }

    /// A text that stands on its point.
    pub fn text(&mut self, at: (f64, f64), anchor: Anchor, colour: Colour, text: &str) {
        self.write(at, anchor, colour, text, false);
    }

    /// A text that is written upwards.
    pub fn upwards(&mut self, at: (f64, f64), anchor: Anchor, text: &str) {
        self.write(at, anchor, INK, text, true);
    }

    fn write(&mut self, (x, y): (f64, f64), anchor: Anchor, colour: Colour, text: &str, upwards: bool) {
        if text.trim().is_empty() {
            return;
        }
        let anchor = match anchor {
            Anchor::Start => "",
            Anchor::Middle => " text-anchor=\"middle\"",
            Anchor::End => " text-anchor=\"end\"",
        };
        let turn = if upwards { format!(" transform=\"rotate(-90 {} {})\"", n(x), n(y)) } else { String::new() };
        let colour = if colour == INK { String::new() } else { format!(" fill=\"{}\"", hex(colour)) };
        let _ = write!(
            self.body,
            "<text x=\"{}\" y=\"{}\"{anchor}{colour}{turn} textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
            n(x),
            n(y),
            n(font::width(text, SIZE)),
            escape(text)
        );
    }

    /// The picture, cut at this height.
    pub fn finish(self, height: f64, sheet: Sheet) -> String {
        let (width, body) = (self.width, self.body);
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" \
             font-family=\"{}, Helvetica, Arial, sans-serif\" font-size=\"{SIZE}\" fill=\"{}\">\
             <rect width=\"{2}\" height=\"{3}\" fill=\"#ffffff\"/>{body}</svg>\n",
            sheet.length(width),
            sheet.length(height),
            n(width),
            n(height),
            font::FAMILY,
            hex(INK)
        )
    }
}

fn filled(colour: Colour, opacity: f64) -> String {
    let opacity = if opacity < 1.0 { format!(" fill-opacity=\"{opacity}\"") } else { String::new() };
    format!(" fill=\"{}\"{opacity}", hex(colour))
}

/// `#0072b2`.
pub fn hex([red, green, blue]: Colour) -> String {
    format!("#{red:02x}{green:02x}{blue:02x}")
}

/// A hundredth of a point is finer than any print.
fn n(value: f64) -> String {
    let rounded = (100.0 * value).round() / 100.0;
    if rounded == 0.0 { "0".to_string() } else { rounded.to_string() }
}

fn path(points: &[(f64, f64)]) -> String {
    let mut path = String::new();
    for (index, &(x, y)) in points.iter().enumerate() {
        let _ = write!(path, "{}{} {}", if index == 0 { 'M' } else { 'L' }, n(x), n(y));
    }
    path
}

/// A text as it stands in XML and HTML.
pub fn escape(text: &str) -> String {
    visible(text).replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coordinates_keep_their_hundredths() {
        let mut canvas = Canvas::new(40.0);
        canvas.line(&[(0.004, 1.006), (2.5, -0.001)], &Stroke::solid(INK, 1.0));
        canvas.text((1.0, 2.0), Anchor::End, INK, "a < b\u{1b}");
        let svg = canvas.finish(20.0, Sheet::default());
        assert!(svg.contains("d=\"M0 1.01L2.5 0\"") && svg.contains("a &lt; b\\u{1b}<"), "{svg}");
        assert!(svg.starts_with("<svg") && svg.contains("viewBox=\"0 0 40 20\""));
    }
}
