//! The gradient of a hybrid, for methods that descend it.

use super::super::{Gradient, MethodFacts};
use super::{Hybrid, Lighting};
use crate::Result;
use crate::engine::Engine;
use crate::propagator::{Adjoint, Bidirectional, Buffer, LayerAccess};
use crate::training::{Batch, Parameters};

/// The gradient as measured with the lighting `L`, with the computer's part of the network.
pub struct Measured<M: Adjoint, L> {
    facts: &'static MethodFacts,
    hybrid: Hybrid<M>,
    lighting: L,
    gradient: Buffer<M>,
}

impl<M: Adjoint, L> Measured<M, L> {
    /// That of the method with these `facts`.
    pub fn new(facts: &'static MethodFacts, hybrid: Hybrid<M>, lighting: L) -> Result<Self> {
        let gradient = hybrid.engine().zeros(hybrid.controls())?;
        Ok(Measured { facts, hybrid, lighting, gradient })
    }
}

impl<M, L, C> Gradient<C> for Measured<M, L>
where
    M: Adjoint + LayerAccess,
    C: Bidirectional<Engine = M::Engine>,
    L: Lighting<C>,
{
    fn facts(&self) -> &'static MethodFacts {
        self.facts
    }

    fn gradient(
        &mut self,
        chip: &mut C,
        controls: &Parameters<C::Engine>,
        batch: &Batch<C::Engine>,
        tally: &mut Buffer<C>,
    ) -> Result<&Buffer<C>> {
        let Measured { hybrid, lighting, gradient, .. } = self;
        let slopes = hybrid.gradient(chip, lighting, &controls.values, batch, tally)?;
        *gradient = hybrid.engine().upload(&slopes)?;
        Ok(gradient)
    }
}
