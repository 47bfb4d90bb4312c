//! What the training would cost on a chip: counts at its interface as seconds and joules, term by term.

use super::page::Page;
use crate::comparison::is_oracle;
use crate::export::bars::{Panel, shares};
use crate::export::columns::si;
use crate::export::marks::Picture;
use crate::export::sheet::Sheet;
use anyhow::Result;
use at_core::chip::Accesses;
use at_core::cost::{Bill, ChipSize, CostModel, Energy, Time};
use at_core::training::MethodName;

/// A training whose cost is shown: at which point of a grid, by which method, and per chip its counts and size.
pub struct Training {
    /// The values of what varies, or one of several chips; empty where there is one.
    pub place: String,
    /// The method.
    pub method: MethodName,
    /// One per chip.
    pub chips: Vec<(Accesses, ChipSize)>,
}

impl Training {
    fn name(&self) -> String {
        if self.place.is_empty() { self.method.to_string() } else { format!("{}, {}", self.method, self.place) }
    }

    fn bill(&self, model: &CostModel) -> Bill {
        let bills: Vec<Bill> = self.chips.iter().map(|(accesses, size)| model.bill(accesses, size)).collect();
        Bill::mean(&bills)
    }
}

/// A cost model with its name.
pub struct Model {
    /// Its name, or the path of its file.
    pub name: String,
    meaning: &'static str,
    constants: CostModel,
}

/// The models of the program, and `own` where it is another one.
pub fn models(own: Option<(&str, CostModel)>) -> Result<Vec<Model>> {
    let meaning = |name| match name {
        "bench" => "instruments around a chip",
        "integrated" => "converters beside the chip, one for each signal",
        _ => "constants of a file",
    };
    let mut models = Vec::new();
    for name in CostModel::presets() {
        models.push(Model { name: name.to_string(), meaning: meaning(name), constants: CostModel::find(name)? });
    }
    if let Some((name, constants)) = own.filter(|(name, _)| !CostModel::presets().contains(name)) {
        models.push(Model { name: name.to_string(), meaning: meaning(name), constants });
    }
    Ok(models)
}

/// Adds time and energy by term for every model: a table, and bars where there are few trainings.
pub fn section(page: &mut Page, trainings: &[Training], models: &[Model]) -> Result<()> {
    page.heading(3, "Modelled time and energy of the training, by term");
    page.paragraph(
        "Computed from the counts and from constants that are orders of magnitude and belong to no published chip; put \
         one's own into a file for --cost-model. The simulation's own time is no part of it.",
    );
    let (oracles, trainings): (Vec<_>, Vec<_>) = trainings.iter().partition(|training| is_oracle(training.method));
    if !oracles.is_empty() {
        page.paragraph("ideal is an oracle that no chip can run; it has no cost.");
    }
    for Model { name, meaning, constants } in models {
        let bills: Vec<(String, Bill)> =
            trainings.iter().map(|training| (training.name(), training.bill(constants))).collect();
        page.heading(3, &format!("Cost model {name}: {meaning}"));
        if let Some((file, picture)) = drawn(name, &bills, page.sheet()) {
            let caption = "What time and energy go into, as shares of the totals that stand beside the bars.";
            page.figure(&file, &picture, caption)?;
        }
        let row = |name: &String, terms: [f64; 6], total: f64, unit| {
            let terms = terms.into_iter().map(|term| si(term, unit));
            std::iter::once(name.clone()).chain([si(total, unit)]).chain(terms).collect::<Vec<_>>()
        };
        let time = bills.iter().map(|(name, bill)| row(name, bill.time.terms(), bill.time.total(), "s"));
        page.table(&[&["time of", "total"][..], &Time::NAMES].concat(), &time.collect::<Vec<_>>());
        let energy = bills.iter().map(|(name, bill)| row(name, bill.energy.terms(), bill.energy.total(), "J"));
        page.table(&[&["energy of", "total"][..], &Energy::NAMES].concat(), &energy.collect::<Vec<_>>());
    }
    Ok(())
}

/// The name and the picture of time and energy by term, where there are few trainings that cost anything.
pub fn picture(model: &Model, trainings: &[Training], sheet: Sheet) -> Option<(String, Picture)> {
    let costed = trainings.iter().filter(|training| !is_oracle(training.method));
    let bills: Vec<(String, Bill)> = costed.map(|own| (own.name(), own.bill(&model.constants))).collect();
    drawn(&model.name, &bills, sheet)
}

fn drawn(name: &str, bills: &[(String, Bill)], sheet: Sheet) -> Option<(String, Picture)> {
    /// More bars than this are not drawn.
    const MOST_BARS: usize = 12;
    if !(1..=MOST_BARS).contains(&bills.len()) {
        return None;
    }
    let time = bills.iter().map(|(name, bill)| (name.clone(), bill.time.terms(), si(bill.time.total(), "s")));
    let energy = bills.iter().map(|(name, bill)| (name.clone(), bill.energy.terms(), si(bill.energy.total(), "J")));
    let (time, energy) = (time.collect(), energy.collect());
    let panel =
        |what: &str, terms, bars| Panel { title: format!("{what} of the training, cost model {name}"), terms, bars };
    let panels = [panel("time", &Time::NAMES, time), panel("energy", &Energy::NAMES, energy)];
    Some((format!("cost-{}", file_name(name)), shares(&panels, sheet)))
}

/// A model may be a path; its picture's name is a file's.
fn file_name(model: &str) -> String {
    model.chars().map(|letter| if letter.is_alphanumeric() { letter } else { '-' }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::figures::FigureArguments;
    use crate::export::picture::Format;

    #[test]
    fn a_bar_begins_with_its_method_however_long_its_place_is() {
        let training = |place: &str| Training { place: place.into(), method: MethodName::At, chips: Vec::new() };
        assert_eq!(training("bank:in-16-16-out, 0.1").name(), "at, bank:in-16-16-out, 0.1");
        assert_eq!(training("").name(), "at");
    }

    #[test]
    fn costs_are_those_of_the_model_and_an_oracle_has_none() {
        let folder = tempfile::tempdir().unwrap();
        let mut page =
            Page::new("costs", folder.path().join("pictures"), FigureArguments::default().or(&[Format::Svg]));
        let accesses = Accesses { reads: 1000, frames: 100, passes: 100, rounds: 1, ..Accesses::default() };
        let chips = vec![(accesses, ChipSize { controls: 10, inputs: 4, cells: 0, others: None })];
        let training = |method| Training { place: String::new(), method, chips: chips.clone() };
        let own = CostModel { turn_s: 7.0, ..CostModel::find("bench").unwrap() };
        let models = models(Some(("my/own.toml", own))).unwrap();
        section(&mut page, &[training(MethodName::At), training(MethodName::Ideal)], &models).unwrap();
        let html = page.html();
        for text in ["Cost model bench", "Cost model integrated", "Cost model my/own.toml", "7.00 s", "oracle"] {
            assert!(html.contains(text), "{text}");
        }
        assert!(!html.contains("<td>ideal</td>"));
        assert!(folder.path().join("pictures/cost-my-own-toml.svg").is_file());
        let bill = CostModel::find("integrated").unwrap().bill(&accesses, &chips[0].1);
        assert!(html.contains(&si(bill.time.total(), "s")) && html.contains(&si(bill.energy.total(), "J")));
    }
}
