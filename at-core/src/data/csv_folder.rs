//! A data set as the two tables `train.csv` and `test.csv` in a folder.

use super::dataset::Dataset;
use super::parts::{self, Labels};
use super::table::{self, Table, Wanted};
use super::table_doubts;
use crate::error::{Error, Result};
use std::collections::BTreeSet;
use std::path::Path;

/// The two files.
pub(crate) const FILES: [&str; 2] = ["train.csv", "test.csv"];

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

    if train.separator != test.separator {
        let [ours, theirs] = [&train, &test].map(|table| table.separator.name());
        notes.push(format!("the columns of train.csv are separated by {ours}, those of test.csv by {theirs}"));
    }
    let note = layout("train.csv", &train);
    let mut set = parts::of_two(name, train.into_piece(&train_path), test.into_piece(&test_path), classes)?;
    set.notes.splice(0..0, notes);
    set.note = Some(note);
    Ok(set)
}

/// What the first line of `file`, its columns and their numbers were taken for.
pub(crate) fn layout(file: &str, table: &Table) -> String {
    let line = if table.first_line.is_heading() { "is a heading" } else { "is a sample" };
    let held = match table.labels {
        Labels::Real(_) => {
            let columns: Vec<String> = table.taken.iter().map(usize::to_string).collect();
            let (hold, column) = if columns.len() == 1 { ("holds", "column") } else { ("hold", "columns") };
            format!("{column} {} {hold} real targets", columns.join(", "))
        }
        Labels::Numbers(_) | Labels::Words(..) => {
            let name = table.name(table.label).map_or_else(String::new, |name| format!(" ('{name}')"));
            let last = if table.label == table.width { ", the last," } else { "" };
            format!("column {}{name}{last} holds the classes", table.label)
        }
    };
    let commas = if table.decimal_comma { ", with decimal commas" } else { "" };
    let complex = if table.complex { "; features are complex" } else { "" };
    let separator = table.separator.name();
    format!("the first line of {file} {line}; {held}; columns are separated by {separator}{commas}{complex}")
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

#[cfg(test)]
#[path = "csv_folder_tests.rs"]
mod tests;
