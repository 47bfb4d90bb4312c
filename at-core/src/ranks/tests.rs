//! Ranks against one rank, and against themselves.

use super::threads::together;
use super::{Collective, Place, Ranked, share};
use crate::cpu::Cpu;
use crate::engine::{Engine, Factor, LossKind, Optimizer};
use crate::imperfections::Imperfections;
use crate::network::Network;
use crate::propagator::{Adjoint, Propagator, Simulator};
use crate::training::tests::fixture::{
    CALM, ERRORS, Fixture, clouds, looped_banks, looped_meshes, matrices, meshes, one_mesh, settings, singular_values,
    suitable, weight_banks,
};
use crate::training::tests::meshes_inside::normalised;
use crate::training::{Checkpoint, Checkpoints, MethodName, Outcome, Score, Settings, Split, methods};
use crate::{Error, Result};
use rayon::prelude::*;
use std::sync::Arc;

/// What a run gives: its outcome and its controls.
pub(super) type Ran = (Outcome, Vec<f64>);

pub(super) fn run<E: Simulator>(fixture: &Fixture<E>, name: MethodName) -> Ran {
    let mut chip = fixture.chip();
    let mut method = fixture.metered_method(name, crate::chip::Physical::meter(&chip));
    let outcome = fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
    (outcome, fixture.engine.download(method.controls()).unwrap())
}

/// The same on so many ranks, of which all give the same.
fn on_ranks(ranks: usize, work: impl Fn(Ranked<Cpu<f64>>) -> Ran + Sync) -> Ran {
    on_ranks_with(ranks, |all| Ranked::new(Cpu::<f64>::new(), all), work)
}

/// The same with the engine that a rank has.
pub(super) fn on_ranks_with(
    ranks: usize,
    engine: impl Fn(Arc<dyn Collective>) -> Ranked<Cpu<f64>> + Sync,
    work: impl Fn(Ranked<Cpu<f64>>) -> Ran + Sync,
) -> Ran {
    let mut all = together(ranks, |collective| work(engine(collective)));
    let first = all.swap_remove(0);
    all.iter().for_each(|other| assert_eq!(*other, first, "a rank went its own way"));
    first
}

fn near(one: f64, other: f64, tolerance: f64) -> bool {
    (one - other).abs() <= tolerance * (1.0 + one.abs())
}

pub(super) fn assert_near(one: &Ran, other: &Ran, tolerance: f64, what: &str) {
    let (outcome, controls) = one;
    let (others, other_controls) = other;
    for (one, other) in outcome.records.iter().zip(&others.records) {
        assert!(near(one.train_loss, other.train_loss, tolerance), "{what}: {one:?} {other:?}");
        assert!(near(one.test_loss, other.test_loss, tolerance), "{what}: {one:?} {other:?}");
        assert_eq!((one.test_score, one.accesses), (other.test_score, other.accesses), "{what}");
    }
    assert_eq!((outcome.records.len(), outcome.accesses), (others.records.len(), others.accesses), "{what}");
    // of two losses that agree but for the last digits, this method may take the other one
    if outcome.records.iter().any(|record| record.method == MethodName::Coordinate) {
        return;
    }
    for (index, (one, other)) in controls.iter().zip(other_controls).enumerate() {
        assert!(near(*one, *other, tolerance), "{what}: control {index} is {one} and {other}");
    }
}

#[test]
fn shares_follow_on_one_another_and_are_even() {
    for (count, ranks) in [(0, 3), (1, 3), (10, 4), (47, 2), (usize::MAX, 7)] {
        let shares: Vec<_> = (0..ranks).map(|rank| share(count, rank, ranks)).collect();
        assert_eq!((shares[0].start, shares[ranks - 1].end), (0, count));
        assert!(shares.windows(2).all(|pair| pair[0].end == pair[1].start));
        assert!(shares.iter().all(|own| own.len() - count / ranks <= 1));
    }
}

#[test]
fn sums_are_taken_in_the_order_of_ranks_whatever_their_length() {
    // in another order these give something else
    let of_rank = |rank: usize| [1e16, 1.0, -1e16, 1.0][rank];
    let expected = ((1e16 + 1.0) - 1e16) + 1.0;
    assert_ne!(expected, ((1.0 + 1.0) + 1e16) - 1e16);
    for len in [0, 1, 3, 256, 257, 1001] {
        for sums in together(4, |all| {
            let mut values: Vec<f64> = (0..len).map(|k| of_rank(all.rank()) * f64::from(k as u32 % 2 + 1)).collect();
            all.sum(&mut values).unwrap();
            values
        }) {
            assert!(sums.len() == len && sums.iter().enumerate().all(|(k, &sum)| sum == expected * (k % 2 + 1) as f64));
        }
    }
    let told = together(3, |all| {
        let mut bytes = if all.rank() == 0 { b"from the first".to_vec() } else { Vec::new() };
        all.broadcast(&mut bytes).unwrap();
        all.barrier().unwrap();
        bytes
    });
    assert!(told.iter().all(|bytes| bytes == b"from the first"));
}

