//! What stages are called in files: by kind, in the order in which light meets them, `mesh0`, `weight-bank1`.

use at_core::network::{Network, Stage};
use std::collections::BTreeMap;

/// The word for a kind that can have errors of its own; none for stages that are always as designed, and for those of which nobody
/// here knows more than that they are there.
fn kind(stage: &Stage) -> Option<&'static str> {
    match stage {
        Stage::Mesh(_) => Some("mesh"),
        Stage::Attenuators(_) => Some("attenuators"),
        Stage::Matrix(_) => Some("matrix"),
        Stage::WeightBank(_) => Some("weight-bank"),
        Stage::Splitter(_) | Stage::Combiner(_) | Stage::Modulation(_) => None,
        Stage::Activation(_) | Stage::Detection(_) | Stage::Rectifier(_) => None,
        Stage::Own(_) => None,
    }
}

/// Per stage its name, where it has one. Stages with a name are linear.
pub fn names(network: &Network) -> Vec<Option<String>> {
    let mut counts = BTreeMap::new();
    let name = |stage| {
        let kind = kind(stage)?;
        let number = counts.entry(kind).and_modify(|count| *count += 1).or_insert(0_usize);
        Some(format!("{kind}{number}"))
    };
    network.stages().map(name).collect()
}
