//! Checkpoint files: exact, and never believed when damaged.

use crate::chip::{Accesses, State};
use crate::stage::ControlArray;
use crate::training::checkpoint::SavedParameters;
use crate::training::{Checkpoint, MethodName, Record};
use proptest::prelude::*;
use std::fs;
use std::path::Path;

fn example() -> Checkpoint {
    let record = |chip, epoch| Record {
        method: MethodName::At,
        chip,
        epoch,
        learning_rate: 0.1 / 3.0,
        train_loss: 1.0 / 3.0,
        judged_by: Default::default(),
        train_score: 2.0 / 3.0,
        test_loss: f64::MIN_POSITIVE,
        test_score: 0.1 + 0.2,
        accesses: Accesses { reads: Accesses::MOST, ..Accesses::default() },
        alignment: Some(0.1 + 0.7),
        measuring: false,
    };
    let saved = |name: &str, step| SavedParameters {
        name: name.to_string(),
        values: vec![0.1, -0.0, f64::MAX, 5e-324],
        step,
        moments: vec![vec![1.0; 4], vec![f64::EPSILON; 4]],
    };
    let state =
        |drifted| State { accesses: Accesses { reads: 3, ..Accesses::default() }, passes: 5, programmings: 6, drifted };
    Checkpoint {
        fingerprint: "a \"quoted\"\nfingerprint".to_string(),
        network: Some(crate::network::Identity { description: "mesh:2 > intensity".into(), fingerprint: "0f".into() }),
        arrays: vec![ControlArray::new("mesh0.theta", [1, 3]), ControlArray::new("mesh0.gamma", [1])],
        method: MethodName::At,
        epoch: 2,
        chip: state(vec![0.1, -1e-300]),
        others: vec![state(vec![0.3, 1e-300]), state(vec![-0.1, 0.0])],
        shared: Accesses { digital_flops: 9, ..Accesses::default() },
        records: [1, 2].iter().flat_map(|&epoch| (0..3).map(move |chip| record(chip, epoch))).collect(),
        arithmetic: vec!["cpu f32, x86_64 V3".to_string()],
        ranks: 1,
        parameters: vec![saved("controls", 7), saved("model", 8)],
    }
}

fn saved_example() -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    example().save(&path).unwrap();
    fs::read(path).unwrap()
}

/// Loads `bytes` as a file; every error names the file.
fn load(bytes: &[u8]) -> Result<Checkpoint, String> {
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), bytes).unwrap();
    Checkpoint::load(file.path(), &example().fingerprint).map_err(|error| {
        let text = error.to_string();
        assert!(matches!(error, crate::Error::Malformed { .. }), "{text}");
        assert!(text.starts_with(&file.path().display().to_string()), "{text}");
        text
    })
}

#[test]
fn a_checkpoint_comes_back_exactly() {
    let bytes = saved_example();
    assert_eq!(load(&bytes).unwrap(), example());
    assert!(load(&bytes).unwrap().parameters[0].values[1].is_sign_negative());
    assert_eq!(saved_example(), bytes, "equal states give equal files");
}

#[test]
fn controls_lie_in_the_file_as_arrays_with_the_names_of_their_stages() {
    let file = saved_example();
    let tensors = safetensors::SafeTensors::deserialize(&file).unwrap();
    let shape = |name: &str| tensors.tensor(name).unwrap().shape().to_vec();
    for prefix in ["", "model."] {
        assert_eq!(shape(&format!("{prefix}mesh0.theta")), [1, 3]);
        assert_eq!(shape(&format!("{prefix}mesh0.gamma")), [1]);
    }
    let gamma = tensors.tensor("mesh0.gamma").unwrap().data();
    assert_eq!(gamma, 5e-324_f64.to_le_bytes());
    // arrays of another network than the controls' leave them whole
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let other = Checkpoint { arrays: vec![ControlArray::new("mesh0.theta", [usize::MAX, 3])], ..example() };
    other.save(&path).unwrap();
    assert_eq!(Checkpoint::of_any_run(&path).unwrap(), other);
}

#[test]
fn a_checkpoint_of_other_settings_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    example().save(&path).unwrap();
    let error = Checkpoint::load(&path, "other").unwrap_err().to_string();
    assert!(error.contains("other settings"), "{error}");
}

