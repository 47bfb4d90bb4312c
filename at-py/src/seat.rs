//! The calling thread as one of those that compute. To hand a layer over to a pool whose threads sleep, and to be woken at its end, takes
//! about as long as the layer.

use at_core::Real;
use at_core::cpu::Cpu;
use rayon::ThreadPoolBuilder;
use std::cell::OnceCell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Somebody has the seat. There is one: its other threads stay for as long as the process.
static TAKEN: AtomicBool = AtomicBool::new(false);

thread_local! {
    static SEATED: OnceCell<bool> = const { OnceCell::new() };
}

/// Does `work` on threads of the engine's kind: with the first thread that asks as one of them, else on the pool that all share.
pub fn compute<T: Real, R: Send>(work: impl FnOnce() -> R + Send) -> R {
    match SEATED.with(|seated| *seated.get_or_init(take)) {
        true => work(),
        false => Cpu::<T>::new().install(work),
    }
}

/// Takes the seat, if it is free and this thread belongs to no pool.
fn take() -> bool {
    if rayon::current_thread_index().is_some() || TAKEN.swap(true, Ordering::SeqCst) {
        return false;
    }
    // as many threads as the pool that all share has (RAYON_NUM_THREADS)
    match ThreadPoolBuilder::new().use_current_thread().build() {
        Ok(pool) => {
            std::mem::forget(pool); // its end would be that of its threads
            true
        }
        Err(_) => false, // no threads to be had; the shared pool says so
    }
}
