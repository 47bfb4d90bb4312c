//! A run whose chip from outside is reached otherwise than when it was begun: a driver that is started again may get another port.

use crate::settings::{self, RunSettings};
use anyhow::Result;
use std::path::Path;

/// The way there was, and the one there is.
pub struct Moved {
    before: String,
    now: String,
}

impl Moved {
    /// What `settings` change of the way that the run in `folder` was left with; none where they keep it.
    pub fn of(folder: &Path, settings: &RunSettings) -> Result<Option<Self>> {
        let kept = settings::read_own(&folder.join("config.toml"))?;
        let ways = |own: &RunSettings| {
            let RunSettings { chip_command, chip_address, chip_park, chip_timeout, .. } = own.clone();
            (chip_command, chip_address, chip_park, chip_timeout)
        };
        let named = |own: &RunSettings| own.way().unwrap_or_default().to_string();
        let same = ways(&kept) == ways(settings);
        Ok((!same).then(|| Moved { before: named(&kept), now: named(settings) }))
    }

    /// What a reader of the run has to know, unless it is the same chip's parking or time limit.
    pub fn noted(&self) -> Option<String> {
        let Moved { before, now } = self;
        let text =
            || format!("the chip was reached as {before} before and is as {now} from here on, as config.toml says now");
        (before != now).then(text)
    }
}
