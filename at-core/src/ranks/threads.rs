//! Ranks that are threads of one process: for tests, and to try out what several would do.

use super::Collective;
use crate::{Error, Result};
use std::ops::Range;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

/// How long a thread of the pool that has nothing to do rests until it looks for work again.
const REST: Duration = Duration::from_micros(50);

/// What every rank has brought to a meeting.
type Brought = Arc<Vec<Vec<u8>>>;

/// Where ranks meet.
struct Meeting {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// Of this meeting, as far as they are there.
    brought: Vec<Option<Vec<u8>>>,
    /// The number of meetings before, and what the last one gave.
    done: u64,
    last: Brought,
    /// Some rank that is gone for good.
    left: Option<usize>,
}

/// One thread's end.
struct Member {
    rank: usize,
    ranks: usize,
    meeting: Arc<Meeting>,
}

/// Runs `work` on so many `ranks`, each on a thread of its own, and gives what came out, by rank.
/// Their operations share the threads of rayon's pool; one that calls this from there goes on with its work.
pub fn together<R: Send>(ranks: usize, work: impl Fn(Arc<dyn Collective>) -> R + Sync) -> Vec<R> {
    let state = State { brought: vec![None; ranks], done: 0, last: Arc::default(), left: None };
    let meeting = Arc::new(Meeting { state: Mutex::new(state), changed: Condvar::new() });
    thread::scope(|scope| {
        let begin = |rank| {
            let member = Member { rank, ranks, meeting: meeting.clone() };
            let work = &work;
            scope.spawn(move || work(Arc::new(member)))
        };
        let threads: Vec<_> = (0..ranks).map(begin).collect();
        // a thread of the pool is needed there: its ranks' operations may wait for it
        while rayon::current_thread_index().is_some() && threads.iter().any(|thread| !thread.is_finished()) {
            if rayon::yield_now() != Some(rayon::Yield::Executed) {
                thread::sleep(REST);
            }
        }
        let end = |thread: thread::ScopedJoinHandle<'_, R>| {
            thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        };
        threads.into_iter().map(end).collect()
    })
}

impl Meeting {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Member {
    /// What all ranks bring.
    fn meet(&self, own: Vec<u8>) -> Result<Brought> {
        let mut state = self.meeting.state();
        let number = state.done;
        state.brought[self.rank] = Some(own);
        if state.brought.iter().all(Option::is_some) {
            state.last =
                Arc::new(state.brought.iter_mut().map(|brought| brought.take().expect("all are there")).collect());
            state.done += 1;
            self.meeting.changed.notify_all();
        }
        while state.done == number {
            if let Some(left) = state.left {
                let reason = format!("rank {left} has ended before the others");
                return Err(Error::Device { device: "ranks".to_string(), reason });
            }
            state = self.meeting.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        Ok(state.last.clone())
    }

    /// What all ranks bring: of each the values in `range`, or all, one after the other.
    fn meet_with(&self, values: &[f64], range: Option<Range<usize>>) -> Result<Vec<f64>> {
        let brought = self.meet(bytemuck::cast_slice(values).to_vec())?;
        let mut met = Vec::new();
        for bytes in brought.iter() {
            let eights = bytes.as_chunks::<8>().0;
            let own = range.as_ref().map_or(eights, |range| &eights[range.clone()]);
            met.reserve(own.len());
            met.extend(own.iter().map(|eight| f64::from_ne_bytes(*eight)));
        }
        Ok(met)
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.meeting.state().left.get_or_insert(self.rank);
        self.meeting.changed.notify_all();
    }
}

impl Collective for Member {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn barrier(&self) -> Result<()> {
        self.meet(Vec::new()).map(drop)
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> Result<()> {
        let own = if self.rank == 0 { bytes.clone() } else { Vec::new() };
        bytes.clone_from(&self.meet(own)?[0]);
        Ok(())
    }

    fn gather(&self, own: &[f64], counts: &[usize]) -> Result<Vec<f64>> {
        crate::error::same_size("values of this rank", counts[self.rank], own.len())?;
        self.meet_with(own, None)
    }

    fn exchange(&self, values: &[f64], counts: &[usize]) -> Result<Vec<f64>> {
        let start: usize = counts[..self.rank].iter().sum();
        self.meet_with(values, Some(start..start + counts[self.rank]))
    }
}
