//! What a mesh of another shape costs beside the rectangular one of as many modes: light ahead, and light with its gradient, in turns.
//!
//! `cargo run --release -p at-core --example measure_shapes [MODES] [SAMPLES]`. Ratios are of the least times of several turns, each of some calls in a
//! row, as a training makes them on the engine's threads; `per MZI` is the ratio over that of the numbers of MZIs.

use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::optics::haar::haar_phases;
use at_core::prelude::*;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use rand::{SeedableRng, rngs::StdRng};
use std::time::Instant;

/// Calls in a row, so that a small mesh does not pay for what a large one has left in the caches.
const CALLS: usize = 3;

/// Turns at least, and seconds after which there are enough.
const TURNS: usize = 5;
const ENOUGH: f64 = 20.0;

/// Seconds to set the controls and send light ahead, and to do that and carry an error back.
fn times(mesh: &Mesh, samples: usize, errors: &Imperfections) -> at_core::Result<Box<dyn FnMut() -> [f64; 2] + Send>> {
    let modes = mesh.modes();
    let layer = vec![Stage::Mesh(mesh.clone()), Stage::detection(modes, Detection::Intensity)];
    let network = Network::new(vec![layer])?;
    let fabrication =
        if *errors == Imperfections::NONE { Fabrication::ideal() } else { errors.fabricate(&network, 1)? };
    let mut runner = Cpu::<f32>::new().build(&network, &fabrication)?;
    let controls: Vec<f32> =
        haar_phases(mesh, &mut StdRng::seed_from_u64(1)).into_iter().map(|phase| phase as f32).collect();
    let fields: Vec<f32> = (0..2 * modes * samples).map(|k| (k as f32 * 0.37).sin()).collect();
    let error: Vec<f32> = (0..modes * samples).map(|k| (k as f32 * 0.91).cos()).collect();
    let (mut readout, mut gradient) = (vec![0.0; modes * samples], vec![0.0; controls.len()]);
    let mut trace = runner.trace(samples)?;
    Ok(Box::new(move || {
        let began = Instant::now();
        runner.program(&controls).expect("as many as the network has");
        runner.propagate(&fields, samples, &mut readout).expect("sizes fit");
        let ahead = began.elapsed().as_secs_f64();
        let began = Instant::now();
        runner.program(&controls).expect("as many as the network has");
        runner.record(&fields, samples, &mut trace, &mut readout).expect("sizes fit");
        runner.backpropagate(&trace, &error, &mut gradient).expect("sizes fit");
        [ahead, began.elapsed().as_secs_f64()]
    }))
}

fn main() -> at_core::Result<()> {
    Cpu::<f32>::new().install(measure)
}

fn measure() -> at_core::Result<()> {
    let mut numbers = std::env::args().skip(1).map(|word| word.parse().expect("MODES and SAMPLES are numbers"));
    let (modes, samples) = (numbers.next().unwrap_or(1024), numbers.next().unwrap_or(64));
    let rectangular = Mesh::rectangular(modes)?;
    let others = [Mesh::butterfly(modes)?, Mesh::benes(modes)?, Mesh::diamond(modes)?];
    let chip = Imperfections { splitter_angle: 0.02, phase: 0.05, loss_db: 0.1, ..Imperfections::NONE };
    println!("{modes} modes, {samples} samples, f32");
    for (what, errors) in [("ideal", Imperfections::NONE), ("with errors of couplers and phases", chip)] {
        let meshes = || [&rectangular].into_iter().chain(&others);
        let mut runs = meshes().map(|mesh| times(mesh, samples, &errors)).collect::<at_core::Result<Vec<_>>>()?;
        let mut least = vec![[f64::INFINITY; 2]; runs.len()];
        let began = Instant::now();
        for turn in 0.. {
            if turn >= TURNS && began.elapsed().as_secs_f64() > ENOUGH {
                break;
            }
            for (run, least) in runs.iter_mut().zip(&mut least) {
                for _ in 0..CALLS {
                    let now = run();
                    least.iter_mut().zip(now).for_each(|(least, now)| *least = least.min(now));
                }
            }
        }
        println!("{what}:");
        for (mesh, own) in meshes().zip(&least) {
            let share = mesh.mzis() as f64 / rectangular.mzis() as f64;
            let [ahead, both] = [0, 1].map(|way| own[way] / least[0][way]);
            println!(
                "  {:<12}{:>6} columns{:>8} MZIs  ahead {:>9.3} ms, ratio {ahead:.5}, per MZI {:.2}  with gradient {:>9.3} ms, \
                 ratio {both:.5}, per MZI {:.2}",
                mesh.layout().name(),
                mesh.columns().len(),
                mesh.mzis(),
                1e3 * own[0],
                ahead / share,
                1e3 * own[1],
                both / share
            );
        }
    }
    Ok(())
}
