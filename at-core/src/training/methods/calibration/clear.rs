//! Which detectors see the light of one waveguide alone: those from which no MZI that cannot be set keeps it.

use super::column::Column;
use super::reading::{Outputs, Transfer};
use super::straight::{Known, MIXED};
use num_complex::Complex64;
use std::ops::Range;

/// What light of every waveguide becomes on its way through columns of one mesh.
pub struct Passage {
    modes: usize,
    /// `[behind, in front]`.
    amplitudes: Vec<Complex64>,
}

impl Passage {
    /// That through `columns`, as far as `known`, where controls make so much `phase`; but for what is lost.
    pub fn through(known: &Known<'_>, columns: Range<usize>, phase: &impl Fn(usize) -> f64) -> Self {
        let modes = known.chain.modes();
        let mut fields = unit_fields(modes);
        columns.for_each(|column| known.cross(column, true, false, phase, &mut fields));
        let amplitudes = (0..modes * modes).map(|at| fields[at % modes * modes + at / modes]).collect();
        Passage { modes, amplitudes }
    }

    /// What becomes of light on waveguides `row` and the next that stays there, or comes back to them.
    pub fn of(&self, row: usize) -> Transfer {
        [row, row + 1].map(|behind| [row, row + 1].map(|front| self.amplitudes[behind * self.modes + front]))
    }

    /// The field of waveguide `behind` where `fields` enter those of `front`.
    pub fn field(&self, behind: usize, front: Range<usize>, fields: &[Complex64]) -> Complex64 {
        let row = &self.amplitudes[behind * self.modes..][..self.modes];
        row[front.clone()].iter().zip(&fields[front]).map(|(own, z)| own * z).sum()
    }

    /// Power that waveguide `behind` has of all others but `own`, where all enter with 1.
    pub fn others(&self, behind: usize, own: &[usize]) -> f64 {
        let row = self.amplitudes[behind * self.modes..][..self.modes].iter().enumerate();
        row.filter(|(front, _)| !own.contains(front)).map(|(_, z)| z.norm_sqr()).sum()
    }
}

impl Column<'_> {
    /// The outputs of its MZIs whose light meets no other on its `passage` and in the meshes that follow, where controls are `base`: both where neither is clear.
    pub fn clear(&self, passage: &Passage, base: &[f64], estimate: &[f64]) -> Vec<Outputs> {
        let following = self.mixed(base, estimate);
        let outputs = |row: usize| {
            let both = [row, row + 1];
            match both.map(|output| passage.others(output, &both) + following[output] > MIXED) {
                [true, false] => Outputs::Lower,
                [false, true] => Outputs::Upper,
                [false, false] | [true, true] => Outputs::Both,
            }
        };
        self.chain.places(self.column).iter().map(|place| outputs(place.row)).collect()
    }

    /// Other light that the detector of every waveguide sees behind the meshes that follow.
    pub fn mixed(&self, base: &[f64], estimate: &[f64]) -> Vec<f64> {
        let modes = self.chain.modes();
        let (mut mixed, mut start) = (vec![0.0; modes], self.chain.mesh(self.column).end);
        while start < self.chain.columns() {
            let columns = self.chain.mesh(start);
            start = columns.end;
            let passage = self.passage(columns, base, estimate);
            mixed.iter_mut().enumerate().for_each(|(mode, all)| *all += passage.others(mode, &[mode]));
        }
        mixed
    }

    /// The passage through `columns`, where controls are `base`, but for what is lost.
    pub fn passage(&self, columns: Range<usize>, base: &[f64], estimate: &[f64]) -> Passage {
        let known = self.known(estimate);
        Passage::through(&known, columns, &|index| known.phase(index, base))
    }
}

/// 1 on every waveguide in turn, `[sample, mode]`.
pub fn unit_fields(modes: usize) -> Vec<Complex64> {
    let mut fields = vec![Complex64::default(); modes * modes];
    fields.iter_mut().step_by(modes + 1).for_each(|own| *own = 1.0.into());
    fields
}
