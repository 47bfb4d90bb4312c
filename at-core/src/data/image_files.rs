//! The four files of the MNIST family: images and labels of the training and of the test set.

use super::dataset::{Dataset, SampleLimits};
use super::features::Features;
use super::idx;
use super::name::DatasetName;
use super::samples::Samples;
use super::split::stratified;
use super::stored::{Arrangement, Block, Bytes, Stored};
use crate::checksum::md5_hex;
use crate::error::{Error, Result};
use crate::files::npy::BYTE;
use crate::image_shape::ImageShape;
use std::path::{Path, PathBuf};

/// Every set of the family has ten classes.
const CLASSES: usize = 10;

/// Official test images of `kmnist` that serve as its test set where the training images are missing; the other 8000 train.
const KMNIST_REDUCED_TEST: usize = 2000;

/// Content md5 of the test labels by which a set is told from another that has the same file names.
const TEST_LABELS: [(DatasetName, &str); 3] = [
    (DatasetName::Mnist, "27ae3e4e09519cfbb04c329615203637"),
    (DatasetName::FashionMnist, "15d484375f8d13e6eb1aabb0c3f46965"),
    (DatasetName::Kmnist, "9f55f451c0988b028eccdf7d5cc265ab"),
];

/// `folder` holds what [`read`] needs.
pub(crate) fn is_in(name: DatasetName, folder: &Path) -> bool {
    missing(folder).iter().all(|&file| name == DatasetName::Kmnist && file.starts_with("train"))
}

/// The standard names of the files that `folder` lacks.
pub(crate) fn missing(folder: &Path) -> Vec<&'static str> {
    ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte"]
        .into_iter()
        .filter(|file| find(folder, file).is_none())
        .collect()
}

/// The file in `folder`: with `-` or `.` before `idx`, with or without `.gz`.
fn find(folder: &Path, file: &str) -> Option<PathBuf> {
    let dotted = file.replace("-idx", ".idx");
    [file, &dotted]
        .into_iter()
        .flat_map(|file| [folder.join(file), folder.join(format!("{file}.gz"))])
        .find(|path| path.is_file())
}

/// Reads the set of `name` from `folder`; pixels are `value / 255`.
///
/// `kmnist` without its training images is a stratified split of the test images, 8000 to learn from and 2000 to be
/// judged by, and says so in its note. Errs on files that do not belong together or that are those of another set.
/// Of each part, images beyond its `limits` are not read where those before them do not depend on them. Images that would take more than
/// `memory` bytes as numbers are read in parts.
pub(crate) fn read(name: DatasetName, folder: &Path, limits: SampleLimits, memory: Option<u64>) -> Result<Dataset> {
    let is_reduced = name == DatasetName::Kmnist && find(folder, "train-images-idx3-ubyte").is_none();
    let parts = [(!is_reduced).then_some(("train", limits.train)), Some(("t10k", limits.test.filter(|_| !is_reduced)))];
    let memory = match memory {
        Some(memory) if !fits(folder, parts.into_iter().flatten(), memory)? => Some(memory),
        Some(_) | None => None,
    };
    let (test, image, labels_md5) = read_pair(folder, "t10k", limits.test.filter(|_| !is_reduced), memory)?;
    if let Some((other, _)) = TEST_LABELS.iter().find(|(other, md5)| *other != name && *md5 == labels_md5) {
        return Err(Error::malformed(folder, format!("its test labels are those of {other}, not of {name}")));
    }
    let mut set = Dataset { image: Some(image), ..Dataset::of(name.as_str(), CLASSES, Samples::default(), test) };
    if is_reduced {
        let total = set.test.len();
        (set.train, set.test) = stratified(&set.test, CLASSES, total * KMNIST_REDUCED_TEST / 10_000);
        let (train, test) = (set.train.len(), set.test.len());
        set = set.with_note(&format!(
            "not the official split: the training images are absent, so the {total} official test images are split \
             {train}/{test}"
        ));
    } else {
        let (train, train_image, _) = read_pair(folder, "train", limits.train, memory)?;
        if train_image != image {
            let reason = format!("training images are {}, test images {}", train_image.brief(), image.brief());
            return Err(Error::malformed(folder, reason));
        }
        set.train = train;
    }
    set.check().map_err(|error| Error::malformed(folder, error.to_string()))?;
    Ok(set)
}

/// The images and the labels of a part.
fn files(folder: &Path, part: &str) -> Result<[PathBuf; 2]> {
    let [images, labels] = ["images-idx3-ubyte", "labels-idx1-ubyte"].map(|rest| {
        let file = format!("{part}-{rest}");
        find(folder, &file).ok_or_else(|| Error::NotFound {
            what: format!("{file} (or {file}.gz)"),
            searched: vec![folder.to_path_buf()],
            remedy: "all four files of a set lie in one folder".to_string(),
        })
    });
    Ok([images?, labels?])
}

