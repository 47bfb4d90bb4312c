//! A mesh of MZIs: `[θ, φ, γ]` are the phases behind the first coupler of every MZI, in front of it, and at the outputs ([`Mesh`]).
//!
//! `y = U(θ, φ, γ; δ1, δ2, phase errors, losses) x`; [`light`] goes through it element by element.

mod drawn;
pub(crate) mod light;

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect,
    Order, Place, Sheet, Signal, Sines, Stage, StageErrors, Start,
};
use crate::imperfections::{Draws, LARGEST_ERROR};
use crate::optics::Mesh;
use crate::optics::haar::haar_phases;
use crate::optics::layout::{Layout, columns_text, crossings, standing_order};
use crate::optics::waveguide_phases::{control_errors, waveguides};
use crate::{Error, Result};
use std::f64::consts::TAU;

/// Gains below this (dB) are sums of zeros that were rounded.
const ROUNDING_DB: f64 = 1e-9;

/// Largest loss or gain of one waveguide in one column (dB): less than 1e-5 of the amplitude passes.
const LARGEST_DB: f64 = 100.0;

/// What a data sheet tells of couplers and of losses, and the differences that are the spread of one kind.
const COUPLERS: Sheet = Sheet { name: "mean coupler error", unit: " rad", least: 0.01, per_column: false };
const LOSSES: Sheet = Sheet { name: "loss", unit: " dB a column", least: 0.5, per_column: true };

impl Element for Mesh {
    fn input(&self) -> Signal {
        Signal::fields(self.modes())
    }

    fn output(&self) -> Signal {
        Signal::fields(self.modes())
    }

    fn signed(&self) -> bool {
        true
    }

    /// A [`Mesh`] that is none cannot be made.
    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn words(&self) -> String {
        let modes = self.die_modes();
        let own = match self.layout() {
            Layout::Triangular => format!("mesh:{modes},triangular"),
            Layout::Rectangular if self.columns().len() == modes => format!("mesh:{modes}"),
            Layout::Rectangular => format!("mesh:{modes},depth={}", self.columns().len()),
            Layout::Diamond | Layout::Butterfly | Layout::Benes => format!("mesh:{modes},{}", self.layout().name()),
            Layout::Custom => format!("mesh:{modes},columns={}", columns_text(&self.die_columns())),
        };
        if self.dies() == 1 { own } else { format!("{} dies of {own}", self.dies()) }
    }

    fn description(&self) -> String {
        let (layout, modes) = (self.layout().name(), self.die_modes());
        let mesh = format!("{layout} mesh of {modes} modes and {} columns", self.columns().len());
        match self.dies() {
            1 => format!("{mesh}, {} MZIs", self.mzis()),
            dies => format!("{dies} dies, each a {mesh}, {} MZIs in all", self.mzis()),
        }
    }

    fn flops(&self) -> Flops {
        let mzis = self.mzis() as u64;
        Flops { forward: 28 * mzis, backward: 76 * mzis }
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        Some(self)
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Kept)
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        Some(self)
    }

    /// The rectangular mesh with as many columns, in which MZIs between two meshes keep them apart.
    fn beside(&self, count: usize) -> Result<Option<Beside>> {
        let (modes, columns) = (self.modes(), self.columns());
        if self.layout() != Layout::Rectangular || modes % 2 != 0 || self.dies() != 1 {
            return Ok(None);
        }
        let wide = Mesh::truncated(count * modes, columns.len())?;
        let mzis = wide.positions().map(|(column, [row, _])| {
            let (mesh, own) = (row / modes, row % modes);
            (own + 1 < modes).then(|| (mesh, columns[column].mzi(own)))
        });
        let mzis: Vec<_> = mzis.collect();
        let phases = |shift: usize| mzis.iter().map(move |mzi| mzi.map(|(mesh, own)| (mesh, shift + own)));
        let outputs = (0..wide.modes()).map(|mode| Some((mode / modes, 2 * self.mzis() + mode % modes)));
        let controls = phases(0).chain(phases(self.mzis())).chain(outputs).collect();
        Ok(Some(Beside { stage: Stage::Mesh(wide), controls }))
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        light::forward(self, errors, controls, signal)
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        light::backward(self, errors, controls, signal, error, gradient)
    }
}

