//! Training over a link is training, to the bit.

use super::{PATIENCE, link_to, served};
use crate::chip::Physical;
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::link::{Access, Driven, Outside, Simulated, serve};
use crate::network::Network;
use crate::training::methods::{Reachable, build};
use crate::training::tests::fixture::{CALM, ERRORS, Fixture, meshes, settings, weight_banks};
use crate::training::{Checkpoint, Checkpoints, MethodName, Outcome};
use std::io::BufReader;

type Engine = Cpu<f32>;

const ALL: [Access; 4] = [Access::Output, Access::Taps, Access::Layers, Access::State];

fn fixture(network: Network, errors: &Imperfections) -> Fixture<Engine> {
    Fixture::new(Cpu::new(), network, errors, settings(3, 3, 0.01, Optimizer::ADAM))
}

fn simulated(network: Network, errors: &Imperfections) -> Simulated<Engine> {
    let fixture = fixture(network, errors);
    Simulated::new(&fixture.engine, &fixture.network, fixture.chip(), "fixture", &ALL)
}

/// The chip of [`fixture`] behind a link, fabricated anew.
fn outside(network: &Network, errors: &'static Imperfections) -> Outside<Engine> {
    let own = network.clone();
    let link = served(move || {
        let mut chip = simulated(own, errors);
        Box::new(move |from, to| serve(from, to, &mut chip).unwrap())
    });
    Outside::new(&Cpu::new(), network, link).unwrap()
}

/// How a training ends, and the controls and whatever else was trained.
fn trained<C: Reachable<Engine = Engine> + Physical + 'static>(
    fixture: &Fixture<Engine>,
    chip: &mut C,
    name: MethodName,
    resume: Option<&Checkpoint>,
    to: Option<Checkpoints<'_>>,
) -> crate::Result<(Outcome, Vec<Vec<f32>>)> {
    let Fixture { engine, network, fabrication, initial, settings, options, .. } = fixture;
    let mut method = build(name, engine, network, fabrication, initial, settings, options, chip.meter())?;
    let outcome = fixture.trainer().run(chip, &mut *method, resume, to, &mut ())?;
    Ok((outcome, method.parameters().into_iter().map(|(_, own)| own.values.clone()).collect()))
}

#[test]
fn a_chip_behind_a_link_trains_to_the_same_numbers_as_the_chip_inside() {
    let methods = [
        MethodName::At,
        MethodName::AtAdaptive,
        MethodName::PatOutput,
        MethodName::Spsa,
        MethodName::Coordinate,
        MethodName::Dfa,
        MethodName::Pat,
        MethodName::InSilico,
    ];
    for (network, errors) in [(meshes(4), &ERRORS), (weight_banks(&[5, 4, 3]), &ERRORS), (meshes(5), &CALM)] {
        for name in methods {
            let fixture = fixture(network.clone(), errors);
            let inside = trained(&fixture, &mut fixture.chip(), name, None, None).unwrap();
            let mut chip = outside(&network, errors);
            let linked = trained(&fixture, &mut chip, name, None, None).unwrap();
            assert_eq!(linked, inside, "{name} on {} layers", network.layers().len());
            assert!(chip.times().batches > 0, "{name} sent nothing");
        }
    }
}

#[test]
fn a_method_that_needs_more_than_a_link_offers_is_refused_by_name() {
    for (name, what) in [(MethodName::InSitu, "both ends"), (MethodName::DatInternal, "powers behind the meshes")] {
        let network = meshes(4);
        let fixture = fixture(network.clone(), &CALM);
        let failure = trained(&fixture, &mut outside(&network, &CALM), name, None, None).unwrap_err().to_string();
        assert!(failure.contains(what) && failure.contains("chip at 127.0.0.1"), "{failure}");
    }
}

/// [`outside`] that offers only this.
fn offering(network: &Network, access: &'static [Access]) -> Outside<Engine> {
    let own = network.clone();
    let link = served(move || {
        let fixture = fixture(own, &CALM);
        let mut chip = Simulated::new(&fixture.engine, &fixture.network, fixture.chip(), "fixture", access);
        Box::new(move |from, to| serve(from, to, &mut chip).unwrap())
    });
    Outside::new(&Cpu::new(), network, link).unwrap()
}

