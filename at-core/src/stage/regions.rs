//! Detectors behind a grid of pixels, each a square region of it: `I_k = (1/s²)·Σ |z_p|²` over the s × s pixels p of region k, the mean power
//! of a pixel there. Light beside all regions is lost.
//!
//! K regions stand in ⌊√K + ½⌋ rows, as evenly filled as whole numbers let them, each in the middle of its share of the grid: ten in rows of
//! 3, 4 and 3, as those of Lin et al., Science 361, 1004 (2018).

use super::{Beside, Controlled, Drawn, Element, Flops, Imperfect, Signal, Sines, Stage, StageErrors};
use crate::optics::angular_spectrum::check_pixels;
use crate::{Error, Result};
use num_complex::Complex64;

/// Detectors, each of a square of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Regions {
    /// Pixels of a column of the grid.
    pub rows: usize,
    /// Pixels of a row of the grid.
    pub columns: usize,
    /// Number K of detectors.
    pub count: usize,
    /// Pixels s along a side of each.
    pub side: usize,
}

impl Stage {
    /// [`Regions`].
    pub fn regions(rows: usize, columns: usize, count: usize, side: usize) -> Self {
        Stage::Regions(Regions { rows, columns, count, side })
    }
}

impl Regions {
    /// How many stand in every row of them.
    fn lines(count: usize) -> Vec<usize> {
        let lines = ((count as f64).sqrt() + 0.5).floor().max(1.0) as usize;
        let up_to = |line: usize| (2 * line * count + lines) / (2 * lines);
        (0..lines).map(|line| up_to(line + 1) - up_to(line)).collect()
    }

    /// The longest side of `count` regions that do not overlap on this grid; 0 where they find no room.
    pub fn longest_side(rows: usize, columns: usize, count: usize) -> usize {
        let lines = Self::lines(count);
        let fullest = lines.iter().max().copied().unwrap_or(1).max(1);
        (rows / lines.len()).min(columns / fullest)
    }

    /// The first row and column of every region.
    pub fn corners(&self) -> Vec<[usize; 2]> {
        let lines = Self::lines(self.count);
        let start = |index: usize, of: usize, pixels: usize| {
            let middle = (index as f64 + 0.5) * pixels as f64 / of as f64;
            (middle - 0.5 * self.side as f64).round().max(0.0) as usize
        };
        let line = |(line, &count): (usize, &usize)| {
            let row = start(line, lines.len(), self.rows);
            (0..count).map(move |k| [row, start(k, count, self.columns)]).collect::<Vec<_>>()
        };
        lines.iter().enumerate().flat_map(line).collect()
    }

    /// The pixels of every region, row by row.
    pub fn pixels(&self) -> Vec<Vec<usize>> {
        let side = self.side;
        let of = |[row, column]: [usize; 2]| {
            (0..side).flat_map(move |y| (0..side).map(move |x| (row + y) * self.columns + column + x)).collect()
        };
        self.corners().into_iter().map(of).collect()
    }
}

impl Element for Regions {
    fn input(&self) -> Signal {
        Signal::fields(self.rows.saturating_mul(self.columns))
    }

    fn output(&self) -> Signal {
        Signal::reals(self.count)
    }

    fn signed(&self) -> bool {
        false
    }

    fn validate(&self) -> Result<()> {
        let Regions { rows, columns, count, side } = *self;
        check_pixels(rows, columns)?;
        if count > rows * columns {
            return Err(Error::invalid(
                "regions",
                count,
                format!("more than the {rows} × {columns} pixels behind which they stand"),
            ));
        }
        match Self::longest_side(rows, columns, count) {
            0 => {
                let reason = format!(
                    "so many rows and columns of them find no room on {rows} × {columns} pixels; take more pixels"
                );
                Err(Error::invalid("regions", count, reason))
            }
            most if (1..=most).contains(&side) => Ok(()),
            most => {
                let reason =
                    format!("pixels along a side of one of {count} on {rows} × {columns} pixels, from 1 to {most}");
                Err(Error::invalid("detector", side, reason))
            }
        }
    }

    fn words(&self) -> String {
        format!("regions:{}x{}-{}(detector {})", self.rows, self.columns, self.count, self.side)
    }

    fn description(&self) -> String {
        let Regions { rows, columns, count, side } = *self;
        format!("{count} detectors of {side} × {side} among {rows} × {columns} pixels")
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
        Some(Sines::KeptByTheLast("a detection that is not the last stage"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, _: &StageErrors, _: &[f64], signal: &[f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let (regions, share) = (self.pixels(), 1.0 / (self.side * self.side) as f64);
        let mut output = Vec::new();
        for field in fields.chunks_exact(self.rows * self.columns) {
            let power = |region: &Vec<usize>| share * region.iter().map(|&pixel| field[pixel].norm_sqr()).sum::<f64>();
            output.extend(regions.iter().map(power));
        }
        output
    }

    /// `a = (1/s²)·e_k·z` within region k, 0 beside all.
    fn backward(&self, _: &StageErrors, _: &[f64], signal: &[f64], error: &[f64], _: &mut [f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let (regions, share) = (self.pixels(), 1.0 / (self.side * self.side) as f64);
        let mut carried = vec![Complex64::ZERO; fields.len()];
        let pixels = self.rows * self.columns;
        let samples = fields.chunks_exact(pixels).zip(error.chunks_exact(self.count));
        for (carried, (field, error)) in carried.chunks_exact_mut(pixels).zip(samples) {
            for (region, error) in regions.iter().zip(error) {
                region.iter().for_each(|&pixel| carried[pixel] = field[pixel] * (share * error));
            }
        }
        bytemuck::cast_slice(&carried).to_vec()
    }
}
