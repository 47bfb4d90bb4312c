//! Archives and pairs of arrays as people save them: what is taken, what is noted, and what is refused.

use super::super::dataset::SampleLimits;
use super::super::label_column::TargetColumns;
use super::super::scale::Scale;
use super::*;
use crate::image_shape::ImageShape;
use ndarray::{Array, Array1, Array2, ArrayD, IxDyn};
use ndarray_npy::{NpzWriter, WritableElement, WriteNpyExt};
use num_complex::Complex32;
use std::fs::File;
use tempfile::TempDir;

const CLASSES: Wanted = Wanted::Classes(None);

/// Classes, all in memory.
fn reading(rule: Option<SplitRule>) -> Reading<'static> {
    Reading { wanted: CLASSES, rule, memory: None }
}

/// Pixels of so many samples, none like another.
fn features(axes: &[usize]) -> ArrayD<f32> {
    let count: usize = axes.iter().product();
    Array::from_iter((0..count).map(|k| (k * k % 251) as f32 + k as f32 / 1024.0))
        .into_shape_with_order(IxDyn(axes))
        .unwrap()
}

fn labels(count: usize, classes: usize) -> Array1<i64> {
    (0..count).map(|k| (k % classes) as i64).collect()
}

struct Saved(TempDir);

impl Saved {
    fn new() -> Self {
        Saved(tempfile::tempdir().unwrap())
    }

    fn path(&self, file: &str) -> PathBuf {
        self.0.path().join(file)
    }

    fn npy<T: WritableElement>(&self, file: &str, array: &ArrayD<T>) {
        array.write_npy(File::create(self.path(file)).unwrap()).unwrap();
    }

    /// An archive of arrays that are written one by one.
    fn npz(&self, file: &str, add: impl FnOnce(&mut NpzWriter<File>)) -> PathBuf {
        let mut archive = NpzWriter::new(File::create(self.path(file)).unwrap());
        add(&mut archive);
        archive.finish().unwrap();
        self.path(file)
    }