impl Controlled for Mesh {
    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::phases(self.controls(), TAU)]
    }

    /// `theta` and `phi` column by column, `gamma`.
    fn arrays(&self) -> Vec<ControlArray> {
        let lengths = [("theta", self.mzis()), ("phi", self.mzis()), ("gamma", self.modes())];
        lengths.map(|(name, length)| ControlArray::new(name, [length])).into()
    }

    /// `theta[column,mode]` and `phi[column,mode]` by the upper of the two modes, then `gamma[mode]`.
    fn names(&self) -> Vec<String> {
        let mzis =
            |word: &'static str| self.positions().map(move |(column, [mode, _])| format!("{word}[{column},{mode}]"));
        mzis("theta").chain(mzis("phi")).chain((0..self.modes()).map(|mode| format!("gamma[{mode}]"))).collect()
    }

    /// Haar-random.
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        Ok(haar_phases(self, &mut start.random))
    }

    /// An MZI's φ and θ lie one pitch apart along the light and share a column of two pitches; its neighbours in the column are
    /// one pitch away, two waveguides. Where MZIs do not join neighbours, waveguides cross between the columns until they are. The output
    /// phases γ stand in two staggered columns behind.
    fn places(&self) -> Vec<Option<Place>> {
        let modes = self.die_modes();
        let place = |along: usize, mode: usize| {
            Some(Place { die: mode / modes, at: [along as f64, 0.5 * (mode % modes) as f64] })
        };
        let standing = standing_rows(self);
        let row = |column: usize, mode: usize| standing.as_ref().map_or(mode, |rows| rows[column][mode]);
        let row = &row;
        let mzis = |ahead: usize| {
            self.positions().map(move |(column, [upper, _])| place(2 * column + ahead, row(column, upper)))
        };
        let end = 2 * self.columns().len();
        let outputs = (0..self.modes()).map(|mode| place(end + mode % modes % 2, mode));
        mzis(1).chain(mzis(0)).chain(outputs).collect()
    }

    fn rest(&self) -> f64 {
        0.0
    }

    /// Meshes whose dies are of one geometry are the first die of them, used again.
    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        let Stage::Mesh(other) = other else { return None };
        let dies = [self, other].map(|mesh| mesh.on_dies(1).ok());
        if dies[0] != dies[1] {
            return None;
        }
        let mut first = vec![0; other.controls() / other.dies()];
        for (control, (die, own)) in other.die_controls().into_iter().enumerate() {
            if die == 0 {
                first[own] = control;
            }
        }
        Some(self.die_controls().into_iter().map(|(_, own)| first[own]).collect())
    }
}

impl Imperfect for Mesh {
    fn errors(&self) -> Vec<ErrorVector> {
        let angle = |name, what, length, sheet| ErrorVector {
            name,
            what,
            unit: "rad",
            length,
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches: false,
            sheet,
        };
        let loss = ErrorVector {
            name: "loss_db",
            what: "loss",
            unit: "dB",
            length: self.columns().len() * self.modes(),
            most: LARGEST_DB,
            order: Order::Waveguides { modes: self.modes(), die_modes: self.die_modes() },
            stretches: false,
            sheet: Some(LOSSES),
        };
        vec![
            angle("first_coupler", "first coupler error", self.mzis(), Some(COUPLERS)),
            angle("second_coupler", "second coupler error", self.mzis(), Some(COUPLERS)),
            angle("phases", "phase error", self.controls(), None),
            loss,
        ]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let (kind, mzis) = (draws.imperfections, self.mzis());
        let passive = &kind.passive;
        let near = draws.shared(8, kind.process.process_splitter, kind.process.die_splitter);
        // the first coupler lies behind φ, the second behind θ
        let coupler = |angles: u64, splits: u64, places: &[f64]| {
            let angles = draws.normal(angles, mzis, passive.splitter_mean, kind.splitter_angle);
            let splits = draws.normal(splits, mzis, 0.0, passive.splitter_split);
            let errors = angles.into_iter().zip(splits).zip(places);
            errors.map(|((angle, split), near)| angle - 0.5 * split.clamp(-1.0, 1.0).asin() + near).collect()
        };
        let first_coupler: Vec<f64> = coupler(1, 5, &near[mzis..2 * mzis]);
        let second_coupler = match passive.splitter_equal {
            true => first_coupler.clone(),
            false => coupler(2, 6, &near[..mzis]),
        };
        let mut phases = draws.normal(3, 2 * mzis, 0.0, kind.phase);
        phases.resize(self.controls(), 0.0);
        draws.add_phases(&mut phases);
        let places = self.columns().len() * self.modes();
        let column_cm = 2.0 * kind.control.pitch * 1e-4;
        let mean = kind.loss_db + passive.propagation_db_cm * column_cm;
        let facets = 2.0 * passive.facet_db / self.columns().len() as f64;
        let loss_db = draws.normal(4, places, mean, kind.loss_spread_db).into_iter().zip(draws.uniform(7, places));
        let imbalance = |u: f64| 1.0 + passive.path_imbalance * (2.0 * u - 1.0);
        let made_up = if passive.amplified { mean + facets } else { 0.0 };
        let loss_db = loss_db.map(|(loss, u)| loss.max(0.0) * imbalance(u) + facets - made_up);
        let mut loss_db: Vec<f64> = loss_db.collect();
        if passive.crossing_db > 0.0 {
            let crossed = crossings(self);
            for (losses, crossed) in loss_db.chunks_exact_mut(self.modes()).zip(crossed.chunks_exact(self.modes())) {
                let mean = crossed.iter().sum::<u32>() as f64 / self.modes() as f64;
                let made_up = if passive.amplified { mean } else { 0.0 };
                losses.iter_mut().zip(crossed).for_each(|(loss, &count)| {
                    *loss += passive.crossing_db * (f64::from(count) - made_up);
                });
            }
        }
        vec![first_coupler, second_coupler, phases, loss_db]
    }

