//! One message: a line of JSON, and the bytes that it announces.

use super::message::{PROTOCOL, Spoken};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::io::{self, BufRead, Read, Write};

/// Longest line of a message (bytes); a description of a chip with many layers is far from it.
const LONGEST_LINE: u64 = 1 << 16;

/// What every line has, whatever the message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
struct Envelope {
    number: u64,
    #[serde(default, skip_serializing_if = "is_zero")]
    bytes: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    check: Option<u32>,
}

fn is_zero(bytes: &u64) -> bool {
    *bytes == 0
}

/// A message as it crosses the link.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Frame<M> {
    /// Requests count up from 1; an answer has its request's number.
    pub number: u64,
    pub message: M,
    /// The bytes behind the line.
    pub payload: Vec<u8>,
}

/// What a line with a number says.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Heard<M> {
    /// A message.
    Known(M),
    /// One that this version does not have, or not with these keys; why, in words. Where the next one begins is known all the same.
    Unknown(String),
}

/// The key that names a message.
#[derive(Deserialize)]
struct Name {
    message: String,
}

#[derive(Serialize)]
struct Line<'a, M> {
    #[serde(flatten)]
    message: &'a M,
    #[serde(flatten)]
    envelope: Envelope,
}

impl<M: Serialize> Frame<M> {
    /// The frame's bytes.
    pub fn encode(&self) -> Vec<u8> {
        let check = (!self.payload.is_empty()).then(|| crc32fast::hash(&self.payload));
        let envelope = Envelope { number: self.number, bytes: self.payload.len() as u64, check };
        let line = Line { message: &self.message, envelope };
        let mut bytes = serde_json::to_vec(&line).expect("messages are made of numbers and text");
        bytes.push(b'\n');
        bytes.extend_from_slice(&self.payload);
        bytes
    }

    /// Writes the frame as a whole.
    pub fn write(&self, to: &mut impl Write) -> io::Result<()> {
        to.write_all(&self.encode())?;
        to.flush()
    }
}

impl<M: DeserializeOwned + Spoken> Frame<Heard<M>> {
    /// Reads one frame that brings at most `most` bytes, asked for when its line is there; none where the other side has closed between two messages.
    ///
    /// Errs, with what is wrong in words, where nobody knows what follows: at a line that is no message, bytes that are too many, are
    /// missing or do not have their checksum.
    pub fn read(from: &mut impl BufRead, most: impl FnOnce() -> u64) -> Result<Option<Self>, String> {
        let mut line = Vec::new();
        let read = from.by_ref().take(LONGEST_LINE + 1).read_until(b'\n', &mut line);
        let read = read.map_err(|failure| failure.to_string())?;
        if read == 0 {
            return Ok(None);
        }
        if line.pop() != Some(b'\n') {
            return Err(match read as u64 > LONGEST_LINE {
                true => format!("a line of more than {LONGEST_LINE} bytes is no message"),
                false => format!("closed in the middle of a line, after {}", shown(&line)),
            });
        }
        let wrong = |failure: serde_json::Error| format!("{} is no message: {failure}", shown(&line));
        let envelope: Envelope = serde_json::from_slice(&line).map_err(wrong)?;
        let Name { message: name } = serde_json::from_slice(&line).map_err(wrong)?;
        let message = match serde_json::from_slice(&line) {
            Ok(message) => Heard::Known(message),
            Err(failure) => Heard::Unknown(not_understood::<M>(&name, &failure)),
        };
        let Envelope { number, bytes, check } = envelope;
        let most = most();
        if bytes > most {
            return Err(format!("{} announces {bytes} bytes, of which {most} belong there", shown(&line)));
        }
        let mut payload = Vec::new();
        let read = from.by_ref().take(bytes).read_to_end(&mut payload);
        let read = read.map_err(|failure| format!("{failure} in the middle of an array"))?;
        if (read as u64) < bytes {
            return Err(format!("closed in the middle of an array, after {read} of {bytes} bytes"));
        }
        if check.is_some_and(|check| check != crc32fast::hash(&payload)) {
            return Err(format!("the {bytes} bytes behind {} do not have their checksum", shown(&line)));
        }
        Ok(Some(Frame { number, message, payload }))
    }
}

/// Why a message of this `name` is none of this version's.
fn not_understood<M: Spoken>(name: &str, failure: &serde_json::Error) -> String {
    let said = shown(name.as_bytes());
    match M::NAMES.contains(&name) {
        true => format!("{said} is not understood: {failure}"),
        false => {
            format!("{said} is unknown: version {PROTOCOL} of the protocol has {} here", M::NAMES.join(", "))
        }
    }
}

/// The start of a line, with nothing in it that a terminal would obey.
fn shown(line: &[u8]) -> String {
    const MOST: usize = 80;
    let text = String::from_utf8_lossy(&line[..line.len().min(MOST)]);
    let text: String = text.chars().flat_map(char::escape_default).collect::<String>().replace("\\\"", "\"");
    if line.len() > MOST { format!("‘{text}…’") } else { format!("‘{text}’") }
}

/// The bytes of `values`.
pub(super) fn to_bytes(values: &[f32]) -> Vec<u8> {
    values.iter().flat_map(|value| value.to_le_bytes()).collect()
}

/// The values of `bytes`, of which there are four to each.
pub(super) fn to_values(bytes: &[u8]) -> Vec<f32> {
    bytes.as_chunks().0.iter().map(|&four| f32::from_le_bytes(four)).collect()
}