    /// An npy file of fixed-width text.
    fn words(&self, file: &str, descr: &str, width: usize, words: &[&str]) {
        let header = format!("{{'descr': '{descr}', 'fortran_order': False, 'shape': ({},), }}\n", words.len());
        let mut bytes = [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
        for word in words {
            let mut own: Vec<u8> = match descr.contains('U') {
                true => word.chars().flat_map(|sign| u32::from(sign).to_le_bytes()).collect(),
                false => word.bytes().collect(),
            };
            own.resize(width, 0);
            bytes.extend(own);
        }
        std::fs::write(self.path(file), bytes).unwrap();
    }
}

fn real(columns: &str) -> TargetColumns {
    TargetColumns::new(&columns.split(',').map(String::from).collect::<Vec<_>>()).unwrap()
}

#[test]
fn an_archive_of_x_and_y_is_split_under_every_name() {
    for (x, y) in [("x", "y"), ("X", "Y"), ("data", "target"), ("features", "labels"), ("images", "label")] {
        let saved = Saved::new();
        let path = saved.npz("own.npz", |archive| {
            archive.add_array(x, &features(&[20, 3])).unwrap();
            archive.add_array(y, &labels(20, 2)).unwrap();
            archive.add_array("more", &labels(3, 2)).unwrap();
        });
        let set = archive("own", &path, reading(None)).unwrap();
        assert_eq!((set.train.class_counts(2), set.test.class_counts(2), set.width()), (vec![8; 2], vec![2; 2], 3));
        let note = set.note.unwrap();
        assert!(
            note.starts_with(&format!("3 features from '{x}', classes from '{y}'; split 0.8, as nothing else")),
            "{note}"
        );
    }
}

#[test]
fn parts_of_their_own_stay_apart_under_every_name() {
    for names in [
        ["x_train", "y_train", "x_test", "y_test"],
        ["X_train", "y_train", "X_test", "y_test"],
        ["train_images", "train_labels", "test_images", "test_labels"],
    ] {
        let saved = Saved::new();
        let path = saved.npz("own.npz", |archive| {
            archive.add_array(names[0], &features(&[6, 2, 4])).unwrap();
            archive.add_array(names[1], &labels(6, 3).insert_axis(ndarray::Axis(1))).unwrap();
            archive.add_array(names[2], &features(&[3, 2, 4])).unwrap();
            archive.add_array(names[3], &labels(3, 3)).unwrap();
            archive.add_array("x_val", &features(&[3, 2, 4])).unwrap();
        });
        let set = archive("own", &path, reading(None)).unwrap();
        assert_eq!(
            (set.train.len(), set.test.len(), set.image, set.classes),
            (6, 3, Some(ImageShape::single(2, 4)), 3)
        );
        assert!(set.notes.iter().any(|note| note.contains("'x_val', are not used")), "{:?}", set.notes);
        let error = archive("own", &path, reading(Some("0.5".parse().unwrap()))).unwrap_err().to_string();
        assert!(error.starts_with("split = 0.5") && error.contains("of its own"), "{error}");
    }
}

#[test]
fn images_keep_their_shape_with_channels_first() {
    let colours = |channels, height, width| Some(ImageShape { channels, height, width });
    for (axes, image, doubted) in [
        (vec![10, 2, 3], colours(1, 2, 3), false),
        (vec![10, 1, 2, 3], colours(1, 2, 3), false),
        (vec![10, 2, 3, 1], colours(1, 2, 3), false),
        (vec![10, 3, 5, 6], colours(3, 5, 6), false),
        (vec![10, 5, 6, 3], colours(3, 5, 6), false),
        (vec![10, 16, 8, 8], colours(16, 8, 8), false),
        (vec![10, 3, 2, 2], colours(3, 2, 2), true),
        (vec![10, 6], None, false),
    ] {
        let saved = Saved::new();
        saved.npy("x.npy", &features(&axes));
        saved.npy("y.npy", &labels(10, 2).into_dyn());
        let set = array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), reading(None)).unwrap();
        assert_eq!((set.image, set.width()), (image, axes[1..].iter().product()), "{axes:?}");
        assert_eq!(
            set.notes.iter().any(|note| note.contains("[sample, channel, row, column]")),
            doubted,
            "{:?}",
            set.notes
        );
    }
}

#[test]
fn channels_that_come_last_give_the_same_samples_and_bytes_are_pixels() {
    let saved = Saved::new();
    let first = features(&[10, 3, 5, 6]);
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    let open = |x: &str| array_pair("own", &saved.path(x), &saved.path("y.npy"), reading(None)).unwrap();
    saved.npy("first.npy", &first);
    let last = first.view().permuted_axes(IxDyn(&[0, 2, 3, 1])).as_standard_layout().into_owned();
    saved.npy("last.npy", &last);
    let (a, b) = (open("first.npy"), open("last.npy"));
    assert_eq!((&a.train, &a.test, a.image), (&b.train, &b.test, b.image));
    assert!(b.note.unwrap().starts_with("images of 3x5x6 from last.npy, which has channels last, classes from y.npy"));
    let bytes = first.mapv(|x| (x as u32 % 256) as u8);
    saved.npy("bytes.npy", &bytes);
    saved.npy("floats.npy", &bytes.mapv(|x| f32::from(x) / 255.0));
    let (pixels, floats) = (open("bytes.npy"), open("floats.npy"));
    assert_eq!((&pixels.train, &pixels.test), (&floats.train, &floats.test));
    assert!(pixels.note.unwrap().contains("bytes divided by 255") && !floats.note.unwrap().contains("255"));
    // bytes that are no images stay what they are
    saved.npy("counts.npy", &bytes.into_shape_with_order(IxDyn(&[10, 90])).unwrap());
    assert!(open("counts.npy").train.features.held().iter().any(|x| *x > 1.0));
}

