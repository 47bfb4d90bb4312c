//! Kinds of imperfect chips that have a name, and the imperfections that make them.

use super::flags::RunSettings;
use crate::names;
use anyhow::{Result, anyhow, bail, ensure};
use at_core::imperfections::{
    Acts, Control, Imperfection, Imperfections, Memory, Part, Passive, Planes, Process, Rings,
};
use at_core::network::Network;

/// The imperfection of this name, where there is one: a setting that changes a kind of chip.
pub fn imperfection(name: &str) -> Option<&'static Imperfection> {
    Imperfections::TABLE.iter().find(|own| own.name == name)
}

/// What differs from a chip of the `kind`.
fn differing(chip: &Imperfections, kind: &Imperfections) -> Vec<&'static Imperfection> {
    Imperfections::TABLE.iter().filter(|own| own.of(chip) != own.of(kind)).collect()
}

/// These imperfections with their values in `chip`.
fn listed<'a>(chip: &Imperfections, imperfections: impl IntoIterator<Item = &'a &'static Imperfection>) -> String {
    let named = imperfections.into_iter().map(|own| format!("{} {}", own.name, own.of(chip)));
    named.collect::<Vec<_>>().join(", ")
}

/// The kind whose numbers are drawn as the published demonstration draws them.
pub const DEMONSTRATION: &str = "demo";

/// Names, what they stand for, and how `--help` says it.
const KINDS: [(&str, &str); 13] = [
    ("ideal", "no imperfection"),
    ("weight-bank", "uncalibrated responses: amplitudes and slopes 30 % apart, offsets of 0.5 rad"),
    (DEMONSTRATION, "the published demonstration and its random numbers: 60 % parameter spread, 60 % update error"),
    ("mesh", "splitters of 0.02 rad and phases of 0.04 rad"),
    ("silicon", "a calibrated silicon mesh: thermal shifters with 12 bits, crosstalk 1 %, losses of its parts"),
    ("silicon-raw", "the same as it comes from the fab: any phase, process variation, 1 % of shifters dead"),
    ("ring-bank", "microrings: resonances 0.02 rad apart (a third of a linewidth at finesse 100), linewidths 10 %"),
    ("ring-bank-raw", "the same with resonances as the fab leaves them, 0.06 rad apart"),
    ("silicon-rings", "those of ring-bank with heaters of a tenth of the free spectral range, 12 bits, crosstalk 1 %"),
    ("phase-change", "cells of 34 levels, contrasts 5 % apart, writings that end 1 % beside their level"),
    ("phase-change-64", "cells of 64 levels, writings that end 0.5 % beside theirs, else the same"),
    ("planes", "diffractive planes shifted by 40 µm and tilted by 2 mrad, distances off by 75 µm, pixels by 0.3 rad"),
    ("nitride", "a calibrated silicon nitride mesh: low loss, little crosstalk, trenches between heaters"),
];

/// The kinds of chips, one per line.
pub fn help() -> String {
    KINDS.map(|(name, meaning)| format!("  {name:<13} {meaning}")).join("\n")
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
        "planes" => Ok(Imperfections { planes: PLANES, ..none }),
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
        "ring-bank" => Ok(ring_bank()),
        "ring-bank-raw" => {
            let rings = Rings { ring_offset: 0.06, ..ring_bank().rings };
            Ok(Imperfections { rings, ..ring_bank() })
        }
        "silicon-rings" => Ok(Imperfections {
            control: Control {
                control_range: 0.63,
                control_bits: 12,
                heater_spread: 0.01,
                crosstalk: 0.01,
                ..Control::NONE
            },
            ..ring_bank()
        }),
        "phase-change" => Ok(phase_change()),
        "phase-change-64" => {
            let memory = Memory { pcm_levels: 64, pcm_write_noise: 0.005, ..phase_change().memory };
            Ok(Imperfections { memory, ..phase_change() })
        }
        _ => Err(anyhow!(names::unknown("chip", name, KINDS.map(|(name, _)| name)))),
    }
}

/// What careful assembly by hand leaves at terahertz pitches, a tenth of a pixel and of the wavelength, and printed heights. Chosen, not measured.
const PLANES: Planes = Planes { pixel_phase: 0.3, plane_shift: 40.0, plane_distance: 75.0, plane_tilt: 0.002 };

/// Phase at full voltage of published thermal shifters: `π (V_max/V_π)²` with V_π = 4.36 V and V_max = 10.8 V (radians).
const RANGE: f64 = 19.28;

