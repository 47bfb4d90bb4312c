//! What was measured of one chip: it takes the place of what was drawn, and the rest of the individual stays as drawn.

use super::Fabrication;
use super::control::Shifter;
use crate::error::same_size;
use crate::network::Network;
use crate::stage::{Controlled, StageErrors};
use crate::{Error, Result};

/// Measured values; one that is not a number was not measured.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Measurements {
    /// Errors: the stage, the vector's name on its page, and all its values.
    pub errors: Vec<(usize, String, Vec<f64>)>,
    /// Per control what its shifter makes of what it is told, `1 + γ`; none where nothing was measured.
    pub gains: Vec<f64>,
    /// Per control the range of its shifter (radians); none where nothing was measured.
    pub ranges: Vec<f64>,
    /// Controls whose shifters do not answer.
    pub dead: Vec<usize>,
}

impl Measurements {
    /// Puts it on `chip`, an individual of `network`. Errs where it does not fit the network, or makes no chip.
    pub fn put_on(&self, network: &Network, chip: &mut Fabrication) -> Result<()> {
        for (index, name, values) in &self.errors {
            let Some(own) = network.stages().nth(*index).and_then(|stage| stage.element().imperfect()) else {
                return Err(Error::invalid("stage", index, "has no errors that could be measured"));
            };
            let schema = own.errors();
            let Some(vector) = schema.iter().find(|vector| vector.name == name) else {
                let known: Vec<&str> = schema.iter().map(|vector| vector.name).collect();
                return Err(Error::invalid(
                    "errors",
                    name,
                    format!("are none of stage {index}; it has {}", known.join(", ")),
                ));
            };
            same_size(&format!("{name} of stage {index}"), vector.length, values.len())?;
            chip.stages.resize(chip.stages.len().max(network.stages().count()), StageErrors::NONE);
            let errors = &mut chip.stages[*index];
            if errors.is_none() {
                *errors = StageErrors::zeros(own);
            }
            take(errors.get_mut(vector.name), values);
        }
        self.shifters(network, chip)?;
        chip.check(network)
    }

    fn shifters(&self, network: &Network, chip: &mut Fabrication) -> Result<()> {
        if self.gains.is_empty() && self.ranges.is_empty() && self.dead.is_empty() {
            return Ok(());
        }
        let controls = network.controls();
        for (what, values) in [("gain of every control", &self.gains), ("range of every control", &self.ranges)] {
            if !values.is_empty() {
                same_size(what, controls, values.len())?;
            }
        }
        let mut dead = vec![false; controls];
        for &index in &self.dead {
            let slot = dead.get_mut(index);
            *slot.ok_or_else(|| Error::invalid("dead", index, format!("there are {controls} controls")))? = true;
        }
        let shifters = &mut chip.control.shifters;
        shifters.resize(controls, Shifter::AS_TOLD);
        let heaters = network.stages().filter_map(|stage| stage.element().controlled());
        let rests = heaters.flat_map(|own: &dyn Controlled| {
            own.places().into_iter().zip(own.rests()).map(|(place, rest)| place.map(|_| rest))
        });
        for (index, (shifter, rest)) in shifters.iter_mut().zip(rests).enumerate() {
            let measured = |values: &[f64]| values.get(index).copied().filter(|value| !value.is_nan());
            let (gain, range, dead) = (measured(&self.gains), measured(&self.ranges), dead[index]);
            let Some(rest) = rest else {
                let none = gain.is_none() && range.is_none() && !dead;
                none.then_some(()).ok_or_else(|| Error::invalid("control", index, "is no phase shifter"))?;
                continue;
            };
            if let Some(gain) = gain {
                shifter.gain = gain;
            }
            if let Some(range) = range {
                (shifter.base, shifter.range) = (rest * range, range);
            }
            if dead {
                *shifter = Shifter { gain: 0.0, base: 0.0, range: 0.0 };
            }
        }
        Ok(())
    }
}

fn take(drawn: &mut [f64], measured: &[f64]) {
    for (slot, &value) in drawn.iter_mut().zip(measured) {
        if !value.is_nan() {
            *slot = value;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::Imperfections;
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    fn network() -> Network {
        let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
        Network::new(vec![vec![mesh, Stage::detection(4, Detection::Intensity), Stage::matrix(4, 2)]]).unwrap()
    }

    #[test]
    fn what_was_not_measured_stays_as_it_was_drawn() {
        let kind = Imperfections { splitter_angle: 0.1, phase: 0.2, ..Imperfections::NONE };
        let network = network();
        let drawn = kind.fabricate(&network, 3).unwrap();
        let mut chip = drawn.clone();
        let mut first = vec![f64::NAN; 6];
        first[4] = 0.5;
        let gains = [vec![f64::NAN; 15], vec![0.9], vec![f64::NAN; 10]].concat();
        let measured = Measurements {
            errors: vec![(0, "first_coupler".into(), first)],
            gains,
            dead: vec![2],
            ..Measurements::default()
        };
        measured.put_on(&network, &mut chip).unwrap();
        let [own, other] =
            [&chip, &drawn].map(|chip| chip.stage(0).get(["first_coupler", "second_coupler", "phases"]).unwrap());
        assert_eq!((own[0][4], own[0][3]), (0.5, other[0][3]));
        assert_eq!((own[1], own[2]), (other[1], other[2]));
        assert_eq!((chip.control.shifters[15].gain, chip.control.shifters[14]), (0.9, Shifter::AS_TOLD));
        assert_eq!((chip.control.shifters[2].gain, chip.control.shifters[2].range), (0.0, 0.0));
        // an ideal chip with one measured value has that one error
        let mut ideal = Fabrication::ideal();
        measured.put_on(&network, &mut ideal).unwrap();
        assert_eq!(ideal.stage(0).get(["first_coupler"]).unwrap()[0], &[0.0, 0.0, 0.0, 0.0, 0.5, 0.0]);
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let refused = |measured: Measurements, words: &str| {
            let error = measured.put_on(&network(), &mut Fabrication::ideal()).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        let errors = |stage, name: &str, values| Measurements {
            errors: vec![(stage, name.to_string(), values)],
            ..Measurements::default()
        };
        refused(errors(0, "first_coupler", vec![0.0; 5]), "6");
        refused(errors(0, "coupler", vec![0.0; 6]), "first_coupler");
        refused(errors(1, "first_coupler", vec![0.0; 6]), "no errors");
        refused(errors(0, "first_coupler", vec![f64::INFINITY; 6]), "first coupler");
        refused(Measurements { dead: vec![99], ..Measurements::default() }, "26 controls");
        refused(Measurements { dead: vec![20], ..Measurements::default() }, "no phase shifter");
        refused(Measurements { gains: vec![1.0; 3], ..Measurements::default() }, "26");
    }
}