#[test]
fn labels_of_every_kind_are_classes() {
    let saved = Saved::new();
    saved.npy("x.npy", &features(&[10, 2]));
    let classes = || array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), reading(None)).unwrap();
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    let whole = classes();
    saved.npy("y.npy", &labels(10, 2).mapv(|label| label as f64).into_dyn());
    assert_eq!(classes().train, whole.train);
    saved.npy("y.npy", &labels(10, 2).mapv(|label| label == 1).into_dyn());
    assert_eq!(classes().train, whole.train);
    let words: Vec<&str> = (0..10).map(|k| ["grün", "rot"][k % 2]).collect();
    saved.words("y.npy", "<U4", 16, &words);
    let named = classes();
    assert_eq!((&named.train, named.class_names.unwrap()), (&whole.train, vec!["grün".to_string(), "rot".to_string()]));
    saved.words(
        "y.npy",
        "|S5",
        5,
        &words.iter().map(|word| if *word == "rot" { "b" } else { "a" }).collect::<Vec<_>>(),
    );
    assert_eq!(classes().class_names.unwrap(), ["a", "b"]);
}

#[test]
fn real_targets_of_arrays_need_the_word_and_keep_their_order() {
    let saved = Saved::new();
    saved.npy("x.npy", &features(&[10, 2]));
    saved.npy("y.npy", &(features(&[10, 3]) + 0.5));
    let open =
        |wanted| array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), Reading { wanted, ..reading(None) });
    let error = open(CLASSES).unwrap_err().to_string();
    assert!(error.contains("y.argmax(axis=1)") && error.contains("`target-columns` all"), "{error}");
    let (all, two) = (real("all"), real("2,0"));
    let whole = open(Wanted::Real(&all)).unwrap();
    assert_eq!((whole.real_targets(), whole.classes, whole.train.len()), (Some(3), 0, 8));
    let chosen = open(Wanted::Real(&two)).unwrap();
    let (values, some) = (&whole.train.real.as_ref().unwrap().values, &chosen.train.real.as_ref().unwrap().values);
    assert_eq!(&some[..2], [values[2], values[0]]);
    saved.npy("y.npy", &(features(&[10]) + 0.5));
    let error = open(CLASSES).unwrap_err().to_string();
    assert!(
        error.contains("class 0.5 of sample 0 is not a whole number") && error.contains("`target-columns` all"),
        "{error}"
    );
    assert_eq!(open(Wanted::Real(&all)).unwrap().real_targets(), Some(1));
}

#[test]
fn complex_features_are_fields_with_both_parts() {
    let saved = Saved::new();
    let fields = Array2::from_shape_fn((10, 2), |(k, mode)| Complex32::new(k as f32, mode as f32 - 0.5));
    saved.npy("x.npy", &fields.into_dyn());
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    let set = array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), reading(None)).unwrap();
    assert!(set.is_complex() && set.width() == 2);
    let row = set.train.row(0).unwrap();
    assert_eq!((row.len(), row[0] == row[2], row[1], row[3]), (4, true, -0.5, 0.5));
    assert!(set.note.unwrap().starts_with("2 complex features from x.npy, classes from y.npy"));
}

