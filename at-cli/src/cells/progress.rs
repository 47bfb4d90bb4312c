//! One line of progress for many cells: a bar on a terminal, a line now and then elsewhere.

use super::worker::Event;
use crate::eta::Eta;
use crate::notes::Notes;
use crate::progress::say;
use crate::terminal::visible;
use crate::work;
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;
use std::time::{Duration, Instant};

/// Without a terminal, a line at most this often.
const PLAIN_INTERVAL: Duration = Duration::from_secs(5);

/// How far the cells of a run are.
pub struct CellProgress {
    quiet: bool,
    cells: usize,
    done: usize,
    failed: usize,
    bar: Option<ProgressBar>,
    /// Cells that were there when this began.
    before: usize,
    began: Instant,
    eta: Eta,
    said: Option<Instant>,
    /// Side by side.
    jobs: usize,
    /// That it takes long was said.
    warned: bool,
}

impl CellProgress {
    /// Nothing of `cells` is known yet; `jobs` are trained side by side.
    pub fn new(quiet: bool, cells: usize, jobs: usize) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {msg}").expect("the template is valid");
            let bar = ProgressBar::new(cells as u64).with_style(style);
            bar.set_message(format!("0/{cells} cells"));
            bar
        });
        let (began, jobs) = (Instant::now(), jobs.clamp(1, cells.max(1)));
        let eta = Eta::default();
        CellProgress { quiet, cells, done: 0, failed: 0, bar, before: 0, began, eta, said: None, jobs, warned: false }
    }

    /// A cell was done in an earlier run.
    pub fn there_already(&mut self) {
        self.done += 1;
        self.before += 1;
        if let Some(bar) = &self.bar {
            bar.set_position(self.done as u64);
        }
    }

    /// Cells without a result.
    pub fn left(&self) -> usize {
        self.cells - self.done - self.failed
    }

    /// Says once that a day will not do, where `seconds` go into each of the cells that are left.
    fn expect(&mut self, seconds: f64) {
        let rest = seconds * self.left() as f64 / self.jobs as f64;
        if rest > work::DAY && !self.warned {
            self.warned = true;
            let text = format!(
                "the {} cells that are left take about {} at the pace of the first, {} side by side",
                self.left(),
                work::duration(rest),
                self.jobs
            );
            match &self.bar {
                Some(bar) => bar.println(format!("note: {text}")),
                None => Notes::default().say([text]),
            }
        }
    }

    /// Something happened.
    pub fn hear(&mut self, event: &Event) {
        let latest = match event {
            Event::Began { .. } | Event::Stopped { .. } => return,
            Event::Pace { cell, seconds } => {
                self.expect(*seconds);
                format!("{cell} takes about {}", work::duration(*seconds))
            }
            Event::Epoch { cell, epoch, epochs, score } => {
                format!("{cell} epoch {epoch}/{epochs}  test {score}")
            }
            Event::Done { cell } => {
                self.done += 1;
                let (new, elapsed) = (self.done - self.before, self.began.elapsed());
                if elapsed > work::SETTLED {
                    self.expect(elapsed.as_secs_f64() * self.jobs as f64 / new as f64);
                }
                format!("{cell} done")
            }
            Event::Diverged { cell, reason } => {
                self.done += 1;
                format!("{cell} done: {reason}")
            }
            Event::Failed { cell, reason } => {
                self.failed += 1;
                let line = format!("{cell} failed: {reason}");
                match &self.bar {
                    Some(bar) => bar.println(visible(&line)),
                    None => say(self.quiet, &line),
                }
                line
            }
        };
        let line = self.line(&latest);
        if let Some(bar) = &self.bar {
            bar.set_position((self.done + self.failed) as u64);
            bar.set_message(visible(&line).into_owned());
        } else if self.done + self.failed == self.cells || self.said.is_none_or(|at| at.elapsed() >= PLAIN_INTERVAL) {
            self.said = Some(Instant::now());
            say(self.quiet, &line);
        }
    }

    fn line(&mut self, latest: &str) -> String {
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
        let left = self.eta.left(self.began.elapsed().as_secs_f64(), self.left() as f64);
        let rest = left.map_or(String::new(), |seconds| format!("  {} left", work::duration(seconds)));
        format!("{}/{} cells{failed}{rest}  {latest}", self.done, self.cells)
    }

    /// The line stays, with the cursor below it.
    pub fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.set_message(self.line(""));
            bar.abandon();
            say(false, "");
        }
    }
}
