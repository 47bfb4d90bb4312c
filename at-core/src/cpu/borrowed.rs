//! One layer, lit and carried back between vectors that belong to somebody else: nothing that enters or leaves is copied.

use super::network::{CpuNetwork, holds};
use super::stage::{Kept, Recorded, Slopes};
use crate::error::same_size;
use crate::propagator::Layered;
use crate::{Real, Result};

/// What a way back through a layer needs besides what entered and what left it: the signals between its stages.
#[derive(Default)]
pub struct CpuInner<T> {
    /// What leaves each stage but the last, `[batch, width]`.
    signals: Vec<Vec<T>>,
    kept: Vec<Kept<T>>,
}

/// What entered a layer and what left it, with what it kept of that.
#[derive(Clone, Copy)]
pub struct Passed<'a, T> {
    /// `[batch, layer inputs]`.
    pub input: &'a [T],
    /// `[batch, layer outputs]`.
    pub output: &'a [T],
    /// The signals between.
    pub inner: &'a CpuInner<T>,
    /// Number of samples.
    pub batch: usize,
}

impl<T: Real> CpuNetwork<T> {
    /// Sends `input [batch, layer inputs]` through one layer into `output [batch, layer outputs]`, and keeps in `inner` what a way back
    /// needs besides. The layer's numbers are those of [`crate::propagator::Adjoint::record_layer`].
    pub fn light_layer(
        &mut self,
        layer: usize,
        input: &[T],
        batch: usize,
        output: &mut [T],
        inner: &mut CpuInner<T>,
    ) -> Result<()> {
        self.ready(batch)?;
        self.check_layer(layer)?;
        let stages = &mut self.layers[layer];
        let (inputs, last) = (stages[0].inputs, stages.len() - 1);
        holds("fields of the layer", batch, inputs, input.len())?;
        holds("output of the layer", batch, stages[last].outputs, output.len())?;
        inner.kept.resize_with(stages.len(), Kept::default);
        inner.signals.resize_with(last, Vec::new);
        for (index, placed) in stages.iter_mut().enumerate() {
            let (before, after) = inner.signals.split_at_mut(index);
            let entering = before.last().map_or(input, Vec::as_slice);
            let leaving = match after.first_mut() {
                None => &mut output[..],
                Some(signal) => {
                    signal.resize(batch * placed.outputs, T::zero());
                    &mut signal[..]
                }
            };
            let (entering, leaving) = (&entering[..batch * placed.inputs], &mut leaving[..batch * placed.outputs]);
            placed.stage.record(entering, batch, leaving, &mut inner.kept[index]);
        }
        Ok(())
    }

