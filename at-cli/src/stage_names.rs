//! What stages with controls are called in files: by kind, in the order in which light meets them, `mesh0`, `weight-bank1`.

use at_core::network::Network;
use std::collections::BTreeMap;

/// Per stage its name, where it has controls.
pub fn names(network: &Network) -> Vec<Option<String>> {
    let mut counts = BTreeMap::new();
    let mut all = Vec::new();
    for stage in network.stages() {
        let named = stage.element().controlled().is_some();
        all.push(named.then(|| {
            let count = counts.entry(stage.kind()).or_insert(0_usize);
            *count += 1;
            format!("{}{}", kebab(stage.kind()), *count - 1)
        }));
    }
    all
}

/// `WeightBank` as `weight-bank`.
pub fn kebab(kind: &str) -> String {
    let mut word = String::new();
    for letter in kind.chars() {
        if letter.is_uppercase() && !word.is_empty() {
            word.push('-');
        }
        word.extend(letter.to_lowercase());
    }
    word
}
