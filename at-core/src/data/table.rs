//! Tables as text: one sample a line, one column the class or some real targets and the others numbers, an optional heading.

use super::heading::{FirstLine, Rest, judge};
use super::label_column::{LabelColumn, TargetColumns};
use super::numeral::{Numeral, may_be_thousands, pointed};
use super::parts::{Labels, Piece};
use super::separator::Separator;
use crate::error::{Error, Result};
use crate::files::whole::read_whole;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// A class label must lie below this; more classes than that are a mistake in the file.
pub(crate) const MOST_CLASSES: u32 = 1 << 16;

/// More columns than this are a mistake in the file.
const MOST_COLUMNS: usize = 1 << 24;

/// Longest file of a table (bytes): MNIST as a table has 0.1 GB, EMNIST 1.5 GB.
const LARGEST_TABLE: u64 = 1 << 32;

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// `[samples, width]`, row-major, without the columns of the targets; pairs (re, im) where `complex`.
    pub features: Vec<f32>,
    /// Features per sample.
    pub width: usize,
    /// Features are complex.
    pub complex: bool,
    /// The class of every sample.
    pub labels: Labels,
    /// The index of the column that held them; of several columns the first that was named.
    pub label: usize,
    /// The indices of all columns that held targets, ascending.
    pub taken: Vec<usize>,
    /// What the first line was taken for.
    pub first_line: FirstLine,
    /// Its fields.
    pub first: Vec<String>,
    /// What separates the columns.
    pub separator: Separator,
    /// Numbers have decimal commas.
    pub decimal_comma: bool,
}

/// What a table is read for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Wanted<'a> {
    /// The classes in this column, in the last where nobody says.
    Classes(Option<&'a LabelColumn>),
    /// The real targets in these columns.
    Real(&'a TargetColumns),
}

impl Table {
    /// Number of samples.
    pub fn len(&self) -> usize {
        self.labels.len(self.taken.len())
    }

    /// The index in the file of feature `index`.
    pub fn column(&self, index: usize) -> usize {
        self.taken.iter().fold(index, |index, taken| index + usize::from(index >= *taken))
    }

    /// What the heading calls column `column`, if there is one.
    pub fn name(&self, column: usize) -> Option<&str> {
        self.first_line.is_heading().then(|| self.first[column].as_str())
    }

    /// Its samples, as those of the file `path`.
    pub fn into_piece(self, path: &Path) -> Piece<'_> {
        let targets = self.taken.len();
        let Table { features, width, complex, labels, .. } = self;
        let features = features.into();
        Piece { features, width, complex, labels, targets, image: None, names: None, by_column: true, path }
    }
}

/// Reads a table from a file; see [`parse`].
pub(crate) fn read(path: &Path, wanted: Wanted, like: Option<&Table>) -> Result<Table> {
    parse(&read_whole(path, LARGEST_TABLE)?, path, wanted, like)
}

