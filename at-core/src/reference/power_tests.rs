//! Where the light is inside a mesh.

use super::Reference;
use crate::fabrication::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::{Detection, Network, Stage};
use crate::optics::{Activation, AngularSpectrum, Mesh};
use crate::stage::Transmission;
use std::f64::consts::PI;

fn network(meshes: usize) -> Network {
    let mesh = || Stage::Mesh(Mesh::rectangular(5).unwrap());
    let activation = Stage::activation(5, Activation::ELECTRO_OPTIC);
    let mut layers = vec![vec![mesh(), activation]; meshes - 1];
    layers.push(vec![mesh(), Stage::detection(5, Detection::Intensity)]);
    Network::new(layers).unwrap()
}

fn powers(network: &Network, fabrication: &Fabrication, controls: &[f64], fields: &[f64]) -> Vec<Vec<f64>> {
    let reference = Reference { network, fabrication, first_controls: &[], drift: &[] };
    reference.powers(controls, fields).unwrap().into_iter().flatten().collect()
}

/// Light on mode 1 alone.
const SECOND: [f64; 10] = [0.0, 0.0, 3.0, 4.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0];

#[test]
fn light_stays_in_bar_meshes_and_moves_on_in_cross_meshes() {
    let network = network(1);
    let path = |theta: f64| {
        let controls: Vec<f64> = (0..network.controls()).map(|k| if k < 10 { theta } else { 0.3 * k as f64 }).collect();
        let powers = powers(&network, &Fabrication::ideal(), &controls, &SECOND).remove(0);
        let brightest = |row: &[f64]| {
            let bright: Vec<_> = (0..5).filter(|&mode| row[mode] > 24.999).collect();
            assert_eq!(bright.len(), 1, "{row:?}");
            bright[0]
        };
        powers.chunks_exact(5).map(brightest).collect::<Vec<_>>()
    };
    assert_eq!(path(PI), [1; 6]);
    // columns join rows (0,1)(2,3), then (1,2)(3,4), and so on
    assert_eq!(path(0.0), [1, 0, 0, 1, 2, 3]);
}

#[test]
fn a_mesh_keeps_power_and_loses_what_its_columns_lose() {
    let network = network(2);
    let controls: Vec<f64> = (0..network.controls()).map(|k| (1.7 * k as f64).sin() * 3.0).collect();
    let sums = |loss_db: f64| {
        let spreads = Imperfections { splitter_angle: 0.1, phase: 0.1, loss_db, ..Imperfections::default() };
        let fabrication = spreads.fabricate(&network, 3).unwrap();
        let powers = powers(&network, &fabrication, &controls, &SECOND);
        assert_eq!(powers.len(), 2);
        let last = &powers[1][25..];
        let readout = Reference { network: &network, fabrication: &fabrication, first_controls: &[], drift: &[] };
        let readout = readout.propagate(&controls, &SECOND).unwrap();
        assert!(last.iter().zip(readout).all(|(power, read)| (power - read).abs() < 1e-12), "{last:?}");
        powers.iter().map(|mesh| mesh.chunks_exact(5).map(|row| row.iter().sum()).collect()).collect::<Vec<Vec<f64>>>()
    };
    for mesh in sums(0.0) {
        assert!(mesh.iter().all(|sum| (sum - mesh[0]).abs() < 1e-12), "{mesh:?}");
    }
    for mesh in sums(0.5) {
        let steps = mesh.windows(2).map(|pair| -10.0 * (pair[1] / pair[0]).log10());
        steps.for_each(|db| assert!((db - 0.5).abs() < 1e-9, "{db} dB"));
    }
}

#[test]
fn more_than_one_sample_is_refused() {
    let network = network(1);
    let reference =
        Reference { network: &network, fabrication: &Fabrication::ideal(), first_controls: &[], drift: &[] };
    assert!(reference.powers(&vec![0.0; network.controls()], &[0.0; 20]).is_err());
}

/// What detectors read is the mean of the powers within their regions; a mask of phases keeps the power of every pixel.
#[test]
fn light_on_planes_is_what_the_detectors_add_up() {
    let spectrum = AngularSpectrum { rows: 6, columns: 8, pitch_um: 400.0, distance_um: 2000.0, wavelength_um: 750.0 };
    let regions = Stage::regions(6, 8, 3, 2);
    let mask = || Stage::mask(6, 8, Transmission::Phase);
    let network = Network::new(vec![vec![mask(), Stage::free_space(spectrum), mask(), regions.clone()]]).unwrap();
    let some = |count: usize, step: f64| (0..count).map(|k| (step * k as f64).sin()).collect::<Vec<f64>>();
    let (controls, fields) = (some(network.controls(), 1.3), some(96, 0.7));
    let fabrication = Fabrication::ideal();
    let reference = Reference { network: &network, fabrication: &fabrication, first_controls: &[], drift: &[] };
    let found = reference.powers(&controls, &fields).unwrap();
    assert!(found[1].is_none(), "free space has no plane");
    let entered: Vec<f64> = fields.chunks_exact(2).map(|z| z[0] * z[0] + z[1] * z[1]).collect();
    assert_eq!(found[0].as_ref(), Some(&entered));
    let (before, behind) = (found[2].as_ref().unwrap(), found[3].as_ref().unwrap());
    assert!(before.iter().zip(behind).all(|(a, b)| (a - b).abs() < 1e-12));
    let Stage::Regions(own) = regions else { unreachable!() };
    let read = reference.propagate(&controls, &fields).unwrap();
    for (pixels, read) in own.pixels().iter().zip(read) {
        let mean = pixels.iter().map(|&pixel| behind[pixel]).sum::<f64>() / pixels.len() as f64;
        assert!((mean - read).abs() < 1e-12, "{mean} for {read}");
    }
}
