//! Messages on the wire.

use super::super::frame::Frame;
use super::super::message::{Answer, Request};

fn read(bytes: &[u8], most: u64) -> Result<Option<Frame<Request>>, String> {
    Frame::read(&mut &*bytes, || most)
}

#[test]
fn a_message_is_a_line_of_json_and_its_array() {
    let frame = Frame { number: 7, message: Request::Send { batch: 1, counted: true }, payload: vec![0, 0, 128, 63] };
    let bytes = frame.encode();
    let line = "{\"message\":\"send\",\"batch\":1,\"counted\":true,\"number\":7,\"bytes\":4,\"check\":1086792837}\n";
    let (start, array) = bytes.split_at(bytes.len() - 4);
    assert_eq!(std::str::from_utf8(start).unwrap().split("\"check\"").next(), line.split("\"check\"").next());
    assert_eq!(array, 1f32.to_le_bytes());
    assert_eq!(read(&bytes, 4).unwrap(), Some(frame));
}

#[test]
fn every_damage_of_a_message_is_named() {
    let whole = Frame { number: 7, message: Request::Send { batch: 1, counted: true }, payload: vec![1; 8] }.encode();
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
    let frame = Frame::<Answer>::read(&mut &line[..], || 0).unwrap().unwrap();
    assert_eq!(frame, Frame { number: 3, message: Answer::Done { busy_ms: None }, payload: Vec::new() });
}

#[test]
fn bytes_in_a_line_reach_no_terminal() {
    let failure = read(b"\x1b[2J{\n", 0).unwrap_err();
    assert!(!failure.contains('\x1b'), "{failure:?}");
}
