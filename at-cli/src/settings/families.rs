//! Defaults that follow the network: where nobody names a preset, a network of meshes is not trained as one of weight banks is.

use super::flags::RunSettings;
use crate::network_text::{NetworkText, StageText};
use anyhow::{Context, Result};
use at_core::network::Detection;
use at_core::optics::{Activation, Layout};

const MESHES: &str = include_str!("../../presets/families/meshes.toml");
const MATRICES: &str = include_str!("../../presets/families/matrices.toml");

/// Data sets of images that have a name, and the side of their images.
const IMAGES: [(&str, usize); 4] = [("digits", 8), ("mnist", 28), ("fashion-mnist", 28), ("kmnist", 28)];

/// The named data set whose features lie in 0..1 and make no image.
const IRIS: &str = "iris";

/// What differs from the default preset for `network`, where the other settings that are `given` do not say otherwise: nothing
/// for weight banks, which are the preset's own, and for networks of several kinds.
///
/// Errs where the network cannot be read.
pub fn defaults(network: &NetworkText, given: &RunSettings, dataset: &str) -> Result<RunSettings> {
    // the words `in` and `out` do not decide on the kind; a number that fits any tile stands for them
    let Ok(layers) = network.layers(5040, 5040) else { return Ok(RunSettings::default()) };
    let stages = || layers.iter().flatten();
    let coherent = stages().any(|stage| {
        matches!(stage, StageText::Mesh { .. } | StageText::Tiles { .. } | StageText::SingularValue { .. })
    });
    let banks = stages().any(|stage| matches!(stage, StageText::WeightBank { .. }));
    let matrices = stages().any(|stage| matches!(stage, StageText::Matrix { .. }));
    let text = match (coherent, banks, matrices) {
        (true, false, false) => MESHES,
        (false, false, true) => MATRICES,
        (false, _, _) | (true, true, _) | (true, _, true) => return Ok(RunSettings::default()),
    };
    let mut defaults: RunSettings = toml::from_str(text).context("defaults of a kind of network")?;
    if coherent {
        let spm = |stage: &StageText| matches!(stage, StageText::Activation { activation: Activation::Spm { .. } });
        let unfitted = |stage: &StageText| match stage {
            StageText::Detection { detection: Detection::Amplitude | Detection::Balanced } => true,
            StageText::Mesh { layout, .. } | StageText::Tiles { layout, .. } => *layout == Layout::Triangular,
            StageText::Detection { .. }
            | StageText::SingularValue { .. }
            | StageText::Matrix { .. }
            | StageText::WeightBank { .. }
            | StageText::Activation { .. }
            | StageText::Modulation {}
            | StageText::Rectifier { .. }
            | StageText::Own { .. } => false,
        };
        defaults.encoding = Some(encoding(network, dataset, stages().any(spm)));
        if dataset == IRIS {
            (defaults.batch_size, defaults.learning_rate) = (Some(10), Some(0.01)); // 120 samples make few steps
        }
        if stages().any(unfitted) {
            // at-adaptive does not find the chip there in such a time, and a tether keeps at beside it
            defaults.method = Some(["at", "in-silico", "ideal"].map(String::from).to_vec());
            defaults.tether = Some(50.0);
        }
    }
    if given.optimizer.as_deref().is_some_and(|optimizer| !optimizer.starts_with("adam")) {
        (defaults.learning_rate, defaults.tether) = (None, None); // which are Adam's
    }
    let about_at = given.share_model.is_some()
        || given.tether.is_some()
        || given.digital_weight.is_some()
        || given.physical_weight.is_some()
        || given.digital_step.is_some();
    if about_at {
        defaults.tether = None;
        defaults.method = None; // the preset's have at among them
    }
    Ok(defaults)
}

