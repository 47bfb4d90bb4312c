//! Readouts and gradients of networks of every stage, on both sides of the batch from which matrices are worked out.

use super::record::Record;
use at_core::Real;
use at_core::cpu::Cpu;
use at_core::network::{Detection, Network};
use at_core::optics::{Activation, Mesh};
use at_tests::case::{Case, LOSSY};
use at_tests::networks::{
    ACTIVATIONS, DETECTIONS, coherent, convolutional, diffractive, looped, matrices, phase_change, recorded_stages,
    ring_banks, tiled, weight_banks,
};

/// All networks.
pub fn all() -> Record {
    let mut networks: Vec<(String, Network)> = vec![
        ("every stage".into(), recorded_stages()),
        ("tiles".into(), tiled(&Mesh::rectangular(3).unwrap())),
        ("triangular tiles".into(), tiled(&Mesh::triangular(4).unwrap())),
        ("matrices".into(), matrices(&[6, 5, 3])),
        ("diffractive planes".into(), diffractive(6, 5)),
        ("weight banks".into(), weight_banks(&[6, 5, 3])),
        ("ring banks".into(), ring_banks(&[6, 5, 3])),
        ("phase-change crossbars".into(), phase_change(&[6, 5, 3])),
        ("convolutions".into(), convolutional()),
        ("wide meshes".into(), coherent(20, 2, Activation::ELECTRO_OPTIC, Detection::Intensity)),
    ];
    for (index, activation) in ACTIVATIONS.into_iter().enumerate() {
        let network = coherent(4, 2, activation, Detection::Homodyne { phase: 0.2 });
        networks.push((format!("activation {index}"), network));
    }
    for (index, detection) in DETECTIONS.into_iter().enumerate() {
        networks.push((format!("detection {index}"), coherent(4, 1, Activation::ELECTRO_OPTIC, detection)));
    }
    networks.extend(looped().into_iter().map(|(name, network)| (name.to_string(), network)));
    let mut record = Record::default();
    for (name, network) in networks {
        for batch in [5, 40] {
            let case = Case::new(network.clone(), &LOSSY, batch, 12);
            with::<f64>(&mut record, &name, &case);
            with::<f32>(&mut record, &name, &case);
        }
    }
    record
}

fn with<T: Real>(record: &mut Record, name: &str, case: &Case) {
    let outcome = case.run(&Cpu::<T>::new());
    record.of(T::NAME, &format!("readout of {name}, batch {}", case.batch), &outcome.readout);
    record.of(T::NAME, &format!("gradient of {name}, batch {}", case.batch), &outcome.gradient);
}