/// Reads a table for what is `wanted`; `path` is only named in errors. Where the first line could be a heading or a sample, it is
/// what it was in the table `like`; so is what separates columns, and what a comma means.
///
/// A byte-order mark and blank lines are skipped; a field may stand in quotes. Classes are whole numbers in `0..65536`, or
/// words. Where one feature is complex, all are. Errs, with the line, on a feature or a real target that is no finite number, classes
/// of both kinds, and lines of different length.
pub(crate) fn parse(bytes: &[u8], path: &Path, wanted: Wanted, like: Option<&Table>) -> Result<Table> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').enumerate();
    let mut lines = lines.filter(|(_, line)| !line.trim_ascii().is_empty()).map(|(index, line)| (index + 1, line));
    let wrong = |number: usize, reason: String| Error::malformed(path, format!("line {number}: {reason}"));
    let empty = || Error::malformed(path, "there is no sample in it");
    let separator = Separator::find(lines.clone().map(|(_, line)| line), like.map(|like| like.separator));
    let (number, line) = lines.next().ok_or_else(empty)?;
    let first = separator.fields(line);
    let texts: Vec<String> = first.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    check_columns(texts.len()).map_err(|reason| wrong(number, reason))?;
    let found = match wanted {
        Wanted::Classes(label) => label.unwrap_or(&LabelColumn::Last).find(&texts).map(|place| vec![place]),
        Wanted::Real(targets) => targets.find(&texts),
    };
    let targets = found.map_err(|reason| wrong(number, reason))?;
    let (place, named) = match wanted {
        Wanted::Classes(label) => (targets[0], matches!(label, Some(LabelColumn::Name(_)))),
        Wanted::Real(columns) => (targets[0], columns.are_named()),
    };
    let mut body = Body::new(separator, texts.len(), &targets, wanted);
    let first_number = number;
    for (number, line) in lines {
        body.push(number, &separator.fields(line)).map_err(|reason| wrong(number, reason))?;
    }
    let first_line = match (named, like) {
        (true, _) => FirstLine::Heading,
        (_, Some(like)) if like.first_line.is_heading() && like.first == texts => FirstLine::Heading,
        (_, like) => match (judge(&body.pointed(&texts), place, &body.rest(&texts[place])), like) {
            (FirstLine::ProbablyHeading, Some(like)) if !like.first_line.is_heading() => FirstLine::ProbablySample,
            (judged, _) => judged,
        },
    };
    if !first_line.is_heading() {
        body.push_front(first_number, &first).map_err(|reason| wrong(first_number, reason))?;
    }
    let decimal_comma = body.decimals.judge(like.is_some_and(|like| like.decimal_comma));
    let decimal_comma = decimal_comma.map_err(|(number, reason)| wrong(number, reason))?;
    let labels = body.labels.ok_or_else(empty)?;
    let (features, complex, width, mut taken) = (body.features, body.complex, texts.len() - targets.len(), targets);
    taken.sort_unstable();
    Ok(Table {
        features,
        width,
        complex,
        labels,
        label: place,
        taken,
        first_line,
        first: texts,
        separator,
        decimal_comma,
    })
}

fn check_columns(columns: usize) -> std::result::Result<(), String> {
    match columns {
        1 => Err("one column; features and a class are needed, separated by commas, semicolons, tabs or blanks".into()),
        columns if columns > MOST_COLUMNS => Err(format!("{columns} columns, more than {MOST_COLUMNS}")),
        _ => Ok(()),
    }
}

/// What numbers tell of their decimal signs.
#[derive(Default)]
struct Decimals {
    /// The first line with a decimal point.
    point: Option<usize>,
    /// The first line with a comma in a number, and that number.
    comma: Option<(usize, String)>,
    /// Some comma cannot separate thousands.
    sure: bool,
}

impl Decimals {
    fn see(&mut self, line: usize, text: &str) {
        if text.contains(',') {
            self.comma.get_or_insert_with(|| (line, text.to_string()));
            self.sure |= !may_be_thousands(text);
        } else if self.point.is_none() && text.contains('.') {
            self.point = Some(line);
        }
    }

    /// Whether numbers have decimal commas; where they do `elsewhere`, a doubtful one is one here too. Errs, with the line, where
    /// commas may mean two things.
    fn judge(&self, elsewhere: bool) -> std::result::Result<bool, (usize, String)> {
        match (&self.comma, self.point) {
            (None, _) => Ok(false),
            (Some((line, text)), Some(point)) => Err((
                *line,
                format!(
                    "the number '{text}' has a comma, and one of line {point} has a decimal point; write decimal points"
                ),
            )),
            (Some((line, text)), None) if !self.sure && !elsewhere => {
                let reason = "may have a decimal comma or one that separates thousands; write decimal points";
                Err((*line, format!("'{text}' {reason}, and nothing between thousands")))
            }
            (Some(_), None) => Ok(true),
        }
    }
}

