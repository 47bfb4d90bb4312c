//! Published results, run again end to end, with what is expected beside what comes out.
//!
//! Most are grids of trainings and are described by files of their own (`at-cli/reproductions`); the others are computed here.

mod adapted;
mod arguments;
mod deployed;
mod experiment;
mod finding;
mod pat_toy;
mod published;
mod trainings;

pub use arguments::ReproduceArguments;
pub use experiment::Experiment;
pub use finding::Reproduction;

use crate::failure::{OrUsage, Outcome};
use crate::names;
use anyhow::anyhow;

/// Names, and what each is.
pub const NAMES: [(&str, &str); 15] = [
    ("demo", "the published demonstration on MNIST: at climbs, in-silico stays low"),
    ("fig4", "handwritten digits on a large network made of copies of one small module"),
    ("fig5a", "MNIST on uncalibrated weight banks"),
    ("fig5b", "Fashion-MNIST on uncalibrated weight banks"),
    ("fig5c", "KMNIST on uncalibrated weight banks"),
    ("fig5d", "accuracy against the distortion of the chip"),
    ("fig5e", "accuracy against the width of the hidden layer"),
    ("fig5f", "accuracy against the number of layers"),
    ("fig5g", "accuracy against a perturbation that no model describes"),
    ("fig5h", "accuracy against noise on the hidden signals"),
    ("fig6", "accesses and time steps at the chip's interface against depth"),
    ("fig6c", "digital work per chip against the number of chips that share a model"),
    ("dat-mnist", "published phases on published chips, and trainings there, MNIST (--reference)"),
    ("dat-fashion-mnist", "the same for Fashion-MNIST (--reference)"),
    ("pat-toy", "error growth of in-silico and physics-aware gradients, closed form"),
];

/// Runs the result that `arguments` name.
pub fn run(arguments: &ReproduceArguments) -> Outcome<Reproduction> {
    let name = arguments.name.as_str();
    if let ("pat-toy" | "dat-mnist" | "dat-fashion-mnist", Some(run)) = (name, &arguments.resume) {
        let run = run.display();
        return Err(anyhow!("{name} has nothing to go on with; run it anew, without --resume {run}")).or_usage();
    }
    match name {
        "pat-toy" => Ok(pat_toy::run(arguments)?),
        "dat-mnist" => deployed::run("mnist", arguments),
        "dat-fashion-mnist" => deployed::run("fashion-mnist", arguments),
        _ => match Experiment::find(name) {
            Some(description) => trainings::run(&description?, arguments),
            None => Err(anyhow!(names::unknown("result", name, NAMES.map(|known| known.0)))).or_usage(),
        },
    }
}
