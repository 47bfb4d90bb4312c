//! The stages that light or its detected signal crosses, a page each: everything that is particular to one of them stands in its
//! file, in one order, and the rest of the program asks [`Stage::element`].
//!
//! A page has: the sentence and the formula, signals, controls and where they start, imperfections, the plain f64 meaning. It is made a
//! kind by its line in the table at the end of this file, from which follow [`Stage`], its example in the tests, and [`with_stage!`], by
//! which engines ask for their own part of each page. What it takes to add one is written down in `docs/adding-a-stage.md`.

mod activation;
mod attenuators;
mod combiner;
mod controlled;
mod convolution;
mod detection;
mod differences;
mod drawn;
mod element;
mod errors;
pub mod flops;
mod free_space;
mod initialization;
mod mask;
mod matrix;
pub(crate) mod mesh;
mod modulation;
mod normalization;
mod own;
mod patches;
mod phase_change;
mod pooling;
mod rectifier;
mod regions;
mod residual;
mod ring_bank;
mod series;
mod sines;
mod splitter;
mod weight_bank;
mod weights;

pub use activation::Nonlinearity;
pub use attenuators::Attenuators;
pub use combiner::Combiner;
pub use controlled::{ControlArray, ControlRun, Controlled, Meaning, Start};
pub use convolution::Convolution;
pub use detection::{Detection, Photodetection};
pub use differences::slope_error;
pub use drawn::{Drawn, Grid, Map, Span};
pub use element::{Beside, Element, Signal};
pub use errors::{ErrorVector, Estimable, Gain, Imperfect, Order, Sheet, StageErrors};
pub use flops::Flops;
pub use free_space::FreeSpace;
pub use initialization::Initialization;
pub use mask::{Mask, Transmission};
pub use matrix::Matrix;
pub use modulation::Modulation;
pub use normalization::Normalization;
pub use own::Own;
pub use patches::Patches;
pub use phase_change::PhaseChange;
pub(crate) use pooling::check_detectors;
pub use pooling::{Pool, Pooling};
pub use rectifier::Rectifier;
pub use regions::Regions;
pub use residual::Residual;
pub use ring_bank::RingBank;
pub use series::Series;
pub use sines::Sines;
pub use splitter::{Part, Splitter};
pub use weight_bank::WeightBank;

use crate::image_shape::ImageShape;
use crate::imperfections::{FloorPlan, Place};
use crate::optics::{Activation, AngularSpectrum, Mesh};

impl Stage {
    /// Its kind as a word: `weight-bank`.
    pub fn word(&self) -> String {
        let mut word = String::new();
        for letter in self.kind().chars() {
            if letter.is_uppercase() && !word.is_empty() {
                word.push('-');
            }
            word.extend(letter.to_lowercase());
        }
        word
    }

    /// What enters.
    pub fn input(&self) -> Signal {
        self.element().input()
    }

    /// What leaves.
    pub fn output(&self) -> Signal {
        self.element().output()
    }

    /// What its controls are, in their order.
    pub fn runs(&self) -> Vec<ControlRun> {
        self.element().controlled().map_or(Vec::new(), Controlled::runs)
    }

    /// Number of controls.
    pub fn controls(&self) -> usize {
        self.runs().iter().map(|run| run.count).sum()
    }

    /// How its controls are cut into arrays, in their order.
    pub fn control_arrays(&self) -> Vec<ControlArray> {
        self.element().controlled().map_or(Vec::new(), Controlled::arrays)
    }

    /// The place of every control's heater; none for a control that is no heater.
    pub fn places(&self) -> Vec<Option<Place>> {
        self.element().controlled().map_or(Vec::new(), Controlled::places)
    }

    /// The places of those of its controls that are heaters.
    pub fn heaters(&self) -> Vec<Place> {
        self.places().into_iter().flatten().collect()
    }

    /// The schema of its errors.
    pub fn errors(&self) -> Vec<ErrorVector> {
        self.element().imperfect().map_or(Vec::new(), Imperfect::errors)
    }

    /// Its imperfections that can be estimated.
    pub fn estimable(&self) -> Estimable {
        self.element().imperfect().map_or(Estimable::Nothing, Imperfect::estimable)
    }

    /// Number of imperfections that can be estimated ([`crate::propagator::Tunable`]).
    pub fn imperfections(&self) -> usize {
        self.estimable().count()
    }
}

impl FloorPlan for Stage {
    fn controls(&self) -> usize {
        Stage::controls(self)
    }

    fn heaters(&self) -> Vec<Place> {
        Stage::heaters(self)
    }
}

