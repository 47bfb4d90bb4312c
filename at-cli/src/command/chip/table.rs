//! What a look at a chip found, in words.

use crate::export::columns::{si, wrapped};
use at_core::link::{Check, Description, Limits};

/// Columns of the name of what was found.
const NAME: usize = 9;

/// Silent controls that are named.
const NAMED: usize = 20;

/// A share of the signal below which a response is as good as none.
const TOLD: f64 = 1e-3;

/// Beyond this much of the input power a chip makes light; rounding and noise stay below.
const MOST_POWER: f64 = 1.02;

/// A line for each thing that was found.
pub fn table(chip: &Description, found: &Check) -> String {
    let signal = found.signal;
    let share = |part: f64| percent(part / signal);
    let lines = [
        ("chip", format!("{}: {}", chip.name, design(chip))),
        ("signal", format!("{signal:.4} rms of a readout; between {:.4} and {:.4}", found.range[0], found.range[1])),
        ("power", power(found.power)),
        (
            "noise",
            format!(
                "{} of the signal: {:.2e} of every readout, {} of its size{}",
                share(found.noise),
                found.absolute_noise,
                percent(found.relative_noise),
                if found.noise > signal { "; more than the signal: send more light (--input-power)" } else { "" }
            ),
        ),
        ("repeats", format!("{} change of the signal with other controls in between", percent(found.repeatability))),
        (
            "drift",
            match found.drift_per_minute > 0.0 {
                true => format!(
                    "{} of the signal per minute, {} per 100 writings",
                    percent(found.drift_per_minute),
                    percent(found.drift_per_100_writes)
                ),
                false => format!(
                    "not told from noise, below {} of the signal per minute",
                    percent(found.least_drift_per_minute)
                ),
            },
        ),
        ("response", response(found)),
        ("silent", silent(found)),
        (
            "speed",
            format!("{} for a writing, {} for the batch", si(found.write_seconds, "s"), si(found.batch_seconds, "s")),
        ),
    ];
    lines.into_iter().map(|(name, text)| wrapped(&format!("{name:<NAME$}{text}"), NAME)).collect()
}

fn percent(share: f64) -> String {
    format!("{:.3} %", 100.0 * share)
}

fn design(chip: &Description) -> String {
    let limits = match &chip.limits {
        Limits::None => "any value".to_string(),
        Limits::All([lower, upper]) => format!("{lower} to {upper}"),
        Limits::Each { .. } => "each with its own range".to_string(),
    };
    let inputs = match chip.complex {
        true => format!("{} complex", chip.inputs / 2),
        false => format!("{} real", chip.inputs),
    };
    let offered: Vec<&str> = chip.access.iter().map(|access| access.name()).collect();
    format!(
        "{} controls ({}, {limits}), {inputs} inputs, {} outputs; offers {}",
        chip.controls,
        chip.unit,
        chip.outputs,
        offered.join(", ")
    )
}

fn power(power: f64) -> String {
    let made = match power > MOST_POWER {
        true => " - more than went in: it makes light, or its readouts are no powers",
        false => "",
    };
    format!("{} of the input's in the brightest sample{made}", percent(power))
}

fn response(found: &Check) -> String {
    let mut all: Vec<f64> = found.responses.iter().map(|response| response.1).collect();
    all.sort_by(f64::total_cmp);
    let at = |share: f64| all.get((share * (all.len() as f64 - 1.0)).round() as usize).copied().unwrap_or_default();
    format!(
        "{} controls moved: {} of the signal in the median, {} at most",
        all.len(),
        percent(at(0.5)),
        percent(at(1.0))
    )
}

fn silent(found: &Check) -> String {
    if found.silent.is_empty() {
        return "none".to_string();
    }
    let named: Vec<String> = found.silent.iter().take(NAMED).map(usize::to_string).collect();
    let more = found.silent.len().saturating_sub(NAMED);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    let seen = match found.least_response {
        least if least > TOLD => format!("less than {} of the signal, which noise hides", percent(least)),
        _ => "nothing that is seen".to_string(),
    };
    format!(
        "{} controls move {seen}: {}{more} (phases in front of detectors are none that is seen)",
        found.silent.len(),
        named.join(", ")
    )
}