#[test]
fn nobody_waits_for_a_rank_that_has_ended() {
    let errors = together(3, |all| match all.rank() {
        1 => None,
        _ => all.barrier().err(),
    });
    for error in [&errors[0], &errors[2]] {
        assert!(error.as_ref().unwrap().to_string().contains("rank 1 has ended"), "{error:?}");
    }
}

#[test]
fn ranks_that_are_begun_on_every_thread_of_the_pool_come_to_an_end() {
    let (done, ended) = std::sync::mpsc::channel();
    std::thread::spawn(move || {
        let summed = |all: Arc<dyn Collective>| {
            let own: f64 = (0..1000).into_par_iter().map(f64::from).sum();
            let mut sum = [own];
            all.sum(&mut sum).unwrap();
            sum[0]
        };
        done.send(rayon::broadcast(|_| together(2, summed))).unwrap();
    });
    let sums = ended.recv_timeout(std::time::Duration::from_secs(100)).expect("no end");
    assert!(sums.iter().all(|both| both == &[999_000.0; 2]), "{sums:?}");
}

fn trains_as_one(networks: impl IntoIterator<Item = (Network, Imperfections)>, tolerance: impl Fn(MethodName) -> f64) {
    for (network, errors) in networks {
        for name in suitable(&network) {
            let settings = Settings { batch_size: 9, ..settings(3, 2, 0.05, Optimizer::ADAM) };
            let one = run(&Fixture::new(Cpu::<f64>::new(), network.clone(), &errors, settings), name);
            let on =
                |ranks| on_ranks(ranks, |engine| run(&Fixture::new(engine, network.clone(), &errors, settings), name));
            for ranks in [2, 3] {
                let several = on(ranks);
                assert_near(&one, &several, tolerance(name), &format!("{name} on {ranks} ranks"));
                assert_eq!(several, on(ranks), "{name} does not repeat itself");
            }
        }
    }
}

/// Every method on every kind of network, with batches that do not divide evenly and a last one smaller than the number of ranks.
#[test]
fn every_method_trains_on_ranks_as_on_one_and_repeats_itself_bit_for_bit() {
    let networks = [one_mesh(4), meshes(4), weight_banks(&[4, 6, 3]), matrices(&[4, 6, 3])];
    let trained: Vec<MethodName> = networks.iter().chain([&singular_values()]).flat_map(suitable).collect();
    let left_out: Vec<_> = MethodName::ALL.iter().filter(|name| !trained.contains(name)).collect();
    assert!(left_out.is_empty(), "{left_out:?} are trained on no ranks");
    trains_as_one(networks.into_iter().zip([CALM, ERRORS, ERRORS, CALM]), |_| 1e-6);
    // singular values are measured for two epochs, in which what an estimate's Adam makes of slopes that vanish but for rounding grows
    let tolerance = |name| if name == MethodName::AtAdaptive { 1e-4 } else { 1e-6 };
    trains_as_one([(singular_values(), CALM)], tolerance);
}

/// Rows of patches are cut among ranks where no sample begins, too.
#[test]
fn meshes_inside_convolutions_are_lit_on_ranks_as_on_one() {
    for name in [MethodName::Subspace, MethodName::InSitu, MethodName::Ffm] {
        let settings = Settings { batch_size: 9, ..settings(3, 2, 0.05, Optimizer::ADAM) };
        let one = run(&Fixture::new(Cpu::<f64>::new(), normalised(), &CALM, settings), name);
        for ranks in [2, 3] {
            let several = on_ranks(ranks, |engine| run(&Fixture::new(engine, normalised(), &CALM, settings), name));
            assert_near(&one, &several, 1e-6, &format!("{name} on {ranks} ranks"));
        }
    }
}

#[test]
fn networks_that_are_crossed_again_train_on_ranks_as_on_one() {
    // what an estimate's Adam makes of slopes that vanish but for rounding is a little more on the longer way, and what guides that are nearly
    // parallel make of it is 2.6e-5
    let tolerance = |name| if name == MethodName::Guided { 1e-4 } else { 1e-5 };
    trains_as_one([(looped_banks(), ERRORS), (looped_meshes(4), CALM)], tolerance);
}

