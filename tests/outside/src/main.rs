//! Trains a chip and with a method that the workspace does not know, each also with the library's own counterpart, and prints
//! of each the test loss after the first epoch and at the end.

mod chip;
mod method;

use at_core::Result;
use at_core::chip::{Chip, Metered, Physical};
use at_core::cpu::Cpu;
use at_core::engine::{Engine, Loss, Optimizer, Schedule};
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::Mesh;
use at_core::training::methods::probe::{Explorer, Probing};
use at_core::training::methods::spsa::Spsa;
use at_core::training::methods::{Descent, Gradient};
use at_core::training::{
    Checkpoint, Checkpoints, Initialization, Outcome, Parameters, Settings, Split, Trainer, initial_controls,
};
use chip::Board;
use method::Differences;
use std::path::Path;

const CLASSES: usize = 3;
const BATCH: usize = 10;

type Numbers = Cpu<f64>;

/// Three clouds of points, `width` reals each.
fn split(engine: &Numbers, width: usize, samples: usize) -> Result<Split<Numbers>> {
    let labels: Vec<u32> = (0..samples).map(|sample| (sample % CLASSES) as u32).collect();
    let signal = |index: usize| {
        let (sample, place) = (index / width, index % width);
        let centre = if place % CLASSES == sample % CLASSES { 1.0 } else { 0.1 };
        centre + 0.3 * (1.7 * index as f32).sin()
    };
    Split::new(engine, &(0..width * samples).map(signal).collect::<Vec<_>>(), &labels)
}

fn settings(epochs: usize) -> Settings {
    let (schedule, optimizer) = (Schedule::Constant, Optimizer::ADAM);
    let loss = Loss { gain: 4.0, ..Loss::cross_entropy(CLASSES) };
    Settings { epochs, batch_size: BATCH, learning_rate: 0.05, schedule, optimizer, loss, seed: 1 }
}

/// Trains for `epochs`, from the checkpoint at `path` on where there is one, and leaves one there.
fn train<C: Physical<Engine = Numbers>>(
    engine: &Numbers,
    chip: &mut C,
    maker: impl Gradient<C>,
    initial: &[f64],
    epochs: usize,
    path: &Path,
) -> Result<Outcome> {
    let settings = settings(epochs);
    let (train, test) = (split(engine, chip.inputs(), 60)?, split(engine, chip.inputs(), 45)?);
    let mut method = Descent::new(engine, Parameters::new(engine, settings.optimizer, initial)?, maker);
    let earlier = path.exists().then(|| Checkpoint::load(path, "outside")).transpose()?;
    let own = network()?;
    let checkpoints = Checkpoints { path, every: 1, fingerprint: "outside", network: &own };
    let trainer = Trainer { engine, settings: &settings, train: &train, test: &test };
    trainer.run(chip, &mut method, earlier.as_ref(), Some(checkpoints), &mut ())
}

fn network() -> Result<Network> {
    let modes = 4;
    let mesh = Stage::Mesh(Mesh::rectangular(modes)?);
    Network::new(vec![vec![mesh, Stage::detection(modes, Detection::Intensity)]])
}

fn say(what: &str, outcome: &Outcome) {
    let name = outcome.records[0].method;
    println!("{name} on {what}: {} {}", outcome.records[0].test_loss, outcome.test.loss);
}

fn main() -> Result<()> {
    let folder = std::env::args().nth(1).expect("the folder for checkpoints is the argument");
    let path = |name: &str| Path::new(&folder).join(name);
    let engine = Numbers::new();
    let loss = settings(1).loss;
    let board = || Metered::new(Board::new(6, CLASSES));
    let zeros = vec![0.0; 6 * CLASSES];
    let differences = |controls, outputs| Differences::new(&engine, controls, outputs, loss, BATCH);

    let whole = train(&engine, &mut board(), differences(zeros.len(), CLASSES)?, &zeros, 12, &path("whole"))?;
    say("a board", &whole);
    train(&engine, &mut board(), differences(zeros.len(), CLASSES)?, &zeros, 5, &path("parts"))?;
    let parts = train(&engine, &mut board(), differences(zeros.len(), CLASSES)?, &zeros, 12, &path("parts"))?;
    assert_eq!(whole, parts, "a run that was put down goes on as it would have without");
    println!("reads: {}", whole.accesses.reads);

    let network = network()?;
    let fabrication = Imperfections { phase: 0.3, ..Imperfections::NONE }.fabricate(&network, 3)?;
    let initial = initial_controls(&network, 5, &Initialization::FanIn)?;
    let mut simulated = Chip::new(&engine, &network, &fabrication)?;
    let maker = differences(initial.len(), network.outputs())?;
    say("a simulated chip", &train(&engine, &mut simulated, maker, &initial, 12, &path("simulated"))?);

    let probing = Probing { draws: 8, step: 0.01, seed: 2 };
    let maker = Spsa(Explorer::new(&engine, CLASSES, probing, zeros.len(), loss, BATCH)?);
    say("a board", &train(&engine, &mut board(), maker, &zeros, 12, &path("spsa"))?);
    println!("on {}", engine.describe());
    Ok(())
}
