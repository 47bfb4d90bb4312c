//! Conversions counted at a chip's interface, as seconds and joules.
//!
//! With the counts of [`Accesses`], D controls that converters write and n₀ inputs of the chip, K converters per interface
//! (`converter-channels`), and f their rate, all of them constants of a [`CostModel`]:
//!
//! ```text
//! T = control_writes/K_c·t_write + cell_writes/K_c·t_cell                        control writing
//!   + control_writes/D·t_settle                                                  settling
//!   + [max(frames, (inputs + injections)/K) + max(frames, reads/K)]/f            conversion
//!   + rounds·t_turn + rounds·passes/frames·L·n_g/c                               turns, propagation
//!   + F/R                                                                        digital
//! E = reads·(e_adc + e_tia) + (inputs + injections)·(e_dac + e_modulator)        reading, writing
//!   + control_writes·e_control + cell_writes·e_cell                              control writing
//!   + [D_heaters·φ/π + D_rings·φ_r/π]·P_π·T + D_pixels·P_pixel·T                 holding
//!   + n₀·P_detector·10^(loss/10)/η·T_on + F·e_flop                               laser, digital
//! ```
//!
//! A frame is one sample at the interface in one round, or one patch where patches of images cross a convolution in turn
//! ([`crate::network::Interface`]). With `"all"` channels every signal has its own converter and a frame takes one cycle each way; K
//! converters take n values in n/K cycles, without gaps, and at least one. T_on, the time with light, is that of conversion and
//! propagation. A layer-wise round crosses only its share passes/frames of the path.
//!
//! Heaters hold the phases of meshes and weight cells, φ on average, and of rings, φ_r: a ring is built to meet its channel in the middle of its
//! heater's range. Pixels of masks are held by their panel. Entries of matrices, whose hardware nobody says, gains behind detectors, numbers of digital
//! electronics and phase-change cells take no power to hold.
//!
//! Not in it: the evaluation of the trained chip, cooling, memory, and everything that all methods share before they begin.

mod terms;
#[cfg(test)]
mod tests;

pub use terms::{Bill, Energy, Time};

use crate::chip::Accesses;
use crate::files::whole::read_text;
use crate::network::{Network, Stage};
use crate::stage::Meaning;
use crate::{Error, Result};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use std::path::Path;

/// Speed of light in vacuum (m/s).
const LIGHT_M_PER_S: f64 = 299_792_458.0;

/// The models that have a name, with their files.
const PRESETS: [(&str, &str); 2] =
    [("bench", include_str!("bench.toml")), ("integrated", include_str!("integrated.toml"))];

/// Longest file of a cost model (bytes).
const LONGEST_FILE: u64 = 1 << 16;

/// Every constant of the model; the keys of its TOML file, required but where it is said. Each has a range, so that no bill is infinite.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, remote = "Self")]
pub struct CostModel {
    /// Conversions per second of one converter for signals, f.
    pub sample_rate_hz: f64,
    /// Converters that work side by side for signals, in each direction, K.
    pub converter_channels: Channels,
    /// Latency of one analogue-digital-analogue turn.
    pub turn_s: f64,
    /// Time to write one control.
    pub control_write_s: f64,
    /// Converters that write controls side by side, K_c.
    pub control_channels: Channels,
    /// Settling after the controls have been written.
    pub settle_s: f64,
    /// Optical path through the chip, L.
    pub path_length_m: f64,
    /// Group index n_g of the waveguides.
    pub group_index: f64,
    /// Digital operations per second, R.
    pub digital_rate_flops: f64,
    /// Energy of reading one value: the converter.
    pub adc_j: f64,
    /// Energy of reading one value: the amplifier behind the photodiode.
    pub tia_j: f64,
    /// Energy of writing one signal: the converter.
    pub dac_j: f64,
    /// Energy of writing one signal: the modulator.
    pub modulator_j: f64,
    /// Energy of writing one control.
    pub control_dac_j: f64,
    /// Power of a heater per phase of π, P_π; 0 for shifters that hold their phase by themselves.
    pub heater_pi_w: f64,
    /// Mean phase φ that a heater holds.
    pub mean_phase_rad: f64,
    /// Mean phase φ_r that the heater of a ring holds. May be left out.
    #[serde(default = "mean_ring_phase")]
    pub mean_ring_phase_rad: f64,
    /// Power that a pixel of a mask takes to hold its phase, P_pixel. May be left out: none.
    #[serde(default)]
    pub pixel_hold_w: f64,
    /// Time to write a phase-change cell, beside that to write a control. May be left out: none.
    #[serde(default)]
    pub cell_write_s: f64,
    /// Energy to write a phase-change cell, beside that to write a control. May be left out: none.
    #[serde(default)]
    pub cell_write_j: f64,
    /// Optical power that a detector needs, P_detector.
    pub detector_min_w: f64,
    /// Loss from the laser to a detector.
    pub path_loss_db: f64,
    /// Efficiency of the laser from the wall plug, η.
    pub wall_plug_efficiency: f64,
    /// Energy of one digital operation.
    pub flop_j: f64,
}

