//! Which parts that imperfections are particular to a network has.

use super::{Network, Stage};
use crate::imperfections::Part;
use crate::optics::layout::crossings;

impl Network {
    /// Whether it has some of this `part`.
    pub fn has(&self, part: Part) -> bool {
        match part {
            Part::Meshes => self.meshes().next().is_some(),
            Part::Crossings => self.meshes().any(|mesh| crossings(mesh).iter().any(|&count| count > 0)),
            Part::Matrices => self.stages().any(|stage| matches!(stage.crossed(), Stage::Matrix(_))),
            Part::WeightBanks => self.stages().any(|stage| matches!(stage.crossed(), Stage::WeightBank(_))),
            Part::RingBanks => self.stages().any(|stage| matches!(stage, Stage::RingBank(_))),
            Part::PhaseChange => self.stages().any(|stage| matches!(stage, Stage::PhaseChange(_))),
            Part::Masks => self.stages().any(|stage| matches!(stage, Stage::Mask(_))),
            Part::Planes => self.stages().any(|stage| matches!(stage, Stage::FreeSpace(_))),
            Part::Shifters => self.stages().any(|stage| !stage.heaters().is_empty()),
            Part::Hidden => self.layers().len() > 1,
        }
    }
}
