//! Where the patches of an image lie: the geometry that convolutions and pooling have in common.
//!
//! Patch (i, j) of a kernel of `k_h × k_w` begins in row `s·i − p` and column `s·j − p` of every channel, with the stride s and p rows
//! and columns of zeros around the image. There are
//!
//! ```text
//! ⌊(height + 2p − k_h)/s⌋ + 1   rows of patches, and as many columns with width and k_w
//! ```
//!
//! Source: Dumoulin and Visin, A guide to convolution arithmetic for deep learning, arXiv:1603.07285 (2016), relationship 6.

use crate::image_shape::ImageShape;
use crate::{Error, Result};

/// The patches of an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patches {
    /// The image from which they are taken.
    pub image: ImageShape,
    /// Rows and columns of a patch.
    pub kernel: [usize; 2],
    /// Rows, and columns, from one patch to the next.
    pub stride: usize,
    /// Rows and columns of zeros on every side of the image.
    pub padding: usize,
}

impl Patches {
    /// Patches that touch one another, without padding; what is left of the image at its lower and right edge is in none.
    pub fn beside_one_another(image: ImageShape, size: usize) -> Self {
        Patches { image, kernel: [size; 2], stride: size, padding: 0 }
    }

    /// Errs unless there is at least one patch and every patch meets the image.
    pub fn validate(&self) -> Result<()> {
        let Patches { image, kernel, stride, padding } = *self;
        let shown = format!("{}x{}", kernel[0], kernel[1]);
        if kernel.contains(&0) {
            return Err(Error::invalid("kernel", shown, "must have at least one row and one column"));
        }
        if stride == 0 {
            return Err(Error::invalid("stride", stride, "must be at least 1"));
        }
        if padding >= kernel[0].min(kernel[1]) {
            let most = kernel[0].min(kernel[1]) - 1;
            let reason = format!("a kernel of {shown} would see nothing but zeros; at most {most}");
            return Err(Error::invalid("padding", padding, reason));
        }
        for (what, length, kernel) in [("rows", image.height, kernel[0]), ("columns", image.width, kernel[1])] {
            let most = length.saturating_add(padding.saturating_mul(2));
            if most < kernel {
                let with =
                    if padding > 0 { format!(" with {padding} of padding on both sides") } else { String::new() };
                let reason = format!("an image of {image} has {length} {what}{with}; at most {most} fit");
                return Err(Error::invalid("kernel", shown, reason));
            }
        }
        Ok(())
    }

    /// Rows and columns of patches; 0 where [`Patches::validate`] errs.
    pub fn counts(&self) -> [usize; 2] {
        let Patches { image, kernel, stride, padding } = *self;
        let count = |length: usize, kernel: usize| {
            let room = length.saturating_add(padding.saturating_mul(2)).checked_sub(kernel);
            room.and_then(|room| room.checked_div(stride)).map_or(0, |steps| steps + 1)
        };
        [count(image.height, kernel[0]), count(image.width, kernel[1])]
    }

    /// Number of patches.
    pub fn positions(&self) -> usize {
        let [rows, columns] = self.counts();
        rows.saturating_mul(columns)
    }

    /// Entries of one patch over all channels, `[channel, row, column]`.
    pub fn entries(&self) -> usize {
        ImageShape::new(self.image.channels, self.kernel[0], self.kernel[1]).features()
    }

    /// The feature that is this entry of the patch at `position`; none for a zero of the padding.
    pub fn feature(&self, position: usize, entry: usize) -> Option<usize> {
        let Patches { image, kernel: [rows, columns], stride, padding } = *self;
        let [_, across] = self.counts();
        let (channel, row, column) = (entry / (rows * columns), entry / columns % rows, entry % columns);
        let place = |patch: usize, offset: usize, length: usize| {
            (patch * stride + offset).checked_sub(padding).filter(|&place| place < length)
        };
        let row = place(position / across, row, image.height)?;
        let column = place(position % across, column, image.width)?;
        Some((channel * image.height + row) * image.width + column)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn patches(image: &str, kernel: [usize; 2], stride: usize, padding: usize) -> Patches {
        Patches { image: image.parse().unwrap(), kernel, stride, padding }
    }

    #[test]
    fn every_entry_lies_where_a_walk_over_the_padded_image_finds_it() {
        for own in [patches("2x5x4", [3, 2], 1, 0), patches("3x4x7", [2, 3], 2, 1), patches("1x6x6", [3, 3], 3, 2)] {
            own.validate().unwrap();
            let ImageShape { channels, height, width } = own.image;
            let p = own.padding;
            let mut found = Vec::new();
            for top in (0..).map(|i| i * own.stride).take_while(|top| top + own.kernel[0] <= height + 2 * p) {
                for left in (0..).map(|j| j * own.stride).take_while(|left| left + own.kernel[1] <= width + 2 * p) {
                    for channel in 0..channels {
                        for (y, x) in
                            (0..own.kernel[0]).flat_map(|y| (0..own.kernel[1]).map(move |x| (top + y, left + x)))
                        {
                            let inside = (p..p + height).contains(&y) && (p..p + width).contains(&x);
                            found.push(inside.then(|| (channel * height + y - p) * width + x - p));
                        }
                    }
                }
            }
            let told = (0..own.positions()).flat_map(|k| (0..own.entries()).map(move |entry| own.feature(k, entry)));
            assert_eq!(told.collect::<Vec<_>>(), found, "{own:?}");
        }
    }

    #[test]
    fn what_has_no_patch_says_what_would_fit() {
        for (own, parts) in [
            (patches("1x4x8", [5, 5], 1, 0), &["kernel = 5x5", "4 rows", "at most 4"][..]),
            (patches("1x8x2", [5, 5], 1, 1), &["2 columns", "1 of padding", "at most 4"]),
            (patches("1x8x8", [0, 3], 1, 0), &["kernel = 0x3"]),
            (patches("1x8x8", [3, 3], 0, 0), &["stride = 0"]),
            (patches("1x8x8", [3, 3], 1, 3), &["padding = 3", "at most 2"]),
        ] {
            let said = own.validate().unwrap_err().to_string();
            assert!(parts.iter().all(|part| said.contains(part)), "{said}");
        }
        assert_eq!(patches("1x4x8", [5, 5], 1, 0).positions(), 0);
    }
}