/// The middle of a tenth of a free spectral range.
fn mean_ring_phase() -> f64 {
    std::f64::consts::PI / 10.0
}

/// How many converters there are.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged, expecting = "a number of converters, or \"all\"")]
pub enum Channels {
    /// So many.
    Number(f64),
    /// One for each.
    Word(All),
}

/// The word `all`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum All {
    /// One for each.
    All,
}

impl Channels {
    /// `values` that take turns at the converters.
    fn cycles(self, values: f64) -> f64 {
        match self {
            Channels::Number(channels) => values / channels,
            Channels::Word(All::All) => 0.0,
        }
    }
}

/// What the costs of a chip depend on besides its use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChipSize {
    /// Controls, D.
    pub controls: usize,
    /// Inputs that are lit at once, n₀: those of a patch where patches enter in turn ([`crate::network::Passage::at_once`]).
    pub inputs: usize,
    /// Those of the controls that are pairs of non-volatile cells, D_cells: nothing holds them, and of control_writes those cells count
    /// that are written.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub cells: usize,
    /// What the others are; none in records of earlier versions, which took all of them for heaters.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub others: Option<Others>,
}

/// What those of a chip's controls are that are no cells and not only written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Others {
    /// Heaters of meshes, attenuators and weight cells, D_heaters.
    pub heaters: usize,
    /// Heaters of rings, D_rings.
    pub rings: usize,
    /// Pixels of masks, D_pixels.
    pub pixels: usize,
    /// Numbers of digital electronics, which no converter writes.
    pub digital: usize,
}

fn is_zero(count: &usize) -> bool {
    *count == 0
}

impl ChipSize {
    /// Of a chip of `network`.
    pub fn of(network: &Network) -> Self {
        let runs = || network.stages().flat_map(Stage::runs);
        let of = |meaning| runs().filter(|run| run.meaning == meaning).map(|run| run.count).sum();
        let mut others = Others { digital: of(Meaning::Digital), ..Others::default() };
        for stage in network.stages().flat_map(Stage::parts) {
            let held = stage.heaters().len();
            match stage {
                Stage::Mask(_) => others.pixels += held,
                Stage::RingBank(_) => others.rings += held,
                Stage::Mesh(_) | Stage::Attenuators(_) | Stage::WeightBank(_) | Stage::Own(_) => others.heaters += held,
                // nothing of these is held, and what contains others is there in parts
                Stage::Activation(_)
                | Stage::Detection(_)
                | Stage::Splitter(_)
                | Stage::Combiner(_)
                | Stage::Modulation(_)
                | Stage::Rectifier(_)
                | Stage::Matrix(_)
                | Stage::PhaseChange(_)
                | Stage::Convolution(_)
                | Stage::Normalization(_)
                | Stage::Pooling(_)
                | Stage::FreeSpace(_)
                | Stage::Regions(_)
                | Stage::Series(_)
                | Stage::Residual(_) => debug_assert_eq!(held, 0, "{stage:?} has heaters of its own"),
            }
        }
        let inputs = network.interface().whole.at_once;
        ChipSize { controls: network.controls(), inputs, cells: of(Meaning::Cells), others: Some(others) }
    }

