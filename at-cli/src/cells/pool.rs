//! Several processes of this program that train cells side by side, and the one that watches them.

use super::progress::CellProgress;
use super::worker::Event;
use super::{Cell, CellResult, Cells, Shard, Store};
use crate::ranks::{self, Order, World};
use crate::{activity, interrupt};
use anyhow::{Context, Result, anyhow, bail, ensure};
use std::collections::HashSet;
use std::ffi::OsString;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often the watcher looks whether an end was asked for.
const TICK: Duration = Duration::from_millis(50);

/// How cells are trained.
#[derive(Clone, Copy, Debug)]
pub struct Options<'a> {
    /// Processes side by side.
    pub jobs: usize,
    /// Where the curves of the cells go as event files.
    pub log_folder: Option<&'a Path>,
    /// The part of the cells that is trained here; none for all of them.
    pub shard: Option<Shard>,
    /// No progress on stderr.
    pub quiet: bool,
}

impl Options<'_> {
    /// Whether cell number `index` of all is trained here.
    fn has(&self, index: usize) -> bool {
        self.shard.is_none_or(|shard| shard.has(index))
    }
}

/// How a cell ended.
#[derive(Clone, Debug, PartialEq)]
pub enum Ending {
    /// With a result.
    Done(Box<CellResult>),
    /// Its training diverged, and how: that is what came out.
    Diverged(String),
    /// Without a result, and why.
    Failed(String),
    /// Not at all: the run was interrupted.
    Open,
}

impl Ending {
    /// The result of a cell that is done.
    pub fn result(&self) -> Option<&CellResult> {
        match self {
            Ending::Done(result) => Some(result),
            Ending::Diverged(_) | Ending::Failed(_) | Ending::Open => None,
        }
    }
}

/// The number of processes where none is asked for: one per core on the CPU, at most 8, and one on a GPU.
pub fn usual_jobs(engine: Option<&str>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    if engine == Some("gpu") { 1 } else { cores().min(8) }
}

/// What has become of all cells.
pub enum Trained {
    /// An ending for each, in their order.
    All(Vec<Ending>),
    /// An end was asked for before; so many have one, of so many that were to be trained here.
    Interrupted(usize, usize),
}

/// Trains what is missing of all `groups` in `store`, or a shard of it. Cells that failed in an earlier run are tried again.
pub fn run(store: &Store, groups: &[&Cells], options: &Options) -> Result<Trained> {
    let mut seen = HashSet::new();
    let mut names = groups.iter().flat_map(|cells| cells.firsts()).map(|cell| cell.name);
    if let Some(twice) = names.find(|name| !seen.insert(name.clone())) {
        bail!("two cells are the same training, {twice}");
    }
    drop(names);
    if let Some(world) = ranks::world() {
        return run_on_ranks(world, store, groups, options);
    }
    let all = groups.iter().map(|cells| cells.len()).sum();
    let count = (0..all).filter(|&index| options.has(index)).count();
    let mut cells = groups.iter().flat_map(|cells| cells.iter()).enumerate().filter(|(index, _)| options.has(*index));
    let progress = CellProgress::new(options.quiet, count, options.jobs);
    let mut pool = Pool { store, cells: &mut cells, reached: 0, options, workers: Vec::new(), progress };
    pool.run()?;
    let (reached, left) = (pool.reached, pool.progress.left());
    if interrupt::requested() && left > 0 {
        return Ok(Trained::Interrupted(count - left, count));
    }
    Ok(Trained::All(endings(store, groups, options, reached)?))
}

/// How far all cells of `groups` are, of which the first ones were `reached`.
fn endings(store: &Store, groups: &[&Cells], options: &Options, reached: usize) -> Result<Vec<Ending>> {
    let all = groups.iter().map(|cells| cells.len()).sum();
    let mut endings = Vec::with_capacity(all);
    for (index, cell) in groups.iter().flat_map(|cells| cells.iter()).enumerate() {
        activity::now_and_then(|| format!("reading results, {} of {all}", index + 1));
        endings.push(match ending(store, &cell.name)? {
            Ending::Failed(_) if options.has(index) && index >= reached => Ending::Open, // in an earlier run
            ending => ending,
        });
    }
    activity::over();
    Ok(endings)
}

