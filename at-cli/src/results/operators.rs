//! What every linear stage does, as it was designed and as this chip does it, from unit vectors through its plain meaning.

use super::{Learned, Written, npz};
use crate::activity;
use anyhow::Result;
use at_core::network::Stage;
use at_core::reference::Reference;
use at_core::stage::StageErrors;
use ndarray::{Array1, Array2};
use num_complex::Complex64;
use std::path::Path;

/// Wider meshes take minutes and gigabytes; `asyt mesh matrix` makes one of them at a time.
const WIDEST: usize = 2048;

/// `y = Wx + b`.
enum Operator {
    Fields(Array2<Complex64>),
    Reals(Array2<f64>, Array1<f64>),
}

/// `operators.npz`.
pub fn write(learned: &Learned, folder: &Path, written: &mut Vec<Written>, missing: &mut Vec<String>) -> Result<()> {
    let network = &learned.run.network;
    let first_controls = &learned.run.initial;
    let built = match learned.chip {
        Some(fabrication) => {
            let reference = Reference { network, fabrication, first_controls, drift: &[] };
            Some((fabrication, reference.effective_controls(learned.controls)?))
        }
        None => None,
    };
    let (mut all, mut offset) = (Vec::new(), 0);
    for (index, (stage, own)) in network.stages().zip(network.stage_names()).enumerate() {
        let range = offset..offset + stage.controls();
        offset = range.end;
        if stage.element().controlled().is_none() {
            continue;
        }
        let stage = stage.crossed(); // patches cross one matrix
        let (entering, leaving) = (stage.input().modes, stage.output().modes);
        if entering.max(leaving) > WIDEST {
            missing.push(format!("operators: {own} has {entering} inputs; asyt mesh matrix makes its matrix"));
            continue;
        }
        activity::now(format!("multiplying out {own}"));
        let Some(design) = operator(stage, &StageErrors::NONE, &learned.controls[range.clone()]) else {
            missing.push(format!("operators: {own} is not linear"));
            continue;
        };
        all.push((format!("{own}.design"), design));
        if let Some((fabrication, effective)) = &built {
            let built = operator(stage, fabrication.stage(index), &effective[range]);
            all.extend(built.map(|built| (format!("{own}.chip"), built)));
        }
    }
    if all.is_empty() {
        return Ok(());
    }
    npz(&folder.join("operators.npz"), |file| {
        for (name, operator) in &all {
            match operator {
                Operator::Fields(matrix) => file.add_array(name.as_str(), matrix)?,
                Operator::Reals(weights, biases) => {
                    file.add_array(format!("{name}.weight"), weights)?;
                    file.add_array(format!("{name}.bias"), biases)?;
                }
            }
        }
        Ok(())
    })?;
    let names: Vec<&str> = all.iter().map(|(name, _)| name.as_str()).collect();
    written.push(Written {
        file: "operators.npz",
        what: format!("[output, input], acting on column vectors, complex for fields: {}", names.join(", ")),
    });
    Ok(())
}

/// What a stage between fields does at `controls`, `[output, input]`; none where it is not linear, or not between fields.
pub fn field_matrix(stage: &Stage, errors: &StageErrors, controls: &[f64]) -> Option<Array2<Complex64>> {
    match operator(stage, errors, controls)? {
        Operator::Fields(matrix) => Some(matrix),
        Operator::Reals(..) => None,
    }
}

/// The stage at `controls`, from its answers to darkness and to every unit vector; none where its answer to all of them together tells
/// that it is not linear.
fn operator(stage: &Stage, errors: &StageErrors, controls: &[f64]) -> Option<Operator> {
    let (inputs, outputs) = (stage.input(), stage.output());
    let step = if inputs.complex { 2 } else { 1 };
    let answer = |weight: &dyn Fn(usize) -> f64| {
        let mut signal = vec![0.0; inputs.width()];
        (0..inputs.modes).for_each(|mode| signal[step * mode] = weight(mode));
        stage.element().forward(errors, controls, &signal)
    };
    let columns: Vec<Vec<f64>> =
        (0..inputs.modes).map(|mode| answer(&|other| if other == mode { 1.0 } else { 0.0 })).collect();
    let bias = answer(&|_| 0.0);
    let weight = |mode: usize| 0.5 + (mode as f64).sin();
    let together = answer(&weight);
    let linear = (0..outputs.width()).all(|row| {
        let parts = (0..inputs.modes).map(|mode| weight(mode) * (columns[mode][row] - bias[row]));
        let (sum, size) = parts.fold((bias[row], 1.0), |(sum, size), part| (sum + part, size + part.abs()));
        (together[row] - sum).abs() < 1e-9 * size
    });
    let shape = (outputs.modes, inputs.modes);
    let field = |(row, column): (usize, usize)| Complex64::new(columns[column][2 * row], columns[column][2 * row + 1]);
    let real = |(row, column): (usize, usize)| columns[column][row] - bias[row];
    linear.then(|| match inputs.complex && outputs.complex {
        true => Operator::Fields(Array2::from_shape_fn(shape, field)),
        false => Operator::Reals(Array2::from_shape_fn(shape, real), Array1::from(bias.clone())),
    })
}
