//! Stacked bars: of what a total is made, one bar per method.

use anyhow::{Result, anyhow};
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

/// Panels below each other, every bar as shares of its total, as an SVG picture.
pub fn shares(panels: &[Panel]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, panels).map_err(|error| anyhow!("cost.svg: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, panels: &[Panel]) -> Result<(), Box<dyn std::error::Error>> {
    let rows = panels.iter().map(|panel| panel.bars.len()).max().unwrap_or(1).max(1) as u32;
    let height = 130 + 34 * rows;
    let area = SVGBackend::with_string(svg, (800, height * panels.len() as u32)).into_drawing_area();
    area.fill(&WHITE)?;
    for (panel, area) in panels.iter().zip(area.split_evenly((panels.len(), 1))) {
        let mut chart = ChartBuilder::on(&area)
            .caption(&panel.title, ("sans-serif", 18))
            .margin(14)
            .x_label_area_size(40)
            .y_label_area_size(110)
            .build_cartesian_2d(0.0..150.0, -0.5..panel.bars.len().max(1) as f64 - 0.5)?;
        let name = |place: &f64| match place.fract().abs() < 1e-9 && *place >= 0.0 {
            true => panel.bars.iter().rev().nth(*place as usize).map(|bar| bar.0.clone()).unwrap_or_default(),
            false => String::new(),
        };
        chart
            .configure_mesh()
            .disable_y_mesh()
            .x_desc("share of the total (%)")
            .x_labels(16)
            .y_labels(2 * panel.bars.len() + 1)
            .x_label_formatter(&|share| if *share <= 100.0 { format!("{share:.0}") } else { String::new() })
            .y_label_formatter(&name)
            .label_style(("sans-serif", 14))
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        for (term, label) in panel.terms.iter().enumerate() {
            let colour = COLOURS[term];
            let bars = panel.bars.iter().rev().enumerate().filter_map(|(row, (_, terms, _))| {
                let total: f64 = terms.iter().sum();
                let before: f64 = terms[..term].iter().sum();
                let ends = |y| [100.0 * before / total, y, 100.0 * (before + terms[term]) / total];
                let [left, y, right] = ends(row as f64);
                (total > 0.0).then(|| Rectangle::new([(left, y - 0.32), (right, y + 0.32)], colour.filled()))
            });
            chart
                .draw_series(bars)?
                .label(*label)
                .legend(move |(x, y)| Rectangle::new([(x, y - 5), (x + 14, y + 5)], colour.filled()));
        }
        let totals = panel.bars.iter().rev().enumerate();
        chart.draw_series(
            totals.map(|(row, bar)| Text::new(bar.2.clone(), (101.5, row as f64 + 0.15), ("sans-serif", 14))),
        )?;
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperRight)
            .background_style(WHITE.mix(0.9))
            .border_style(BLACK.mix(0.3))
            .label_font(("sans-serif", 13))
            .draw()?;
    }
    area.present()?;
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
