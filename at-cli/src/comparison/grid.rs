//! Grids: which settings vary, and the settings at every point.

use super::sources::Sources;
use crate::cells::Cells;
use crate::failure::{OrUsage, Outcome};
use crate::network_text::NetworkText;
use crate::settings::{self, RunSettings};
use crate::trial::{self, Tasks};
use crate::work::Work;
use crate::{activity, names, notes};
use anyhow::{Context, Result, anyhow, bail, ensure};
use clap::FromArgMatches;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::path::Path;

/// More points than this are a typing error.
const MOST_POINTS: usize = 100_000;

/// Settings that take the same values together: `parameter-spread,update-error=0,0.3,0.6`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vary {
    /// Names of settings.
    pub names: Vec<String>,
    /// The values that all of them take, as written on the command line.
    pub values: Vec<String>,
}

impl std::str::FromStr for Vary {
    type Err = anyhow::Error;

    /// `NAME[,NAME]=VALUE,VALUE,…`; where a value has commas, semicolons stand between values.
    fn from_str(text: &str) -> Result<Self> {
        let (names, values) = text.split_once('=').ok_or_else(|| anyhow!("write it as NAME=VALUE,VALUE,…"))?;
        let between = if values.contains(';') { ';' } else { ',' };
        let split = |text: &str, between| text.split(between).map(|word: &str| word.trim().to_string()).collect();
        let vary = Vary { names: split(names, ','), values: split(values, between) };
        vary.check()?;
        Ok(vary)
    }
}

impl Vary {
    /// Errs unless it names settings that can vary, with values that they take, each once.
    pub fn check(&self) -> Result<()> {
        let vary = self;
        ensure!(!vary.names.is_empty(), "no setting is named that varies");
        ensure!(!vary.values.is_empty(), "{} has no values", vary.name());
        let count = vary.values.len();
        ensure!(count <= MOST_POINTS, "{} has {count} values; {MOST_POINTS} are the most", vary.name());
        let known = settings::keys();
        for name in &vary.names {
            ensure!(known.contains(name), "{}", names::unknown("setting", name, known.iter().map(String::as_str)));
            match name.as_str() {
                "method" => bail!("methods are compared at every point; name them with --method"),
                "chip-seed" => bail!("chips vary at every point; count them with --chips, from --chip-seed on"),
                "score" => bail!("all points are judged by one score; name it with --score"),
                "data-dir" | "data-memory" | "adapter" => bail!("{name} is not part of what is compared"),
                _ => {}
            }
        }
        let mut seen = HashSet::new();
        for (index, value) in vary.values.iter().enumerate() {
            ensure!(!value.is_empty(), "value {} of {} is empty", index + 1, vary.name());
            ensure!(seen.insert(value), "{} = {value} is named twice", vary.name());
        }
        self.tables().map(drop)
    }

    /// The names as one word.
    pub fn name(&self) -> String {
        self.names.join(",")
    }

    /// The settings of every value, each as a table of what it changes.
    fn tables(&self) -> Result<Vec<toml::Table>> {
        let command = flags_of_settings();
        let count = self.values.len();
        let table = |(index, value): (usize, &String)| {
            activity::now_and_then(|| format!("understanding value {} of {count}", index + 1));
            toml::Table::try_from(self.settings(&command, value)?).context("settings")
        };
        self.values.iter().enumerate().map(table).collect()
    }

    /// The settings with which the names have this value; the value means what it means as a flag's.
    fn settings(&self, command: &clap::Command, value: &str) -> Result<RunSettings> {
        let flags = self.names.iter().map(|name| format!("--{name}={value}"));
        let matches = command.clone().try_get_matches_from(flags).map_err(|error| {
            let text = error.to_string();
            let line = text.lines().next().unwrap_or_default();
            anyhow!("{} = {value}: {}", self.name(), line.trim_start_matches("error: "))
        })?;
        RunSettings::from_arg_matches(&matches).with_context(|| format!("{} = {value}", self.name()))
    }
}

/// A command line of nothing but settings.
fn flags_of_settings() -> clap::Command {
    <RunSettings as clap::Args>::augment_args(clap::Command::new("").no_binary_name(true))
}

