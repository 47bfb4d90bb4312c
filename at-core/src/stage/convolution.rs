//! A convolution: one linear element that all patches of an image cross in turn. With the patch `x_k` at position k, all channels of
//! it, and the element's own meaning F,
//!
//! ```text
//! y[out, k] = F(x_k)[out]        F(x) = Wx + b of a weight bank: y[out, i, j] = b[out] + Σ_cuv w[out, c, u, v]·x[c, s·i − p + u, s·j − p + v]
//! ```
//!
//! Images are C×H×W. Controls, errors and heaters are those of the one element, which is used again for every patch: a patch is a pass
//! ([`crate::chip::Accesses`]). As in all deep learning the kernel is not mirrored: this is a correlation.
//!
//! Sources: LeCun et al., Proc. IEEE 86, 2278 (1998); patches in turn through one photonic bank: Bangari et al., IEEE J. Sel. Top.
//! Quantum Electron. 26, 7701213 (2020).

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect,
    Patches, Place, Signal, Sines, Stage, StageErrors, Start,
};
use crate::image_shape::ImageShape;
use crate::imperfections::Draws;
use crate::{Error, Result};

/// An element that all patches of an image cross in turn.
#[derive(Clone, Debug, PartialEq)]
pub struct Convolution {
    /// Where the patches lie.
    pub patches: Patches,
    /// What they cross: a linear stage between numbers with as many inputs as a patch has entries, or such a [`super::Series`], in which
    /// numbers become light and light numbers.
    pub element: Box<Stage>,
}

impl Stage {
    /// A [`Convolution`].
    pub fn convolution(patches: Patches, element: Stage) -> Self {
        Stage::Convolution(Convolution { patches, element: Box::new(element) })
    }

    /// What light crosses there: of a convolution its element, else the stage itself.
    pub fn crossed(&self) -> &Stage {
        if let Stage::Convolution(own) = self { &own.element } else { self }
    }
}

impl Convolution {
    /// The image that leaves.
    pub fn output_image(&self) -> ImageShape {
        let [height, width] = self.patches.counts();
        ImageShape::new(self.element.output().modes, height, width)
    }

    /// All patches of `signal`, `[batch, position, entry]`.
    fn take(&self, signal: &[f64]) -> Vec<f64> {
        let samples = signal.chunks_exact(self.patches.image.features());
        let places = |k: usize| (0..self.patches.entries()).map(move |entry| self.patches.feature(k, entry));
        let patches = |x: &[f64]| -> Vec<f64> {
            (0..self.patches.positions()).flat_map(places).map(|place| place.map_or(0.0, |place| x[place])).collect()
        };
        samples.flat_map(patches).collect()
    }
}

/// `[batch, row, column]` → `[batch, column, row]`, with so many rows and columns.
fn turn(values: &[f64], rows: usize, columns: usize) -> Vec<f64> {
    let turned = |one: &[f64]| -> Vec<f64> {
        (0..columns)
            .flat_map(|column| (0..rows).map(move |row| (row, column)))
            .map(|(r, c)| one[r * columns + c])
            .collect()
    };
    values.chunks_exact(rows * columns).flat_map(turned).collect()
}

/// Errs where patches cannot cross this in turn: it needs a whole image, or memory between converters.
fn crossed_in_turn(stage: &Stage) -> Result<()> {
    match stage {
        Stage::Matrix(_)
        | Stage::WeightBank(_)
        | Stage::RingBank(_)
        | Stage::PhaseChange(_)
        | Stage::Modulation(_)
        | Stage::Mesh(_)
        | Stage::Attenuators(_)
        | Stage::Splitter(_)
        | Stage::Combiner(_)
        | Stage::Mask(_)
        | Stage::FreeSpace(_)
        | Stage::Regions(_)
        | Stage::Activation(_)
        | Stage::Detection(_)
        | Stage::Own(_) => Ok(()),
        Stage::Rectifier(_)
        | Stage::Convolution(_)
        | Stage::Normalization(_)
        | Stage::Pooling(_)
        | Stage::Series(_)
        | Stage::Residual(_) => {
            let reason = "patches cross a matrix, a bank, a crossbar or a series of light in turn; this stands behind the convolution";
            Err(Error::invalid("element", stage.word(), reason))
        }
    }
}

impl Element for Convolution {
    fn input(&self) -> Signal {
        Signal::reals(self.patches.image.features())
    }

    fn output(&self) -> Signal {
        Signal::reals(self.output_image().features())
    }

    fn signed(&self) -> bool {
        self.element.element().signed()
    }

