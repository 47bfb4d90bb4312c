//! Chip and model of asymmetrical training side by side: how large their logits are, how alike, and how far the two part.
//!
//! ```sh
//! cargo run --release -p at-core --example pair                     # the embedded digits, 3 hidden layers, offsets of 0.5 rad
//! cargo run --release -p at-core --example pair -- 1 3 0.5          # gain, hidden layers, offsets
//! cargo run --release -p at-core --example pair -- 1 3 0.5 DATA_DIR # the same on MNIST
//! ```
//!
//! With logits z = gain·readout, each sample's mean taken off, and errors e = softmax(z) - y of the test samples: `chip` and
//! `model` are the root mean squares of both logits, `alike` their cosine, `error` that of the chip's error and `apart` that of the
//! difference of both errors; `drift` is the root mean square of Θc - Θd (rad), `slope` the cosine between the epoch's first step and the
//! chip's true gradient.

use at_core::data::{self, Encoding, epoch_order};
use at_core::prelude::*;
use at_core::training::{Alignment, Oracle, Order};

const WIDTH: usize = 64;

/// Epochs, samples of a batch, and every which epoch is shown: of the digits, of MNIST.
const DIGITS: [usize; 3] = [60, 100, 20];
const MNIST: [usize; 3] = [30, 300, 3];

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, usual: f64| arguments.get(index).map_or(usual, |text| text.parse().expect("a number"));
    let (gain, hidden, offset) = (number(0, 0.08), number(1, 3.0) as usize, number(2, 0.5));
    let source = data::Source { data_dir: arguments.get(3).map(Into::into), cache_dir: None };
    let (name, [epochs, size, shown]) = if source.data_dir.is_some() { ("mnist", MNIST) } else { ("digits", DIGITS) };
    let data = data::open(name, &source)?;

    let engine = Cpu::<f32>::new();
    let split = |samples| {
        let signals = Encoding::L2.encode(samples, data.image)?.signals;
        Split::new(&engine, &signals, &samples.labels)
    };
    let (train, test) = (split(&data.train)?, split(&data.test)?);
    let mut layers = Vec::new();
    let mut width = train.width();
    for _ in 0..hidden {
        layers.push(vec![Stage::weight_bank(width, WIDTH), Stage::rectifier(WIDTH, 0.0)]);
        width = WIDTH;
    }
    layers.push(vec![Stage::weight_bank(width, data.classes)]);
    let network = Network::new(layers)?;
    let kind =
        Imperfections { response_amplitude: 0.3, response_slope: 0.3, response_offset: offset, ..Imperfections::NONE };
    let fabrication = kind.fabricate(&network, 1)?;
    let mut chip = AnyChip::new(Chip::new(&engine, &network, &fabrication)?);
    let loss = Loss { gain, ..Loss::cross_entropy(data.classes) };
    let (schedule, optimizer) = (Schedule::Cosine, Optimizer::ADAM);
    let settings = Settings { epochs, batch_size: size, learning_rate: 0.0025, schedule, optimizer, loss, seed: 1 };
    let initial = initial_controls(&network, 1, &Initialization::Normal { weight: 0.3, bias: 0.1 })?;
    let (options, meter) = (MethodOptions::default(), chip.meter().clone());
    let mut at: Box<dyn Method<AnyChip<Cpu<f32>>>> =
        build(MethodName::At, &engine, &network, &fabrication, &initial, &settings, &options, &meter)?;
    chip.program(at.controls())?;
    let mut oracle = Alignment::new(&engine, &network, &fabrication, loss, size)?;
    oracle.begin(at.controls())?;
    let mut model = engine.build(&network, &Fabrication::ideal())?;

    println!("epoch  accuracy   model    chip   model   alike   error   apart   drift   slope");
    let mut batch = Batch::new(&engine, train.width(), size)?;
    for epoch in 0..=epochs {
        let looks = epoch % shown == 0;
        if looks {
            let vectors = at.parameters();
            let values = |wanted| &vectors.iter().find(|(name, _)| *name == wanted).expect("of at").1.values;
            let (controls, digital) = (values("controls").clone(), values("model").clone());
            chip.program(&controls)?;
            model.program(&digital)?;
            let (one, other) = (logits(&engine, &mut chip, &test, gain)?, logits(&engine, &mut model, &test, gain)?);
            let [mistakes, others] = [&one, &other].map(|logits| errors(logits, &data.test.labels, data.classes));
            let apart: Vec<f64> = mistakes.iter().zip(&others).map(|(a, b)| a - b).collect();
            let parted: Vec<f64> = controls.iter().zip(&digital).map(|(&a, &b)| f64::from(a - b)).collect();
            let product: f64 = one.iter().zip(&other).map(|(a, b)| a * b).sum::<f64>() / one.len() as f64;
            let alike = product / (root_mean_square(&one) * root_mean_square(&other));
            let [of_chip, of_model] = [&one, &other].map(|z| 100.0 * accuracy(z, &data.test.labels, data.classes));
            let sizes = [&one, &other, &mistakes, &apart, &parted].map(|values| root_mean_square(values));
            print!("{epoch:5} {of_chip:8.2} % {of_model:5.2} % {:7.3} {:7.3} {alike:7.3}", sizes[0], sizes[1]);
            print!(" {:7.4} {:7.4} {:7.4}", sizes[2], sizes[3], sizes[4]);
        }
        if epoch == epochs {
            println!();
            break;
        }
        at.begin_epoch(epoch, epochs);
        let rate = settings.learning_rate * settings.schedule.factor(epoch, epochs);
        let order = Order::new(&engine, epoch_order(train.samples(), settings.seed, epoch as u64))?;
        for start in (0..train.samples()).step_by(size) {
            batch.gather(&engine, &train, &order, start, size.min(train.samples() - start))?;
            let first = looks && start == 0;
            if first {
                oracle.before(at.controls(), &batch)?;
            }
            at.step(&mut chip, &batch, rate, &mut engine.zeros(3)?)?;
            if first {
                println!(" {:7.3}", oracle.after(at.controls())?);
            }
        }
    }
    Ok(())
}

