//! Many chips, one digital model.

use super::fixture::{Bench, ERRORS, meshes, settings, weight_banks};
use crate::chip::{Chip, Fabrication, Meter};
use crate::cpu::Cpu;
use crate::propagator::Engine;
use crate::training::methods::at::Weights;
use crate::training::methods::fleet::Fleet;
use crate::training::{Batch, Digital, MethodName, Optimizer};

#[test]
fn chips_that_share_a_model_are_trained_as_they_would_be_alone_and_share_its_cost() {
    for network in [weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut bench = Bench::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.05, Optimizer::ADAM));
        let fabrications: Vec<Fabrication> =
            (0..3).map(|seed| ERRORS.fabricate(&bench.network, 50 + seed).unwrap()).collect();
        let Bench { engine, network, initial, settings, .. } = &bench;
        let shared = Meter::default();
        let model = Digital::new(engine.build(network, &Fabrication::ideal()).unwrap(), network, &shared);
        let weights = Weights { digital: 0.5, physical: 0.5, model: 1.0 };
        let (optimizer, loss) = (settings.optimizer, settings.loss);
        let mut fleet = Fleet::new(engine, model, 3, weights, initial, optimizer, loss, 10, &shared).unwrap();
        let mut chips: Vec<Chip<_>> =
            fabrications.iter().map(|fabrication| Chip::new(engine, network, fabrication).unwrap()).collect();
        let meters: Vec<Meter> = chips.iter().map(|chip| chip.meter().clone()).collect();
        let mut batch = Batch::new(engine, bench.train.width(), 10).unwrap();
        let mut tallies = vec![vec![0.0; 3]; 3];
        for step in 0..7 {
            batch.gather(engine, &bench.train, bench.train.in_order(), step % 4 * 10, 10).unwrap();
            fleet.step(&mut chips, &meters, &batch, settings.learning_rate, &mut tallies).unwrap();
        }
        let flops = shared.read().digital_flops;
        assert_eq!((shared.read().digital_passes, shared.read().digital_backward_passes), (70, 70));
        for (index, (chip, fabrication)) in chips.iter().zip(fabrications).enumerate() {
            let own = chip.accesses();
            assert_eq!((own.digital_passes, own.digital_backward_passes, own.rounds), (0, 70, 7));
            assert_eq!(fleet.accesses_of_one(own).digital_flops, own.digital_flops + flops / 3);
            bench.fabrication = fabrication;
            let alone = bench.trajectory(MethodName::At, 7);
            assert_eq!(bench.engine.download(fleet.controls(index)).unwrap(), alone[6], "chip {index}");
        }
    }
}
