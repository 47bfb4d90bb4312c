//! One file from one mirror, over HTTP.

use std::fmt;
use std::io::Read;
use std::time::{Duration, Instant};
use ureq::{Agent, Error};

/// How long a mirror is waited for. What takes longer is given up, and the next mirror asked.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// To find a host, and to reach it.
    pub connect: Duration,
    /// For the head of an answer, and for the next bytes of it.
    pub silence: Duration,
    /// Within this time an answer gets on by [`least`](Self::least) bytes at least.
    pub window: Duration,
    /// Bytes.
    pub least: u64,
    /// For a whole file, redirections included.
    pub whole: Duration,
}

impl Default for Patience {
    /// Two mirrors together are reached, or given up, before a person gives up. 1 KiB/s is what the slowest modems gave; in an
    /// hour the largest file of the MNIST family comes with 7 KiB/s, and CIFAR-10 with 47 KiB/s.
    fn default() -> Self {
        Patience {
            connect: Duration::from_secs(15),
            silence: Duration::from_secs(30),
            window: Duration::from_secs(30),
            least: 30 << 10,
            whole: Duration::from_secs(3600),
        }
    }
}

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

/// A client with these limits; it uses the proxy that the environment names.
pub fn client(limits: &Patience) -> Agent {
    Agent::config_builder()
        .user_agent(concat!("asyt/", env!("CARGO_PKG_VERSION")))
        .timeout_global(Some(limits.whole))
        .timeout_resolve(Some(limits.connect))
        .timeout_connect(Some(limits.connect))
        .timeout_send_request(Some(limits.silence))
        .timeout_recv_response(Some(limits.silence))
        .timeout_per_read(Some(limits.silence))
        .build()
        .new_agent()
}

/// The `size` bytes that `url` answers; what follows them is not waited for. `received` is called with the bytes so far.
pub fn get(
    client: &Agent,
    limits: &Patience,
    url: &str,
    size: u64,
    received: &mut dyn FnMut(u64),
) -> Result<Vec<u8>, Refusal> {
    let mut response = client.get(url).call().map_err(refusal)?;
    if let Some(announced) = response.body().content_length().filter(|&announced| announced != size) {
        let reason = format!("{announced} bytes instead of the {size} that have the published checksum");
        return Err(Refusal::Answer(reason));
    }
    let mut reader = response.body_mut().with_config().limit(size.saturating_add(1)).reader();
    let mut bytes = Vec::new();
    let mut buffer = vec![0; 1 << 16];
    let mut window = (Instant::now(), 0);
    while (bytes.len() as u64) < size {
        let most = (size - bytes.len() as u64).min(buffer.len() as u64) as usize;
        let broke_off = |reason: String| {
            Refusal::Answer(format!("the answer broke off after {} of {size} bytes{reason}", bytes.len()))
        };
        match reader.read(&mut buffer[..most]) {
            Ok(0) => return Err(broke_off(String::new())),
            Ok(count) => bytes.extend_from_slice(&buffer[..count]),
            Err(error) => return Err(broke_off(format!(": {error}"))),
        }
        let (total, (began, before)) = (bytes.len() as u64, window);
        received(total);
        if began.elapsed() >= limits.window {
            if total - before < limits.least && total < size {
                let seconds = began.elapsed().as_secs_f64();
                let reason =
                    format!("too slow, {} bytes in {seconds:.0} s; {total} of {size} bytes came", total - before);
                return Err(Refusal::Answer(reason));
            }
            window = (Instant::now(), total);
        }
    }
    Ok(bytes)
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

/// `text` without the user and password in the address `url`, which may stand anywhere in it.
pub fn without_password(text: &str, url: &str) -> String {
    match credentials(url) {
        Some(credentials) => text.replace(credentials, "***"),
        None => text.to_string(),
    }
}

/// What stands before the `@` of an address. A password can hold a `/` that should have been written `%2F`.
fn credentials(url: &str) -> Option<&str> {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
    let host = &rest[..end];
    let is_port = |port: &str| port.bytes().all(|byte| byte.is_ascii_digit());
    let broken =
        !host.contains('@') && !host.starts_with('[') && host.split_once(':').is_some_and(|(_, port)| !is_port(port));
    let at = if broken { rest.rfind('@') } else { host.rfind('@') }?;
    Some(&rest[..at]).filter(|credentials| !credentials.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_shown_without_its_password() {
        for (url, shown) in [
            ("http://host/a", "http://host/a"),
            ("http://me:secret@host:8080/a", "http://***@host:8080/a"),
            ("https://token@host", "https://***@host"),
            ("me:secret@host/a", "***@host/a"),
            ("http://me:se/cr@et@host/a", "http://***@host/a"),
            ("http://host:80/@scope/a", "http://host:80/@scope/a"),
            ("http://[::1]:80/a@b", "http://[::1]:80/a@b"),
            ("", ""),
        ] {
            assert_eq!(without_password(url, url), shown);
            assert_eq!(without_password(&format!("bad uri {url}!"), url), format!("bad uri {shown}!"));
        }
    }
}