#[test]
fn what_makes_no_sense_is_refused_with_what_is_there() {
    let saved = Saved::new();
    let refused = |x: &ArrayD<f32>, y: &ArrayD<f64>, part: &str| {
        saved.npy("x.npy", x);
        saved.npy("y.npy", y);
        let error =
            array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), reading(None)).unwrap_err().to_string();
        assert!(error.contains(part) && error.contains(".npy: "), "{part}: {error}");
    };
    let good = || labels(10, 2).mapv(|label| label as f64).into_dyn();
    refused(
        &features(&[10, 2]),
        &labels(9, 2).mapv(|label| label as f64).into_dyn(),
        "it holds 9 samples, and x.npy holds 10",
    );
    refused(&features(&[10]), &good(), "x.reshape(-1, 1)");
    refused(&features(&[10, 1, 2, 1, 2]), &good(), "images [sample, row, column]");
    refused(&features(&[10, 0]), &good(), "no sample with a feature");
    refused(&features(&[10, 2]), &ArrayD::zeros(IxDyn(&[10, 2, 2])), "labels are one for every sample");
    refused(&features(&[10, 2]), &(good() - 1.0), "class -1 of sample 0");
    let mut holed = features(&[10, 2]);
    holed[[3, 1]] = f32::NAN;
    refused(&holed, &good(), "sample 3, feature 1: NaN is not a finite number");
    saved.words("y.npy", "|O", 8, &["a"; 10]);
    saved.npy("x.npy", &features(&[10, 2]));
    let open = || array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), reading(None)).unwrap_err().to_string();
    assert!(open().contains("y.npy: its elements are Python objects; save numbers, or text"), "{}", open());
    saved.words("y.npy", "<U1", 4, &["a", "b", "a", "b", "", "a", "b", "a", "b", "a"]);
    assert!(open().contains("there is no class of sample 4"), "{}", open());
    let path = saved.npz("own.npz", |archive| {
        archive.add_array("inputs", &features(&[4, 2])).unwrap();
        archive.add_array("y", &labels(4, 2)).unwrap();
    });
    let error = archive("own", &path, reading(None)).unwrap_err().to_string();
    assert!(error.contains("its arrays are 'inputs', 'y'; samples are x and y"), "{error}");
    let path = saved.npz("half.npz", |archive| {
        archive.add_array("x_train", &features(&[4, 2])).unwrap();
        archive.add_array("y_train", &labels(4, 2)).unwrap();
        archive.add_array("x_test", &features(&[4, 2])).unwrap();
    });
    assert!(archive("own", &path, reading(None)).unwrap_err().to_string().contains("'x_test', 'x_train', 'y_train'"));
    let first = "first".parse().unwrap();
    let error = array_pair(
        "own",
        &saved.path("x.npy"),
        &saved.path("y.npy"),
        Reading { wanted: Wanted::Classes(Some(&first)), ..reading(None) },
    );
    assert!(error.unwrap_err().to_string().contains("these are arrays; drop it"));
}

#[test]
fn labels_beside_an_array_are_found_where_only_one_file_can_hold_them() {
    let saved = Saved::new();
    let x = saved.path("fields.npy");
    saved.npy("fields.npy", &features(&[10, 2]));
    let lost = labels_beside(&x).unwrap_err().to_string();
    assert!(lost.contains("fields_labels.npy") && lost.contains("fields.npy,LABELS.npy"), "{lost}");
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    assert_eq!(labels_beside(&x).unwrap(), saved.path("y.npy"));
    assert!(labels_beside(&saved.path("y.npy")).is_err(), "an array is not its own labels");
    saved.npy("fields_labels.npy", &labels(10, 2).into_dyn());
    assert!(labels_beside(&x).unwrap_err().to_string().contains("could be in"));
}

#[test]
fn folders_of_arrays_have_two_parts() {
    let saved = Saved::new();
    assert!(Folder::of(saved.0.path()).is_none());
    for (part, count) in [("train", 6), ("test", 3)] {
        saved.npy(&format!("x_{part}.npy"), &features(&[count, 2]));
        saved.npy(&format!("y_{part}.npy"), &labels(count, 3).into_dyn());
    }
    let arrays = Folder::of(saved.0.path()).unwrap().read("own", saved.0.path(), reading(None)).unwrap();
    assert_eq!((arrays.train.len(), arrays.test.len(), arrays.classes), (6, 3, 3));
    for (part, count) in [("train", 6), ("test", 3)] {
        saved.npz(&format!("{part}.npz"), |archive| {
            archive.add_array("x", &features(&[count, 2])).unwrap();
            archive.add_array("y", &labels(count, 3)).unwrap();
        });
    }
    let archives = Folder::of(saved.0.path()).unwrap().read("own", saved.0.path(), reading(None)).unwrap();
    assert_eq!((archives.train, archives.test), (arrays.train, arrays.test));
    saved.npz("test.npz", |archive| {
        archive.add_array("x", &features(&[3, 5])).unwrap();
        archive.add_array("y", &labels(3, 3)).unwrap();
    });
    let error = Folder::of(saved.0.path()).unwrap().read("own", saved.0.path(), reading(None)).unwrap_err().to_string();
    assert!(error.contains("test.npz: its samples have 5 features, those of train.npz 2 features"), "{error}");
}

