//! `accuracy.svg`: the chip's test accuracy over the epochs, all methods.

use super::chart::{Axis, Chart, Curve, Mark};
use super::metrics::Row;
use anyhow::Result;
use at_core::training::MethodName;
use plotters::style::RGBColor;

/// Colours that remain distinct for colour-blind eyes (Okabe & Ito, 2008), one per method so that pictures can be compared.
pub fn colour(method: MethodName) -> RGBColor {
    match method {
        MethodName::At => RGBColor(213, 94, 0),
        MethodName::AtAdaptive => RGBColor(230, 159, 0),
        MethodName::InSilico => RGBColor(0, 114, 178),
        MethodName::Ideal => RGBColor(0, 0, 0),
        MethodName::Pat => RGBColor(0, 158, 115),
        MethodName::PatOutput => RGBColor(204, 121, 167),
        MethodName::NoiseAware => RGBColor(86, 180, 233),
        MethodName::Dfa => RGBColor(230, 159, 0),
        // The palette ends here; these are its darker shades.
        MethodName::DfaModel => RGBColor(138, 95, 0),
        MethodName::Spsa => RGBColor(102, 60, 83),
        MethodName::ZerothOrder => RGBColor(0, 95, 69),
        MethodName::Coordinate => RGBColor(120, 120, 120),
        MethodName::ParameterShift => RGBColor(107, 47, 0),
        MethodName::Dat => RGBColor(0, 60, 110),
        MethodName::InSitu => RGBColor(240, 228, 66),
        MethodName::Ffm => RGBColor(150, 135, 30),
        MethodName::Phyll => RGBColor(60, 60, 60),
    }
}

/// Draws the rows of `methods` as an SVG picture.
pub fn accuracy(title: &str, methods: &[MethodName], rows: &[Row]) -> Result<String> {
    let curve = |&method: &MethodName| {
        let points = rows.iter().filter(|row| row.method == method);
        let points = points.map(|row| (row.epoch as f64, 100.0 * row.test_accuracy)).collect();
        Curve { label: method.to_string(), colour: colour(method), mark: Mark::None, points }
    };
    let last = rows.iter().map(|row| row.epoch).max().unwrap_or(1);
    let chart = Chart {
        title: title.to_string(),
        x: Axis::linear("epoch").within(0.0, 1.02 * last as f64),
        y: Axis::linear("test accuracy of the chip (%)").within(0.0, 100.0),
        curves: methods.iter().map(curve).collect(),
        levels: Vec::new(),
    };
    chart.svg()
}
