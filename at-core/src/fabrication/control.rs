//! The way from a control to a phase: converters, heaters, crosstalk, and shifters that do not answer.
//!
//! ```text
//! c  = c₀ + (1 + E)·(told - c₀)                    update error
//! c' = c, or its equivalent modulo 2π in [b, b + R], or what of that range is nearest
//! v² = (c' - b)/R,   v ← round(v·n)/n              voltage over full scale; n = 2^bits - 1 steps
//! h  = R·((1 + γ)·v² + q·v⁴)                       heater: the controller knows neither γ nor q
//! φ  = b + h + Σ_j Γ_j h_j                         crosstalk
//! ```
//!
//! Phase-change cells have no heater. A pair of L levels each stands at `h = round(c·(L-1))/(L-1)` with c cut off at ±1.
//!
//! A shifter without a range R follows as `h = (1 + γ)·c`; a dead one stands at b whatever it is told, and heats nobody. The
//! derivative that an oracle uses is that of these lines at the voltage that is held, with the rounding passed straight through
//! (its own derivative is 0 almost everywhere) and 0 where a control is beyond the range.

use super::coupling::Coupling;
use crate::imperfections::random::{key, normals, philox, uniform};
use crate::imperfections::{Control, Part, TRUNCATION};
use crate::network::{Network, Stage};
use crate::stage::Meaning;
use std::f64::consts::TAU;
use std::sync::Arc;

impl Control {
    /// Draws the shifters of chip number `seed`; `site` tells its draws from others.
    pub(super) fn fabricate(
        &self,
        network: &Network,
        seed: u64,
        site: u32,
        cell_levels: u32,
        mask_levels: u32,
    ) -> ControlPath {
        let stepped =
            (cell_levels > 0 && network.has(Part::PhaseChange)) || (mask_levels > 0 && network.has(Part::Masks));
        let bent = stepped || self.control_range > 0.0 || self.heater_spread > 0.0 || self.dead_shifters > 0.0;
        let mut shifters = Vec::new();
        let stages = network.stages().filter(|_| bent || self.crosstalk > 0.0).flat_map(Stage::parts);
        for (stage, controlled) in stages.filter_map(|stage| Some((stage, stage.element().controlled()?))) {
            // how many of its controls are phases of pixels with levels, which come first
            let mut stepped = 0;
            if let Stage::Mask(mask) = stage
                && mask_levels > 0
                && mask.transmission.has()[0]
            {
                stepped = mask.pixels();
            }
            let first = shifters.len();
            let meanings = controlled.runs().into_iter().flat_map(|run| std::iter::repeat_n(run.meaning, run.count));
            let rests = controlled.rests();
            for ((heater, meaning), rest) in controlled.places().into_iter().zip(meanings).zip(rests) {
                let counter = [shifters.len() as u32, 0, 0, site];
                shifters.push(match (heater, meaning) {
                    (Some(_), _) => {
                        let heater = self.shifter(rest, seed, counter);
                        let pixel = shifters.len() - first < stepped && heater.gain > 0.0;
                        if pixel { Shifter::pixel(mask_levels) } else { heater }
                    }
                    (None, Meaning::Cells) => Shifter::cells(cell_levels),
                    (None, Meaning::Phase { .. } | Meaning::Number | Meaning::Digital) => Shifter::AS_TOLD,
                });
            }
        }
        shifters.shrink_to_fit(); // one that was lengthened has room for twice as many
        let coupling = if self.crosstalk > 0.0 {
            Coupling::by_distance(network, self.crosstalk, self.crosstalk_length, self.pitch)
        } else {
            Coupling::default()
        };
        let levels = if self.control_bits == 0 { 0.0 } else { f64::from((1_u32 << self.control_bits) - 1) };
        ControlPath { shifters, quartic: self.heater_quartic, levels, coupling: Arc::new(coupling) }
    }

