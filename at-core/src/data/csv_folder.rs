//! A data set as the two tables `train.csv` and `test.csv` in a folder.

use super::dataset::Dataset;
use super::table;
use crate::error::{Error, Result};
use std::path::Path;

/// The two files.
pub(crate) const FILES: [&str; 2] = ["train.csv", "test.csv"];

/// Both files are in `folder`.
pub(crate) fn is_in(folder: &Path) -> bool {
    FILES.iter().all(|file| folder.join(file).is_file())
}

/// Reads both tables. `classes` is what the labels must lie below; `None` takes the greatest training label plus one.
///
/// Features stay as they are in the files.
pub(crate) fn read(name: &str, folder: &Path, classes: Option<usize>) -> Result<Dataset> {
    let [train_path, test_path] = FILES.map(|file| folder.join(file));
    let (train, test) = (table::read(&train_path)?, table::read(&test_path)?);
    let classes = classes.unwrap_or_else(|| train.labels.iter().max().map_or(0, |&most| most as usize + 1));
    let set = Dataset { name: name.to_string(), classes, image: None, note: None, notes: Vec::new(), train, test };
    set.check().map_err(|error| Error::malformed(folder, error.to_string()))?;
    Ok(set)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_two_tables_must_fit_each_other() {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: &str| std::fs::write(folder.path().join(file), text).unwrap();
        write("train.csv", "1,2,0\n3,4,2\n");
        assert!(!is_in(folder.path()));
        write("test.csv", "5,6,1\n");
        assert!(is_in(folder.path()));
        let set = read("mine", folder.path(), None).unwrap();
        assert_eq!((set.classes, set.width(), set.train.len(), set.test.len()), (3, 2, 2, 1));
        assert!(read("mine", folder.path(), Some(2)).unwrap_err().to_string().contains("train sample 1"));
        write("test.csv", "5,6,3\n");
        assert!(read("mine", folder.path(), None).unwrap_err().to_string().contains("test sample 0"));
        write("test.csv", "5,1\n");
        assert!(read("mine", folder.path(), None).unwrap_err().to_string().contains("expected 2, got 1"));
    }
}
