//! Free space against what is known of it without any Fourier transform: a Gaussian beam, the integral of Rayleigh and Sommerfeld, the
//! light in the middle behind a round hole, and energy; and what is wrong with planes, by what it must do to light.

use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::imperfections::{Imperfections, Planes};
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{AngularSpectrum, PlanePosition};
use at_core::propagator::{Propagator, Simulator, Tunable};
use at_core::reference::Reference;
use at_core::stage::{FreeSpace, Imperfect, Mask, Regions, StageErrors, Transmission, slope_error};
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// `re, im` of every pixel.
fn interleaved(field: &[Complex64]) -> Vec<f64> {
    field.iter().flat_map(|z| [z.re, z.im]).collect()
}

/// What arrives of `field`, by the plain meaning.
fn plainly(spectrum: AngularSpectrum, errors: &StageErrors, field: &[Complex64]) -> Vec<Complex64> {
    let stage = Stage::free_space(spectrum);
    stage.element().validate().unwrap();
    let arrived = stage.element().forward(errors, &[], &interleaved(field));
    arrived.chunks_exact(2).map(|pair| Complex64::new(pair[0], pair[1])).collect()
}

/// The same on an engine, whose detectors read both quadratures.
fn on<E: Simulator>(engine: &E, spectrum: AngularSpectrum, field: &[Complex64]) -> Vec<Complex64> {
    let quadrature = |phase: f64| {
        let detection = Stage::detection(field.len(), Detection::Homodyne { phase });
        let network = Network::new(vec![vec![Stage::free_space(spectrum), detection]]).unwrap();
        let mut chip = engine.build(&network, &Fabrication::ideal()).unwrap();
        chip.program(&engine.upload::<f64>(&[]).unwrap()).unwrap();
        let mut readout = engine.zeros(field.len()).unwrap();
        let fields = engine.upload(&interleaved(field)).unwrap();
        chip.propagate(&fields, 1, &mut readout).unwrap();
        engine.download(&readout).unwrap()
    };
    quadrature(0.0).into_iter().zip(quadrature(0.5 * PI)).map(|(re, im)| Complex64::new(re, im)).collect()
}

/// The field at every pixel, whose place from the middle is given in µm.
fn sampled(spectrum: &AngularSpectrum, field: impl Fn(f64, f64) -> Complex64) -> Vec<Complex64> {
    let AngularSpectrum { rows, columns, pitch_um, .. } = *spectrum;
    let place = |index: usize, side: usize| (index as f64 - 0.5 * (side as f64 - 1.0)) * pitch_um;
    let pixels = (0..rows).flat_map(|row| (0..columns).map(move |column| (row, column)));
    pixels.map(|(row, column)| field(place(column, columns), place(row, rows))).collect()
}

/// The largest difference over the largest value.
fn apart(found: &[Complex64], expected: &[Complex64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let most = expected.iter().map(|z| z.norm()).fold(0.0, f64::max);
    found.iter().zip(expected).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max) / most
}

fn power(field: &[Complex64]) -> f64 {
    field.iter().map(|z| z.norm_sqr()).sum()
}

/// A Gaussian beam of waist w₀ (µm) at the distance z from it, `q₀/q·e^{ik(z + r²/2q)}` with `q = z − iπw₀²/λ`.
fn beam(wavelength: f64, waist: f64, z: f64, r2: f64) -> Complex64 {
    let q0 = Complex64::new(0.0, -PI * waist * waist / wavelength);
    let q = q0 + z;
    let turns = (z / wavelength).fract();
    q0 / q * Complex64::cis(TAU * turns) * (Complex64::I * PI / wavelength * r2 / q).exp()
}

