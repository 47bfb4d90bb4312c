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
                let doubt = ranges(&set)?;
                set.notes.extend(doubt);
                Ok(set)
            }
            Scale::Standard => set.standardised()?.checked(),
            Scale::Unit => set.unit_range()?.checked(),
        }
    }

    /// Features moved and stretched to mean 0 and standard deviation 1, both measured on the training samples.
    ///
    /// The deviation is the population's, `sqrt(mean((x − mean)²))`. A feature that never varies is only moved. Complex features keep
    /// their phases: they are divided by the root of their mean `|x|²`.
    pub fn standardised(self) -> Result<Self> {
        let count = self.train.len() as f64;
        if self.train.complex {
            let squares = magnitudes(&self.train, |sum, size| sum + size * size)?;
            let scale = squares.into_iter().map(|sum| (sum / count).sqrt());
            let note = "complex features divided by the training set's root mean square, phases kept";
            return Ok(self.stretched(note, scale));
        }
        let means: Vec<f64> =
            measured(&self.train, 0.0, |_, sum, x| sum + x)?.into_iter().map(|sum| sum / count).collect();
        let squares = measured(&self.train, 0.0, |feature, sum, x| sum + (x - means[feature]).powi(2))?;
        let scale = means.iter().zip(squares).map(|(&mean, sum)| (mean, (sum / count).sqrt())).collect();
        let note = "features standardised with the training set's mean and standard deviation";
        Ok(self.rescaled(note, scale))
    }

    /// Features moved and stretched to 0..1, minimum and maximum measured on the training samples.
    ///
    /// Test features may lie outside. A feature that never varies is only moved. Complex features keep their phases: they are divided
    /// by their greatest `|x|`.
    pub fn unit_range(self) -> Result<Self> {
        if self.train.complex {
            let greatest = magnitudes(&self.train, f64::max)?;
            let note = "complex features divided by the training set's greatest magnitude, phases kept";
            return Ok(self.stretched(note, greatest.into_iter()));
        }
        let scale = ends(&self.train)?.into_iter().map(|(least, most)| (least, most - least)).collect();
        Ok(self.rescaled("features scaled to 0..1 by the training set's minimum and maximum", scale))
    }

    /// Each number `x` of a sample becomes `(x − origin) / scale`; a scale of 0 counts as 1.
    fn rescaled(mut self, note: &str, mut scale: Vec<(f64, f64)>) -> Self {
        scale.iter_mut().filter(|(_, scale)| *scale <= 0.0).for_each(|(_, scale)| *scale = 1.0);
        [&mut self.train, &mut self.test].into_iter().for_each(|samples| samples.features.rescale(&scale));
        self.with_note(note)
    }

    /// Each complex feature is divided by its `scale`; where that is 0, it stays.
    fn stretched(self, note: &str, scale: impl Iterator<Item = f64>) -> Self {
        self.rescaled(note, scale.flat_map(|scale| [(0.0, scale); 2]).collect())
    }
}

/// What `add` makes of every number of the training samples, place by place, in their order, from `start` on.
fn measured(samples: &Samples, start: f64, add: impl Fn(usize, f64, f64) -> f64) -> Result<Vec<f64>> {
    let mut all = vec![start; samples.stride()];
    samples.features.for_each(samples.stride(), |sample| {
        for (place, (all, &x)) in all.iter_mut().zip(sample).enumerate() {
            *all = add(place, *all, f64::from(x));
        }
    })?;
    Ok(all)
}

/// What `add` makes of the magnitudes of every complex feature, from 0 on.
fn magnitudes(samples: &Samples, add: impl Fn(f64, f64) -> f64) -> Result<Vec<f64>> {
    let mut all = vec![0.0; samples.width];
    samples.features.for_each(samples.stride(), |sample| {
        for (all, &[re, im]) in all.iter_mut().zip(sample.as_chunks::<2>().0) {
            *all = add(*all, f64::from(re).hypot(f64::from(im)));
        }
    })?;
    Ok(all)
}

/// The least and the greatest value of every real feature.
fn ends(samples: &Samples) -> Result<Vec<(f64, f64)>> {
    let mut ends = vec![(f64::MAX, f64::MIN); samples.width];
    samples.features.for_each(samples.stride(), |sample| {
        for (ends, &x) in ends.iter_mut().zip(sample) {
            *ends = (ends.0.min(f64::from(x)), ends.1.max(f64::from(x)));
        }
    })?;
    Ok(ends)
}

