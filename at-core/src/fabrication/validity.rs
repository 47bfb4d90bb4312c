//! Which numbers a chip can have: what no chip has is one error, before any engine counts on it.
//!
//! Engines read crosstalk by its indices and turn losses and angles into single precision, so a chip that passes is safe on every
//! engine: no index leaves its array, and no angle, loss or factor leaves the range in which single precision means something.

use super::Fabrication;
use super::control::ControlPath;
use crate::error::same_size;
use crate::imperfections::LARGEST_ERROR;
use crate::network::{Network, Stage};
use crate::stage::{ErrorVector, Meaning, StageErrors};
use crate::{Error, Result};
use std::f64::consts::TAU;

/// Gain (dB) along the best way through all meshes beyond which powers leave single precision (1e38), and how much more a column of
/// amplifiers may add, of which no light can have the best of every column.
const GREATEST_GAIN_DB: f64 = 200.0;
const COLUMN_GAIN_DB: f64 = 1.0;

impl Fabrication {
    /// Errs where this is no chip of `network`: a vector does not have the size that it needs, a number is not finite or beyond its
    /// range, crosstalk is not symmetric or leaves its stage, or a mesh without amplifiers gains light.
    pub fn check(&self, network: &Network) -> Result<()> {
        self.check_sizes(network)?;
        finite("update error", &self.update_error)?;
        for (layer, matrix) in self.perturbation.iter().enumerate() {
            finite(&format!("entry of the perturbation of layer {layer}:"), matrix)?;
        }
        let (mut gain, mut columns) = (0.0, 0);
        for (index, (stage, errors)) in network.stages().zip(&self.stages).enumerate() {
            let own = stage.element().imperfect().map(|own| {
                check_numbers(index, &own.errors(), errors)?;
                own.gain(index, errors, self.amplified)
            });
            let own = own.transpose()?.unwrap_or_default();
            gain += own.best_db;
            columns += own.columns;
        }
        if gain > GREATEST_GAIN_DB + COLUMN_GAIN_DB * columns as f64 {
            let reason = "the meshes gain so much light that no number holds it";
            return Err(Error::invalid("loss-db", format!("{:.0} dB along the best way", -gain), reason));
        }
        self.control.check(network)?;
        within("noise of writing", self.write_noise, 0.0, 1.0)?;
        within("spread from cycle to cycle", self.cycle_spread, 0.0, 1.0)?;
        self.drift.validate()?;
        self.noise.validate()
    }

    fn check_sizes(&self, network: &Network) -> Result<()> {
        if !self.stages.is_empty() {
            same_size("stages with errors", network.stages().count(), self.stages.len())?;
        }
        if !self.update_error.is_empty() {
            same_size("update errors", network.controls(), self.update_error.len())?;
        }
        if !self.perturbation.is_empty() {
            same_size("layers with perturbations", network.layers().len(), self.perturbation.len())?;
        }
        for (layer, matrix) in self.perturbation.iter().enumerate().filter(|(_, matrix)| !matrix.is_empty()) {
            let width = network.layer_output(layer).width();
            same_size(&format!("entries of the perturbation of layer {layer}"), width * width, matrix.len())?;
        }
        for (index, (stage, errors)) in network.stages().zip(&self.stages).enumerate() {
            check_stage_sizes(index, stage, errors)?;
        }
        Ok(())
    }
}

