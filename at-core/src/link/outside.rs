//! The chip behind a link, as trainers know chips.

use super::description::Access;
use super::exchange::{Link, Times};
use super::message::PROTOCOL;
use super::wire::{Handle, Park};
use crate::chip::{Counter, Meter, Physical, State};
use crate::engine::Engine;
use crate::error::same_size;
use crate::network::{Bounds, Interface, Network};
use crate::propagator::{
    Bidirectional, Buffer, Direction, LayerAccess, Layered, Monitor, PowerTapAccess, Propagator, TapAccess,
};
use crate::{Error, Result};

/// A chip that some other process drives, taken for one of a known design. What it offers beyond its output is asked for when it
/// is used: a driver without taps or layers errs there.
///
/// Values are counted as those of a simulated chip are. They cross the link as 32-bit reals, whatever the engine's are.
pub struct Outside<E: Engine> {
    link: Link,
    engine: E,
    counter: Counter,
    bounds: Bounds,
    interface: Interface,
    layers: Vec<usize>,
}

impl<E: Engine> Outside<E> {
    /// The chip behind `link`, which must have the sizes of `network`.
    pub fn new(engine: &E, network: &Network, link: Link) -> Result<Self> {
        let chip = link.description();
        let layers: Vec<usize> = network.visited_outputs().map(|leaves| leaves.width()).collect();
        let sizes = [
            ("controls", network.controls(), chip.controls),
            ("inputs", network.input().width(), chip.inputs),
            ("outputs", network.outputs(), chip.outputs),
        ];
        let differs = |what: String, expected: String, got: String| Error::Device {
            device: link.name().to_string(),
            reason: format!("it has {got} {what}, the network {expected}: name the network that the chip is built as"),
        };
        if let Some((what, expected, got)) = sizes.into_iter().find(|(_, expected, got)| expected != got) {
            return Err(differs(what.to_string(), expected.to_string(), got.to_string()));
        }
        if chip.complex != network.input().complex {
            let kind = |complex| if complex { "complex fields" } else { "real numbers" };
            let (expected, got) = (kind(network.input().complex), kind(chip.complex));
            return Err(differs("as inputs".to_string(), expected.to_string(), got.to_string()));
        }
        let inside = chip.offers(Access::Taps) || chip.offers(Access::Layers);
        if inside && chip.layers != layers {
            return Err(differs(
                "values behind its layers".to_string(),
                format!("{layers:?}"),
                format!("{:?}", chip.layers),
            ));
        }
        let (counter, bounds, interface) = (Counter::default(), Bounds::of(network), network.interface());
        Ok(Outside { engine: engine.clone(), counter, bounds, interface, layers, link })
    }

    /// Where the time went.
    pub fn times(&self) -> Times {
        self.link.times()
    }

    /// The chip's driver.
    pub fn link(&self) -> &Link {
        &self.link
    }

    /// The driver, set free for somebody else.
    pub fn into_link(self) -> Link {
        self.link
    }

    /// Where the chip is left at the end.
    pub fn park(&mut self, park: &Park) -> Result<()> {
        self.link.park(park)
    }

    /// For who has to end the program in the middle of a run.
    pub fn handle(&self) -> Handle {
        self.link.handle()
    }

    /// The first `len` values of `buffer`, as they cross the link.
    fn leaving(&self, buffer: &E::Buffer, len: usize) -> Result<Vec<f32>> {
        let values = self.engine.download(buffer)?;
        if values.len() < len {
            return Err(Error::ShapeMismatch {
                what: "values for the chip".to_string(),
                expected: len,
                got: values.len(),
            });
        }
        Ok(values[..len].iter().map(|&value| value as f32).collect())
    }

    /// Puts `values [batch, width]` at the start of `target`.
    fn arrive(&self, values: &[f32], batch: usize, width: usize, target: &mut E::Buffer) -> Result<()> {
        let source = self.engine.upload(values)?;
        let rows = self.engine.upload_indices(&(0..batch as u32).collect::<Vec<_>>())?;
        self.engine.gather(&source, width, &rows, 0, batch, target)
    }

    fn write(&mut self, controls: &E::Buffer, changed: usize) -> Result<()> {
        let controls = self.leaving(controls, self.link.description().controls)?;
        self.link.program(&controls, changed, self.counter.is_on())?;
        self.counter.written(changed);
        Ok(())
    }
}

impl<E: Engine> Propagator for Outside<E> {
    type Engine = E;

