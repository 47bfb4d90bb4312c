use super::*;

const SPECTRUM: AngularSpectrum =
    AngularSpectrum { rows: 6, columns: 5, pitch_um: 400.0, distance_um: 3_000.0, wavelength_um: 750.0 };

/// Pixels so fine that some of the light does not get far.
const EVANESCENT: AngularSpectrum =
    AngularSpectrum { rows: 4, columns: 7, pitch_um: 0.2, distance_um: 0.3, wavelength_um: 0.532 };

#[test]
fn coordinates_move_a_plane_as_lengths_and_angles_do() {
    let misaligned = Misalignment { shift_um: [0.07, -0.04], distance_um: 0.02, tilt_rad: [0.2, -0.1] };
    let scaled = |by: f64| Misalignment {
        shift_um: misaligned.shift_um.map(|um| um * by),
        distance_um: misaligned.distance_um * by,
        ..misaligned
    };
    for (spectrum, misaligned) in [(SPECTRUM, scaled(1e3)), (EVANESCENT, misaligned)] {
        let back = PlanePosition::misalignment(&spectrum, &PlanePosition::coordinates(&spectrum, &misaligned));
        let parts = |own: Misalignment| [&own.shift_um[..], &[own.distance_um], &own.tilt_rad].concat();
        assert!(parts(back).iter().zip(parts(misaligned)).all(|(a, b)| (a - b).abs() < 1e-12 * b.abs().max(1.0)));
        let (position, at) = (PlanePosition::new(&spectrum), PlanePosition::coordinates(&spectrum, &misaligned));
        let common = Complex64::cis(TAU * misaligned.distance_um / spectrum.wavelength_um);
        let (designed, expected) = (spectrum.transfer(&Misalignment::default()), spectrum.transfer(&misaligned));
        let across = spectrum.padded()[0];
        for (index, (designed, expected)) in designed.iter().zip(expected).enumerate() {
            let found = designed * position.turn(at, index / across, index % across) * common;
            assert!((found - expected).norm() < 1e-12, "{spectrum:?} {index}: {found} against {expected}");
        }
        for (found, expected) in position.ramps(at).iter().flatten().zip(spectrum.ramps(&misaligned).iter().flatten()) {
            assert!((found - expected).norm() < 1e-12);
        }
    }
}

/// One radian of a shift or a distance turns the light at the edge by one radian, and one of a tilt the edge of the grid.
#[test]
fn a_coordinate_is_the_phase_at_an_edge() {
    let position = PlanePosition::new(&SPECTRUM);
    let largest = |values: &[f64]| values.iter().fold(0.0_f64, |most, value| most.max(value.abs()));
    for axis in [0, 1] {
        let passes = SPECTRUM.passes(axis);
        let lit: Vec<f64> = position.shifts[axis].iter().zip(&passes).filter(|own| *own.1).map(|own| *own.0).collect();
        assert!((0.7..=1.0).contains(&largest(&lit)), "{lit:?}");
        assert!((0.7..1.0).contains(&largest(&position.tilts[axis])));
    }
    let depth = position.depth.iter().map(|depth| depth.norm()).collect::<Vec<f64>>();
    assert!((1.0..3.0).contains(&largest(&depth)), "the corners of the band lie farther out than its edges");
    assert_eq!(position.depth[0], Complex64::ZERO, "no phase that all light has");
}
