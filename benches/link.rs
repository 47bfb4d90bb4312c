//! What a link costs: a batch of 500 through a chip of 64 modes, in this program and over the loopback.

use at_benches::{chip_errors, single_mesh};
use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use at_core::link::{Access, Link, Outside, Simulated, Transport, serve};
use at_core::network::Network;
use at_core::propagator::Propagator;
use criterion::{Criterion, criterion_group, criterion_main};
use std::io::{BufReader, BufWriter};
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

const BATCH: usize = 500;
const MODES: usize = 64;

fn chip(network: &Network) -> Chip<Cpu<f32>> {
    let fabrication = chip_errors().fabricate(network, 1).expect("a possible chip");
    Chip::new(&Cpu::new(), network, &fabrication).expect("a possible chip")
}

/// The same chip behind a link.
fn outside(network: &Network) -> Outside<Cpu<f32>> {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address").to_string();
    let own = network.clone();
    thread::spawn(move || {
        let (stream, _) = listener.accept().expect("a connection");
        stream.set_nodelay(true).expect("a connection");
        let mut chip = Simulated::new(&Cpu::new(), &own, chip(&own), "chip", &[Access::Output]);
        let (from, to) = (stream.try_clone().expect("a connection"), stream);
        serve(&mut BufReader::new(from), &mut BufWriter::new(to), &mut chip).expect("a link");
    });
    let patience = Duration::from_secs(60);
    let link = Link::open(Transport::tcp(&address, patience).expect("a driver"), patience).expect("a driver");
    Outside::new(&Cpu::new(), network, link).expect("its network")
}

fn batch(criterion: &mut Criterion) {
    fn run(
        group: &mut criterion::BenchmarkGroup<criterion::measurement::WallTime>,
        name: &str,
        mut chip: impl Propagator<Engine = Cpu<f32>>,
    ) {
        let engine = Cpu::<f32>::new();
        let fields = engine.upload(&vec![0.1f32; BATCH * 2 * MODES]).expect("memory");
        let mut readout = engine.zeros(BATCH * MODES).expect("memory");
        let controls = engine.upload(&vec![1.0f32; chip.controls()]).expect("memory");
        chip.program(&controls).expect("a chip");
        group.bench_function(name, |bencher| {
            bencher.iter(|| chip.propagate(&fields, BATCH, &mut readout).expect("a chip"));
        });
    }
    let network = single_mesh(MODES);
    let mut group = criterion.benchmark_group("link");
    run(&mut group, "inside", chip(&network));
    run(&mut group, "loopback", outside(&network));
    group.finish();
}

criterion_group!(benches, batch);
criterion_main!(benches);
