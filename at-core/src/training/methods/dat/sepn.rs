//! The systematic-error prediction network: a complex U-Net that sees the field behind a mesh as an image of √N × √N pixels and
//! predicts what the chip's mesh adds to it.
//!
//! ```text
//! x0 ── 3 convolutions (F1) ─────────────────────────► [x1 | up2] ── convolution ► correction      √N
//!  └ down (F1) ── 3 convolutions (F2) ─► [x2 | up1] ── up (F1) ┘                                  √N/2
//!       └ down (F2) ── 3 convolutions (F3) ── up (F2) ┘                                           √N/4
//! ```
//!
//! Kernels are 3×3; all but the last convolution are followed by a rectifier on real and imaginary part. With F = 4, 8, 16 there
//! are 9757 complex parameters per mesh, with 4, 6, 8 there are 4035, as published.
//!
//! Source: Zheng et al., Nat. Mach. Intell. 5, 1119 (2023).

use super::convolution::{Convolution, Kind, LANES, Pixel};
use crate::{Error, Result};
use rand::{Rng, RngExt};
use rayon::prelude::*;

/// The network's design.
#[derive(Clone, Debug)]
pub struct Sepn {
    /// In the order of the forward pass.
    layers: Vec<Convolution>,
    /// Pixels of all maps of all layers.
    pixels: usize,
    /// First pixel of the correction.
    correction: usize,
    /// Number of modes N.
    modes: usize,
    reals: usize,
}

/// The maps of a batch, tile by tile, kept for the way back.
#[derive(Default)]
pub struct Maps {
    tiles: Vec<Vec<Pixel>>,
}

/// Errs unless `modes` is a square.
pub(super) fn check_square(modes: usize) -> Result<()> {
    if modes.isqrt().pow(2) == modes {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: format!("an error-prediction network behind a mesh of {modes} modes"),
        instead: "dual adaptive training sees fields as square images; choose 16, 64, 144, … modes".into(),
    })
}

impl Sepn {
    /// For meshes of `modes` modes, with `maps` maps at the three scales. Errs unless `modes` is a square and there are maps.
    pub fn new(modes: usize, maps: [usize; 3]) -> Result<Self> {
        check_square(modes)?;
        let side = modes.isqrt();
        if maps.contains(&0) {
            return Err(Error::invalid("dat-maps", format!("{maps:?}"), "every scale needs at least one map"));
        }
        let [f1, f2, f3] = maps;
        let sides = [side, side.div_ceil(2), side.div_ceil(2).div_ceil(2)];
        let mut pixels = 0;
        let mut place = |count: usize, scale: usize| {
            let start = pixels;
            pixels += count * sides[scale] * sides[scale];
            (count, sides[scale], start)
        };
        let x0 = place(1, 0);
        let (b10, b11, joint1) = (place(f1, 0), place(f1, 0), place(2 * f1, 0));
        let d1 = place(f1, 1);
        let (b20, b21, joint2) = (place(f2, 1), place(f2, 1), place(2 * f2, 1));
        let d2 = place(f2, 2);
        let (b30, b31, x3) = (place(f3, 2), place(f3, 2), place(f3, 2));
        let correction = place(1, 0);
        // the two halves of a concatenation
        let halves = |(count, side, start): (usize, usize, usize)| {
            ((count / 2, side, start), (count / 2, side, start + count / 2 * side * side))
        };
        let ((x1, up2), (x2, up1)) = (halves(joint1), halves(joint2));
        let plan = [
            (Kind::Plain, x0, b10),
            (Kind::Plain, b10, b11),
            (Kind::Plain, b11, x1),
            (Kind::Down, x0, d1),
            (Kind::Plain, d1, b20),
            (Kind::Plain, b20, b21),
            (Kind::Plain, b21, x2),
            (Kind::Down, d1, d2),
            (Kind::Plain, d2, b30),
            (Kind::Plain, b30, b31),
            (Kind::Plain, b31, x3),
            (Kind::Up, x3, up1),
            (Kind::Up, joint2, up2),
            (Kind::Plain, joint1, correction),
        ];
        let last = plan.len() - 1;
        let mut reals = 0;
        let layers = plan
            .into_iter()
            .enumerate()
            .map(|(index, (kind, source, target))| {
                let layer = Convolution::new(kind, source, target, index < last, reals);
                reals += 2 * layer.parameters();
                layer
            })
            .collect();
        Ok(Sepn { layers, pixels, correction: correction.2, modes, reals })
    }

