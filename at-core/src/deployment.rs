//! Trained phases deployed on one chip whose errors are given: the chip is programmed once and evaluated, nothing is trained.

use crate::chip::Chip;
use crate::engine::Loss;
use crate::error::same_size;
use crate::fabrication::Fabrication;
use crate::files::phase_file::ProgrammedMesh;
use crate::network::{Identity, Network, Stage};
use crate::optics::{Mesh, MeshErrors};
use crate::propagator::{Propagator, Simulator};
use crate::training::{Evaluation, Split, Workspace, evaluate};
use crate::turns::turn_first;
use crate::{Error, Result};

/// Samples that cross the chip together: enough for every thread, little memory.
const BATCH: usize = 2000;

/// The controls of `network` whose meshes are told `phases`, in the order in which light meets them.
///
/// Errs where the network has more or fewer meshes or other ones, or a stage beside meshes that needs controls.
pub fn deployed_controls(network: &Network, phases: &[ProgrammedMesh]) -> Result<Vec<f64>> {
    let meshes = network.meshes().count();
    let (theirs, own) = (Identity::of_meshes(phases.iter().map(|own| &own.mesh)), network.mesh_identity());
    let what = || format!("meshes in the phase file, {theirs}, as many as the network has, {own}");
    if meshes != phases.len() {
        same_size(&what(), meshes, phases.len())?;
    }
    let mut controls = Vec::with_capacity(network.controls());
    let mut next = phases.iter().enumerate();
    for stage in network.stages() {
        let Stage::Mesh(mesh) = stage else {
            if stage.controls() > 0 {
                return Err(Error::Unsupported {
                    what: format!("a network with {} controls outside its meshes", stage.controls()),
                    instead: "phase files hold meshes only; choose a `network` of meshes".into(),
                });
            }
            continue;
        };
        let Some((index, own)) = next.next() else { break };
        let shape = |mesh: &Mesh| {
            let dies = if mesh.dies() > 1 { format!(" on {} dies", mesh.dies()) } else { String::new() };
            format!("{:?} with {} modes and {} columns{dies}", mesh.layout(), mesh.modes(), mesh.columns().len())
        };
        if *mesh != own.mesh {
            let reason = format!("the network's mesh {index} is {}", shape(mesh));
            return Err(Error::invalid("phases", format!("mesh{index}, {}", shape(&own.mesh)), reason));
        }
        same_size(&format!("controls of mesh{index}"), mesh.controls(), own.controls.len())?;
        controls.extend_from_slice(&own.controls);
    }
    Ok(controls)
}

/// The meshes of `network`, in the order in which light meets them, with their part of `controls`: the other way round.
pub fn programmed(network: &Network, controls: &[f64]) -> Result<Vec<ProgrammedMesh>> {
    same_size("controls", network.controls(), controls.len())?;
    let (mut rest, mut meshes) = (controls, Vec::new());
    for stage in network.stages() {
        let (own, others) = rest.split_at(stage.controls());
        rest = others;
        if let Stage::Mesh(mesh) = stage {
            meshes.push(ProgrammedMesh { mesh: mesh.clone(), controls: own.to_vec() });
        }
    }
    Ok(meshes)
}

