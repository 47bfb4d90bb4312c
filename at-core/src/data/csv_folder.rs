//! A data set as the two tables `train.csv` and `test.csv` in a folder.

use super::dataset::Dataset;
use super::label_column::listed;
use super::samples::{RealTargets, Samples};
use super::table::{self, Labels, Table, Wanted};
use super::table_doubts;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The two files.
pub(crate) const FILES: [&str; 2] = ["train.csv", "test.csv"];

/// So many classes are believed whatever the number of samples; more only where there is a training sample for each.
const MOST_CLASSES: usize = 1024;

/// Both files are in `folder`.
pub(crate) fn is_in(folder: &Path) -> bool {
    FILES.iter().all(|file| folder.join(file).is_file())
}

/// Reads both tables for what is `wanted`. `classes` is how many there must be; `None` takes the greatest training label plus one,
/// or the number of different words.
///
/// Features stay as they are in the files. Words become classes in the order of the alphabet.
pub(crate) fn read(name: &str, folder: &Path, classes: Option<usize>, wanted: Wanted) -> Result<Dataset> {
    let [train_path, test_path] = FILES.map(|file| folder.join(file));
    let train = table::read(&train_path, wanted, None)?;
    let test = table::read(&test_path, wanted, Some(&train))?;
    if train.width != test.width {
        let (expected, got) = (train.width, test.width);
        let needed = if matches!(wanted, Wanted::Classes(_)) { "classes" } else { "targets" };
        let lacking = got + train.taken.len() == expected;
        let hint = if lacking { format!("; a test table needs its {needed}, to be judged by") } else { String::new() };
        let reason = format!("features of a test sample: expected {expected}, got {got}, unlike train.csv{hint}");
        return Err(Error::malformed(test_path, reason));
    }
    let mut notes: Vec<String> =
        FILES.iter().zip([&train, &test]).filter_map(|(file, table)| table_doubts::heading(file, table)).collect();
    notes.extend(compare_headings(&train, &test, &test_path)?);
    if matches!(wanted, Wanted::Classes(None)) {
        notes.extend(table_doubts::label_column(&train));
    }
    notes.extend(table_doubts::features(&train));

    let names = class_names(&train, &test, &test_path)?;
    let found = match &train.labels {
        Labels::Numbers(labels) => labels.iter().max().map_or(0, |&most| most as usize + 1),
        Labels::Words(words, _) => words.len(),
        Labels::Real(_) => 0,
    };
    let samples = train.len();
    if found > MOST_CLASSES.max(samples) {
        let reason = format!(
            "label {} makes {found} classes, but there are {samples} training samples; number the classes 0, 1, 2, …, or choose \
             their column with `label-column`",
            found - 1
        );
        return Err(Error::malformed(train_path, reason));
    }
    if let (Some(classes), true) = (classes.filter(|&classes| classes != found), names.is_some()) {
        return Err(Error::malformed(
            train_path,
            format!("its labels are {found} words, but {name} has {classes} classes"),
        ));
    }
    let mut set = Dataset {
        name: name.to_string(),
        classes: classes.unwrap_or(found),
        class_names: names,
        image: None,
        note: Some(layout(&train)),
        notes,
        train: Samples::default(),
        test: Samples::default(),
    };
    set.train = into_samples(train, set.class_names.as_deref());
    set.test = into_samples(test, set.class_names.as_deref());
    set.check().map_err(|error| Error::malformed(folder, error.to_string()))?;
    let doubts = if set.real_targets().is_some() { table_doubts::targets } else { table_doubts::classes };
    set.notes.extend(doubts(&set));
    Ok(set)
}

/// What the first line and the column of the classes were taken for.
fn layout(train: &Table) -> String {
    let line = if train.first_line.is_heading() { "is a heading" } else { "is a sample" };
    if let Labels::Real(_) = train.labels {
        let columns: Vec<String> = train.taken.iter().map(usize::to_string).collect();
        let (hold, column) = if columns.len() == 1 { ("holds", "column") } else { ("hold", "columns") };
        return format!("the first line of train.csv {line}; {column} {} {hold} real targets", columns.join(", "));
    }
    let name = train.name(train.label).map_or_else(String::new, |name| format!(" ('{name}')"));
    let last = if train.label == train.width { ", the last," } else { "" };
    format!("the first line of train.csv {line}; column {}{name}{last} holds the classes", train.label)
}

