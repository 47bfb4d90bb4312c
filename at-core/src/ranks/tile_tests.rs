//! Ranks that share tiles against one rank, and against themselves.

use super::tests::{Ran, assert_near, on_ranks_with, run};
use super::threads::together;
use super::{Place, Ranked, require_tiles, share};
use crate::cpu::Cpu;
use crate::engine::{Engine, Factor, Optimizer};
use crate::fabrication::Fabrication;
use crate::imperfections::{Control, Imperfections};
use crate::network::{Detection, Network, Stage};
use crate::optics::{Activation, Mesh};
use crate::propagator::{Adjoint, Layered, Propagator, Simulator, TapAccess, Tunable};
use crate::tiled::{tiled_singular_value_stages, tiled_stages};
use crate::training::tests::fixture::{CALM, ERRORS, Fixture, settings, suitable};
use crate::training::{Checkpoint, Checkpoints, MethodName};
use crate::{Error, Result};
use std::sync::Arc;

/// Tiles of 2 modes: 4 → 6 of singular-value stages, 6 → 4 of meshes, and one mesh that is no tile.
fn tiles() -> Network {
    let tile = Mesh::rectangular(2).unwrap();
    let mut first = tiled_singular_value_stages(4, 6, &tile).unwrap();
    first.push(Stage::activation(6, Activation::ELECTRO_OPTIC));
    let mut second = tiled_stages(6, 4, &tile).unwrap();
    second.push(Stage::activation(4, Activation::Spm { gain: 0.3 }));
    let last = vec![Stage::Mesh(Mesh::rectangular(4).unwrap()), Stage::detection(4, Detection::Intensity)];
    Network::new(vec![first, second, last]).unwrap()
}

/// Tiled layers alone: one row of tiles, one column of tiles, a block of both.
fn tiles_alone() -> Network {
    let tile = Mesh::triangular(3).unwrap();
    let layer = |inputs, outputs, last| {
        tiled_stages(inputs, outputs, &tile).unwrap().into_iter().chain([last]).collect::<Vec<_>>()
    };
    Network::new(vec![
        layer(12, 3, Stage::activation(3, Activation::ELECTRO_OPTIC)),
        layer(3, 12, Stage::activation(12, Activation::ELECTRO_OPTIC)),
        layer(12, 6, Stage::detection(6, Detection::Intensity)),
    ])
    .unwrap()
}

fn by_tiles(ranks: usize, network: &Network, work: impl Fn(Ranked<Cpu<f64>>) -> Ran + Sync) -> Ran {
    on_ranks_with(ranks, |all| Ranked::by_tiles(Cpu::<f64>::new(), all, network).unwrap(), work)
}

/// The methods that train chips whose tiles are shared.
fn sharing(network: &Network) -> Vec<MethodName> {
    suitable(network).into_iter().filter(|&name| require_tiles(name.facts().unwrap()).is_ok()).collect()
}

#[test]
fn every_method_but_those_that_are_refused_trains_by_tiles_as_on_one_rank_and_repeats_itself_bit_for_bit() {
    for (network, errors) in [(tiles(), ERRORS), (tiles_alone(), CALM)] {
        let methods = sharing(&network);
        let needed = ["ideal", "at", "in-silico", "pat", "pat-output", "dfa", "noise-aware"];
        assert!(needed.iter().all(|needed| methods.iter().any(|name| name.as_str() == *needed)), "{methods:?}");
        assert!(!methods.contains(&MethodName::AtAdaptive));
        for name in methods {
            let settings = crate::training::Settings { batch_size: 9, ..settings(3, 2, 0.05, Optimizer::ADAM) };
            let fixture = |engine| run(&Fixture::new(engine, network.clone(), &errors, settings), name);
            let one = run(&Fixture::new(Cpu::<f64>::new(), network.clone(), &errors, settings), name);
            for ranks in [2, 4] {
                let several = by_tiles(ranks, &network, fixture);
                assert_near(&one, &several, 1e-6, &format!("{name} by tiles on {ranks} ranks"));
                assert_eq!(several, by_tiles(ranks, &network, fixture), "{name} does not repeat itself");
            }
        }
    }
}

