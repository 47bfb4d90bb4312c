//! Means of an image over areas.

use crate::image_shape::ImageShape;
use std::ops::Range;

/// The means of every channel over `size` x `size` areas that cover the image: `m[c, i, j] = mean x[c, r, s]` over the rows r from
/// `⌊i·height/size⌋` up to `⌊(i+1)·height/size⌋` and the columns s alike.
pub(crate) struct AreaMeans {
    image: ImageShape,
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl AreaMeans {
    /// Prepares for images of this shape, which have at least `size` rows and columns.
    pub fn new(image: ImageShape, size: usize) -> Self {
        let shares = |length: usize| (0..size).map(|i| i * length / size..(i + 1) * length / size).collect();
        AreaMeans { image, rows: shares(image.height), columns: shares(image.width) }
    }

    /// The means of `pixels` `[channel, row, column]` into `means` `[channel, size, size]`.
    pub fn of(&self, pixels: &[f32], means: &mut [f64]) {
        let ImageShape { height, width, .. } = self.image;
        let areas = self.rows.len() * self.columns.len();
        for (channel, means) in pixels.chunks_exact(height * width).zip(means.chunks_exact_mut(areas)) {
            for (rows, means) in self.rows.iter().zip(means.chunks_exact_mut(self.columns.len())) {
                for (columns, mean) in self.columns.iter().zip(means) {
                    let row =
                        |row: usize| channel[row * width..][columns.clone()].iter().map(|&x| f64::from(x)).sum::<f64>();
                    *mean = rows.clone().map(row).sum::<f64>() / (rows.len() * columns.len()) as f64;
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn areas_cover_every_pixel_once() {
        let image = ImageShape { channels: 2, height: 3, width: 5 };
        let pixels: Vec<f32> = (0..30).map(|k| ((k * k) % 7) as f32).collect();
        for size in [1, 2, 3] {
            let mut means = vec![0.0; 2 * size * size];
            AreaMeans::new(image, size).of(&pixels, &mut means);
            for channel in 0..2 {
                for (area, mean) in means[channel * size * size..][..size * size].iter().enumerate() {
                    let inside = |at: &usize| {
                        let area_of = |place: usize, length: usize| {
                            (0..size).find(|i| (i * length / size..(i + 1) * length / size).contains(&place)).unwrap()
                        };
                        area_of(at / 5, 3) * size + area_of(at % 5, 5) == area
                    };
                    let own: Vec<f32> = (0..15).filter(inside).map(|at| pixels[channel * 15 + at]).collect();
                    let expected = own.iter().sum::<f32>() / own.len() as f32;
                    assert!((mean - f64::from(expected)).abs() < 1e-6, "{size} {channel} {area}");
                }
            }
        }
    }
}
