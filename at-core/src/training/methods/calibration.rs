//! Phases of coherent meshes that may be anything, found column by column from the detectors towards the light: for chips that nobody has
//! calibrated.
//!
//! Behind a column whose phases are known everything stands at the bar state, and each waveguide leads to a detector of its own. What a
//! column's MZIs make of the light that enters them is then read directly: of the fields u and v at one MZI, as ideal couplers have it,
//!
//! ```text
//! P2 − P1 = (|u|² − |v|²) cos(θ + δ) − 2 sin(θ + δ) Re(u v* e^{iφ}),     P1 + P2 = |u|² + |v|²
//! ```
//!
//! at random θ and φ, the same light again and again: linear in six functions of the settings, whose coefficients tell δ but for half a
//! turn, |u|, |v| and the phase between u and v. Half a turn exchanges bar and cross: it is told by the column in front, whose MZIs
//! light the one output or the other. So column c is settled when column c − 1 is read, and the first by the light that was sent.
//!
//! Fields that enter column c + 1 as they are known, x, and those that leave the MZIs of column c, y, are the same but for phases:
//! one per MZI and sample, χ, which nothing behind tells, and one per waveguide, D, that of the imperfections,
//!
//! ```text
//! x = y·e^{i(χ + D)}         D of the upper output of an MZI against the lower: arg Σ_samples x1 x2* (y1 y2*)*
//! ```
//!
//! so that the fields which enter column c follow, up to a phase per sample. Errors of couplers are left to the probes that follow.

use super::chain::{Chain, Place};
use crate::optics::mzi::{Coupler, mzi_transfer};
use num_complex::Complex64;
use std::f64::consts::PI;

/// Functions of a setting: 1, cos θ, sin θ, sin θ cos φ, sin θ sin φ, cos θ cos φ, cos θ sin φ.
const FUNCTIONS: usize = 7;

/// Moduli at which what is behind a column is tabulated, per factor of e, and how many factors below and above the light's they begin and end.
const FINE: f64 = 400.0;
const DEEP: f64 = 8.0;
const BRIGHT: f64 = 3.5;

/// Root mean square of a column's errors above which a chip counts as not calibrated (radians): of phases that may be anything it is 1.8.
const FAR: f64 = 0.7;

/// How far readouts may be from those of ideal couplers: three meshes of 64 modes are found with power splits 0.03 off (0.03 here), and are not
/// with 0.06, where light does not pass straight through all columns.
const EVEN: f64 = 0.04;

/// What is known so far.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Known {
    /// Fields that enter the column behind the one that was read last, `[sample, mode]`; none yet before two columns were read.
    pub fields: Vec<Complex64>,
    /// The same of the column that was read last, each MZI's up to a phase of its own per sample, and up to half a turn of its θ.
    pub pairs: Vec<Complex64>,
}

/// What was read of a column at `settings` of its controls.
pub struct Reading<'a> {
    /// The column.
    pub column: usize,
    /// All controls of the chip in each setting; columns in front stand still.
    pub settings: &'a [Vec<f64>],
    /// Powers `[sample, mode]` in each setting.
    pub readouts: &'a [Vec<f64>],
    /// All controls while columns behind were read.
    pub front: &'a [f64],
    /// Light that was sent, `[sample, mode]`.
    pub inputs: &'a [Complex64],
}