#[test]
fn a_rank_holds_its_own_dies_and_nothing_of_others() {
    let network = tiles();
    for ranks in [2, 4] {
        let held = together(ranks, |all| {
            let rank = all.rank();
            let engine = Ranked::by_tiles(Cpu::<f64>::new(), all, &network).unwrap();
            let [held, alone] = engine.controls(&network);
            let fixture = Fixture::new(engine, network.clone(), &CALM, settings(3, 1, 0.05, Optimizer::ADAM));
            let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::At));
            fixture.trainer().run(&mut chip, &mut *method, None, None, &mut ()).unwrap();
            for (name, own) in method.parameters() {
                for vector in [&own.values].into_iter().chain(&own.memory.moments) {
                    assert_eq!((vector.values.len(), vector.place()), (held, Place::Tiles), "{name} of rank {rank}");
                }
            }
            let expected: usize = (network.stages())
                .filter_map(|stage| match stage {
                    Stage::Mesh(mesh) if mesh.dies() > 1 => {
                        Some(share(mesh.dies(), rank, ranks).len() * mesh.controls() / mesh.dies())
                    }
                    Stage::Attenuators(own) => Some(share(6, rank, ranks).len() * own.inputs / 6),
                    _ => None,
                })
                .sum();
            assert_eq!(alone, expected);
            (held, alone)
        });
        let everywhere = held[0].0 - held[0].1;
        assert!(held.iter().all(|(held, alone)| held - alone == everywhere));
        assert_eq!(everywhere, 4 * 4 + 1, "a mesh that is no tile, and the gain of the attenuators");
        assert_eq!(held.iter().map(|(_, alone)| alone).sum::<usize>() + everywhere, network.controls());
    }
}

/// What one pass through a network gives: readout, taps, gradient, and the gradient and error of each layer.
fn pass<E: Simulator>(engine: &E, network: &Network, fabrication: &Fabrication) -> Vec<Vec<f64>> {
    let batch = 5;
    let wave = |len: usize, by: f64| (0..len).map(|k| (by * k as f64 + 0.3).sin()).collect::<Vec<f64>>();
    let mut model = engine.build(network, fabrication).unwrap();
    model.program(&engine.upload(&wave(network.controls(), 0.9)).unwrap()).unwrap();
    model.program(&engine.upload(&wave(network.controls(), 0.7)).unwrap()).unwrap();
    let fields = engine.upload(&wave(batch * model.inputs(), 0.31)).unwrap();
    let widths: Vec<usize> = (0..model.layers()).map(|layer| model.layer_outputs(layer)).collect();
    let room = |width: usize| engine.zeros((batch + 2) * width).unwrap();
    let (hidden, last) = (widths.len() - 1, widths[widths.len() - 1]);
    let (mut taps, mut readout): (Vec<_>, _) =
        (widths[..hidden].iter().map(|&width| room(width)).collect(), room(last));
    model.propagate_tapped(&fields, batch, &mut taps, &mut readout).unwrap();
    let down = |buffer: &E::Buffer, width: usize| engine.download(buffer).unwrap()[..batch * width].to_vec();
    let mut given = vec![down(&readout, last)];
    given.extend(taps.iter().zip(&widths).map(|(tap, &width)| down(tap, width)));
    let (mut trace, mut gradient) = (model.trace(batch + 1).unwrap(), engine.zeros(network.controls()).unwrap());
    let mut recorded = room(last);
    model.record(&fields, batch, &mut trace, &mut recorded).unwrap();
    let error = engine.upload(&wave(batch * last, 1.1)).unwrap();
    model.backpropagate(&trace, &error, &mut gradient).unwrap();
    given.extend([down(&recorded, last), engine.download(&gradient).unwrap()]);
    let mut of_layers = engine.zeros(network.controls()).unwrap();
    for layer in 0..widths.len() {
        let (input, width) = if layer == 0 { (&fields, model.inputs()) } else { (&taps[layer - 1], widths[layer - 1]) };
        model.record_layer(layer, input, batch, &mut trace).unwrap();
        let (mut output, mut back) = (room(widths[layer]), room(width));
        model.recorded_output(layer, &trace, &mut output).unwrap();
        let error = engine.upload(&wave(batch * widths[layer], 1.7)).unwrap();
        model.backpropagate_layer(layer, &trace, &error, Some(&mut back), &mut of_layers).unwrap();
        given.extend([down(&output, widths[layer]), down(&back, width)]);
    }
    given.push(engine.download(&of_layers).unwrap());
    given
}

