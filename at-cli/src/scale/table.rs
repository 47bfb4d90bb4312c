//! The table of a sweep over sizes, for a person.

use super::case::Case;
use super::fit::PowerLaw;
use super::output::{Results, Row, memory};
use super::predict::{self, Prediction};
use crate::export::columns::{TERMINAL, align, fitting, wrapped};
use std::fmt::Write as _;

/// The columns of the table and their ranks: what matters most has the lowest.
const TABLE: [(&str, u8); 17] = [
    ("engine", 0),
    ("pass", 0),
    ("modes", 0),
    ("depth", 5),
    ("layers", 6),
    ("batch", 4),
    (CHIPS, 0),
    (RANKS, 0),
    ("time", 0),
    (EXCHANGE, 0),
    (COPIES, 1),
    (EFFICIENCY, 0),
    (EARLIER, 0),
    ("samples/s", 7),
    ("GFLOP/s", 1),
    ("of peak", 2),
    ("memory", 3),
];

/// Columns that are there where they say something.
const CHIPS: &str = "chips";
const RANKS: &str = "ranks";
const EXCHANGE: &str = "exchange";
const COPIES: &str = "copies";
const EFFICIENCY: &str = "efficiency";
const EARLIER: &str = "to earlier";

/// The table with what the fits say and what the device can do: all columns where it is `wide`, else those that fit a terminal.
pub fn table(results: &Results, wide: bool) -> String {
    let chips = results.rows.iter().any(|row| row.case.chips > 1);
    let ranks = results.rows.iter().any(|row| row.case.ranks > 1);
    let said = |name: &str| match name {
        CHIPS => chips,
        RANKS | EXCHANGE | COPIES => ranks,
        EFFICIENCY => results.rows.iter().any(|row| row.efficiency.is_some()),
        EARLIER => results.earlier.is_some(),
        _ => true, // every other column always is
    };
    let kept: Vec<usize> = (0..TABLE.len()).filter(|&column| said(TABLE[column].0)).collect();
    let of = |all: [String; 17]| kept.iter().map(|&column| all[column].clone()).collect::<Vec<_>>();
    let mut rows = vec![of(TABLE.map(|column| column.0.to_string()))];
    rows.extend(results.rows.iter().map(|row| of(cells(row))));
    let ranks: Vec<u8> = kept.iter().map(|&column| TABLE[column].1).collect();
    let (rows, left_out) = fitting(&rows, &ranks, if wide { usize::MAX } else { TERMINAL });
    let more = match &left_out[..] {
        [] => String::new(),
        names => format!("more with --wide: {}\n", names.join(", ")),
    };
    align(&rows, 2) + "\n" + &predicted(results) + &wrapped(&(footing(results) + &more), 2)
}

/// A table of what is predicted, if something is.
fn predicted(results: &Results) -> String {
    if results.predictions.is_empty() {
        return String::new();
    }
    let rows: Vec<Vec<String>> = std::iter::once(predict::HEADING.map(str::to_string).to_vec())
        .chain(results.predictions.iter().map(Prediction::cells))
        .collect();
    align(&rows, 2) + "\n"
}

fn cells(row: &Row) -> [String; 17] {
    let Case { engine, pass, modes, depth, layers, batch, chips, ranks } = row.case;
    let exchange = |of: fn(&super::measure::Exchange) -> f64| {
        row.measured.exchange.as_ref().map_or("-".to_string(), |own| time(of(own)))
    };
    let peak = row.fraction_of_peak.map_or("-".to_string(), |fraction| format!("{:.0} %", 100.0 * fraction));
    let memory = memory(&row.measured).map_or("-".to_string(), |bytes| crate::memory::size(bytes as f64));
    let ratio = |earlier: f64| format!("{:.2}", row.measured.seconds / earlier);
    [
        engine.as_str().to_string(),
        pass.as_str().to_string(),
        modes.to_string(),
        depth.to_string(),
        layers.to_string(),
        batch.to_string(),
        chips.to_string(),
        ranks.to_string(),
        time(row.measured.seconds),
        exchange(|own| own.exchange_seconds),
        exchange(|own| own.copy_seconds),
        row.efficiency.map_or("-".to_string(), |own| format!("{:.0} %", 100.0 * own)),
        row.earlier_seconds.map_or("-".to_string(), ratio),
        format!("{:.4e}", row.samples_per_second),
        format!("{:.2}", row.effective_gflops),
        peak,
        memory,
    ]
}

/// Three digits and a unit.
pub fn time(seconds: f64) -> String {
    match seconds {
        s if s >= 1.0 => format!("{s:.2} s"),
        s if s >= 1e-3 => format!("{:.2} ms", 1e3 * s),
        s => format!("{:.2} us", 1e6 * s),
    }
}

/// What the fits say, and what the device can do.
fn footing(results: &Results) -> String {
    let all = results.series();
    let mut text = String::new();
    for fit in &results.fits {
        let PowerLaw { exponent, greatest_deviation, .. } = fit.law;
        let label = fit.series.label(&all);
        let off = 100.0 * greatest_deviation;
        let along = fit.along.as_str();
        let how = match fit.sizes {
            2 => "; two sizes fit any law".to_string(),
            _ => format!(", no size is more than {off:.0} % off"),
        };
        let _ = writeln!(text, "{label}: time grows as {along}^{exponent:.2}{how}");
    }
    for (engine, peak) in &results.peaks {
        let (product, copy) = (1e-9 * peak.matrix_product_flops, 1e-9 * peak.copy_bandwidth);
        let _ = writeln!(
            text,
            "{} can do {product:.0} GFLOP/s in {} matrix products and copies {copy:.1} GB/s ({})",
            engine.as_str(),
            peak.matrix_product,
            peak.device
        );
    }
    if let Some(earlier) = &results.earlier {
        let (file, version) = (&earlier.file, &earlier.version);
        let _ = writeln!(text, "{EARLIER}: time over that of the same case in {file} (asyt {version})");
    }
    text + &results.memory.join("\n") + "\n"
}
