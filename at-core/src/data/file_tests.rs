//! Tests on the real files, where they are: `AT_DATA_DIR`, or `../shared/data` beside the workspace.

use super::*;
use std::path::PathBuf;

/// The data set, or `None` after saying that the test is skipped.
fn real(name: DatasetName) -> Option<Dataset> {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let folder = std::env::var_os("AT_DATA_DIR").map_or_else(beside, PathBuf::from);
    let source = Source { data_dir: Some(folder.clone()), cache_dir: None };
    if locate(name, &source).is_err() {
        eprintln!("skipped: no data in {} ({name})", folder.display());
        return None;
    }
    Some(load(name, &source).unwrap())
}

#[test]
fn mnist_and_fashion_mnist_are_whole() {
    for (name, first_labels) in [(DatasetName::Mnist, [5, 0, 4, 1, 9]), (DatasetName::FashionMnist, [9, 0, 0, 3, 0])] {
        let Some(set) = real(name) else { continue };
        assert_eq!(
            (set.train.len(), set.test.len(), set.image, set.note),
            (60_000, 10_000, Some(ImageShape::single(28, 28)), None)
        );
        assert_eq!(set.train.labels[..5], first_labels);
        assert_eq!(set.test.labels.iter().max(), Some(&9));
        let greatest = set.train.features.held().iter().copied().fold(0.0, f32::max);
        assert_eq!(greatest, 1.0);
    }
}

#[test]
fn kmnist_is_split_by_class_where_training_images_are_absent() {
    let Some(set) = real(DatasetName::Kmnist) else { return };
    if set.note.is_some() {
        assert_eq!((set.train.class_counts(10), set.test.class_counts(10)), (vec![800; 10], vec![200; 10]));
    } else {
        assert_eq!((set.train.len(), set.test.len()), (60_000, 10_000));
    }
}

#[test]
fn vowels_are_whole_and_standardised() {
    let Some(set) = real(DatasetName::Vowel) else { return };
    assert_eq!((set.classes, set.width()), (11, 10));
    assert_eq!((set.train.class_counts(11), set.test.class_counts(11)), (vec![48; 11], vec![42; 11]));
    let mean = set.train.features.held().iter().step_by(10).sum::<f32>() / 528.0;
    let square = set.train.features.held().iter().step_by(10).map(|x| x * x).sum::<f32>() / 528.0;
    assert!(mean.abs() < 1e-5 && (square - 1.0).abs() < 1e-4 && set.note.is_some());
}

#[test]
fn files_of_another_set_are_recognised() {
    let folder = std::env::var_os("AT_DATA_DIR").map(PathBuf::from);
    let folder = folder.unwrap_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data"));
    if !folder.join("mnist").is_dir() {
        eprintln!("skipped: no data in {}", folder.display());
        return;
    }
    let source = Source { data_dir: Some(folder.join("mnist")), cache_dir: None };
    assert!(load(DatasetName::FashionMnist, &source).unwrap_err().to_string().contains("those of mnist"));
}

#[test]
fn sixty_thousand_fourier_crops_are_quick() {
    let Some(set) = real(DatasetName::Mnist) else { return };
    let start = std::time::Instant::now();
    let encoded = Encoding::FourierCrop { size: 8 }.encode(&set.train, set.image).unwrap();
    eprintln!("60000 crops of 28x28 to 8x8 in {:.2} s", start.elapsed().as_secs_f64());
    assert_eq!(encoded.signals.len(), 60_000 * 128);
    let sum: f32 = encoded.signals[..128].as_chunks::<2>().0.iter().map(|[re, im]| re.hypot(*im)).sum();
    assert!((sum - 64.0).abs() < 1e-3);
}

#[test]
fn the_small_sample_of_coloured_images_is_the_same_in_parts() {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data");
    let path = std::env::var_os("AT_DATA_DIR").map_or_else(beside, PathBuf::from).join("cifar10-jpeg/cifar10-2500.npz");
    if !path.is_file() {
        eprintln!("skipped: no {}", path.display());
        return;
    }
    let open =
        |memory| open_chosen(path.to_str().unwrap(), &Source::default(), &Choices { memory, ..Choices::default() });
    let held = open(None).unwrap();
    assert_eq!((held.train.len(), held.test.len(), held.classes), (2000, 500, 10));
    assert_eq!(held.image, Some(ImageShape { channels: 3, height: 32, width: 32 }));
    assert!(held.train.features.held().iter().all(|x| (0.0..=1.0).contains(x)));
    match open(Some(1 << 20)) {
        Ok(stored) => assert_eq!(stored.contents().unwrap(), held.contents().unwrap()),
        Err(error) => assert!(error.to_string().contains("numpy.savez"), "{error}"), // the sample may be packed
    }
}
