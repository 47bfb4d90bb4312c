//! Controls to gradient: programming, one recorded pass and one backward pass of one mesh: what a digital model costs per
//! step, and the case that is compared with other simulators (`peers/mesh.py`).

use at_benches::{BATCH, MODES, Pass, chip_errors, single_mesh};
use at_core::imperfections::Imperfections;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

fn backpropagate(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("backpropagate");
    group.sample_size(10);
    for modes in MODES {
        let network = single_mesh(modes);
        group.throughput(Throughput::Elements(BATCH as u64));
        for (name, errors) in [("ideal", Imperfections::default()), ("chip", chip_errors())] {
            let mut pass = Pass::new(&network, &errors, BATCH);
            group.bench_function(BenchmarkId::new(name, modes), |bencher| bencher.iter(|| pass.gradient()));
        }
    }
    group.finish();
}

criterion_group!(benches, backpropagate);
criterion_main!(benches);
