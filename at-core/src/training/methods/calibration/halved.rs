//! MZIs that are met alone and whose θ is dead next to a half split.
//!
//! What is read of one, `P2 − P1 = cos δθ·s1 + sin δθ·(…)`, has next to nothing of s1, the difference of the powers that enter it. The column in front tells these powers, once it is
//! read itself. In all but the last two columns what leaves it is known as well, and tells more ([`super::in_front`]).

use super::super::chain::Place;
use super::column::Column;
use super::light::{Light, turn, unit};
use super::reading::carried;
use num_complex::Complex64;

impl Column<'_> {
    /// Those of `column`.
    pub fn halved(&self, column: usize, estimate: &[f64]) -> Vec<Place> {
        let is = |place: &Place| {
            self.ways.dead(place.theta, estimate)
                && !self.ways.dead(place.phi, estimate)
                && self.known(estimate).halved(place)
                && self.met_alone(column, place, estimate)
        };
        self.chain.places(column).into_iter().filter(is).collect()
    }

    /// Gives the fields that enter those of the chain's last two columns the powers that light `out` of the column in front has, which tell half a turn of them as well.
    pub fn level_halved(&self, column: usize, out: &[Complex64], estimate: &mut [f64], light: &mut Light) {
        let modes = self.chain.modes();
        let chained = column + 1 < self.chain.columns();
        for place in self.halved(column, estimate) {
            let pair = |own: &[Complex64]| [own[place.row], own[place.row + 1]];
            let more = |own: &[Complex64]| own[place.row].norm_sqr() - own[place.row + 1].norm_sqr();
            let transfer =
                |estimate: &[f64]| self.known(estimate).transfer(&place, &|index| self.made(index, estimate));
            let before = transfer(estimate);
            let old: Vec<[Complex64; 2]> =
                light.fields.chunks_exact(modes).map(|fields| carried(&before, pair(fields))).collect();
            let samples = light.fields.chunks_exact(modes).zip(out.chunks_exact(modes));
            if samples.map(|(fields, out)| more(fields) * more(out)).sum::<f64>() < 0.0 {
                turn(&place, estimate, modes, &mut light.fields);
            }
            let after = transfer(estimate);
            for ((fields, out), old) in light.fields.chunks_exact_mut(modes).zip(out.chunks_exact(modes)).zip(old) {
                let [own, theirs] = [pair(fields), pair(out)].map(|both| both.map(|z| z.norm_sqr()));
                let share = (own[0] + own[1]) / (theirs[0] + theirs[1]);
                if !share.is_finite() {
                    continue;
                }
                for (z, power) in fields[place.row..place.row + 2].iter_mut().zip(theirs) {
                    *z = Complex64::from_polar((share * power).sqrt(), z.arg());
                }
                if chained {
                    // the pairs of the last column hang on what leaves this one, from the first waveguide on
                    let new = carried(&after, pair(fields));
                    let [upper, lower] = [0, 1].map(|side| unit(old[side] * new[side].conj()));
                    fields[place.row..place.row + 2].iter_mut().for_each(|z| *z *= upper);
                    fields[place.row + 2..].iter_mut().for_each(|z| *z *= upper * lower.conj());
                }
            }
        }
    }
}
