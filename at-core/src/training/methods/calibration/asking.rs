//! Asking a chip: the same light at settings that differ in few controls.

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
    /// The controls that do not move.
    pub base: Vec<f64>,
    moved: Vec<usize>,
    /// Where in `moved` a control is.
    places: HashMap<usize, usize>,
    /// Those that move, of every setting.
    drawn: Vec<Vec<f64>>,
    /// Readouts `[sample, output]` of every setting.
    pub readouts: Vec<Vec<f64>>,
}

impl<C: Propagator> Asking<'_, C> {
    /// Reads `count` settings of all controls, which are those of `base` but for `moved`, which may be anything.
    pub fn ask(&mut self, base: Vec<f64>, moved: Vec<usize>, count: usize) -> Result<Answers> {
        let mut readout = self.engine.zeros(self.samples * self.chip.outputs())?;
        let places = moved.iter().enumerate().map(|(place, index)| (*index, place)).collect();
        let mut answers = Answers { base, places, moved, drawn: Vec::new(), readouts: Vec::new() };
        for setting in 0..count {
            answers.drawn.push(answers.moved.iter().map(|_| TAU * self.random.random::<f64>()).collect());
            let controls = self.engine.upload(&answers.controls(setting))?;
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

    /// All controls in a setting.
    pub fn controls(&self, setting: usize) -> Vec<f64> {
        let mut controls = self.base.clone();
        self.moved.iter().zip(&self.drawn[setting]).for_each(|(&index, &own)| controls[index] = own);
        controls
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