impl ControlPath {
    /// Errs where this is no way to the controls of `network`.
    fn check(&self, network: &Network) -> Result<()> {
        if !self.shifters.is_empty() {
            same_size("shifters", network.controls(), self.shifters.len())?;
        }
        within("quartic share of heaters", self.quartic, 0.0, 1.0)?;
        let steps = f64::from((1_u32 << 24) - 1); // of converters with 24 bits
        within("number of voltage steps", self.levels, 0.0, steps)?;
        if self.levels.fract() != 0.0 {
            return Err(Error::invalid("chip", self.levels, "a number of voltage steps is whole"));
        }
        let runs = network.stages().flat_map(Stage::runs);
        let meanings: Vec<Meaning> = runs.flat_map(|run| std::iter::repeat_n(run.meaning, run.count)).collect();
        for (index, shifter) in self.shifters.iter().enumerate() {
            let at = |what: &str| format!("{what} of shifter {index}");
            within(&at("gain"), shifter.gain, 0.0, 2.0)?; // 1 + γ, with γ cut off at ±1
            within(&at("resting phase"), shifter.base, -LARGEST_ERROR, LARGEST_ERROR)?;
            if shifter.is_stepped_pixel() && matches!(meanings[index], Meaning::Phase { .. }) {
                within(&format!("levels of pixel {index}"), -shifter.range, 2.0, 65536.0)?;
                within(&format!("turn of pixel {index}"), shifter.base, TAU - 1e-6, TAU + 1e-6)?;
                if shifter.range.fract() != 0.0 {
                    let reason = format!("levels of pixel {index}: a number of levels is whole");
                    return Err(Error::invalid("chip", -shifter.range, reason));
                }
                continue;
            }
            if shifter.range < 0.0 && meanings[index] == Meaning::Cells {
                within(&format!("levels of cells {index}"), 1.0 - shifter.range, 2.0, 65536.0)?;
                if shifter.range.fract() != 0.0 {
                    let reason = format!("levels of cells {index}: a number of levels is whole");
                    return Err(Error::invalid("chip", 1.0 - shifter.range, reason));
                }
                continue;
            }
            within(&at("range"), shifter.range, 0.0, LARGEST_ERROR)?;
        }
        if self.coupling != Default::default() {
            same_size("shifters of a chip with crosstalk", network.controls(), self.shifters.len())?;
            self.coupling.check(network)?;
        }
        Ok(())
    }
}

/// Errs where a chip's number, `what` of it, does not lie between `least` and `most`.
fn within(what: &str, value: f64, least: f64, most: f64) -> Result<()> {
    if (least..=most).contains(&value) {
        return Ok(());
    }
    Err(Error::invalid("chip", value, format!("{what}: lies between {least} and {most}")))
}

/// Errs unless `errors` are as the schema of their stage says.
fn check_stage_sizes(index: usize, stage: &Stage, errors: &StageErrors) -> Result<()> {
    let schema = stage.errors();
    if errors.is_none() {
        return Ok(());
    }
    if !errors.iter().map(|(name, _)| name).eq(schema.iter().map(|vector| vector.name)) {
        let reason = "its errors belong to another kind of stage";
        return Err(Error::invalid("fabrication", format!("stage {index}"), reason));
    }
    schema.iter().zip(errors.iter()).try_for_each(|(vector, (_, values))| {
        let plural = if vector.what.ends_with('s') { "es" } else { "s" };
        same_size(&format!("{}{plural} of stage {index}", vector.what), vector.length, values.len())
    })
}

/// Errs where a number is none that the schema allows.
fn check_numbers(index: usize, schema: &[ErrorVector], errors: &StageErrors) -> Result<()> {
    for (vector, (_, values)) in schema.iter().zip(errors.iter()) {
        let most = vector.most;
        if let Some((place, value)) = values.iter().enumerate().find(|(_, value)| !(-most..=most).contains(*value)) {
            let reason =
                format!("{} number {place} of stage {index}: lies within ±{most} {}", vector.what, vector.unit);
            return Err(Error::invalid("chip", value, reason.trim_end()));
        }
    }
    Ok(())
}

