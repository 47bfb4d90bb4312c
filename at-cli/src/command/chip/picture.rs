//! What a look at a chip found, as a picture: how strongly its controls act, the strongest first.

use crate::export::canvas::PALETTE;
use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::picture::Format;
use crate::export::sheet::Sheet;
use anyhow::Result;
use at_core::link::{Check, Description};
use std::path::Path;

/// The picture, in the format that the name of the file at `path` asks for.
pub fn draw(path: &Path, chip: &Description, found: &Check) -> Result<Vec<u8>> {
    let sheet = Sheet::default();
    Format::of(path)?.bytes(&chart(chip, found).picture(sheet))
}

fn chart(chip: &Description, found: &Check) -> Chart {
    let mut responses: Vec<f64> = found.responses.iter().map(|response| 100.0 * response.1).collect();
    responses.sort_by(|one, other| other.total_cmp(one));
    // those that are silent have no place on a logarithmic axis
    let positive: Vec<f64> = responses.iter().copied().filter(|response| *response > 0.0).collect();
    let points = responses.iter().enumerate().map(|(rank, &response)| (rank as f64 + 1.0, response));
    let noise = 100.0 * found.noise / found.signal;
    let silent = match found.silent.len() {
        0 => "none is silent".to_string(),
        1 => "1 is silent".to_string(),
        many => format!("{many} are silent"),
    };
    Chart {
        title: format!("{}: {} controls moved, {silent}", chip.name, responses.len()),
        x: Axis::linear("controls, the strongest first"),
        y: Axis::spanning("change of the readouts (% of the signal)", &positive),
        curves: vec![Curve {
            label: "response to a quarter turn".to_string(),
            look: PALETTE[0].into(),
            mark: Mark::Points,
            points: points.collect(),
            interval: Interval::None,
        }],
        levels: if noise > 0.0 {
            vec![Level { label: "noise of one reading".to_string(), low: noise, high: noise }]
        } else {
            Vec::new()
        },
        ..Chart::default()
    }
}