/// One point of a grid.
pub struct Point {
    /// The values of what varies, in the order of the request.
    pub values: Vec<String>,
    /// Complete settings, all methods in them.
    pub settings: RunSettings,
    /// What the chips have of imperfections, for people.
    pub imperfections: String,
    /// What a reader must know of the data.
    pub data_note: Option<String>,
    /// The gain of the loss where the program has chosen it, and why.
    pub chosen_gain: Option<String>,
    /// What makes one doubt that this is meant.
    pub notes: Vec<String>,
    /// Memory that one training takes at the least (bytes).
    pub bytes: f64,
    /// What all methods take on one chip.
    pub work: Work,
    /// The trainings: method by method, chip by chip.
    pub cells: Cells,
}

/// All points: the last of `vary` runs fastest. What makes no sense at one of them is wrong usage, before anything is trained.
pub fn points(
    config: Option<&Path>,
    flags: &RunSettings,
    vary: &[Vary],
    chips: u64,
    sources: &mut Sources,
) -> Outcome<Vec<Point>> {
    let count: usize = vary.iter().map(|vary| vary.values.len()).fold(1, usize::saturating_mul);
    if count > MOST_POINTS {
        let advice = "give --vary fewer values";
        return Err(anyhow!("a grid of {count} points; {MOST_POINTS} are the most: {advice}")).or_usage();
    }
    if count == 0 {
        return Err(anyhow!("a setting that varies has no values")).or_usage();
    }
    let mut tasks = Tasks::default();
    let settings = vary.iter().map(Vary::tables).collect::<Result<Vec<_>>>()?;
    let lead = lead(config, flags, vary).or_usage()?;
    let point = |index| {
        activity::now_and_then(|| format!("understanding point {} of {count}", index + 1));
        point(config, flags, vary, &settings, chips, index, lead.as_ref(), &mut tasks, sources)
    };
    (0..count).map(point).collect()
}

/// The network whose kind decides on the defaults of all points: the one that is given, else the first one that varies. It is
/// the same for all, so that a run that goes on has the defaults with which it began.
pub fn lead(config: Option<&Path>, flags: &RunSettings, vary: &[Vary]) -> Result<Option<NetworkText>> {
    let in_file = || Ok(config.map(settings::read).transpose()?.and_then(|file| file.network));
    let varied = || {
        let vary = vary.iter().find(|vary| vary.names.iter().any(|name| name == "network"))?;
        vary.values.first().map(|value| vary.settings(&flags_of_settings(), value))
    };
    let given = flags.network.clone().map_or_else(in_file, |network| anyhow::Ok(Some(network)))?;
    match given {
        Some(network) => Ok(Some(network)),
        None => Ok(varied().transpose()?.and_then(|settings| settings.network)),
    }
}

