//! Tables as text: comma separated, one sample a line, one column the class or some real targets and the others numbers, an
//! optional heading.

use super::heading::{FirstLine, Rest, judge};
use super::label_column::{LabelColumn, TargetColumns};
use crate::error::{Error, Result};
use crate::files::whole::read_whole;
use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;

/// A class label must lie below this; more classes than that are a mistake in the file.
const MOST_CLASSES: u32 = 1 << 16;

/// More columns than this are a mistake in the file.
const MOST_COLUMNS: usize = 1 << 24;

/// Longest file of a table (bytes): MNIST as a table has 0.1 GB, EMNIST 1.5 GB.
const LARGEST_TABLE: u64 = 1 << 32;

/// A table that was read.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Table {
    /// `[samples, width]`, row-major, without the columns of the targets.
    pub features: Vec<f32>,
    /// Features per sample.
    pub width: usize,
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
}

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
        match &self.labels {
            Labels::Numbers(labels) | Labels::Words(_, labels) => labels.len(),
            Labels::Real(values) => values.len() / self.taken.len(),
        }
    }

    /// The index in the file of feature `index`.
    pub fn column(&self, index: usize) -> usize {
        self.taken.iter().fold(index, |index, taken| index + usize::from(index >= *taken))
    }

    /// What the heading calls column `column`, if there is one.
    pub fn name(&self, column: usize) -> Option<&str> {
        self.first_line.is_heading().then(|| self.first[column].as_str())
    }
}

/// Reads a table from a file; see [`parse`].
pub(crate) fn read(path: &Path, wanted: Wanted, like: Option<&Table>) -> Result<Table> {
    parse(&read_whole(path, LARGEST_TABLE)?, path, wanted, like)
}

/// Reads a table for what is `wanted`; `path` is only named in errors. Where the first line could be a heading or a sample, it is
/// what it was in the table `like`.
///
/// A byte-order mark and blank lines are skipped; a field may stand in quotes. Classes are whole numbers in `0..65536`, or
/// words. Errs, with the line, on a feature or a real target that is no finite number, classes of both kinds, and lines of different length.
pub(crate) fn parse(bytes: &[u8], path: &Path, wanted: Wanted, like: Option<&Table>) -> Result<Table> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let mut lines = lines.filter(|(_, line)| !line.is_empty()).map(|(index, line)| (index + 1, line));
    let wrong = |number: usize, reason: String| Error::malformed(path, format!("line {number}: {reason}"));
    let empty = || Error::malformed(path, "there is no sample in it");
    let (number, line) = lines.next().ok_or_else(empty)?;
    let first = fields(line);
    let texts: Vec<String> = first.iter().map(|field| String::from_utf8_lossy(field).into_owned()).collect();
    check_columns(line, texts.len()).map_err(|reason| wrong(number, reason))?;
    let found = match wanted {
        Wanted::Classes(label) => label.unwrap_or(&LabelColumn::Last).find(&texts).map(|place| vec![place]),
        Wanted::Real(targets) => targets.find(&texts),
    };
    let targets = found.map_err(|reason| wrong(number, reason))?;
    let (place, named) = match wanted {
        Wanted::Classes(label) => (targets[0], matches!(label, Some(LabelColumn::Name(_)))),
        Wanted::Real(columns) => (targets[0], columns.are_named()),
    };
    let mut body = Body::new(texts.len(), &targets, wanted);
    for (number, line) in lines {
        body.push(&fields(line)).map_err(|reason| wrong(number, reason))?;
    }
    let first_line = match (named, like) {
        (true, _) => FirstLine::Heading,
        (_, Some(like)) if like.first_line.is_heading() && like.first == texts => FirstLine::Heading,
        (_, like) => match (judge(&texts, place, &body.rest(&texts[place])), like) {
            (FirstLine::ProbablyHeading, Some(like)) if !like.first_line.is_heading() => FirstLine::ProbablySample,
            (judged, _) => judged,
        },
    };
    if !first_line.is_heading() {
        body.push_front(&first).map_err(|reason| wrong(number, reason))?;
    }
    let labels = body.labels.ok_or_else(empty)?;
    let (features, width, mut taken) = (body.features, texts.len() - targets.len(), targets);
    taken.sort_unstable();
    Ok(Table { features, width, labels, label: place, taken, first_line, first: texts })
}

