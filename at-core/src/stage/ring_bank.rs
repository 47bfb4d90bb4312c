//! A bank of microrings that broadcasts and weighs: every input is the power of a wavelength of its own, every output the balanced
//! detection of a bus whose add-drop rings each stand near one wavelength. Controls `[φ row-major, φ of b]` are what heat adds to the
//! rings' round-trip phases; a bias is one more ring, on one more wavelength of power 1.
//!
//! A bus has up to C `channels`, evenly over one free spectral range. Ring j of a bus meets channel i at the round-trip phase
//! `φ_ji = φ_j + o_j - 2π(i - j)/C` from its resonance, and of the power there
//!
//! ```text
//! L_ji = u_j²/(u_j² + sin²(φ_ji/2)),   u_j = sin(π/2F)·e^{s_j}
//! goes through:  t_ji = 1 - (1 - x_j)·L_ji        is dropped:  d_ji = (1 - x_j)·10^{-l_j/10}·L_ji
//! ```
//!
//! with the finesse F, the errors o of the resonance, s of the linewidth, the share x that stays in the bus on resonance and the loss l
//! (dB) of what is dropped: the powers of an add-drop ring (Bogaerts et al., Laser Photonics Rev. 6, 47 (2012), eqs. 12 to 15), which
//! near a resonance are Lorentzians of full width 2π/F. Light passes the rings of its bus one after the other; all drop ports end on
//! one detector, the bus on the other:
//!
//! ```text
//! w_i = Σ_j d_ji Π_{k<j} t_ki - Π_j t_ji
//! ```
//!
//! so every ring of a bus takes its tail of every channel. More inputs than channels go to further buses, whose detectors are added up.
//! Powers are added, not fields: each drop port has a detector's length of its own, and no light comes back from it into the bus.
//!
//! Source: Tait et al., J. Lightwave Technol. 32, 4029 (2014); Tait et al., IEEE J. Sel. Top. Quantum Electron. 22, 5900214 (2016).

use super::weights::{Entry, Weights, controlled_of_weights, element_of_weights, error_maps};
use super::{
    ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Gain, Grid, Imperfect, Map, Order, Place, Span,
    Stage, StageErrors, Start,
};
use crate::imperfections::{Draws, LARGEST_ERROR};
use crate::{Error, Result};
use std::f64::consts::{PI, TAU};
use std::ops::Range;

/// The greatest initial weight: on resonance, at w = 1, a ring's response has no slope and would not learn.
const GREATEST_RING_WEIGHT: f64 = 0.95;

/// Largest s of either sign: a linewidth 20 000 times too large or too small.
const LARGEST_LINEWIDTH: f64 = 10.0;

/// Between a ring that is hardly one and the best there are.
const FINESSES: std::ops::RangeInclusive<f64> = 2.0..=1e5;

/// A microring weight bank.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RingBank {
    /// Inputs.
    pub inputs: usize,
    /// Outputs.
    pub outputs: usize,
    /// Wavelengths of one bus, C, over one free spectral range.
    pub channels: usize,
    /// Finesse F of a ring as designed: its free spectral range over its full width at half maximum.
    pub finesse: f64,
}

impl Stage {
    /// A [`RingBank`].
    pub fn ring_bank(inputs: usize, outputs: usize, channels: usize, finesse: f64) -> Self {
        Stage::RingBank(RingBank { inputs, outputs, channels, finesse })
    }
}

impl RingBank {
    /// Channels of a bus where nobody says otherwise.
    pub const CHANNELS: usize = 16;

    /// Finesse where nobody says otherwise: with 16 channels they lie 6 linewidths apart.
    pub const FINESSE: f64 = 100.0;

    fn weights(&self) -> Weights {
        Weights { inputs: self.inputs, outputs: self.outputs }
    }

    /// `sin(π/2F)`: half the full width at half maximum, as the sine of half a round-trip phase.
    pub fn half_width(&self) -> f64 {
        (0.5 * PI / self.finesse).sin()
    }

    /// Half a linewidth of a ring as designed, as a round-trip phase (radians): the unit in which offsets are estimated.
    pub fn half_linewidth(&self) -> f64 {
        PI / self.finesse
    }

    /// The inputs of every bus; input number [`RingBank::inputs`] is the bias.
    pub fn buses(&self) -> impl Iterator<Item = Range<usize>> {
        let (count, channels) = (self.inputs + 1, self.channels);
        (0..count.div_ceil(channels)).map(move |bus| bus * channels..(bus * channels + channels).min(count))
    }

    /// The control of the ring of `output` that stands near the wavelength of `input`, the last of which is the bias.
    pub fn ring(&self, output: usize, input: usize) -> usize {
        if input < self.inputs { output * self.inputs + input } else { self.outputs * self.inputs + output }
    }

    /// The rings of all outputs.
    pub fn rings_in_all(&self) -> usize {
        self.weights().count()
    }