#[test]
fn a_gaussian_beam_spreads_as_it_is_known_to() {
    // so wide a waist that what the paraxial beam leaves out is below 1e-7: ¼(λ/πw₀)²
    let (wavelength_um, waist, distance_um) = (0.532, 300.0, 400_000.0);
    let spectrum = AngularSpectrum { rows: 32, columns: 40, pitch_um: 80.0, distance_um, wavelength_um };
    let at = |z: f64| sampled(&spectrum, |x, y| beam(wavelength_um, waist, z, x * x + y * y));
    let (enters, leaves) = (at(0.0), at(distance_um));
    let spread = power(&leaves) / leaves.iter().map(|z| z.norm_sqr()).fold(0.0, f64::max);
    assert!(spread > 1.3 * power(&enters), "it is the spreading that is seen: {spread}");
    for found in [plainly(spectrum, &StageErrors::NONE, &enters), on(&Cpu::<f64>::new(), spectrum, &enters)] {
        let error = apart(&found, &leaves);
        assert!(error < 1e-6, "{error}");
        assert!((power(&found) / power(&enters) - 1.0).abs() < 1e-8, "all within the band and the grid");
    }
    let error = apart(&on(&Cpu::<f32>::new(), spectrum, &enters), &leaves);
    assert!(error < 1e-5, "{error}");
}

/// `u = (1/2π) ∫ u₀ (z/r)(1/r − ik) e^{ikr}/r dA`, without paraxial optics and without a transform, for light that leaves aside of the normal.
#[test]
fn wide_angles_are_those_of_rayleigh_and_sommerfeld() {
    let spectrum =
        AngularSpectrum { rows: 26, columns: 30, pitch_um: 250.0, distance_um: 5000.0, wavelength_um: 750.0 };
    let k = TAU / spectrum.wavelength_um;
    let enters = sampled(&spectrum, |x, y| {
        let r2 = (x - 300.0).powi(2) + (y + 200.0).powi(2);
        (-r2 / 1000.0_f64.powi(2)).exp() * Complex64::cis(k * (0.2 * x - 0.1 * y))
    });
    let places = sampled(&spectrum, Complex64::new);
    let z = spectrum.distance_um;
    let arrives = |to: &Complex64| -> Complex64 {
        let from = places.iter().zip(&enters).map(|(from, u)| {
            let r = ((to - from).norm_sqr() + z * z).sqrt();
            u * Complex64::cis(k * r) / r * (z / r) * Complex64::new(1.0 / r, -k)
        });
        from.sum::<Complex64>() * spectrum.pitch_um.powi(2) / TAU
    };
    let expected: Vec<Complex64> = places.iter().map(arrives).collect();
    for found in [plainly(spectrum, &StageErrors::NONE, &enters), on(&Cpu::<f64>::new(), spectrum, &enters)] {
        let error = apart(&found, &expected);
        assert!(error < 1e-3, "{error}");
    }
}

/// `4 sin²(πN/2)` of the power without the hole, N the Fresnel number.
#[test]
fn the_middle_behind_a_round_hole_is_bright_or_dark_by_its_fresnel_number() {
    let (pitch_um, wavelength_um, radius) = (5.0, 0.5, 100.0);
    for (number, expected) in [(1.0, 4.0), (2.0, 0.0), (1.5, 2.0)] {
        let distance_um = radius * radius / (wavelength_um * number);
        let spectrum = AngularSpectrum { rows: 57, columns: 57, pitch_um, distance_um, wavelength_um };
        let inside = |x: f64, y: f64| f64::from(u8::from(x.hypot(y) < radius));
        let part = |index: usize| (index as f64 - 4.5) / 10.0 * pitch_um;
        let covered = |x: f64, y: f64| {
            let parts = (0..100).map(|index| inside(x + part(index % 10), y + part(index / 10)));
            Complex64::from(parts.sum::<f64>() / 100.0)
        };
        let found = on(&Cpu::<f64>::new(), spectrum, &sampled(&spectrum, covered));
        let middle = found[28 * 57 + 28].norm_sqr();
        assert!((middle - expected).abs() < 0.15, "N = {number}: {middle} for {expected}");
    }
}

#[test]
fn no_light_is_gained_and_what_leaves_on_one_side_does_not_come_back_on_the_other() {
    let spectrum =
        AngularSpectrum { rows: 12, columns: 16, pitch_um: 400.0, distance_um: 3000.0, wavelength_um: 750.0 };
    let point = |row: usize, column: usize| {
        let mut field = vec![Complex64::ZERO; 12 * 16];
        field[row * 16 + column] = Complex64::ONE;
        plainly(spectrum, &StageErrors::NONE, &field)
    };
    let corner = point(0, 0);
    assert!(power(&corner) < 0.5 && power(&point(6, 8)) < 1.0, "most of a corner's light is lost");
    // a beam near one side that goes out there: on a grid without darkness around it would come in on the other
    let turns = TAU / spectrum.wavelength_um;
    let leaving = sampled(&spectrum, |x, y| {
        (-((x + 2400.0).powi(2) + y * y) / 800.0_f64.powi(2)).exp() * Complex64::cis(-0.4 * turns * x)
    });
    let arrived = plainly(spectrum, &StageErrors::NONE, &leaving);
    let other_side: Vec<Complex64> = arrived.chunks_exact(16).flat_map(|row| row[8..].to_vec()).collect();
    assert!(power(&other_side) < 1e-2 * power(&leaving), "{} of {}", power(&other_side), power(&leaving));
}