/// [`run`] with the missing cells dealt out to all ranks in turn, of which each starts processes of its own.
fn run_on_ranks(world: &World, store: &Store, groups: &[&Cells], options: &Options) -> Result<Trained> {
    ensure!(
        options.shard.is_none(),
        "--shard deals cells out to programs that know nothing of each other; ranks of MPI share them by themselves: drop --shard"
    );
    let mut shares = vec![Vec::new(); world.ranks()];
    let mut missing = 0;
    for cell in groups.iter().flat_map(|cells| cells.iter()) {
        if store.result(&cell.name)?.is_none() && store.divergence(&cell.name).is_none() {
            store.add(&cell)?;
            store.forgive(&cell.name)?;
            shares[missing % world.ranks()].push(cell.name);
            missing += 1;
        }
    }
    let options = &Options { jobs: (options.jobs / world.on_this_machine().1).max(1), ..*options };
    let (own, folder) = (shares[0].clone(), std::path::absolute(store.path()).context("the folder of the cells")?);
    let log_folder = options.log_folder.map(std::path::absolute).transpose().context("the folder of event files")?;
    world.tell(&Order::Cells { folder, shares, jobs: options.jobs, log_folder }, None)?;
    let all: usize = groups.iter().map(|cells| cells.len()).sum();
    let interrupted = |left: usize| Ok(Trained::Interrupted(all - left, all));
    let left = run_named(store, &own, options)?;
    activity::now("waiting for the other ranks");
    if !world.acknowledged(interrupt::requested) {
        return interrupted(left.max(1));
    }
    if left > 0 && interrupt::requested() {
        return interrupted(left);
    }
    Ok(Trained::All(endings(store, groups, options, usize::MAX)?))
}

/// Trains the cells of these names, whose settings are in `store`; gives the number of those that an interruption left open.
fn run_named(store: &Store, names: &[String], options: &Options) -> Result<usize> {
    let cells: Vec<Cell> = names
        .iter()
        .map(|name| Ok(Cell { settings: store.settings(name)?, name: name.clone() }))
        .collect::<Result<_>>()?;
    let progress = CellProgress::new(options.quiet, cells.len(), options.jobs);
    let mut cells = cells.into_iter().enumerate();
    let mut pool = Pool { store, cells: &mut cells, reached: 0, options, workers: Vec::new(), progress };
    pool.run()?;
    Ok(pool.progress.left())
}

/// One rank's share of cells, without a word: rank 0 reads the results.
#[cfg(feature = "mpi")]
pub fn run_share(store: &Store, names: &[String], jobs: usize, log_folder: Option<&Path>) -> Result<()> {
    run_named(store, names, &Options { jobs, log_folder, shard: None, quiet: true }).map(drop)
}

/// How far the cell called `name` is.
pub fn ending(store: &Store, name: &str) -> Result<Ending> {
    Ok(match (store.result(name)?, store.divergence(name), store.failure(name)) {
        (Some(result), _, _) => Ending::Done(Box::new(result)),
        (None, Some(reason), _) => Ending::Diverged(reason),
        (None, None, Some(reason)) => Ending::Failed(reason),
        (None, None, None) => Ending::Open,
    })
}

static PROGRAM: OnceLock<(PathBuf, Vec<OsString>)> = OnceLock::new();

/// This program is started by `program` with these arguments before its own, where the process is another program's.
pub fn started_by(program: PathBuf, before: Vec<OsString>) {
    let _ = PROGRAM.set((program, before)); // it stays the same one
}

fn program() -> std::io::Result<(PathBuf, Vec<OsString>)> {
    PROGRAM.get().cloned().map_or_else(|| Ok((std::env::current_exe()?, Vec::new())), Ok)
}

struct Pool<'a> {
    store: &'a Store,
    /// Those that nobody has looked at yet.
    cells: &'a mut dyn Iterator<Item = (usize, Cell)>,
    /// Number of those before, whosever they are.
    reached: usize,
    options: &'a Options<'a>,
    workers: Vec<Worker>,
    progress: CellProgress,
}

/// A process, as long as `child` is there.
struct Worker {
    child: Option<Child>,
    /// Where it reads the names of its cells; the end of it asks the process to stop.
    stdin: Option<ChildStdin>,
    /// What it trains, and whether it has said so.
    cell: Option<(String, bool)>,
}

/// What a process says, or that it says no more.
type Message = (usize, Option<Event>);

