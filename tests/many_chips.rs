//! Many chips at once: on every engine what each of them is alone, and on a GPU in a few dispatches.

use at_core::cpu::Cpu;
use at_core::engine::{Loss, Normalization};
use at_core::fabrication::Fabrication;
use at_core::imperfections::{Control, Imperfections};
use at_core::network::{Detection, Network};
use at_core::optics::Activation;
use at_core::population::Examination;
use at_core::propagator::Simulator;
use at_core::training::{Evaluation, Split, initial_controls};
use at_gpu::testing::require_gpu;
use at_gpu::{Gpu, LimitChoice, Selection};
use at_tests::draws::normals;
use at_tests::networks::{coherent, weight_banks};

const CHIPS: u64 = 20;

fn kind() -> Imperfections {
    let control = Control { control_range: 19.0, control_bits: 12, crosstalk: 0.01, ..Control::NONE };
    Imperfections {
        splitter_angle: 0.05,
        phase: 0.1,
        loss_db: 0.2,
        loss_spread_db: 0.1,
        control,
        ..Imperfections::NONE
    }
}

/// All chips as the engine prefers, then one after the other; and what else is asked of them.
fn examined<E: Simulator, R>(engine: &E, network: &Network, more: impl Fn(&Examination<E>) -> R) -> R {
    let samples = 50;
    let signals: Vec<f32> = normals(samples * network.input().width(), 8).into_iter().map(|x| x as f32).collect();
    let labels: Vec<u32> = (0..samples).map(|sample| (sample % network.outputs()) as u32).collect();
    let split = Split::new(engine, &signals, &labels).unwrap();
    let controls = initial_controls(network, 3, &Default::default()).unwrap();
    let loss = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(network.outputs()) };
    more(&Examination { engine, network, controls: &controls, split: &split, loss: &loss })
}

fn chips(network: &Network) -> Vec<Fabrication> {
    (0..CHIPS).map(|seed| kind().fabricate(network, seed).unwrap()).collect()
}

fn all<E: Simulator>(engine: &E, network: &Network) -> Vec<Evaluation> {
    examined(engine, network, |own| own.all(0..CHIPS, |seed| kind().fabricate(network, seed)).unwrap())
}

fn close(got: &[Evaluation], expected: &[Evaluation], tolerance: f64) {
    assert_eq!(got.len(), expected.len());
    for (got, expected) in got.iter().zip(expected) {
        assert_eq!(got.samples, expected.samples);
        assert!((got.loss - expected.loss).abs() < tolerance * expected.loss, "{got:?} for {expected:?}");
        assert!(got.correct.abs_diff(expected.correct) <= 1, "{got:?} for {expected:?}");
    }
}

#[test]
fn threads_change_nothing() {
    for network in [coherent(8, 2, Activation::ELECTRO_OPTIC, Detection::Intensity), weight_banks(&[6, 5, 4])] {
        let engine = Cpu::<f32>::new();
        let one = |own: &Examination<_>| chips(&network).iter().map(|chip| own.one(chip).unwrap()).collect::<Vec<_>>();
        assert_eq!(all(&engine, &network), examined(&engine, &network, one));
    }
}

#[test]
fn a_gpu_carries_twenty_small_chips_in_the_dispatches_of_one() {
    let Some(shared) = require_gpu() else { return };
    let network = coherent(8, 2, Activation::ELECTRO_OPTIC, Detection::Intensity);
    // a device of its own, whose dispatches no other test adds to
    let gpu = Gpu::with_limits(&Selection::Index(shared.adapter().index), LimitChoice::WebGpu).unwrap();
    let counted = |work: &dyn Fn() -> Vec<Evaluation>| {
        let before = gpu.dispatches();
        let result = work();
        (result, gpu.dispatches() - before)
    };
    let (together, few) = counted(&|| all(&gpu, &network));
    let one = |own: &Examination<_>| chips(&network).iter().map(|chip| own.one(chip).unwrap()).collect::<Vec<_>>();
    let (alone, many) = counted(&|| examined(&gpu, &network, one));
    println!("{few} dispatches together, {many} one after the other");
    assert!(15 * few < many, "{few} dispatches together, {many} one after the other");
    close(&together, &alone, 1e-5);
    close(&together, &all(&Cpu::<f64>::new(), &network), 1e-5);
}

#[test]
fn a_gpu_runs_chips_that_do_not_fit_beside_each_other_in_turn() {
    let Some(gpu) = require_gpu() else { return };
    let network = weight_banks(&[6, 5, 4]);
    close(&all(&gpu, &network), &all(&Cpu::<f64>::new(), &network), 1e-5);
}
