//! From what a chip is told to what stands in it, control by control.

use crate::fabrication::Fabrication;
use std::f64::consts::TAU;

/// Effective controls at `told`, counted from the `first` ones, with `drift` added.
pub fn effective(fabrication: &Fabrication, told: &[f64], first: &[f64], drift: &[f64]) -> Vec<f64> {
    let path = &fabrication.control;
    let followed = followed(fabrication, told, first);
    let heat = |k: usize| heat(fabrication, k, followed[k]).0;
    let stands = |k: usize| {
        let base = path.shifters.get(k).map_or(0.0, |shifter| shifter.base);
        let neighbours: f64 = neighbours(fabrication, k).map(|(other, strength)| strength * heat(other)).sum();
        base + heat(k) + neighbours + drift.get(k).copied().unwrap_or(0.0)
    };
    (0..told.len()).map(stands).collect()
}

/// From the gradient at the effective controls to that at the told ones: `(1 + E_k)·h'_k·(g_k + Σ_j Γ_jk g_j)`.
pub fn carry_back(fabrication: &Fabrication, told: &[f64], first: &[f64], gradient: &[f64]) -> Vec<f64> {
    let followed = followed(fabrication, told, first);
    let mut felt = gradient.to_vec();
    for (k, slope) in gradient.iter().enumerate() {
        for (other, strength) in neighbours(fabrication, k) {
            felt[other] += strength * slope;
        }
    }
    let slope = |k: usize| 1.0 + fabrication.update_error.get(k).copied().unwrap_or(0.0);
    (0..told.len()).map(|k| slope(k) * heat(fabrication, k, followed[k]).1 * felt[k]).collect()
}

/// `c₀ + (1 + E)∘(c - c₀)`.
fn followed(fabrication: &Fabrication, told: &[f64], first: &[f64]) -> Vec<f64> {
    if fabrication.update_error.is_empty() {
        return told.to_vec();
    }
    let steps = told.iter().zip(first).zip(&fabrication.update_error);
    steps.map(|((now, first), error)| first + (1.0 + error) * (now - first)).collect()
}

fn neighbours(fabrication: &Fabrication, k: usize) -> impl Iterator<Item = (usize, f64)> + '_ {
    let coupling = &fabrication.control.coupling;
    let entries = match coupling.starts.get(k..k + 2) {
        Some(ends) => ends[0] as usize..ends[1] as usize,
        None => 0..0,
    };
    entries.map(|entry| (coupling.neighbours[entry] as usize, coupling.strengths[entry]))
}

/// A heater's phase, and its derivative at the voltage that is held.
fn heat(fabrication: &Fabrication, k: usize, control: f64) -> (f64, f64) {
    let path = &fabrication.control;
    let Some(shifter) = path.shifters.get(k) else { return (control, 1.0) };
    if shifter.range == 0.0 {
        return (shifter.gain * control, shifter.gain);
    }
    if shifter.range < 0.0 && shifter.base > 0.0 {
        // a pixel with levels of a turn
        let step = TAU / -shifter.range;
        return (step * (control / step + 0.5).floor(), 1.0);
    }
    if shifter.range < 0.0 {
        // a pair of phase-change cells
        let steps = -shifter.range;
        let reached = control.clamp(-1.0, 1.0);
        return ((reached * steps + 0.5).floor() / steps, if reached == control { 1.0 } else { 0.0 });
    }
    let mut phase = control - shifter.base;
    if phase < 0.0 || phase > shifter.range {
        phase = phase.rem_euclid(TAU);
    }
    let reachable = phase.min(shifter.range);
    let mut voltage = (reachable / shifter.range).sqrt();
    if path.levels > 0.0 {
        voltage = (voltage * path.levels + 0.5).floor() / path.levels;
    }
    let heat = shifter.range * (shifter.gain * voltage.powi(2) + path.quartic * voltage.powi(4));
    let slope = if phase > shifter.range { 0.0 } else { shifter.gain + 2.0 * path.quartic * voltage.powi(2) };
    (heat, slope)
}