/// Resonances of silicon rings wander over a wafer with a variance of some 1 nm² per cm (as measured on four foundry wafers, M. Mohamed and
/// others), so that neighbours 100 µm apart differ by 0.1 nm, of a free spectral range of 10 nm 0.06 rad; here a third of that is left by a
/// calibration, and none of it in `ring-bank-raw`. The 12 bits of `silicon-rings`, over a tenth of the free spectral range, are steps of 1.5e-4 rad:
/// 8.3 bits of a weight where it is steepest, `dw/dφ = 1.3` per half linewidth; Zhang et al., Optica 9, 579 (2022), hold weights to 9 bits. The
/// rest are values within the ranges usual for add-drop rings, and not those of one device.
fn ring_bank() -> Imperfections {
    let rings = Rings { ring_offset: 0.02, ring_linewidth: 0.1, ring_leak: 0.01, ring_loss_db: 0.5 };
    Imperfections { rings, ..Imperfections::NONE }
}

/// The levels of a cell of Ge₂Sb₂Te₅ on a waveguide as demonstrated by Li et al., Optica 6, 1 (2019); writing noise below a third of the
/// distance of two levels, as telling them apart asks for; of 64 levels, as Wu et al., Nat. Commun. 12, 96 (2021) show with converters of modes,
/// likewise. The rest are values of this size, and not those of one device.
fn phase_change() -> Imperfections {
    let memory = Memory { pcm_contrast: 0.05, pcm_offset: 0.02, pcm_levels: 34, pcm_write_noise: 0.01 };
    Imperfections { memory, ..Imperfections::NONE }
}

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
pub fn imperfections(settings: &mut RunSettings) -> Result<Imperfections> {
    let mut chip = find(settings.chip.get_or_insert_with(|| "ideal".to_string()))?;
    settings.make_explicit(&mut chip);
    chip.validate()?;
    Ok(chip)
}

/// What flags make of a chip that comes from files, which they cannot change: a note where they were asked for as its data sheet or as
/// the statistics of `noise-aware`, and an error where they would change digital models, or nothing, without anybody having said so.
pub fn beside_files(settings: &RunSettings, chip: &Imperfections, draws: bool) -> Result<Option<String>> {
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
    if changed.is_empty() {
        return Ok(None);
    }
    if sheet || (draws && modelled.is_empty()) {
        let who = if sheet { "digital models and noise-aware draws" } else { "noise-aware draws" };
        let what = listed(chip, &changed);
        return Ok(Some(format!("{what} of chip {kind}: only {who} know of them; the chip is {is}")));
    }
    let effect = if modelled.is_empty() { "would change nothing" } else { "would change digital models alone" };
    bail!(
        "the chip comes {from}, and beside it {} {effect}; drop what is not the chip's, or pass --data-sheet where it \
         describes the chip's kind to digital models",
        listed(chip, &changed)
    )
}

/// Parts of networks with a kind of chip that has imperfections there.
const FITTING: [(Part, &str); 6] = [
    (Part::Meshes, "mesh"),
    (Part::Matrices, DEMONSTRATION),
    (Part::WeightBanks, "weight-bank"),
    (Part::RingBanks, "ring-bank"),
    (Part::PhaseChange, "phase-change"),
    (Part::Planes, "planes"),
];

