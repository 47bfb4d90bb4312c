//! A batch through one mesh whose controls stay: the evaluation of a trained chip. And the programming of new controls.

use at_benches::{BATCH, MODES, Pass, chip_errors, mzis, single_mesh};
use at_core::imperfections::Imperfections;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn propagate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("propagate");
    group.sample_size(10);
    for modes in MODES {
        let network = single_mesh(modes);
        group.throughput(Throughput::Elements(BATCH as u64));
        for (name, errors) in [("ideal", Imperfections::default()), ("chip", chip_errors())] {
            let mut pass = Pass::new(&network, &errors, BATCH);
            group.bench_function(BenchmarkId::new(name, modes), |bencher| bencher.iter(|| pass.propagate()));
        }
    }
    group.finish();
}

fn program(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("program");
    group.sample_size(10);
    for modes in MODES {
        let network = single_mesh(modes);
        let mut pass = Pass::new(&network, &Imperfections::default(), 1);
        group.throughput(Throughput::Elements(mzis(&network) as u64));
        group.bench_function(BenchmarkId::new("ideal", modes), |bencher| bencher.iter(|| pass.program()));
    }
    group.finish();
}

criterion_group!(benches, propagate, program);
criterion_main!(benches);
