//! Trainings on the published chips, beside what dual adaptive training (DAT) reached on them.

use super::deployed::Bench;
use super::finding::Finding;
use super::trainings::Request;
use crate::failure::{OrUsage, Outcome};
use crate::layers;
use crate::plan::Plan;
use crate::progress::say;
use crate::session;
use crate::settings::Settings;
use anyhow::Context;
use at_core::chip::Chip;
use at_core::chip::Physical;
use at_core::optics::Convention;
use at_core::training::{MethodName, Trainer, methods};

const SOURCE: &str = "Zheng et al., Nat. Mach. Intell. 5, 1119 (2023), logs of the published code (DAT_MPNN): best epochs on the test images";

/// What is claimed of a training; the picture finds its findings by this.
pub const REACHES: &str = "at-adaptive, reading the output only, reaches published DAT that does so";
const ABOVE: &str = "at-adaptive ends above pat-output on the same budget";

/// Levels of the errors of splitters and phases, "0" for none, and the published accuracy of DAT that reads the output layer
/// only, in percent. The hardest chip, with which a reduced size makes do, stands first.
type Case = (&'static str, &'static str, f64);

const MNIST: [Case; 7] = [
    ("0.06", "0.06", 90.3),
    ("0.06", "0", 95.7),
    ("0.08", "0", 94.1),
    ("0.1", "0", 91.4),
    ("0", "0.06", 94.5),
    ("0", "0.08", 90.5),
    ("0", "0.1", 83.7),
];

const FASHION: [Case; 1] = [("0.06", "0.06", 78.6)];

/// Trains on every chip, with `quick` on the first one and by `at-adaptive` only.
pub fn findings(bench: &Bench, request: &Request) -> Outcome<Vec<Finding>> {
    let cases: &[Case] = if bench.dataset == "mnist" { &MNIST } else { &FASHION };
    let mut findings = Vec::new();
    for &(splitter, phase, published) in &cases[..if request.quick { 1 } else { cases.len() }] {
        let place = format!("splitter {splitter}, phase {phase}");
        say(request.quiet, &format!("{place}: training"));
        let adaptive = train(bench, splitter, phase, MethodName::AtAdaptive)?;
        findings.push(Finding::new(REACHES, place.clone(), (published, 100.0), adaptive, "%", SOURCE));
        if !request.quick {
            let other = train(bench, splitter, phase, MethodName::PatOutput)?;
            findings.push(Finding::new(ABOVE, place, (0.0, 100.0), adaptive - other, "points", SOURCE));
        }
    }
    Ok(findings)
}

/// Accuracy of the chip after the last epoch (%): 960 steps of 500 samples, of the 6000 that the published methods had.
fn train(bench: &Bench, splitter: &str, phase: &str, method: MethodName) -> Outcome<f64> {
    let settings = Settings {
        method: Some(vec![method.to_string()]),
        chip_errors: Some(bench.error_files(splitter, phase)),
        chip_errors_convention: Some(Convention::DatMpnn),
        epochs: Some(8),
        learning_rate: Some(4e-3),
        schedule: Some("cosine".into()),
        seed: Some(1),
        ..bench.settings.clone()
    };
    let mut plan = layers::resolve(None, &settings).and_then(Plan::new).or_usage()?;
    let Bench { engine, data, test, .. } = bench;
    let network = &plan.fit(data)?;
    let train = session::split(engine, &plan, network, data, &data.train).context("training samples")?;
    let fabrication = plan.fabricate(network, 0)?; // the files are the chip, whatever its number
    let initial = plan.initial_controls(network).map_err(anyhow::Error::from)?;
    let mut chip = Chip::new(engine, network, &fabrication).map_err(anyhow::Error::from)?;
    let mut method =
        methods::build(method, engine, network, &fabrication, &initial, &plan.training, &plan.options, chip.meter())
            .map_err(anyhow::Error::from)?;
    let trainer = Trainer { engine, settings: &plan.training, train: &train, test };
    let outcome = trainer.run(&mut chip, &mut *method, None, None, &mut ()).map_err(anyhow::Error::from)?;
    Ok(100.0 * outcome.test.score)
}
