//! Digital models that know the data sheet of their chip's kind.

use super::fixture::{BACKPROPAGATION, Fixture, losses, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::{Normalization, Optimizer};
use crate::imperfections::{Control, Imperfections, Passive};
use crate::network::Network;
use crate::training::MethodName;
use crate::training::methods::DigitalModel;

/// What all chips of a kind have in common, large enough to matter.
const COMMON: Imperfections = Imperfections {
    loss_db: 0.5,
    passive: Passive { splitter_mean: 0.04, propagation_db_cm: 2.0, facet_db: 1.0, ..Passive::NONE },
    control: Control { control_range: 19.0, control_bits: 12, crosstalk: 0.03, ..Control::NONE },
    ..Imperfections::NONE
};

fn fixture(network: Network, errors: &Imperfections, model: DigitalModel, epochs: usize) -> Fixture<Cpu<f64>> {
    let mut fixture = Fixture::new(Cpu::<f64>::new(), network, errors, settings(3, epochs, 0.02, Optimizer::ADAM));
    fixture.settings.loss.normalization = Normalization::L2;
    fixture.options.imperfections = *errors;
    fixture.options.digital_model = model;
    fixture
}

#[test]
fn on_a_chip_that_is_what_its_data_sheet_says_every_method_with_a_model_is_backpropagation() {
    for network in [meshes(4), weight_banks(&[4, 5, 3])] {
        let informed = fixture(network.clone(), &COMMON, DigitalModel::DataSheet, 1);
        let ignorant = fixture(network, &COMMON, DigitalModel::Perfect, 1);
        let ideal = informed.trajectory(MethodName::Ideal, 8);
        for name in BACKPROPAGATION {
            assert_eq!(informed.trajectory(name, 8), ideal, "{name}");
        }
        for name in [MethodName::At, MethodName::Pat, MethodName::PatOutput, MethodName::InSilico] {
            assert_ne!(ignorant.trajectory(name, 8), ideal, "{name} cannot know");
        }
    }
}

/// Light that is 30 dB weaker than a model expects, at a nonlinearity that goes with its cube, and phases that neighbours turn.
#[test]
fn what_the_data_sheet_says_decides_whether_lossy_chips_with_crosstalk_train() {
    let individual = Imperfections { loss_spread_db: 0.1, splitter_angle: 0.01, phase: 0.02, ..COMMON };
    for name in [MethodName::At, MethodName::Pat, MethodName::PatOutput] {
        let last = |model| losses(&fixture(meshes(8), &individual, model, 40), name).1;
        let (informed, ignorant) = (last(DigitalModel::DataSheet), last(DigitalModel::Perfect));
        println!("{name}: {informed} {ignorant}");
        assert!(informed < 0.9 * ignorant, "{name}: {informed} with the data sheet, {ignorant} without");
    }
}