impl Reading<'_> {
    /// Learns from it: δθ of the column and phases of waveguides behind are put into `estimate`, and `known` becomes what is known in front.
    /// Returns how far the readouts are from those of ideal couplers.
    pub fn learn(&self, chain: &Chain, estimate: &mut [f64], known: &mut Known) -> f64 {
        let (modes, places) = (chain.modes(), chain.places(self.column));
        let mut powers = self.powers(chain);
        if self.column + 1 < chain.columns() {
            self.settle(chain, estimate, known, &mut powers);
        }
        let mut pairs = vec![Complex64::default(); self.inputs.len()];
        for sample in 0..self.inputs.len() / modes {
            for mode in 0..modes {
                let mean: f64 = powers.iter().map(|own| own[sample * modes + mode]).sum::<f64>() / powers.len() as f64;
                pairs[sample * modes + mode] = mean.max(0.0).sqrt().into();
            }
        }
        let (mut along, mut across) = (0.0, 0.0);
        for place in &places {
            let axis = self.read(place, &powers, modes, &mut pairs);
            estimate[place.error] = axis.angle;
            along += axis.along;
            across += axis.across;
        }
        known.pairs = pairs;
        if self.column == 0 {
            self.arrive(chain, estimate, known);
        }
        if along > 0.0 { (across / along).sqrt() } else { 0.0 }
    }

    /// Powers behind the column, as far as everything behind lets light pass straight.
    fn powers(&self, chain: &Chain) -> Vec<Vec<f64>> {
        let behind = chain.nonlinearities(self.column);
        if behind.is_empty() {
            return self.readouts.to_vec();
        }
        let mean = self.inputs.iter().map(Complex64::norm_sqr).sum::<f64>() / self.inputs.len() as f64;
        let mut table: Vec<[f64; 2]> = Vec::new();
        for step in 0..((DEEP + BRIGHT) * FINE) as usize {
            let power = mean * (2.0 * (step as f64 / FINE - DEEP)).exp();
            let field = behind.iter().fold(Complex64::from(power.sqrt()), |z, own| own.value(z));
            let read = field.norm_sqr();
            if table.last().is_some_and(|[_, last]| read <= *last) {
                if power > mean {
                    break; // where they pass less light for more, nothing tells both apart
                }
                table.clear(); // so dark that rounding decides
            }
            table.push([power, read]);
        }
        let undo = |read: f64| {
            let at = table.partition_point(|own| own[1] < read);
            let (Some(above), Some(below)) = (table.get(at), table.get(at.wrapping_sub(1))) else {
                return table.get(at).or(table.last()).map_or(0.0, |own| own[0]);
            };
            below[0] + (above[0] - below[0]) * (read - below[1]) / (above[1] - below[1])
        };
        self.readouts.iter().map(|read| read.iter().map(|&power| undo(power)).collect()).collect()
    }

    /// The functions of the MZI `place` in every setting.
    fn functions(&self, place: &Place) -> Vec<[f64; FUNCTIONS]> {
        let of = |own: &Vec<f64>| {
            let ((s, c), (sine, cosine)) = (own[place.theta].sin_cos(), own[place.phi].sin_cos());
            [1.0, c, s, s * cosine, s * sine, c * cosine, c * sine]
        };
        self.settings.iter().map(of).collect()
    }

    /// δθ of an MZI, within a quarter of a turn, as an axis, and the fields at it, into `pairs`.
    fn read(&self, place: &Place, powers: &[Vec<f64>], modes: usize, pairs: &mut [Complex64]) -> Axis {
        let fit = Fit::new(self.functions(place));
        let of = |sample: usize, sign: f64| -> Vec<f64> {
            let at = sample * modes + place.row;
            powers.iter().map(|own| own[at + 1] + sign * own[at]).collect()
        };
        let coefficients: Vec<[f64; FUNCTIONS]> =
            (0..pairs.len() / modes).map(|sample| fit.coefficients(&of(sample, -1.0))).collect();
        // each of three pairs of coefficients is (cos δ, sin δ) times a number
        let along = |own: &[f64; FUNCTIONS]| [[own[1], -own[2]], [own[3], own[5]], [own[4], own[6]]];
        let axis = Axis::of(coefficients.iter().flat_map(along));
        let (s, c) = axis.angle.sin_cos();
        for (sample, own) in coefficients.iter().enumerate() {
            let [twice, real, imaginary] = along(own).map(|[x, y]| c * x + s * y);
            let sum = of(sample, 1.0).iter().sum::<f64>() / powers.len() as f64;
            let between = Complex64::new(-0.5 * real, 0.5 * imaginary).arg();
            pairs[sample * modes + place.row] = Complex64::from_polar((0.5 * (sum + twice)).max(0.0).sqrt(), between);
            pairs[sample * modes + place.row + 1] = (0.5 * (sum - twice)).max(0.0).sqrt().into();
        }
        axis
    }

    /// Tells bar and cross of the column behind apart, by which of this column's MZIs light its outputs, and finds the fields that enter it.
    /// Exchanges `powers` where light crosses there.
    fn settle(&self, chain: &Chain, estimate: &mut [f64], known: &mut Known, powers: &mut [Vec<f64>]) {
        let (modes, own) = (chain.modes(), chain.places(self.column));
        let lighting = |row: usize| own.iter().find(|place| place.row == row || place.row + 1 == row);
        let fits: Vec<Fit> = (0..modes)
            .map(|row| {
                Fit::new(lighting(row).map_or(vec![[1.0; FUNCTIONS]; powers.len()], |place| self.functions(place)))
            })
            .collect();
        let samples = self.inputs.len() / modes;
        for place in chain.places(self.column + 1) {
            let rest = |row: usize, from: usize, powers: &[Vec<f64>]| -> f64 {
                let column = |sample| powers.iter().map(|own| own[sample * modes + row]).collect::<Vec<f64>>();
                (0..samples).map(|sample| fits[from].rest(&column(sample))).sum()
            };
            let (upper, lower) = (place.row, place.row + 1);
            let straight = rest(upper, upper, powers) + rest(lower, lower, powers);
            let crossed = rest(upper, lower, powers) + rest(lower, upper, powers);
            if crossed < straight {
                turn(&mut estimate[place.error], upper, modes, &mut known.pairs);
                for sample in 0..samples {
                    powers.iter_mut().for_each(|own| own.swap(sample * modes + upper, sample * modes + lower));
                }
            }
        }
        self.enter(chain, self.column + 1, estimate, known);
    }

    /// Gives the fields of `known.pairs`, which enter `column`, their phases, and finds the phases of waveguides behind.
    fn enter(&self, chain: &Chain, column: usize, estimate: &mut [f64], known: &mut Known) {
        let (modes, places) = (chain.modes(), chain.places(column));
        if known.fields.is_empty() {
            // behind the last column phases do not matter, and those between its MZIs are found with the column in front
            known.fields = std::mem::take(&mut known.pairs);
            return;
        }
        let last = column + 2 == chain.columns();
        let waveguides = chain.waveguides(column + 1);
        let mut out = known.pairs.clone();
        for place in &places {
            let (theta, phi) = (self.front[place.theta] + estimate[place.error], self.front[place.phi]);
            let m = mzi_transfer(theta, phi, Coupler::new(0.0), Coupler::new(0.0));
            for sample in out.chunks_exact_mut(modes) {
                let [a, b] = [sample[place.row], sample[place.row + 1]];
                sample[place.row] = m[0][0] * a + m[0][1] * b;
                sample[place.row + 1] = m[1][0] * a + m[1][1] * b;
            }
        }
        if last {
            self.chain_up(chain, &places, &out, &mut known.fields);
        }
        let mut behind = known.fields.clone();
        chain.carry_back_between(column, self.front, &mut behind);
        let mut fields = known.pairs.clone();
        let mut alone = vec![true; modes];
        for place in &places {
            let (upper, lower) = (place.row, place.row + 1);
            [upper, lower].iter().for_each(|&row| alone[row] = false);
            let rows = || behind.chunks_exact(modes).zip(out.chunks_exact(modes));
            let apart: Complex64 =
                rows().map(|(x, y)| x[upper] * x[lower].conj() * (y[upper] * y[lower].conj()).conj()).sum();
            estimate[waveguides + upper] = apart.arg();
            let turned = Complex64::cis(apart.arg());
            for ((x, y), field) in rows().zip(fields.chunks_exact_mut(modes)) {
                let common = unit(x[upper] * (y[upper] * turned).conj() + x[lower] * y[lower].conj());
                field[upper] *= common;
                field[lower] *= common;
            }
        }
        for (mode, _) in alone.iter().enumerate().filter(|(_, alone)| **alone) {
            for sample in (0..fields.len()).step_by(modes) {
                fields[sample + mode] *= unit(behind[sample + mode] * out[sample + mode].conj());
            }
        }
        known.fields = fields;
    }

    /// Gives the pairs of `fields`, which enter the last column, the phases against one another that light `out` of the column in front has.
    fn chain_up(&self, chain: &Chain, places: &[Place], out: &[Complex64], fields: &mut [Complex64]) {
        let modes = chain.modes();
        let last = chain.places(chain.columns() - 1);
        for (fields, out) in fields.chunks_exact_mut(modes).zip(out.chunks_exact(modes)) {
            for Place { row: upper, .. } in places {
                let lower = upper + 1;
                let wanted = out[lower] * out[*upper].conj();
                let turn = unit(wanted * (fields[lower] * fields[*upper].conj()).conj());
                fields[lower] *= turn;
                if last.iter().any(|own| own.row == lower) {
                    fields[lower + 1] *= turn;
                }
            }
        }
    }

    /// The first column: what was sent tells bar and cross apart, and the phases in front.
    fn arrive(&self, chain: &Chain, estimate: &mut [f64], known: &mut Known) {
        let modes = chain.modes();
        for place in chain.places(0) {
            let more = |fields: &[Complex64]| fields[place.row].norm_sqr() - fields[place.row + 1].norm_sqr();
            let samples = self.inputs.chunks_exact(modes).zip(known.pairs.chunks_exact(modes));
            if samples.map(|(sent, found)| more(sent) * more(found)).sum::<f64>() < 0.0 {
                turn(&mut estimate[place.error], place.row, modes, &mut known.pairs);
            }
        }
        self.enter(chain, 0, estimate, known);
    }
}

