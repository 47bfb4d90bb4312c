//! Several processes of this program that train cells side by side, and the one that watches them.

use super::progress::CellProgress;
use super::worker::Event;
use super::{Cell, CellResult, Store};
use crate::interrupt;
use anyhow::{Context, Result, anyhow, bail};
use std::collections::HashSet;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::Duration;

/// How often the watcher looks whether an end was asked for.
const TICK: Duration = Duration::from_millis(50);

/// How cells are trained.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Processes side by side.
    pub jobs: usize,
    /// No progress on stderr.
    pub quiet: bool,
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

/// The number of processes: `asked`, or one per core on the CPU, at most 8, and one on a GPU.
pub fn jobs(asked: Option<usize>, engine: Option<&str>) -> usize {
    let cores = || std::thread::available_parallelism().map_or(1, usize::from);
    asked.unwrap_or_else(|| if engine == Some("gpu") { 1 } else { cores().min(8) })
}

/// Trains what is missing of `cells` in `store`, and gives an ending for each, in their order. Cells that failed in an earlier
/// run are tried again. Ends early, with open cells, when an interruption is asked for.
pub fn run(store: &Store, cells: &[Cell], options: &Options) -> Result<Vec<Ending>> {
    let mut seen = HashSet::new();
    if let Some(twice) = cells.iter().find(|cell| !seen.insert(cell.name.as_str())) {
        bail!("two cells are the same training, {}", twice.name);
    }
    let mut open = Vec::new();
    for cell in cells {
        if store.result(&cell.name)?.is_none() && store.divergence(&cell.name).is_none() {
            store.add(cell)?;
            store.forgive(&cell.name)?;
            open.push(cell.name.clone());
        }
    }
    if !open.is_empty() {
        let progress = CellProgress::new(options.quiet, cells.len(), cells.len() - open.len());
        Pool { store, open, options, workers: Vec::new(), progress }.run()?;
    }
    cells.iter().map(|cell| ending(store, &cell.name)).collect()
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

struct Pool<'a> {
    store: &'a Store,
    /// Names of the cells without a result.
    open: Vec<String>,
    options: &'a Options,
    workers: Vec<Worker>,
    progress: CellProgress,
}

/// A process, as long as `child` is there.
struct Worker {
    child: Option<Child>,
    /// Its end asks the process to stop.
    stdin: Option<ChildStdin>,
    cell: Option<String>,
}

/// What a process says, or that it says no more.
type Message = (usize, Option<Event>);

impl Pool<'_> {
    fn run(mut self) -> Result<()> {
        let (sender, receiver) = channel();
        let jobs = self.options.jobs.clamp(1, self.open.len());
        for _ in 0..jobs {
            self.start(jobs, &sender)?;
        }
        let watched = self.watch(jobs, &sender, &receiver);
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

    fn start(&mut self, jobs: usize, sender: &Sender<Message>) -> Result<()> {
        let program = std::env::current_exe().context("the path of this program")?;
        let mut command = Command::new(program);
        command.arg("work").arg(self.store.path()).stdin(Stdio::piped()).stdout(Stdio::piped());
        if std::env::var_os("RAYON_NUM_THREADS").is_none() {
            let cores = std::thread::available_parallelism().map_or(1, usize::from);
            command.env("RAYON_NUM_THREADS", (cores / jobs).max(1).to_string());
        }
        let mut child = command.spawn().context("a process to train cells in")?;
        let (stdin, stdout) = (child.stdin.take(), child.stdout.take());
        let (mut stdin, stdout) = stdin.zip(stdout).context("the pipes of a process")?;
        let names = serde_json::to_string(&self.open).context("the names of cells")?;
        let index = self.workers.len();
        self.workers.push(Worker { child: Some(child), stdin: None, cell: None });
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
        let _ = writeln!(stdin, "{names}"); // a process that is gone already says so by its exit code
        self.workers[index].stdin = Some(stdin);
        Ok(())
    }

    /// Until the last process has ended.
    fn watch(&mut self, jobs: usize, sender: &Sender<Message>, receiver: &Receiver<Message>) -> Result<()> {
        let mut stopping = false;
        while self.workers.iter().any(|worker| worker.child.is_some()) {
            match receiver.recv_timeout(TICK) {
                Ok((index, Some(event))) => self.hear(index, event),
                Ok((index, None)) => self.bury(index, stopping, jobs, sender)?,
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
            if interrupt::requested() && !stopping {
                stopping = true;
                self.workers.iter_mut().for_each(|worker| worker.stdin = None);
            }
        }
        Ok(())
    }

    fn hear(&mut self, index: usize, event: Event) {
        self.progress.hear(&event);
        self.workers[index].cell = match event {
            Event::Began { cell } | Event::Epoch { cell, .. } => Some(cell),
            Event::Done { .. } | Event::Diverged { .. } | Event::Failed { .. } | Event::Stopped { .. } => None,
        };
    }

    /// The process `index` has ended. What killed it while it trained a cell would kill the next one too, so that cell failed.
    fn bury(&mut self, index: usize, stopping: bool, jobs: usize, sender: &Sender<Message>) -> Result<()> {
        let worker = &mut self.workers[index];
        worker.stdin = None;
        let Some(mut child) = worker.child.take() else { return Ok(()) };
        let status = child.wait().context("the end of a process")?;
        if status.success() || stopping {
            return Ok(());
        }
        let Some(cell) = worker.cell.take() else {
            return Err(anyhow!("a process that trains cells ended with {status}"));
        };
        let reason = format!("its process ended with {status}");
        self.store.fail(&cell, &reason)?;
        self.progress.hear(&Event::Failed { cell, reason });
        self.start(jobs, sender)
    }
}
