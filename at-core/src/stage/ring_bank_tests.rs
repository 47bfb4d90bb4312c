//! A ring against a circuit of couplers, a bus against light that is followed along it, and the estimate's unit.

use super::*;
use num_complex::Complex64;

/// Powers through and dropped of an add-drop ring with the self-couplings `r1`, `r2` and the round-trip transmission `a` of fields, by
/// sending a field around until nothing is left of it: couplers `[[r, iκ], [iκ, r]]`, half of loss and phase on each side.
fn circuit(r1: f64, r2: f64, a: f64, phase: f64) -> (f64, f64) {
    let cross = |r: f64| Complex64::new(0.0, (1.0 - r * r).sqrt());
    let half = Complex64::from_polar(a.sqrt(), 0.5 * phase);
    let (mut through, mut drop) = (Complex64::new(r1, 0.0), Complex64::new(0.0, 0.0));
    let mut inside = cross(r1);
    while inside.norm() > 1e-18 {
        let at_second = inside * half;
        drop += cross(r2) * at_second;
        let back = r2 * at_second * half;
        through += cross(r1) * back;
        inside = r1 * back;
    }
    (through.norm_sqr(), drop.norm_sqr())
}

/// What a bank makes of a ring of such couplers, through and dropped.
fn met(r1: f64, r2: f64, a: f64, phase: f64) -> (f64, f64) {
    let round_trip: f64 = r1 * r2 * a;
    let finesse = 0.5 * PI / (0.5 * (1.0 - round_trip) / round_trip.sqrt()).asin();
    let leak = ((r2 * a - r1) / (1.0 - round_trip)).powi(2);
    let dropped: f64 = (1.0 - r1 * r1) * (1.0 - r2 * r2) * a / (1.0 - round_trip).powi(2);
    let bank = RingBank { inputs: 1, outputs: 1, channels: 1, finesse };
    let loss_db = -10.0 * (dropped / (1.0 - leak)).log10();
    assert!(loss_db > -1e-9, "a passive ring");
    let errors = StageErrors::new(&bank, vec![vec![0.0; 2], vec![0.0; 2], vec![leak; 2], vec![loss_db.max(0.0); 2]]);
    let met = bank.meets(&bank.rings(&errors, &[phase, 0.0])[0], 0, 0);
    (met.through, met.drop)
}

#[test]
fn a_ring_has_the_powers_of_a_circuit_of_two_couplers() {
    for (r1, r2, a) in [(0.95, 0.95, 1.0), (0.9, 0.93, 0.98), (0.97, 0.9, 0.95)] {
        for phase in [-3.0, -0.4, -0.03, 0.0, 0.1, 1.3, 3.1, 7.0] {
            let ((through, drop), (wanted, dropped)) = (met(r1, r2, a, phase), circuit(r1, r2, a, phase));
            let apart = (through - wanted).abs().max((drop - dropped).abs());
            assert!(apart < 1e-12, "{r1} {r2} {a} at {phase}: {apart}");
        }
    }
}

