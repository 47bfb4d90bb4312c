//! Published phases on the published chips: the accuracies of dual adaptive training's tables (Zheng et al., 2023), to four digits.
//!
//! The files lie beside the repository in `../shared`, or where `AT_SHARED` points; without them the tests say that they
//! are skipped.

use at_core::cpu::Cpu;
use at_core::data::{Encoding, Source, open};
use at_core::deployment::deploy;
use at_core::engine::{Loss, Normalization};
use at_core::files::phase_file::{read_chip, read_phases};
use at_core::network::{Detection, Network, Owner, Stage};
use at_core::optics::{Activation, Convention, Mesh};
use at_core::training::Split;
use std::io::Write;
use std::path::{Path, PathBuf};

/// Three 64-mode meshes, electro-optic activations between them, intensities.
fn network() -> Network {
    let modes = 64;
    let mesh = || Stage::Mesh(Mesh::rectangular(modes).unwrap());
    let activation = || Stage::activation(modes, Activation::ELECTRO_OPTIC);
    let detection = Stage::detection(modes, Detection::Intensity);
    Network::new(vec![vec![mesh(), activation()], vec![mesh(), activation()], vec![mesh(), detection]]).unwrap()
}

/// The folder with `data` and `reference`, if it is there.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("AT_SHARED")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared"), PathBuf::from);
    let needed = ["data/mnist", "reference/dat_mpnn/ideal-mnist.npz"];
    if needed.iter().all(|name| folder.join(name).exists()) {
        return Some(folder);
    }
    let text = format!("replay SKIPPED: {} lacks {}; set AT_SHARED", folder.display(), needed.join(" or "));
    let _ = writeln!(std::io::stderr(), "{text}"); // print macros are silenced in tests that pass
    None
}

/// Errors of a chip as (power-split level, phase level), "0" for none, with the accuracy of the phases trained without errors.
const MNIST: [(&str, &str, f64); 16] = [
    ("0", "0", 0.9677),
    ("0.02", "0", 0.9631),
    ("0.04", "0", 0.9373),
    ("0.06", "0", 0.8941),
    ("0.08", "0", 0.8555),
    ("0.1", "0", 0.7279),
    ("0", "0.02", 0.9587),
    ("0", "0.04", 0.8873),
    ("0", "0.06", 0.8659),
    ("0", "0.08", 0.6911),
    ("0", "0.1", 0.5966),
    ("0.04", "0.04", 0.8635),
    ("0.04", "0.06", 0.7642),
    ("0.06", "0.04", 0.7261),
    ("0.06", "0.06", 0.6656),
    ("0.08", "0.02", 0.8511),
];

/// Published to three digits, from the tables of the logs.
const FASHION: [(&str, &str, f64); 7] = [
    ("0", "0", 0.860),
    ("0.04", "0", 0.758),
    ("0.1", "0", 0.555),
    ("0", "0.06", 0.700),
    ("0", "0.1", 0.414),
    ("0.04", "0.06", 0.613),
    ("0.08", "0.02", 0.680),
];

fn replay(shared: &Path, dataset: &str, cases: &[(&str, &str, f64)], tolerance: impl Fn(bool) -> f64) {
    let reference = shared.join("reference/dat_mpnn");
    let network = network();
    let phases = read_phases(&reference.join(format!("ideal-{dataset}.npz")), Some(Convention::DatMpnn)).unwrap();
    let meshes: Vec<&Mesh> = phases.iter().map(|own| &own.mesh).collect();
    let source = Source { data_dir: Some(shared.join("data")), cache_dir: None };
    let data = open(dataset, &source).unwrap();
    let fields = Encoding::FourierCrop { size: 8 }.encode(&data.test, data.image).unwrap();
    let engine = Cpu::<f32>::new();
    let split = Split::new(&engine, &fields.signals, &data.test.labels).unwrap();
    let loss = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(10) };
    for &(splitter, phase, published) in cases {
        let files: Vec<PathBuf> = [("splitter", splitter), ("phase", phase)]
            .into_iter()
            .filter(|(_, level)| *level != "0")
            .map(|(kind, level)| reference.join(format!("{kind}-error-{level}.npz")))
            .collect();
        let chip = read_chip(&files, Some(Convention::DatMpnn), &meshes, Owner::ThisNetwork).unwrap();
        let accuracy = deploy(&engine, &network, &phases, &chip, &split, &loss).unwrap().score;
        println!("{dataset}, splitters {splitter}, phases {phase}: {accuracy:.4}, published {published}");
        let bound = tolerance(splitter == "0" && phase == "0") + 1e-9; // the difference of two decimals is rounded
        assert!(
            (accuracy - published).abs() <= bound,
            "{dataset} {splitter} {phase}: {accuracy}, published {published}"
        );
    }
}

#[test]
fn published_phases_on_published_chips_give_the_published_mnist_accuracies() {
    let Some(shared) = shared() else { return };
    replay(&shared, "mnist", &MNIST, |perfect| if perfect { 2e-4 } else { 6e-4 });
}

#[test]
fn published_phases_on_published_chips_give_the_published_fashion_accuracies() {
    let Some(shared) = shared().filter(|shared| shared.join("data/fashion-mnist").exists()) else { return };
    replay(&shared, "fashion-mnist", &FASHION, |_| 6e-4);
}
