//! `asyt chip check`: what an experimenter wants to know of a chip before training it.

use super::{picture, table};
use crate::activity;
use crate::failure::{OrUsage, Outcome};
use crate::interrupt;
use crate::progress::say;
use crate::settings::RunSettings;
use crate::terminal::visible;
use crate::trial::Driver;
use anyhow::{Context, anyhow};
use at_core::files::atomic_write;
use at_core::link::{self, Effort};
use std::io::Write;
use std::ops::ControlFlow;
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
Random light is sent at random controls, again and again; single controls are
moved by a quarter of a turn (or of their range) and back. Reported are
  noise       rms of repeats of one batch: a (absolute) and b (relative), var = a² + (b y)²
  repeats     change of the readouts after other controls in between, beyond noise
  drift       change of the readouts over the whole look, beyond noise
  response    rms change of the readouts as a control moves; silent ones are named
  power       greatest sum of a sample's mean readouts per input power
  speed       of a writing, settling included, and of a batch
What noise hides is said so: more light (--input-power), more --samples and
--repeats show more. The chip is left where --chip-park says.

Examples:
  asyt chip check --chip-command 'python3 lab.py' --picture look.svg
  asyt chip check --chip-address 10.0.0.7:7070 --controls 4032 --json";

/// `asyt chip check`.
#[derive(Debug, clap::Args)]
pub struct CheckArguments {
    /// Start this command, which drives the chip over its standard input and output
    #[arg(long, value_name = "COMMAND", required_unless_present = "chip_address", conflicts_with = "chip_address")]
    pub chip_command: Option<String>,
    /// Connect to the chip's driver, which listens there
    #[arg(long, value_name = "HOST:PORT")]
    pub chip_address: Option<String>,
    /// Where the chip is left: last, zero, or a file that holds controls [default: last]
    #[arg(long, value_name = "last|zero|FILE")]
    pub chip_park: Option<String>,
    /// Longest wait for an answer beyond the time that the chip needs to settle [default: 10]
    #[arg(long, value_name = "SECONDS")]
    pub chip_timeout: Option<f64>,
    /// Samples in the batch that is sent again and again
    #[arg(long, value_name = "N", default_value_t = Effort::default().samples)]
    pub samples: usize,
    /// Times that it is sent at one setting, to see the noise
    #[arg(long, value_name = "N", default_value_t = Effort::default().repeats)]
    pub repeats: usize,
    /// Controls that are moved; a random choice where the chip has more
    #[arg(long, value_name = "N", default_value_t = Effort::default().controls)]
    pub controls: usize,
    /// Mean power of an input mode (of real inputs the largest value): as bright as the light that the chip will be trained with
    #[arg(long, value_name = "POWER", default_value_t = Effort::default().power)]
    pub input_power: f64,
    /// Of the light, the settings and the choice
    #[arg(long, default_value_t = Effort::default().seed)]
    pub seed: u64,
    /// Draw the responses (svg, png or pdf by the name)
    #[arg(long, value_name = "FILE")]
    pub picture: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the command.
pub fn check(arguments: &CheckArguments) -> Outcome {
    let CheckArguments { chip_command, chip_address, chip_park, chip_timeout, .. } = arguments;
    let settings = RunSettings {
        chip_command: chip_command.clone(),
        chip_address: chip_address.clone(),
        chip_park: chip_park.clone(),
        chip_timeout: *chip_timeout,
        ..RunSettings::default()
    };
    activity::watch(arguments.quiet);
    activity::now("meeting the driver of the chip");
    let driver = Driver::of(&settings)?.context("no chip is named").or_usage()?;
    let chip = driver.description().clone();
    say(arguments.quiet, &visible(&format!("chip     {}", chip.name)));
    let (mut link, _parking) = driver.link()?;
    let CheckArguments { samples, repeats, controls, input_power: power, seed, .. } = *arguments;
    let effort = Effort { samples, repeats, controls, power, seed };
    activity::now("looking at the noise");
    let progress = |done: usize, all: usize| {
        activity::now(format!("moving control {} of {all}", done + 1));
        if interrupt::requested() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    };
    let found = link::check(&mut link, &effort, progress)?.ok_or_else(|| anyhow!("interrupted"))?;
    if let Some(path) = &arguments.picture {
        let content = picture::draw(path, &chip, &found)?;
        atomic_write(path, |draft| draft.write_all(&content))?;
    }
    let text = match arguments.json {
        true => format!("{:#}\n", serde_json::json!({ "chip": chip, "found": found })),
        false => visible(&table::table(&chip, &found)).into_owned(),
    };
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).context("stdout")?;
    Ok(())
}
