//! Defaults that follow the network: where nobody names a preset, a network of meshes is not trained as one of weight banks is.

use super::chips;
use super::flags::RunSettings;
use crate::network_text::{CrossedInTurn, NetworkText, StageText};
use anyhow::{Context, Result};
use at_core::data::ImageShape;
use at_core::network::Detection;
use at_core::optics::{Activation, AngularSpectrum, Layout};

const MESHES: &str = include_str!("../../presets/families/meshes.toml");
const CONVOLUTIONS: &str = include_str!("../../presets/families/convolutions.toml");
const PLANES: &str = include_str!("../../presets/families/planes.toml");
const MATRICES: &str = include_str!("../../presets/families/matrices.toml");
const RINGS: &str = include_str!("../../presets/families/rings.toml");
const CELLS: &str = include_str!("../../presets/families/cells.toml");

/// The named data set whose features lie in 0..1 and make no image.
const IRIS: &str = "iris";

/// Samples as far as defaults follow them.
#[derive(Clone, Copy, Debug)]
pub struct Data<'a> {
    /// What the data set is called, or where it lies.
    pub name: &'a str,
    /// The shape of its images, where it has such.
    pub image: Option<ImageShape>,
}

/// A kind of element with imperfections of its own: what differs from the default preset where it stands alone, and its kind of chip.
#[derive(Clone, Copy)]
struct Family {
    text: &'static str,
    chip: &'static str,
}

