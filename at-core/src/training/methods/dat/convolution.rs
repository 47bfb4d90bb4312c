//! One complex convolution on tiles of samples, forward and backward.
//!
//! `y_o[p] = (1 + i)·b_o + Σ_{i, links} w_{oi}[tap]·x_i[q]`: a table of links (which input pixel reaches which output pixel
//! through which tap of the 3×3 kernel) makes the plain, the striding and the transposed convolution the same loop. A tile's
//! samples lie side by side in vector registers. It is no [`crate::engine::Engine::product`]: that would need every pixel written nine times,
//! once per tap, where few maps leave a product little to do; so it is the host's work on every engine.
//!
//! The factor 1 + i of a bias is that of the published networks: they build a complex convolution from two real ones, `re` and
//! `im`, each with a bias of its own, as `re(x_re) − im(x_im)` and `re(x_im) + im(x_re)`. For Adam, which scales every
//! parameter's step by itself, that is not the same as a bias per part.

use pulp::{Simd, WithSimd};
use std::ops::Range;

/// Samples in a tile: one register of 512 bits, two of 256.
pub const LANES: usize = 16;

/// Taps of a 3×3 kernel.
pub const TAPS: usize = 9;

/// Maps that the loops treat together, so that their sums stay in registers.
const BLOCK: usize = 4;

/// One pixel of one map, one lane per sample.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Pixel {
    /// Real parts.
    pub re: [f32; LANES],
    /// Imaginary parts.
    pub im: [f32; LANES],
}

impl Pixel {
    /// Darkness.
    pub const ZERO: Pixel = Pixel { re: [0.0; LANES], im: [0.0; LANES] };
}

/// How pixels of the input reach pixels of the output.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Stride 1, same size.
    Plain,
    /// Stride 2: half the size, rounded up.
    Down,
    /// Transposed, stride 2: from half the size, rounded up.
    Up,
}

/// A convolution and where its maps and weights lie.
#[derive(Clone, Debug)]
pub struct Convolution {
    kind: Kind,
    /// Maps that enter.
    pub inputs: usize,
    /// Maps that leave.
    pub outputs: usize,
    /// Followed by a rectifier on real and imaginary parts.
    pub rectified: bool,
    /// First pixel of the input's first map.
    source: usize,
    /// First pixel of the output's first map.
    target: usize,
    /// Pixels of an input map.
    pixels_in: usize,
    /// Pixels of an output map.
    pixels_out: usize,
    /// First of its reals: weights `[tap, input, output]`, then biases `[output]`, all (re, im).
    weights: usize,
    /// Per output pixel: (input pixel, tap).
    into: Vec<Vec<(u32, u32)>>,
    /// Per input pixel: (output pixel, tap).
    out_of: Vec<Vec<(u32, u32)>>,
    /// Per tap: (input pixel, output pixel).
    through: Vec<Vec<(u32, u32)>>,
}

impl Convolution {
    /// From `inputs` maps of `side_in`² pixels at `source` to `outputs` maps of `side_out`² at `target`; weights from `weights`.
    pub fn new(
        kind: Kind,
        (inputs, side_in, source): (usize, usize, usize),
        (outputs, side_out, target): (usize, usize, usize),
        rectified: bool,
        weights: usize,
    ) -> Self {
        let (pixels_in, pixels_out) = (side_in * side_in, side_out * side_out);
        let mut into = vec![Vec::new(); pixels_out];
        let mut out_of = vec![Vec::new(); pixels_in];
        let mut through = vec![Vec::new(); TAPS];
        // in one dimension: (input, output, tap) of all that reach
        let mut reach = Vec::new();
        for tap in 0..3_isize {
            for one in 0..side_in.max(side_out) as isize {
                let (input, output) = match kind {
                    Kind::Plain => (one + tap - 1, one),
                    Kind::Down => (2 * one + tap - 1, one),
                    Kind::Up => (one, 2 * one + tap - 1),
                };
                if (0..side_in as isize).contains(&input) && (0..side_out as isize).contains(&output) {
                    reach.push((input as usize, output as usize, tap as usize));
                }
            }
        }
        for &(row_in, row_out, row_tap) in &reach {
            for &(column_in, column_out, column_tap) in &reach {
                let (p, q) = ((row_in * side_in + column_in) as u32, (row_out * side_out + column_out) as u32);
                let tap = 3 * row_tap + column_tap;
                into[q as usize].push((p, tap as u32));
                out_of[p as usize].push((q, tap as u32));
                through[tap].push((p, q));
            }
        }
        Convolution {
            kind,
            inputs,
            outputs,
            rectified,
            source,
            target,
            pixels_in,
            pixels_out,
            weights,
            into,
            out_of,
            through,
        }
    }

    /// Bound of the first parameters, drawn uniformly: 1/√(9·maps), as the published networks are drawn. The maps are those that
    /// enter, but those that leave where the convolution is transposed.
    pub fn bound(&self) -> f64 {
        let maps = if self.kind == Kind::Up { self.outputs } else { self.inputs };
        1.0 / ((TAPS * maps) as f64).sqrt()
    }