/// The same files, held and read in parts.
fn held_and_stored(open: impl Fn(Reading) -> Result<Dataset>) -> [Dataset; 2] {
    let [held, stored] = [None, Some(16)].map(|memory| open(Reading { memory, ..reading(None) }).unwrap());
    assert!(stored.train.is_stored() && stored.test.is_stored() && !held.is_stored());
    [held, stored]
}

fn same(held: &Dataset, stored: &Dataset) {
    assert_eq!((&*stored.train.loaded().unwrap(), &*stored.test.loaded().unwrap()), (&held.train, &held.test));
    assert_eq!((stored.image, &stored.note, &stored.notes), (held.image, &held.note, &held.notes));
    assert_eq!(stored.contents().unwrap(), held.contents().unwrap());
}

#[test]
fn arrays_beyond_the_memory_are_read_in_parts_and_are_the_same() {
    let saved = Saved::new();
    saved.npy("y.npy", &labels(20, 2).into_dyn());
    let open = |x: &str| held_and_stored(|reading| array_pair("own", &saved.path(x), &saved.path("y.npy"), reading));
    let mut twice = features(&[20, 6]);
    let first = twice.index_axis(ndarray::Axis(0), 0).to_owned();
    (1..8).for_each(|k| twice.index_axis_mut(ndarray::Axis(0), k).assign(&first)); // some test sample is a training sample too
    saved.npy("plain.npy", &twice);
    saved.npy("images.npy", &features(&[20, 5, 6, 3]));
    saved.npy("bytes.npy", &features(&[20, 3, 5, 6]).mapv(|x| (x as u32 % 256) as u8));
    saved.npy("fields.npy", &features(&[20, 5, 6, 2]).mapv(|x| Complex32::new(x, 1.0 - x)));
    for x in ["plain.npy", "images.npy", "bytes.npy", "fields.npy"] {
        let [held, stored] = open(x);
        same(&held, &stored);
        assert_eq!(x == "plain.npy", held.notes.iter().any(|note| note.contains("very features")), "{:?}", held.notes);
        for scale in [Scale::Standard, Scale::Unit] {
            let limits = SampleLimits { train: Some(11), test: Some(3) };
            let [held, stored] = [&held, &stored].map(|set| set.clone().prepared(limits, scale).unwrap());
            same(&held, &stored);
        }
        let order = [3, 3, 0, 9];
        assert_eq!(*stored.train.select(&order).loaded().unwrap(), held.train.select(&order));
    }
}

#[test]
fn unpacked_archives_are_read_in_parts_and_packed_ones_say_why_not() {
    let saved = Saved::new();
    let add = |archive: &mut NpzWriter<File>| {
        archive.add_array("x_train", &features(&[6, 2, 4])).unwrap();
        archive.add_array("y_train", &labels(6, 3)).unwrap();
        archive.add_array("x_test", &features(&[3, 2, 4]).mapv(f64::from)).unwrap();
        archive.add_array("y_test", &labels(3, 3)).unwrap();
    };
    let path = saved.npz("own.npz", add);
    let [held, stored] = held_and_stored(|reading| archive("own", &path, reading));
    same(&held, &stored);
    let little = Reading { memory: Some(16), ..reading(None) };
    let mut bytes = std::fs::read(&path).unwrap();
    let at = bytes.windows(4).position(|four| four == 1.25f32.to_le_bytes()).unwrap_or(200);
    bytes[at] ^= 1;
    std::fs::write(saved.path("damaged.npz"), bytes).unwrap();
    let error = archive("own", &saved.path("damaged.npz"), little).unwrap_err().to_string();
    assert!(error.contains("checksum"), "{error}");
    let npy = |array: ArrayD<f64>| {
        let mut content = Vec::new();
        array.write_npy(&mut content).unwrap();
        content
    };
    let kinds = |count| npy(labels(count, 3).mapv(|label| label as f64).into_dyn());
    let [x_train, x_test] = [6, 3].map(|count| npy(features(&[count, 2, 4]).mapv(f64::from)));
    let arrays = [("x_train", x_train), ("y_train", kinds(6)), ("x_test", x_test), ("y_test", kinds(3))];
    std::fs::write(saved.path("packed.npz"), crate::files::damage_tests::deflated(&arrays)).unwrap();
    archive("own", &saved.path("packed.npz"), reading(None)).unwrap();
    let error = archive("own", &saved.path("packed.npz"), little).unwrap_err().to_string();
    assert!(error.contains("'x_train'") || error.contains("x_train"), "{error}");
    assert!(error.contains("numpy.savez") && error.contains("`data-memory`"), "{error}");
}