impl Pool<'_> {
    fn run(&mut self) -> Result<()> {
        let (sender, receiver) = channel();
        let watched = (|| {
            for _ in 0..self.options.jobs {
                let Some(cell) = self.next()? else { break };
                self.start(cell, &sender)?;
            }
            activity::now("training the first cells");
            self.watch(&sender, &receiver)
        })();
        // whatever went wrong here, nobody goes on unwatched
        for worker in &mut self.workers {
            worker.stdin = None;
            if let Some(child) = &mut worker.child {
                let _ = child.wait();
            }
        }
        self.progress.end();
        watched
    }

    /// The name of the next cell without a result, ready to be trained.
    fn next(&mut self) -> Result<Option<String>> {
        for (index, cell) in &mut *self.cells {
            self.reached = index + 1;
            if self.store.result(&cell.name)?.is_none() && self.store.divergence(&cell.name).is_none() {
                self.store.add(&cell)?;
                self.store.forgive(&cell.name)?;
                return Ok(Some(cell.name));
            }
            self.progress.there_already();
            activity::now_and_then(|| format!("looking for what is done, cell {}", self.reached));
        }
        Ok(None)
    }

    /// Starts a process that trains `cell`.
    fn start(&mut self, cell: String, sender: &Sender<Message>) -> Result<()> {
        let (program, before) = program().context("the path of this program")?;
        let mut command = Command::new(program);
        command.args(before).arg("work").arg(self.store.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        if let Some(folder) = self.options.log_folder {
            command.arg("--log-folder").arg(folder);
        }
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            let jobs = self.options.jobs.min(self.progress.left()).max(1);
            command.env("RAYON_NUM_THREADS", (cores / jobs).max(1).to_string());
        }
        let mut child = command.spawn().context("a process to train cells in")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let index = self.workers.len();
        self.workers.push(Worker { child: Some(child), stdin, cell: None });
        let stdout = stdout.context("the pipe of a process")?;
        let sender = sender.clone();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line)
                    && sender.send((index, Some(event))).is_err()
                {
                    return;
                }
            }
            let _ = sender.send((index, None));
        });
        self.assign(index, cell);
        Ok(())
    }

    /// Tells the process `index` what to train.
    fn assign(&mut self, index: usize, cell: String) {
        let worker = &mut self.workers[index];
        if let Some(stdin) = &mut worker.stdin {
            let _ = writeln!(stdin, "{cell}"); // a process that is gone already says so by its exit code
        }
        worker.cell = Some((cell, false));
    }

    /// Until the last process has ended.
    fn watch(&mut self, sender: &Sender<Message>, receiver: &Receiver<Message>) -> Result<()> {
        let mut stopping = false;
        while self.workers.iter().any(|worker| worker.child.is_some()) {
            match receiver.recv_timeout(TICK) {
                Ok((index, Some(event))) => self.hear(index, event, stopping)?,
                Ok((index, None)) => self.bury(index, stopping, sender)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if interrupt::requested() && !stopping {
                stopping = true;
                self.workers.iter_mut().for_each(|worker| worker.stdin = None);
            }
        }
        Ok(())
    }

    fn hear(&mut self, index: usize, event: Event, stopping: bool) -> Result<()> {
        activity::over(); // the progress of cells tells
        self.progress.hear(&event);
        match event {
            Event::Began { cell } | Event::Epoch { cell, .. } | Event::Pace { cell, .. } => {
                self.workers[index].cell = Some((cell, true));
            }
            Event::Done { .. } | Event::Diverged { .. } | Event::Failed { .. } | Event::Stopped { .. } => {
                self.workers[index].cell = None;
                let next = if stopping { None } else { self.next()? };
                match next {
                    Some(cell) => self.assign(index, cell),
                    None => self.workers[index].stdin = None,
                }
            }
        }
        Ok(())
    }

    /// The process `index` has ended. What killed it while it trained a cell would kill the next one too, so that cell failed.
    fn bury(&mut self, index: usize, stopping: bool, sender: &Sender<Message>) -> Result<()> {
        let worker = &mut self.workers[index];
        worker.stdin = None;
        let Some(mut child) = worker.child.take() else { return Ok(()) };
        let status = child.wait().context("the end of a process")?;
        if stopping || (status.success() && worker.cell.is_none()) {
            return Ok(());
        }
        let Some((cell, true)) = worker.cell.take() else {
            return Err(anyhow!("a process that trains cells ended with {status}"));
        };
        let reason = format!("its process ended with {status}");
        self.store.fail(&cell, &reason)?;
        self.progress.hear(&Event::Failed { cell, reason });
        match self.next()? {
            Some(cell) => self.start(cell, sender),
            None => Ok(()),
        }
    }
}
