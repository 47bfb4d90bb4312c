//! Kinds of imperfect chips that have a name, and the imperfections that make them.

use super::flags::RunSettings;
use crate::names;
use anyhow::{Result, anyhow, bail, ensure};
use at_core::imperfections::{
    Acts, Control, Imperfection, Imperfections, Memory, Part, Passive, Planes, Process, Rings,
};
use at_core::network::Network;
use at_core::optics::AngularSpectrum;

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

/// Names, what they stand for, and where their numbers come from.
const KINDS: [(&str, &str, &str); 13] = [
    ("ideal", "no imperfection", ""),
    (
        "weight-bank",
        "uncalibrated responses: amplitudes and slopes 30 % apart, offsets of 0.5 rad",
        "chosen: cells that nobody has calibrated",
    ),
    (
        DEMONSTRATION,
        "the published demonstration and its random numbers: 60 % parameter spread, 60 % update error",
        "AsymmetricalTrainingDemo, `atCode.py`",
    ),
    ("mesh", "splitters of 0.02 rad and phases of 0.04 rad", "chosen: a mesh that was calibrated well"),
    (
        "silicon",
        "a calibrated silicon mesh: thermal shifters with 12 bits, crosstalk 1 %, losses of its parts",
        "loss of a heater: Harris et al., Opt. Express 22, 10487 (2014); range π(V/V_π)² of shifters with V_π 4.36 V at 10.8 V; the rest within \
         what is usual for strip waveguides and thermal shifters, not one device",
    ),
    (
        "silicon-raw",
        "the same as it comes from the fab: any phase, process variation, 1 % of shifters dead",
        "as `silicon`; what the fab leaves is chosen",
    ),
    (
        "ring-bank",
        "microrings: resonances 0.02 rad apart (a third of a linewidth at finesse 100), linewidths 10 %",
        "a third of `ring-bank-raw`, as a calibration would leave; the rest within what is usual for add-drop rings",
    ),
    (
        "ring-bank-raw",
        "the same with resonances as the fab leaves them, 0.06 rad apart",
        "resonances wander by some 1 nm² per cm over wafers, as M. Mohamed and others measured on four: 0.1 nm between neighbours 100 µm apart, of a \
         free spectral range of 10 nm",
    ),
    (
        "silicon-rings",
        "those of ring-bank with heaters of a tenth of the free spectral range, 12 bits, crosstalk 1 %",
        "steps of 1.5e-4 rad are 8.3 bits of a weight; Zhang et al., Optica 9, 579 (2022), hold weights to 9 bits",
    ),
    (
        "phase-change",
        "cells of 34 levels, contrasts 5 % apart, writings that end 1 % beside their level",
        "34 levels: Li et al., Optica 6, 1 (2019); noise below a third of their distance; the rest of this size, not one device",
    ),
    (
        "phase-change-64",
        "cells of 64 levels, writings that end 0.5 % beside theirs, else the same",
        "64 levels: Wu et al., Nat. Commun. 12, 96 (2021)",
    ),
    (
        "planes",
        "diffractive planes shifted by 40 µm and tilted by 2 mrad, distances off by 75 µm, pixels by 0.3 rad",
        "chosen: assembly by hand at terahertz pitches and printed heights",
    ),
    (
        "nitride",
        "a calibrated silicon nitride mesh: low loss, little crosstalk, trenches between heaters",
        "chosen, of the size usual for silicon nitride; the range as `silicon`",
    ),
];

/// The kinds of chips, one per line.
pub fn help() -> String {
    KINDS.map(|(name, meaning, _)| format!("  {name:<13} {meaning}")).join("\n")
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
        _ => Err(anyhow!(names::unknown("chip", name, KINDS.map(|(name, ..)| name)))),
    }
}

/// What careful assembly by hand leaves at terahertz pitches, a tenth of a pixel and of the wavelength, and printed heights. Chosen, not measured.
const PLANES: Planes =
    Planes { pixel_phase: 0.3, plane_shift: 40.0, plane_distance: 75.0, plane_tilt: 0.002, ..Planes::NONE };

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

/// The first of `kinds` with what the others have beside it; what acts on all elements is taken from the first alone.
pub fn together<'a>(mut kinds: impl Iterator<Item = &'a str>) -> Result<RunSettings> {
    let Some(first) = kinds.next() else { return Ok(RunSettings::default()) };
    let own = find(first)?;
    let mut all = own;
    for kind in kinds {
        let other = find(kind)?;
        let taken = differing(&other, &own).into_iter().filter(|own| own.acts != Acts::OnAll);
        taken.filter(|own| own.of(&other) != own.default()).for_each(|own| own.copy(&mut all, &other));
    }
    let mut settings = RunSettings { chip: Some(first.to_string()), ..RunSettings::default() };
    settings.make_explicit(&mut all);
    let beside = differing(&all, &own);
    let mut table = toml::Table::try_from(&settings)?;
    table.retain(|name, _| imperfection(name).is_none() || beside.iter().any(|own| own.name == name));
    Ok(table.try_into()?)
}