/// `gain·(x - mean x)` of all samples, of classes alone.
fn logits<P: Propagator<Engine = Cpu<f32>>>(
    engine: &Cpu<f32>,
    light: &mut P,
    split: &Split<Cpu<f32>>,
    gain: f64,
) -> Result<Vec<f64>> {
    let (samples, outputs) = (split.samples(), light.outputs());
    let mut batch = Batch::new(engine, split.width(), samples)?;
    batch.gather(engine, split, split.in_order(), 0, samples)?;
    let mut readout = engine.zeros(outputs * samples)?;
    light.propagate(batch.signals(), samples, &mut readout)?;
    let readout = engine.download(&readout)?;
    let centred = readout.chunks_exact(outputs).flat_map(|sample| {
        let mean = sample.iter().sum::<f64>() / outputs as f64;
        sample.iter().map(move |x| gain * (x - mean))
    });
    Ok(centred.collect())
}

/// `softmax(z) - y`.
fn errors(logits: &[f64], labels: &[u32], classes: usize) -> Vec<f64> {
    let of = |(z, &label): (&[f64], &u32)| {
        let most = z.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let weights: Vec<f64> = z.iter().map(|z| (z - most).exp()).collect();
        let total: f64 = weights.iter().sum();
        let error = move |(class, weight): (usize, f64)| weight / total - f64::from(class == label as usize);
        weights.into_iter().enumerate().map(error).collect::<Vec<_>>()
    };
    logits.chunks_exact(classes).zip(labels).flat_map(of).collect()
}

fn accuracy(logits: &[f64], labels: &[u32], classes: usize) -> f64 {
    let right = |(z, &label): (&[f64], &u32)| {
        let best = z.iter().enumerate().max_by(|a, b| a.1.total_cmp(b.1)).expect("classes");
        best.0 == label as usize
    };
    logits.chunks_exact(classes).zip(labels).filter(|&one| right(one)).count() as f64 / labels.len() as f64
}

/// Root mean square.
fn root_mean_square(values: &[f64]) -> f64 {
    (values.iter().map(|value| value * value).sum::<f64>() / values.len() as f64).sqrt()
}
