//! Kinds of chips: every imperfection by itself, with what it cannot be without, and all together.

use at_core::imperfections::{Control, Drift, Imperfections, Memory, Noise, Passive, Planes, Process, Rings};

const NONE: Imperfections = Imperfections::NONE;

/// Every kind by its name.
pub fn kinds() -> Vec<(&'static str, Imperfections)> {
    let passive = |passive| Imperfections { passive, ..NONE };
    let lossy = |passive| Imperfections { loss_db: 0.3, loss_spread_db: 0.05, passive, ..NONE };
    let process = |process| Imperfections { process, ..NONE };
    let planes = |planes| Imperfections { planes, ..NONE };
    let control = |control| Imperfections { control, ..NONE };
    let rings = |rings| Imperfections { rings, ..NONE };
    let memory = |memory| Imperfections { memory, ..NONE };
    let noise = |noise| Imperfections { noise, ..NONE };
    let drift = |drift| Imperfections { drift, ..NONE };
    let scattered = Imperfections { splitter_angle: 0.1, ..NONE };
    let crosstalk = Control { crosstalk: 0.05, crosstalk_length: 50.0, pitch: 100.0, ..Control::NONE };
    vec![
        ("splitter-angle", scattered),
        ("phase", Imperfections { phase: 0.3, ..NONE }),
        ("loss", Imperfections { loss_db: 0.2, ..NONE }),
        ("loss-spread", Imperfections { loss_db: 0.2, loss_spread_db: 0.15, ..NONE }),
        ("parameter-spread", Imperfections { parameter_spread: 0.6, ..NONE }),
        ("response-amplitude", Imperfections { response_amplitude: 0.2, ..NONE }),
        ("response-slope", Imperfections { response_slope: 0.2, ..NONE }),
        ("response-offset", Imperfections { response_offset: 0.1, ..NONE }),
        ("update-error", Imperfections { update_error: 0.4, ..NONE }),
        ("perturbation", Imperfections { perturbation: 0.3, ..NONE }),
        ("splitter-mean", passive(Passive { splitter_mean: -0.05, ..Passive::NONE })),
        ("splitter-split", passive(Passive { splitter_split: 0.04, ..Passive::NONE })),
        ("splitter-equal", Imperfections { passive: Passive { splitter_equal: true, ..Passive::NONE }, ..scattered }),
        ("uncalibrated", passive(Passive { uncalibrated: true, ..Passive::NONE })),
        ("propagation", passive(Passive { propagation_db_cm: 2.0, ..Passive::NONE })),
        ("path-imbalance", lossy(Passive { path_imbalance: 0.3, ..Passive::NONE })),
        ("facet", passive(Passive { facet_db: 1.5, ..Passive::NONE })),
        ("crossing", passive(Passive { crossing_db: 0.2, ..Passive::NONE })),
        ("amplified", lossy(Passive { amplified: true, facet_db: 0.5, ..Passive::NONE })),
        ("process-splitter", process(Process { process_splitter: 0.1, process_length: 150.0, ..Process::NONE })),
        ("process-phase", process(Process { process_phase: 0.5, process_length: 400.0, ..Process::NONE })),
        ("die-splitter", process(Process { die_splitter: 0.1, ..Process::NONE })),
        ("die-phase", process(Process { die_phase: 1.0, ..Process::NONE })),
        ("ring-offset", rings(Rings { ring_offset: 0.1, ..Rings::NONE })),
        ("ring-linewidth", rings(Rings { ring_linewidth: 0.2, ..Rings::NONE })),
        ("ring-leak", rings(Rings { ring_leak: 0.05, ..Rings::NONE })),
        ("ring-loss", rings(Rings { ring_loss_db: 0.5, ..Rings::NONE })),
        ("pcm-contrast", memory(Memory { pcm_contrast: 0.1, ..Memory::NONE })),
        ("pcm-offset", memory(Memory { pcm_offset: 0.05, ..Memory::NONE })),
        ("pcm-levels", memory(Memory { pcm_levels: 8, ..Memory::NONE })),
        ("pcm-write-noise", memory(Memory { pcm_levels: 8, pcm_write_noise: 0.02, ..Memory::NONE })),
        ("pcm-cycle-spread", memory(Memory { pcm_levels: 8, pcm_cycle_spread: 0.05, ..Memory::NONE })),
        ("pixel-phase", planes(Planes { pixel_phase: 0.3, ..Planes::NONE })),
        ("mask-levels", planes(Planes { mask_levels: 4, ..Planes::NONE })),
        ("plane-shift", planes(Planes { plane_shift: 60.0, ..Planes::NONE })),
        ("plane-distance", planes(Planes { plane_distance: 90.0, ..Planes::NONE })),
        ("plane-tilt", planes(Planes { plane_tilt: 0.05, ..Planes::NONE })),
        ("control-range", control(Control { control_range: 7.0, ..Control::NONE })),
        ("control-bits", control(Control { control_range: 7.0, control_bits: 6, ..Control::NONE })),
        ("heater-spread", control(Control { heater_spread: 0.05, ..Control::NONE })),
        ("heater-quartic", control(Control { control_range: 7.0, heater_quartic: 0.1, ..Control::NONE })),
        ("crosstalk", control(crosstalk)),
        ("crosstalk-length", control(Control { crosstalk_length: 80.0, pitch: 127.0, ..crosstalk })),
        ("dead-shifters", control(Control { dead_shifters: 0.2, ..Control::NONE })),
        ("dead-random", control(Control { dead_shifters: 0.2, dead_random: true, ..Control::NONE })),
        ("drift-step", drift(Drift { drift_step: 0.02, ..Drift::NONE })),
        ("drift-common", drift(Drift { drift_common: 0.02, drift_return: 0.1, ..Drift::NONE })),
        ("gain-noise", noise(Noise { gain_noise: 0.1, ..Noise::NONE })),
        ("hidden-relative-noise", noise(Noise { hidden_relative_noise: 0.1, ..Noise::NONE })),
        ("hidden-absolute-noise", noise(Noise { hidden_absolute_noise: 0.1, ..Noise::NONE })),
        ("laser-noise", noise(Noise { laser_noise: 0.1, ..Noise::NONE })),
        ("shot-noise", noise(Noise { shot_noise: 0.1, ..Noise::NONE })),
        ("thermal-noise", noise(Noise { thermal_noise: 0.1, ..Noise::NONE })),
        ("adc", noise(Noise { adc_bits: 6, adc_range: 2.0, ..Noise::NONE })),
        ("module", Imperfections { module: 3, ..STATIC }),
        ("everything", EVERYTHING),
    ]
}

