//! Complex fields by elementwise operations of an engine: conjugation and multiplication by ∓i.

use crate::Result;
use crate::engine::Engine;

/// Fields of so many reals.
pub struct Turns<E: Engine> {
    engine: E,
    /// +1, -1, …
    alternating: E::Buffer,
    /// 1, 0, 3, 2, …
    swapped: E::Indices,
}

impl<E: Engine> Turns<E> {
    /// For vectors of `len` reals.
    pub fn new(engine: &E, len: usize) -> Result<Self> {
        let signs: Vec<f64> = (0..len).map(|index| if index % 2 == 0 { 1.0 } else { -1.0 }).collect();
        let swapped: Vec<u32> = (0..len as u32).map(|index| index ^ 1).collect();
        let (alternating, swapped) = (engine.upload(&signs)?, engine.upload_indices(&swapped)?);
        Ok(Turns { engine: engine.clone(), alternating, swapped })
    }

    /// `z ← z*`.
    pub fn conjugate(&self, z: &mut E::Buffer) -> Result<()> {
        self.engine.multiply(&self.alternating, z)
    }

    /// `target ← x - i·scale·a`, of which `reals` values matter.
    pub fn quarter_turn(
        &self,
        x: &E::Buffer,
        scale: f64,
        a: &E::Buffer,
        reals: usize,
        target: &mut E::Buffer,
    ) -> Result<()> {
        self.engine.gather(a, 1, &self.swapped, 0, reals, target)?;
        self.engine.multiply(&self.alternating, target)?;
        self.engine.combine(1.0, x, scale, target)
    }
}
