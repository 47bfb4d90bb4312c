//! The shape of an image as features have it: channels first, then rows, then columns (C×H×W).

use crate::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// The shape of one image. Its features lie in the order `[channel, row, column]`, so a batch is N×C×H×W.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// Channels: 1 for grey, 3 for red, green and blue.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// An image of this shape.
    pub const fn new(channels: usize, height: usize, width: usize) -> Self {
        ImageShape { channels, height, width }
    }

    /// An image of one channel.
    pub const fn single(height: usize, width: usize) -> Self {
        ImageShape::new(1, height, width)
    }

    /// As people write it: `HxW` where there is one channel, else `CxHxW`.
    pub fn brief(self) -> String {
        if self.channels == 1 { format!("{}x{}", self.height, self.width) } else { self.to_string() }
    }

    /// Features of one image, `channels · height · width`; the largest number there is where it is beyond that.
    pub fn features(self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }
}

/// `CxHxW`.
impl fmt::Display for ImageShape {
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        write!(text, "{}x{}x{}", self.channels, self.height, self.width)
    }
}

/// Reads `CxHxW`, or `HxW` for one channel. Errs on anything else, and where a length is 0.
impl FromStr for ImageShape {
    type Err = Error;

    fn from_str(word: &str) -> Result<Self> {
        let lengths: Option<Vec<usize>> =
            word.split('x').map(|part| part.parse().ok().filter(|&length| length > 0)).collect();
        match lengths.as_deref() {
            Some(&[height, width]) => Ok(ImageShape::new(1, height, width)),
            Some(&[channels, height, width]) => Ok(ImageShape::new(channels, height, width)),
            _ => Err(Error::invalid(
                "image",
                format!("{word:?}"),
                "write it as CHANNELSxHEIGHTxWIDTH, as in 3x32x32, or HEIGHTxWIDTH for one channel",
            )),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_shape_is_read_as_it_is_written() {
        let read = |word: &str| word.parse::<ImageShape>();
        assert_eq!(read("3x32x16").unwrap(), ImageShape::new(3, 32, 16));
        assert_eq!(read("28x20").unwrap(), ImageShape::new(1, 28, 20));
        assert_eq!(read("3x32x16").unwrap().to_string(), "3x32x16");
        assert_eq!(
            (ImageShape::single(28, 20).brief(), read("3x32x16").unwrap().brief()),
            ("28x20".into(), "3x32x16".into())
        );
        assert_eq!(read("3x32x16").unwrap().features(), 1536);
        assert_eq!(ImageShape::new(usize::MAX, 2, 3).features(), usize::MAX);
        for wrong in ["", "28", "0x3", "3x-1", "1x2x3x4", "axb", "3x3x"] {
            assert!(read(wrong).unwrap_err().to_string().contains("CHANNELSxHEIGHTxWIDTH"), "{wrong}");
        }
    }
}