    /// Number of real parameters.
    pub fn reals(&self) -> usize {
        self.reals
    }

    /// Pixels of all maps of one sample.
    pub fn pixels(&self) -> usize {
        self.pixels
    }

    /// Real operations of a pass forward, per sample: 8 per complex weight and place. One back takes as many for the fields, and
    /// as many again for the parameters.
    pub fn flops(&self) -> u64 {
        self.layers.iter().map(|layer| 8 * layer.products() as u64).sum()
    }

    /// First parameters: real and imaginary parts uniform within each layer's bounds.
    pub fn initial(&self, random: &mut impl Rng) -> Vec<f64> {
        let layers = self.layers.iter().flat_map(|layer| std::iter::repeat_n(layer.bound(), 2 * layer.parameters()));
        layers.map(|bound| bound * (2.0 * random.random::<f64>() - 1.0)).collect()
    }

    /// `corrected ← fields + CN(fields)`, both `[batch, modes]` (re, im). Keeps its maps for the way back.
    pub fn forward(&self, parameters: &[f32], fields: &[f32], corrected: &mut [f32], maps: &mut Maps) {
        let width = 2 * self.modes;
        maps.tiles.resize_with(fields.len().div_ceil(LANES * width), Vec::new);
        maps.tiles
            .par_iter_mut()
            .zip(fields.par_chunks(LANES * width))
            .zip(corrected.par_chunks_mut(LANES * width))
            .for_each(|((maps, fields), corrected)| {
                maps.resize(self.pixels, Pixel::ZERO);
                load(fields, width, &mut maps[..self.modes]);
                self.layers.iter().for_each(|layer| layer.forward(parameters, maps));
                for (lane, (sample, field)) in corrected.chunks_mut(width).zip(fields.chunks(width)).enumerate() {
                    let pixels = &maps[self.correction..self.correction + self.modes];
                    for (pixel, (out, z)) in pixels.iter().zip(sample.chunks_mut(2).zip(field.chunks(2))) {
                        out[0] = z[0] + pixel.re[lane];
                        out[1] = z[1] + pixel.im[lane];
                    }
                }
            });
    }

    /// From the adjoint `∂L/∂z*` of the corrected fields to that of the fields in front, in place; where asked, also the
    /// gradient of the parameters, which is overwritten. `maps` are those of the forward pass at the same `parameters`.
    pub fn backward(&self, parameters: &[f32], maps: &Maps, adjoint: &mut [f32], gradient: Option<&mut [f32]>) {
        let width = 2 * self.modes;
        let wanted = gradient.is_some();
        let start = || (vec![Pixel::ZERO; self.pixels], vec![0.0_f32; if wanted { self.reals } else { 0 }]);
        // as many parts as there are tiles at most, fixed, so that sums do not depend on the threads
        let share = maps.tiles.len().div_ceil(8).max(1);
        let sums: Vec<Vec<f32>> = maps
            .tiles
            .par_chunks(share)
            .zip(adjoint.par_chunks_mut(share * LANES * width))
            .map(|(tiles, adjoint)| {
                let (mut adjoints, mut own) = start();
                for (maps, adjoint) in tiles.iter().zip(adjoint.chunks_mut(LANES * width)) {
                    adjoints.fill(Pixel::ZERO);
                    load(adjoint, width, &mut adjoints[self.correction..self.correction + self.modes]);
                    for layer in self.layers.iter().rev() {
                        layer.backward(parameters, maps, &mut adjoints, wanted.then_some(own.as_mut_slice()));
                    }
                    for (lane, sample) in adjoint.chunks_mut(width).enumerate() {
                        for (pixel, out) in adjoints[..self.modes].iter().zip(sample.chunks_mut(2)) {
                            out[0] += pixel.re[lane];
                            out[1] += pixel.im[lane];
                        }
                    }
                }
                own
            })
            .collect();
        if let Some(gradient) = gradient {
            gradient.fill(0.0);
            for sum in &sums {
                gradient.iter_mut().zip(sum).for_each(|(total, own)| *total += own);
            }
        }
    }
}

