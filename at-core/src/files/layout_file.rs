//! Layout files: which modes the MZIs of every column join.
//!
//! ```text
//! # a column per line, of pairs upper-lower
//! 0-1 2-3
//! 1-2
//! ```
//!
//! or the same as JSON, `[[[0, 1], [2, 3]], [[1, 2]]]`. Pairs stand apart by spaces or commas; what follows `#` is not read.

use super::whole::read_text;
use crate::optics::layout::{Columns, columns_of};
use crate::{Error, Result};
use std::path::Path;

/// Longer files are none.
const MOST_BYTES: u64 = 1 << 30;

/// The columns that a file tells; whether they fit a mesh, [`Mesh::of_columns`](crate::optics::Mesh::of_columns) says.
///
/// Errs with [`Error::Malformed`], naming the line, on what is no pair of modes, and where there is none.
pub fn read_columns(path: &Path) -> Result<Columns> {
    let text = read_text(path, MOST_BYTES)?;
    if text.trim_start().starts_with('[') {
        let wrong = |failure: serde_json::Error| {
            Error::malformed(path, format!("it is no list of columns, as [[[0, 1], [2, 3]], [[1, 2]]]: {failure}"))
        };
        return serde_json::from_str(&text).map_err(wrong);
    }
    let mut columns = Columns::new();
    for (index, line) in text.lines().enumerate() {
        let line = line.split('#').next().unwrap_or_default();
        let words: Vec<&str> = line.split([' ', '\t', ',']).filter(|word| !word.is_empty()).collect();
        if words.is_empty() {
            continue;
        }
        match columns_of(&words.join(".")) {
            Ok(mut column) if column.len() == 1 => columns.append(&mut column),
            Ok(_) | Err(_) => {
                let reason = format!("line {}: {:?} is no column of pairs, as 0-1 2-3", index + 1, line.trim());
                return Err(Error::malformed(path, reason));
            }
        }
    }
    if columns.is_empty() {
        return Err(Error::malformed(path, "it holds no column"));
    }
    Ok(columns)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_lists_tell_the_same_columns() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("mesh.txt");
        let read = |text: &str| {
            std::fs::write(&path, text).unwrap();
            read_columns(&path)
        };
        let expected = vec![vec![[0, 1], [2, 3]], vec![[1, 2]]];
        assert_eq!(read("# mine\n0-1 2-3\n\n1-2 # last\n").unwrap(), expected);
        assert_eq!(read("0-1,\t2-3\r\n1-2").unwrap(), expected);
        assert_eq!(read(" [[[0, 1], [2, 3]], [[1, 2]]]").unwrap(), expected);
        for (text, part) in [
            ("0-1\n1:2", "line 2: \"1:2\""),
            ("0-1/1-2", "line 1"),
            ("# nothing", "no column"),
            ("[[[0, 1, 2]]]", "no list of columns"),
            ("[[[0, -1]]]", "no list of columns"),
        ] {
            let said = read(text).unwrap_err().to_string();
            assert!(said.contains(part) && said.contains("mesh.txt"), "{text}: {said}");
        }
    }
}
