//! Data sets in NumPy's files: an archive, a pair of arrays, or a folder of either. Which array is which follows from its name.

use super::arrays::{Named, piece};
use super::dataset::Dataset;
use super::label_column::listed;
use super::parts::{self, Piece};
use super::split::SplitRule;
use super::table::Wanted;
use crate::error::{Error, Result};
use crate::files::npy::{Kind, NpyArray};
use crate::files::npz::Npz;
use crate::files::whole::shown;
use std::path::{Path, PathBuf};

/// Longest file of one array (bytes).
const LARGEST: u64 = 1 << 32;

/// Names of features, the first that is there being taken, in small letters.
const FEATURES: [&str; 4] = ["x", "data", "features", "images"];
/// Names of classes or targets.
const LABELS: [&str; 6] = ["y", "target", "targets", "labels", "label", "classes"];
/// Names of arrays of the names of classes.
const CLASS_NAMES: [&str; 3] = ["target_names", "class_names", "label_names"];
/// The two archives of a folder.
const ARCHIVES: [&str; 2] = ["train.npz", "test.npz"];

/// The archive `path`, with parts of its own or to be split.
pub(crate) fn archive(name: &str, path: &Path, wanted: Wanted, rule: Option<SplitRule>) -> Result<Dataset> {
    let file = Npz::open(path)?;
    let train = pair(&file, Some("train"));
    let test = pair(&file, Some("test"));
    let whole = pair(&file, None);
    match (train, test, whole) {
        (Some(train), Some(test), _) => {
            has_parts_of_its_own(name, rule)?;
            let class_names = class_names(&file)?;
            let (train, test) = (Pair::load(&file, train)?, Pair::load(&file, test)?);
            let mut set = both(name, (&train, class_names), &test, wanted)?;
            if let Some(other) = file.names().find(|own| ["val", "valid"].iter().any(|part| is_of(own, part))) {
                set.notes.push(format!("validation samples, as '{other}', are not used"));
            }
            Ok(set)
        }
        (None, None, Some(whole)) => {
            let names = class_names(&file)?;
            one(name, &Pair::load(&file, whole)?, wanted, names, rule)
        }
        (_, _, _) => Err(lacking(
            &file,
            "samples are x and y (or data and target, features and labels, images and labels), or x_train, y_train, x_test and y_test",
        )),
    }
}

/// An error that names the arrays that are there, and those that are needed.
fn lacking(file: &Npz, needed: &str) -> Error {
    let there: Vec<&str> = file.names().collect();
    let there = listed(there.iter().map(|name| format!("'{}'", shown(name))), there.len());
    Error::malformed(file.path(), format!("its arrays are {there}; {needed}"))
}

/// The features of `x` and the labels of `y`, to be split.
pub(crate) fn array_pair(name: &str, x: &Path, y: &Path, wanted: Wanted, rule: Option<SplitRule>) -> Result<Dataset> {
    one(name, &Pair::read(x, y)?, wanted, None, rule)
}

/// Where the labels of the features in `x` lie: `NAME_labels.npy`, or `y.npy`, in the same folder. Errs where there are none, or both.
pub(crate) fn labels_beside(x: &Path) -> Result<PathBuf> {
    let stem = x.file_stem().unwrap_or_default().to_string_lossy();
    let candidates = [x.with_file_name(format!("{stem}_labels.npy")), x.with_file_name("y.npy")];
    let said = |path: &Path| path.display().to_string();
    let found: Vec<&PathBuf> = candidates.iter().filter(|path| path.is_file() && path.as_path() != x).collect();
    match found[..] {
        [one] => Ok(one.clone()),
        [] => Err(Error::malformed(
            x,
            format!(
                "its labels are not found in {} or {}; name both files, as {},LABELS.npy",
                said(&candidates[0]),
                said(&candidates[1]),
                said(x)
            ),
        )),
        _ => Err(Error::malformed(
            x,
            format!(
                "its labels could be in {} or {}; name both files, as {},{}",
                said(&candidates[0]),
                said(&candidates[1]),
                said(x),
                said(&candidates[0])
            ),
        )),
    }
}

/// The arrays of a folder: `train.npz` and `test.npz`, or `x_train.npy`, `y_train.npy`, `x_test.npy` and `y_test.npy`.
pub(crate) enum Folder {
    /// The two archives.
    Archives,
    /// The four arrays: of each part features and labels.
    Arrays([(PathBuf, PathBuf); 2]),
}

impl Folder {
    /// What `folder` holds of these.
    pub fn of(folder: &Path) -> Option<Self> {
        if ARCHIVES.iter().all(|file| folder.join(file).is_file()) {
            return Some(Folder::Archives);
        }
        let array = |names: [&str; 2]| names.map(|name| folder.join(name)).into_iter().find(|path| path.is_file());
        let pair = |x, y| Some((array(x)?, array(y)?));
        let train = pair(["x_train.npy", "X_train.npy"], ["y_train.npy", "Y_train.npy"])?;
        Some(Folder::Arrays([train, pair(["x_test.npy", "X_test.npy"], ["y_test.npy", "Y_test.npy"])?]))
    }

