//! Trainings on the published chips, beside what dual adaptive training (DAT) reached on them.

use super::ReproduceArguments;
use super::finding::Finding;
use super::published::Published;
use crate::failure::{OrUsage, Outcome};
use crate::progress::say;
use crate::settings::{RunSettings, resolve};
use crate::trial::Trials;
use at_core::optics::Convention;
use at_core::training::MethodName;

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
pub fn findings(published: &mut Published, arguments: &ReproduceArguments) -> Outcome<Vec<Finding>> {
    let cases: &[Case] = if published.dataset == "mnist" { &MNIST } else { &FASHION };
    let mut findings = Vec::new();
    for &(splitter, phase, accuracy) in &cases[..if arguments.quick { 1 } else { cases.len() }] {
        let place = format!("splitter {splitter}, phase {phase}");
        say(arguments.quiet, &format!("{place}: training"));
        let adaptive = train(published, splitter, phase, MethodName::AtAdaptive)?;
        findings.push(Finding::new(REACHES, place.clone(), (accuracy, 100.0), adaptive, "%", SOURCE));
        if !arguments.quick {
            let other = train(published, splitter, phase, MethodName::PatOutput)?;
            findings.push(Finding::new(ABOVE, place, (0.0, 100.0), adaptive - other, "points", SOURCE));
        }
    }
    Ok(findings)
}

/// Accuracy of the chip after the last epoch (%): 960 steps of 500 samples, of the 6000 that the published methods had.
fn train(published: &mut Published, splitter: &str, phase: &str, method: MethodName) -> Outcome<f64> {
    let settings = RunSettings {
        method: Some(vec![method.to_string()]),
        chip_errors: Some(published.error_files(splitter, phase)),
        chip_errors_convention: Some(Convention::DatMpnn),
        epochs: Some(8),
        learning_rate: Some(4e-3),
        schedule: Some("cosine".into()),
        seed: Some(1),
        ..published.settings.clone()
    };
    let task = published.tasks.of(resolve(None, &settings).or_usage()?)?;
    let data = published.tasks.data(&task.plan)?;
    let trained = Trials::new(&published.engine, &task, data, None)?.run(method, None, false, &mut ())?;
    Ok(100.0 * trained.outcomes[0].test.score)
}