    /// δ1, δ2 and δθ of every MZI, and the phase error of every waveguide; where losses are unknown, that of every waveguide in every column.
    fn estimable(&self) -> Estimable {
        let losses = if self.losses_unknown() { self.columns().len() * self.modes() } else { 0 };
        Estimable::ByProbes(3 * self.mzis() + waveguides(self) + losses)
    }

    /// What stands in waveguides is an error of φ and γ, which have it at the outputs of the mesh.
    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        let (couplers, phases) = estimate.split_at(2 * self.mzis());
        let (theta, rest) = phases.split_at(self.mzis());
        let (pieces, losses) = rest.split_at(waveguides(self));
        let phases = theta.iter().copied().chain(control_errors(self, pieces));
        let all: Vec<f64> = couplers.iter().copied().chain(phases).collect();
        let mut own = known.or_zeros(self).replaced(["first_coupler", "second_coupler", "phases"], &all);
        own.get_mut("loss_db").iter_mut().zip(losses).for_each(|(loss, more)| *loss += more);
        own
    }

    fn gain(&self, stage: usize, errors: &StageErrors, amplified: bool) -> Result<Gain> {
        let Some([loss_db]) = errors.get(["loss_db"]) else { return Ok(Gain::default()) };
        let least = die_losses(self, loss_db).into_iter().fold(f64::INFINITY, f64::min);
        if least < -ROUNDING_DB && !amplified {
            let value = format!("{least} dB in the mesh of stage {stage}");
            let reason = "a mesh without amplifiers creates no power: its mean loss is not negative";
            return Err(Error::invalid("loss-db", value, reason));
        }
        // the best waveguide of every column
        let columns = loss_db.chunks_exact(self.modes());
        let best_db = columns.map(|column| column.iter().fold(0.0, |gain: f64, loss| gain.max(-loss))).sum();
        Ok(Gain { best_db, columns: self.columns().len() })
    }
}

/// `[column][mode]`: where the waveguides of all dies stand, counted from the top; none where they never leave the order of modes.
fn standing_rows(mesh: &Mesh) -> Option<Vec<Vec<usize>>> {
    if mesh.joins_neighbours() {
        return None;
    }
    let modes = mesh.die_modes();
    let rows = |order: Vec<usize>| {
        let mut rows = vec![0; mesh.modes()];
        for die in 0..mesh.dies() {
            order.iter().enumerate().for_each(|(row, &mode)| rows[die * modes + mode] = die * modes + row);
        }
        rows
    };
    Some(standing_order(mesh).into_iter().map(rows).collect())
}

/// Mean loss (dB of power) from end to end of every die of a mesh.
fn die_losses(mesh: &Mesh, loss_db: &[f64]) -> Vec<f64> {
    let modes = mesh.die_modes();
    let mut losses = vec![0.0; mesh.dies()];
    for column in loss_db.chunks_exact(mesh.modes()) {
        for (sum, own) in losses.iter_mut().zip(column.chunks_exact(modes)) {
            *sum += own.iter().sum::<f64>() / modes as f64;
        }
    }
    losses
}
