//! Whether planes have room to stand as far off as their spreads say: a shift stays in the darkness around the grid, a distance positive,
//! and a tilt below what the pixels can tell from a smaller one.

use crate::imperfections::{Imperfections, Planes};
use crate::network::{Network, Stage};
use crate::optics::AngularSpectrum;
use crate::optics::angular_spectrum::length;
use crate::{Error, Result};

/// Standard deviations that must fit: one draw in 1.7 million lies beyond.
const FARTHEST: f64 = 5.0;

impl Planes {
    /// The largest spreads for which these grids have room.
    pub fn most(spectrum: &AngularSpectrum) -> Planes {
        Planes {
            pixel_phase: f64::INFINITY,
            mask_levels: 0,
            plane_shift: spectrum.most_shift_um() / FARTHEST,
            plane_distance: spectrum.distance_um / FARTHEST,
            plane_tilt: spectrum.most_tilt_rad() / FARTHEST,
        }
    }

    /// Errs where a spread is larger than these grids have room for; names it, and the largest.
    pub fn check_room(&self, spectrum: &AngularSpectrum) -> Result<()> {
        let most = Self::most(spectrum);
        let lengths = [
            ("plane-shift", self.plane_shift, most.plane_shift),
            ("plane-distance", self.plane_distance, most.plane_distance),
        ];
        let (pitch, distance) = (length(spectrum.pitch_um), length(spectrum.distance_um));
        let grid = format!("{} × {} pixels of {pitch}, {distance} apart,", spectrum.rows, spectrum.columns);
        for (name, spread, most) in lengths {
            if spread > most {
                let reason = format!("{grid} have room for a spread of at most {}", length(most));
                return Err(Error::invalid(name, length(spread), reason));
            }
        }
        if self.plane_tilt > most.plane_tilt {
            let wavelength = length(spectrum.wavelength_um);
            let (angle, most) = (spectrum.most_tilt_rad(), most.plane_tilt);
            let reason = format!(
                "{grid} tell tilts of light of {wavelength} up to {angle:.2e} rad: a spread of at most {most:.2e} rad stays within"
            );
            return Err(Error::invalid("plane-tilt", format!("{} rad", self.plane_tilt), reason));
        }
        Ok(())
    }
}

impl Imperfections {
    /// Errs where planes of `network` have no room for the spreads of where they stand, before a chip is drawn.
    pub fn check_room(&self, network: &Network) -> Result<()> {
        let mut spaces = network
            .stages()
            .flat_map(Stage::parts)
            .filter_map(|stage| if let Stage::FreeSpace(space) = stage { Some(&space.spectrum) } else { None });
        spaces.try_for_each(|spectrum| self.planes.check_room(spectrum))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FAR: AngularSpectrum =
        AngularSpectrum { rows: 16, columns: 16, pitch_um: 2e3, distance_um: 1e6, wavelength_um: 1.0 };

    #[test]
    fn a_spread_that_does_not_fit_is_named_with_the_largest_that_does() {
        let fitting = Planes::most(&FAR);
        assert!(fitting.check_room(&FAR).is_ok());
        for (planes, name, most) in [
            (Planes { plane_tilt: 0.002, ..Planes::NONE }, "plane-tilt = 0.002 rad", "at most 5.00e-5 rad"),
            (Planes { plane_shift: 2e4, ..Planes::NONE }, "plane-shift = 20 mm", "at most 6.4 mm"),
            (Planes { plane_distance: 3e5, ..Planes::NONE }, "plane-distance = 300 mm", "at most 200 mm"),
        ] {
            let said = planes.check_room(&FAR).unwrap_err().to_string();
            assert!(said.contains(name) && said.contains(most), "{said}");
        }
    }

    #[test]
    fn what_fits_is_drawn_and_passes() {
        let network = Network::new(vec![vec![
            Stage::free_space(FAR),
            Stage::detection(256, crate::network::Detection::Intensity),
        ]])
        .unwrap();
        let chip = Imperfections { planes: Planes { pixel_phase: 0.0, ..Planes::most(&FAR) }, ..Imperfections::NONE };
        chip.check_room(&network).unwrap();
        (0..200).for_each(|seed| chip.fabricate(&network, seed).unwrap().check(&network).unwrap());
        let wide = Imperfections { planes: Planes { plane_tilt: 0.002, ..Planes::NONE }, ..Imperfections::NONE };
        assert!(wide.check_room(&network).is_err());
    }
}
