//! Memory that this program has asked for, counted: what a computation needs at its peak, exact and the same everywhere.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// The system's allocator, with a count of bytes.
pub struct Counted;

static LIVE: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

fn grow(bytes: usize) {
    PEAK.fetch_max(LIVE.fetch_add(bytes, Relaxed) + bytes, Relaxed);
}

// SAFETY: every request goes to the system's allocator unchanged; only numbers are kept beside it.
unsafe impl GlobalAlloc for Counted {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc(layout) }
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        grow(layout.size());
        // SAFETY: the caller's promise.
        unsafe { System.alloc_zeroed(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        grow(size);
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promise.
        unsafe { System.realloc(pointer, layout, size) }
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

    /// Other tests allocate at the same time, so only bounds can be known.
    #[test]
    fn a_peak_outlives_what_caused_it() {
        restart_peak();
        let before = peak();
        drop(std::hint::black_box(vec![1_u8; 64 << 20]));
        assert!(peak() >= before + (32 << 20), "{before} {}", peak());
    }
}