#[test]
fn controls_that_are_not_finite_are_no_start() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    assert!(example().save(&path).and_then(|()| Checkpoint::of_any_run(&path)).is_ok());
    for wrong in [f64::NAN, f64::INFINITY] {
        let mut diverged = example();
        diverged.parameters[0].values[2] = wrong;
        diverged.save(&path).unwrap();
        let error = Checkpoint::of_any_run(&path).unwrap_err().to_string();
        assert!(error.contains("mesh0.theta: entry 2 is") && error.contains("choose a checkpoint"), "{error}");
    }
}

#[test]
fn missing_and_unwritable_files_are_named() {
    let missing = Path::new("no/such/checkpoint");
    assert!(Checkpoint::load(missing, "").unwrap_err().to_string().starts_with("no/such/checkpoint: "));
    assert!(example().save(missing).unwrap_err().to_string().starts_with("no/such/checkpoint: "));
}

#[test]
fn foreign_files_say_what_they_lack() {
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::U8, vec![1], &[1]).unwrap();
    let foreign = safetensors::serialize([("weights", view)], None).unwrap();
    assert!(load(&foreign).unwrap_err().contains("is no checkpoint"));
    assert!(load(b"\x89PNG\r\n\x1a\nimage").unwrap_err().contains("is no whole checkpoint"));
    let text = saved_example();
    let at = text.windows(13).position(|bytes| bytes == b"\\\"version\\\":4").unwrap();
    let mut newer = text;
    newer[at + 12] = b'5';
    assert!(load(&newer).unwrap_err().contains("format version 5"));
}

#[test]
fn numbers_that_no_training_leaves_are_refused_where_they_are_read() {
    type Edit = fn(&mut Checkpoint);
    let cases: [(Edit, &str); 9] = [
        (|saved| saved.parameters[0].values[2] = f64::NAN, "mesh0.theta: entry 2 is NaN"),
        (|saved| saved.parameters[1].values[0] = f64::INFINITY, "model.mesh0.theta: entry 0 is inf"),
        (|saved| saved.parameters[0].moments[1][3] = f64::NAN, "controls.moment.1: entry 3 is NaN"),
        (|saved| saved.chip.drifted[1] = f64::NAN, "chip.drifted: entry 1 is NaN"),
        (|saved| saved.records[0].test_score = 7.0, "test_accuracy = 7"),
        (|saved| saved.records[0].accesses.reads = u64::MAX, "18446744073709551615 reads"),
        (|saved| saved.chip.passes = u64::MAX, "18446744073709551615 passes"),
        (|saved| saved.parameters[0].step = u64::MAX, "18446744073709551615 steps"),
        (|saved| saved.epoch = usize::MAX, "records of 18446744073709551615 epochs"),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    for (edit, part) in cases {
        let mut edited = example();
        edit(&mut edited);
        edited.save(&path).unwrap();
        let error = load(&fs::read(&path).unwrap()).unwrap_err();
        assert!(error.contains(part) && error.contains("good copy"), "{error} is not about {part}");
        assert!(Checkpoint::of_any_run(&path).is_err(), "{part}");
    }
    let mut rests = example();
    rests.parameters[0].moments[1][0] = f64::INFINITY; // a slope whose square is beyond f32
    rests.save(&path).unwrap();
    assert_eq!(load(&fs::read(&path).unwrap()).unwrap(), rests);
}

#[test]
fn every_truncation_is_an_error() {
    let bytes = saved_example();
    for len in (0..bytes.len()).step_by(7).chain([bytes.len() - 1]) {
        assert!(load(&bytes[..len]).is_err(), "{len} bytes");
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn arbitrary_bytes_are_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        prop_assert!(load(&bytes).is_err());
    }

    #[test]
    fn arbitrary_headers_are_an_error(header in "\\PC{0,200}", tail in proptest::collection::vec(any::<u8>(), 0..40)) {
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        bytes.extend(tail);
        prop_assert!(load(&bytes).is_err());
    }

    #[test]
    fn a_flipped_bit_is_noticed_or_harmless(position in any::<prop::sample::Index>(), bit in 0..8) {
        let mut bytes = saved_example();
        let position = position.index(bytes.len());
        bytes[position] ^= 1u8 << bit;
        if let Ok(checkpoint) = load(&bytes) {
            prop_assert_eq!(checkpoint, example());
        }
    }
}
