//! Where data sets are looked for, and how one is opened.

use super::array_files::{Reading, has_parts_of_its_own};
use super::dataset::{Dataset, SampleLimits};
use super::label_column::{LabelColumn, TargetColumns};
use super::name::DatasetName;
use super::split::SplitRule;
use super::table::Wanted;
use super::{cifar, csv_folder, embedded, image_files, own_files};
use crate::error::{Error, Result};
use crate::image_shape::ImageShape;
use std::path::{Path, PathBuf};

/// Number of classes of [`DatasetName::Vowel`].
const VOWELS: usize = 11;

/// The folders in which files are looked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Source {
    /// Folder given by the user: holds a folder per data set, or the files of one.
    pub data_dir: Option<PathBuf>,
    /// Folder of downloads: holds a folder per data set.
    pub cache_dir: Option<PathBuf>,
}

impl Source {
    /// The folders that may hold data set `name`, in the order of the search: `data_dir/<name>` (the one that says what
    /// it holds), `data_dir`, `cache_dir/<name>`.
    pub fn folders(&self, name: DatasetName) -> Vec<PathBuf> {
        let named = |folder: &PathBuf| folder.join(name.as_str());
        let folders = [self.data_dir.as_ref().map(named), self.data_dir.clone(), self.cache_dir.as_ref().map(named)];
        folders.into_iter().flatten().collect()
    }
}

/// Where a data set is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Location {
    /// In this library.
    Embedded,
    /// In files in this folder.
    Folder(PathBuf),
}

/// Finds data set `name` without reading it. Errs with the folders that were searched and what to do.
pub fn locate(name: DatasetName, source: &Source) -> Result<Location> {
    if name.is_embedded() {
        return Ok(Location::Embedded);
    }
    let searched = source.folders(name);
    let is_in = |folder: &&PathBuf| match name {
        DatasetName::Vowel => csv_folder::is_in(folder),
        DatasetName::Mnist | DatasetName::FashionMnist | DatasetName::Kmnist => image_files::is_in(name, folder),
        DatasetName::Cifar10 => cifar::is_in(folder),
        DatasetName::Digits | DatasetName::Iris => false, // embedded
    };
    // a folder with all files comes before one with enough of them
    let is_whole = |folder: &&PathBuf| name != DatasetName::Kmnist || image_files::missing(folder).is_empty();
    let found = searched.iter().filter(is_in).find(is_whole).or_else(|| searched.iter().find(is_in));
    if let Some(folder) = found {
        return Ok(Location::Folder(folder.clone()));
    }
    let files = if name == DatasetName::Vowel {
        csv_folder::FILES.join(" and ")
    } else if name == DatasetName::Cifar10 {
        cifar::FILES.to_string()
    } else {
        // of the folder that holds most of the files, say what it lacks
        let least = searched.iter().map(|folder| image_files::missing(folder)).min_by_key(Vec::len);
        least.unwrap_or_else(|| image_files::missing(Path::new(""))).join(", ") + " (or .gz)"
    };
    let remedy = if name.is_downloadable() {
        "pass `data-dir` with a folder that holds it".to_string()
    } else {
        format!("pass `data-dir` with the folder that holds {name}/train.csv and {name}/test.csv")
    };
    Err(Error::NotFound { what: format!("data set {name} ({files})"), searched, remedy })
}

/// Loads data set `name`.
///
/// Pixels are 0..1; `vowel` is standardised and `iris` scaled by the training samples, as their notes say. Errs when
/// files are missing ([`Error::NotFound`]), unreadable ([`Error::File`]) or make no sense ([`Error::Malformed`]).
pub fn load(name: DatasetName, source: &Source) -> Result<Dataset> {
    load_chosen(name, source, &Choices::default())
}

fn load_chosen(name: DatasetName, source: &Source, choices: &Choices) -> Result<Dataset> {
    let wanted = choices.wanted();
    match wanted {
        Wanted::Classes(Some(label)) if name != DatasetName::Vowel => {
            let reason = format!("it chooses a column of a table, and {name} is none; drop it");
            return Err(Error::invalid("label-column", label, reason));
        }
        Wanted::Real(targets) => {
            let reason = format!("chooses columns of a table of your own, and {name} has classes; drop it");
            return Err(Error::invalid("target-columns", targets, reason));
        }
        Wanted::Classes(_) => {}
    }
    has_parts_of_its_own(name.as_str(), choices.split)?;
    match (name, locate(name, source)?) {
        (DatasetName::Digits, _) => embedded::digits(),
        (DatasetName::Iris, _) => embedded::iris(),
        (DatasetName::Vowel, Location::Folder(folder)) => {
            csv_folder::read(name.as_str(), &folder, Some(VOWELS), wanted)?.standardised()?.checked()
        }
        (DatasetName::Cifar10, Location::Folder(folder)) => cifar::read(&folder, choices.limits, choices.memory),
        (_, Location::Folder(folder)) => image_files::read(name, &folder, choices.limits, choices.memory),
        (_, Location::Embedded) => {
            Err(Error::Unsupported { what: format!("embedded {name}"), instead: "load it from files".to_string() })
        }
    }
}

