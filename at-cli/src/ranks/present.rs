//! MPI, by the crate `mpi`. Only one thread of a process is in it at any time: that which computes, or the first one while nothing is computed.

use super::{Order, started_together};
use crate::interrupt;
use anyhow::{Context, Result, ensure};
use at_core::ranks::Collective;
use mpi::datatype::{Partition, PartitionMut};
use mpi::environment::Universe;
use mpi::topology::SimpleCommunicator;
use mpi::traits::{Communicator, CommunicatorCollectives, Destination, Root, Source};
use mpi::{Count, Tag, Threading};
use std::process::ExitCode;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

/// Of orders, of checkpoints behind them, and of acknowledgements.
const ORDER: Tag = 1;
const WITH: Tag = 2;
const DONE: Tag = 3;

/// How often a message is looked for.
const LOOK: Duration = Duration::from_millis(2);

/// How long rank 0 waits for the others at the end of a command that went well, and of one that failed, when they may be in the middle of an
/// operation that never ends.
const PATIENCE: Duration = Duration::from_secs(60);
const IMPATIENCE: Duration = Duration::from_secs(3);

static WORLD: OnceLock<World> = OnceLock::new();

/// Held until the end of the process.
pub struct Seat(Option<Universe>);

/// The processes that were started together: two or more.
pub struct World {
    rank: usize,
    ranks: usize,
    local: usize,
    locals: usize,
}

/// Takes this process's place among those that were started together. Where it is alone MPI is left alone.
pub fn begin() -> Result<Seat> {
    if started_together() == 1 {
        return Ok(Seat(None));
    }
    let (universe, threading) =
        mpi::initialize_with_threading(Threading::Serialized).context("MPI was begun in this process before")?;
    ensure!(
        threading >= Threading::Serialized,
        "this MPI lets only the first thread of a process use it; take one with threads"
    );
    let world = universe.world();
    let here = world.split_shared(world.rank());
    let number = |number: i32| usize::try_from(number).expect("MPI counts from 0");
    let (rank, ranks) = (number(world.rank()), number(world.size()));
    let (local, locals) = (number(here.rank()), number(here.size()));
    let _ = WORLD.set(World { rank, ranks, local, locals });
    if std::env::var_os("RAYON_NUM_THREADS").is_none() {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = (cores / locals).max(1);
        rayon::ThreadPoolBuilder::new().num_threads(threads).build_global().context("threads")?;
    }
    Ok(Seat(Some(universe)))
}

/// All processes, where there are several.
pub fn world() -> Option<&'static World> {
    WORLD.get().filter(|world| world.ranks > 1)
}

impl Seat {
    /// Ends the others with the exit code of rank 0. Where one of them cannot hear it, all are ended by force.
    pub fn end(self, code: u8) -> ExitCode {
        if let Some(world) = world().filter(|world| world.rank == 0) {
            let (began, patience) = (Instant::now(), if code == 0 { PATIENCE } else { IMPATIENCE });
            interrupt::over();
            let told = world.tell(&Order::End { code }, None);
            if told.is_err() || !world.acknowledged(|| began.elapsed() > patience) {
                world.abort(code);
            }
        }
        drop(self.0);
        ExitCode::from(code)
    }
}

impl World {
    /// Number of this process.
    pub fn rank(&self) -> usize {
        self.rank
    }

    /// How many there are.
    pub fn ranks(&self) -> usize {
        self.ranks
    }

    /// Number of this process on its machine, and how many are there.
    pub fn on_this_machine(&self) -> (usize, usize) {
        (self.local, self.locals)
    }

    /// What they do together while they train.
    pub fn collective(&self) -> Arc<dyn Collective> {
        Arc::new(Mpi { rank: self.rank, ranks: self.ranks })
    }

    fn others(&self) -> impl Iterator<Item = i32> + use<> {
        1..i32::try_from(self.ranks).expect("MPI counts so")
    }

    /// Tells all others what to do, and what goes with it.
    pub fn tell(&self, order: &Order, with: Option<&[u8]>) -> Result<()> {
        let text = serde_json::to_vec(order).context("an order to other ranks")?;
        let world = SimpleCommunicator::world();
        for other in self.others() {
            world.process_at_rank(other).send_with_tag(&text[..], ORDER);
            if let Some(with) = with {
                let length = with.len();
                ensure!(
                    Count::try_from(length).is_ok(),
                    "{length} bytes of a checkpoint are more than one message of MPI takes"
                );
                world.process_at_rank(other).send_with_tag(with, WITH);
            }
        }
        Ok(())
    }