    /// Number of complex weights and biases.
    pub fn parameters(&self) -> usize {
        (TAPS * self.inputs + 1) * self.outputs
    }

    /// Complex products of a forward pass, per sample.
    pub fn products(&self) -> usize {
        self.inputs * self.outputs * self.through.iter().map(Vec::len).sum::<usize>()
    }

    /// Where its reals lie.
    pub fn range(&self) -> Range<usize> {
        self.weights..self.weights + 2 * self.parameters()
    }

    /// Fills the output's maps from the input's.
    pub fn forward(&self, parameters: &[f32], maps: &mut [Pixel]) {
        struct Job<'a>(&'a Convolution, &'a [f32], &'a mut [Pixel]);
        impl WithSimd for Job<'_> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) {
                if S::IS_SCALAR {
                    forward::<false>(self.0, self.1, self.2)
                } else {
                    forward::<true>(self.0, self.1, self.2)
                }
            }
        }
        pulp::Arch::new().dispatch(Job(self, &parameters[self.range()], maps));
    }

    /// From the adjoints of the output's maps, which it rectifies first, adds to those of the input's and, where asked, to the
    /// parameters' gradient `dL/d(re, im)`. An adjoint is `∂L/∂z*`.
    pub fn backward(&self, parameters: &[f32], maps: &[Pixel], adjoints: &mut [Pixel], gradient: Option<&mut [f32]>) {
        struct Job<'a>(&'a Convolution, &'a [f32], &'a [Pixel], &'a mut [Pixel], Option<&'a mut [f32]>);
        impl WithSimd for Job<'_> {
            type Output = ();
            #[inline(always)]
            fn with_simd<S: Simd>(self, _: S) {
                let Job(own, weights, maps, adjoints, gradient) = self;
                if S::IS_SCALAR {
                    backward::<false>(own, weights, maps, adjoints, gradient)
                } else {
                    backward::<true>(own, weights, maps, adjoints, gradient)
                }
            }
        }
        let range = self.range();
        let gradient = gradient.map(|all| &mut all[range.clone()]);
        pulp::Arch::new().dispatch(Job(self, &parameters[range], maps, adjoints, gradient));
    }
}

#[inline(always)]
fn fma<const FMA: bool>(a: f32, b: f32, c: f32) -> f32 {
    if FMA { a.mul_add(b, c) } else { a * b + c }
}

/// `sum += (re + i·im)·x`.
#[inline(always)]
fn add<const FMA: bool>(sum: &mut Pixel, re: f32, im: f32, x: &Pixel) {
    for lane in 0..LANES {
        sum.re[lane] = fma::<FMA>(re, x.re[lane], fma::<FMA>(-im, x.im[lane], sum.re[lane]));
        sum.im[lane] = fma::<FMA>(re, x.im[lane], fma::<FMA>(im, x.re[lane], sum.im[lane]));
    }
}

#[inline(always)]
fn forward<const FMA: bool>(own: &Convolution, weights: &[f32], maps: &mut [Pixel]) {
    let mut first = 0;
    while first < own.outputs {
        first += match own.outputs - first {
            1 => forward_block::<1, FMA>(own, weights, maps, first),
            2 | 3 => forward_block::<2, FMA>(own, weights, maps, first),
            _ => forward_block::<BLOCK, FMA>(own, weights, maps, first),
        };
    }
}

#[inline(always)]
fn forward_block<const MAPS: usize, const FMA: bool>(
    own: &Convolution,
    weights: &[f32],
    maps: &mut [Pixel],
    first: usize,
) -> usize {
    let outputs = own.outputs;
    let biases = &weights[2 * TAPS * own.inputs * outputs..];
    for (pixel, links) in own.into.iter().enumerate() {
        let mut sums = [Pixel::ZERO; MAPS];
        for (map, sum) in sums.iter_mut().enumerate() {
            let (re, im) = (biases[2 * (first + map)], biases[2 * (first + map) + 1]);
            sum.re = [re - im; LANES];
            sum.im = [re + im; LANES];
        }
        for &(from, tap) in links {
            for input in 0..own.inputs {
                let x = &maps[own.source + input * own.pixels_in + from as usize];
                let at = 2 * ((tap as usize * own.inputs + input) * outputs + first);
                let w = &weights[at..at + 2 * MAPS];
                for (map, sum) in sums.iter_mut().enumerate() {
                    add::<FMA>(sum, w[2 * map], w[2 * map + 1], x);
                }
            }
        }
        for (map, mut sum) in sums.into_iter().enumerate() {
            if own.rectified {
                for lane in 0..LANES {
                    sum.re[lane] = sum.re[lane].max(0.0);
                    sum.im[lane] = sum.im[lane].max(0.0);
                }
            }
            maps[own.target + (first + map) * own.pixels_out + pixel] = sum;
        }
    }
    MAPS
}