/// The imperfections that `network` has, as `response-slope 0.3, …`. Errs where a chip of kind `kind` has some, but none of
/// them acts on the network: such a chip would be ideal without anybody having asked for that.
pub fn effective(kind: &str, chip: &Imperfections, network: &Network) -> Result<String> {
    let own = differing(chip, &Imperfections::NONE);
    let acts = |own: &Imperfection| match own.acts {
        Acts::On(part) => network.has(part),
        Acts::OnAll => true,
        Acts::With(_) => false,
    };
    let any = own.iter().any(|own| acts(own));
    let idle = own.iter().find_map(|own| match own.acts {
        Acts::On(part) => Some((own.name, part)),
        Acts::OnAll | Acts::With(_) => None,
    });
    if let Some((name, part)) = idle {
        let fitting = FITTING.into_iter().filter(|(part, _)| network.has(*part));
        ensure!(
            any,
            "chip {kind} would be ideal: {name} acts on {}, and the network has none; choose --chip {}",
            part.name(),
            fitting.map(|(_, chip)| chip).chain(["ideal"]).collect::<Vec<_>>().join(" or ")
        );
    }
    let shown = own.iter().filter(|own| acts(own) || (any && matches!(own.acts, Acts::With(_))));
    let shown = listed(chip, shown);
    Ok(if shown.is_empty() { "no imperfection".to_string() } else { shown })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_and_valid() {
        assert!(KINDS.iter().all(|(name, _)| find(name).is_ok_and(|kind| kind.validate().is_ok())));
    }

    /// The table of `docs/imperfections.md`.
    fn table() -> String {
        let row = |own: &Imperfection| {
            let kinds = KINDS.iter().map(|(name, _)| (name, own.of(&find(name).unwrap())));
            let kinds =
                kinds.filter(|(_, value)| *value != own.default()).map(|(name, value)| format!("{name} {value}"));
            let acts = match own.acts {
                Acts::OnAll => "all".to_string(),
                Acts::On(part) => part.name().to_string(),
                Acts::With(other) => format!("with `{other}`"),
            };
            let (unit, demand) = (own.unit.sign(), own.range.demand);
            let scope = own.scope.words();
            let help = own.help.replace('|', "\\|");
            let kinds = kinds.collect::<Vec<_>>().join(", ");
            format!(
                "| `{}` | {help} | {unit} | {} | {demand} | {scope} | {acts} | {kinds} |\n",
                own.name,
                own.default()
            )
        };
        Imperfections::TABLE.iter().map(row).collect()
    }

    #[test]
    fn the_docs_say_of_every_imperfection_what_its_row_says() {
        let docs = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs");
        let [page, method] = ["imperfections.md", "method.md"].map(|name| std::fs::read_to_string(docs.join(name)));
        let (Ok(page), Ok(method)) = (page, method) else {
            return eprintln!("skipped: the docs lie outside this package");
        };
        assert!(page.contains(&table()), "docs/imperfections.md: the rows of the table should be\n{}", table());
        let without: Vec<&str> = Imperfections::TABLE.iter().map(|own| own.name).collect();
        let without: Vec<&str> = without.into_iter().filter(|name| !method.contains(&format!("`{name}`"))).collect();
        assert!(without.is_empty(), "docs/method.md, Imperfections: no formula of {without:?}");
    }

    #[test]
    fn every_imperfection_is_a_flag_with_the_help_of_its_row() {
        let command = <RunSettings as clap::Args>::augment_args(clap::Command::new(""));
        for own in Imperfections::TABLE {
            let flag = command.get_arguments().find(|flag| flag.get_long() == Some(own.name)).expect(own.name);
            assert_eq!(flag.get_help().unwrap().to_string(), own.help);
            assert_eq!(flag.get_value_names().unwrap()[0], own.unit.placeholder(), "{}", own.name);
            let default = own.default();
            let said = default.number() == 0.0 || own.help.contains(&format!("[default: {default}"));
            assert!(said, "the help of {} does not say its default {default}", own.name);
        }
    }

    #[test]
    fn a_spread_changes_the_named_chip() {
        let mut settings = RunSettings { chip: Some("demo".into()), update_error: Some(0.1), ..RunSettings::default() };
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
        let check = |change: &dyn Fn(&mut RunSettings), draws| {
            let mut settings =
                RunSettings { chip: Some("mesh".into()), chip_file: Some("F.npz".into()), ..RunSettings::default() };
            change(&mut settings);
            let chip = imperfections(&mut settings).unwrap();
            beside_files(&settings, &chip, draws).map_err(|error| error.to_string())
        };
        assert_eq!(check(&|_| {}, false), Ok(None));
        assert_eq!(check(&|s| s.chip = Some("silicon".into()), false), Ok(None), "the kind's own data sheet");
        let lossy =
            |s: &mut RunSettings| (s.loss_db, s.control_range, s.control_bits) = (Some(0.4), Some(7.0), Some(6));
        let error = check(&lossy, false).unwrap_err();
        let named = ["loss-db 0.4", "control-bits 6", "digital models alone", "--data-sheet"];
        assert!(named.iter().all(|part| error.contains(part)), "{error}");
        assert_eq!(check(&lossy, true).unwrap_err(), error, "a method that draws them does not make them the chip's");
        let asked = check(&|s| (lossy(s), s.data_sheet = Some(true)).0, false).unwrap().unwrap();
        assert!(asked.contains("loss-db 0.4") && asked.contains("as its files have it"), "{asked}");
        // a spread is in no data sheet: it would do nothing, but for draws
        let noisy = |s: &mut RunSettings| s.shot_noise = Some(0.1);
        assert!(check(&noisy, false).unwrap_err().contains("shot-noise 0.1 would change nothing"));
        assert!(check(&noisy, true).unwrap().unwrap().contains("noise-aware"));
        let drawn = check(&|s| (noisy(s), s.chip_file = None).0, false);
        assert_eq!(drawn, Ok(None), "a drawn chip has what the flags say");
        assert!(
            check(&|s| (s.chip_file, s.data_sheet) = (None, Some(true)), false).unwrap_err().contains("data-sheet")
        );
    }
}
