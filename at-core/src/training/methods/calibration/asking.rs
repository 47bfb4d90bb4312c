//! Asking a chip: the same light at settings that differ in few controls. Heaters that those which move heat are set anew in every setting, so that their
//! phases stay.

use super::super::heater_path::Ways;
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Buffer, Propagator};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use std::collections::HashMap;
use std::f64::consts::TAU;

/// What is asked with.
pub struct Asking<'a, C: Propagator> {
    /// The chip.
    pub chip: &'a mut C,
    /// The ways of its controls to their phases.
    pub ways: &'a Ways,
    /// Its engine.
    pub engine: C::Engine,
    /// The light, of so many samples.
    pub light: Buffer<C>,
    /// See [`Asking::light`].
    pub samples: usize,
    /// Draws settings.
    pub random: ChaCha8Rng,
}

/// What a chip answered: only what moves is kept of a setting, because a large chip has millions of controls.
pub struct Answers {
    /// The controls, of which those that do not move make the same phases in every setting.
    pub base: Vec<f64>,
    /// The others, and those that are set anew for them.
    moved: Vec<usize>,
    /// Where in `moved` a control is.
    places: HashMap<usize, usize>,
    /// Those that move, of every setting.
    drawn: Vec<Vec<f64>>,
    /// Readouts `[sample, output]` of every setting.
    pub readouts: Vec<Vec<f64>>,
}

impl<C: Propagator> Asking<'_, C> {
    /// Reads `count` settings of all controls, whose phases are those of `base`, as far as `estimate` knows heaters, but for `moved`, which may be anything.
    pub fn ask(&mut self, base: Vec<f64>, moved: Vec<usize>, count: usize, estimate: &[f64]) -> Result<Answers> {
        let mut readout = self.engine.zeros(self.samples * self.chip.outputs())?;
        let phase = |index: usize| (index, self.ways.phase(index, |other| base[other], estimate));
        let still: Vec<(usize, f64)> = self.ways.heated(&moved).into_iter().map(phase).collect();
        let all: Vec<usize> = moved.iter().copied().chain(still.iter().map(|own| own.0)).collect();
        let places = all.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let mut answers = Answers { base, places, moved: all, drawn: Vec::new(), readouts: Vec::new() };
        for setting in 0..count {
            let mut controls = answers.base.clone();
            moved.iter().for_each(|&index| controls[index] = TAU * self.random.random::<f64>());
            self.ways.hold(&still, &mut controls, estimate);
            answers.drawn.push(answers.moved.iter().map(|&index| controls[index]).collect());
            let controls = self.engine.upload(&controls)?;
            if setting == 0 {
                self.chip.program(&controls)?;
            } else {
                self.chip.reprogram(&controls, &answers.moved)?;
            }
            self.chip.propagate(&self.light, self.samples, &mut readout)?;
            answers.readouts.push(self.engine.download(&readout)?);
        }
        Ok(answers)
    }
}

impl Answers {
    /// How many settings there are.
    pub fn len(&self) -> usize {
        self.drawn.len()
    }

    /// What controls were told in a setting.
    pub fn told(&self, setting: usize) -> impl Fn(usize) -> f64 {
        move |index| self.places.get(&index).map_or(self.base[index], |&place| self.drawn[setting][place])
    }

    /// Takes further answers to the same question.
    pub fn extend(&mut self, more: Answers) {
        self.drawn.extend(more.drawn);
        self.readouts.extend(more.readouts);
    }
}
