//! From what files hold to the two parts of a data set: as they are two, or split off one another.

use super::dataset::Dataset;
use super::features::Features;
use super::label_column::listed;
use super::samples::{RealTargets, Samples};
use super::split::{SplitRule, split_off};
use super::table_doubts;
use crate::error::{Error, Result};
use crate::image_shape::ImageShape;
use md5::{Digest, Md5};
use std::collections::{BTreeSet, HashSet};
use std::path::Path;

/// So many classes are believed whatever the number of samples; more only where there is a training sample for each.
const MOST_CLASSES: usize = 1024;

/// Classes as they are written.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Labels {
    /// Whole numbers.
    Numbers(Vec<u32>),
    /// Words: each once, and which of them every sample has.
    Words(Vec<String>, Vec<u32>),
    /// No classes: real targets, `[samples, targets]`.
    Real(Vec<f32>),
}

impl Labels {
    /// Number of samples, each of which has so many `targets` where they are real.
    pub fn len(&self, targets: usize) -> usize {
        match self {
            Labels::Numbers(labels) | Labels::Words(_, labels) => labels.len(),
            Labels::Real(values) => values.len() / targets.max(1),
        }
    }
}

/// Samples as a file has them, whose classes may still be words.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Piece<'a> {
    /// `[samples, width]`, pairs (re, im) where `complex`.
    pub features: Features,
    /// Features per sample.
    pub width: usize,
    /// Features are complex.
    pub complex: bool,
    /// What is to be learned.
    pub labels: Labels,
    /// Real targets per sample.
    pub targets: usize,
    /// Where samples are images.
    pub image: Option<ImageShape>,
    /// What classes that are numbers are called.
    pub names: Option<Vec<String>>,
    /// The classes stand in a column, which a person can choose.
    pub by_column: bool,
    /// Where they come from.
    pub path: &'a Path,
}

impl Piece<'_> {
    fn file(&self) -> String {
        self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned()
    }

    /// How many classes there are: the greatest label plus one, or the number of different words.
    fn classes(&self) -> Result<usize> {
        let found = match &self.labels {
            Labels::Numbers(labels) => labels.iter().max().map_or(0, |&most| most as usize + 1),
            Labels::Words(words, _) => words.len(),
            Labels::Real(_) => 0,
        };
        let samples = self.labels.len(self.targets);
        if found > MOST_CLASSES.max(samples) {
            let choose = if self.by_column { ", or choose their column with `label-column`" } else { "" };
            let reason = format!(
                "label {} makes {found} classes, but there are {samples} training samples; number the classes 0, 1, 2, …{choose}",
                found - 1
            );
            return Err(Error::malformed(self.path, reason));
        }
        Ok(found)
    }

    /// The names of the classes: the words in the order of the alphabet, or those that the file gives to numbers.
    fn class_names(&self, classes: usize) -> Option<Vec<String>> {
        match &self.labels {
            Labels::Numbers(_) => self.names.clone().filter(|names| names.len() == classes),
            Labels::Words(words, _) => Some(words.iter().collect::<BTreeSet<_>>().into_iter().cloned().collect()),
            Labels::Real(_) => None,
        }
    }

    /// The samples; words become their place among the sorted `names`, all of which are known.
    pub fn into_samples(self, names: Option<&[String]>) -> Samples {
        let Piece { features, width, complex, labels, targets, .. } = self;
        let (labels, real) = match labels {
            Labels::Real(values) => (Vec::new(), Some(RealTargets { values, width: targets })),
            Labels::Numbers(labels) => (labels, None),
            Labels::Words(words, ids) => {
                let names = names.unwrap_or_default();
                let place = |word: &String| names.binary_search(word).expect("every word is a class") as u32;
                let places: Vec<u32> = words.iter().map(place).collect();
                (ids.into_iter().map(|id| places[id as usize]).collect(), None)
            }
        };
        Samples { features, width, complex, labels, real }
    }
}

