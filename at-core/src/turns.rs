//! Whole turns: a phase far from zero means what it means near it, but 32 bits hold it badly.
//!
//! ```text
//! c ← c − P·[c/P]      P = 2π of a phase shifter, 4π of an attenuator's angle, whose transmission is sin(θ/2)
//!                    [·] rounds towards zero where controls are read, to the nearest in training
//! ```
//!
//! A control is turned back only where that changes nothing of the light, whoever follows it: not where a turn is followed as
//! (1 + E) or (1 + γ) of one (update errors, heaters' gains, slopes of weight cells), not where its heat reaches neighbours, and
//! nothing that is no phase. A heater with a range takes what lies outside of it modulo 2π ([`crate::fabrication::control`]), and so
//! it is turned to where that puts it: a whole turn to its lower end, although f64 holds `60π` a rounding below 30 turns, which
//! alone would come to the upper one.
//!
//! First controls come in 64 bits, from a file or from whoever set a chip up: what lies beyond one period loses its whole turns before it
//! becomes 32 bits, so that turns change no more than these round anyway. In training, where a turn would move a control under the
//! optimizer's feet, those nearer than [`FAR`] are left as they are, to the bit.

use crate::fabrication::Fabrication;
use crate::imperfections::{Control, Imperfections};
use crate::network::{MOST_PHASE, Network, Stage, stands};
use crate::stage::{Meaning, StageErrors};
use crate::{Error, Result};
use std::f64::consts::{PI, TAU};

/// Phases nearer to zero than this (radians) are never turned in training: there 32 bits still tell 4e-6 rad apart.
pub const FAR: f64 = 16.0 * PI;

/// Two roundings and f64's own 2π put `θ + 2πk` at most this share of itself beside the phase that is meant.
const ROUNDING: f64 = 4.0 * f64::EPSILON;

/// Phases beyond this (radians) are not known even in 64 bits, which tell 1e-7 rad apart there.
const LOST: f64 = 1e9;

/// What whole turns are to one control.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    /// They change what the chip does.
    Matter,
    /// The chip does the same after this period.
    Period(f64),
    /// Outside `base..base + range` it does the same after 2π.
    Outside { base: f64, range: f64 },
}

/// What every control of a network is, in order.
fn meanings(network: &Network) -> impl Iterator<Item = Meaning> + '_ {
    let runs = network.stages().flat_map(Stage::runs);
    runs.flat_map(|run| std::iter::repeat_n(run.meaning, run.count))
}

/// Of every control of a stage whether something stretches it, so that turns matter: in a chip with these `errors`, or in some chip
/// where none are given.
fn stretched(stage: &Stage, errors: Option<&StageErrors>) -> Vec<bool> {
    let mut stretched = vec![false; stage.controls()];
    for vector in stage.errors().iter().filter(|vector| vector.stretches) {
        let own = errors.map(|errors| errors.get([vector.name]).map_or(&[][..], |[own]| own));
        let entries = stretched.iter_mut().skip(vector.order.first_control()).take(vector.length).enumerate();
        for (entry, stretched) in entries {
            *stretched |= own.is_none_or(|own| own.get(entry) != Some(&0.0));
        }
    }
    stretched
}

/// The turns of all controls of a chip, update errors left aside.
fn turns<'a>(network: &'a Network, fabrication: &'a Fabrication) -> impl Iterator<Item = Turn> + 'a {
    let stretched =
        network.stages().enumerate().flat_map(|(number, stage)| stretched(stage, Some(fabrication.stage(number))));
    meanings(network).zip(stretched).enumerate().map(move |(control, (meaning, stretched))| {
        let Meaning::Phase { period } = meaning else { return Turn::Matter };
        let path = &fabrication.control;
        let heats = path.coupling.starts.get(control..control + 2).is_some_and(|ends| ends[0] != ends[1]);
        match path.shifters.get(control) {
            Some(shifter) if shifter.range > 0.0 => {
                return Turn::Outside { base: shifter.base, range: shifter.range };
            }
            Some(shifter) if shifter.gain != 1.0 => return Turn::Matter,
            Some(_) | None if heats => return Turn::Matter,
            Some(_) | None => {}
        }
        if stretched { Turn::Matter } else { Turn::Period(period) }
    })
}