    /// Errs where a number is no size of a chip.
    pub fn validate(&self) -> std::result::Result<(), String> {
        /// More than any memory holds.
        const MOST: usize = 1 << 40;
        let sizes = [("controls", self.controls, 0), ("inputs", self.inputs, 1)];
        let wrong = sizes.into_iter().find(|(_, size, least)| !(*least..=MOST).contains(size));
        if self.cells > self.controls {
            return Err(format!("a chip of {} controls, {} of them cells, is not valid", self.controls, self.cells));
        }
        if let Some(Others { heaters, rings, pixels, digital }) = self.others {
            let all = [self.cells, heaters, rings, pixels, digital].into_iter().fold(0, usize::saturating_add);
            if all > self.controls {
                return Err(format!("a chip of {} controls, {all} of them of some kind, is not valid", self.controls));
            }
        }
        wrong.map_or(Ok(()), |(name, size, least)| {
            Err(format!("a chip of {size} {name} is not valid: must be from {least} to {MOST}"))
        })
    }
}

impl CostModel {
    /// The names of the presets.
    pub fn presets() -> [&'static str; 2] {
        PRESETS.map(|(name, _)| name)
    }

    /// A preset by its name, or else the file with that path.
    pub fn find(name: &str) -> Result<Self> {
        if let Some((_, text)) = PRESETS.iter().find(|preset| preset.0 == name) {
            return Self::parse(text).map_err(|reason| Error::malformed(name, reason));
        }
        let path = Path::new(name);
        if !path.exists() {
            let reason = format!("is neither a file nor one of {}", Self::presets().join(", "));
            return Err(Error::invalid("cost-model", format!("{name:?}"), reason));
        }
        let text = read_text(path, LONGEST_FILE)?;
        Self::parse(&text).map_err(|reason| Error::malformed(path, reason))
    }

    /// Reads the text of a cost model; the error is the reason alone.
    pub fn parse(text: &str) -> std::result::Result<Self, String> {
        let read = toml::Deserializer::parse(text).and_then(CostModel::deserialize); // as it is, to be validated by name
        let model = read.map_err(|error| {
            let line = error.span().map(|span| text[..span.start].matches('\n').count() + 1);
            let place = line.map(|line| format!("line {line}: ")).unwrap_or_default();
            place + &error.message().replace('\n', ", ")
        })?;
        model.validate()?;
        Ok(model)
    }

    /// Errs, with the constant and its range, where one lies out of sense.
    pub fn validate(&self) -> std::result::Result<(), String> {
        const SECONDS: (f64, f64) = (0.0, 1e9);
        const JOULES: (f64, f64) = (0.0, 1e9);
        const WATTS: (f64, f64) = (0.0, 1e9);
        const RATE: (f64, f64) = (1e-9, 1e30);
        const CHANNELS: (f64, f64) = (1e-9, 1e18);
        let channels = |channels| match channels {
            Channels::Number(number) => number,
            Channels::Word(All::All) => 1.0,
        };
        let constants = [
            ("sample-rate-hz", self.sample_rate_hz, RATE),
            ("converter-channels", channels(self.converter_channels), CHANNELS),
            ("control-channels", channels(self.control_channels), CHANNELS),
            ("group-index", self.group_index, (1e-3, 1e6)),
            ("digital-rate-flops", self.digital_rate_flops, RATE),
            ("wall-plug-efficiency", self.wall_plug_efficiency, (1e-9, 1.0)),
            ("turn-s", self.turn_s, SECONDS),
            ("control-write-s", self.control_write_s, SECONDS),
            ("settle-s", self.settle_s, SECONDS),
            ("path-length-m", self.path_length_m, (0.0, 1e12)),
            ("adc-j", self.adc_j, JOULES),
            ("tia-j", self.tia_j, JOULES),
            ("dac-j", self.dac_j, JOULES),
            ("modulator-j", self.modulator_j, JOULES),
            ("control-dac-j", self.control_dac_j, JOULES),
            ("heater-pi-w", self.heater_pi_w, WATTS),
            ("mean-phase-rad", self.mean_phase_rad, (0.0, 1e9)),
            ("mean-ring-phase-rad", self.mean_ring_phase_rad, (0.0, 1e9)),
            ("pixel-hold-w", self.pixel_hold_w, WATTS),
            ("cell-write-s", self.cell_write_s, SECONDS),
            ("cell-write-j", self.cell_write_j, JOULES),
            ("detector-min-w", self.detector_min_w, WATTS),
            ("path-loss-db", self.path_loss_db, (0.0, 1e3)),
            ("flop-j", self.flop_j, JOULES),
        ];
        for (name, value, (least, most)) in constants {
            if !(least..=most).contains(&value) {
                return Err(format!("{name} = {value:e} is not valid: must be from {least:e} to {most:e}"));
            }
        }
        Ok(())
    }