fn wrong(spectrum: AngularSpectrum, name: &str, values: Vec<f64>) -> StageErrors {
    let mut errors = StageErrors::zeros(&FreeSpace { spectrum });
    *errors.get_mut(name) = values;
    errors
}

#[test]
fn a_plane_that_stands_elsewhere_sees_the_light_that_is_there() {
    let (wavelength_um, waist, distance_um) = (0.532, 300.0, 100_000.0);
    let spectrum = AngularSpectrum { rows: 32, columns: 32, pitch_um: 80.0, distance_um, wavelength_um };
    let enters = sampled(&spectrum, |x, y| beam(wavelength_um, waist, 0.0, x * x + y * y));
    let at = |dx: f64, dy: f64, dz: f64| {
        sampled(&spectrum, |x, y| beam(wavelength_um, waist, distance_um + dz, (x + dx).powi(2) + (y + dy).powi(2)))
    };
    for (name, values, expected) in [
        ("shift", vec![130.0, 0.0], at(130.0, 0.0, 0.0)),
        ("shift", vec![0.0, -47.5], at(0.0, -47.5, 0.0)),
        ("distance", vec![30_000.0], at(0.0, 0.0, 30_000.0)),
    ] {
        let error = apart(&plainly(spectrum, &wrong(spectrum, name, values.clone()), &enters), &expected);
        assert!(error < 1e-6, "{name} {values:?}: {error}");
    }
    let angle = 5e-4_f64;
    let tilted: Vec<Complex64> = {
        let straight = at(0.0, 0.0, 0.0);
        let ramp = sampled(&spectrum, |x, _| Complex64::cis(TAU * x * angle.sin() / wavelength_um));
        straight.iter().zip(ramp).map(|(u, turn)| u * turn).collect()
    };
    let found = plainly(spectrum, &wrong(spectrum, "tilt", vec![angle, 0.0]), &enters);
    assert!(apart(&found, &tilted) < 1e-6);
    // and light from aside goes on aside: by z·sin α behind the next stretch
    let behind = plainly(spectrum, &StageErrors::NONE, &found);
    let middle = |field: &[Complex64]| {
        let places = sampled(&spectrum, |x, _| Complex64::from(x));
        field.iter().zip(places).map(|(u, x)| u.norm_sqr() * x.re).sum::<f64>() / power(field)
    };
    assert!((middle(&behind) - distance_um * angle).abs() < 0.5, "{}", middle(&behind));
}

/// With errors as well: the test of pages has none.
#[test]
fn the_way_back_through_planes_that_are_wrong_is_the_derivative_of_the_way_there() {
    let spectrum = AngularSpectrum { rows: 3, columns: 5, pitch_um: 400.0, distance_um: 1500.0, wavelength_um: 750.0 };
    let signal: Vec<f64> = (0..4 * 15).map(|k| (1.3 * k as f64 + 0.4).sin()).collect();
    let mut errors = wrong(spectrum, "shift", vec![170.0, -90.0]);
    errors.get_mut("distance")[0] = 200.0;
    *errors.get_mut("tilt") = vec![0.1, -0.2];
    let found = slope_error(&FreeSpace { spectrum }, &errors, &[], &signal);
    assert!(found < 1e-8, "free space: {found}");
    for transmission in Transmission::ALL {
        let mask = Mask { rows: 3, columns: 5, transmission };
        let mut errors = StageErrors::zeros(&mask);
        errors.get_mut("phase").iter_mut().enumerate().for_each(|(k, error)| *error = (0.7 * k as f64).cos());
        let controls: Vec<f64> = (0..30).map(|k| 1.0 + (0.9 * k as f64).sin()).collect();
        let count = 15 * transmission.has().into_iter().filter(|has| *has).count();
        let found = slope_error(&mask, &errors, &controls[..count], &signal);
        assert!(found < 1e-8, "{transmission:?}: {found}");
    }
    let regions = Regions { rows: 3, columns: 5, count: 2, side: 2 };
    let found = slope_error(&regions, &StageErrors::NONE, &[], &signal);
    assert!(found < 1e-8, "regions: {found}");
}

