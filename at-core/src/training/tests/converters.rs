//! A model that learns the chip through converters of a finite range.

use super::fixture::{Fixture, meshes, one_mesh, settings};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::{Imperfections, Noise, Passive};
use crate::network::Network;
use crate::training::{Checkpoint, Checkpoints, MethodName, Observer, Record};
use std::ops::ControlFlow;

const PROBED: Imperfections = Imperfections { splitter_angle: 0.1, phase: 0.3, ..Imperfections::NONE };
const CALIBRATED: Imperfections = Imperfections {
    passive: Passive { uncalibrated: true, splitter_split: 0.1, ..Passive::NONE },
    ..Imperfections::NONE
};

fn fixture(network: Network, errors: &Imperfections, adc_range: f64) -> Fixture<Cpu<f32>> {
    let noise = Noise { adc_bits: 10, adc_range, ..Noise::NONE };
    let errors = Imperfections { noise, ..*errors };
    let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &errors, settings(3, 120, 0.02, Optimizer::ADAM));
    fixture.options.imperfections = errors;
    fixture.options.estimation.measuring_steps = Some(400);
    fixture
}

/// What was read of probes and of calibrating, at an end of the range and below half a step, as shares; and notes.
fn read(fixture: &Fixture<Cpu<f32>>) -> ([[f64; 2]; 2], Vec<String>) {
    let mut method = fixture.method(MethodName::AtAdaptive);
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *method, None, None, &mut ()).unwrap();
    let all = method.parameters();
    let (_, own) = all.iter().find(|(name, _)| *name == "read").unwrap();
    let share = |own: &[f32]| [own[1], own[2]].map(|count| f64::from(count / own[0].max(1.0)));
    ([share(&own.values[..4]), share(&own.values[4..])], outcome.notes)
}

#[test]
fn probes_and_the_light_of_a_calibration_are_no_brighter_than_converters_read() {
    let (one, two) = (|| one_mesh(8), || meshes(8));
    // where light that is dim is dark behind a nonlinearity, some is rather lost at the end of the range
    for (network, errors, calibrates, most) in
        [(one(), &PROBED, false, 0.03), (two(), &PROBED, false, 0.1), (two(), &CALIBRATED, true, 0.1)]
    {
        let ([probes, calibration], notes) = read(&fixture(network, errors, 0.1));
        assert!(probes[0] < most && calibration[0] < 0.02, "{probes:?} {calibration:?}");
        assert!(!calibrates || calibration[1] > 0.0, "it was counted");
        assert!(!notes.iter().any(|note| note.contains("saturated")), "{notes:?}");
    }
}

#[test]
fn what_converters_do_not_tell_of_probes_is_said_with_a_range_that_would() {
    let ([probes, _], notes) = read(&fixture(meshes(8), &PROBED, 1e6));
    assert!(probes[1] > 0.9, "{probes:?}");
    let said = |note: &String| note.contains("at-adaptive read little of its probes") && note.contains("`adc-range`");
    assert!(notes.iter().any(said), "{notes:?}");
}

/// Ends a run after an epoch.
struct Until(usize);

impl Observer for Until {
    fn epoch(&mut self, record: &Record) -> ControlFlow<()> {
        if record.epoch == self.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    }
}

#[test]
fn a_run_that_goes_on_counts_what_was_read_before() {
    let fixture = fixture(meshes(8), &CALIBRATED, 1.0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("checkpoint");
    let to = Checkpoints { path: &path, every: 1, fingerprint: "", network: &fixture.network };
    let run = |resume: Option<&Checkpoint>, until: usize| {
        let mut method = fixture.method(MethodName::AtAdaptive);
        fixture.trainer().run(&mut fixture.chip(), &mut *method, resume, Some(to), &mut Until(until)).unwrap();
        Checkpoint::load(&path, "").unwrap()
    };
    let whole = run(None, 60);
    let begun = run(None, 24);
    let ended = run(Some(&begun), 60);
    for name in ["read", "estimate", "controls"] {
        assert_ne!(begun.vector(name), whole.vector(name));
        assert_eq!(ended.vector(name), whole.vector(name), "{name}");
    }
}
