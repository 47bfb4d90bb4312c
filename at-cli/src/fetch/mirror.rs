//! One file from one mirror, over HTTP.

use std::fmt;
use std::io::Read;
use std::time::Duration;
use ureq::{Agent, Error};

/// More than any file of the family; a greater answer is something else.
const MOST_BYTES: u64 = 100 << 20;

/// To find and reach a host. Two mirrors together answer, or are given up, before a person does.
const CONNECT: Duration = Duration::from_secs(15);

/// For the next bytes of an answer; a slow line may take as long as it wants as long as something comes.
const SILENCE: Duration = Duration::from_secs(30);

/// Why a mirror did not give a file.
#[derive(Debug)]
pub enum Refusal {
    /// Nobody was reached.
    Unreachable(String),
    /// Somebody was reached, and the answer is not the file.
    Answer(String),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Refusal::Unreachable(reason) | Refusal::Answer(reason)) = self;
        f.write_str(reason)
    }
}

/// A client with our timeouts; it uses the proxy that the environment names.
pub fn client() -> Agent {
    Agent::config_builder()
        .user_agent(concat!("asyt/", env!("CARGO_PKG_VERSION")))
        .timeout_resolve(Some(CONNECT))
        .timeout_connect(Some(CONNECT))
        .timeout_recv_response(Some(SILENCE))
        .timeout_per_read(Some(SILENCE))
        .build()
        .new_agent()
}

/// Everything that `url` answers. `received` is called with the bytes so far and the size that was announced.
pub fn get(client: &Agent, url: &str, received: &mut dyn FnMut(u64, Option<u64>)) -> Result<Vec<u8>, Refusal> {
    let mut response = client.get(url).call().map_err(refusal)?;
    let announced = response.body().content_length();
    let mut reader = response.body_mut().with_config().limit(MOST_BYTES).reader();
    let mut bytes = Vec::new();
    loop {
        match reader.by_ref().take(1 << 16).read_to_end(&mut bytes) {
            Ok(0) => break,
            Ok(_) => received(bytes.len() as u64, announced),
            Err(error) => {
                return Err(Refusal::Answer(format!("the answer broke off after {} bytes: {error}", bytes.len())));
            }
        }
    }
    match announced {
        Some(size) if size != bytes.len() as u64 => {
            Err(Refusal::Answer(format!("the answer broke off after {} of {size} bytes", bytes.len())))
        }
        _ => Ok(bytes),
    }
}

fn refusal(error: Error) -> Refusal {
    match error {
        Error::StatusCode(status) => Refusal::Answer(format!("answers with HTTP status {status}")),
        Error::HostNotFound => Refusal::Unreachable("no such host".to_string()),
        Error::Timeout(_) => Refusal::Unreachable("does not answer in time".to_string()),
        // what rustls says of a host that does not speak TLS
        Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => Refusal::Answer(error.to_string()),
        Error::Io(error) => Refusal::Unreachable(error.to_string()),
        Error::ConnectionFailed => Refusal::Unreachable(error.to_string()),
        error => Refusal::Answer(error.to_string()),
    }
}