#[test]
fn ten_regions_stand_in_rows_of_three_four_and_three_and_do_not_touch() {
    let regions = Regions { rows: 200, columns: 200, count: 10, side: 50 };
    let rows: Vec<usize> = regions.corners().iter().map(|corner| corner[0]).collect();
    assert_eq!(rows, [8, 8, 8, 75, 75, 75, 75, 142, 142, 142]);
    for (rows, columns) in [(200, 200), (9, 31), (7, 8), (64, 32)] {
        for count in [1, 2, 3, 5, 7, 10, 26] {
            let side = Regions::longest_side(rows, columns, count);
            let regions = Stage::regions(rows, columns, count, side);
            assert_eq!(regions.element().validate().is_ok(), side > 0, "{regions:?}");
            let Stage::Regions(regions) = regions else { unreachable!("they were made so") };
            let mut pixels: Vec<usize> = regions.pixels().concat();
            assert!(pixels.iter().all(|&pixel| pixel < rows * columns), "{regions:?}");
            pixels.sort_unstable();
            assert!(pixels.windows(2).all(|pair| pair[0] < pair[1]), "{regions:?} overlap");
            assert_eq!(pixels.len(), count * side * side, "{regions:?}");
        }
    }
}

/// What light does in a chip of planes, and in a model that is told where they stand and how far its pixels are off.
#[test]
fn a_model_that_knows_where_planes_stand_is_the_chip() {
    let (rows, columns) = (6, 9);
    let spectrum = AngularSpectrum { rows, columns, pitch_um: 400.0, distance_um: 3_000.0, wavelength_um: 750.0 };
    let space = || Stage::free_space(spectrum);
    let mask = || Stage::mask(rows, columns, Transmission::Phase);
    let detection = Stage::detection(rows * columns, Detection::Intensity);
    let network = Network::new(vec![vec![space(), mask(), space(), mask()], vec![space(), detection]]).unwrap();
    let planes =
        Planes { pixel_phase: 0.3, plane_shift: 80.0, plane_distance: 200.0, plane_tilt: 0.05, ..Planes::NONE };
    let fabrication = Imperfections { planes, ..Imperfections::NONE }.fabricate(&network, 5).unwrap();
    let mut known = Vec::new();
    for (stage, errors) in network.stages().zip(&fabrication.stages) {
        match stage {
            Stage::FreeSpace(space) => {
                known.extend(PlanePosition::coordinates(&space.spectrum, &FreeSpace::misalignment(errors)));
            }
            Stage::Mask(_) => known.extend_from_slice(errors.get(["phase"]).unwrap()[0]),
            _ => {}
        }
    }
    let engine = Cpu::<f64>::new();
    let controls: Vec<f64> = (0..network.controls()).map(|k| (1.7 * k as f64).sin()).collect();
    let fields: Vec<f64> = (0..2 * rows * columns).map(|k| (2.3 * k as f64).cos()).collect();
    let mut chip = engine.build(&network, &fabrication).unwrap();
    let mut model = engine.build(&network, &Fabrication::ideal()).unwrap();
    let (mut seen, mut found) = (vec![0.0; rows * columns], vec![0.0; rows * columns]);
    chip.program(&controls).unwrap();
    chip.propagate(&fields, 1, &mut seen).unwrap();
    let brightest = seen.iter().copied().fold(0.0_f64, f64::max);
    let apart = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs() / brightest).fold(0.0_f64, f64::max);
    for (estimate, bound) in [(vec![0.0; known.len()], 0.1..f64::INFINITY), (known, 0.0..1e-11)] {
        model.set_imperfections(&estimate).unwrap();
        model.program(&controls).unwrap();
        model.propagate(&fields, 1, &mut found).unwrap();
        assert!(bound.contains(&apart(&found, &seen)), "{}", apart(&found, &seen));
    }
}

