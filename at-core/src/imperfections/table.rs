//! The table of imperfections: a row each, from which follow the statistics from which chips are drawn ([`Imperfections`] and its parts),
//! their validation, what a data sheet says of them, and in the program flags, help and a page of the docs.

use super::TRUNCATION;
use super::imperfection::{Acts, Imperfection, Part, Range, Scope, Unit, Value};
use crate::Result;
use Acts::{On, OnAll, With};
use serde::{Deserialize, Serialize};

/// Hands the table to the macro `$then`, behind what is its own: `imperfections!(then own…)`.
///
/// Sections in braces have rows `name in part: type = default, unit, range, scope, acts on, help`, in the order of flags and of files. The
/// part is the field of [`Imperfections`](crate::imperfections::Imperfections) that holds the row's, with a struct of its own.
#[macro_export]
macro_rules! imperfections {
    ($then:ident $($own:tt)*) => { $then! { $($own)*

plain {
    /// Standard deviation of the couplers' angle errors δ, both couplers of an MZI independent.
    splitter_angle: f64 = 0.0, Radian, Range::COUPLERS, Individual, On(Part::Meshes),
        "Meshes: spread of the couplers' angle errors (radians)";
    /// Standard deviation of the static phase error of θ and φ.
    phase: f64 = 0.0, Radian, Range::PHASES, Individual, On(Part::Meshes),
        "Meshes: spread of the static phase errors (radians)";
    /// Insertion loss per waveguide and column, as a loss of power.
    loss_db: f64 = 0.0, Decibel, Range::LOSS, Kind, On(Part::Meshes),
        "Meshes: insertion loss per waveguide and column (dB)";
    /// Standard deviation of that loss between waveguides; a negative draw counts as no loss.
    loss_spread_db: f64 = 0.0, Decibel, Range::LOSSES, Individual, On(Part::Meshes),
        "Meshes: spread of that loss (dB)";
    /// Standard deviation of the relative deviation of every entry.
    parameter_spread: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, On(Part::Matrices),
        "Matrices: relative spread of every entry";
    /// Standard deviation of the relative deviation of a cell's amplitude.
    response_amplitude: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, On(Part::WeightBanks),
        "Weight banks: relative spread of the cells' amplitudes";
    /// Standard deviation of the relative deviation of a cell's slope.
    response_slope: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, On(Part::WeightBanks),
        "Weight banks: relative spread of the cells' slopes";
    /// Standard deviation of a cell's phase offset.
    response_offset: f64 = 0.0, Radian, Range::NOT_NEGATIVE, Individual, On(Part::WeightBanks),
        "Weight banks: spread of the cells' phase offsets (radians)";
    /// Standard deviation of the relative error with which the chip follows updates of a control.
    update_error: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, OnAll,
        "All: relative spread of the slope with which the chip follows its controls";
    /// Relative strength of the mixing of hidden signals ([`crate::fabrication::perturbation`]).
    perturbation: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Chip, On(Part::Hidden),
        "Hidden layers: relative strength of a fixed mixing of their signals that no digital model describes";
}

passive {
    /// Mean angle error of all couplers, of either sign.
    splitter_mean in passive: f64 = 0.0, Radian, Range::COUPLER, Kind, On(Part::Meshes),
        "Meshes: mean of the couplers' angle errors (radians)";
    /// Standard deviation of the couplers' power split ε, powers `(1 ± ε)/2`: an angle error `-½ asin ε`.
    splitter_split in passive: f64 = 0.0, Fraction, Range::up_to(1.0, "is of a share of the power, from 0 to 1"), Individual,
        On(Part::Meshes), "Meshes: spread of the couplers' power split, powers (1 ± e)/2";
    /// Both couplers of an MZI have the same error.
    splitter_equal in passive: bool = false, Switch, Range::SWITCH, Kind, With("splitter-angle"),
        "Meshes: both couplers of an MZI have the same error";
    /// Phases of θ and φ, and of a weight bank's cells, are uniform over 2π: nothing was ever calibrated.
    uncalibrated in passive: bool = false, Switch, Range::SWITCH, Individual, On(Part::Shifters),
        "Meshes and weight banks: every phase starts anywhere in 2π";
    /// Loss of the waveguides, of power; a column is two pitches long.
    propagation_db_cm in passive: f64 = 0.0, DecibelPerCentimetre, Range::NOT_NEGATIVE, Kind, On(Part::Meshes),
        "Meshes: loss of the waveguides (dB per cm)";
    /// Loss differs between waveguides by up to ± this share of it, uniformly.
    path_imbalance in passive: f64 = 0.0, Fraction, Range::up_to(1.0, "is a share of the loss, from 0 to 1"), Individual,
        With("propagation-db-cm"), "Meshes: loss differs between waveguides by up to ± this share";
    /// Loss of power where light enters a chip and again where it leaves, for every mesh.
    facet_db in passive: f64 = 0.0, Decibel, Range::NOT_NEGATIVE, Kind, On(Part::Meshes),
        "Meshes: loss where light enters and where it leaves (dB each)";
    /// Loss of power of both waveguides where two cross between the columns of a mesh whose interferometers do not join neighbours.
    crossing_db in passive: f64 = 0.0, Decibel, Range::NOT_NEGATIVE, Kind, On(Part::Crossings),
        "Meshes: loss where waveguides cross, as in a butterfly (dB)";
    /// Behind every mesh an optical amplifier makes up for the mesh's nominal loss: that of the data sheet, not the individual's.
    /// It is noiseless and linear.
    amplified in passive: bool = false, Switch, Range::SWITCH, Kind, With("loss-db"),
        "Meshes: a noiseless amplifier behind each makes up for its nominal loss";
}

process {
    /// s of the couplers' angles.
    process_splitter in process: f64 = 0.0, Radian, Range::COUPLERS, Individual, On(Part::Meshes),
        "Meshes: spread of the couplers' angle errors that neighbours share (radians)";
    /// s of the phases.
    process_phase in process: f64 = 0.0, Radian, Range::PHASES, Individual, On(Part::Shifters),
        "Meshes and weight banks: spread of phase errors that neighbours share (radians)";
    /// ℓ.
    process_length in process: f64 = 1000.0, Micrometre, Range::POSITIVE, Kind, With("process-phase"),
        "Length over which neighbours share [default: 1000 µm]";
    /// σ_d of the couplers' angles.
    die_splitter in process: f64 = 0.0, Radian, Range::COUPLERS, Individual, On(Part::Meshes),
        "Meshes: spread of a die's mean angle error (radians)";
    /// σ_d of the phases.
    die_phase in process: f64 = 0.0, Radian, Range::PHASES, Individual, On(Part::Shifters),
        "Meshes and weight banks: spread of a die's mean phase error (radians)";
}

rings {
    /// Standard deviation of a ring's resonance, as its round-trip phase: 2π is a free spectral range.
    ring_offset in rings: f64 = 0.0, Radian, Range::NOT_NEGATIVE, Individual, On(Part::RingBanks),
        "Ring banks: spread of the rings' resonances, as round-trip phases (radians)";
    /// Standard deviation of the logarithm of a ring's linewidth.
    ring_linewidth in rings: f64 = 0.0, Fraction, Range::FRACTION, Individual, On(Part::RingBanks),
        "Ring banks: relative spread of the rings' linewidths";
    /// Share x of the power that stays in the bus on resonance: finite extinction, of 20 dB where it is 0.01.
    ring_leak in rings: f64 = 0.0, Fraction, Range::FRACTION, Kind, On(Part::RingBanks),
        "Ring banks: share of the power that stays in the bus on resonance; 0.01 is an extinction of 20 dB";
    /// Loss of what a ring drops, of power.
    ring_loss_db in rings: f64 = 0.0, Decibel, Range::NOT_NEGATIVE, Kind, On(Part::RingBanks),
        "Ring banks: loss of what a ring drops (dB)";
}

memory {
    /// Standard deviation of the relative error of a cell's contrast, between its extreme transmissions.
    pcm_contrast in memory: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, On(Part::PhaseChange),
        "Phase-change cells: relative spread of their contrasts";
    /// Standard deviation of the difference of a pair at rest, as a share of the contrast.
    pcm_offset in memory: f64 = 0.0, Fraction, Range::NOT_NEGATIVE, Individual, On(Part::PhaseChange),
        "Phase-change cells: spread of the difference of a pair at rest, as a share of the contrast";
    /// Levels L of a cell; 0 for any.
    pcm_levels in memory: u32 = 0, Level, Range::up_to(65536.0, "a cell has 2 to 65536 levels; 0 is any"), Kind,
        On(Part::PhaseChange), "Phase-change cells: levels of each; 0: any";
    /// σ: standard deviation of where a writing ends beside its level, whatever that is, as a share of the contrast.
    pcm_write_noise in memory: f64 = 0.0, Fraction, Range::FRACTION, Chip, On(Part::PhaseChange),
        "Phase-change cells: spread of where a writing ends beside its level, as a share of the contrast";
    /// σ_c: relative standard deviation of the level that a writing reaches, from cycle to cycle: what one pulse changes of the film differs from the next
    /// one's, the more the more it changes (intra-device variability: Sebastian et al., Nat. Nanotechnol. 15, 529 (2020)).
    pcm_cycle_spread in memory: f64 = 0.0, Fraction, Range::FRACTION, Chip, On(Part::PhaseChange),
        "Phase-change cells: relative spread of the level that a writing reaches, from cycle to cycle";
}

planes {
    /// Standard deviation of the static phase error of a mask's pixels.
    pixel_phase in planes: f64 = 0.0, Radian, Range::PHASES, Individual, On(Part::Masks),
        "Masks: spread of the static phase errors of pixels (radians)";
    /// L: levels of the phases of a mask's pixels, `2πk/L`; 0 for any phase.
    mask_levels in planes: u32 = 0, Level, Range::up_to(65536.0, "a pixel has 2 to 65536 levels; 0 is any"), Kind,
        On(Part::Masks), "Masks: levels of the phases of pixels, even over a turn, as of a panel or printed heights; 0: any";
    /// Standard deviation of a plane's shift against the plane before, along x and along y.
    plane_shift in planes: f64 = 0.0, Micrometre, Range::NOT_NEGATIVE, Individual, On(Part::Planes),
        "Diffractive planes: spread of shifts against the plane before, along x and along y (µm)";
    /// Standard deviation of a plane's distance from the plane before.
    plane_distance in planes: f64 = 0.0, Micrometre, Range::NOT_NEGATIVE, Individual, On(Part::Planes),
        "Diffractive planes: spread of the distances between planes (µm)";
    /// Standard deviation of the angles to its normal from which a plane gets its light, along x and along y.
    plane_tilt in planes: f64 = 0.0, Radian, Range::TILT, Individual, On(Part::Planes),
        "Diffractive planes: spread of tilts against the light, along x and along y (radians)";
}

plan {
    /// Distance of nearest heaters.
    pitch in control: f64 = 100.0, Micrometre, Range::POSITIVE, Kind, With("crosstalk"),
        "Distance of nearest heaters [default: 100 µm]";
}

module {
    /// Side of the physical module that does the work of larger layers, and of all layers of one shape, in turn, as
    /// [`crate::fabrication::copies`] says; 0 for hardware of its own everywhere.
    module: usize = 0, Cell, Range::COUNT, Kind, With("response-slope"),
        "Side of one module that does the work of larger layers in turn (temporal copies); 0: hardware for all";
}

control {
    /// Largest phase R that a shifter reaches; 0 for any phase.
    control_range in control: f64 = 0.0, Radian, Range::NOT_NEGATIVE, Kind, On(Part::Shifters),
        "Phase shifters: largest phase, of a heater driven by a voltage (radians); 0: any phase";
    /// Bits of the converters that set voltages, over the range; 0 for any voltage.
    control_bits in control: u32 = 0, Bit, Range::up_to(24.0, "a converter has 1 to 24 bits; 0 is ideal"), Kind,
        On(Part::Shifters), "Phase shifters: bits of the voltage; 0: any voltage";
    /// Relative standard deviation γ of the heaters' phase per power, cut off at three of them.
    heater_spread in control: f64 = 0.0, Fraction,
        Range::up_to(1.0 / TRUNCATION, "cut off at three spreads, a heater would cool: lies between 0 and 1/3"), Individual,
        On(Part::Shifters), "Phase shifters: relative spread of phase per heat";
    /// Share q of the fourth order in the voltage, at full range.
    heater_quartic in control: f64 = 0.0, Fraction,
        Range::up_to(1.0, "is a share of the phase at full range, from 0 to 1"), Individual,
        On(Part::Shifters), "Phase shifters: share of V⁴ in the phase at full range";
    /// Crosstalk κ between nearest heaters, as a share of the phase.
    crosstalk in control: f64 = 0.0, Fraction,
        Range::up_to(1.0, "is a share of a heater's phase that a neighbour gets, from 0 to 1"), Kind,
        On(Part::Shifters), "Phase shifters: share of a phase that the nearest ones get";
    /// Length over which crosstalk falls by e.
    crosstalk_length in control: f64 = 50.0, Micrometre, Range::POSITIVE, Kind, With("crosstalk"),
        "Length over which crosstalk falls by e [default: 50 µm]";
}

dead {
    /// Fraction of shifters that do not answer.
    dead_shifters in control: f64 = 0.0, Fraction, Range::FRACTION, Individual, On(Part::Shifters),
        "Phase shifters: fraction that does not answer";
    /// Dead shifters stand at a random phase instead of 0.
    dead_random in control: bool = false, Switch, Range::SWITCH, Kind, With("dead-shifters"),
        "Dead phase shifters stand at a random phase, not at 0";
}

drift {
    /// σ: step of every control by itself, per programming.
    drift_step in drift: f64 = 0.0, Radian, Range::STEP, Chip, OnAll,
        "Random walk of every control, per programming (radians)";
    /// σ_T: step common to all controls, per programming.
    drift_common in drift: f64 = 0.0, Radian, Range::STEP, Chip, OnAll,
        "Random walk common to all controls, per programming (radians)";
    /// k: share of ε that is lost per programming; 0 for a random walk.
    drift_return in drift: f64 = 0.0, Fraction, Range::up_to(1.0, "is a share, from 0 to 1"), Chip, With("drift-step"),
        "Share of the drift that is lost per programming; 0: a free walk";
}

noise {
    /// Standard deviation g of one relative gain per layer and pass, common to all its samples and modes: `fd` of the
    /// published demonstration. It acts behind the layer's rectifier, which for gains above 0 and a threshold of 0 is the same.
    gain_noise in noise: f64 = 0.0, Fraction, Range::BRIGHTNESS, Chip, OnAll,
        "Relative gain noise of a layer, common to a whole batch (`fd` of the published demonstration)";
    /// Hidden signals: relative standard deviation ρ, per sample and mode.
    hidden_relative_noise in noise: f64 = 0.0, Fraction, Range::DEVIATION, Chip, On(Part::Hidden),
        "Relative noise of hidden signals, per sample and mode";
    /// Hidden signals: absolute standard deviation α, per sample and mode.
    hidden_absolute_noise in noise: f64 = 0.0, Signal, Range::DEVIATION, Chip, On(Part::Hidden),
        "Absolute noise of hidden signals, per sample and mode";
    /// Whatever is read: relative standard deviation r of the laser's power, one draw per sample and common to all its modes.
    laser_noise in noise: f64 = 0.0, Fraction, Range::BRIGHTNESS, Chip, OnAll,
        "Relative intensity noise of the laser, common to all modes of a sample";
    /// Whatever is read as a real number: shot noise, standard deviation s at a signal of 1, growing with its square root.
    shot_noise in noise: f64 = 0.0, Signal, Range::DEVIATION, Chip, OnAll,
        "Shot noise of what is read, at a signal of 1";
    /// Whatever is read: standard deviation α of thermal noise.
    thermal_noise in noise: f64 = 0.0, Signal, Range::DEVIATION, Chip, OnAll,
        "Thermal noise of what is read";
    /// Bits of the converters that read; 0 for ideal ones.
    adc_bits in noise: u32 = 0, Bit, Range::up_to(16.0, "a converter has 1 to 16 bits; 0 is an ideal one"), Chip, OnAll,
        "Bits of the converters that read; 0: ideal ones";
    /// Full scale of these converters: they read 0 to this, or ± this where signals have a sign; their steps are still numbers in
    /// single precision.
    adc_range in noise: f64 = 1.0, Signal,
        Range { least: 1e-30, most: 1e30, demand: "must be positive, from 1e-30 to 1e30" }, Chip, With("adc-bits"),
        "Largest signal that these converters read [default: 1]";
}

    } };
}

