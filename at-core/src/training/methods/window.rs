//! A window of columns that is fitted: the fields that enter it and the errors of its columns, from readouts of some settings.
//!
//! Only the window's controls differ between the settings, so that light of all of them crosses what is behind as one batch:
//!
//! ```text
//! x [sample, mode] → window at the controls of setting s → z_s → everything behind, at one setting → powers, which D compares
//! ```
//!
//! The window is read as a field: homodyne detectors give the real parts of what leaves it for the light x and for −ix, and
//! whatever stands in it answers −ix with −i times what it answers x with, because nonlinearities act on powers.

use super::chain::{Chain, Piece, taken};
use super::column_search::Maker;
use super::misfit::Contrast;
use crate::Result;
use crate::engine::{Engine, Optimizer};
use crate::network::Detection;
use crate::propagator::{Buffer, Tunable};
use crate::training::Parameters;
use std::f64::consts::PI;
use std::ops::Range;

/// Rates at first: of the errors (radians) and of the fields, relative to their root mean square.
const RATE: f64 = 0.02;
const FIELD_RATE: f64 = 0.05;
/// Share of the rates that the last steps have.
const LAST: f64 = 0.05;

/// What was sent to the chip at a window, and read: settings of all controls of the chip, which differ in the window alone, and the
/// readout `[sample, output]` of each.
pub struct Answers {
    /// Settings.
    pub controls: Vec<Vec<f64>>,
    /// Readouts.
    pub readouts: Vec<Vec<f64>>,
}

/// A window and what is behind it, as models.
pub struct Window<'a, M: Tunable> {
    engine: &'a M::Engine,
    inside: M,
    behind: M,
    samples: usize,
    modes: usize,
    /// Controls of the inside at every setting.
    settings: Vec<Buffer<M>>,
    /// Of every setting.
    readouts: Vec<Contrast>,
    traces: Vec<M::Trace>,
    trace_behind: M::Trace,
    /// Errors of the inside, and which of them are fitted.
    pieces: Vec<Option<Piece>>,
    free: Buffer<M>,
}

impl<'a, M: Tunable> Window<'a, M> {
    /// The window of `columns` of `chain`, whose readouts grow as powers with `1/root`.
    pub fn new(
        engine: &'a M::Engine,
        chain: &Chain,
        maker: &Maker<M>,
        columns: Range<usize>,
        answers: &Answers,
        root: f64,
        estimate: &[f64],
    ) -> Result<Self> {
        let (settings, modes) = (&answers.controls, chain.modes());
        let samples = answers.readouts[0].len() / modes;
        let inside = maker(&chain.part(columns.clone(), Detection::Homodyne { phase: 0.0 })?)?;
        let rest = columns.end..chain.columns();
        let mut behind = maker(&chain.part(rest.clone(), Detection::Intensity)?)?;
        behind.set_imperfections(&engine.upload(&taken(&chain.imperfections(rest.clone()), estimate))?)?;
        behind.program(&engine.upload(&taken(&chain.controls(rest), &settings[0]))?)?;
        let places = chain.controls(columns.clone());
        let traces = settings.iter().map(|_| inside.trace(2 * samples));
        let pieces = chain.imperfections(columns.clone());
        // phases in front of the first column are the fields' own, those behind the last are seen by no detector
        let fitted = |own: &Piece| {
            own.column < columns.end
                && !(own.waveguide && (own.column == columns.start || own.column == chain.columns()))
        };
        let free: Vec<f64> = pieces.iter().map(|own| f64::from(u8::from(own.as_ref().is_some_and(fitted)))).collect();
        Ok(Window {
            samples,
            modes,
            settings: settings.iter().map(|all| engine.upload(&taken(&places, all))).collect::<Result<_>>()?,
            readouts: answers.readouts.iter().map(|read| Contrast::new(read, modes, root)).collect(),
            traces: traces.collect::<Result<_>>()?,
            trace_behind: behind.trace(samples * settings.len())?,
            free: engine.upload(&free)?,
            pieces,
            engine,
            inside,
            behind,
        })
    }

