//! Cells on several ranks: those that are missing are dealt out in turn, and each rank trains its share in processes of its own.

use super::pool::{endings, run_named};
use super::{Cells, Options, Store, Trained};
use crate::ranks::{Order, World};
use crate::{activity, interrupt};
use anyhow::{Context, Result, ensure};
#[cfg(feature = "mpi")]
use std::path::Path;

/// [`super::run`] on all ranks.
pub(super) fn run(world: &World, store: &Store, groups: &[&Cells], options: &Options) -> Result<Trained> {
    ensure!(
        options.shard.is_none(),
        "--shard deals cells out to programs that know nothing of each other; ranks share them by themselves: drop --shard"
    );
    let mut shares = vec![Vec::new(); world.ranks()];
    let mut missing = 0;
    for cell in groups.iter().flat_map(|cells| cells.iter()) {
        if store.result(&cell.name)?.is_none() && store.divergence(&cell.name).is_none() {
            store.add(&cell)?;
            store.forgive(&cell.name)?;
            shares[missing % world.ranks()].push(cell.name);
            missing += 1;
        }
    }
    let options = &Options { jobs: (options.jobs / world.on_this_machine().1).max(1), ..*options };
    let (own, folder) = (shares[0].clone(), std::path::absolute(store.path()).context("the folder of the cells")?);
    let log_folder = options.log_folder.map(std::path::absolute).transpose().context("the folder of event files")?;
    world.tell(&Order::Cells { folder, shares, jobs: options.jobs, log_folder }, None)?;
    let all: usize = groups.iter().map(|cells| cells.len()).sum();
    let interrupted = |left: usize| Ok(Trained::Interrupted(all - left, all));
    let left = run_named(store, &own, options)?;
    activity::now("waiting for the other ranks");
    if !world.acknowledged(interrupt::requested) {
        return interrupted(left.max(1));
    }
    if left > 0 && interrupt::requested() {
        return interrupted(left);
    }
    Ok(Trained::All(endings(store, groups, options, usize::MAX)?))
}

/// One rank's share of cells, without a word: rank 0 reads the results.
#[cfg(feature = "mpi")]
pub fn run_share(store: &Store, names: &[String], jobs: usize, log_folder: Option<&Path>) -> Result<()> {
    run_named(store, names, &Options { jobs, log_folder, shard: None, quiet: true }).map(drop)
}
