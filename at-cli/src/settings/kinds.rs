//! Kinds of imperfect chips that have a name.

use crate::names;
use anyhow::{Result, anyhow};
use at_core::imperfections::{Control, Imperfections, Memory, Passive, Planes, Process, Rings};

/// The kind whose numbers are drawn as the published demonstration draws them.
pub const DEMONSTRATION: &str = "demo";

/// Names, what they stand for, and where their numbers come from.
pub const KINDS: [(&str, &str, &str); 16] = [
    ("ideal", "no imperfection", ""),
    (
        "weight-bank",
        "uncalibrated responses: amplitudes and slopes 30 % apart, offsets of 0.5 rad",
        "chosen: cells that nobody has calibrated",
    ),
    (
        DEMONSTRATION,
        "the published demonstration and its random numbers: 60 % parameter spread, 60 % update error",
        "AsymmetricalTrainingDemo, `atCode.py`",
    ),
    ("mesh", "splitters of 0.02 rad and phases of 0.04 rad", "chosen: a mesh that was calibrated well"),
    (
        "silicon",
        "a calibrated silicon mesh: thermal shifters with 12 bits, crosstalk 1 %, losses of its parts",
        "loss of a heater: Harris et al., Opt. Express 22, 10487 (2014); range π(V/V_π)² of shifters with V_π 4.36 V at 10.8 V; the rest within \
         what is usual for strip waveguides and thermal shifters, not one device",
    ),
    (
        "silicon-raw",
        "the same as it comes from the fab: any phase, process variation, 1 % of shifters dead",
        "as `silicon`; what the fab leaves is chosen",
    ),
    (
        "ring-bank",
        "microrings: resonances 0.02 rad apart (a third of a linewidth at finesse 100), linewidths 10 %",
        "a third of `ring-bank-raw`, as a calibration would leave; the rest within what is usual for add-drop rings",
    ),
    (
        "ring-bank-raw",
        "the same with resonances as the fab leaves them, 0.06 rad apart",
        "resonances wander by some 1 nm² per cm over wafers, as M. Mohamed and others measured on four: 0.1 nm between neighbours 100 µm apart, of a \
         free spectral range of 10 nm",
    ),
    (
        "ring-bank-dither",
        "rings whose weights dithering has found to 8.5 bits: resonances 1.3e-4 rad apart",
        "8.5 bits: Zhang et al., Optica 9, 579 (2022), of weights from -1 to 1 where they are steepest, at finesse 100; losses as `ring-bank`",
    ),
    (
        "silicon-rings",
        "those of ring-bank with heaters of a tenth of the free spectral range, 12 bits, crosstalk 1 %",
        "steps of 1.5e-4 rad are 8.3 bits of a weight; Zhang et al., Optica 9, 579 (2022), hold weights to 9 bits",
    ),
    (
        "phase-change",
        "cells of 34 levels, contrasts 5 % apart, writings that end 1 % beside their level",
        "34 levels: Li et al., Optica 6, 1 (2019); noise below a third of their distance; the rest of this size, not one device",
    ),
    (
        "phase-change-32",
        "cells of Sb2S3 of 32 levels, writings that end a third of a step beside theirs, else the same",
        "32 levels, steps of 0.50 ± 0.16 dB: Chen et al., Nat. Commun. 14, 3465 (2023)",
    ),
    (
        "phase-change-64",
        "cells of 64 levels, writings that end 0.5 % beside theirs, else the same",
        "64 levels: Wu et al., Nat. Commun. 12, 96 (2021)",
    ),
    (
        "planes",
        "diffractive planes shifted by 40 µm and tilted by 2 mrad, distances off by 75 µm, pixels by 0.3 rad",
        "chosen: assembly by hand at terahertz pitches and printed heights",
    ),
    (
        "panels",
        "liquid-crystal panels of 256 levels, aligned to half a pixel of 8 µm: shifts of 4 µm, tilts of 1 mrad",
        "several hundred levels: Tong et al., Adv. Devices Instrum. 2020, 9515747; alignment to a pixel: Nœtinger et al., arXiv:2511.09440 (2025); the \
         rest chosen",
    ),
    (
        "nitride",
        "a calibrated silicon nitride mesh: low loss, little crosstalk, trenches between heaters",
        "chosen, of the size usual for silicon nitride; the range as `silicon`",
    ),
];

/// The kinds of chips, one per line.
pub fn help() -> String {
    KINDS.map(|(name, meaning, _)| format!("  {name:<16} {meaning}")).join("\n")
}

