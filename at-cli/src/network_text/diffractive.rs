//! Diffractive networks in one word: `diffractive:64x64x5,distance=30mm`.

use super::stage::StageText;
use super::word::{find_activation, size};
use crate::names;
use anyhow::{Result, anyhow, bail, ensure};
use at_core::stage::{Regions, Transmission};

/// Pitch, distance and wavelength (µm) of the first diffractive networks: 0.4 THz, pixels of 400 µm, planes 3 cm apart. Lin et al.,
/// Science 361, 1004 (2018).
const TERAHERTZ: [f64; 3] = [400.0, 30_000.0, 750.0];

/// Units of lengths, in µm.
const UNITS: [(&str, f64); 6] = [("nm", 1e-3), ("um", 1.0), ("µm", 1.0), ("mm", 1e3), ("cm", 1e4), ("m", 1e6)];

/// More planes than anybody aligns.
const MOST_PLANES: usize = 10_000;

const OPTIONS: [&str; 7] = ["pitch", "distance", "wavelength", "mask", "regions", "detector", "activation"];

/// The layers of `64x64x5,option,…`, with a detector for each of the `outputs` where no option says how many.
pub fn layers_of(text: &str, outputs: usize) -> Result<Vec<Vec<StageText>>> {
    let (shape, options) = text.split_once(',').unwrap_or((text, ""));
    let form = || anyhow!("write it as ROWSxCOLUMNSxPLANES, as in 64x64x5");
    let (rows, rest) = shape.split_once('x').ok_or_else(form)?;
    let (columns, planes) = rest.split_once('x').unwrap_or((rest, "1"));
    let (rows, columns, planes) = (size(rows)?, size(columns)?, size(planes)?);
    ensure!(planes <= MOST_PLANES, "{planes} planes are too many");
    let [mut pitch_um, mut distance_um, mut wavelength_um] = TERAHERTZ;
    let (mut transmission, mut activation, mut count, mut side) = (Transmission::Phase, None, outputs, None);
    for part in options.split(',').filter(|_| !options.is_empty()) {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        match name {
            "pitch" => pitch_um = length(value)?,
            "distance" => distance_um = length(value)?,
            "wavelength" => wavelength_um = length(value)?,
            "mask" => transmission = mask(value)?,
            "regions" if value == "out" => count = outputs,
            "regions" => count = size(value)?,
            "detector" => side = Some(size(value)?),
            "activation" => activation = find_activation(value)?,
            _ => bail!("{}", names::unknown("option", name, OPTIONS)),
        }
    }
    // the middle half of the room that a detector has
    let side = side.unwrap_or_else(|| (Regions::longest_side(rows, columns, count) / 2).max(1));
    let space = StageText::FreeSpace { rows, columns, pitch_um, distance_um, wavelength_um };
    let plane = || vec![space.clone(), StageText::Mask { rows, columns, transmission }];
    let mut layers: Vec<Vec<StageText>> = (0..planes).map(|_| plane()).collect();
    let (last, hidden) = layers.split_last_mut().expect("a size is 1 or more");
    for layer in hidden {
        layer.extend(activation.map(|activation| StageText::Activation { activation }));
    }
    last.extend([space, StageText::Regions { rows, columns, count, side }]);
    Ok(layers)
}

/// The same word with the number of detectors in it.
pub fn explicit(text: &str, outputs: usize) -> String {
    let mut told = false;
    let part = |part: &str| match part.strip_prefix("regions=") {
        Some(count) => {
            told = true;
            if count == "out" { format!("regions={outputs}") } else { part.to_string() }
        }
        None => part.to_string(),
    };
    let text = text.split(',').map(part).collect::<Vec<_>>().join(",");
    if told { text } else { format!("{text},regions={outputs}") }
}

/// A length with its unit, in µm.
fn length(text: &str) -> Result<f64> {
    let end = text.find(|letter: char| letter.is_alphabetic() && letter != 'e').unwrap_or(text.len());
    let (number, unit) = text.split_at(end);
    let known = UNITS.iter().find(|known| known.0 == unit);
    let value = number.trim().parse::<f64>().ok().filter(|value| value.is_finite() && *value > 0.0);
    match (value, known) {
        (Some(value), Some((_, um))) => Ok(value * um),
        _ => bail!("{text:?} is no length; write a number and its unit: 532nm, 8um, 30mm, 3cm or 0.1m"),
    }
}

