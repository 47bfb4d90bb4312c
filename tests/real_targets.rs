//! Losses of real targets on every engine.

use at_core::cpu::Cpu;
use at_core::engine::{Engine, Loss, LossKind, Normalization};
use at_core::training::{Batch, Order, Score, Split};
use at_gpu::testing::require_gpu;
use at_tests::draws::normals;

/// Loss, error and sums of a batch with real targets.
fn real_targets<E: Engine>(engine: &E, loss: &Loss) -> [Vec<f64>; 2] {
    let (batch, outputs) = (5, 4);
    let readout = engine
        .upload(&normals(batch * outputs + 3, 40).into_iter().map(|x| 0.1 + x.abs()).collect::<Vec<_>>())
        .unwrap();
    let values: Vec<f32> = normals(9 * loss.classes, 41).into_iter().map(|x| x as f32).collect();
    let signals = vec![0.5; 9];
    let split = Split::of_values(engine, &signals, &values, loss.classes, Score::RSquared).unwrap();
    let mut own = Batch::new(engine, 1, 6).unwrap();
    let order = Order::new(engine, vec![8, 3, 0, 5, 1, 2, 4, 6, 7]).unwrap();
    own.gather(engine, &split, &order, 1, batch).unwrap();
    let (mut error, mut tally) = (engine.zeros(batch * outputs).unwrap(), engine.zeros(3).unwrap());
    engine.loss(loss, &readout, outputs, own.targets(), batch, Some(&mut error), &mut tally).unwrap();
    let refused = engine.loss(&Loss::cross_entropy(2), &readout, outputs, own.targets(), batch, None, &mut tally);
    assert!(refused.unwrap_err().to_string().contains("mean-square"));
    [engine.download(&error).unwrap(), engine.download(&tally).unwrap()]
}

#[test]
fn engines_agree_on_losses_of_real_targets() {
    for normalization in [Normalization::None, Normalization::Total, Normalization::L2] {
        let loss = Loss { kind: LossKind::MeanSquare, normalization, gain: 1.5, ..Loss::cross_entropy(3) };
        let truth = real_targets(&Cpu::<f64>::new(), &loss);
        assert!(truth[1][0] > 0.0 && truth[1][0] == truth[1][1] && truth[1][2] == 5.0, "{truth:?}");
        let close = |got: [Vec<f64>; 2], who: &str| {
            for (got, truth) in got.iter().flatten().zip(truth.iter().flatten()) {
                assert!(
                    (got - truth).abs() < 1e-4 * truth.abs().max(1.0),
                    "{who}, {normalization:?}: {got} for {truth}"
                );
            }
        };
        close(real_targets(&Cpu::<f32>::new(), &loss), "cpu f32");
        if let Some(gpu) = require_gpu() {
            close(real_targets(&gpu, &loss), "gpu");
        }
    }
}
