//! Scores of many chips.

use super::{EvaluateArguments, object};
use crate::export::scores::{digits, named};
use crate::failure::Outcome;
use crate::notes::Notes;
use crate::plan::Plan;
use crate::terminal::visible;
use crate::trial::doubts;
use anyhow::Context;
use at_core::data::Dataset;
use at_core::population::{Yield, good_chips};
use at_core::statistics::Estimate;
use at_core::training::{Evaluation, Score};
use std::io::Write;

/// A score as a bare number; an accuracy is a share here.
pub fn plain(by: Score, value: f64) -> String {
    match by {
        Score::Accuracy => format!("{value:.4}"),
        Score::RSquared | Score::MeanSquareError => digits(by, value),
    }
}

/// Scores of many chips: a line each for their spread and every yield, or JSON.
pub fn report(
    arguments: &EvaluateArguments,
    plan: &Plan,
    data: &Dataset,
    evaluations: &[Evaluation],
    engine: &str,
    mut notes: Notes,
) -> Outcome {
    let by = plan.score;
    let scores: Vec<f64> = evaluations.iter().map(|evaluation| evaluation.score).collect();
    let all = Estimate::of(&scores).context("no chip was evaluated")?;
    let yields: Vec<Yield> = arguments.good.iter().map(|&threshold| good_chips(by, &scores, threshold)).collect();
    notes.say(doubts::of_phases(all.mean, doubts::chance(data).as_ref()));
    let (chip, count) = (plan.chip(), scores.len());
    let first = plan.settings.chip_seed.unwrap_or_default();
    let mut out = std::io::stdout().lock();
    if arguments.json {
        let own = serde_json::json!({
            "chip": chip,
            "first_chip_seed": first,
            "scores": scores,
            "score": all,
            "yields": yields,
            "samples": evaluations[0].samples,
        });
        let object = object(arguments, plan, data, own, engine, &notes);
        writeln!(out, "{:#}", named(object, by))?;
    } else {
        let (low, high) = all.interval();
        let [mean, deviation, low, high] =
            [all.mean, all.deviation.unwrap_or(0.0), low, high].map(|value| plain(by, value));
        let name = visible(&data.name);
        writeln!(out, "{count} chips of kind {chip} from number {first}, test samples of {name}, {engine}")?;
        writeln!(out, "{} {mean} ± {deviation} between chips; 95 % interval {low} to {high}", by.symbol())?;
        for Yield { threshold, share, interval: [low, high] } in yields {
            writeln!(out, "{share:.3} of the chips reach {threshold}; 95 % interval {low:.3} to {high:.3}")?;
        }
    }
    out.flush()?;
    Ok(())
}
