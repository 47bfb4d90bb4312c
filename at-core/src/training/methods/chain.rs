//! The columns of all meshes of a coherent network as one chain.

use crate::fabrication::Fabrication;
use crate::network::{Detection, Network, Stage};
use crate::optics::waveguide_phases::waveguides;
use crate::optics::{Activation, Layout, Mesh};
use num_complex::Complex64;
use std::ops::Range;
use std::sync::Arc;

/// Halvings of a modulus that is looked for.
const HALVINGS: usize = 60;

/// A mesh of the chain.
#[derive(Clone)]
struct Link {
    mesh: Mesh,
    /// Nonlinearities behind it.
    behind: Vec<Activation>,
    /// Where its columns, its controls and its imperfections begin among all.
    first_column: usize,
    first_control: usize,
    first_error: usize,
    /// Losses (dB) that are known, `[column, mode]`; none where nothing is lost.
    known_db: Option<Arc<Vec<f64>>>,
}

/// One MZI of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Its upper waveguide; the other is the next.
    pub row: usize,
    /// Indices of its controls.
    pub theta: usize,
    /// See [`Place::theta`].
    pub phi: usize,
    /// Index of its δθ among all imperfections.
    pub error: usize,
    /// The same of the errors of its couplers.
    pub couplers: [usize; 2],
}

/// The chain.
#[derive(Clone)]
pub struct Chain {
    modes: usize,
    controls: usize,
    links: Vec<Link>,
}

impl Chain {
    /// The chain of `network`, whose `fabrication` one knows; none unless light crosses it once and it is rectangular meshes of one even width on one die each,
    /// with nonlinearities between them and powers read behind the last.
    pub fn of(network: &Network, fabrication: &Fabrication) -> Option<Self> {
        if network.recurrence().is_some() {
            return None;
        }
        let (mut links, mut modes): (Vec<Link>, usize) = (Vec::new(), 0);
        let (mut column, mut control, mut error, mut read) = (0, 0, 0, false);
        for (index, stage) in network.stages().enumerate() {
            match stage {
                Stage::Mesh(mesh) => {
                    let even = mesh.modes().is_multiple_of(2) && mesh.columns().len().is_multiple_of(2);
                    let plain = mesh.layout() == Layout::Rectangular && mesh.dies() == 1;
                    if !(even && plain) || (modes != 0 && modes != mesh.modes()) {
                        return None;
                    }
                    modes = mesh.modes();
                    links.push(Link {
                        mesh: mesh.clone(),
                        behind: Vec::new(),
                        first_column: column,
                        first_control: control,
                        first_error: error,
                        known_db: fabrication.stage(index).shared("loss_db"),
                    });
                    column += mesh.columns().len();
                }
                Stage::Activation(own) => links.last_mut()?.behind.push(own.activation),
                Stage::Detection(own) if own.detection == Detection::Intensity => read = true,
                Stage::Detection(_)
                | Stage::Attenuators(_)
                | Stage::Splitter(_)
                | Stage::Combiner(_)
                | Stage::Modulation(_)
                | Stage::Rectifier(_)
                | Stage::Matrix(_)
                | Stage::WeightBank(_)
                | Stage::RingBank(_)
                | Stage::PhaseChange(_)
                | Stage::Convolution(_)
                | Stage::Normalization(_)
                | Stage::Pooling(_)
                | Stage::Mask(_)
                | Stage::FreeSpace(_)
                | Stage::Regions(_)
                | Stage::Series(_)
                | Stage::Residual(_)
                | Stage::Own(_) => return None,
            }
            control += stage.controls();
            error += stage.imperfections();
        }
        (read && !links.is_empty()).then_some(Chain { modes, controls: control, links })
    }

    /// Waveguides.
    pub fn modes(&self) -> usize {
        self.modes
    }

    /// Controls of the network.
    pub fn controls(&self) -> usize {
        self.controls
    }

    /// Waveguides lose more or less than one knows.
    pub fn losses_unknown(&self) -> bool {
        self.links.iter().any(|link| link.mesh.losses_unknown())
    }

    /// Waveguides lose light, or may.
    pub fn lossy(&self) -> bool {
        self.losses_unknown() || self.links.iter().any(|link| link.known_db.is_some())
    }

    /// Columns of all meshes.
    pub fn columns(&self) -> usize {
        self.links.iter().map(|link| link.mesh.columns().len()).sum()
    }

    /// The link that column `column` is in.
    fn link(&self, column: usize) -> usize {
        self.links.iter().rposition(|link| link.first_column <= column).unwrap_or_default()
    }

    /// The MZIs of column `column`, from above.
    pub fn places(&self, column: usize) -> Vec<Place> {
        (0..self.modes).filter_map(|row| self.place(column, row)).collect()
    }

    /// The MZI of column `column` whose upper waveguide is `row`.
    pub fn place(&self, column: usize, row: usize) -> Option<Place> {
        let link = &self.links[self.link(column)];
        let (own, mzis) = (link.mesh.columns()[column - link.first_column], link.mesh.mzis());
        let from = row.checked_sub(own.first_row).filter(|from| from % 2 == 0 && from / 2 < own.count)?;
        let mzi = own.first_mzi + from / 2;
        let (theta, first) = (link.first_control + mzi, link.first_error + mzi);
        Some(Place { row, theta, phi: theta + mzis, error: first + 2 * mzis, couplers: [first, first + mzis] })
    }

    /// The columns of the mesh that column `column` is in.
    pub fn mesh(&self, column: usize) -> Range<usize> {
        let link = &self.links[self.link(column)];
        link.first_column..link.first_column + link.mesh.columns().len()
    }

