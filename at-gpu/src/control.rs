//! The way from controls to phases on a GPU, and back for a gradient.

use crate::engine::Gpu;
use crate::layout::{CarryBack, Follow, Settle};
use crate::vectors::{Vector, count};
use at_core::Result;
use at_core::fabrication::Fabrication;
use at_core::fabrication::control::Shifter;
use at_shaders::Kernel;
use std::ops::Range;

/// What a chip's controls become.
pub(crate) struct Follower {
    len: usize,
    programmed: bool,
    /// None where the chip stands as it is told, and nothing has drifted yet.
    way: Option<Way>,
}

/// The memory of a way that is not direct: flat vectors, so that a binding holds as many controls as of the network itself.
struct Way {
    quartic: f32,
    levels: f32,
    /// Some way that is not direct: update errors, heaters. Otherwise only drift is added.
    bent: bool,
    /// `1 + E`.
    slope: Vector,
    gain: Vector,
    base: Vector,
    range: Vector,
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

impl Way {
    fn new(gpu: &Gpu, fabrication: &Fabrication, len: usize, bent: bool) -> Result<Self> {
        let context = &gpu.commands.context;
        let path = &fabrication.control;
        let shifter = |k: usize| path.shifters.get(k).copied().unwrap_or(Shifter::AS_TOLD);
        let values = |what, value: &dyn Fn(usize) -> f64| {
            Vector::upload(context, what, &(0..len).map(value).collect::<Vec<f64>>())
        };
        let coupling = &path.coupling;
        let crosstalk = if coupling.is_empty() {
            None
        } else {
            let entries = coupling.neighbours.iter().zip(&coupling.strengths);
            let entries: Vec<[u32; 2]> = entries.map(|(&k, &strength)| [k, (strength as f32).to_bits()]).collect();
            let rows = Vector::pods(context, "rows of the crosstalk", &coupling.starts)?;
            Some([rows, Vector::pods(context, "crosstalk", &entries)?])
        };
        let zeros = |what| Vector::zeros(context, what, len);
        Ok(Way {
            quartic: path.quartic as f32,
            levels: path.levels as f32,
            bent,
            slope: values("slopes of controls", &|k| 1.0 + fabrication.update_error.get(k).copied().unwrap_or(0.0))?,
            gain: values("gains of shifters", &|k| shifter(k).gain)?,
            base: values("base phases of shifters", &|k| shifter(k).base)?,
            range: values("ranges of shifters", &|k| shifter(k).range)?,
            origin: zeros("first controls")?,
            heat: zeros("heat of shifters")?,
            derivative: zeros("derivatives of shifters")?,
            stands: zeros("effective controls")?,
            before: zeros("gradient of effective controls")?,
            crosstalk,
        })
    }

    /// Something must be bound where nothing is read.
    fn crosstalk(&self) -> [&wgpu::Buffer; 2] {
        self.crosstalk.as_ref().map_or([&self.base.buffer; 2], |[rows, entries]| [rows, entries])
    }
}

impl Follower {
    /// As `fabrication` has it, for `len` controls.
    pub fn new(gpu: &Gpu, fabrication: &Fabrication, len: usize) -> Result<Self> {
        let bent = !fabrication.control.is_direct() || !fabrication.update_error.is_empty();
        let way = if bent { Some(Way::new(gpu, fabrication, len, true)?) } else { None };
        Ok(Follower { len, programmed: false, way })
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
        let first = !std::mem::replace(&mut self.programmed, true);
        let way = match &mut self.way {
            Some(way) => way,
            None if drift.is_none() => return Ok(controls),
            none => none.insert(Way::new(gpu, &Fabrication::ideal(), self.len, false)?),
        };
        if first {
            gpu.commands.copy(controls, &way.origin.buffer, 4 * self.len as u64);
        }
        let parameters = Follow { len: count(self.len)?, quartic: way.quartic, levels: way.levels };
        let [slope, gain, base, range] = [&way.slope, &way.gain, &way.base, &way.range].map(|vector| &vector.buffer);
        let (heat, stands) = (&way.heat.buffer, &way.stands.buffer);
        let buffers = [controls, &way.origin.buffer, slope, gain, base, range, heat, &way.derivative.buffer];
        gpu.each(Kernel::Follow, &parameters, &buffers, self.len)?;
        let [rows, entries] = way.crosstalk();
        let drifted = drift.map_or(heat, |drift| &drift.buffer);
        let has_neighbours = u32::from(way.crosstalk.is_some());
        let parameters = Settle { len: count(self.len)?, has_neighbours, has_drift: u32::from(drift.is_some()) };
        gpu.each(Kernel::Settle, &parameters, &[heat, base, rows, entries, drifted, stands], self.len)?;
        Ok(stands)
    }

    /// From the gradient at what stands in the chip to that at what it was told, in place, in a range of whole stages.
    pub fn carry_back(&self, gpu: &Gpu, range: Range<usize>, gradient: &Vector) -> Result<()> {
        let Some(way) = self.way.as_ref().filter(|way| way.bent) else { return Ok(()) };
        let before = &way.before.buffer;
        gpu.commands.copy(&gradient.buffer, before, 4 * self.len as u64);
        let [rows, entries] = way.crosstalk();
        let buffers = [before, &way.derivative.buffer, rows, entries, &gradient.buffer];
        let has_neighbours = u32::from(way.crosstalk.is_some());
        let parameters = CarryBack { first: count(range.start)?, len: count(range.len())?, has_neighbours };
        gpu.each(Kernel::CarryBack, &parameters, &buffers, range.len())
    }
}
