//! Products with matrices that are mostly zeros: dark pixels, and what rectifiers hold back.
//!
//! A row of the product is a sum of dense rows, one per entry that is not zero. The sum stays in registers, and dense rows
//! are taken in blocks that fit the nearest cache.

use crate::Real;
use pulp::{Simd, WithSimd};
use rayon::prelude::*;

/// Dense rows of a block: with tiles of 256 bytes, 24 kB of a first-level cache of 32 kB or more.
const BLOCK: usize = 96;

/// Values that are skipped together where all are zero; divides [`BLOCK`].
const PART: usize = 8;

/// The entries of a matrix that are not zero, by rows. Room is kept for a full matrix, so that refilling never allocates.
#[derive(Debug, Default)]
pub struct SparseRows<T> {
    rows: usize,
    columns: usize,
    /// `(column, value)`, by columns; those of row r start at `r * columns`.
    entries: Vec<(u32, T)>,
    /// `[row, blocks + 1]`: where the entries of each [`BLOCK`] columns begin and end, counted from the row's first entry.
    bounds: Vec<u32>,
}

impl<T: Real> SparseRows<T> {
    /// Prepares for a matrix of this shape; gives the bounds of a row.
    fn reshape(&mut self, rows: usize, columns: usize) -> usize {
        let bounds = columns.div_ceil(BLOCK) + 1;
        (self.rows, self.columns) = (rows, columns);
        self.entries.resize(self.entries.len().max(rows * columns), (0, T::zero()));
        self.bounds.resize(self.bounds.len().max(rows * bounds), 0);
        bounds
    }

    /// Takes over `matrix [rows, columns]` if the share of its entries that are not zero, judged by some of its rows, is at
    /// most `limit`; says whether it did.
    pub fn fill(&mut self, matrix: &[T], columns: usize, limit: f64) -> bool {
        let rows = matrix.len() / columns;
        let looked_at = matrix.chunks_exact(columns).step_by(rows.div_ceil(8)).flatten();
        let (mut kept, mut count) = (0, 0);
        for &value in looked_at {
            kept += usize::from(value != T::zero());
            count += 1;
        }
        if kept as f64 > limit * count as f64 {
            return false;
        }
        let width = self.reshape(rows, columns);
        let rows = self.entries.par_chunks_exact_mut(columns).zip(self.bounds.par_chunks_exact_mut(width));
        rows.zip(matrix.par_chunks_exact(columns)).with_min_len(16).for_each(|((entries, bounds), row)| {
            let mut end = 0;
            for (part, values) in row.chunks(PART).enumerate() {
                if (part * PART).is_multiple_of(BLOCK) {
                    bounds[part * PART / BLOCK] = end as u32;
                }
                if values.iter().fold(false, |any, &value| any | (value != T::zero())) {
                    for (offset, &value) in values.iter().enumerate() {
                        // Written in any case and kept only where it counts: no branch to mispredict.
                        entries[end] = ((part * PART + offset) as u32, value);
                        end += usize::from(value != T::zero());
                    }
                }
            }
            bounds[width - 1] = end as u32;
        });
        true
    }

    /// Takes over the transpose of `other`.
    pub fn fill_transposed(&mut self, other: &SparseRows<T>) {
        let (rows, columns) = (other.columns, other.rows);
        let width = self.reshape(rows, columns);
        let other_width = rows.div_ceil(BLOCK) + 1;
        let entries = self.entries[..rows * columns].par_chunks_mut(BLOCK * columns);
        let bounds = self.bounds[..rows * width].par_chunks_mut(BLOCK * width);
        entries.zip(bounds).enumerate().for_each(|(block, (entries, bounds))| {
            let mut ends = [0_u32; BLOCK];
            for column in 0..columns {
                if column % BLOCK == 0 {
                    bounds.chunks_exact_mut(width).zip(&ends).for_each(|(bounds, &end)| bounds[column / BLOCK] = end);
                }
                for &(row, value) in other.block(column, other_width, block) {
                    let row = row as usize - block * BLOCK;
                    entries[row * columns + ends[row] as usize] = (column as u32, value);
                    ends[row] += 1;
                }
            }
            bounds.chunks_exact_mut(width).zip(&ends).for_each(|(bounds, &end)| bounds[width - 1] = end);
        });
    }

    /// The entries of a row in a block of columns.
    #[inline(always)]
    fn block(&self, row: usize, width: usize, block: usize) -> &[(u32, T)] {
        let bounds = &self.bounds[row * width + block..][..2];
        &self.entries[row * self.columns + bounds[0] as usize..row * self.columns + bounds[1] as usize]
    }

    /// `target [rows, width] ← self·dense`, with `dense [columns, width]` row-major, plus `offset [width]` in every row.
    pub fn multiply(&self, dense: &[T], width: usize, offset: Option<&[T]>, target: &mut [T]) {
        assert!(dense.len() >= self.columns * width && target.len() >= self.rows * width, "room for a product");
        assert!(offset.is_none_or(|offset| offset.len() == width), "an offset for every column");
        let piece = self.rows.div_ceil(2 * rayon::current_num_threads()).max(8);
        target[..self.rows * width].par_chunks_mut(piece * width).enumerate().for_each(|(index, target)| {
            pulp::Arch::new().dispatch(Piece { sparse: self, first_row: index * piece, dense, width, offset, target });
        });
    }
}