    /// What `accesses` to a chip of this `size` cost.
    pub fn bill(&self, accesses: &Accesses, size: &ChipSize) -> Bill {
        let count = |count: u64| count as f64;
        let (reads, written) = (count(accesses.reads), count(accesses.inputs) + count(accesses.injections));
        let (frames, rounds, writes) = (count(accesses.frames), count(accesses.rounds), count(accesses.control_writes));
        let share = if frames == 0.0 { 0.0 } else { count(accesses.passes) / frames };
        let cycles = |values| self.converter_channels.cycles(values).max(frames);
        let held =
            size.others.unwrap_or(Others { heaters: size.controls.saturating_sub(size.cells), ..Others::default() });
        let settings = writes / size.controls.saturating_sub(held.digital).max(1) as f64;
        let in_turn = |writes: f64, settings: f64| match self.control_channels {
            Channels::Word(All::All) => settings,
            channels => channels.cycles(writes).max(settings),
        };
        let cell_writes = count(accesses.cell_writes);
        let cell_settings = cell_writes / size.cells.max(1) as f64;
        let time = Time {
            control_writing_s: in_turn(writes, settings) * self.control_write_s
                + in_turn(cell_writes, cell_settings) * self.cell_write_s,
            settling_s: settings * self.settle_s,
            conversion_s: (cycles(written) + cycles(reads)) / self.sample_rate_hz,
            turns_s: rounds * self.turn_s,
            propagation_s: rounds * share * self.path_length_m * self.group_index / LIGHT_M_PER_S,
            digital_s: count(accesses.digital_flops) / self.digital_rate_flops,
        };
        let phases = held.heaters as f64 * self.mean_phase_rad + held.rings as f64 * self.mean_ring_phase_rad;
        let holding_w = phases / std::f64::consts::PI * self.heater_pi_w + held.pixels as f64 * self.pixel_hold_w;
        let laser_w = size.inputs as f64 * self.detector_min_w * 10_f64.powf(self.path_loss_db / 10.0)
            / self.wall_plug_efficiency;
        let energy = Energy {
            reading_j: reads * (self.adc_j + self.tia_j),
            writing_j: written * (self.dac_j + self.modulator_j),
            control_writing_j: writes * self.control_dac_j + cell_writes * self.cell_write_j,
            holding_j: holding_w * time.total(),
            laser_j: laser_w * (time.conversion_s + time.propagation_s),
            digital_j: count(accesses.digital_flops) * self.flop_j,
        };
        Bill { time, energy }
    }
}

impl Serialize for CostModel {
    fn serialize<S: Serializer>(&self, serializer: S) -> std::result::Result<S::Ok, S::Error> {
        CostModel::serialize(self, serializer)
    }
}

/// From anywhere, a record of a run as well as a file of one's own: only with constants in their ranges.
impl<'de> Deserialize<'de> for CostModel {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> std::result::Result<Self, D::Error> {
        let model = CostModel::deserialize(deserializer)?;
        model.validate().map_err(serde::de::Error::custom)?;
        Ok(model)
    }
}
