//! Requests that do not fit, which every engine refuses in the same words.

use super::Precision;
use crate::case::{Case, IDEAL};
use crate::networks::coherent;
use at_core::network::Detection;
use at_core::optics::Activation;
use at_core::propagator::{Bidirectional, Direction, Monitor, Simulator};

/// Light and detectors that do not fit a mesh are refused, each for its own reason, as the `f64` engine refuses them.
pub fn what_does_not_fit_is_refused<E: Simulator>(engine: &E, _precision: Precision) {
    let case = Case::new(coherent(4, 2, Activation::ELECTRO_OPTIC, Detection::Intensity), &IDEAL, 3, 1);
    let found = refusals(engine, &case);
    for (message, part) in found.iter().zip(["2 meshes", "enter", "leave", "powers", "fields at"]) {
        assert!(message.contains(part), "{message}");
    }
    assert_eq!(found, refusals(&at_core::cpu::Cpu::<f64>::new(), &case), "on {}", engine.describe());
}

fn refusals<E: Simulator>(engine: &E, case: &Case) -> [String; 5] {
    let mut network = case.programmed(engine);
    let zeros = |len| engine.zeros(len).unwrap();
    let (fields, mut short, mut one) = (zeros(24), zeros(23), zeros(1));
    let mut send = |mesh, fields: &E::Buffer, output: Option<&mut E::Buffer>, monitor: Monitor<'_, E::Buffer>| {
        network.send(mesh, Direction::Backward, fields, 3, output, monitor).unwrap_err().to_string()
    };
    [
        send(2, &fields, None, Monitor::Nothing),
        send(1, &short, None, Monitor::Nothing),
        send(1, &fields, Some(&mut zeros(23)), Monitor::Nothing),
        send(1, &fields, None, Monitor::Powers(&mut one)),
        send(1, &fields, None, Monitor::Fields(&mut short)),
    ]
}