/// The imperfections of a kind.
pub fn find(name: &str) -> Result<Imperfections> {
    let none = Imperfections::default();
    match name {
        "ideal" => Ok(none),
        "weight-bank" => {
            Ok(Imperfections { response_amplitude: 0.3, response_slope: 0.3, response_offset: 0.5, ..none })
        }
        DEMONSTRATION => Ok(Imperfections { parameter_spread: 0.6, update_error: 0.6, ..none }),
        "mesh" => Ok(Imperfections { splitter_angle: 0.02, phase: 0.04, ..none }),
        "planes" => Ok(Imperfections { planes: PLANES, ..none }),
        "panels" => Ok(Imperfections { planes: PANELS, ..none }),
        "silicon" => Ok(silicon()),
        "silicon-raw" => Ok(Imperfections {
            phase: 0.0,
            passive: Passive { uncalibrated: true, ..silicon().passive },
            process: Process { process_splitter: 0.02, die_splitter: 0.02, ..Process::NONE },
            control: Control { heater_spread: 0.05, dead_shifters: 0.01, dead_random: true, ..silicon().control },
            ..silicon()
        }),
        "nitride" => Ok(Imperfections {
            splitter_angle: 0.01,
            phase: 0.02,
            loss_db: 0.1,
            loss_spread_db: 0.02,
            passive: Passive { propagation_db_cm: 0.2, facet_db: 1.0, ..Passive::NONE },
            control: Control {
                control_range: RANGE,
                control_bits: 12,
                heater_spread: 0.01,
                crosstalk: 0.003,
                ..Control::NONE
            },
            ..none
        }),
        "ring-bank" => Ok(ring_bank()),
        "ring-bank-raw" => {
            let rings = Rings { ring_offset: 0.06, ..ring_bank().rings };
            Ok(Imperfections { rings, ..ring_bank() })
        }
        "ring-bank-dither" => {
            let rings = Rings { ring_offset: DITHERED, ring_linewidth: 0.0, ..ring_bank().rings };
            Ok(Imperfections { rings, ..ring_bank() })
        }
        "silicon-rings" => Ok(Imperfections {
            control: Control {
                control_range: 0.63,
                control_bits: 12,
                heater_spread: 0.01,
                crosstalk: 0.01,
                ..Control::NONE
            },
            ..ring_bank()
        }),
        "phase-change" => Ok(phase_change()),
        "phase-change-32" => {
            let memory = Memory { pcm_levels: 32, ..phase_change().memory };
            Ok(Imperfections { memory, ..phase_change() })
        }
        "phase-change-64" => {
            let memory = Memory { pcm_levels: 64, pcm_write_noise: 0.005, ..phase_change().memory };
            Ok(Imperfections { memory, ..phase_change() })
        }
        _ => Err(anyhow!(names::unknown("chip", name, KINDS.map(|(name, ..)| name)))),
    }
}

/// What careful assembly by hand leaves at terahertz pitches, a tenth of a pixel and of the wavelength, and printed heights. Chosen, not measured.
const PLANES: Planes =
    Planes { pixel_phase: 0.3, plane_shift: 40.0, plane_distance: 75.0, plane_tilt: 0.002, ..Planes::NONE };

/// Phase-only liquid crystal on silicon has several hundred levels (Tong et al., Adv. Devices Instrum. 2020, 9515747: 1024 of them), 8 bits of which
/// drivers take; panels are brought over one another to a pixel (Nœtinger et al., arXiv:2511.09440), here to half of 8 µm. Distances, tilts and what
/// a calibration leaves of phases are chosen.
const PANELS: Planes =
    Planes { pixel_phase: 0.05, mask_levels: 256, plane_shift: 4.0, plane_distance: 50.0, plane_tilt: 0.001 };

/// What dithering leaves of a ring's resonance: weights that are `2·2^-8.5` off, divided by `dw/dφ = 1.3` per half linewidth, of π/100 rad at finesse
/// 100. Zhang et al., Optica 9, 579 (2022), and Opt. Lett., "Microring weight banks control beyond 8.5-bits accuracy".
const DITHERED: f64 = 1.3e-4;

/// Phase at full voltage of published thermal shifters: `π (V_max/V_π)²` with V_π = 4.36 V and V_max = 10.8 V (radians).
const RANGE: f64 = 19.28;

/// Resonances of silicon rings wander over a wafer with a variance of some 1 nm² per cm (as measured on four foundry wafers, M. Mohamed and
/// others), so that neighbours 100 µm apart differ by 0.1 nm, of a free spectral range of 10 nm 0.06 rad; here a third of that is left by a
/// calibration, and none of it in `ring-bank-raw`. The 12 bits of `silicon-rings`, over a tenth of the free spectral range, are steps of 1.5e-4 rad:
/// 8.3 bits of a weight where it is steepest, `dw/dφ = 1.3` per half linewidth; Zhang et al., Optica 9, 579 (2022), hold weights to 9 bits. The
/// rest are values within the ranges usual for add-drop rings, and not those of one device.
fn ring_bank() -> Imperfections {
    let rings = Rings { ring_offset: 0.02, ring_linewidth: 0.1, ring_leak: 0.01, ring_loss_db: 0.5 };
    Imperfections { rings, ..Imperfections::NONE }
}

/// The levels of a cell of Ge₂Sb₂Te₅ on a waveguide as demonstrated by Li et al., Optica 6, 1 (2019); writing noise below a third of the
/// distance of two levels, as telling them apart asks for; of 64 levels, as Wu et al., Nat. Commun. 12, 96 (2021) show with converters of modes,
/// likewise; of 32 levels of Sb₂S₃ steps of 0.50 ± 0.16 dB, a third of a step of 1/31, as Chen et al., Nat. Commun. 14, 3465 (2023), measured. The
/// rest are values of this size, and not those of one device.
fn phase_change() -> Imperfections {
    let memory = Memory { pcm_contrast: 0.05, pcm_offset: 0.02, pcm_levels: 34, pcm_write_noise: 0.01, ..Memory::NONE };
    Imperfections { memory, ..Imperfections::NONE }
}

/// Insertion loss of a heater as measured by Harris et al., Opt. Express 22, 10487 (2014); the rest are values within the ranges
/// usual for strip waveguides and thermal shifters, and not those of one device.
fn silicon() -> Imperfections {
    Imperfections {
        splitter_angle: 0.02,
        phase: 0.05,
        loss_db: 0.23,
        loss_spread_db: 0.13,
        passive: Passive { propagation_db_cm: 2.0, facet_db: 1.5, ..Passive::NONE },
        control: Control {
            control_range: RANGE,
            control_bits: 12,
            heater_spread: 0.01,
            crosstalk: 0.01,
            ..Control::NONE
        },
        ..Imperfections::NONE
    }
}