/// Turns the first controls of chips and models with all these fabrications back, in place, before they become 32 bits.
///
/// Update errors count from the first controls, so they do not see where these are. Errs where a phase is so far from zero that
/// nobody knows it.
pub fn turn_first(network: &Network, fabrications: &[&Fabrication], controls: &mut [f64]) -> Result<()> {
    let phases = meanings(network).map(|meaning| matches!(meaning, Meaning::Phase { .. }));
    if let Some((number, (value, _))) =
        controls.iter().zip(phases).enumerate().find(|(_, (value, phase))| *phase && value.abs() > LOST)
    {
        let reason = format!(
            "stands at {value:.1e} rad, where nobody knows its phase: it comes from a training that diverged, or from a file in \
             another unit"
        );
        return Err(Error::invalid("control", number, reason));
    }
    if controls.iter().all(|control| control.abs() < TAU) {
        return Ok(());
    }
    let mut ways: Vec<_> = fabrications.iter().map(|fabrication| turns(network, fabrication)).collect();
    for control in controls {
        let mut own = ways.iter_mut().filter_map(Iterator::next);
        let Some(turn) = own.next() else { return Ok(()) };
        if own.fold(true, |same, other| same & (other == turn)) {
            *control = turned(*control, turn);
        }
    }
    Ok(())
}

/// Without the whole turns in it, towards zero, so that what is nearer than one stays as it is.
fn turned(control: f64, turn: Turn) -> f64 {
    match turn {
        Turn::Period(period) => control - period * (control / period).trunc(),
        Turn::Outside { base, range } if !(base..=base + range).contains(&control) => {
            let turn = (control - base).rem_euclid(TAU);
            let whole = TAU - turn <= ROUNDING * control.abs();
            base + if whole { 0.0 } else { turn }
        }
        Turn::Matter | Turn::Outside { .. } => control,
    }
}

/// The phases that training may turn back: those that any chip, model and oracle follows without a change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FreePhases {
    /// Of every control its period in units of 2π; 0 where turns matter. Empty where they matter for all.
    periods: Vec<u8>,
}

impl FreePhases {
    /// Of the chip with this `fabrication`, and of all that has the statistics `kind`. Heaters with a range need none: they keep
    /// their phases in reach by themselves.
    pub fn new(network: &Network, fabrication: &Fabrication, kind: &Imperfections) -> Self {
        let Control { control_range, heater_spread, crosstalk, .. } = kind.control;
        let bent = control_range > 0.0 || heater_spread > 0.0 || crosstalk > 0.0 || kind.update_error > 0.0;
        if bent || !fabrication.update_error.is_empty() {
            return FreePhases { periods: Vec::new() };
        }
        // models of stages that can be stretched estimate or draw slopes of their own
        let phases = network.stages().flat_map(|stage| stretched(stage, None)).map(|stretched| !stretched);
        let period = |(turn, free): (Turn, bool)| match turn {
            Turn::Period(period) if free => (period / TAU).round() as u8,
            Turn::Period(_) | Turn::Matter | Turn::Outside { .. } => 0,
        };
        let periods: Vec<u8> = turns(network, fabrication).zip(phases).map(period).collect();
        let any = periods.iter().any(|&period| period > 0);
        FreePhases { periods: if any { periods } else { Vec::new() } }
    }

    /// There is none.
    pub fn is_empty(&self) -> bool {
        self.periods.is_empty()
    }

    /// By how much each of the `values` has to be turned; none where all are near enough. Errs with the first one that is
    /// beyond [`MOST_PHASE`] or not finite.
    pub fn excess(&self, values: &[f64]) -> std::result::Result<Option<Vec<f64>>, String> {
        let mut excess = None;
        for (number, (&value, &period)) in values.iter().zip(&self.periods).enumerate() {
            if period == 0 || value.abs() <= FAR {
                continue;
            }
            if value.is_nan() || value.abs() > MOST_PHASE {
                return Err(stands(number, value, " rad"));
            }
            let turns = excess.get_or_insert_with(|| vec![0.0; values.len()]);
            let period = f64::from(period) * TAU;
            turns[number] = period * (value / period).round();
        }
        Ok(excess)
    }
}

#[cfg(test)]
#[path = "turns_tests.rs"]
mod tests;
