//! Kinds of imperfect chips that have a name, and the spreads that make them.

use super::flags::Settings;
use crate::names;
use anyhow::{Result, anyhow, bail, ensure};
use at_core::chip::{Control, Imperfections, Passive, Process};
use at_core::network::{Network, Stage};

/// Lists the settings that change a kind of chip once: name, setting, place in [`Imperfections`], and what it acts on.
macro_rules! spreads {
    ($($name:literal $setting:ident $($place:ident).+ $acts:expr;)*) => {
        /// The settings that change a kind of chip: the names of [`Imperfections`].
        pub const SPREADS: &[&str] = &[$($name),*];

        /// Takes over the settings that are given, and writes the others into `settings`.
        fn make_explicit(settings: &mut Settings, chip: &mut Imperfections) {
            $(chip.$($place).+ = *settings.$setting.get_or_insert(chip.$($place).+);)*
        }

        /// What differs from a chip of the `kind`: name, value, and what it acts on.
        fn differing(chip: &Imperfections, kind: &Imperfections) -> Vec<(&'static str, String, Acts)> {
            let mut differing = Vec::new();
            $(if chip.$($place).+ != kind.$($place).+ {
                differing.push(($name, chip.$($place).+.to_string(), $acts));
            })*
            differing
        }
    };
}

spreads! {
    "splitter-angle" splitter_angle splitter_angle Acts::On(MESHES);
    "splitter-mean" splitter_mean passive.splitter_mean Acts::On(MESHES);
    "splitter-split" splitter_split passive.splitter_split Acts::On(MESHES);
    "splitter-equal" splitter_equal passive.splitter_equal Acts::Detail;
    "phase" phase phase Acts::On(MESHES);
    "uncalibrated" uncalibrated passive.uncalibrated Acts::On(SHIFTERS);
    "loss-db" loss_db loss_db Acts::On(MESHES);
    "loss-spread-db" loss_spread_db loss_spread_db Acts::On(MESHES);
    "propagation-db-cm" propagation_db_cm passive.propagation_db_cm Acts::On(MESHES);
    "path-imbalance" path_imbalance passive.path_imbalance Acts::Detail;
    "facet-db" facet_db passive.facet_db Acts::On(MESHES);
    "amplified" amplified passive.amplified Acts::Detail;
    "process-splitter" process_splitter process.process_splitter Acts::On(MESHES);
    "process-phase" process_phase process.process_phase Acts::On(SHIFTERS);
    "process-length" process_length process.process_length Acts::Detail;
    "die-splitter" die_splitter process.die_splitter Acts::On(MESHES);
    "die-phase" die_phase process.die_phase Acts::On(SHIFTERS);
    "pitch" pitch control.pitch Acts::Detail;
    "parameter-spread" parameter_spread parameter_spread Acts::On(MATRICES);
    "response-amplitude" response_amplitude response_amplitude Acts::On(WEIGHT_BANKS);
    "response-slope" response_slope response_slope Acts::On(WEIGHT_BANKS);
    "response-offset" response_offset response_offset Acts::On(WEIGHT_BANKS);
    "update-error" update_error update_error Acts::OnAll;
    "perturbation" perturbation perturbation Acts::On(HIDDEN);
    "module" module module Acts::Detail;
    "control-range" control_range control.control_range Acts::On(SHIFTERS);
    "control-bits" control_bits control.control_bits Acts::On(SHIFTERS);
    "heater-spread" heater_spread control.heater_spread Acts::On(SHIFTERS);
    "heater-quartic" heater_quartic control.heater_quartic Acts::On(SHIFTERS);
    "crosstalk" crosstalk control.crosstalk Acts::On(SHIFTERS);
    "crosstalk-length" crosstalk_length control.crosstalk_length Acts::Detail;
    "dead-shifters" dead_shifters control.dead_shifters Acts::On(SHIFTERS);
    "dead-random" dead_random control.dead_random Acts::Detail;
    "drift-step" drift_step drift.drift_step Acts::OnAll;
    "drift-common" drift_common drift.drift_common Acts::OnAll;
    "drift-return" drift_return drift.drift_return Acts::Detail;
    "gain-noise" gain_noise noise.gain_noise Acts::OnAll;
    "hidden-relative-noise" hidden_relative_noise noise.hidden_relative_noise Acts::On(HIDDEN);
    "hidden-absolute-noise" hidden_absolute_noise noise.hidden_absolute_noise Acts::On(HIDDEN);
    "laser-noise" laser_noise noise.laser_noise Acts::OnAll;
    "shot-noise" shot_noise noise.shot_noise Acts::OnAll;
    "thermal-noise" thermal_noise noise.thermal_noise Acts::OnAll;
    "adc-bits" adc_bits noise.adc_bits Acts::OnAll;
    "adc-range" adc_range noise.adc_range Acts::Detail;
}

/// The kind whose numbers are drawn as the published demonstration draws them.
pub const DEMONSTRATION: &str = "demo";