#[test]
fn what_is_read_in_parts_is_checked_as_what_is_held() {
    let saved = Saved::new();
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    let little = Reading { memory: Some(16), ..reading(None) };
    let refused = |part: &str| {
        let error = array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), little).unwrap_err().to_string();
        assert!(error.contains("x.npy: ") && error.contains(part), "{part}: {error}");
    };
    let mut holed = features(&[10, 2]);
    holed[[3, 1]] = f32::NAN;
    saved.npy("x.npy", &holed);
    refused("sample 3, feature 1: NaN is not a finite number");
    saved.npy("x.npy", &features(&[10, 4]).reversed_axes());
    saved.npy("y.npy", &labels(4, 2).into_dyn());
    refused("column-major");
    saved.npy("y.npy", &labels(10, 2).into_dyn());
    saved.npy("x.npy", &features(&[10, 4]));
    let whole = std::fs::read(saved.path("x.npy")).unwrap();
    std::fs::write(saved.path("x.npy"), &whole[..whole.len() - 1]).unwrap();
    refused("159 bytes follow");
    // a file that is cut while it is open
    std::fs::write(saved.path("x.npy"), &whole).unwrap();
    let set = array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), little).unwrap();
    File::options().write(true).open(saved.path("x.npy")).unwrap().set_len(200).unwrap();
    // its time may tell first
    assert!(set.train.loaded().unwrap_err().to_string().contains("while it was read in parts"));
    // and one that is written to
    std::fs::write(saved.path("x.npy"), &whole).unwrap();
    let set = array_pair("own", &saved.path("x.npy"), &saved.path("y.npy"), little).unwrap();
    let later = std::time::SystemTime::now() + std::time::Duration::from_secs(10);
    File::options().write(true).open(saved.path("x.npy")).unwrap().set_modified(later).unwrap();
    assert!(set.train.loaded().unwrap_err().to_string().contains("was written to while"));
}

#[test]
fn the_heads_of_files_tell_the_shape_that_reading_them_finds() {
    let saved = Saved::new();
    let shape_of = |axes: &[usize]| {
        let path = saved.npz("F.npz", |archive| {
            archive.add_array("x_train", &features(axes)).unwrap();
            archive.add_array("y_train", &labels(axes[0], 3)).unwrap();
            archive.add_array("x_test", &features(axes)).unwrap();
            archive.add_array("y_test", &labels(axes[0], 3)).unwrap();
        });
        let read = archive("F", &path, reading(None)).unwrap().image;
        assert_eq!(image_of_archive(&path), read, "{axes:?}");
        assert_eq!(crate::data::image_of(&path.display().to_string()), read, "{axes:?}");
        saved.npy("x.npy", &features(axes));
        assert_eq!(image_of_array(&saved.path("x.npy")), read, "{axes:?}");
        read.map(|image| image.to_string())
    };
    assert_eq!(shape_of(&[9, 4, 9]).as_deref(), Some("1x4x9"));
    assert_eq!(shape_of(&[9, 4, 8, 8]).as_deref(), Some("4x8x8"));
    assert_eq!(shape_of(&[9, 6, 5, 3]).as_deref(), Some("3x6x5"));
    assert_eq!(shape_of(&[9, 36]), None);
    assert_eq!(crate::data::image_of("no such file"), None);
    assert_eq!(crate::data::image_of("digits"), Some(ImageShape::single(8, 8)));
}
