//! `asyt evaluate` from outside, on the embedded digits and a small network of meshes.

use assert_cmd::Command;
use at_core::data::{Encoding, Source, open};
use at_core::files::phase_file::{ProgrammedMesh, write_errors, write_phases};
use at_core::optics::{Activation, Convention, Mesh, MeshErrors, imperfect_transfer_matrix};
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use tempfile::TempDir;

const NETWORK: &str = "evaluate --dataset digits --encoding fourier-crop:4 --network mesh:16x3";

fn meshes() -> Vec<ProgrammedMesh> {
    let programmed = |index: usize| {
        let mesh = Mesh::rectangular(16).unwrap();
        let controls = (0..mesh.controls()).map(|k| ((k + 7 * index) as f64).sqrt() % 6.2).collect();
        ProgrammedMesh { mesh, controls }
    };
    (0..3).map(programmed).collect()
}

fn errors(mesh: &Mesh) -> MeshErrors {
    let theta = (0..mesh.mzis()).map(|k| 0.3 * (k as f64).cos()).collect();
    let first_coupler = (0..mesh.mzis()).map(|k| 0.1 * (k as f64).sin()).collect();
    MeshErrors { theta, first_coupler, ..MeshErrors::none(mesh) }
}

fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    let own = meshes();
    let chip: Vec<MeshErrors> = own.iter().map(|own| errors(&own.mesh)).collect();
    let pairs: Vec<_> = own.iter().map(|own| &own.mesh).zip(&chip).collect();
    write_phases(&folder.path().join("phases.npz"), Convention::Neurophox, &own).unwrap();
    write_errors(&folder.path().join("chip.npz"), Convention::DatMpnn, &pairs).unwrap();
    folder
}

fn asyt(folder: &TempDir, line: &str) -> Command {
    let mut command = Command::cargo_bin("asyt").unwrap();
    command.current_dir(folder.path()).args(line.split_whitespace());
    command
}

#[test]
fn a_chip_with_given_errors_is_trained_and_its_run_goes_on_from_anywhere() {
    let folder = folder();
    let line = "train --dataset digits --encoding fourier-crop:4 --network mesh:16x3 --chip-errors chip.npz \
        --method in-situ,ffm,dat,phyll --dat-maps 2,2,2 --epochs 1 --train-limit 40 --test-limit 40 --batch-size 20 \
        --engine cpu --quiet --json --out run";
    let output = asyt(&folder, line).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let summary: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["results"].as_array().unwrap().len(), 4);
    let config = std::fs::read_to_string(folder.path().join("run/config.toml")).unwrap();
    let path = folder.path().canonicalize().unwrap().join("chip.npz");
    assert!(config.contains(&path.display().to_string()), "{config}");
    asyt(&folder, "train --resume run --quiet").assert().success();
}

/// The number of digits that three matrices with activations between them tell right.
fn correct(imperfect: bool) -> (usize, usize) {
    let digits = open("digits", &Source::default()).unwrap();
    let fields = Encoding::FourierCrop { size: 4 }.encode(&digits.test, digits.image).unwrap();
    let matrices: Vec<Array2<Complex64>> = (meshes().iter())
        .map(|own| {
            let errors = if imperfect { errors(&own.mesh) } else { MeshErrors::none(&own.mesh) };
            imperfect_transfer_matrix(&own.mesh, &own.controls, &errors).unwrap()
        })
        .collect();
    let is_right = |(field, &label): (&[f32], &u32)| {
        let field: Array1<Complex64> = field.chunks(2).map(|z| Complex64::new(z[0].into(), z[1].into())).collect();
        let bend = |z| Activation::ELECTRO_OPTIC.value(z);
        let hidden = matrices[1].dot(&matrices[0].dot(&field).mapv(bend)).mapv(bend);
        let powers = matrices[2].dot(&hidden).mapv(|z| z.norm_sqr());
        (0..10).max_by(|&a, &b| powers[a].total_cmp(&powers[b])) == Some(label as usize)
    };
    let samples = fields.signals.chunks(32).zip(&digits.test.labels);
    (samples.filter(|&sample| is_right(sample)).count(), digits.test.len())
}

#[test]
fn the_accuracy_is_that_of_the_matrices() {
    let folder = folder();
    for (extra, imperfect) in [("", false), ("--chip-errors chip.npz", true)] {
        let (correct, samples) = correct(imperfect);
        let accuracy = correct as f64 / samples as f64;
        let line = format!("{NETWORK} --phases phases.npz {extra}");
        let output = asyt(&folder, &line).assert().success().get_output().stdout.clone();
        let text = String::from_utf8(output).unwrap();
        assert!(text.starts_with(&format!("accuracy {accuracy:.4} ({correct} of {samples} ")), "{text}");
        let output =
            asyt(&folder, &format!("{line} --precision f64 --json")).assert().success().get_output().stdout.clone();
        let object: serde_json::Value = serde_json::from_slice(&output).unwrap();
        assert_eq!((&object["accuracy"], &object["correct"]), (&accuracy.into(), &correct.into()));
        assert_eq!(object["chip_errors"].as_array().unwrap().len(), usize::from(imperfect));
    }
    assert_ne!(correct(true), correct(false), "the errors change nothing: no pin");
}

#[test]
fn a_data_set_smaller_than_a_batch_of_the_presets_training_is_evaluated() {
    let folder = folder();
    let mesh = Mesh::rectangular(4).unwrap();
    let controls = (0..mesh.controls()).map(|k| (k as f64).sqrt()).collect();
    write_phases(&folder.path().join("four.npz"), Convention::Native, &[ProgrammedMesh { mesh, controls }]).unwrap();
    for preset in ["dat", "asyt-demo", "digits"] {
        let line =
            format!("evaluate --preset {preset} --dataset iris --encoding raw --network mesh:4x1 --phases four.npz");
        let output = asyt(&folder, &line).assert().success().get_output().stdout.clone();
        assert!(String::from_utf8(output).unwrap().contains("of 30 test samples of iris"));
    }
}

