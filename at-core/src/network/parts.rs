//! Which parts that imperfections are particular to a network has.

use super::{Network, Stage};
use crate::imperfections::Part;
use crate::optics::layout::crossings;

impl Network {
    /// Whether it has some of this `part`.
    pub fn has(&self, part: Part) -> bool {
        let any = |is: fn(&Stage) -> bool| self.parts().any(is);
        match part {
            Part::Meshes => any(|stage| matches!(stage, Stage::Mesh(_))),
            Part::Crossings => {
                any(
                    |stage| {
                        if let Stage::Mesh(mesh) = stage {
                            crossings(mesh).iter().any(|&count| count > 0)
                        } else {
                            false
                        }
                    },
                )
            }
            Part::Matrices => any(|stage| matches!(stage, Stage::Matrix(_))),
            Part::WeightBanks => any(|stage| matches!(stage, Stage::WeightBank(_))),
            Part::RingBanks => any(|stage| matches!(stage, Stage::RingBank(_))),
            Part::PhaseChange => any(|stage| matches!(stage, Stage::PhaseChange(_))),
            Part::Masks => any(|stage| matches!(stage, Stage::Mask(_))),
            Part::Planes => any(|stage| matches!(stage, Stage::FreeSpace(_))),
            Part::Shifters => self.stages().any(|stage| !stage.heaters().is_empty()),
            Part::Hidden => self.layers().len() > 1,
        }
    }
}
