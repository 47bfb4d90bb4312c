//! What a training needs of a device's memory, known before anything is built.
//!
//! The sum of all buffers of a chip, its digital model, their optimizer and the data, rounded up where it depends on the method. No
//! interface of a GPU tells how much memory is free: it is compared with what is said to be there, and with the limits that the
//! adapter does tell.

use crate::arithmetic::ROWS_ALIGNED;
use crate::engine::Gpu;
pub use crate::stage::Training;
use crate::stage::{self, Device};
use at_core::training::methods::hybrid;
use at_core::{Error, Result};
use std::fmt;

/// Bytes by purpose.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Footprint {
    /// Coefficients, matrices and errors of chip and model.
    pub networks: u64,
    /// Controls, gradients, optimizer state.
    pub parameters: u64,
    /// Signals, fields and adjoints of a batch.
    pub batch: u64,
    /// The data set.
    pub data: u64,
    /// The largest part that a kernel sees at once.
    pub largest: u64,
}

impl Training<'_> {
    /// Its memory on a device.
    pub fn estimate(&self, gpu: &Gpu) -> Footprint {
        self.within(&device(gpu))
    }

    /// Its memory on a device of this kind.
    fn within(&self, device: &Device) -> Footprint {
        let Training { network, imperfect, batch, moments, samples, single_meshes, shifter_fields, estimate } = *self;
        let mut all = Footprint::default();
        let (mut widest, mut traced, mut states, mut between) = (0, 0, 0, 0);
        for stage in network.stages() {
            let (inputs, outputs) = (stage.input().width() as u64, stage.output().width() as u64);
            widest = widest.max(inputs).max(outputs);
            let own = stage::memory(stage, self, device);
            all.networks += own.networks;
            states = states.max(own.states);
            between = between.max(own.between);
        }
        for stage in network.crossed_stages() {
            traced += stage.input().width() as u64 + stage.output().width() as u64;
        }
        let controls = 4 * network.controls() as u64;
        all.networks += if imperfect { 3 * controls } else { 0 };
        // Two sets of parameters with their moments, two gradients, a mask.
        all.parameters = controls * (2 * (1 + moments as u64) + 3);
        // The estimate, Adam's two moments of it, its gradient, and what the model was told.
        let imperfections = if estimate { 4 * network.imperfections() as u64 } else { 0 };
        all.parameters += 5 * imperfections;
        let signal = 4 * widest * batch as u64;
        // Two signals between stages for chip and model, fields of a chip, states and products of a model, the traced signals,
        // the batch itself, readouts and errors.
        all.batch = 4 * signal + 4 * traced * batch as u64 + 3 * states + 4 * signal;
        all.batch += between;
        // of what no method can light, there is nothing
        let inside = if single_meshes { hybrid::reals_inside(network).unwrap_or_default() } else { [0.0; 2] };
        let [inside, widest_inside] = inside.map(|reals| (4.0 * reals * batch as f64) as u64);
        all.batch += inside;
        let crossed = if shifter_fields { hybrid::crossings(network).unwrap_or_default() } else { Vec::new() };
        let fields = crossed.iter().map(|mesh| 8 * (mesh.controls.len() * mesh.patches * batch) as u64);
        let seen = fields.max().unwrap_or(0);
        all.batch += 2 * seen;
        all.data = samples as u64 * 4 * (network.input().width() as u64 + 2);
        let rows = 4 * ROWS_ALIGNED as u64 * network.input().width() as u64; // of the data, which kernels see in parts
        all.largest = controls.max(imperfections).max(signal).max(states).max(rows).max(seen).max(widest_inside);
        all
    }

    /// Errs where it does not fit `memory` (bytes; unknown where `None`) or the limits of the device, with all sizes and the largest
    /// batch that would fit.
    pub fn check(&self, gpu: &Gpu, memory: Option<u64>) -> Result<()> {
        let device = device(gpu);
        let binding = device.binding;
        let buffer = gpu.commands.context.limits.max_buffer_size;
        let fits = |batch: usize| {
            let estimate = Training { batch, ..*self }.within(&device);
            estimate.largest <= binding
                && estimate.data <= buffer
                && memory.is_none_or(|memory| estimate.total() <= memory)
        };
        if fits(self.batch) {
            return Ok(());
        }
        let estimate = self.within(&device);
        let there = match memory {
            Some(memory) if estimate.total() > memory => format!("{} are there", size(memory)),
            _ if estimate.data > buffer => format!("it keeps at most {} in one piece", size(buffer)),
            _ => format!("it gives a kernel at most {} at once, of {}", size(binding), size(estimate.largest)),
        };
        let advice = if fits(1) {
            let (mut most, mut too_many) = (1, self.batch);
            while too_many - most > 1 {
                let middle = most + (too_many - most) / 2;
                if fits(middle) { most = middle } else { too_many = middle }
            }
            format!("the largest batch that fits is {most}")
        } else {
            "no batch fits; choose a smaller network, fewer samples, or `engine` cpu".to_string()
        };
        Err(Error::Device {
            device: gpu.adapter().name.clone(),
            reason: format!("a batch of {} needs {estimate}, and {there}: {advice}", self.batch),
        })
    }
}

