//! What an element of one's own must keep to, and what it gets for it; an electronic one (`examples/own_stage.rs` is optical).

use super::*;
use crate::cpu::Cpu;
use crate::fabrication::Fabrication;
use crate::imperfections::Place;
use crate::network::Network;
use crate::propagator::{Adjoint, Propagator, Simulator};
use crate::reference::Reference;
use crate::stage::{ControlRun, ErrorVector, Estimable, Gain, Order, slope_error};

/// Which of its words an amplifier breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lie {
    None,
    Name(&'static str),
    Output,
    WayBack,
    MixedSamples,
    FirstValues,
    Places,
    NoHardware,
    Vectors,
    Entries,
    ErrorName,
    Estimable,
    Sines,
}

/// An electronic element: `y = tanh((1 + e)·g·x)` with a gain g per wire.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Amplifiers {
    wires: usize,
    spread: f64,
    lie: Lie,
}

impl Amplifiers {
    fn honest(wires: usize) -> Self {
        Amplifiers { wires, spread: 0.2, lie: Lie::None }
    }

    fn slopes(self, errors: &StageErrors) -> Vec<f64> {
        let errors = errors.get(["gain"]).map_or(&[][..], |[own]| own);
        (0..self.wires).map(|k| 1.0 + errors.get(k).unwrap_or(&0.0)).collect()
    }
}

impl Element for Amplifiers {
    fn input(&self) -> Signal {
        Signal::reals(self.wires)
    }

    fn output(&self) -> Signal {
        Signal::reals(self.wires)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn words(&self) -> String {
        if let Lie::Name(name) = self.lie { name.into() } else { format!("amplifiers:{}", self.wires) }
    }

    fn description(&self) -> String {
        format!("{} amplifiers", self.wires)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        Some(self)
    }

    fn sines(&self) -> Option<Sines> {
        (self.lie == Lie::Sines).then_some(Sines::Kept)
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let slopes = self.slopes(errors);
        let mut leaves: Vec<f64> = signal
            .chunks_exact(self.wires)
            .flat_map(|x| (0..self.wires).map(|k| (slopes[k] * controls[k] * x[k]).tanh()).collect::<Vec<_>>())
            .collect();
        match self.lie {
            Lie::Output => leaves.truncate(1),
            Lie::MixedSamples => leaves[0] = signal.iter().sum(),
            _ => {}
        }
        leaves
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let slopes = self.slopes(errors);
        let carried = signal.iter().zip(error).enumerate().map(|(index, (x, e))| {
            let k = index % self.wires;
            let inner = slopes[k] * e / (slopes[k] * controls[k] * x).cosh().powi(2);
            gradient[k] += inner * x;
            inner * controls[k]
        });
        let carried: Vec<f64> = carried.collect();
        if self.lie == Lie::WayBack { carried[1..].to_vec() } else { carried }
    }
}

impl Controlled for Amplifiers {
    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::numbers(self.wires)]
    }

    fn first(&self, _: Start) -> Result<Vec<f64>> {
        Ok((0..self.wires + usize::from(self.lie == Lie::FirstValues)).map(|k| 1.0 + 0.1 * k as f64).collect())
    }

    fn places(&self) -> Vec<Option<Place>> {
        vec![None; if self.lie == Lie::Places { 0 } else { self.wires }]
    }

    fn rest(&self) -> f64 {
        0.0
    }

    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        (other.as_own() == Some(self) && self.lie != Lie::NoHardware).then(|| (0..self.wires).collect())
    }
}

impl Imperfect for Amplifiers {
    fn errors(&self) -> Vec<ErrorVector> {
        vec![ErrorVector {
            name: if self.lie == Lie::ErrorName { "gain/of all" } else { "gain" },
            what: "gain error",
            unit: "",
            length: self.wires,
            most: 1.0,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        }]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let own = draws.normal(1, self.wires + usize::from(self.lie == Lie::Entries), 0.0, self.spread);
        if self.lie == Lie::Vectors { Vec::new() } else { vec![own] }
    }

    fn estimable(&self) -> Estimable {
        if self.lie == Lie::Estimable { Estimable::ByBatches(1) } else { Estimable::Nothing }
    }

