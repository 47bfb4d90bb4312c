//! What is written: arrays of phase files, error files, chip files and checkpoints, and the numbers of a run's records.

use super::kinds::EVERYTHING;
use super::methods::{counts, options, settings, split};
use super::record::Record;
use at_core::Real;
use at_core::chip::{AnyChip, Chip, Physical};
use at_core::cpu::Cpu;
use at_core::engine::{Optimizer, Schedule};
use at_core::files::npz::Npz;
use at_core::files::phase_file::{ProgrammedMesh, write_errors, write_phases};
use at_core::network::Detection;
use at_core::optics::{Activation, Convention, Mesh, MeshErrors};
use at_core::training::methods::build;
use at_core::training::{
    Alignment, Checkpoint, Checkpoints, Initialization, MethodName, Settings, Trainer, initial_controls,
};
use at_tests::draws::normals;
use at_tests::networks::coherent;
use std::path::Path;

/// Arrays of reals of an npz by name, sorted.
pub fn npz_arrays(path: &Path) -> Vec<(String, Vec<f64>)> {
    let file = Npz::open(path).unwrap();
    let names: Vec<String> = file.names().map(str::to_string).collect();
    let reals = |name: String| file.array(&name).unwrap().reals().ok().map(|values| (name, values));
    names.into_iter().filter_map(reals).collect()
}

/// These entries of the JSON text that a chip file begins with.
pub fn numbers_of_header(path: &Path, names: &[&str]) -> Vec<f64> {
    let text = Npz::open(path).unwrap().array("chip").unwrap().text().unwrap();
    let header: serde_json::Value = serde_json::from_str(&text).unwrap();
    names.iter().map(|&name| header[name].as_f64().unwrap()).collect()
}

/// Everything that is pinned of files.
pub fn all() -> Record {
    let mut record = Record::default();
    phases_and_errors(&mut record);
    for name in [MethodName::At, MethodName::AtAdaptive] {
        run::<f64>(&mut record, name);
        run::<f32>(&mut record, name);
    }
    record
}

fn phases_and_errors(record: &mut Record) {
    let meshes = [
        ("rectangular", Mesh::rectangular(5).unwrap()),
        ("triangular", Mesh::triangular(4).unwrap()),
        ("tiles", Mesh::rectangular(3).unwrap().on_dies(2).unwrap()),
    ];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file.npz");
    for (convention_name, convention) in
        [("native", Convention::Native), ("neurophox", Convention::Neurophox), ("dat-mpnn", Convention::DatMpnn)]
    {
        for (name, mesh) in &meshes {
            let controls = normals(mesh.controls(), 30);
            write_phases(&path, convention, &[ProgrammedMesh { mesh: mesh.clone(), controls }]).unwrap();
            add(record, &format!("phases, {convention_name}, {name}"), &path);
            let draw = |count, seed| normals(count, seed).into_iter().map(|x| 0.1 * x).collect();
            let errors = MeshErrors {
                first_coupler: draw(mesh.mzis(), 31),
                second_coupler: draw(mesh.mzis(), 32),
                theta: draw(mesh.mzis(), 33),
                phi: draw(mesh.mzis(), 34),
                gamma: draw(mesh.modes(), 35),
            };
            write_errors(&path, convention, &[(mesh, &errors)]).unwrap();
            add(record, &format!("errors, {convention_name}, {name}"), &path);
        }
    }
}

fn add(record: &mut Record, name: &str, path: &Path) {
    for (array, values) in npz_arrays(path) {
        record.double(&format!("{name}, {array}"), &values);
    }
}

/// Four epochs with a checkpoint at the end, an oracle beside them, and a schedule.
fn run<T: Real>(record: &mut Record, name: MethodName) {
    let engine = Cpu::<T>::new();
    let network = coherent(4, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    let settings =
        Settings { epochs: 4, schedule: Schedule::Step { every: 3, factor: 0.5 }, ..settings(Optimizer::ADAM, 3) };
    let fabrication = EVERYTHING.fabricate(&network, 5).unwrap();
    let initial = initial_controls(&network, 6, &Initialization::FanIn).unwrap();
    let mut chip = AnyChip::new(Chip::new(&engine, &network, &fabrication).unwrap());
    let meter = chip.meter().clone();
    let mut method =
        build(name, &engine, &network, &fabrication, &initial, &settings, &options(EVERYTHING), &meter).unwrap();
    let mut alignment = Alignment::new(&engine, &network, &fabrication, settings.loss, settings.batch_size).unwrap();
    let (train, test) = (split(&engine, &network, 3), split(&engine, &network, 3));
    let trainer = Trainer { engine: &engine, settings: &settings, train: &train, test: &test };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("run.safetensors");
    let checkpoints = Checkpoints { path: &path, every: 2, fingerprint: "golden", network: &network };
    let outcome =
        trainer.run_aligned(&mut chip, &mut *method, Some(&mut alignment), None, Some(checkpoints), &mut ()).unwrap();

    let saved = Checkpoint::of_any_run(&path).unwrap();
    let mut vectors = vec![("chip.drifted".to_string(), saved.chip.drifted)];
    for own in saved.parameters {
        vectors.extend(
            own.moments.into_iter().enumerate().map(|(k, moment)| (format!("{}.moment.{k}", own.name), moment)),
        );
        vectors.push((own.name, own.values));
    }
    vectors.sort_unstable_by(|one, other| one.0.cmp(&other.0));
    for (vector, values) in vectors.iter().filter(|(_, values)| !values.is_empty()) {
        record.of(T::NAME, &format!("checkpoint of {name}, {vector}"), values);
    }
    let records = outcome.records.iter();
    let metrics: Vec<f64> = records
        .flat_map(|r| {
            let of_epoch = [r.epoch as f64, r.learning_rate];
            let judged = [r.train_loss, r.train_score, r.test_loss, r.test_score, r.alignment.unwrap()];
            of_epoch.into_iter().chain(judged)
        })
        .collect();
    record.of(T::NAME, &format!("metrics of {name}"), &metrics);
    let ends = [outcome.train, outcome.test].map(|end| [end.loss, end.score]).concat();
    record.of(T::NAME, &format!("evaluations of {name}"), &ends);
    if T::NAME == "f64" {
        record.exact(&format!("accesses of a run of {name}"), &counts(&outcome.accesses));
    }
}
