//! Data sets in NumPy's files: an archive, a pair of arrays, or a folder of either. Which array is which follows from its name.

use super::arrays::{Named, Table, image_of, piece};
use super::dataset::Dataset;
use super::label_column::listed;
use super::parts::{self, Piece};
use super::split::SplitRule;
use super::stored::Block;
use super::table::Wanted;
use crate::error::{Error, Result};
use crate::files::npy::{Kind, MOST_ELEMENTS, NpyArray, NpyHead};
use crate::files::npz::Npz;
use crate::files::whole::{open_regular, shown};
use crate::image_shape::ImageShape;
use std::io::Read;
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

/// What is wanted of a data set in arrays.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// Of their labels.
    pub wanted: Wanted<'a>,
    /// How one part becomes two.
    pub rule: Option<SplitRule>,
    /// Bytes that features may take as numbers; what takes more is read in parts.
    pub memory: Option<u64>,
}

/// The archive `path`, with parts of its own or to be split.
pub(crate) fn archive(name: &str, path: &Path, reading: Reading) -> Result<Dataset> {
    let file = Npz::open(path)?;
    let train = pair(&file, Some("train"));
    let test = pair(&file, Some("test"));
    let whole = pair(&file, None);
    match (train, test, whole) {
        (Some(train), Some(test), _) => {
            has_parts_of_its_own(name, reading.rule)?;
            let class_names = class_names(&file)?;
            let [train, test] = [train, test].map(|names| Places::of(&file, names));
            let held = held(&[&train, &test], reading.memory)?;
            let (train, test) = (train.load(held)?, test.load(held)?);
            let mut set = both(name, (train, class_names), test, reading.wanted)?;
            if let Some(other) = file.names().find(|own| ["val", "valid"].iter().any(|part| is_of(own, part))) {
                set.notes.push(format!("validation samples, as '{other}', are not used"));
            }
            Ok(set)
        }
        (None, None, Some(whole)) => {
            let names = class_names(&file)?;
            one(name, Places::of(&file, whole), names, reading)
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
pub(crate) fn array_pair(name: &str, x: &Path, y: &Path, reading: Reading) -> Result<Dataset> {
    one(name, Places::Files(x, y), None, reading)
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

    /// The shape of its images, as the heads of its files tell.
    pub fn image(&self, folder: &Path) -> Option<ImageShape> {
        match self {
            Folder::Archives => image_of_archive(&folder.join(ARCHIVES[0])),
            Folder::Arrays([(x, _), _]) => image_of_array(x),
        }
    }

    /// The data set.
    pub fn read(&self, name: &str, folder: &Path, reading: Reading) -> Result<Dataset> {
        match self {
            Folder::Archives => {
                let [train, test] = ARCHIVES.map(|file| Npz::open(&folder.join(file)));
                let (train, test) = (train?, test?);
                let names = class_names(&train)?;
                let (train, test) = (Places::whole(&train)?, Places::whole(&test)?);
                let held = held(&[&train, &test], reading.memory)?;
                both(name, (train.load(held)?, names), test.load(held)?, reading.wanted)
            }
            Folder::Arrays(parts) => {
                let [train, test] = parts.each_ref().map(|(x, y)| Places::Files(x, y));
                let held = held(&[&train, &test], reading.memory)?;
                both(name, (train.load(held)?, None), test.load(held)?, reading.wanted)
            }
        }
    }
}

/// The shape of the images in the array `x`, as its head tells.
pub(crate) fn image_of_array(x: &Path) -> Option<ImageShape> {
    image_of(&Places::Files(x, x).head().ok()?)
}

/// The shape of the images in the archive `path`, as the head of its features tells.
pub(crate) fn image_of_archive(path: &Path) -> Option<ImageShape> {
    let file = Npz::open(path).ok()?;
    let (x, _) = pair(&file, Some("train")).or_else(|| pair(&file, None))?;
    image_of(&file.head(&x).ok()?)
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

/// Where features and labels lie.
enum Places<'a> {
    /// In two files.
    Files(&'a Path, &'a Path),
    /// In an archive, under these names.
    Members(&'a Npz, String, String),
}

impl<'a> Places<'a> {
    fn of(file: &'a Npz, (x, y): (String, String)) -> Self {
        Places::Members(file, x, y)
    }

    /// The only pair of an archive.
    fn whole(file: &'a Npz) -> Result<Self> {
        let found = pair(file, None).ok_or_else(|| lacking(file, "samples are x and y"))?;
        Ok(Places::of(file, found))
    }

    /// What the features' header says.
    fn head(&self) -> Result<NpyHead> {
        match self {
            Places::Files(x, _) => {
                let file = open_regular(x)?;
                let length = file.metadata().map_err(|error| Error::file(x, error))?.len();
                let mut beginning = Vec::new();
                let read = file.take(NpyHead::LONGEST as u64).read_to_end(&mut beginning);
                read.map_err(|error| Error::file(x, error))?;
                NpyHead::parse(&beginning, length).map_err(|reason| Error::malformed(x, reason))
            }
            Places::Members(file, x, _) => file.head(x),
        }
    }

    /// Longest features that are read as a whole (bytes).
    fn most(&self) -> u64 {
        match self {
            Places::Files(..) => LARGEST - NpyHead::LONGEST as u64,
            Places::Members(..) => Npz::LARGEST - NpyHead::LONGEST as u64,
        }
    }

    /// Features, which are `held` or not, and labels.
    fn load(&self, held: bool) -> Result<Pair<'a>> {
        match *self {
            Places::Files(x, y) => {
                let array = match held {
                    true => Table::Held(NpyArray::read(x, LARGEST)?),
                    false => {
                        let head = self.head()?;
                        let start = head.start as u64;
                        Table::Stored(head, Block::open(x)?, start)
                    }
                };
                let y = Named { array: NpyArray::read(y, LARGEST)?, path: y, name: None };
                Ok(Pair { x: Named { array, path: x, name: None }, y })
            }
            Places::Members(file, ref x, ref y) => {
                let array = match held {
                    true => Table::Held(file.array(x)?),
                    false => {
                        let start = file.unpacked(x)?.ok_or_else(|| {
                            let reason = "it is packed, and larger than `data-memory` allows it to be held; save it unpacked, with \
                                          numpy.savez, so that it can be read in parts, or allow more";
                            file.malformed(x, reason)
                        })?;
                        let head = file.head(x)?;
                        let start = start + head.start as u64;
                        Table::Stored(head, Block::open(file.path())?, start)
                    }
                };
                let y = Named { array: file.array(y)?, path: file.path(), name: Some(y.clone()) };
                Ok(Pair { x: Named { array, path: file.path(), name: Some(x.clone()) }, y })
            }
        }
    }
}

/// Whether the features of these may be held in so many bytes. Where nobody says how many, they are.
fn held(parts: &[&Places], memory: Option<u64>) -> Result<bool> {
    let Some(memory) = memory else { return Ok(true) };
    let mut bytes = 0u64;
    for part in parts {
        let (head, most) = (part.head()?, part.most());
        let elements = head.elements() as u64;
        let reals = elements.saturating_mul(head.element.reals() as u64);
        bytes = bytes.saturating_add(reals.saturating_mul(size_of::<f32>() as u64));
        if elements > MOST_ELEMENTS as u64 || elements.saturating_mul(head.element.bytes() as u64) > most {
            return Ok(false);
        }
    }
    Ok(bytes <= memory)
}

/// Features and labels.
struct Pair<'a> {
    x: Named<'a, Table>,
    y: Named<'a>,
}

impl<'a> Pair<'a> {
    /// The samples, what was read from where, and what of it makes one doubt.
    fn piece(self, wanted: Wanted, names: Option<Vec<String>>) -> Result<(Piece<'a>, String, Option<String>)> {
        if let Wanted::Classes(Some(label)) = wanted {
            let reason = "it chooses a column of a table, and these are arrays; drop it".to_string();
            return Err(Error::invalid("label-column", label, reason));
        }
        let (x, y) = (self.x.called(), self.y.called());
        let (piece, arrangement, doubt) = piece(self.x, &self.y, wanted, names)?;
        let kind = match (piece.complex, piece.image) {
            (complex, Some(image)) => format!("{}images of {}", if complex { "complex " } else { "" }, image.brief()),
            (true, None) => format!("{} complex features", piece.width),
            (false, None) => format!("{} features", piece.width),
        };
        let channels = if arrangement.channels_last.is_some() { ", which has channels last" } else { "" };
        let pixels = if arrangement.pixels { ", bytes divided by 255" } else { "" };
        let what = if piece.targets > 0 { "real targets" } else { "classes" };
        let note = format!("{kind} from {x}{channels}{pixels}, {what} from {y}");
        Ok((piece, note, doubt))
    }
}

fn one(name: &str, places: Places, names: Option<Vec<String>>, reading: Reading) -> Result<Dataset> {
    let pair = places.load(held(&[&places], reading.memory)?)?;
    let (piece, note, doubt) = pair.piece(reading.wanted, names)?;
    let mut set = parts::of_one(name, piece, reading.rule)?;
    set.note = Some(set.note.map_or(note.clone(), |split| format!("{note}; {split}")));
    set.notes.splice(0..0, doubt);
    Ok(set)
}

fn both(name: &str, (train, names): (Pair, Option<Vec<String>>), test: Pair, wanted: Wanted) -> Result<Dataset> {
    let (learned, note, doubt) = train.piece(wanted, names)?;
    let (judged, ..) = test.piece(wanted, None)?;
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
