//! From a request to its results, by way of cells.

use super::grid::{Point, Vary, lead, points};
use super::report::Report;
use super::request::{GridArguments, Request};
use super::shared::{again, begin_together, shared_place};
use super::sources::Sources;
use crate::cells::{self, CellResult, Ending, Options, Shard, Store, Trained, shard};
use crate::failure::{OrUsage, Outcome};
use crate::notes::Notes;
use crate::progress::say;
use crate::run_folder::RunFolder;
use crate::settings::{self, RunSettings};
use crate::work::{Factor, Work};
use crate::{activity, events, interrupt, memory};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::training::Record;
use std::path::Path;

/// A comparison or sweep at its end, or as far as it has come.
pub struct Finished {
    /// What was asked for.
    pub request: Request,
    /// Numbers for people and programs.
    pub report: Report,
    /// Per point, the results of the cells that are done.
    pub results: Vec<Vec<CellResult>>,
    /// What the chips of the first point have of imperfections, for people.
    pub imperfections: String,
    /// Cells that nobody has finished or given up yet.
    pub open: usize,
}

/// Trains what is missing, and gives everything that is there; none where that was a shard and others are not done yet. Errs where the
/// run was interrupted, with the way to go on.
pub fn run(name: &str, vary: Vec<Vary>, arguments: &GridArguments) -> Outcome<Option<(Finished, RunFolder)>> {
    activity::watch(arguments.quiet);
    activity::now("understanding the settings");
    let earlier = arguments.resume.as_deref();
    let request = match earlier {
        Some(run) => {
            let changes = RunSettings { data_dir: None, ..arguments.settings.clone() };
            let same = changes == RunSettings::default() && vary.is_empty();
            let result = if same { Request::read(run, name) } else { Err(anyhow!(FOREIGN)) };
            Some(result.or_usage()?)
        }
        None => None,
    };
    let resumed = match (earlier, &request) {
        (Some(run), Some(request)) => Some(resume(run, request, arguments.shard)?),
        _ => None,
    };
    let config = earlier.map(|run| run.join("config.toml"));
    let config = config.as_deref().or(arguments.config.as_deref());
    let sources = match &request {
        Some(request) => request.contents.clone().map_or(Sources::Unknown, Sources::Same),
        None => Sources::Same(Vec::new()),
    };
    let mut request = Request::new(name, vary, arguments, request).or_usage()?;
    if earlier.is_none() && arguments.chips.is_none() && individual(config, arguments, &request.vary).or_usage()? {
        request.chips = 1;
    }
    let unknown = sources == Sources::Unknown;
    let mut sources = sources;
    let points = points(config, &arguments.settings, &request.vary, request.chips, &mut sources)?;
    request.contents = sources.noted();
    let work = work(&points, &request);
    work.check().and_then(|()| results(&points, &request).check()).or_usage()?;

    let folder = match resumed {
        Some(folder) => folder,
        None => {
            let lead = lead(config, &arguments.settings, &request.vary).or_usage()?;
            let (settings, followed) = settings::explained(config, &arguments.settings, lead.as_ref()).or_usage()?;
            followed.iter().for_each(|line| say(arguments.quiet, line));
            request.config = Some(settings::config(&settings)?);
            let preset = settings.preset.as_deref().unwrap_or("run");
            match arguments.shard {
                Some(_) => RunFolder::shared(shared_place(arguments).or_usage()?)?,
                None => RunFolder::create(arguments.out.as_deref(), &format!("{name}-{preset}"))?,
            }
        }
    };
    let log_folder = arguments.log_dir.as_deref();
    let log_folder = log_folder
        .map(|log_dir| events::folder(log_dir, folder.path(), earlier.is_none() && arguments.shard.is_none()));
    let log_folder = log_folder.transpose().or_usage()?;
    let again = again(name, &folder, arguments.shard);
    let _claim = match arguments.shard {
        Some(shard) => {
            begin_together(&folder, &request)?;
            Some(shard::take(folder.path(), shard)?)
        }
        None => {
            begin(&folder, &request)?;
            None
        }
    };
    let _keeping = interrupt::resumable(&again);
    announce(&points, &request, &folder, arguments.shard, arguments.quiet);
    let mut notes = Notes::default();
    if unknown {
        let run = folder.path().display();
        notes.say([format!(
            "{run} is of an earlier version, which did not note what its cells read; whether data and files are still the same \
             cannot be told"
        )]);
    }
    notes.say(points.iter().flat_map(|point| point.notes.clone()));
    work.say(&mut Notes::default());
    let cells: Vec<_> = points.iter().map(|point| &point.cells).collect();
    let jobs = jobs(arguments, &points, &mut notes);
    let store = Store::new(folder.path().join("cells"));
    let options = Options { jobs, log_folder: log_folder.as_deref(), shard: arguments.shard, quiet: arguments.quiet };
    let trained = cells::run(&store, &cells, &options)?;
    say(arguments.quiet, "");

    let ended_early =
        |why: &str, done: usize, all: usize| anyhow!("{why} with {done} of {all} cells done; continue with: {again}");
    let endings = match trained {
        Trained::All(endings) => endings,
        Trained::Interrupted(done, all) => return Err(ended_early("interrupted", done, all).into()),
    };
    let ours = |index: usize| arguments.shard.is_none_or(|shard| shard.has(index));
    let count = |ours_too: bool, what: fn(&Ending) -> bool| {
        endings.iter().enumerate().filter(|(index, ending)| ours(*index) == ours_too && what(ending)).count()
    };
    let open: fn(&Ending) -> bool = |ending| matches!(ending, Ending::Open);
    let (left, all) = (count(true, open), count(true, |_| true));
    if left > 0 {
        return Err(ended_early("ended early", all - left, all).into());
    }
    if let (Some(shard), others @ 1..) = (arguments.shard, count(false, open)) {
        let failed = count(true, |ending| matches!(ending, Ending::Failed(_)));
        if failed > 0 {
            return Err(anyhow!("{failed} cells of shard {shard} failed; try again with: {again}").into());
        }
        let run = folder.path().display();
        let text = format!(
            "shard {shard} of {run} is done: {all} cells; {others} of other shards are open, and the last one writes the tables"
        );
        say(false, &text);
        return Ok(None);
    }
    let finished = Finished::new(request, &points, endings);
    notes.say(finished.report.notes.clone());
    Ok(Some((finished, folder)))
}

