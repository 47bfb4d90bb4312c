//! Meshes inside convolutions and residual connections, lit as those that stand by themselves.

use super::fixture::{CALM, Fixture, losses, settings};
use crate::chip::{Accesses, Physical};
use crate::cpu::Cpu;
use crate::data::ImageShape;
use crate::engine::{Engine, Optimizer};
use crate::imperfections::Imperfections;
use crate::network::{Detection, Entry, Feedback, Network, Recurrence, Stage, singular_value_stages};
use crate::optics::{Activation, Layout, Mesh};
use crate::propagator::Propagator;
use crate::stage::{Patches, Pool};
use crate::tiled::tiled_singular_value_stages;
use crate::training::methods::in_situ::Subtraction;
use crate::training::{Batch, MethodName};

/// Bad couplers and phases, no loss, calibrated slopes.
const LOSSLESS: Imperfections = Imperfections { splitter_angle: 0.2, phase: 0.5, ..Imperfections::NONE };

/// Stages of light between modulators and detectors.
fn lit(inputs: usize, light: Vec<Stage>, outputs: usize) -> Vec<Stage> {
    let detection = Stage::detection(outputs, Detection::Homodyne { phase: 0.2 });
    [vec![Stage::modulation(inputs)], light, vec![detection]].concat()
}

fn svd(inputs: usize, outputs: usize) -> Vec<Stage> {
    lit(inputs, singular_value_stages(inputs, outputs, Layout::Rectangular).unwrap().into(), outputs)
}

/// 1×4×4 pixels, two overlapping 3×3 kernels within a border of zeros, then what is `between`, then tiles around which light of patches is
/// carried by a residual connection, then a layer of singular values.
pub fn patches_through_meshes(between: Vec<Stage>) -> Network {
    let first = Patches { image: ImageShape::new(1, 4, 4), kernel: [3; 2], stride: 1, padding: 1 };
    let second = Patches { image: ImageShape::new(2, 2, 2), kernel: [3; 2], stride: 1, padding: 1 };
    let tile = Mesh::rectangular(2).unwrap();
    let tiles = lit(18, tiled_singular_value_stages(18, 2, &tile).unwrap(), 2);
    let convolution = Stage::convolution(first, Stage::series(svd(9, 2)));
    let branch = Stage::residual(vec![Stage::convolution(second, Stage::series(tiles))]);
    Network::new(vec![[vec![convolution], between].concat(), vec![branch, Stage::rectifier(8, 0.0)], svd(8, 3)])
        .unwrap()
}

/// Normalised, rectified, pooled by maxima.
pub fn normalised() -> Network {
    let image = ImageShape::new(2, 4, 4);
    let maxima = Stage::pooling(image, 2, Pool::Max);
    patches_through_meshes(vec![Stage::normalization(image, 1), Stage::rectifier(32, 0.0), maxima])
}

/// Light around a branch with two meshes.
fn residual_light() -> Network {
    let mesh = || Stage::Mesh(Mesh::rectangular(4).unwrap());
    let attenuators = Stage::attenuators(4, 4);
    let branch =
        Stage::residual(vec![mesh(), attenuators, Stage::activation(4, Activation::Spm { gain: 0.3 }), mesh()]);
    let read = vec![mesh(), Stage::detection(4, Detection::Intensity)];
    Network::new(vec![vec![mesh(), branch], read]).unwrap()
}

fn networks() -> [Network; 3] {
    let currents = vec![Stage::pooling(ImageShape::new(2, 4, 4), 2, Pool::Detectors), Stage::rectifier(8, 0.0)];
    [normalised(), patches_through_meshes(currents), residual_light()]
}

fn fixture(network: Network, errors: &Imperfections) -> Fixture<Cpu<f64>> {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), network, errors, settings(3, 1, 1.0, Optimizer::Sgd));
    // controls of σ all at π have no slope
    for (k, control) in fixture.initial.iter_mut().enumerate() {
        *control += 0.3 * (1.3 * k as f64).sin();
    }
    fixture
}

/// The gradient of the first batch: the step of plain descent at rate 1.
fn gradient(fixture: &Fixture<Cpu<f64>>, name: MethodName) -> Vec<f64> {
    fixture.initial.iter().zip(&fixture.trajectory(name, 1)[0]).map(|(before, after)| before - after).collect()
}