#[test]
fn light_and_gradients_of_shared_tiles_are_those_of_the_whole() {
    let errors = Imperfections {
        control: Control { control_range: 7.0, heater_spread: 0.1, crosstalk: 0.02, ..Control::NONE },
        perturbation: 0.1,
        ..CALM
    };
    for (network, errors) in [(tiles(), CALM), (tiles_alone(), errors)] {
        let fabrication = errors.fabricate(&network, 5).unwrap();
        let one = pass(&Cpu::<f64>::new(), &network, &fabrication);
        for ranks in [2, 3, 4] {
            let several = together(ranks, |all| {
                pass(&Ranked::by_tiles(Cpu::<f64>::new(), all, &network).unwrap(), &network, &fabrication)
            });
            for (step, (own, one)) in several.iter().flat_map(|own| own.iter().zip(&one).enumerate()) {
                assert_eq!(own.len(), one.len());
                let near = |(a, b): (&f64, &f64)| (a - b).abs() < 1e-12 * (1.0 + b.abs());
                assert!(own.iter().zip(one).all(near), "vector {step} on {ranks} ranks: {own:?} {one:?}");
            }
        }
    }
}

#[test]
fn a_layer_is_two_sums_over_the_ranks_and_the_last_way_back_is_none() {
    let network = tiles_alone();
    let traffic = together(2, |all| {
        let engine = Ranked::by_tiles(Cpu::<f64>::new(), all, &network).unwrap();
        let mut model = engine.build(&network, &Fabrication::ideal()).unwrap();
        model.program(&engine.upload(&vec![0.1; network.controls()]).unwrap()).unwrap();
        let mut trace = model.trace(5).unwrap();
        let (mut readout, mut gradient) = (engine.zeros(30).unwrap(), engine.zeros(network.controls()).unwrap());
        model.record(&engine.upload(&vec![0.5; 120]).unwrap(), 5, &mut trace, &mut readout).unwrap();
        let forward = engine.traffic();
        assert_eq!((forward.operations, forward.values), (3, 5 * 2 * (3 + 12 + 6)));
        model.backpropagate(&trace, &readout, &mut gradient).unwrap();
        assert_eq!((readout.place(), gradient.place()), (Place::Whole, Place::Tiles));
        engine.traffic()
    });
    let back = 5 * 2 * (12 + 3);
    assert!(traffic.iter().all(|own| (own.operations, own.values) == (5, 5 * 2 * 21 + back)), "{traffic:?}");
}

#[test]
fn a_vector_that_happens_to_be_as_long_as_the_controls_means_the_same() {
    let network = tiles_alone();
    let (len, width) = (network.controls(), network.input().width());
    let samples = len / width;
    assert_eq!(samples * width, len, "a batch of as many values");
    let values: Vec<f64> = (0..len).map(|k| (0.7 * k as f64).sin()).collect();
    fn all_ways<E: Simulator>(engine: &E, network: &Network, values: &[f64], samples: usize) -> Vec<Vec<f64>> {
        let width = network.input().width();
        let mut model = engine.build(network, &Fabrication::ideal()).unwrap();
        model.program(&engine.upload(values).unwrap()).unwrap();
        let mut readout = engine.zeros(samples * model.outputs()).unwrap();
        model.propagate(&engine.upload(values).unwrap(), samples, &mut readout).unwrap();
        let order: Vec<u32> = (0..samples as u32).rev().collect();
        let mut turned = engine.zeros(values.len()).unwrap();
        let (source, order) = (engine.upload(values).unwrap(), engine.upload_indices(&order).unwrap());
        engine.gather(&source, width, &order, 0, samples, &mut turned).unwrap();
        let mut sum = engine.upload(values).unwrap();
        engine.combine(0.5, &turned, 2.0, &mut sum).unwrap();
        engine.multiply(&source, &mut turned).unwrap();
        let mut product = engine.zeros(values.len()).unwrap();
        let square = engine.upload(&vec![0.3; width * width]).unwrap();
        let factors = (Factor::plain(&source), Factor::plain(&square));
        engine.product([samples, width, width], factors.0, factors.1, &mut product).unwrap();
        [readout, turned, sum, product].iter().map(|buffer| engine.download(buffer).unwrap()).collect()
    }
    let one = all_ways(&Cpu::<f64>::new(), &network, &values, samples);
    let by_tiles = |all| Ranked::by_tiles(Cpu::<f64>::new(), all, &network).unwrap();
    for several in together(3, |all| all_ways(&by_tiles(all), &network, &values, samples)) {
        for (one, several) in one.iter().flatten().zip(several.iter().flatten()) {
            assert!((one - several).abs() < 1e-13, "{one} {several}");
        }
    }
}