fn check_columns(line: &[u8], columns: usize) -> std::result::Result<(), String> {
    let other = [(b';', "semicolons"), (b'\t', "tabs")].into_iter().find(|(byte, _)| line.contains(byte));
    match (columns, other) {
        (1, Some((_, name))) => Err(format!("one column; columns are separated by commas, not by {name}")),
        (1, None) => Err("one column; features and a class are needed".to_string()),
        (columns, _) if columns > MOST_COLUMNS => Err(format!("{columns} columns, more than {MOST_COLUMNS}")),
        (_, _) => Ok(()),
    }
}

/// The samples while they are read.
struct Body {
    features: Vec<f32>,
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
}

impl Body {
    fn new(columns: usize, targets: &[usize], wanted: Wanted) -> Self {
        let by_default = matches!(wanted, Wanted::Classes(None));
        Body {
            features: Vec::new(),
            labels: None,
            known: HashMap::new(),
            targets: targets.to_vec(),
            real: matches!(wanted, Wanted::Real(_)),
            whole: vec![false; columns],
            lines: 0,
            first_column_may: by_default,
        }
    }

    /// Appends one sample, or says what is wrong with its line.
    fn push(&mut self, fields: &[Cow<[u8]>]) -> std::result::Result<(), String> {
        let columns = self.whole.len();
        if fields.len() != columns {
            return Err(format!("{} columns, expected {columns}", fields.len()));
        }
        let first = number(&fields[0]);
        self.first_column_may &= first.is_none_or(is_label);
        let hint = "; where the classes stand first, pass `label-column` first";
        let hint = if self.first_column_may { hint } else { "" };
        for (column, field) in fields.iter().enumerate() {
            self.whole[column] |= field.iter().all(u8::is_ascii_digit);
            if self.targets.contains(&column) {
                continue;
            }
            let hint = if column == 0 && first.is_none() { hint } else { "" };
            self.features.push(finite(column, field, hint)?);
        }
        if self.real {
            let values = self.targets.iter().map(|&column| finite(column, &fields[column], ""));
            let values = values.collect::<std::result::Result<Vec<f32>, String>>()?;
            match self.labels.get_or_insert_with(|| Labels::Real(Vec::new())) {
                Labels::Real(all) => all.extend(values),
                Labels::Numbers(_) | Labels::Words(..) => unreachable!("a table has targets of one kind"),
            }
        } else {
            let column = self.targets[0];
            self.push_label(&fields[column]).map_err(|reason| format!("column {}: {reason}{hint}", column + 1))?;
        }
        self.lines += 1;
        Ok(())
    }

    fn push_label(&mut self, field: &[u8]) -> std::result::Result<(), String> {
        let text = shown(field);
        let mixed = || format!("class '{text}' is of another kind than those of other lines; write numbers or words");
        match number(field) {
            Some(value) if is_label(value) => match self.labels.get_or_insert_with(|| Labels::Numbers(Vec::new())) {
                Labels::Numbers(labels) => labels.push(value as u32),
                Labels::Words(..) | Labels::Real(_) => return Err(mixed()),
            },
            Some(_) => return Err(format!("class '{text}' is not a whole number from 0 to {}", MOST_CLASSES - 1)),
            None => {
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
    fn push_front(&mut self, fields: &[Cow<[u8]>]) -> std::result::Result<(), String> {
        self.push(fields)?;
        self.features.rotate_right(fields.len() - self.targets.len());
        match &mut self.labels {
            Some(Labels::Numbers(labels) | Labels::Words(_, labels)) => labels.rotate_right(1),
            Some(Labels::Real(values)) => values.rotate_right(self.targets.len()),
            None => {}
        }
        Ok(())
    }

    /// What is known of the lines so far, for one with the class `word`.
    fn rest(&self, word: &str) -> Rest<'_> {
        let words = matches!(self.labels, Some(Labels::Words(..)));
        Rest { lines: self.lines, whole: &self.whole, words, recurs: self.known.contains_key(word) }
    }
}

/// The number in a field of column number `column` from 0.
fn finite(column: usize, field: &[u8], hint: &str) -> std::result::Result<f32, String> {
    let value = number(field).map(|value| value as f32).filter(|value| value.is_finite());
    value.ok_or_else(|| format!("column {}: '{}' is not a finite number{hint}", column + 1, shown(field)))
}

/// A number that can be a class.
fn is_label(value: f64) -> bool {
    value.fract() == 0.0 && (0.0..f64::from(MOST_CLASSES)).contains(&value)
}

/// The fields of a line. In quotes a comma separates nothing, and two quotes are one.
fn fields(line: &[u8]) -> Vec<Cow<'_, [u8]>> {
    if !line.contains(&b'"') {
        return line.split(|&byte| byte == b',').map(|field| Cow::Borrowed(field.trim_ascii())).collect();
    }
    let mut quoted = false;
    let separates = |&byte: &u8| {
        quoted ^= byte == b'"';
        byte == b',' && !quoted
    };
    line.split(separates).map(|field| unquoted(field.trim_ascii())).collect()
}

fn unquoted(field: &[u8]) -> Cow<'_, [u8]> {
    let Some(inner) = field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")) else {
        return Cow::Borrowed(field);
    };
    let mut after_quote = false;
    let kept = |&byte: &u8| {
        after_quote = byte == b'"' && !after_quote;
        (byte != b'"' || !after_quote).then_some(byte)
    };
    if inner.contains(&b'"') { Cow::Owned(inner.iter().filter_map(kept).collect()) } else { Cow::Borrowed(inner) }
}

