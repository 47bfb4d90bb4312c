//! What a gradient needs to remember: signals before and after every stage, and some numbers per control; no field from inside a mesh, no
//! power behind a ring, no patch of an image.

use at_core::cpu::Cpu;
use at_core::data::ImageShape;
use at_core::engine::Engine;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{AngularSpectrum, Mesh};
use at_core::propagator::{Adjoint, Propagator, Simulator, Tunable};
use at_core::stage::{Patches, Transmission};
use at_tests::allocations::Counting;
use at_tests::case::{IDEAL, LOSSY};
use at_tests::networks::{mesh_and_detectors, network};

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// What is asked of a model.
#[derive(Clone, Copy, Debug)]
enum Asked {
    /// The gradient of the controls.
    Gradient,
    /// That of an estimate of the imperfections too.
    Estimated,
}

/// What enters the network.
#[derive(Clone, Copy, Debug)]
enum Light {
    /// No zeros.
    Full,
    /// Four of five numbers are zero.
    Sparse,
}

/// Most bytes held while a model of the network is built and one gradient is computed, beyond controls, light and errors.
fn peak(network: &Network, imperfections: &Imperfections, batch: usize, asked: Asked, light: Light) -> usize {
    let engine = Cpu::<f32>::new();
    let fabrication = imperfections.fabricate(network, 1).unwrap();
    let some = |count: usize| (0..count).map(|k| (0.37 * k as f32).sin()).collect::<Vec<f32>>();
    let controls = some(network.controls());
    let mut fields = some(network.input().width() * batch);
    if let Light::Sparse = light {
        fields.iter_mut().enumerate().filter(|(k, _)| k % 5 > 0).for_each(|(_, value)| *value = 0.0);
    }
    let error = some(network.outputs() * batch);

    let before = MEMORY.held();
    MEMORY.restart();
    let mut model = engine.build(network, &fabrication).unwrap();
    let mut slopes = engine.zeros(model.imperfections()).unwrap();
    if let Asked::Estimated = asked {
        model.set_imperfections(&slopes).unwrap();
    }
    let mut trace = model.trace(batch).unwrap();
    let mut readout = engine.zeros(error.len()).unwrap();
    let mut gradient = engine.zeros(controls.len()).unwrap();
    model.program(&controls).unwrap();
    model.record(&fields, batch, &mut trace, &mut readout).unwrap();
    match asked {
        Asked::Gradient => model.backpropagate(&trace, &error, &mut gradient).unwrap(),
        Asked::Estimated => model.backpropagate_imperfections(&trace, &error, &mut gradient, &mut slopes).unwrap(),
    }
    assert!(gradient.iter().chain(&slopes).all(|slope| slope.is_finite()));
    MEMORY.peak() - before
}

/// [`peak`] of one mesh and detectors.
fn peak_of_mesh(mesh: &Mesh, imperfections: &Imperfections, batch: usize) -> usize {
    let network = mesh_and_detectors(mesh, Detection::Intensity);
    peak(&network, imperfections, batch, Asked::Gradient, Light::Full)
}

/// One test, because the count is that of the whole process.
#[test]
fn the_memory_of_a_gradient_does_not_grow_with_what_is_inside_a_stage_times_batch() {
    const BATCH: usize = 1024;
    // Starts the threads; each keeps room for matrix products from its first on.
    for _ in 0..8 {
        peak_of_mesh(&Mesh::rectangular(64).unwrap(), &IDEAL, BATCH);
    }
    meshes(BATCH);
    for light in [Light::Full, Light::Sparse] {
        weights(light);
    }
    planes();
    patches();
}

fn meshes(batch: usize) {
    for (modes, imperfections) in [(64, IDEAL), (128, IDEAL), (64, LOSSY)] {
        // Two batches that are shared among threads alike, so that what belongs to the MZIs cancels.
        let light = [1, 2, 4].map(|times| {
            let mesh = Mesh::truncated(modes, times * modes).unwrap();
            (peak_of_mesh(&mesh, &imperfections, 2 * batch) - peak_of_mesh(&mesh, &imperfections, batch)) as f64
        });
        let reals = light[0] / (batch * modes * size_of::<f32>()) as f64;
        assert!(reals < 16.0, "{reals} reals per sample and mode at N = {modes}");
        for (more, times) in light.iter().zip([1, 2, 4]) {
            let ratio = more / light[0];
            assert!((ratio - 1.0).abs() < 0.01, "N = {modes}, {times}N columns: {ratio} times that of N columns");
        }
    }

    let bytes = peak_of_mesh(&Mesh::rectangular(1024).unwrap(), &IDEAL, 256);
    assert!(bytes < 100_000_000, "{bytes} bytes for 1024 modes and 256 samples");
}

