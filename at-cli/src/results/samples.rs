//! Some test samples on their way: what enters, what leaves every layer of the digital model, what the chip answers.

use super::{Draft, Learned, Written, npz};
use anyhow::Result;
use at_core::fabrication::Fabrication;
use at_core::propagator::TapAccess;
use at_core::stage::Signal;
use ndarray::{Array1, Array2};
use num_complex::Complex32;
use std::path::Path;

/// What leaves every layer, `[sample, width]`; the readout last.
type Layers = Vec<Vec<f32>>;

/// `samples.npz`, of `samples` that are there.
pub fn write(learned: &Learned, samples: &[usize], folder: &Path, written: &mut Vec<Written>) -> Result<()> {
    let (run, network) = (learned.run, &learned.run.network);
    let fields = run.signals(&samples.iter().map(|&sample| sample as u32).collect::<Vec<_>>())?;
    let model = through(learned, &run.plan.options.known(network)?, &fields, samples.len())?;
    let chip = learned.chip.map(|chip| through(learned, chip, &fields, samples.len())).transpose()?;
    npz(&folder.join("samples.npz"), |file| {
        file.add_array("sample", &samples.iter().map(|&sample| sample as u64).collect::<Array1<u64>>())?;
        add(file, "input", network.input(), &fields)?;
        let layers = model.len();
        for (layer, (values, leaves)) in model.iter().zip(network.visited_outputs()).enumerate().take(layers - 1) {
            add(file, &format!("model.layer{layer}"), leaves, values)?;
        }
        let readout = Signal::reals(network.outputs());
        add(file, "model.readout", readout, &model[layers - 1])?;
        chip.iter().try_for_each(|chip| add(file, "chip.readout", readout, &chip[layers - 1]))
    })?;
    written.push(Written {
        file: "samples.npz",
        what: format!(
            "{} test samples: sample (their numbers), input, model.layerK behind every hidden layer, model.readout{}; [sample, mode], \
             complex for fields",
            samples.len(),
            if learned.chip.is_some() { ", chip.readout" } else { "" }
        ),
    });
    Ok(())
}

/// Sends `fields` through a chip that is made like `fabrication`.
fn through(learned: &Learned, fabrication: &Fabrication, fields: &[f32], batch: usize) -> Result<Layers> {
    let network = &learned.run.network;
    let mut chip = learned.run.programmed(fabrication, learned.controls)?;
    let mut layers: Layers = network.visited_outputs().map(|leaves| vec![0.0; batch * leaves.width()]).collect();
    if let Some((readout, taps)) = layers.split_last_mut() {
        chip.propagate_tapped(&fields.to_vec(), batch, taps, readout)?;
    }
    Ok(layers)
}

fn add(file: &mut Draft, name: &str, signal: Signal, values: &[f32]) -> std::io::Result<()> {
    let samples = values.len() / signal.width();
    if signal.complex {
        let field = |(sample, mode): (usize, usize)| {
            let at = 2 * (sample * signal.modes + mode);
            Complex32::new(values[at], values[at + 1])
        };
        file.add_array(name, &Array2::from_shape_fn((samples, signal.modes), field))
    } else {
        let real = |(sample, mode): (usize, usize)| values[sample * signal.modes + mode];
        file.add_array(name, &Array2::from_shape_fn((samples, signal.modes), real))
    }
}
