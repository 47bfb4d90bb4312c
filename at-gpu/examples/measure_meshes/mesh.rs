//! One mesh with kernels of one kind: forward with its gradient, and its products alone.

use crate::case::{BACKWARD, Case, FORWARD, Measured, fields, network};
use at_core::engine::Engine;
use at_core::fabrication::Fabrication;
use at_core::optics::Mesh;
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_core::training::initial_controls;
use at_gpu::{Gpu, MeshVariant, Preferences};

/// What the line of a variant says first: who would choose it, and what it is expected to take.
pub fn what(case: &Case, variant: MeshVariant, modes: usize) -> at_core::Result<String> {
    let mesh = Mesh::rectangular(modes)?;
    let chosen = |gpu| variant == MeshVariant::chosen(gpu, &mesh, case.batch);
    let expected = variant.expected_seconds(case.gpu, &mesh, case.batch);
    let expected = if expected.is_finite() { format!("{expected:.9}") } else { "null".to_string() };
    Ok(format!(
        r#""case": "one mesh, forward and gradient", "modes": {modes}, "variant": "{variant:?}", "chosen": {}, "chosen_by_default": {}, "expected_seconds": {expected}"#,
        chosen(case.gpu),
        chosen(case.by_default),
    ))
}

fn preferring(gpu: &Gpu, variant: MeshVariant) -> Gpu {
    gpu.preferring(Preferences { mesh: Some(variant), ..Preferences::default() })
}

/// Why a device cannot carry a mesh so, if it cannot.
fn impossible(case: &Case, modes: usize, variant: MeshVariant) -> at_core::Result<Option<String>> {
    let fits = variant.is_possible(case.gpu, modes) && variant.fits(case.gpu, &Mesh::rectangular(modes)?, case.batch);
    let why = || r#""impossible": "registers or bindings of this device do not hold it""#.to_string();
    Ok((!fits).then(why))
}

/// Forward and its gradient, controls set anew each time.
pub fn mesh(case: &Case, modes: usize, variant: MeshVariant) -> Measured {
    if let Some(why) = impossible(case, modes, variant)? {
        return Ok(why);
    }
    let batch = case.batch;
    let (seconds, _) = one_mesh(case, &preferring(case.gpu, variant), modes, modes, batch)?;
    let rate = 1e-12 * (FORWARD + BACKWARD) * (modes * (modes - 1) / 2) as f64 * batch as f64 / seconds;
    Ok(format!(r#""batch": {batch}, "seconds": {seconds:.6}, "tflops": {rate:.6}"#))
}

/// Seconds of a mesh forward with its gradient, and the bytes that the device has given by then.
pub fn one_mesh(
    case: &Case,
    gpu: &Gpu,
    modes: usize,
    depth: usize,
    batch: usize,
) -> at_core::Result<(f64, Option<u64>)> {
    let network = network(modes, 1, depth)?;
    let mut built = gpu.build(&network, &Fabrication::ideal())?;
    let controls = gpu.upload(&initial_controls(&network, 2, &Default::default())?)?;
    let input = gpu.upload(&fields(2 * modes * batch))?;
    let error = gpu.upload(&fields(modes * batch))?;
    let (mut readout, mut gradient) = (gpu.zeros(modes * batch)?, gpu.zeros(network.controls())?);
    let mut trace = built.trace(batch)?;
    let mut work = || {
        built.program(&controls)?;
        built.record(&input, batch, &mut trace, &mut readout)?;
        built.backpropagate(&trace, &error, &mut gradient)
    };
    work()?;
    gpu.settle()?;
    let seconds = case.timed(work)?;
    Ok((seconds, gpu.allocated_bytes()))
}

/// The products of a pass forward whose matrices are known: the part of these kernels that a matrix product's rate bounds.
pub fn products(case: &Case, modes: usize, variant: MeshVariant) -> Measured {
    if let Some(why) = impossible(case, modes, variant)? {
        return Ok(why);
    }
    let (gpu, batch) = (preferring(case.gpu, variant), case.batch);
    let network = network(modes, 1, modes)?;
    let mut built = gpu.build(&network, &Fabrication::ideal())?;
    let input = gpu.upload(&fields(2 * modes * batch))?;
    let mut readout = gpu.zeros(modes * batch)?;
    built.program(&gpu.upload(&initial_controls(&network, 2, &Default::default())?)?)?;
    built.propagate(&input, batch, &mut readout)?;
    gpu.settle()?;
    let seconds = case.timed(|| built.propagate(&input, batch, &mut readout))?;
    let rate = 1e-12 * variant.product_operations(&Mesh::rectangular(modes)?, batch) / seconds;
    let of_matrix_product = 1e3 * rate / case.peak;
    Ok(format!(
        r#""batch": {batch}, "seconds": {seconds:.6}, "tflops": {rate:.6}, "of_matrix_product": {of_matrix_product:.4}"#
    ))
}
