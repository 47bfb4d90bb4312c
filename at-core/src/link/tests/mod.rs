//! Links over TCP on this machine, with drivers that do what they should and drivers that do not.

mod check;
mod faults;
mod frames;
mod placing;
mod training;

use super::description::{Access, Description};
use super::limits::Limits;
use super::serve::{Driven, serve};
use super::{Link, PROTOCOL, Transport};
use crate::Result;
use std::io::{BufReader, Read};
use std::net::{TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

/// A chip of two controls that adds them to what it is sent.
#[derive(Default)]
struct Adder {
    controls: Vec<f32>,
}

fn adder(limits: Limits) -> Description {
    Description {
        protocol: PROTOCOL,
        name: "adder".to_string(),
        controls: 2,
        unit: "rad".to_string(),
        limits,
        period: None,
        inputs: 2,
        complex: false,
        outputs: 2,
        layers: vec![2, 2],
        largest_batch: 3,
        settle_ms: 0.0,
        access: vec![Access::Output],
    }
}

impl Driven for Adder {
    fn description(&self) -> Description {
        adder(Limits::All([-1.0, 1.0]))
    }

    fn program(&mut self, controls: &[f32], _counted: bool) -> Result<()> {
        self.controls = controls.to_vec();
        Ok(())
    }

    fn send(&mut self, fields: &[f32], _batch: usize, _counted: bool) -> Result<Vec<f32>> {
        Ok(fields.iter().zip(self.controls.iter().cycle()).map(|(field, control)| field + control).collect())
    }
}

/// A link to a driver that does `work` with the one connection that it gets.
fn link_to(work: impl FnOnce(TcpStream) + Send + 'static, patience: Duration) -> Result<Link> {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || work(listener.accept().unwrap().0));
    Link::open(Transport::tcp(&address, patience)?, patience)
}

const PATIENCE: Duration = Duration::from_secs(20);

/// A link to `driven`, served.
fn served(make: impl FnOnce() -> Box<dyn FnMut(&mut BufReader<TcpStream>, &mut TcpStream)> + Send + 'static) -> Link {
    let work = move |stream: TcpStream| make()(&mut BufReader::new(stream.try_clone().unwrap()), &mut { stream });
    link_to(work, PATIENCE).unwrap()
}

fn adder_link() -> Link {
    served(|| Box::new(|from, to| serve(from, to, &mut Adder::default()).unwrap()))
}

#[test]
fn a_batch_longer_than_the_chip_takes_goes_in_parts() {
    let mut link = adder_link();
    link.program(&[0.5, -0.5], 2, true).unwrap();
    let fields: Vec<f32> = (0..14).map(|value| value as f32).collect();
    let expected: Vec<f32> =
        fields.iter().zip([0.5, -0.5].iter().cycle()).map(|(field, control)| field + control).collect();
    assert_eq!(link.send(&fields, 7, true).unwrap(), expected);
    assert_eq!(link.times().batches, 3);
}

#[test]
fn an_access_that_is_not_offered_is_refused_by_name() {
    let mut link = adder_link();
    for failure in
        [link.send_tapped(&[0.0; 2], 1, true).unwrap_err(), link.send_layer(0, &[0.0; 2], 1, true).unwrap_err()]
    {
        assert!(failure.to_string().contains("adder is not supported: its driver offers output"), "{failure}");
    }
    assert_eq!(link.state().unwrap(), None, "a chip without a state is not asked for one");
}

#[test]
fn a_chip_is_left_where_the_user_wants_it() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut link = served(move || {
        Box::new(move |from, to| {
            let mut adder = Adder::default();
            serve(from, to, &mut adder).unwrap();
            sender.send(adder.controls).unwrap();
        })
    });
    link.program(&[0.5, -0.5], 2, true).unwrap();
    link.park(&super::Park::Controls(vec![0.25, 7.0])).unwrap();
    drop(link);
    assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), [0.25, 1.0], "within its limits");
}

#[test]
fn an_end_in_the_middle_of_an_exchange_parks_the_chip() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let mut link = served(move || {
        Box::new(move |from, to| {
            let mut adder = Adder::default();
            serve(from, to, &mut adder).unwrap();
            sender.send(adder.controls).unwrap();
        })
    });
    link.park(&super::Park::Zero).unwrap();
    let handle = link.handle();
    link.program(&[0.5, -0.5], 2, true).unwrap();
    handle.leave(PATIENCE);
    assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), [0.0, 0.0]);
}

#[test]
fn a_trainer_that_goes_on_writes_nothing_to_a_chip_that_was_parked() {
    let (sender, receiver) = std::sync::mpsc::channel();
    let serving = move |stream: TcpStream| {
        let (mut from, mut to) = (BufReader::new(stream.try_clone().unwrap()), stream);
        serve(&mut from, &mut to, &mut Adder::default()).unwrap();
        let mut behind = Vec::new();
        from.read_to_end(&mut behind).unwrap();
        sender.send(behind.len()).unwrap();
    };
    let mut link = link_to(serving, Duration::from_millis(200)).unwrap();
    link.program(&[0.5, -0.5], 2, true).unwrap();
    link.handle().leave(Duration::ZERO);
    link.program(&[0.7, -0.7], 2, true).unwrap_err();
    drop(link);
    assert_eq!(receiver.recv_timeout(PATIENCE).unwrap(), 0, "bytes behind the end");
}
