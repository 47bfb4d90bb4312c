//! Physical local learning: the chip stays as it is; digital maps between its layers learn, each by itself, to tell right labels
//! from wrong ones. Nothing is carried backwards.
//!
//! A label is written over the input: the first modes, one per class, become dark but that of the label, which becomes as bright
//! as the sample's brightest mode. Each sample passes twice, with its label (+) and with a wrong one (−). Per layer l, with h_l its
//! measured output, P_l its map and p_l a fixed random direction:
//!
//! ```text
//! u_l = P_l h_l        g_l = cos(|u_l|, p_l)       the goodness; | | entry by entry
//! x_{l+1} = u_l·‖h_l‖/‖u_l‖                        injected into the next layer
//! P_l ← P_l − η·∂/∂P_l mean ln(1 + exp(−θ(g_l⁺ − g_l⁻)))      θ = 5
//! ```
//!
//! A class is inferred by writing every label over the input in turn: that of the greatest sum of goodnesses. The readout's own
//! outputs mean nothing here, so this method evaluates itself; the loss reported of the test samples is the cross-entropy of
//! `θ·Σ g_l`, that of training the local loss summed over the layers, its accuracy the share of pairs told apart.
//!
//! Between two layers a signal is the computer's anyway: it is read, scaled sample by sample and injected. So the maps are the host's work, in
//! f64; on a device their two products would go there and back for the norms between them.
//!
//! Reads every layer twice per sample and injects all but the first. Source: Momeni et al., Science 382, 1297 (2023).

use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach};
use crate::engine::{Engine, Loss, Optimizer, Targets};
use crate::network::Network;
use crate::propagator::{Buffer, LayerAccess, Simulator};
use crate::training::{Batch, Evaluation, Parameters, Score, Split, Workspace};
use crate::{Error, Result};
use ndarray::{Array1, Array2, ArrayView2, Axis, Zip};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::marker::PhantomData;
use std::ops::Range;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("phyll"),
    title: "physical local learning",
    uses: "every layer, twice, read and injected; no control is written",
    reach: Reach::Layers,
    summary: "physical local learning: digital maps between the layers of a chip that stays as it is",
    manner: "measures every layer of the chip twice",
    colour: [15, 75, 15],
    dash: Dash::Dashed,
    marker: Marker::Cross,
    model: Model::None,
    needs_classes: true,
    options: &[],
    passes: MethodFacts::one_pass,
    check: MethodFacts::any_network,
};

/// The method from its parts.
pub fn build<E: Simulator, C: LayerAccess<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let settings = from.settings;
    let (optimizer, loss, seed) = (settings.optimizer, settings.loss, settings.seed);
    Ok(Box::new(PhysicalLocal::new(from.engine, from.network, from.initial, optimizer, loss, seed)?))
}

/// Steepness θ of the local loss.
const STEEPNESS: f64 = 5.0;

/// The map behind one layer.
struct Map {
    /// Reals that leave the layer, and that enter the next.
    width: usize,
    /// Where its entries lie, `[width, width]` row-major.
    entries: Range<usize>,
    /// p, of norm 1.
    direction: Array1<f64>,
}

impl Map {
    /// u and the goodness of every sample of `measured [samples, width]`.
    fn apply(&self, entries: &[f64], measured: &Array2<f64>) -> (Array2<f64>, Array1<f64>) {
        let mapped = measured.dot(&self.matrix(entries).t());
        let goodness = mapped.map_axis(Axis(1), |u| {
            let norm = u.dot(&u).sqrt();
            if norm == 0.0 { 0.0 } else { u.iter().zip(&self.direction).map(|(u, p)| u.abs() * p).sum::<f64>() / norm }
        });
        (mapped, goodness)
    }

    fn matrix<'a>(&self, entries: &'a [f64]) -> ArrayView2<'a, f64> {
        ArrayView2::from_shape((self.width, self.width), &entries[self.entries.clone()]).expect("a square of entries")
    }

    /// `∂(Σ slope·g)/∂P` for one slope per sample.
    fn gradient(
        &self,
        measured: &Array2<f64>,
        mapped: &Array2<f64>,
        goodness: &Array1<f64>,
        slopes: &Array1<f64>,
    ) -> Array2<f64> {
        let mut errors = mapped.clone();
        Zip::from(errors.rows_mut()).and(goodness).and(slopes).for_each(|mut row, &g, &slope| {
            let norm = row.dot(&row).sqrt();
            for (u, p) in row.iter_mut().zip(&self.direction) {
                let along = if norm == 0.0 { 0.0 } else { p / norm - g * u.abs() / (norm * norm) };
                *u = slope * along * u.signum();
            }
        });
        errors.t().dot(measured)
    }
}

