//! Subspace training: of layers W = U diag(σ) Vᴴ only the singular values are trained, after the chip's meshes were calibrated and mapped.
//!
//! ```text
//! calibrate  every mesh to the identity:        min Σ_ij (|T_ij|² − δ_ij)²         from powers at the outputs
//! map        every mesh to what it was told:    min Σ_ij |T_ij − W_ij|²            from fields at the outputs
//!            and project the singular values:   σ_k ← Re (Ũᴴ W Ṽ)_kk               Ũ, Ṽᴴ as measured, W as told
//! learn      σ alone:                           ∂L/∂σ_k = 2 Re Σ_batch (Uᴴ a)_k* (Vᴴ x)_k
//! ```
//!
//! The first two are zeroth-order coordinate descents: one phase of every die moves by ±δ in the same pass, stays where its die's error falls,
//! and δ shrinks from sweep to sweep. They come before the first step, and neither does where its sweeps are 0: the singular values are then
//! learned between the meshes as they are. Learning lights the meshes in both directions ([`super::hybrid`]): data light Vᴴ x ahead, adjoint
//! light back through U, and through the Vᴴ in front only where something in front of that is trained; no phase of a mesh moves.
//!
//! Kernels of convolutions are trained as all other layers: their patches are the samples of the sum.
//!
//! Reads fields at both ends of every mesh; a sweep 2·D/dies + 1 times those of all modes of a die. Source: Gu et al., "L2ight: enabling
//! on-chip learning for optical neural networks via efficient in-situ subspace optimization", NeurIPS (2021).

use super::hybrid::{self, Hybrid, Lighting, Measured, MeshPlace, Turns};
use super::{
    Dash, Descent, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, MethodOptions, Model,
    OptionRange, Reach, Seen,
};
use crate::engine::Engine;
use crate::network::{Network, Stage};
use crate::optics::{Mesh, transfer_matrix};
use crate::propagator::{Bidirectional, Buffer, Direction, Monitor, Simulator};
use crate::training::{Batch, Parameters};
use crate::{Error, Result};
use ndarray::Array2;
use num_complex::Complex64;

/// Sweeps of the calibration.
pub const SUBSPACE_CALIBRATION: MethodOption = MethodOption {
    name: "subspace-calibration",
    help: "sweeps over all phases that bring every mesh to the identity, before the first step [default: 0]",
    range: OptionRange::Count,
    read: |options| Some(options.subspace_calibration as f64),
    multiplies_passes: false,
};

/// Sweeps of the mapping.
pub const SUBSPACE_MAPPING: MethodOption = MethodOption {
    name: "subspace-mapping",
    help: "sweeps over all phases that bring every mesh to what it was told, behind the calibration [default: 0]",
    range: OptionRange::Count,
    read: |options| Some(options.subspace_mapping as f64),
    multiplies_passes: false,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("subspace"),
    title: "subspace training",
    uses: "both ends of every mesh",
    reach: Reach::BothEnds(Seen::Nothing),
    summary: "meshes calibrated and mapped without a model, singular values alone trained",
    manner: "lights the chip's meshes in both directions, and trains what stands between them",
    colour: [150, 0, 135],
    dash: Dash::DashDotted,
    marker: Marker::Circle,
    model: Model::Electronics,
    needs_classes: false,
    options: &[SUBSPACE_CALIBRATION, SUBSPACE_MAPPING],
    passes: MethodFacts::one_pass,
    check,
};

/// First step δ of a phase (radians), and the share of it that the next sweep takes.
const FIRST_STEP: f64 = 0.8;
const SHRINKS: f64 = 0.8;

/// Errs where no attenuators stand in the light.
fn check(network: &Network) -> Result<()> {
    hybrid::check(network, FACTS.title)?;
    if network.parts().any(|part| matches!(part, Stage::Attenuators(_))) {
        return Ok(());
    }
    Err(Error::Unsupported {
        what: "subspace training without singular values".into(),
        instead: "it trains the attenuators between meshes; choose a `network` of them, as svd:16x16, svd:16x16/4 or \
                  conv:8@3x3,svd,svd:out"
            .into(),
    })
}

/// The method from its parts.
pub fn build<E: Simulator, C: Bidirectional<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    check(from.network)?;
    let capacity = from.settings.batch_size;
    let hybrid = Hybrid::<E::Network>::of(from)?;
    let turns = hybrid.meshes().iter().map(|mesh| Turns::new(from.engine, mesh.reals(capacity)));
    let ends = Ends { turns: turns.collect::<Result<_>>()?, shifters: hybrid.meshes().iter().map(shifters).collect() };
    let preparation = Preparation::new(from)?;
    Ok(Box::new(Subspace { descent: from.descent(Measured::new(&FACTS, hybrid, ends)?)?, preparation }))
}

fn shifters(mesh: &MeshPlace) -> usize {
    mesh.controls.len()
}

/// Light through both ends of the meshes, and nothing seen inside: their phases have no gradient.
pub struct Ends<E: Engine> {
    turns: Vec<Turns<E>>,
    shifters: Vec<usize>,
}