#[inline(always)]
fn backward<const FMA: bool>(
    own: &Convolution,
    weights: &[f32],
    maps: &[Pixel],
    adjoints: &mut [Pixel],
    gradient: Option<&mut [f32]>,
) {
    let range = own.target..own.target + own.outputs * own.pixels_out;
    if own.rectified {
        for (adjoint, value) in adjoints[range.clone()].iter_mut().zip(&maps[range]) {
            for lane in 0..LANES {
                adjoint.re[lane] = if value.re[lane] > 0.0 { adjoint.re[lane] } else { 0.0 };
                adjoint.im[lane] = if value.im[lane] > 0.0 { adjoint.im[lane] } else { 0.0 };
            }
        }
    }
    if let Some(gradient) = gradient {
        weight_gradient::<FMA>(own, maps, adjoints, gradient);
    }
    let mut first = 0;
    while first < own.inputs {
        first += match own.inputs - first {
            1 => backward_block::<1, FMA>(own, weights, adjoints, first),
            2 | 3 => backward_block::<2, FMA>(own, weights, adjoints, first),
            _ => backward_block::<BLOCK, FMA>(own, weights, adjoints, first),
        };
    }
}

/// `a_x += w* a_y` for MAPS input maps from `first` on; returns MAPS.
#[inline(always)]
fn backward_block<const MAPS: usize, const FMA: bool>(
    own: &Convolution,
    weights: &[f32],
    adjoints: &mut [Pixel],
    first: usize,
) -> usize {
    let (inputs, outputs) = (own.inputs, own.outputs);
    for (pixel, links) in own.out_of.iter().enumerate() {
        let mut sums = [Pixel::ZERO; MAPS];
        for (map, sum) in sums.iter_mut().enumerate() {
            *sum = adjoints[own.source + (first + map) * own.pixels_in + pixel];
        }
        for &(to, tap) in links {
            let at = 2 * (tap as usize * inputs + first) * outputs;
            let w = &weights[at..at + 2 * MAPS * outputs];
            for output in 0..outputs {
                let a = &adjoints[own.target + output * own.pixels_out + to as usize];
                for (map, sum) in sums.iter_mut().enumerate() {
                    let at = 2 * (map * outputs + output);
                    add::<FMA>(sum, w[at], -w[at + 1], a);
                }
            }
        }
        for (map, sum) in sums.into_iter().enumerate() {
            adjoints[own.source + (first + map) * own.pixels_in + pixel] = sum;
        }
    }
    MAPS
}

/// `a_w += x* a_y` and `a_b += (1 − i)·a_y`, doubled: `dL/d(re) + i dL/d(im) = 2a` for the parameters.
#[inline(always)]
fn weight_gradient<const FMA: bool>(own: &Convolution, maps: &[Pixel], adjoints: &[Pixel], gradient: &mut [f32]) {
    let (inputs, outputs) = (own.inputs, own.outputs);
    let (weights, biases) = gradient.split_at_mut(2 * TAPS * inputs * outputs);
    for (tap, pairs) in own.through.iter().enumerate() {
        for input in 0..inputs {
            let row = &mut weights[2 * (tap * inputs + input) * outputs..][..2 * outputs];
            let mut first = 0;
            while first < outputs {
                first += match outputs - first {
                    1 => weight_block::<1, FMA>(own, maps, adjoints, pairs, input, first, row),
                    2 | 3 => weight_block::<2, FMA>(own, maps, adjoints, pairs, input, first, row),
                    _ => weight_block::<BLOCK, FMA>(own, maps, adjoints, pairs, input, first, row),
                };
            }
        }
    }
    for (output, slot) in biases.chunks_exact_mut(2).enumerate() {
        let mut sum = Pixel::ZERO;
        for a in &adjoints[own.target + output * own.pixels_out..][..own.pixels_out] {
            for lane in 0..LANES {
                sum.re[lane] += a.re[lane];
                sum.im[lane] += a.im[lane];
            }
        }
        let (re, im) = (sum.re.iter().sum::<f32>(), sum.im.iter().sum::<f32>());
        slot[0] += 2.0 * (re + im);
        slot[1] += 2.0 * (im - re);
    }
}

#[inline(always)]
fn weight_block<const MAPS: usize, const FMA: bool>(
    own: &Convolution,
    maps: &[Pixel],
    adjoints: &[Pixel],
    pairs: &[(u32, u32)],
    input: usize,
    first: usize,
    row: &mut [f32],
) -> usize {
    let mut sums = [Pixel::ZERO; MAPS];
    for &(from, to) in pairs {
        let x = &maps[own.source + input * own.pixels_in + from as usize];
        for (map, sum) in sums.iter_mut().enumerate() {
            let a = &adjoints[own.target + (first + map) * own.pixels_out + to as usize];
            for lane in 0..LANES {
                sum.re[lane] = fma::<FMA>(x.re[lane], a.re[lane], fma::<FMA>(x.im[lane], a.im[lane], sum.re[lane]));
                sum.im[lane] = fma::<FMA>(x.re[lane], a.im[lane], fma::<FMA>(-x.im[lane], a.re[lane], sum.im[lane]));
            }
        }
    }
    for (map, sum) in sums.iter().enumerate() {
        row[2 * (first + map)] += 2.0 * sum.re.iter().sum::<f32>();
        row[2 * (first + map) + 1] += 2.0 * sum.im.iter().sum::<f32>();
    }
    MAPS
}
