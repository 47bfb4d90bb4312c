//! Readouts and gradients of whole networks: all sizes, batches, stages and imperfections.

use super::chips::EVERY_NOISE;
use super::{Precision, close, columns, columns_of};
use crate::case::{Case, IDEAL, LOSSY};
use crate::compare::assert_close;
use crate::networks::{
    ACTIVATIONS, DETECTIONS, around, coherent, convolutional, diffractive, every_kind, looped, matrices,
    mesh_and_detectors, network, other_shapes, part_of_tiles, patches_through_anything, phase_change, residuals,
    ring_banks, tiled, weight_banks,
};
use at_core::chip::Chip;
use at_core::imperfections::{Imperfections, Memory, Planes};
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Layout, Mesh};
use at_core::propagator::{Propagator, Simulator};

fn agrees<E: Simulator>(
    engine: &E,
    precision: Precision,
    network: &Network,
    imperfections: &Imperfections,
    batch: usize,
    what: &str,
) {
    let case = Case::new(network.clone(), imperfections, batch, 40 + batch as u64);
    let tolerance = precision.rounding() * (columns(network) as f64).sqrt();
    close(engine, &case.run(engine), &case, tolerance, what);
}

/// Two meshes and an activation, from the smallest mesh and batch on.
pub fn meshes_of_every_size<E: Simulator>(engine: &E, precision: Precision) {
    for modes in [2, 3, 5, 8, 16, 33, 64] {
        for batch in [1, 7, 64, 257] {
            for imperfections in [IDEAL, LOSSY] {
                let network = coherent(modes, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
                agrees(engine, precision, &network, &imperfections, batch, &format!("two meshes, N = {modes}"));
            }
        }
    }
}

/// Triangular and truncated meshes, from one column to many.
pub fn every_layout_and_depth<E: Simulator>(engine: &E, precision: Precision) {
    let even = Imperfections { loss_spread_db: 0.0, ..LOSSY };
    for modes in [2, 5, 12] {
        let meshes = [
            Mesh::universal(modes, Layout::Triangular).unwrap(),
            Mesh::truncated(modes, 1).unwrap(),
            Mesh::truncated(modes, 7).unwrap(),
            Mesh::truncated(modes, 40).unwrap(),
        ];
        for (mesh, imperfections) in meshes.iter().flat_map(|mesh| [(mesh, IDEAL), (mesh, even), (mesh, LOSSY)]) {
            let network = mesh_and_detectors(mesh, Detection::Homodyne { phase: 0.3 });
            let what = format!("N = {modes}, {:?}, {} columns", mesh.layout(), mesh.columns().len());
            agrees(engine, precision, &network, &imperfections, 19, &what);
        }
    }
}

/// Diamonds, butterflies, Beneš meshes, redundant columns and any list of columns.
pub fn meshes_of_other_shapes<E: Simulator>(engine: &E, precision: Precision) {
    let even = Imperfections { loss_spread_db: 0.0, ..LOSSY };
    for mesh in other_shapes() {
        let what = format!("{:?} of {} modes on {} dies", mesh.layout(), mesh.die_modes(), mesh.dies());
        for (imperfections, batch) in [IDEAL, even, LOSSY].into_iter().flat_map(|kind| [(kind, 1), (kind, 70)]) {
            let network = mesh_and_detectors(&mesh, Detection::Homodyne { phase: 0.3 });
            agrees(engine, precision, &network, &imperfections, batch, &what);
        }
        if mesh.dies() == 1 {
            agrees(engine, precision, &tiled(&mesh), &LOSSY, 19, &format!("tiles: {what}"));
        }
    }
}

/// Every kind of stage, and every variant of those that have some.
pub fn every_stage_activation_and_detection<E: Simulator>(engine: &E, precision: Precision) {
    for imperfections in [IDEAL, LOSSY] {
        agrees(engine, precision, &part_of_tiles(), &imperfections, 33, "a part of tiles");
        for network in every_kind() {
            agrees(engine, precision, &network, &imperfections, 33, "every stage");
        }
        for stage in Stage::examples() {
            let what = format!("the example of {}", stage.kind());
            agrees(engine, precision, &around(stage), &imperfections, 33, &what);
        }
        for activation in ACTIVATIONS {
            let network = coherent(6, 3, activation, Detection::Homodyne { phase: 0.0 });
            agrees(engine, precision, &network, &imperfections, 33, &format!("{activation:?}"));
        }
        for detection in DETECTIONS {
            let network = coherent(6, 1, Activation::ELECTRO_OPTIC, detection);
            agrees(engine, precision, &network, &imperfections, 33, &format!("{detection:?}"));
        }
    }
}

/// Layers of several dies, with splitters and combiners around them.
pub fn tiled_layers<E: Simulator>(engine: &E, precision: Precision) {
    let tiles = [
        Mesh::rectangular(2).unwrap(),
        Mesh::rectangular(5).unwrap(),
        Mesh::rectangular(16).unwrap(),
        Mesh::triangular(6).unwrap(),
        Mesh::truncated(4, 9).unwrap(),
    ];
    let even = Imperfections { loss_spread_db: 0.0, perturbation: 0.0, ..LOSSY };
    for (tile, batch) in tiles.iter().flat_map(|tile| [(tile, 1), (tile, 19), (tile, 130)]) {
        for imperfections in [IDEAL, even, LOSSY] {
            let what = format!("tiles of {} modes", tile.modes());
            agrees(engine, precision, &tiled(tile), &imperfections, batch, &what);
        }
    }
}

/// Real layers of unequal widths, one of a single mode.
pub fn matrices_and_weight_banks<E: Simulator>(engine: &E, precision: Precision) {
    for imperfections in [IDEAL, LOSSY] {
        for batch in [1, 7, 64, 257] {
            agrees(engine, precision, &matrices(&[30, 17, 1, 5]), &imperfections, batch, "matrices");
            agrees(engine, precision, &weight_banks(&[30, 17, 1, 5]), &imperfections, batch, "weight banks");
        }
    }
}

/// Rings whose buses are one, not full, or of one channel each, and cells of any level and of a few.
pub fn ring_banks_and_crossbars<E: Simulator>(engine: &E, precision: Precision) {
    let rings = |inputs, outputs, channels, finesse| {
        network(vec![vec![Stage::ring_bank(inputs, outputs, channels, finesse)], vec![Stage::matrix(outputs, 3)]])
    };
    let levels = Imperfections { memory: Memory { pcm_levels: 5, ..LOSSY.memory }, ..LOSSY };
    for imperfections in [IDEAL, LOSSY] {
        for batch in [1, 7, 257] {
            for (inputs, outputs, channels, finesse) in
                [(9, 17, 1, 5.0), (9, 4, 10, 20.0), (30, 20, 7, 50.0), (1, 1, 64, 100.0)]
            {
                let what = format!("{inputs} rings on buses of {channels}");
                agrees(engine, precision, &rings(inputs, outputs, channels, finesse), &imperfections, batch, &what);
            }
            agrees(engine, precision, &ring_banks(&[30, 17, 1, 5]), &imperfections, batch, "ring banks");
            agrees(engine, precision, &phase_change(&[30, 17, 1, 5]), &imperfections, batch, "crossbars");
        }
    }
    agrees(engine, precision, &phase_change(&[30, 17, 5]), &levels, 7, "crossbars of 5 levels");
}

/// Patches of images, in pieces where the batch is large.
pub fn convolutions_and_pooling<E: Simulator>(engine: &E, precision: Precision) {
    for imperfections in [IDEAL, LOSSY] {
        for batch in [1, 7, 300] {
            agrees(engine, precision, &convolutional(), &imperfections, batch, "convolutions");
        }
        for (what, network) in patches_through_anything() {
            agrees(engine, precision, &network, &imperfections, 7, &format!("patches through {what}"));
        }
    }
    let (_, svd) = &patches_through_anything()[2];
    agrees(engine, precision, svd, &LOSSY, 1100, "patches through singular values, in pieces");
}

/// Branches of electronics and of light, one inside another.
pub fn residual_connections<E: Simulator>(engine: &E, precision: Precision) {
    for (what, network) in residuals() {
        for (imperfections, batch) in [(IDEAL, 1), (LOSSY, 1), (IDEAL, 19), (LOSSY, 19)] {
            agrees(engine, precision, &network, &imperfections, batch, what);
        }
    }
}

/// Masks and free space on grids of every size, from one pixel's width on.
pub fn diffractive_planes<E: Simulator>(engine: &E, precision: Precision) {
    let planes =
        Planes { pixel_phase: 0.3, plane_shift: 150.0, plane_distance: 100.0, plane_tilt: 0.05, ..Planes::NONE };
    for (rows, columns) in [(4, 4), (7, 5), (16, 9), (3, 33)] {
        let stepped = Planes { mask_levels: 5, ..planes };
        for (planes, batch) in [(Planes::NONE, 1), (Planes::NONE, 19), (planes, 7), (stepped, 3)] {
            let what = format!("planes of {rows} × {columns} pixels");
            let imperfections = Imperfections { planes, ..Imperfections::NONE };
            agrees(engine, precision, &diffractive(rows, columns), &imperfections, batch, &what);
        }
    }
}

/// Loops of every kind: readouts, gradients, taps at every step, noise at every step.
pub fn layers_that_are_crossed_again_and_again<E: Simulator>(engine: &E, precision: Precision) {
    for (what, network) in looped() {
        for imperfections in [IDEAL, LOSSY] {
            for batch in [1, 7, 65] {
                let case = Case::new(network.clone(), &imperfections, batch, 40 + batch as u64);
                let crossed: usize = network.crossed_stages().map(columns_of).sum();
                let tolerance = 4.0 * precision.rounding() * (crossed as f64).sqrt();
                close(engine, &case.run(engine), &case, tolerance, what);
            }
        }
        let case = Case::new(network.clone(), &LOSSY, 5, 4);
        let tapped = case.run_tapped(engine);
        let last = tapped.last().expect("a readout");
        assert_close(what, last, &case.expected().readout, precision.tolerance(1e-12, 1e-4));
        assert_eq!(tapped.len(), network.visits().len());
        let noisy = Imperfections { noise: EVERY_NOISE, ..LOSSY };
        let case = Case::new(network.clone(), &noisy, 5, 4);
        let mut chip = Chip::new(engine, &network, &case.fabrication).unwrap();
        for controls in [&case.first_controls, &case.controls] {
            chip.program(&engine.upload(controls).unwrap()).unwrap();
        }
        let fields = engine.upload(&case.fields).unwrap();
        let mut readout = engine.zeros(case.error.len()).unwrap();
        for pass in 0..2 {
            chip.propagate(&fields, case.batch, &mut readout).unwrap();
            let expected = case.reference().measure(&case.controls, &case.fields, pass).unwrap();
            let got = engine.download(&readout).unwrap();
            assert_close(&format!("{what} with noise"), &got, &expected, precision.tolerance(1e-11, 1e-4));
        }
    }
}

/// 51 dB of loss on the way, which an engine that rebuilds fields must not amplify.
pub fn where_light_is_hard_to_rebuild<E: Simulator>(engine: &E, precision: Precision) {
    let imperfections = Imperfections { loss_db: 0.2, ..IDEAL };
    let network = mesh_and_detectors(&Mesh::truncated(32, 256).unwrap(), Detection::Intensity);
    agrees(engine, precision, &network, &imperfections, 5, "256 lossy columns");
    let uneven = Imperfections { loss_spread_db: 0.05, ..imperfections };
    agrees(engine, precision, &network, &uneven, 5, "256 unevenly lossy columns");
}