    /// Waits until all others have acknowledged; false where `ended` says so before.
    pub fn acknowledged(&self, ended: impl Fn() -> bool) -> bool {
        let world = SimpleCommunicator::world();
        for other in self.others() {
            let process = world.process_at_rank(other);
            while process.immediate_probe_with_tag(DONE).is_none() {
                if ended() {
                    return false;
                }
                std::thread::sleep(LOOK);
            }
            process.receive_vec_with_tag::<u8>(DONE);
        }
        true
    }

    /// The next order of rank 0, if it comes within `patience`.
    pub fn hear(&self, patience: Option<Duration>) -> Result<Option<Order>> {
        let (world, began) = (SimpleCommunicator::world(), Instant::now());
        let first = world.process_at_rank(0);
        while first.immediate_probe_with_tag(ORDER).is_none() {
            if patience.is_some_and(|patience| began.elapsed() > patience) {
                return Ok(None);
            }
            std::thread::sleep(LOOK);
        }
        let (text, _) = first.receive_vec_with_tag::<u8>(ORDER);
        Ok(Some(serde_json::from_slice(&text).context("an order of rank 0")?))
    }

    /// What came with the order.
    pub fn hear_more(&self) -> Vec<u8> {
        SimpleCommunicator::world().process_at_rank(0).receive_vec_with_tag::<u8>(WITH).0
    }

    /// Tells rank 0 that it is done.
    pub fn acknowledge(&self) {
        SimpleCommunicator::world().process_at_rank(0).send_with_tag(&[1_u8][..], DONE);
    }

    /// Ends all processes at once.
    pub fn abort(&self, code: u8) -> ! {
        SimpleCommunicator::world().abort(i32::from(code))
    }
}

/// The collective operations of MPI. Those that add are left alone: their order is not fixed.
struct Mpi {
    rank: usize,
    ranks: usize,
}

/// `counts` as MPI has them, with the places where each begins.
fn layout(counts: &[usize]) -> at_core::Result<(Vec<Count>, Vec<Count>)> {
    let total: usize = counts.iter().sum();
    if Count::try_from(total).is_err() {
        let reason =
            format!("{total} values are more than one message of MPI takes; choose a smaller network or batch");
        return Err(at_core::Error::Device { device: "MPI".to_string(), reason });
    }
    let counts: Vec<Count> = counts.iter().map(|&count| count as Count).collect();
    let mut end = 0;
    let start = |count: &Count| {
        end += count;
        end - count
    };
    let starts = counts.iter().map(start).collect();
    Ok((counts, starts))
}

impl Collective for Mpi {
    fn rank(&self) -> usize {
        self.rank
    }

    fn ranks(&self) -> usize {
        self.ranks
    }

    fn barrier(&self) -> at_core::Result<()> {
        SimpleCommunicator::world().barrier();
        Ok(())
    }

    fn broadcast(&self, bytes: &mut Vec<u8>) -> at_core::Result<()> {
        let world = SimpleCommunicator::world();
        let first = world.process_at_rank(0);
        let mut length = bytes.len() as u64;
        first.broadcast_into(&mut length);
        layout(&[length as usize])?;
        bytes.resize(length as usize, 0);
        first.broadcast_into(&mut bytes[..]);
        Ok(())
    }

    fn gather(&self, own: &[f64], counts: &[usize]) -> at_core::Result<Vec<f64>> {
        let (sizes, starts) = layout(counts)?;
        let mut all = vec![0.0; counts.iter().sum()];
        SimpleCommunicator::world().all_gather_varcount_into(own, &mut PartitionMut::new(&mut all[..], sizes, starts));
        Ok(all)
    }

    fn exchange(&self, values: &[f64], counts: &[usize]) -> at_core::Result<Vec<f64>> {
        let (sizes, starts) = layout(counts)?;
        let (own_sizes, own_starts) = layout(&vec![counts[self.rank]; self.ranks])?;
        let mut own = vec![0.0; counts[self.rank] * self.ranks];
        SimpleCommunicator::world().all_to_all_varcount_into(
            &Partition::new(values, sizes, starts),
            &mut PartitionMut::new(&mut own[..], own_sizes, own_starts),
        );
        Ok(own)
    }
}