/// The method.
pub struct PhysicalLocal<C: LayerAccess> {
    engine: C::Engine,
    classes: usize,
    /// Reals per mode of the input.
    mode: usize,
    inputs: usize,
    maps: Vec<Map>,
    controls: Parameters<C::Engine>,
    entries: Parameters<C::Engine>,
    /// 0, 1, …: what a label is looked up in.
    classes_in_order: Buffer<C>,
    seed: u64,
    chip: PhantomData<fn(&mut C)>,
}

impl<C: LayerAccess> PhysicalLocal<C> {
    /// Leaves the chip at the `initial` controls; `seed` draws the maps, their directions and the wrong labels. Errs where the
    /// input has fewer modes than there are classes, or there is one class only.
    pub fn new(
        engine: &C::Engine,
        network: &Network,
        initial: &[f64],
        optimizer: Optimizer,
        loss: Loss,
        seed: u64,
    ) -> Result<Self> {
        let (classes, input) = (loss.classes, network.input());
        if classes > input.modes || classes < 2 {
            return Err(Error::Unsupported {
                what: format!("physical local learning of {classes} classes on {} input modes", input.modes),
                instead: "a label takes one mode per class, of two at least; choose another `encoding` or `dataset`"
                    .into(),
            });
        }
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        random.set_stream(1 << 33); // far from those of the initial controls
        let (mut maps, mut first) = (Vec::new(), Vec::new());
        for leaves in network.visited_outputs() {
            let width = leaves.width();
            let start = first.len();
            let spread = 1.0 / (width as f64).sqrt();
            first.extend((0..width * width).map(|_| {
                let draw: f64 = StandardNormal.sample(&mut random);
                spread * draw
            }));
            let direction: Array1<f64> = (0..width).map(|_| random.random::<f64>()).collect();
            let norm = direction.dot(&direction).sqrt();
            maps.push(Map { width, entries: start..first.len(), direction: direction / norm });
        }
        let numbers: Vec<f64> = (0..classes).map(|class| class as f64).collect();
        Ok(PhysicalLocal {
            engine: engine.clone(),
            classes,
            mode: if input.complex { 2 } else { 1 },
            inputs: input.width(),
            maps,
            controls: Parameters::new(engine, optimizer, initial)?,
            entries: Parameters::new(engine, optimizer, &first)?,
            classes_in_order: engine.upload(&numbers)?,
            seed,
            chip: PhantomData,
        })
    }

    /// Signals and labels of a batch, on the host.
    fn host(&self, batch: &Batch<C::Engine>) -> Result<(Vec<f64>, Vec<usize>)> {
        let Targets::Classes(own) = batch.targets() else { return Err(FACTS.refuse_real_targets()) };
        let mut labels = self.engine.zeros(batch.size())?;
        self.engine.gather(&self.classes_in_order, 1, own, 0, batch.size(), &mut labels)?;
        let labels = self.engine.download(&labels)?.into_iter().map(|label| label as usize).collect();
        let mut signals = self.engine.download(batch.signals())?;
        signals.truncate(batch.size() * self.inputs);
        Ok((signals, labels))
    }

    /// The samples with labels written over them, `[samples, inputs]`.
    fn overlaid(&self, signals: &[f64], labels: impl Iterator<Item = usize>) -> Vec<f64> {
        let mut written = signals.to_vec();
        for (sample, label) in written.chunks_exact_mut(self.inputs).zip(labels) {
            let brightness = |mode: &[f64]| mode.iter().map(|x| x * x).sum::<f64>().sqrt();
            let most = sample.chunks_exact(self.mode).map(brightness).fold(0.0, f64::max);
            sample[..self.mode * self.classes].fill(0.0);
            sample[self.mode * label] = most;
        }
        written
    }

    /// Sends `fields` through the layers and the maps between them; `see` gets every layer's map, its measured output, the
    /// mapped output and the goodnesses.
    fn pass(
        &self,
        chip: &mut C,
        entries: &[f64],
        fields: &[f64],
        mut see: impl FnMut(&Map, &Array2<f64>, &Array2<f64>, &Array1<f64>),
    ) -> Result<()> {
        let samples = fields.len() / self.inputs;
        let mut input = self.engine.upload(fields)?;
        for (layer, map) in self.maps.iter().enumerate() {
            let mut output = self.engine.zeros(samples * map.width)?;
            chip.propagate_layer(layer, &input, samples, &mut output)?;
            let measured = Array2::from_shape_vec((samples, map.width), self.engine.download(&output)?);
            let measured = measured.expect("as long as it was made");
            let (mapped, goodness) = map.apply(entries, &measured);
            see(map, &measured, &mapped, &goodness);
            let mut next = mapped;
            Zip::from(next.rows_mut()).and(measured.rows()).for_each(|mut u, h| {
                let (before, after) = (h.dot(&h).sqrt(), u.dot(&u).sqrt());
                if after > 0.0 {
                    u *= before / after;
                }
            });
            input = self.engine.upload(next.as_slice().expect("in standard order"))?;
        }
        Ok(())
    }
}

