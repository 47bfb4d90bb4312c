//! Dual adaptive training with internal readouts: detectors behind the hidden meshes give powers, which correct networks and states.
//!
//! ```text
//! p_l   the chip's powers behind mesh l, for all meshes but the last
//! (i)   Ω ← Ω − η·∂/∂Ω [ mean (Ĩ − Ĩ_p)² + Σ_l mean (|x_l|²/‖|x_l|²‖ − p_l/‖p_l‖)² ]
//! (ii)  x_l ← √p_l·e^{i arg x_l} behind mesh l, from where the model's light goes on; the rest as without
//! ```
//!
//! Nothing is injected, and no phase of the chip's light is read. In the published code fusion changes what automatic differentiation
//! has kept of a pass that is over; here light goes on from the fused state. Source: as [`super`], internal states "unitary".

use super::{Dat, Method, MethodName, prediction_error};
use crate::Result;
use crate::propagator::{Adjoint, Buffer, Engine, LayerAccess, PowerTapAccess};
use crate::training::{Batch, Loss, Normalization, Parameters};

/// The method with its model.
pub struct DatInternal<M: Adjoint>(Dat<M>);

impl<M: Adjoint + LayerAccess> DatInternal<M> {
    /// Reads hidden powers for `dat`, for batches of up to `capacity`.
    pub fn new(mut dat: Dat<M>, capacity: usize) -> Result<Self> {
        let model = &dat.model;
        let hidden = model.corrections.iter().rev().skip(1).rev();
        let powers = hidden.map(|own| model.engine.zeros(model.widths[own.stage] / 2 * capacity));
        dat.hidden = powers.collect::<Result<_>>()?;
        Ok(DatInternal(dat))
    }
}

impl<M: Adjoint + LayerAccess> Dat<M> {
    /// The slopes of (i) with respect to the powers behind every mesh whose own are read, at the model's present signals.
    pub(super) fn hidden_errors(&self, size: usize) -> Result<Vec<Vec<f64>>> {
        let model = &self.model;
        let error = |(own, measured): (&super::Correction, &Buffer<M>)| {
            let fields = model.engine.download(&model.signals[own.stage])?;
            let powers: Vec<f64> = fields.chunks_exact(2).map(|z| z[0] * z[0] + z[1] * z[1]).collect();
            let modes = model.widths[own.stage] / 2;
            let all = Loss { normalization: Normalization::L2, ..Loss::cross_entropy(modes) };
            Ok(prediction_error(&all, &powers, &model.engine.download(measured)?, modes, size))
        };
        model.corrections.iter().zip(&self.hidden).map(error).collect()
    }
}

impl<M: Adjoint + LayerAccess, C: PowerTapAccess<Engine = M::Engine>> Method<C> for DatInternal<M> {
    fn name(&self) -> MethodName {
        MethodName::DatInternal
    }

    fn begin_epoch(&mut self, epoch: usize, epochs: usize) {
        Method::<C>::begin_epoch(&mut self.0, epoch, epochs);
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let Dat { controls, measured, hidden, .. } = &mut self.0;
        chip.program(&controls.values)?;
        chip.propagate_watched(batch.signals(), batch.size(), hidden, measured)?;
        self.0.learn(batch, learning_rate, tally)
    }

