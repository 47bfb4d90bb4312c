//! A whole run of one epoch: batches gathered, steps of asymmetrical training, and the evaluations of the chip that belong
//! to it. Three meshes with 1024 samples, and the published demonstration's matrices with 6000.

use at_benches::{BATCH, Lesson, MODES, chip_errors, three_meshes};
use at_core::chip::Physical;
use at_core::engine::Optimizer;
use at_core::imperfections::Imperfections;
use at_core::network::Network;
use at_core::training::{MethodName, MethodOptions, Trainer, methods};
use at_tests::networks::matrices;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn run(lesson: &Lesson, network: &Network) -> f64 {
    let Lesson { engine, settings, fabrication, controls, split } = lesson;
    let mut chip = lesson.chip(network);
    let options = MethodOptions::default();
    let mut method =
        methods::build(MethodName::At, engine, network, fabrication, controls, settings, &options, chip.meter())
            .expect("memory");
    let trainer = Trainer { engine, settings, train: split, test: split };
    trainer.run(&mut chip, &mut *method, None, None, &mut ()).expect("the run is possible").test.loss
}

fn epoch(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("epoch");
    group.sample_size(10);
    for modes in MODES {
        let samples = 4 * BATCH;
        let network = three_meshes(modes);
        let lesson = Lesson::new(&network, &chip_errors(), samples, BATCH);
        group.throughput(Throughput::Elements(samples as u64));
        group.bench_function(BenchmarkId::new("at", modes), |bencher| bencher.iter(|| run(&lesson, &network)));
    }
    let network = matrices(&[784, 256, 256, 10]);
    let errors = Imperfections { parameter_spread: 0.6, update_error: 0.6, ..Imperfections::default() };
    let mut lesson = Lesson::new(&network, &errors, 6000, 600);
    lesson.settings.optimizer = Optimizer::Sgd;
    group.throughput(Throughput::Elements(6000));
    group.bench_function("at/demonstration", |bencher| bencher.iter(|| run(&lesson, &network)));
    group.finish();
}

criterion_group!(benches, epoch);
criterion_main!(benches);
