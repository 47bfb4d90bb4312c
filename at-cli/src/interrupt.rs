//! Ctrl-C: the first one asks the run to stop after the epoch, the second one ends the program at once.

use anyhow::{Context, Result};
use std::sync::atomic::{AtomicUsize, Ordering};

static REQUESTS: AtomicUsize = AtomicUsize::new(0);

/// Exit code of a program that a signal ended, as shells count it.
const ENDED_BY_INTERRUPT: i32 = 130;

/// Asks for an end as Ctrl-C does.
pub fn request() {
    REQUESTS.fetch_add(1, Ordering::SeqCst);
}

/// [`listen`] without a word: for a process that another one started and speaks for.
pub fn listen_quietly() -> Result<()> {
    ctrlc::set_handler(|| {
        if REQUESTS.fetch_add(1, Ordering::SeqCst) > 0 {
            std::process::exit(ENDED_BY_INTERRUPT);
        }
    })
    .context("Ctrl-C cannot be listened to")
}

/// Listens for SIGINT and SIGTERM from here on.
pub fn listen() -> Result<()> {
    let note = |text: &str| {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "\n{text}");
    };
    ctrlc::set_handler(move || match REQUESTS.fetch_add(1, Ordering::SeqCst) {
        0 => note("stopping after this epoch; once more stops at once, and loses the epoch"),
        _ => std::process::exit(ENDED_BY_INTERRUPT),
    })
    .context("Ctrl-C cannot be listened to")
}

/// Somebody asked for an end.
pub fn requested() -> bool {
    REQUESTS.load(Ordering::SeqCst) > 0
}
