//! The centre of an image's shifted Fourier transform, computed directly: only the wanted frequencies, separably.

use std::f64::consts::TAU;

/// The low spatial frequencies of images of one size, `size` x `size` of them with frequency (0, 0) at `[size/2, size/2]`.
///
/// `F[u, v] = Σ_{r,c} x[r, c] e^{−2πi (f_u r / rows + f_v c / columns)}` with `f_u = u − ⌊size/2⌋`: `fftshift(fft2(x))`
/// cropped to the rows and columns from `⌊n/2⌋ − ⌊size/2⌋` on.
pub(crate) struct LowFrequencies {
    rows: usize,
    columns: usize,
    size: usize,
    /// `[row, u]`, (re, im).
    row_twiddles: Vec<[f64; 2]>,
    /// `[column, 2·size]`: the real parts of all `v`, then the imaginary parts.
    column_twiddles: Vec<f64>,
}

impl LowFrequencies {
    /// Prepares for images of `rows` x `columns`.
    pub fn new(rows: usize, columns: usize, size: usize) -> Self {
        let twiddle = |position: usize, index: usize, length: usize| {
            let frequency = index as f64 - (size / 2) as f64;
            let (sin, cos) = (-TAU * frequency * position as f64 / length as f64).sin_cos();
            [cos, sin]
        };
        let row_twiddles = (0..rows).flat_map(|row| (0..size).map(move |u| twiddle(row, u, rows))).collect();
        let column_twiddles = (0..columns)
            .flat_map(|column| [0, 1].map(|part| (column, part)))
            .flat_map(|(column, part)| (0..size).map(move |v| twiddle(column, v, columns)[part]))
            .collect();
        LowFrequencies { rows, columns, size, row_twiddles, column_twiddles }
    }

    /// Transforms `pixels` `[rows, columns]` into `spectrum` `[size, size]`, (re, im).
    pub fn transform(&self, pixels: &[f32], spectrum: &mut [[f64; 2]]) {
        debug_assert_eq!(pixels.len(), self.rows * self.columns);
        debug_assert_eq!(spectrum.len(), self.size * self.size);
        spectrum.fill([0.0; 2]);
        let mut line = vec![0.0; 2 * self.size];
        for (row, pixels) in pixels.chunks_exact(self.columns).enumerate() {
            line.fill(0.0);
            for (&pixel, twiddles) in pixels.iter().zip(self.column_twiddles.chunks_exact(2 * self.size)) {
                for (sum, twiddle) in line.iter_mut().zip(twiddles) {
                    *sum += f64::from(pixel) * twiddle;
                }
            }
            let (re, im) = line.split_at(self.size);
            let twiddles = &self.row_twiddles[row * self.size..][..self.size];
            for ([cos, sin], out) in twiddles.iter().zip(spectrum.chunks_exact_mut(self.size)) {
                for ((out, re), im) in out.iter_mut().zip(re).zip(im) {
                    out[0] += cos * re - sin * im;
                    out[1] += cos * im + sin * re;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// fftshift(fft2(x)) from the definition, then the crop.
    fn naive(pixels: &[f32], rows: usize, columns: usize, size: usize) -> Vec<[f64; 2]> {
        let mut shifted = vec![[0.0; 2]; rows * columns];
        for k in 0..rows {
            for l in 0..columns {
                let at = (k + rows / 2) % rows * columns + (l + columns / 2) % columns;
                for r in 0..rows {
                    for c in 0..columns {
                        let turns = (k * r) as f64 / rows as f64 + (l * c) as f64 / columns as f64;
                        let x = f64::from(pixels[r * columns + c]);
                        shifted[at][0] += x * (TAU * turns).cos();
                        shifted[at][1] -= x * (TAU * turns).sin();
                    }
                }
            }
        }
        let (top, left) = (rows / 2 - size / 2, columns / 2 - size / 2);
        (0..size * size).map(|i| shifted[(top + i / size) * columns + left + i % size]).collect()
    }

    #[test]
    fn the_crop_is_that_of_the_whole_transform() {
        for (rows, columns, size) in [(7, 7, 3), (6, 8, 4), (6, 9, 5), (5, 6, 5), (4, 4, 4), (3, 3, 1)] {
            let pixels: Vec<f32> = (0..rows * columns).map(|i| ((i * i + 3 * i) % 11) as f32 / 10.0).collect();
            let mut spectrum = vec![[0.0; 2]; size * size];
            LowFrequencies::new(rows, columns, size).transform(&pixels, &mut spectrum);
            for (got, expected) in spectrum.iter().zip(naive(&pixels, rows, columns, size)) {
                assert!((got[0] - expected[0]).abs() < 1e-12 && (got[1] - expected[1]).abs() < 1e-12);
            }
        }
    }
}