/// Whether all columns are worth to be read so, where `column` is known and the readouts are `askew`: couplers are nearly ideal, or the phases
/// of a chip that nobody has calibrated, for which there is no other way.
pub fn worth(chain: &Chain, column: usize, estimate: &[f64], askew: f64) -> bool {
    let places = chain.places(column);
    let squares: f64 = places.iter().map(|place| estimate[place.error].powi(2)).sum();
    askew < EVEN || squares > FAR * FAR * places.len() as f64
}

/// The axis along which points of a plane lie, and the sums of their squares along it and across.
struct Axis {
    angle: f64,
    along: f64,
    across: f64,
}

impl Axis {
    fn of(points: impl Iterator<Item = [f64; 2]>) -> Self {
        let (mut sine, mut cosine, mut all) = (0.0, 0.0, 0.0);
        for [x, y] in points {
            sine += 2.0 * x * y;
            cosine += x * x - y * y;
            all += x * x + y * y;
        }
        let difference = sine.hypot(cosine);
        Axis { angle: 0.5 * sine.atan2(cosine), along: 0.5 * (all + difference), across: 0.5 * (all - difference) }
    }
}

/// Half a turn of θ, with the fields at the MZI of upper row `row` that make the same powers of it.
fn turn(error: &mut f64, row: usize, modes: usize, pairs: &mut [Complex64]) {
    *error += if *error > 0.0 { -PI } else { PI };
    for sample in pairs.chunks_exact_mut(modes) {
        let (upper, lower) = (sample[row], sample[row + 1]);
        sample[row] = -Complex64::from_polar(lower.norm(), upper.arg() - lower.arg());
        sample[row + 1] = upper.norm().into();
    }
}

