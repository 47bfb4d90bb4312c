//! A mask of pixels, each with a transmission of its own: `y_p = t_p·x_p`, `t_p = a_p·e^{i(φ_p + e_p)}` with the phase error e of the pixel.
//! The controls are φ (a = 1), or θ with `a = sin²(θ/2)` (φ = 0), or `[φ.., θ..]`.

use super::{
    Beside, ControlArray, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Grid, Imperfect,
    Map, Order, Place, Signal, Sines, Span, Stage, StageErrors, Start,
};
use crate::Result;
use crate::imperfections::{Draws, LARGEST_ERROR};
use crate::optics::angular_spectrum::check_pixels;
use num_complex::Complex64;
use serde::{Deserialize, Serialize};
use std::f64::consts::{PI, TAU};

/// What the pixels of a mask change.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Transmission {
    /// The phase φ.
    #[default]
    Phase,
    /// The amplitude `sin²(θ/2)`.
    Amplitude,
    /// Both.
    Complex,
}

impl Transmission {
    /// Every kind.
    pub const ALL: [Transmission; 3] = [Transmission::Phase, Transmission::Amplitude, Transmission::Complex];

    /// As written.
    pub fn name(self) -> &'static str {
        match self {
            Transmission::Phase => "phase",
            Transmission::Amplitude => "amplitude",
            Transmission::Complex => "complex",
        }
    }

    /// Whether the pixels have phases φ for controls, and whether they have θ.
    pub fn has(self) -> [bool; 2] {
        match self {
            Transmission::Phase => [true, false],
            Transmission::Amplitude => [false, true],
            Transmission::Complex => [true, true],
        }
    }
}

/// A mask of pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Mask {
    /// Pixels of a column.
    pub rows: usize,
    /// Pixels of a row.
    pub columns: usize,
    /// What they change.
    pub transmission: Transmission,
}

impl Stage {
    /// A [`Mask`].
    pub fn mask(rows: usize, columns: usize, transmission: Transmission) -> Self {
        Stage::Mask(Mask { rows, columns, transmission })
    }
}

impl Mask {
    /// Number of pixels.
    pub fn pixels(&self) -> usize {
        self.rows.saturating_mul(self.columns)
    }

    /// Of pixel `pixel` at these controls: t, and dt/dθ where there is a θ. `dt/dφ = dt/de = i t`.
    pub fn pixel(&self, error: f64, controls: &[f64], pixel: usize) -> (Complex64, Complex64) {
        let (phase, angle) = match self.transmission {
            Transmission::Phase => (controls[pixel], PI),
            Transmission::Amplitude => (0.0, controls[pixel]),
            Transmission::Complex => (controls[pixel], controls[self.pixels() + pixel]),
        };
        let turn = Complex64::cis(phase + error);
        (turn * (0.5 * angle).sin().powi(2), turn * (0.5 * angle.sin()))
    }

    fn kinds(&self) -> impl Iterator<Item = &'static str> {
        self.transmission.has().into_iter().zip(["phase", "amplitude"]).filter(|(has, _)| *has).map(|(_, name)| name)
    }
}

impl Element for Mask {
    fn input(&self) -> Signal {
        Signal::fields(self.pixels())
    }

    fn output(&self) -> Signal {
        Signal::fields(self.pixels())
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        check_pixels(self.rows, self.columns)
    }

    fn words(&self) -> String {
        let Mask { rows, columns, transmission } = *self;
        match transmission {
            Transmission::Phase => format!("mask:{rows}x{columns}"),
            Transmission::Amplitude | Transmission::Complex => {
                format!("mask:{rows}x{columns}({})", transmission.name())
            }
        }
    }

    fn description(&self) -> String {
        format!("{} mask of {} × {} pixels", self.transmission.name(), self.rows, self.columns)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        Some(self)
    }

    fn sines(&self) -> Option<Sines> {
        Some(match self.transmission {
            Transmission::Phase => Sines::Kept,
            Transmission::Amplitude | Transmission::Complex => Sines::Broken("the amplitudes of a mask"),
        })
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        Some(self)
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let pixels = pixels(self, errors, controls);
        let output: Vec<_> = fields.iter().zip(pixels.iter().cycle()).map(|(x, (t, _))| t * x).collect();
        bytemuck::cast_slice(&output).to_vec()
    }

    /// `dL/dc = 2 Re a* (dt/dc) x`, and `a_x = t* a`.
    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let fields: &[Complex64] = bytemuck::cast_slice(signal);
        let adjoints: &[Complex64] = bytemuck::cast_slice(error);
        let (pixels, count) = (pixels(self, errors, controls), self.pixels());
        let mut carried = Vec::new();
        for (field, adjoint) in fields.chunks_exact(count).zip(adjoints.chunks_exact(count)) {
            for (pixel, (t, by_angle)) in pixels.iter().enumerate() {
                let (x, a) = (field[pixel], adjoint[pixel]);
                let by_phase = 2.0 * (a.conj() * Complex64::I * t * x).re;
                let by_angle = 2.0 * (a.conj() * by_angle * x).re;
                match self.transmission {
                    Transmission::Phase => gradient[pixel] += by_phase,
                    Transmission::Amplitude => gradient[pixel] += by_angle,
                    Transmission::Complex => {
                        gradient[pixel] += by_phase;
                        gradient[count + pixel] += by_angle;
                    }
                }
                carried.push(t.conj() * a);
            }
        }
        bytemuck::cast_slice(&carried).to_vec()
    }
}