impl<C: Bidirectional> Lighting<C> for Ends<C::Engine> {
    const SLOPES: bool = false;

    fn ahead(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        size: usize,
        output: &mut Buffer<C>,
    ) -> Result<()> {
        chip.send(mesh.index, Direction::Forward, fields, size, Some(output), Monitor::Nothing)
    }

    fn back(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        _: &Buffer<C>,
        adjoint: &mut Buffer<C>,
        size: usize,
        input: &mut Buffer<C>,
    ) -> Result<Vec<f64>> {
        let turns = &self.turns[mesh.crossing];
        turns.conjugate(adjoint)?;
        chip.send(mesh.index, Direction::Backward, adjoint, size, Some(input), Monitor::Nothing)?;
        turns.conjugate(input)?;
        Ok(vec![0.0; self.shifters[mesh.crossing]])
    }
}

/// The method.
struct Subspace<E: Simulator> {
    descent: Descent<E, Measured<E::Network, Ends<E>>>,
    preparation: Preparation<E>,
}

impl<E: Simulator, C: Bidirectional<Engine = E>> Method<C> for Subspace<E> {
    fn facts(&self) -> &'static MethodFacts {
        &FACTS
    }

    fn step(&mut self, chip: &mut C, batch: &Batch<E>, learning_rate: f64, tally: &mut Buffer<C>) -> Result<()> {
        let descent = &mut self.descent;
        for (_, controls) in Method::<C>::parameters_mut(descent) {
            if controls.memory.step == 0 {
                self.preparation.run(chip, controls)?;
            }
        }
        descent.step(chip, batch, learning_rate, tally)
    }

    fn controls(&self) -> &Buffer<C> {
        Method::<C>::controls(&self.descent)
    }

    fn parameters(&self) -> Vec<(&'static str, &Parameters<E>)> {
        Method::<C>::parameters(&self.descent)
    }

    fn parameters_mut(&mut self) -> Vec<(&'static str, &mut Parameters<E>)> {
        Method::<C>::parameters_mut(&mut self.descent)
    }
}

/// What comes before the first step.
struct Preparation<E: Engine> {
    engine: E,
    stages: Vec<Stage>,
    calibration: usize,
    mapping: usize,
}

/// What a mesh is to become.
#[derive(Clone, Copy)]
enum Aim<'a> {
    /// The identity, up to phases, which powers do not show.
    Identity,
    /// This matrix.
    Matrix(&'a Array2<Complex64>),
}

impl Aim<'_> {
    /// The error of what leaves when mode `input` is lit.
    fn error(self, output: usize, input: usize, field: Complex64) -> f64 {
        match self {
            Aim::Identity => (field.norm_sqr() - f64::from(u8::from(output == input))).powi(2),
            Aim::Matrix(target) => (field - target[[output, input]]).norm_sqr(),
        }
    }
}

impl<E: Engine> Preparation<E> {
    fn new(from: &Ingredients<'_, E>) -> Result<Self>
    where
        E: Simulator,
    {
        let MethodOptions { subspace_calibration: calibration, subspace_mapping: mapping, .. } = *from.options;
        let stages = from.network.parts().cloned().collect();
        Ok(Preparation { engine: from.engine.clone(), stages, calibration, mapping })
    }

    /// Calibrates, maps and projects, and leaves `controls` at what was found.
    fn run<C: Bidirectional<Engine = E>>(&self, chip: &mut C, controls: &mut Parameters<E>) -> Result<()> {
        if self.calibration + self.mapping == 0 {
            return Ok(());
        }
        let mut values = self.engine.download(&controls.values)?;
        chip.program(&controls.values)?;
        let (mut told, mut measured) = (Vec::new(), Vec::new());
        let (mut start, mut index) = (0, 0);
        for stage in &self.stages {
            let own = start..start + stage.controls();
            start = own.end;
            let Stage::Mesh(mesh) = stage else { continue };
            let target = transfer_matrix(mesh, &values[own.clone()], None)?;
            let mut search =
                Search { preparation: self, chip: &mut *chip, mesh, index, start: own.start, values: &mut values };
            search.sweeps(self.calibration, Aim::Identity)?;
            search.sweeps(self.mapping, Aim::Matrix(&target))?;
            measured.push(search.matrix()?);
            told.push(target);
            index += 1;
        }
        if self.mapping > 0 {
            self.project(&told, &measured, &mut values);
        }
        controls.values = self.engine.upload(&values)?;
        Ok(())
    }

    /// σ of every layer that best makes what it was told, between the meshes as measured.
    fn project(&self, told: &[Array2<Complex64>], measured: &[Array2<Complex64>], values: &mut [f64]) {
        let (mut start, mut meshes) = (0, 0);
        for (place, stage) in self.stages.iter().enumerate() {
            let own = start..start + stage.controls();
            start = own.end;
            match stage {
                Stage::Mesh(_) => meshes += 1,
                Stage::Attenuators(attenuators) => {
                    let around =
                        [place.checked_sub(1), Some(place + 1)].map(|at| at.and_then(|at| self.stages.get(at)));
                    let [Some(Stage::Mesh(_)), Some(Stage::Mesh(_))] = around else { continue };
                    let passed = attenuators.passed();
                    let (angles, gain) = values[own].split_at_mut(passed);
                    let sigma: Vec<f64> = angles.iter().map(|angle| (0.5 * angle).sin()).collect();
                    // (Ũᴴ U)_kl σ_l (V Ṽᴴ)_lk
                    let left = measured[meshes].t().mapv(|entry| entry.conj()).dot(&told[meshes]);
                    let right = told[meshes - 1].dot(&measured[meshes - 1].t().mapv(|entry| entry.conj()));
                    for (k, angle) in angles.iter_mut().enumerate() {
                        let share: f64 = (0..passed).map(|l| (left[[k, l]] * sigma[l] * right[[l, k]]).re).sum();
                        *angle = 2.0 * share.clamp(-1.0, 1.0).asin();
                    }
                    debug_assert_eq!(gain.len(), 1, "the gain stays");
                }
                _ => {}
            }
        }
    }
}

/// Coordinate descent of one mesh's phases, of all its dies at once.
struct Search<'a, C: Bidirectional> {
    preparation: &'a Preparation<C::Engine>,
    chip: &'a mut C,
    mesh: &'a Mesh,
    /// Its number, and where its controls begin.
    index: usize,
    start: usize,
    values: &'a mut Vec<f64>,
}