    /// Fits fields, from the `first` guess `[sample, mode, (re, im)]`, and errors, from those in `estimate`, which it replaces, by
    /// `steps` steps of Adam. Returns the fields and the last misfit.
    pub fn fit(&mut self, first: &[f64], steps: usize, estimate: &mut [f64]) -> Result<(Vec<f64>, f64)> {
        let engine = self.engine;
        let mut errors = Parameters::new(engine, Optimizer::ADAM, &taken(&self.pieces, estimate))?;
        let mut fields = Parameters::new(engine, Optimizer::ADAM, first)?;
        let scale = (first.iter().map(|x| x * x).sum::<f64>() / first.len() as f64).sqrt();
        let mut misfit = 0.0;
        for step in 0..steps {
            let (now, fields_slope, mut errors_slope) = self.slopes(&fields.values, &errors.values)?;
            misfit = now;
            engine.multiply(&self.free, &mut errors_slope)?;
            let fall = LAST + (1.0 - LAST) * 0.5 * (1.0 + (PI * step as f64 / steps as f64).cos());
            fields.descend(engine, FIELD_RATE * scale * fall, &engine.upload(&fields_slope)?)?;
            errors.descend(engine, RATE * fall, &errors_slope)?;
        }
        let found = engine.download(&errors.values)?;
        for (own, error) in self.pieces.iter().zip(found) {
            if let Some(own) = own {
                estimate[own.index] = error;
            }
        }
        Ok((engine.download(&fields.values)?, misfit))
    }

    /// The mean misfit of all settings, and the sums over them of its slopes: with respect to the fields, as `∂/∂z*`, and to the errors.
    fn slopes(&mut self, fields: &Buffer<M>, errors: &Buffer<M>) -> Result<(f64, Vec<f64>, Buffer<M>)> {
        let (engine, samples, modes) = (self.engine, self.samples, self.modes);
        let both = engine.upload(&turned(&engine.download(fields)?))?;
        let mut quadratures = engine.zeros(2 * samples * modes)?;
        let mut between = Vec::with_capacity(self.settings.len() * 2 * samples * modes);
        self.inside.set_imperfections(errors)?;
        for (controls, trace) in self.settings.iter().zip(&mut self.traces) {
            self.inside.program(controls)?;
            self.inside.record(&both, 2 * samples, trace, &mut quadratures)?;
            let read = engine.download(&quadratures)?;
            let (real, imaginary) = read.split_at(samples * modes);
            between.extend(real.iter().zip(imaginary).flat_map(|(re, im)| [*re, *im]));
        }

        let (all, outputs) = (self.settings.len() * samples, modes);
        let mut readout = engine.zeros(all * outputs)?;
        self.behind.record(&engine.upload(&between)?, all, &mut self.trace_behind, &mut readout)?;
        let (read, mut slope) = (engine.download(&readout)?, vec![0.0; all * outputs]);
        let mut misfit = 0.0;
        let settings = read.chunks_exact(samples * outputs).zip(&self.readouts);
        for ((model, chip), slope) in settings.zip(slope.chunks_exact_mut(samples * outputs)) {
            misfit += chip.compare(model, slope) / self.settings.len() as f64;
        }
        let mut adjoint = engine.zeros(between.len())?;
        let mut unused = engine.zeros(self.behind.controls())?;
        self.behind.backpropagate_layer(
            0,
            &self.trace_behind,
            &engine.upload(&slope)?,
            Some(&mut adjoint),
            &mut unused,
        )?;
        let adjoint = engine.download(&adjoint)?;

        let mut fields_slope = vec![0.0; 2 * samples * modes];
        let mut errors_slope = engine.zeros(self.inside.imperfections())?;
        let (mut of_fields, mut of_errors) =
            (engine.zeros(4 * samples * modes)?, engine.zeros(self.inside.imperfections())?);
        let mut unused = engine.zeros(self.inside.controls())?;
        let own = self.settings.iter().zip(&self.traces).zip(adjoint.chunks_exact(2 * samples * modes));
        for ((controls, trace), adjoint) in own {
            // of real parts: ∂L/∂x = 2 Re ∂L/∂z*, and ∂L/∂y = 2 Im ∂L/∂z*
            let part = |which: usize| adjoint.iter().skip(which).step_by(2).map(|a| 2.0 * a);
            let error: Vec<f64> = part(0).chain(part(1)).collect();
            self.inside.program(controls)?;
            let error = engine.upload(&error)?;
            self.inside.backpropagate_layer(0, trace, &error, Some(&mut of_fields), &mut unused)?;
            self.inside.backpropagate_imperfections(trace, &error, &mut unused, &mut of_errors)?;
            engine.combine(1.0, &of_errors, 1.0, &mut errors_slope)?;
            let found = engine.download(&of_fields)?;
            let (own, turned) = found.split_at(2 * samples * modes);
            for ((slope, own), turned) in
                fields_slope.chunks_exact_mut(2).zip(own.chunks_exact(2)).zip(turned.chunks_exact(2))
            {
                // the light was −ix, so that this part is i times its adjoint
                slope[0] += own[0] - turned[1];
                slope[1] += own[1] + turned[0];
            }
        }
        Ok((misfit, fields_slope, errors_slope))
    }
}