/// The shape of the images of a data set, by its name or the path of files of one's own, of which the heads are read alone; none of
/// samples that are no images, and where nothing can be read.
pub fn image_of(name_or_path: &str) -> Option<ImageShape> {
    match name_or_path.parse::<DatasetName>() {
        Ok(name) => name.image(),
        Err(_) => own_files::Form::of(name_or_path)?.ok()?.image(),
    }
}

/// What is wanted of a data set.
#[derive(Debug, Clone, Copy, Default)]
pub struct Choices<'a> {
    /// The column of a table that holds the classes; the last where nobody says.
    pub label: Option<&'a LabelColumn>,
    /// The columns that hold real values to be met, in the place of classes.
    pub targets: Option<&'a TargetColumns>,
    /// How samples in one piece become two parts; [`SplitRule::default`] where nobody says.
    pub split: Option<SplitRule>,
    /// Images beyond these are not read, unless those before depend on them; whoever gives limits goes on to
    /// [`Dataset::prepared`].
    pub limits: SampleLimits,
    /// Most bytes that the features of both parts may take as numbers (f32). What takes more stays in its files and is read in parts,
    /// which gives the same numbers; `None` holds everything. Tables and embedded sets are held always.
    pub memory: Option<u64>,
}

impl Choices<'_> {
    fn wanted(&self) -> Wanted<'_> {
        match self.targets {
            Some(targets) => Wanted::Real(targets),
            None => Wanted::Classes(self.label),
        }
    }
}

/// Opens a data set by its name or by the path of files of one's own, which are split as usual. See [`open_chosen`].
pub fn open(name_or_path: &str, source: &Source) -> Result<Dataset> {
    open_chosen(name_or_path, source, &Choices::default())
}

/// Opens a data set by its name, or by the path of files of one's own: a table (`.csv`, `.tsv`, `.txt`, `.data`, `.dat`), an archive of
/// arrays (`.npz`), two arrays (`x.npy,y.npy`, or `x.npy` with its labels beside it), or a folder with `train.csv` and
/// `test.csv`, `train.npz` and `test.npz`, or `x_train.npy`, `y_train.npy`, `x_test.npy` and `y_test.npy`.
///
/// A table has one column of classes, whole numbers from 0 or words, or columns of real targets, and may have a heading;
/// features stay as they are. Errs as [`load`], on a text that is neither a name nor a path, on a choice of a column where there
/// is no table, and on a split of what has two parts.
pub fn open_chosen(name_or_path: &str, source: &Source, choices: &Choices) -> Result<Dataset> {
    let set = opened(name_or_path, source, choices)?;
    Ok(if set.is_stored() { set.with_note("samples stay in their files and are read batch by batch") } else { set })
}

fn opened(name_or_path: &str, source: &Source, choices: &Choices) -> Result<Dataset> {
    match name_or_path.parse() {
        Ok(name) => load_chosen(name, source, choices),
        Err(unknown) => match own_files::Form::of(name_or_path) {
            Some(form) => form?.read(Reading { wanted: choices.wanted(), rule: choices.split, memory: choices.memory }),
            None => match unknown {
                Error::Invalid { name, value, reason } => Err(Error::Invalid {
                    name,
                    value,
                    reason: format!("{reason}, and there is no such file or folder"),
                }),
                error => Err(error),
            },
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn embedded_sets_need_no_folder() {
        for name in DatasetName::ALL.into_iter().filter(|name| name.is_embedded()) {
            assert_eq!(load(name, &Source::default()).unwrap(), open(name.as_str(), &Source::default()).unwrap());
        }
    }

    #[test]
    fn a_missing_set_says_where_it_was_looked_for() {
        let source = Source { data_dir: Some("no/data".into()), cache_dir: Some("no/cache".into()) };
        let error = load(DatasetName::Mnist, &source).unwrap_err().to_string().replace('\\', "/");
        for part in ["no/data/mnist, no/data, no/cache/mnist", "train-images-idx3-ubyte", "`data-dir`"] {
            assert!(error.contains(part), "{error}");
        }
        let error = load(DatasetName::Vowel, &Source::default()).unwrap_err().to_string();
        assert!(error.contains("`data-dir`") && error.contains("vowel/train.csv"), "{error}");
    }

    #[test]
    fn a_folder_of_tables_is_a_data_set() {
        let parent = tempfile::tempdir().unwrap();
        let folder = parent.path().join("two-moons");
        std::fs::create_dir(&folder).unwrap();
        let path = folder.to_str().unwrap();
        assert!(open(path, &Source::default()).unwrap_err().to_string().contains("train.csv and test.csv"));
        for file in csv_folder::FILES {
            std::fs::write(folder.join(file), "x,y,moon\n0.5,-1,0\n1,2,1\n").unwrap();
        }
        let set = open(path, &Source::default()).unwrap();
        assert_eq!((set.name.as_str(), set.classes, &*set.train.row(0).unwrap()), ("two-moons", 2, &[0.5, -1.0][..]));
        let error = open("two-mons", &Source::default()).unwrap_err().to_string();
        assert!(error.contains("no such file or folder") && error.contains("fashion-mnist"), "{error}");
    }
}