/// A line per kind: `Kind(Page): example`. `outside` stands the page of elements that this library does not know.
macro_rules! stages {
    (
        ($d:tt)
        outside $(#[$own_doc:meta])* $own_kind:ident($own_page:ty);
        $($(#[$doc:meta])* $kind:ident($page:ty): $example:expr;)*
    ) => {
        /// An expression with a stage's own page: `with_stage!(stage, page => f(page))` is a match over all kinds in which `page` is
        /// `&Mesh` for a mesh, and so on. Where a page lacks what the expression asks of it, that does not compile.
        #[macro_export]
        macro_rules! with_stage {
            ($d stage:expr, $d page:ident => $d expression:expr) => {
                match $d stage {
                    $($crate::stage::Stage::$kind($d page) => $d expression,)*
                    $crate::stage::Stage::$own_kind($d page) => $d expression,
                }
            };
        }
        #[doc(inline)]
        pub use with_stage;

        /// One thing that light or its detected signal crosses.
        #[derive(Clone, Debug, PartialEq)]
        pub enum Stage {
            $($(#[$doc])* $kind($page),)*
            $(#[$own_doc])*
            $own_kind($own_page),
        }

        impl Stage {
            /// The kinds that there are, as [`Stage::kind`] names them.
            pub const KINDS: &[&str] = &[$(stringify!($kind),)* stringify!($own_kind)];

            /// Which of [`Stage::KINDS`] it is.
            pub fn kind(&self) -> &'static str {
                match self {
                    $(Stage::$kind(_) => stringify!($kind),)*
                    Stage::$own_kind(_) => stringify!($own_kind),
                }
            }

            /// Its page.
            pub fn element(&self) -> &dyn Element {
                with_stage!(self, own => own)
            }

            /// A small one of every kind that this library knows, in the order of [`Stage::KINDS`]: what tests of pages and of engines go
            /// through.
            pub fn examples() -> Vec<Stage> {
                vec![$($example),*]
            }
        }
    };
}

stages! {
    ($)
    outside
    /// An element of one's own, whose page stands in another crate.
    Own(Own);
    /// A mesh of MZIs.
    Mesh(Mesh): Stage::Mesh(Mesh::rectangular(4).expect("four modes make a mesh"));
    /// Attenuators between the two meshes of a singular-value stage.
    Attenuators(Attenuators): Stage::attenuators(4, 6);
    /// Passive splitters that divide the light of every mode evenly.
    Splitter(Splitter): Stage::splitter(4, 3);
    /// Passive combiners that bring the light of several modes to one.
    Combiner(Combiner): Stage::combiner(6, 2, 3);
    /// An optical nonlinearity on every mode.
    Activation(Nonlinearity): Stage::activation(4, Activation::Spm { gain: 0.7 });
    /// Photodetection: complex fields become real numbers.
    Detection(Photodetection): Stage::detection(4, Detection::Balanced);
    /// Modulation: real numbers become field amplitudes.
    Modulation(Modulation): Stage::modulation(4);
    /// Rectification of detected signals.
    Rectifier(Rectifier): Stage::rectifier(4, 0.1);
    /// A real matrix and bias whose entries are the controls.
    Matrix(Matrix): Stage::matrix(4, 3);
    /// A bank of incoherent, balanced MZI weight cells.
    WeightBank(WeightBank): Stage::weight_bank(4, 3);
    /// A bank of microrings that broadcasts and weighs.
    RingBank(RingBank): Stage::ring_bank(4, 3, 3, 12.0);
    /// A crossbar of phase-change cells.
    PhaseChange(PhaseChange): Stage::phase_change(4, 3);
    /// A linear element that all patches of an image cross in turn.
    Convolution(Convolution): Stage::convolution(
        Patches { image: ImageShape::new(2, 5, 4), kernel: [3, 2], stride: 2, padding: 1 },
        Stage::weight_bank(12, 3),
    );
    /// Normalisation of images, sample by sample.
    Normalization(Normalization): Stage::normalization(ImageShape::new(4, 3, 2), 2);
    /// One number of every patch of an image.
    Pooling(Pooling): Stage::Pooling(Pooling { image: ImageShape::new(2, 5, 4), size: 3, stride: 1, pool: Pool::Max });
    /// A mask of pixels that change phases or amplitudes.
    Mask(Mask): Stage::mask(3, 5, Transmission::Complex);
    /// Free space between two grids of pixels.
    FreeSpace(FreeSpace): Stage::free_space(AngularSpectrum {
        rows: 3,
        columns: 5,
        pitch_um: 400.0,
        distance_um: 1500.0,
        wavelength_um: 750.0,
    });
    /// Detectors, each of a square of pixels.
    Regions(Regions): Stage::regions(6, 5, 3, 1);
    /// Stages one behind the other as one.
    Series(Series): Stage::series(vec![
        Stage::modulation(4),
        Stage::Mesh(Mesh::rectangular(4).expect("four modes make a mesh")),
        Stage::attenuators(4, 3),
        Stage::detection(3, Detection::Homodyne { phase: 0.3 }),
        Stage::weight_bank(3, 2),
    ]);
    /// A branch that is added to what it leaves aside.
    Residual(Residual): Stage::residual(vec![Stage::weight_bank(4, 3), Stage::rectifier(3, 0.1), Stage::ring_bank(3, 4, 3, 12.0)]);
}

#[cfg(test)]
mod tests;