    /// The round-trip phase, from 0 to π, at which a ring as designed that stands alone has `weight`, above -1 and at most 1.
    pub fn phase_of(&self, weight: f64) -> f64 {
        let share = 0.5 * (1.0 + weight);
        2.0 * (self.half_width() * (1.0 / share - 1.0).sqrt()).min(1.0).asin()
    }

    /// Every ring's own numbers.
    fn rings(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Ring> {
        let own = errors.get(["offset", "linewidth", "leak", "loss_db"]);
        let ring = |(k, control): (usize, &f64)| {
            let [offset, linewidth, leak, loss] = own.map_or([0.0; 4], |own| own.map(|vector| vector[k]));
            Ring {
                phase: control + offset,
                width: self.half_width() * linewidth.exp(),
                taken: 1.0 - leak,
                dropped: (1.0 - leak) * 10_f64.powf(-loss / 10.0),
            }
        };
        controls.iter().enumerate().map(ring).collect()
    }

    /// What ring number `place` of a bus makes of channel number `channel`.
    fn meets(&self, ring: &Ring, place: usize, channel: usize) -> Met {
        let phase = ring.phase - TAU * (channel as f64 - place as f64) / self.channels as f64;
        let square = ring.width.powi(2);
        let share = square / (square + (0.5 * phase).sin().powi(2));
        Met {
            through: 1.0 - ring.taken * share,
            drop: ring.dropped * share,
            slope: -share.powi(2) * phase.sin() / (2.0 * square),
            taken: ring.taken,
            dropped: ring.dropped,
        }
    }

    /// What the rings of a bus make of one of its channels, in their order.
    fn along(&self, rings: &[Ring], output: usize, bus: &Range<usize>, channel: usize) -> Vec<Met> {
        let met = |(place, input)| self.meets(&rings[self.ring(output, input)], place, channel);
        bus.clone().enumerate().map(met).collect()
    }

    fn entries(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Entry> {
        let rings = self.rings(errors, controls);
        let mut entries = vec![Entry { weight: 0.0, slope: 1.0 }; rings.len()];
        for output in 0..self.outputs {
            for bus in self.buses() {
                for (channel, input) in bus.clone().enumerate() {
                    entries[self.ring(output, input)].weight = balance(&self.along(&rings, output, &bus, channel));
                }
            }
        }
        entries
    }

    /// From `∂L/∂w` of every weight to `∂L/∂φ` of every ring, added to `gradient`.
    fn carry_back(&self, errors: &StageErrors, controls: &[f64], of_weights: &[f64], gradient: &mut [f64]) {
        let rings = self.rings(errors, controls);
        for output in 0..self.outputs {
            for bus in self.buses() {
                for (channel, input) in bus.clone().enumerate() {
                    let met = self.along(&rings, output, &bus, channel);
                    for (place, other) in bus.clone().enumerate() {
                        let arrives: f64 = met[..place].iter().map(|met| met.through).product();
                        let Met { slope, taken, dropped, .. } = met[place];
                        let change = arrives * slope * (dropped - taken * balance(&met[place + 1..]));
                        gradient[self.ring(output, other)] += of_weights[self.ring(output, input)] * change;
                    }
                }
            }
        }
    }
}

/// A ring's own numbers.
struct Ring {
    /// `φ + o`.
    phase: f64,
    /// u.
    width: f64,
    /// `1 - x`.
    taken: f64,
    /// `(1 - x)·10^{-l/10}`.
    dropped: f64,
}

/// What a ring makes of a channel: `t`, `d`, and `dL/dφ` with what multiplies L in both.
struct Met {
    through: f64,
    drop: f64,
    slope: f64,
    taken: f64,
    dropped: f64,
}

/// What the detectors make of unit power that meets these rings: dropped minus through.
fn balance(met: &[Met]) -> f64 {
    let (mut power, mut dropped) = (1.0, 0.0);
    for Met { through, drop, .. } in met {
        dropped += power * drop;
        power *= through;
    }
    dropped - power
}

impl Element for RingBank {
    element_of_weights!();

    /// Errs where there is no channel, no such finesse, or where channels lie closer than a linewidth.
    fn validate(&self) -> Result<()> {
        let RingBank { channels, finesse, .. } = *self;
        if !FINESSES.contains(&finesse) {
            return Err(Error::invalid("finesse", finesse, "the finesse of a ring lies between 2 and 1e5"));
        }
        if channels == 0 {
            return Err(Error::invalid("channels", channels, "a bus has at least one wavelength"));
        }
        if channels as f64 > finesse {
            let reason = format!(
                "they lie {:.2} linewidths apart and cannot be told from one another; a finesse of {finesse} carries up to {} \
                 channels, and {channels} channels need a finesse of {channels} or more",
                finesse / channels as f64,
                finesse.floor()
            );
            return Err(Error::invalid("channels", channels, reason));
        }
        Ok(())
    }

    fn words(&self) -> String {
        format!("rings:{}-{},channels={},finesse={}", self.inputs, self.outputs, self.channels, self.finesse)
    }

    fn description(&self) -> String {
        let RingBank { inputs, outputs, channels, finesse } = self;
        format!("ring bank of {outputs} × {inputs} microrings, {channels} channels, finesse {finesse}")
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        self.weights().forward(&self.entries(errors, controls), signal)
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let mut of_weights = vec![0.0; controls.len()];
        let carried = self.weights().backward(&self.entries(errors, controls), signal, error, &mut of_weights);
        self.carry_back(errors, controls, &of_weights, gradient);
        carried
    }
}

impl Controlled for RingBank {
    controlled_of_weights!(RingBank);

    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::phases(self.weights().count(), TAU)]
    }

