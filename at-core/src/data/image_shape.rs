//! The shape of a sample that is an image.

use crate::error::{Error, Result};
use std::fmt;
use std::str::FromStr;

/// An image N×C×H×W without its N: features lie channel by channel, of each row by row. As text `CxHxW`, or `HxW` of one channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ImageShape {
    /// Colours, or what else every pixel has several values of.
    pub channels: usize,
    /// Rows.
    pub height: usize,
    /// Columns.
    pub width: usize,
}

impl ImageShape {
    /// An image of one channel.
    pub const fn single(height: usize, width: usize) -> Self {
        ImageShape { channels: 1, height, width }
    }

    /// `channels · height · width`, as far as numbers reach.
    pub fn features(self) -> usize {
        self.channels.saturating_mul(self.height).saturating_mul(self.width)
    }
}

impl FromStr for ImageShape {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong =
            || Error::invalid("image", text, "write rows and columns, as 28x28, or channels before them, as 3x32x32");
        let sizes: Vec<usize> = text
            .split('x')
            .map(|size| size.trim().parse())
            .collect::<std::result::Result<_, _>>()
            .map_err(|_| wrong())?;
        match sizes[..] {
            [height, width] if height > 0 && width > 0 => Ok(ImageShape::single(height, width)),
            [channels, height, width] if channels > 0 && height > 0 && width > 0 => {
                Ok(ImageShape { channels, height, width })
            }
            _ => Err(wrong()),
        }
    }
}

impl fmt::Display for ImageShape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ImageShape { channels, height, width } = self;
        if *channels != 1 {
            write!(f, "{channels}x")?;
        }
        write!(f, "{height}x{width}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shapes_read_back_and_bad_ones_are_refused() {
        for (text, shape, features) in [
            ("28x28", ImageShape::single(28, 28), 784),
            ("3x32x16", ImageShape { channels: 3, height: 32, width: 16 }, 1536),
        ] {
            let read: ImageShape = text.parse().unwrap();
            assert_eq!((read, read.features(), read.to_string().as_str()), (shape, features, text));
        }
        for text in ["", "28", "0x4", "3x0x4", "1x2x3x4", "ax3", "-1x3"] {
            assert!(text.parse::<ImageShape>().unwrap_err().to_string().contains("3x32x32"), "{text}");
        }
    }
}
