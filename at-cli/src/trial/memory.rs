//! What a training needs at the least, from the sizes of its network, its data and its settings alone.

use crate::memory::{BYTES_PER_CONTROL, Need};
use crate::methods;
use crate::plan::{Plan, Precision};
use at_core::network::Network;
use at_core::training::MethodName;
use at_core::training::methods::{Model, dat};

/// Samples whose pixels lie together in the error-prediction networks of `dat`, and the bytes of that.
const TILE: (f64, f64) = (16.0, 128.0);

/// Memory of the training of `network` by `plan` on so many `samples` of both splits; on a GPU (`device`) what stays in the
/// computer's own. Methods come one after the other, so that of each part the greatest counts.
pub fn memory(plan: &Plan, network: &Network, samples: usize, device: bool) -> Need {
    let mut need = Need::default();
    let controls = network.controls() as f64;
    let samples = samples as f64;
    let width = network.input().width() as f64;
    if plan.imperfections.perturbation > 0.0 {
        let hidden = 0..network.layers().len() - 1;
        let entries: f64 = hidden.map(|layer| (network.layer_output(layer).width() as f64).powi(2)).sum();
        need.fixed("the perturbation between layers", entries * 8.0);
    }
    if device {
        need.fixed("the first controls", controls * 8.0);
        need.growing("the encoded samples", samples * width * 4.0, "train-limit", samples);
        return need;
    }
    let real = match plan.precision {
        Precision::F32 => 4.0,
        Precision::F64 => 8.0,
    };
    let moments = plan.training.optimizer.moments() as f64;
    let kept: usize = network.stages().map(at_core::cpu::reals).sum();
    let (elements, chip) = (real * kept as f64, controls * real);
    let trained = controls * (real + 8.0) * (1.0 + moments); // with what a checkpoint writes
    let any = |methods: &[MethodName]| plan.methods.iter().any(|method| methods.contains(method));
    let modelled = plan.methods.iter().any(|&method| methods::facts(method).model != Model::None);

    need.growing("the encoded samples", samples * width * real, "train-limit", samples);
    let model = if modelled { chip + elements + controls * real } else { 0.0 };
    need.fixed(
        "the controls and the chip",
        (controls * 8.0 + chip + elements + trained).max(controls * BYTES_PER_CONTROL),
    );
    need.fixed("the digital model and its gradient", model);
    let others = (plan.fleet() - 1) as f64;
    if any(&[MethodName::At]) && others > 0.0 {
        let fleet = plan.fleet() as f64;
        need.growing("chips that share a model", others * (chip + elements + trained), "share-model", fleet);
    }

    let batch = plan.training.batch_size as f64;
    let widths: Vec<f64> = network.crossed_stages().map(|stage| stage.output().width() as f64).collect();
    let traced: f64 = if modelled { widths.iter().sum() } else { 0.0 };
    // what enters and what leaves a stage of the chip, with room for the widest
    let passing = 2.0 * widths.iter().copied().fold(width, f64::max);
    let signals = batch * real * (width + network.outputs() as f64 + passing + traced);
    need.growing("the signals of a batch", signals, "batch-size", batch);
    if any(&[MethodName::Ffm]) {
        let seen: f64 = network.meshes().map(|mesh| mesh.controls() as f64).sum();
        need.growing("the fields at all phase shifters (ffm)", 4.0 * real * seen * batch, "batch-size", batch);
    }
    if any(&[MethodName::AtAdaptive]) {
        need.fixed("the estimate (at-adaptive)", 5.0 * real * network.imperfections() as f64);
    }
    if any(&[MethodName::Dfa, MethodName::DfaModel]) {
        let hidden = network.visits().len() - 1;
        let outputs = network.outputs() as f64;
        let entries: f64 = network.visited_outputs().take(hidden).map(|own| own.width() as f64 * outputs).sum();
        need.fixed("the feedback (dfa)", entries * real);
    }
    if any(&[MethodName::Phyll]) {
        let entries: f64 = network.visited_outputs().map(|own| (own.width() as f64).powi(2)).sum();
        need.fixed("the maps between layers (phyll)", entries * (real + 8.0));
    }
    if any(&[MethodName::Dat, MethodName::DatInternal]) {
        prediction(&mut need, plan, network, real, moments);
    }
    need
}

/// The error-prediction networks of `dat`: their parameters, and their maps of a batch.
fn prediction(need: &mut Need, plan: &Plan, network: &Network, real: f64, moments: f64) {
    let batch = plan.training.batch_size as f64;
    let (mut parameters, mut pixels) = (0.0, 0.0);
    for mesh in network.meshes() {
        let (own, maps) = dat::size(mesh.modes(), plan.options.dat.maps);
        parameters += own;
        pixels += maps;
    }
    let most = plan.options.dat.maps.into_iter().max().unwrap_or(1) as f64;
    let bytes = parameters * ((real + 8.0) * (1.0 + moments) + 2.0 * real + 4.0);
    need.growing_squared("the error-prediction networks (dat)", bytes, "dat-maps", most);
    need.growing("their maps of a batch (dat)", (batch / TILE.0).ceil() * TILE.1 * pixels, "batch-size", batch);
}