/// How far every training feature reaches: greatest minus least, of complex ones the greatest magnitude.
fn reaches(samples: &Samples) -> Result<Vec<f64>> {
    if samples.complex {
        return magnitudes(samples, f64::max);
    }
    Ok(ends(samples)?.into_iter().map(|(least, most)| most - least).collect())
}

/// A doubt where features are of very different ranges; pixels of images are of one kind.
fn ranges(set: &Dataset) -> Result<Option<String>> {
    let reaches = if set.image.is_some() { Vec::new() } else { reaches(&set.train)? };
    let varying = || reaches.iter().copied().enumerate().filter(|(_, reach)| *reach > 0.0);
    let by_reach = |a: &(usize, f64), b: &(usize, f64)| a.1.total_cmp(&b.1);
    let Some((least, most)) = varying().min_by(by_reach).zip(varying().max_by(by_reach)) else { return Ok(None) };
    Ok((most.1 >= MOST_RATIO * least.1).then(|| {
        format!(
            "feature {} spans {:.3e} and feature {} {:.3e}, so that the small one hardly counts; `scale` standard makes them alike",
            most.0, most.1, least.0, least.1
        )
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn small(complex: bool) -> Dataset {
        let width = if complex { 1 } else { 2 };
        let train = Samples {
            features: vec![0., 5., 2., 5., 4., 5.].into(),
            width,
            complex,
            labels: vec![0, 1, 0],
            real: None,
        };
        let test = Samples { features: vec![6., 7.].into(), labels: vec![1], ..train.clone() };
        Dataset::of("small", 2, train, test)
    }

    #[test]
    fn the_test_set_is_scaled_by_the_training_set() {
        let standard = small(false).standardised().unwrap();
        let step = (2.0 / (8.0f64 / 3.0).sqrt()) as f32;
        assert_eq!(standard.train.features.held(), [-step, 0., 0., 0., step, 0.]);
        assert_eq!(standard.test.features.held(), [2.0 * step, 2.]);
        assert!(standard.note.unwrap().contains("training"));
        assert_eq!(small(false).unit_range().unwrap().test.features.held(), [1.5, 2.]);
    }

    #[test]
    fn complex_features_keep_their_phases() {
        let phase =
            |features: &[f32]| features.as_chunks::<2>().0.iter().map(|[re, im]| im.atan2(*re)).collect::<Vec<_>>();
        let before = small(true);
        for scale in [Scale::Standard, Scale::Unit] {
            let after = before.clone().prepared(SampleLimits::default(), scale).unwrap();
            for (before, after) in [(&before.train, &after.train), (&before.test, &after.test)] {
                let pairs = phase(before.features.held()).into_iter().zip(phase(after.features.held()));
                pairs.for_each(|(before, after)| assert!((before - after).abs() < 1e-6));
            }
            let measured = match scale {
                Scale::Unit => magnitudes(&after.train, f64::max).unwrap()[0],
                Scale::Standard | Scale::None => {
                    magnitudes(&after.train, |sum, size| sum + size * size).unwrap()[0] / 3.0
                }
            };
            assert!((measured - 1.0).abs() < 1e-6, "{scale}: {measured}");
        }
    }

    #[test]
    fn only_the_samples_that_train_are_measured() {
        let limits = SampleLimits { train: Some(2), test: None };
        let unit = small(false).prepared(limits, Scale::Unit).unwrap();
        assert_eq!((unit.train.features.held(), unit.test.features.held()), (&[0., 0., 1., 0.][..], &[3., 2.][..]));
    }

    #[test]
    fn features_of_very_different_ranges_are_doubted_unless_they_are_scaled() {
        let mut set = small(false);
        set.train.features = vec![0., 1., 2000., 3., 4000., 2.].into();
        let notes = |set: &Dataset, scale| set.clone().prepared(SampleLimits::default(), scale).unwrap().notes;
        let said = notes(&set, Scale::None);
        assert!(
            said[0].contains("feature 0 spans 4.000e3 and feature 1 2.000e0") && said[0].contains("`scale` standard"),
            "{said:?}"
        );
        assert_eq!([notes(&set, Scale::Standard), notes(&set, Scale::Unit)], [[""; 0], [""; 0]]);
        assert_eq!(
            notes(&Dataset { image: Some(crate::data::ImageShape::single(1, 2)), ..set.clone() }, Scale::None),
            [""; 0]
        );
        set.train.features = vec![0., 1., 1990., 3., 1998., 2.].into();
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
