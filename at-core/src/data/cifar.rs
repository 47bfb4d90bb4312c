//! The files of CIFAR-10 as their authors publish them: five batches to learn from and one to be judged by, in a binary version
//! and as pickles of Python, in a folder or still in their archive.

use super::dataset::{Dataset, SampleLimits};
use super::features::Features;
use super::samples::Samples;
use super::stored::{Arrangement, Block, Bytes, Stored};
use crate::error::{Error, Result};
use crate::files::npy::{BYTE, Parsed};
use crate::files::pickle::Pickle;
use crate::files::tar;
use crate::files::whole::read_whole;
use crate::image_shape::ImageShape;
use std::path::{Path, PathBuf};

/// What [`is_in`] looks for, for people.
pub(crate) const FILES: &str = "data_batch_1.bin to data_batch_5.bin and test_batch.bin, the same of the Python version without .bin, \
                                cifar-10-binary.tar.gz or cifar-10-python.tar.gz";

/// What is published.
const IMAGE: ImageShape = ImageShape { channels: 3, height: 32, width: 32 };
const PUBLISHED: [usize; 2] = [50_000, 10_000];
const CLASSES: [&str; 10] = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];

/// Bytes of an image: all red, all green, all blue, each row by row.
const PIXELS: usize = 3 * 32 * 32;
/// Longest batch (bytes); those that are published have 31 MB.
const LARGEST: usize = 1 << 28;

/// In which way batches are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Version {
    /// Records of a label and the pixels.
    Binary,
    /// A dictionary of labels and an array.
    Python,
}

impl Version {
    /// The folder in the archive, its name, and the ending of batches.
    fn names(self) -> [&'static str; 3] {
        match self {
            Version::Binary => ["cifar-10-batches-bin", "cifar-10-binary.tar.gz", ".bin"],
            Version::Python => ["cifar-10-batches-py", "cifar-10-python.tar.gz", ""],
        }
    }

    /// The batches: five to learn from, then the one to be judged by.
    fn batches(self) -> [String; 6] {
        let [.., ending] = self.names();
        std::array::from_fn(|batch| match batch {
            5 => format!("test_batch{ending}"),
            _ => format!("data_batch_{}{ending}", batch + 1),
        })
    }
}

/// Where the batches are.
#[derive(Debug, PartialEq)]
enum Place {
    /// As files in this folder.
    Folder(PathBuf),
    /// In this archive.
    Archive(PathBuf),
}

/// Files that can be read in parts come before archives.
fn find(folder: &Path) -> Option<(Version, Place)> {
    let versions = [Version::Binary, Version::Python];
    let unpacked = versions.into_iter().find_map(|version| {
        let folders = [folder.to_path_buf(), folder.join(version.names()[0])];
        let has_all = |folder: &PathBuf| version.batches().iter().all(|batch| folder.join(batch).is_file());
        folders.into_iter().find(has_all).map(|folder| (version, Place::Folder(folder)))
    });
    unpacked.or_else(|| {
        let archive = |version: Version| (version, folder.join(version.names()[1]));
        let found = versions.map(archive).into_iter().find(|(_, path)| path.is_file());
        found.map(|(version, path)| (version, Place::Archive(path)))
    })
}

/// `folder` holds what [`read`] needs.
pub(crate) fn is_in(folder: &Path) -> bool {
    find(folder).is_some()
}

