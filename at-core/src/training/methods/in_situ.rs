//! In-situ backpropagation: light itself measures the gradient of the meshes it crosses, imperfections included.
//!
//! Per mesh, with x its input fields, v_s the field at a shifter, `a = ∂L/∂y*` the adjoint of its output:
//!
//! ```text
//! forward    x             powers p_f = Σ_batch |v_s|² at every shifter, fields y at the end
//! backward   a*            powers p_b = Σ_batch |a_s|²,  fields at the inputs: (Uᴴ a)*, the adjoint of what stands in front
//! sum        x - i·s·Uᴴ a  powers p_s
//! dL/dφ_s  = -2 Im Σ a_s* v_s  = (p_s - p_f - s²·p_b)/s
//! toggled    x ± i·s·Uᴴ a  instead of the sum:  dL/dφ_s = (p_- - p_+)/2s
//! ```
//!
//! The adjoint light is made as bright as the data light (s), so that the difference is not lost in the detectors' noise or in
//! rounding. The powers of a batch are summed by the detectors. Nonlinearities and detection are digital ([`super::hybrid`]).
//!
//! The identity holds on any chip without loss, whatever its couplers and phases, for it is the chip's own light. Loss breaks
//! time reversal: `Uᴴ a` sent forward is then dimmer at the shifter than `a` sent backward. The toggled form is left with a
//! positive factor per shifter, the other also with a bias. The gradient is that of the shifters' phases: slopes with which a
//! chip follows its controls remain unknown.
//!
//! Reads complex fields at both ends of every mesh and the powers at its shifters, three times. Source: Hughes et al., Optica 5,
//! 864 (2018); Pai et al., Science 380, 398 (2023).

use super::hybrid::{self, Hybrid, Lighting, Measured, MeshPlace, Turns};
use super::{
    Dash, Ingredients, Marker, Method, MethodFacts, MethodName, MethodOption, Model, OptionRange, Reach, Seen,
};
use crate::Result;
use crate::engine::Engine;
use crate::network::Network;
use crate::propagator::{Bidirectional, Buffer, Direction, Monitor, Simulator};
use serde::{Deserialize, Serialize};

/// [`Subtraction`].
pub const IN_SITU_SUBTRACTION: MethodOption = MethodOption {
    name: "in-situ-subtraction",
    help: "how interference is told from powers: measured (three passes) or toggled (four, robust to loss)",
    range: OptionRange::Words(&["measured", "toggled"]),
    read: |_| None,
    multiplies_passes: false,
};

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("in-situ"),
    title: "in-situ backpropagation",
    uses: "both ends of every mesh, power at every phase shifter",
    reach: Reach::BothEnds(Seen::Powers),
    summary: "in-situ backpropagation: light measures its own gradient",
    manner: "measures power at every phase shifter of the chip",
    colour: [90, 120, 225],
    dash: Dash::Dotted,
    marker: Marker::Wedge,
    model: Model::Electronics,
    needs_classes: false,
    options: &[IN_SITU_SUBTRACTION],
    passes: MethodFacts::one_pass,
    check,
};

fn check(network: &Network) -> Result<()> {
    hybrid::check(network, FACTS.title)
}

/// The method from its parts.
pub fn build<E: Simulator, C: Bidirectional<Engine = E> + 'static>(
    from: &Ingredients<'_, E>,
) -> Result<Box<dyn Method<C>>> {
    let (engine, capacity, subtraction) = (from.engine, from.settings.batch_size, from.options.subtraction);
    let hybrid = Hybrid::<E::Network>::of(from)?;
    let powers_of = |mesh: &MeshPlace| {
        Ok(MeshPowers {
            turns: Turns::new(engine, mesh.reals(capacity))?,
            powers: engine.zeros(mesh.controls.len())?,
            data: Vec::new(),
            light: engine.zeros(mesh.reals(capacity))?,
        })
    };
    let meshes = hybrid.meshes().iter().map(powers_of).collect::<Result<_>>()?;
    let interference = Interference { engine: engine.clone(), subtraction, meshes };
    Ok(Box::new(from.descent(Measured::new(&FACTS, hybrid, interference)?)?))
}

/// How the interference of data light and adjoint light is told from their powers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Subtraction {
    /// Both powers are measured alone and subtracted: three passes.
    #[default]
    Measured,
    /// The sign of the adjoint light is toggled: four passes, two of them with detectors at the shifters.
    Toggled,
}

/// What is measured at one mesh.
struct MeshPowers<E: Engine> {
    turns: Turns<E>,
    /// Powers at the shifters.
    powers: E::Buffer,
    /// p_f of the last forward pass.
    data: Vec<f64>,
    /// Light that is sent.
    light: E::Buffer,
}

/// Powers of data light, adjoint light, and both together.
pub struct Interference<E: Engine> {
    engine: E,
    subtraction: Subtraction,
    meshes: Vec<MeshPowers<E>>,
}

impl<C: Bidirectional> Lighting<C> for Interference<C::Engine> {
    const SLOPES: bool = true;

    fn ahead(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        size: usize,
        output: &mut Buffer<C>,
    ) -> Result<()> {
        let MeshPowers { powers, data, .. } = &mut self.meshes[mesh.crossing];
        chip.send(mesh.index, Direction::Forward, fields, size, Some(output), Monitor::Powers(powers))?;
        *data = self.engine.download(powers)?;
        Ok(())
    }

    fn back(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        adjoint: &mut Buffer<C>,
        size: usize,
        input: &mut Buffer<C>,
    ) -> Result<Vec<f64>> {
        let Interference { engine, subtraction, meshes } = self;
        let MeshPowers { turns, powers, data, light } = &mut meshes[mesh.crossing];
        turns.conjugate(adjoint)?;
        chip.send(mesh.index, Direction::Backward, adjoint, size, Some(input), Monitor::Powers(powers))?;
        turns.conjugate(input)?;
        let error = engine.download(powers)?;
        // all light passes the output phases, which stand last
        let end = data.len() - mesh.width / 2;
        let total = |powers: &[f64]| powers[end..].iter().sum::<f64>();
        let (bright, dim) = (total(data), total(&error));
        let scale = if bright > 0.0 && dim > 0.0 { (bright / dim).sqrt() } else { 1.0 };
        let mut interfere = |scale: f64| -> Result<Vec<f64>> {
            turns.quarter_turn(fields, scale, input, size * mesh.width, light)?;
            chip.send(mesh.index, Direction::Forward, light, size, None, Monitor::Powers(powers))?;
            engine.download(powers)
        };
        let sum = interfere(scale)?;
        Ok(match subtraction {
            Subtraction::Measured => {
                let all = sum.iter().zip(data.iter()).zip(&error);
                all.map(|((sum, data), error)| (sum - data - scale * scale * error) / scale).collect()
            }
            Subtraction::Toggled => {
                let other = interfere(-scale)?;
                sum.iter().zip(&other).map(|(minus, plus)| (minus - plus) / (2.0 * scale)).collect()
            }
        })
    }
}