    fn validate(&self) -> Result<()> {
        self.patches.validate()?;
        for stage in self.element.inside().filter(|_| matches!(*self.element, Stage::Series(_))).unwrap_or(&[]) {
            crossed_in_turn(stage)?;
        }
        if !matches!(*self.element, Stage::Series(_)) {
            crossed_in_turn(&self.element)?;
        }
        self.element.element().validate()?;
        if self.element.input().complex || self.element.output().complex {
            let reason = "patches are numbers, and so is what leaves: put modulation in front of light and detection behind it, \
                          in a series";
            return Err(Error::invalid("element", self.element.word(), reason));
        }
        crate::error::same_size(
            "inputs of a convolution's element, one per entry of a patch",
            self.patches.entries(),
            self.element.input().modes,
        )
    }

    fn words(&self) -> String {
        let Patches { image, kernel: [rows, columns], stride, padding } = self.patches;
        format!("conv:{image}/{rows}x{columns},stride={stride},padding={padding}({})", self.element.element().words())
    }

    fn description(&self) -> String {
        let [rows, columns] = self.patches.kernel;
        let (image, count) = (self.patches.image, self.patches.positions());
        format!(
            "convolution: {count} patches of {rows} × {columns} of an image of {image} through one {}",
            self.element.element().description()
        )
    }

    fn flops(&self) -> Flops {
        let (Flops { forward, backward }, patches) = (self.element.element().flops(), self.patches.positions() as u64);
        Flops { forward: patches * forward, backward: patches * backward }
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        self.element.element().controlled().map(|_| self as &dyn Controlled)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        self.element.element().imperfect().map(|_| self as &dyn Imperfect)
    }

    /// An output crosses the element once, so that the element's own answer holds.
    fn sines(&self) -> Option<Sines> {
        self.element.element().sines()
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        self.element.element().drawn()
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let leaves = self.element.element().forward(errors, controls, &self.take(signal));
        turn(&leaves, self.patches.positions(), self.element.output().modes)
    }

    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let (positions, entries) = (self.patches.positions(), self.patches.entries());
        let error = turn(error, self.element.output().modes, positions);
        let carried = self.element.element().backward(errors, controls, &self.take(signal), &error, gradient);
        let mut entered = vec![0.0; signal.len()];
        let samples = entered.chunks_exact_mut(self.patches.image.features());
        for (sample, carried) in samples.zip(carried.chunks_exact(positions * entries)) {
            for (index, error) in carried.iter().enumerate() {
                if let Some(feature) = self.patches.feature(index / entries, index % entries) {
                    sample[feature] += error;
                }
            }
        }
        entered
    }
}

const CONTROLLED: &str = "a convolution answers for its element only where that has controls";

impl Convolution {
    fn own_controlled(&self) -> &dyn Controlled {
        self.element.element().controlled().expect(CONTROLLED)
    }

    fn own_imperfect(&self) -> &dyn Imperfect {
        self.element.element().imperfect().expect("a convolution answers for its element only where that has errors")
    }
}

/// Those of the element.
impl Controlled for Convolution {
    fn runs(&self) -> Vec<ControlRun> {
        self.own_controlled().runs()
    }

    fn arrays(&self) -> Vec<ControlArray> {
        self.own_controlled().arrays()
    }

    fn names(&self) -> Vec<String> {
        self.own_controlled().names()
    }

    fn first(&self, start: Start) -> Result<Vec<f64>> {
        self.own_controlled().first(start)
    }

    fn places(&self) -> Vec<Option<Place>> {
        self.own_controlled().places()
    }

    fn rest(&self) -> f64 {
        self.own_controlled().rest()
    }

    fn rests(&self) -> Vec<f64> {
        self.own_controlled().rests()
    }

    /// Convolutions share where their elements do, whatever the images.
    fn shares(&self, other: &Stage, module: usize) -> Option<Vec<usize>> {
        let Stage::Convolution(other) = other else { return None };
        self.own_controlled().shares(&other.element, module)
    }
}

/// Those of the element: one piece of hardware, which all patches meet.
impl Imperfect for Convolution {
    fn errors(&self) -> Vec<ErrorVector> {
        self.own_imperfect().errors()
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        self.own_imperfect().draw(draws)
    }

    fn estimable(&self) -> Estimable {
        self.own_imperfect().estimable()
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        self.own_imperfect().estimated(known, estimate)
    }

    fn gain(&self, stage: usize, errors: &StageErrors, amplified: bool) -> Result<Gain> {
        self.own_imperfect().gain(stage, errors, amplified)
    }
}

#[cfg(test)]
#[path = "convolution_tests.rs"]
mod tests;
