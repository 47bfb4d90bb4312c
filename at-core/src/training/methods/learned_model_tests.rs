use super::*;
use crate::cpu::Cpu;
use crate::imperfections::{Control, Passive, Rings};
use crate::network::{Detection, Stage, singular_value_stages};
use crate::optics::{Activation, Layout, Mesh};
use crate::propagator::{Adjoint, Simulator};
use crate::training::tests::meshes_inside::normalised;

const BATCH: usize = 7;

/// Chips whose heaters and losses differ, with all else that shifters can have but converters, whose steps have no slope.
const KIND: Imperfections = Imperfections {
    loss_db: 0.4,
    loss_spread_db: 0.2,
    passive: Passive { propagation_db_cm: 2.0, path_imbalance: 0.5, facet_db: 1.0, ..Passive::NONE },
    control: Control { control_range: 7.0, heater_spread: 0.1, crosstalk: 0.02, ..Control::NONE },
    ..Imperfections::NONE
};

fn options(imperfections: Imperfections) -> MethodOptions {
    MethodOptions { imperfections, ..MethodOptions::default() }
}

fn wave(count: usize, shift: f64) -> Vec<f64> {
    (0..count).map(|k| (1.7 * k as f64 + shift).sin()).collect()
}

/// A mesh, a nonlinearity, and a singular-value layer.
fn network() -> Network {
    let mesh = |modes| Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap());
    let mut last = singular_value_stages(5, 4, Layout::Rectangular).unwrap().to_vec();
    last.push(Stage::detection(4, Detection::Intensity));
    Network::new(vec![vec![mesh(5), Stage::activation(5, Activation::ELECTRO_OPTIC)], last]).unwrap()
}

fn model(network: &Network, options: &MethodOptions) -> LearnedModel<<Cpu<f64> as Simulator>::Network> {
    let (engine, design) = (Cpu::<f64>::new(), Design::of(network, options).unwrap());
    design.model(&engine, engine.build(&design.network, &design.fabrication).unwrap()).unwrap()
}

#[test]
fn slopes_of_heaters_losses_and_controls_are_those_of_differences() {
    let network = network();
    for kind in [KIND, Imperfections { control: Control { heater_spread: 0.1, ..Control::NONE }, ..KIND }] {
        let mut model = model(&network, &options(kind));
        // within the range and beyond, where whole turns are taken off
        let controls: Vec<f64> = wave(network.controls(), 0.3).iter().map(|x| 3.0 + 9.0 * x).collect();
        let estimate: Vec<f64> = wave(model.unknowns(), 0.7).iter().map(|x| 0.3 * x).collect();
        let fields = wave(BATCH * network.input().width(), 1.1);
        let weights = wave(BATCH * 4, 2.0);
        let (mut readout, mut trace) = (vec![0.0; BATCH * 4], model.inside().trace(BATCH).unwrap());
        let (mut gradient, mut plain) = (vec![f64::NAN; controls.len()], vec![f64::NAN; controls.len()]);
        let mut slopes = vec![f64::NAN; estimate.len()];
        model.set_estimate(&estimate).unwrap();
        model.program(&controls).unwrap();
        model.record(&fields, BATCH, &mut trace, &mut readout).unwrap();
        model.backpropagate(&trace, &weights, &mut plain).unwrap();
        model.backpropagate_estimate(&trace, &weights, &mut gradient, &mut slopes).unwrap();
        assert_eq!(gradient, plain);
        let mut at = |controls: &Vec<f64>, estimate: &Vec<f64>| {
            model.set_estimate(estimate).unwrap();
            model.program(controls).unwrap();
            model.propagate(&fields, BATCH, &mut readout).unwrap();
            readout.iter().zip(&weights).map(|(r, w)| r * w).sum::<f64>()
        };
        let moved = |values: &[f64], place: usize, by: f64| {
            let mut moved = values.to_vec();
            moved[place] += by;
            moved
        };
        let step = 1e-4;
        let largest = slopes.iter().chain(&gradient).fold(0.0_f64, |most, slope| most.max(slope.abs()));
        let near = |found: f64, [up, down]: [f64; 2], what: &str, place: usize| {
            let difference = (up - down) / (2.0 * step);
            assert!((found - difference).abs() < 1e-6 * largest, "{what} {place}: {found} {difference}");
        };
        for (place, slope) in slopes.iter().enumerate() {
            near(*slope, [step, -step].map(|by| at(&controls, &moved(&estimate, place, by))), "unknown", place);
        }
        for (place, slope) in gradient.iter().enumerate() {
            near(*slope, [step, -step].map(|by| at(&moved(&controls, place, by), &estimate)), "control", place);
        }
        assert!(slopes[network.imperfections()..].iter().any(|slope| slope.abs() > 1e-3 * largest));
    }
}

