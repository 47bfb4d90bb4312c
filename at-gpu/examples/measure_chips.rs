//! Measures many chips under the same controls: one after the other, and all at once. Three meshes with activations between them,
//! every chip evaluated on the same samples. Prints a JSON object per size.
//!
//! ```text
//! measure_chips [--adapter NAME|INDEX|hardware|any|none] [--modes 16,64] [--samples 400] [--chips 50] [--repeats 5]
//! ```

#[path = "measure_meshes/arguments.rs"]
mod arguments;

use arguments::Arguments;
use at_core::Result;
use at_core::cpu::Cpu;
use at_core::engine::{Loss, Normalization};
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_core::population::Examination;
use at_core::propagator::Simulator;
use at_core::training::{Split, initial_controls};
use at_gpu::{Gpu, Selection};
use std::time::Instant;

fn main() -> Result<()> {
    let arguments = Arguments::of_process();
    let (samples, chips) = (arguments.number("--samples", 400)?, arguments.number("--chips", 50)?);
    let repeats = arguments.number("--repeats", 5)?.max(1);
    let adapter = arguments.text("--adapter", "hardware");
    for modes in arguments.numbers("--modes", "16,64")? {
        let case = Case { network: network(modes)?, samples, chips, repeats };
        println!("{}", case.measure(&Cpu::<f32>::new(), || 0)?);
        if adapter != "none" {
            let gpu = Gpu::new(&Selection::parse(&adapter))?;
            println!("{}", case.measure(&gpu, || gpu.dispatches())?);
        }
    }
    Ok(())
}

fn network(modes: usize) -> Result<Network> {
    let mesh = || Ok(Stage::Mesh(Mesh::rectangular(modes)?));
    let activation = || Stage::activation(modes, Activation::ELECTRO_OPTIC);
    let detection = Stage::detection(modes, Detection::Intensity);
    Network::new(vec![vec![mesh()?, activation()], vec![mesh()?, activation()], vec![mesh()?, detection]])
}

struct Case {
    network: Network,
    samples: usize,
    chips: usize,
    repeats: usize,
}

impl Case {
    /// The fastest of the repeats of either way, fabrication included, and the dispatches of each.
    fn measure<E: Simulator>(&self, engine: &E, dispatches: impl Fn() -> u64) -> Result<String> {
        let Case { network, samples, chips, repeats } = self;
        let modes = network.outputs();
        let width = network.input().width();
        let signals: Vec<f32> = (0..samples * width).map(|k| (0.37 * k as f32).sin()).collect();
        let labels: Vec<u32> = (0..*samples).map(|sample| (sample % modes.min(10)) as u32).collect();
        let split = Split::new(engine, &signals, &labels)?;
        let controls = initial_controls(network, 1, &Default::default())?;
        let loss = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(modes.min(10)) };
        let own = Examination { engine, network, controls: &controls, split: &split, loss: &loss };
        let kind = Imperfections { splitter_angle: 0.02, phase: 0.05, loss_db: 0.1, ..Imperfections::NONE };
        let fabricate = |seed| -> Result<Fabrication> { kind.fabricate(network, seed) };
        let (mut turns, mut once, mut counts) = (f64::INFINITY, f64::INFINITY, [0; 2]);
        for _ in 0..*repeats {
            let (start, before) = (Instant::now(), dispatches());
            let alone = (0..*chips as u64).map(|seed| own.one(&fabricate(seed)?)).collect::<Result<Vec<_>>>()?;
            turns = start.elapsed().as_secs_f64().min(turns);
            counts[0] = dispatches() - before;
            let (start, before) = (Instant::now(), dispatches());
            let all = own.all(0..*chips as u64, fabricate)?;
            once = start.elapsed().as_secs_f64().min(once);
            counts[1] = dispatches() - before;
            let apart = all.iter().zip(&alone).map(|(all, one)| (all.loss - one.loss).abs()).fold(0.0, f64::max);
            assert!(apart < 1e-4, "losses are {apart:e} apart");
        }
        Ok(format!(
            r#"{{"case": "chips at once", "engine": {:?}, "modes": {modes}, "samples": {samples}, "chips": {chips}, "in_turn_s": {turns:.4}, "at_once_s": {once:.4}, "ratio": {:.2}, "dispatches_in_turn": {}, "dispatches_at_once": {}}}"#,
            engine.describe(),
            turns / once,
            counts[0],
            counts[1]
        ))
    }
}
