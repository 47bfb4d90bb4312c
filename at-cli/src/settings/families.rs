//! Defaults that follow the network: where nobody names a preset, a network of meshes is not trained as one of weight banks is.

use super::flags::RunSettings;
use crate::network_text::{CrossedInTurn, NetworkText, StageText};
use anyhow::{Context, Result};
use at_core::network::Detection;
use at_core::optics::{Activation, Layout};

const MESHES: &str = include_str!("../../presets/families/meshes.toml");
const CONVOLUTIONS: &str = include_str!("../../presets/families/convolutions.toml");
const PLANES: &str = include_str!("../../presets/families/planes.toml");
const MATRICES: &str = include_str!("../../presets/families/matrices.toml");
const RINGS: &str = include_str!("../../presets/families/rings.toml");
const CELLS: &str = include_str!("../../presets/families/cells.toml");

/// Data sets of images that have a name, and the side of their images.
const IMAGES: [(&str, usize); 4] = [("digits", 8), ("mnist", 28), ("fashion-mnist", 28), ("kmnist", 28)];

/// The named data set whose features lie in 0..1 and make no image.
const IRIS: &str = "iris";

/// What differs from the default preset for `network`, where the other settings that are `given` do not say otherwise: nothing
/// for dense weight banks, which are the preset's own, and for networks of several kinds.
///
/// Errs where the network cannot be read.
pub fn defaults(network: &NetworkText, given: &RunSettings, dataset: &str) -> Result<RunSettings> {
    // the words `in` and `out` do not decide on the kind; a number that fits any tile stands for them
    let square = 72 * 72; // which an image can have
    let looped = 5040 * network.parts();
    let known = network.layers(5040, 5040).or_else(|_| network.layers(square, 5040));
    let Ok(layers) = known.or_else(|_| network.layers(looped, 5040)) else {
        return Ok(RunSettings::default());
    };
    let stages = || layers.iter().flatten().flat_map(flat);
    let in_turn = |stage: &StageText| {
        if let StageText::Convolution { element, .. } = stage { Some(*element) } else { None }
    };
    let coherent = stages().any(|stage| {
        let mesh = matches!(stage, StageText::Mesh { .. } | StageText::Tiles { .. } | StageText::SingularValue { .. });
        mesh || in_turn(stage).is_some_and(CrossedInTurn::is_of_light)
    });
    let images = stages().any(|stage| in_turn(stage).is_some());
    let banks = stages().any(|stage| {
        matches!(stage, StageText::WeightBank { .. }) || in_turn(stage) == Some(CrossedInTurn::WeightBank)
    });
    let matrices = stages()
        .any(|stage| matches!(stage, StageText::Matrix { .. }) || in_turn(stage) == Some(CrossedInTurn::Matrix));
    let rings = stages()
        .any(|stage| matches!(stage, StageText::RingBank { .. }) || in_turn(stage) == Some(CrossedInTurn::RingBank));
    let cells = stages().any(|stage| {
        matches!(stage, StageText::PhaseChange { .. }) || in_turn(stage) == Some(CrossedInTurn::PhaseChange)
    });
    let planes = stages().any(|stage| matches!(stage, StageText::Mask { .. } | StageText::FreeSpace { .. }));
    let of_banks = if images { CONVOLUTIONS } else { "" };
    let there =
        [(coherent, MESHES), (planes, PLANES), (banks, of_banks), (matrices, MATRICES), (rings, RINGS), (cells, CELLS)];
    let mut kinds = there.into_iter().filter(|(there, _)| *there);
    let (Some((_, text)), None) = (kinds.next(), kinds.next()) else { return Ok(RunSettings::default()) };
    if text.is_empty() {
        return Ok(RunSettings::default());
    }
    let mut defaults: RunSettings = toml::from_str(text).context("defaults of a kind of network")?;
    if planes {
        defaults.encoding = Some(pixels(network, dataset));
    }
    if coherent {
        let spm = |stage: &StageText| matches!(stage, StageText::Activation { activation: Activation::Spm { .. } });
        let unfitted = |stage: &StageText| match stage {
            StageText::Detection { detection: Detection::Amplitude | Detection::Balanced } => true,
            StageText::Mesh { layout, .. } | StageText::Tiles { layout, .. } => *layout == Layout::Triangular,
            StageText::Detection { .. }
            | StageText::SingularValue { .. }
            | StageText::Matrix { .. }
            | StageText::WeightBank { .. }
            | StageText::RingBank { .. }
            | StageText::PhaseChange { .. }
            | StageText::Mask { .. }
            | StageText::FreeSpace { .. }
            | StageText::Regions { .. }
            | StageText::Activation { .. }
            | StageText::Modulation {}
            | StageText::Rectifier { .. }
            | StageText::Convolution { .. }
            | StageText::Normalization { .. }
            | StageText::Pooling { .. }
            | StageText::Loop { .. }
            | StageText::Residual { .. }
            | StageText::Own { .. } => false,
        };
        defaults.encoding = match images {
            true => None, // images as they are, as the preset has them
            false => Some(encoding(network, dataset, stages().any(spm))),
        };
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

/// A stage, or those of a residual connection.
fn flat(stage: &StageText) -> Vec<&StageText> {
    if let StageText::Residual { stages } = stage { stages.iter().flat_map(flat).collect() } else { vec![stage] }
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
    match side.filter(|_| network.parts() == 1) {
        Some(side) if spm && side * side == modes => "raw".to_string(),
        Some(side) if root * root == modes && root <= side => format!("fourier-crop:{root}"),
        None if dataset == IRIS => format!("phase:{modes}"),
        Some(_) | None => format!("amplitude:{modes}"),
    }
}

/// Fields on the grid that light enters: images in its middle, other features pixel after pixel.
fn pixels(network: &NetworkText, dataset: &str) -> String {
    let sides = |stage: &StageText| match *stage {
        StageText::Mask { rows, columns, .. } | StageText::FreeSpace { rows, columns, .. } => Some((rows, columns)),
        _ => None, // some other stage in front
    };
    let first = network.layers(5040, 5040).ok().and_then(|layers| layers.first()?.first().and_then(sides));
    let image = IMAGES.iter().any(|image| image.0 == dataset);
    match first {
        Some((rows, columns)) if image => format!("amplitude-image:{rows}x{columns}"),
        Some((rows, columns)) => format!("amplitude:{}", rows.saturating_mul(columns)),
        None => "amplitude".to_string(),
    }
}

/// The modes that enter, where the text says so and the data do not decide.
fn inputs(network: &NetworkText) -> Option<usize> {
    let first = |width: usize| {
        let layers = network.layers(width, 1).ok()?;
        let stages = layers.first()?;
        match *stages.iter().find(|stage| !matches!(stage, StageText::Loop { held: None, parts: None, .. }))? {
            StageText::Loop { steps, parts: Some(modes), .. } => Some(steps * modes),
            StageText::Loop { held, .. } => held,
            StageText::Mesh { modes, .. } => Some(modes),
            StageText::Tiles { inputs, .. } | StageText::SingularValue { inputs, .. } => Some(inputs),
            StageText::Matrix { .. }
            | StageText::WeightBank { .. }
            | StageText::RingBank { .. }
            | StageText::PhaseChange { .. }
            | StageText::Mask { .. }
            | StageText::FreeSpace { .. }
            | StageText::Regions { .. }
            | StageText::Activation { .. }
            | StageText::Detection { .. }
            | StageText::Modulation {}
            | StageText::Rectifier { .. }
            | StageText::Convolution { .. }
            | StageText::Normalization { .. }
            | StageText::Pooling { .. }
            | StageText::Residual { .. }
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
        assert_eq!(of("diffractive:16x16x2", "digits", RunSettings::default()).chip.as_deref(), Some("planes"));
        assert_eq!(of("bank:in-48-out", "digits", RunSettings::default()), RunSettings::default());
        let rings = of("rings:outxin", "digits", RunSettings::default());
        assert_eq!((rings.chip.as_deref(), rings.optimizer.as_deref()), (Some("ring-bank"), Some("adam")));
        assert_eq!(of("pcm:in-48-out", "digits", RunSettings::default()).chip.as_deref(), Some("phase-change"));
        let convolutions = of("conv:4@3,pool:2,bank:out", "digits", RunSettings::default());
        assert_eq!((convolutions.optimizer.as_deref(), convolutions.engine.as_deref()), (Some("adam"), Some("cpu")));
        assert_eq!((convolutions.method.unwrap()[0].as_str(), convolutions.chip), ("at-adaptive", None));
        let matrices = of("conv:4@3,matrix,pool:2,matrix:out", "digits", RunSettings::default());
        assert_eq!(matrices.chip.as_deref(), Some("demo"));
        for (network, chip) in [
            ("conv:4@3,rings,conv:10@1,rings,pool:6,average", Some("ring-bank")),
            ("conv:4@3,pcm,conv:10@1,pcm,pool:6,average", Some("phase-change")),
            ("conv:4@3,svd,conv:10@1,svd,pool:6,average", Some("mesh")),
            ("conv:4@3,svd,pool:2,bank:out", None),
        ] {
            let defaults = of(network, "digits", RunSettings::default());
            assert_eq!((defaults.chip.as_deref(), defaults.encoding), (chip, None), "{network}");
        }
        assert_eq!(of("no network", "digits", RunSettings::default()), RunSettings::default());
    }

    #[test]
    fn signals_fit_the_modes_that_enter() {
        let encoding = |network, dataset| of(network, dataset, RunSettings::default()).encoding.unwrap();
        assert_eq!(encoding("tiles:32x64/16", "mnist"), "fourier-crop:8");
        assert_eq!(encoding("mesh:16x2", "digits"), "fourier-crop:4");
        assert_eq!(encoding("mesh:in", "digits"), "fourier-crop:8");
        assert_eq!(encoding("diffractive:64x32x5", "mnist"), "amplitude-image:64x32");
        assert_eq!(encoding("diffractive:16x16", "vowel"), "amplitude:256");
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
