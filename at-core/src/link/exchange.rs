//! The program's side of a link: requests, answers, time limits, and the end.

use super::description::{Access, Description};
use super::frame::{Frame, Heard, to_bytes, to_values};
use super::limits::{Limits, Placed};
use super::message::{Answer, PROTOCOL, Question};
use super::transport::{Other, Transport, buffered};
use super::wire::{Handle, Park, Wire};
use crate::chip::State;
use crate::{Error, Result};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Most bytes of a state per control: what drift has added to it, or of a pair of non-volatile cells the level and two counts too.
const MOST_OF_STATE: u64 = 4 * 8;

/// What a driver has to end in, once it was told to and its chip has settled.
const LAST: Duration = Duration::from_secs(2);

/// Where the time of a run went at the chip.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Times {
    /// Times that controls were written.
    pub programs: u64,
    /// From the request to the answer, of these.
    pub programming: Duration,
    /// Batches that were sent.
    pub batches: u64,
    /// From the request to the answer, of these.
    pub sending: Duration,
    /// What the driver says that the chip itself took of both.
    pub busy: Duration,
    /// What became of the controls that were not in their range.
    pub placed: Placed,
}

/// A driver that was spoken to. It is told of the end when this is dropped, after the chip was parked.
pub struct Link {
    wire: Wire,
    description: Description,
    patience: Duration,
    incoming: Receiver<std::result::Result<Frame<Heard<Answer>>, String>>,
    /// Most bytes that the answer under way may have, for who reads it.
    most: Arc<AtomicU64>,
    other: Other,
    name: String,
    /// What the driver did once, after which nothing is asked of it any more.
    broken: Option<String>,
    /// The message that wrote the controls last.
    written: Option<u64>,
    /// The chip is moved at the end.
    parks: bool,
    times: Times,
}

impl Link {
    /// Says hello over `transport`, and waits for each answer at most `patience` beyond the time that the chip needs to settle.
    pub fn open(transport: Transport, patience: Duration) -> Result<Self> {
        let Transport { name, from, mut to, other } = transport;
        let (outgoing, queue) = channel::<Vec<u8>>();
        let (answers, incoming) = channel();
        let most = Arc::new(AtomicU64::new(0));
        let closed = Arc::new((Mutex::new(false), Condvar::new()));
        thread::spawn(move || {
            while let Ok(bytes) = queue.recv() {
                if to.write_all(&bytes).and_then(|()| to.flush()).is_err() {
                    break; // it has closed, which the other thread says
                }
            }
        });
        let (limit, ended) = (Arc::clone(&most), Arc::clone(&closed));
        thread::spawn(move || {
            let mut from = buffered(from);
            loop {
                let answer = match Frame::read(&mut from, || limit.load(Ordering::SeqCst)) {
                    Ok(Some(frame)) => Ok(frame),
                    Ok(None) => break,
                    Err(reason) => Err(reason),
                };
                let wrong = answer.is_err();
                if answers.send(answer).is_err() || wrong {
                    break;
                }
            }
            drop(answers);
            *ended.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
            ended.1.notify_all();
        });
        let wire = Wire::new(outgoing, closed);
        let times = Times::default();
        let description = Description::default(); // until it is told
        let mut link = Link {
            wire,
            description,
            patience,
            incoming,
            most,
            other,
            name,
            broken: None,
            written: None,
            parks: false,
            times,
        };
        link.description = link.hello()?;
        Ok(link)
    }

    fn hello(&mut self) -> Result<Description> {
        let program = concat!("asyt ", env!("CARGO_PKG_VERSION")).to_string();
        let answer = self.exchange(Question::Hello { protocol: PROTOCOL, program }, Vec::new(), u64::from(u32::MAX))?;
        let Answer::Chip(mut description) = answer.message else {
            return Err(self.breaks(format!("it answers hello with {}", answer.message.name())));
        };
        if description.protocol != PROTOCOL {
            let reason = format!("it speaks version {} of the protocol, this program {PROTOCOL}", description.protocol);
            return Err(self.breaks(reason));
        }
        if let Limits::Each { lower, upper } = &mut description.limits {
            let ends = to_values(&answer.payload);
            let middle = ends.len() / 2;
            (*lower, *upper) = (ends[..middle].to_vec(), ends[middle..].to_vec());
        }
        let sized = match &description.limits {
            Limits::Each { .. } => 8 * description.controls as u64,
            Limits::None | Limits::All(_) => 0,
        };
        if answer.payload.len() as u64 != sized {
            let got = answer.payload.len();
            return Err(self.breaks(format!("its limits take {sized} bytes behind the description, there are {got}")));
        }
        if let Err(failure) = description.validate() {
            return Err(self.breaks(format!("it describes no chip: {failure}")));
        }
        Ok(description)
    }

    /// What the chip is.
    pub fn description(&self) -> &Description {
        &self.description
    }

    /// How it is reached, for people.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Where the time went.
    pub fn times(&self) -> Times {
        self.times
    }

    /// What an answer may take: the chip settles before it comes.
    fn patience(&self) -> Duration {
        self.patience + Duration::from_secs_f64(self.description.settle_ms * 1e-3)
    }

