//! The simulated physical chip: an individual with imperfections that nobody outside sees, and a meter at its interface.

mod any;
mod bidirectional;
mod cells;
#[cfg(test)]
mod digital_tests;
mod meter;
mod metered;
mod physical;
mod signals;
mod state;

pub use any::{AnyChip, Kind};
pub use bidirectional::TapNoise;
pub use meter::{Accesses, Meter};
pub use metered::Metered;
pub use physical::Physical;
pub use state::State;

use crate::Result;
use crate::error::same_size;
use crate::fabrication::{Fabrication, digital};
use crate::imperfections::Drift;
use crate::network::{Bounds, Interface, Network};
use crate::propagator::{Buffer, Drifting, LayerAccess, Layered, PowerTapAccess, Propagator, Simulator, TapAccess};
use cells::Cells;
pub(crate) use meter::Counter;
use signals::Signals;

/// A chip behind its interface. It offers controls, inputs and readouts, and nothing else: the network inside is private and
/// no trait of a known inside is implemented, so a method that looks inside does not compile.
///
/// ```compile_fail,E0277
/// fn needs_the_inside(_: &impl at_core::propagator::Adjoint) {}
/// fn peek<E: at_core::propagator::Simulator>(chip: &at_core::chip::Chip<E>) {
///     needs_the_inside(chip);
/// }
/// ```
///
/// Its taps and its single layers are for methods that ask for them by type. One that is typed for a [`Propagator`], as
/// [`crate::training::methods::at::asymmetric`] is, reads the output and no hidden layer:
///
/// ```
/// use at_core::propagator::{Buffer, Propagator};
/// fn look<C: Propagator>(chip: &mut C, light: &Buffer<C>, readout: &mut Buffer<C>) {
///     let _ = chip.propagate(light, 1, readout);
/// }
/// ```
///
/// ```compile_fail,E0599
/// use at_core::propagator::{Buffer, Propagator, TapAccess};
/// fn look<C: Propagator>(chip: &mut C, light: &Buffer<C>, readout: &mut Buffer<C>) {
///     let _ = chip.propagate_tapped(light, 1, &mut [], readout);
/// }
/// ```
///
/// ```compile_fail,E0599
/// use at_core::propagator::{Buffer, PowerTapAccess, Propagator};
/// fn look<C: Propagator>(chip: &mut C, light: &Buffer<C>, readout: &mut Buffer<C>) {
///     let _ = chip.propagate_watched(light, 1, &mut [], readout);
/// }
/// ```
///
/// ```compile_fail,E0599
/// use at_core::propagator::{Buffer, LayerAccess, Propagator};
/// fn look<C: Propagator>(chip: &mut C, light: &Buffer<C>, readout: &mut Buffer<C>) {
///     let _ = chip.propagate_layer(0, light, 1, readout);
/// }
/// ```
pub struct Chip<E: Simulator> {
    inside: E::Network,
    signals: Signals<E>,
    /// What a sample makes cross the converters; complex signals count as two values.
    interface: Interface,
    meshes: Vec<bidirectional::MeshSize>,
    tap_noise: TapNoise,
    counter: Counter,
    engine: E,
    seed: u64,
    bounds: Bounds,
    drift: Drift,
    /// Metered programmings so far, and what they have added to every control; none where the chip stands still.
    programmings: u64,
    drifted: Option<E::Buffer>,
    /// Of every control whether it is a number of digital electronics; empty where none is.
    digital: Vec<bool>,
    /// 0 for those and else 1, where the chip drifts.
    drifting: Option<E::Buffer>,
    cells: Option<Cells>,
}

impl<E: Simulator> Chip<E> {
    /// Fabricates the chip on `engine`.
    pub fn new(engine: &E, network: &Network, fabrication: &Fabrication) -> Result<Self> {
        let mut digital: Vec<bool> = digital(network).collect();
        if !digital.contains(&true) {
            digital.clear();
        }
        let drifting: Vec<f64> = digital.iter().map(|&digital| f64::from(u8::from(!digital))).collect();
        let some_stand = !fabrication.drift.is_none() && !digital.is_empty();
        Ok(Chip {
            inside: engine.build(network, fabrication)?,
            signals: Signals::new(engine, network, fabrication),
            interface: network.interface(),
            meshes: bidirectional::mesh_sizes(network),
            tap_noise: TapNoise::default(),
            counter: Counter::default(),
            engine: engine.clone(),
            seed: fabrication.seed,
            bounds: Bounds::of(network),
            drift: fabrication.drift,
            programmings: 0,
            drifted: if fabrication.drift.is_none() { None } else { Some(engine.zeros(network.controls())?) },
            drifting: if some_stand { Some(engine.upload(&drifting)?) } else { None },
            digital,
            cells: Cells::of(network, fabrication),
        })
    }

    /// How often every one of its non-volatile cells was written, metered, the two of a pair side by side: what endurance is spent. Empty
    /// for a chip without such cells.
    pub fn cell_writes(&self) -> Vec<u64> {
        self.cells.as_ref().map_or(Vec::new(), Cells::writes)
    }