/// The samples while they are read.
struct Body {
    separator: Separator,
    features: Vec<f32>,
    /// Features are pairs (re, im).
    complex: bool,
    labels: Option<Labels>,
    known: HashMap<String, u32>,
    /// The columns of targets, in the order that was asked for.
    targets: Vec<usize>,
    /// Targets are real.
    real: bool,
    /// Per column: some value is written as a whole number.
    whole: Vec<bool>,
    lines: usize,
    /// Nobody said which column holds the classes, and the first could in all lines so far.
    first_column_may: bool,
    decimals: Decimals,
}

impl Body {
    fn new(separator: Separator, columns: usize, targets: &[usize], wanted: Wanted) -> Self {
        let by_default = matches!(wanted, Wanted::Classes(None));
        Body {
            separator,
            features: Vec::new(),
            complex: false,
            labels: None,
            known: HashMap::new(),
            targets: targets.to_vec(),
            real: matches!(wanted, Wanted::Real(_)),
            whole: vec![false; columns],
            lines: 0,
            first_column_may: by_default,
            decimals: Decimals::default(),
        }
    }

    /// Appends one sample, or says what is wrong with its line.
    fn push(&mut self, line: usize, fields: &[Cow<[u8]>]) -> std::result::Result<(), String> {
        let columns = self.whole.len();
        if fields.len() != columns {
            let separator = self.separator.name();
            return Err(format!("{} columns, expected {columns} (separated by {separator})", fields.len()));
        }
        let first = self.separator.number(&fields[0]);
        self.first_column_may &= match first {
            None => true,
            Some(Numeral::Real(value)) => is_label(value),
            Some(Numeral::Complex(_)) => false,
        };
        let hint = "; where the classes stand first, pass `label-column` first";
        let hint = if self.first_column_may { hint } else { "" };
        for (column, field) in fields.iter().enumerate() {
            self.whole[column] |= field.iter().all(u8::is_ascii_digit);
            if self.targets.contains(&column) {
                continue;
            }
            let hint = if column == 0 && first.is_none() { hint } else { "" };
            match self.number(line, field) {
                Some(Numeral::Real(value)) => self.push_feature([finite(column, field, value)?, 0.0], false),
                Some(Numeral::Complex([re, im])) => {
                    self.push_feature([finite(column, field, re)?, finite(column, field, im)?], true);
                }
                None => return Err(not_finite(column, field) + hint),
            }
        }
        if self.real {
            let mut values = Vec::with_capacity(self.targets.len());
            for at in 0..self.targets.len() {
                let column = self.targets[at];
                match self.number(line, &fields[column]) {
                    Some(Numeral::Real(value)) => values.push(finite(column, &fields[column], value)?),
                    Some(Numeral::Complex(_)) => {
                        let text = shown(&fields[column]);
                        return Err(format!("column {}: '{text}' is complex, and targets are real", column + 1));
                    }
                    None => return Err(not_finite(column, &fields[column])),
                }
            }
            match self.labels.get_or_insert_with(|| Labels::Real(Vec::new())) {
                Labels::Real(all) => all.extend(values),
                Labels::Numbers(_) | Labels::Words(..) => unreachable!("a table has targets of one kind"),
            }
        } else {
            let column = self.targets[0];
            let pushed = self.push_label(line, &fields[column]);
            pushed.map_err(|reason| format!("column {}: {reason}{hint}", column + 1))?;
        }
        self.lines += 1;
        Ok(())
    }

    /// The number in a field, with what it tells of decimal signs.
    fn number(&mut self, line: usize, field: &[u8]) -> Option<Numeral> {
        let found = self.separator.number(field)?;
        if self.separator != Separator::Comma
            && (self.decimals.point.is_none() || field.contains(&b','))
            && let Ok(text) = std::str::from_utf8(field)
        {
            self.decimals.see(line, text);
        }
        Some(found)
    }

