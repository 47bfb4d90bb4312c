//! Pooling: of every patch of every channel one number, its mean or its maximum, behind detectors:
//!
//! ```text
//! y[c, i, j] = 1/n²·Σ_uv x[c, s·i + u, s·j + v]        y[c, i, j] = max_uv x[c, s·i + u, s·j + v]        u, v < n
//! ```
//!
//! Patches of n × n, s apart; what is left at the lower and right edge is in none. Of equal maxima the first, row by row, takes the error
//! on the way back.
//!
//! Maxima and means are taken of numbers in electronics. The mean is also one that detectors take: the photocurrents of a patch flow into one
//! capacitor, of detectors that are lit together or of one after the other, and its charge is read, once for all. Then pooling stands directly
//! behind detectors, before anything bends what they say, and no current flows into two patches: s ≥ n.

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Patches, Signal, Sines, Stage, StageErrors};
use crate::image_shape::ImageShape;
use crate::{Error, Result};
use serde::{Deserialize, Serialize};

/// What is taken of a patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Pool {
    /// The mean, in electronics.
    Average,
    /// The maximum, in electronics.
    Max,
    /// The mean, on the detectors.
    Detectors,
}

impl Pool {
    /// All of them.
    pub const ALL: [Pool; 3] = [Pool::Average, Pool::Max, Pool::Detectors];

    /// `average`, `max` or `detectors`.
    pub fn name(self) -> &'static str {
        match self {
            Pool::Average => "average",
            Pool::Max => "max",
            Pool::Detectors => "detectors",
        }
    }
}

/// One number of every patch of every channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pooling {
    /// The image that enters.
    pub image: ImageShape,
    /// Rows, and columns, of a patch.
    pub size: usize,
    /// Rows, and columns, from one patch to the next.
    pub stride: usize,
    /// What is taken of it.
    pub pool: Pool,
}

impl Stage {
    /// [`Pooling`] of patches that touch one another.
    pub fn pooling(image: ImageShape, size: usize, pool: Pool) -> Self {
        Stage::Pooling(Pooling { image, size, stride: size, pool })
    }
}

impl Pooling {
    /// The patches of one channel.
    pub fn patches(&self) -> Patches {
        let image = ImageShape { channels: 1, ..self.image };
        Patches { image, kernel: [self.size; 2], stride: self.stride, padding: 0 }
    }

    /// The image that leaves.
    pub fn output_image(&self) -> ImageShape {
        let [height, width] = self.patches().counts();
        ImageShape::new(self.image.channels, height, width)
    }

    /// For every output of one channel the features of its patch.
    fn windows(&self) -> impl Iterator<Item = Vec<usize>> {
        let patches = self.patches();
        let features =
            move |k: usize| (0..patches.entries()).filter_map(move |entry| patches.feature(k, entry)).collect();
        (0..patches.positions()).map(features)
    }
}

/// Errs where stages `behind` one another have pooling by detectors that does not stand directly behind some.
pub(crate) fn check_detectors<'a>(what: &'static str, behind: impl Iterator<Item = &'a Stage>) -> Result<()> {
    let mut previous: Option<&Stage> = None;
    for (index, stage) in behind.enumerate() {
        let by_detectors = matches!(stage, Stage::Pooling(Pooling { pool: Pool::Detectors, .. }));
        if by_detectors && !previous.is_some_and(detects) {
            let reason = "pooling by detectors stands directly behind them: behind a convolution, a bank or a detection, before \
                          normalisation and rectifiers; \"average\" pools any numbers";
            return Err(Error::invalid(what, format!("stage {index}"), reason));
        }
        previous = Some(stage);
    }
    Ok(())
}

/// Whether what leaves a stage are photocurrents.
fn detects(stage: &Stage) -> bool {
    match stage {
        Stage::Series(own) => own.stages.last().is_some_and(detects),
        Stage::Convolution(own) => detects(&own.element),
        Stage::Detection(_)
        | Stage::Regions(_)
        | Stage::Matrix(_)
        | Stage::WeightBank(_)
        | Stage::RingBank(_)
        | Stage::PhaseChange(_) => true,
        Stage::Mesh(_)
        | Stage::Attenuators(_)
        | Stage::Splitter(_)
        | Stage::Combiner(_)
        | Stage::Activation(_)
        | Stage::Modulation(_)
        | Stage::Rectifier(_)
        | Stage::Pooling(_)
        | Stage::Normalization(_)
        | Stage::Mask(_)
        | Stage::FreeSpace(_)
        | Stage::Residual(_)
        | Stage::Own(_) => false,
    }
}

/// Which of these is the maximum: the first of equal ones, and a NaN before all, so that a run that diverged does not look well.
fn greatest(values: impl Iterator<Item = f64>) -> usize {
    let mut best = (0, f64::NAN);
    for (index, value) in values.enumerate() {
        if index == 0 || value > best.1 || (value.is_nan() && !best.1.is_nan()) {
            best = (index, value);
        }
    }
    best.0
}

impl Element for Pooling {
    fn input(&self) -> Signal {
        Signal::reals(self.image.features())
    }

    fn output(&self) -> Signal {
        Signal::reals(self.output_image().features())
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        self.patches().validate()?;
        if self.pool == Pool::Detectors && self.stride < self.size {
            let reason = format!(
                "a detector's current flows into one patch: at least {} apart, or \"average\" of numbers that were read",
                self.size
            );
            return Err(Error::invalid("stride", self.stride, reason));
        }
        Ok(())
    }

    fn words(&self) -> String {
        let Pooling { image, size, stride, pool } = self;
        format!("pool:{image}/{size},stride={stride}({})", pool.name())
    }

    fn description(&self) -> String {
        format!("{} pooling of {size} × {size} in an image of {}", self.pool.name(), self.image, size = self.size)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        None
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        None
    }

    fn sines(&self) -> Option<Sines> {
        Some(match self.pool {
            Pool::Average | Pool::Detectors => Sines::KeptByTheLast("pooling in front of other stages"),
            Pool::Max => Sines::Broken("a maximum"),
        })
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    /// Its channels side by side.
    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        let image = ImageShape { channels: count * self.image.channels, ..self.image };
        Beside::plain(Stage::Pooling(Pooling { image, ..*self }))
    }

    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let channels = signal.chunks_exact(self.patches().image.features());
        let windows: Vec<Vec<usize>> = self.windows().collect();
        let one = |x: &[f64], window: &[usize]| match self.pool {
            Pool::Average | Pool::Detectors => window.iter().map(|&place| x[place]).sum::<f64>() / window.len() as f64,
            Pool::Max => x[window[greatest(window.iter().map(|&place| x[place]))]],
        };
        channels.flat_map(|x| windows.iter().map(move |window| one(x, window))).collect()
    }

    /// A mean's error in equal parts, a maximum's where the maximum was.
    fn backward(&self, _: &StageErrors, _: &[f64], signal: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        let windows: Vec<Vec<usize>> = self.windows().collect();
        let features = self.patches().image.features();
        let mut entered = vec![0.0; signal.len()];
        let channels = signal.chunks_exact(features).zip(error.chunks_exact(windows.len()));
        for (entered, (x, error)) in entered.chunks_exact_mut(features).zip(channels) {
            for (window, error) in windows.iter().zip(error) {
                match self.pool {
                    Pool::Average | Pool::Detectors => {
                        window.iter().for_each(|&place| entered[place] += error / window.len() as f64);
                    }
                    Pool::Max => entered[window[greatest(window.iter().map(|&place| x[place]))]] += error,
                }
            }
        }
        entered
    }
}
