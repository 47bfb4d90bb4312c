//! Pictures as SVG files, for editors and pages.

use super::canvas::{Anchor, Colour, INK, SIZE, Stroke, escape};
use super::font;
use super::marks::{Fill, Mark, Picture};
use std::fmt::Write;

impl Picture {
    /// The picture as an SVG file.
    pub fn svg(&self) -> String {
        let (width, height) = self.size;
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{}\" height=\"{}\" viewBox=\"0 0 {} {}\" \
             font-family=\"{}, Helvetica, Arial, sans-serif\" font-size=\"{SIZE}\" fill=\"{}\">\
             <rect width=\"{2}\" height=\"{3}\" fill=\"#ffffff\"/>",
            self.sheet.length(width),
            self.sheet.length(height),
            n(width),
            n(height),
            font::FAMILY,
            hex(INK)
        );
        self.marks.iter().for_each(|mark| write(&mut svg, mark));
        svg += "</svg>\n";
        svg
    }
}

fn write(svg: &mut String, mark: &Mark) {
    let _ = match mark {
        Mark::Rectangle([left, top, width, height], fill) => {
            let [x, y, width, height] = [left, top, width, height].map(|side| n(*side));
            write!(svg, "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\"{}/>", filled(*fill))
        }
        Mark::Polygon(points, fill) => write!(svg, "<path d=\"{}Z\"{}/>", path(points), filled(*fill)),
        Mark::Line { points, closed, stroke: Stroke { colour, width, dashes } } => {
            let end = if *closed { "Z" } else { "" };
            let dashes = match dashes {
                [] => String::new(),
                some => {
                    let lengths: Vec<String> = some.iter().map(|&dash| n(dash)).collect();
                    format!(" stroke-dasharray=\"{}\"", lengths.join(" "))
                }
            };
            write!(
                svg,
                "<path d=\"{}{end}\" fill=\"none\" stroke=\"{}\" stroke-width=\"{}\" stroke-linejoin=\"round\"{dashes}/>",
                path(points),
                hex(*colour),
                n(*width)
            )
        }
        Mark::Circle { centre: (x, y), radius, fill, ring } => {
            let ring = ring.map_or(String::new(), |(colour, width)| {
                format!(" stroke=\"{}\" stroke-width=\"{}\"", hex(colour), n(width))
            });
            let place = format!("cx=\"{}\" cy=\"{}\" r=\"{}\"", n(*x), n(*y), n(*radius));
            write!(svg, "<circle {place} fill=\"{}\"{ring}/>", hex(*fill))
        }
        Mark::Cells { origin, scale, cells } => {
            let _ = write!(
                svg,
                "<g transform=\"translate({:.3} {:.3}) scale({:.5} {:.5})\">",
                origin.0, origin.1, scale.0, scale.1
            );
            for (colour, rectangles) in cells {
                let _ = write!(svg, "<path fill=\"{}\" d=\"", hex(*colour));
                for [left, top, width, height] in rectangles {
                    let _ = write!(svg, "M{left} {top}h{width}v{height}h-{width}z");
                }
                svg.push_str("\"/>");
            }
            svg.push_str("</g>");
            Ok(())
        }
        Mark::Text { at: (x, y), anchor, colour, text, upwards } => {
            let anchor = match anchor {
                Anchor::Start => "",
                Anchor::Middle => " text-anchor=\"middle\"",
                Anchor::End => " text-anchor=\"end\"",
            };
            let (x, y) = (n(*x), n(*y));
            let turn = if *upwards { format!(" transform=\"rotate(-90 {x} {y})\"") } else { String::new() };
            let colour = if *colour == INK { String::new() } else { format!(" fill=\"{}\"", hex(*colour)) };
            // viewers without the font squeeze another one to the measured width
            write!(
                svg,
                "<text x=\"{x}\" y=\"{y}\"{anchor}{colour}{turn} textLength=\"{}\" lengthAdjust=\"spacingAndGlyphs\">{}</text>",
                n(font::width(text, SIZE)),
                escape(text)
            )
        }
    };
}

fn filled(Fill { colour, opacity }: Fill) -> String {
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

#[cfg(test)]
mod tests {
    use super::super::canvas::Canvas;
    use super::super::sheet::Sheet;
    use super::*;

    #[test]
    fn coordinates_keep_their_hundredths() {
        let mut canvas = Canvas::new(40.0);
        canvas.line(&[(0.004, 1.006), (2.5, -0.001)], &Stroke::solid(INK, 1.0));
        canvas.text((1.0, 2.0), Anchor::End, INK, "a < b\u{1b}");
        let svg = canvas.finish(20.0, Sheet::default()).svg();
        assert!(svg.contains("d=\"M0 1.01L2.5 0\"") && svg.contains("a &lt; b\\u{1b}<"), "{svg}");
        assert!(svg.starts_with("<svg") && svg.contains("viewBox=\"0 0 40 20\""));
    }
}