    /// The data set.
    pub fn read(&self, name: &str, folder: &Path, wanted: Wanted) -> Result<Dataset> {
        match self {
            Folder::Archives => {
                let [train, test] = ARCHIVES.map(|file| Npz::open(&folder.join(file)));
                let (train, test) = (train?, test?);
                let names = class_names(&train)?;
                both(name, (&Pair::whole(&train)?, names), &Pair::whole(&test)?, wanted)
            }
            Folder::Arrays([train, test]) => {
                let [train, test] = [Pair::read(&train.0, &train.1)?, Pair::read(&test.0, &test.1)?];
                both(name, (&train, None), &test, wanted)
            }
        }
    }
}

/// Errs where there is a rule for a data set that has parts of its own.
pub(crate) fn has_parts_of_its_own(name: &str, rule: Option<SplitRule>) -> Result<()> {
    match rule {
        None => Ok(()),
        Some(rule) => {
            let reason = format!("{name} has training and test samples of its own, which stay apart; drop it");
            Err(Error::invalid("split", rule, reason))
        }
    }
}

/// Features and labels.
struct Pair<'a> {
    x: Named<'a>,
    y: Named<'a>,
}

impl<'a> Pair<'a> {
    fn load(file: &'a Npz, (x, y): (String, String)) -> Result<Self> {
        let named = |name: String| -> Result<Named<'a>> {
            Ok(Named { array: file.array(&name)?, path: file.path(), name: Some(name) })
        };
        Ok(Pair { x: named(x)?, y: named(y)? })
    }

    /// The only pair of an archive.
    fn whole(file: &'a Npz) -> Result<Self> {
        let found = pair(file, None).ok_or_else(|| lacking(file, "samples are x and y"))?;
        Pair::load(file, found)
    }

    fn read(x: &'a Path, y: &'a Path) -> Result<Self> {
        let named = |path: &'a Path| -> Result<Named<'a>> {
            Ok(Named { array: NpyArray::read(path, LARGEST)?, path, name: None })
        };
        Ok(Pair { x: named(x)?, y: named(y)? })
    }

    fn piece(&self, wanted: Wanted, names: Option<Vec<String>>) -> Result<(Piece<'a>, Option<String>)> {
        if let Wanted::Classes(Some(label)) = wanted {
            let reason = "it chooses a column of a table, and these are arrays; drop it".to_string();
            return Err(Error::invalid("label-column", label, reason));
        }
        piece(&self.x, &self.y, wanted, names)
    }

    /// What was read from where.
    fn note(&self, piece: &Piece) -> String {
        let kind = match (piece.complex, piece.image) {
            (complex, Some((rows, columns))) => {
                format!("{}images of {rows}x{columns}", if complex { "complex " } else { "" })
            }
            (true, None) => format!("{} complex features", piece.width),
            (false, None) => format!("{} features", piece.width),
        };
        let what = if piece.targets > 0 { "real targets" } else { "classes" };
        format!("{kind} from {}, {what} from {}", self.x.called(), self.y.called())
    }
}

fn one(
    name: &str,
    pair: &Pair,
    wanted: Wanted,
    names: Option<Vec<String>>,
    rule: Option<SplitRule>,
) -> Result<Dataset> {
    let (piece, doubt) = pair.piece(wanted, names)?;
    let note = pair.note(&piece);
    let mut set = parts::of_one(name, piece, rule)?;
    set.note = Some(set.note.map_or(note.clone(), |split| format!("{note}; {split}")));
    set.notes.splice(0..0, doubt);
    Ok(set)
}

fn both(name: &str, (train, names): (&Pair, Option<Vec<String>>), test: &Pair, wanted: Wanted) -> Result<Dataset> {
    let (learned, doubt) = train.piece(wanted, names)?;
    let (judged, _) = test.piece(wanted, None)?;
    let note = train.note(&learned);
    let mut set = parts::of_two(name, learned, judged, None)?.with_note(&note);
    set.notes.splice(0..0, doubt);
    Ok(set)
}

/// The names of features and labels in an archive: of a part, as `x_train` or `train_x`, or of the whole.
fn pair(file: &Npz, part: Option<&str>) -> Option<(String, String)> {
    let find = |known: &[&str]| {
        let spelled = |own: &str, known: &str| {
            let own = own.to_ascii_lowercase();
            match part {
                None => own == known,
                Some(part) => own == format!("{known}_{part}") || own == format!("{part}_{known}"),
            }
        };
        known.iter().find_map(|known| file.names().find(|own| spelled(own, known)).map(String::from))
    };
    Some((find(&FEATURES)?, find(&LABELS)?))
}

fn is_of(name: &str, part: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.starts_with(&format!("{part}_")) || name.ends_with(&format!("_{part}"))
}

/// What an archive calls its classes, where it does.
fn class_names(file: &Npz) -> Result<Option<Vec<String>>> {
    let Some(name) = CLASS_NAMES.iter().find(|name| file.has(name)) else { return Ok(None) };
    let array = file.array(name)?;
    match array.kind() {
        Kind::Text => array.texts().map(Some).map_err(|reason| file.malformed(name, &reason)),
        Kind::Boolean | Kind::Whole | Kind::Float | Kind::Complex => Ok(None),
    }
}

#[cfg(test)]
#[path = "array_files_tests.rs"]
mod tests;