impl<C: Bidirectional> Search<'_, C> {
    /// The blocks of all dies, measured with one mode of every die lit at a time.
    fn matrix(&mut self) -> Result<Array2<Complex64>> {
        let (modes, die_modes, engine) = (self.mesh.modes(), self.mesh.die_modes(), &self.preparation.engine);
        let mut light = vec![0.0; 2 * modes * die_modes];
        for (lit, sample) in light.chunks_exact_mut(2 * modes).enumerate() {
            (lit..modes).step_by(die_modes).for_each(|mode| sample[2 * mode] = 1.0);
        }
        let (light, mut output) = (engine.upload(&light)?, engine.zeros(2 * modes * die_modes)?);
        let send = (Direction::Forward, Monitor::Nothing);
        self.chip.send(self.index, send.0, &light, die_modes, Some(&mut output), send.1)?;
        let seen = engine.download(&output)?;
        let mut matrix = Array2::zeros((modes, modes));
        for (lit, sample) in seen.chunks_exact(2 * modes).enumerate() {
            for (mode, field) in sample.chunks_exact(2).enumerate() {
                matrix[[mode, mode / die_modes * die_modes + lit]] = Complex64::new(field[0], field[1]);
            }
        }
        Ok(matrix)
    }

    /// The error of every die.
    fn errors(&mut self, aim: Aim) -> Result<Vec<f64>> {
        let die_modes = self.mesh.die_modes();
        let matrix = self.matrix()?;
        let mut errors = vec![0.0; self.mesh.dies()];
        for ((output, input), &field) in matrix.indexed_iter() {
            if output / die_modes == input / die_modes {
                errors[output / die_modes] += aim.error(output, input, field);
            }
        }
        Ok(errors)
    }

    /// So many sweeps towards `aim`.
    fn sweeps(&mut self, count: usize, aim: Aim) -> Result<()> {
        if count == 0 {
            return Ok(());
        }
        let dies = self.mesh.dies();
        let mut same_on_dies = vec![vec![0; dies]; self.mesh.controls() / dies];
        for (control, (die, own)) in self.mesh.die_controls().into_iter().enumerate() {
            same_on_dies[own][die] = self.start + control;
        }
        let mut least = self.errors(aim)?;
        let mut step = FIRST_STEP;
        for _ in 0..count {
            for controls in &same_on_dies {
                self.tried(controls, step, aim, &mut least)?;
            }
            step *= SHRINKS;
        }
        Ok(())
    }

    /// One phase of every die, moved forth, then back where that did not help; it stays where the error is least.
    fn tried(&mut self, controls: &[usize], step: f64, aim: Aim, least: &mut [f64]) -> Result<()> {
        let before: Vec<f64> = controls.iter().map(|&control| self.values[control]).collect();
        let mut kept = before.clone();
        for moved in [step, -step] {
            for ((&control, before), kept) in controls.iter().zip(&before).zip(&kept) {
                self.values[control] = if kept == before { before + moved } else { *kept };
            }
            self.set(controls)?;
            for (die, error) in self.errors(aim)?.into_iter().enumerate() {
                if error < least[die] {
                    (least[die], kept[die]) = (error, self.values[controls[die]]);
                }
            }
        }
        controls.iter().zip(kept).for_each(|(&control, kept)| self.values[control] = kept);
        self.set(controls)
    }

    fn set(&mut self, changed: &[usize]) -> Result<()> {
        let values = self.preparation.engine.upload(self.values)?;
        self.chip.reprogram(&values, changed)
    }
}