fn point(
    config: Option<&Path>,
    flags: &RunSettings,
    vary: &[Vary],
    tables: &[Vec<toml::Table>],
    chips: u64,
    mut index: usize,
    lead: Option<&NetworkText>,
    tasks: &mut Tasks,
    sources: &mut Sources,
) -> Outcome<Point> {
    let first = index == 0;
    let mut values = vec![String::new(); vary.len()];
    let mut changed = toml::Table::try_from(flags).context("settings")?;
    for ((slot, vary), tables) in values.iter_mut().zip(vary).zip(tables).rev() {
        let place = index % vary.values.len();
        slot.clone_from(&vary.values[place]);
        index /= vary.values.len();
        changed.extend(tables[place].clone());
    }
    let place = || {
        let at = vary.iter().zip(&values).map(|(vary, value)| format!("{} = {value}", vary.name()));
        at.collect::<Vec<_>>().join(", ")
    };
    let in_place = |error: anyhow::Error| if vary.is_empty() { error } else { error.context(place()) };
    let flags: RunSettings = changed.try_into().context("settings")?;
    let (settings, _) = settings::explained(config, &flags, lead).map_err(in_place).or_usage()?;
    let settings = if *sources == Sources::Unknown { settings.of_a_kept_run() } else { settings };
    if settings.has_outside_chip() {
        let reason =
            "trainings side by side would share the one chip; asyt train takes its methods one after the other";
        return Err(in_place(anyhow!("a chip from outside (--chip-command, --chip-address): {reason}"))).or_usage();
    }
    if settings.share.as_deref() == Some("tiles") {
        let reason = "--share tiles is about several ranks that train one chip, and here each trains chips of its own; drop --share";
        return Err(in_place(anyhow!(reason))).or_usage();
    }
    let task = tasks.of(settings).map_err(|failure| failure.map(in_place))?;
    let (plan, network) = (&task.plan, &task.network);
    let samples = tasks.data(plan).map_err(|failure| failure.map(in_place))?;
    let gpu = plan.settings.engine.as_deref() == Some("gpu");
    let need = trial::memory(plan, network, None, trial::held_samples(samples), gpu);
    if matches!(sources, Sources::Same(_)) {
        // what a run has left can be looked at anywhere
        need.check().context("a training").map_err(in_place).or_usage()?;
    }
    let work = Work::of_training(plan, network, [samples.train.len(), samples.test.len()]);
    let (mut notes, data_note) = (samples.notes.clone(), samples.note.clone());
    let contents = sources.contents(&task)?;
    if task.plan.settings.has_chip_files() && chips > 1 && *sources != Sources::Unknown {
        let reason =
            "chips are drawn by their numbers, but the chip comes from files and is one; drop --chips, or the files";
        return Err(anyhow!("--chips {chips}: {reason}")).or_usage();
    }
    if first {
        // the others say it with their results: a look takes a moment, and there may be many points
        let samples = tasks.data(&task.plan).map_err(|failure| failure.map(in_place))?;
        notes::merge(&mut notes, trial::before(&task.plan, &task.network, samples)?);
    }
    notes::merge(&mut notes, task.plan.notes);
    let (settings, chosen_gain) = (task.plan.settings, task.plan.chosen_gain);
    let cells = Cells::new(&settings, &task.plan.methods, chips, contents).or_usage()?;
    Ok(Point {
        values,
        settings,
        imperfections: task.imperfections,
        data_note,
        chosen_gain,
        notes,
        bytes: need.bytes(),
        work,
        cells,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vary(text: &str) -> Vary {
        text.parse().unwrap()
    }

    #[test]
    fn what_varies_is_read_as_flags_are() {
        let spreads = vary("parameter-spread,update-error=0, 0.5");
        let at: RunSettings = spreads.tables().unwrap()[1].clone().try_into().unwrap();
        assert_eq!((at.parameter_spread, at.update_error, at.phase), (Some(0.5), Some(0.5), None));
        let networks = vary("network=mesh:64x3,triangular;mesh:64x3");
        assert_eq!(networks.values, ["mesh:64x3,triangular", "mesh:64x3"]);
        for (text, part) in [
            ("epochs", "NAME=VALUE"),
            ("epoch=1,2", "did you mean epochs?"),
            ("epochs=1,two", "two"),
            ("epochs=1,1", "twice"),
            ("epochs=1,,2", "empty"),
            ("method=at,pat", "--method"),
            ("chip-seed=1,2", "--chips"),
        ] {
            let error = format!("{:#}", text.parse::<Vary>().unwrap_err());
            assert!(error.contains(part), "{text}: {error}");
        }
    }

    #[test]
    fn a_grid_has_every_combination_and_the_last_setting_runs_fastest() {
        let grid = [vary("update-error=0,0.5"), vary("epochs=1,2,3")];
        let points = points(None, &RunSettings::default(), &grid, 2, &mut Sources::Same(Vec::new())).ok().unwrap();
        let values: Vec<_> = points.iter().map(|point| point.values.join(" ")).collect();
        assert_eq!(values, ["0 1", "0 2", "0 3", "0.5 1", "0.5 2", "0.5 3"]);
        assert_eq!(points[5].settings.update_error, Some(0.5));
        assert_eq!(points[5].settings.epochs, Some(3));
        let names: std::collections::HashSet<_> =
            points.iter().flat_map(|p| p.cells.iter()).map(|cell| cell.name).collect();
        assert_eq!(names.len(), 6 * 3 * 2);
    }

    #[test]
    fn a_varied_kind_of_chip_keeps_the_spreads_of_the_flags() {
        let flags = RunSettings { update_error: Some(0.25), ..RunSettings::default() };
        let points = points(None, &flags, &[vary("chip=weight-bank,ideal")], 1, &mut Sources::Unknown).ok().unwrap();
        assert_eq!(points[1].settings.update_error, Some(0.25));
        assert_eq!((points[0].settings.response_slope, points[1].settings.response_slope), (Some(0.3), Some(0.0)));
    }
}
