//! What a data sheet says of a chip that an individual is not: where a digital model and the chip can disagree.
//!
//! Only what a data sheet holds is compared, mean against mean: how an individual strays from its kind is what training is about.

use super::Fabrication;
use crate::network::Network;
use crate::stage::Sheet;

/// Shares and means that differ by less are the spread of one kind.
const RELATIVE: f64 = 0.1;

/// A mean that a data sheet tells: what of, its unit, its value, and a difference that is the spread of one kind.
type Told = (&'static str, &'static str, f64, f64);

/// What a data sheet tells of the stages of a chip, by the schemas of their errors.
fn of_stages(network: &Network, chip: &Fabrication, columns: usize) -> Vec<Told> {
    let mut all: Vec<(Sheet, Vec<f64>)> = Vec::new();
    for (index, stage) in network.stages().enumerate() {
        for vector in stage.errors() {
            let Some(sheet) = vector.sheet else { continue };
            let place = all.iter().position(|(own, _)| own.name == sheet.name).unwrap_or_else(|| {
                all.push((sheet, Vec::new()));
                all.len() - 1
            });
            all[place].1.extend(chip.stage(index).get([vector.name]).into_iter().flat_map(|[values]| values));
        }
    }
    let share = |sheet: &Sheet| if sheet.per_column { columns.max(1) as f64 } else { 1.0 };
    all.iter().map(|(sheet, values)| (sheet.name, sheet.unit, mean(values), sheet.least / share(sheet))).collect()
}

/// What it tells of the way to the controls: ranges of shifters that answer, steps of the voltage, crosstalk that one control gets
/// in all.
fn of_controls(chip: &Fabrication) -> Vec<Told> {
    let control = &chip.control;
    let ranges = control.shifters.iter().filter(|shifter| shifter.gain > 0.0 && shifter.range > 0.0);
    let ranges: Vec<f64> = ranges.map(|shifter| shifter.range).collect();
    let rows = control.coupling.starts.len().saturating_sub(1).max(1);
    let levels = if ranges.is_empty() { 0.0 } else { control.levels };
    vec![
        ("range of the shifters", " rad", mean(&ranges), 0.0),
        ("voltage steps", "", levels, 0.0),
        ("crosstalk", " in all", control.coupling.strengths.iter().sum::<f64>() / rows as f64, 1e-3),
    ]
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// In what `chip` is not what `sheet` says, as `loss of 0.5 dB a column where the data sheet has 0`; both are of `network`, whose
/// meshes have at most `columns` columns.
pub fn disagreements(network: &Network, sheet: &Fabrication, chip: &Fabrication, columns: usize) -> Vec<String> {
    let told = |chip: &Fabrication| [of_stages(network, chip, columns), of_controls(chip)].concat();
    let both = told(sheet).into_iter().zip(told(chip));
    let differing = both.filter(|&((.., told, least), (.., own, _))| {
        (told - own).abs() > least.max(RELATIVE * told.abs().max(own.abs()))
    });
    let words = |((what, unit, told, _), (.., own, _)): (Told, Told)| {
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
    use crate::imperfections::{Control, Imperfections, Passive};
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    #[test]
    fn individuals_agree_with_the_sheet_of_their_kind_and_not_with_that_of_another() {
        let mesh = Mesh::rectangular(16).unwrap();
        let detection = Stage::detection(16, Detection::Intensity);
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
                let own = disagreements(&network, &kind.typical(&network).unwrap(), &individual, 16);
                assert!(own.is_empty(), "{own:?}");
                if index > 0 {
                    let other = disagreements(&network, &none.typical(&network).unwrap(), &individual, 16);
                    assert!(other.iter().any(|text| text.contains(part)), "{part}: {other:?}");
                    assert!(
                        !disagreements(&network, &kind.typical(&network).unwrap(), &Fabrication::ideal(), 16)
                            .is_empty()
                    );
                }
            }
        }
    }
}