    /// From `error [batch, layer outputs]` at the output of a layer that was lit to its part of the `gradient` of all controls, whose
    /// other entries stay as they are, and to the error at its input where that is asked for, as
    /// [`crate::propagator::Adjoint::backpropagate_layer`] does.
    pub fn carry_layer_back(
        &mut self,
        layer: usize,
        passed: Passed<'_, T>,
        error: &[T],
        mut input_error: Option<&mut [T]>,
        gradient: &mut [T],
    ) -> Result<()> {
        let Passed { input, output, inner, batch } = passed;
        self.ready(batch)?;
        self.check_layer(layer)?;
        let (inputs, outputs) = (self.layers[layer][0].inputs, self.layer_outputs(layer));
        same_size("gradient", self.controls, gradient.len())?;
        same_size("stages of the layer that was lit", self.layers[layer].len(), inner.kept.len())?;
        holds("fields of the layer", batch, inputs, input.len())?;
        holds("output of the layer", batch, outputs, output.len())?;
        holds("error at the layer's output", batch, outputs, error.len())?;
        if let Some(input_error) = &input_error {
            holds("error at the layer's input", batch, inputs, input_error.len())?;
        }
        self.reserve(batch);
        let [mut adjoint, mut adjoint_in] = std::mem::take(&mut self.signals);
        let stages = &mut self.layers[layer];
        let last = stages.len() - 1;
        for (index, placed) in stages.iter_mut().enumerate().rev() {
            let asked = if index == 0 { input_error.as_deref_mut() } else { None };
            let all_the_way = index > 0 || asked.is_some();
            let pass = Recorded {
                input: &if index == 0 { input } else { &inner.signals[index - 1] }[..batch * placed.inputs],
                output: &if index == last { output } else { &inner.signals[index] }[..batch * placed.outputs],
                adjoint: &if index == last { error } else { &adjoint[..] }[..batch * placed.outputs],
                batch,
                kept: &inner.kept[index],
            };
            placed.stage.backward(
                &pass,
                Slopes {
                    adjoint_in: &mut asked.unwrap_or(&mut adjoint_in[..])[..batch * placed.inputs],
                    all_the_way,
                    gradient: &mut gradient[placed.controls.clone()],
                    imperfections: None,
                },
            );
            std::mem::swap(&mut adjoint, &mut adjoint_in);
        }
        self.signals = [adjoint, adjoint_in];
        let ends = [self.layers[layer].first(), self.layers[layer].last()];
        let [first, last] = ends.map(|end| end.expect("a layer has stages").controls.clone());
        self.follower.carry_back(first.start..last.end, gradient);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::Imperfections;
    use crate::network::{Detection, Network, Stage, singular_value_stages};
    use crate::optics::{Layout, Mesh};
    use crate::propagator::{Adjoint, Propagator};
    use crate::training::tests::fixture::weight_banks;

    /// A deterministic stand-in for random numbers in [-1, 1).
    fn noise(count: usize, from: usize) -> Vec<f64> {
        let one = |index: usize| 2.0 * ((index as f64 * 12.9898).sin() * 43758.5453).fract().abs() - 1.0;
        (from..from + count).map(one).collect()
    }

    /// Numbers of one layer, both ways: what leaves, the error at its input, the gradient.
    fn both_ways(network: &Network, errors: &Imperfections, batch: usize) -> [[Vec<f64>; 3]; 2] {
        let fabrication = errors.fabricate(network, 3).unwrap();
        let mut runner = CpuNetwork::<f64>::new(network, &fabrication).unwrap();
        runner.program(&noise(network.controls(), 7)).unwrap();
        let (inputs, outputs) = (network.input().width(), network.layer_output(0).width());
        let (fields, error) = (noise(batch * inputs, 100), noise(batch * outputs, 900));
        let zeros = || [vec![0.0; batch * outputs], vec![0.0; batch * inputs], vec![0.0; network.controls()]];

        let mut trace = runner.trace(batch).unwrap();
        let [_, mut entered, mut gradient] = zeros();
        runner.record_layer(0, &fields, batch, &mut trace).unwrap();
        runner.backpropagate_layer(0, &trace, &error, Some(&mut entered), &mut gradient).unwrap();
        let traced = [trace.output(0)[..batch * outputs].to_vec(), entered, gradient];

        let (mut inner, [mut output, mut entered, mut gradient]) = (CpuInner::default(), zeros());
        runner.light_layer(0, &fields, batch, &mut output, &mut inner).unwrap();
        let passed = Passed { input: &fields, output: &output, inner: &inner, batch };
        let mut alone = gradient.clone();
        runner.carry_layer_back(0, passed, &error, Some(&mut entered), &mut gradient).unwrap();
        runner.carry_layer_back(0, passed, &error, None, &mut alone).unwrap();
        assert_eq!(alone, gradient, "the gradient without the error at the input");
        [traced, [output, entered, gradient]]
    }

    #[test]
    fn a_layer_between_borrowed_vectors_gives_the_numbers_of_a_recorded_one() {
        let mesh = |modes| Stage::Mesh(Mesh::rectangular(modes).unwrap());
        let detectors = |modes| Stage::detection(modes, Detection::Intensity);
        let singular = singular_value_stages(4, 3, Layout::Rectangular).unwrap().to_vec();
        let networks = [
            Network::new(vec![vec![mesh(6)], vec![detectors(6)]]).unwrap(),
            Network::new(vec![singular, vec![detectors(3)]]).unwrap(),
            Network::new(vec![vec![mesh(4), detectors(4)]]).unwrap(),
            weight_banks(&[5, 3]),
        ];
        let imperfect = Imperfections { splitter_angle: 0.1, phase: 0.3, loss_db: 0.3, ..Imperfections::NONE };
        for network in &networks {
            // few samples, and so many that a mesh may go by its matrix
            for (errors, batch) in [(Imperfections::NONE, 5), (imperfect, 5), (Imperfections::NONE, 700)] {
                let [traced, borrowed] = both_ways(network, &errors, batch);
                assert_eq!(borrowed, traced, "{} controls, {batch} samples", network.controls());
            }
        }
    }

    #[test]
    fn vectors_that_are_too_short_are_refused_by_name() {
        let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
        let network = Network::new(vec![vec![mesh], vec![Stage::detection(4, Detection::Intensity)]]).unwrap();
        let mut runner = CpuNetwork::<f64>::new(&network, &crate::fabrication::Fabrication::ideal()).unwrap();
        runner.program(&noise(network.controls(), 7)).unwrap();
        let (whole, short, mut inner) = (noise(8, 0), noise(7, 0), CpuInner::default());
        let mut lit = |input: &[f64], room: usize| runner.light_layer(0, input, 1, &mut vec![0.0; room], &mut inner);
        assert!(lit(&short, 8).unwrap_err().to_string().contains("fields of the layer"));
        assert!(lit(&whole, 7).unwrap_err().to_string().contains("output of the layer"));
        lit(&whole, 8).unwrap();
        let passed = Passed { input: &whole, output: &whole, inner: &inner, batch: 1 };
        let mut back =
            |error: &[f64], gradient: usize| runner.carry_layer_back(0, passed, error, None, &mut vec![0.0; gradient]);
        assert!(back(&short, 16).unwrap_err().to_string().contains("error at the layer's output"));
        assert!(back(&whole, 15).unwrap_err().to_string().contains("gradient"));
        back(&whole, 16).unwrap();
    }
}
