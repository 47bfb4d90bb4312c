//! What a driver can do wrong: each time one error that names it, and no wait beyond the time limit.

use super::super::description::Description;
use super::super::frame::{Frame, Heard, to_bytes};
use super::super::limits::Limits;
use super::super::message::{Answer, Question};
use super::{PATIENCE, adder, link_to};
use crate::link::{Link, Transport};
use std::io::{BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// A driver that describes the adder and then answers each request with what `answer` makes of it; none ends the connection.
fn driver(answer: impl FnMut(u64, Question) -> Option<Vec<u8>> + Send + 'static, patience: Duration) -> Link {
    described(adder(Limits::None), Vec::new(), answer, patience).unwrap()
}

fn described(
    chip: Description,
    limits: Vec<u8>,
    mut answer: impl FnMut(u64, Question) -> Option<Vec<u8>> + Send + 'static,
    patience: Duration,
) -> crate::Result<Link> {
    let work = move |mut stream: TcpStream| {
        let mut from = BufReader::new(stream.try_clone().unwrap());
        while let Ok(Some(frame)) = Frame::<Heard<Question>>::read(&mut from, || 1 << 20) {
            let Frame { number, message: Heard::Known(message), .. } = frame else { return };
            let bytes = match message {
                Question::Hello { .. } => {
                    Some(Frame { number, message: Answer::Chip(chip.clone()), payload: limits.clone() }.encode())
                }
                other => answer(number, other),
            };
            match bytes {
                Some(bytes) if stream.write_all(&bytes).is_ok() => {}
                Some(_) | None => return,
            }
        }
    };
    link_to(work, patience)
}

fn done(number: u64) -> Option<Vec<u8>> {
    Some(Frame { number, message: Answer::Done { busy_ms: None }, payload: Vec::new() }.encode())
}

fn readout(number: u64, values: &[f32]) -> Vec<u8> {
    Frame { number, message: Answer::Readout { busy_ms: None }, payload: to_bytes(values) }.encode()
}

/// A driver that answers what is sent with `bytes`.
fn at_send(bytes: impl Fn(u64) -> Option<Vec<u8>> + Send + 'static, patience: Duration) -> Link {
    driver(
        move |number, request| if matches!(request, Question::Send { .. }) { bytes(number) } else { done(number) },
        patience,
    )
}

#[test]
fn each_fault_of_a_driver_is_one_error_that_names_it_and_the_last_write() {
    let short = Duration::from_millis(300);
    type Answers = Box<dyn Fn(u64) -> Option<Vec<u8>> + Send>;
    let cases: Vec<(&str, Answers, Duration)> = vec![
        ("it closed before it answered send (message 3)", Box::new(|_| None), PATIENCE),
        ("no answer to send (message 3) within 0.300 s", Box::new(|_| Some(Vec::new())), short),
        (
            "no answer to send (message 3) within 0.300 s",
            Box::new(|number| Some(readout(number, &[1.0; 2]).split_last_chunk::<3>()?.0.to_vec())),
            short,
        ),
        (
            "1 values came in answer to message 3, not 1 x 2 = 2",
            Box::new(|number| Some(readout(number, &[1.0]))),
            PATIENCE,
        ),
        ("of which 8 belong there", Box::new(|number| Some(readout(number, &[1.0; 9]))), PATIENCE),
        ("it read NaN at output 1 of sample 0", Box::new(|number| Some(readout(number, &[1.0, f32::NAN]))), PATIENCE),
        ("it answered message 99 where send was message 3", Box::new(|_| Some(readout(99, &[1.0; 2]))), PATIENCE),
        ("it answered message 3 with done", Box::new(done), PATIENCE),
        ("is no message", Box::new(|_| Some(b"the interlock is open\n".to_vec())), PATIENCE),
        (
            "its driver reports, at send (message 3): the interlock is open",
            Box::new(|number| {
                let text = "the interlock is open".to_string();
                Some(Frame { number, message: Answer::Fault { text }, payload: Vec::new() }.encode())
            }),
            PATIENCE,
        ),
    ];
    for (expected, bytes, patience) in cases {
        let mut link = at_send(bytes, patience);
        link.program(&[0.5, 0.5], 2, true).unwrap();
        let failure = link.send(&[0.0; 2], 1, true).unwrap_err().to_string();
        assert!(failure.contains(expected), "{failure}\ninstead of {expected}");
        assert!(failure.ends_with("; last written: all 2 controls, by message 2"), "{failure}");
    }
}

#[test]
fn nothing_more_is_asked_of_a_driver_that_lost_count() {
    let mut link = at_send(|_| Some(readout(99, &[1.0; 2])), PATIENCE);
    let first = link.send(&[0.0; 2], 1, true).unwrap_err().to_string();
    let second = link.program(&[0.0; 2], 2, true).unwrap_err().to_string();
    assert_eq!(first, second);
}

#[test]
fn a_fault_that_a_driver_reports_leaves_it_usable() {
    let mut first = true;
    let mut link = driver(
        move |number, request| match request {
            Question::Send { .. } if std::mem::take(&mut first) => {
                let text = "busy".to_string();
                Some(Frame { number, message: Answer::Fault { text }, payload: Vec::new() }.encode())
            }
            Question::Send { .. } => Some(readout(number, &[1.0; 2])),
            _ => done(number),
        },
        PATIENCE,
    );
    assert!(link.send(&[0.0; 2], 1, true).is_err());
    assert_eq!(link.send(&[0.0; 2], 1, true).unwrap(), [1.0; 2]);
}

#[test]
fn an_answer_that_this_version_does_not_have_is_named_and_the_next_one_is_taken() {
    let answers: [(&str, &str); 4] = [
        (
            "{\"message\":\"settling\",\"number\":N,\"bytes\":2}\nxx",
            "‘settling’ is unknown: version 1 of the protocol has chip",
        ),
        ("{\"message\":\"send\",\"number\":N}\n", "‘send’ is unknown"),
        ("{\"message\":\"readout\",\"number\":N,\"busy-ms\":\"long\"}\n", "‘readout’ is not understood: invalid type"),
        ("{\"message\":\"fault\",\"number\":N}\n", "‘fault’ is not understood: missing field `text`"),
    ];
    for (answer, expected) in answers {
        let mut first = true;
        let mut link = driver(
            move |number, request| match request {
                Question::Send { .. } if std::mem::take(&mut first) => {
                    Some(answer.replace('N', &number.to_string()).into())
                }
                Question::Send { .. } => Some(readout(number, &[1.0; 2])),
                _ => done(number),
            },
            PATIENCE,
        );
        let failure = link.send(&[0.0; 2], 1, true).unwrap_err().to_string();
        assert!(failure.contains("its answer to send (message 2) is none") && failure.contains(expected), "{failure}");
        assert_eq!(link.send(&[0.0; 2], 1, true).unwrap(), [1.0; 2], "behind {answer}");
    }
}

#[test]
fn a_chip_answers_a_message_that_it_does_not_know_with_a_fault_and_goes_on() {
    let asked = "{\"message\":\"hello\",\"number\":1,\"protocol\":1,\"program\":\"test\"}\n\
                 {\"message\":\"tune\",\"number\":2,\"bytes\":8}\n12345678\
                 {\"message\":\"send\",\"number\":3,\"batch\":\"one\"}\n\
                 {\"message\":\"hello\",\"number\":4,\"protocol\":2,\"program\":\"test\"}\n\
                 {\"message\":\"program\",\"number\":5,\"changed\":2,\"counted\":true,\"bytes\":8}\n\0\0\0\0\0\0\0\0\
                 {\"message\":\"end\",\"number\":6}\n";
    let mut said = Vec::new();
    crate::link::serve(&mut asked.as_bytes(), &mut said, &mut super::Adder::default()).unwrap();
    let said: Vec<serde_json::Value> =
        serde_json::Deserializer::from_slice(&said).into_iter().map(|line| line.unwrap()).collect();
    let answers: Vec<_> =
        said.iter().map(|line| (line["message"].as_str().unwrap(), line["number"].as_u64().unwrap())).collect();
    assert_eq!(answers, [("chip", 1), ("fault", 2), ("fault", 3), ("fault", 4), ("done", 5), ("done", 6)]);
    let text = |index: usize| said[index]["text"].as_str().unwrap();
    assert!(text(1).contains("‘tune’ is unknown: version 1 of the protocol has hello, program, send"), "{}", text(1));
    assert!(text(2).contains("‘send’ is not understood"), "{}", text(2));
    assert!(text(3).contains("this chip speaks version 1"), "{}", text(3));
}

#[test]
fn a_line_that_is_no_message_ends_a_chip_s_connection() {
    for (line, expected) in [
        ("tune\n", "is no message"),
        ("{\"message\":\"tune\"}\n", "missing field `number`"),
        ("{\"number\":1}\n", "missing field `message`"),
    ] {
        let failure =
            crate::link::serve(&mut line.as_bytes(), &mut Vec::new(), &mut super::Adder::default()).unwrap_err();
        assert!(failure.contains("is no message") && failure.contains(expected), "{failure}");
    }
}

#[test]
fn a_description_that_is_none_of_a_chip_is_refused() {
    let good = || adder(Limits::None);
    let cases = [
        ("controls: lies between", Description { controls: 0, ..good() }, Vec::new()),
        ("largest-batch: lies between", Description { largest_batch: 0, ..good() }, Vec::new()),
        ("settle-ms: lies between", Description { settle_ms: -1.0, ..good() }, Vec::new()),
        ("the last one leaves the 2 outputs", Description { layers: vec![2, 3], ..good() }, Vec::new()),
        ("limits: no range of control 0", Description { limits: Limits::All([1.0, 0.0]), ..good() }, Vec::new()),
        ("its limits take 16 bytes", adder(Limits::Each { lower: vec![], upper: vec![] }), to_bytes(&[0.0; 3])),
        (
            "limits: no range of control 1",
            adder(Limits::Each { lower: vec![], upper: vec![] }),
            to_bytes(&[0.0, 2.0, 1.0, 1.0]),
        ),
        ("version 2 of the protocol", Description { protocol: 2, ..good() }, Vec::new()),
    ];
    for (expected, chip, limits) in cases {
        let failure = described(chip, limits, |_, _| None, PATIENCE).err().unwrap().to_string();
        assert!(failure.contains(expected), "{failure} instead of {expected}");
    }
}

#[test]
fn a_command_that_ends_or_does_not_start_is_named() {
    let start = |program: &str, arguments: &[&str]| {
        let arguments: Vec<String> = arguments.iter().map(|argument| argument.to_string()).collect();
        crate::link::Transport::command(program, &arguments).and_then(|transport| Link::open(transport, PATIENCE))
    };
    let failure = start("no-such-driver", &[]).err().unwrap().to_string();
    assert!(failure.contains("chip behind 'no-such-driver': it does not start"), "{failure}");
    #[cfg(unix)]
    {
        let failure = start("sh", &["-c", "exit 3"]).err().unwrap().to_string();
        assert!(failure.contains("it ended (exit status: 3) before it answered hello"), "{failure}");
    }
}

/// A connection that the other side has reset.
struct Reset;

impl Read for Reset {
    fn read(&mut self, _buffer: &mut [u8]) -> std::io::Result<usize> {
        Err(ErrorKind::ConnectionReset.into())
    }
}

#[test]
fn a_connection_that_a_killed_driver_reset_is_a_closed_one() {
    let failure = Link::open(Transport::streams("bench", Reset, std::io::sink()), PATIENCE).err().unwrap().to_string();
    assert!(failure.contains("it closed before it answered hello (message 1)"), "{failure}");
}
