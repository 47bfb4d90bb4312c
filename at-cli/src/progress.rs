//! What a person sees of a run: on stderr, a bar on a terminal, plain lines elsewhere, nothing with `--quiet`. A program that listens
//! is told instead.

use crate::activity;
use crate::export::scores::shown;
use crate::listener::{Audience, Listener};
use crate::notes::Notes;
use crate::terminal::visible;
use crate::work;
use at_core::training::{MethodName, Record};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::{IsTerminal, Write};
use std::time::{Duration, Instant};

/// Without a terminal, a line at most this often.
const PLAIN_INTERVAL: Duration = Duration::from_secs(2);

/// Progress of one method.
pub enum Progress<'a> {
    /// `--quiet`.
    Silent,
    /// A program is told.
    Told(&'a dyn Listener),
    /// A bar that counts epochs.
    Bar(ProgressBar),
    /// Lines for a log file.
    Plain {
        /// The method.
        method: MethodName,
        /// Epochs done.
        done: usize,
        /// All epochs.
        epochs: usize,
        /// When the last line was written.
        last: Option<Instant>,
    },
}

/// Says one line on stderr unless `quiet`. Nobody listening is no failure.
pub fn say(quiet: bool, text: &str) {
    if !quiet {
        activity::spoken();
        let _ = writeln!(std::io::stderr(), "{}", visible(text));
    }
}

/// Says where results lie, also where nothing else is said.
pub fn results_in(quiet: bool, text: &str) {
    say(quiet, "");
    say(false, &format!("results in {text}"));
}

impl<'a> Progress<'a> {
    /// Progress of `method` through `epochs`, for `audience`.
    pub fn new(audience: Audience<'a>, method: MethodName, epochs: usize) -> Self {
        match audience {
            Audience::Program(listener) => return Progress::Told(listener),
            Audience::Terminal { quiet: true } => return Progress::Silent,
            Audience::Terminal { quiet: false } => {}
        }
        if !std::io::stderr().is_terminal() {
            return Progress::Plain { method, done: 0, epochs, last: None };
        }
        let bar = ProgressBar::new(epochs as u64);
        let template = "{prefix:<11} {bar:20} epoch {pos}/{len}  {msg}";
        bar.set_style(ProgressStyle::with_template(template).expect("the template is valid"));
        bar.set_prefix(method.to_string());
        activity::over(); // the bar tells
        bar.tick();
        Progress::Bar(bar)
    }

    /// Of the `total` batches of an epoch so many are `over`; the whole run still takes `left` (seconds).
    pub fn batch(&self, over: usize, total: usize, left: Option<f64>) {
        match self {
            Progress::Silent => {}
            Progress::Told(listener) => listener.batch(over, total),
            Progress::Bar(bar) if over.is_multiple_of(total.div_ceil(100)) => {
                bar.set_message(format!("batch {over}/{total}{}", rest(left)));
            }
            Progress::Bar(_) => {}
            Progress::Plain { method, done, epochs, .. } => {
                activity::now_and_then(|| format!("{method} epoch {}/{epochs}, batch {over} of {total}", done + 1));
            }
        }
    }

    /// Says what makes one doubt that this is meant, above the bar where there is one; also where nothing else is said.
    pub fn note(&self, text: String) {
        match self {
            Progress::Bar(bar) => bar.println(format!("note: {text}")),
            Progress::Told(listener) => listener.note(&text),
            Progress::Silent | Progress::Plain { .. } => Notes::default().say([text]),
        }
    }

    /// An epoch is over, and the whole run still takes `left` (seconds).
    pub fn epoch(&mut self, record: &Record, left: Option<f64>) {
        let score = shown(record.judged_by, record.test_score);
        let text = format!("loss {:.4}  test {score}{}", record.train_loss, rest(left));
        match self {
            Progress::Silent => {}
            Progress::Told(listener) => listener.epoch(record),
            Progress::Bar(bar) => {
                bar.set_message(text);
                bar.set_position(record.epoch as u64);
            }
            Progress::Plain { done, epochs, last, .. } => {
                *done = record.epoch;
                activity::spoken(); // or will be soon
                if record.epoch == *epochs || last.is_none_or(|last| last.elapsed() >= PLAIN_INTERVAL) {
                    *last = Some(Instant::now());
                    say(false, &format!("{:<11} epoch {}/{epochs}  {text}", record.method.as_str(), record.epoch));
                }
            }
        }
    }
}

/// `  3 min left`; nothing where it is over in no time.
fn rest(left: Option<f64>) -> String {
    left.filter(|seconds| *seconds >= 1.0)
        .map_or(String::new(), |seconds| format!("  {} left", work::duration(seconds)))
}

impl Drop for Progress<'_> {
    fn drop(&mut self) {
        if let Progress::Bar(bar) = self {
            bar.abandon();
            say(false, ""); // the bar leaves the cursor on its line, where the next one would overwrite it
        }
    }
}

/// Progress of a download: a bar on a terminal, nothing elsewhere.
pub struct Download {
    visible: bool,
    bar: Option<ProgressBar>,
}

impl Download {
    /// No download yet.
    pub fn new(quiet: bool) -> Self {
        Download { visible: !quiet && std::io::stderr().is_terminal(), bar: None }
    }

    /// A download from `url` begins.
    pub fn begin(&mut self, url: &str) {
        self.end();
        if self.visible {
            let style = ProgressStyle::with_template("{bar:30} {bytes:>10} of {total_bytes} {eta}  {msg}");
            let bar = ProgressBar::new(0).with_style(style.expect("the template is valid"));
            bar.set_message(visible(url).into_owned());
            self.bar = Some(bar);
        } else {
            let file = url.rsplit('/').next().unwrap_or_default();
            activity::now(format!("asking for {file}"));
        }
    }

    /// So many bytes are there, of so many.
    pub fn received(&self, bytes: u64, total: u64) {
        if let Some(bar) = &self.bar {
            bar.set_length(total);
            bar.set_position(bytes);
        } else {
            activity::now_and_then(|| format!("{bytes} of {total} bytes are here"));
        }
    }

    /// The download is over; what remains to be said is a line.
    pub fn end(&mut self) {
        activity::over();
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
    }
}