/// Names, what they stand for, and how `--help` says it.
const KINDS: [(&str, &str); 7] = [
    ("ideal", "no imperfection"),
    ("weight-bank", "uncalibrated responses: amplitudes and slopes 30 % apart, offsets of 0.5 rad"),
    (DEMONSTRATION, "the published demonstration and its random numbers: 60 % parameter spread, 60 % update error"),
    ("mesh", "splitters of 0.02 rad and phases of 0.04 rad"),
    ("silicon", "a calibrated silicon mesh: thermal shifters with 12 bits, crosstalk 1 %, losses of its parts"),
    ("silicon-raw", "the same as it comes from the fab: any phase, process variation, 1 % of shifters dead"),
    ("nitride", "a calibrated silicon nitride mesh: low loss, little crosstalk, trenches between heaters"),
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
        "silicon" => Ok(silicon()),
        "silicon-raw" => Ok(Imperfections {
            phase: 0.0,
            passive: Passive { uncalibrated: true, ..silicon().passive },
            process: Process { process_splitter: 0.02, die_splitter: 0.02, ..Process::NONE },
            control: Control { heater_spread: 0.05, dead_shifters: 0.01, dead_random: true, ..silicon().control },
            ..silicon()
        }),
        "nitride" => Ok(Imperfections {
            splitter_angle: 0.01,
            phase: 0.02,
            loss_db: 0.1,
            loss_spread_db: 0.02,
            passive: Passive { propagation_db_cm: 0.2, facet_db: 1.0, ..Passive::NONE },
            control: Control {
                control_range: RANGE,
                control_bits: 12,
                heater_spread: 0.01,
                crosstalk: 0.003,
                ..Control::NONE
            },
            ..none
        }),
        _ => Err(anyhow!(names::unknown("chip", name, KINDS.map(|(name, _)| name)))),
    }
}

/// Phase at full voltage of published thermal shifters: `π (V_max/V_π)²` with V_π = 4.36 V and V_max = 10.8 V (radians).
const RANGE: f64 = 19.28;

/// Insertion loss of a heater as measured by Harris et al., Opt. Express 22, 10487 (2014); the rest are values within the ranges
/// usual for strip waveguides and thermal shifters, and not those of one device.
fn silicon() -> Imperfections {
    Imperfections {
        splitter_angle: 0.02,
        phase: 0.05,
        loss_db: 0.23,
        loss_spread_db: 0.13,
        passive: Passive { propagation_db_cm: 2.0, facet_db: 1.5, ..Passive::NONE },
        control: Control {
            control_range: RANGE,
            control_bits: 12,
            heater_spread: 0.01,
            crosstalk: 0.01,
            ..Control::NONE
        },
        ..Imperfections::NONE
    }
}

/// The imperfections that `settings` ask for; writes every spread into `settings`, so that they are explicit from here on.
pub fn imperfections(settings: &mut Settings) -> Result<Imperfections> {
    let mut chip = find(settings.chip.get_or_insert_with(|| "ideal".to_string()))?;
    make_explicit(settings, &mut chip);
    chip.validate()?;
    Ok(chip)
}

/// What flags make of a chip that comes from files, which they cannot change: a note where they were asked for as its data sheet or as
/// the statistics of `noise-aware`, and an error where they would change digital models, or nothing, without anybody having said so.
pub fn beside_files(settings: &Settings, chip: &Imperfections, draws: bool) -> Result<Option<String>> {
    let sheet = settings.data_sheet == Some(true);
    if !settings.has_individual() {
        let about = "data-sheet is about a chip from files or from outside";
        ensure!(!sheet, "{about}; pass --chip-file, --chip-errors, --chip-command or --chip-address, or drop it");
        return Ok(None);
    }
    let (from, is) = match settings.has_outside_chip() {
        true => ("from outside", "as it is"),
        false => ("from files", "as its files have it"),
    };
    let kind = settings.chip.as_deref().unwrap_or_default();
    let own = find(kind)?;
    let changed = differing(chip, &own);
    let modelled = differing(&chip.data_sheet(), &own.data_sheet());
    let list = |changed: &[(&str, String, Acts)]| {
        let named = changed.iter().map(|(name, value, _)| format!("{name} {value}"));
        named.collect::<Vec<_>>().join(", ")
    };
    if changed.is_empty() {
        return Ok(None);
    }
    if sheet || (draws && modelled.is_empty()) {
        let who = if sheet { "digital models and noise-aware draws" } else { "noise-aware draws" };
        let what = list(&changed);
        return Ok(Some(format!("{what} of chip {kind}: only {who} know of them; the chip is {is}")));
    }
    let effect = if modelled.is_empty() { "would change nothing" } else { "would change digital models alone" };
    bail!(
        "the chip comes {from}, and beside it {} {effect}; drop what is not the chip's, or pass --data-sheet where it \
         describes the chip's kind to digital models",
        list(&changed)
    )
}

