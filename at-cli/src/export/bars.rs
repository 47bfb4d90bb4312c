//! Stacked bars: of what a total is made, one bar per method.

use super::canvas::{AXIS, Anchor, Canvas, Colour, FAINT, HAIR, INK, LINE, PALETTE, SIZE, Stroke};
use super::font;
use super::marks::Picture;
use super::sheet::Sheet;

/// One panel of bars.
pub struct Panel<'a> {
    /// Above it.
    pub title: String,
    /// The terms' names, the same for all bars.
    pub terms: &'a [&'a str; 6],
    /// Per bar its name, its terms, and its total as text.
    pub bars: Vec<(String, [f64; 6], String)>,
}

/// Room at the edges and between texts, height of a bar and of its row (points), and the longest name as a share of the width.
const EDGE: f64 = 5.0;
const GAP: f64 = 4.0;
const BAR: f64 = 9.0;
const ROW: f64 = 13.0;
const NAME: f64 = 0.34;

/// A part of a bar that is narrower cannot be seen (points).
const SEEN: f64 = 0.25;

/// The colours of the terms: black, which the palette has among them, would look like a frame.
const COLOURS: [Colour; 6] = [PALETTE[0], PALETTE[6], PALETTE[2], PALETTE[3], PALETTE[5], [90, 90, 90]];

/// Panels below each other, every bar as shares of its total, as a picture.
pub fn shares(panels: &[Panel], sheet: Sheet) -> Picture {
    let mut canvas = Canvas::new(sheet.width);
    let height = panels.iter().fold(0.0, |top, panel| draw(&mut canvas, panel, top));
    canvas.finish(height, sheet)
}

fn draw(canvas: &mut Canvas, panel: &Panel, top: f64) -> f64 {
    let (width, half) = (canvas.width, 0.5 * font::CAPITAL * SIZE);
    let mut y = top + EDGE;
    for line in font::lines(&panel.title, SIZE, width - 2.0 * EDGE) {
        canvas.text((0.5 * width, y + 2.0 * half), Anchor::Middle, INK, &line);
        y += LINE;
    }
    y += 2.0;
    let name = |bar: &(String, [f64; 6], String)| font::shortened(&bar.0, SIZE, NAME * width);
    let names = panel.bars.iter().map(|bar| font::width(&name(bar), SIZE)).fold(0.0, f64::max);
    let totals = panel.bars.iter().map(|bar| font::width(&bar.2, SIZE)).fold(0.0, f64::max);
    let (left, right) = (EDGE + names + GAP, width - EDGE - totals.max(font::width("100", SIZE)) - GAP);
    let bottom = y + ROW * panel.bars.len().max(1) as f64;
    let across = |share: f64| left + share * (right - left);
    for percent in [0.0, 25.0, 50.0, 75.0, 100.0] {
        let x = across(percent / 100.0);
        canvas.line(&[(x, y), (x, bottom)], &Stroke::solid(FAINT, HAIR));
        canvas.line(&[(x, bottom), (x, bottom + 2.5)], &Stroke::solid(INK, AXIS));
        canvas.text((x, bottom + 5.0 + 2.0 * half), Anchor::Middle, INK, &percent.to_string());
    }
    canvas.line(&[(left, bottom), (right, bottom)], &Stroke::solid(INK, AXIS));
    for bar in &panel.bars {
        let (_, terms, text) = bar;
        let (total, middle) = (terms.iter().sum::<f64>(), y + 0.5 * ROW);
        canvas.text((left - GAP, middle + half), Anchor::End, INK, &name(bar));
        let mut start = 0.0;
        for (term, colour) in terms.iter().zip(COLOURS).filter(|(term, _)| total > 0.0 && **term > 0.0) {
            let end = start + term / total;
            canvas.rectangle([across(start), middle - 0.5 * BAR, across(end), middle + 0.5 * BAR], colour, 1.0);
            start = end;
        }
        canvas.text((right + GAP, middle + half), Anchor::Start, INK, text);
        y += ROW;
    }
    y = bottom + 5.0 + LINE;
    canvas.text((0.5 * (left + right), y + 2.0 * half), Anchor::Middle, INK, "share of the total (%)");
    y += LINE + 2.0;
    legend(canvas, panel, right - left, y) + EDGE
}

/// The names of the terms that can be seen in any bar; bars are `length` long.
fn legend(canvas: &mut Canvas, panel: &Panel, length: f64, top: f64) -> f64 {
    let (mut x, mut y) = (EDGE + GAP, top);
    let seen = |bar: &(String, [f64; 6], String), term: usize| {
        let total: f64 = bar.1.iter().sum();
        total > 0.0 && bar.1[term] / total * length >= SEEN
    };
    let there = (0..panel.terms.len()).filter(|&term| panel.bars.iter().any(|bar| seen(bar, term)));
    for term in there {
        let width = 12.0 + font::width(panel.terms[term], SIZE);
        if x > EDGE + GAP && x + width > canvas.width - EDGE {
            (x, y) = (EDGE + GAP, y + LINE);
        }
        canvas.rectangle([x, y, x + 8.0, y + font::CAPITAL * SIZE], COLOURS[term], 1.0);
        canvas.text((x + 11.0, y + font::CAPITAL * SIZE), Anchor::Start, INK, panel.terms[term]);
        x += width + 9.0;
    }
    y + LINE
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_name_their_terms_and_totals_even_where_nothing_is_spent() {
        let terms = ["one", "two", "three", "four", "five", "six"];
        let bars = vec![
            ("at".to_string(), [1.0, 2.0, 0.0, 1e-5, 0.0, 3.0], "6.00 s".to_string()),
            ("pat".to_string(), [0.0; 6], "0 s".to_string()),
        ];
        let svg = shares(&[Panel { title: "time".to_string(), terms: &terms, bars }], Sheet::default()).svg();
        for part in ["at", "pat", "6.00 s", "0 s", ">six<", "share of the total"] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        assert!(!svg.contains(">three<"), "a term that no bar has is not in the legend");
        assert!(!svg.contains(">four<"), "nor one that no eye can see");
        shares(&[Panel { title: String::new(), terms: &terms, bars: Vec::new() }], Sheet::default());
    }
}
