//! Noise on the CPU: samples over threads, every draw by its counter.

use crate::Real;
use crate::fabrication::noise::{Draw, SignalNoise};
use crate::imperfections::random::normals;
use crate::real::SERIAL;
use rayon::prelude::*;
use std::f64::consts::FRAC_1_SQRT_2;

/// Draws cost some tens of operations each.
const SERIAL_DRAWS: usize = SERIAL / 16;

/// What `noise` makes of `signal [batch, mode]`.
pub fn disturb<T: Real>(noise: &SignalNoise, draw: &Draw, batch: usize, signal: &mut [T]) {
    let width = noise.signal.width();
    let per_mode = noise.per_mode();
    let gain = if noise.gain == 0.0 { 1.0 } else { 1.0 + noise.gain * draw.of_pass() };
    let rows = signal[..batch * width].par_chunks_exact_mut(width).with_min_len(SERIAL_DRAWS.div_ceil(width));
    rows.enumerate().for_each(|(sample, row)| {
        let common = if noise.sample == 0.0 { gain } else { gain * (1.0 + noise.sample * draw.of_sample(sample)) };
        let draws = |mode| if per_mode { normals(draw.key, draw.counter(sample, mode)) } else { [0.0; 4] };
        if noise.signal.complex {
            let (relative, absolute) = (noise.relative * FRAC_1_SQRT_2, noise.absolute * FRAC_1_SQRT_2);
            for (mode, field) in row.chunks_exact_mut(2).enumerate() {
                let [a, b, c, d] = draws(mode);
                let (re, im) = (common * field[0].wide(), common * field[1].wide());
                let (turn_re, turn_im) = (1.0 + relative * a, relative * b);
                field[0] = convert(noise, re * turn_re - im * turn_im + absolute * c);
                field[1] = convert(noise, re * turn_im + im * turn_re + absolute * d);
            }
        } else {
            for (mode, slot) in row.iter_mut().enumerate() {
                let [a, _, c, _] = draws(mode);
                let x = common * slot.wide() * (1.0 + noise.relative * a);
                let deviation = (noise.absolute * noise.absolute + noise.shot * noise.shot * x.abs()).sqrt();
                *slot = convert(noise, x + deviation * c);
            }
        }
    });
}

fn convert<T: Real>(noise: &SignalNoise, x: f64) -> T {
    T::of(noise.converter.map_or(x, |converter| converter.read(x)))
}
