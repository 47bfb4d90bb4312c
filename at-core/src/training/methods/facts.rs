//! What there is to say of every method, once: help, tables, presets and pictures take it from here.

use super::MethodName;

/// The facts of one method.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MethodFacts {
    /// Its name, as it is written everywhere.
    pub name: &'static str,
    /// Its name in full, as publications have it.
    pub title: &'static str,
    /// What it uses of the chip.
    pub uses: &'static str,
    /// What it does, in one line.
    pub summary: &'static str,
    /// What it does with the chip, as the predicate of a sentence.
    pub manner: &'static str,
    /// Its colour in plots (red, green, blue).
    pub colour: [u8; 3],
    /// Its line in plots.
    pub dash: Dash,
    /// Its marks in plots.
    pub marker: Marker,
}

/// How a line is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dash {
    /// Without gaps.
    Solid,
    /// In strokes.
    Dashed,
    /// In dots.
    Dotted,
}

/// How a point is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Marker {
    /// A disc.
    Circle,
    /// A square.
    Square,
    /// A triangle that points upwards.
    Triangle,
    /// A square on its corner.
    Diamond,
    /// A triangle that points downwards.
    Wedge,
    /// Two crossed strokes.
    Cross,
}

const OUTPUT_ONLY: &str = "reads the chip's output only";
const WITHOUT_MODEL: &str = "reads the chip's output again and again, and has no model";

impl MethodName {
    /// What there is to say of it.
    ///
    /// Methods that share a dash or a marker have colours that remain apart for colour-blind eyes; all have colours of
    /// their own. The first six of the palette are those of Okabe & Ito (2008).
    pub fn facts(self) -> MethodFacts {
        use Dash::{Dashed, Dotted, Solid};
        use Marker::{Circle, Cross, Diamond, Square, Triangle, Wedge};
        let facts = |name, title, uses, summary, manner, colour, dash, marker| MethodFacts {
            name,
            title,
            uses,
            summary,
            manner,
            colour,
            dash,
            marker,
        };
        match self {
            MethodName::At => facts(
                "at",
                "asymmetrical training",
                "its output",
                "asymmetrical training: a digital model runs in parallel, chip and model each follow their errors",
                OUTPUT_ONLY,
                [213, 94, 0],
                Solid,
                Circle,
            ),
            MethodName::AtAdaptive => facts(
                "at-adaptive",
                "adaptive asymmetrical training",
                "its output",
                "the model also learns the chip's imperfections from its readouts: for coherent meshes and deep weight banks",
                OUTPUT_ONLY,
                [230, 159, 0],
                Solid,
                Square,
            ),
            MethodName::InSilico => facts(
                "in-silico",
                "in-silico training",
                "nothing",
                "backpropagation through the nominal model, then deployment",
                "never reads the chip",
                [0, 114, 178],
                Solid,
                Triangle,
            ),
            MethodName::Ideal => facts(
                "ideal",
                "the oracle",
                "everything: an oracle",
                "backpropagation through the true chip, which only a simulator knows: the upper line",
                "knows the chip",
                [0, 0, 0],
                Solid,
                Diamond,
            ),
            MethodName::Pat => facts(
                "pat",
                "physics-aware training",
                "every layer, read and injected",
                "physics-aware training, layer by layer",
                "measures every layer of the chip",
                [0, 158, 115],
                Solid,
                Wedge,
            ),
            MethodName::PatOutput => facts(
                "pat-output",
                "output-only physics-aware training",
                "its output",
                "physics-aware training with the chip's error at the output only",
                OUTPUT_ONLY,
                [204, 121, 167],
                Solid,
                Cross,
            ),
            MethodName::NoiseAware => facts(
                "noise-aware",
                "noise-aware training",
                "nothing but its statistics",
                "as in-silico, with imperfections drawn anew from the chip's statistics",
                "never reads the chip, and knows how much chips vary",
                [60, 75, 240],
                Dashed,
                Circle,
            ),
            MethodName::Dfa => facts(
                "dfa",
                "direct feedback alignment",
                "every layer, tapped",
                "direct feedback: the output's error goes to every layer through random matrices",
                "taps every layer of the chip",
                [15, 0, 135],
                Dashed,
                Square,
            ),
            MethodName::DfaModel => facts(
                "dfa-model",
                "direct feedback alignment on modelled signals",
                "its output",
                "the same with the model's hidden signals",
                OUTPUT_ONLY,
                [0, 180, 60],
                Dashed,
                Triangle,
            ),
            MethodName::Spsa => facts(
                "spsa",
                "simultaneous perturbation",
                "its output",
                "no model: differences of the loss along random directions, both ways",
                WITHOUT_MODEL,
                [90, 30, 0],
                Dotted,
                Circle,
            ),
            MethodName::ZerothOrder => facts(
                "zeroth-order",
                "zeroth-order training",
                "its output",
                "no model: differences of the loss along random directions, one way",
                WITHOUT_MODEL,
                [90, 60, 60],
                Dotted,
                Square,
            ),
            MethodName::Coordinate => facts(
                "coordinate",
                "zeroth-order coordinate descent",
                "its output",
                "no model: some controls are tried, and keep or reverse their step",
                WITHOUT_MODEL,
                [15, 150, 150],
                Dotted,
                Triangle,
            ),
            MethodName::ParameterShift => facts(
                "parameter-shift",
                "the parameter-shift rule",
                "its output",
                "no model: the exact gradient of meshes with one detection, two passes per control",
                WITHOUT_MODEL,
                [150, 195, 45],
                Dotted,
                Diamond,
            ),
            MethodName::Dat => facts(
                "dat",
                "dual adaptive training",
                "its output",
                "dual adaptive training: networks behind the model's meshes learn what the chip's meshes do differently",
                OUTPUT_ONLY,
                [240, 15, 120],
                Dashed,
                Diamond,
            ),
            MethodName::DatInternal => facts(
                "dat-internal",
                "dual adaptive training with internal readouts",
                "its output, power behind every mesh",
                "the same, with internal readouts",
                "reads the power behind every mesh of the chip",
                [30, 180, 210],
                Dashed,
                Wedge,
            ),
            MethodName::InSitu => facts(
                "in-situ",
                "in-situ backpropagation",
                "both ends of every mesh, power at every phase shifter",
                "in-situ backpropagation: light measures its own gradient",
                "measures power at every phase shifter of the chip",
                [90, 120, 225],
                Dotted,
                Wedge,
            ),
            MethodName::Ffm => facts(
                "ffm",
                "fully forward mode",
                "both ends of every mesh, the field at every phase shifter",
                "fully forward mode: the same with light that only goes forward",
                "measures the field at every phase shifter of the chip",
                [195, 180, 150],
                Dotted,
                Cross,
            ),
            MethodName::Phyll => facts(
                "phyll",
                "physical local learning",
                "every layer, twice, read and injected; no control is written",
                "physical local learning: digital maps between the layers of a chip that stays as it is",
                "measures every layer of the chip twice",
                [15, 75, 15],
                Dashed,
                Cross,
            ),
        }
    }
}

#[cfg(test)]
#[path = "facts_tests.rs"]
mod tests;
