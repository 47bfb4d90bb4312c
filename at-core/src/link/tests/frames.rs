//! Messages on the wire.

use super::super::frame::{Frame, Heard};
use super::super::message::{Answer, Question, Spoken};

/// What is read of `bytes`; what is understood and what is not.
fn heard<M: serde::de::DeserializeOwned + Spoken>(bytes: &[u8], most: u64) -> Result<Option<Frame<Heard<M>>>, String> {
    Frame::read(&mut &*bytes, || most)
}

fn read(bytes: &[u8], most: u64) -> Result<Option<Frame<Question>>, String> {
    Ok(heard(bytes, most)?.map(|Frame { number, message, payload }| match message {
        Heard::Known(message) => Frame { number, message, payload },
        Heard::Unknown(reason) => panic!("{reason}"),
    }))
}

#[test]
fn a_message_is_a_line_of_json_and_its_array() {
    let frame = Frame { number: 7, message: Question::Send { batch: 1, counted: true }, payload: vec![0, 0, 128, 63] };
    let bytes = frame.encode();
    let line = "{\"message\":\"send\",\"batch\":1,\"counted\":true,\"number\":7,\"bytes\":4,\"check\":1086792837}\n";
    let (start, array) = bytes.split_at(bytes.len() - 4);
    assert_eq!(std::str::from_utf8(start).unwrap().split("\"check\"").next(), line.split("\"check\"").next());
    assert_eq!(array, 1f32.to_le_bytes());
    assert_eq!(read(&bytes, 4).unwrap(), Some(frame));
}

#[test]
fn every_damage_of_a_message_is_named() {
    let whole = Frame { number: 7, message: Question::Send { batch: 1, counted: true }, payload: vec![1; 8] }.encode();
    let cases: [(&str, Vec<u8>, u64); 5] = [
        ("closed in the middle of an array, after 5 of 8 bytes", whole[..whole.len() - 3].to_vec(), 8),
        ("closed in the middle of a line", whole[..20].to_vec(), 8),
        ("of which 4 belong there", whole.clone(), 4),
        ("do not have their checksum", [&whole[..whole.len() - 1], &[2]].concat(), 8),
        ("is no message", b"Traceback (most recent call last):\n".to_vec(), 8),
    ];
    for (expected, bytes, most) in cases {
        let failure = read(&bytes, most).unwrap_err();
        assert!(failure.contains(expected), "{failure} instead of {expected}");
    }
    let endless = vec![b'x'; 1 << 17];
    assert!(read(&endless, 8).unwrap_err().contains("more than 65536 bytes"));
    assert_eq!(read(b"", 8), Ok(None), "an end between two messages is an end");
}

#[test]
fn keys_that_a_driver_adds_and_leaves_out_do_not_matter() {
    let line = b"{\"number\":3,\"message\":\"done\",\"temperature\":21.5}\n";
    let frame = heard::<Answer>(line, 0).unwrap().unwrap();
    let message = Heard::Known(Answer::Done { busy_ms: None });
    assert_eq!(frame, Frame { number: 3, message, payload: Vec::new() });
}

#[test]
fn bytes_in_a_line_reach_no_terminal() {
    let failure = read(b"\x1b[2J{\n", 0).unwrap_err();
    assert!(!failure.contains('\x1b'), "{failure:?}");
}

#[test]
fn a_name_that_is_listed_is_known_and_no_other_is() {
    fn reasons<M: serde::de::DeserializeOwned + Spoken>(names: &[&str]) -> Vec<String> {
        let reason = |name: &&str| {
            let line = format!("{{\"message\":\"{name}\",\"number\":1}}\n");
            match heard::<M>(line.as_bytes(), 0).unwrap().unwrap().message {
                Heard::Known(_) => String::new(),
                Heard::Unknown(reason) => reason,
            }
        };
        names.iter().map(reason).collect()
    }
    let listed = [reasons::<Question>(Question::NAMES), reasons::<Answer>(Answer::NAMES)].concat();
    for reason in &listed {
        assert!(reason.is_empty() || reason.contains("is not understood: missing field"), "{reason}");
    }
    for reason in [reasons::<Question>(&["done", "Send", ""]), reasons::<Answer>(&["send", "ready\\u001b"])].concat() {
        assert!(reason.contains("is unknown: version 1 of the protocol has") && !reason.contains('\x1b'), "{reason}");
    }
}
