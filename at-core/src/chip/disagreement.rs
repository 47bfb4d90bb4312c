//! What a data sheet says of a chip that an individual is not: where a digital model and the chip can disagree.
//!
//! Only what a data sheet holds is compared, mean against mean: how an individual strays from its kind is what training is about.

use super::{Fabrication, StageErrors};

/// Shares and means that differ by less are the spread of one kind.
const RELATIVE: f64 = 0.1;
/// The same of losses (dB, of all columns of a mesh together) and of angles (radians).
const LOSS_DB: f64 = 0.5;
const ANGLE: f64 = 0.01;

/// Means of what a data sheet holds.
struct Means {
    /// Loss of the meshes, a column and waveguide (dB), and of the whole of all.
    loss_db: f64,
    /// Angle errors of couplers.
    splitter: f64,
    /// Ranges of shifters that answer.
    range: f64,
    /// Steps of the voltage.
    levels: f64,
    /// Crosstalk that one control gets in all.
    crosstalk: f64,
}

impl Means {
    fn of(chip: &Fabrication) -> Self {
        let (mut losses, mut couplers) = (Vec::new(), Vec::new());
        for errors in &chip.stages {
            match errors {
                StageErrors::Mesh { first_coupler, second_coupler, loss_db, .. } => {
                    losses.extend_from_slice(loss_db);
                    couplers.extend(first_coupler.iter().chain(second_coupler));
                }
                StageErrors::None | StageErrors::Matrix { .. } | StageErrors::WeightBank { .. } => {}
            }
        }
        let control = &chip.control;
        let ranges = control.shifters.iter().filter(|shifter| shifter.gain > 0.0 && shifter.range > 0.0);
        let ranges: Vec<f64> = ranges.map(|shifter| shifter.range).collect();
        let rows = control.coupling.starts.len().saturating_sub(1).max(1);
        Means {
            loss_db: mean(&losses),
            splitter: mean(&couplers),
            range: mean(&ranges),
            levels: if ranges.is_empty() { 0.0 } else { control.levels },
            crosstalk: control.coupling.strengths.iter().sum::<f64>() / rows as f64,
        }
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// In what `chip` is not what `sheet` says, as `loss of 0.5 dB a column where the data sheet has 0`; both have the same network,
/// whose meshes have at most `columns` columns.
pub fn disagreements(sheet: &Fabrication, chip: &Fabrication, columns: usize) -> Vec<String> {
    let (told, own) = (Means::of(sheet), Means::of(chip));
    let differs =
        |told: f64, own: f64, least: f64| (told - own).abs() > least.max(RELATIVE * told.abs().max(own.abs()));
    let loss = LOSS_DB / columns.max(1) as f64;
    let compared = [
        ("loss", " dB a column", told.loss_db, own.loss_db, loss),
        ("mean coupler error", " rad", told.splitter, own.splitter, ANGLE),
        ("range of the shifters", " rad", told.range, own.range, 0.0),
        ("voltage steps", "", told.levels, own.levels, 0.0),
        ("crosstalk", " in all", told.crosstalk, own.crosstalk, 1e-3),
    ];
    let differing = compared.into_iter().filter(|&(.., told, own, least)| differs(told, own, least));
    let words = |(what, unit, told, own, _): (&str, &str, f64, f64, f64)| {
        format!("{what} {}{unit} where the data sheet has {}", rounded(own), rounded(told))
    };
    differing.map(words).collect()
}

/// Three digits behind the point at most.
fn rounded(value: f64) -> f64 {
    (value * 1e3).round() / 1e3 + 0.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::chip::{Control, Imperfections, Passive};
    use crate::network::{Detection, Network, Stage};
    use crate::optics::Mesh;

    #[test]
    fn individuals_agree_with_the_sheet_of_their_kind_and_not_with_that_of_another() {
        let mesh = Mesh::rectangular(16).unwrap();
        let detection = Stage::Detection { modes: 16, detection: Detection::Intensity };
        let network = Network::new(vec![vec![Stage::Mesh(mesh), detection]]).unwrap();
        let none = Imperfections { splitter_angle: 0.02, phase: 0.1, update_error: 0.3, ..Imperfections::NONE };
        let control = Control { control_range: 19.0, heater_spread: 0.02, dead_shifters: 0.02, ..Control::NONE };
        let kinds = [
            (none, "loss"),
            (Imperfections { loss_db: 0.3, loss_spread_db: 0.1, ..none }, "dB a column where the data sheet has 0"),
            (Imperfections { control, ..none }, "range of the shifters 19 rad"),
            (Imperfections { control: Control { control_bits: 6, ..control }, ..none }, "voltage steps 63"),
            (Imperfections { control: Control { crosstalk: 0.02, ..Control::NONE }, ..none }, "crosstalk"),
            (Imperfections { passive: Passive { splitter_mean: 0.05, ..Passive::NONE }, ..none }, "mean coupler error"),
        ];
        for (index, (kind, part)) in kinds.iter().enumerate() {
            for seed in 0..20 {
                let individual = kind.fabricate(&network, seed).unwrap();
                let own = disagreements(&kind.typical(&network).unwrap(), &individual, 16);
                assert!(own.is_empty(), "{own:?}");
                if index > 0 {
                    let other = disagreements(&none.typical(&network).unwrap(), &individual, 16);
                    assert!(other.iter().any(|text| text.contains(part)), "{part}: {other:?}");
                    assert!(!disagreements(&kind.typical(&network).unwrap(), &Fabrication::ideal(), 16).is_empty());
                }
            }
        }
    }
}
