//! Cases that the benches share: meshes of every size on the CPU in `f32`, with light and errors.

use at_core::chip::{AnyChip, Chip};
use at_core::cpu::Cpu;
use at_core::engine::{Engine, Loss, Optimizer, Schedule};
use at_core::fabrication::Fabrication;
use at_core::imperfections::Imperfections;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::{Activation, Mesh};
use at_core::propagator::{Adjoint, Propagator, Simulator};
use at_core::training::{Initialization, Settings, Split, initial_controls};
use at_tests::draws::normals;
use at_tests::networks::{coherent, mesh_and_detectors};

/// Modes of the meshes that are timed.
pub const MODES: [usize; 4] = [16, 64, 256, 1024];

/// Samples of a batch.
pub const BATCH: usize = 256;

/// One ideal rectangular mesh of `modes` columns and its power detectors.
pub fn single_mesh(modes: usize) -> Network {
    mesh_and_detectors(&Mesh::rectangular(modes).expect("a possible size"), Detection::Intensity)
}

/// Three rectangular meshes with electro-optic activations between them, and power detectors.
pub fn three_meshes(modes: usize) -> Network {
    coherent(modes, 3, Activation::ELECTRO_OPTIC, Detection::Intensity)
}

/// MZIs of all meshes.
pub fn mzis(network: &Network) -> usize {
    network.stages().map(|stage| if let Stage::Mesh(mesh) = stage { mesh.mzis() } else { 0 }).sum()
}

/// Imperfections of a good chip whose waveguides all lose the same.
pub fn chip_errors() -> Imperfections {
    Imperfections { splitter_angle: 0.02, phase: 0.05, loss_db: 0.1, ..Imperfections::default() }
}

/// A network with everything that a pass through it needs.
pub struct Pass {
    network: <Cpu<f32> as Simulator>::Network,
    /// The controls in `f32`.
    pub controls: Vec<f32>,
    /// `[batch, inputs]`.
    pub fields: Vec<f32>,
    /// `[batch, outputs]`.
    pub readout: Vec<f32>,
    /// dL/d(readout), `[batch, outputs]`.
    pub error: Vec<f32>,
    /// dL/d(controls).
    pub gradient: Vec<f32>,
    trace: <<Cpu<f32> as Simulator>::Network as Adjoint>::Trace,
    batch: usize,
}

impl Pass {
    /// Draws controls (Haar), light and errors.
    pub fn new(network: &Network, errors: &Imperfections, batch: usize) -> Self {
        let engine = Cpu::<f32>::new();
        let fabrication = errors.fabricate(network, 1).expect("the chip is possible");
        let mut built = engine.build(network, &fabrication).expect("the chip is possible");
        let single = |values: Vec<f64>| engine.upload(&values).expect("memory");
        let controls = single(initial_controls(network, 2, &Initialization::FanIn).expect("the default is possible"));
        built.program(&controls).expect("sizes fit");
        Pass {
            fields: single(normals(batch * network.input().width(), 3)),
            readout: vec![0.0; batch * network.outputs()],
            error: single(normals(batch * network.outputs(), 4)),
            gradient: vec![0.0; network.controls()],
            trace: built.trace(batch).expect("memory"),
            network: built,
            controls,
            batch,
        }
    }

    /// Sends the batch through, at controls programmed before.
    pub fn propagate(&mut self) {
        self.network.propagate(&self.fields, self.batch, &mut self.readout).expect("sizes fit");
    }

    /// Programs the controls.
    pub fn program(&mut self) {
        self.network.program(&self.controls).expect("sizes fit");
    }

    /// Programs the controls, sends the batch through, and carries the error back to a gradient.
    pub fn gradient(&mut self) {
        self.program();
        self.network.record(&self.fields, self.batch, &mut self.trace, &mut self.readout).expect("sizes fit");
        self.network.backpropagate(&self.trace, &self.error, &mut self.gradient).expect("sizes fit");
    }
}

/// What a training of `network` on drawn samples needs.
pub struct Lesson {
    /// The engine.
    pub engine: Cpu<f32>,
    /// One epoch of Adam on the cross-entropy.
    pub settings: Settings,
    /// The chip's own errors.
    pub fabrication: Fabrication,
    /// Haar phases.
    pub controls: Vec<f64>,
    /// The samples.
    pub split: Split<Cpu<f32>>,
}

impl Lesson {
    /// `samples` samples in batches of `batch`.
    pub fn new(network: &Network, errors: &Imperfections, samples: usize, batch: usize) -> Self {
        let engine = Cpu::new();
        let signals: Vec<f32> = normals(samples * network.input().width(), 5).iter().map(|&x| x as f32).collect();
        let classes = network.outputs().min(10);
        let labels: Vec<u32> = (0..samples).map(|sample| (sample % classes) as u32).collect();
        Lesson {
            settings: Settings {
                epochs: 1,
                batch_size: batch,
                learning_rate: 1e-3,
                schedule: Schedule::Constant,
                optimizer: Optimizer::ADAM,
                loss: Loss::cross_entropy(classes),
                seed: 6,
            },
            fabrication: errors.fabricate(network, 1).expect("the chip is possible"),
            controls: initial_controls(network, 2, &Initialization::FanIn).expect("the default is possible"),
            split: Split::new(&engine, &signals, &labels).expect("memory"),
            engine,
        }
    }

    /// The chip.
    pub fn chip(&self, network: &Network) -> AnyChip<Cpu<f32>> {
        AnyChip::new(Chip::new(&self.engine, network, &self.fabrication).expect("the chip is possible"))
    }
}
