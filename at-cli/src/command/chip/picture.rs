//! What a look at a chip found, as a picture: how strongly its controls act, the strongest first.

use crate::export::chart::{Axis, Chart, Curve, Interval, Level, Mark};
use crate::export::picture::{self, PALETTE};
use anyhow::{Result, bail};
use at_core::link::{Check, Description};
use std::path::Path;

/// The picture, in the format that the name of the file at `path` asks for.
pub fn draw(path: &Path, chip: &Description, found: &Check) -> Result<Vec<u8>> {
    let svg = chart(chip, found).svg()?;
    match path.extension().and_then(|end| end.to_str()) {
        Some("svg") => Ok(svg.into_bytes()),
        Some("png") => picture::png(&svg),
        Some(_) | None => bail!("{}: a picture is an svg or a png file", path.display()),
    }
}

fn chart(chip: &Description, found: &Check) -> Chart {
    let mut responses: Vec<f64> = found.responses.iter().map(|response| 100.0 * response.1).collect();
    responses.sort_by(|one, other| other.total_cmp(one));
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
        y: Axis::logarithmic("change of the readouts (% of the signal)"),
        curves: vec![Curve {
            label: "response to a quarter turn".to_string(),
            look: PALETTE[0].into(),
            mark: Mark::None,
            points: points.collect(),
            interval: Interval::None,
        }],
        levels: if noise > 0.0 {
            vec![Level { label: "noise of one reading".to_string(), low: noise, high: noise }]
        } else {
            Vec::new()
        },
    }
}
