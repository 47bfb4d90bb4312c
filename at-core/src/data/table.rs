//! Tables of numbers as text: comma separated, the last column the class, one sample a line, an optional heading.

use super::samples::Samples;
use crate::error::{Error, Result};
use crate::files::whole::read_whole;
use std::path::Path;

/// A class label must lie below this; more classes than that are a mistake in the file.
const MOST_CLASSES: u32 = 1 << 16;

/// Longest file of a table (bytes): MNIST as a table has 0.1 GB, EMNIST 1.5 GB.
const LARGEST_TABLE: u64 = 1 << 32;

/// Reads a table from a file; see [`parse`].
pub(crate) fn read(path: &Path) -> Result<Samples> {
    parse(&read_whole(path, LARGEST_TABLE)?, path)
}

/// Reads a table; `path` is only named in errors.
///
/// A byte-order mark and blank lines are skipped, as is a first line in which no field is a number; a number may stand
/// in quotes. Errs, with the line, on a field that is no finite number, a label that is no whole number in `0..65536`,
/// and on lines of different length.
pub(crate) fn parse(bytes: &[u8], path: &Path) -> Result<Samples> {
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii).enumerate();
    let mut samples = Samples::default();
    let mut first = true;
    for (index, line) in lines.filter(|(_, line)| !line.is_empty()) {
        let fields: Vec<&[u8]> = line.split(|&byte| byte == b',').map(unquoted).collect();
        if std::mem::take(&mut first) && fields.iter().all(|field| number(field).is_none()) {
            continue;
        }
        push(&mut samples, &fields)
            .map_err(|reason| Error::malformed(path, format!("line {}: {reason}", index + 1)))?;
    }
    if samples.is_empty() {
        return Err(Error::malformed(path, "there is no sample in it"));
    }
    Ok(samples)
}

/// Appends one sample, or says what is wrong with its line.
fn push(samples: &mut Samples, fields: &[&[u8]]) -> std::result::Result<(), String> {
    let width = fields.len() - 1;
    if samples.is_empty() {
        samples.width = width;
    }
    if width == 0 {
        return Err("one column; features and a class are needed".to_string());
    }
    if width != samples.width {
        return Err(format!("{} columns, expected {}", width + 1, samples.width + 1));
    }
    for (column, field) in fields[..width].iter().enumerate() {
        let feature = number(field).map(|value| value as f32).filter(|value| value.is_finite());
        let wrong = || format!("column {}: '{}' is not a finite number", column + 1, shown(field));
        samples.features.push(feature.ok_or_else(wrong)?);
    }
    let label = number(fields[width]).filter(|x| x.fract() == 0.0 && (0.0..f64::from(MOST_CLASSES)).contains(x));
    let wrong =
        || format!("column {}: class '{}' is not a whole number from 0 to 65535", width + 1, shown(fields[width]));
    samples.labels.push(label.ok_or_else(wrong)? as u32);
    Ok(())
}

fn unquoted(field: &[u8]) -> &[u8] {
    let field = field.trim_ascii();
    field.strip_prefix(b"\"").and_then(|field| field.strip_suffix(b"\"")).unwrap_or(field)
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

    fn read_text(text: &str) -> Result<Samples> {
        parse(text.as_bytes(), Path::new("some.csv"))
    }

    #[test]
    fn heading_byte_order_mark_and_line_ends_do_not_matter() {
        let plain = read_text("1.5,-2,0\n3,4e-1,1\n").unwrap();
        assert_eq!(plain, Samples { features: vec![1.5, -2., 3., 0.4], width: 2, labels: vec![0, 1] });
        for text in ["\u{feff}1.5,-2,0\r\n3,4e-1,1", "x,y,class\n1.5, -2 ,0\r\n\r\n\"3\",.4,1.0\n"] {
            assert_eq!(read_text(text).unwrap(), plain);
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
            ("1,2,0.5\n", "class '0.5'"),
            ("1,2,-1\n", "class '-1'"),
            ("1,2,65536\n", "class '65536'"),
            ("1,2,Iris-setosa\n", "class 'Iris-setosa'"),
        ];
        for (text, message) in cases {
            let error = read_text(text).unwrap_err().to_string();
            assert!(error.starts_with("some.csv: ") && error.contains(message), "{error} is not about {message}");
        }
    }

    proptest! {
        #[test]
        fn tables_read_back(rows in prop::collection::vec((-1e30f32..1e30, -1f32..1.0, 0u32..65536), 1..20)) {
            let text: String = rows.iter().map(|(x, y, label)| format!("{x},{y},{label}\n")).collect();
            let samples = read_text(&text).unwrap();
            prop_assert_eq!(samples.features, rows.iter().flat_map(|&(x, y, _)| [x, y]).collect::<Vec<_>>());
            prop_assert_eq!(samples.labels, rows.iter().map(|&(.., label)| label).collect::<Vec<_>>());
        }

        #[test]
        fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), text in "[0-9,.e\n\"x-]{0,60}") {
            let _ = parse(&bytes, Path::new("some.csv"));
            let _ = read_text(&text);
        }
    }
}
