//! Images in the middle of a grid of pixels.

use std::ops::Range;

/// Where the rows and columns of an image lie on a grid.
pub(super) struct Grid {
    /// Columns of the image.
    width: usize,
    /// For every row and every column of the grid those of the image whose mean it takes; none beside the image.
    rows: Vec<Range<usize>>,
    columns: Vec<Range<usize>>,
}

impl Grid {
    /// An image of (rows, columns) on a grid of (rows, columns), as [`super::Encoding::AmplitudeImage`] says.
    pub fn new(image: (usize, usize), grid: (usize, usize)) -> Self {
        let times = |image: usize, grid: usize| (grid >= image).then(|| grid / image.max(1));
        let common = [times(image.0, grid.0), times(image.1, grid.1)].into_iter().flatten().min();
        let axis = |image: usize, grid: usize| -> Vec<Range<usize>> {
            let Some(times) = common.filter(|_| grid >= image) else {
                return (0..grid).map(|place| place * image / grid..(place + 1) * image / grid).collect();
            };
            let first = (grid - times * image) / 2;
            let covered = first..first + times * image;
            let of = |place: usize| (place - first) / times..(place - first) / times + 1;
            (0..grid).map(|place| if covered.contains(&place) { of(place) } else { 0..0 }).collect()
        };
        Grid { width: image.1, rows: axis(image.0, grid.0), columns: axis(image.1, grid.1) }
    }

    /// What pixel number `pixel` of the grid takes of an image whose values are `value(index)`.
    pub fn pixel(&self, pixel: usize, value: impl Fn(usize) -> f32) -> Option<f64> {
        let (rows, columns) = (&self.rows[pixel / self.columns.len()], &self.columns[pixel % self.columns.len()]);
        let count = rows.len() * columns.len();
        let all = rows.clone().flat_map(|row| columns.clone().map(move |column| row * self.width + column));
        (count > 0).then(|| all.map(|index| f64::from(value(index))).sum::<f64>() / count as f64)
    }
}
