//! Whether the first line of a table is a heading or a sample.

use super::numeral::Numeral;

/// What is known of the lines behind the first.
pub(crate) struct Rest<'a> {
    /// How many there are.
    pub lines: usize,
    /// Per column: some value is written as a whole number.
    pub whole: &'a [bool],
    /// Their classes are words, not numbers.
    pub words: bool,
    /// The first line's class is also that of another line.
    pub recurs: bool,
}

/// What the first line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum FirstLine {
    /// A heading: it could not be a sample.
    Heading,
    /// A heading, as far as one can tell.
    ProbablyHeading,
    /// A sample, although it could be a heading.
    ProbablySample,
    /// A sample.
    Sample,
}

impl FirstLine {
    /// It is taken for a heading.
    pub fn is_heading(self) -> bool {
        matches!(self, FirstLine::Heading | FirstLine::ProbablyHeading)
    }
}

/// What a column of classes is usually called.
pub(crate) const LABEL_NAMES: [&str; 6] = ["label", "labels", "class", "target", "species", "category"];

/// The field calls a column of classes by its name.
pub(crate) fn is_label_name(field: &str) -> bool {
    LABEL_NAMES.iter().any(|name| field.eq_ignore_ascii_case(name))
}

/// Judges the fields of the first line, of which number `label` is in the column of the classes.
///
/// A line in which a feature is no number cannot be a sample; it is a heading where the numbers in it, if any, only count
/// on (`,0,1,2,species`), and damaged otherwise. A line of numbers alone is a heading where it counts its columns from 0
/// (as pandas writes) or from 1; of two columns that is too little to go by, and from 1 it takes five columns, or a
/// column that is written otherwise in all other lines.
pub(crate) fn judge(first: &[String], label: usize, rest: &Rest) -> FirstLine {
    let is_number = |field: &String| Numeral::read(field).is_some();
    let numbers: Vec<&String> = first.iter().filter(|field| is_number(field)).collect();
    if numbers.is_empty() {
        return FirstLine::Heading;
    }
    let counts: Option<Vec<u64>> = numbers.iter().map(|field| plain(field)).collect();
    let (written_plainly, counts) = (counts.is_some(), counts.unwrap_or_default());
    let counting = !counts.is_empty() && counts.windows(2).all(|pair| pair[0].checked_add(1) == Some(pair[1]));
    let features_are_numbers = first.iter().enumerate().all(|(index, field)| index == label || is_number(field));
    if !features_are_numbers {
        return if counting { FirstLine::Heading } else { FirstLine::Sample };
    }
    if rest.lines == 0 || first[label].is_empty() {
        return FirstLine::Sample;
    }
    if !is_number(&first[label]) {
        return match (written_plainly, rest.words) {
            (true, false) => FirstLine::Heading,
            (true, true) if !rest.recurs && is_label_name(&first[label]) => FirstLine::Heading,
            (true, true) if !rest.recurs && counting && counts.len() >= 3 => FirstLine::ProbablyHeading,
            (true, true) if !rest.recurs => FirstLine::ProbablySample,
            (true, true) | (false, _) => FirstLine::Sample,
        };
    }
    let written_otherwise = rest.whole.iter().any(|whole| !whole);
    match (counting, counts.first(), first.len()) {
        (true, Some(0 | 1), 2) if written_otherwise => FirstLine::ProbablySample,
        (true, Some(0 | 1), 2) => FirstLine::Sample,
        (true, Some(0), _) => FirstLine::ProbablyHeading,
        (true, Some(1), columns) if columns >= 5 || written_otherwise => FirstLine::ProbablyHeading,
        (true, Some(1), _) => FirstLine::ProbablySample,
        (true, Some(_) | None, _) | (false, ..) => FirstLine::Sample,
    }
}

/// The number of a field of digits alone, as a program writes it that counts.
fn plain(field: &str) -> Option<u64> {
    let digits = field.bytes().all(|byte| byte.is_ascii_digit()) && (field == "0" || !field.starts_with('0'));
    field.parse().ok().filter(|_| digits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told_from_samples() {
        use FirstLine::{Heading, ProbablyHeading, ProbablySample, Sample};
        // first line, classes are words, all others are written with a fraction
        let cases = [
            ("x,y,class", false, false, Heading),
            ("0,1,2", false, false, ProbablyHeading),
            ("0,1,2", false, true, ProbablyHeading),
            ("1,2,3", false, false, ProbablySample),
            ("1,2,3", false, true, ProbablyHeading),
            ("1,2,3,4,5", false, false, ProbablyHeading),
            ("0,1", false, false, Sample),
            ("0,1", false, true, ProbablySample),
            ("2,3,4", false, true, Sample),
            ("0.0,1,2", false, true, Sample),
            ("00,1,2", false, true, Sample),
            (",0,1,2", false, false, Heading),
            ("Unnamed: 0,0,1,class", true, false, Heading),
            ("id,5.1,2,setosa", true, false, Sample),
            ("400,410,class", false, false, Heading),
            ("400,410,class", true, true, Heading),
            ("400,410,setosa", true, false, ProbablySample),
            ("0,1,2,kind", true, false, ProbablyHeading),
            ("5.1,3.5,setosa", true, true, Sample),
            ("5.1,3.5,setosa", false, true, Sample),
        ];
        for (line, words, fractions, expected) in cases {
            let first: Vec<String> = line.split(',').map(String::from).collect();
            let whole = vec![!fractions; first.len()];
            let rest = Rest { lines: 9, whole: &whole, words, recurs: false };
            assert_eq!(judge(&first, first.len() - 1, &rest), expected, "{line}");
            let alone = Rest { lines: 0, ..rest };
            let judged = judge(&first, first.len() - 1, &alone);
            assert!(judged == Sample || judged == Heading && expected == Heading, "{line} alone");
        }
        let first = ["0", "1", "2", "setosa"].map(String::from);
        let rest = Rest { lines: 9, whole: &[true; 4], words: true, recurs: true };
        assert_eq!(judge(&first, 3, &rest), Sample, "the class of another line is no name of a column");
    }
}
