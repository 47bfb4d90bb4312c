//! Features moved and stretched by what the training samples measure.

use super::dataset::{Dataset, SampleLimits};
use super::samples::Samples;
use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// Features whose ranges differ by more than this are not of one scale.
const MOST_RATIO: f64 = 1000.0;

/// How features are scaled, each by itself, as the training samples measure it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Scale {
    /// As they are.
    #[default]
    None,
    /// Mean 0 and standard deviation 1 ([`Dataset::standardised`]).
    Standard,
    /// From 0 to 1 ([`Dataset::unit_range`]).
    Unit,
}

impl FromStr for Scale {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        match text {
            "none" => Ok(Scale::None),
            "standard" => Ok(Scale::Standard),
            "unit" => Ok(Scale::Unit),
            other => Err(Error::invalid("scale", other, "must be standard, unit or none")),
        }
    }
}

impl fmt::Display for Scale {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Scale::None => "none",
            Scale::Standard => "standard",
            Scale::Unit => "unit",
        })
    }
}

impl Dataset {
    /// Keeps the first samples of each part, then scales the features by the training samples that are left. What is not scaled and
    /// has features of very different ranges is noted. Errs as [`Dataset::limit`], and on features that leave the range of f32.
    pub fn prepared(self, limits: SampleLimits, scale: Scale) -> Result<Self> {
        let mut set = self.limit(limits.train, limits.test)?;
        match scale {
            Scale::None => {
                let doubt = ranges(&set);
                set.notes.extend(doubt);
                Ok(set)
            }
            Scale::Standard => set.standardised().checked(),
            Scale::Unit => set.unit_range().checked(),
        }
    }

    /// Features moved and stretched to mean 0 and standard deviation 1, both measured on the training samples.
    ///
    /// The deviation is the population's, `sqrt(mean((x − mean)²))`. A feature that never varies is only moved. Complex features keep
    /// their phases: they are divided by the root of their mean `|x|²`.
    pub fn standardised(self) -> Self {
        if self.train.complex {
            let square =
                |sizes: &[f64]| (sizes.iter().map(|size| size * size).sum::<f64>() / sizes.len() as f64).sqrt();
            return self
                .stretched("complex features divided by the training set's root mean square, phases kept", square);
        }
        self.rescaled("features standardised with the training set's mean and standard deviation", |column| {
            let mean = column.iter().sum::<f64>() / column.len() as f64;
            let variance = column.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / column.len() as f64;
            (mean, variance.sqrt())
        })
    }

    /// Features moved and stretched to 0..1, minimum and maximum measured on the training samples.
    ///
    /// Test features may lie outside. A feature that never varies is only moved. Complex features keep their phases: they are divided
    /// by their greatest `|x|`.
    pub fn unit_range(self) -> Self {
        if self.train.complex {
            let greatest = |sizes: &[f64]| sizes.iter().copied().fold(0.0, f64::max);
            return self
                .stretched("complex features divided by the training set's greatest magnitude, phases kept", greatest);
        }
        self.rescaled("features scaled to 0..1 by the training set's minimum and maximum", |column| {
            let (least, most) = column.iter().fold((f64::MAX, f64::MIN), |(a, b), &x| (a.min(x), b.max(x)));
            (least, most - least)
        })
    }

    /// Each feature `x` becomes `(x − origin) / scale`, with `(origin, scale)` measured on its training column.
    fn rescaled(mut self, note: &str, measure: impl Fn(&[f64]) -> (f64, f64)) -> Self {
        let width = self.width();
        for feature in 0..width {
            let column: Vec<f64> =
                self.train.features.iter().skip(feature).step_by(width).map(|&x| f64::from(x)).collect();
            let (origin, scale) = measure(&column);
            let scale = if scale > 0.0 { scale } else { 1.0 };
            for samples in [&mut self.train, &mut self.test] {
                for x in samples.features.iter_mut().skip(feature).step_by(width) {
                    *x = ((f64::from(*x) - origin) / scale) as f32;
                }
            }
        }
        self.with_note(note)
    }

    /// Each complex feature is divided by what is measured of its magnitudes in training; where that is 0, it stays.
    fn stretched(mut self, note: &str, measure: impl Fn(&[f64]) -> f64) -> Self {
        let width = self.width();
        for feature in 0..width {
            let scale = measure(&magnitudes(&self.train, feature).collect::<Vec<_>>());
            let scale = if scale > 0.0 { scale } else { 1.0 };
            for samples in [&mut self.train, &mut self.test] {
                for field in samples.features.as_chunks_mut::<2>().0.iter_mut().skip(feature).step_by(width) {
                    *field = field.map(|part| (f64::from(part) / scale) as f32);
                }
            }
        }
        self.with_note(note)
    }
}

fn magnitudes(samples: &Samples, feature: usize) -> impl Iterator<Item = f64> {
    let fields = samples.features.as_chunks::<2>().0.iter().skip(feature).step_by(samples.width);
    fields.map(|&[re, im]| f64::from(re).hypot(f64::from(im)))
}