fn unit(z: Complex64) -> Complex64 {
    if z.norm() > 0.0 { z / z.norm() } else { 1.0.into() }
}

/// Least squares of values at all settings as sums of functions of these.
struct Fit {
    functions: Vec<[f64; FUNCTIONS]>,
    inverse: [[f64; FUNCTIONS]; FUNCTIONS],
}

impl Fit {
    fn new(functions: Vec<[f64; FUNCTIONS]>) -> Self {
        let mut normal = [[0.0; 2 * FUNCTIONS]; FUNCTIONS];
        for (row, own) in normal.iter_mut().enumerate() {
            for (column, slot) in own[..FUNCTIONS].iter_mut().enumerate() {
                *slot = functions.iter().map(|f| f[row] * f[column]).sum();
            }
            // functions that are the same leave a sum that is as good
            own[row] += 1e-9 * functions.len() as f64;
            own[FUNCTIONS + row] = 1.0;
        }
        for pivot in 0..FUNCTIONS {
            let by = normal[pivot][pivot];
            normal[pivot].iter_mut().for_each(|x| *x /= by);
            let own = normal[pivot];
            for (_, other) in normal.iter_mut().enumerate().filter(|(row, _)| *row != pivot) {
                let by = other[pivot];
                other.iter_mut().zip(own).for_each(|(x, own)| *x -= by * own);
            }
        }
        let inverse = normal.map(|own| std::array::from_fn(|column| own[FUNCTIONS + column]));
        Fit { functions, inverse }
    }

    fn coefficients(&self, values: &[f64]) -> [f64; FUNCTIONS] {
        let mut sums = [0.0; FUNCTIONS];
        for (own, value) in self.functions.iter().zip(values) {
            sums.iter_mut().zip(own).for_each(|(sum, f)| *sum += f * value);
        }
        self.inverse.map(|row| row.iter().zip(&sums).map(|(a, b)| a * b).sum())
    }

