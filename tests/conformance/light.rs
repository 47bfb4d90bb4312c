//! Light through single meshes in both directions, and what is seen at their shifters.

use super::Precision;
use crate::case::{Case, IDEAL, LOSSY};
use crate::compare::assert_close;
use crate::draws::normals;
use crate::networks::{coherent, mesh_and_detectors, meshes_inside, other_shapes};
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network};
use at_core::optics::{Activation, Layout, Mesh};
use at_core::propagator::{Bidirectional, Direction, Monitor, Simulator};

/// The power at every shifter, summed over the batch.
fn powers(fields: &[f64], controls: usize) -> Vec<f64> {
    let mut sums = vec![0.0; controls];
    for (index, z) in fields.chunks_exact(2).enumerate() {
        sums[index % controls] += z[0] * z[0] + z[1] * z[1];
    }
    sums
}

/// Fields at the other end and at the shifters, and the powers there, on `engine`.
pub fn send<E: Simulator>(
    engine: &E,
    case: &Case,
    mesh: usize,
    direction: Direction,
    fields: &[f64],
    controls: usize,
) -> [Vec<f64>; 3] {
    let mut network = case.programmed(engine);
    let input = engine.upload(fields).unwrap();
    let nothing = |len| engine.upload(&vec![f64::NAN; len]).unwrap();
    let (mut output, mut seen, mut power) =
        (nothing(fields.len()), nothing(case.batch * 2 * controls), nothing(controls));
    network.send(mesh, direction, &input, case.batch, Some(&mut output), Monitor::Fields(&mut seen)).unwrap();
    network.send(mesh, direction, &input, case.batch, None, Monitor::Powers(&mut power)).unwrap();
    [output, seen, power].map(|buffer| engine.download(&buffer).unwrap())
}

/// On `engine`, light through mesh number `mesh` of `network`, which is `own`, is that of the reference both ways.
pub fn sends_as_the_reference<E: Simulator>(
    engine: &E,
    precision: Precision,
    network: &Network,
    mesh: usize,
    own: &Mesh,
    imperfections: &Imperfections,
    batch: usize,
) {
    let case = Case::new(network.clone(), imperfections, batch, 70);
    let fields: Vec<f64> =
        normals(batch * 2 * own.modes(), 5).into_iter().map(|value| f64::from(value as f32)).collect();
    let tolerance = precision.rounding() * (own.columns().len() as f64).sqrt();
    for direction in [Direction::Forward, Direction::Backward] {
        let (output, seen) = case.reference().send(mesh, direction, &case.controls, &fields).unwrap();
        let expected = [output, seen.clone(), powers(&seen, own.controls())];
        let got = send(engine, &case, mesh, direction, &fields, own.controls());
        let what = format!("{direction:?}, {:?}, N = {}, batch {batch}", own.layout(), own.modes());
        for ((part, got), expected) in ["output", "fields", "powers"].iter().zip(&got).zip(&expected) {
            assert_close(&format!("{part}, {what}, on {}", engine.describe()), got, expected, tolerance);
        }
    }
}

/// Meshes of every layout and on dies, alone, within a network, and inside its convolutions and residual connections.
pub fn light_through_single_meshes<E: Simulator>(engine: &E, precision: Precision) {
    let even = Imperfections { loss_spread_db: 0.0, ..LOSSY };
    for imperfections in [IDEAL, even, LOSSY] {
        for (modes, batch) in [(2, 1), (5, 33), (16, 257), (65, 6)] {
            let network = coherent(modes, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
            let own = Mesh::rectangular(modes).unwrap();
            sends_as_the_reference(engine, precision, &network, 1, &own, &imperfections, batch);
        }
        let dies = Mesh::rectangular(5).unwrap().on_dies(3).unwrap();
        for own in [Mesh::universal(6, Layout::Triangular).unwrap(), Mesh::truncated(5, 13).unwrap(), dies] {
            let network = mesh_and_detectors(&own, Detection::Intensity);
            sends_as_the_reference(engine, precision, &network, 0, &own, &imperfections, 7);
        }
        for own in other_shapes() {
            let network = mesh_and_detectors(&own, Detection::Intensity);
            sends_as_the_reference(engine, precision, &network, 0, &own, &imperfections, 7);
        }
        let network = meshes_inside();
        for (number, own) in network.all_meshes().enumerate() {
            sends_as_the_reference(engine, precision, &network, number, own, &imperfections, 7);
        }
    }
}
