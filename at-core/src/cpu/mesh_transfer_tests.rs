use super::*;
use crate::imperfections::Imperfections;
use crate::network::{Detection, Network, Stage};

const MODES: usize = 35;
const BATCH: usize = 21;
const LOSSY: Imperfections =
    Imperfections { splitter_angle: 0.1, phase: 0.3, loss_db: 0.05, loss_spread_db: 0.02, ..Imperfections::NONE };

fn some<T: Real>(count: usize, step: f64) -> Vec<T> {
    (0..count).map(|k| T::of((step * (k + 1) as f64).sin())).collect()
}

/// The stage and the mesh in it, with errors or ideal.
fn stage<T: Real>(mesh: &Mesh, imperfections: &Imperfections) -> (TransferStage<T>, MeshStage<T>) {
    let detection = Stage::detection(MODES, Detection::Intensity);
    let network = Network::new(vec![vec![Stage::Mesh(mesh.clone()), detection]]).unwrap();
    let fabrication = imperfections.fabricate(&network, 3).unwrap();
    let build = || MeshStage::new(mesh, fabrication.stage(0)).unwrap();
    (TransferStage::new(mesh, GENERAL, Box::new(build())), build())
}

fn close<T: Real>(what: &str, got: &[T], expected: &[T], tolerance: f64) {
    let largest = expected.iter().fold(0.0, |most: f64, value| most.max(value.abs().wide()));
    for (index, (got, expected)) in got.iter().zip(expected).enumerate() {
        assert!((*got - *expected).abs().wide() < tolerance * largest, "{what} {index}: {got} instead of {expected}");
    }
}

/// Light before the switch, at it and behind it, for two programmings.
fn agrees<T: Real>(tolerance: f64) {
    let mesh = Mesh::truncated(MODES, 3 * MODES).unwrap();
    let (mut transfer, mut plain) = stage::<T>(&mesh, &LOSSY);
    let threshold = transfer.threshold.expect("a deep mesh pays");
    assert!(threshold > BATCH, "one batch is not enough");
    let light = some::<T>(BATCH * 2 * MODES, 0.77);
    let [mut got, mut expected] = [(); 2].map(|()| vec![T::nan(); BATCH * 2 * MODES]);
    for step in [0.37, 0.59] {
        let controls = some::<T>(mesh.controls(), step);
        transfer.program(&controls);
        plain.program(&controls);
        plain.forward(&light, BATCH, &mut expected);
        for crossed in (0..threshold + 3 * BATCH).step_by(BATCH) {
            transfer.forward(&light, BATCH, &mut got);
            assert_eq!(transfer.matrix.is_empty(), crossed < threshold, "after {crossed} of {threshold} samples");
            if crossed < threshold {
                assert_eq!(got, expected);
            }
            close("light", &got, &expected, tolerance);
        }
        // a small recorded batch crosses the mesh even now
        let mut kept = Kept::default();
        transfer.record(&light, BATCH, &mut got, &mut kept);
        assert!(!kept.by_matrix);
        assert_eq!(got, expected);
    }
}

#[test]
fn the_matrix_changes_nothing_but_rounding() {
    agrees::<f64>(1e-13);
    agrees::<f32>(1e-4);
}

