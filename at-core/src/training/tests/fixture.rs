//! Small networks, a small task, and everything built for them.

use crate::chip::{Chip, Meter, Physical};
use crate::engine::{Loss, Normalization, Optimizer, Schedule};
use crate::fabrication::Fabrication;
use crate::imperfections::{Drift, Imperfections, Memory, Noise, Rings};
use crate::network::{Detection, Entry, Feedback, Network, Recurrence, Stage, singular_value_stages};
use crate::optics::{Activation, AngularSpectrum, Layout, Mesh};
use crate::propagator::{Propagator, Simulator};
use crate::stage::Transmission;
use crate::training::methods::{MethodFacts, build, registry};
use crate::training::{Initialization, Method, MethodName, MethodOptions, Settings, Split, Trainer, initial_controls};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Matrices with rectifiers between them.
pub fn matrices(widths: &[usize]) -> Network {
    dense(widths, Stage::matrix)
}

/// Weight banks with rectifiers between them.
pub fn weight_banks(widths: &[usize]) -> Network {
    dense(widths, Stage::weight_bank)
}

/// Banks of microrings with rectifiers between them.
pub fn ring_banks(widths: &[usize]) -> Network {
    dense(widths, |inputs, outputs| Stage::ring_bank(inputs, outputs, 5, 20.0))
}

/// Crossbars of phase-change cells with rectifiers between them.
pub fn phase_change(widths: &[usize]) -> Network {
    dense(widths, Stage::phase_change)
}

fn dense(widths: &[usize], stage: impl Fn(usize, usize) -> Stage) -> Network {
    let mut layers: Vec<_> =
        widths.windows(2).map(|pair| vec![stage(pair[0], pair[1]), Stage::rectifier(pair[1], 0.0)]).collect();
    layers.last_mut().unwrap().pop();
    Network::new(layers).unwrap()
}

/// Two meshes with an electro-optic activation between them.
pub fn meshes(modes: usize) -> Network {
    chain_of_meshes(modes, 2)
}

/// `count` meshes with nonlinearities between them.
pub fn chain_of_meshes(modes: usize, count: usize) -> Network {
    let mesh = || Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap());
    let mut layers = vec![vec![mesh(), Stage::activation(modes, Activation::ELECTRO_OPTIC)]; count - 1];
    layers.push(vec![mesh(), Stage::detection(modes, Detection::Intensity)]);
    Network::new(layers).unwrap()
}

/// Two masks of phases with free space around them, and five detectors.
pub fn planes() -> Network {
    let (rows, columns) = (6, 5);
    let spectrum = AngularSpectrum { rows, columns, pitch_um: 400.0, distance_um: 3_000.0, wavelength_um: 750.0 };
    let lit = || vec![Stage::free_space(spectrum), Stage::mask(rows, columns, Transmission::Phase)];
    let read = vec![Stage::free_space(spectrum), Stage::regions(rows, columns, 5, 1)];
    Network::new(vec![lit(), lit(), read]).unwrap()
}

/// A cell of weight banks that takes two features at a time beside four numbers that left it.
pub fn looped_banks() -> Network {
    let layers = vec![vec![Stage::weight_bank(6, 4), Stage::rectifier(4, 0.0)], vec![Stage::weight_bank(4, 3)]];
    let own = Recurrence { layers: 0..1, steps: 3, entry: Entry::Parts(2), feedback: Feedback::Converted };
    Network::recurrent(layers, own).unwrap()
}

/// The two of [`meshes`], the first crossed three times.
pub fn looped_meshes(modes: usize) -> Network {
    let own = Recurrence { layers: 0..1, steps: 3, entry: Entry::Once, feedback: Feedback::Analogue };
    Network::recurrent(meshes(modes).layers().to_vec(), own).unwrap()
}

/// Two meshes with attenuators between them, then a mesh; nonlinear in between.
pub fn singular_values() -> Network {
    let [v, sigma, u] = singular_value_stages(4, 4, Layout::Triangular).unwrap();
    let activation = Stage::activation(4, Activation::ELECTRO_OPTIC);
    let mesh = v.clone();
    let detection = Stage::detection(4, Detection::Homodyne { phase: 0.3 });
    Network::new(vec![vec![v, sigma, u, activation], vec![mesh, detection]]).unwrap()
}

/// One mesh and its detectors: what every method fits.
pub fn one_mesh(modes: usize) -> Network {
    let mesh = Stage::Mesh(Mesh::universal(modes, Layout::Rectangular).unwrap());
    Network::new(vec![vec![mesh, Stage::detection(modes, Detection::Intensity)]]).unwrap()
}

/// Errors of every kind that these networks can have, of moderate size.
pub const ERRORS: Imperfections = Imperfections {
    splitter_angle: 0.05,
    phase: 0.05,
    loss_db: 0.1,
    loss_spread_db: 0.02,
    parameter_spread: 0.3,
    response_amplitude: 0.2,
    response_slope: 0.2,
    response_offset: 0.1,
    update_error: 0.3,
    rings: Rings { ring_offset: 0.05, ring_linewidth: 0.1, ring_leak: 0.01, ring_loss_db: 0.3 },
    memory: Memory {
        pcm_contrast: 0.1,
        pcm_offset: 0.05,
        pcm_levels: 33,
        pcm_write_noise: 0.01,
        pcm_cycle_spread: 0.0,
    },
    noise: Noise {
        gain_noise: 0.1,
        hidden_relative_noise: 0.05,
        laser_noise: 0.02,
        thermal_noise: 0.01,
        ..Noise::NONE
    },
    drift: Drift { drift_step: 0.02, drift_common: 0.01, drift_return: 0.05 },
    ..Imperfections::NONE
};

