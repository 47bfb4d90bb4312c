//! The way out to a driver, and its end: the chip is parked, and the driver hears that nothing more comes.

use super::frame::{Frame, to_bytes};
use super::message::Question;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Where a chip is left at the end.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Park {
    /// As the last controls left it.
    #[default]
    Last,
    /// At 0, or at the nearest value in its range.
    Zero,
    /// At these controls.
    Controls(Vec<f64>),
}

/// The way out: what is put on it goes to the driver in whole messages, one after the other.
#[derive(Clone)]
pub(super) struct Wire {
    outgoing: Sender<Vec<u8>>,
    number: Arc<AtomicU64>,
    last: Arc<Mutex<Last>>,
    /// Nobody reads any more: the driver has closed.
    closed: Arc<(Mutex<bool>, Condvar)>,
}

/// What is still to be said.
#[derive(Default)]
pub(super) struct Last {
    /// Controls that the chip is left at, within its range.
    parked: Option<Vec<f32>>,
    said: bool,
}

impl Wire {
    pub fn new(outgoing: Sender<Vec<u8>>, closed: Arc<(Mutex<bool>, Condvar)>) -> Self {
        Wire { outgoing, number: Arc::default(), last: Arc::default(), closed }
    }

    fn last(&self) -> MutexGuard<'_, Last> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts a message on the way, unless the end was said: what came behind it could move a chip that is parked.
    pub fn put(&self, message: Question, payload: Vec<u8>) -> u64 {
        match self.last().said {
            true => self.number.fetch_add(1, Ordering::SeqCst) + 1,
            false => self.send(message, payload),
        }
    }

    fn send(&self, message: Question, payload: Vec<u8>) -> u64 {
        let number = self.number.fetch_add(1, Ordering::SeqCst) + 1;
        // where nobody writes any more, the missing answer says so
        let _ = self.outgoing.send(Frame { number, message, payload }.encode());
        number
    }

    /// The end was said.
    pub fn is_over(&self) -> bool {
        self.last().said
    }

    /// Where the chip is to be left, within its range; none for where it is.
    pub fn park(&self, controls: Option<Vec<f32>>) {
        self.last().parked = controls;
    }

    /// Parks the chip and says the end, once; then waits at most `within` for the driver to close, and tells whether it has.
    pub fn leave(&self, within: Duration) -> bool {
        {
            let mut last = self.last();
            if !std::mem::replace(&mut last.said, true) {
                if let Some(parked) = last.parked.take() {
                    self.send(Question::Program { changed: parked.len(), counted: false }, to_bytes(&parked));
                }
                self.send(Question::End {}, Vec::new());
            }
        }
        self.wait(within)
    }

    fn wait(&self, within: Duration) -> bool {
        let (closed, changed) = &*self.closed;
        let closed = closed.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = changed.wait_timeout_while(closed, within, |closed| !*closed);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// For whoever has to end the program while a [`Link`](super::Link) is in use.
#[derive(Clone)]
pub struct Handle {
    pub(super) wire: Wire,
    pub(super) patience: Duration,
}

impl Handle {
    /// Parks the chip and ends the link, without waiting for the answer under way, and for the driver's end at most `within`. Tells
    /// whether it has ended.
    pub fn leave(&self, within: Duration) -> bool {
        self.wire.leave(within)
    }

    /// What the driver may take for an answer, and so for the one under way before it parks.
    pub fn patience(&self) -> Duration {
        self.patience
    }

    /// Both are of the same link.
    pub fn is(&self, other: &Handle) -> bool {
        Arc::ptr_eq(&self.wire.number, &other.wire.number)
    }
}
