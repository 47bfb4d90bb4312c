//! How the features of a sample become the signals that enter a network.

use super::fourier::LowFrequencies;
use super::grid::Grid;
use super::pooling::AreaMeans;
use super::samples::Samples;
use crate::error::{Error, Result, same_size};
use crate::image_shape::ImageShape;
use crate::optics::angular_spectrum::check_pixels;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::f64::consts::PI;
use std::fmt;
use std::str::FromStr;

/// A map from features x to signals s, sample by sample. As text: `raw`, `l2`, `fourier-crop:8`, `pool:8`, `amplitude`, `phase:16`,
/// `amplitude-image:64x64`, `phase-image:64x64`.
///
/// Of images with several channels every channel is cropped or pooled by itself, and the channels come one after the other; what is
/// normalised is normalised over all of them together, so that colours keep their ratios. A grid of pixels takes images of one channel, and
/// of three their luma, `0.299 R + 0.587 G + 0.114 B` (ITU-R BT.601).
///
/// Complex features are fields already: `raw`, `l2`, `amplitude` and `amplitude-image` keep their phases, and x² is |x|² there; the others take real ones.
///
/// A sample that is zero everywhere has no direction and stays zero under every normalisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum Encoding {
    /// Real: s = x.
    Raw,
    /// Real: s = x / ‖x‖₂.
    L2,
    /// Complex: F = fftshift(fft2(channel)), its centre `size` x `size` crop, row-major, divided by the mean |F| of the
    /// crops of all channels, so that Σ|s| = channels · size²; frequency (0, 0) becomes mode `(size + 1) · ⌊size/2⌋` of each.
    FourierCrop {
        /// Rows and columns of the crop, at most those of the image.
        size: usize,
    },
    /// Complex: the means of every channel over `size` x `size` areas as field amplitudes, s = x √(modes / Σx²), row-major; area i
    /// of the rows reaches from `⌊i·height/size⌋` up to `⌊(i+1)·height/size⌋`, and so along the columns.
    Pool {
        /// Areas along each side, at most the rows and columns of the image.
        size: usize,
    },
    /// Complex: features as field amplitudes, s = x √(modes / Σx²), so that the mean power of a mode is 1.
    ///
    /// A negative feature is a field of phase π.
    Amplitude {
        /// `None`: one mode per feature. More modes than features: the rest is dark. Fewer: mode m of M takes the mean
        /// of the features from `⌊m·width/M⌋` up to `⌊(m+1)·width/M⌋`; of images with several channels M is a multiple of these.
        #[serde(default)]
        modes: Option<usize>,
    },
    /// Complex: s = e^{iπx}, power 1 in every mode.
    Phase {
        /// As for [`Encoding::Amplitude`], before the exponential: modes beyond the features carry s = 1.
        #[serde(default)]
        modes: Option<usize>,
    },
    /// Complex: the image in the middle of a grid of `rows` x `columns` pixels, its values as field amplitudes, scaled as those of
    /// [`Encoding::Amplitude`]. Every value covers k x k pixels, with the largest k that fits, and the rest is dark. A grid with fewer rows
    /// than the image takes the mean of rows `⌊m·rows/M⌋` up to `⌊(m+1)·rows/M⌋` of the image in its row m of M, and likewise columns.
    AmplitudeImage {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
    },
    /// Complex: the image on such a grid as phases, s = e^{iπx} where it lies, and dark beside it.
    PhaseImage {
        /// Rows of the grid.
        rows: usize,
        /// Columns of the grid.
        columns: usize,
    },
}

/// Signals of many samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Encoded {
    /// `[samples, modes]`, or `[samples, modes, 2]` interleaved (re, im) where `complex`.
    pub signals: Vec<f32>,
    /// Signals per sample.
    pub modes: usize,
    /// Signals are complex.
    pub complex: bool,
    /// Number of samples.
    pub samples: usize,
}

impl Encoded {
    /// The same signals as complex ones: real signals get imaginary part 0.
    pub fn into_complex(self) -> Encoded {
        if self.complex {
            return self;
        }
        let signals = self.signals.into_iter().flat_map(|re| [re, 0.0]).collect();
        Encoded { signals, complex: true, ..self }
    }
}

impl Encoding {
    /// The signals of this encoding are complex.
    pub fn is_complex(self) -> bool {
        match self {
            Self::Raw | Self::L2 => false,
            Self::FourierCrop { .. }
            | Self::Pool { .. }
            | Self::Amplitude { .. }
            | Self::Phase { .. }
            | Self::AmplitudeImage { .. }
            | Self::PhaseImage { .. } => true,
        }
    }