    /// Sum of the squares that are left.
    fn rest(&self, values: &[f64]) -> f64 {
        let coefficients = self.coefficients(values);
        let left = |(own, value): (&[f64; FUNCTIONS], &f64)| {
            (value - own.iter().zip(&coefficients).map(|(f, c)| f * c).sum::<f64>()).powi(2)
        };
        self.functions.iter().zip(values).map(left).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::super::column_search::ColumnSearch;
    use super::super::misfit::Misfit;
    use super::super::probes::Probes;
    use crate::chip::Chip;
    use crate::cpu::Cpu;
    use crate::fabrication::Fabrication;
    use crate::imperfections::Imperfections;
    use crate::network::{Detection, Network, Stage};
    use crate::optics::{Activation, Layout, Mesh};
    use crate::propagator::{Propagator, Simulator, Tunable};

    /// How far a model with the phases that calibrating found is from a chip of `meshes` meshes with phases over a whole turn.
    fn misfit<E: Simulator>(engine: &E, modes: usize, meshes: usize) -> f64 {
        let layers = (0..meshes).map(|number| {
            let behind = if number + 1 < meshes {
                Stage::activation(modes, Activation::ELECTRO_OPTIC)
            } else {
                Stage::detection(modes, Detection::Intensity)
            };
            vec![Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap()), behind]
        });
        let network = Network::new(layers.collect()).unwrap();
        let mut kind = Imperfections::NONE;
        kind.passive.uncalibrated = true;
        let mut chip = Chip::new(engine, &network, &kind.fabricate(&network, 6).unwrap()).unwrap();
        let own = engine.clone();
        let maker = Box::new(move |part: &Network| own.build(part, &Fabrication::ideal()));
        let mut search = ColumnSearch::new(engine, &network, maker).unwrap().unwrap();
        let (probes, power) = (Probes::new(&network, 3), modes as f64);
        let mut estimate = vec![0.0; network.imperfections()];
        for number in 0..search.columns() {
            let worth = search.calibrate(&mut chip, &probes, number, power, &mut estimate).unwrap();
            assert!(worth || number != 1, "couplers are ideal");
        }
        let (controls, fields) = probes.draw(engine, 0, 1.0, &estimate, power).unwrap();
        let mut model = engine.build(&network, &Fabrication::ideal()).unwrap();
        model.set_imperfections(&engine.upload(&estimate).unwrap()).unwrap();
        model.program(&controls).unwrap();
        chip.program(&controls).unwrap();
        let read = |chip: &mut dyn FnMut(&mut E::Buffer)| {
            let mut readout = engine.zeros(probes.samples() * modes).unwrap();
            chip(&mut readout);
            engine.download(&readout).unwrap()
        };
        let theirs = read(&mut |readout| chip.propagate(&fields, probes.samples(), readout).unwrap());
        let ours = read(&mut |readout| model.propagate(&fields, probes.samples(), readout).unwrap());
        Misfit::Amplitude.compare(&ours, &theirs, modes, &mut vec![0.0; ours.len()])
    }

    #[test]
    fn dark_light_tells_nothing_and_ends() {
        let layer = |last| vec![Stage::Mesh(Mesh::universal(4, Layout::Rectangular).unwrap()), last];
        let (lit, read) = (Stage::activation(4, Activation::ELECTRO_OPTIC), Stage::detection(4, Detection::Intensity));
        let network = Network::new(vec![layer(lit), layer(read)]).unwrap();
        let engine = Cpu::<f64>::new();
        let mut chip = Chip::new(&engine, &network, &Fabrication::ideal()).unwrap();
        let maker = Box::new(move |part: &Network| engine.build(part, &Fabrication::ideal()));
        let mut search = ColumnSearch::new(&engine, &network, maker).unwrap().unwrap();
        let mut estimate = vec![0.0; network.imperfections()];
        for number in 0..search.columns() {
            search.calibrate(&mut chip, &Probes::new(&network, 3), number, 0.0, &mut estimate).unwrap();
        }
        assert!(estimate.iter().all(|error| error.is_finite()));
    }

    #[test]
    fn phases_over_a_whole_turn_are_found() {
        for (modes, meshes) in [(8, 1), (8, 2), (6, 3)] {
            let misfit = misfit(&Cpu::<f64>::new(), modes, meshes);
            assert!(misfit < 1e-6, "{modes} modes, {meshes} meshes: {misfit}");
        }
    }
}