/// Reads the set from `folder`; pixels are `value / 255`, channels first.
///
/// Of each part, images beyond its `limits` are left out. Images that would take more than `memory` bytes as numbers stay in their files,
/// or in memory as the bytes of an archive. Errs on files that are no batches, and on archives beyond the memory.
pub(crate) fn read(folder: &Path, limits: SampleLimits, memory: Option<u64>) -> Result<Dataset> {
    let (version, place) = find(folder).ok_or_else(|| Error::NotFound {
        what: format!("data set cifar-10 ({FILES})"),
        searched: vec![folder.to_path_buf()],
        remedy: "all batches lie in one folder".to_string(),
    })?;
    let batches = version.batches();
    let sources: Vec<(PathBuf, Option<Vec<u8>>)> = match &place {
        Place::Folder(folder) => batches.iter().map(|batch| (folder.join(batch), None)).collect(),
        Place::Archive(path) => {
            let mut found = tar::files(path, |name| batches.iter().any(|batch| batch == name), LARGEST)?;
            let take = |batch: &String| {
                let at = found.iter().position(|(name, _)| name == batch);
                let at = at.ok_or_else(|| Error::malformed(path, format!("{batch} is not in the archive")))?;
                Ok((path.join(batch), Some(found.swap_remove(at).1)))
            };
            batches.iter().map(take).collect::<Result<_>>()?
        }
    };
    let mut blocks: Vec<(Block, Vec<u32>)> =
        sources.into_iter().map(|(path, content)| batch(version, &path, content)).collect::<Result<_>>()?;
    let test = part(blocks.split_off(5), limits.test);
    let train = part(blocks, limits.train);
    let counts = [train.1, test.1];
    let set = Dataset {
        image: Some(IMAGE),
        class_names: Some(CLASSES.map(String::from).to_vec()),
        ..Dataset::of("cifar-10", CLASSES.len(), train.0, test.0)
    };
    let bytes = ((set.train.len() + set.test.len()) * PIXELS) as u64;
    let set = match (memory, &place) {
        (Some(memory), Place::Archive(path)) if bytes > memory => {
            let reason = "it is packed, and larger than `data-memory` allows it to be held; unpack it with tar xzf, so that it can be \
                          read in parts, or allow more";
            return Err(Error::malformed(path, reason));
        }
        (Some(memory), _) if bytes.saturating_mul(size_of::<f32>() as u64) > memory => set,
        (Some(_) | None, _) => {
            Dataset { train: set.train.loaded()?.into_owned(), test: set.test.loaded()?.into_owned(), ..set }
        }
    };
    let set = set.checked()?;
    Ok(match counts == PUBLISHED {
        true => set,
        false => {
            let [train, test] = counts;
            set.with_note(&format!("not the published set: {train} + {test} images, and not 50000 + 10000"))
        }
    })
}

/// The samples of these batches, the first `most` of them, and how many there are in all.
fn part(batches: Vec<(Block, Vec<u32>)>, most: Option<usize>) -> (Samples, usize) {
    let (blocks, labels): (Vec<Block>, Vec<Vec<u32>>) = batches.into_iter().unzip();
    let (stored, labels) = (Stored::new(blocks), labels.concat());
    let total = labels.len();
    let mut samples = Samples { features: Features::Stored(stored), width: PIXELS, labels, ..Samples::default() };
    samples.truncate(most.unwrap_or(total).clamp(1, total)); // 0 is refused by name later
    (samples, total)
}

/// The images of one batch, in the file `path` or in its `content`, and their labels.
fn batch(version: Version, path: &Path, content: Option<Vec<u8>>) -> Result<(Block, Vec<u32>)> {
    let is_file = content.is_none();
    let content = content.map_or_else(|| read_whole(path, LARGEST as u64), Ok)?;
    let read = match version {
        Version::Binary => records(&content),
        Version::Python => pickled(&content),
    };
    let (labels, start, step) = read.map_err(|reason| Error::malformed(path, reason))?;
    if let Some(at) = labels.iter().position(|&label| label as usize >= CLASSES.len()) {
        let reason = format!("label {} at index {at}: labels are 0 to {}", labels[at], CLASSES.len() - 1);
        return Err(Error::malformed(path, reason));
    }
    let block = Block {
        path: path.to_path_buf(),
        bytes: if is_file { Block::open(path)? } else { Bytes::Memory(content) },
        start: start as u64,
        step,
        samples: labels.len(),
        elements: PIXELS,
        element: BYTE,
        arrangement: Arrangement { channels_last: None, pixels: true },
    };
    Ok((block, labels))
}