/// Starts where a cache line does; vectors across two lines load at half the speed.
#[repr(align(64))]
struct Aligned<V>(V);

/// Some rows of a product.
struct Piece<'a, T> {
    sparse: &'a SparseRows<T>,
    first_row: usize,
    dense: &'a [T],
    width: usize,
    offset: Option<&'a [T]>,
    target: &'a mut [T],
}

impl<T: Real> WithSimd for Piece<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, _: S) {
        // Eight registers of sums, so that every addition finds its summand ready; four and one for the rest of the width.
        if S::IS_SCALAR {
            self.tiles::<16, false>(0);
        } else if size_of::<T>() == 4 {
            let done = if size_of::<S::f32s>() == 64 { self.tiles::<128, true>(0) } else { 0 };
            let done = self.tiles::<64, true>(done);
            let done = self.tiles::<32, true>(done);
            let done = self.tiles::<8, true>(done);
            self.tiles::<1, true>(done);
        } else {
            let done = self.tiles::<32, true>(0);
            let done = self.tiles::<4, true>(done);
            self.tiles::<1, true>(done);
        }
    }
}

impl<T: Real> Piece<'_, T> {
    /// As many tiles of `TILE` columns as fit from column `start` on; gives where the rest starts.
    #[inline(always)]
    fn tiles<const TILE: usize, const FMA: bool>(&mut self, start: usize) -> usize {
        let end = self.width - (self.width - start) % TILE;
        for tile in (start..end).step_by(TILE) {
            self.tile::<TILE, FMA>(tile);
        }
        end
    }

    #[inline(always)]
    fn tile<const TILE: usize, const FMA: bool>(&mut self, tile: usize) {
        let Piece { sparse, first_row, dense, width, offset, ref mut target } = *self;
        let blocks = sparse.columns.div_ceil(BLOCK);
        // A copy: rows of 2^k values apart would fall on the same cache sets.
        let mut packed = Aligned([[T::zero(); TILE]; BLOCK]);
        for block in 0..blocks {
            let rows = dense[block * BLOCK * width..sparse.columns * width].chunks_exact(width);
            packed.0.iter_mut().zip(rows).for_each(|(packed, row)| packed.copy_from_slice(&row[tile..tile + TILE]));
            for (index, row) in target.chunks_exact_mut(width).enumerate() {
                let slots: &mut [T; TILE] = (&mut row[tile..tile + TILE]).try_into().expect("a tile has its size");
                let mut sums = match offset {
                    _ if block > 0 => *slots,
                    Some(offset) => offset[tile..tile + TILE].try_into().expect("a tile has its size"),
                    None => [T::zero(); TILE],
                };
                for &(column, value) in sparse.block(first_row + index, blocks + 1, block) {
                    let dense = &packed.0[column as usize - block * BLOCK];
                    for lane in 0..TILE {
                        sums[lane] =
                            if FMA { value.mul_add(dense[lane], sums[lane]) } else { sums[lane] + value * dense[lane] };
                    }
                }
                *slots = sums;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whole numbers, so that every order of summation gives the same bits.
    fn matrix(rows: usize, columns: usize, zeros: usize) -> Vec<f32> {
        (0..rows * columns).map(|k| if k * 7919 % 10 < zeros { 0.0 } else { (k * 31 % 17) as f32 - 8.0 }).collect()
    }

    #[test]
    fn products_with_sparse_rows_and_their_transpose_are_those_of_the_full_matrix() {
        let (mut sparse, mut transposed) = (SparseRows::default(), SparseRows::default());
        for (rows, columns, width) in [(1, 1, 1), (7, 97, 10), (200, 300, 75), (5, 96, 64), (33, 193, 110)] {
            for zeros in [0, 5, 9, 10] {
                let (left, right) = (matrix(rows, columns, zeros), matrix(columns, width, 0));
                assert!(sparse.fill(&left, columns, 1.0));
                let mut product = vec![f32::NAN; rows * width];
                let offset: Vec<f32> = (0..width).map(|j| (j % 5) as f32).collect();
                sparse.multiply(&right, width, Some(&offset), &mut product);
                let other = matrix(rows, width, 0);
                let mut transposed_product = vec![f32::NAN; columns * width];
                transposed.fill_transposed(&sparse);
                transposed.multiply(&other, width, None, &mut transposed_product);
                for j in 0..width {
                    for r in 0..rows {
                        let sum: f32 = (0..columns).map(|c| left[r * columns + c] * right[c * width + j]).sum();
                        assert_eq!(product[r * width + j], offset[j] + sum);
                    }
                    for c in 0..columns {
                        let sum: f32 = (0..rows).map(|r| left[r * columns + c] * other[r * width + j]).sum();
                        assert_eq!(transposed_product[c * width + j], sum);
                    }
                }
            }
        }
    }

    #[test]
    fn a_full_matrix_is_declined() {
        let mut sparse = SparseRows::default();
        assert!(!sparse.fill(&matrix(50, 40, 5), 40, 0.4));
        assert!(sparse.fill(&matrix(50, 40, 7), 40, 0.4));
    }
}