    /// Control number `index` is one of an MZI in front of column `column`, in the same mesh.
    pub fn in_front(&self, column: usize, index: usize) -> bool {
        let link = &self.links[self.link(column)];
        let first = link.mesh.columns()[column - link.first_column].first_mzi;
        [0, link.mesh.mzis()].into_iter().any(|kind| {
            let start = link.first_control + kind;
            (start..start + first).contains(&index)
        })
    }

    /// Index of the phase error of the waveguide of mode 0 in front of column `column`.
    pub fn waveguides(&self, column: usize) -> usize {
        let link = &self.links[self.link(column)];
        link.first_error + 3 * link.mesh.mzis() + (column - link.first_column) * self.modes
    }

    /// Carries `fields [sample, mode]` that enter column `column + 1` back to where they leave column `column`: through the nonlinearities and the
    /// phase shifters between both, if a mesh ends there, of which each control makes the `phase` that is given.
    pub fn carry_back_between(&self, column: usize, phase: impl Fn(usize) -> f64, fields: &mut [Complex64]) {
        let Some((shifters, behind)) = self.between(column, phase) else { return };
        for sample in fields.chunks_exact_mut(self.modes) {
            for (z, shifter) in sample.iter_mut().zip(&shifters) {
                *z = behind.iter().rev().fold(*z, |z, own| inverse(own, z)) * shifter.conj();
            }
        }
    }

    /// The other way.
    pub fn carry_between(&self, column: usize, phase: impl Fn(usize) -> f64, fields: &mut [Complex64]) {
        let Some((shifters, behind)) = self.between(column, phase) else { return };
        for sample in fields.chunks_exact_mut(self.modes) {
            for (z, shifter) in sample.iter_mut().zip(&shifters) {
                *z = behind.iter().fold(*z * shifter, |z, own| own.value(z));
            }
        }
    }

    /// What is between column `column` and the next, if its mesh ends there.
    fn between(&self, column: usize, phase: impl Fn(usize) -> f64) -> Option<(Vec<Complex64>, &[Activation])> {
        let link = &self.links[self.link(column)];
        let first = link.first_control + 2 * link.mesh.mzis();
        let ends = column + 1 == link.first_column + link.mesh.columns().len();
        ends.then(|| {
            ((0..self.modes).map(|mode| Complex64::cis(phase(first + mode))).collect(), link.behind.as_slice())
        })
    }

    /// What light crosses behind the mesh that column `column` is in: nonlinearities, and the columns of the mesh behind them.
    pub fn behind(&self, column: usize) -> impl Iterator<Item = (&[Activation], Range<usize>)> {
        self.links[self.link(column)..].iter().map(|link| {
            let end = link.first_column + link.mesh.columns().len();
            let next = if end < self.columns() { self.mesh(end) } else { end..end };
            (link.behind.as_slice(), next)
        })
    }

    /// Loss (dB) of waveguide `row` behind column `column`, as far as `estimate` knows it.
    pub fn loss(&self, column: usize, row: usize, estimate: &[f64]) -> f64 {
        let link = &self.links[self.link(column)];
        let known = link.known_db.as_ref().map_or(0.0, |own| own[(column - link.first_column) * self.modes + row]);
        known + self.losses(column).map_or(0.0, |losses| estimate[losses + row])
    }

    /// Index of what the loss of mode 0 behind column `column` is more than one knows; none where all is known.
    pub fn losses(&self, column: usize) -> Option<usize> {
        let link = &self.links[self.link(column)];
        let first = link.first_error + 3 * link.mesh.mzis() + waveguides(&link.mesh);
        link.mesh.losses_unknown().then(|| first + (column - link.first_column) * self.modes)
    }

    /// Index of the phase error of the waveguide in front of the first column, of mode 0.
    pub fn entrance(&self) -> usize {
        self.links[0].first_error + 3 * self.links[0].mesh.mzis()
    }
}

/// The field of the least modulus of which `activation` makes `value`, or of the largest that was looked at.
fn inverse(activation: &Activation, value: Complex64) -> Complex64 {
    let at = |r: f64| activation.value(Complex64::new(r, 0.0));
    let wanted = value.norm();
    // doubling until it is passed, or no longer grows
    let mut high = wanted.max(1e-12);
    while at(high).norm() < wanted && at(1.25 * high).norm() > at(high).norm() {
        high *= 1.25;
    }
    let mut low = 0.0;
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if at(middle).norm() < wanted { low = middle } else { high = middle }
    }
    Complex64::from_polar(high, value.arg() - at(high).arg())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks_that_cannot_be_cut_have_no_chain() {
        let ideal = Fabrication::ideal();
        let with = |mesh: Mesh, detection| {
            let modes = mesh.modes();
            Network::new(vec![vec![Stage::Mesh(mesh), Stage::detection(modes, detection)]]).unwrap()
        };
        assert!(Chain::of(&with(Mesh::rectangular(4).unwrap(), Detection::Intensity), &ideal).is_some());
        for mesh in [Mesh::rectangular(5).unwrap(), Mesh::triangular(4).unwrap(), Mesh::truncated(4, 3).unwrap()] {
            assert!(Chain::of(&with(mesh, Detection::Intensity), &ideal).is_none());
        }
        assert!(Chain::of(&with(Mesh::rectangular(4).unwrap(), Detection::Amplitude), &ideal).is_none());
    }

    #[test]
    fn activations_are_undone() {
        for own in [Activation::ELECTRO_OPTIC, Activation::Spm { gain: 0.7 }, Activation::ModRelu { bias: 0.2 }] {
            let z = Complex64::new(0.9, -0.7);
            assert!((inverse(&own, own.value(z)) - z).norm() < 1e-9, "{own:?}");
        }
    }
}