/// Labels, where the first image begins, and bytes from one to the next.
type Layout = (Vec<u32>, usize, usize);

fn records(content: &[u8]) -> Parsed<Layout> {
    let step = 1 + PIXELS;
    if content.is_empty() || !content.len().is_multiple_of(step) {
        return Err(format!(
            "it has {} bytes, which are no records of {step} bytes, a label and an image",
            content.len()
        ));
    }
    Ok((content.chunks_exact(step).map(|record| record[0].into()).collect(), 1, step))
}

fn pickled(content: &[u8]) -> Parsed<Layout> {
    let pickle = Pickle::parse(content)?;
    let labels = pickle.integers("labels")?;
    let (shape, elements) = pickle.bytes("data")?;
    if labels.is_empty() || shape != [labels.len(), PIXELS] {
        return Err(format!(
            "'data' has shape {shape:?}, and {} labels need [{}, {PIXELS}]",
            labels.len(),
            labels.len()
        ));
    }
    let labels = labels.into_iter().map(|label| u32::try_from(label).unwrap_or(u32::MAX)).collect();
    Ok((labels, elements.start, PIXELS))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::idx::tests::gzip;
    use crate::files::pickle::tests::batch as pickle;
    use crate::files::tar::tests::archive;
    use tempfile::TempDir;

    /// Images per batch.
    const COUNT: usize = 3;

    fn label(batch: usize, image: usize) -> u8 {
        ((4 * batch + image) % 10) as u8
    }

    fn pixels(batch: usize, image: usize) -> Vec<u8> {
        (0..PIXELS).map(|k| ((k / 7 + 31 * image + 101 * batch) % 256) as u8).collect()
    }

    /// The batches by their names.
    fn batches(version: Version) -> Vec<(String, Vec<u8>)> {
        let content = |batch: usize| match version {
            Version::Binary => {
                (0..COUNT).flat_map(|image| [vec![label(batch, image)], pixels(batch, image)].concat()).collect()
            }
            Version::Python => {
                let labels: Vec<u8> = (0..COUNT).map(|image| label(batch, image)).collect();
                pickle(&labels, PIXELS, &(0..COUNT).flat_map(|image| pixels(batch, image)).collect::<Vec<u8>>())
            }
        };
        version.batches().into_iter().enumerate().map(|(at, name)| (name, content(at))).collect()
    }

    /// A folder with the batches in `inner`.
    fn folder(version: Version, inner: &str) -> TempDir {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join(inner)).unwrap();
        for (name, content) in batches(version) {
            std::fs::write(folder.path().join(inner).join(name), content).unwrap();
        }
        folder
    }

    fn all(folder: &TempDir) -> Dataset {
        read(folder.path(), SampleLimits::default(), None).unwrap()
    }

    #[test]
    fn both_versions_unpacked_and_packed_are_the_same_set() {
        let first = all(&folder(Version::Binary, ""));
        assert_eq!((first.train.len(), first.test.len(), first.image, first.classes), (15, 3, Some(IMAGE), 10));
        assert_eq!((first.class_name(3).as_str(), first.train.labels[4]), ("cat", label(1, 1).into()));
        assert!(first.note.as_ref().unwrap().contains("not the published set: 15 + 3 images"));
        let expected: Vec<f32> = pixels(1, 1).iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
        assert_eq!(*first.train.row(4).unwrap(), expected);
        for version in [Version::Binary, Version::Python] {
            let unpacked = folder(version, version.names()[0]);
            assert_eq!(all(&unpacked), first);
            let packed = tempfile::tempdir().unwrap();
            let inner: Vec<(String, Vec<u8>)> = batches(version)
                .into_iter()
                .map(|(name, content)| (format!("{}/{name}", version.names()[0]), content))
                .collect();
            let mut files: Vec<(&str, &[u8])> = inner.iter().map(|(name, content)| (&name[..], &content[..])).collect();
            files.insert(2, ("cifar/readme.html", b"<html>"));
            std::fs::write(packed.path().join(version.names()[1]), gzip(&archive(&files))).unwrap();
            assert!(is_in(packed.path()));
            assert_eq!(all(&packed), first);
            files.remove(4);
            std::fs::write(packed.path().join(version.names()[1]), gzip(&archive(&files))).unwrap();
            let error = read(packed.path(), SampleLimits::default(), None).unwrap_err().to_string();
            assert!(error.contains(&format!("data_batch_4{} is not in the archive", version.names()[2])), "{error}");
        }
    }

    #[test]
    fn images_beyond_the_memory_stay_in_their_files_and_are_the_same() {
        for version in [Version::Binary, Version::Python] {
            let folder = folder(version, "");
            let held = all(&folder);
            let stored = read(folder.path(), SampleLimits::default(), Some(1000)).unwrap();
            assert!(stored.train.is_stored() && stored.test.is_stored());
            assert_eq!((&*stored.train.loaded().unwrap(), &*stored.test.loaded().unwrap()), (&held.train, &held.test));
            assert_eq!(stored.contents().unwrap(), held.contents().unwrap());
            let limits = SampleLimits { train: Some(4), test: Some(2) };
            let some = read(folder.path(), limits, Some(1000)).unwrap();
            assert_eq!(*some.train.loaded().unwrap(), held.clone().limit(Some(4), Some(2)).unwrap().train);
            assert!(!read(folder.path(), limits, Some(6 * 4 * PIXELS as u64)).unwrap().is_stored());
        }
    }

    #[test]
    fn a_packed_set_beyond_the_memory_says_how_to_unpack_it() {
        let packed = tempfile::tempdir().unwrap();
        let inner = batches(Version::Binary);
        let files: Vec<(&str, &[u8])> = inner.iter().map(|(name, content)| (&name[..], &content[..])).collect();
        std::fs::write(packed.path().join("cifar-10-binary.tar.gz"), gzip(&archive(&files))).unwrap();
        let within = |bytes: usize| read(packed.path(), SampleLimits::default(), Some(bytes as u64));
        assert!(within(18 * PIXELS).unwrap().is_stored());
        let error = within(18 * PIXELS - 1).unwrap_err().to_string();
        assert!(error.contains("tar xzf") && error.contains("`data-memory`"), "{error}");
    }

    #[test]
    fn damaged_batches_are_refused_with_their_name() {
        let folder = folder(Version::Binary, "");
        let path = folder.path().join("data_batch_2.bin");
        let refused = |content: &[u8], part: &str| {
            std::fs::write(&path, content).unwrap();
            let error = read(folder.path(), SampleLimits::default(), None).unwrap_err().to_string();
            assert!(error.contains("data_batch_2") && error.contains(part), "{part}: {error}");
        };
        refused(&[], "0 bytes");
        refused(&[0; 3074], "3074 bytes, which are no records of 3073");
        refused(&[11; 2 * 3073], "label 11 at index 0");
        let folder = self::folder(Version::Python, "");
        let path = folder.path().join("test_batch");
        for (content, part) in [
            (pickle(&[1, 2], 3071, &[0; 2 * 3071]), "shape [2, 3071], and 2 labels need [2, 3072]"),
            (pickle(&[1, 12], PIXELS, &[0; 2 * PIXELS]), "label 12 at index 1"),
            (b"\x80\x02cos\nsystem\n(U\x02lst R.".to_vec(), "os.system"),
        ] {
            std::fs::write(&path, content).unwrap();
            let error = read(folder.path(), SampleLimits::default(), None).unwrap_err().to_string();
            assert!(error.contains("test_batch") && error.contains(part), "{part}: {error}");
        }
    }
}
