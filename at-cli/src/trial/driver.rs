//! The way to a chip that some other process drives: a command that is started for it, or an address.

use crate::interrupt;
use crate::settings::RunSettings;
use anyhow::{Context, Result, anyhow, ensure};
use at_core::engine::Engine;
use at_core::files::npy::NpyArray;
use at_core::files::whole::read_whole;
use at_core::link::{Description, Link, Outside, Park, Transport};
use at_core::network::Network;
use at_core::training::Checkpoint;
use at_core::training::methods::MethodFacts;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

/// What an answer may take beyond the time that the chip needs to settle, unless somebody says otherwise (seconds).
const TIMEOUT: f64 = 10.0;

/// Longest of these (seconds): a day, in which somebody would have looked at the bench.
const LONGEST_TIMEOUT: f64 = 86_400.0;

/// Bytes of a file of controls.
const LARGEST_FILE: u64 = 1 << 30;

/// How a driver is met again and again: once per training.
pub type Connect = dyn Fn(Duration) -> at_core::Result<Transport> + Send + Sync;

/// The `chip-command` of a chip that lives in the program which has begun the run: nobody else can start it.
pub const OF_THE_PROGRAM: &str = "(in the program that began this run)";

/// A driver, met for the first time.
pub struct Driver {
    connect: Box<Connect>,
    patience: Duration,
    park: Park,
    description: Description,
    /// The link of the first meeting, until a training takes it.
    first: Mutex<Option<Link>>,
}

impl Driver {
    /// The driver that `settings` name, if they name one, once it has said what its chip is.
    pub fn of(settings: &RunSettings) -> Result<Option<Self>> {
        let RunSettings { chip_command, chip_address, chip_park, chip_timeout, .. } = settings.clone();
        let Some(connect) = way(chip_command, chip_address)? else {
            return Ok(None);
        };
        let patience = patience(chip_timeout)?;
        let park = park(chip_park.as_deref())?;
        Driver::meet(connect, patience, park).map(Some)
    }

    /// The driver that the program has, behind `connect`, with the other settings of it.
    pub fn of_the_program(settings: &RunSettings, connect: Box<Connect>) -> Result<Self> {
        Driver::meet(connect, patience(settings.chip_timeout)?, park(settings.chip_park.as_deref())?)
    }

    /// The driver behind `connect`, whose answers are waited for at most `patience` beyond settling.
    pub fn meet(connect: Box<Connect>, patience: Duration, park: Park) -> Result<Self> {
        let mut first = Link::open(connect(patience)?, patience)?;
        first.park(&park).context("chip-park")?;
        first.park(&Park::Last)?; // nothing has moved it yet
        let description = first.description().clone();
        Ok(Driver { connect, patience, park, description, first: Mutex::new(Some(first)) })
    }

    fn first(&self) -> std::sync::MutexGuard<'_, Option<Link>> {
        self.first.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What it says of its chip.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// A link over which nothing was done yet, to a chip that will be left where it is parked.
    pub fn link(&self) -> Result<(Link, interrupt::Parking)> {
        let first = self.first().take();
        let mut link = match first {
            Some(link) => link,
            None => Link::open((self.connect)(self.patience)?, self.patience)?,
        };
        ensure!(
            *link.description() == self.description,
            "{} describes another chip than before: {} and now {}",
            link.name(),
            self.description.name,
            link.description().name
        );
        link.park(&self.park).context("chip-park")?;
        let parking = interrupt::parking(link.handle());
        Ok((link, parking))
    }

    /// The chip as trainers know chips.
    pub fn chip<E: Engine>(&self, engine: &E, network: &Network) -> Result<(Outside<E>, interrupt::Parking)> {
        let (link, parking) = self.link()?;
        Ok((Outside::new(engine, network, link)?, parking))
    }

    /// Errs, before anything is trained, unless the chip is one of `network` and offers what `methods` need.
    pub fn check(&self, network: &Network, methods: &[&MethodFacts]) -> Result<()> {
        let link = self.first().take();
        if let Some(link) = link {
            let engine = at_core::cpu::Cpu::<f32>::new();
            let link = Outside::new(&engine, network, link)?.into_link();
            *self.first() = Some(link);
        }
        methods.iter().try_for_each(|facts| self.description.admits(facts))?;
        Ok(())
    }

    /// What a run's identity has of it: which chip it is, and nothing of how it is reached.
    pub fn identity(&self) -> String {
        let Description { name, controls, inputs, outputs, .. } = &self.description;
        format!("{name}: {controls} controls, {inputs} inputs, {outputs} outputs")
    }
}

/// The way that is named, if one is.
fn way(command: Option<String>, address: Option<String>) -> Result<Option<Box<Connect>>> {
    match (command, address) {
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(anyhow!("chip-command and chip-address are two ways to a chip; drop one of them")),
        (None, Some(address)) => Ok(Some(Box::new(move |patience| Transport::tcp(&address, patience)))),
        (Some(command), None) if command == OF_THE_PROGRAM => {
            Err(anyhow!("the chip of this run is in the program that began it; continue it there"))
        }
        (Some(command), None) => {
            let words = shlex::split(&command).filter(|words| !words.is_empty());
            let words =
                words.with_context(|| format!("chip-command = {command:?} is no command line: is a quote open?"))?;
            Ok(Some(Box::new(move |_| Transport::command(&words[0], &words[1..]))))
        }
    }
}

/// How long answers are waited for.
pub fn patience(timeout: Option<f64>) -> Result<Duration> {
    let seconds = timeout.unwrap_or(TIMEOUT);
    let sensible = seconds > 0.0 && seconds <= LONGEST_TIMEOUT;
    ensure!(sensible, "chip-timeout = {seconds} is not valid: lies above 0 and is at most {LONGEST_TIMEOUT} seconds");
    Ok(Duration::from_secs_f64(seconds))
}

/// Where the chip is left, in words or as a file.
pub fn park(text: Option<&str>) -> Result<Park> {
    match text {
        None | Some("last") => Ok(Park::Last),
        Some("zero") => Ok(Park::Zero),
        Some(file) => {
            let controls = controls(Path::new(file)).context("chip-park")?;
            let wrong = controls.iter().position(|control| !control.is_finite());
            ensure!(wrong.is_none(), "chip-park {file}: control {} is no finite number", wrong.unwrap_or_default());
            Ok(Park::Controls(controls))
        }
    }
}

fn controls(file: &Path) -> Result<Vec<f64>> {
    ensure!(file.is_file(), "{}: is neither last nor zero, and no file", file.display());
    if file.extension().is_some_and(|end| end == "npy") {
        let content = read_whole(file, LARGEST_FILE)?;
        let values = NpyArray::<Vec<u8>>::parse(&content).and_then(|array| array.reals());
        return values.map_err(|reason| anyhow!("{}: {reason}", file.display()));
    }
    let checkpoint = Checkpoint::of_any_run(file)?;
    let controls = checkpoint.controls().with_context(|| format!("{}: holds no controls", file.display()))?;
    Ok(controls.to_vec())
}
