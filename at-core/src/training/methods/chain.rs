//! The columns of all meshes of a coherent network as one chain, which can be cut in front of any second one.

use crate::Result;
use crate::network::{Detection, Network, Stage};
use crate::optics::mzi::{Coupler, mzi_transfer};
use crate::optics::{Activation, Layout, Mesh};
use num_complex::Complex64;
use std::ops::Range;

/// Halvings of a modulus that is looked for.
const HALVINGS: usize = 60;

/// A mesh of the chain.
struct Link {
    mesh: Mesh,
    /// Nonlinearities behind it.
    behind: Vec<Activation>,
    /// Where its columns, its controls and its imperfections begin among all.
    first_column: usize,
    first_control: usize,
    first_error: usize,
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
}

/// The chain.
pub struct Chain {
    modes: usize,
    links: Vec<Link>,
}

/// A place of an imperfection or a control in the chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Its index among all imperfections, or all controls.
    pub index: usize,
    /// The column that it belongs to; a waveguide belongs to the column behind it, γ likewise.
    pub column: usize,
    /// It is the phase of a waveguide.
    pub waveguide: bool,
}

impl Chain {
    /// The chain of `network`; none unless light crosses it once and it is rectangular meshes of one even width on one die each, with nonlinearities between
    /// them and powers read behind the last.
    pub fn of(network: &Network) -> Option<Self> {
        if network.recurrence().is_some() {
            return None;
        }
        let (mut links, mut modes): (Vec<Link>, usize) = (Vec::new(), 0);
        let (mut column, mut control, mut error, mut read) = (0, 0, 0, false);
        for stage in network.stages() {
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
        (read && !links.is_empty()).then_some(Chain { modes, links })
    }

    /// Waveguides.
    pub fn modes(&self) -> usize {
        self.modes
    }

    /// Columns of all meshes.
    pub fn columns(&self) -> usize {
        self.links.iter().map(|link| link.mesh.columns().len()).sum()
    }

    /// The link that column `column` is in.
    fn link(&self, column: usize) -> usize {
        self.links.iter().rposition(|link| link.first_column <= column).unwrap_or_default()
    }

    /// The network of the columns `columns`, the first of them even, with what stands behind a mesh that ends there, read by `detection`.
    pub fn part(&self, columns: Range<usize>, detection: Detection) -> Result<Network> {
        let mut stages = Vec::new();
        for (link, cut) in self.cuts(&columns) {
            stages.push(Stage::Mesh(Mesh::truncated(self.modes, cut.len())?));
            if cut.end == link.mesh.columns().len() {
                stages.extend(link.behind.iter().map(|own| Stage::activation(self.modes, *own)));
            }
        }
        stages.push(Stage::detection(self.modes, detection));
        Network::new(vec![stages])
    }

    /// The meshes that have some of `columns`, with those of theirs.
    fn cuts(&self, columns: &Range<usize>) -> impl Iterator<Item = (&Link, Range<usize>)> {
        let (start, end) = (columns.start, columns.end);
        self.links.iter().filter_map(move |link| {
            let depth = link.mesh.columns().len();
            let of = |column: usize| column.saturating_sub(link.first_column).min(depth);
            let cut = of(start)..of(end);
            (!cut.is_empty()).then_some((link, cut))
        })
    }

    /// MZIs of the columns `cut` of a mesh.
    fn mzis(link: &Link, cut: &Range<usize>) -> Range<usize> {
        let first = |cut: usize| link.mesh.columns().get(cut).map_or(link.mesh.mzis(), |column| column.first_mzi);
        first(cut.start)..first(cut.end)
    }

    /// The controls of [`Chain::part`], in its order; none where the part ends within a mesh and has phase shifters of its own.
    pub fn controls(&self, columns: Range<usize>) -> Vec<Option<Piece>> {
        let mut pieces = Vec::new();
        for (link, cut) in self.cuts(&columns) {
            let places: Vec<usize> = link.mesh.positions().map(|(column, _)| link.first_column + column).collect();
            for part in 0..2 {
                pieces.extend(Self::mzis(link, &cut).map(|mzi| {
                    let index = link.first_control + part * link.mesh.mzis() + mzi;
                    Some(Piece { index, column: places[mzi], waveguide: false })
                }));
            }
            let whole = cut.end == link.mesh.columns().len();
            let (first, column) = (link.first_control + 2 * link.mesh.mzis(), link.first_column + cut.end);
            let of = |mode| Piece { index: first + mode, column, waveguide: true };
            pieces.extend((0..self.modes).map(|mode| whole.then(|| of(mode))));
        }
        pieces
    }

    /// The imperfections of [`Chain::part`], in its order; none where the part ends within a mesh: of the waveguides behind it.
    pub fn imperfections(&self, columns: Range<usize>) -> Vec<Option<Piece>> {
        let mut pieces = Vec::new();
        for (link, cut) in self.cuts(&columns) {
            let places: Vec<usize> = link.mesh.positions().map(|(column, _)| link.first_column + column).collect();
            for part in 0..3 {
                pieces.extend(Self::mzis(link, &cut).map(|mzi| {
                    let index = link.first_error + part * link.mesh.mzis() + mzi;
                    Some(Piece { index, column: places[mzi], waveguide: false })
                }));
            }
            let (first, depth) = (link.first_error + 3 * link.mesh.mzis(), link.mesh.columns().len());
            pieces.extend((cut.start * self.modes..(cut.end + 1) * self.modes).map(|place| {
                let column = place / self.modes;
                let own = Piece { index: first + place, column: link.first_column + column, waveguide: true };
                (column < cut.end || cut.end == depth).then_some(own)
            }));
        }
        pieces
    }

    /// θ and φ of every MZI with the δθ of its imperfections, by index.
    pub fn shifters(&self) -> impl Iterator<Item = ([usize; 2], usize, usize)> + '_ {
        self.links.iter().flat_map(|link| {
            let (mzis, control) = (link.mesh.mzis(), link.first_control);
            link.mesh.positions().enumerate().map(move |(mzi, (column, _))| {
                let shifters = [control + mzi, control + mzis + mzi];
                (shifters, link.first_error + 2 * mzis + mzi, link.first_column + column)
            })
        })
    }

