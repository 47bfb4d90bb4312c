//! The ways to a driver: the streams of a process that this one starts, or TCP.

use crate::{Error, Result};
use std::io::{self, BufReader, ErrorKind, Read, Write};
use std::net::{Shutdown, TcpStream, ToSocketAddrs};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A way to a driver, over which nothing was said yet.
pub struct Transport {
    pub(super) name: String,
    pub(super) from: Box<dyn Read + Send>,
    pub(super) to: Box<dyn Write + Send>,
    pub(super) other: Other,
}

/// What is there besides the two streams.
pub(super) enum Other {
    /// A process that was started for this.
    Process(Child),
    /// A connection, to be closed so that nobody waits at it any longer.
    Connection(TcpStream),
    /// Nothing.
    Nothing,
}

impl Transport {
    /// Starts `program` with these arguments and speaks over its standard input and output; what it says on its standard error
    /// goes where this process's does. It hears of Ctrl-C from this process only, so that a chip can be parked first.
    pub fn command(program: &str, arguments: &[String]) -> Result<Self> {
        let mut command = Command::new(program);
        command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        #[cfg(unix)]
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let name = format!(
            "chip behind '{}'",
            std::iter::once(program).chain(arguments.iter().map(|argument| &**argument)).collect::<Vec<_>>().join(" ")
        );
        let failed = |failure: std::io::Error| Error::Device {
            device: name.clone(),
            reason: format!("it does not start: {failure}"),
        };
        let mut child = command.spawn().map_err(failed)?;
        let (Some(to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err(Error::Device { device: name, reason: "it was started without streams".to_string() });
        };
        Ok(Transport { name, from: Box::new(from), to: Box::new(to), other: Other::Process(child) })
    }

    /// Connects to `address`, `HOST:PORT`, within `patience`.
    pub fn tcp(address: &str, patience: Duration) -> Result<Self> {
        let name = format!("chip at {address}");
        let failed = |reason: String| Error::Device { device: name.clone(), reason };
        let found = address.to_socket_addrs().map_err(|failure| failed(format!("no such address: {failure}")))?;
        let end = Instant::now() + patience;
        let mut last = "the name has no address".to_string();
        for address in found {
            let left = end.saturating_duration_since(Instant::now()).max(Duration::from_millis(1));
            match TcpStream::connect_timeout(&address, left).and_then(|stream| Self::connected(stream, name.clone())) {
                Ok(transport) => return Ok(transport),
                Err(failure) => last = failure.to_string(),
            }
        }
        Err(failed(format!("nobody answers there: {last}; start its driver first")))
    }

    /// Over a connection that stands.
    fn connected(stream: TcpStream, name: String) -> std::io::Result<Self> {
        stream.set_nodelay(true)?;
        let (from, to) = (stream.try_clone()?, stream.try_clone()?);
        Ok(Transport { name, from: Box::new(from), to: Box::new(to), other: Other::Connection(stream) })
    }

    /// Over any two streams; `name` is for errors.
    pub fn streams(name: &str, from: impl Read + Send + 'static, to: impl Write + Send + 'static) -> Self {
        Transport { name: name.to_string(), from: Box::new(from), to: Box::new(to), other: Other::Nothing }
    }
}

impl Other {
    /// Ends what is there: a process is given until `end` to go by itself.
    pub fn close(&mut self, end: Instant) {
        match self {
            Other::Nothing => {}
            Other::Connection(stream) => {
                let _ = stream.shutdown(Shutdown::Both);
            }
            Other::Process(child) => {
                while Instant::now() < end && matches!(child.try_wait(), Ok(None)) {
                    std::thread::sleep(Duration::from_millis(2));
                }
                let _ = child.kill();
                let _ = child.wait();
            }
        }
    }

    /// How the process ended, if it is one and did.
    pub fn ended(&mut self) -> Option<String> {
        match self {
            Other::Process(child) => {
                // its streams close a moment before it can be waited for
                for _ in 0..50 {
                    if let Ok(Some(status)) = child.try_wait() {
                        return Some(format!("it ended ({status})"));
                    }
                    std::thread::sleep(Duration::from_millis(2));
                }
                None
            }
            Other::Connection(_) | Other::Nothing => None,
        }
    }
}

/// Room for what a driver sends before it is asked for.
pub(super) fn buffered(from: Box<dyn Read + Send>) -> BufReader<UntilClosed> {
    BufReader::with_capacity(1 << 16, UntilClosed(from))
}

/// A stream that ends where the other side is gone. With TCP a driver that was killed closes or resets the connection, as its last
/// bytes were read or not.
pub(super) struct UntilClosed(Box<dyn Read + Send>);

impl Read for UntilClosed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer).or_else(|failure| match failure.kind() {
            ErrorKind::ConnectionReset | ErrorKind::ConnectionAborted => Ok(0),
            _ => Err(failure),
        })
    }
}
