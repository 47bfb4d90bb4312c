use super::*;

const TERAHERTZ: AngularSpectrum =
    AngularSpectrum { rows: 64, columns: 64, pitch_um: 400.0, distance_um: 30_000.0, wavelength_um: 750.0 };

#[test]
fn light_that_passes_goes_no_farther_aside_than_the_grid_is_wide() {
    let [band, _] = TERAHERTZ.band();
    let sine = TERAHERTZ.wavelength_um * band;
    let aside = TERAHERTZ.distance_um * sine / (1.0 - sine * sine).sqrt();
    assert!((aside - 64.0 * 400.0).abs() < 1e-6, "{aside}");
    assert_eq!(AngularSpectrum { rows: 5, columns: 200, ..TERAHERTZ }.padded(), [512, 16]);
    assert!((TERAHERTZ.reach_um()[0] - aside).abs() < 1e-6);
    let coarse = AngularSpectrum { pitch_um: 4000.0, ..TERAHERTZ };
    assert!((coarse.reach_um()[0] / (30_000.0 * 750.0 / 8000.0) - 1.0).abs() < 0.01, "by the pitch: λz/2p");
    let numbers = TERAHERTZ.fresnel_numbers();
    assert!((numbers[0] - 12_800.0_f64.powi(2) / (750.0 * 30_000.0)).abs() < 1e-12);
}

#[test]
fn what_does_not_propagate_decays_and_what_does_keeps_its_power() {
    let near = AngularSpectrum { pitch_um: 100.0, distance_um: 50.0, ..TERAHERTZ };
    let (transfer, passes) = (near.transfer(&Misalignment::default()), near.passes(0));
    let [across, _] = near.padded();
    for (column, factor) in transfer[..across].iter().enumerate() {
        let cosine = 1.0 - (near.frequency(column, across) * near.wavelength_um).powi(2);
        let expected = match (passes[column], cosine > 0.0) {
            (false, _) => 0.0,
            (true, true) => 1.0,
            (true, false) => panic!("beyond the band"),
        };
        assert!((factor.norm() - expected).abs() < 1e-12, "{column}: {factor}");
    }
    let corner =
        transfer[(0..across).filter(|&k| passes[k]).max_by_key(|&k| k.min(across - k)).unwrap() * (across + 1)];
    assert!(corner.norm() < 0.9, "steep along both axes, it is no wave: {corner}");
}

#[test]
fn distances_at_the_limit_that_an_error_tells_are_accepted() {
    let far = AngularSpectrum { distance_um: 2e6, ..TERAHERTZ };
    let said = far.validate().unwrap_err().to_string();
    let most: f64 = said.split("take at most ").nth(1).unwrap().split(" mm").next().unwrap().parse().unwrap();
    AngularSpectrum { distance_um: 0.999e3 * most, ..TERAHERTZ }.validate().unwrap();
    assert!(AngularSpectrum { distance_um: 1.001e3 * most, ..TERAHERTZ }.validate().is_err(), "{said}");
    let pixels: usize = said.split("or some ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    AngularSpectrum { rows: pixels, columns: pixels, ..far }.validate().unwrap();
}

#[test]
fn lengths_are_told_in_units_that_suit_them() {
    for (um, text) in
        [(0.532, "532 nm"), (8.0, "8 µm"), (400.0, "400 µm"), (3e4, "30 mm"), (873_456.0, "873.5 mm"), (5e6, "5 m")]
    {
        assert_eq!(length(um), text);
    }
}
