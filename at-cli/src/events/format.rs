//! The format of event files: framed records, each a message `Event` of TensorBoard's protocol buffers.
//!
//! ```text
//! record     length (u64), checksum of it (u32), message, checksum of that (u32); all little-endian
//! checksum   CRC32C, rotated right by 15 bits, plus 0xa282ead8
//! Event      1: wall_time (double)  2: step (int64)  3: file_version (string)  5: summary (Summary)
//! Summary    1: value (Value), repeated
//! Value      1: tag (string)  2: simple_value (float)
//! ```
//!
//! [TFRecord](https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details),
//! [event.proto](https://github.com/tensorflow/tensorboard/blob/master/tensorboard/compat/proto/event.proto).

/// What the first record of a file says.
const VERSION: &[u8] = b"brain.Event:2";

/// The values of one step.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The step.
    pub step: i64,
    /// Names and values.
    pub scalars: Vec<(String, f32)>,
}

/// The record with which a file begins; times are seconds since 1970.
pub fn heading(wall_time: f64) -> Vec<u8> {
    let mut event = Vec::new();
    double(&mut event, 1, wall_time);
    bytes(&mut event, 3, VERSION);
    record(&event)
}

/// The record of the scalars of one step.
pub fn scalars(wall_time: f64, step: u64, scalars: &[(String, f64)]) -> Vec<u8> {
    let mut summary = Vec::new();
    for (tag, scalar) in scalars {
        let mut value = Vec::new();
        bytes(&mut value, 1, tag.as_bytes());
        float(&mut value, 2, *scalar as f32);
        bytes(&mut summary, 1, &value);
    }
    let mut event = Vec::new();
    double(&mut event, 1, wall_time);
    key(&mut event, 2, VARINT);
    varint(&mut event, step);
    bytes(&mut event, 5, &summary);
    record(&event)
}

/// The whole records of scalars at the beginning of a file. A torn end, or what is damaged and all behind it, is left out.
pub fn read(mut file: &[u8]) -> Vec<Event> {
    let mut events = Vec::new();
    while let Some((message, rest)) = first_record(file) {
        file = rest;
        let Some(event) = event(message) else { break };
        events.extend((!event.scalars.is_empty()).then_some(event));
    }
    events
}

fn checksum(bytes: &[u8]) -> u32 {
    crc32c::crc32c(bytes).rotate_right(15).wrapping_add(0xa282_ead8)
}

fn record(message: &[u8]) -> Vec<u8> {
    let length = (message.len() as u64).to_le_bytes();
    let [of_length, of_message] = [&length[..], message].map(|part| checksum(part).to_le_bytes());
    [&length[..], &of_length, message, &of_message].concat()
}

/// The message of the first record, and what follows it.
fn first_record(file: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = file.split_at_checked(8)?;
    let rest = checked(length, rest)?;
    let length = usize::try_from(u64::from_le_bytes(length.try_into().ok()?)).ok()?;
    let (message, rest) = rest.split_at_checked(length)?;
    Some((message, checked(message, rest)?))
}

/// What follows the checksum of `part`, where it is right.
fn checked<'a>(part: &[u8], rest: &'a [u8]) -> Option<&'a [u8]> {
    let (sum, rest) = rest.split_at_checked(4)?;
    (sum == checksum(part).to_le_bytes()).then_some(rest)
}

// How protocol buffers say that a field's value is a number of variable length, eight bytes, a length and so many bytes, four bytes.
const VARINT: u64 = 0;
const EIGHT_BYTES: u64 = 1;
const BYTES: u64 = 2;
const FOUR_BYTES: u64 = 5;

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

fn key(message: &mut Vec<u8>, field: u64, kind: u64) {
    varint(message, field << 3 | kind);
}

fn double(message: &mut Vec<u8>, field: u64, value: f64) {
    key(message, field, EIGHT_BYTES);
    message.extend(value.to_le_bytes());
}

fn float(message: &mut Vec<u8>, field: u64, value: f32) {
    key(message, field, FOUR_BYTES);
    message.extend(value.to_le_bytes());
}

fn bytes(message: &mut Vec<u8>, field: u64, value: &[u8]) {
    key(message, field, BYTES);
    varint(message, value.len() as u64);
    message.extend(value);
}

