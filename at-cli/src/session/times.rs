//! What a chip from outside took, as measured, beside what the bench of the cost model would.

use super::summary::{ChipTimes, MethodResult, Summary};
use crate::export::columns::si;
use anyhow::Result;
use at_core::cost::CostModel;
use std::fmt::Write;

/// The model whose time stands beside the measured one.
const MODEL: &str = "bench";

/// A line per method that trained a chip from outside; nothing for simulated chips.
pub fn times(summary: &Summary) -> Result<String> {
    let size = summary.chip_size();
    let model = CostModel::find(MODEL)?;
    let mut text = String::new();
    for result in &summary.results {
        if let Some(times) = &result.chip_times {
            let modelled = result.accesses.map(|accesses| model.bill(&accesses, &size).time.total());
            let _ = writeln!(text, "{}", line(result, times, modelled));
        }
    }
    Ok(text)
}

fn line(result: &MethodResult, times: &ChipTimes, modelled: Option<f64>) -> String {
    let ChipTimes { programs, program_seconds, batches, send_seconds, busy_seconds, .. } = *times;
    let [all, written, sent, busy] =
        [program_seconds + send_seconds, program_seconds, send_seconds, busy_seconds].map(|seconds| si(seconds, "s"));
    let modelled = modelled.map_or(String::new(), |seconds| format!("; by cost model {MODEL}: {}", si(seconds, "s")));
    format!(
        "{}: {all} at the chip ({written} for {programs} writings, {sent} for {batches} batches; {busy} of both in the chip \
         itself){modelled}",
        result.label()
    )
}
