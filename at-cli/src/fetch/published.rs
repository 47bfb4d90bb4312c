//! The files of the MNIST family and of CIFAR-10 as their authors published them, and where they can be had.

use at_core::data::DatasetName;

/// One file of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PublishedFile {
    /// Its name on every mirror and in the cache.
    pub name: &'static str,
    /// MD5 of the file as it is downloaded, in hexadecimal digits.
    pub md5: &'static str,
    /// Its size as it is downloaded.
    pub bytes: u64,
}

/// The files of one data set and the folders on the web that hold them, in the order in which they are tried.
pub struct Published {
    /// Images and labels to learn from, then those to be judged by; or one archive.
    pub files: Vec<PublishedFile>,
    /// Addresses that end with `/`.
    pub mirrors: &'static [&'static str],
}

const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte.gz",
    "train-labels-idx1-ubyte.gz",
    "t10k-images-idx3-ubyte.gz",
    "t10k-labels-idx1-ubyte.gz",
];

/// The binary version of CIFAR-10, with the checksum on its authors' page.
const CIFAR: PublishedFile =
    PublishedFile { name: "cifar-10-binary.tar.gz", md5: "c32a1d4ab5d03f1284b67883e8d87530", bytes: 170_052_171 };
const CIFAR_MIRRORS: [&str; 2] = ["https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"];

/// What is known of data set `name`; `None` where there is nothing to download.
///
/// The sums are those that the authors or the established loaders give. With them it does not matter that some mirrors
/// have no TLS.
pub fn published(name: DatasetName) -> Option<Published> {
    let (sums, sizes, mirrors): ([&str; 4], [u64; 4], &[&str]) = match name {
        DatasetName::Mnist => (
            [
                "f68b3c2dcbeaaa9fbdd348bbdeb94873",
                "d53e105ee54ea40749a09fcbcd1e9432",
                "9fb629c4189551a2d022fa330f9573f3",
                "ec29112dd5afa0611ce80d1b7f02629c",
            ],
            [9_912_422, 28_881, 1_648_877, 4_542],
            &["https://storage.googleapis.com/cvdf-datasets/mnist/", "https://ossci-datasets.s3.amazonaws.com/mnist/"],
        ),
        DatasetName::FashionMnist => (
            [
                "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
                "25c81989df183df01b3e8a0aad5dffbe",
                "bef4ecab320f06d8554ea6380940ec79",
                "bb300cfdad3c16e7a12a480ee83cd310",
            ],
            [26_421_880, 29_515, 4_422_102, 5_148],
            &[
                "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
                "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            ],
        ),
        DatasetName::Kmnist => (
            [
                "bdb82020997e1d708af4cf47b453dcf7",
                "e144d726b3acfaa3e44228e80efcd344",
                "5c965bf0a639b31b8f53240b1b52f4d7",
                "7320c461ea6c1c855c0b718fb2a4b134",
            ],
            [18_165_135, 29_497, 3_041_136, 5_120],
            &["https://codh.rois.ac.jp/kmnist/dataset/kmnist/", "http://codh.rois.ac.jp/kmnist/dataset/kmnist/"],
        ),
        DatasetName::Cifar10 => return Some(Published { files: vec![CIFAR], mirrors: &CIFAR_MIRRORS }),
        DatasetName::Vowel | DatasetName::Digits | DatasetName::Iris => return None,
    };
    let file = |index: usize| PublishedFile { name: NAMES[index], md5: sums[index], bytes: sizes[index] };
    let files = (0..NAMES.len()).map(file).collect();
    Some(Published { files, mirrors })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn what_can_be_downloaded_is_known_with_distinct_sums() {
        let mut sums = HashSet::new();
        for name in DatasetName::ALL {
            let published = published(name);
            assert_eq!(published.is_some(), name.is_downloadable(), "{name}");
            for file in published.iter().flat_map(|published| &published.files) {
                assert_eq!(file.md5.len(), 32);
                assert!(sums.insert(file.md5), "{name} {} repeats a sum", file.name);
                assert!((1 << 10..1 << 28).contains(&file.bytes), "{name} {}", file.name);
            }
            assert!(published.iter().flat_map(|set| set.mirrors).all(|mirror| mirror.ends_with('/')));
        }
    }

    /// The label files, and some image files, of the folder `AT_DATA_DIR` (or `../shared/data`) are as distributed.
    #[test]
    fn real_files_have_the_published_sums() {
        let beside = || std::path::PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data"));
        let folder = std::env::var_os("AT_DATA_DIR").map_or_else(beside, Into::into);
        let mut found = 0;
        for name in DatasetName::ALL.into_iter().filter(|name| name.is_downloadable()) {
            for file in published(name).unwrap().files.iter().filter(|file| file.name.contains("labels")) {
                let Ok(bytes) = std::fs::read(folder.join(name.as_str()).join(file.name)) else { continue };
                assert_eq!(at_core::checksum::md5_hex(&bytes), file.md5, "{name} {}", file.name);
                assert_eq!(bytes.len() as u64, file.bytes, "{name} {}", file.name);
                found += 1;
            }
        }
        if found == 0 {
            eprintln!("skipped: no data in {}", folder.display());
        }
    }
}