fn mask(name: &str) -> Result<Transmission> {
    let found = Transmission::ALL.into_iter().find(|kind| kind.name() == name);
    found.ok_or_else(|| anyhow!(names::unknown("mask", name, Transmission::ALL.map(Transmission::name))))
}

#[cfg(test)]
mod tests {
    use super::super::NetworkText;
    use super::*;
    use at_core::network::Stage;

    fn build(text: &str) -> Result<at_core::network::Network> {
        let text: NetworkText = text.parse().unwrap();
        super::super::build(&text.layers(784, 10)?)
    }

    #[test]
    fn a_word_is_planes_with_space_around_them_and_detectors() {
        let network = build("diffractive:8x6x3,distance=2mm,wavelength=0.75mm,detector=1").unwrap();
        let kinds: Vec<&str> = network.stages().map(Stage::kind).collect();
        let plane = ["FreeSpace", "Mask"];
        assert_eq!(kinds, [&plane[..], &plane, &plane, &["FreeSpace", "Regions"]].concat());
        assert_eq!((network.input().modes, network.outputs(), network.controls()), (48, 10, 144));
        let Some(Stage::FreeSpace(space)) = network.stages().next() else { panic!("light comes from somewhere") };
        let spectrum = space.spectrum;
        assert_eq!((spectrum.pitch_um, spectrum.distance_um, spectrum.wavelength_um), (400.0, 2000.0, 750.0));
        let both = build("diffractive:32x32,mask=complex,regions=4,activation=spm").unwrap();
        assert_eq!((both.outputs(), both.controls()), (4, 2048));
        let text: NetworkText = "diffractive:32x32x2,mask=amplitude".parse().unwrap();
        let explicit = text.explicit(784, None, 10);
        assert_eq!(explicit.layers(1, 1).unwrap(), text.layers(784, 10).unwrap(), "without anybody's data");
        assert_eq!(explicit.explicit(1, None, 1), explicit);
    }

    #[test]
    fn what_is_no_diffractive_network_is_one_error_that_says_what_would_be() {
        for (text, parts) in [
            ("diffractive:64", &["ROWSxCOLUMNSxPLANES"][..]),
            ("diffractive:0x4", &["\"0\" is no size"]),
            ("diffractive:8x8x2,pich=3mm", &["unknown option \"pich\"; did you mean pitch?"]),
            ("diffractive:8x8x2,pitch=3", &["\"3\" is no length", "30mm"]),
            ("diffractive:8x8x2,pitch=-3mm", &["is no length"]),
            ("diffractive:8x8x2,mask=glass", &["unknown mask \"glass\"", "complex"]),
            (
                "diffractive:64x64,distance=5m",
                &["distance = 5 m", "64 × 64 pixels of 400 µm", "at most", "pixels a side"],
            ),
            ("diffractive:64x64,wavelength=3cm", &["wavelength = 30 mm", "25.6 mm wide"]),
            ("diffractive:64x64,detector=20", &["detector = 20", "from 1 to 16"]),
            ("diffractive:64x64,regions=5000", &["regions = 5000"]),
            ("diffractive:100000x100000", &["pixels = 100000 × 100000", "67108864 pixels"]),
            ("diffractive:8x8x99999999", &["99999999 planes are too many"]),
        ] {
            let said = format!("{:#}", build(text).unwrap_err());
            assert!(parts.iter().all(|part| said.contains(part)), "{text}: {said}");
        }
    }

    #[test]
    fn lengths_are_read_with_their_units() {
        for (text, um) in [("532nm", 0.532), ("8um", 8.0), ("8µm", 8.0), ("30mm", 3e4), ("3cm", 3e4), ("1e-1m", 1e5)] {
            assert!((length(text).unwrap() - um).abs() < 1e-9 * um, "{text}");
        }
    }
}