/// Whether the images of `parts`, of each the first so many, take no more than `memory` bytes as numbers.
fn fits<'a>(folder: &Path, parts: impl Iterator<Item = (&'a str, Option<usize>)>, memory: u64) -> Result<bool> {
    let mut pixels = 0u64;
    for (part, most) in parts {
        let [images, _] = files(folder, part)?;
        let shape = idx::head(&images, 3)?.shape;
        let count = most.map_or(shape[0], |most| most.min(shape[0]));
        pixels = pixels.saturating_add((count as u64).saturating_mul((shape[1] * shape[2]) as u64));
    }
    Ok(pixels.saturating_mul(size_of::<f32>() as u64) <= memory)
}

/// Images and labels of one part, at least the first `most` (all of `None`), their shape, and the md5 of all labels. With `memory`
/// images are not held as numbers, and not held at all where that would take more bytes.
fn read_pair(
    folder: &Path,
    part: &str,
    most: Option<usize>,
    memory: Option<u64>,
) -> Result<(Samples, ImageShape, String)> {
    let [images_path, labels_path] = files(folder, part)?;
    let most = most.map(|most| most.max(1)); // 0 is refused by name later
    let mut labels = idx::read(&labels_path, 1, None)?;
    let (features, [count, rows, columns]) = match memory {
        None => {
            let images = idx::read(&images_path, 3, most)?;
            let pixels: Vec<f32> = images.bytes.iter().map(|&pixel| f32::from(pixel) / 255.0).collect();
            (Features::Held(pixels), sizes(&images.shape, &images_path)?)
        }
        Some(memory) => {
            let block = block(&images_path, most, memory)?;
            let sizes = sizes(&idx::head(&images_path, 3)?.shape, &images_path)?;
            (Features::Stored(Stored::new(vec![block])), sizes)
        }
    };
    if labels.bytes.len() != count {
        let reason = format!("{} labels for the {count} images of {}", labels.bytes.len(), images_path.display());
        return Err(Error::malformed(labels_path, reason));
    }
    if let Some(at) = labels.bytes.iter().position(|&label| usize::from(label) >= CLASSES) {
        let reason = format!("label {} at index {at}: labels are 0 to {}", labels.bytes[at], CLASSES - 1);
        return Err(Error::malformed(labels_path, reason));
    }
    let header = [&[0, 0, 8, 1], &(count as u32).to_be_bytes()[..]].concat();
    let md5 = md5_hex(&[header, labels.bytes.clone()].concat());
    labels.bytes.truncate(features.len() / (rows * columns));
    let labels = labels.bytes.into_iter().map(u32::from).collect();
    let samples = Samples { features, width: rows * columns, labels, complex: false, real: None };
    Ok((samples, ImageShape::single(rows, columns), md5))
}

/// Images, rows and columns. Errs where there are none.
fn sizes(shape: &[usize], path: &Path) -> Result<[usize; 3]> {
    match *shape {
        [count, rows, columns] if count > 0 && rows > 0 && columns > 0 => Ok([count, rows, columns]),
        [count, rows, columns] => {
            Err(Error::malformed(path, format!("holds {count} images of {rows}x{columns} pixels")))
        }
        _ => {
            Err(Error::malformed(path, format!("holds an array of the sizes {shape:?}, not images, rows and columns")))
        }
    }
}

/// The first `most` images of a file, left in it, or as their bytes in memory where it is gzipped and they take no more than `memory`.
fn block(path: &Path, most: Option<usize>, memory: u64) -> Result<Block> {
    let idx::Head { shape, start } = idx::head(path, 3)?;
    let [count, rows, columns] = sizes(&shape, path)?;
    let (samples, elements) = (most.map_or(count, |most| most.min(count)), rows * columns);
    let (bytes, start) = match start {
        Some(start) => (Block::open(path)?, start),
        None if (samples as u64).saturating_mul(elements as u64) <= memory => {
            (Bytes::Memory(idx::read(path, 3, most)?.bytes), 0)
        }
        None => {
            let reason = "it is gzipped, and larger than `data-memory` allows it to be held; unpack it with gunzip, so that it can be \
                          read in parts, or allow more";
            return Err(Error::malformed(path, reason));
        }
    };
    let arrangement = Arrangement { channels_last: None, pixels: true };
    let path = path.to_path_buf();
    Ok(Block { path, bytes, start, step: elements, samples, elements, element: BYTE, arrangement })
}

#[cfg(test)]
mod tests {
    use super::super::idx::tests::{gzip, write};
    use super::*;

    /// Writes `count` images of 2x3 and their labels as the files of `part`.
    fn put(folder: &Path, part: &str, count: usize) {
        let pixels: Vec<u8> = (0..count * 6).map(|i| (i * 17 % 256) as u8).collect();
        let labels: Vec<u8> = (0..count).map(|i| (i % 10) as u8).collect();
        std::fs::write(folder.join(format!("{part}-images.idx3-ubyte.gz")), gzip(&write(&[count, 2, 3], &pixels)))
            .unwrap();
        std::fs::write(folder.join(format!("{part}-labels-idx1-ubyte")), write(&[count], &labels)).unwrap();
    }