/// Makes the spreads of the kind of chip in `settings` smaller where the planes between `spaces` have no room for them.
pub fn fit_planes(settings: &mut RunSettings, spaces: impl Iterator<Item = AngularSpectrum>) -> Result<()> {
    let own = imperfections(&mut settings.clone())?.planes;
    // two digits, rounded down
    let round = |most: f64| {
        let exponent = most.log10().floor() as i32 - 1;
        let digits = (most / 10f64.powi(exponent) + 1e-9).floor();
        format!("{digits}e{exponent}").parse().unwrap_or(most)
    };
    for most in spaces.map(|spectrum| Planes::most(&spectrum)) {
        let spreads = [
            (&mut settings.plane_shift, own.plane_shift, most.plane_shift),
            (&mut settings.plane_distance, own.plane_distance, most.plane_distance),
            (&mut settings.plane_tilt, own.plane_tilt, most.plane_tilt),
        ];
        for (setting, own, most) in spreads {
            if setting.unwrap_or(own) > most {
                *setting = Some(round(most));
            }
        }
    }
    Ok(())
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

/// The imperfections that `network` has, as `response-slope 0.3, …`, and a note where some of its elements have none and others do. Errs
/// where a chip of kind `kind` has some, but none of them acts on the network: such a chip would be ideal without anybody having
/// asked for that.
pub fn effective(kind: &str, chip: &Imperfections, network: &Network) -> Result<(String, Option<String>)> {
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
    let on = |part: Part| own.iter().any(|own| own.acts == Acts::On(part));
    let everywhere = own.iter().any(|own| own.acts == Acts::OnAll) || on(Part::Shifters);
    let erring = |part: Part| on(part) || (part == Part::Planes && on(Part::Masks));
    let (erring, perfect): (Vec<_>, Vec<_>) =
        FITTING.into_iter().filter(|(part, _)| network.has(*part)).partition(|(part, _)| erring(*part));
    let note = (!everywhere && !erring.is_empty() && !perfect.is_empty()).then(|| {
        let parts: Vec<&str> = perfect.iter().map(|(part, _)| part.name()).collect();
        let kinds: Vec<&str> = perfect.iter().map(|(_, chip)| *chip).collect();
        let (parts, kinds) = (parts.join(" and "), kinds.join(" and "));
        format!("chip {kind} leaves {parts} perfect; give them the imperfections that chip {kinds} has (docs/imperfections.md)")
    });
    Ok((if shown.is_empty() { "no imperfection".to_string() } else { shown }, note))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_is_known_and_valid() {
        assert!(KINDS.iter().all(|(name, ..)| find(name).is_ok_and(|kind| kind.validate().is_ok())));
    }

    /// The table of `docs/imperfections.md`.
    fn table() -> String {
        let row = |own: &Imperfection| {
            let kinds = KINDS.iter().map(|(name, ..)| (name, own.of(&find(name).unwrap())));
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

    /// The table of kinds in `docs/imperfections.md`.
    fn kinds() -> String {
        KINDS.map(|(name, meaning, source)| format!("| `{name}` | {meaning} | {source} |\n")).concat()
    }

    #[test]
    fn the_docs_say_of_every_kind_where_its_numbers_come_from() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/imperfections.md");
        let Ok(page) = std::fs::read_to_string(page) else {
            return eprintln!("skipped: the docs lie outside this package");
        };
        assert!(page.contains(&kinds()), "docs/imperfections.md: the rows of kinds should be\n{}", kinds());
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
        let bank = effective("ring-bank", &find("ring-bank").unwrap(), &network("conv:4@1,rings,bank:out"));
        assert!(bank.unwrap().1.unwrap().contains("chip ring-bank leaves weight banks perfect"));
        let act = |kind: &str, text: &str| effective(kind, &find(kind).unwrap(), &network(text));
        assert_eq!(act("mesh", "mesh:4x2").unwrap(), ("splitter-angle 0.02, phase 0.04".into(), None));
        assert_eq!(act("ideal", "mesh:4").unwrap(), ("no imperfection".into(), None));
        assert_eq!(act("demo", "mesh:4").unwrap(), ("update-error 0.6".into(), None));
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