    /// Errs where samples with complex features have no such signals.
    pub fn takes_complex(self) -> Result<()> {
        match self {
            Self::Raw | Self::L2 | Self::Amplitude { .. } | Self::AmplitudeImage { .. } => Ok(()),
            Self::FourierCrop { .. } | Self::Pool { .. } | Self::Phase { .. } | Self::PhaseImage { .. } => {
                let reason = "it makes fields of real features, and these are complex; choose raw, l2 or amplitude";
                Err(Error::invalid("encoding", self, reason))
            }
        }
    }

    /// Signals per sample of `width` features. Errs on zero modes, on a crop or areas that `image` cannot give, on modes that would
    /// each mix two channels, and on several channels that are to light one grid.
    pub fn modes(self, width: usize, image: Option<ImageShape>) -> Result<usize> {
        let shape = || {
            let instead = "choose a data set of images or another encoding".to_string();
            image.ok_or_else(|| Error::Unsupported { what: format!("{self} of samples that are no images"), instead })
        };
        match self {
            Self::Raw | Self::L2 => Ok(width),
            Self::AmplitudeImage { rows, columns } | Self::PhaseImage { rows, columns } => {
                let channels = shape()?.channels;
                if ![1, LUMA.len()].contains(&channels) {
                    let instead = "choose images of one channel or three, or another encoding".to_string();
                    let what = format!("{self} of images of {channels} channels, which light one grid");
                    return Err(Error::Unsupported { what, instead });
                }
                check_pixels(rows, columns)?;
                Ok(rows * columns)
            }
            Self::FourierCrop { size } | Self::Pool { size } => {
                let image = shape()?;
                let most = image.height.min(image.width);
                if size == 0 || size > most {
                    return Err(Error::invalid(
                        "size",
                        size,
                        format!("must be 1 to {most} for images of {}", image.brief()),
                    ));
                }
                Ok(image.channels * size * size)
            }
            Self::Amplitude { modes: Some(0) } | Self::Phase { modes: Some(0) } => {
                Err(Error::invalid("modes", 0, "must be at least 1"))
            }
            Self::Amplitude { modes } | Self::Phase { modes } => {
                let modes = modes.unwrap_or(width);
                let channels = image.map_or(1, |image| image.channels);
                if modes < width && !modes.is_multiple_of(channels) {
                    let below = (modes / channels * channels).max(channels);
                    let reason = format!(
                        "images have {channels} channels, and a mode is a mean within one of them; choose a multiple, as {below} or {}; a grid \
                         of pixels takes amplitude-image:ROWSxCOLUMNS, which makes three channels grey",
                        below + channels
                    );
                    return Err(Error::invalid("modes", modes, reason));
                }
                Ok(modes)
            }
        }
    }

    /// The shape of the signals of samples of `width` features, where these keep that of an `image` or make one of another shape.
    pub fn image(self, width: usize, image: Option<ImageShape>) -> Option<ImageShape> {
        match self {
            Self::Raw | Self::L2 => image,
            Self::Amplitude { modes } | Self::Phase { modes } => {
                image.filter(|_| modes.is_none_or(|modes| modes == width))
            }
            Self::FourierCrop { size } | Self::Pool { size } => {
                image.map(|image| ImageShape::new(image.channels, size, size))
            }
            Self::AmplitudeImage { rows, columns } | Self::PhaseImage { rows, columns } => {
                image.map(|_| ImageShape::single(rows, columns))
            }
        }
    }