/// Fields that fit the modes that enter: of images the low frequencies, where these are a square of modes; of irises the phases,
/// because their kinds differ by how large they are, and a normalised power does not tell that; else features spread over the modes
/// with a mean power of 1. Self-phase modulation (`spm`) makes noise of the phases of bright light: there pixels
/// enter as they are.
fn encoding(network: &NetworkText, dataset: &str, spm: bool) -> String {
    let side = IMAGES.iter().find(|image| image.0 == dataset).map(|image| image.1);
    let Some(modes) = inputs(network) else {
        return match side {
            Some(8) => "fourier-crop:8".to_string(),
            Some(_) => "amplitude".to_string(),
            None if dataset == IRIS => "phase".to_string(),
            None => "amplitude".to_string(),
        };
    };
    let root = modes.isqrt();
    match side {
        Some(side) if spm && side * side == modes => "raw".to_string(),
        Some(side) if root * root == modes && root <= side => format!("fourier-crop:{root}"),
        None if dataset == IRIS => format!("phase:{modes}"),
        Some(_) | None => format!("amplitude:{modes}"),
    }
}

/// The modes that enter, where the text says so and the data do not decide.
fn inputs(network: &NetworkText) -> Option<usize> {
    let first = |width: usize| {
        let layers = network.layers(width, 1).ok()?;
        match *layers.first()?.first()? {
            StageText::Mesh { modes, .. } => Some(modes),
            StageText::Tiles { inputs, .. } | StageText::SingularValue { inputs, .. } => Some(inputs),
            StageText::Matrix { .. }
            | StageText::WeightBank { .. }
            | StageText::Activation { .. }
            | StageText::Detection { .. }
            | StageText::Modulation {}
            | StageText::Rectifier { .. }
            | StageText::Own { .. } => None,
        }
    };
    first(5040).filter(|&modes| first(10080) == Some(modes))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(network: &str, dataset: &str, given: RunSettings) -> RunSettings {
        defaults(&network.parse().unwrap(), &given, dataset).unwrap()
    }

    #[test]
    fn every_kind_of_network_has_its_own_defaults() {
        let meshes = of("mesh:64x3", "digits", RunSettings::default());
        assert_eq!((meshes.chip.as_deref(), meshes.encoding.as_deref()), (Some("mesh"), Some("fourier-crop:8")));
        assert_eq!(meshes.method.unwrap()[0], "at-adaptive");
        let tethered = of("mesh:64x3,triangular", "digits", RunSettings::default());
        assert_eq!((tethered.method.unwrap()[0].as_str(), tethered.tether), ("at", Some(50.0)));
        assert_eq!(of("matrix:in-32-out", "digits", RunSettings::default()).chip.as_deref(), Some("demo"));
        assert_eq!(of("bank:in-48-out", "digits", RunSettings::default()), RunSettings::default());
        assert_eq!(of("no network", "digits", RunSettings::default()), RunSettings::default());
    }

    #[test]
    fn signals_fit_the_modes_that_enter() {
        let encoding = |network, dataset| of(network, dataset, RunSettings::default()).encoding.unwrap();
        assert_eq!(encoding("tiles:32x64/16", "mnist"), "fourier-crop:8");
        assert_eq!(encoding("mesh:16x2", "digits"), "fourier-crop:4");
        assert_eq!(encoding("mesh:in", "digits"), "fourier-crop:8");
        assert_eq!(encoding("mesh:in", "iris"), "phase");
        assert_eq!(encoding("mesh:8x2", "iris"), "phase:8");
        assert_eq!(encoding("mesh:in", "vowel"), "amplitude");
        assert_eq!(encoding("mesh:16x2", "vowel"), "amplitude:16", "standardised features may lie a turn apart");
        assert_eq!(encoding("mesh:64x3,activation=spm", "digits"), "raw");
        assert_eq!(encoding("mesh:144", "digits"), "amplitude:144", "an image of 8 x 8 has no crop of 12 x 12");
    }

    #[test]
    fn settings_that_are_given_decide_on_others() {
        let given = RunSettings { optimizer: Some("sgd".into()), ..RunSettings::default() };
        assert_eq!(of("mesh:64x3", "digits", given).learning_rate, None);
        let given = RunSettings { tether: Some(50.0), ..RunSettings::default() };
        assert_eq!(of("mesh:64x3", "digits", given).method, None, "a tether is about at");
    }
}
