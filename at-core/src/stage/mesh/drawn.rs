//! What is drawn of a mesh: its phases, and errors of couplers and phases.

use crate::optics::Mesh;
use crate::stage::{Drawn, Grid, Map, Span, StageErrors};

const THETA: &str = "Every MZI as a block of two rows. θ = 0 (or 2π) crosses its waveguides, θ = π keeps them apart.";
const PHI: &str = "The phase on the upper arm before each MZI; the last column holds the output phase of every mode.";
const COUPLER: &str = "What the trainer does not know: the angle by which each coupler misses an equal split.";
const SHIFT: &str = "What the trainer does not know: the phase that stands in each shifter beside the one it was told.";

impl Drawn for Mesh {
    fn grid(&self) -> Grid<'_> {
        Grid::Mesh(self)
    }

    fn maps(&self, errors: &StageErrors, controls: &[f64]) -> Vec<Map> {
        let phase = |name, title, caption, values| {
            let (scale, span) = ("phase (rad)", Span::Phase);
            Map { name, title, scale, caption, values, span }
        };
        let error = |name, title, caption, values, span| {
            let scale = "error (rad)";
            Map { name, title, scale, caption, values, span }
        };
        // θ of every MZI; φ of every MZI with γ of every mode behind
        let parted = |phases: &[f64]| {
            let (theta, phi, gamma) = self.split(phases);
            [theta.to_vec(), [phi, gamma].concat()]
        };
        let [theta, phi] = parted(controls);
        let mut maps = vec![
            phase("theta", "Internal phases θ", THETA, theta),
            phase("phi", "External phases φ; output phases γ last", PHI, phi),
        ];
        if let Some([first, second, phases]) = errors.get(["first_coupler", "second_coupler", "phases"]) {
            let couplers = Span::around_zero(first.iter().chain(second));
            let shifts = Span::around_zero(phases);
            let [theta, phi] = parted(phases);
            maps.extend([
                error("coupler-1", "Error of the first couplers", COUPLER, first.to_vec(), couplers),
                error("coupler-2", "Error of the second couplers", COUPLER, second.to_vec(), couplers),
                error("theta-error", "Error of θ", SHIFT, theta, shifts),
                error("phi-error", "Error of φ; of γ last", SHIFT, phi, shifts),
            ]);
        }
        maps
    }
}
