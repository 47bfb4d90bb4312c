//! The chip of the published demonstration, number by number.
//!
//! The demonstration seeds NumPy anew for every list. With `s` the chip's seed (42 there), in the order of the layers:
//!
//! ```text
//! deviations D    one stream of seed s over all layers: D of W_0, of b_0, of W_1, …
//! update errors E of layer l: seed s·(3l + 3); E of W_l, then of b_l
//! first W_l, b_l  both the first draws of seed s' + l, with s' the seed of the first controls (42 too)
//! ```
//!
//! With s = s' the deviations of the first matrix are therefore the very draws that make its first weights: at the start every
//! weight w of it is off by +0.6·w²/0.1, always upward. That is no property of a chip, but part of what was published;
//! in-silico training fares much worse on it than on a chip whose deviations are independent of the weights (any other seed).
//!
//! Source: AsymmetricalTrainingDemo, atCode.py.

use super::Fabrication;
use crate::imperfections::Imperfections;
use crate::network::{Network, Stage};
use crate::numpy_random::LegacyNormal;
use crate::stage::StageErrors;
use crate::{Error, Result};

/// Draws the chip number `seed` as the demonstration does: deviations and update errors of matrices; other imperfections are
/// those of [`Imperfections::fabricate`]. Errs where NumPy would refuse the seed.
pub fn demonstration(imperfections: &Imperfections, network: &Network, seed: u64) -> Result<Fabrication> {
    let mut fabrication = imperfections.fabricate(network, seed)?;
    let numpy = |factor: u64| {
        let own = seed.checked_mul(factor).and_then(|own| u32::try_from(own).ok());
        let reason = format!("the demonstration seeds NumPy with {factor} times this number, which must be below 2^32");
        own.map(LegacyNormal::seed).ok_or_else(|| Error::invalid("chip-seed", seed, reason))
    };
    let mut deviations = numpy(1)?;
    let mut offset = 0;
    let mut layer = 0;
    for (stage, errors) in network.stages().zip(&mut fabrication.stages) {
        let controls = offset..offset + stage.controls();
        offset = controls.end;
        let Stage::Matrix(matrix) = stage.crossed() else { continue };
        let spread = deviations.draw(controls.len(), imperfections.parameter_spread).collect();
        *errors = StageErrors::new(matrix, vec![spread]);
        if imperfections.update_error > 0.0 {
            let mut errors = numpy(3 * layer + 3)?;
            let draws = errors.draw(controls.len(), imperfections.update_error);
            fabrication.update_error[controls].iter_mut().zip(draws).for_each(|(slot, draw)| *slot = draw);
        }
        layer += 1;
    }
    Ok(fabrication)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::training::{Initialization, initial_controls};

    fn network() -> Network {
        let matrix = |inputs, outputs| vec![Stage::matrix(inputs, outputs)];
        Network::new(vec![matrix(3, 2), matrix(2, 2)]).unwrap()
    }

    #[test]
    fn numbers_are_those_of_the_published_seeds() {
        let imperfections = Imperfections { parameter_spread: 0.6, update_error: 0.5, ..Default::default() };
        let chip = demonstration(&imperfections, &network(), 42).unwrap();
        let [spread] = chip.stages[0].get(["spread"]).unwrap();
        assert!((spread[3] - 0.6 * 1.5230298564080254).abs() < 1e-15, "fourth draw of seed 42");
        assert!((chip.update_error[1] - 0.5 * 1.4028673600193728).abs() < 1e-15, "second draw of seed 126");
        let first = initial_controls(&network(), 42, &Initialization::Demonstration).unwrap();
        for (spread, weight) in spread[..6].iter().zip(&first) {
            assert!((spread / 0.6 - weight / 0.1).abs() < 1e-12, "the first weights are the same draws");
        }
        assert_eq!(first[6], 0.5 * 0.4967141530112327, "biases start the seed anew");
        assert_ne!(first[8], first[0], "the next layer has the next seed");
    }

    #[test]
    fn seeds_that_numpy_refuses_are_errors() {
        let imperfections = Imperfections { update_error: 0.5, ..Default::default() };
        let error = demonstration(&imperfections, &network(), 1 << 30).unwrap_err().to_string();
        assert!(error.contains("chip-seed") && error.contains("6 times"), "{error}");
    }
}