    fn estimated(&self, known: &StageErrors, _: &[f64]) -> StageErrors {
        known.clone()
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

/// Of all pages' tests.
pub fn electronic() -> Stage {
    Stage::own(Amplifiers::honest(4))
}

fn network(element: Amplifiers) -> Result<Network> {
    Network::new(vec![vec![Stage::matrix(3, element.wires), Stage::own(element)]])
}

#[test]
fn a_page_that_breaks_its_word_is_no_stage() {
    let cases = [
        (Lie::Name(""), "has a name"),
        (Lie::Name("ring > mesh:4"), "which networks put between stages"),
        (Lie::Name("ring\nmesh"), "which networks put between stages"),
        (Lie::Output, "reals that leave for two samples of own:amplifiers:4: expected 8, got 1"),
        (Lie::WayBack, "reals that come back for two samples of own:amplifiers:4: expected 8, got 7"),
        (Lie::MixedSamples, "does not depend on the others"),
        (Lie::FirstValues, "first values of the controls of own:amplifiers:4: expected 4, got 5"),
        (Lie::Places, "places of the controls of own:amplifiers:4: expected 4, got 0"),
        (Lie::NoHardware, "shares at least its own hardware"),
        (Lie::Vectors, "vectors of errors of own:amplifiers:4: expected 1, got 0"),
        (Lie::Entries, "entries of gain of own:amplifiers:4: expected 4, got 5"),
        (Lie::ErrorName, "names of errors differ"),
        (Lie::Estimable, "are not estimated"),
    ];
    for (lie, part) in cases {
        let failure = network(Amplifiers { lie, ..Amplifiers::honest(4) }).unwrap_err().to_string();
        assert!(failure.contains(part), "{lie:?}: {failure}");
    }
    network(Amplifiers::honest(4)).unwrap();
    let nothing = Network::new(vec![vec![Stage::own(Amplifiers::honest(0))]]).unwrap_err().to_string();
    assert!(nothing.contains("at least one mode"), "{nothing}");
}

#[test]
fn parameter_shift_takes_an_element_of_ones_own_only_at_its_word() {
    let check = |lie| {
        let network = Network::new(vec![vec![Stage::own(Amplifiers { lie, ..Amplifiers::honest(4) })]]).unwrap();
        crate::training::methods::parameter_shift::check(&network)
    };
    let failure = check(Lie::None).unwrap_err().to_string();
    assert!(failure.contains("parameter-shift with own:amplifiers:4 (stage 0)"), "{failure}");
    check(Lie::Sines).unwrap();
}

#[test]
fn an_element_is_named_with_a_prefix_and_equal_where_its_words_are() {
    let (four, five) = (electronic(), Stage::own(Amplifiers::honest(5)));
    assert_eq!(four.element().words(), "own:amplifiers:4");
    assert!(four == electronic() && four == four.clone() && four != five);
    assert_eq!(four.as_own(), Some(&Amplifiers::honest(4)));
    assert_eq!(four.as_own::<crate::stage::Matrix>(), None);
    assert_eq!(Stage::matrix(4, 4).as_own::<crate::stage::Matrix>(), None, "that is the library's");
    // a name that the library has is another's
    let named = Stage::own(Amplifiers { lie: Lie::Name("matrix:4-4"), ..Amplifiers::honest(4) });
    let identity = |stage| Network::new(vec![vec![stage]]).unwrap().identity();
    assert!(!identity(named).is(&identity(Stage::matrix(4, 4))));
}

#[test]
fn no_spread_of_an_element_of_ones_own_reaches_a_digital_model() {
    let network = network(Amplifiers::honest(4)).unwrap();
    let kind = Imperfections { parameter_spread: 0.1, ..Imperfections::NONE };
    let typical = kind.typical(&network).unwrap();
    assert_eq!(typical.stages[1].get(["gain"]).unwrap()[0], [0.0; 4]);
    let individuals = [1, 2].map(|seed| kind.fabricate(&network, seed).unwrap());
    let [one, other] = individuals.each_ref().map(|chip| chip.stages[1].get(["gain"]).unwrap()[0]);
    assert!(one != other && one.iter().all(|gain| *gain != 0.0), "{one:?}");
}

#[test]
fn batches_of_all_sizes_on_the_cpu_do_what_the_reference_does() {
    let network = network(Amplifiers::honest(5)).unwrap();
    let chip = Imperfections::NONE.fabricate(&network, 3).unwrap();
    assert!(!chip.stages[1].is_none());
    let controls = crate::training::initial_controls(&network, 1, &Initialization::FanIn).unwrap();
    let reference = Reference { network: &network, fabrication: &chip, first_controls: &controls, drift: &[] };
    for batch in [1, 7, 64, 257] {
        let fields: Vec<f64> = (0..3 * batch).map(|k| (0.7 * k as f64).sin()).collect();
        let error: Vec<f64> = (0..5 * batch).map(|k| (1.1 * k as f64).cos()).collect();
        let (readout, gradient) = run(&Cpu::<f64>::new(), &network, &chip, &controls, &fields, &error, batch);
        close(&readout, &reference.propagate(&controls, &fields).unwrap(), 1e-13);
        close(&gradient, &reference.gradient(&controls, &fields, &error).unwrap(), 1e-11);
        let (readout, gradient) = run(&Cpu::<f32>::new(), &network, &chip, &controls, &fields, &error, batch);
        close(&readout, &reference.propagate(&controls, &fields).unwrap(), 1e-5);
        close(&gradient, &reference.gradient(&controls, &fields, &error).unwrap(), 1e-3);
    }
}

#[test]
fn the_way_back_with_errors_is_the_derivative_of_the_way_there() {
    let stage = electronic();
    let own = stage.element().imperfect().unwrap();
    let errors = StageErrors::new(own, own.draw(&Draws::new(&Imperfections::NONE, &stage, 0, 5)));
    let signal: Vec<f64> = (0..8).map(|k| (1.3 * k as f64).sin()).collect();
    let controls = [1.0, -0.5, 0.7, 1.2];
    assert!(slope_error(stage.element(), &errors, &controls, &signal) < 1e-8);
}

fn run<E: Simulator>(
    engine: &E,
    network: &Network,
    chip: &Fabrication,
    controls: &[f64],
    fields: &[f64],
    error: &[f64],
    batch: usize,
) -> (Vec<f64>, Vec<f64>) {
    let mut model = engine.build(network, chip).unwrap();
    model.program(&engine.upload(controls).unwrap()).unwrap();
    let (mut readout, mut trace) = (engine.zeros(error.len()).unwrap(), model.trace(batch).unwrap());
    model.record(&engine.upload(fields).unwrap(), batch, &mut trace, &mut readout).unwrap();
    let mut gradient = engine.upload(&vec![f64::NAN; controls.len()]).unwrap();
    model.backpropagate(&trace, &engine.upload(error).unwrap(), &mut gradient).unwrap();
    (engine.download(&readout).unwrap(), engine.download(&gradient).unwrap())
}

fn close(found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < tolerance, "{found} for {expected}");
    }
}