#[test]
fn what_a_chip_admits_is_what_can_train_it() {
    const OUTPUT: &[Access] = &[Access::Output];
    const TAPS: &[Access] = &[Access::Output, Access::Taps];
    const LAYERS: &[Access] = &[Access::Output, Access::Layers];
    let network = weight_banks(&[5, 4, 3]);
    for name in MethodName::ALL {
        let facts = name.facts().unwrap();
        if (facts.check)(&network).is_err() {
            continue;
        }
        for access in [OUTPUT, TAPS, LAYERS] {
            let fixture = fixture(network.clone(), &CALM);
            let mut chip = offering(&network, access);
            let admitted = chip.link().description().admits(facts);
            let trains = trained(&fixture, &mut chip, name, None, None);
            match name == MethodName::Ideal {
                true => assert!(admitted.unwrap_err().to_string().contains("only a simulator knows")),
                false => assert_eq!(admitted.is_ok(), trains.is_ok(), "{name} with {access:?}: {admitted:?}"),
            }
        }
    }
}

#[test]
fn a_network_that_is_not_the_chips_is_refused_with_both_numbers() {
    let network = meshes(4);
    let link = {
        let own = network.clone();
        served(move || {
            let mut chip = simulated(own, &CALM);
            Box::new(move |from, to| serve(from, to, &mut chip).unwrap())
        })
    };
    let failure = Outside::new(&Engine::new(), &meshes(5), link).err().unwrap().to_string();
    let expected = format!("it has {} controls, the network {}", network.controls(), meshes(5).controls());
    assert!(failure.contains(&expected), "{failure}");
}

/// A simulated chip whose driver dies after so many batches.
struct Mortal {
    chip: Simulated<Engine>,
    left: usize,
}

impl Driven for Mortal {
    fn description(&self) -> crate::link::Description {
        self.chip.description()
    }

    fn program(&mut self, controls: &[f32], counted: bool) -> crate::Result<()> {
        self.chip.program(controls, counted)
    }

    fn send(&mut self, fields: &[f32], batch: usize, counted: bool) -> crate::Result<Vec<f32>> {
        assert!(self.left > 0, "this driver dies here, as the test wants");
        self.left -= 1;
        self.chip.send(fields, batch, counted)
    }

    fn state(&mut self) -> crate::Result<crate::chip::State> {
        self.chip.state()
    }

    fn resume(&mut self, state: &crate::chip::State) -> crate::Result<()> {
        self.chip.resume(state)
    }
}

#[test]
fn a_run_whose_driver_died_goes_on_from_its_checkpoint_to_the_same_numbers() {
    let network = meshes(4);
    let folder = tempfile::tempdir().unwrap();
    for name in [MethodName::At, MethodName::AtAdaptive, MethodName::Spsa] {
        let fixture = fixture(network.clone(), &ERRORS);
        let whole = trained(&fixture, &mut fixture.chip(), name, None, None).unwrap();
        let path = folder.path().join(name.as_str());
        let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &network };

        // the first epoch's sends, and some of the second's
        let mut counted = outside(&network, &ERRORS);
        let one = Fixture {
            settings: crate::training::Settings { epochs: 1, ..fixture.settings },
            ..self::fixture(network.clone(), &ERRORS)
        };
        trained(&one, &mut counted, name, None, None).unwrap();
        let own = network.clone();
        let left = counted.times().batches as usize + 2;
        let work = move |stream: std::net::TcpStream| {
            let mut mortal = Mortal { chip: simulated(own, &ERRORS), left };
            let mut from = BufReader::new(stream.try_clone().unwrap());
            let _ =
                std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| serve(&mut from, &mut &stream, &mut mortal)));
            let _ = stream.shutdown(std::net::Shutdown::Both);
        };
        let mut mortal = Outside::new(&fixture.engine, &network, link_to(work, PATIENCE).unwrap()).unwrap();
        let failure = trained(&fixture, &mut mortal, name, None, Some(to)).unwrap_err().to_string();
        assert!(failure.contains("it closed before it answered send"), "{failure}");
        assert!(failure.contains("last written: all"), "{failure}");

        let kept = Checkpoint::load(&path, "").unwrap();
        assert!((1..3).contains(&kept.epoch), "{name} kept epoch {}", kept.epoch);
        let resumed = trained(&fixture, &mut outside(&network, &ERRORS), name, Some(&kept), Some(to)).unwrap();
        assert_eq!(resumed, whole, "{name}");
    }
}