#[test]
fn ranks_without_a_sample_do_nothing_and_count() {
    // The last of five batches of 11 has 3 samples for 4 ranks. What an estimate's Adam makes of slopes that vanish but for rounding grows
    // by ten from epoch to epoch, hence one.
    let adaptive = (MethodName::AtAdaptive, 1, 1e-6);
    let others = [MethodName::At, MethodName::Dfa, MethodName::Pat].map(|name| (name, 3, 1e-8));
    for (name, epochs, tolerance) in others.into_iter().chain([adaptive]) {
        let settings = Settings { batch_size: 11, ..settings(3, epochs, 0.05, Optimizer::Sgd) };
        let one = run(&Fixture::new(Cpu::<f64>::new(), meshes(4), &ERRORS, settings), name);
        let several = on_ranks(4, |engine| run(&Fixture::new(engine, meshes(4), &ERRORS, settings), name));
        assert_near(&one, &several, tolerance, name.as_str());
    }
    // where nothing is measured with probes, the batches alone move the estimate
    let settings = Settings { batch_size: 11, ..settings(3, 3, 0.05, Optimizer::Sgd) };
    fn unmeasured<E: Simulator>(engine: E, settings: Settings) -> Ran {
        let mut fixture = Fixture::new(engine, meshes(4), &ERRORS, settings);
        fixture.options.estimation.measuring_steps = Some(0);
        run(&fixture, MethodName::AtAdaptive)
    }
    let several = on_ranks(4, |engine| unmeasured(engine, settings));
    assert_near(&unmeasured(Cpu::<f64>::new(), settings), &several, 1e-8, "at-adaptive that measures nothing");
}

#[test]
fn real_targets_are_met_on_ranks_too() {
    fn targets<E: Simulator>(engine: E) -> Ran {
        let mut settings = settings(2, 3, 0.05, Optimizer::ADAM);
        settings.loss.kind = LossKind::MeanSquare;
        let mut fixture = Fixture::new(engine, matrices(&[4, 6, 2]), &ERRORS, settings);
        let split = |samples, seed| {
            let signals = clouds(4, 2, samples, seed).0;
            let values: Vec<f32> = signals.chunks(4).flat_map(|x| [x[0] - x[1], 0.5 * x[2]]).collect();
            Split::of_values(&fixture.engine, &signals, &values, 2, Score::MeanSquareError).unwrap()
        };
        (fixture.train, fixture.test) = (split(47, 20), split(30, 21));
        let (mut outcome, controls) = run(&fixture, MethodName::At);
        // sums of squares differ in the last digits
        outcome.records.iter_mut().for_each(|record| {
            record.test_score = (record.test_score * 1e6).round();
            record.train_score = 0.0;
        });
        (outcome, controls)
    }
    assert_near(&targets(Cpu::<f64>::new()), &on_ranks(3, targets), 1e-9, "real targets");
}

#[test]
fn a_run_on_ranks_goes_on_to_the_same_bits_and_on_as_many_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = |rank: usize| folder.path().join(format!("{rank}.safetensors"));
    let trained = |collective: Arc<dyn Collective>, epochs, resume: Option<&Checkpoint>| -> Result<Ran> {
        let path = path(collective.rank());
        let engine = Ranked::new(Cpu::<f32>::new(), collective);
        let mut fixture = Fixture::new(engine, meshes(4), &ERRORS, settings(3, 4, 0.05, Optimizer::ADAM));
        fixture.settings.epochs = epochs;
        let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::AtAdaptive));
        let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &fixture.network };
        let outcome = fixture.trainer().run(&mut chip, &mut *method, resume, Some(to), &mut ())?;
        Ok((outcome, fixture.engine.download(method.controls())?))
    };
    let whole = together(2, |all| trained(all, 4, None).unwrap());
    assert_eq!(whole[0], whole[1]);
    together(2, |all| trained(all, 2, None).unwrap());
    let half = Checkpoint::open(&path(0)).unwrap();
    assert_eq!((half.epoch, half.ranks), (2, 2));
    let resumed = together(2, |all| trained(all, 4, Some(&half)).unwrap());
    assert_eq!(resumed[0].1, whole[0].1);
    assert_eq!(resumed[0].0.records, whole[0].0.records);
    for ranks in [1, 3] {
        let error = together(ranks, |all| trained(all, 4, Some(&half)).unwrap_err()).remove(0);
        assert!(
            matches!(&error, Error::Invalid { name: "ranks", reason, .. } if reason.contains("begun on 2")),
            "{error}"
        );
    }
}

#[test]
fn a_fleet_trains_on_ranks_as_on_one() {
    fn fleet<E: Simulator>(engine: E) -> Ran {
        let fixture = Fixture::new(engine, meshes(4), &CALM, settings(3, 2, 0.05, Optimizer::ADAM));
        let Fixture { engine, network, initial, settings, options, .. } = &fixture;
        let (mut chips, meter) = (vec![fixture.chip(), fixture.chip()], crate::chip::Meter::default());
        let mut fleet = methods::build_fleet(engine, network, 2, initial, settings, options, &meter).unwrap();
        let mut outcomes = fixture.trainer().run_fleet(&mut chips, &mut fleet, None, None, &mut ()).unwrap();
        (outcomes.swap_remove(1), engine.download(fleet.controls(1)).unwrap())
    }
    assert_near(&fleet(Cpu::<f64>::new()), &on_ranks(2, fleet), 1e-9, "fleet");
}

