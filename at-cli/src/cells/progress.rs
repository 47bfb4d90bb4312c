//! One line of progress for many cells: a bar on a terminal, a line now and then elsewhere.

use super::worker::Event;
use crate::progress::say;
use crate::terminal::visible;
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
    began: (usize, Instant),
    said: Option<Instant>,
}

impl CellProgress {
    /// `done` of `cells` are there from an earlier run.
    pub fn new(quiet: bool, cells: usize, done: usize) -> Self {
        let bar = (!quiet && std::io::stderr().is_terminal()).then(|| {
            let style = ProgressStyle::with_template("{bar:30} {msg}").expect("the template is valid");
            let bar = ProgressBar::new(cells as u64).with_style(style).with_position(done as u64);
            bar.set_message(format!("{done}/{cells} cells"));
            bar
        });
        CellProgress { quiet, cells, done, failed: 0, bar, began: (done, Instant::now()), said: None }
    }

    /// Something happened.
    pub fn hear(&mut self, event: &Event) {
        let latest = match event {
            Event::Began { .. } | Event::Stopped { .. } => return,
            Event::Epoch { cell, epoch, epochs, accuracy } => {
                format!("{cell} epoch {epoch}/{epochs}  test {:.2} %", 100.0 * accuracy)
            }
            Event::Done { cell } => {
                self.done += 1;
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

    fn line(&self, latest: &str) -> String {
        let failed = if self.failed == 0 { String::new() } else { format!(", {} failed", self.failed) };
        let (before, began) = self.began;
        let (new, left) = (self.done + self.failed - before, self.cells - self.done - self.failed);
        let rest = match new {
            0 => String::new(),
            new => format!("  {} left", duration(began.elapsed().as_secs_f64() / new as f64 * left as f64)),
        };
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

/// `42 s`, `3 min`, `2.5 h`.
fn duration(seconds: f64) -> String {
    match seconds {
        s if s < 100.0 => format!("{s:.0} s"),
        s if s < 6000.0 => format!("{:.0} min", s / 60.0),
        s => format!("{:.1} h", s / 3600.0),
    }
}
