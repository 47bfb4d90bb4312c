//! `accuracy.svg`: the chip's test accuracy over the epochs, all methods.

use super::metrics::Row;
use anyhow::{Result, anyhow};
use at_core::training::MethodName;
use plotters::prelude::*;

/// Colours that remain distinct for colour-blind eyes (Okabe & Ito, 2008), one per method so that pictures can be compared.
pub fn colour(method: MethodName) -> RGBColor {
    match method {
        MethodName::At => RGBColor(213, 94, 0),
        MethodName::InSilico => RGBColor(0, 114, 178),
        MethodName::Ideal => RGBColor(0, 0, 0),
        MethodName::Pat => RGBColor(0, 158, 115),
        MethodName::PatOutput => RGBColor(204, 121, 167),
    }
}

/// Draws the rows of `methods` as an SVG picture.
pub fn accuracy(title: &str, methods: &[MethodName], rows: &[Row]) -> Result<String> {
    let mut svg = String::new();
    draw(&mut svg, title, methods, rows).map_err(|error| anyhow!("accuracy.svg: {error}"))?;
    Ok(svg)
}

fn draw(svg: &mut String, title: &str, methods: &[MethodName], rows: &[Row]) -> Result<(), Box<dyn std::error::Error>> {
    let area = SVGBackend::with_string(svg, (800, 480)).into_drawing_area();
    area.fill(&WHITE)?;
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    let mut chart = ChartBuilder::on(&area)
        .caption(title, ("sans-serif", 18))
        .margin(14)
        .x_label_area_size(44)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..1.02 * last as f64, 0.0..100.0)?;
    chart
        .configure_mesh()
        .x_desc("epoch")
        .y_desc("test accuracy of the chip (%)")
        .x_labels(last.min(10) + 1)
        .x_label_formatter(&|epoch| format!("{epoch:.0}"))
        .y_label_formatter(&|accuracy| format!("{accuracy:.0}"))
        .label_style(("sans-serif", 14))
        .light_line_style(TRANSPARENT)
        .bold_line_style(BLACK.mix(0.12))
        .draw()?;
    for &method in methods {
        let style = colour(method).stroke_width(2);
        let points = rows.iter().filter(|row| row.method == method);
        let points: Vec<_> = points.map(|row| (row.epoch as f64, 100.0 * row.test_accuracy)).collect();
        if let [point] = points[..] {
            chart.draw_series([Circle::new(point, 4, colour(method).filled())])?;
        }
        chart
            .draw_series(LineSeries::new(points, style))?
            .label(method.as_str())
            .legend(move |(x, y)| PathElement::new([(x, y), (x + 20, y)], style));
    }
    chart
        .configure_series_labels()
        .position(SeriesLabelPosition::LowerRight)
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font(("sans-serif", 14))
        .draw()?;
    area.present()?;
    Ok(())
}
