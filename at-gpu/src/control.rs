//! The way from controls to phases on a GPU, and back for a gradient.

use crate::engine::Gpu;
use crate::layout::{CarryBack, Follow, Settle};
use crate::shaders::Stage;
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::chip::Fabrication;
use at_core::chip::control::Shifter;
use std::ops::Range;

/// What a chip's controls become.
pub(crate) struct Follower {
    len: usize,
    quartic: f32,
    levels: f32,
    /// Some way that is not direct: update errors, heaters.
    bent: bool,
    programmed: bool,
    /// `(1 + E, gain, base, range)`.
    shifters: wgpu::Buffer,
    /// The controls first programmed.
    origin: Vector,
    heat: Vector,
    derivative: Vector,
    /// What stands in the chip.
    stands: Vector,
    /// The gradient before the way back.
    before: Vector,
    /// Rows of the crosstalk, and its entries.
    crosstalk: Option<[wgpu::Buffer; 2]>,
}

impl Follower {
    /// As `fabrication` has it, for `len` controls.
    pub fn new(gpu: &Gpu, fabrication: &Fabrication, len: usize) -> Result<Self> {
        let context = &gpu.commands.context;
        let path = &fabrication.control;
        let bent = !path.is_direct() || !fabrication.update_error.is_empty();
        let shifter = |k: usize| {
            let Shifter { gain, base, range } = path.shifters.get(k).copied().unwrap_or(Shifter::AS_TOLD);
            let slope = 1.0 + fabrication.update_error.get(k).copied().unwrap_or(0.0);
            [slope, gain, base, range].map(|value| value as f32)
        };
        let shifters: Vec<[f32; 4]> = (0..len).map(shifter).collect();
        let coupling = &path.coupling;
        let crosstalk = if coupling.is_empty() {
            None
        } else {
            let entries = coupling.neighbours.iter().zip(&coupling.strengths);
            let entries: Vec<[u32; 2]> = entries.map(|(&k, &strength)| [k, (strength as f32).to_bits()]).collect();
            let rows = Vector::pods(context, "rows of the crosstalk", &coupling.starts)?;
            Some([rows, Vector::pods(context, "crosstalk", &entries)?])
        };
        let vector = |what| Vector::zeros(context, what, len);
        Ok(Follower {
            len,
            quartic: path.quartic as f32,
            levels: path.levels as f32,
            bent,
            programmed: false,
            shifters: Vector::pods(context, "shifters", &shifters)?,
            origin: vector("first controls")?,
            heat: vector("heat of shifters")?,
            derivative: vector("derivatives of shifters")?,
            stands: vector("effective controls")?,
            before: vector("gradient of effective controls")?,
            crosstalk,
        })
    }

    /// Whether controls were programmed before.
    pub fn programmed(&self) -> bool {
        self.programmed
    }

    /// What stands in the chip when it is told `controls`, with `drift` added.
    pub fn follow<'a>(
        &'a mut self,
        gpu: &Gpu,
        controls: &'a wgpu::Buffer,
        drift: Option<&Vector>,
    ) -> Result<&'a wgpu::Buffer> {
        if !std::mem::replace(&mut self.programmed, true) {
            gpu.commands.copy(controls, &self.origin.buffer, 4 * self.len as u64);
        }
        if !self.bent && drift.is_none() {
            return Ok(controls);
        }
        let parameters = Follow { len: count(self.len)?, quartic: self.quartic, levels: self.levels };
        let (heat, stands) = (&self.heat.buffer, &self.stands.buffer);
        let buffers = [controls, &self.origin.buffer, &self.shifters, heat, &self.derivative.buffer];
        gpu.each(Stage::Follow, &parameters, &buffers, self.len)?;
        let [rows, entries] = self.crosstalk();
        let drifted = drift.map_or(heat, |drift| &drift.buffer);
        let parameters = self.settle(drift.is_some())?;
        gpu.each(Stage::Settle, &parameters, &[heat, &self.shifters, rows, entries, drifted, stands], self.len)?;
        Ok(stands)
    }

    /// From the gradient at what stands in the chip to that at what it was told, in place, in a range of whole stages.
    pub fn carry_back(&self, gpu: &Gpu, range: Range<usize>, gradient: &Vector) -> Result<()> {
        if !self.bent {
            return Ok(());
        }
        let before = &self.before.buffer;
        gpu.commands.copy(&gradient.buffer, before, 4 * self.len as u64);
        let [rows, entries] = self.crosstalk();
        let buffers = [before, &self.derivative.buffer, rows, entries, &gradient.buffer];
        let has_neighbours = u32::from(self.crosstalk.is_some());
        let parameters = CarryBack { first: count(range.start)?, len: count(range.len())?, has_neighbours };
        gpu.each(Stage::CarryBack, &parameters, &buffers, range.len())
    }

    fn settle(&self, has_drift: bool) -> Result<Settle> {
        let has_neighbours = u32::from(self.crosstalk.is_some());
        Ok(Settle { len: count(self.len)?, has_neighbours, has_drift: u32::from(has_drift) })
    }

    /// Something must be bound where nothing is read.
    fn crosstalk(&self) -> [&wgpu::Buffer; 2] {
        self.crosstalk.as_ref().map_or([&self.shifters; 2], |[rows, entries]| [rows, entries])
    }
}