/// The value of a field, as it lies in a message.
enum Value<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The number and value of every field. None where the message is damaged.
fn fields(mut message: &[u8]) -> Option<Vec<(u64, Value<'_>)>> {
    let mut fields = Vec::new();
    while !message.is_empty() {
        let key = taken_varint(&mut message)?;
        let value = match key & 7 {
            VARINT => Value::Number(taken_varint(&mut message)?),
            EIGHT_BYTES => Value::Bytes(taken(&mut message, 8)?),
            FOUR_BYTES => Value::Bytes(taken(&mut message, 4)?),
            BYTES => {
                let length = usize::try_from(taken_varint(&mut message)?).ok()?;
                Value::Bytes(taken(&mut message, length)?)
            }
            _ => return None, // groups, which nobody writes any more
        };
        fields.push((key >> 3, value));
    }
    Some(fields)
}

fn taken<'a>(message: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (part, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(part)
}

fn taken_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let byte = taken(message, 1)?[0];
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

fn event(message: &[u8]) -> Option<Event> {
    let mut event = Event { step: 0, scalars: Vec::new() };
    for (field, value) in fields(message)? {
        match (field, value) {
            (2, Value::Number(step)) => event.step = step as i64,
            (5, Value::Bytes(summary)) => event.scalars.extend(summary_scalars(summary)?),
            _ => {} // fields of other programs
        }
    }
    Some(event)
}

fn summary_scalars(summary: &[u8]) -> Option<Vec<(String, f32)>> {
    let mut scalars = Vec::new();
    for (field, value) in fields(summary)? {
        let (1, Value::Bytes(value)) = (field, value) else { continue };
        let (mut tag, mut scalar) = (None, None);
        for (field, value) in fields(value)? {
            match (field, value) {
                (1, Value::Bytes(text)) => tag = Some(String::from_utf8(text.to_vec()).ok()?),
                (2, Value::Bytes(bits)) => scalar = Some(f32::from_le_bytes(bits.try_into().ok()?)),
                _ => {} // values of other programs
            }
        }
        scalars.extend(tag.zip(scalar));
    }
    Some(scalars)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the writer of the Python package `tensorboard` 2.21 makes of a heading and of `loss` = 0.25 at step 300, at 1.5 s.
    const PEER: &str = "1800000000000000a37f4b2209000000000000f83f1a0d627261696e2e4576656e743a322a28646c\
                        1b000000000000001a0d9e1309000000000000f83f10ac022a0d0a0b0a046c6f7373150000803e9908deed";

    #[test]
    fn the_bytes_are_those_of_tensorboards_own_writer() {
        let file = [heading(1.5), scalars(1.5, 300, &[("loss".to_string(), 0.25)])].concat();
        let digits: String = file.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(digits, PEER);
    }

    #[test]
    fn checksums_are_those_of_the_specification() {
        // RFC 3720, B.4: CRC32C of 32 bytes of zeros is 0x8a9136aa
        assert_eq!(checksum(&[0; 32]), 0x8a91_36aa_u32.rotate_right(15).wrapping_add(0xa282_ead8));
    }

    #[test]
    fn what_is_written_is_read_back_and_a_torn_end_is_left_out() {
        let all = [("loss/train".to_string(), 0.25), ("accuracy/test".to_string(), 1.0)];
        let mut file = heading(1.5);
        file.extend(scalars(2.5, 1, &all));
        file.extend(scalars(3.5, 300, &all[..1]));
        let events = read(&file);
        let [loss, accuracy] = [("loss/train".to_string(), 0.25_f32), ("accuracy/test".to_string(), 1.0)];
        let whole =
            [Event { step: 1, scalars: vec![loss.clone(), accuracy] }, Event { step: 300, scalars: vec![loss] }];
        assert_eq!(events, whole);
        for length in 0..file.len() {
            let read = read(&file[..length]);
            assert!(read.len() < 2 && whole.starts_with(&read), "{length}: {read:?}");
        }
        for place in 0..file.len() {
            let mut damaged = file.clone();
            damaged[place] ^= 4;
            assert!(whole.starts_with(&read(&damaged)) && read(&damaged).len() < 2, "{place}");
        }
    }
}