/// Programs a chip with `errors` (native, one per mesh; none: a perfect chip) with `phases` and evaluates it on `split`.
pub fn deploy<E: Simulator>(
    engine: &E,
    network: &Network,
    phases: &[ProgrammedMesh],
    errors: &[MeshErrors],
    split: &Split<E>,
    loss: &Loss,
) -> Result<Evaluation> {
    let mut controls = deployed_controls(network, phases)?;
    let fabrication = if errors.is_empty() { Fabrication::ideal() } else { Fabrication::of_meshes(network, errors)? };
    turn_first(network, &[&fabrication], &mut controls)?;
    let mut chip = Chip::new(engine, network, &fabrication)?;
    chip.program(&engine.upload(&controls)?)?;
    let mut workspace = Workspace::new(engine, &chip, BATCH.min(split.samples()))?;
    evaluate(&mut chip, engine, split, loss, &mut workspace)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::network::Detection;
    use crate::optics::{Activation, imperfect_transfer_matrix};
    use ndarray::Array1;
    use num_complex::Complex64;

    fn programmed(mesh: &Mesh, step: f64) -> ProgrammedMesh {
        let controls = (0..mesh.controls()).map(|k| step * (k + 1) as f64).collect();
        ProgrammedMesh { mesh: mesh.clone(), controls }
    }

    fn network(first: &Mesh, second: &Mesh) -> Network {
        let detection = Stage::detection(4, Detection::Intensity);
        let activation = Stage::activation(4, Activation::Spm { gain: 0.7 });
        let layers = vec![vec![Stage::Mesh(first.clone()), activation], vec![Stage::Mesh(second.clone()), detection]];
        Network::new(layers).unwrap()
    }

    fn errors(mesh: &Mesh, size: f64) -> MeshErrors {
        let list = |count: usize, step: f64| (0..count).map(|k| size * (step * k as f64).sin()).collect();
        MeshErrors {
            first_coupler: list(mesh.mzis(), 1.0),
            second_coupler: list(mesh.mzis(), 2.0),
            theta: list(mesh.mzis(), 3.0),
            phi: list(mesh.mzis(), 4.0),
            gamma: list(mesh.modes(), 5.0),
        }
    }

    #[test]
    fn what_is_programmed_is_what_was_deployed() {
        let (first, second) = (Mesh::rectangular(4).unwrap(), Mesh::triangular(4).unwrap());
        let network = network(&first, &second);
        let phases = vec![programmed(&first, 0.7), programmed(&second, 1.1)];
        let controls = deployed_controls(&network, &phases).unwrap();
        assert_eq!(super::programmed(&network, &controls).unwrap(), phases);
        assert!(super::programmed(&network, &controls[1..]).is_err());
    }

    /// The loss reveals the powers at the detectors, which must be those of the chip's matrices.
    #[test]
    fn every_mesh_gets_its_own_phases_and_errors() {
        let (first, second) = (Mesh::rectangular(4).unwrap(), Mesh::triangular(4).unwrap());
        let network = network(&first, &second);
        let phases = [programmed(&first, 0.7), programmed(&second, 1.1)];
        let own = [errors(&first, 0.1), errors(&second, 0.2)];
        let signals = [1.0_f32, 0.0, 0.5, -0.5, 0.0, 2.0, 0.25, 0.0];
        let fields: Array1<Complex64> = signals.chunks(2).map(|z| Complex64::new(z[0].into(), z[1].into())).collect();
        let engine = Cpu::<f64>::new();
        for label in 0..4_u32 {
            let split = Split::new(&engine, &signals, &[label]).unwrap();
            for (errors, given) in [(own.clone(), &own[..]), ([&first, &second].map(MeshErrors::none), &[])] {
                let matrix = |k: usize| imperfect_transfer_matrix(&phases[k].mesh, &phases[k].controls, &errors[k]);
                let hidden = matrix(0).unwrap().dot(&fields).mapv(|z| Activation::Spm { gain: 0.7 }.value(z));
                let powers = matrix(1).unwrap().dot(&hidden).mapv(|z| z.norm_sqr());
                let expected = powers.mapv(f64::exp).sum().ln() - powers[label as usize];
                let found = deploy(&engine, &network, &phases, given, &split, &Loss::cross_entropy(4)).unwrap();
                assert!((found.loss - expected).abs() < 1e-12, "{} for {expected}", found.loss);
            }
        }
    }

    #[test]
    fn phases_and_errors_of_another_network_are_refused() {
        let (first, second) = (Mesh::rectangular(4).unwrap(), Mesh::triangular(4).unwrap());
        let network = network(&first, &second);
        let [one, other] = [programmed(&first, 0.7), programmed(&second, 1.1)];
        let text = |phases: &[ProgrammedMesh]| deployed_controls(&network, phases).unwrap_err().to_string();
        assert!(text(std::slice::from_ref(&one)).contains("expected 2, got 1"));
        assert!(text(&[other, one]).contains("mesh0, Triangular with 4 modes and 5 columns"));
        assert!(Fabrication::of_meshes(&network, &[errors(&first, 0.1)]).is_err());
        assert!(
            Fabrication::of_meshes(&network, &[errors(&second, 0.1), errors(&Mesh::rectangular(5).unwrap(), 0.1)])
                .is_err()
        );
        let dense = Network::new(vec![vec![Stage::matrix(2, 2)]]).unwrap();
        assert!(deployed_controls(&dense, &[]).unwrap_err().to_string().contains("6 controls outside its meshes"));
    }
}
