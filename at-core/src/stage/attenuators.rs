//! Attenuators between the two meshes of a singular-value stage: mode k < min(inputs, outputs) passes with the field transmission
//! `g·sin(θ_k/2)`, the other modes are dumped or dark. Controls: `[θ_k.., g]`.

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, Flops, Grid, Imperfect, Map, Place, Signal, Sines,
    Span, Stage, StageErrors, Start,
};
use crate::Result;
use num_complex::Complex64;
use std::f64::consts::{PI, TAU};

/// Attenuators of the light of every mode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attenuators {
    /// Modes that enter.
    pub inputs: usize,
    /// Modes that leave.
    pub outputs: usize,
}

impl Stage {
    /// [`Attenuators`].
    pub fn attenuators(inputs: usize, outputs: usize) -> Self {
        Stage::Attenuators(Attenuators { inputs, outputs })
    }
}

impl Attenuators {
    /// Modes that pass.
    pub fn passed(&self) -> usize {
        self.inputs.min(self.outputs)
    }
}

impl Element for Attenuators {
    fn input(&self) -> Signal {
        Signal::fields(self.inputs)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.outputs)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        Ok(())
    }

    fn words(&self) -> String {
        format!("attenuators:{}-{}", self.inputs, self.outputs)
    }

    fn description(&self) -> String {
        format!("attenuators from {} to {} modes", self.inputs, self.outputs)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        None
    }

    fn sines(&self) -> Option<Sines> {
        Some(Sines::Broken("controls that are no phases of a mesh"))
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        Some(self)
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, _: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let passed = self.passed();
        let gain = controls[passed];
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let mut output = Vec::new();
        for field in fields.chunks_exact(self.inputs) {
            for k in 0..self.outputs {
                output.push(if k < passed { field[k] * gain * (0.5 * controls[k]).sin() } else { 0.0.into() });
            }
        }
        bytemuck::cast_slice(&output).to_vec()
    }

    /// `dL/dt = 2 Re a* z` times the transmission's derivatives is the gradient.
    fn backward(
        &self,
        _: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let passed = self.passed();
        let gain = controls[passed];
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let adjoints: &[Complex64] = bytemuck::cast_slice(error);
        let mut carried = vec![Complex64::new(0.0, 0.0); fields.len()];
        let samples = fields.chunks_exact(self.inputs).zip(adjoints.chunks_exact(self.outputs));
        for (carried, (field, adjoint)) in carried.chunks_exact_mut(self.inputs).zip(samples) {
            for k in 0..passed {
                let (sine, cosine) = (0.5 * controls[k]).sin_cos();
                let slope = 2.0 * (adjoint[k].conj() * field[k]).re;
                gradient[k] += slope * gain * 0.5 * cosine;
                gradient[passed] += slope * sine;
                carried[k] = adjoint[k] * gain * sine;
            }
        }
        bytemuck::cast_slice(&carried).to_vec()
    }
}

impl Controlled for Attenuators {
    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::phases(self.passed(), 2.0 * TAU), ControlRun::numbers(1)]
    }

    /// `attenuation [mode]`, then `gain`.
    fn arrays(&self) -> Vec<ControlArray> {
        vec![ControlArray::new("attenuation", [self.passed()]), ControlArray::new("gain", [1])]
    }

    /// `attenuation[mode]`, then `gain`.
    fn names(&self) -> Vec<String> {
        (0..self.passed()).map(|mode| format!("attenuation[{mode}]")).chain(["gain".into()]).collect()
    }

    /// Transparent.
    fn first(&self, _: Start) -> Result<Vec<f64>> {
        Ok([vec![PI; self.passed()], vec![1.0]].concat())
    }

    /// A column; the gain is no heater.
    fn places(&self) -> Vec<Option<Place>> {
        (0..self.passed()).map(|k| Some(Place::on_one_die(0, k))).chain([None]).collect()
    }

    fn rest(&self) -> f64 {
        0.0
    }

    /// Larger than a module or not, they are what they are.
    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        (*other == Stage::Attenuators(*self)).then(|| (0..=self.passed()).collect())
    }
}

const TOLD: &str =
    "What every attenuator makes of a field, the gain that all share included; they have no errors of their own.";

impl Drawn for Attenuators {
    /// A row of modes.
    fn grid(&self) -> Grid<'_> {
        Grid::Weights { inputs: self.passed(), outputs: 1 }
    }

    fn maps(&self, _: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let (angles, gain) = controls.split_at(self.passed());
        let values: Vec<f64> = angles.iter().map(|angle| gain[0] * (0.5 * angle).sin()).collect();
        let (title, scale) = ("Transmissions of the attenuators", "field out / field in");
        vec![Map { name: "transmission", title, scale, caption: TOLD, span: Span::around_zero(&values), values }]
    }
}
