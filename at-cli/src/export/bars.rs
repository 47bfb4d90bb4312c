//! Stacked bars: of what a total is made, one bar per method.

use crate::terminal::visible;
use anyhow::{Result, anyhow};
use plotters::coord::Shift;
use plotters::prelude::*;

/// Colours that remain distinct for colour-blind eyes (Okabe & Ito, 2008).
const COLOURS: [RGBColor; 6] = [
    RGBColor(0, 114, 178),
    RGBColor(230, 159, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(0, 0, 0),
];

/// One panel of bars.
pub struct Panel<'a> {
    /// Above it.
    pub title: String,
    /// The terms' names, the same for all bars.
    pub terms: &'a [&'a str; 6],
    /// Per bar its name, its terms, and its total as text.
    pub bars: Vec<(String, [f64; 6], String)>,
}

/// Width, and heights of a bar, of what surrounds the bars of a panel, and of a line of the legend, in units of the picture.
const WIDTH: u32 = 560;
const BAR: u32 = 34;
const AROUND: u32 = 104;
const LINE: i32 = 23;
const FONT: (&str, i32) = ("sans-serif", 16);

/// Panels below each other, every bar as shares of its total, as an SVG picture whose texts are legible on a phone.
pub fn shares(panels: &[Panel]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, panels).map_err(|error| anyhow!("cost.svg: {error}"))?;
    Ok(visible(&svg).into_owned()) // XML has no control characters
}

fn draw(svg: &mut String, panels: &[Panel]) -> Result<(), Box<dyn std::error::Error>> {
    let plot = |panel: &Panel| AROUND + BAR * panel.bars.len().max(1) as u32;
    let legend = 3 * LINE as u32 + 14;
    let height = panels.iter().map(|panel| plot(panel) + legend).sum::<u32>();
    let mut rest = SVGBackend::with_string(svg, (WIDTH, height)).into_drawing_area();
    rest.fill(&WHITE)?;
    for panel in panels {
        let (area, below) = rest.split_vertically(plot(panel));
        draw_bars(&area, panel)?;
        let (names, below) = below.split_vertically(legend);
        for (term, label) in panel.terms.iter().enumerate() {
            let (x, y) = (110 + 220 * (term % 2) as i32, 6 + LINE * (term / 2) as i32);
            names.draw(&Rectangle::new([(x, y), (x + 16, y + 12)], COLOURS[term].filled()))?;
            names.draw(&Text::new(*label, (x + 24, y - 2), FONT))?;
        }
        rest = below;
    }
    rest.present()?;
    Ok(())
}

fn draw_bars(area: &DrawingArea<SVGBackend, Shift>, panel: &Panel) -> Result<(), Box<dyn std::error::Error>> {
    let mut chart = ChartBuilder::on(area)
        .caption(&panel.title, FONT)
        .margin(10)
        .x_label_area_size(44)
        .y_label_area_size(116)
        .build_cartesian_2d(0.0..128.0, -0.5..panel.bars.len().max(1) as f64 - 0.5)?;
    let name = |place: &f64| match place.fract().abs() < 1e-9 && *place >= 0.0 {
        true => panel.bars.iter().rev().nth(*place as usize).map(|bar| bar.0.clone()).unwrap_or_default(),
        false => String::new(),
    };
    chart
        .configure_mesh()
        .disable_y_mesh()
        .x_desc("share of the total (%)")
        .x_labels(7)
        .y_labels(2 * panel.bars.len() + 1)
        .x_label_formatter(&|share| if *share <= 100.0 { format!("{share:.0}") } else { String::new() })
        .y_label_formatter(&name)
        .label_style(FONT)
        .axis_desc_style(FONT)
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for (row, (_, terms, text)) in panel.bars.iter().rev().enumerate() {
        let (y, total) = (row as f64, terms.iter().sum::<f64>());
        let mut left = 0.0;
        for (term, colour) in terms.iter().zip(COLOURS).filter(|_| total > 0.0) {
            let right = left + 100.0 * term / total;
            chart.draw_series([Rectangle::new([(left, y - 0.32), (right, y + 0.32)], colour.filled())])?;
            left = right;
        }
        chart.draw_series([Text::new(text.clone(), (102.0, y + 0.22), FONT)])?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bars_name_their_terms_and_totals_even_where_nothing_is_spent() {
        let terms = ["one", "two", "three", "four", "five", "six"];
        let bars = vec![
            ("at".to_string(), [1.0, 2.0, 0.0, 0.0, 0.0, 3.0], "6.00 s".to_string()),
            ("pat".to_string(), [0.0; 6], "0 s".to_string()),
        ];
        let svg = shares(&[Panel { title: "time".to_string(), terms: &terms, bars }]).unwrap();
        for part in ["at", "pat", "6.00 s", "0 s", "six", "share of the total"] {
            assert!(svg.contains(part), "{part} is not in {svg}");
        }
        shares(&[Panel { title: String::new(), terms: &terms, bars: Vec::new() }]).unwrap();
    }
}