/// Everything that stands still, of moderate size.
pub const STATIC: Imperfections = Imperfections {
    splitter_angle: 0.05,
    phase: 0.1,
    loss_db: 0.1,
    loss_spread_db: 0.02,
    parameter_spread: 0.3,
    response_amplitude: 0.1,
    response_slope: 0.1,
    response_offset: 0.1,
    update_error: 0.2,
    perturbation: 0.1,
    passive: Passive { splitter_mean: 0.02, splitter_split: 0.03, facet_db: 0.3, path_imbalance: 0.2, ..Passive::NONE },
    process: Process {
        process_splitter: 0.03,
        process_phase: 0.1,
        process_length: 300.0,
        die_splitter: 0.02,
        die_phase: 0.1,
    },
    planes: Planes { pixel_phase: 0.1, plane_shift: 30.0, plane_distance: 20.0, plane_tilt: 0.02, ..Planes::NONE },
    control: Control {
        control_range: 14.0,
        control_bits: 12,
        heater_spread: 0.03,
        heater_quartic: 0.02,
        crosstalk: 0.01,
        crosstalk_length: 50.0,
        pitch: 100.0,
        ..Control::NONE
    },
    ..NONE
};

/// That, with drift and noise.
pub const EVERYTHING: Imperfections = Imperfections {
    drift: Drift { drift_step: 0.01, drift_common: 0.01, drift_return: 0.05 },
    noise: Noise {
        gain_noise: 0.05,
        hidden_relative_noise: 0.02,
        hidden_absolute_noise: 0.01,
        laser_noise: 0.02,
        shot_noise: 0.01,
        thermal_noise: 0.01,
        adc_bits: 12,
        adc_range: 20.0,
    },
    ..STATIC
};

/// Names and values of all numbers in the serialised form of a kind.
fn leaves(prefix: &str, value: &serde_json::Value, found: &mut Vec<(String, serde_json::Value)>) {
    match value {
        serde_json::Value::Object(entries) => {
            entries.iter().for_each(|(name, value)| leaves(&format!("{prefix}/{name}"), value, found));
        }
        other => found.push((prefix.to_string(), other.clone())),
    }
}

#[test]
fn every_imperfection_is_among_the_kinds() {
    let leaves_of = |kind: &Imperfections| {
        let mut found = Vec::new();
        leaves("", &serde_json::to_value(kind).unwrap(), &mut found);
        found
    };
    let all: Vec<_> = kinds().iter().map(|(_, kind)| leaves_of(kind)).collect();
    for (index, (name, none)) in leaves_of(&NONE).into_iter().enumerate() {
        assert!(all.iter().any(|kind| kind[index].1 != none), "no golden chip has {name}; add a kind, and record it");
    }
}