    #[test]
    fn gzipped_and_plain_dashes_and_dots() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "train", 30);
        assert!(!is_in(DatasetName::Mnist, folder.path()));
        put(folder.path(), "t10k", 10);
        assert!(is_in(DatasetName::Mnist, folder.path()));
        let set = read(DatasetName::Mnist, folder.path(), SampleLimits::default(), None).unwrap();
        assert_eq!(
            (set.train.len(), set.test.len(), set.image, set.note),
            (30, 10, Some(ImageShape::single(2, 3)), None)
        );
        assert_eq!(set.train.row(1).unwrap()[..2], [102.0 / 255.0, 119.0 / 255.0]);
    }

    #[test]
    fn what_lies_behind_a_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "train", 30);
        put(folder.path(), "t10k", 10);
        let all = read(DatasetName::Mnist, folder.path(), SampleLimits::default(), None).unwrap();
        let images = folder.path().join("train-images.idx3-ubyte.gz");
        // thirty images are promised, and the stream breaks behind the twelfth
        let pixels: Vec<u8> = (0..12 * 6).map(|i| (i * 17 % 256) as u8).collect();
        std::fs::write(&images, gzip(&write(&[30, 2, 3], &pixels))).unwrap();
        assert!(read(DatasetName::Mnist, folder.path(), SampleLimits::default(), None).is_err());
        let limits = SampleLimits { train: Some(12), test: Some(4) };
        let some = read(DatasetName::Mnist, folder.path(), limits, None).unwrap();
        assert_eq!(some, all.limit(limits.train, limits.test).unwrap());
        let none = SampleLimits { train: Some(0), test: None };
        assert!(read(DatasetName::Mnist, folder.path(), none, None).unwrap().limit(Some(0), None).is_err());
    }

    #[test]
    fn kmnist_without_training_images_declares_its_split() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "t10k", 100);
        assert!(is_in(DatasetName::Kmnist, folder.path()) && !is_in(DatasetName::Mnist, folder.path()));
        let set = read(DatasetName::Kmnist, folder.path(), SampleLimits::default(), None).unwrap();
        assert_eq!((set.train.class_counts(10), set.test.class_counts(10)), (vec![8; 10], vec![2; 10]));
        assert!(set.note.unwrap().contains("not the official split"));
        assert!(
            read(DatasetName::Mnist, folder.path(), SampleLimits::default(), None)
                .unwrap_err()
                .to_string()
                .contains("train-images-idx3-ubyte")
        );
    }

    #[test]
    fn files_that_do_not_belong_together_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let labels = folder.path().join("t10k-labels-idx1-ubyte");
        put(folder.path(), "t10k", 10);
        let refused = |message: &str| {
            let error =
                read(DatasetName::Kmnist, folder.path(), SampleLimits::default(), None).unwrap_err().to_string();
            assert!(error.contains(message), "{error}");
        };
        std::fs::write(&labels, write(&[3], &[0, 1, 2])).unwrap();
        refused("3 labels for the 10 images");
        std::fs::write(&labels, write(&[10], &[0, 1, 2, 3, 4, 5, 6, 7, 8, 10])).unwrap();
        refused("label 10 at index 9");
        std::fs::write(&labels, []).unwrap();
        refused("the file is empty");
    }

    #[test]
    fn images_beyond_the_memory_are_read_in_parts_and_are_the_same() {
        let folder = tempfile::tempdir().unwrap();
        put(folder.path(), "train", 30);
        put(folder.path(), "t10k", 10);
        let all = read(DatasetName::Mnist, folder.path(), SampleLimits::default(), None).unwrap();
        let within = |bytes| read(DatasetName::Mnist, folder.path(), SampleLimits::default(), Some(bytes));
        assert!(!within(40 * 6 * 4).unwrap().is_stored());
        // gzipped: held as bytes
        let packed = within(40 * 6 * 4 - 1).unwrap();
        assert!(packed.train.is_stored() && packed.test.is_stored());
        assert_eq!(*packed.train.loaded().unwrap(), all.train);
        assert_eq!(packed.contents().unwrap(), all.contents().unwrap());
        let error = within(10).unwrap_err().to_string();
        assert!(error.contains("gzipped") && error.contains("gunzip") && error.contains("`data-memory`"), "{error}");
        // unpacked: left where they are
        for (part, count) in [("train", 30), ("t10k", 10)] {
            let pixels: Vec<u8> = (0..count * 6).map(|i| (i * 17 % 256) as u8).collect();
            std::fs::remove_file(folder.path().join(format!("{part}-images.idx3-ubyte.gz"))).unwrap();
            std::fs::write(folder.path().join(format!("{part}-images-idx3-ubyte")), write(&[count, 2, 3], &pixels))
                .unwrap();
        }
        let stored = within(10).unwrap();
        assert_eq!((&*stored.train.loaded().unwrap(), &*stored.test.loaded().unwrap()), (&all.train, &all.test));
        let limits = SampleLimits { train: Some(12), test: Some(4) };
        let some = read(DatasetName::Mnist, folder.path(), limits, Some(10)).unwrap();
        assert_eq!(some.train.len(), 12);
        std::fs::write(folder.path().join("t10k-images-idx3-ubyte"), write(&[10, 2, 3], &[0; 59])).unwrap();
        assert!(within(10).unwrap_err().to_string().contains("ends after 59 of the 60"));
    }
}