/// Reals that one more sample costs, from two batches of which the smaller is whole pieces of whatever is cut into pieces.
fn reals_per_sample(network: &Network, batch: usize, asked: Asked, light: Light) -> f64 {
    // what is mixed behind a layer is a signal more
    let imperfections = Imperfections { perturbation: 0.0, ..LOSSY };
    let [more, less] = [2 * batch, batch].map(|batch| peak(network, &imperfections, batch, asked, light));
    (more as f64 - less as f64) / (batch * size_of::<f32>()) as f64
}

/// Reals per sample that nobody could do without: what entered a layer and what left each of its stages, two signals on the way back, and the
/// readout.
fn between_stages(network: &Network) -> f64 {
    let leave: usize = network.stages().map(|stage| stage.output().width()).sum();
    let enter: usize = network.layers().iter().map(|layer| layer[0].input().width()).sum();
    let widest = network.stages().map(|stage| stage.input().width().max(stage.output().width())).max().unwrap();
    (leave + enter + 2 * widest + network.outputs()) as f64
}

const WAYS: [Asked; 2] = [Asked::Gradient, Asked::Estimated];

/// Rings and cells by the thousand, in square and in long banks: a sample leaves its inputs and outputs, whatever is between them.
fn weights(light: Light) {
    let rings = |inputs, outputs, channels| Stage::ring_bank(inputs, outputs, channels, 300.0);
    for (inputs, outputs) in [(64, 64), (256, 16), (16, 256)] {
        let banks = [
            ("rings on buses of 4", rings(inputs, outputs, 4)),
            ("rings on one bus", rings(inputs, outputs, inputs + 1)),
            ("phase-change cells", Stage::phase_change(inputs, outputs)),
            ("balanced cells", Stage::weight_bank(inputs, outputs)),
        ];
        for (what, bank) in banks {
            let network = network(vec![vec![bank]]);
            for asked in WAYS {
                let reals = reals_per_sample(&network, 1024, asked, light);
                let known = between_stages(&network);
                // inputs without their zeros, as they are and transposed, have a number and its place for every entry at most
                let bound = known + if let Light::Sparse = light { 4.2 * inputs as f64 } else { 0.0 };
                let case = format!("{what}, {inputs} to {outputs}, {asked:?}, {light:?}");
                assert!(reals < 1.01 * bound + 1.0, "{case}: {reals} reals per sample beside {bound}");
            }
        }
    }
}

/// Planes of pixels with free space between them: a sample leaves one field per stage, and nothing of its padded spectra.
fn planes() {
    let side = 16;
    let of = |masks: usize| {
        let spectrum =
            AngularSpectrum { rows: side, columns: side, pitch_um: 400.0, distance_um: 3000.0, wavelength_um: 750.0 };
        let mask = || vec![Stage::free_space(spectrum), Stage::mask(side, side, Transmission::Phase)];
        let mut layers: Vec<_> = (0..masks).map(|_| mask()).collect();
        let regions = Stage::regions(side, side, 10, 2);
        layers.last_mut().unwrap().extend([Stage::free_space(spectrum), regions]);
        network(layers)
    };
    for masks in [1, 2, 5] {
        let network = of(masks);
        for asked in WAYS {
            let reals = reals_per_sample(&network, 64, asked, Light::Full);
            let known = between_stages(&network);
            assert!(reals < 1.02 * known, "{masks} planes, {asked:?}: {reals} reals per sample beside {known}");
        }
    }
}

/// Convolutions of many elements: a sample leaves its images, neither their patches nor the light inside.
fn patches() {
    let image = ImageShape::new(4, 12, 12);
    let patches = Patches { image, kernel: [3; 2], stride: 1, padding: 1 };
    let entries = patches.entries();
    let lit = |columns: usize| {
        let mesh = Stage::Mesh(Mesh::truncated(entries, columns).unwrap());
        let read = Stage::attenuators(entries, 2);
        let detection = Stage::detection(2, Detection::Amplitude);
        Stage::series(vec![Stage::modulation(entries), mesh, read, detection])
    };
    let elements = [
        ("balanced cells", Stage::weight_bank(entries, 4)),
        ("rings", Stage::ring_bank(entries, 4, 9, 30.0)),
        ("phase-change cells", Stage::phase_change(entries, 4)),
        ("a shallow mesh", lit(4)),
        ("a deep mesh", lit(4 * entries)),
    ];
    for (what, element) in elements {
        let network = network(vec![vec![Stage::convolution(patches, element)]]);
        for asked in WAYS {
            let reals = reals_per_sample(&network, 256, asked, Light::Full);
            let known = between_stages(&network);
            assert!(reals < 1.02 * known, "patches through {what}, {asked:?}: {reals} reals per sample beside {known}");
        }
    }
}
