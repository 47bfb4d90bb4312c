//! One network with its imperfections, controls, light, and the error that its readout is given.

use crate::compare::largest;
use crate::draws::normals;
use at_core::fabrication::Fabrication;
use at_core::imperfections::{Imperfections, Memory, Rings};
use at_core::network::Network;
use at_core::propagator::{Adjoint, LayerAccess, Layered, Propagator, Simulator, TapAccess};
use at_core::reference::Reference;
use at_core::training::{Initialization, initial_controls};

/// Imperfections of every kind, large enough that each shows.
pub const LOSSY: Imperfections = Imperfections {
    splitter_angle: 0.1,
    phase: 0.3,
    loss_db: 0.2,
    loss_spread_db: 0.05,
    parameter_spread: 0.6,
    response_amplitude: 0.2,
    response_slope: 0.2,
    response_offset: 0.1,
    rings: Rings { ring_offset: 0.1, ring_linewidth: 0.2, ring_leak: 0.05, ring_loss_db: 0.5 },
    memory: Memory { pcm_contrast: 0.1, pcm_offset: 0.05, ..Memory::NONE },
    update_error: 0.4,
    perturbation: 0.3,
    ..Imperfections::NONE
};

/// No imperfection.
pub const IDEAL: Imperfections = Imperfections::NONE;

/// What is run.
pub struct Case {
    /// The design.
    pub network: Network,
    /// The chip.
    pub fabrication: Fabrication,
    /// The controls first programmed.
    pub first_controls: Vec<f64>,
    /// The controls of the run.
    pub controls: Vec<f64>,
    /// `[batch, inputs]`.
    pub fields: Vec<f64>,
    /// `[batch, outputs]`, dL/d(readout): the loss is the readout's product with it.
    pub error: Vec<f64>,
    /// Number of samples.
    pub batch: usize,
}

/// What comes out.
pub struct Outcome {
    /// `[batch, outputs]`.
    pub readout: Vec<f64>,
    /// dL/d(controls).
    pub gradient: Vec<f64>,
}

impl Case {
    /// Draws everything from `seed`. Numbers are rounded to `f32`, so that engines of both precisions get the same.
    pub fn new(network: Network, imperfections: &Imperfections, batch: usize, seed: u64) -> Self {
        let fabrication = imperfections.fabricate(&network, seed).expect("the imperfections are possible");
        let initial = initial_controls(&network, seed, &Initialization::FanIn).expect("the default is possible");
        let steps = normals(network.controls(), seed + 1);
        let single = |value: f64| f64::from(value as f32);
        let first_controls: Vec<f64> = initial.into_iter().map(single).collect();
        Case {
            controls: first_controls.iter().zip(steps).map(|(first, step)| single(first + 0.3 * step)).collect(),
            first_controls,
            fields: normals(batch * network.input().width(), seed + 2).into_iter().map(single).collect(),
            error: normals(batch * network.outputs(), seed + 3).into_iter().map(single).collect(),
            network,
            fabrication,
            batch,
        }
    }

