//! How a wrong model's gradient departs from the true one through a chain of n equal steps: doubly exponentially where the
//! model also runs forward (in silico), exponentially where the forward signals are the physical ones.
//!
//! The system is `f(x) = 2 x^1.1`, its model `2.01 x^1.1`, at x = 1. With `S_n = (1.1^n - 1)/0.1` the relative error of the
//! in-silico gradient is `1.005^{S_n} - 1`, and that of physics-aware training `1.005^n - 1`.

use super::ReproduceArguments;
use super::finding::{Finding, Reproduction};
use crate::export::canvas::GREY;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::export::look::Look;
use crate::run_folder::RunFolder;
use anyhow::Result;
use at_core::training::MethodName;
use at_core::training::methods::Dash;

const SYSTEM: f64 = 2.0;
const MODEL: f64 = 2.01;
const POWER: f64 = 1.1;
const MOST: usize = 24;
const SOURCE: &str =
    "Wright et al., Nature 601, 549 (2022), toy example of the published code (Physics-Aware-Training)";

/// Relative errors of a gradient of n steps, in percent: (in-silico, physics-aware), by the chain rule.
fn errors(steps: usize) -> (f64, f64) {
    let value = |factor: f64, x: f64| factor * x.powf(POWER);
    let slope = |factor: f64, x: f64| factor * POWER * x.powf(POWER - 1.0);
    let (mut system, mut model) = (1.0, 1.0);
    let (mut truth, mut in_silico, mut aware) = (1.0, 1.0, 1.0);
    for _ in 0..steps {
        truth *= slope(SYSTEM, system);
        in_silico *= slope(MODEL, model);
        aware *= slope(MODEL, system); // the model's slope at the signal that was measured
        system = value(SYSTEM, system);
        model = value(MODEL, model);
    }
    (100.0 * (in_silico / truth - 1.0), 100.0 * (aware / truth - 1.0))
}

/// Computes the errors, compares them with the closed form and with the published numbers, and draws them.
pub fn run(arguments: &ReproduceArguments) -> Result<Reproduction> {
    let folder = RunFolder::create(Some(&arguments.folder()), "pat-toy")?;
    let ratio: f64 = MODEL / SYSTEM;
    let sum = |n: usize| (POWER.powf(n as f64) - 1.0) / (POWER - 1.0);
    let mut findings = Vec::new();
    // rounded as published; the last one is said to be about 30 %
    for (steps, low, high) in [(1, 0.45, 0.55), (5, 2.5, 3.5), (20, 25.0, 35.0)] {
        let claim = "in-silico gradient error as published";
        findings.push(Finding::new(claim, format!("n = {steps}"), (low, high), errors(steps).0, "%", SOURCE));
    }
    for steps in [1, 5, 10, 20, MOST] {
        let (in_silico, aware) = errors(steps);
        let forms = [("in-silico", ratio.powf(sum(steps)), in_silico), ("pat", ratio.powi(steps as i32), aware)];
        for (method, form, found) in forms {
            let expected = 100.0 * (form - 1.0);
            let range = (expected * (1.0 - 1e-9) - 1e-9, expected * (1.0 + 1e-9) + 1e-9);
            let claim = format!("{method} gradient error as the closed form");
            findings.push(Finding::new(claim, format!("n = {steps}"), range, found, "%", SOURCE));
        }
    }
    let steps = || (1..=MOST).map(|n| n as f64);
    let curve = |label: &str, look: Look, of: fn((f64, f64)) -> f64| Curve {
        label: label.into(),
        look,
        mark: Mark::Points,
        points: steps().map(|n| (n, of(errors(n as usize)))).collect(),
        interval: Interval::None,
    };
    // below the points, so that both are seen
    let closed = |label: &str, dash, exponent: &dyn Fn(usize) -> f64| Curve {
        label: label.into(),
        look: Look { dash, ..GREY.into() },
        mark: Mark::None,
        points: steps().map(|n| (n, 100.0 * (ratio.powf(exponent(n as usize)) - 1.0))).collect(),
        interval: Interval::None,
    };
    let verdict = if findings.iter().all(|finding| finding.pass) { "PASS" } else { "FAIL" };
    let chart = Chart {
        title: format!("Gradient error of a wrong model in a chain: {verdict}"),
        x: Axis::linear("steps n"),
        y: Axis::logarithmic("error of the gradient (%)"),
        curves: vec![
            closed("closed form 1.005^((1.1^n − 1)/0.1) − 1", Dash::Solid, &sum),
            closed("closed form 1.005^n − 1", Dash::Dashed, &|n| n as f64),
            curve("in-silico", MethodName::InSilico.into(), |errors| errors.0),
            curve("physics-aware (pat)", MethodName::Pat.into(), |errors| errors.1),
        ],
        ..Chart::default()
    };
    Ok(Reproduction {
        title: "Gradient error of a wrong model in a chain of equal steps".into(),
        quick: false,
        notes: vec!["Computed in full; there is no reduced size.".into()],
        findings,
        charts: vec![chart],
        folder,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_grow_as_published() {
        let rounded = |n| (errors(n).0 * 10.0).round() / 10.0;
        assert_eq!([1, 5, 10, 20, 24].map(rounded), [0.5, 3.1, 8.3, 33.1, 55.5]);
        let rounded = |n| (errors(n).1 * 10.0).round() / 10.0;
        assert_eq!([1, 10, 20, 24].map(rounded), [0.5, 5.1, 10.5, 12.7]);
    }
}
