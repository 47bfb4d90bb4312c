//! The other side of a link: drives something for whoever connects.

use super::description::{Access, Description};
use super::frame::{Frame, Heard, to_bytes, to_values};
use super::limits::Limits;
use super::message::{Answer, PROTOCOL, Question};
use crate::chip::State;
use crate::{Error, Result};
use std::io::{BufRead, Write};
use std::time::Instant;

/// Something that can be driven over a link.
pub trait Driven {
    /// What it is.
    fn description(&self) -> Description;

    /// Sets all controls. What is not `counted` happens on no real chip: it is for evaluations that all methods share.
    fn program(&mut self, controls: &[f32], counted: bool) -> Result<()>;

    /// Sends `fields [batch, inputs]` and reads `[batch, outputs]`.
    fn send(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>>;

    /// [`Driven::send`] that reads all layers, one after the other: of each `[batch, layer outputs]`.
    fn send_tapped(&mut self, fields: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        let _ = (fields, batch, counted);
        self.description().require(Access::Taps).map(|()| Vec::new())
    }

    /// Lights one layer and reads it: `[batch, layer outputs]`.
    fn send_layer(&mut self, layer: usize, input: &[f32], batch: usize, counted: bool) -> Result<Vec<f32>> {
        let _ = (layer, input, batch, counted);
        self.description().require(Access::Layers).map(|()| Vec::new())
    }

    /// What it needs to go on later; the accesses are the other side's.
    fn state(&mut self) -> Result<State> {
        self.description().require(Access::State).map(|()| State::default())
    }

    /// Goes on from such a state.
    fn resume(&mut self, state: &State) -> Result<()> {
        let _ = state;
        self.description().require(Access::State)
    }
}

/// Answers everything that comes `from` somebody, until they say the end or close. What cannot be done, and a message that this version
/// does not have, is answered with a fault, and the next one is waited for; errs, in words, where what comes is no message.
pub fn serve(
    from: &mut impl BufRead,
    to: &mut impl Write,
    driven: &mut impl Driven,
) -> std::result::Result<(), String> {
    let chip = driven.description();
    let widest = chip.layers.iter().copied().chain([chip.inputs]).max().unwrap_or(chip.inputs);
    let most = (4 * widest as u64 * chip.largest_batch as u64).max(8 * chip.controls as u64);
    while let Some(Frame { number, message, payload }) = Frame::<Heard<Question>>::read(from, || most)? {
        let end = matches!(message, Heard::Known(Question::End {}));
        let answered = match message {
            Heard::Known(message) => answer(&chip, driven, message, &payload).map_err(|failure| failure.to_string()),
            Heard::Unknown(reason) => Err(reason),
        };
        let (message, payload) = answered.unwrap_or_else(|text| (Answer::Fault { text }, Vec::new()));
        let sent = Frame { number, message, payload }.write(to);
        if end {
            return Ok(()); // whether or not somebody still listens
        }
        sent.map_err(|failure| format!("message {number} could not be answered: {failure}"))?;
    }
    Ok(())
}

fn answer(
    chip: &Description,
    driven: &mut impl Driven,
    message: Question,
    payload: &[u8],
) -> Result<(Answer, Vec<u8>)> {
    let expected = match message {
        Question::Hello { .. } | Question::State {} | Question::End {} => Some(0),
        Question::Program { .. } => Some(4 * chip.controls),
        Question::Send { batch, .. } | Question::SendTapped { batch, .. } => sized(chip, batch, chip.inputs)?,
        Question::SendLayer { layer, batch, .. } => {
            let inputs = match layer.checked_sub(1) {
                None => Some(&chip.inputs),
                Some(before) => chip.layers.get(before),
            };
            let Some(&inputs) = inputs.filter(|_| layer < chip.layers.len()) else {
                return Err(Error::invalid("layer", layer, format!("the chip has {}", chip.layers.len())));
            };
            sized(chip, batch, inputs)?
        }
        Question::Resume { .. } => payload.len().is_multiple_of(8).then_some(payload.len()),
    };
    let what = || format!("bytes of {}", message.name());
    match expected {
        Some(expected) => crate::error::same_size(&what(), expected, payload.len())?,
        None => return Err(Error::invalid("bytes", payload.len(), "are no whole number of values")),
    }
    let start = Instant::now();
    let busy = |start: Instant| Some(start.elapsed().as_secs_f64() * 1e3);
    Ok(match message {
        Question::Hello { protocol, .. } if protocol != PROTOCOL => {
            let reason = format!("this chip speaks version {PROTOCOL}");
            return Err(Error::invalid("protocol", protocol, reason));
        }
        Question::Hello { .. } => {
            let limits = match &chip.limits {
                Limits::Each { lower, upper } => to_bytes(&[&lower[..], &upper[..]].concat()),
                Limits::None | Limits::All(_) => Vec::new(),
            };
            (Answer::Chip(Description { protocol: PROTOCOL, ..chip.clone() }), limits)
        }
        Question::Program { counted, .. } => {
            let controls = to_values(payload);
            if let Some(index) = controls.iter().position(|control| !control.is_finite()) {
                return Err(Error::invalid("control", controls[index], format!("control {index} must be finite")));
            }
            driven.program(&controls, counted)?;
            (Answer::Done { busy_ms: busy(start) }, Vec::new())
        }
        Question::Send { batch, counted } => {
            let read = driven.send(&to_values(payload), batch, counted)?;
            (Answer::Readout { busy_ms: busy(start) }, to_bytes(&read))
        }
        Question::SendTapped { batch, counted } => {
            let read = driven.send_tapped(&to_values(payload), batch, counted)?;
            (Answer::Readout { busy_ms: busy(start) }, to_bytes(&read))
        }
        Question::SendLayer { layer, batch, counted } => {
            let read = driven.send_layer(layer, &to_values(payload), batch, counted)?;
            (Answer::Readout { busy_ms: busy(start) }, to_bytes(&read))
        }
        Question::State {} => {
            let State { passes, programmings, drifted, .. } = driven.state()?;
            let values = drifted.iter().flat_map(|value| value.to_le_bytes()).collect();
            (Answer::State { passes, programmings }, values)
        }
        Question::Resume { passes, programmings } => {
            let drifted = payload.as_chunks().0.iter().map(|&eight| f64::from_le_bytes(eight)).collect();
            driven.resume(&State { passes, programmings, drifted, ..State::default() })?;
            (Answer::Done { busy_ms: None }, Vec::new())
        }
        Question::End {} => (Answer::Done { busy_ms: None }, Vec::new()),
    })
}

/// The bytes of `[batch, width]`. Errs where the chip takes no such batch at once.
fn sized(chip: &Description, batch: usize, width: usize) -> Result<Option<usize>> {
    if !(1..=chip.largest_batch).contains(&batch) {
        return Err(Error::invalid("batch", batch, format!("lies between 1 and {}", chip.largest_batch)));
    }
    Ok(batch.checked_mul(width).and_then(|values| values.checked_mul(4)))
}
