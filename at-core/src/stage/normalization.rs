//! Normalisation of images in electronics, sample by sample: of each of G groups of neighbouring channels, with the mean μ and the mean
//! square deviation v of its values, and for every channel c a gain g and an offset b as controls `[g, b]`,
//!
//! ```text
//! y[c, i, j] = g[c]·(x[c, i, j] − μ)/√(v + ε) + b[c]        ε = 10⁻⁵
//! ```
//!
//! G = 1 is layer normalisation, G = channels instance normalisation. Nothing depends on other samples, as it would in batch
//! normalisation, so that a chip that is used is the chip that was trained.
//!
//! Source: Wu and He, Group normalization, arXiv:1803.08494 (2018), equations 1, 2, 6 and 7.

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, Flops, Imperfect, Place, Signal, Sines, Stage,
    StageErrors, Start,
};
use crate::image_shape::ImageShape;
use crate::{Error, Result};

/// Normalisation of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Normalization {
    /// The image that enters and leaves.
    pub image: ImageShape,
    /// Groups of neighbouring channels, G.
    pub groups: usize,
}

impl Stage {
    /// [`Normalization`] in so many groups of channels.
    pub fn normalization(image: ImageShape, groups: usize) -> Self {
        Stage::Normalization(Normalization { image, groups })
    }
}

/// A group of one sample.
struct Group {
    mean: f64,
    /// `1/√(v + ε)`.
    scale: f64,
}

impl Group {
    fn of(values: &[f64]) -> Self {
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / count;
        Group { mean, scale: 1.0 / (variance + Normalization::LEAST_VARIANCE).sqrt() }
    }
}

impl Normalization {
    /// ε.
    pub const LEAST_VARIANCE: f64 = 1e-5;

    /// Values of a channel.
    pub fn area(&self) -> usize {
        self.image.height.saturating_mul(self.image.width)
    }

    /// Values of a group.
    pub fn group(&self) -> usize {
        self.image.features() / self.groups
    }

    /// The channel of the value at this index in group number `group` of all samples.
    fn channel(&self, group: usize, index: usize) -> usize {
        group % self.groups * (self.image.channels / self.groups) + index / self.area()
    }
}

impl Element for Normalization {
    fn input(&self) -> Signal {
        Signal::reals(self.image.features())
    }

    fn output(&self) -> Signal {
        Signal::reals(self.image.features())
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        let Normalization { image, groups } = *self;
        if groups == 0 || image.channels % groups != 0 {
            return Err(Error::invalid("groups", groups, format!("must divide the {} channels", image.channels)));
        }
        if self.group() < 2 {
            let reason = format!("groups of an image of {image} would have one value each, which all become 0");
            return Err(Error::invalid("groups", groups, reason));
        }
        Ok(())
    }

    fn words(&self) -> String {
        format!("normalization:{}/{}", self.image, self.groups)
    }