/// Whether every control of the network is one of a mesh.
fn of_meshes(network: &Network) -> Vec<bool> {
    network.parts().flat_map(|part| vec![matches!(part, Stage::Mesh(_)); part.controls()]).collect()
}

fn apart(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

#[test]
fn light_measures_the_gradient_of_patches_and_branches() {
    for network in networks() {
        let words = network.identity().description;
        let mut fixture = fixture(network, &LOSSLESS);
        let truth = gradient(&fixture, MethodName::Ideal);
        assert!(truth.iter().filter(|slope| slope.abs() > 1e-4).count() > truth.len() / 2, "{words}");
        let close = |got: Vec<f64>, what: &str| {
            let far = apart(&got, &truth);
            assert!(far < 1e-11, "{what}, {words}: {far:e}");
        };
        close(gradient(&fixture, MethodName::Ffm), "ffm");
        for subtraction in [Subtraction::Measured, Subtraction::Toggled] {
            fixture.options.subtraction = subtraction;
            close(gradient(&fixture, MethodName::InSitu), "in-situ");
        }
    }
}

/// Losses and all, and no phase moves.
#[test]
fn singular_values_inside_descend_and_meshes_stay() {
    let lossy = Imperfections { loss_db: 0.3, loss_spread_db: 0.1, ..LOSSLESS };
    for errors in [Imperfections::NONE, LOSSLESS, lossy, CALM] {
        // slopes with which controls are followed stay unknown
        let errors = Imperfections { update_error: 0.0, ..errors };
        for network in networks() {
            let (words, meshes) = (network.identity().description, of_meshes(&network));
            let fixture = fixture(network, &errors);
            let truth = gradient(&fixture, MethodName::Ideal);
            let found = gradient(&fixture, MethodName::Subspace);
            for (k, of_mesh) in meshes.into_iter().enumerate() {
                let expected = if of_mesh { 0.0 } else { truth[k] };
                assert!((found[k] - expected).abs() < 1e-12, "{words}, {k}: {} {expected}", found[k]);
            }
        }
    }
}

/// Differences of the loss that the chip itself shows, not of a model.
#[test]
fn slopes_of_singular_values_are_differences_of_the_loss_at_the_chip() {
    let fixture = fixture(normalised(), &LOSSLESS);
    let (engine, mut chip) = (&fixture.engine, fixture.chip());
    let mut batch = Batch::new(engine, fixture.train.width(), 10).unwrap();
    batch.gather(engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    let mut loss = |controls: &Vec<f64>| {
        let (mut readout, mut tally) = (vec![0.0; 30], vec![0.0; 3]);
        chip.program(controls).unwrap();
        chip.propagate(batch.signals(), 10, &mut readout).unwrap();
        engine.loss(&fixture.settings.loss, &readout, 3, batch.targets(), 10, None, &mut tally).unwrap();
        tally[0] / 10.0
    };
    let found = gradient(&fixture, MethodName::Subspace);
    let (meshes, step) = (of_meshes(&fixture.network), 1e-3);
    let mut largest = 0.0_f64;
    for k in (0..meshes.len()).filter(|&k| !meshes[k]) {
        let [more, less, beyond, before] = [step, -step, 2.0 * step, -2.0 * step].map(|by| {
            let mut moved = fixture.initial.clone();
            moved[k] += by;
            loss(&moved)
        });
        let slope = (8.0 * (more - less) - beyond + before) / (12.0 * step);
        assert!((found[k] - slope).abs() < 1e-8, "control {k}: {} {slope}", found[k]);
        largest = largest.max(slope.abs());
    }
    assert!(largest > 0.05, "{largest}");
}

/// The counts of one step on a batch of 10.
fn one_step(network: Network, name: MethodName) -> Accesses {
    let fixture = fixture(network, &LOSSLESS);
    let (mut chip, mut method) = (fixture.chip(), fixture.method(name));
    chip.unmetered(|chip| chip.program(&fixture.initial)).unwrap();
    let mut batch = Batch::new(&fixture.engine, fixture.train.width(), 10).unwrap();
    batch.gather(&fixture.engine, &fixture.train, fixture.train.in_order(), 0, 10).unwrap();
    method.step(&mut chip, &batch, 0.01, &mut vec![0.0; 3]).unwrap();
    chip.accesses()
}

/// 16 patches of nine pixels cross meshes of 9 and 2 modes, 4 of 18 pixels nine tiles of two in either mesh, a sample meshes of 8 and 3. Fields are
/// complex.
#[test]
fn a_patch_is_a_pass_through_every_mesh_in_each_direction() {
    let values = 2 * (16 * (9 + 2) + 4 * (18 + 18) + (8 + 3));
    let first = 2 * 16 * 9;
    let passes = 2 * (16 + 4 + 1);
    // those of the normalisation are memory's
    let controls = normalised().controls() as u64 - 2 * 2;
    let expected = Accesses {
        inputs: 10 * first,
        injections: 10 * (2 * values - first),
        reads: 10 * 2 * values,
        passes: 10 * 2 * passes,
        rounds: 2 * 6,
        control_writes: controls,
        ..Accesses::default()
    };
    // no light goes back through the first mesh, in front of which nothing is trained, and its own phases have no slopes
    let ahead_alone = Accesses {
        injections: expected.injections - 10 * first,
        reads: expected.reads - 10 * first,
        passes: expected.passes - 10 * 16,
        rounds: expected.rounds - 1,
        ..expected
    };
    assert_eq!(one_step(normalised(), MethodName::Subspace), ahead_alone);
    // a third pass for the sum of both lights, whose fields nobody reads, and the power at every shifter thrice
    let shifters = normalised().all_meshes().map(|mesh| mesh.controls() as u64).sum::<u64>();
    let expected = Accesses {
        inputs: 10 * 2 * first,
        injections: 10 * (3 * values - 2 * first),
        reads: 10 * 2 * values + 3 * shifters,
        passes: 10 * 3 * passes,
        rounds: 3 * 6,
        ..expected
    };
    assert_eq!(one_step(normalised(), MethodName::InSitu), expected);
}

#[test]
fn they_learn_on_a_bad_chip() {
    let errors = Imperfections { splitter_angle: 0.1, phase: 0.4, ..Imperfections::NONE };
    for network in networks() {
        let words = network.identity().description;
        let fixture = Fixture::new(Cpu::<f32>::new(), network, &errors, settings(3, 40, 0.03, Optimizer::ADAM));
        for name in [MethodName::Subspace, MethodName::InSitu, MethodName::Ffm] {
            let (first, last) = losses(&fixture, name);
            assert!(last < 0.8 * first, "{name}, {words}: {first} to {last}");
        }
    }
}

#[test]
fn weights_beside_meshes_and_loops_around_them_are_refused() {
    let said = |network: &Network, name: MethodName| (name.facts().unwrap().check)(network).unwrap_err().to_string();
    let patches = Patches { image: ImageShape::new(1, 4, 4), kernel: [2; 2], stride: 2, padding: 0 };
    let convolution = || Stage::convolution(patches, Stage::series(svd(4, 3)));
    let bank = Network::new(vec![vec![convolution()], vec![Stage::weight_bank(12, 3)]]).unwrap();
    let inside = Stage::residual(vec![convolution(), Stage::weight_bank(12, 16)]);
    let inside = Network::new(vec![vec![inside], svd(16, 3)]).unwrap();
    let residual = residual_light();
    let own = Recurrence { layers: 0..1, steps: 2, entry: Entry::Once, feedback: Feedback::Analogue };
    let looped = Network::recurrent(residual.layers().to_vec(), own).unwrap();
    for (name, title) in [
        (MethodName::Subspace, "subspace training"),
        (MethodName::InSitu, "in-situ backpropagation"),
        (MethodName::Ffm, "fully forward mode"),
    ] {
        for network in [&bank, &inside] {
            let said = said(network, name);
            assert!(said.contains(&format!("{title} on matrices or weight banks")) && said.contains("svd:"), "{said}");
        }
        let said = said(&looped, name);
        assert!(said.contains(&format!("{title} on meshes inside a residual")) && said.contains("fed back"), "{said}");
    }
}