#[test]
fn planes_are_drawn_with_the_spreads_of_their_kind() {
    let spectrum = AngularSpectrum { rows: 64, columns: 64, pitch_um: 400.0, distance_um: 3e4, wavelength_um: 750.0 };
    let plane = || vec![Stage::free_space(spectrum), Stage::mask(64, 64, Transmission::Phase)];
    let mut layers: Vec<_> = (0..60).map(|_| plane()).collect();
    layers.last_mut().unwrap().push(Stage::regions(64, 64, 10, 8));
    let network = Network::new(layers).unwrap();
    let planes =
        Planes { pixel_phase: 0.3, plane_shift: 40.0, plane_distance: 75.0, plane_tilt: 0.002, ..Planes::NONE };
    let chip = Imperfections { planes, ..Imperfections::NONE }.fabricate(&network, 3).unwrap();
    let spread = |stage: usize, name: &str| {
        let all: Vec<f64> =
            (0..60).flat_map(|plane| chip.stage(2 * plane + stage).get([name]).unwrap()[0].to_vec()).collect();
        (all.iter().map(|x| x * x).sum::<f64>() / all.len() as f64).sqrt()
    };
    for (stage, name, expected) in [(0, "shift", 40.0), (0, "distance", 75.0), (0, "tilt", 0.002), (1, "phase", 0.3)] {
        let found = spread(stage, name);
        assert!((found / expected - 1.0).abs() < 0.2, "{name}: {found} for {expected}");
    }
    // neither masks nor space know more of an individual than its kind
    assert!(
        Imperfections { planes, ..Imperfections::NONE }
            .typical(&network)
            .unwrap()
            .stages
            .iter()
            .all(|errors| { errors.iter().all(|(_, values)| values.iter().all(|&value| value == 0.0)) })
    );
    assert_eq!(Imperfect::errors(&FreeSpace { spectrum })[0].most, 64.0 * 400.0, "as far as the darkness reaches");
}

/// Levels are even over a turn, what is told goes to the nearest, and only phases have them.
#[test]
fn pixels_with_levels_stand_at_the_nearest_and_dead_ones_at_rest() {
    use at_core::imperfections::Control;
    let network = |transmission| {
        let mask = Stage::mask(3, 3, transmission);
        Network::new(vec![vec![mask, Stage::detection(9, Detection::Homodyne { phase: 0.0 })]]).unwrap()
    };
    let planes = Planes { mask_levels: 4, ..Planes::NONE };
    let kind = Imperfections { planes, ..Imperfections::NONE };
    let phases = network(Transmission::Phase);
    let chip = kind.fabricate(&phases, 1).unwrap();
    chip.check(&phases).unwrap();
    let told = [0.0, 0.7, 0.8, 3.0, -0.7, -0.8, 6.0, 20.0, -9.0];
    let levels = [0.0, 0.0, 1.0, 2.0, 0.0, -1.0, 4.0, 13.0, -6.0];
    let stand = |network: &Network, chip: &Fabrication, told: &[f64]| {
        let first = vec![0.0; told.len()];
        Reference { network, fabrication: chip, first_controls: &first, drift: &[] }.effective_controls(told).unwrap()
    };
    for (found, level) in stand(&phases, &chip, &told).into_iter().zip(levels) {
        let turns = (found - 0.25 * TAU * level) / TAU;
        assert!((turns - turns.round()).abs() < 1e-12, "{found} for level {level}");
    }
    let both = network(Transmission::Complex);
    let chip = kind.fabricate(&both, 1).unwrap();
    let found = stand(&both, &chip, &[told, told].concat());
    assert!(found[9..].iter().zip(told).all(|(found, told)| *found == told), "amplitudes have no levels");
    let control = Control { dead_shifters: 1.0, ..Control::NONE };
    let dead = Imperfections { control, ..kind }.fabricate(&phases, 1).unwrap();
    assert!(stand(&phases, &dead, &told).iter().all(|phase| *phase == 0.0));
    let refused = Imperfections { planes: Planes { mask_levels: 1, ..planes }, ..kind };
    assert!(refused.validate().unwrap_err().to_string().contains("mask-levels = 1"));
    let digital = kind.data_sheet();
    assert_eq!(digital.planes.mask_levels, 4, "a model knows them");
}
