//! What is trained, and the name that follows from it.

use crate::settings::RunSettings;
use crate::trial::RunContents;
use anyhow::{Context, Result};
use at_core::training::MethodName;
use md5::{Digest, Md5};

/// Raised when the same settings would give other numbers or another form of result.
const FORMAT: u32 = 1;
/// The same for settings with noisy detectors at the phase shifters, of which cells once knew nothing.
const FORMAT_WITH_TAP_NOISE: u32 = 2;

/// One training of one method on one chip.
#[derive(Clone, Debug, PartialEq)]
pub struct Cell {
    /// Complete settings: one method, one chip, one engine.
    pub settings: RunSettings,
    /// The name of its folder.
    pub name: String,
}

impl Cell {
    /// The training of `method` on chip `chip_seed` with otherwise these `settings`, which `complete` has completed, and the
    /// `contents` that it reads; none in runs of an earlier version, whose cells are named after their settings alone.
    pub fn new(
        settings: &RunSettings,
        method: MethodName,
        chip_seed: u64,
        contents: Option<&RunContents>,
    ) -> Result<Self> {
        let settings =
            RunSettings { method: Some(vec![method.to_string()]), chip_seed: Some(chip_seed), ..settings.clone() };
        let hash = hash(&settings, contents)?;
        Ok(Cell { name: format!("{method}-{chip_seed}-{hash}"), settings })
    }
}

/// The cells of a comparison, method by method and chip by chip. Each is made when it is asked for: there may be millions.
#[derive(Clone, Debug)]
pub struct Cells {
    settings: RunSettings,
    methods: Vec<MethodName>,
    /// Number of the first chip.
    first: u64,
    chips: usize,
    contents: Option<RunContents>,
}

impl Cells {
    /// Every method of `methods`, on `chips` chips from the settings' chip seed on, with otherwise these `settings` and the
    /// `contents` of [`Cell::new`].
    pub fn new(
        settings: &RunSettings,
        methods: &[MethodName],
        chips: u64,
        contents: Option<RunContents>,
    ) -> Result<Self> {
        let first = settings.chip_seed.unwrap_or_default();
        let last = first.checked_add(chips).filter(|&last| i64::try_from(last).is_ok());
        last.with_context(|| format!("{chips} chips from chip-seed {first} on are beyond the last seed"))?;
        hash(settings, contents.as_ref())?; // so that it is known here whether they can be written
        let chips = usize::try_from(chips).context("chips")?;
        Ok(Cells { settings: settings.clone(), methods: methods.to_vec(), first, chips, contents })
    }

    /// Number of cells.
    pub fn len(&self) -> usize {
        self.methods.len() * self.chips
    }

    /// Cell number `index`, below [`Cells::len`].
    pub fn get(&self, index: usize) -> Cell {
        let (method, chip) = (self.methods[index / self.chips], (index % self.chips) as u64);
        let cell = Cell::new(&self.settings, method, self.first + chip, self.contents.as_ref());
        cell.expect("settings that were written once are written again")
    }

    /// The method of cell number `index`.
    pub fn method(&self, index: usize) -> MethodName {
        self.methods[index / self.chips]
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
pub(super) fn hash(settings: &RunSettings, contents: Option<&RunContents>) -> Result<String> {
    let text = toml::Table::try_from(settings.identity()).context("settings")?.to_string();
    let contents = contents.map(serde_json::to_string).transpose().context("contents")?.unwrap_or_default();
    let noisy = settings.tap_noise.is_some_and(|spread| spread > 0.0);
    let format = if noisy { FORMAT_WITH_TAP_NOISE } else { FORMAT };
    let digest = Md5::digest(format!("{format} {} {text}{contents}", env!("CARGO_PKG_VERSION")));
    Ok(digest[..6].iter().map(|byte| format!("{byte:02x}")).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_from_the_numbers_settings_and_from_nothing_else() {
        let settings = crate::settings::resolve(None, &RunSettings::default()).unwrap();
        let name = |change: &dyn Fn(&mut RunSettings)| {
            let mut settings = settings.clone();
            change(&mut settings);
            Cell::new(&settings, MethodName::At, 3, None).unwrap().name
        };
        let base = name(&|_| {});
        assert!(base.starts_with("at-3-") && base.len() == 17, "{base}");
        let same: [&dyn Fn(&mut RunSettings); 4] =
            [&|s| s.data_dir = Some("/elsewhere".into()), &|s| s.preset = None, &|s| s.method = None, &|s| {
                s.chip_seed = Some(9)
            }];
        same.iter().for_each(|change| assert_eq!(name(change), base));
        let other: [&dyn Fn(&mut RunSettings); 9] = [
            &|s| s.seed = Some(2),
            &|s| s.engine = Some("cpu".into()),
            &|s| s.epochs = Some(7),
            &|s| s.learning_rate = Some(0.2000001),
            &|s| s.label_column = Some("first".into()),
            &|s| s.target_columns = Some(vec!["y".into()]),
            &|s| s.score = Some("accuracy".into()),
            &|s| s.split = Some("0.7".into()),
            &|s| s.scale = Some("unit".into()),
        ];
        other.iter().for_each(|change| assert_ne!(name(change), base));
    }

    #[test]
    fn cells_that_read_other_samples_or_another_chip_have_other_names() {
        let settings = crate::settings::resolve(None, &RunSettings::default()).unwrap();
        let task = crate::trial::Tasks::default().of(settings.clone()).ok().unwrap();
        let name = |contents: Option<&RunContents>| Cell::new(&settings, MethodName::At, 3, contents).unwrap().name;
        let base = name(Some(&task.contents));
        let mut changed: Vec<RunContents> = vec![task.contents.clone(); 3];
        changed[0].data.train.labels = "0".repeat(32);
        changed[1].files.chip = Some("0".repeat(32));
        changed[2].files.controls = Some("0".repeat(32));
        let mut names: Vec<String> = changed.iter().map(Some).chain([None]).map(name).collect();
        names.push(base);
        assert!(names.iter().enumerate().all(|(k, one)| !names[..k].contains(one)), "{names:?}");
    }

    #[test]
    fn a_comparison_is_every_method_on_every_chip() {
        let settings = RunSettings { chip_seed: Some(7), ..RunSettings::default() };
        let cells = Cells::new(&settings, &[MethodName::At, MethodName::Ideal], 2, None).unwrap();
        let seeds: Vec<_> = cells.iter().map(|cell| cell.name[..cell.name.rfind('-').unwrap()].to_string()).collect();
        assert_eq!(seeds, ["at-7", "at-8", "ideal-7", "ideal-8"]);
        let last = RunSettings { chip_seed: Some(i64::MAX as u64), ..RunSettings::default() };
        assert!(Cells::new(&last, &[MethodName::At], 2, None).is_err());
    }
}