    fn controls(&self) -> usize {
        self.link.description().controls
    }

    fn inputs(&self) -> usize {
        self.link.description().inputs
    }

    fn outputs(&self) -> usize {
        self.link.description().outputs
    }

    fn program(&mut self, controls: &E::Buffer) -> Result<()> {
        self.write(controls, self.controls())
    }

    fn reprogram(&mut self, controls: &E::Buffer, changed: &[usize]) -> Result<()> {
        self.write(controls, changed.len())
    }

    fn propagate(&mut self, fields: &E::Buffer, batch: usize, readout: &mut E::Buffer) -> Result<()> {
        let (inputs, outputs) = (self.inputs(), self.outputs());
        let fields = self.leaving(fields, batch * inputs)?;
        let read = self.link.send(&fields, batch, self.counter.is_on())?;
        self.counter.crossed(batch, &self.interface.whole, 0);
        self.arrive(&read, batch, outputs, readout)
    }
}

impl<E: Engine> Layered for Outside<E> {
    fn layers(&self) -> usize {
        self.layers.len()
    }

    fn layer_outputs(&self, layer: usize) -> usize {
        self.layers[layer]
    }
}

impl<E: Engine> TapAccess for Outside<E> {
    fn propagate_tapped(
        &mut self,
        fields: &Buffer<Self>,
        batch: usize,
        taps: &mut [Buffer<Self>],
        readout: &mut Buffer<Self>,
    ) -> Result<()> {
        let inputs = self.inputs();
        let fields = self.leaving(fields, batch * inputs)?;
        let read = self.link.send_tapped(&fields, batch, self.counter.is_on())?;
        self.counter.crossed(batch, &self.interface.whole, self.interface.tapped);
        same_size("buffers for the taps of hidden layers", read.len() - 1, taps.len())?;
        for ((values, &width), target) in read.iter().zip(&self.layers).zip(taps.iter_mut().chain([readout])) {
            self.arrive(values, batch, width, target)?;
        }
        Ok(())
    }
}

impl<E: Engine> LayerAccess for Outside<E> {
    fn propagate_layer(
        &mut self,
        layer: usize,
        input: &Buffer<Self>,
        batch: usize,
        output: &mut Buffer<Self>,
    ) -> Result<()> {
        self.link.description().require(Access::Layers)?;
        let injected = layer.checked_sub(1).map(|before| self.layers[before]);
        let width = injected.unwrap_or(self.inputs());
        let input = self.leaving(input, batch * width)?;
        let read = self.link.send_layer(layer, &input, batch, self.counter.is_on())?;
        self.counter.crossed_layer(batch, &self.interface, layer);
        self.arrive(&read, batch, self.layers[layer], output)
    }
}

impl<E: Engine> Outside<E> {
    fn lacks(&self, what: &str) -> Error {
        Error::Unsupported {
            what: format!("{what} of {}", self.link.name()),
            instead: format!("version {PROTOCOL} of the protocol offers outputs, taps and layers"),
        }
    }
}

impl<E: Engine> PowerTapAccess for Outside<E> {
    fn propagate_watched(
        &mut self,
        _fields: &Buffer<Self>,
        _batch: usize,
        _powers: &mut [Buffer<Self>],
        _readout: &mut Buffer<Self>,
    ) -> Result<()> {
        Err(self.lacks("reading powers behind the meshes"))
    }
}

impl<E: Engine> Bidirectional for Outside<E> {
    fn send(
        &mut self,
        _mesh: usize,
        _direction: Direction,
        _fields: &Buffer<Self>,
        _batch: usize,
        _output: Option<&mut Buffer<Self>>,
        _monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()> {
        Err(self.lacks("lighting single meshes from both ends"))
    }
}

impl<E: Engine> Physical for Outside<E> {
    fn meter(&self) -> &Meter {
        self.counter.meter()
    }

    fn set_metered(&mut self, metered: bool) -> bool {
        self.counter.set(metered)
    }

    fn state(&mut self) -> Result<State> {
        let state = self.link.state()?.unwrap_or_default();
        Ok(State { accesses: self.accesses(), ..state })
    }

    fn resume(&mut self, state: &State) -> Result<()> {
        self.link.resume(state)?;
        self.meter().count(|count| *count = state.accesses);
        Ok(())
    }

    fn astray(&self, controls: &E::Buffer) -> Result<Option<String>> {
        Ok(self.bounds.passed(&self.engine.download(controls)?))
    }
}
