//! Every control as a row: what it is told, and the voltage and converter code by which its heater gets there.

use super::{Learned, Written, heading, table};
use anyhow::Result;
use at_core::stage::{Controlled, Meaning};
use std::path::Path;

/// `controls.csv`.
pub fn write(learned: &Learned, folder: &Path, written: &mut Vec<Written>) -> Result<()> {
    let path = learned.chip.map(|chip| &chip.control);
    let mut rows = Vec::with_capacity(learned.controls.len());
    for (number, stage) in learned.run.network.stages().enumerate() {
        let names = stage.element().controlled().map_or(Vec::new(), Controlled::names);
        let units = stage.runs().into_iter().flat_map(|run| {
            let unit = match run.meaning {
                Meaning::Phase { .. } => "rad",
                Meaning::Number | Meaning::Digital | Meaning::Cells => "1",
            };
            std::iter::repeat_n(unit, run.count)
        });
        for (name, unit) in names.into_iter().zip(units) {
            let index = rows.len();
            let value = learned.controls[index];
            let voltage = path.and_then(|path| path.voltage(index, value));
            let code = path.filter(|path| path.levels > 0.0).and_then(|path| Some((voltage? * path.levels).round()));
            let text = |value: Option<f64>| value.map_or(String::new(), |value| value.to_string());
            rows.push(vec![
                index.to_string(),
                number.to_string(),
                name,
                unit.into(),
                value.to_string(),
                text(voltage),
                text(code),
            ]);
        }
    }
    let count = rows.len();
    table(
        &folder.join("controls.csv"),
        &heading(["control", "stage", "name", "unit", "value", "voltage", "code"]),
        rows,
    )?;
    written.push(Written {
        file: "controls.csv",
        what: format!(
            "all {count} controls in their order; voltage as a share of full scale and the converter's code, where this chip's heaters \
             have a range"
        ),
    });
    Ok(())
}