/// `(r1, r2, a, phase, through, dropped)` of a circuit in sax 0.18.2 (double precision): couplers with the S-parameters r and `i sqrt(1 - r²)`,
/// joined by two halves `sqrt(a) e^{i phase/2}`; squared moduli of `circuit(...)["in", "through"]` and `["in", "drop"]`.
const SAX: [(f64, f64, f64, f64, f64, f64); 18] = [
    (0.95, 0.95, 1.0, -0.4, 0.937455242389509, 0.062544757610491),
    (0.95, 0.95, 1.0, -0.03, 0.078712397925529, 0.921287602074470),
    (0.95, 0.95, 1.0, 0.0, 0.000000000000000, 1.000000000000000),
    (0.95, 0.95, 1.0, 0.1, 0.486806969150158, 0.513193030849844),
    (0.95, 0.95, 1.0, 1.3, 0.992861411738730, 0.007138588261270),
    (0.95, 0.95, 1.0, 3.1, 0.997372472637266, 0.002627527362734),
    (0.9, 0.93, 0.98, -0.4, 0.801143269378769, 0.155466354898940),
    (0.9, 0.93, 0.98, -0.03, 0.026271687944864, 0.761261592022511),
    (0.9, 0.93, 0.98, 0.0, 0.004022723920457, 0.778655850322677),
    (0.9, 0.93, 0.98, 0.1, 0.205562159864356, 0.621092154204861),
    (0.9, 0.93, 0.98, 1.3, 0.973924808035270, 0.020385606438276),
    (0.9, 0.93, 0.98, 3.1, 0.990284658705991, 0.007595461782260),
    (0.97, 0.9, 0.95, -0.4, 0.900683083513072, 0.066648214242552),
    (0.97, 0.9, 0.95, -0.03, 0.467773577724198, 0.357159101108958),
    (0.97, 0.9, 0.95, 0.0, 0.454133035568575, 0.366312806319815),
    (0.97, 0.9, 0.95, 0.1, 0.575053016987018, 0.285167507886767),
    (0.97, 0.9, 0.95, 1.3, 0.987222769308824, 0.008574366166957),
    (0.97, 0.9, 0.95, 3.1, 0.995247829729691, 0.003189020294789),
];

#[test]
fn a_ring_has_the_powers_that_a_circuit_simulator_finds() {
    for (r1, r2, a, phase, wanted, dropped) in SAX {
        let (through, drop) = met(r1, r2, a, phase);
        let apart = (through - wanted).abs().max((drop - dropped).abs());
        assert!(apart < 1e-12, "{r1} {r2} {a} at {phase}: {apart}");
    }
}

/// Heat that makes a ring one linewidth too red takes half a linewidth's power twice: `L = 1/2` at half a linewidth, by definition.
#[test]
fn a_ring_drops_half_of_its_power_half_a_linewidth_away() {
    let bank = RingBank { inputs: 1, outputs: 1, channels: 1, finesse: 50.0 };
    let ring = |control: f64| bank.rings(&StageErrors::NONE, &[control, 0.0]);
    let drop = |control: f64| bank.meets(&ring(control)[0], 0, 0).drop;
    assert!((drop(bank.half_linewidth()) - 0.5).abs() < 1e-12 && (drop(0.0) - 1.0).abs() < 1e-12);
    assert!(drop(1.1 * bank.half_linewidth()) < 0.5 && drop(TAU) > 1.0 - 1e-12, "and again one free spectral range on");
}

/// Light of one channel is followed past the rings of its bus, ring by ring; heat moves a ring to longer wavelengths, towards the
/// channels behind its own.
#[test]
fn a_weight_is_what_all_rings_of_a_bus_drop_of_a_channel_less_what_they_leave() {
    let bank = RingBank { inputs: 4, outputs: 2, channels: 3, finesse: 12.0 };
    let controls: Vec<f64> = (0..10).map(|k| (1.7 * k as f64).sin()).collect();
    let leak: Vec<f64> = (0..10).map(|k| 0.01 * k as f64).collect();
    let errors = StageErrors::new(&bank, vec![vec![0.1; 10], vec![-0.2; 10], leak.clone(), vec![0.7; 10]]);
    let weight = |output: usize, input: usize, bias: &dyn Fn(&[f64]) -> f64| {
        let mut signal = vec![0.0; 4];
        signal.get_mut(input).map(|slot| *slot = 1.0).unwrap_or_default();
        let read = bank.forward(&errors, &controls, &signal)[output];
        let dark = bank.forward(&errors, &controls, &[0.0; 4])[output];
        bias(&[read, dark])
    };
    for output in 0..2 {
        for input in 0..5 {
            let found = weight(output, input, &|both| if input < 4 { both[0] - both[1] } else { both[1] });
            let bus: Vec<usize> = if input < 3 { vec![0, 1, 2] } else { vec![3, 4] };
            let channel = bus.iter().position(|own| *own == input).unwrap();
            let (mut power, mut dropped) = (1.0, 0.0);
            for (place, own) in bus.into_iter().enumerate() {
                let ring = if own < 4 { output * 4 + own } else { 8 + output };
                let phase = controls[ring] + 0.1 + TAU * (place as f64 - channel as f64) / 3.0;
                let width = (PI / 24.0).sin() * (-0.2_f64).exp();
                let resonant = 1.0 / (1.0 + ((phase / 2.0).sin() / width).powi(2));
                dropped += power * (1.0 - leak[ring]) * 10_f64.powf(-0.07) * resonant;
                power *= 1.0 - (1.0 - leak[ring]) * resonant;
            }
            assert!((found - (dropped - power)).abs() < 1e-12, "{output} {input}: {found} for {}", dropped - power);
        }
    }
    let alone = RingBank { inputs: 1, outputs: 1, channels: 4, finesse: 40.0 };
    let bias = |heat: f64| alone.forward(&StageErrors::NONE, &[heat, PI], &[0.0])[0]; // channel 1, its own ring far away
    assert!(
        bias(TAU / 4.0) > 0.99 && bias(-TAU / 4.0) < -0.9,
        "a quarter of the range of heat brings ring 0 to channel 1"
    );
}

