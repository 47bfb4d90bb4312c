//! `asyt mesh fit`: phases found by gradient, for a mesh of any layout.

use super::{COMPLEX, FitArguments, described, room};
use crate::failure::{OrUsage, Outcome};
use crate::notes::Notes;
use crate::progress::say;
use crate::{activity, network_text};
use anyhow::{Context, anyhow};
use at_core::files::matrix_file::read_matrix;
use at_core::files::phase_file::{ProgrammedMesh, write_phases};
use at_core::optics::decomposition::UNITARY_TOLERANCE;
use at_core::optics::fit::{Search, fit};
use at_core::optics::{Convention, Layout, transfer_matrix};
use ndarray::Array2;
use num_complex::Complex64;
use std::f64::consts::TAU;

/// Runs the command.
pub fn fitted(arguments: &FitArguments) -> Outcome {
    let at = || format!("{}", arguments.matrix.display());
    let bytes = arguments.matrix.metadata().map_or(0.0, |found| found.len() as f64);
    room("the file and what is in it", 2.0 * bytes).with_context(at).or_usage()?;
    let target = read_matrix(&arguments.matrix, arguments.variable.as_deref())?;
    room("the matrices", 8.0 * COMPLEX * target.len() as f64).with_context(at).or_usage()?;
    let [outputs, inputs] = [target.nrows(), target.ncols()];
    let square = anyhow!(
        "it is a matrix of {outputs} x {inputs}, and a mesh makes a square one; asyt mesh decompose --svd takes any, with two meshes"
    );
    (outputs == inputs).then_some(()).ok_or(square).with_context(at).or_usage()?;
    let (layout, columns) = match Layout::named(&arguments.layout) {
        Some(layout) => (layout, None),
        None => (Layout::Custom, Some(network_text::columns_in(&arguments.layout).or_usage()?)),
    };
    let mesh = network_text::mesh(target.nrows(), layout, arguments.depth, columns.as_deref()).with_context(at)?;
    let FitArguments { steps, starts, seed, .. } = *arguments;
    let mut notes = Notes::default();
    let defect = target.t().mapv(|entry| entry.conj()).dot(&target) - Array2::<Complex64>::eye(target.nrows());
    if target.is_square() && defect.iter().any(|entry| entry.norm() > UNITARY_TOLERANCE) {
        notes.say([format!(
            "{} is not unitary, so no mesh makes it; the fidelity is that of the nearest unitary matrices",
            arguments.matrix.display()
        )]);
    }
    let search = Search { steps, starts, seed };
    let what = described(&mesh);
    let found = fit(&mesh, &target, &search, |start, step, loss| {
        let start = start + 1;
        activity::now_and_then(|| {
            format!("fitting {what}: start {start} of {starts}, step {step} of {steps}, loss {loss:.3e}")
        });
    })
    .with_context(at)?;
    let difference = transfer_matrix(&mesh, &found.controls, None)? - &target;
    let size = |matrix: &Array2<Complex64>| matrix.iter().map(|entry| entry.norm_sqr()).sum::<f64>().sqrt();
    let error = size(&difference) / size(&target);
    let shown: Vec<String> = found.of_starts.iter().map(|fidelity| format!("{fidelity:.6}")).collect();
    let text = format!(
        "{}: {}, fidelity {:.9}, 1 - fidelity {:.1e}, relative error {error:.1e}; starts {}",
        arguments.out.display(),
        described(&mesh),
        found.fidelity,
        1.0 - found.fidelity,
        shown.join(", ")
    );
    let controls = found.controls.into_iter().map(wrapped).collect();
    write_phases(&arguments.out, Convention::Native, &[ProgrammedMesh { mesh, controls }])?;
    say(false, &text);
    Ok(())
}

/// The phase in [0, 2π), which makes the same light.
fn wrapped(phase: f64) -> f64 {
    let wrapped = phase.rem_euclid(TAU);
    if wrapped < TAU { wrapped } else { 0.0 }
}