fn device(gpu: &Gpu) -> Device {
    let limits = &gpu.commands.context.limits;
    Device { binding: limits.max_storage_buffer_binding_size.min(limits.max_buffer_size), costs: gpu.costs }
}

impl Footprint {
    /// All together.
    pub fn total(&self) -> u64 {
        self.networks + self.parameters + self.batch + self.data
    }
}

impl fmt::Display for Footprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Footprint { networks, parameters, batch, data, .. } = *self;
        let [total, networks, parameters, batch, data] = [self.total(), networks, parameters, batch, data].map(size);
        write!(
            f,
            "{total} of memory (networks {networks}, controls and optimizer {parameters}, batch {batch}, data {data})"
        )
    }
}

/// Bytes for people.
fn size(bytes: u64) -> String {
    let bytes = bytes as f64;
    let exponent = ((bytes.max(1.0).log10() / 3.0) as usize).min(5);
    format!("{:.1} {}", bytes / 1000_f64.powi(exponent as i32), ["B", "kB", "MB", "GB", "TB", "PB"][exponent])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::costs::MeshCosts;
    use crate::testing::require_gpu;
    use at_core::network::{Detection, Network, Stage};
    use at_core::optics::Mesh;

    fn bound(binding: u64) -> Device {
        Device { binding, costs: MeshCosts::default() }
    }

    fn network(modes: usize) -> Network {
        let mesh = Stage::Mesh(Mesh::rectangular(modes).unwrap());
        Network::new(vec![vec![mesh, Stage::detection(modes, Detection::Intensity)]]).unwrap()
    }

    /// Adam on 1000 samples in batches of 500.
    fn imperfect(network: &Network) -> Training<'_> {
        let (single_meshes, shifter_fields, estimate) = (false, false, false);
        Training {
            network,
            imperfect: true,
            batch: 500,
            moments: 2,
            samples: 1000,
            single_meshes,
            shifter_fields,
            estimate,
        }
    }

    #[test]
    fn a_network_that_does_not_fit_is_refused_with_the_largest_batch_that_does() {
        let Some(gpu) = require_gpu() else { return };
        let network = network(64);
        let training = Training { batch: 10_000, ..imperfect(&network) };
        training.check(&gpu, Some(1 << 34)).unwrap();
        let half = Training { batch: 5000, ..training }.estimate(&gpu).total();
        let error = training.check(&gpu, Some(half)).unwrap_err().to_string();
        let most: usize = error.rsplit(' ').next().unwrap().parse().unwrap();
        assert!((5000..10_000).contains(&most), "{error}");
        Training { batch: most, ..training }.check(&gpu, Some(half)).unwrap();
        assert!(Training { batch: most + 1, ..training }.check(&gpu, Some(half)).is_err());
        assert!(error.contains("networks") && error.contains("data"), "{error}");
        let error = training.check(&gpu, Some(1000)).unwrap_err().to_string();
        assert!(error.contains("no batch fits") && error.contains("`engine` cpu"), "{error}");
    }

    #[test]
    fn fields_at_the_shifters_count_where_they_are_kept() {
        let network = network(64);
        let plain = imperfect(&network);
        let (plain, kept) =
            (plain.within(&bound(1 << 27)), Training { shifter_fields: true, ..plain }.within(&bound(1 << 27)));
        let fields = 8 * 500 * (64 * 63 + 64); // complex, θ and φ of every MZI and γ of every mode
        assert_eq!((kept.batch - plain.batch, kept.largest), (2 * fields, fields));
        assert!(plain.largest < fields);
    }

    #[test]
    fn an_estimate_counts_with_its_moments_and_its_gradient() {
        let network = network(64);
        let plain = imperfect(&network);
        let (plain, learned) =
            (plain.within(&bound(1 << 27)), Training { estimate: true, ..plain }.within(&bound(1 << 27)));
        let estimated = 4 * (3 * 32 * 63 + 64 * 65); // δ1, δ2 and δθ of every MZI, waveguides before and behind 64 columns
        assert_eq!(learned.parameters - plain.parameters, 5 * estimated);
        assert!(learned.networks > plain.networks && learned.largest >= estimated);
    }

    #[test]
    fn three_meshes_of_4096_modes_fit_a_large_gpu() {
        let mesh = || Stage::Mesh(Mesh::rectangular(4096).unwrap());
        let detection = Stage::detection(4096, Detection::Intensity);
        let network = Network::new(vec![vec![mesh(), mesh(), mesh(), detection]]).unwrap();
        let training = Training { batch: 1024, samples: 60_000, ..imperfect(&network) };
        let estimate = training.within(&bound(1 << 31));
        assert!(estimate.total() < 100 << 30, "{estimate}");
        assert!(estimate.largest < 1 << 31, "{estimate}");
    }
}