    /// The reference for this chip.
    pub fn reference(&self) -> Reference<'_> {
        Reference {
            network: &self.network,
            fabrication: &self.fabrication,
            first_controls: &self.first_controls,
            drift: &[],
        }
    }

    /// What the reference gives.
    pub fn expected(&self) -> Outcome {
        Outcome {
            readout: self.reference().propagate(&self.controls, &self.fields).expect("sizes fit"),
            gradient: self.reference().gradient(&self.controls, &self.fields, &self.error).expect("sizes fit"),
        }
    }

    /// What `engine` gives. Buffers that it overwrites start as NaN and are longer than needed where that is allowed.
    pub fn run<E: Simulator>(&self, engine: &E) -> Outcome {
        let mut network = self.programmed(engine);
        let nothing = |len| engine.upload(&vec![f64::NAN; len]).expect("memory");
        let fields = engine.upload(&self.fields).expect("memory");
        let error = engine.upload(&self.error).expect("memory");
        let mut readout = nothing((self.batch + 1) * network.outputs());
        let mut recorded = nothing((self.batch + 1) * network.outputs());
        let mut gradient = nothing(network.controls());
        let mut trace = network.trace(self.batch + 1).expect("memory");
        network.propagate(&fields, self.batch, &mut readout).expect("sizes fit");
        network.record(&fields, self.batch, &mut trace, &mut recorded).expect("sizes fit");
        network.backpropagate(&trace, &error, &mut gradient).expect("sizes fit");
        let read = |buffer| engine.download(buffer).expect("memory")[..self.error.len()].to_vec();
        assert_eq!(read(&readout), read(&recorded), "recording changes nothing");
        let gradient = engine.download(&gradient).expect("memory");
        assert!(largest(&gradient).is_finite(), "every entry of the gradient is written");
        Outcome { readout: read(&readout), gradient }
    }

    /// On `engine`: what taps behind the hidden layers show, then the readout.
    pub fn run_tapped<E: Simulator>(&self, engine: &E) -> Vec<Vec<f64>> {
        let mut network = self.programmed(engine);
        let fields = engine.upload(&self.fields).expect("memory");
        let room = |layer| engine.zeros((self.batch + 1) * network.layer_outputs(layer)).expect("memory");
        let mut signals: Vec<_> = (0..network.layers()).map(room).collect();
        let mut readout = signals.pop().expect("a network has layers");
        network.propagate_tapped(&fields, self.batch, &mut signals, &mut readout).expect("sizes fit");
        signals.push(readout);
        let widths = (0..network.layers()).map(|layer| self.batch * network.layer_outputs(layer));
        let read = |(signal, len)| engine.download(signal).expect("memory")[..len].to_vec();
        signals.iter().zip(widths).map(read).collect()
    }

    /// On `engine`: the gradient of one layer around `input`, into entries that were 7 before, with or without the error at
    /// its input, which follows.
    pub fn run_layer_gradient<E: Simulator>(
        &self,
        engine: &E,
        layer: usize,
        input: &[f64],
        output_error: &[f64],
    ) -> [(Vec<f64>, Vec<f64>); 2] {
        let mut network = self.programmed(engine);
        let mut trace = network.trace(self.batch).expect("memory");
        let [fields, error] = [input, output_error].map(|values| engine.upload(values).expect("memory"));
        network.record_layer(layer, &fields, self.batch, &mut trace).expect("sizes fit");
        [true, false].map(|asked| {
            let mut gradient = engine.upload(&vec![7.0; network.controls()]).expect("memory");
            let mut input_error = engine.upload(&vec![f64::NAN; input.len()]).expect("memory");
            let wanted = asked.then_some(&mut input_error);
            network.backpropagate_layer(layer, &trace, &error, wanted, &mut gradient).expect("sizes fit");
            (engine.download(&gradient).expect("memory"), engine.download(&input_error).expect("memory"))
        })
    }

    /// Output of layer `layer` on `engine` for its `input`.
    pub fn run_layer<E: Simulator>(&self, engine: &E, layer: usize, input: &[f64]) -> Vec<f64> {
        let mut network = self.programmed(engine);
        let input = engine.upload(input).expect("memory");
        let mut output = engine.zeros(self.batch * network.layer_outputs(layer)).expect("memory");
        network.propagate_layer(layer, &input, self.batch, &mut output).expect("sizes fit");
        engine.download(&output).expect("memory")
    }

    /// The network on `engine`, at the controls of the run.
    pub fn programmed<E: Simulator>(&self, engine: &E) -> E::Network {
        let mut network = engine.build(&self.network, &self.fabrication).expect("the chip is possible");
        for controls in [&self.first_controls, &self.controls] {
            network.program(&engine.upload(controls).expect("memory")).expect("sizes fit");
        }
        network
    }
}