/// What an imperfection acts on.
#[derive(Clone, Copy)]
enum Acts {
    /// Every network.
    OnAll,
    /// Networks with such parts.
    On(Part),
    /// Nothing by itself: it says how another one acts.
    Detail,
}

/// A part of networks that imperfections are particular to, with the kind of chip that has some.
#[derive(Clone, Copy)]
struct Part {
    name: &'static str,
    chip: &'static str,
    is: fn(&Network) -> bool,
}

/// Whether a network has a stage of a pattern.
macro_rules! any_stage {
    ($pattern:pat) => {
        |network| network.stages().any(|stage| matches!(stage, $pattern))
    };
}

const MESHES: Part = Part { name: "meshes", chip: "mesh", is: any_stage!(Stage::Mesh(_)) };
const MATRICES: Part = Part { name: "matrices", chip: "demo", is: any_stage!(Stage::Matrix(_)) };
const WEIGHT_BANKS: Part = Part { name: "weight banks", chip: "weight-bank", is: any_stage!(Stage::WeightBank(_)) };
const HIDDEN: Part = Part { name: "hidden layers", chip: "ideal", is: |network| network.layers().len() > 1 };

const SHIFTERS: Part = Part {
    name: "phase shifters",
    chip: "silicon",
    is: any_stage!(Stage::Mesh(_) | Stage::Attenuators(_) | Stage::WeightBank(_)),
};

/// The imperfections that `network` has, as `response-slope 0.3, …`. Errs where a chip of kind `kind` has some, but none of
/// them acts on the network: such a chip would be ideal without anybody having asked for that.
pub fn effective(kind: &str, chip: &Imperfections, network: &Network) -> Result<String> {
    let spreads = differing(chip, &Imperfections::NONE);
    let in_network = |part: Part| (part.is)(network);
    let acts = |acts: &Acts| match *acts {
        Acts::On(part) => in_network(part),
        Acts::OnAll => true,
        Acts::Detail => false,
    };
    let any = spreads.iter().any(|(.., how)| acts(how));
    let shown = spreads.iter().filter(|(.., how)| acts(how) || (any && matches!(how, Acts::Detail)));
    let acting: Vec<String> = shown.map(|(name, value, _)| format!("{name} {value}")).collect();
    if let Some((name, Acts::On(part))) =
        spreads.iter().map(|(name, _, acts)| (name, acts)).find(|(_, acts)| matches!(acts, Acts::On(_)))
    {
        let fitting = [MESHES, MATRICES, WEIGHT_BANKS].into_iter().filter(|&part| in_network(part));
        ensure!(
            any,
            "chip {kind} would be ideal: {name} acts on {}, and the network has none; choose --chip {}",
            part.name,
            fitting.map(|part| part.chip).chain(["ideal"]).collect::<Vec<_>>().join(" or ")
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
        let keys = super::super::keys();
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

    #[test]
    fn flags_that_cannot_act_on_a_chip_from_files_are_refused_unless_they_are_its_data_sheet() {
        let check = |change: &dyn Fn(&mut Settings), draws| {
            let mut settings =
                Settings { chip: Some("mesh".into()), chip_file: Some("F.npz".into()), ..Settings::default() };
            change(&mut settings);
            let chip = imperfections(&mut settings).unwrap();
            beside_files(&settings, &chip, draws).map_err(|error| error.to_string())
        };
        assert_eq!(check(&|_| {}, false), Ok(None));
        assert_eq!(check(&|s| s.chip = Some("silicon".into()), false), Ok(None), "the kind's own data sheet");
        let lossy = |s: &mut Settings| (s.loss_db, s.control_range, s.control_bits) = (Some(0.4), Some(7.0), Some(6));
        let error = check(&lossy, false).unwrap_err();
        let named = ["loss-db 0.4", "control-bits 6", "digital models alone", "--data-sheet"];
        assert!(named.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(check(&lossy, true).unwrap_err(), error, "a method that draws them does not make them the chip's");
        let asked = check(&|s| (lossy(s), s.data_sheet = Some(true)).0, false).unwrap().unwrap();
        assert!(asked.contains("loss-db 0.4") && asked.contains("as its files have it"), "{asked}");
        // a spread is in no data sheet: it would do nothing, but for draws
        let noisy = |s: &mut Settings| s.shot_noise = Some(0.1);
        assert!(check(&noisy, false).unwrap_err().contains("shot-noise 0.1 would change nothing"));
        assert!(check(&noisy, true).unwrap().unwrap().contains("noise-aware"));
        let drawn = check(&|s| (noisy(s), s.chip_file = None).0, false);
        assert_eq!(drawn, Ok(None), "a drawn chip has what the flags say");
        assert!(
            check(&|s| (s.chip_file, s.data_sheet) = (None, Some(true)), false).unwrap_err().contains("data-sheet")
        );
    }
}