/// The data set of two pieces. `classes` is how many there must be; `None` takes what the training samples have.
pub(crate) fn of_two(name: &str, train: Piece, test: Piece, classes: Option<usize>) -> Result<Dataset> {
    let (path, by_column, image) = (test.path, train.by_column, train.image);
    if train.width != test.width || train.image != test.image {
        let size = |piece: &Piece| match piece.image {
            Some(image) => format!("images of {}", image.brief()),
            None => format!("{} features", piece.width),
        };
        let reason = format!("its samples have {}, those of {} {}", size(&test), train.file(), size(&train));
        return Err(Error::malformed(path, reason));
    }
    agree(&train, &test)?;
    let found = train.classes()?;
    let names = train.class_names(found);
    if let (Some(classes), true) = (classes.filter(|&classes| classes != found), names.is_some()) {
        let reason = format!("its labels are {found} words, but {name} has {classes} classes");
        return Err(Error::malformed(train.path, reason));
    }
    let folder = train.path.parent().unwrap_or(train.path);
    let (train, test) = (train.into_samples(names.as_deref()), test.into_samples(names.as_deref()));
    let (train, test) = match train.complex || test.complex {
        true => (train.into_complex(), test.into_complex()),
        false => (train, test),
    };
    let set = Dataset { class_names: names, image, ..Dataset::of(name, classes.unwrap_or(found), train, test) };
    set.check().map_err(|error| Error::malformed(folder, error.to_string()))?;
    Ok(doubted(set, by_column))
}

/// The data set of one piece, split by `rule`, or by the usual one.
pub(crate) fn of_one(name: &str, whole: Piece, rule: Option<SplitRule>) -> Result<Dataset> {
    let (path, by_column, image) = (whole.path, whole.by_column, whole.image);
    let classes = whole.classes()?;
    let names = whole.class_names(classes);
    let samples = whole.into_samples(names.as_deref());
    samples.check("all", classes).map_err(|error| Error::malformed(path, error.to_string()))?;
    let used = rule.unwrap_or_default();
    let (train, test) = split_off(samples, classes, used).map_err(|error| match error {
        Error::Malformed { reason, .. } => Error::malformed(path, reason),
        other => other,
    })?;
    let share = if train.real.is_some() { "at random" } else { "of every class its share" };
    let by = if rule.is_some() { "" } else { ", as nothing else is said" };
    let (learned, judged) = (train.len(), test.len());
    let note = format!("split {used}{by}: {learned} training and {judged} test samples, {share}");
    let repeated = repeated(&train, &test)?;
    let set = Dataset { class_names: names, image, ..Dataset::of(name, classes, train, test) };
    let mut set = doubted(set.with_note(&note).checked()?, by_column);
    if repeated > 0 {
        set.notes.push(format!(
            "{repeated} of {judged} test samples have the very features of a training sample; results flatter what has learned \
             them by heart"
        ));
    }
    Ok(set)
}

fn doubted(mut set: Dataset, by_column: bool) -> Dataset {
    let doubts = if set.real_targets().is_some() { table_doubts::targets } else { table_doubts::classes };
    set.notes.extend(doubts(&set, by_column));
    set
}

/// Test samples whose features are those of a training sample, bit by bit.
fn repeated(train: &Samples, test: &Samples) -> Result<usize> {
    let sum = |sample: &[f32]| -> [u8; 16] { Md5::digest(bytemuck::cast_slice::<f32, u8>(sample)).into() };
    let mut judged = Vec::new();
    test.features.for_each(test.stride(), |sample| judged.push(sum(sample)))?;
    let all: HashSet<[u8; 16]> = judged.iter().copied().collect();
    let mut known: HashSet<[u8; 16]> = HashSet::new();
    train.features.for_each(train.stride(), |sample| known.extend(all.get(&sum(sample))))?;
    Ok(judged.iter().filter(|own| known.contains(*own)).count())
}

/// Errs where the classes of the parts are of two kinds, or the test samples have a word that the others have not.
fn agree(train: &Piece, test: &Piece) -> Result<()> {
    let learned_from = train.file();
    let kinds = |ours, theirs| {
        let reason = format!("its classes are {theirs}, those of {learned_from} {ours}; write both in the same way");
        Err(Error::malformed(test.path, reason))
    };
    match (&train.labels, &test.labels) {
        (Labels::Real(_), _) | (_, Labels::Real(_)) => Ok(()), // both are read for the same
        (Labels::Numbers(_), Labels::Numbers(_)) => Ok(()),
        (Labels::Numbers(_), Labels::Words(..)) => kinds("numbers", "words"),
        (Labels::Words(..), Labels::Numbers(_)) => kinds("words", "numbers"),
        (Labels::Words(learned, _), Labels::Words(judged, _)) => {
            let known: BTreeSet<&String> = learned.iter().collect();
            let unknown: Vec<&String> = judged.iter().filter(|word| !known.contains(word)).collect();
            if unknown.is_empty() {
                return Ok(());
            }
            let quoted = |words: &[&String]| listed(words.iter().map(|word| format!("'{word}'")), words.len());
            let (unknown, known) = (quoted(&unknown), quoted(&known.into_iter().collect::<Vec<_>>()));
            let reason = format!("classes that {learned_from} has not: {unknown}; it has {known}");
            Err(Error::malformed(test.path, reason))
        }
    }
}