/// Errs where both tables have the same columns in another order; doubts where their headings differ otherwise.
fn compare_headings(train: &Table, test: &Table, test_path: &Path) -> Result<Option<String>> {
    let (learned, judged) = match (train.first_line.is_heading(), test.first_line.is_heading()) {
        (true, true) => (names(train), names(test)),
        (true, false) => return Ok(Some("train.csv has a heading, test.csv has none".to_string())),
        (false, true) => return Ok(Some("test.csv has a heading, train.csv has none".to_string())),
        (false, false) => return Ok(None),
    };
    let Some((ours, theirs)) = learned.iter().zip(&judged).find(|(ours, theirs)| ours != theirs) else {
        return Ok(None);
    };
    let sorted = |names: &[&str]| names.iter().map(|name| name.to_string()).collect::<BTreeSet<String>>();
    if sorted(&learned) == sorted(&judged) {
        let reason =
            format!("its columns are those of train.csv in another order: '{theirs}' stands in the place of '{ours}'");
        return Err(Error::malformed(test_path, reason));
    }
    Ok(Some(format!("the headings differ: column '{ours}' of train.csv is '{theirs}' in test.csv")))
}

/// The features' names, then those of the columns of the targets.
fn names(table: &Table) -> Vec<&str> {
    let columns = (0..table.width).map(|feature| table.column(feature)).chain(table.taken.iter().copied());
    columns.map(|column| table.first[column].as_str()).collect()
}

/// The words that are classes, sorted; `None` where numbers are. Errs where the tables do not agree.
fn class_names(train: &Table, test: &Table, test_path: &Path) -> Result<Option<Vec<String>>> {
    let kinds = |ours, theirs| {
        let reason = format!("its classes are {theirs}, those of train.csv {ours}; write both in the same way");
        Err(Error::malformed(test_path, reason))
    };
    match (&train.labels, &test.labels) {
        (Labels::Real(_), _) | (_, Labels::Real(_)) => Ok(None), // both are read for the same
        (Labels::Numbers(_), Labels::Numbers(_)) => Ok(None),
        (Labels::Numbers(_), Labels::Words(..)) => kinds("numbers", "words"),
        (Labels::Words(..), Labels::Numbers(_)) => kinds("words", "numbers"),
        (Labels::Words(learned, _), Labels::Words(judged, _)) => {
            let known: BTreeSet<&String> = learned.iter().collect();
            let unknown: Vec<&String> = judged.iter().filter(|word| !known.contains(word)).collect();
            if unknown.is_empty() {
                return Ok(Some(known.into_iter().cloned().collect()));
            }
            let quoted = |words: &[&String]| listed(words.iter().map(|word| format!("'{word}'")), words.len());
            let (unknown, known) = (quoted(&unknown), quoted(&known.into_iter().collect::<Vec<_>>()));
            Err(Error::malformed(test_path, format!("classes that train.csv has not: {unknown}; it has {known}")))
        }
    }
}

/// The samples of `table`; words become their place among the sorted `names`, all of which are known.
pub(crate) fn into_samples(table: Table, names: Option<&[String]>) -> Samples {
    let labels = match table.labels {
        Labels::Real(values) => {
            let real = Some(RealTargets { values, width: table.taken.len() });
            return Samples { features: table.features, width: table.width, labels: Vec::new(), real };
        }
        Labels::Numbers(labels) => labels,
        Labels::Words(words, ids) => {
            let names = names.unwrap_or_default();
            let place = |word: &String| names.binary_search(word).expect("every word is a class") as u32;
            let places: Vec<u32> = words.iter().map(place).collect();
            ids.into_iter().map(|id| places[id as usize]).collect()
        }
    };
    Samples { features: table.features, width: table.width, labels, real: None }
}

#[cfg(test)]
#[path = "csv_folder_tests.rs"]
mod tests;