    /// As [`super::Initialization`] says, each ring as if it were alone; the fan-in rule is N(0, 1/inputs).
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        let (deviations, limit) = (start.initialization.deviations(1.0, self.inputs), GREATEST_RING_WEIGHT);
        let weights = self.weights().first(&mut start.random, deviations);
        Ok(weights.map(|weight| self.phase_of(weight.clamp(-limit, limit))).collect())
    }

    /// Rings on a square grid, a row for each output.
    fn places(&self) -> Vec<Option<Place>> {
        self.weights().places()
    }

    /// Rings are built to meet their channel in the middle of their range.
    fn rest(&self) -> f64 {
        -0.5
    }
}

impl Imperfect for RingBank {
    fn errors(&self) -> Vec<ErrorVector> {
        let vector = |name, what, unit, most| ErrorVector {
            name,
            what,
            unit,
            length: self.weights().count(),
            most,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        };
        vec![
            vector("offset", "resonance offset", "rad", LARGEST_ERROR),
            vector("linewidth", "linewidth error", "", LARGEST_LINEWIDTH),
            vector("leak", "share that stays in the bus", "", 1.0),
            vector("loss_db", "loss of a drop port", "dB", LARGEST_ERROR),
        ]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let (kind, rings) = (&draws.imperfections.rings, self.weights().count());
        let mut offset = draws.normal(1, rings, 0.0, kind.ring_offset);
        draws.add_phases(&mut offset);
        let linewidth = draws.normal(2, rings, 0.0, kind.ring_linewidth);
        vec![offset, linewidth, vec![kind.ring_leak; rings], vec![kind.ring_loss_db; rings]]
    }

    /// Of every ring the offset, in half linewidths of the design, and the error s of the linewidth.
    fn estimable(&self) -> Estimable {
        Estimable::BySettings(2 * self.weights().count())
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        let mut own = known.or_zeros(self).replaced(["offset", "linewidth"], estimate);
        own.get_mut("offset").iter_mut().for_each(|offset| *offset *= self.half_linewidth());
        own
    }

    /// A ring adds no light.
    fn gain(&self, stage: usize, errors: &StageErrors, _: bool) -> Result<Gain> {
        for (what, vector) in
            errors.get(["leak", "loss_db"]).iter().flat_map(|own| ["leak", "loss"].into_iter().zip(own))
        {
            if let Some((ring, &value)) = vector.iter().enumerate().find(|(_, value)| **value < 0.0) {
                let reason =
                    format!("{what} of ring {ring} of stage {stage}: a ring adds no light, so it is not negative");
                return Err(Error::invalid("chip", value, reason));
            }
        }
        Ok(Gain::default())
    }
}

const NOMINAL: &str = "The weight that each channel would have in a perfect bank, with the tails of all rings of its bus; biases are left out.";
const HELD: &str =
    "What the trainer does not know: the weight that each channel really has, by the resonances of these rings.";
const OFFSET: &str =
    "What the trainer does not know: how far the resonance of each ring stands from its channel at rest.";
const LINEWIDTH: &str =
    "What the trainer does not know: s of each ring, whose linewidth is e^s times that of the design.";

impl Drawn for RingBank {
    fn grid(&self) -> Grid<'_> {
        Grid::Weights { inputs: self.inputs, outputs: self.outputs }
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let map = |name, title, caption, errors: &StageErrors| {
            let weights = self.entries(errors, controls);
            let values: Vec<f64> = weights[..self.inputs * self.outputs].iter().map(|entry| entry.weight).collect();
            let scale = "weight, dropped − through";
            Map { name, title, scale, caption, span: Span::around_zero(&values), values }
        };
        let mut maps = vec![map("weights", "Weights as the trainer sees them", NOMINAL, &StageErrors::NONE)];
        if !errors.is_none() {
            maps.push(map("held", "Weights that the chip holds", HELD, errors));
        }
        maps.extend(error_maps(
            self.weights(),
            errors,
            [
                ("offset", ["offset-error", "Offsets of the resonances", "round-trip phase (rad)", OFFSET]),
                ("linewidth", ["linewidth-error", "Errors of the linewidths", "logarithm of the ratio", LINEWIDTH]),
            ],
        ));
        maps
    }
}

#[cfg(test)]
#[path = "ring_bank_tests.rs"]
mod tests;