/// The struct of some rows, and of parts that have structs of their own; `together` checks what holds for several values.
macro_rules! part {
    (
        $(#[$about:meta])* $struct:ident $(and $together:ident)? { $($(#[$part_about:meta])* $part:ident: $kind:ident,)* }
        { $($(#[$doc:meta])* $name:ident $(in $home:ident)?: $type:ty = $default:expr, $unit:ident, $range:expr, $scope:ident,
            $acts:expr, $help:literal;)* }
    ) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
        #[serde(default, rename_all = "kebab-case", deny_unknown_fields)]
        pub struct $struct {
            $($(#[$doc])* #[doc = concat!("\n\nIn [`Unit::", stringify!($unit), "`], by default ", stringify!($default), ".")]
            pub $name: $type,)*
            $($(#[$part_about])* pub $part: $kind,)*
        }

        impl $struct {
            /// As designed.
            pub const NONE: $struct = $struct { $($name: $default,)* $($part: $kind::NONE,)* };

            /// Errs where a value has no physical meaning.
            pub fn validate(&self) -> Result<()> {
                $($range.check(kebab!($name), self.$name.into())?;)*
                $(self.$part.validate()?;)*
                $(self.$together()?;)?
                Ok(())
            }
        }

        impl Default for $struct {
            fn default() -> Self {
                Self::NONE
            }
        }
    };
}

/// The name of a field as flags and files have it: `loss-db` of `loss_db`.
macro_rules! kebab {
    ($name:ident) => {{
        const FIELD: &str = stringify!($name);
        const NAME: [u8; FIELD.len()] = with_hyphens(FIELD);
        const TEXT: &str = match str::from_utf8(&NAME) {
            Ok(text) => text,
            Err(_) => panic!("a field's name is ASCII"),
        };
        TEXT
    }};
}

const fn with_hyphens<const N: usize>(name: &str) -> [u8; N] {
    let mut bytes = [0; N];
    let mut at = 0;
    while at < N {
        bytes[at] = if name.as_bytes()[at] == b'_' { b'-' } else { name.as_bytes()[at] };
        at += 1;
    }
    bytes
}

/// [`Imperfections::TABLE`] of all rows.
macro_rules! table {
    ($({ $($(#[$doc:meta])* $name:ident $(in $home:ident)?: $type:ty = $default:expr, $unit:ident, $range:expr, $scope:ident,
        $acts:expr, $help:literal;)* })*) => {
        impl Imperfections {
            /// Every imperfection, in the order of flags.
            pub const TABLE: &[Imperfection] = &[$($(Imperfection {
                name: kebab!($name),
                unit: Unit::$unit,
                range: $range,
                scope: Scope::$scope,
                acts: $acts,
                help: $help,
                get: |kind| Value::from(kind.$($home.)?$name),
                copy: |to, from| to.$($home.)?$name = from.$($home.)?$name,
            },)*)*];
        }
    };
}

/// Makes everything of the table.
macro_rules! everything {
    (
        plain { $($plain:tt)* } passive $passive:tt process $process:tt rings $rings:tt memory $memory:tt planes $planes:tt plan { $($plan:tt)* } module { $($module:tt)* }
        control { $($control:tt)* } dead { $($dead:tt)* } drift $drift:tt noise $noise:tt
    ) => {
        part! {
            /// Spreads of a chip's static imperfections, and what it does besides; all default to nothing. One seed draws one chip.
            Imperfections {
                /// Meshes: what else light meets.
                passive: Passive,
                /// Meshes and weight banks: variation that neighbours share.
                process: Process,
                /// Ring banks: resonances, and what rings do not drop.
                rings: Rings,
                /// Phase-change crossbars: cells, and how they are written.
                memory: Memory,
                /// Masks and free space: pixels and planes.
                planes: Planes,
                /// Phase shifters: how controls become phases.
                control: Control,
                /// All: slow drift, of the chip alone.
                drift: Drift,
                /// All: fast noise, of the chip alone.
                noise: Noise,
            } { $($plain)* $($module)* }
        }
        part! {
            /// What light meets in meshes beside the plain spreads of [`Imperfections`], to which it adds.
            Passive {} $passive
        }
        part! {
            /// Deviations that neighbours share (`imperfections::process` has their field).
            Process {} $process
        }
        part! {
            /// What microrings have wrong ([`crate::stage::RingBank`]).
            Rings {} $rings
        }
        part! {
            /// What phase-change cells have wrong, and how they are written ([`crate::stage::PhaseChange`]).
            Memory and validate_together {} $memory
        }
        part! {
            /// Pixels of masks, and where planes stand in free space ([`crate::optics::angular_spectrum`]).
            Planes and validate_together {} $planes
        }
        part! {
            /// How controls become phases, of all stages with phase shifters ([`crate::fabrication::control`]).
            Control and validate_together {} { $($control)* $($plan)* $($dead)* }
        }
        part! {
            /// How fast a chip drifts ([`crate::fabrication::drift`]).
            Drift {} $drift
        }
        part! {
            /// The noise of a chip's signals, in the units of these signals ([`crate::fabrication::noise`]).
            Noise {} $noise
        }
        table! { { $($plain)* } $passive $process $rings $memory $planes { $($plan)* } { $($module)* } { $($control)* } { $($dead)* } $drift $noise }
    };
}

imperfections!(everything);

#[cfg(test)]
#[path = "table_tests.rs"]
mod tests;