/// The same on a chip that stands still and makes no noise.
pub const CALM: Imperfections = Imperfections { noise: Noise::NONE, drift: Drift::NONE, ..ERRORS };

/// Settings for `classes` classes: `epochs` of batches of 10.
pub fn settings(classes: usize, epochs: usize, learning_rate: f64, optimizer: Optimizer) -> Settings {
    let loss = Loss { normalization: Normalization::None, ..Loss::cross_entropy(classes) };
    Settings { epochs, batch_size: 10, learning_rate, schedule: Schedule::Constant, optimizer, loss, seed: 11 }
}

/// Gaussian clouds, one per class, samples of different classes in turn.
pub fn clouds(width: usize, classes: usize, samples: usize, seed: u64) -> (Vec<f32>, Vec<u32>) {
    let normals = |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        std::iter::repeat_with(move || -> f32 { StandardNormal.sample(&mut random) })
    };
    let centres: Vec<f32> = normals(1).take(width * classes).collect();
    let labels: Vec<u32> = (0..samples).map(|sample| (sample % classes) as u32).collect();
    let signals = (0..samples * width).zip(normals(seed)).map(|(index, noise)| {
        let class = index / width % classes;
        centres[class * width + index % width] + 0.3 * noise
    });
    (signals.collect(), labels)
}

/// A task on an imperfect chip.
pub struct Fixture<E: Simulator> {
    pub engine: E,
    pub network: Network,
    pub fabrication: Fabrication,
    pub initial: Vec<f64>,
    pub settings: Settings,
    pub options: MethodOptions,
    pub train: Split<E>,
    pub test: Split<E>,
}

impl<E: Simulator> Fixture<E> {
    /// 47 samples to train, so that batches of 10 leave a rest, and 30 to test.
    pub fn new(engine: E, network: Network, errors: &Imperfections, settings: Settings) -> Self {
        let fabrication = errors.fabricate(&network, 7).unwrap();
        let initial = initial_controls(&network, 3, &Initialization::FanIn).unwrap();
        let split = |samples, seed| {
            let (signals, labels) = clouds(network.input().width(), settings.loss.classes, samples, seed);
            Split::new(&engine, &signals, &labels).unwrap()
        };
        let (train, test) = (split(47, 20), split(30, 21));
        Fixture { engine, network, fabrication, initial, settings, options: MethodOptions::default(), train, test }
    }

    pub fn chip(&self) -> Chip<E> {
        Chip::new(&self.engine, &self.network, &self.fabrication).unwrap()
    }

    pub fn method(&self, name: MethodName) -> Box<dyn Method<Chip<E>>> {
        self.metered_method(name, &Meter::default())
    }

    pub fn metered_method(&self, name: MethodName, meter: &Meter) -> Box<dyn Method<Chip<E>>> {
        let Fixture { engine, network, fabrication, initial, settings, options, .. } = self;
        build(name, engine, network, fabrication, initial, settings, options, meter).unwrap()
    }

    pub fn trainer(&self) -> Trainer<'_, E> {
        Trainer { engine: &self.engine, settings: &self.settings, train: &self.train, test: &self.test }
    }

    /// The controls after each of `steps` steps on the first batches.
    pub fn trajectory(&self, name: MethodName, steps: usize) -> Vec<Vec<f64>> {
        let (mut chip, mut method) = (self.chip(), self.method(name));
        chip.unmetered(|chip| chip.program(method.controls())).unwrap();
        let mut batch = crate::training::Batch::new(&self.engine, self.train.width(), 10).unwrap();
        let mut tally = self.engine.zeros(3).unwrap();
        (0..steps)
            .map(|step| {
                batch.gather(&self.engine, &self.train, self.train.in_order(), step % 4 * 10, 10).unwrap();
                method.step(&mut chip, &batch, self.settings.learning_rate, &mut tally).unwrap();
                self.engine.download(method.controls()).unwrap()
            })
            .collect()
    }
}

/// The first epoch's and the final loss of the chip on the test split.
pub fn losses<E: Simulator>(fixture: &Fixture<E>, name: MethodName) -> (f64, f64) {
    let outcome = fixture.trainer().run(&mut fixture.chip(), &mut *fixture.method(name), None, None, &mut ()).unwrap();
    (outcome.records[0].test_loss, outcome.test.loss)
}

/// The methods that fit `network`.
pub fn suitable(network: &Network) -> Vec<MethodName> {
    // without anything to estimate, at-adaptive is another method, and still trains
    let fits = |facts: &&MethodFacts| facts.name == MethodName::AtAdaptive || (facts.check)(network).is_ok();
    registry::FACTS.into_iter().filter(fits).map(|facts| facts.name).collect()
}

/// The methods that carry errors back through a model with its own weights.
pub const BACKPROPAGATION: [MethodName; 6] = [
    MethodName::At,
    MethodName::InSilico,
    MethodName::Ideal,
    MethodName::Pat,
    MethodName::PatOutput,
    MethodName::NoiseAware,
];
