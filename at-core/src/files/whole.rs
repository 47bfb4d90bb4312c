//! Reading files whose size is known beforehand to have a limit: no device, pipe or endless file fills the memory.

use super::fault::{Operation, check};
use crate::{Error, Result};
use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;

/// Longest settings file, cost model or other text that people write (bytes).
pub const LONGEST_TEXT: u64 = 1 << 20;

/// Most characters of a file that an error repeats.
const SHOWN: usize = 60;

/// All bytes of a file of at most `most` bytes.
///
/// It must be a regular file, or what this process was given open: `/dev/stdin`, `/dev/fd/N`. Errs with [`Error::File`]
/// where it cannot be read, and with [`Error::Malformed`] where it is something else (a folder, a device, a pipe) or longer.
pub fn read_whole(path: &Path, most: u64) -> Result<Vec<u8>> {
    read_open(&open_regular(path)?, path, most)
}

/// The same of a regular file that is open.
pub(super) fn read_open(file: &File, path: &Path, most: u64) -> Result<Vec<u8>> {
    let found = file.metadata().map_err(|source| Error::file(path, source))?.len();
    if found > most {
        return Err(too_long(path, &format!("has {found} bytes"), most));
    }
    let mut content = Vec::new();
    let ended = content.try_reserve_exact(found as usize).map_err(|_| io::Error::from(io::ErrorKind::OutOfMemory));
    let read = ended.and_then(|()| file.take(most.saturating_add(1)).read_to_end(&mut content));
    let read = read.map_err(|source| Error::file(path, source))?;
    if read as u64 > most {
        return Err(too_long(path, "goes on", most));
    }
    Ok(content)
}

/// [`read_whole`] as text. Errs with [`Error::Malformed`] where it is not UTF-8.
pub fn read_text(path: &Path, most: u64) -> Result<String> {
    text(path, read_whole(path, most)?)
}

pub(super) fn text(path: &Path, bytes: Vec<u8>) -> Result<String> {
    let not_text = |failure: std::string::FromUtf8Error| {
        let place = failure.utf8_error().valid_up_to();
        Error::malformed(path, format!("is no text: byte {place} is not UTF-8"))
    };
    String::from_utf8(bytes).map_err(not_text)
}

/// Opens a file as [`read_whole`] does, to read it in parts.
pub fn open_regular(path: &Path) -> Result<File> {
    let io = |source| Error::file(path, source);
    check(Operation::Read, path).map_err(io)?;
    // looked at before it is opened: opening a pipe waits for its other end
    let before = path.metadata().map_err(io)?;
    refuse_unless_regular(path, &before)?;
    let file = File::open(path).map_err(io)?;
    refuse_unless_regular(path, &file.metadata().map_err(io)?)?;
    Ok(file)
}

fn refuse_unless_regular(path: &Path, found: &Metadata) -> Result<()> {
    if found.is_file() || (!found.is_dir() && is_given_open(path)) {
        return Ok(());
    }
    let kind = if found.is_dir() { "a folder" } else { other_kind(found) };
    Err(Error::malformed(path, format!("is {kind}; name a regular file")))
}

/// The path is a descriptor that this process was started with, which no longer needs anybody to be opened.
fn is_given_open(path: &Path) -> bool {
    ["/dev/fd", "/proc/self/fd"].iter().any(|folder| path.starts_with(folder)) || path == Path::new("/dev/stdin")
}

#[cfg(unix)]
fn other_kind(found: &Metadata) -> &'static str {
    use std::os::unix::fs::FileTypeExt;
    let kind = found.file_type();
    if kind.is_fifo() {
        "a pipe"
    } else if kind.is_socket() {
        "a socket"
    } else {
        "a device"
    }
}

#[cfg(not(unix))]
fn other_kind(_: &Metadata) -> &'static str {
    "a device"
}

fn too_long(path: &Path, found: &str, most: u64) -> Error {
    Error::malformed(path, format!("{found}, more than the {most} bytes that such a file can have"))
}

/// The beginning of a text from a file, for an error: short, and without characters that do something to a terminal.
pub fn shown(text: &str) -> String {
    let mut start: String = text
        .chars()
        .take(SHOWN)
        .flat_map(|c| {
            // quotes stay as they are
            let plain = matches!(c, '\'' | '"' | '\\');
            if plain { vec![c] } else { c.escape_debug().collect() }
        })
        .take(2 * SHOWN)
        .collect();
    if text.chars().nth(SHOWN).is_some() {
        start.push('…');
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_beyond_its_limit_is_not_read() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("long");
        std::fs::write(&path, "0123456789").unwrap();
        assert_eq!(read_whole(&path, 10).unwrap(), b"0123456789");
        let text = read_whole(&path, 9).unwrap_err().to_string();
        assert!(text.contains("10 bytes, more than the 9 bytes"), "{text}");
        File::create(&path).unwrap().set_len(1 << 33).unwrap(); // a hole
        assert!(read_whole(&path, 1 << 30).unwrap_err().to_string().contains("8589934592 bytes"));
        std::fs::write(&path, b"fine\xff").unwrap();
        assert!(read_text(&path, 9).unwrap_err().to_string().contains("byte 4 is not UTF-8"));
    }

    #[test]
    fn what_is_no_file_is_named_and_nobody_waits_for_it() {
        let folder = tempfile::tempdir().unwrap();
        assert!(read_whole(folder.path(), 9).unwrap_err().to_string().contains("is a folder; name a regular file"));
        #[cfg(target_os = "linux")]
        {
            for endless in ["/dev/zero", "/dev/urandom"] {
                assert!(read_whole(Path::new(endless), 9).unwrap_err().to_string().contains("is a device"));
            }
            let pipe = folder.path().join("pipe");
            let made = std::process::Command::new("mkfifo").arg(&pipe).status();
            assert!(made.unwrap().success());
            assert!(read_whole(&pipe, 9).unwrap_err().to_string().contains("is a pipe"));
            let socket = folder.path().join("socket");
            let _held = std::os::unix::net::UnixListener::bind(&socket).unwrap();
            assert!(read_whole(&socket, 9).unwrap_err().to_string().contains("is a socket"));
        }
    }

    #[test]
    fn what_an_error_repeats_of_a_file_is_short_and_harmless() {
        assert_eq!(shown("'<f8' \"x\""), "'<f8' \"x\"");
        let text = shown(&("\u{1b}[2J".to_string() + &"x".repeat(1 << 20)));
        assert!(text.chars().count() <= 2 * SHOWN + 1 && !text.contains('\u{1b}') && text.ends_with('…'), "{text}");
    }
}