    fn push_feature(&mut self, [re, im]: [f32; 2], complex: bool) {
        if complex && !self.complex {
            self.features = self.features.iter().flat_map(|&re| [re, 0.0]).collect();
            self.complex = true;
        }
        self.features.push(re);
        if self.complex {
            self.features.push(im);
        }
    }

    fn push_label(&mut self, line: usize, field: &[u8]) -> std::result::Result<(), String> {
        let text = shown(field);
        let mixed = || format!("class '{text}' is of another kind than those of other lines; write numbers or words");
        match self.separator.number(field) {
            Some(Numeral::Real(value)) if is_label(value) => {
                self.number(line, field);
                match self.labels.get_or_insert_with(|| Labels::Numbers(Vec::new())) {
                    Labels::Numbers(labels) => labels.push(value as u32),
                    Labels::Words(..) | Labels::Real(_) => return Err(mixed()),
                }
            }
            Some(Numeral::Real(_)) => {
                return Err(format!("class '{text}' is not a whole number from 0 to {}", MOST_CLASSES - 1));
            }
            Some(Numeral::Complex(_)) | None => {
                let word = std::str::from_utf8(field).map_err(|_| format!("class '{text}' is no UTF-8 text"))?;
                if word.is_empty() {
                    return Err("there is no class".to_string());
                }
                match self.labels.get_or_insert_with(|| Labels::Words(Vec::new(), Vec::new())) {
                    Labels::Words(names, labels) => {
                        let next = names.len() as u32;
                        let id = *self.known.entry(word.to_string()).or_insert(next);
                        if id == next {
                            if next == MOST_CLASSES {
                                return Err(format!("class '{text}' is one more than {MOST_CLASSES} different ones"));
                            }
                            names.push(word.to_string());
                        }
                        labels.push(id);
                    }
                    Labels::Numbers(_) | Labels::Real(_) => return Err(mixed()),
                }
            }
        }
        Ok(())
    }

    /// Puts one sample before the others.
    fn push_front(&mut self, line: usize, fields: &[Cow<[u8]>]) -> std::result::Result<(), String> {
        self.push(line, fields)?;
        let reals = if self.complex { 2 } else { 1 };
        self.features.rotate_right(reals * (fields.len() - self.targets.len()));
        match &mut self.labels {
            Some(Labels::Numbers(labels) | Labels::Words(_, labels)) => labels.rotate_right(1),
            Some(Labels::Real(values)) => values.rotate_right(self.targets.len()),
            None => {}
        }
        Ok(())
    }

    /// Fields as they are judged: decimal commas are points.
    fn pointed(&self, texts: &[String]) -> Vec<String> {
        let plain = |text: &String| match pointed(text) {
            Some(pointed) if self.separator != Separator::Comma && Numeral::read(&pointed).is_some() => {
                pointed.into_owned()
            }
            Some(_) | None => text.clone(),
        };
        texts.iter().map(plain).collect()
    }

    /// What is known of the lines so far, for one with the class `word`.
    fn rest(&self, word: &str) -> Rest<'_> {
        let words = matches!(self.labels, Some(Labels::Words(..)));
        Rest { lines: self.lines, whole: &self.whole, words, recurs: self.known.contains_key(word) }
    }
}

/// The number of a field of column number `column` from 0, where f32 has it.
fn finite(column: usize, field: &[u8], value: f64) -> std::result::Result<f32, String> {
    Some(value as f32).filter(|value| value.is_finite()).ok_or_else(|| not_finite(column, field))
}

fn not_finite(column: usize, field: &[u8]) -> String {
    format!("column {}: '{}' is not a finite number", column + 1, shown(field))
}

/// A number that can be a class.
pub(crate) fn is_label(value: f64) -> bool {
    value.fract() == 0.0 && (0.0..f64::from(MOST_CLASSES)).contains(&value)
}

/// The start of a field, for an error message.
fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(40).collect()
}

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
