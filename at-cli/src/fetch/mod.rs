//! Downloads into the cache folder: every file whole and with its published checksum, or not at all.

mod mirror;
mod published;

#[cfg(test)]
mod fault_tests;
#[cfg(test)]
mod tests;

pub use mirror::Patience;
pub use published::{PublishedFile, published};

use anyhow::{Context, Result, anyhow, ensure};
use at_core::checksum::md5_hex;
use at_core::files::whole::read_whole;
use at_core::files::{self, atomic_write};
use mirror::Refusal;
use serde::Serialize;
use std::io::Write;
use std::path::{Path, PathBuf};

/// The cache folder of this user, by the system's custom; it holds a folder per data set.
pub fn cache_folder() -> Option<PathBuf> {
    directories::ProjectDirs::from("", "", "asyt").map(|folders| folders.cache_dir().to_path_buf())
}

/// Longest file of a data set (bytes).
const LARGEST_FILE: u64 = 1 << 30;

/// A file that is in the cache now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Fetched {
    /// Its name.
    pub file: &'static str,
    /// Its size.
    pub bytes: usize,
    /// Its checksum, which is the published one.
    pub md5: &'static str,
    /// The address it came from; `None` where it was there already.
    pub from: Option<String>,
}

/// What happens during a download.
pub enum Event<'a> {
    /// A mirror is asked.
    Asking(&'a str),
    /// So many bytes are there, of so many.
    Received(u64, u64),
    /// A file is there, whole; these mirrors did not give it, with their reasons.
    Ready(&'a Fetched, &'a [String]),
}

/// Puts `files` into `folder`, each from the first of the `mirrors` that gives it; those that are there stay.
///
/// Errs at the first file that no mirror gives, with every mirror's reason. Files fetched until then stay.
///
/// No mirror is waited for beyond the [`Patience`], and no address is told with its password.
pub fn fetch(
    files: &[PublishedFile],
    mirrors: &[String],
    folder: &Path,
    limits: &Patience,
    tell: &mut dyn FnMut(Event),
) -> Result<Vec<Fetched>> {
    ensure!(!mirrors.is_empty(), "there is no mirror to ask; name one with --mirror");
    let cannot = || format!("cannot write to {}; choose a folder with --cache-dir", folder.display());
    files::create_folders(folder).with_context(cannot)?;
    let client = mirror::client(limits);
    let mut fetched = Vec::new();
    for &file in files {
        let path = folder.join(file.name);
        let present = read_whole(&path, LARGEST_FILE).ok().filter(|bytes| md5_hex(bytes) == file.md5);
        let (bytes, from, refusals) = match present {
            Some(bytes) => (bytes.len(), None, Vec::new()),
            None => {
                let (bytes, url, refusals) = from_mirrors(&client, limits, file, mirrors, tell)?;
                atomic_write(&path, |writer| writer.write_all(&bytes)).with_context(cannot)?;
                (bytes.len(), Some(url), refusals)
            }
        };
        let ready = Fetched { file: file.name, bytes, md5: file.md5, from };
        tell(Event::Ready(&ready, &refusals));
        fetched.push(ready);
    }
    Ok(fetched)
}

/// The content of `file`, the address that gave it, and the reasons of the mirrors that were asked before.
fn from_mirrors(
    client: &ureq::Agent,
    limits: &Patience,
    file: PublishedFile,
    mirrors: &[String],
    tell: &mut dyn FnMut(Event),
) -> Result<(Vec<u8>, String, Vec<String>)> {
    let mut reasons = Vec::new();
    let mut reached = false;
    for mirror in mirrors {
        let url = format!("{}/{}", mirror.trim_end_matches('/'), file.name);
        let shown = mirror::without_password(&url, mirror);
        tell(Event::Asking(&shown));
        let received = &mut |bytes| tell(Event::Received(bytes, file.bytes));
        let answer = mirror::get(client, limits, &url, file.bytes, received);
        let checked = answer.and_then(|bytes| match md5_hex(&bytes) {
            sum if sum == file.md5 => Ok(bytes),
            sum => {
                Err(Refusal::Answer(format!("{} bytes with the checksum {sum} instead of {}", bytes.len(), file.md5)))
            }
        });
        match checked {
            Ok(bytes) => return Ok((bytes, shown, reasons)),
            Err(refusal) => {
                reached |= matches!(refusal, Refusal::Answer(_));
                reasons.push(format!("{shown}: {}", mirror::without_password(&refusal.to_string(), mirror)));
            }
        }
    }
    let reasons = reasons.join("; ");
    Err(if reached {
        anyhow!("no mirror gave {}: {reasons}; try again later, or name another mirror with --mirror", file.name)
    } else {
        anyhow!(
            "the network is not there, or not for us: {reasons}; connect and repeat, name a reachable --mirror, or get \
             the files in another way and pass their folder to asyt train --data-dir"
        )
    })
}
