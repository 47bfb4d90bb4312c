//! Memory that this program has asked for, counted: what a computation needs at its peak, exact and the same everywhere.
//! Blocks of some size start where a cache line does: vectors of 64 bytes that lie across two lines load at half the speed,
//! and the system's allocator puts every large block 16 bytes behind such a place.
//!
//! Memory that the system refuses ends the program with one error, as nothing here can go on without; sizes that a person can type
//! are refused before ([`crate::memory`]), so this is for what nobody could know.

use crate::{interrupt, memory, ranks};
use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::Cell;
use std::io::Write;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

/// The system's allocator, with a count of bytes and aligned blocks.
pub struct Counted;

/// Bytes of a cache line and of the widest vectors.
const LINE: usize = 64;

/// Blocks of this size and larger are aligned; smaller ones are rarely walked through with vectors.
const ALIGNED: usize = 4096;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

/// What is asked of the system for `layout`: a function of the layout alone, so that a block is given back as it was asked for.
fn aligned(layout: Layout) -> Layout {
    if layout.size() < ALIGNED { layout } else { layout.align_to(LINE).unwrap_or(layout) }
}

static REFUSED: AtomicBool = AtomicBool::new(false);

thread_local! {
    /// This thread is saying that memory ran out, for which it needs a little.
    static SAYING: Cell<bool> = const { Cell::new(false) };
}

/// A block that was had, or the end.
fn had(block: *mut u8, layout: Layout) -> *mut u8 {
    if block.is_null() {
        ran_out(layout.size());
    }
    block
}

/// Says that the system refused `bytes`, and ends the program: not by way of a panic, which would need memory on every thread.
#[cold]
fn ran_out(bytes: usize) -> ! {
    if !SAYING.get() && REFUSED.swap(true, Relaxed) {
        std::thread::sleep(Duration::from_millis(100)); // another thread says it
    } else if !SAYING.replace(true) {
        LIVE.fetch_sub(bytes, Relaxed);
        let [more, taken] = [bytes, live()].map(|bytes| memory::size(bytes as f64));
        let advice = interrupt::advice().map_or(String::new(), |advice| format!("; {advice}"));
        let advice = format!("choose a smaller --network or --batch-size, or stop other programs{advice}");
        // the rank's own line; that of the whole run is rank 0's, when it is ended with the others
        let who = match ranks::world().map(ranks::World::rank) {
            Some(0) => "error: rank 0: ".to_string(),
            Some(rank) => format!("rank {rank}: "),
            None => "error: ".to_string(),
        };
        let line = format!("{who}memory ran out: {more} more were asked for, with {taken} taken; {advice}\n");
        let _ = std::io::stderr().write_all(line.as_bytes());
    }
    interrupt::leave(1)
}

// SAFETY: every request goes to the system's allocator, with a layout that differs at most in a stricter alignment and is the
// same when a block is given back. `realloc` is the trait's own: it asks for the new block, copies, gives the old one back.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        had(unsafe { System.alloc(aligned(layout)) }, layout)
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        had(unsafe { System.alloc_zeroed(aligned(layout)) }, layout)
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise, and `aligned` gives what the block was asked for with.
        unsafe { System.dealloc(pointer, aligned(layout)) }
    }
}

/// Bytes in use.
pub fn live() -> usize {
    LIVE.load(Relaxed)
}

/// The most bytes in use at any time since [`restart_peak`].
pub fn peak() -> usize {
    PEAK.load(Relaxed)
}

/// Forgets peaks before now.
pub fn restart_peak() {
    PEAK.store(live(), Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_blocks_start_at_cache_lines() {
        let mut blocks: Vec<Vec<u8>> = (0..20).map(|k| vec![k; ALIGNED << (k % 8)]).collect();
        for block in &mut blocks {
            block.reserve(2 * block.len()); // moves it
        }
        blocks.extend((0..20).map(|k| vec![0; ALIGNED + 1000 * k]));
        assert!(blocks.iter().all(|block| (block.as_ptr() as usize).is_multiple_of(LINE)));
        assert!(
            blocks
                .iter()
                .enumerate()
                .all(|(k, block)| block.iter().all(|&b| usize::from(b) == if k < 20 { k } else { 0 }))
        );
    }

    /// Other tests allocate at the same time, so only bounds can be known.
    #[test]
    fn a_peak_outlives_what_caused_it() {
        restart_peak();
        let before = peak();
        drop(std::hint::black_box(vec![1_u8; 64 << 20]));
        assert!(peak() >= before + (32 << 20), "{before} {}", peak());
    }
}
