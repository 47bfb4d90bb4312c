//! What is trained, and the name that follows from it.

use crate::failure::{OrUsage, Outcome};
use crate::plan::Plan;
use crate::settings::Settings;
use crate::{command, engines};
use anyhow::{Context, Result};
use at_core::data::Dataset;
use at_core::network::Network;
use at_core::training::MethodName;
use md5::{Digest, Md5};
use std::path::PathBuf;

/// Raised when the same settings would give other numbers or another form of result.
const FORMAT: u32 = 1;

/// One training of one method on one chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Complete settings: one method, one chip, one engine.
    pub settings: Settings,
    /// The name of its folder.
    pub name: String,
}

impl Cell {
    /// The training of `method` on chip `chip_seed` with otherwise these `settings`, which `complete` has completed.
    pub fn new(settings: &Settings, method: MethodName, chip_seed: u64) -> Result<Self> {
        let settings =
            Settings { method: Some(vec![method.to_string()]), chip_seed: Some(chip_seed), ..settings.clone() };
        let hash = hash(&settings)?;
        Ok(Cell { name: format!("{method}-{chip_seed}-{hash}"), settings })
    }
}

/// The cells of a comparison, method by method and chip by chip. Each is made when it is asked for: there may be millions.
#[derive(Clone, Debug)]
pub struct Cells {
    settings: Settings,
    methods: Vec<MethodName>,
    /// Number of the first chip.
    first: u64,
    chips: usize,
}

impl Cells {
    /// Every method of `methods`, on `chips` chips from the settings' chip seed on, with otherwise these `settings`.
    pub fn new(settings: &Settings, methods: &[MethodName], chips: u64) -> Result<Self> {
        let first = settings.chip_seed.unwrap_or_default();
        let last = first.checked_add(chips).filter(|&last| i64::try_from(last).is_ok());
        last.with_context(|| format!("{chips} chips from chip-seed {first} on are beyond the last seed"))?;
        hash(settings)?; // so that it is known here whether they can be written
        let chips = usize::try_from(chips).context("chips")?;
        Ok(Cells { settings: settings.clone(), methods: methods.to_vec(), first, chips })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.methods.len() * self.chips
    }

    /// Cell number `index`, below [`Cells::len`].
    pub fn get(&self, index: usize) -> Cell {
        let (method, chip) = (self.methods[index / self.chips], (index % self.chips) as u64);
        Cell::new(&self.settings, method, self.first + chip).expect("settings that were written once are written again")
    }

    /// All cells.
    pub fn iter(&self) -> impl Iterator<Item = Cell> {
        (0..self.len()).map(|index| self.get(index))
    }

    /// The first cell of every method: two points that share one are the same point.
    pub fn firsts(&self) -> impl Iterator<Item = Cell> {
        (0..self.len()).step_by(self.chips.max(1)).map(|index| self.get(index))
    }
}

/// Twelve bytes in hexadecimal digits, of everything that the numbers depend on: not of where data lie, which preset the
/// settings came from, or the GPU's name. Keys are sorted, and those that are not set are left out.
fn hash(settings: &Settings) -> Result<String> {
    let text = toml::Table::try_from(settings.identity()).context("settings")?.to_string();
    let digest = Md5::digest(format!("{FORMAT} {} {text}", env!("CARGO_PKG_VERSION")));
    Ok(digest[..6].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Settings with all that can be known before a training: explicit spreads, the network's widths, the engine.
pub struct Complete {
    /// The plan of these settings.
    pub plan: Plan,
    /// The chip's design.
    pub network: Network,
    /// What the chip has of imperfections, for people.
    pub imperfections: String,
}

/// The data set used last, for settings in a row that share it.
#[derive(Default)]
pub struct DataCache {
    last: Option<(Source, Dataset)>,
}

/// What decides on the samples: data set, folder, limits.
type Source = (Option<String>, Option<PathBuf>, Option<usize>, Option<usize>);

impl DataCache {
    /// Understands `settings`, and completes them with what the data say. What makes no sense is wrong usage.
    pub fn complete(&mut self, settings: Settings) -> Outcome<Complete> {
        let mut plan = Plan::new(settings).or_usage()?;
        plan.settings.engine = Some(engines::setting(&plan).to_string());
        let network = plan.fit(self.data(&plan)?).or_usage()?;
        let imperfections = plan.imperfections_of(&network).or_usage()?;
        Ok(Complete { plan, network, imperfections })
    }

    /// The data of `plan`.
    pub fn data(&mut self, plan: &Plan) -> Outcome<&Dataset> {
        let Settings { dataset, data_dir, train_limit, test_limit, .. } = plan.settings.clone();
        let source = (dataset, data_dir, train_limit, test_limit);
        if self.last.as_ref().is_none_or(|(last, _)| *last != source) {
            self.last = None; // two data sets in memory are one too many
            self.last = Some((source, command::train::load(plan)?));
        }
        Ok(&self.last.as_ref().expect("just loaded").1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_numbers_settings_and_from_nothing_else() {
        let settings = crate::layers::resolve(None, &Settings::default()).unwrap();
        let name = |change: &dyn Fn(&mut Settings)| {
            let mut settings = settings.clone();
            change(&mut settings);
            Cell::new(&settings, MethodName::At, 3).unwrap().name
        };
        let base = name(&|_| {});
        assert!(base.starts_with("at-3-") && base.len() == 17, "{base}");
        let same: [&dyn Fn(&mut Settings); 4] =
            [&|s| s.data_dir = Some("/elsewhere".into()), &|s| s.preset = None, &|s| s.method = None, &|s| {
                s.chip_seed = Some(9)
            }];
        same.iter().for_each(|change| assert_eq!(name(change), base));
        let other: [&dyn Fn(&mut Settings); 4] =
            [&|s| s.seed = Some(2), &|s| s.engine = Some("cpu".into()), &|s| s.epochs = Some(7), &|s| {
                s.learning_rate = Some(0.2000001)
            }];
        other.iter().for_each(|change| assert_ne!(name(change), base));
    }

    #[test]
    fn a_comparison_is_every_method_on_every_chip() {
        let settings = Settings { chip_seed: Some(7), ..Settings::default() };
        let cells = Cells::new(&settings, &[MethodName::At, MethodName::Ideal], 2).unwrap();
        let seeds: Vec<_> = cells.iter().map(|cell| cell.name[..cell.name.rfind('-').unwrap()].to_string()).collect();
        assert_eq!(seeds, ["at-7", "at-8", "ideal-7", "ideal-8"]);
        let last = Settings { chip_seed: Some(i64::MAX as u64), ..Settings::default() };
        assert!(Cells::new(&last, &[MethodName::At], 2).is_err());
    }
}
