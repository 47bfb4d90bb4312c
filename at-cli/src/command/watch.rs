//! `asyt watch`: how far a run is, in a terminal, or once in lines.

use crate::failure::{OrUsage, Outcome};
use crate::interrupt;
use crate::watch::{Snapshot, View, Watched, draw, text};
use anyhow::{Context, Result};
use ratatui::DefaultTerminal;
use ratatui::crossterm::event::{self, Event, KeyCode, KeyEvent, KeyEventKind, KeyModifiers};
use std::io::{IsTerminal, Write};
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// What `--help` says at its end.
pub const HELP: &str = "\
Shows curves, rate, time left and misfit of a run of asyt train, compare or sweep
that goes on, has ended, or was interrupted, from another terminal or another
machine that sees its folder. It reads and never writes there, and needs no data.
Where stdout is no terminal, and with --once, it prints one snapshot. Of several
chips it shows means. q, Esc and Ctrl-C end it; the run goes on.

Examples:
  asyt watch runs/digits-1
  asyt watch runs/compare-digits-1 --once
  watch -n 60 asyt watch runs/sweep-digits-1 --once";

/// Looks at the folder are so far apart.
const INTERVAL: Duration = Duration::from_secs(1);

/// Keys and an end from outside are seen within this time.
const TICK: Duration = Duration::from_millis(100);

/// `asyt watch`.
#[derive(Debug, clap::Args)]
pub struct WatchArguments {
    /// The folder of a run
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Print one snapshot and end
    #[arg(long)]
    pub once: bool,
}

/// Runs the command.
pub fn watch(arguments: &WatchArguments) -> Outcome {
    let mut watched = Watched::open(&arguments.run).or_usage()?;
    let snapshot = watched.look()?;
    let terminal = std::io::stdout().is_terminal() && std::io::stdin().is_terminal();
    if arguments.once || !terminal {
        let mut out = std::io::stdout().lock();
        return Ok(out.write_all(text(&snapshot).as_bytes()).and_then(|()| out.flush())?);
    }
    let mut terminal = ratatui::try_init().context("the terminal")?;
    let shown = show(&mut terminal, &mut watched, snapshot);
    ratatui::try_restore().context("the terminal")?;
    Ok(shown?)
}

/// Until somebody has seen enough.
fn show(terminal: &mut DefaultTerminal, watched: &mut Watched, mut snapshot: Snapshot) -> Result<()> {
    let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let mut view = View { first: 0, plain };
    let mut looked = Instant::now();
    while !interrupt::requested() {
        terminal.draw(|frame| draw(frame, &snapshot, view)).context("the terminal")?;
        if event::poll(TICK).context("the keyboard")?
            && let Event::Key(key) = event::read().context("the keyboard")?
            && key.kind != KeyEventKind::Release
        {
            if ends(key) {
                break;
            }
            let last = snapshot.trainings.len().saturating_sub(1);
            view.first = moved(view.first, key.code).min(last);
        }
        if looked.elapsed() >= INTERVAL {
            match watched.look() {
                Ok(next) => snapshot = next,
                // what is replaced just now is there in the next second
                Err(error) => snapshot.notes = vec![crate::failure::in_a_line(&error)],
            }
            looked = Instant::now();
        }
    }
    Ok(())
}

/// Of a terminal that hands over Ctrl-C as a key.
fn ends(key: KeyEvent) -> bool {
    let control_c = key.code == KeyCode::Char('c') && key.modifiers.contains(KeyModifiers::CONTROL);
    control_c || matches!(key.code, KeyCode::Char('q') | KeyCode::Esc)
}

fn moved(first: usize, key: KeyCode) -> usize {
    match key {
        KeyCode::Up | KeyCode::Char('k') => first.saturating_sub(1),
        KeyCode::Down | KeyCode::Char('j') => first + 1,
        KeyCode::PageUp => first.saturating_sub(10),
        KeyCode::PageDown => first + 10,
        KeyCode::Home => 0,
        _ => first, // other keys mean nothing here
    }
}
