//! What makes one doubt that a table means what it was taken for.

use super::dataset::Dataset;
use super::heading::{FirstLine, LABEL_NAMES, is_label_name};
use super::label_column::listed;
use super::numeral::Numeral;
use super::parts::Labels;
use super::samples::RealTargets;
use super::table::Table;
use std::collections::HashSet;

/// A column of fewer samples may count them by chance.
const LEAST_TO_COUNT: usize = 4;

/// With fewer samples, classes of one sample each say nothing.
const LEAST_TO_COMPARE: usize = 10;

/// Headings of columns that number the samples; pandas leaves the first empty.
const INDEX_NAMES: [&str; 4] = ["", "unnamed: 0", "index", "id"];

/// Doubts about what the first line of `file` was taken for.
pub(crate) fn heading(file: &str, table: &Table) -> Option<String> {
    let line = listed(&table.first, table.first.len());
    match table.first_line {
        FirstLine::ProbablyHeading => Some(format!(
            "{file}: the first line, {line}, is taken for a heading and not for a sample, because it counts its columns; if it \
             is a sample, put a line of names above it"
        )),
        FirstLine::ProbablySample => Some(format!(
            "{file}: the first line, {line}, is taken for a sample, although it could be a heading; if it is one, give its \
             columns names"
        )),
        FirstLine::Heading | FirstLine::Sample => None,
    }
}

/// Doubts about the last column, which was taken for the classes because nobody said which it is.
pub(crate) fn label_column(table: &Table) -> Option<String> {
    let (Labels::Numbers(labels) | Labels::Words(_, labels)) = &table.labels else { return None };
    if let Labels::Words(words, _) = &table.labels
        && words.iter().all(|word| matches!(Numeral::read(word), Some(Numeral::Complex(_))))
    {
        return Some(format!(
            "the classes are read from the last column, which holds complex numbers, as '{}'; if another one holds them, pass \
             `label-column`",
            words[0]
        ));
    }
    let called = |column: usize| table.name(column).is_some_and(is_label_name);
    if let Some(other) = (0..table.label).find(|&column| called(column)).filter(|_| !called(table.label)) {
        let name = &table.first[other];
        return Some(format!(
            "the classes are read from the last column, '{}', but column {other} is called '{name}'; if it holds them, pass \
             `label-column` {other}",
            table.first[table.label]
        ));
    }
    let first: Option<Vec<u32>> = column(table, 0).map(whole_number).collect::<Option<_>>().filter(|_| !table.complex);
    let first = first.filter(|first| looks_like_labels(first))?;
    let classes = first.iter().collect::<HashSet<_>>().len();
    (!looks_like_labels(labels)).then(|| {
        format!(
            "the classes are read from the last column, which does not look like classes, but the first does ({classes} of \
             them); if it holds them, pass `label-column` first"
        )
    })
}

/// Two classes or more, from 0 or 1 on without a gap, and on average two samples or more of each.
fn looks_like_labels(labels: &[u32]) -> bool {
    let known: HashSet<u32> = labels.iter().copied().collect();
    let most = known.iter().copied().max().unwrap_or_default() as usize;
    let dense = known.len() == most + 1 || (known.len() == most && !known.contains(&0));
    known.len() >= 2 && dense && 2 * known.len() <= labels.len()
}

fn whole_number(value: f32) -> Option<u32> {
    (value.fract() == 0.0 && (0.0..65536.0).contains(&value)).then_some(value as u32)
}

/// The values of feature `feature`, of complex ones the real parts.
fn column(table: &Table, feature: usize) -> impl Iterator<Item = f32> + Clone {
    part(table, feature, 0)
}

/// Part `part` of feature `feature`: complex ones have two.
fn part(table: &Table, feature: usize, part: usize) -> impl Iterator<Item = f32> + Clone {
    let reals = if table.complex { 2 } else { 1 };
    table.features.iter().skip(reals * feature + part).step_by(reals * table.width).copied()
}

