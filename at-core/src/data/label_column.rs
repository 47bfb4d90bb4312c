//! Which column of a table holds the classes, or which ones real targets.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The column of a table that holds the classes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LabelColumn {
    /// The first.
    First,
    /// The last, which is also taken where nobody says.
    Last,
    /// Column number so and so, from 0. A number is never the name of a column, so that it always means the same.
    Index(usize),
    /// The one that the heading calls so.
    Name(String),
}

impl FromStr for LabelColumn {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text.trim() {
            "" => Err(Error::invalid("label-column", "''", "write first, last, an index from 0, or the column's name")),
            "first" => Ok(LabelColumn::First),
            "last" => Ok(LabelColumn::Last),
            name if name.bytes().all(|byte| byte.is_ascii_digit()) => {
                let index = name.parse().map_err(|_| Error::invalid("label-column", name, "no table is so wide"))?;
                Ok(LabelColumn::Index(index))
            }
            name => Ok(LabelColumn::Name(name.to_string())),
        }
    }
}

impl fmt::Display for LabelColumn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LabelColumn::First => f.write_str("first"),
            LabelColumn::Last => f.write_str("last"),
            LabelColumn::Index(index) => write!(f, "{index}"),
            LabelColumn::Name(name) => f.write_str(name),
        }
    }
}

/// The columns of a table that hold real targets, in the order in which outputs stand for them; at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TargetColumns(Vec<LabelColumn>);

impl TargetColumns {
    /// From what a person writes: names, indices from 0, `first`, `last`. Errs where there is none.
    pub fn new(texts: &[String]) -> Result<Self> {
        let wrong = |text: &str| Error::invalid("target-columns", format!("'{text}'"), "write names or indices from 0");
        let column = |text: &String| text.parse().map_err(|_| wrong(text));
        let columns = texts.iter().map(column).collect::<Result<Vec<LabelColumn>>>()?;
        if columns.is_empty() { Err(wrong("")) } else { Ok(TargetColumns(columns)) }
    }

    /// A heading is needed to find them.
    pub(crate) fn are_named(&self) -> bool {
        self.0.iter().any(|column| matches!(column, LabelColumn::Name(_)))
    }

    /// The indices of these columns in a table that begins with these fields, each once; or why one is not there.
    pub(crate) fn find(&self, first: &[String]) -> std::result::Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for column in &self.0 {
            let index = column.find(first).map_err(|reason| reason.replace("label-column", "target-columns"))?;
            if found.contains(&index) {
                return Err(format!("`target-columns` names column {index} twice"));
            }
            found.push(index);
        }
        if found.len() == first.len() {
            return Err("all columns are targets; at least one feature is needed".to_string());
        }
        Ok(found)
    }
}

impl TargetColumns {
    /// The columns of an array of targets that has so many: `all`, or each by its index; or why one is not there.
    pub(crate) fn of_array(&self, columns: usize) -> std::result::Result<Vec<usize>, String> {
        let mut found = Vec::new();
        for column in &self.0 {
            let own: Vec<usize> = match column {
                LabelColumn::Name(name) if name == "all" => (0..columns).collect(),
                LabelColumn::First => vec![0],
                LabelColumn::Last => vec![columns.saturating_sub(1)],
                &LabelColumn::Index(index) => vec![index],
                LabelColumn::Name(name) => {
                    return Err(format!(
                        "its columns have no names, as '{name}'; pass `target-columns` all, or indices"
                    ));
                }
            };
            if let Some(index) = own.iter().find(|&&index| index >= columns) {
                return Err(format!("there is no column {index} for `target-columns`: it has {columns}"));
            }
            if let Some(index) = own.iter().find(|&index| found.contains(index)) {
                return Err(format!("`target-columns` names column {index} twice"));
            }
            found.extend(own);
        }
        Ok(found)
    }
}

impl fmt::Display for TargetColumns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.iter().map(LabelColumn::to_string).collect::<Vec<_>>().join(","))
    }
}

impl LabelColumn {
    /// The index of this column in a table that begins with these fields, or why it is not there.
    pub(crate) fn find(&self, first: &[String]) -> std::result::Result<usize, String> {
        let last = first.len() - 1;
        match self {
            LabelColumn::First => Ok(0),
            LabelColumn::Last => Ok(last),
            &LabelColumn::Index(index) if index <= last => Ok(index),
            LabelColumn::Index(index) => {
                Err(format!("there is no column {index} for `label-column`: the columns are 0 to {last}"))
            }
            LabelColumn::Name(name) => {
                let mut found = first.iter().enumerate().filter(|(_, field)| *field == name);
                match (found.next(), found.next()) {
                    (Some((index, _)), None) => Ok(index),
                    (Some((one, _)), Some((other, _))) => {
                        Err(format!("columns {one} and {other} are both called '{name}'; pass `label-column` {one}"))
                    }
                    (None, _) => Err(format!(
                        "no column is called '{name}', which `label-column` asks for; the first line is {}",
                        listed(first.iter().map(|field| format!("'{field}'")), first.len())
                    )),
                }
            }
        }
    }
}

/// The first few of `count` things, for a sentence.
pub(crate) fn listed(things: impl IntoIterator<Item = impl fmt::Display>, count: usize) -> String {
    const MOST: usize = 8;
    let shown: Vec<String> = things.into_iter().take(MOST).map(|thing| thing.to_string()).collect();
    let more = if count > MOST { format!(", … ({count} in all)") } else { String::new() };
    shown.join(", ") + &more
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_column_is_named_by_place_by_index_or_by_its_heading() {
        let heading = ["a", "2", "last", "b", "b"].map(String::from);
        let find = |text: &str| text.parse::<LabelColumn>().unwrap().find(&heading);
        assert_eq!(["first", "last", "0", "2", "a"].map(|text| find(text).unwrap()), [0, 4, 0, 2, 0]);
        for (text, part) in [("5", "0 to 4"), ("c", "'a', '2', 'last'"), ("b", "columns 3 and 4")] {
            assert!(find(text).unwrap_err().contains(part), "{text}");
        }
        let array = |texts: &[&str]| {
            let texts: Vec<String> = texts.iter().map(|text| text.to_string()).collect();
            TargetColumns::new(&texts).unwrap().of_array(3)
        };
        assert_eq!(
            [array(&["all"]), array(&["2", "first"]), array(&["last"])],
            [Ok(vec![0, 1, 2]), Ok(vec![2, 0]), Ok(vec![2])]
        );
        for (texts, part) in
            [(["all", "1"], "column 1 twice"), (["0", "3"], "no column 3"), (["y", "0"], "have no names")]
        {
            assert!(array(&texts).unwrap_err().contains(part), "{texts:?}");
        }
        assert!("".parse::<LabelColumn>().is_err() && "99999999999999999999999".parse::<LabelColumn>().is_err());
        for text in ["first", "last", "7", "species of iris"] {
            assert_eq!(text.parse::<LabelColumn>().unwrap().to_string(), text);
        }
    }
}
