//! Files of one's own that are a data set: which form a path has, and how each is read.

use super::array_files::{self, Folder, Reading, has_parts_of_its_own};
use super::csv_folder;
use super::dataset::Dataset;
use super::parts;
use super::split::SplitRule;
use super::table::{self, Wanted};
use super::table_doubts;
use crate::error::{Error, Result};
use crate::image_shape::ImageShape;
use std::path::{Path, PathBuf};

/// How the names of tables end.
const TABLES: [&str; 5] = ["csv", "tsv", "txt", "data", "dat"];

/// What a folder of one's own can hold.
const FOLDERS: &str =
    "train.csv and test.csv, train.npz and test.npz, or x_train.npy, y_train.npy, x_test.npy and y_test.npy";

/// What a path leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Form {
    /// A folder with both parts.
    Folder(PathBuf),
    /// One table.
    Table(PathBuf),
    /// One archive of arrays.
    Archive(PathBuf),
    /// Features, and labels where these are named.
    Arrays(PathBuf, Option<PathBuf>),
}

/// Whether `text` means files of one's own: a path that is there, or two arrays with a comma between them.
pub fn is_path(text: &str) -> bool {
    Form::of(text).is_some()
}

/// Whether `text` would be a file of one's own, if it were there.
pub fn ends_like_a_file(text: &str) -> bool {
    let ending = ending(Path::new(text));
    ending == "npz" || ending == "npy" || TABLES.contains(&&ending[..])
}

fn ending(path: &Path) -> String {
    path.extension().map(|ending| ending.to_string_lossy().to_ascii_lowercase()).unwrap_or_default()
}

impl Form {
    /// The form of `text`; none where there is nothing. Errs on a file of another kind.
    pub fn of(text: &str) -> Option<Result<Self>> {
        let path = Path::new(text);
        if path.is_dir() {
            return Some(Ok(Form::Folder(path.to_path_buf())));
        }
        if !path.exists() {
            let (x, y) = text.split_once(',')?;
            let arrays = [x, y].map(|array| Path::new(array.trim()));
            let both = arrays.iter().all(|array| ending(array) == "npy");
            return both.then(|| Ok(Form::Arrays(arrays[0].to_path_buf(), Some(arrays[1].to_path_buf()))));
        }
        let path = path.to_path_buf();
        Some(match &ending(&path)[..] {
            "npz" => Ok(Form::Archive(path)),
            "npy" => Ok(Form::Arrays(path, None)),
            own if TABLES.contains(&own) => Ok(Form::Table(path)),
            own => Err(Error::malformed(
                path,
                format!(
                    "it ends with '{own}', and a data set is a table ({}), npz, npy or a folder",
                    TABLES.join(", ")
                ),
            )),
        })
    }

    /// What it is called in reports: the file's name without its ending, or the folder's.
    fn name(&self) -> Result<String> {
        let (Form::Folder(path) | Form::Table(path) | Form::Archive(path) | Form::Arrays(path, _)) = self;
        let whole = path.canonicalize().map_err(|error| Error::file(path, error))?;
        let own = if matches!(self, Form::Folder(_)) { whole.file_name() } else { whole.file_stem() };
        Ok(own.map_or_else(|| path.display().to_string(), |name| name.to_string_lossy().into_owned()))
    }

    /// The data set.
    pub fn read(&self, reading: Reading) -> Result<Dataset> {
        let Reading { wanted, rule, .. } = reading;
        let name = self.name()?;
        let set = match self {
            Form::Folder(folder) => {
                let tables = csv_folder::is_in(folder);
                let arrays = Folder::of(folder);
                if tables || arrays.is_some() {
                    has_parts_of_its_own(&name, rule)?;
                }
                match (tables, arrays) {
                    (true, arrays) => {
                        let mut set = csv_folder::read(&name, folder, None, wanted)?;
                        let unread = "the folder holds arrays too, which are not read: its tables are";
                        set.notes.extend(arrays.map(|_| unread.to_string()));
                        Ok(set)
                    }
                    (false, Some(arrays)) => arrays.read(&name, folder, reading),
                    (false, None) => {
                        let (what, searched) = (FOLDERS.to_string(), vec![folder.clone()]);
                        Err(Error::NotFound { what, searched, remedy: "a folder given as data set holds these".into() })
                    }
                }
            }
            Form::Table(path) => table(&name, path, wanted, rule),
            Form::Archive(path) => array_files::archive(&name, path, reading),
            Form::Arrays(x, Some(y)) => array_files::array_pair(&name, x, y, reading),
            Form::Arrays(x, None) => array_files::array_pair(&name, x, &array_files::labels_beside(x)?, reading),
        };
        let doubt = self.other_part();
        set.map(|mut set| {
            set.notes.extend(doubt);
            set
        })
    }

    /// The shape of its images, as the heads of its files tell; none where there are none, or no such file.
    pub fn image(&self) -> Option<ImageShape> {
        match self {
            Form::Folder(folder) if csv_folder::is_in(folder) => None,
            Form::Folder(folder) => Folder::of(folder)?.image(folder),
            Form::Table(_) => None,
            Form::Archive(path) => array_files::image_of_archive(path),
            Form::Arrays(x, _) => array_files::image_of_array(x),
        }
    }

    /// A doubt where a file is called like one of two parts, and the other one lies beside it.
    fn other_part(&self) -> Option<String> {
        let (Form::Table(path) | Form::Archive(path)) = self else { return None };
        let file = path.file_name()?.to_str()?;
        let other = file.strip_prefix("train.").map(|ending| format!("test.{ending}"));
        let other = other.or_else(|| file.strip_prefix("test.").map(|ending| format!("train.{ending}")))?;
        path.with_file_name(&other).is_file().then(|| {
            format!("{other} lies beside {file}, and is not read; name their folder as the data set to learn from one and be judged by the other")
        })
    }
}

/// One table, to be split.
fn table(name: &str, path: &Path, wanted: Wanted, rule: Option<SplitRule>) -> Result<Dataset> {
    let file = path.file_name().unwrap_or(path.as_os_str()).to_string_lossy();
    let table = table::read(path, wanted, None)?;
    let mut notes: Vec<String> = table_doubts::heading(&file, &table).into_iter().collect();
    if matches!(wanted, Wanted::Classes(None)) {
        notes.extend(table_doubts::label_column(&table));
    }
    notes.extend(table_doubts::features(&table));
    let note = csv_folder::layout(&file, &table);
    let mut set = parts::of_one(name, table.into_piece(path), rule)?;
    set.notes.splice(0..0, notes);
    set.note = Some(set.note.map_or(note.clone(), |split| format!("{note}; {split}")));
    Ok(set)
}

#[cfg(test)]
#[path = "own_files_tests.rs"]
mod tests;