/// With the chip's own gains and losses the model is the chip, converters and crosstalk among it.
#[test]
fn with_an_exact_estimate_the_model_is_the_chip() {
    let (network, engine) = (network(), Cpu::<f64>::new());
    let converted = Control { control_bits: 6, ..KIND.control };
    let free = Control { heater_spread: 0.1, crosstalk: 0.02, ..Control::NONE };
    for control in [converted, free] {
        let kind = Imperfections { control, ..KIND };
        let fabrication = kind.fabricate(&network, 5).unwrap();
        let mut estimate = Vec::new();
        let known = kind.typical(&network).unwrap();
        for (number, stage) in network.stages().enumerate() {
            estimate.resize(estimate.len() + stage.imperfections(), 0.0);
            if let Stage::Mesh(_) = stage {
                let [own, sheet] = [&fabrication, &known].map(|chip| chip.stage(number).get(["loss_db"]).unwrap()[0]);
                estimate.extend(own.iter().zip(sheet).map(|(own, sheet)| own - sheet));
            }
        }
        estimate.extend(fabrication.control.shifters.iter().map(|shifter| SPREAD * (shifter.gain - 1.0)));
        let controls: Vec<f64> = wave(network.controls(), 0.3).iter().map(|x| 3.0 + 9.0 * x).collect();
        let fields = wave(BATCH * network.input().width(), 1.1);
        let read = |chip: &mut dyn Propagator<Engine = Cpu<f64>>| {
            chip.program(&controls).unwrap();
            let mut readout = vec![0.0; BATCH * 4];
            chip.propagate(&fields, BATCH, &mut readout).unwrap();
            readout
        };
        let chip = read(&mut engine.build(&network, &fabrication).unwrap());
        let mut model = model(&network, &options(kind));
        assert_eq!(model.unknowns(), estimate.len());
        model.set_estimate(&estimate).unwrap();
        let largest = chip.iter().fold(0.0_f64, |most, power| most.max(*power));
        let apart = |model: &[f64]| model.iter().zip(&chip).fold(0.0_f64, |most, (m, c)| most.max((m - c).abs()));
        assert!(apart(&read(&mut model)) < 1e-12 * largest);
        model.set_estimate(&vec![0.0; estimate.len()]).unwrap();
        assert!(apart(&read(&mut model)) > 1e-2 * largest, "the data sheet does not say it");
    }
}

/// Whatever an estimate says, of every kind of stage, and of those inside others.
#[test]
fn the_chip_that_an_estimate_describes_reads_as_the_model_does() {
    use crate::training::tests::fixture::{phase_change, planes, ring_banks, weight_banks};
    let engine = Cpu::<f64>::new();
    let rings = Imperfections { rings: Rings { ring_leak: 0.05, ring_loss_db: 0.5, ..Rings::NONE }, ..KIND };
    let inside = normalised();
    let networks = [network(), weight_banks(&[4, 3]), ring_banks(&[4, 3]), phase_change(&[4, 3]), planes(), inside];
    for (number, network) in networks.iter().enumerate() {
        let options = options(rings);
        let design = Design::of(network, &options).unwrap();
        let mut model = model(network, &options);
        let estimate: Vec<f64> = wave(model.unknowns(), 0.7).iter().map(|x| 0.3 * x).collect();
        assert_eq!(design.unknowns(), model.unknowns());
        let controls: Vec<f64> = wave(network.controls(), 0.3).iter().map(|x| 0.5 + 0.4 * x).collect();
        let (fields, outputs) = (wave(BATCH * network.input().width(), 1.1), BATCH * network.outputs());
        let read = |light: &mut dyn Propagator<Engine = Cpu<f64>>| {
            light.program(&controls).unwrap();
            let mut readout = vec![0.0; outputs];
            light.propagate(&fields, BATCH, &mut readout).unwrap();
            readout
        };
        model.set_estimate(&estimate).unwrap();
        let expected = read(&mut model);
        let described = design.described(&estimate).unwrap();
        let found = read(&mut engine.build(network, &described).unwrap());
        let largest = expected.iter().fold(0.0_f64, |most, power| most.max(power.abs()));
        let apart = found.iter().zip(&expected).fold(0.0_f64, |most, (f, e)| most.max((f - e).abs()));
        assert!(apart < 1e-12 * largest, "network {number}: {apart} beside {largest}");
        let sheet = read(&mut engine.build(network, &options.known(network).unwrap()).unwrap());
        assert!(sheet.iter().zip(&expected).any(|(s, e)| (s - e).abs() > 1e-3 * largest), "network {number}");
        design.described(&estimate[1..]).unwrap_err();
    }
}

#[test]
fn what_the_kind_has_no_spread_of_is_not_asked_for() {
    let (network, known) = (network(), network().imperfections());
    let unknowns = |network: &Network, kind: Imperfections| model(network, &options(kind)).unknowns();
    let places = 5 * 5 + 5 * 5 + 4 * 4;
    assert_eq!(unknowns(&network, Imperfections { splitter_angle: 0.1, loss_db: 0.3, ..Imperfections::NONE }), known);
    assert_eq!(unknowns(&network, Imperfections { loss_spread_db: 0.1, ..Imperfections::NONE }), known + places);
    let control = Control { heater_spread: 0.01, ..Control::NONE };
    let heaters = Imperfections { control, ..Imperfections::NONE };
    assert_eq!(unknowns(&network, heaters), known + network.controls());
    let updates = Imperfections { update_error: 0.05, ..Imperfections::NONE };
    assert_eq!(
        unknowns(&network, updates),
        known + network.controls(),
        "updates that fall short are slopes of heaters"
    );
    let perfect = MethodOptions { digital_model: DigitalModel::Perfect, ..options(KIND) };
    assert_eq!(model(&network, &perfect).unknowns(), known, "a model that is told of the design only");
    let banks = Network::new(vec![vec![Stage::weight_bank(4, 3)]]).unwrap();
    assert_eq!(unknowns(&banks, KIND), banks.imperfections(), "cells have slopes of their own");
}