/// A lossless bank drops what it does not leave: `w = 1 - 2 Π t`.
#[test]
fn a_ring_on_its_channel_takes_its_tail_of_the_channels_beside_it() {
    let half_width = (PI / 2000.0).sin();
    let weight = |channels: usize| {
        let bank = RingBank { inputs: 2, outputs: 1, channels, finesse: 1000.0 };
        let read = |signal: [f64; 2]| bank.forward(&StageErrors::NONE, &[PI, 0.0, PI], &signal)[0];
        read([1.0, 0.0]) - read([0.0, 0.0]) // ring 0 is far off, ring 1 on its channel
    };
    let through = |phase: f64| 1.0 - 1.0 / (1.0 + ((0.5 * phase).sin() / half_width).powi(2));
    let found = [3, 30, 300].map(|channels| {
        let step = TAU / channels as f64;
        let expected = 1.0 - 2.0 * through(PI) * through(step) * through(PI + 2.0 * step);
        let found = weight(channels);
        assert!((found - expected).abs() < 1e-12, "{channels}: {found} for {expected}");
        found
    });
    assert!(found[0] < -0.9999 && found[1] < -0.999 && found[2] > -0.96, "{found:?}");
}

#[test]
fn banks_that_cannot_be_are_one_error_that_says_what_would_fit() {
    let refused = |channels, finesse| {
        let bank = RingBank { inputs: 8, outputs: 2, channels, finesse };
        bank.validate().unwrap_err().to_string()
    };
    let said = refused(64, 32.0);
    assert!(
        ["64", "0.50 linewidths", "up to 32 channels", "finesse of 64"].iter().all(|part| said.contains(part)),
        "{said}"
    );
    assert!(refused(0, 32.0).contains("at least one wavelength"));
    for finesse in [f64::NAN, 1.0, f64::INFINITY, -5.0] {
        assert!(refused(1, finesse).contains("between 2 and 1e5"));
    }
    assert!(RingBank { inputs: 64, outputs: 9, channels: 32, finesse: 32.0 }.validate().is_ok());
}

#[test]
fn a_chip_whose_rings_add_light_is_refused() {
    let bank = RingBank { inputs: 1, outputs: 1, channels: 2, finesse: 40.0 };
    for (place, name) in [(2, "leak of ring 1"), (3, "loss of ring 1")] {
        let mut vectors = vec![vec![0.0; 2]; 4];
        vectors[place][1] = -0.1;
        let error = bank.gain(3, &StageErrors::new(&bank, vectors), false).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("stage 3"), "{error}");
    }
}
