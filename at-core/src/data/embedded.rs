//! The data sets that are part of this library; `embedded/README.md` says where they come from.

use super::dataset::Dataset;
use super::samples::Samples;
use super::split::stratified;
use super::table;
use crate::error::Result;
use crate::image_shape::ImageShape;
use std::path::Path;

/// 1797 records of 64 pixels (0..=16, row-major) and a label.
const DIGITS: &[u8] = include_bytes!("embedded/digits.u8");

/// 150 lines of four lengths in cm and a label, under a heading.
const IRIS: &[u8] = include_bytes!("embedded/iris.csv");

/// Handwritten digits 8x8, pixels `value / 16`: 1437 to learn from and 360 to be judged by, [`stratified`].
pub(crate) fn digits() -> Result<Dataset> {
    let (records, _) = DIGITS.as_chunks::<65>();
    let features: Vec<f32> =
        records.iter().flat_map(|record| record[..64].iter().map(|&pixel| f32::from(pixel) / 16.0)).collect();
    let labels = records.iter().map(|record| u32::from(record[64])).collect();
    let all = Samples { features: features.into(), width: 64, labels, ..Samples::default() };
    let (train, test) = stratified(&all, 10, 360);
    Dataset { image: Some(ImageShape::single(8, 8)), ..Dataset::of("digits", 10, train, test) }.checked()
}

/// Irises, 120 to learn from and 30 to be judged by, [`stratified`]; features scaled to 0..1 by the training samples.
pub(crate) fn iris() -> Result<Dataset> {
    let path = Path::new("embedded/iris.csv");
    let all = table::parse(IRIS, path, table::Wanted::Classes(None), None)?.into_piece(path).into_samples(None);
    let (train, test) = stratified(&all, 3, 30);
    let class_names = Some(["setosa", "versicolor", "virginica"].map(String::from).to_vec());
    let set = Dataset { class_names, ..Dataset::of("iris", 3, train, test) };
    set.unit_range()?.checked()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checksum::md5_hex;

    #[test]
    fn the_bytes_are_those_of_the_readme() {
        let readme = include_str!("embedded/README.md");
        for bytes in [DIGITS, IRIS] {
            assert!(readme.contains(&md5_hex(bytes)));
        }
    }

    #[test]
    fn digits_are_whole_and_balanced() {
        let set = digits().unwrap();
        assert_eq!((set.train.len(), set.test.len(), set.width()), (1437, 360, 64));
        let counts: Vec<usize> =
            set.train.class_counts(10).iter().zip(set.test.class_counts(10)).map(|(a, b)| a + b).collect();
        assert_eq!(counts, [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]); // scikit-learn's
        assert!(set.test.class_counts(10).iter().all(|&count| (35..=37).contains(&count)));
        let greatest = set.train.features.held().iter().copied().fold(0.0, f32::max);
        assert_eq!((greatest, set.train.features.held().iter().all(|&x| x >= 0.0)), (1.0, true));
    }

    #[test]
    fn irises_are_whole_and_balanced() {
        let set = iris().unwrap();
        assert_eq!((set.train.class_counts(3), set.test.class_counts(3)), (vec![40; 3], vec![10; 3]));
        assert!(set.train.features.held().iter().all(|x| (0.0..=1.0).contains(x)));
    }

    #[test]
    fn the_splits_are_pinned() {
        // from another implementation of the split, in Python
        assert_eq!(digits().unwrap().test.labels[..8], [7, 6, 9, 0, 1, 8, 9, 5]);
        assert_eq!(iris().unwrap().test.labels[..8], [1, 1, 0, 1, 0, 1, 0, 0]);
    }
}
