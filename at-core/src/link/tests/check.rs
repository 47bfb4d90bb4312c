//! What a look at a chip finds.

use super::served;
use crate::chip::Chip;
use crate::cpu::Cpu;
use crate::imperfections::{Control, Drift, Imperfections, Noise};
use crate::link::{Access, Check, Effort, Simulated, check, serve};
use crate::training::tests::fixture::one_mesh;
use std::collections::BTreeSet;
use std::ops::ControlFlow;

const MODES: usize = 8;

/// A look at a chip of one mesh with these imperfections.
fn look(errors: Imperfections) -> Check {
    look_at(errors, 3)
}

/// The same at chip number `seed`.
fn look_at(errors: Imperfections, seed: u64) -> Check {
    let mut link = served(move || {
        let (engine, network) = (Cpu::<f32>::new(), one_mesh(MODES));
        let chip = Chip::new(&engine, &network, &errors.fabricate(&network, seed).unwrap()).unwrap();
        let mut simulated = Simulated::new(&engine, &network, chip, "bench", &[Access::Output]);
        Box::new(move |from, to| serve(from, to, &mut simulated).unwrap())
    });
    let found = check(&mut link, &Effort::default(), |_, _| ControlFlow::Continue(())).unwrap();
    found.expect("nobody ended it")
}

/// Controls that no intensity shows: the phases behind the last mesh.
fn unseen() -> Vec<usize> {
    (MODES * (MODES - 1)..MODES * MODES).collect()
}

#[test]
fn a_chip_without_faults_shows_none() {
    let found = look(Imperfections { splitter_angle: 0.1, phase: 0.2, ..Imperfections::NONE });
    assert_eq!(found.silent, unseen());
    assert_eq!((found.noise, found.absolute_noise, found.relative_noise), (0.0, 0.0, 0.0));
    assert!(found.repeatability < 1e-6 && found.drift_per_minute < 1e-4, "{found:?}");
    assert!((found.power - 1.0).abs() < 1e-5, "a lossless mesh keeps power, seen {}", found.power);
    assert!(found.range[0] >= 0.0 && found.range[1] <= MODES as f64);
}

#[test]
fn noise_is_found_within_a_fifth_and_told_apart() {
    let absolute = Noise { thermal_noise: 0.01, ..Noise::NONE };
    let found = look(Imperfections { noise: absolute, ..Imperfections::NONE });
    assert!((0.008..0.012).contains(&found.absolute_noise), "{}", found.absolute_noise);
    assert!(found.relative_noise < 0.02, "{}", found.relative_noise);
    let relative = Noise { laser_noise: 0.1, ..Noise::NONE };
    let found = look(Imperfections { noise: relative, ..Imperfections::NONE });
    assert!((0.08..0.12).contains(&found.relative_noise), "{}", found.relative_noise);
    assert!(found.absolute_noise < 2e-3, "{}", found.absolute_noise);
}

#[test]
fn noise_is_taken_neither_for_light_that_the_chip_makes_nor_for_drift() {
    for seed in [3, 4, 5] {
        for noise in [Noise { thermal_noise: 0.1, ..Noise::NONE }, Noise { laser_noise: 0.05, ..Noise::NONE }] {
            let found = look_at(Imperfections { noise, ..Imperfections::NONE }, seed);
            assert!((0.9..1.02).contains(&found.power), "{found:?}");
            assert!(found.drift_per_minute == 0.0 && found.least_drift_per_minute > 0.0, "{found:?}");
        }
    }
}

#[test]
fn dead_shifters_are_named_with_noise_and_drift_about() {
    let control = Control { dead_shifters: 0.05, ..Control::NONE };
    let noise = Noise { thermal_noise: 2e-3, ..Noise::NONE };
    let drift = Drift { drift_step: 1e-4, ..Drift::NONE };
    let errors = Imperfections { control, noise, drift, ..Imperfections::NONE };
    let dead = |seed| {
        let shifters = errors.fabricate(&one_mesh(MODES), seed).unwrap().control.shifters;
        (0..shifters.len()).filter(|&control| shifters[control].gain == 0.0).collect::<BTreeSet<_>>()
    };
    let seen = |dead: &BTreeSet<usize>| dead.iter().filter(|control| !unseen().contains(control)).count();
    let seed = (0..100).find(|&seed| seen(&dead(seed)) >= 2).expect("one chip in a few has two");
    let expected: Vec<usize> = dead(seed).into_iter().chain(unseen()).collect::<BTreeSet<_>>().into_iter().collect();
    assert_eq!(look_at(errors, seed).silent, expected);
}

#[test]
fn drift_is_seen_and_a_still_chip_has_none() {
    let drift = Drift { drift_step: 3e-3, ..Drift::NONE };
    let found = look(Imperfections { drift, ..Imperfections::NONE });
    // a walk of 3 mrad a step: 30 mrad after 100
    assert!((0.005..0.2).contains(&found.drift_per_100_writes), "{}", found.drift_per_100_writes);
}

#[test]
fn a_look_that_is_ended_says_nothing() {
    let mut link = served(|| {
        let (engine, network) = (Cpu::<f32>::new(), one_mesh(4));
        let chip = Chip::new(&engine, &network, &Imperfections::NONE.fabricate(&network, 3).unwrap()).unwrap();
        let mut simulated = Simulated::new(&engine, &network, chip, "bench", &[Access::Output]);
        Box::new(move |from, to| serve(from, to, &mut simulated).unwrap())
    });
    let ended = check(&mut link, &Effort::default(), |done, _| {
        if done == 3 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert_eq!(ended.unwrap(), None);
}
