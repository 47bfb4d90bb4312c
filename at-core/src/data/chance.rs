//! What guessing reaches: below it nothing was learned, whatever the accuracy.

use super::Samples;
use serde::{Deserialize, Serialize};

/// Standard deviations of the count of lucky guesses above which an accuracy is no luck: one run in 700 of guessing gets there.
const DEVIATIONS: f64 = 3.0;

/// The accuracy of guessing the most frequent class.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Chance {
    /// Share p of the most frequent class.
    pub guess: f64,
    /// `p + 3·√(p(1-p)/n)` for n samples: an accuracy up to here may be a guess.
    pub limit: f64,
}

impl Chance {
    /// Of `samples` with labels below `classes`.
    pub fn of(samples: &Samples, classes: usize) -> Self {
        let most = samples.class_counts(classes).into_iter().max().unwrap_or(0) as f64;
        let count = (samples.len() as f64).max(1.0);
        let guess = most / count;
        Chance { guess, limit: guess + DEVIATIONS * (guess * (1.0 - guess) / count).sqrt() }
    }

    /// Errs where no samples have these: such a record was edited or is damaged.
    pub fn validate(&self) -> Result<(), String> {
        let Chance { guess, limit } = *self;
        let most = guess + DEVIATIONS * (guess * (1.0 - guess)).sqrt(); // of one sample
        if (0.0..=1.0).contains(&guess) && (guess..=most).contains(&limit) {
            return Ok(());
        }
        Err(format!("chance: guess = {guess:?} and limit = {limit:?} are not valid: no samples have these"))
    }

    /// `accuracy` is no better than guessing. Of a single class everything is a guess.
    pub fn explains(&self, accuracy: f64) -> bool {
        accuracy <= self.limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_accuracy_is_above_chance_only_beyond_luck() {
        let labels = (0..100).map(|k| k % 4).collect();
        let chance =
            Chance::of(&Samples { width: 1, features: vec![0.0; 100].into(), labels, complex: false, real: None }, 4);
        assert_eq!(chance.guess, 0.25);
        chance.validate().unwrap();
        for samples in [1, 2, 7] {
            let labels = (0..samples).collect();
            let few = Samples { width: 0, features: vec![].into(), labels, complex: false, real: None };
            Chance::of(&few, samples as usize).validate().unwrap();
        }
        for (guess, limit) in [(7.0, 7.0), (-0.1, 0.2), (0.25, 0.2), (0.25, 2.0), (f64::NAN, 0.3), (0.25, f64::NAN)] {
            let said = Chance { guess, limit }.validate().unwrap_err();
            assert!(said.contains(&format!("guess = {guess:?} and limit = {limit:?}")), "{said}");
        }
        let verdicts = [0.0, 0.25, 0.37, 0.39, 1.0].map(|accuracy| chance.explains(accuracy));
        assert_eq!(verdicts, [true, true, true, false, false]);
    }
}
