//! Doubts about a training that only its model and its numbers can tell: light that does not reach the readout, and results that
//! guessing gives as well.

use super::split;
use crate::plan::Plan;
use anyhow::Result;
use at_core::cpu::Cpu;
use at_core::data::{Chance, Dataset};
use at_core::fabrication::Fabrication;
use at_core::link::Times;
use at_core::network::Network;
use at_core::propagator::Simulator;
use at_core::training::{Evaluation, MethodName, Outlook, Score, Split};

/// Samples that are enough for a look.
const FEW: usize = 64;

/// What the data tell of guessing; nothing where targets are real.
pub fn chance(data: &Dataset) -> Option<Chance> {
    data.real_targets().is_none().then(|| Chance::of(&data.test, data.classes))
}

/// What the model of the chip lets through at `controls`: a line, and doubts. A model that cannot be run says why, and keeps
/// nobody from training.
pub fn of_light<E: Simulator>(
    engine: &E,
    plan: &Plan,
    network: &Network,
    fabrication: &Fabrication,
    controls: &[f64],
    train: &Split<E>,
) -> (String, Vec<String>) {
    let loss = &plan.training.loss;
    let look = || -> at_core::Result<Outlook> {
        let known = plan.options.known(network)?;
        Outlook::of(engine, network, &known, &fabrication.noise, controls, train, loss)
    };
    match look() {
        Ok(outlook) => (format!("mean power per layer {}", outlook.light()), outlook.doubts(loss)),
        Err(error) => (crate::flags::named(&format!("not known: {error}")), Vec::new()),
    }
}

/// The doubts of [`of_light`] at the first controls, by the first samples and on the CPU, before an engine is at work.
pub fn before(plan: &Plan, network: &Network, data: &Dataset) -> Result<Vec<String>> {
    let engine = Cpu::<f32>::new();
    let few: Vec<u32> = (0..data.train.len().min(FEW) as u32).collect();
    let train = split(&engine, plan, network, data, &data.train.select(&few))?;
    let fabrication = plan.fabricate(network, plan.settings.chip_seed.unwrap_or_default())?;
    let controls = plan.initial_controls(network)?;
    Ok(of_light(&engine, plan, network, &fabrication, &controls, &train).1)
}

/// A sentence where deployed phases tell classes no better than guessing, and enough samples say so.
pub fn of_phases(accuracy: f64, chance: Option<&Chance>) -> Option<String> {
    chance.filter(|chance| chance.limit < 1.0 && chance.explains(accuracy)).map(|chance| {
        format!(
            "these phases are at chance: {:.1} % of the test samples, where guessing the most frequent class gives {:.1} %; are they \
             of this --network, --encoding and --convention?",
            100.0 * accuracy,
            100.0 * chance.guess
        )
    })
}

/// A sentence where controls of a chip from outside had to be held at the ends of their ranges.
pub fn of_range(method: MethodName, times: &Times) -> Option<String> {
    let (held, programs) = (times.placed.held, times.programs);
    (held > 0).then(|| {
        format!(
            "{method} asked the chip for controls beyond their range, which were written at its end instead: {held} values in \
             {programs} writings"
        )
    })
}

/// A sentence where `test` is no better than guessing, and `light` at the controls as trained, which may say why.
pub fn of_chance(
    method: MethodName,
    test: &Evaluation,
    chance: Option<&Chance>,
    light: impl FnOnce() -> Vec<String>,
) -> Option<String> {
    let poor = match (test.judged_by, chance) {
        (Score::Accuracy, Some(chance)) => chance.explains(test.score),
        (Score::RSquared, _) => test.score <= 0.0,
        (Score::Accuracy, None) | (Score::MeanSquareError, _) => false,
    };
    if !poor {
        return None;
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let one_class = chance.is_some_and(|chance| chance.guess >= 1.0);
    let why = match light().first() {
        _ if one_class => "all of these are of one class, so that nothing else could come out".into(),
        Some(doubt) => format!("as trained, {doubt}"),
        None => {
            "another --learning-rate, --loss-normalization, --encoding, more --epochs or another --method may learn"
                .into()
        }
    };
    Some(match chance {
        Some(chance) => format!(
            "{method} ends at chance: {} of the test samples, where guessing the most frequent class gives {}; {why}",
            percent(test.score),
            percent(chance.guess)
        ),
        None => format!(
            "{method} ends at chance: R² = {:.3} on the test samples, where guessing the mean of the targets gives 0; {why}",
            test.score
        ),
    })
}