/// What differs from the default preset for `network`, where the other settings that are `given` do not say otherwise: nothing
/// for dense weight banks, which are the preset's own.
///
/// Errs where the network cannot be read.
pub fn defaults(network: &NetworkText, given: &RunSettings, data: Data) -> Result<RunSettings> {
    // the words `in` and `out` do not decide on the kind; a number that fits any tile stands for them
    let square = 72 * 72; // which an image can have
    let looped = 5040 * network.parts();
    let of_data = data.image.map(|image| network.layers_for(image.features(), Some(image), 5040));
    let known = network.layers(5040, 5040).or_else(|_| network.layers(square, 5040));
    let known = known.or_else(|_| network.layers(looped, 5040));
    let Ok(layers) = known.or_else(|error| of_data.unwrap_or(Err(error))) else {
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
    // matrices last: their kind of chip draws its numbers as the published demonstration does, and has nothing else
    let there = [
        (coherent, MESHES, "mesh"),
        (planes, PLANES, "planes"),
        (banks, of_banks, BANK_CHIP),
        (rings, RINGS, "ring-bank"),
        (cells, CELLS, "phase-change"),
        (matrices, MATRICES, chips::DEMONSTRATION),
    ];
    let there = there.into_iter().filter(|own| own.0).map(|(_, text, chip)| Family { text, chip });
    let mut defaults = match there.collect::<Vec<_>>()[..] {
        [] => return Ok(RunSettings::default()),
        [Family { text: "", .. }] => return Ok(RunSettings::default()),
        [one] => one.read()?,
        ref several => together(several, images)?,
    };
    if planes {
        defaults.encoding = Some(pixels(network, data.image));
        let spaces = stages().filter_map(|stage| {
            let StageText::FreeSpace { rows, columns, pitch_um, distance_um, wavelength_um } = *stage else {
                return None; // has no limit to where it stands
            };
            Some(AngularSpectrum { rows, columns, pitch_um, distance_um, wavelength_um })
        });
        chips::fit_planes(&mut defaults, spaces)?;
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
            false => Some(encoding(network, data, stages().any(spm))),
        };
        if data.name == IRIS {
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

impl Family {
    fn read(&self) -> Result<RunSettings> {
        toml::from_str(self.text).context("defaults of a kind of network")
    }
}

/// Kind of chip of weight banks.
const BANK_CHIP: &str = "weight-bank";

/// Spreads of weight cells beside elements of other kinds: with those of a bank by itself, offsets of 0.5 rad among them, not even `ideal` is trained in the
/// time that the others have.
const BESIDE_OTHERS: f64 = 0.1;

/// What differs where elements of `several` kinds stand on one chip: the imperfections of all, and the longest training and smallest
/// steps among them.
fn together(several: &[Family], images: bool) -> Result<RunSettings> {
    let all = several.iter().map(Family::read).collect::<Result<Vec<_>>>()?;
    let rates = all.iter().filter(|own| own.optimizer.as_deref() == Some("adam")).filter_map(|own| own.learning_rate);
    let mut defaults = chips::together(several.iter().map(|family| family.chip))?;
    if several.iter().any(|family| family.chip == BANK_CHIP) {
        let spreads = [&mut defaults.response_amplitude, &mut defaults.response_slope, &mut defaults.response_offset];
        spreads.into_iter().for_each(|spread| *spread = Some(BESIDE_OTHERS));
    }
    defaults.encoding = all.iter().find_map(|own| own.encoding.clone()).filter(|_| !images);
    defaults.method = Some(["at-adaptive", "in-silico", "ideal"].map(String::from).to_vec());
    defaults.epochs = all.iter().filter_map(|own| own.epochs).max();
    defaults.learning_rate = rates.min_by(f64::total_cmp);
    defaults.optimizer = defaults.learning_rate.map(|_| "adam".to_string());
    Ok(defaults)
}

/// A stage, or those of a residual connection.
fn flat(stage: &StageText) -> Vec<&StageText> {
    if let StageText::Residual { stages } = stage { stages.iter().flat_map(flat).collect() } else { vec![stage] }
}

/// Fields that fit the modes that enter: of images the low frequencies, where these are a square of modes; of irises the phases,
/// because their kinds differ by how large they are, and a normalised power does not tell that; else features spread over the modes
/// with a mean power of 1, of three channels that cannot share the modes evenly their luma. Self-phase modulation (`spm`) makes noise of the phases of bright light: there pixels
/// enter as they are.
fn encoding(network: &NetworkText, data: Data, spm: bool) -> String {
    let Some(modes) = inputs(network) else {
        return match data.image {
            Some(image) if image == ImageShape::single(8, 8) => "fourier-crop:8".to_string(),
            None if data.name == IRIS => "phase".to_string(),
            Some(_) | None => "amplitude".to_string(),
        };
    };
    match data.image.filter(|_| network.parts() == 1) {
        Some(image) if spm && image.features() == modes => "raw".to_string(),
        Some(image @ ImageShape { channels, height, width }) => {
            let root = (modes / channels).isqrt();
            if root * root * channels == modes && root <= height.min(width) {
                format!("fourier-crop:{root}")
            } else if channels == 3 && !modes.is_multiple_of(channels) && modes < image.features() {
                grey(modes)
            } else {
                format!("amplitude:{modes}")
            }
        }
        None if data.name == IRIS => format!("phase:{modes}"),
        None => format!("amplitude:{modes}"),
    }
}

/// Fields of images of three channels on so many modes, which the channels cannot share evenly: grey, on a grid as square as the modes make one.
fn grey(modes: usize) -> String {
    let rows = (1..=modes.isqrt()).rev().find(|rows| modes.is_multiple_of(*rows)).unwrap_or(1);
    format!("amplitude-image:{rows}x{}", modes / rows)
}

/// Fields on the grid that light enters: images of one channel or three in its middle, other features pixel after pixel.
fn pixels(network: &NetworkText, image: Option<ImageShape>) -> String {
    let sides = |stage: &StageText| match *stage {
        StageText::Mask { rows, columns, .. } | StageText::FreeSpace { rows, columns, .. } => Some((rows, columns)),
        _ => None, // some other stage in front
    };
    let first = network.layers(5040, 5040).ok().and_then(|layers| layers.first()?.first().and_then(sides));
    let lights_a_grid = image.is_some_and(|image| [1, 3].contains(&image.channels));
    match first {
        Some((rows, columns)) if lights_a_grid => format!("amplitude-image:{rows}x{columns}"),
        Some((rows, columns)) => format!("amplitude:{}", rows.saturating_mul(columns)),
        None => "amplitude".to_string(),
    }
}

/// The modes that enter, where the text says so and the data do not decide.
fn inputs(network: &NetworkText) -> Option<usize> {
    let first = |width: usize| entering(network.layers(width, 1).ok()?.first()?);
    first(5040).filter(|&modes| first(10080) == Some(modes))
}

/// The modes that enter the first of `stages`, where it has some.
fn entering(stages: &[StageText]) -> Option<usize> {
    let stage = stages.iter().find(|stage| !matches!(stage, StageText::Loop { held: None, parts: None, .. }))?;
    match stage {
        StageText::Residual { stages } => entering(stages),
        StageText::Loop { steps, parts: Some(modes), .. } => Some(steps * modes),
        StageText::Loop { held, .. } => *held,
        StageText::Mesh { modes, .. } => Some(*modes),
        StageText::Tiles { inputs, .. } | StageText::SingularValue { inputs, .. } => Some(*inputs),
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
        | StageText::Own { .. } => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::data::image_of;

    fn of(network: &str, dataset: &str, given: RunSettings) -> RunSettings {
        defaults(&network.parse().unwrap(), &given, Data { name: dataset, image: image_of(dataset) }).unwrap()
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
        assert_eq!((convolutions.optimizer.as_deref(), convolutions.engine.as_deref()), (Some("adam"), Some("auto")));
        assert_eq!((convolutions.method.unwrap()[0].as_str(), convolutions.chip), ("at-adaptive", None));
        let matrices = of("conv:4@3,matrix,pool:2,matrix:out", "digits", RunSettings::default());
        assert_eq!(matrices.chip.as_deref(), Some("demo"));
        for (network, chip) in [
            ("conv:4@3,rings,conv:10@1,rings,pool:6,average", Some("ring-bank")),
            ("conv:4@3,pcm,conv:10@1,pcm,pool:6,average", Some("phase-change")),
            ("conv:4@3,svd,conv:10@1,svd,pool:6,average", Some("mesh")),
        ] {
            let defaults = of(network, "digits", RunSettings::default());
            assert_eq!((defaults.chip.as_deref(), defaults.encoding), (chip, None), "{network}");
        }
        assert_eq!(of("no network", "digits", RunSettings::default()), RunSettings::default());
    }

    #[test]
    fn elements_of_several_kinds_have_the_imperfections_of_all_and_none_stays_perfect() {
        let found = |network: &str| of(network, "digits", RunSettings::default());
        let rings = found("conv:4@3,rings,bank:out");
        assert_eq!((rings.chip.as_deref(), rings.ring_offset, rings.encoding), (Some("weight-bank"), Some(0.02), None));
        assert_eq!((rings.learning_rate, rings.optimizer.as_deref()), (Some(1e-3), Some("adam")));
        let light = found("conv:4@3,svd,bank:out");
        assert_eq!((light.chip.as_deref(), light.response_offset, light.encoding), (Some("mesh"), Some(0.1), None));
        for network in
            ["conv:4@3,pcm,matrix:out", "conv:4@3,svd,matrix:out", "conv:4@3,rings,bank:out", "conv:4@3,pcm,bank:out"]
        {
            let mut defaults = found(network);
            assert_eq!(defaults.update_error, None, "{network}: an error of all controls is no matrix's own");
            let own = chips::imperfections(&mut defaults).unwrap();
            let layers = network.parse::<NetworkText>().unwrap().layers(64, 10).unwrap();
            let (shown, perfect) = chips::effective("", &own, &crate::network_text::build(&layers).unwrap()).unwrap();
            assert_eq!(perfect, None, "{network}: {shown}");
        }
        assert_eq!(found("conv:4@3,pcm,matrix:out").parameter_spread, Some(0.6));
    }

    #[test]
    fn planes_of_the_default_chip_stand_no_farther_off_than_they_have_room() {
        let usual = of("diffractive:16x16x2", "digits", RunSettings::default());
        assert_eq!((usual.plane_tilt, usual.plane_shift), (None, None));
        let far = of("diffractive:16x16x2,pitch=2mm,wavelength=1um,distance=1m", "digits", RunSettings::default());
        assert_eq!((far.chip.as_deref(), far.plane_tilt, far.plane_shift), (Some("planes"), Some(5e-5), None));
        let visible =
            of("diffractive:16x16x2,pitch=8um,wavelength=532nm,distance=5mm", "digits", RunSettings::default());
        assert_eq!((visible.plane_tilt, visible.plane_shift), (None, Some(25.0)));
    }

    #[test]
    fn images_of_ones_own_are_encoded_as_the_named_ones() {
        let encoding = |network: &str, image: &str| {
            let data = Data { name: "mine.npz", image: Some(image.parse().unwrap()) };
            defaults(&network.parse().unwrap(), &RunSettings::default(), data).unwrap().encoding.unwrap()
        };
        assert_eq!(encoding("diffractive:16x16x2", "4x9"), "amplitude-image:16x16");
        assert_eq!(encoding("diffractive:32x32x2", "3x32x32"), "amplitude-image:32x32");
        assert_eq!(encoding("diffractive:16x16x2", "4x8x8"), "amplitude:256");
        assert_eq!(encoding("mesh:16x2", "4x9"), "fourier-crop:4");
        assert_eq!(encoding("mesh:16x2", "4x8x8"), "fourier-crop:2");
        assert_eq!(encoding("mesh:25x2", "4x9"), "amplitude:25", "an image of 4 rows has no crop of 5");
        assert_eq!(encoding("mesh:48x2", "3x32x32"), "fourier-crop:4");
        assert_eq!(encoding("mesh:64x2", "3x32x32"), "amplitude-image:8x8", "three channels cannot share 64 modes");
    }

    /// `mesh:64` on CIFAR-10 had a default that was refused.
    #[test]
    fn what_encodes_images_by_default_is_not_refused() {
        for image in ["8x8", "28x28", "3x32x32", "3x5x4", "1x3x40"] {
            let image: ImageShape = image.parse().unwrap();
            for modes in 2..200 {
                let network: NetworkText = format!("mesh:{modes}x2").parse().unwrap();
                let data = Data { name: "mine.npz", image: Some(image) };
                let text = defaults(&network, &RunSettings::default(), data).unwrap().encoding.unwrap();
                let encoding: at_core::data::Encoding = text.parse().unwrap();
                assert_eq!(encoding.modes(image.features(), Some(image)).unwrap(), modes, "{text} of {image:?}");
            }
        }
    }

    #[test]
    fn signals_fit_the_modes_that_enter() {
        let encoding = |network, dataset| of(network, dataset, RunSettings::default()).encoding.unwrap();
        assert_eq!(encoding("tiles:32x64/16", "mnist"), "fourier-crop:8");
        assert_eq!(encoding("mesh:16x2", "digits"), "fourier-crop:4");
        for residual in ["mesh:16x3,residual", "svd:16x16x2,residual", "tiles:16x16/8x2,residual"] {
            assert_eq!(encoding(residual, "digits"), "fourier-crop:4", "{residual}, as without");
        }
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