    /// For who has to end the program in the middle of an exchange.
    pub fn handle(&self) -> Handle {
        Handle { wire: self.wire.clone(), patience: self.patience() }
    }

    /// Leaves the chip there at the end, within its limits. Errs where the controls are not the chip's.
    pub fn park(&mut self, park: &Park) -> Result<()> {
        let parked = match park {
            Park::Last => None,
            Park::Zero => Some(vec![0.0; self.description.controls]),
            Park::Controls(controls) => Some(controls.iter().map(|&control| control as f32).collect()),
        };
        let parked = parked.map(|mut controls| self.place(&mut controls).map(|_| controls)).transpose()?;
        self.parks = parked.is_some();
        self.wire.park(parked);
        Ok(())
    }

    fn place(&self, controls: &mut [f32]) -> Result<Placed> {
        crate::error::same_size("controls of the chip", self.description.controls, controls.len())?;
        self.description.limits.place(self.description.period, controls)
    }

    /// Writes all controls, `changed` of which are new, within the chip's limits. Errs, before anything is written, where one is
    /// not finite.
    pub fn program(&mut self, controls: &[f32], changed: usize, counted: bool) -> Result<()> {
        let mut controls = controls.to_vec();
        let placed = self.place(&mut controls)?;
        let start = Instant::now();
        let answer = self.exchange(Question::Program { changed, counted }, to_bytes(&controls), 0)?;
        let Answer::Done { busy_ms } = answer.message else { return Err(self.unexpected(&answer)) };
        self.written = Some(answer.number);
        self.times.programs += 1;
        self.times.programming += start.elapsed();
        self.times.placed.turned += placed.turned;
        self.times.placed.held += placed.held;
        self.busy(busy_ms)
    }

    /// Sends `fields [batch, inputs]` and reads `[batch, outputs]`.
    pub fn send(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        let Description { inputs, outputs, .. } = self.description;
        self.light(fields, batch, inputs, outputs, |batch| Question::Send { batch, counted })
    }

