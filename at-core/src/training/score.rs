//! What a result is judged by: how many classes are told right, or how near real values are met. One among several, chosen by the
//! task and not by the loss, which is only what is descended.

use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// A measure of a result.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Score {
    /// Share of the samples whose greatest class output is their label, 0 to 1.
    #[default]
    Accuracy,
    /// `R² = 1 − Σ(y − t)²/Σ(t − t̄)²` over samples and targets, t̄ the mean of each target over the split: 1 where every target is
    /// met, 0 where guessing the mean does as well, below where that does better.
    RSquared,
    /// Mean of `(y − t)²` over samples and targets, 0 at best.
    MeanSquareError,
}

impl Score {
    /// All of them.
    pub const ALL: [Score; 3] = [Score::Accuracy, Score::RSquared, Score::MeanSquareError];

    /// Its name in settings.
    pub fn as_str(self) -> &'static str {
        match self {
            Score::Accuracy => "accuracy",
            Score::RSquared => "r-squared",
            Score::MeanSquareError => "mean-square-error",
        }
    }

    /// Its name in files, where a dash is none.
    pub fn key(self) -> &'static str {
        match self {
            Score::Accuracy => "accuracy",
            Score::RSquared => "r_squared",
            Score::MeanSquareError => "mean_square_error",
        }
    }

    /// Its name in tables and pictures.
    pub fn symbol(self) -> &'static str {
        match self {
            Score::Accuracy => "accuracy",
            Score::RSquared => "R²",
            Score::MeanSquareError => "MSE",
        }
    }

    /// Its unit in tables and pictures.
    pub fn unit(self) -> &'static str {
        match self {
            Score::Accuracy => "%",
            Score::RSquared | Score::MeanSquareError => "",
        }
    }

    /// In that unit.
    pub fn in_unit(self, value: f64) -> f64 {
        match self {
            Score::Accuracy => 100.0 * value,
            Score::RSquared | Score::MeanSquareError => value,
        }
    }

    /// It judges classes; the others judge real targets.
    pub fn is_of_classes(&self) -> bool {
        match self {
            Score::Accuracy => true,
            Score::RSquared | Score::MeanSquareError => false,
        }
    }

    /// Greater where `one` is better than `other`.
    pub fn compare(self, one: f64, other: f64) -> Ordering {
        match self {
            Score::Accuracy | Score::RSquared => one.total_cmp(&other),
            Score::MeanSquareError => other.total_cmp(&one),
        }
    }

    /// The better of two.
    pub fn better(self, one: f64, other: f64) -> f64 {
        if self.compare(one, other).is_lt() { other } else { one }
    }

    /// `value` is `target` or better.
    pub fn reaches(self, value: f64, target: f64) -> bool {
        self.compare(value, target).is_ge()
    }

    /// The least and the greatest value that there are.
    pub fn range(self) -> (f64, f64) {
        match self {
            Score::Accuracy => (0.0, 1.0),
            Score::RSquared => (f64::MIN, 1.0),
            Score::MeanSquareError => (0.0, f64::MAX),
        }
    }

    /// Errs where `value`, which `name` holds, is none that a training gives.
    pub fn validate(self, name: &str, value: f64) -> std::result::Result<(), String> {
        let (least, most) = self.range();
        if (least..=most).contains(&value) {
            return Ok(());
        }
        let must = match self {
            Score::Accuracy => "from 0 to 1",
            Score::RSquared => "at most 1",
            Score::MeanSquareError => "at least 0",
        };
        Err(format!("{name} = {value} is not valid: must be {must}"))
    }
}

impl fmt::Display for Score {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl FromStr for Score {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        Self::ALL.into_iter().find(|score| score.as_str() == text).ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::invalid("score", format!("{text:?}"), format!("the scores are {names}"))
        })
    }
}

/// How the sums over a split become its score.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Judge {
    score: Score,
    /// What the mean sum of a sample is divided by.
    scale: f64,
}