#[test]
fn vectors_that_lie_differently_mean_what_they_mean_on_one_rank() {
    fn all_ways<E: Engine>(engine: &E) -> Vec<Vec<f64>> {
        let values = |len: usize, by: f64| -> Vec<f64> { (0..len).map(|k| (by * k as f64).sin()).collect() };
        let up = |values: Vec<f64>| engine.upload(&values).unwrap();
        let down = |buffer: &E::Buffer| engine.download(buffer).unwrap();
        let rows = || {
            let (order, mut target) = (engine.upload_indices(&[4, 0, 3, 1, 2]).unwrap(), engine.zeros(15).unwrap());
            engine.gather(&up(values(15, 0.7)), 3, &order, 0, 5, &mut target).unwrap();
            target
        };
        let mut given = vec![down(&rows())];
        let mut y = up(values(15, 0.3));
        engine.combine(2.0, &rows(), 0.5, &mut y).unwrap();
        given.push(down(&y));
        let mut y = rows();
        engine.combine(2.0, &up(values(15, 0.3)), 0.5, &mut y).unwrap();
        engine.multiply(&up(values(15, 0.9)), &mut y).unwrap();
        given.push(down(&y));
        let mut y = rows();
        let mut five = engine.zeros(15).unwrap();
        let order = engine.upload_indices(&[0, 1, 2]).unwrap();
        engine.gather(&up(values(15, 0.2)), 5, &order, 0, 3, &mut five).unwrap();
        engine.combine(1.0, &five, 1.0, &mut y).unwrap();
        given.push(down(&y));
        let mut y = engine.zeros(10).unwrap();
        engine.product([5, 3, 2], Factor::plain(&rows()), Factor::plain(&up(values(6, 0.4))), &mut y).unwrap();
        given.push(down(&y));
        let mut y = engine.zeros(9).unwrap();
        engine.product([3, 5, 3], Factor::transposed(&rows()), Factor::plain(&rows()), &mut y).unwrap();
        given.push(down(&y));
        given
    }
    let one = all_ways(&Cpu::<f64>::new());
    for ranks in [2, 4, 7] {
        for several in together(ranks, |all| all_ways(&Ranked::new(Cpu::<f64>::new(), all))) {
            for (one, several) in one.iter().flatten().zip(several.iter().flatten()) {
                assert!((one - several).abs() < 1e-14, "{one} {several} on {ranks} ranks");
            }
        }
    }
}

#[test]
fn gradients_are_summed_and_light_stays_where_it_is() {
    let network = meshes(4);
    let traffic = together(2, |all| {
        let engine = Ranked::new(Cpu::<f64>::new(), all);
        let mut model = engine.build(&network, &crate::fabrication::Fabrication::ideal()).unwrap();
        model.program(&engine.upload(&vec![0.1; network.controls()]).unwrap()).unwrap();
        let mut trace = model.trace(6).unwrap();
        let (mut readout, mut gradient) = (engine.zeros(24).unwrap(), engine.zeros(network.controls()).unwrap());
        model.record(&engine.upload(&vec![0.5; 48]).unwrap(), 6, &mut trace, &mut readout).unwrap();
        assert_eq!((readout.place(), engine.traffic().operations), (Place::Rows { batch: 6, width: 4 }, 0));
        model.backpropagate(&trace, &readout, &mut gradient).unwrap();
        assert_eq!(gradient.place(), Place::Whole);
        engine.traffic()
    });
    assert!(traffic.iter().all(|own| (own.operations, own.values) == (1, network.controls() as u64)), "{traffic:?}");
}

#[test]
fn ranks_whose_controls_part_are_told() {
    let errors = together(3, |all| {
        let rank = all.rank();
        let engine = Ranked::new(Cpu::<f32>::new(), all);
        engine.require_same("controls", &engine.upload(&[0.1, 0.2]).unwrap()).unwrap();
        assert!(!engine.agree(rank > 0).unwrap() && engine.agree(rank == 0).unwrap());
        let own = engine.upload(&[0.1, if rank == 2 { 0.2 + 1e-7 } else { 0.2 }]).unwrap();
        engine.require_same("controls", &own).unwrap_err().to_string()
    });
    assert!(errors.iter().all(|error| error.contains("controls of rank 2 have other bits")), "{errors:?}");
}