    /// The MZIs of column `column`, from above.
    pub fn places(&self, column: usize) -> Vec<Place> {
        let link = &self.links[self.link(column)];
        let (own, mzis) = (link.mesh.columns()[column - link.first_column], link.mesh.mzis());
        let place = |pair| {
            let mzi = own.first_mzi + pair;
            let theta = link.first_control + mzi;
            Place { row: own.first_row + 2 * pair, theta, phi: theta + mzis, error: link.first_error + 2 * mzis + mzi }
        };
        (0..own.count).map(place).collect()
    }

    /// Index of the phase error of the waveguide of mode 0 in front of column `column`.
    pub fn waveguides(&self, column: usize) -> usize {
        let link = &self.links[self.link(column)];
        link.first_error + 3 * link.mesh.mzis() + (column - link.first_column) * self.modes
    }

    /// Carries `fields [sample, mode]` that enter column `column + 1` back to where they leave column `column`: through the nonlinearities and the
    /// phase shifters between both, if a mesh ends there, at the given controls.
    pub fn carry_back_between(&self, column: usize, controls: &[f64], fields: &mut [Complex64]) {
        let link = &self.links[self.link(column)];
        if column + 1 < link.first_column + link.mesh.columns().len() {
            return;
        }
        let shifters = &controls[link.first_control + 2 * link.mesh.mzis()..];
        for sample in fields.chunks_exact_mut(self.modes) {
            for (z, phase) in sample.iter_mut().zip(shifters) {
                *z = link.behind.iter().rev().fold(*z, |z, own| inverse(own, z)) * Complex64::cis(-phase);
            }
        }
    }

    /// The nonlinearities that light crosses behind column `column`, in order.
    pub fn nonlinearities(&self, column: usize) -> Vec<Activation> {
        self.links[self.link(column)..].iter().flat_map(|link| link.behind.iter().copied()).collect()
    }

    /// How fast a readout grows with the field behind column `column`: `d ln|f| / d ln r` of all nonlinearities behind, for light that
    /// enters the chain with modulus `modulus` and passes straight through.
    pub fn steepness(&self, column: usize, modulus: f64) -> f64 {
        let (mut r, mut all, first) = (modulus, 1.0, self.link(column));
        for (number, link) in self.links.iter().enumerate() {
            for own in &link.behind {
                let steepness = own.steepness(&mut r);
                if number >= first {
                    all *= steepness;
                }
            }
        }
        if all.is_finite() { all } else { 1.0 }
    }

    /// Carries `fields [sample, mode]` that enter column `column + 2` back to where they enter column `column`, at the given
    /// controls and with the given estimate.
    pub fn carry_back(&self, column: usize, controls: &[f64], estimate: &[f64], fields: &mut [Complex64]) {
        let link = &self.links[self.link(column)];
        let (mesh, depth, mzis) = (&link.mesh, link.mesh.columns().len(), link.mesh.mzis());
        let (controls, errors) = (&controls[link.first_control..], &estimate[link.first_error..]);
        let waveguides = &errors[3 * mzis..];
        let cut = column - link.first_column;
        if cut + 2 == depth {
            link.behind.iter().rev().for_each(|own| fields.iter_mut().for_each(|z| *z = inverse(own, *z)));
            for sample in fields.chunks_exact_mut(self.modes) {
                for (mode, z) in sample.iter_mut().enumerate() {
                    *z *= Complex64::cis(-controls[2 * mzis + mode] - waveguides[depth * self.modes + mode]);
                }
            }
        }
        for cut in [cut + 1, cut] {
            let column = mesh.columns()[cut];
            for sample in fields.chunks_exact_mut(self.modes) {
                for pair in 0..column.count {
                    let (row, mzi) = (column.first_row + 2 * pair, column.first_mzi + pair);
                    let couplers = [errors[mzi], errors[mzis + mzi]].map(Coupler::new);
                    let theta = controls[mzi] + errors[2 * mzis + mzi];
                    let m = mzi_transfer(theta, controls[mzis + mzi], couplers[0], couplers[1]);
                    let (a, b) = (sample[row], sample[row + 1]);
                    sample[row] = m[0][0].conj() * a + m[1][0].conj() * b;
                    sample[row + 1] = m[0][1].conj() * a + m[1][1].conj() * b;
                }
                for (mode, z) in sample.iter_mut().enumerate() {
                    *z *= Complex64::cis(-waveguides[cut * self.modes + mode]);
                }
            }
        }
    }

