//! Fully forward mode: data light and error light cross the chip one after the other, and the product of the two fields at a
//! shifter is its gradient.
//!
//! Per mesh, with v_s the data field and a_s the adjoint field at a shifter:
//!
//! ```text
//! data    x    fields v_s at every shifter, fields y at the end
//! error   a*   fields a_s* at every shifter, fields (Uᴴ a)* at the other end;  a = ∂L/∂y*
//! dL/dφ_s = -2 Im Σ_batch a_s* v_s
//! ```
//!
//! Published chips are mirror-symmetric, so that by reciprocity error light that enters in front meets the same matrix as error
//! light that enters at the end; a mesh has ports at both ends, and here it enters at the end. No light interferes, so that loss
//! does no harm: the gradient is that of the chip itself. What it costs is complex detection of every sample at every shifter,
//! twice. Nonlinearities and detection are digital ([`super::hybrid`]).
//!
//! Source: Xue et al., Nature 632, 280 (2024), for the idea; the formula as in in-situ backpropagation.

use super::hybrid::{self, Hybrid, Lighting, Measured, MeshPlace, Turns};
use super::{Dash, Ingredients, Marker, Method, MethodFacts, MethodName, Model, Reach, Seen};
use crate::Result;
use crate::engine::Engine;
use crate::network::Network;
use crate::propagator::{Bidirectional, Buffer, Direction, Monitor, Simulator};
use rayon::prelude::*;

/// What there is to say of it.
pub const FACTS: MethodFacts = MethodFacts {
    name: MethodName::new("ffm"),
    title: "fully forward mode",
    uses: "both ends of every mesh, the field at every phase shifter",
    reach: Reach::BothEnds(Seen::Fields),
    summary: "fully forward mode: the same with light that only goes forward",
    manner: "measures the field at every phase shifter of the chip",
    colour: [195, 180, 150],
    dash: Dash::Dotted,
    marker: Marker::Cross,
    model: Model::Electronics,
    needs_classes: false,
    options: &[],
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
    let (engine, capacity) = (from.engine, from.settings.batch_size);
    let hybrid = Hybrid::<E::Network>::of(from)?;
    let fields = |mesh: &MeshPlace| {
        let seen = 2 * mesh.controls.len() * mesh.patches * capacity;
        let turns = Turns::new(engine, mesh.reals(capacity))?;
        Ok(MeshFields { turns, data: engine.zeros(seen)?, error: engine.zeros(seen)? })
    };
    let meshes = hybrid.meshes().iter().map(fields).collect::<Result<_>>()?;
    let products = Products { engine: engine.clone(), meshes };
    Ok(Box::new(from.descent(Measured::new(&FACTS, hybrid, products)?)?))
}

/// What is measured at one mesh.
struct MeshFields<E: Engine> {
    turns: Turns<E>,
    /// Data fields at the shifters, `[batch, control]`, kept until the error comes.
    data: E::Buffer,
    /// Conjugate adjoint fields there.
    error: E::Buffer,
}

/// Fields of data light and error light, multiplied.
pub struct Products<E: Engine> {
    engine: E,
    meshes: Vec<MeshFields<E>>,
}

impl<C: Bidirectional> Lighting<C> for Products<C::Engine> {
    const SLOPES: bool = true;

    fn ahead(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        fields: &Buffer<C>,
        size: usize,
        output: &mut Buffer<C>,
    ) -> Result<()> {
        let data = &mut self.meshes[mesh.crossing].data;
        chip.send(mesh.index, Direction::Forward, fields, size, Some(output), Monitor::Fields(data))
    }

    fn back(
        &mut self,
        chip: &mut C,
        mesh: &MeshPlace,
        _fields: &Buffer<C>,
        adjoint: &mut Buffer<C>,
        size: usize,
        input: &mut Buffer<C>,
    ) -> Result<Vec<f64>> {
        let MeshFields { turns, data, error } = &mut self.meshes[mesh.crossing];
        turns.conjugate(adjoint)?;
        chip.send(mesh.index, Direction::Backward, adjoint, size, Some(input), Monitor::Fields(error))?;
        turns.conjugate(input)?;
        let (data, error) = (self.engine.download(data)?, self.engine.download(error)?);
        let controls = mesh.controls.len();
        let slope = |control: usize| {
            let product = |sample: usize| {
                let at = 2 * (sample * controls + control);
                data[at] * error[at + 1] + data[at + 1] * error[at]
            };
            -2.0 * (0..size).map(product).sum::<f64>()
        };
        Ok((0..controls).into_par_iter().map(slope).collect())
    }
}
