//! Trains an imperfect weight bank by three methods: from its output, by its model alone, and as an oracle would.
//!
//! ```sh
//! cargo run -p at-core --example train
//! ```

use at_core::prelude::*;

fn main() -> Result<()> {
    // a chip whose cells answer otherwise than they should
    let network = Network::new(vec![vec![Stage::weight_bank(4, 3)]])?;
    let kind = Imperfections { response_slope: 0.3, response_offset: 0.5, ..Imperfections::NONE };
    let (engine, fabrication) = (Cpu::<f32>::new(), kind.fabricate(&network, 1)?);
    // three classes: which of the first three inputs is bright
    let labels: Vec<u32> = (0..90).map(|sample| sample % 3).collect();
    let bright =
        |sample: usize, input: usize| if sample % 3 == input { 1.0 } else { 0.1 * ((sample + input) as f32).sin() };
    let signals: Vec<f32> = (0..90 * 4).map(|entry| bright(entry / 4, entry % 4)).collect();
    let split = Split::new(&engine, &signals, &labels)?;
    let (schedule, optimizer, loss) = (Schedule::Cosine, Optimizer::ADAM, Loss::cross_entropy(3));
    let settings = Settings { epochs: 40, batch_size: 10, learning_rate: 0.2, schedule, optimizer, loss, seed: 1 };
    let trainer = Trainer { engine: &engine, settings: &settings, train: &split, test: &split };
    let initial = initial_controls(&network, 2, &Initialization::FanIn)?;
    for name in [MethodName::At, MethodName::InSilico, MethodName::Ideal] {
        let mut chip = AnyChip::new(Chip::new(&engine, &network, &fabrication)?);
        let (options, meter) = (MethodOptions::default(), chip.meter().clone());
        let mut method = build(name, &engine, &network, &fabrication, &initial, &settings, &options, &meter)?;
        let outcome = trainer.run(&mut chip, &mut *method, None, None, &mut ())?;
        println!("{name}: loss {:.3}, {} values read", outcome.test.loss, outcome.accesses.reads);
    }
    Ok(())
}