/// A batch that pays at once: outputs, adjoints of the inputs, gradients of controls and of estimated imperfections.
fn gradients_agree<T: Real>(tolerance: f64) {
    let mesh = Mesh::truncated(MODES, 3 * MODES).unwrap();
    for imperfections in [LOSSY, Imperfections::NONE] {
        let (mut transfer, mut plain) = stage::<T>(&mesh, &imperfections);
        let batch = transfer.record_threshold.expect("a deep mesh pays").max(transfer.threshold.unwrap());
        let width = 2 * MODES;
        let (light, adjoint) = (some::<T>(batch * width, 0.77), some::<T>(batch * width, 1.13));
        let imperfect = Stage::Mesh(mesh.clone()).imperfections();
        let estimate: Vec<T> = some::<T>(imperfect, 0.91).iter().map(|&e| e * T::of(0.1)).collect();
        for step in [0.37, 0.59] {
            let controls = some::<T>(mesh.controls(), step);
            let stages: [&mut dyn CpuStage<T>; 2] = [&mut transfer, &mut plain];
            let results = stages.map(|stage| {
                let mut kept = Kept::default();
                let [mut output, mut seen] = [(); 2].map(|()| vec![T::nan(); batch * width]);
                stage.set_imperfections(&estimate);
                stage.program(&controls);
                stage.forward(&light, batch, &mut seen);
                stage.record(&light, batch, &mut output, &mut kept);
                let pass = Recorded { input: &light, output: &output, adjoint: &adjoint, batch, kept: &kept };
                let mut back = |all_the_way: bool, estimated: bool| {
                    let mut adjoint_in = vec![T::nan(); batch * width];
                    let mut gradient = vec![T::nan(); mesh.controls()];
                    let mut imperfections = vec![T::nan(); imperfect];
                    let own = estimated.then_some(&mut imperfections[..]);
                    let slopes = Slopes {
                        adjoint_in: &mut adjoint_in,
                        all_the_way,
                        gradient: &mut gradient,
                        imperfections: own,
                    };
                    stage.backward(&pass, slopes);
                    adjoint_in.truncate(if all_the_way { batch * width } else { 0 });
                    imperfections.truncate(if estimated { imperfect } else { 0 });
                    [adjoint_in, gradient, imperfections]
                };
                let ways = [back(true, false), back(false, false), back(true, true), back(false, true)];
                (
                    kept.by_matrix,
                    [seen, output.clone()].into_iter().chain(ways.into_iter().flatten()).collect::<Vec<_>>(),
                )
            });
            let [(by_matrix, got), (direct, expected)] = results;
            assert!(by_matrix && !direct);
            assert!(got.iter().flatten().all(|value| value.is_finite()), "all that was asked for is there");
            for (index, (got, expected)) in got.iter().zip(&expected).enumerate() {
                close(&format!("result {index}"), got, expected, tolerance);
            }
        }
    }
}

#[test]
fn gradients_by_the_matrix_are_those_through_the_mesh() {
    gradients_agree::<f64>(1e-12);
    gradients_agree::<f32>(1e-4);
}

#[test]
fn shallow_and_narrow_meshes_stay_meshes() {
    let shallow = stage::<f32>(&Mesh::truncated(MODES, 2).unwrap(), &LOSSY).0;
    assert!(shallow.threshold.is_none() && shallow.record_threshold.is_none());
    assert!(threshold(&Mesh::truncated(NARROWEST - 2, 200).unwrap(), 0, GENERAL, 1.0, 1.0).is_none());
}

#[test]
fn units_meet_two_thirds_of_a_mesh_as_deep_as_wide() {
    let met = |mesh: Mesh| met_by_units(&mesh);
    assert!((met(Mesh::rectangular(512).unwrap()) - 2.0 / 3.0).abs() < 2e-3);
    assert!(met(Mesh::truncated(64, 6400).unwrap()) > 0.99);
    assert!(met(Mesh::truncated(64, 1).unwrap()) < 0.1);
}

/// The times of a way back and of products once let a recorded batch take the matrix where the same batch alone did not.
#[test]
fn recording_changes_no_readout_whatever_the_batch() {
    let modes = NARROWEST + 8;
    let mesh = Mesh::rectangular(modes).unwrap();
    let errors = StageErrors::NONE;
    let controls = some::<f32>(mesh.controls(), 0.37);
    for batch in (modes..4 * modes).step_by(8) {
        let light = some::<f32>(batch * 2 * modes, 0.77);
        let readouts = [false, true].map(|record| {
            let mut stage = mesh.on_cpu::<f32>(&errors).unwrap();
            stage.program(&controls);
            let mut output = vec![f32::NAN; batch * 2 * modes];
            match record {
                true => stage.record(&light, batch, &mut output, &mut Kept::default()),
                false => stage.forward(&light, batch, &mut output),
            }
            output
        });
        assert!(readouts[0] == readouts[1], "{batch} samples");
    }
}
