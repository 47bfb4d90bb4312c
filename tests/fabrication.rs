//! Static imperfections as drawn: their statistics, what is shared, and that none makes light.

use at_core::cpu::Cpu;
use at_core::fabrication::Fabrication;
use at_core::imperfections::{Control, Imperfections, Passive, Process};
use at_core::network::{Detection, Network};
use at_core::optics::Mesh;
use at_core::propagator::Propagator;
use at_tests::case::Case;
use at_tests::networks::{mesh_and_detectors, weight_banks};
use std::f64::consts::TAU;

fn mesh(modes: usize) -> Network {
    mesh_and_detectors(&Mesh::rectangular(modes).unwrap(), Detection::Intensity)
}

/// (first couplers, second couplers, phases, losses).
fn drawn(imperfections: &Imperfections, network: &Network, seed: u64) -> [Vec<f64>; 4] {
    let chip = imperfections.fabricate(network, seed).unwrap();
    let vectors = chip.stages[0].get(["first_coupler", "second_coupler", "phases", "loss_db"]);
    vectors.unwrap().map(<[f64]>::to_vec)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

fn deviation(values: &[f64]) -> f64 {
    let centre = mean(values);
    mean(&values.iter().map(|value| (value - centre).powi(2)).collect::<Vec<_>>()).sqrt()
}

#[test]
fn couplers_have_their_mean_their_spread_and_are_equal_where_asked() {
    let network = mesh(64);
    let passive = Passive { splitter_mean: -0.05, splitter_split: 0.04, ..Passive::NONE };
    let [first, second, ..] = drawn(&Imperfections { passive, ..Imperfections::NONE }, &network, 1);
    for couplers in [&first, &second] {
        assert!((mean(couplers) + 0.05).abs() < 0.002);
        assert!((deviation(couplers) / 0.02 - 1.0).abs() < 0.06, "a split of ε is an angle of ε/2");
    }
    let product: Vec<f64> = first.iter().zip(&second).map(|(a, b)| (a + 0.05) * (b + 0.05)).collect();
    assert!(mean(&product).abs() < 0.1 * 0.02 * 0.02, "left and right are independent");
    let passive = Passive { splitter_equal: true, ..passive };
    let [first, second, ..] = drawn(&Imperfections { passive, ..Imperfections::NONE }, &network, 1);
    assert_eq!(first, second);
}

#[test]
fn an_uncalibrated_chip_has_any_phase() {
    let passive = Passive { uncalibrated: true, ..Passive::NONE };
    let [_, _, phases, _] = drawn(&Imperfections { passive, ..Imperfections::NONE }, &mesh(64), 1);
    let eighth = |k: usize| phases.iter().filter(|phase| (**phase / TAU * 8.0) as usize == k).count() as f64;
    assert!((0..8).all(|k| (eighth(k) * 8.0 / phases.len() as f64 - 1.0).abs() < 0.15));
    assert!(phases.iter().all(|phase| (0.0..TAU).contains(phase)));
}

#[test]
fn losses_add_up_and_power_is_never_created() {
    let modes = 8;
    let network = mesh(modes);
    let passive = Passive { propagation_db_cm: 2.0, facet_db: 1.5, path_imbalance: 0.3, ..Passive::NONE };
    let lossy = Imperfections { loss_db: 0.2, passive, ..Imperfections::NONE };
    let [_, _, _, loss] = drawn(&lossy, &network, 3);
    // a column: 0.2 dB and 200 µm of 2 dB/cm, ± 30 %; two facets in all, spread over the columns
    let (column, facets) = (0.24, 3.0 / 8.0);
    assert!(loss.iter().all(|loss| (loss - facets - column).abs() <= 0.3 * column + 1e-12));
    assert!((mean(&loss) - facets - column).abs() < 0.05 * column);
    let everything = Imperfections {
        splitter_angle: 0.2,
        phase: 0.5,
        loss_spread_db: 0.5,
        process: Process {
            process_splitter: 0.1,
            process_phase: 0.5,
            die_splitter: 0.1,
            die_phase: 1.0,
            ..Process::NONE
        },
        control: Control {
            control_range: 7.0,
            control_bits: 6,
            heater_spread: 0.1,
            crosstalk: 0.05,
            dead_shifters: 0.1,
            ..Control::NONE
        },
        ..lossy
    };
    for seed in 0..5 {
        for imperfections in [lossy, everything, Imperfections { loss_db: 0.0, passive: Passive::NONE, ..everything }] {
            let case = Case::new(network.clone(), &imperfections, 20, seed);
            let mut inside = case.programmed(&Cpu::<f64>::new());
            let mut powers = vec![0.0; 20 * modes];
            inside.propagate(&case.fields, 20, &mut powers).unwrap();
            for (enters, leaves) in case.fields.chunks(2 * modes).zip(powers.chunks(modes)) {
                let enters: f64 = enters.iter().map(|x| x * x).sum();
                assert!(leaves.iter().sum::<f64>() <= enters * (1.0 + 1e-12));
            }
        }
    }
}

/// Neighbouring phases are alike over the correlation length, and a die's mean is its own.
#[test]
fn process_variation_is_shared_by_neighbours() {
    let network = mesh(16);
    let process = Process { process_phase: 0.3, process_length: 400.0, ..Process::NONE };
    let neighbours = |process| {
        let (mut same, mut near) = (0.0, 0.0);
        for seed in 0..200 {
            let [_, _, phases, _] = drawn(&Imperfections { process, ..Imperfections::NONE }, &network, seed);
            same += phases[0] * phases[0] / 200.0;
            near += phases[0] * phases[1] / 200.0; // the next MZI of the column, 100 µm away
        }
        (same, near)
    };
    let (same, near) = neighbours(process);
    assert!((same / 0.09 - 1.0).abs() < 0.3, "{same}");
    assert!((near / same - (-0.25_f64.powi(2) / 2.0).exp()).abs() < 0.03, "{}", near / same);
    let (same, near) = neighbours(Process { process_length: 20.0, ..process });
    assert!((near / same).abs() < 0.25, "{}", near / same);
    let die = Process { die_phase: 0.5, ..Process::NONE };
    let means: Vec<f64> = (0..300)
        .map(|seed| {
            let [_, _, phases, _] = drawn(&Imperfections { process: die, ..Imperfections::NONE }, &network, seed);
            assert!(phases.iter().all(|phase| *phase == phases[0]));
            phases[0]
        })
        .collect();
    assert!((deviation(&means) / 0.5 - 1.0).abs() < 0.12);
}

/// Temporal copies: one module does the work of all blocks, with the same errors.
#[test]
fn blocks_of_a_reused_module_share_their_errors() {
    let network = weight_banks(&[6, 6, 6]);
    let control = Control { heater_spread: 0.1, ..Control::NONE };
    let imperfections = Imperfections { response_offset: 0.3, update_error: 0.2, control, ..Imperfections::NONE };
    let own = imperfections.fabricate(&network, 4).unwrap();
    let shared = Imperfections { module: 3, ..imperfections }.fabricate(&network, 4).unwrap();
    let offsets = |chip: &Fabrication, stage: usize| chip.stages[stage].get(["offset"]).unwrap()[0].to_vec();
    let (first, second) = (offsets(&shared, 0), offsets(&shared, 2));
    assert_eq!(first, second, "layers of one shape");
    for (row, column) in [(0, 3), (4, 1), (5, 5)] {
        assert_eq!(first[row * 6 + column], first[row % 3 * 6 + column % 3]);
        assert_eq!(shared.update_error[row * 6 + column], shared.update_error[row % 3 * 6 + column % 3]);
        assert_eq!(shared.control.shifters[row * 6 + column], shared.control.shifters[row % 3 * 6 + column % 3]);
    }
    assert_ne!(offsets(&own, 0), offsets(&own, 2));
    assert_ne!(offsets(&own, 0)[0], offsets(&own, 0)[3]);
}