impl Judge {
    /// Counts samples that are told right.
    pub const ACCURACY: Judge = Judge { score: Score::Accuracy, scale: 1.0 };

    /// Judges real `values [samples, width]` by `score`. Errs where that has no meaning for them.
    pub fn of_values(score: Score, values: &[f32], width: usize) -> Result<Self> {
        let scale = match score {
            Score::Accuracy => {
                let reason = "counts classes, and the targets are real values; choose r-squared or mean-square-error";
                return Err(Error::invalid("score", score, reason));
            }
            Score::MeanSquareError => width as f64,
            Score::RSquared => variance(values, width),
        };
        if scale > 0.0 {
            return Ok(Judge { score, scale });
        }
        let reason = "has no meaning where no target ever varies; choose mean-square-error, or other targets";
        Err(Error::invalid("score", score, reason))
    }

    /// Which score.
    pub fn score(&self) -> Score {
        self.score
    }

    /// The score of `samples` whose second sum ([`crate::engine::Engine::loss`]) is `sum`.
    pub fn value(&self, sum: f64, samples: f64) -> f64 {
        let mean = sum / samples;
        match self.score {
            Score::Accuracy => mean,
            Score::RSquared => 1.0 - mean / self.scale,
            Score::MeanSquareError => mean / self.scale,
        }
    }
}

/// Mean over the samples of `Σ_k (t_k − t̄_k)²`.
fn variance(values: &[f32], width: usize) -> f64 {
    let samples = (values.len() / width).max(1) as f64;
    let of = |target: usize| {
        let column = || values.iter().skip(target).step_by(width).map(|&value| f64::from(value));
        let mean = column().sum::<f64>() / samples;
        column().map(|value| (value - mean).powi(2)).sum::<f64>() / samples
    };
    (0..width).map(of).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_squared_is_one_at_the_targets_and_nought_at_their_mean() {
        let values = [1.0, 10.0, 3.0, 14.0, 5.0, 30.0];
        let judge = Judge::of_values(Score::RSquared, &values, 2).unwrap();
        assert_eq!(judge.value(0.0, 3.0), 1.0);
        let about_the_mean = 4.0 + 0.0 + 4.0 + 64.0 + 16.0 + 144.0;
        assert!(judge.value(about_the_mean, 3.0).abs() < 1e-12);
        assert!(judge.value(2.0 * about_the_mean, 3.0) < -0.99);
        let judge = Judge::of_values(Score::MeanSquareError, &values, 2).unwrap();
        assert_eq!(judge.value(12.0, 3.0), 2.0);
    }

    #[test]
    fn a_score_that_targets_cannot_have_is_refused() {
        let refused = |score, values: &[f32]| Judge::of_values(score, values, 1).unwrap_err().to_string();
        assert!(refused(Score::Accuracy, &[0.5, 1.0]).contains("real values"));
        assert!(refused(Score::RSquared, &[0.5, 0.5]).contains("varies"));
        assert!(refused(Score::RSquared, &[0.5]).contains("mean-square-error"));
    }

    #[test]
    fn the_better_score_is_the_greater_one_but_of_errors_the_smaller() {
        assert_eq!((Score::RSquared.better(0.2, 0.5), Score::MeanSquareError.better(0.2, 0.5)), (0.5, 0.2));
        assert!(Score::MeanSquareError.reaches(0.1, 0.2) && !Score::Accuracy.reaches(0.1, 0.2));
        for score in Score::ALL {
            assert_eq!(score.to_string().parse::<Score>().unwrap(), score);
            assert_eq!(serde_json::to_string(&score).unwrap(), format!("\"{score}\""));
            assert!(score.validate("x", f64::NAN).is_err() && score.validate("x", f64::INFINITY).is_err());
        }
        assert!(Score::RSquared.validate("x", -3.0).is_ok() && Score::Accuracy.validate("x", -0.1).is_err());
    }
}
