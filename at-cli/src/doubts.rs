//! Doubts about a training that only its model and its numbers can tell: light that does not reach the readout, and results that
//! guessing gives as well.

use crate::plan::Plan;
use anyhow::Result;
use at_core::chip::Fabrication;
use at_core::data::{Chance, Dataset};
use at_core::network::Network;
use at_core::propagator::Engine;
use at_core::training::{Evaluation, MethodName, Outlook, Split};

/// What the data tell of guessing.
pub fn chance(data: &Dataset) -> Chance {
    Chance::of(&data.test, data.classes)
}

/// What the model of the chip lets through at `controls`: a line, and doubts. A model that cannot be run says why, and keeps
/// nobody from training.
pub fn of_light<E: Engine>(
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
        Err(error) => (format!("not known: {error}"), Vec::new()),
    }
}

/// A sentence where `test` is no better than guessing, and `light` at the controls as trained, which may say why.
pub fn of_chance(
    method: MethodName,
    test: &Evaluation,
    chance: &Chance,
    light: impl FnOnce() -> Result<Vec<String>>,
) -> Result<Option<String>> {
    if !chance.explains(test.accuracy) {
        return Ok(None);
    }
    let percent = |share: f64| format!("{:.1} %", 100.0 * share);
    let why = match light()?.first() {
        Some(doubt) => format!("as trained, {doubt}"),
        None => {
            "another --learning-rate, --loss-normalization, --encoding, more --epochs or another --method may learn"
                .into()
        }
    };
    Ok(Some(format!(
        "{method} ends at chance: {} of the test samples, where guessing the most frequent class gives {}; {why}",
        percent(test.accuracy),
        percent(chance.guess)
    )))
}