impl Controlled for Mask {
    fn runs(&self) -> Vec<ControlRun> {
        self.kinds().map(|_| ControlRun::phases(self.pixels(), TAU)).collect()
    }

    /// `phase [row, column]`, `amplitude [row, column]`: those that there are.
    fn arrays(&self) -> Vec<ControlArray> {
        self.kinds().map(|name| ControlArray::new(name, [self.rows, self.columns])).collect()
    }

    /// `phase[row,column]`, `amplitude[row,column]`.
    fn names(&self) -> Vec<String> {
        let places = || (0..self.rows).flat_map(|row| (0..self.columns).map(move |column| (row, column)));
        self.kinds().flat_map(|name| places().map(move |(row, column)| format!("{name}[{row},{column}]"))).collect()
    }

    /// Uniform phases in ±π/2 of every pixel, `θ = 2π/3`: light is scattered but still an image, and every pixel has a slope.
    fn first(&self, mut start: Start) -> Result<Vec<f64>> {
        use rand::RngExt;
        let count = self.pixels();
        let mut first = Vec::new();
        for kind in self.kinds() {
            first.extend((0..count).map(|_| match kind {
                "phase" => PI * (start.random.random::<f64>() - 0.5),
                _ => TAU / 3.0,
            }));
        }
        Ok(first)
    }

    /// Pixels on their grid; phases and amplitudes are panels of their own.
    fn places(&self) -> Vec<Option<Place>> {
        let at = |die, pixel| Place { die, at: [(pixel % self.columns) as f64, (pixel / self.columns) as f64] };
        (0..self.kinds().count()).flat_map(|die| (0..self.pixels()).map(move |pixel| Some(at(die, pixel)))).collect()
    }

    fn rest(&self) -> f64 {
        0.0
    }

    /// Larger than a module or not, they are what they are.
    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        (*other == Stage::Mask(*self)).then(|| (0..self.kinds().count() * self.pixels()).collect())
    }
}

impl Imperfect for Mask {
    fn errors(&self) -> Vec<ErrorVector> {
        vec![ErrorVector {
            name: "phase",
            what: "phase error",
            unit: "rad",
            length: self.pixels(),
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        }]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        let mut phases = draws.normal(1, self.pixels(), 0.0, draws.imperfections.planes.pixel_phase);
        draws.add_phases(&mut phases);
        vec![phases]
    }

    /// The phase error of every pixel.
    fn estimable(&self) -> Estimable {
        Estimable::PhasesByBatches(self.pixels())
    }

    fn estimated(&self, known: &StageErrors, estimate: &[f64]) -> StageErrors {
        known.or_zeros(self).replaced(["phase"], estimate)
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

const TOLD: &str = "The phases that the pixels were told, modulo 2π.";
const AMPLITUDES: &str = "The amplitudes that the pixels were told to pass.";
const WRONG: &str = "What the trainer does not know: the phase error of every pixel.";

impl Drawn for Mask {
    fn grid(&self) -> Grid<'_> {
        Grid::Pixels { rows: self.rows, columns: self.columns }
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let mut maps = Vec::new();
        for (kind, values) in self.kinds().zip(controls.chunks_exact(self.pixels())) {
            maps.push(match kind {
                "phase" => Map {
                    name: "phase",
                    title: "Phases of a mask",
                    scale: "phase (rad)",
                    caption: TOLD,
                    span: Span::Phase,
                    values: values.iter().map(|phase| phase.rem_euclid(TAU)).collect(),
                },
                _ => {
                    let values: Vec<f64> = values.iter().map(|angle| (0.5 * angle).sin().powi(2)).collect();
                    let (span, title) = (Span::around_zero(&values), "Amplitudes of a mask");
                    Map { name: "amplitude", title, scale: "amplitude", caption: AMPLITUDES, span, values }
                }
            });
        }
        if let Some([wrong]) = errors.get(["phase"]) {
            let (span, title) = (Span::around_zero(wrong), "Phase errors of the pixels");
            maps.push(Map {
                name: "errors",
                title,
                scale: "phase (rad)",
                caption: WRONG,
                span,
                values: wrong.to_vec(),
            });
        }
        maps
    }
}

fn pixels(mask: &Mask, errors: &StageErrors, controls: &[f64]) -> Vec<(Complex64, Complex64)> {
    let errors = errors.get(["phase"]).map_or(&[][..], |[phase]| phase);
    (0..mask.pixels()).map(|pixel| mask.pixel(*errors.get(pixel).unwrap_or(&0.0), controls, pixel)).collect()
}
