//! What the program is busy with, said on stderr when nothing has been said for a while: nobody shall wonder whether it still works.

use crate::terminal::visible;
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
    let mut watched = state();
    if quiet || watched.is_some() {
        return;
    }
    *watched = Some(State::new(Instant::now()));
    // without a thread there is silence, and nothing else is lost
    let _ = std::thread::Builder::new().spawn(|| {
        loop {
            std::thread::sleep(TICK);
            let line = state().as_mut().and_then(|state| state.due(Instant::now()));
            if let Some(line) = line {
                let _ = writeln!(std::io::stderr(), "{}", visible(&line));
            }
        }
    });
}

impl State {
    fn new(now: Instant) -> Self {
        State { busy: String::new(), changed: now, spoken: now, patience: FIRST }
    }

    /// What is to be said at the time `now`.
    fn due(&mut self, now: Instant) -> Option<String> {
        if self.busy.is_empty() || now.duration_since(self.spoken) < self.patience {
            return None;
        }
        self.spoken = now;
        self.patience = (2 * self.patience).min(LAST);
        Some(format!("{} …", self.busy))
    }

    fn spoken(&mut self, now: Instant) {
        self.spoken = now;
        self.patience = FIRST;
    }
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
        state.spoken(Instant::now());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_silence_is_broken_with_what_takes_long_and_the_next_may_be_longer() {
        let start = Instant::now();
        let mut state = State::new(start);
        let at = |state: &mut State, seconds: f64| state.due(start + Duration::from_secs_f64(seconds));
        assert_eq!(at(&mut state, 100.0), None, "nothing takes long");
        state.busy = "reading".to_string();
        assert_eq!(at(&mut state, 1.4), None);
        assert_eq!(at(&mut state, 1.6).as_deref(), Some("reading …"));
        assert_eq!(at(&mut state, 4.0), None);
        assert_eq!(at(&mut state, 4.7).as_deref(), Some("reading …"));
        state.spoken(start + Duration::from_secs(5));
        assert_eq!(at(&mut state, 6.4), None);
        assert!(at(&mut state, 6.6).is_some());
        let lines = (0..10_000).filter(|&k| at(&mut state, 7.0 + f64::from(k)).is_some()).count();
        assert!((160..180).contains(&lines), "{lines} lines in 10000 s");
    }
}