/// Errs unless all values lie within ±[`LARGEST_ERROR`].
fn finite(what: &str, values: &[f64]) -> Result<()> {
    match values.iter().enumerate().find(|(_, value)| !(-LARGEST_ERROR..=LARGEST_ERROR).contains(*value)) {
        Some((place, &value)) => within(&format!("{what} number {place}"), value, -LARGEST_ERROR, LARGEST_ERROR),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fabrication::coupling::Coupling;
    use crate::imperfections::{Control, Drift, Imperfections, Noise};
    use crate::network::Detection;
    use crate::optics::Mesh;
    use std::sync::Arc;

    fn network() -> Network {
        let mesh = |modes| Stage::Mesh(Mesh::rectangular(modes).unwrap());
        let detection = Stage::detection(4, Detection::Intensity);
        let bank = Stage::weight_bank(4, 2);
        Network::new(vec![vec![mesh(4)], vec![mesh(4), detection], vec![bank]]).unwrap()
    }

    fn chip() -> Fabrication {
        let control =
            Control { control_range: 7.0, control_bits: 6, heater_spread: 0.1, crosstalk: 0.05, ..Control::NONE };
        let kind = Imperfections {
            phase: 0.1,
            loss_db: 0.2,
            update_error: 0.1,
            perturbation: 0.1,
            control,
            ..Imperfections::NONE
        };
        let chip = kind.fabricate(&network(), 3).unwrap();
        chip.check(&network()).unwrap();
        chip
    }

    #[test]
    fn numbers_that_no_chip_has_are_named() {
        type Change = fn(&mut Fabrication);
        let cases: [(Change, &str); 13] = [
            (|chip| chip.update_error[3] = f64::NAN, "update error number 3"),
            (|chip| chip.update_error[0] = 1e300, "update error number 0"),
            (|chip| chip.perturbation[0][5] = f64::INFINITY, "perturbation of layer 0: number 5"),
            (|chip| chip.control.levels = -1.0, "voltage steps"),
            (|chip| chip.control.levels = 2.5, "whole"),
            (|chip| chip.control.quartic = 1.5, "quartic"),
            (|chip| chip.control.shifters[2].gain = -0.1, "gain of shifter 2"),
            (|chip| chip.control.shifters[1].range = -7.0, "range of shifter 1"),
            (|chip| chip.control.shifters[1].base = f64::NAN, "resting phase of shifter 1"),
            (|chip| chip.control.shifters.truncate(1), "shifters"),
            (|chip| chip.control.shifters.clear(), "shifters of a chip with crosstalk"),
            (|chip| chip.drift = Drift { drift_step: -1.0, ..Drift::NONE }, "drift-step"),
            (|chip| chip.noise = Noise { shot_noise: 1e300, ..Noise::NONE }, "shot-noise"),
        ];
        for (change, part) in cases {
            let mut chip = chip();
            change(&mut chip);
            let error = chip.check(&network()).unwrap_err().to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
    }

    #[test]
    fn crosstalk_that_leaves_its_arrays_or_its_stage_is_named() {
        type Change = fn(&mut Fabrication);
        let cases: [(Change, &str); 11] = [
            (|chip| crosstalk(chip).starts[0] = 1, "begin at 0"),
            (|chip| crosstalk(chip).starts[4] = u32::MAX, "row 3"),
            (|chip| crosstalk(chip).starts.truncate(9), "rows of the crosstalk"),
            (|chip| crosstalk(chip).starts.clear(), "rows of the crosstalk"),
            (|chip| crosstalk(chip).neighbours[0] = u32::MAX, "no control"),
            (|chip| crosstalk(chip).neighbours[0] = 0, "neighbour"),
            (|chip| crosstalk(chip).neighbours.truncate(9), "strengths"),
            (|chip| crosstalk(chip).strengths.truncate(9), "strengths"),
            (|chip| crosstalk(chip).strengths[2] = f64::NAN, "strength"),
            (|chip| crosstalk(chip).strengths[2] = 1.5, "strength"),
            (|chip| crosstalk(chip).strengths[2] *= 0.5, "symmetric"),
        ];
        for (change, part) in cases {
            let mut chip = chip();
            change(&mut chip);
            let error = chip.check(&network()).unwrap_err().to_string();
            assert!(error.contains(part), "{part}: {error}");
        }
        let first = network().layers()[0][0].controls();
        let mut chip = chip();
        let coupling = Arc::make_mut(&mut chip.control.coupling);
        let last = coupling.starts[1] as usize - 1;
        coupling.neighbours[last] = first as u32; // of the next mesh
        let error = chip.check(&network()).unwrap_err().to_string();
        assert!(error.contains("another stage"), "{error}");
    }

    #[test]
    fn losses_that_no_number_holds_are_refused_with_amplifiers_too() {
        let mut chip = Fabrication { amplified: true, ..chip() };
        let losses = |chip: &mut Fabrication, value: f64| {
            chip.stages[0].get_mut("loss_db").fill(value);
        };
        losses(&mut chip, -50.0);
        chip.check(&network()).unwrap();
        losses(&mut chip, -60.0);
        assert!(chip.check(&network()).unwrap_err().to_string().contains("no number holds it"));
        losses(&mut chip, 101.0);
        assert!(chip.check(&network()).unwrap_err().to_string().contains("±100 dB"));
    }

    fn crosstalk(chip: &mut Fabrication) -> &mut Coupling {
        Arc::make_mut(&mut chip.control.coupling)
    }
}
