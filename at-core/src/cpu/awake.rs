//! Threads that stay awake between the operations of a step.
//!
//! A step of a mid-sized network is some tens of parallel operations of a tenth of a millisecond each. A thread of rayon's pool
//! that finds no work goes to sleep after some microseconds, and waking it takes as long as its share of the next operation.
//! While operations keep coming, every thread therefore watches for them; it gives its core away whenever another thread wants
//! it, and it stops when nothing has come for [`PATIENCE`].

use rayon::Yield;
use std::cell::Cell;
use std::hint::spin_loop;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::thread::yield_now;
use std::time::{Duration, Instant};

/// How long a thread watches in vain: more than the serial work between two operations, less than anybody notices.
const PATIENCE: Duration = Duration::from_micros(200);

/// Controls times samples of a pass from which on the threads are worth keeping awake: a mesh takes a third of a millisecond
/// for its gradient then, and smaller networks hardly more than one thread.
const WORTHWHILE: usize = 1 << 20;

/// Threads that watch.
static WATCHING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static WATCHES: Cell<bool> = const { Cell::new(false) };
}

/// Keeps the pool's other threads awake for a pass of `batch` samples through a network of `controls`, and what follows it.
pub fn keep(controls: usize, batch: usize) {
    let others = rayon::current_num_threads() - 1;
    let Some(caller) = rayon::current_thread_index() else { return };
    if controls.saturating_mul(batch) >= WORTHWHILE && WATCHING.load(Relaxed) < others {
        rayon::spawn_broadcast(move |context| {
            if context.index() != caller {
                watch();
            }
        });
    }
}

/// Does what work there is until there has been none for a while. What it does may ask for watchers again, on this thread too.
fn watch() {
    if WATCHES.replace(true) {
        return;
    }
    WATCHING.fetch_add(1, Relaxed);
    let mut last = Instant::now();
    while last.elapsed() < PATIENCE {
        if rayon::yield_now() == Some(Yield::Executed) {
            last = Instant::now();
        } else {
            (0..50).for_each(|_| spin_loop());
            yield_now();
        }
    }
    WATCHING.fetch_sub(1, Relaxed);
    WATCHES.set(false);
}