fn number(field: &[u8]) -> Option<f64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

/// The start of a field, for an error message.
fn shown(field: &[u8]) -> String {
    String::from_utf8_lossy(field).chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read_text(text: &str) -> Result<Table> {
        parse(text.as_bytes(), Path::new("some.csv"), Wanted::Classes(None), None)
    }

    fn numbers(table: &Table) -> &[u32] {
        match &table.labels {
            Labels::Numbers(labels) => labels,
            Labels::Words(names, _) => panic!("words {names:?}"),
            Labels::Real(values) => panic!("real {values:?}"),
        }
    }

    #[test]
    fn heading_byte_order_mark_and_line_ends_do_not_matter() {
        let plain = read_text("1.5,-2,0\n3,4e-1,1\n").unwrap();
        assert_eq!((&plain.features[..], plain.width, numbers(&plain)), (&[1.5, -2., 3., 0.4][..], 2, &[0, 1][..]));
        for text in ["\u{feff}1.5,-2,0\r\n3,4e-1,1", "x,y,class\n1.5, -2 ,0\r\n\r\n\"3\",.4,1.0\n"] {
            let table = read_text(text).unwrap();
            assert_eq!((table.features, table.labels), (plain.features.clone(), plain.labels.clone()));
        }
    }

    #[test]
    fn broken_tables_say_in_which_line() {
        let cases = [
            ("", "no sample"),
            ("x,y,class\n", "no sample"),
            ("x,y\nz,w\n", "line 2: column 1: 'z'"),
            ("1,2,0\n1,nan,0\n", "line 2: column 2: 'nan'"),
            ("1,2,0\r\n1,2,0\r\n1,x,0\r\n", "line 3: column 2: 'x'"),
            ("1,2,0\n\n1,1e39,0\n", "line 3: column 2: '1e39'"),
            ("1,2,0\n1,,0\n", "line 2: column 2: ''"),
            ("1,2,0\n1,2\n", "line 2: 2 columns, expected 3"),
            ("0\n", "line 1: one column"),
            ("1;2;0\n", "not by semicolons"),
            ("1,2,0.5\n", "class '0.5'"),
            ("1,2,-1\n", "class '-1'"),
            ("1,2,65536\n", "class '65536'"),
            ("1,2,\n1,2,3\n", "there is no class"),
            ("1.5,2,a\n1.5,2,3\n", "line 1: column 3: class 'a' is of another kind"),
            ("1,2,a\n1,2,a\n1,2,0\n", "line 3: column 3: class '0' is of another kind"),
            ("id,5.1,2,0\n1,2,3,0\n", "line 1: column 1: 'id'"),
        ];
        for (text, message) in cases {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.starts_with("some.csv: ") && error.contains(message), "{error} is not about {message}");
        }
        let latin = parse(b"1,2,caf\xe9\n1,2,tea\n", Path::new("some.csv"), Wanted::Classes(None), None)
            .unwrap_err()
            .to_string();
        assert!(latin.contains("UTF-8"), "{latin}");
    }

    #[test]
    fn classes_that_stand_first_are_hinted_at_where_the_last_column_has_none() {
        for text in ["0,0.5,0.25\n1,0.5,0.75\n0,1,0.5\n", "cat,1,0\ndog,1,0\n", "label,a,b\ncat,1,0\n"] {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.contains("`label-column` first"), "{error}");
            let first = parse(text.as_bytes(), Path::new("some.csv"), Wanted::Classes(Some(&LabelColumn::First)), None)
                .unwrap();
            assert_eq!((first.label, first.width), (0, 2));
        }
        assert!(!read_text("0.5,1,0.5\n0.5,1,0.25\n").unwrap_err().to_string().contains("`label-column`"));
    }

    #[test]
    fn a_heading_of_bare_numbers_is_no_sample() {
        let table = read_text("0,1,2,3\n5,6,7,0\n8,9,7,1\n").unwrap();
        assert_eq!((table.first_line, table.len()), (FirstLine::ProbablyHeading, 2));
        let sample = read_text("0,1,1,3\n5,6,7,0\n8,9,7,1\n").unwrap();
        assert_eq!((sample.len(), &sample.features[..3], numbers(&sample)), (3, &[0., 1., 1.][..], &[3, 0, 1][..]));
        // the second table of a set follows the first
        let like = |text: &str, like: &Table| {
            parse(text.as_bytes(), Path::new("t"), Wanted::Classes(None), Some(like)).unwrap().len()
        };
        assert_eq!(like("0,1,2,3\n", &sample), 1);
        assert_eq!(like("0,1,2,3\n5,6,7,0\n", &table), 1);
        assert_eq!(like("0,1,2,3\n5,6,7,0\n", &sample), 2);
    }

    #[test]
    fn words_are_classes_and_may_stand_in_quotes() {
        let table = read_text("5.1,\"1.5\",\"a, \"\"b\"\"\"\n4,2,c\n3,1,\"a, \"\"b\"\"\"\n").unwrap();
        let words = Labels::Words(vec!["c".into(), "a, \"b\"".into()], vec![1, 0, 1]);
        assert_eq!((table.labels, table.width), (words, 2));
    }

    #[test]
    fn a_column_in_the_middle_can_hold_the_classes() {
        let name = LabelColumn::Name("kind".into());
        let table = parse(b"x,kind,y\n1,3,2\n4,0,5\n", Path::new("t"), Wanted::Classes(Some(&name)), None).unwrap();
        assert_eq!((&table.features[..], numbers(&table)), (&[1., 2., 4., 5.][..], &[3, 0][..]));
        assert_eq!([table.column(0), table.column(1)], [0, 2]);
        assert_eq!((table.name(2), table.label), (Some("y"), 1));
    }

    proptest! {
        #[test]
        fn tables_read_back(rows in prop::collection::vec((-1e30f32..1e30, -1f32..1.0, 0u32..65536), 1..20)) {
            let text: String = rows.iter().map(|(x, y, label)| format!("{x},{y},{label}\n")).collect();
            let table = read_text(&text).unwrap();
            prop_assert_eq!(&table.features, &rows.iter().flat_map(|&(x, y, _)| [x, y]).collect::<Vec<_>>());
            prop_assert_eq!(numbers(&table), rows.iter().map(|&(.., label)| label).collect::<Vec<_>>());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[0-2,.e\n\"x-]{0,60}", index in 0usize..4) {
            let labels = [LabelColumn::First, LabelColumn::Index(index), LabelColumn::Name("x".into())];
            let targets = [&["first", "1"][..], &["x"]].map(|texts| TargetColumns::new(&texts.iter().map(|text| text.to_string()).collect::<Vec<_>>()).unwrap());
            let classes = labels.iter().map(|label| Wanted::Classes(Some(label)));
            for wanted in classes.chain([Wanted::Classes(None)]).chain(targets.iter().map(Wanted::Real)) {
                let train = parse(&bytes, Path::new("some.csv"), wanted, None).ok();
                let _ = parse(text.as_bytes(), Path::new("some.csv"), wanted, train.as_ref());
                let _ = parse(text.as_bytes(), Path::new("some.csv"), wanted, None);
            }
        }
    }
}