    fn description(&self) -> String {
        format!("normalisation of an image of {} in {} groups of channels", self.image, self.groups)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        None
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Broken("normalisation"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, _: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let (gain, offset) = controls.split_at(self.image.channels);
        let groups = signal.chunks_exact(self.group()).enumerate();
        let one = |(number, values): (usize, &[f64])| -> Vec<f64> {
            let Group { mean, scale } = Group::of(values);
            let value = |(index, x): (usize, &f64)| {
                let channel = self.channel(number, index);
                gain[channel] * scale * (x - mean) + offset[channel]
            };
            values.iter().enumerate().map(value).collect()
        };
        groups.flat_map(one).collect()
    }

    /// With the normalised values n and `d = g·e`: `a = (d − ⟨d⟩ − n·⟨d·n⟩)/√(v + ε)`, means over the group.
    fn backward(
        &self,
        _: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let channels = self.image.channels;
        let groups = signal.chunks_exact(self.group()).zip(error.chunks_exact(self.group())).enumerate();
        let mut entered = Vec::new();
        for (number, (values, errors)) in groups {
            let Group { mean, scale } = Group::of(values);
            let (mut sum, mut product) = (0.0, 0.0);
            for (index, (x, e)) in values.iter().zip(errors).enumerate() {
                let (channel, normal) = (self.channel(number, index), scale * (x - mean));
                gradient[channel] += e * normal;
                gradient[channels + channel] += e;
                sum += controls[channel] * e;
                product += controls[channel] * e * normal;
            }
            let count = values.len() as f64;
            for (index, (x, e)) in values.iter().zip(errors).enumerate() {
                let (channel, normal) = (self.channel(number, index), scale * (x - mean));
                entered.push(scale * (controls[channel] * e - sum / count - normal * product / count));
            }
        }
        entered
    }
}

impl Controlled for Normalization {
    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::digital(2 * self.image.channels)]
    }

    /// `gain [channel]`, then `offset [channel]`.
    fn arrays(&self) -> Vec<ControlArray> {
        ["gain", "offset"].map(|name| ControlArray::new(name, [self.image.channels])).into()
    }

    /// `gain[channel]`, then `offset[channel]`.
    fn names(&self) -> Vec<String> {
        let of = |name: &'static str| (0..self.image.channels).map(move |channel| format!("{name}[{channel}]"));
        of("gain").chain(of("offset")).collect()
    }

    /// Gains 1, offsets 0.
    fn first(&self, _: Start) -> Result<Vec<f64>> {
        let channels = self.image.channels;
        Ok([vec![1.0; channels], vec![0.0; channels]].concat())
    }

    /// No heaters.
    fn places(&self) -> Vec<Option<Place>> {
        vec![None; 2 * self.image.channels]
    }

    fn rest(&self) -> f64 {
        0.0
    }

    /// Numbers in memory: nothing is shared but with itself.
    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        (*other == Stage::Normalization(*self)).then(|| (0..2 * self.image.channels).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stage::slope_error;

    #[test]
    fn groups_have_mean_0_and_variance_1_before_gain_and_offset() {
        let own = Normalization { image: ImageShape::new(6, 3, 2), groups: 3 };
        let x: Vec<f64> = (0..72).map(|k| 3.0 + 2.0 * (1.3 * k as f64).sin()).collect();
        let plain = own.forward(&StageErrors::NONE, &[[1.0; 6], [0.0; 6]].concat(), &x);
        for group in plain.chunks_exact(12) {
            let mean = group.iter().sum::<f64>() / 12.0;
            let square = group.iter().map(|y| y * y).sum::<f64>() / 12.0;
            assert!(mean.abs() < 1e-12 && (square - 1.0).abs() < 1e-4, "{mean} {square}");
        }
        let controls: Vec<f64> = (0..12).map(|k| 0.5 + k as f64).collect();
        let led = own.forward(&StageErrors::NONE, &controls, &x);
        for (k, (led, plain)) in led.iter().zip(&plain).enumerate() {
            let channel = k / 6 % 6;
            assert!((led - (controls[channel] * plain + controls[6 + channel])).abs() < 1e-12);
        }
        // as many as there are channels, and one
        for groups in [1, 2, 6] {
            let own = Normalization { groups, ..own };
            assert!(slope_error(&own, &StageErrors::NONE, &controls, &x[..72]) < 1e-8, "{groups}");
        }
    }

    #[test]
    fn groups_that_do_not_fit_are_refused() {
        let said = |image, groups| Normalization { image, groups }.validate().unwrap_err().to_string();
        assert!(said(ImageShape::new(6, 3, 2), 4).contains("groups = 4 is not valid: must divide the 6 channels"));
        assert!(said(ImageShape::new(6, 3, 2), 0).contains("groups = 0"));
        assert!(said(ImageShape::new(6, 1, 1), 6).contains("one value each"));
    }
}