/// What the folder `run` of an earlier comparison or sweep holds; nothing is trained and nothing written. `data_dir` wins
/// over the run's own.
pub fn read(run: &Path, data_dir: Option<&Path>) -> Outcome<Finished> {
    let request = Request::any(run).or_usage()?;
    let flags = RunSettings { data_dir: data_dir.map(Path::to_path_buf), ..RunSettings::default() };
    let mut sources = request.contents.clone().map_or(Sources::Unknown, Sources::AsNoted);
    let points = points(Some(&run.join("config.toml")), &flags, &request.vary, request.chips, &mut sources)?;
    let store = Store::new(run.join("cells"));
    let cells = points.iter().flat_map(|point| point.cells.iter());
    let endings = cells.map(|cell| cells::ending(&store, &cell.name)).collect::<Result<_>>()?;
    Ok(Finished::new(request, &points, endings))
}

/// Whether the chip of every point comes from files, so that there is one.
pub(super) fn individual(config: Option<&Path>, arguments: &GridArguments, vary: &[Vary]) -> Result<bool> {
    let varied = vary.iter().flat_map(|vary| &vary.names).any(|name| name == "chip-file" || name == "chip-errors");
    Ok(varied || settings::resolve(config, &arguments.settings)?.has_chip_files())
}

/// The number of processes side by side. Where none is asked for, no more than fit; where too many are, that is said.
pub(super) fn jobs(arguments: &GridArguments, points: &[Point], notes: &mut Notes) -> usize {
    let usual = cells::usual_jobs(points.first().and_then(|point| point.settings.engine.as_deref()));
    let available = memory::allowed().unwrap_or_else(|_| memory::available()); // what is stated wrongly was refused
    let need = points.iter().map(|point| point.bytes).fold(1.0, f64::max);
    let fits = (available / need).clamp(1.0, 1024.0) as usize;
    let Some(asked) = arguments.jobs.map(usize::from) else { return usual.min(fits) };
    if asked > fits {
        let [need, available] = [need, available].map(memory::size);
        let each = format!("each of {asked} trainings side by side needs at least {need} of memory");
        notes.say([format!("{each}, and {available} are free; --jobs {fits} would fit")]);
    }
    asked
}

/// What all cells take together.
pub(super) fn work(points: &[Point], request: &Request) -> Work {
    let all = points.iter().map(|point| point.work.clone()).reduce(Work::and);
    let mut all = all.unwrap_or_default().times("chips", request.chips as f64);
    all.factors.push(Factor { name: "points of --vary", value: points.len() as f64 });
    all
}