impl<C: LayerAccess> Method<C> for PhysicalLocal<C> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(
        &mut self,
        chip: &mut C,
        batch: &Batch<C::Engine>,
        learning_rate: f64,
        tally: &mut Buffer<C>,
    ) -> Result<()> {
        let (signals, labels) = self.host(batch)?;
        let size = labels.len();
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream((1 << 34) + self.entries.memory.step);
        let classes = self.classes;
        let wrong: Vec<usize> = labels.iter().map(|l| (l + random.random_range(1..classes)) % classes).collect();
        let mut fields = self.overlaid(&signals, labels.iter().copied());
        fields.extend(self.overlaid(&signals, wrong.into_iter()));
        let entries = self.engine.download(&self.entries.values)?;
        let mut gradient = vec![0.0; entries.len()];
        let (mut loss, mut margins) = (0.0, Array1::<f64>::zeros(size));
        self.pass(chip, &entries, &fields, |map, measured, mapped, goodness| {
            let mut slopes = Array1::zeros(2 * size);
            for sample in 0..size {
                let margin = goodness[sample] - goodness[size + sample];
                margins[sample] += margin;
                loss += (-STEEPNESS * margin).exp().ln_1p();
                let slope = STEEPNESS / (1.0 + (STEEPNESS * margin).exp()) / size as f64;
                (slopes[sample], slopes[size + sample]) = (-slope, slope);
            }
            let own = map.gradient(measured, mapped, goodness, &slopes);
            gradient[map.entries.clone()].copy_from_slice(own.as_standard_layout().as_slice().expect("as made"));
        })?;
        let told_apart = margins.iter().filter(|&&margin| margin > 0.0).count();
        self.engine.combine(1.0, &self.engine.upload(&[loss, told_apart as f64, size as f64])?, 1.0, tally)?;
        self.entries.descend(&self.engine, learning_rate, &self.engine.upload(&gradient)?)
    }

    fn evaluate(
        &self,
        chip: &mut C,
        engine: &C::Engine,
        split: &Split<C::Engine>,
        loss: &Loss,
        workspace: &mut Workspace<C::Engine>,
    ) -> Result<Evaluation> {
        chip.program(&self.controls.values)?;
        split.check(self.inputs, loss)?;
        let entries = self.engine.download(&self.entries.values)?;
        let (mut total, mut correct) = (0.0, 0);
        let capacity = workspace.batch().capacity();
        for start in (0..split.samples()).step_by(capacity) {
            let size = capacity.min(split.samples() - start);
            workspace.batch().gather(engine, split, split.in_order(), start, size)?;
            let (signals, labels) = self.host(workspace.batch())?;
            let mut sums = Array2::<f64>::zeros((size, self.classes));
            for class in 0..self.classes {
                let fields = self.overlaid(&signals, std::iter::repeat_n(class, size));
                let mut column = sums.column_mut(class);
                self.pass(chip, &entries, &fields, |_, _, _, goodness| column += goodness)?;
            }
            let own = Loss { gain: STEEPNESS, ..Loss::cross_entropy(self.classes) };
            let mut error = vec![0.0; self.classes];
            for (sums, &label) in sums.rows().into_iter().zip(&labels) {
                let (value, best) = own.sample(&sums.to_vec(), label, 1.0, &mut error);
                total += value;
                correct += u64::from(best == label);
            }
        }
        let samples = split.samples() as f64;
        Ok(Evaluation {
            loss: total / samples,
            judged_by: Score::Accuracy,
            score: correct as f64 / samples,
            correct,
            samples: split.samples() as u64,
        })
    }

    fn controls(&self) -> &Buffer<C> {
        &self.controls.values
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<C::Engine>)> {
        vec![("controls", &self.controls), ("maps", &self.entries)]
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<C::Engine>)> {
        vec![("controls", &mut self.controls), ("maps", &mut self.entries)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_goodness_of_a_map_has_the_gradient_that_differences_show() {
        let wave =
            |count: usize, step: f64| -> Vec<f64> { (0..count).map(|k| (step * (k + 1) as f64).sin()).collect() };
        let map = Map { width: 3, entries: 0..9, direction: Array1::from(vec![0.6, 0.0, 0.8]) };
        let measured = Array2::from_shape_vec((2, 3), wave(6, 1.7)).unwrap();
        let slopes = Array1::from(vec![0.7, -1.2]);
        let entries = wave(9, 0.9);
        let (mapped, goodness) = map.apply(&entries, &measured);
        let gradient = map.gradient(&measured, &mapped, &goodness, &slopes);
        for index in 0..9 {
            let at = |step: f64| {
                let mut moved = entries.clone();
                moved[index] += step;
                map.apply(&moved, &measured).1.dot(&slopes)
            };
            let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
            assert!((difference - gradient[[index / 3, index % 3]]).abs() < 1e-9, "{index}");
        }
    }
}