#[test]
fn what_makes_no_sense_is_refused_with_its_exit_code() {
    let folder = folder();
    write_phases(&folder.path().join("two.npz"), Convention::Native, &meshes()[..2]).unwrap();
    let refuses = |line: &str, code: i32, words: &[&str]| {
        let output = asyt(&folder, line).assert().code(code).get_output().clone();
        let text = String::from_utf8(output.stderr).unwrap();
        assert!(words.iter().all(|word| text.contains(word)), "{line}: {text}");
        assert!(!text.contains("panicked") && output.stdout.is_empty(), "{text}");
    };
    refuses(&format!("{NETWORK} --phases none.npz"), 1, &["none.npz"]);
    refuses(&format!("{NETWORK} --phases two.npz"), 1, &["two.npz", "expected 3, got 2"]);
    refuses(
        &format!("{NETWORK} --phases phases.npz --chip-errors phases.npz two.npz --convention native"),
        1,
        &["native"],
    );
    refuses(
        "evaluate --dataset digits --encoding fourier-crop:4 --network mesh:16x3,triangular --phases phases.npz",
        1,
        &["phases.npz", "mesh0", "Triangular"],
    );
    refuses("evaluate --dataset digits --encoding l2 --network matrix:64-10 --phases phases.npz", 1, &["phase"]);
    refuses("evaluate --dataset mnist --data-dir none --phases phases.npz", 1, &["mnist", "--data-dir"]);
    refuses(NETWORK, 2, &["--phases"]);
    refuses("evaluate --preset data --phases phases.npz", 2, &["did you mean dat?"]);
    refuses("evaluate --dataset iris --phases phases.npz", 2, &["fourier-crop"]);
    refuses(&format!("{NETWORK} --phases phases.npz --convention clements"), 2, &["native, neurophox, dat-mpnn"]);
}

#[test]
fn whole_turns_of_a_phase_change_no_digit_that_is_told_right() {
    let folder = folder();
    write_phases(&folder.path().join("near.npz"), Convention::Native, &meshes()).unwrap();
    let engines = match at_gpu::testing::require_gpu() {
        Some(_) => vec!["--engine cpu", "--adapter any"],
        None => vec!["--engine cpu"],
    };
    for engine in engines {
        let evaluated = |file: &str, extra: &str| {
            let line = format!("{NETWORK} --phases {file} --json {engine} {extra}");
            let output = asyt(&folder, &line).assert().success().get_output().stdout.clone();
            serde_json::from_slice::<serde_json::Value>(&output).unwrap()
        };
        for turns in [1.0, 30.0, -1e3, 1e6] {
            let mut own = meshes();
            let far = own.iter_mut().flat_map(|mesh| &mut mesh.controls);
            far.for_each(|control| *control += turns * std::f64::consts::TAU);
            write_phases(&folder.path().join("far.npz"), Convention::Native, &own).unwrap();
            let (near, far) = (evaluated("near.npz", ""), evaluated("far.npz", ""));
            assert_eq!(near["correct"], far["correct"], "{turns} {engine}");
            let losses = [near, far].map(|object| object["loss"].as_f64().unwrap());
            assert!((losses[0] - losses[1]).abs() < 1e-4 * losses[0], "{turns} {engine}: {losses:?}");
            // one turn more is within a heater's reach, and is what it is told
            let heaters = if turns == 1.0 { &[][..] } else { &["silicon", "nitride"] };
            for chip in [&["mesh"][..], heaters].concat() {
                let many = format!("--chips 3 --chip {chip}");
                let both = ["near.npz", "far.npz"].map(|file| evaluated(file, &many)["accuracies"].clone());
                assert_eq!(both[0], both[1], "{turns} {engine} {chip}");
            }
        }
    }
}

#[test]
fn phases_that_tell_no_class_are_noted_on_stderr_and_in_json() {
    let folder = folder();
    for many in ["", "--chips 2 --chip mesh"] {
        let output =
            asyt(&folder, &format!("{NETWORK} --phases phases.npz --json --engine cpu {many}")).output().unwrap();
        let object: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
        let notes: Vec<&str> = object["notes"].as_array().unwrap().iter().map(|note| note.as_str().unwrap()).collect();
        assert!(notes.len() == 1 && notes[0].starts_with("these phases are at chance: "), "{many}: {notes:?}");
        let said = String::from_utf8(output.stderr).unwrap();
        assert!(said.contains(&format!("note: {}\n", notes[0])), "{said}");
    }
}

#[test]
fn a_phase_that_nobody_knows_is_refused() {
    let folder = folder();
    let mut own = meshes();
    own[1].controls[3] = 6e13;
    write_phases(&folder.path().join("lost.npz"), Convention::Native, &own).unwrap();
    let ended = asyt(&folder, &format!("{NETWORK} --phases lost.npz --engine cpu")).assert().code(1);
    let text = String::from_utf8(ended.get_output().stderr.clone()).unwrap();
    assert!(text.contains("6.0e13 rad") && text.contains("nobody knows its phase"), "{text}");
}

#[test]
fn a_method_of_a_run_that_is_not_there_is_no_file() {
    let folder = folder();
    let ended = asyt(&folder, "evaluate --phases runs/absent --method at --engine cpu").assert().failure();
    let text = String::from_utf8(ended.get_output().stderr.clone()).unwrap();
    assert!(text.contains("runs/absent is neither a run nor a file"), "{text}");
}
