//! `asyt mesh decompose`: the phases of a matrix, on one mesh or on two with attenuators between them.

use super::{COMPLEX, DecomposeArguments, SAMPLE, described, expected, room};
use crate::failure::{OrUsage, Outcome};
use crate::progress::say;
use crate::{activity, network_text};
use anyhow::{Context, anyhow};
use at_core::files::matrix_file::read_matrix;
use at_core::files::phase_file::{ProgrammedMesh, write_phases, write_with_attenuators};
use at_core::network::{Stage, singular_value_stages};
use at_core::optics::{
    Layout, Mesh, decompose, decompose_onto, embedded_in_diamond, singular_value_controls, transfer_matrix,
};
use at_core::stage::StageErrors;
use at_core::tiled::{tiled_singular_value_controls, tiled_singular_value_stages};
use ndarray::Array2;
use num_complex::Complex64;

/// `asyt mesh decompose`.
pub fn on_one_mesh(arguments: &DecomposeArguments) -> Outcome {
    let at = || format!("{}", arguments.matrix.display());
    // a file that is not there says so when it is read
    let bytes = arguments.matrix.metadata().map_or(0.0, |found| found.len() as f64);
    room("the file and what is in it", 2.0 * bytes).with_context(at).or_usage()?;
    let mut unitary = read_matrix(&arguments.matrix, arguments.variable.as_deref())?;
    // it, its phases, and the matrix that these make, when they are compared
    let (modes, layout) = (unitary.nrows() as f64, arguments.layout);
    let entries = unitary.len() as f64 * if arguments.embed { 4.0 } else { 1.0 };
    let columns = arguments.depth.map_or(modes, |depth| modes.max(depth as f64));
    room("the matrices", 3.0 * COMPLEX * entries + 8.0 * modes * columns).with_context(at).or_usage()?;
    if arguments.embed {
        let no_diamond = || anyhow!("--embed is about --layout diamond; the others make every unitary of their modes");
        (layout == Layout::Diamond).then_some(()).ok_or_else(no_diamond).or_usage()?;
        unitary = embedded_in_diamond(&unitary).with_context(at)?;
    }
    let share = (entries / (SAMPLE * SAMPLE) as f64).powf(1.5);
    expected(&format!("decomposing a matrix of {} modes", unitary.nrows()), share, |mesh| {
        let controls = decompose(&Array2::eye(SAMPLE), Layout::Rectangular)?;
        transfer_matrix(mesh, &controls, None).map(drop)
    })?;
    let (mesh, controls) = match arguments.depth {
        Some(_) => {
            let mesh = network_text::mesh(unitary.nrows(), layout, arguments.depth, None).with_context(at)?;
            let controls = decompose_onto(&unitary, &mesh).with_context(at)?;
            (mesh, controls)
        }
        None => {
            let controls = decompose(&unitary, layout).with_context(at)?;
            (Mesh::universal(unitary.nrows(), layout)?, controls)
        }
    };
    activity::now(format!("checking the phases of {}", described(&mesh)));
    let difference = transfer_matrix(&mesh, &controls, None)? - &unitary;
    let error = difference.iter().map(|entry| entry.norm()).fold(0.0, f64::max);
    let text = format!("{}: {}, error {error:.1e}", arguments.out.display(), described(&mesh));
    write_phases(&arguments.out, arguments.convention, &[ProgrammedMesh { mesh, controls }])?;
    say(false, &text);
    Ok(())
}

/// `asyt mesh decompose --svd`.
pub fn by_singular_values(arguments: &DecomposeArguments) -> Outcome {
    let at = || format!("{}", arguments.matrix.display());
    let bytes = arguments.matrix.metadata().map_or(0.0, |found| found.len() as f64);
    room("the file and what is in it", 2.0 * bytes).with_context(at).or_usage()?;
    let matrix = read_matrix(&arguments.matrix, arguments.variable.as_deref())?;
    let ((outputs, inputs), layout) = (matrix.dim(), arguments.layout);
    let part = || {
        let name = layout.name();
        anyhow!(
            "the meshes of --svd make any unitary: rectangular or triangular ones; {name} meshes do not, and phases of theirs are found by gradient (asyt mesh fit)"
        )
    };
    layout.is_universal().then_some(()).ok_or_else(part).or_usage()?;
    room("the matrices", (8.0 * COMPLEX) * (matrix.len() as f64 + (outputs * outputs + inputs * inputs) as f64))
        .with_context(at)
        .or_usage()?;
    activity::now(format!("singular values of {outputs} x {inputs}"));
    let (stages, controls) = match arguments.tile {
        Some(tile) => {
            let controls = tiled_singular_value_controls(&matrix, tile, layout).with_context(at)?;
            (tiled_singular_value_stages(inputs, outputs, &Mesh::universal(tile, layout)?)?, controls)
        }
        None => {
            let controls = singular_value_controls(&matrix, layout).with_context(at)?;
            (singular_value_stages(inputs, outputs, layout)?.to_vec(), controls)
        }
    };
    activity::now("checking the phases");
    let error = (made(&stages, &controls) - &matrix).iter().map(|entry| entry.norm()).fold(0.0, f64::max);
    let (mut meshes, mut attenuators, mut rest) = (Vec::new(), Vec::new(), &controls[..]);
    for stage in &stages {
        let (own, behind) = rest.split_at(stage.controls());
        rest = behind;
        if let Stage::Mesh(mesh) = stage {
            meshes.push(ProgrammedMesh { mesh: mesh.clone(), controls: own.to_vec() });
        } else if let Stage::Attenuators(_) = stage {
            attenuators.extend_from_slice(own);
        } else {
            assert!(own.is_empty(), "{stage:?} has controls that no file of phases holds");
        }
    }
    let said: Vec<String> = meshes.iter().map(|own| described(&own.mesh)).collect();
    write_with_attenuators(&arguments.out, arguments.convention, &meshes, Some(&attenuators))?;
    let text = format!("{}: {}, attenuators, {}, error {error:.1e}", arguments.out.display(), said[0], said[1]);
    say(false, &text);
    Ok(())
}

/// The matrix that these stages of fields make.
fn made(stages: &[Stage], controls: &[f64]) -> Array2<Complex64> {
    let (inputs, outputs) = (stages[0].input().modes, stages[stages.len() - 1].output().modes);
    let mut matrix = Array2::zeros((outputs, inputs));
    for (input, mut column) in matrix.columns_mut().into_iter().enumerate() {
        let mut signal = vec![0.0; 2 * inputs];
        signal[2 * input] = 1.0;
        let mut rest = controls;
        for stage in stages {
            let (own, behind) = rest.split_at(stage.controls());
            signal = stage.element().forward(&StageErrors::NONE, own, &signal);
            rest = behind;
        }
        column.iter_mut().zip(signal.chunks_exact(2)).for_each(|(entry, z)| *entry = Complex64::new(z[0], z[1]));
    }
    matrix
}
