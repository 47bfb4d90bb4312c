//! Light through single meshes in both directions: engines mean what the reference means, reciprocity holds, and what stands
//! at the shifters gives the gradient of the chip itself.

use at_core::chip::Imperfections;
use at_core::cpu::Cpu;
use at_core::network::{Detection, Network};
use at_core::optics::{Activation, Layout, Mesh};
use at_core::propagator::{Bidirectional, Direction, Monitor, Simulator};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};
use at_tests::case::{Case, IDEAL, LOSSY};
use at_tests::compare::assert_close;
use at_tests::draws::normals;
use at_tests::networks::{coherent, mesh_and_detectors};
use num_complex::Complex64;

/// The power at every shifter, summed over the batch.
fn powers(fields: &[f64], controls: usize) -> Vec<f64> {
    let mut sums = vec![0.0; controls];
    for (index, z) in fields.chunks_exact(2).enumerate() {
        sums[index % controls] += z[0] * z[0] + z[1] * z[1];
    }
    sums
}

/// Fields at the other end and at the shifters, and the powers there, on `engine`.
fn send<E: Simulator>(
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

/// A device with no more than every WebGPU adapter offers.
fn small(shared: &Gpu) -> Gpu {
    Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap()
}

fn agrees(gpus: &[Gpu], network: &Network, mesh: usize, own: &Mesh, imperfections: &Imperfections, batch: usize) {
    let case = Case::new(network.clone(), imperfections, batch, 70);
    let fields: Vec<f64> =
        normals(batch * 2 * own.modes(), 5).into_iter().map(|value| f64::from(value as f32)).collect();
    for direction in [Direction::Forward, Direction::Backward] {
        let (output, seen) = case.reference().send(mesh, direction, &case.controls, &fields).unwrap();
        let expected = [output, powers(&seen, own.controls()), seen];
        let what = format!("{direction:?}, {:?}, N = {}, batch {batch}", own.layout(), own.modes());
        let scale = (own.columns().len() as f64).sqrt();
        let compare = |[output, seen, power]: [Vec<f64>; 3], tolerance: f64| {
            assert_close(&format!("output, {what}"), &output, &expected[0], tolerance * scale);
            assert_close(&format!("powers, {what}"), &power, &expected[1], tolerance * scale);
            assert_close(&format!("fields, {what}"), &seen, &expected[2], tolerance * scale);
        };
        compare(send(&Cpu::<f64>::new(), &case, mesh, direction, &fields, own.controls()), 1e-13);
        compare(send(&Cpu::<f32>::new(), &case, mesh, direction, &fields, own.controls()), 1e-5);
        for gpu in gpus {
            compare(send(gpu, &case, mesh, direction, &fields, own.controls()), 1e-5);
        }
    }
}

#[test]
fn every_engine_agrees_with_the_reference() {
    let gpus: Vec<Gpu> = require_gpu().into_iter().flat_map(|gpu| [small(&gpu), gpu]).collect();
    let even = Imperfections { loss_spread_db: 0.0, ..LOSSY };
    for imperfections in [IDEAL, even, LOSSY] {
        for (modes, batch) in [(2, 1), (5, 33), (16, 257), (65, 6)] {
            let network = coherent(modes, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
            agrees(&gpus, &network, 1, &Mesh::rectangular(modes).unwrap(), &imperfections, batch);
        }
        let dies = Mesh::rectangular(5).unwrap().on_dies(3).unwrap();
        for mesh in [Mesh::universal(6, Layout::Triangular).unwrap(), Mesh::truncated(5, 13).unwrap(), dies] {
            agrees(&gpus, &mesh_and_detectors(&mesh, Detection::Intensity), 0, &mesh, &imperfections, 7);
        }
    }
}

/// 16 KiB of workgroup memory hold 2048 fields: two windows, more columns than the halo between them.
#[test]
fn a_mesh_wider_than_workgroup_memory_is_lit_from_both_ends_in_windows() {
    let Some(shared) = require_gpu() else { return };
    let mesh = Mesh::truncated(2100, 300).unwrap();
    let network = mesh_and_detectors(&mesh, Detection::Intensity);
    agrees(&[small(&shared)], &network, 0, &mesh, &LOSSY, 2);
}

/// The same where windows hold whole dies, and where dies are wider than windows.
#[test]
fn dies_beyond_workgroup_memory_are_lit_from_both_ends_in_windows() {
    let Some(shared) = require_gpu() else { return };
    for mesh in
        [Mesh::rectangular(6).unwrap().on_dies(400).unwrap(), Mesh::truncated(2101, 9).unwrap().on_dies(2).unwrap()]
    {
        let network = mesh_and_detectors(&mesh, Detection::Intensity);
        agrees(&[small(&shared)], &network, 0, &mesh, &Imperfections { perturbation: 0.0, ..LOSSY }, 2);
    }
}

#[test]
fn what_does_not_fit_a_mesh_is_refused_alike() {
    let case = Case::new(coherent(4, 2, Activation::ELECTRO_OPTIC, Detection::Intensity), &IDEAL, 3, 1);
    let cpu = refusals(&Cpu::<f32>::new(), &case);
    for (message, part) in cpu.iter().zip(["2 meshes", "enter", "leave", "powers", "fields at"]) {
        assert!(message.contains(part), "{message}");
    }
    let Some(gpu) = require_gpu() else { return };
    assert_eq!(refusals(&gpu, &case), cpu);
}

fn refusals<E: Simulator>(engine: &E, case: &Case) -> [String; 5] {
    let mut network = case.programmed(engine);
    let zeros = |len| engine.zeros(len).unwrap();
    let (fields, mut short, mut one) = (zeros(24), zeros(23), zeros(1));
    let mut send = |mesh, fields: &E::Buffer, output: Option<&mut E::Buffer>, monitor: Monitor<'_, E::Buffer>| {
        network.send(mesh, Direction::Backward, fields, 3, output, monitor).unwrap_err().to_string()
    };
    [
        send(2, &fields, None, Monitor::Nothing),
        send(1, &short, None, Monitor::Nothing),
        send(1, &fields, Some(&mut zeros(23)), Monitor::Nothing),
        send(1, &fields, None, Monitor::Powers(&mut one)),
        send(1, &fields, None, Monitor::Fields(&mut short)),
    ]
}

fn inner(a: &[f64], b: &[f64]) -> Complex64 {
    let pairs = a.chunks_exact(2).zip(b.chunks_exact(2));
    pairs.map(|(a, b)| Complex64::new(a[0], a[1]) * Complex64::new(b[0], b[1])).sum()
}

#[test]
fn light_meets_the_transposed_matrix_on_its_way_back() {
    let mesh = Mesh::rectangular(7).unwrap();
    let case = Case::new(mesh_and_detectors(&mesh, Detection::Intensity), &LOSSY, 1, 3);
    let (x, y) = (normals(14, 1), normals(14, 2));
    let engine = Cpu::<f64>::new();
    let ahead = &send(&engine, &case, 0, Direction::Forward, &x, mesh.controls())[0];
    let back = &send(&engine, &case, 0, Direction::Backward, &y, mesh.controls())[0];
    assert!((inner(&y, ahead) - inner(back, &x)).norm() < 1e-13);
}

/// Data light forward and conjugate error light backward: `dL/dφ = -2 Im Σ a* v` at every shifter, of the lossy, imperfect chip.
#[test]
fn the_fields_at_the_shifters_give_the_gradient_of_the_chip_itself() {
    let mesh = Mesh::rectangular(6).unwrap();
    let network = mesh_and_detectors(&mesh, Detection::Intensity);
    // The light of one mesh does not cross what lies between layers.
    let case = Case::new(network, &Imperfections { update_error: 0.0, perturbation: 0.0, ..LOSSY }, 9, 3);
    let engine = Cpu::<f64>::new();
    let [y, v, _] = send(&engine, &case, 0, Direction::Forward, &case.fields, mesh.controls());
    // a = (dL/dI) y, sent as its conjugate
    let conjugate: Vec<f64> =
        case.error.iter().zip(y.chunks_exact(2)).flat_map(|(slope, y)| [slope * y[0], -slope * y[1]]).collect();
    let [_, a, _] = send(&engine, &case, 0, Direction::Backward, &conjugate, mesh.controls());
    let mut gradient = vec![0.0; mesh.controls()];
    for (index, (v, a)) in v.chunks_exact(2).zip(a.chunks_exact(2)).enumerate() {
        gradient[index % mesh.controls()] -= 2.0 * (v[0] * a[1] + v[1] * a[0]);
    }
    assert_close("gradient", &gradient, &case.expected().gradient, 1e-12);
}
