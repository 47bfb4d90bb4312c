//! The records of a long run beside its checkpoint, so that what a checkpoint costs does not grow with the epochs.
//!
//! A checkpoint holds fewer than `BLOCK` records, the last ones. Those before lie in `NAME.records.jsonl`, one JSON object a
//! line: whole blocks are appended, and are on the disk before the checkpoint that counts them takes its place. So whatever is
//! killed in between leaves a checkpoint whose records are all there; lines that no checkpoint counts are cut off when the run
//! goes on. How many records lie where depends on their number alone, so that equal runs leave equal files.

use super::{Checkpoint, Record};
use crate::checksum::hex;
use crate::files::own;
use crate::{Error, Result};
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Records that are appended together.
pub(super) const BLOCK: usize = 64;

/// Longest file (bytes), of some ten million records.
const LARGEST_FILE: u64 = 1 << 32;

/// What a checkpoint says of the file beside it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Earlier {
    /// Records that count.
    pub records: usize,
    /// The bytes that they take.
    bytes: u64,
    /// The MD5 sum of these, against damage.
    checksum: String,
}

/// The file of the earlier records of the checkpoint `path`.
pub fn records_file(checkpoint: &Path) -> PathBuf {
    checkpoint.with_extension("records.jsonl")
}

impl Earlier {
    /// Reads the records that lie beside `checkpoint`.
    pub fn read(&self, checkpoint: &Path) -> Result<Vec<Record>> {
        let path = records_file(checkpoint);
        let remedy = "put back a good copy of it, or delete the checkpoint beside it to train its method anew";
        let file = own::read(&path, LARGEST_FILE)?;
        let malformed = |reason: &str| Error::malformed(&path, format!("{reason}; {remedy}"));
        let counted = usize::try_from(self.bytes).ok().and_then(|bytes| file.get(..bytes));
        let counted = counted.ok_or_else(|| malformed("is cut short"))?;
        if hex(&Md5::digest(counted)) != self.checksum {
            return Err(malformed("is damaged: its checksum is not the one in the checkpoint"));
        }
        let lines = serde_json::Deserializer::from_slice(counted).into_iter();
        let records = lines.collect::<std::result::Result<Vec<Record>, _>>();
        let records = records.map_err(|failure| malformed(&failure.to_string()))?;
        records.iter().try_for_each(Record::validate).map_err(|reason| malformed(&reason))?;
        if records.len() != self.records {
            return Err(malformed(&format!("has {} records, the checkpoint counts {}", records.len(), self.records)));
        }
        Ok(records)
    }
}

/// Keeps the checkpoints of one run, one in place of the other.
pub(super) struct Journal<'a> {
    checkpoint: &'a Path,
    /// What is in the file of earlier records.
    written: usize,
    bytes: u64,
    digest: Md5,
}

impl<'a> Journal<'a> {
    /// For a run that has `records` already; what lies beside `checkpoint` is used as far as it is theirs.
    pub fn open(checkpoint: &'a Path, records: &[Record]) -> Result<Self> {
        let mut journal = Journal { checkpoint, written: 0, bytes: 0, digest: Md5::new() };
        let whole = whole_blocks(records);
        if !whole.is_empty() {
            let lines = journal.lines(whole)?;
            if own::read(&records_file(checkpoint), LARGEST_FILE).is_ok_and(|file| file.starts_with(&lines)) {
                journal.count(whole.len(), &lines);
            }
        }
        Ok(journal)
    }

    /// Replaces the checkpoint by `state`, whose own records are not looked at: they are `records`, one per epoch done and chip.
    pub fn keep(&mut self, state: &Checkpoint, records: &[Record]) -> Result<()> {
        let whole = whole_blocks(records).len();
        if whole > self.written {
            let lines = self.lines(&records[self.written..whole])?;
            let path = records_file(self.checkpoint);
            match self.written {
                0 => own::write(&path, |draft| draft.write_all(&lines))?,
                _ => own::append(&path, self.bytes, &lines)?,
            }
            self.count(whole - self.written, &lines);
        }
        let earlier = (whole > 0).then(|| Earlier {
            records: whole,
            bytes: self.bytes,
            checksum: hex(&self.digest.clone().finalize()),
        });
        state.write(self.checkpoint, earlier, &records[whole..])
    }

    fn count(&mut self, records: usize, lines: &[u8]) {
        self.written += records;
        self.bytes += lines.len() as u64;
        self.digest.update(lines);
    }

    fn lines(&self, records: &[Record]) -> Result<Vec<u8>> {
        let mut lines = Vec::new();
        for record in records {
            serde_json::to_writer(&mut lines, record)
                .map_err(|failure| Error::file(self.checkpoint, failure.into()))?;
            lines.push(b'\n');
        }
        Ok(lines)
    }
}

fn whole_blocks(records: &[Record]) -> &[Record] {
    &records[..records.len() - records.len() % BLOCK]
}