    /// Sets the controls, of which those that `changed` are new, all of them where it is not said. Every time is a step of the drift,
    /// however few they are. Numbers of digital electronics are not written to the chip. Of non-volatile cells those are written whose level changes.
    fn write(&mut self, controls: &E::Buffer, changed: Option<&[usize]>) -> Result<()> {
        let told = match changed {
            _ if self.digital.is_empty() => changed.map_or(self.inside.controls(), <[usize]>::len),
            Some(changed) => changed.iter().filter(|&&control| self.digital.get(control) != Some(&true)).count(),
            None => self.digital.iter().filter(|digital| !**digital).count(),
        };
        if self.counter.is_on() {
            if let Some(drifted) = &mut self.drifted {
                self.engine.advance(&self.drift.at(self.seed, self.programmings), drifted)?;
                if let Some(drifting) = &self.drifting {
                    self.engine.multiply(drifting, drifted)?;
                }
            }
            self.programmings += 1;
        }
        let Some(cells) = &mut self.cells else {
            self.counter.written(told);
            return self.inside.program_drifted(controls, self.drifted.as_ref());
        };
        let writing = cells.write(&self.engine.download(controls)?, changed, self.counter.is_on());
        self.counter.written(told - writing.pairs);
        self.counter.cells_written(writing.written);
        let Some(noise) = writing.noise else {
            return self.inside.program_drifted(controls, self.drifted.as_ref());
        };
        let mut noise = self.engine.upload(&noise)?;
        if let Some(drifted) = &self.drifted {
            self.engine.combine(1.0, drifted, 1.0, &mut noise)?;
        }
        self.inside.program_drifted(controls, Some(&noise))
    }
}

impl<E: Simulator> Physical for Chip<E> {
    fn meter(&self) -> &Meter {
        self.counter.meter()
    }

    fn set_metered(&mut self, metered: bool) -> bool {
        self.counter.set(metered)
    }

    fn state(&mut self) -> Result<State> {
        let mut drifted = self.drifted.as_ref().map_or(Ok(Vec::new()), |drifted| self.engine.download(drifted))?;
        drifted.extend(self.cells.iter().flat_map(Cells::state));
        let (passes, programmings) = (self.signals.passes, self.programmings);
        Ok(State { accesses: self.accesses(), passes, programmings, drifted })
    }

    fn resume(&mut self, state: &State) -> Result<()> {
        self.meter().count(|count| *count = state.accesses);
        self.signals.passes = state.passes;
        self.programmings = state.programmings;
        let expected = if self.drifted.is_some() { self.controls() } else { 0 };
        let cells = self.cells.as_ref().map_or(0, Cells::state_len);
        same_size("drifts of the chip's controls", expected + cells, state.drifted.len())?;
        let (own, cells) = state.drifted.split_at(expected);
        if let Some(drifted) = &mut self.drifted {
            *drifted = self.engine.upload(own)?;
        }
        if let Some(own) = &mut self.cells {
            own.resume(cells);
        }
        Ok(())
    }

    fn astray(&self, controls: &Buffer<Self>) -> Result<Option<String>> {
        Ok(self.bounds.passed(&self.engine.download(controls)?))
    }
}

impl<E: Simulator> Propagator for Chip<E> {
    type Engine = E;

    fn controls(&self) -> usize {
        self.inside.controls()
    }

    fn inputs(&self) -> usize {
        self.inside.inputs()
    }

    fn outputs(&self) -> usize {
        self.inside.outputs()
    }

    fn program(&mut self, controls: &Buffer<Self>) -> Result<()> {
        self.write(controls, None)
    }

    fn reprogram(&mut self, controls: &Buffer<Self>, changed: &[usize]) -> Result<()> {
        self.write(controls, Some(changed))
    }

    fn propagate(&mut self, fields: &Buffer<Self>, batch: usize, readout: &mut Buffer<Self>) -> Result<()> {
        self.signals.propagate(&mut self.inside, fields, batch, readout)?;
        self.counter.crossed(batch, &self.interface.whole, 0);
        Ok(())
    }
}

impl<E: Simulator> Layered for Chip<E> {
    fn layers(&self) -> usize {
        self.inside.layers()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.inside.layer_outputs(layer)
    }
}

impl<E: Simulator> TapAccess for Chip<E> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.signals.propagate_tapped(&mut self.inside, fields, batch, taps, readout)?;
        self.counter.crossed(batch, &self.interface.whole, self.interface.tapped);
        Ok(())
    }
}

impl<E: Simulator> PowerTapAccess for Chip<E> {
    fn propagate_watched(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        powers: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        self.signals.propagate_watched(&mut self.inside, fields, batch, powers, readout)?;
        self.counter.crossed(batch, &self.interface.whole, self.signals.watched());
        Ok(())
    }
}

impl<E: Simulator> LayerAccess for Chip<E> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.signals.propagate_layer(&mut self.inside, layer, input, batch, output)?;
        self.counter.crossed_layer(batch, &self.interface, layer);
        Ok(())
    }
}
