//! What the program is busy with, said on stderr when nothing has been said for a while: nobody shall wonder whether it still works.

use std::io::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The first silence that is broken; each next one may be twice as long.
const FIRST: Duration = Duration::from_millis(1500);

/// The longest silence.
const LAST: Duration = Duration::from_secs(60);

/// How often it is looked whether there is something to say.
const TICK: Duration = Duration::from_millis(100);

struct State {
    /// Empty where nothing takes long, or where somebody else tells of it.
    busy: String,
    changed: Instant,
    spoken: Instant,
    patience: Duration,
}

static STATE: Mutex<Option<State>> = Mutex::new(None);

fn state() -> MutexGuard<'static, Option<State>> {
    STATE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Breaks silences from here on, unless `quiet`.
pub fn watch(quiet: bool) {
    let mut state = state();
    if quiet || state.is_some() {
        return;
    }
    let now = Instant::now();
    *state = Some(State { busy: String::new(), changed: now, spoken: now, patience: FIRST });
    // without a thread there is silence, and nothing else is lost
    let _ = std::thread::Builder::new().spawn(|| {
        loop {
            std::thread::sleep(TICK);
            if let Some(line) = due() {
                let _ = writeln!(std::io::stderr(), "{line}");
            }
        }
    });
}

/// What is to be said now.
fn due() -> Option<String> {
    let mut state = state();
    let State { busy, spoken, patience, .. } = state.as_mut().filter(|state| !state.busy.is_empty())?;
    if spoken.elapsed() < *patience {
        return None;
    }
    *spoken = Instant::now();
    *patience = (2 * *patience).min(LAST);
    Some(format!("{busy} …"))
}

/// From here on the program is busy with this.
pub fn now(text: impl Into<String>) {
    if let Some(state) = state().as_mut() {
        state.busy = text.into();
        state.changed = Instant::now();
    }
}

/// [`now`] for what changes many times a second: `text` is called only now and then.
pub fn now_and_then(text: impl FnOnce() -> String) {
    if let Some(state) = state().as_mut().filter(|state| state.busy.is_empty() || state.changed.elapsed() > TICK) {
        state.busy = text();
        state.changed = Instant::now();
    }
}

/// Nothing takes long from here on, or it is told of otherwise.
pub fn over() {
    now("");
}

/// Something else was said.
pub fn spoken() {
    if let Some(state) = state().as_mut() {
        state.spoken = Instant::now();
        state.patience = FIRST;
    }
}