    /// Encodes every sample; `image` is the shape where samples are images. What lies in files is read.
    ///
    /// Arithmetic is f64, the result f32. Errs as [`modes`](Self::modes), on complex features of [`takes_complex`](Self::takes_complex), on sizes that disagree, and on a signal that
    /// f32 cannot hold.
    pub fn encode(&self, samples: &Samples, image: Option<ImageShape>) -> Result<Encoded> {
        let width = samples.width;
        same_size("features", samples.len().saturating_mul(samples.stride()), samples.features.len())?;
        if samples.complex {
            self.takes_complex()?;
        }
        let complex = self.is_complex() || samples.complex;
        if let Some(image) = image {
            same_size("features of an image", image.features(), width)?;
        }
        let modes = self.modes(width, image)?;
        let stride = if complex { 2 * modes } else { modes };
        let mut signals = vec![0.0f32; samples.len() * stride];
        if stride == 0 || width == 0 {
            return Ok(Encoded { signals, modes, complex, samples: samples.len() });
        }
        let features = samples.features.all()?;
        let of_grid = image.map_or((0, 0), |image| (image.height, image.width));
        let grid = |rows, columns| Grid::new(of_grid, (rows, columns));
        let grey = |x: &[f32], index: usize, part: usize, parts: usize| match image {
            Some(ImageShape { channels: 3, height, width }) => {
                let channel =
                    |(channel, weight)| weight * f64::from(x[parts * (channel * height * width + index) + part]);
                LUMA.into_iter().enumerate().map(channel).sum::<f64>() as f32
            }
            Some(_) | None => x[parts * index + part],
        };
        let pairs = signals.par_chunks_exact_mut(stride).zip(features.par_chunks_exact(samples.stride()));
        match *self {
            Self::Raw => pairs.for_each(|(out, x)| out.copy_from_slice(x)),
            Self::L2 => pairs.for_each(|(out, x)| {
                let scale = inverse_or_zero(power(x.iter().map(|&x| f64::from(x))).sqrt());
                out.iter_mut().zip(x).for_each(|(out, &x)| *out = (f64::from(x) * scale) as f32);
            }),
            Self::FourierCrop { size } => {
                let ImageShape { height, width, .. } = image.unwrap_or(ImageShape::single(0, 0));
                let transform = LowFrequencies::new(height, width, size);
                pairs.for_each_init(
                    || vec![[0.0; 2]; modes],
                    |spectrum, (out, x)| {
                        let channels = x.chunks_exact(height * width);
                        let crops = spectrum.chunks_exact_mut(size * size);
                        channels.zip(crops).for_each(|(channel, crop)| transform.transform(channel, crop));
                        let mean = spectrum.iter().map(|[re, im]| re.hypot(*im)).sum::<f64>() / modes as f64;
                        let scale = inverse_or_zero(mean);
                        out.iter_mut().zip(spectrum.as_flattened()).for_each(|(out, s)| *out = (s * scale) as f32);
                    },
                );
            }
            Self::Pool { size } => {
                let means = AreaMeans::new(image.unwrap_or(ImageShape::single(0, 0)), size);
                pairs.for_each_init(
                    || vec![0.0; modes],
                    |areas, (out, x)| {
                        means.of(x, areas);
                        let scale = (modes as f64).sqrt() * inverse_or_zero(power(areas.iter().copied()).sqrt());
                        let fields = out.as_chunks_mut::<2>().0.iter_mut();
                        fields.zip(areas).for_each(|(field, mean)| field[0] = (*mean * scale) as f32);
                    },
                );
            }
            Self::Amplitude { .. } if samples.complex => pairs.for_each(|(out, x)| {
                let parts = [0, 1].map(|part| x.iter().skip(part).step_by(2).copied().collect::<Vec<f32>>());
                let field = |mode: usize| [0, 1].map(|part| pooled(&parts[part], mode, modes));
                let total = power((0..modes).flat_map(field));
                let scale = (modes as f64).sqrt() * inverse_or_zero(total.sqrt());
                for (mode, out) in out.as_chunks_mut::<2>().0.iter_mut().enumerate() {
                    *out = field(mode).map(|part| (part * scale) as f32);
                }
            }),
            Self::Amplitude { .. } => pairs.for_each(|(out, x)| {
                let total = power((0..modes).map(|mode| pooled(x, mode, modes)));
                let scale = (modes as f64).sqrt() * inverse_or_zero(total.sqrt());
                for (mode, field) in out.chunks_exact_mut(2).enumerate() {
                    field[0] = (pooled(x, mode, modes) * scale) as f32;
                }
            }),
            Self::AmplitudeImage { rows, columns } => {
                let (grid, parts) = (grid(rows, columns), if samples.complex { 2 } else { 1 });
                pairs.for_each(|(out, x)| {
                    let value = |pixel: usize, part: usize| {
                        grid.pixel(pixel, |index| grey(x, index, part, parts)).unwrap_or(0.0)
                    };
                    let all = || (0..modes).flat_map(|pixel| (0..parts).map(move |part| (pixel, part)));
                    let total = power(all().map(|(pixel, part)| value(pixel, part)));
                    let scale = (modes as f64).sqrt() * inverse_or_zero(total.sqrt());
                    all().for_each(|(pixel, part)| out[2 * pixel + part] = (value(pixel, part) * scale) as f32);
                });
            }
            Self::PhaseImage { rows, columns } => {
                let grid = grid(rows, columns);
                pairs.for_each(|(out, x)| {
                    for (pixel, field) in out.chunks_exact_mut(2).enumerate() {
                        if let Some(value) = grid.pixel(pixel, |index| grey(x, index, 0, 1)) {
                            let (sin, cos) = (PI * value).sin_cos();
                            field.copy_from_slice(&[cos as f32, sin as f32]);
                        }
                    }
                });
            }
            Self::Phase { .. } => pairs.for_each(|(out, x)| {
                for (mode, field) in out.chunks_exact_mut(2).enumerate() {
                    let (sin, cos) = (PI * pooled(x, mode, modes)).sin_cos();
                    field.copy_from_slice(&[cos as f32, sin as f32]);
                }
            }),
        }
        if let Some(at) = signals.par_iter().position_any(|signal| !signal.is_finite()) {
            let reason = format!("{self} of sample {} leaves the range of f32", at / stride);
            return Err(Error::invalid("signal", signals[at], reason));
        }
        Ok(Encoded { signals, modes, complex, samples: samples.len() })
    }
}