    /// [`Link::send`] that reads every layer on the way: of each `[batch, layer outputs]`.
    pub fn send_tapped(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<Vec<f32>>> {
        self.description.require(Access::Taps)?;
        let layers = self.description.layers.clone();
        let mut taps: Vec<Vec<f32>> = layers.iter().map(|width| Vec::with_capacity(batch * width)).collect();
        let (inputs, widths) = (self.description.inputs, layers.iter().sum());
        for part in parts(fields, inputs, self.description.largest_batch) {
            let size = part.len() / inputs;
            let read = self.light(part, size, inputs, widths, |batch| Question::SendTapped { batch, counted })?;
            let mut rest = &read[..];
            for (tap, width) in taps.iter_mut().zip(&layers) {
                let (own, others) = rest.split_at(size * width);
                tap.extend_from_slice(own);
                rest = others;
            }
        }
        Ok(taps)
    }

    /// Lights one layer and reads it: `[batch, layer outputs]`.
    pub fn send_layer(&mut self, layer: usize, input: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        self.description.require(Access::Layers)?;
        let Description { layers, inputs, .. } = &self.description;
        let Some(&outputs) = layers.get(layer) else {
            return Err(Error::invalid("layer", layer, format!("the chip has {}", layers.len())));
        };
        let inputs = layer.checked_sub(1).map_or(*inputs, |before| layers[before]);
        self.light(input, batch, inputs, outputs, |batch| Question::SendLayer { layer, batch, counted })
    }

    /// Sends light in as many batches as the chip takes at once, and reads `[batch, outputs]`.
    fn light(
        &mut self,
        fields: &[f32],
        batch: usize,
        inputs: usize,
        outputs: usize,
        request: impl Fn(usize) -> Question,
    ) -> Result<Vec<f32>> {
        crate::error::same_size("values sent to the chip", batch * inputs, fields.len())?;
        if let Some(index) = fields.iter().position(|field| !field.is_finite()) {
            let what = format!("{} (sample {}, value {})", fields[index], index / inputs, index % inputs);
            return Err(Error::invalid("input", what, "is not finite and was not sent to the chip"));
        }
        let mut readout = Vec::with_capacity(batch * outputs);
        for part in parts(fields, inputs, self.description.largest_batch) {
            let size = part.len() / inputs;
            let start = Instant::now();
            let answer = self.exchange(request(size), to_bytes(part), 4 * (size * outputs) as u64)?;
            let Answer::Readout { busy_ms } = answer.message else { return Err(self.unexpected(&answer)) };
            let got = to_values(&answer.payload);
            if got.len() != size * outputs {
                let (number, got, all) = (answer.number, got.len(), size * outputs);
                return Err(self.breaks(format!(
                    "{got} values came in answer to message {number}, not {size} x {outputs} = {all}"
                )));
            }
            if let Some(index) = got.iter().position(|value| !value.is_finite()) {
                let (sample, output, value) = (index / outputs, index % outputs, got[index]);
                return Err(self.breaks(format!(
                    "it read {value} at output {output} of sample {sample}, message {}",
                    answer.number
                )));
            }
            readout.extend(got);
            self.times.batches += 1;
            self.times.sending += start.elapsed();
            self.busy(busy_ms)?;
        }
        Ok(readout)
    }

    fn busy(&mut self, busy_ms: Option<f64>) -> Result<()> {
        match busy_ms {
            None => Ok(()),
            Some(busy) if (0.0..1e9).contains(&busy) => {
                self.times.busy += Duration::from_secs_f64(busy * 1e-3);
                Ok(())
            }
            Some(busy) => Err(self.breaks(format!("it was busy for {busy} ms"))),
        }
    }

    /// What the chip needs to go on later, apart from its accesses; none where its driver does not offer that.
    pub fn state(&mut self) -> Result<Option<State>> {
        if !self.description.offers(Access::State) {
            return Ok(None);
        }
        let answer = self.exchange(Question::State {}, Vec::new(), MOST_OF_STATE * self.description.controls as u64)?;
        let Answer::State { passes, programmings } = answer.message else { return Err(self.unexpected(&answer)) };
        let drifted = answer.payload.as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect();
        Ok(Some(State { passes, programmings, drifted, ..State::default() }))
    }

    /// Puts the chip into a state that it had. Nothing is asked of a driver that does not offer that.
    pub fn resume(&mut self, state: &State) -> Result<()> {
        if !self.description.offers(Access::State) {
            return Ok(());
        }
        let State { passes, programmings, drifted, .. } = state;
        let payload = drifted.iter().flat_map(|value| value.to_le_bytes()).collect();
        let request = Question::Resume { passes: *passes, programmings: *programmings };
        let answer = self.exchange(request, payload, 0)?;
        if matches!(answer.message, Answer::Done { .. }) { Ok(()) } else { Err(self.unexpected(&answer)) }
    }

    /// One request and its answer, which brings at most `most` bytes.
    fn exchange(&mut self, request: Question, payload: Vec<u8>, most: u64) -> Result<Frame<Answer>> {
        if let Some(reason) = &self.broken {
            return Err(self.error(reason.clone()));
        }
        self.most.store(most, Ordering::SeqCst);
        let asked = request.name();
        let number = self.wire.put(request, payload);
        // once the end was said nothing is answered any more, and whoever said it ends the program
        let patience = self.patience() + if self.wire.is_over() { 2 * LAST } else { Duration::ZERO };
        let Frame { number: got, message, payload } = match self.incoming.recv_timeout(patience) {
            Ok(Ok(answer)) => answer,
            Ok(Err(reason)) => return Err(self.breaks(format!("in answer to {asked} (message {number}): {reason}"))),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = patience.as_secs_f64();
                return Err(self.breaks(format!("no answer to {asked} (message {number}) within {seconds:.3} s")));
            }
            Err(RecvTimeoutError::Disconnected) => {
                let ended = self.other.ended().unwrap_or_else(|| "it closed".to_string());
                return Err(self.breaks(format!("{ended} before it answered {asked} (message {number})")));
            }
        };
        if got != number {
            return Err(self.breaks(format!("it answered message {got} where {asked} was message {number}")));
        }
        match message {
            Heard::Known(Answer::Fault { text }) => {
                let text: String = text.chars().take(500).map(|c| if c.is_control() { ' ' } else { c }).collect();
                Err(self.error(format!("its driver reports, at {asked} (message {number}): {text}")))
            }
            Heard::Known(message) => Ok(Frame { number, message, payload }),
            // the next answer is where it belongs
            Heard::Unknown(reason) => {
                Err(self.error(format!("its answer to {asked} (message {number}) is none: {reason}")))
            }
        }
    }

    fn unexpected(&mut self, answer: &Frame<Answer>) -> Error {
        self.breaks(format!("it answered message {} with {}", answer.number, answer.message.name()))
    }

    /// Nothing is asked of the driver after this.
    fn breaks(&mut self, reason: String) -> Error {
        self.broken = Some(reason.clone());
        self.error(reason)
    }

    fn error(&self, reason: String) -> Error {
        let controls = self.description.controls;
        let written = match self.written {
            Some(number) => format!("last written: all {controls} controls, by message {number}"),
            None => "nothing was written to it".to_string(),
        };
        Error::Device { device: self.name.clone(), reason: format!("{reason}; {written}") }
    }
}

/// `fields` in batches of at most `most` samples.
fn parts(fields: &[f32], inputs: usize, most: usize) -> std::slice::Chunks<'_, f32> {
    fields.chunks(inputs * most)
}

impl Drop for Link {
    fn drop(&mut self) {
        // who does not answer is told of the end all the same, and not waited for
        let settling = Duration::from_secs_f64(self.description.settle_ms * 1e-3);
        let within = match (&self.broken, self.parks) {
            (Some(_), _) => LAST / 10,
            (None, false) => LAST + settling,
            (None, true) => LAST.max(self.patience) + settling, // it still has controls to write
        };
        let end = Instant::now() + within;
        self.wire.leave(end.saturating_duration_since(Instant::now()));
        self.other.close(end);
    }
}
