//! Drivers of chips that are handed out as examples, met as a user's would be.

use at_core::cpu::Cpu;
use at_core::link::{Effort, Link, Outside, Transport, check};
use at_core::optics::Mesh;
use at_core::propagator::Propagator;
use at_core::stage::{Detection, Stage};
use at_tests::networks::mesh_and_detectors;
use std::ops::ControlFlow;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

/// A link to the bench in numpy; none, said on stderr, where there is no numpy.
fn bench() -> Option<Link> {
    let numpy = Command::new("python3").args(["-c", "import numpy"]).output();
    if !numpy.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: python3 with numpy is not there");
        return None;
    }
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/drivers/bench.py");
    let transport = Transport::command("python3", &[file.display().to_string()]).unwrap();
    Some(Link::open(transport, Duration::from_secs(60)).unwrap())
}

#[test]
fn the_bench_in_numpy_is_a_mesh_of_this_librarys_conventions() {
    let Some(link) = bench() else { return };
    let network = mesh_and_detectors(&Mesh::rectangular(4).unwrap(), Detection::Intensity);
    assert!(network.stages().any(|stage| matches!(stage, Stage::Mesh(_))));
    let engine = Cpu::<f32>::new();
    let mut chip = Outside::new(&engine, &network, link).unwrap();
    // with θ = π an MZI lets light pass straight on, up to its errors; with 0 light crosses over
    let mut readout = vec![0.0; 4];
    let straight: Vec<f32> = (0..16).map(|control| if control < 6 { std::f32::consts::PI } else { 0.0 }).collect();
    chip.program(&straight).unwrap();
    chip.propagate(&vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1, &mut readout).unwrap();
    assert!(readout[0] > 0.9, "{readout:?}");
    assert!((readout.iter().sum::<f32>() - 1.0).abs() < 1e-5, "{readout:?}");
    chip.program(&vec![0.0; 16]).unwrap();
    chip.propagate(&vec![1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0], 1, &mut readout).unwrap();
    assert!(readout[3] > 0.8, "four columns that cross take light from the first to the last mode: {readout:?}");
}

#[test]
fn a_look_at_the_bench_in_numpy_finds_it_in_order() {
    let Some(mut link) = bench() else { return };
    let found = check(&mut link, &Effort::default(), |_, _| ControlFlow::Continue(())).unwrap().unwrap();
    assert_eq!(found.silent, [12, 13, 14, 15], "only the phases in front of the detectors are not seen");
    assert!((found.power - 1.0).abs() < 1e-5 && found.noise == 0.0 && found.relative_noise == 0.0, "{found:?}");
}
