//! The program as a library: settings become a run and its results as they do behind `asyt train`, and whoever calls follows it
//! ([`Listener`]) and may end it.
//!
//! ```no_run
//! use at_cli::library::{Audience, Listener, RunPlace, Start, parse, resolved, start};
//!
//! struct Silent;
//! impl Listener for Silent {}
//!
//! let (settings, followed) = resolved(&parse("method = ['at']\nepochs = 3").unwrap()).unwrap();
//! let audience = Audience::Program(&Silent);
//! let place = RunPlace::New(None);
//! let run = start(Start { settings, followed, data: None, chip: None, place, save_chip: None, log_dir: None, audience });
//! println!("{}", run.map_err(|failure| failure.into_error()).unwrap().summary.to_json());
//! ```

pub use crate::allocations::{peak, restart_peak};
pub use crate::cells::started_by;
pub use crate::failure::{Failure, Outcome, in_a_line};
pub use crate::listener::{Audience, Listener};
pub use crate::network_text::NetworkText;
pub use crate::plan::{EngineChoice, Plan, Precision};
pub use crate::session::metrics::Row;
pub use crate::session::summary::{MethodResult, Summary};
pub use crate::session::table::table;
pub use crate::session::{Finished, RunPlace, Start, start};
pub use crate::settings::{RunSettings, keys};
pub use crate::trained::{RunFiles, TrainedChip, TrainedRun};
pub use crate::trial::{Connect, OF_THE_PROGRAM, Task, load};

use crate::failure::OrUsage;
use crate::{command, network_text, settings};
use anyhow::{Context, Result, ensure};
use at_core::data::Dataset;
use at_core::network::Network;
use std::path::Path;

/// The settings of a text in TOML whose keys are the flags' names. Errs as for a settings file.
pub fn parse(text: &str) -> Result<RunSettings> {
    settings::parse(text)
}

/// All settings where these are given, and a line on where some come from: of the preset, and of the kind of network.
pub fn resolved(given: &RunSettings) -> Outcome<(RunSettings, Option<String>)> {
    settings::explained(None, given, None).or_usage()
}

/// The same for samples that a program has.
pub fn resolved_for(given: &RunSettings, data: &Dataset) -> Outcome<(RunSettings, Option<String>)> {
    settings::explained_for(given, data.image).or_usage()
}

/// The settings with which the run in this folder goes on; of `given` only where its data lie may differ.
pub fn resumed(run: &Path, given: &RunSettings) -> Outcome<RunSettings> {
    command::train::resumed_settings(run, given, None).or_usage()
}

/// The plan and the network of `settings`, where no data decide on a size. Errs where the network's text leaves one to them.
pub fn design(settings: RunSettings) -> Outcome<(Plan, Network)> {
    let plan = Plan::of_any_data(settings).or_usage()?;
    let network =
        plan.settings.network.clone().context("network is not set").and_then(|text| network(&text)).or_usage()?;
    plan.imperfections.check_room(&network).map_err(anyhow::Error::from).or_usage()?;
    Ok((plan, network))
}

/// The network of `text`. Errs where it leaves a size to the data.
pub fn network(text: &NetworkText) -> Result<Network> {
    ensure!(
        !text.leaves_its_images_open(),
        "here are no data that would tell the shape of the images; begin the word with it: image:1x28x28,conv:…"
    );
    let layers = text.layers(5040, 5040)?; // numbers that fit any tile
    let open =
        matches!(text, NetworkText::Short(word) if text.explicit(5040, None, 5040) != NetworkText::Short(word.clone()));
    ensure!(!open, "the words `in` and `out` stand for the data's sizes, and here are no data; write numbers");
    crate::memory::check(network_text::controls(&layers))?;
    network_text::build(&layers).context("network")
}