#[test]
fn a_run_by_tiles_goes_on_to_the_same_bits_and_one_rank_keeps_it() {
    let folder = tempfile::tempdir().unwrap();
    let (path, network) = (folder.path().join("at.safetensors"), tiles());
    let trained = |all: Arc<dyn super::Collective>, epochs, resume: Option<&Checkpoint>| -> Result<Ran> {
        let first = all.rank() == 0;
        let engine = Ranked::by_tiles(Cpu::<f32>::new(), all, &network)?;
        let mut fixture = Fixture::new(engine, network.clone(), &ERRORS, settings(3, 4, 0.05, Optimizer::ADAM));
        fixture.settings.epochs = epochs;
        let (mut chip, mut method) = (fixture.chip(), fixture.method(MethodName::At));
        let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &fixture.network };
        let outcome = fixture.trainer().run(&mut chip, &mut *method, resume, first.then_some(to), &mut ())?;
        Ok((outcome, fixture.engine.download(method.controls())?))
    };
    let whole = together(2, |all| trained(all, 4, None).unwrap());
    assert_eq!(whole[0], whole[1]);
    assert_eq!(Checkpoint::open(&path).unwrap().controls().unwrap(), whole[0].1);
    std::fs::remove_file(&path).unwrap();
    together(2, |all| trained(all, 2, None).unwrap());
    let half = Checkpoint::open(&path).unwrap();
    let resumed = together(2, |all| trained(all, 4, Some(&half)).unwrap());
    assert_eq!((&resumed[0].1, &resumed[0].0.records), (&whole[0].1, &whole[0].0.records));
}

#[test]
fn what_cannot_be_shared_by_tiles_is_refused_by_name() {
    let refused = |done: Result<()>, parts: &[&str]| match done {
        Err(Error::Unsupported { what, instead }) => {
            let text = format!("{what}; {instead}");
            assert!(parts.iter().all(|part| text.contains(part)), "{text}");
        }
        Ok(()) | Err(_) => panic!("{parts:?}: {done:?}"),
    };
    for (name, part) in [("at-adaptive", "estimates"), ("in-situ", "lights single meshes"), ("dat-internal", "powers")]
    {
        refused(require_tiles(MethodName::new(name).facts().unwrap()), &[name, part, "share batches"]);
    }
    let network = tiles();
    let seven = together(7, |all| Ranked::by_tiles(Cpu::<f64>::new(), all, &network).map(drop));
    seven.into_iter().for_each(|done| refused(done, &["6 tiles at most", "7 ranks"]));
    together(2, |all| {
        let engine = Ranked::by_tiles(Cpu::<f64>::new(), all, &network).unwrap();
        let mut model = engine.build(&network, &Fabrication::ideal()).unwrap();
        let estimate = engine.zeros(model.imperfections()).unwrap();
        refused(model.set_imperfections(&estimate), &["imperfections", "tiles are shared"]);
        let warm = Imperfections { control: Control { crosstalk: 0.02, ..Control::NONE }, ..CALM };
        let warm = warm.fabricate(&network, 5).unwrap();
        refused(engine.build(&network, &warm).map(drop), &["crosstalk between attenuators"]);
    });
}