/// How far every training feature reaches: greatest minus least, of complex ones the greatest magnitude.
fn reaches(samples: &Samples) -> Vec<f64> {
    let width = samples.width;
    if samples.complex {
        return (0..width).map(|feature| magnitudes(samples, feature).fold(0.0, f64::max)).collect();
    }
    let mut ends = vec![(f32::MAX, f32::MIN); width];
    for row in samples.features.chunks_exact(width.max(1)) {
        ends.iter_mut().zip(row).for_each(|(ends, &x)| *ends = (ends.0.min(x), ends.1.max(x)));
    }
    ends.into_iter().map(|(least, most)| f64::from(most) - f64::from(least)).collect()
}

/// A doubt where features are of very different ranges; pixels of images are of one kind.
fn ranges(set: &Dataset) -> Option<String> {
    let reaches = if set.image.is_some() { Vec::new() } else { reaches(&set.train) };
    let varying = || reaches.iter().copied().enumerate().filter(|(_, reach)| *reach > 0.0);
    let by_reach = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let (least, most) = varying().min_by(by_reach).zip(varying().max_by(by_reach))?;
    (most.1 >= MOST_RATIO * least.1).then(|| {
        format!(
            "feature {} spans {:.3e} and feature {} {:.3e}, so that the small one hardly counts; `scale` standard makes them alike",
            most.0, most.1, least.0, least.1
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(complex: bool) -> Dataset {
        let width = if complex { 1 } else { 2 };
        let train =
            Samples { features: vec![0., 5., 2., 5., 4., 5.], width, complex, labels: vec![0, 1, 0], real: None };
        let test = Samples { features: vec![6., 7.], labels: vec![1], ..train.clone() };
        Dataset::of("small", 2, train, test)
    }

    #[test]
    fn the_test_set_is_scaled_by_the_training_set() {
        let standard = small(false).standardised();
        let step = (2.0 / (8.0f64 / 3.0).sqrt()) as f32;
        assert_eq!(standard.train.features, [-step, 0., 0., 0., step, 0.]);
        assert_eq!(standard.test.features, [2.0 * step, 2.]);
        assert!(standard.note.unwrap().contains("training"));
        assert_eq!(small(false).unit_range().test.features, [1.5, 2.]);
    }

    #[test]
    fn complex_features_keep_their_phases() {
        let phase =
            |features: &[f32]| features.as_chunks::<2>().0.iter().map(|[re, im]| im.atan2(*re)).collect::<Vec<_>>();
        let before = small(true);
        for scale in [Scale::Standard, Scale::Unit] {
            let after = before.clone().prepared(SampleLimits::default(), scale).unwrap();
            for (before, after) in [(&before.train, &after.train), (&before.test, &after.test)] {
                let pairs = phase(&before.features).into_iter().zip(phase(&after.features));
                pairs.for_each(|(before, after)| assert!((before - after).abs() < 1e-6));
            }
            let sizes: Vec<f64> = magnitudes(&after.train, 0).collect();
            let measured = match scale {
                Scale::Unit => sizes.iter().copied().fold(0.0, f64::max),
                Scale::Standard | Scale::None => sizes.iter().map(|size| size * size).sum::<f64>() / 3.0,
            };
            assert!((measured - 1.0).abs() < 1e-6, "{scale}: {measured}");
        }
    }

    #[test]
    fn only_the_samples_that_train_are_measured() {
        let limits = SampleLimits { train: Some(2), test: None };
        let unit = small(false).prepared(limits, Scale::Unit).unwrap();
        assert_eq!((&unit.train.features[..], &unit.test.features[..]), (&[0., 0., 1., 0.][..], &[3., 2.][..]));
    }

    #[test]
    fn features_of_very_different_ranges_are_doubted_unless_they_are_scaled() {
        let mut set = small(false);
        set.train.features = vec![0., 1., 2000., 3., 4000., 2.];
        let notes = |set: &Dataset, scale| set.clone().prepared(SampleLimits::default(), scale).unwrap().notes;
        let said = notes(&set, Scale::None);
        assert!(
            said[0].contains("feature 0 spans 4.000e3 and feature 1 2.000e0") && said[0].contains("`scale` standard"),
            "{said:?}"
        );
        assert_eq!([notes(&set, Scale::Standard), notes(&set, Scale::Unit)], [[""; 0], [""; 0]]);
        assert_eq!(notes(&Dataset { image: Some((1, 2)), ..set.clone() }, Scale::None), [""; 0]);
        (set.train.features[2], set.train.features[4]) = (1990., 1998.);
        assert_eq!(notes(&set, Scale::None), [""; 0]);
    }

    #[test]
    fn the_words_read_back() {
        for text in ["none", "standard", "unit"] {
            assert_eq!(text.parse::<Scale>().unwrap().to_string(), text);
        }
        assert!("std".parse::<Scale>().unwrap_err().to_string().contains("standard, unit or none"));
    }
}
