//! The imperfections that settings ask for: those of a kind of chip ([`super::kinds`]), and what changes it.

use super::flags::RunSettings;
use super::kinds::find;
use anyhow::{Result, bail, ensure};
use at_core::imperfections::{Acts, Imperfection, Imperfections, Part, Planes};
use at_core::network::Network;
use at_core::optics::{AngularSpectrum, MAX_LOSS_DB};

pub use super::kinds::{DEMONSTRATION, help};

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
    let columns = network.all_meshes().map(|mesh| mesh.columns().len()).max().unwrap_or_default();
    let lost = columns as f64 * chip.loss_db;
    ensure!(
        lost <= MAX_LOSS_DB || chip.passive.amplified,
        "--loss-db {} in {columns} columns is {lost} dB, and a mesh's mean loss is at most {MAX_LOSS_DB} dB in all; choose --amplified, or fewer \
         columns",
        chip.loss_db
    );
    // what a person has changed of the kind, and to no effect
    let asked = differing(chip, &find(kind).unwrap_or(Imperfections::NONE));
    let in_vain = asked.into_iter().filter_map(|own| match own.acts {
        Acts::On(part) if !network.has(part) && own.of(chip) != own.default() => Some((own.name, part)),
        Acts::On(_) | Acts::OnAll | Acts::With(_) => None,
    });
    let in_vain: Vec<_> = in_vain.collect();
    if let Some((name, part)) = idle.filter(|_| !any) {
        let fitting = FITTING.into_iter().filter(|(part, _)| network.has(*part));
        let fitting: Vec<_> =
            fitting.map(|(_, chip)| chip).chain(["ideal"].into_iter().filter(|ideal| *ideal != kind)).collect();
        if let Some((name, part)) = in_vain.first() {
            bail!(
                "--{name} acts on {}, and the network has none: chip {kind} would be ideal; drop it, or choose --chip {}",
                part.name(),
                fitting.join(" or ")
            );
        }
        bail!(
            "chip {kind} would be ideal: {name} acts on {}, and the network has none; choose --chip {}",
            part.name(),
            fitting.join(" or ")
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
    let vain = in_vain
        .iter()
        .map(|(name, part)| format!("--{name} changes nothing: it acts on {}, and the network has none", part.name()));
    let note = note.into_iter().chain(vain).reduce(|one, other| format!("{one}; {other}"));
    Ok((if shown.is_empty() { "no imperfection".to_string() } else { shown }, note))
}

#[cfg(test)]
mod tests {
    use super::super::kinds::KINDS;
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
        let lossy = Imperfections { loss_db: 100.0, ..Imperfections::NONE };
        let error = effective("ideal", &lossy, &network("mesh:8")).unwrap_err().to_string();
        assert!(error.contains("--loss-db 100 in 8 columns is 800 dB") && error.contains("--amplified"), "{error}");
        assert!(effective("ideal", &lossy, &network("mesh:4")).is_ok());
        let changed = |kind: &str, text: &str| {
            let mut chip = find(kind).unwrap();
            chip.memory.pcm_levels = 8;
            effective(kind, &chip, &network(text))
        };
        let error = changed("ideal", "matrix:4-2").unwrap_err().to_string();
        assert!(
            error.starts_with("--pcm-levels acts on phase-change crossbars")
                && error.ends_with("drop it, or choose --chip demo"),
            "{error}"
        );
        let note = changed("demo", "matrix:4-2").unwrap().1.unwrap();
        assert!(note.contains("--pcm-levels changes nothing") && note.contains("the network has none"), "{note}");
        assert_eq!(changed("phase-change", "pcm:2x4").unwrap().1, None);
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