/// Fields `[sample, mode, (re, im)]`, and behind them −i times the same.
fn turned(fields: &[f64]) -> Vec<f64> {
    let turned = fields.chunks_exact(2).flat_map(|z| [z[1], -z[0]]);
    fields.iter().copied().chain(turned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::fabrication::Fabrication;
    use crate::network::{Network, Stage};
    use crate::optics::{Activation, Layout, Mesh};
    use crate::propagator::Simulator;

    const SAMPLES: usize = 3;

    fn chain() -> Chain {
        let mesh = || Stage::Mesh(Mesh::universal(4, Layout::Rectangular).unwrap());
        let activation = || Stage::activation(4, Activation::ELECTRO_OPTIC);
        let last = vec![mesh(), activation(), Stage::detection(4, Detection::Intensity)];
        Chain::of(&Network::new(vec![vec![mesh(), activation()], last]).unwrap()).unwrap()
    }

    fn noise(count: usize, shift: f64) -> Vec<f64> {
        (0..count).map(|k| (1.7 * k as f64 + shift).sin()).collect()
    }

    /// Slopes of windows within a mesh, across two and at the end against differences of the misfit.
    #[test]
    fn slopes_of_a_window_are_those_of_differences() {
        let (chain, engine) = (chain(), Cpu::<f64>::new());
        let all = chain.part(0..8, Detection::Intensity).unwrap();
        let estimate: Vec<f64> = noise(all.imperfections(), 0.4).iter().map(|x| 0.2 * x).collect();
        let controls: Vec<Vec<f64>> = [0.0, 1.0].iter().map(|&shift| noise(all.controls(), shift)).collect();
        let readouts = [2.0, 3.0].iter().map(|&s| noise(SAMPLES * 4, s).iter().map(|x| 1.0 + x).collect()).collect();
        let maker: Maker<_> = Box::new(move |part: &Network| engine.build(part, &Fabrication::ideal()));
        for columns in [0..2, 2..6, 4..8] {
            // what is behind stands at one setting
            let behind = chain.controls(columns.end..8);
            let mut settings = controls.clone();
            behind.iter().flatten().for_each(|own| settings[1][own.index] = controls[0][own.index]);
            let answers = Answers { controls: settings, readouts: Vec::clone(&readouts) };
            let mut window = Window::new(&engine, &chain, &maker, columns.clone(), &answers, 0.5, &estimate).unwrap();
            let errors = taken(&window.pieces, &estimate);
            let fields = noise(SAMPLES * 8, 5.0);
            let (_, of_fields, of_errors) = window.slopes(&fields, &errors).unwrap();
            let settings = answers.controls.len() as f64;
            let mut misfit = |fields: &[f64], errors: &[f64]| {
                settings * window.slopes(&fields.to_vec(), &errors.to_vec()).unwrap().0
            };
            let near = |slope: f64, difference: f64| {
                assert!((slope - difference).abs() < 1e-6 * (1.0 + slope.abs()), "{columns:?}: {slope} {difference}");
            };
            let step = 1e-5;
            let moved = |values: &[f64], place: usize, by: f64| {
                let mut moved = values.to_vec();
                moved[place] += by;
                moved
            };
            for (place, slope) in of_fields.iter().enumerate() {
                let [up, down] = [step, -step].map(|by| misfit(&moved(&fields, place, by), &errors));
                near(2.0 * slope, (up - down) / (2.0 * step));
            }
            for (place, slope) in of_errors.iter().enumerate() {
                let [up, down] = [step, -step].map(|by| misfit(&fields, &moved(&errors, place, by)));
                near(*slope, (up - down) / (2.0 * step));
            }
        }
    }
}
