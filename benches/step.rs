//! One step of asymmetrical training on three meshes: the chip's pass, the model's pass and its two backward passes, and two
//! Adam updates.

use at_benches::{BATCH, Lesson, MODES, chip_errors, three_meshes};
use at_core::chip::Physical;
use at_core::engine::Engine;
use at_core::propagator::Propagator;
use at_core::training::{Batch, MethodName, MethodOptions, methods};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn step(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("step");
    group.sample_size(10);
    for modes in MODES {
        let network = three_meshes(modes);
        let lesson = Lesson::new(&network, &chip_errors(), BATCH, BATCH);
        let Lesson { engine, settings, fabrication, controls, split } = &lesson;
        let mut chip = lesson.chip(&network);
        let options = MethodOptions::default();
        let mut method =
            methods::build(MethodName::At, engine, &network, fabrication, controls, settings, &options, chip.meter())
                .expect("memory");
        chip.program(method.controls()).expect("sizes fit");
        let mut batch = Batch::new(engine, split.width(), BATCH).expect("memory");
        batch.gather(engine, split, split.in_order(), 0, BATCH).expect("sizes fit");
        let mut tally = engine.zeros(3).expect("memory");
        group.throughput(Throughput::Elements(BATCH as u64));
        group.bench_function(BenchmarkId::new("at", modes), |bencher| {
            bencher.iter(|| method.step(&mut chip, &batch, 1e-3, &mut tally).expect("sizes fit"));
        });
    }
    group.finish();
}

criterion_group!(benches, step);
criterion_main!(benches);