/// Doubts about features: columns that number the samples, columns that never vary.
pub(crate) fn features(table: &Table) -> Vec<String> {
    let mut notes = Vec::new();
    let named = |feature: usize| {
        let column = table.column(feature);
        match table.name(column).filter(|name| !name.is_empty() && name.parse::<f64>().is_err()) {
            Some(name) => format!("{column} ('{name}')"),
            None => column.to_string(),
        }
    };
    for feature in (0..table.width).filter(|&feature| numbers_samples(table, feature)) {
        notes.push(format!(
            "column {} numbers the samples and is learned from as a feature; if it is an index, leave it out (pandas: \
             to_csv(…, index=False))",
            named(feature)
        ));
    }
    let constant: Vec<usize> = (0..table.width)
        .filter(|&feature| {
            let parts = if table.complex { 0..2 } else { 0..1 };
            parts.into_iter().all(|number| {
                let mut values = part(table, feature, number);
                let first = values.next();
                values.all(|value| Some(value) == first)
            })
        })
        .collect();
    if table.len() >= 2 && !constant.is_empty() {
        let (count, width) = (constant.len(), table.width);
        let columns = listed(constant.into_iter().map(named), count);
        notes.push(format!("{count} of {width} features never vary among the training samples: column {columns}"));
    }
    notes
}

/// The column counts from 0 or 1, or is called an index and has a whole number of its own for every sample.
fn numbers_samples(table: &Table, feature: usize) -> bool {
    let values = column(table, feature);
    let counts = |from: f32| values.clone().enumerate().all(|(row, value)| value == row as f32 + from);
    let called = table
        .name(table.column(feature))
        .is_some_and(|name| INDEX_NAMES.iter().any(|index| name.eq_ignore_ascii_case(index)));
    let distinct = || {
        let mut known = HashSet::new();
        values.clone().all(|value| value.fract() == 0.0 && known.insert(value.to_bits()))
    };
    !table.complex && table.len() >= LEAST_TO_COUNT && (counts(0.0) || counts(1.0) || (called && distinct()))
}

/// Doubts about real targets: one that never varies, one that could be a class. `by_column` says that they stand in columns of a
/// table.
pub(crate) fn targets(set: &Dataset, by_column: bool) -> Vec<String> {
    let Some(RealTargets { values, width }) = &set.train.real else { return Vec::new() };
    let remedy = if by_column { "pass `label-column`" } else { "drop `target-columns`" };
    let mut notes = Vec::new();
    for target in 0..*width {
        let column = || values.iter().skip(target).step_by(*width).copied();
        let first = column().next();
        let whole: Option<Vec<u32>> = column().map(whole_number).collect();
        if set.train.len() >= 2 && column().all(|value| Some(value) == first) {
            notes.push(format!("target {target} never varies among the training samples"));
        } else if *width == 1 && whole.is_some_and(|whole| looks_like_labels(&whole)) {
            notes.push(format!(
                "the target looks like classes, and is learned as a number; if it holds classes, {remedy}"
            ));
        }
    }
    notes
}

/// Doubts about the classes of the samples of both parts: gaps, one class alone, classes of one part only. `by_column` says that
/// they stand in a column of a table.
pub(crate) fn classes(set: &Dataset, by_column: bool) -> Vec<String> {
    let mut notes = Vec::new();
    let (classes, samples) = (set.classes, set.train.len());
    let named = |class: usize| match &set.class_names {
        Some(names) => format!("'{}'", names[class]),
        None => class.to_string(),
    };
    let (learned, judged) = (set.train.class_counts(classes), set.test.class_counts(classes));
    let those = |wanted: &dyn Fn(usize) -> bool| {
        let found: Vec<usize> = (0..classes).filter(|&class| wanted(class)).collect();
        (found.len(), listed(found.iter().map(|&class| named(class)), found.len()))
    };
    let (missing, list) = those(&|class| learned[class] == 0);
    if missing > 0 {
        notes.push(format!(
            "{missing} of {classes} classes have no training sample: {list}; labels count from 0, and every number up to the \
             greatest is a class; if this is not meant, number the classes 0, 1, 2, …"
        ));
    }
    let present = classes - missing;
    if present == 1 {
        let only = those(&|class| learned[class] > 0).1;
        notes.push(format!("all training samples are of class {only}, so that nothing can be told apart"));
    } else if samples >= LEAST_TO_COMPARE && 2 * present > samples {
        let remedy = match by_column {
            true => format!(
                "pass `label-column` with the column that holds them (a heading often says {})",
                LABEL_NAMES.map(|name| format!("'{name}'")).join(", ")
            ),
            false => "but values to be met, pass `target-columns` all".to_string(),
        };
        notes.push(format!("{samples} training samples are of {present} classes; if these are no classes, {remedy}"));
    }
    let (unlearned, list) = those(&|class| learned[class] == 0 && judged[class] > 0);
    if unlearned > 0 {
        notes.push(format!("the test samples have classes without a training sample: {list}"));
    }
    let (unjudged, list) = those(&|class| learned[class] > 0 && judged[class] == 0);
    if unjudged > 0 {
        notes.push(format!("{unjudged} of {classes} classes have training samples and no test sample: {list}"));
    }
    notes
}
