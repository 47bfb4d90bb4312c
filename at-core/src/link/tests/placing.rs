//! Limits are kept, whatever is asked for.

use super::super::limits::{Limits, Placed};
use super::{PATIENCE, link_to};
use rand::{Rng, RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use std::f64::consts::TAU;
use std::io::BufReader;

/// Any finite 32-bit real, near and far.
fn any(random: &mut impl Rng) -> f32 {
    loop {
        let value = match random.random_range(0..3) {
            0 => f32::from_bits(random.random()),
            1 => random.random_range(-20.0..20.0),
            _ => random.random_range(-1e6..1e6),
        };
        if value.is_finite() {
            return value;
        }
    }
}

#[test]
fn nothing_outside_the_limits_is_written_in_a_million_programs() {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..1_000_000 {
        let ends: [f32; 2] = [any(&mut random), any(&mut random)];
        let (low, high) = (ends[0].min(ends[1]), ends[0].max(ends[1]));
        let limits = match random.random_range(0..2) {
            0 => Limits::All([f64::from(low) + 1e-9, f64::from(high) + 1e-3]),
            _ => Limits::Each { lower: vec![low; 3], upper: vec![high; 3] },
        };
        if limits.check(3).is_err() {
            continue; // f32 has no number in such a range
        }
        let period = [None, Some(TAU), Some(1e-3), Some(1e30)][random.random_range(0..4)];
        let mut controls: Vec<f32> = (0..3).map(|_| any(&mut random)).collect();
        let asked = controls.clone();
        limits.place(period, &mut controls).unwrap();
        for (control, value) in controls.iter().enumerate() {
            let [lower, upper] = limits.of(control);
            assert!((lower..=upper).contains(value), "{asked:?} in {limits:?} with {period:?} became {controls:?}");
        }
    }
}

#[test]
fn a_phase_is_turned_into_its_range_before_it_is_held_at_an_end() {
    let limits = Limits::All([0.0, 6.5]);
    let mut controls = [-1.0, 7.0, 3.0, 100.0];
    let placed = limits.place(Some(TAU), &mut controls).unwrap();
    assert_eq!(placed, Placed { turned: 3, held: 0 });
    for (got, expected) in controls.iter().zip([TAU - 1.0, 7.0 - TAU, 3.0, 100.0 - 15.0 * TAU]) {
        assert!((f64::from(*got) - expected).abs() < 1e-5, "{got} instead of {expected}");
    }
    let mut controls = [-1.0, 7.0, 3.0];
    assert_eq!(limits.place(None, &mut controls).unwrap(), Placed { turned: 0, held: 2 });
    assert_eq!(controls, [0.0, 6.5, 3.0]);
}

#[test]
fn a_control_that_is_no_number_is_not_written() {
    let work = |stream: std::net::TcpStream| {
        let mut adder = super::Adder::default();
        let _ = super::serve(&mut BufReader::new(stream.try_clone().unwrap()), &mut { stream }, &mut adder);
        assert!(adder.controls.is_empty(), "{:?} was written", adder.controls);
    };
    let mut link = link_to(work, PATIENCE).unwrap();
    let failure = link.program(&[0.0, f32::NAN], 2, true).unwrap_err().to_string();
    assert!(failure.contains("control = 1 is not valid: NaN is not finite"), "{failure}");
}