/// Memory of the results of all cells, which are there together at the end.
pub(super) fn results(points: &[Point], request: &Request) -> memory::Need {
    let cell = |point: &Point| {
        let records = point.settings.epochs.unwrap_or_default() as f64 * size_of::<Record>() as f64;
        (records + size_of::<CellResult>() as f64) * point.cells.len() as f64
    };
    let mut need = memory::Need::default();
    let epochs = points.iter().filter_map(|point| point.settings.epochs).max().unwrap_or_default();
    let chips = request.chips as f64;
    let (name, value) = if epochs as f64 > chips { ("epochs", epochs as f64) } else { ("chips", chips) };
    need.growing("the results of all cells", points.iter().map(cell).sum(), name, value);
    need
}

const FOREIGN: &str =
    "--resume continues with the settings of its run; drop the other flags, or start anew with --config";

/// The folder of an earlier run, with the settings that it may have been stopped before writing.
fn resume(run: &Path, request: &Request, shard: Option<Shard>) -> Result<RunFolder> {
    let folder = match shard {
        Some(_) => RunFolder::shared(run)?,
        None => {
            let folder = RunFolder::open(run)?;
            shard::require_none(run)?; // whose lock may not reach from host to host
            folder
        }
    };
    if !run.join("config.toml").exists() {
        let lost = || format!("{} has lost its config.toml; put it back, or start anew", run.display());
        folder.write("config.toml", request.config.as_ref().with_context(lost)?)?;
    }
    Ok(folder)
}

/// Writes the request first: it holds all that a run needs to go on, so that one that is stopped here has begun or has not.
fn begin(folder: &RunFolder, request: &Request) -> Result<()> {
    folder.write("request.json", &request.to_json())?;
    match &request.config {
        Some(config) if !folder.path().join("config.toml").exists() => folder.write("config.toml", config),
        _ => Ok(()),
    }
}

fn announce(points: &[Point], request: &Request, folder: &RunFolder, shard: Option<Shard>, quiet: bool) {
    let Some(point) = points.first() else { return };
    let text = |setting: &Option<String>| setting.clone().unwrap_or_default();
    let (first, last) = (point.settings.chip_seed.unwrap_or_default(), request.chips.saturating_sub(1));
    let methods = point.settings.method.clone().unwrap_or_default().join(", ");
    say(quiet, &format!("engine   {}", text(&point.settings.engine)));
    say(quiet, &format!("data     {}", text(&point.settings.dataset)));
    point.data_note.iter().for_each(|note| say(quiet, &format!("         {note}")));
    say(
        quiet,
        &format!(
            "chips    {} (seeds {first} to {}): {}",
            text(&point.settings.chip),
            first.saturating_add(last),
            point.imperfections
        ),
    );
    say(quiet, &format!("methods  {methods}"));
    for vary in &request.vary {
        say(quiet, &format!("vary     {} = {}", vary.name(), vary.values.join(", ")));
    }
    match (&point.chosen_gain, points.len()) {
        (Some(gain), 1) => say(quiet, &format!("gain     {gain}")),
        (Some(_), _) => say(quiet, "gain     chosen at every point (loss-gain auto)"),
        (None, _) => {}
    }
    if let Some(shard) = shard {
        let all = points.iter().map(|point| point.cells.len()).sum();
        let own = (0..all).filter(|&index| shard.has(index)).count();
        say(quiet, &format!("shard    {shard}: {own} of {all} cells"));
    }
    say(quiet, &format!("folder   {}\n", folder.path().display()));
}

impl Finished {
    /// Of cells that ended like this, in the order of the points' cells.
    fn new(request: Request, points: &[Point], endings: Vec<Ending>) -> Self {
        let report = Report::new(&request, points, &endings);
        let open = endings.iter().filter(|ending| matches!(ending, Ending::Open)).count();
        let imperfections = points.first().map(|point| point.imperfections.clone()).unwrap_or_default();
        let mut endings = endings.into_iter();
        let results = points.iter().map(|point| {
            let of_point = endings.by_ref().take(point.cells.len());
            of_point.filter_map(|ending| ending.result().cloned()).collect()
        });
        let results = results.collect();
        Finished { request, report, results, imperfections, open }
    }

    /// Errs unless at least one cell has a result, or diverged.
    pub fn require_results(&self) -> anyhow::Result<()> {
        let failure = self.report.failures.first();
        let reason = failure.map(|failure| failure.reason.clone()).unwrap_or_default();
        let diverged = self.report.points.iter().any(|point| !point.diverged.is_empty());
        let any = diverged || self.results.iter().any(|results| !results.is_empty());
        ensure!(any, "no cell has a result: {reason}");
        Ok(())
    }
}
