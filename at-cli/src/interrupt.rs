//! Ctrl-C: a run has somewhat less than a second to end its epoch and keep it. What takes longer is ended where it stands, and so
//! is a second Ctrl-C and every command that has nothing to keep. A chip from outside is parked first: its driver may take as long as for
//! an answer, unless somebody presses once more.
//!
//! Whatever lies on disk was put there as a whole (`at_core::files`), so that an end at any moment costs at most the epoch that was
//! under way.

use anyhow::{Context, Result};
use at_core::link::Handle;
use std::io::{IsTerminal, Write};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::channel;
use std::thread::{self, Builder};
use std::time::Duration;

static REQUESTS: AtomicUsize = AtomicUsize::new(0);
static ENDS: AtomicUsize = AtomicUsize::new(0);
static OVER: AtomicBool = AtomicBool::new(false);
static KEPT: Mutex<Option<Kept>> = Mutex::new(None);
static CHIPS: Mutex<Vec<Handle>> = Mutex::new(Vec::new());

/// Exit code of a program that a signal ended, as shells count it.
const ENDED_BY_INTERRUPT: i32 = 130;

/// What a run has to end its epoch.
const GRACE: Duration = Duration::from_millis(850);

/// What a process has that another one started, so that the other can still hear of its end.
const GRACE_OF_A_WORKER: Duration = Duration::from_millis(500);

/// A last line takes no longer than this: somebody who reads no more must not keep the program alive.
const LAST_LINE: Duration = Duration::from_millis(50);

/// What a driver has to park its chip when everything else is given up.
const PARKING: Duration = Duration::from_millis(300);

/// What an end at any moment leaves behind.
#[derive(Clone)]
struct Kept {
    /// What a person does next.
    advice: String,
    /// The epoch that is under way is worth waiting for.
    epochs: bool,
}

/// Ends with the part of a command in which something is kept.
pub struct Keeping(());

impl Drop for Keeping {
    fn drop(&mut self) {
        *kept() = None;
    }
}

/// Ends with the use of a chip from outside.
pub struct Parking(Handle);

impl Drop for Parking {
    fn drop(&mut self) {
        chips().retain(|chip| !chip.is(&self.0));
    }
}

/// From here on an end at any moment parks the chip behind `handle` first.
pub fn parking(handle: Handle) -> Parking {
    chips().push(handle.clone());
    Parking(handle)
}

fn chips() -> std::sync::MutexGuard<'static, Vec<Handle>> {
    CHIPS.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// From here on an epoch is given its time to end, and `command` goes on after any end.
pub fn resumable(command: &str) -> Keeping {
    *kept() = Some(Kept { advice: format!("continue with: {command}"), epochs: true });
    Keeping(())
}

/// From here on an end leaves something behind, of which `advice` says what to do with it.
pub fn kept_so_far(advice: String) -> Keeping {
    *kept() = Some(Kept { advice, epochs: false });
    Keeping(())
}

fn kept() -> std::sync::MutexGuard<'static, Option<Kept>> {
    KEPT.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

/// What to do after an end now, if nobody is about to change it: asked where nothing may wait.
pub fn advice() -> Option<String> {
    KEPT.try_lock().ok()?.as_ref().map(|kept| kept.advice.clone())
}

/// Listens for SIGINT and SIGTERM from here on.
pub fn listen() -> Result<()> {
    ctrlc::set_handler(|| {
        if OVER.load(Ordering::SeqCst) {
            return;
        }
        let epochs = kept().as_ref().is_some_and(|kept| kept.epochs);
        if REQUESTS.fetch_add(1, Ordering::SeqCst) > 0 || !epochs {
            return end_loudly();
        }
        end_after(GRACE, end_loudly);
        say("stopping: an epoch that does not end within a second is lost; once more stops at once");
    })
    .context("Ctrl-C cannot be listened to")
}

/// [`listen`] without a word: for a process that another one started and speaks for, and for one that has a whole terminal.
pub fn listen_quietly() -> Result<()> {
    ctrlc::set_handler(|| match requested() {
        false => request(),
        true => leave(ENDED_BY_INTERRUPT),
    })
    .context("Ctrl-C cannot be listened to")
}

/// Hears no signal: for a rank whose end another one decides.
#[cfg(feature = "mpi")]
pub fn listen_to_nobody() -> Result<()> {
    ctrlc::set_handler(|| {}).context("Ctrl-C cannot be listened to")
}

/// All is said, and the program ends: from here on a signal changes nothing. `mpirun` sends one to the ranks that are still ending when the
/// first of them has ended with an error.
#[cfg(feature = "mpi")]
pub fn over() {
    OVER.store(true, Ordering::SeqCst);
}

/// Asks this process, which another one started, for an end: of its epoch if that is soon over, else of itself.
pub fn request() {
    if REQUESTS.fetch_add(1, Ordering::SeqCst) == 0 {
        end_after(GRACE_OF_A_WORKER, || -> () { leave(ENDED_BY_INTERRUPT) });
    }
}

/// Somebody asked for an end.
pub fn requested() -> bool {
    REQUESTS.load(Ordering::SeqCst) > 0
}

/// Calls `end` after `grace` on a thread of its own, or at once where there can be none.
fn end_after(grace: Duration, end: fn()) {
    let late = move || {
        thread::sleep(grace);
        end()
    };
    if Builder::new().spawn(late).is_err() {
        end();
    }
}

/// Comes back only while a chip from outside is being parked, so that once more is heard.
fn end_loudly() {
    if ENDS.fetch_add(1, Ordering::SeqCst) == 0 {
        let advice = kept().as_ref().map_or(String::new(), |kept| format!("; {}", kept.advice));
        say(&format!("error: interrupted{advice}"));
        let parked: Vec<Handle> = CHIPS.try_lock().map(|chips| chips.clone()).unwrap_or_default();
        let busy: Vec<Handle> = parked.into_iter().filter(|chip| !chip.leave(PARKING)).collect();
        if let Some(longest) = busy.iter().map(Handle::patience).max() {
            let seconds = longest.as_secs_f64();
            say(&format!(
                "the driver of the chip has up to {seconds:.0} s to end what it does and to park it; once more stops at once"
            ));
            let park = move || {
                busy.iter().for_each(|chip| {
                    chip.leave(chip.patience());
                });
                leave(ENDED_BY_INTERRUPT)
            };
            if Builder::new().spawn(park).is_ok() {
                return;
            }
        }
    } else {
        thread::sleep(LAST_LINE); // another thread is about to end the program
    }
    leave(ENDED_BY_INTERRUPT)
}

/// A line on stderr, if somebody takes it soon. Below a bar of progress it begins a line of its own.
fn say(text: &str) {
    let start = if std::io::stderr().is_terminal() { "\n" } else { "" };
    let line = format!("{start}{text}\n");
    let (sender, receiver) = channel();
    let write = move || {
        let _ = std::io::stderr().write_all(line.as_bytes());
        let _ = sender.send(());
    };
    if Builder::new().spawn(write).is_ok() {
        let _ = receiver.recv_timeout(LAST_LINE);
    }
}

/// Ends the process without running anything more, once chips from outside are parked: drivers and libraries may be in the middle
/// of their work.
pub fn leave(code: i32) -> ! {
    if let Ok(chips) = CHIPS.try_lock() {
        chips.iter().for_each(|chip| {
            chip.leave(PARKING);
        });
    }
    #[cfg(unix)]
    // SAFETY: the call takes a number and does not return.
    unsafe {
        libc::_exit(code)
    }
    #[cfg(not(unix))]
    std::process::exit(code)
}
