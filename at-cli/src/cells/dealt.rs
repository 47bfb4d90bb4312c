//! Cells on several ranks: those that are missing are dealt out in turn, and each rank trains its share in processes of its own.

use super::pool::{endings, run_named};
use super::{Cells, Options, Store, Trained};
use crate::ranks::{Order, World};
use crate::{activity, interrupt};
use anyhow::{Context, Result};

/// [`super::run`] on all ranks.
pub(super) fn run(world: &World, store: &Store, groups: &[&Cells], options: &Options) -> Result<Trained> {
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
    world.tell(&Order::Cells { folder, shares, jobs: options.jobs }, None)?;
    let interrupted =
        |left: usize| Ok(Trained::Interrupted(groups.iter().map(|cells| cells.len()).sum::<usize>() - left));
    let left = run_named(store, &own, options)?;
    activity::now("waiting for the other ranks");
    if !world.acknowledged(interrupt::requested) {
        return interrupted(left.max(1));
    }
    if left > 0 && interrupt::requested() {
        return interrupted(left);
    }
    Ok(Trained::All(endings(store, groups, usize::MAX)?))
}

/// One rank's share of cells, without a word: rank 0 reads the results.
#[cfg(feature = "mpi")]
pub fn run_share(store: &Store, names: &[String], jobs: usize) -> Result<()> {
    run_named(store, names, &Options { jobs, quiet: true }).map(drop)
}