    fn controls(&self) -> &Buffer<C> {
        Method::<C>::controls(&self.0)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        Method::<C>::parameters(&self.0)
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        Method::<C>::parameters_mut(&mut self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::{DatOptions, prediction_error, scale, single};
    use super::*;
    use crate::chip::{Fabrication, Meter};
    use crate::cpu::Cpu;
    use crate::network::{Detection, Network, Stage};
    use crate::optics::{Activation, Mesh};
    use crate::training::{Optimizer, Split};

    /// Networks in single precision, so that differences are rough; along a direction they see every parameter.
    #[test]
    fn the_networks_gradient_matches_central_differences_and_hidden_powers_count() {
        let mesh = || Stage::Mesh(Mesh::rectangular(4).unwrap());
        let activation = Stage::Activation { modes: 4, activation: Activation::ELECTRO_OPTIC };
        let detection = Stage::Detection { modes: 4, detection: Detection::Intensity };
        let network = Network::new(vec![vec![mesh(), activation], vec![mesh(), detection]]).unwrap();
        let engine = Cpu::<f64>::new();
        let build = |network: &Network| engine.build(network, &Fabrication::ideal());
        let wave =
            |count: usize, step: f64| -> Vec<f64> { (0..count).map(|k| (step * (k + 1) as f64).sin()).collect() };
        let (options, loss) = (DatOptions { maps: [2, 2, 2], ..DatOptions::default() }, Loss::cross_entropy(3));
        let (controls, meter) = (wave(32, 0.7), Meter::default());
        let dat = Dat::new(&engine, &network, build, &controls, Optimizer::Sgd, loss, 3, options, 1, &meter).unwrap();
        let DatInternal(mut dat) = DatInternal::new(dat, 3).unwrap();
        assert_eq!(dat.hidden.len(), 1);
        dat.hidden[0] = wave(12, 1.7).into_iter().map(f64::abs).collect();
        dat.measured = wave(12, 0.9).into_iter().map(f64::abs).collect();
        let signals: Vec<f32> = wave(24, 1.3).into_iter().map(|x| x as f32).collect();
        let split = Split::new(&engine, &signals, &[0, 1, 2]).unwrap();
        let mut batch = Batch::new(&engine, 8, 3).unwrap();
        batch.gather(&engine, &split, split.in_order(), 0, 3).unwrap();
        let first = dat.networks.values.clone();
        let along = wave(first.len(), 3.3);
        let value = |dat: &mut Dat<crate::cpu::CpuNetwork<f64>>, step: f64| -> f64 {
            dat.model.weights = single(first.iter().zip(&along).map(|(w, d)| w + step * d).collect());
            dat.model.forward(batch.signals(), 3, true, &[]).unwrap();
            let of = |x: &[f64], p: &[f64], classes: usize, normalization| -> f64 {
                let rows = x.chunks(4).zip(p.chunks(4));
                let square = |(x, p): (&[f64], &[f64])| -> f64 {
                    let (a, b) = (scale(normalization, x), scale(normalization, p));
                    (0..classes).map(|k| (a * x[k] - b * p[k]).powi(2)).sum()
                };
                rows.map(square).sum::<f64>() / (3 * classes) as f64
            };
            let stage = dat.model.corrections[0].stage;
            let powers: Vec<f64> = dat.model.signals[stage].chunks(2).map(|z| z[0] * z[0] + z[1] * z[1]).collect();
            let readout = dat.model.signals.last().unwrap();
            of(readout, &dat.measured, 3, Normalization::None) + of(&powers, &dat.hidden[0], 4, Normalization::L2)
        };
        let difference = (value(&mut dat, 1e-3) - value(&mut dat, -1e-3)) / 2e-3;
        dat.fit(&batch, 0.0).unwrap();
        let slope: f64 = dat.slopes.iter().zip(&along).map(|(g, d)| f64::from(*g) * d).sum();
        let size = dat.slopes.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
        assert!(size > 1e-2 && (difference - slope).abs() < 5e-3 * size, "{difference} for {slope} of {size}");
        let without = prediction_error(&loss, dat.model.signals.last().unwrap(), &dat.measured, 4, 3);
        dat.model.backward(&without, &[], 3, true, Some(&mut dat.slopes), false, &mut dat.gradient).unwrap();
        let other: f64 = dat.slopes.iter().zip(&along).map(|(g, d)| f64::from(*g) * d).sum();
        assert!((other - slope).abs() > 0.05 * size, "hidden powers change the gradient: {other} {slope}");
    }
}