/// Fills pixels from up to [`LANES`] samples; lanes without one are dark.
fn load(samples: &[f32], width: usize, pixels: &mut [Pixel]) {
    pixels.fill(Pixel::ZERO);
    for (lane, sample) in samples.chunks(width).enumerate() {
        for (pixel, z) in pixels.iter_mut().zip(sample.chunks_exact(2)) {
            (pixel.re[lane], pixel.im[lane]) = (z[0], z[1]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;
    use rand_chacha::ChaCha8Rng;

    fn draws(count: usize, seed: u64) -> Vec<f32> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| 2.0 * random.random::<f32>() - 1.0).collect()
    }

    #[test]
    fn the_published_sizes_are_met() {
        assert_eq!(Sepn::new(64, [4, 8, 16]).unwrap().reals(), 2 * 9757);
        assert_eq!(Sepn::new(64, [4, 6, 8]).unwrap().reals(), 2 * 4035);
        assert!(Sepn::new(63, [4, 6, 8]).unwrap_err().to_string().contains("63 modes"));
        assert!(Sepn::new(64, [4, 0, 8]).is_err());
    }

    /// The loss `Re Σ w* x` of the corrected fields x has the adjoint w/2.
    #[test]
    fn gradients_match_central_differences() {
        for (modes, batch) in [(16, 19), (9, 3), (4, 1)] {
            let sepn = Sepn::new(modes, [2, 3, 5]).unwrap();
            let parameters: Vec<f32> =
                sepn.initial(&mut ChaCha8Rng::seed_from_u64(3)).iter().map(|&value| value as f32).collect();
            let (fields, weights) = (draws(2 * modes * batch, 1), draws(2 * modes * batch, 2));
            let (mut maps, mut corrected) = (Maps::default(), vec![f32::NAN; fields.len()]);
            sepn.forward(&parameters, &fields, &mut corrected, &mut maps);
            let mut adjoint: Vec<f32> = weights.iter().map(|w| 0.5 * w).collect();
            let mut gradient = vec![f32::NAN; sepn.reals()];
            sepn.backward(&parameters, &maps, &mut adjoint, Some(&mut gradient));
            let mut value = |parameters: &[f32], fields: &[f32]| -> f64 {
                sepn.forward(parameters, fields, &mut corrected, &mut maps);
                corrected.iter().zip(&weights).map(|(x, w)| f64::from(x * w)).sum()
            };
            // along random directions, each of which sees every entry; short steps cross few of the rectifiers' kinks
            let step = |entries: usize| 2e-3 / (entries as f32).sqrt();
            for seed in 10..14 {
                let (along, h) = (draws(sepn.reals(), seed), step(sepn.reals()));
                let moved = |s: f32| -> Vec<f32> { parameters.iter().zip(&along).map(|(p, d)| p + s * d).collect() };
                let difference = (value(&moved(h), &fields) - value(&moved(-h), &fields)) / (2.0 * f64::from(h));
                let slope: f64 = gradient.iter().zip(&along).map(|(g, d)| f64::from(g * d)).sum();
                let size = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                assert!((difference - slope).abs() < 1e-2 * size, "parameters, {modes}: {difference} for {slope}");
                let (along, h) = (draws(fields.len(), seed), step(fields.len()));
                let moved = |s: f32| -> Vec<f32> { fields.iter().zip(&along).map(|(p, d)| p + s * d).collect() };
                let difference =
                    (value(&parameters, &moved(h)) - value(&parameters, &moved(-h))) / (2.0 * f64::from(h));
                let slope: f64 = adjoint.iter().zip(&along).map(|(a, d)| f64::from(2.0 * a * d)).sum();
                let size = adjoint.iter().map(|a| f64::from(4.0 * a * a)).sum::<f64>().sqrt();
                assert!((difference - slope).abs() < 1e-2 * size, "fields, {modes}: {difference} for {slope}");
            }
        }
    }
}
