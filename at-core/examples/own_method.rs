//! A method of one's own: it steps somewhere, and stays where the chip's loss on the batch is lower.
//!
//! ```sh
//! cargo run --example own_method
//! ```

use at_core::prelude::*;
use at_core::training::methods::{Dash, Marker, MethodFacts, Model, Reach};
use rand::{SeedableRng, rngs::StdRng};
use rand_distr::{Distribution, StandardNormal};

/// What tables, help and pictures say of it.
const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("hill-climbing"),
    title: "hill climbing",
    uses: "its output",
    reach: Reach::Output,
    summary: "no model: a random step is kept where the loss is lower",
    manner: "reads the chip's output twice per step",
    colour: [0, 0, 0],
    dash: Dash::Dotted,
    marker: Marker::Cross,
    model: Model::None,
    needs_classes: false,
    options: &[],
    passes: |_, _| 2.0,
    check: MethodFacts::any_network,
};

/// The method: where it stands, and its dice.
struct HillClimbing<E: Engine> {
    engine: E,
    controls: Parameters<E>,
    loss: Loss,
    dice: StdRng,
}

impl<E: Engine> HillClimbing<E> {
    /// Loss of `chip` at `controls` on a batch, which is added to `tally`.
    fn measure<C: Propagator<Engine = E>>(
        &self,
        chip: &mut C,
        controls: &E::Buffer,
        batch: &Batch<E>,
        tally: &mut E::Buffer,
    ) -> Result<f64> {
        let (engine, outputs) = (&self.engine, chip.outputs());
        let mut readout = engine.zeros(batch.size() * outputs)?;
        chip.program(controls)?;
        chip.propagate(batch.signals(), batch.size(), &mut readout)?;
        let mut own = engine.zeros(3)?;
        engine.loss(&self.loss, &readout, outputs, batch.targets(), batch.size(), None, &mut own)?;
        engine.combine(1.0, &own, 1.0, tally)?;
        Ok(engine.download(&own)?[0])
    }
}

impl<C: Propagator> Method<C> for HillClimbing<C::Engine> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(&mut self, chip: &mut C, batch: &Batch<C::Engine>, rate: f64, tally: &mut Buffer<C>) -> Result<()> {
        let here = self.measure(chip, &self.controls.values, batch, tally)?;
        let mut values = self.engine.download(&self.controls.values)?;
        for value in &mut values {
            let step: f64 = StandardNormal.sample(&mut self.dice);
            *value += rate * step;
        }
        let there = self.engine.upload(&values)?;
        if self.measure(chip, &there, batch, tally)? < here {
            self.controls.values = there;
        }
        Ok(())
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls)]
    }
}

fn main() -> Result<()> {
    // three classes: which of three inputs is bright
    let network = Network::new(vec![vec![Stage::weight_bank(3, 3)]])?;
    let kind = Imperfections { response_slope: 0.3, response_offset: 0.5, ..Imperfections::NONE };
    let engine = Cpu::<f32>::new();
    let mut chip = Chip::new(&engine, &network, &kind.fabricate(&network, 1)?)?;
    let labels: Vec<u32> = (0..30).map(|sample| sample % 3).collect();
    let signals: Vec<f32> = labels.iter().flat_map(|&label| (0..3).map(move |k| f32::from(k == label))).collect();
    let split = Split::new(&engine, &signals, &labels)?;

    let (schedule, optimizer, loss) = (Schedule::Constant, Optimizer::Sgd, Loss::cross_entropy(3));
    let settings = Settings { epochs: 100, batch_size: 30, learning_rate: 0.2, schedule, optimizer, loss, seed: 1 };
    let initial = initial_controls(&network, 2, &Initialization::FanIn)?;
    let controls = Parameters::new(&engine, optimizer, &initial)?;
    let mut method = HillClimbing { engine, controls, loss, dice: StdRng::seed_from_u64(3) };
    let trainer = Trainer { engine: &engine, settings: &settings, train: &split, test: &split };
    let outcome = trainer.run(&mut chip, &mut method, None, None, &mut ())?;
    println!("loss {:.3} to {:.3}", outcome.records[0].train_loss, outcome.test.loss);
    assert!(outcome.test.loss < outcome.records[0].train_loss);
    Ok(())
}
