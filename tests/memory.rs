//! What a gradient needs to remember: light before and after a mesh, and some numbers per MZI; no field from inside the mesh.

use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::imperfections::Imperfections;
use at_core::network::Detection;
use at_core::optics::Mesh;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_tests::allocations::Counting;
use at_tests::case::{IDEAL, LOSSY};
use at_tests::networks::mesh_and_detectors;

#[global_allocator]
static MEMORY: Counting = Counting::new();

/// Most bytes held while a model of the mesh is built and one gradient is computed, beyond controls, light and errors.
fn peak(mesh: &Mesh, imperfections: &Imperfections, batch: usize) -> usize {
    let engine = Cpu::<f32>::new();
    let network = mesh_and_detectors(mesh, Detection::Intensity);
    let fabrication = imperfections.fabricate(&network, 1).unwrap();
    let some = |count: usize| (0..count).map(|k| (0.37 * k as f32).sin()).collect::<Vec<f32>>();
    let (controls, fields) = (some(network.controls()), some(2 * mesh.modes() * batch));
    let error = some(mesh.modes() * batch);

    let before = MEMORY.held();
    MEMORY.restart();
    let mut model = engine.build(&network, &fabrication).unwrap();
    let mut trace = model.trace(batch).unwrap();
    let mut readout = engine.zeros(error.len()).unwrap();
    let mut gradient = engine.zeros(controls.len()).unwrap();
    model.program(&controls).unwrap();
    model.record(&fields, batch, &mut trace, &mut readout).unwrap();
    model.backpropagate(&trace, &error, &mut gradient).unwrap();
    assert!(gradient.iter().all(|slope| slope.is_finite()));
    MEMORY.peak() - before
}

/// One test, because the count is that of the whole process.
#[test]
fn the_memory_of_a_gradient_does_not_grow_with_depth_times_batch() {
    const BATCH: usize = 1024;
    // Starts the threads; each keeps room for matrix products from its first on.
    for _ in 0..8 {
        peak(&Mesh::rectangular(64).unwrap(), &IDEAL, BATCH);
    }
    for (modes, imperfections) in [(64, IDEAL), (128, IDEAL), (64, LOSSY)] {
        // Two batches that are shared among threads alike, so that what belongs to the MZIs cancels.
        let light = [1, 2, 4].map(|times| {
            let mesh = Mesh::truncated(modes, times * modes).unwrap();
            (peak(&mesh, &imperfections, 2 * BATCH) - peak(&mesh, &imperfections, BATCH)) as f64
        });
        let reals = light[0] / (BATCH * modes * size_of::<f32>()) as f64;
        assert!(reals < 16.0, "{reals} reals per sample and mode at N = {modes}");
        for (more, times) in light.iter().zip([1, 2, 4]) {
            let ratio = more / light[0];
            assert!((ratio - 1.0).abs() < 0.01, "N = {modes}, {times}N columns: {ratio} times that of N columns");
        }
    }

    let bytes = peak(&Mesh::rectangular(1024).unwrap(), &IDEAL, 256);
    assert!(bytes < 100_000_000, "{bytes} bytes for 1024 modes and 256 samples");
}
