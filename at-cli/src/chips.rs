//! Kinds of imperfect chips that have a name, and the spreads that make them.

use crate::names;
use crate::settings::Settings;
use anyhow::{Result, anyhow, ensure};
use at_core::chip::Imperfections;
use at_core::network::{Network, Stage};

/// The settings that change a kind of chip: the names of [`Imperfections`].
pub const SPREADS: [&str; 9] = [
    "splitter-angle",
    "phase",
    "loss-db",
    "loss-spread-db",
    "parameter-spread",
    "response-amplitude",
    "response-slope",
    "response-offset",
    "update-error",
];

/// The kind whose numbers are drawn as the published demonstration draws them.
pub const DEMONSTRATION: &str = "demo";

/// Names, what they stand for, and how `--help` says it.
const KINDS: [(&str, &str); 4] = [
    ("ideal", "no imperfection"),
    ("weight-bank", "uncalibrated responses: amplitudes and slopes 30 % apart, offsets of 0.5 rad"),
    (DEMONSTRATION, "the published demonstration and its random numbers: 60 % parameter spread, 60 % update error"),
    ("mesh", "splitters of 0.02 rad and phases of 0.04 rad"),
];

/// The kinds of chips, one per line.
pub fn help() -> String {
    KINDS.map(|(name, meaning)| format!("  {name:<12} {meaning}")).join("\n")
}

fn find(name: &str) -> Result<Imperfections> {
    let none = Imperfections::default();
    match name {
        "ideal" => Ok(none),
        "weight-bank" => {
            Ok(Imperfections { response_amplitude: 0.3, response_slope: 0.3, response_offset: 0.5, ..none })
        }
        DEMONSTRATION => Ok(Imperfections { parameter_spread: 0.6, update_error: 0.6, ..none }),
        "mesh" => Ok(Imperfections { splitter_angle: 0.02, phase: 0.04, ..none }),
        _ => Err(anyhow!(names::unknown("chip", name, KINDS.map(|(name, _)| name)))),
    }
}

/// The imperfections that `settings` ask for; writes every spread into `settings`, so that they are explicit from here on.
pub fn imperfections(settings: &mut Settings) -> Result<Imperfections> {
    let mut chip = find(settings.chip.get_or_insert_with(|| "ideal".to_string()))?;
    let spreads = [
        (&mut settings.splitter_angle, &mut chip.splitter_angle),
        (&mut settings.phase, &mut chip.phase),
        (&mut settings.loss_db, &mut chip.loss_db),
        (&mut settings.loss_spread_db, &mut chip.loss_spread_db),
        (&mut settings.parameter_spread, &mut chip.parameter_spread),
        (&mut settings.response_amplitude, &mut chip.response_amplitude),
        (&mut settings.response_slope, &mut chip.response_slope),
        (&mut settings.response_offset, &mut chip.response_offset),
        (&mut settings.update_error, &mut chip.update_error),
    ];
    for (setting, spread) in spreads {
        *spread = *setting.get_or_insert(*spread);
    }
    chip.validate()?;
    Ok(chip)
}

/// A kind of stage that imperfections are particular to, with the kind of chip that has some.
struct Part {
    name: &'static str,
    chip: &'static str,
    is: fn(&Stage) -> bool,
}

const MESHES: Part = Part { name: "meshes", chip: "mesh", is: |stage| matches!(stage, Stage::Mesh(_)) };
const MATRICES: Part = Part { name: "matrices", chip: "demo", is: |stage| matches!(stage, Stage::Matrix { .. }) };
const WEIGHT_BANKS: Part =
    Part { name: "weight banks", chip: "weight-bank", is: |stage| matches!(stage, Stage::WeightBank { .. }) };

/// The spreads that are not 0, with the part of a network that they act on; `None` acts on all.
fn spreads(chip: &Imperfections) -> Vec<(&'static str, f64, Option<Part>)> {
    let values = [
        (chip.splitter_angle, Some(MESHES)),
        (chip.phase, Some(MESHES)),
        (chip.loss_db, Some(MESHES)),
        (chip.loss_spread_db, Some(MESHES)),
        (chip.parameter_spread, Some(MATRICES)),
        (chip.response_amplitude, Some(WEIGHT_BANKS)),
        (chip.response_slope, Some(WEIGHT_BANKS)),
        (chip.response_offset, Some(WEIGHT_BANKS)),
        (chip.update_error, None),
    ];
    let spreads = SPREADS.into_iter().zip(values).map(|(name, (value, part))| (name, value, part));
    spreads.filter(|&(_, value, _)| value != 0.0).collect()
}

/// The imperfections that `network` has, as `response-slope 0.3, …`. Errs where a chip of kind `kind` has some, but none of
/// them acts on the network: such a chip would be ideal without anybody having asked for that.
pub fn effective(kind: &str, chip: &Imperfections, network: &Network) -> Result<String> {
    let spreads = spreads(chip);
    let in_network = |part: &Part| network.stages().any(part.is);
    let acting: Vec<String> = spreads
        .iter()
        .filter(|(.., part)| part.as_ref().is_none_or(in_network))
        .map(|(name, value, _)| format!("{name} {value}"))
        .collect();
    if let [(name, _, Some(part)), ..] = &spreads[..] {
        let fitting = [MESHES, MATRICES, WEIGHT_BANKS].into_iter().filter(in_network).map(|part| part.chip);
        ensure!(
            !acting.is_empty(),
            "chip {kind} would be ideal: {name} acts on {}, and the network has none; choose --chip {}",
            part.name,
            fitting.chain(["ideal"]).collect::<Vec<_>>().join(" or ")
        );
    }
    Ok(if acting.is_empty() { "no imperfection".to_string() } else { acting.join(", ") })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_and_every_spread_is_a_setting() {
        assert!(KINDS.iter().all(|(name, _)| find(name).is_ok()));
        let keys = crate::settings::keys();
        assert!(SPREADS.iter().all(|spread| keys.iter().any(|key| key == spread)));
    }

    #[test]
    fn a_spread_changes_the_named_chip() {
        let mut settings = Settings { chip: Some("demo".into()), update_error: Some(0.1), ..Settings::default() };
        let chip = imperfections(&mut settings).unwrap();
        assert_eq!((chip.update_error, chip.parameter_spread), (0.1, 0.6));
        assert_eq!(settings.parameter_spread, Some(0.6));
        settings.phase = Some(f64::NAN);
        assert!(imperfections(&mut settings).unwrap_err().to_string().contains("phase"));
    }

    #[test]
    fn imperfections_that_would_do_nothing_are_refused() {
        let network = |text: &str| {
            let text: crate::network_text::NetworkText = text.parse().unwrap();
            crate::network_text::build(&text.layers(4, 2).unwrap()).unwrap()
        };
        let act = |kind: &str, text: &str| effective(kind, &find(kind).unwrap(), &network(text));
        assert_eq!(act("mesh", "mesh:4x2").unwrap(), "splitter-angle 0.02, phase 0.04");
        assert_eq!(act("ideal", "mesh:4").unwrap(), "no imperfection");
        assert_eq!(act("demo", "mesh:4").unwrap(), "update-error 0.6");
        let error = act("weight-bank", "mesh:4").unwrap_err().to_string();
        assert!(error.contains("--chip mesh or ideal") && error.contains("response-amplitude"), "{error}");
    }
}
