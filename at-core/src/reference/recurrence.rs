//! What enters looped layers: a part of the sample beside the state, by the formula of [`crate::network::Recurrence`].

use crate::network::{Network, Signal, Visit};

/// What enters at `visit`: of `signal [batch, …]`, which left the visit before, and of the samples `fields`.
pub(super) fn enter(network: &Network, visit: &Visit, fields: &[f64], signal: &[f64]) -> Vec<f64> {
    let (Some(part), Some(own)) = (visit.part, network.recurrence()) else { return signal.to_vec() };
    let state = network.state(own).width();
    let whole = network.input().width();
    let batch = fields.len() / whole;
    let entering = Signal { modes: own.entering().unwrap_or(0), ..network.input() }.width();
    let mut entered = Vec::new();
    for sample in 0..batch {
        entered.extend(&fields[sample * whole + part * entering..][..entering]);
        match visit.again {
            true => {
                let width = signal.len() / batch;
                entered.extend(&signal[sample * width..][..width][width - state..]);
            }
            false => entered.extend(std::iter::repeat_n(0.0, state)),
        }
    }
    entered
}

/// From the error at what entered to that at what left the visit before, `width` reals of a sample.
pub(super) fn leave(network: &Network, visit: &Visit, width: usize, error: &[f64]) -> Vec<f64> {
    let (Some(_), Some(own)) = (visit.part, network.recurrence()) else { return error.to_vec() };
    let state = network.state(own).width();
    let entered = network.layers()[visit.layer][0].input().width();
    let of_state = |error: &[f64]| {
        let mut back = vec![0.0; width];
        if visit.again {
            back[width - state..].copy_from_slice(&error[entered - state..]);
        }
        back
    };
    error.chunks_exact(entered).flat_map(of_state).collect()
}