/// Weights of red, green and blue in the luma of ITU-R BT.601.
const LUMA: [f64; 3] = [0.299, 0.587, 0.114];

/// Σx².
fn power(x: impl Iterator<Item = f64>) -> f64 {
    x.map(|x| x * x).sum()
}

/// 1/x, or 0 where x is 0: what is dark stays dark.
fn inverse_or_zero(x: f64) -> f64 {
    if x > 0.0 { x.recip() } else { 0.0 }
}

/// Feature of mode `mode` of `modes`: padded with zeros, or the mean over its share of `x`.
fn pooled(x: &[f32], mode: usize, modes: usize) -> f64 {
    if modes >= x.len() {
        return x.get(mode).map_or(0.0, |&x| f64::from(x));
    }
    let share = &x[mode * x.len() / modes..(mode + 1) * x.len() / modes];
    share.iter().map(|&x| f64::from(x)).sum::<f64>() / share.len() as f64
}

impl fmt::Display for Encoding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Raw => f.write_str("raw"),
            Self::L2 => f.write_str("l2"),
            Self::FourierCrop { size } => write!(f, "fourier-crop:{size}"),
            Self::Pool { size } => write!(f, "pool:{size}"),
            Self::Amplitude { modes: None } => f.write_str("amplitude"),
            Self::Amplitude { modes: Some(modes) } => write!(f, "amplitude:{modes}"),
            Self::Phase { modes: None } => f.write_str("phase"),
            Self::Phase { modes: Some(modes) } => write!(f, "phase:{modes}"),
            Self::AmplitudeImage { rows, columns } => write!(f, "amplitude-image:{rows}x{columns}"),
            Self::PhaseImage { rows, columns } => write!(f, "phase-image:{rows}x{columns}"),
        }
    }
}

impl FromStr for Encoding {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let (kind, number) = match text.split_once(':') {
            Some((kind, number)) => (kind, Some(number)),
            None => (text, None),
        };
        let unknown = || {
            let known = "must be raw, l2, fourier-crop:SIZE, pool:SIZE, amplitude[:MODES], phase[:MODES], \
                         amplitude-image:ROWSxCOLUMNS or phase-image:ROWSxCOLUMNS";
            Error::invalid("encoding", text, known)
        };
        if let Some((image @ ("amplitude-image" | "phase-image"), sides)) = text.split_once(':') {
            let sides =
                sides.split_once('x').and_then(|(rows, columns)| Some((rows.parse().ok()?, columns.parse().ok()?)));
            let (rows, columns) = sides.ok_or_else(unknown)?;
            return Ok(match image {
                "amplitude-image" => Self::AmplitudeImage { rows, columns },
                _ => Self::PhaseImage { rows, columns },
            });
        }
        let number = number.map(|number| number.parse().map_err(|_| unknown())).transpose()?;
        match (kind, number) {
            ("raw", None) => Ok(Self::Raw),
            ("l2", None) => Ok(Self::L2),
            ("fourier-crop", Some(size)) => Ok(Self::FourierCrop { size }),
            ("pool", Some(size)) => Ok(Self::Pool { size }),
            ("amplitude", modes) => Ok(Self::Amplitude { modes }),
            ("phase", modes) => Ok(Self::Phase { modes }),
            _ => Err(unknown()),
        }
    }
}

#[cfg(test)]
#[path = "encoding_tests.rs"]
mod tests;