    /// Index of the phase error of the waveguide in front of the first column, of mode 0.
    pub fn entrance(&self) -> usize {
        self.links[0].first_error + 3 * self.links[0].mesh.mzis()
    }
}

/// What `pieces` have of `all`; 0 where a part has what the chain has not.
pub fn taken(pieces: &[Option<Piece>], all: &[f64]) -> Vec<f64> {
    pieces.iter().map(|own| own.map_or(0.0, |own| all[own.index])).collect()
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
    use crate::cpu::Cpu;
    use crate::fabrication::Fabrication;
    use crate::propagator::{Propagator, Simulator, Tunable};

    fn network() -> Network {
        let mesh = || Stage::Mesh(Mesh::universal(4, Layout::Rectangular).unwrap());
        let activation = Stage::activation(4, Activation::ELECTRO_OPTIC);
        Network::new(vec![vec![mesh(), activation], vec![mesh(), Stage::detection(4, Detection::Intensity)]]).unwrap()
    }

    fn noise(count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|k| (1.7 * k as f64 + shift).sin()).collect()
    }

    /// Fields behind two columns and the nonlinearity are known by what the networks behind make of them.
    #[test]
    fn what_is_carried_back_reads_the_same_through_the_longer_network() {
        let (network, engine) = (network(), Cpu::<f64>::new());
        let chain = Chain::of(&network).unwrap();
        let (controls, estimate) = (noise(network.controls(), 0.0), noise(network.imperfections(), 0.5));
        let read = |column: usize, fields: &[Complex64]| {
            let all = column..chain.columns();
            let suffix = chain.part(all.clone(), Detection::Intensity).unwrap();
            let mut model = engine.build(&suffix, &Fabrication::ideal()).unwrap();
            model.set_imperfections(&taken(&chain.imperfections(all.clone()), &estimate)).unwrap();
            model.program(&taken(&chain.controls(all), &controls)).unwrap();
            let fields: Vec<f64> = fields.iter().flat_map(|z| [z.re, z.im]).collect();
            let mut readout = vec![0.0; 4];
            model.propagate(&fields, 1, &mut readout).unwrap();
            readout
        };
        let mut fields: Vec<Complex64> = noise(4, 2.0).into_iter().map(|x| Complex64::new(x, 0.4)).collect();
        for column in [4, 2, 0] {
            let before = read(column + 2, &fields);
            chain.carry_back(column, &controls, &estimate, &mut fields);
            let after = read(column, &fields);
            assert!(before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-9 * (1.0 + a)), "{before:?} {after:?}");
        }
        assert_eq!(chain.imperfections(0..8).len(), network.imperfections());
        assert!(chain.controls(0..8).iter().enumerate().all(|(k, piece)| piece.is_some_and(|own| own.index == k)));
    }

    #[test]
    fn networks_that_cannot_be_cut_have_no_chain() {
        let with = |mesh: Mesh, detection| {
            let modes = mesh.modes();
            Network::new(vec![vec![Stage::Mesh(mesh), Stage::detection(modes, detection)]]).unwrap()
        };
        assert!(Chain::of(&with(Mesh::rectangular(4).unwrap(), Detection::Intensity)).is_some());
        for mesh in [Mesh::rectangular(5).unwrap(), Mesh::triangular(4).unwrap(), Mesh::truncated(4, 3).unwrap()] {
            assert!(Chain::of(&with(mesh, Detection::Intensity)).is_none());
        }
        assert!(Chain::of(&with(Mesh::rectangular(4).unwrap(), Detection::Amplitude)).is_none());
    }

    #[test]
    fn activations_are_undone() {
        for own in [Activation::ELECTRO_OPTIC, Activation::Spm { gain: 0.7 }, Activation::ModRelu { bias: 0.2 }] {
            let z = Complex64::new(0.9, -0.7);
            assert!((inverse(&own, own.value(z)) - z).norm() < 1e-9, "{own:?}");
        }
    }
}