    fn shifter(&self, rest: f64, seed: u64, counter: [u32; 4]) -> Shifter {
        let words = philox(key(seed), [counter[0], 1, 0, counter[3]]);
        if uniform(words[0]) < self.dead_shifters {
            let base = if self.dead_random { TAU * uniform(words[1]) } else { 0.0 };
            return Shifter { gain: 0.0, base, range: 0.0 };
        }
        let draws = (0..).flat_map(|retry| normals(key(seed), [counter[0], 0, retry, counter[3]]));
        let draw = draws.into_iter().find(|draw| draw.abs() <= TRUNCATION).expect("most draws are within");
        Shifter { gain: 1.0 + self.heater_spread * draw, base: rest * self.control_range, range: self.control_range }
    }
}

/// One phase shifter, or a control that is none.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shifter {
    /// `1 + γ`; 0 where it is dead.
    pub gain: f64,
    /// Phase b without voltage; of a pixel with levels the turn 2π that they divide.
    pub base: f64,
    /// Range R; 0 for any phase; of a pair of phase-change cells with L levels `-(L - 1)`, and of a pixel with as many -L.
    pub range: f64,
}

impl Shifter {
    /// Follows its control.
    pub const AS_TOLD: Shifter = Shifter { gain: 1.0, base: 0.0, range: 0.0 };

    /// A pair of phase-change cells with so many levels; 0 for any.
    pub fn cells(levels: u32) -> Self {
        Shifter { range: -f64::from(levels.saturating_sub(1)), ..Shifter::AS_TOLD }
    }

    /// A pixel of a mask with so many levels of its phase, `2πk/L`.
    pub fn pixel(levels: u32) -> Self {
        Shifter { gain: 1.0, base: TAU, range: -f64::from(levels) }
    }

    /// Whether it is a pixel with levels.
    pub fn is_stepped_pixel(&self) -> bool {
        self.range < 0.0 && self.base > 0.0
    }

    /// Where a pair of cells is written to stand that is told c: one of its levels where it has some, from -1 to 1.
    pub fn level(&self, c: f64) -> f64 {
        let reached = c.clamp(-1.0, 1.0);
        match self.range < 0.0 {
            true => (reached * -self.range + 0.5).floor() / -self.range,
            false => reached,
        }
    }

    /// The voltage v over full scale at the control c, and how much of the range's heat c asks for; none without a range.
    fn volts(&self, c: f64, levels: f64) -> Option<(f64, f64)> {
        let Shifter { base, range, .. } = *self;
        if range <= 0.0 {
            return None;
        }
        let outside = c < base || c > base + range;
        let within = if outside { c - TAU * ((c - base) / TAU).floor() } else { c };
        let share = (within - base) / range;
        let mut volts = share.clamp(0.0, 1.0).sqrt();
        if levels > 0.0 {
            volts = (volts * levels + 0.5).floor() / levels;
        }
        Some((volts, share))
    }

    /// h and dh/dc at the control c.
    pub fn heat(&self, c: f64, quartic: f64, levels: f64) -> (f64, f64) {
        let Shifter { gain, base, range } = *self;
        if self.is_stepped_pixel() {
            let step = base / -range;
            return ((c / step + 0.5).floor() * step, 1.0);
        }
        if range < 0.0 {
            return (self.level(c), if c.abs() > 1.0 { 0.0 } else { 1.0 });
        }
        let Some((volts, share)) = self.volts(c, levels) else { return (gain * c, gain) };
        let square = volts * volts;
        let follows = if share > 1.0 { 0.0 } else { 1.0 };
        (range * square * (gain + quartic * square), follows * (gain + 2.0 * quartic * square))
    }
}

/// The way of every control of one chip to its phase. The default follows as told.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ControlPath {
    /// Per control; empty where all follow as told.
    pub shifters: Vec<Shifter>,
    /// q.
    pub quartic: f64,
    /// Steps of the voltage from 0 to full scale; 0 for any voltage.
    pub levels: f64,
    /// Γ.
    pub coupling: Arc<Coupling>,
}

impl ControlPath {
    /// The voltage over full scale that makes control number `index` c; none of what is no heater with a range, or dead.
    pub fn voltage(&self, index: usize, c: f64) -> Option<f64> {
        self.shifters.get(index)?.volts(c, self.levels).map(|(volts, _)| volts)
    }

    /// Whether every control is followed as told.
    pub fn is_direct(&self) -> bool {
        self.shifters.is_empty()
    }
}
