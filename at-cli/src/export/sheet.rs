//! The sheet of a picture: its width, in points of print, at which its texts have their size.

use anyhow::{Result, ensure};
use std::str::FromStr;

/// Points of a millimetre.
const MILLIMETRE: f64 = 72.0 / 25.4;

/// One column of a journal (points), for which pictures are designed.
pub const COLUMN: f64 = 89.0 * MILLIMETRE;

/// Pixels that a picture of one column takes on a screen.
const ON_SCREEN: f64 = 560.0;

/// Pixels of a PNG file per pixel of a screen, and per inch of print.
const FINE: f64 = 2.0;
const PRINT: f64 = 600.0;

/// Narrowest and widest sheet (points): less has no room for an axis, more is no page.
const NARROWEST: f64 = 50.0 * MILLIMETRE;
const WIDEST: f64 = 500.0 * MILLIMETRE;

/// The width of a picture, and what it is for. Texts are 7.5 points high on every sheet.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Sheet {
    /// Width (points).
    pub width: f64,
    /// For print, or enlarged for a screen.
    print: bool,
}

impl Default for Sheet {
    /// One column, enlarged for a screen.
    fn default() -> Self {
        Sheet { width: COLUMN, print: false }
    }
}

impl Sheet {
    /// Pixels of a screen per point.
    pub fn enlarged(self) -> f64 {
        if self.print { 96.0 / 72.0 } else { ON_SCREEN / COLUMN }
    }

    /// Pixels of a PNG file per point.
    pub fn pixels(self) -> f64 {
        if self.print { PRINT / 72.0 } else { FINE * self.enlarged() }
    }

    /// A length in points as an SVG file has it: in millimetres of print, or in pixels of a screen.
    pub fn length(self, points: f64) -> String {
        if self.print { format!("{:.3}mm", points / MILLIMETRE) } else { format!("{:.2}", points * self.enlarged()) }
    }
}

impl FromStr for Sheet {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> Result<Self> {
        let units = [("mm", MILLIMETRE), ("cm", 10.0 * MILLIMETRE), ("in", 72.0), ("px", 0.75), ("pt", 1.0)];
        let read = |(unit, points): (&str, f64)| Some(text.strip_suffix(unit)?.trim().parse::<f64>().ok()? * points);
        let width = units.into_iter().find_map(read).unwrap_or(f64::NAN);
        ensure!(width.is_finite(), "write a number with mm, cm, in, pt or px, as 89mm");
        ensure!((NARROWEST..=WIDEST).contains(&width), "must be from 50mm to 500mm");
        Ok(Sheet { width, print: true })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_is_the_same_in_every_unit() {
        let points = |text: &str| text.parse::<Sheet>().unwrap().width;
        assert!((points("89mm") - COLUMN).abs() < 1e-9 && (points("8.9cm") - COLUMN).abs() < 1e-9);
        assert_eq!([points("3.5in"), points("336px"), points("252 pt")], [252.0; 3]);
        for wrong in ["89", "mm", "-89mm", "1mm", "9m", "1e9mm", "NaNmm", "infmm"] {
            assert!(wrong.parse::<Sheet>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn print_has_its_size_and_a_screen_its_pixels() {
        let print: Sheet = "89mm".parse().unwrap();
        assert_eq!((print.length(COLUMN), Sheet::default().length(COLUMN)), ("89.000mm".into(), "560.00".into()));
        assert_eq!((print.pixels() * COLUMN).round(), 2102.0);
    }
}
