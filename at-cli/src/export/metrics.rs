//! `metrics.csv`: one row per method and epoch.

use anyhow::{Context, Result};
use at_core::files::own;
use at_core::training::{MethodName, Record};
use serde::{Deserialize, Serialize};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

/// A row. Numbers are written so that they read back as the same bits.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    /// The method.
    pub method: MethodName,
    /// From 1.
    pub epoch: usize,
    /// The step size in it.
    pub learning_rate: f64,
    /// As the method saw it.
    pub train_loss: f64,
    /// As the method saw it.
    pub train_accuracy: f64,
    /// Of the chip, after the epoch.
    pub test_loss: f64,
    /// Of the chip, after the epoch.
    pub test_accuracy: f64,
    /// Values read from the chip so far.
    pub chip_reads: u64,
    /// Hidden values written into the chip so far.
    pub chip_injections: u64,
    /// Controls written so far.
    pub control_writes: u64,
    /// Samples sent forward through digital models so far.
    pub digital_passes: u64,
    /// Samples whose error was carried back through digital models so far.
    pub digital_backward_passes: u64,
    /// Real operations of digital models so far.
    pub digital_flops: u64,
    /// The chip's number.
    #[serde(default)]
    pub chip_seed: u64,
    /// Time spent on this method so far.
    pub wall_seconds: f64,
}

impl Row {
    /// The row of `record`, reached after `wall_seconds`; `first` is the number of the first of the chips that share a model.
    pub fn new(record: &Record, first: u64, wall_seconds: f64) -> Self {
        Row {
            method: record.method,
            chip_seed: first + record.chip as u64,
            epoch: record.epoch,
            learning_rate: record.learning_rate,
            train_loss: record.train_loss,
            train_accuracy: record.train_accuracy,
            test_loss: record.test_loss,
            test_accuracy: record.test_accuracy,
            chip_reads: record.accesses.reads,
            chip_injections: record.accesses.injections,
            control_writes: record.accesses.control_writes,
            digital_passes: record.accesses.digital_passes,
            digital_backward_passes: record.accesses.digital_backward_passes,
            digital_flops: record.accesses.digital_flops,
            wall_seconds,
        }
    }
}

/// The file of a run that is going on, which grows by the rows that are new.
pub struct Table {
    path: PathBuf,
    /// The bytes in it.
    length: u64,
    /// The rows in it.
    rows: usize,
}

impl Table {
    /// Replaces the file by these rows.
    pub fn create(path: &Path, rows: &[Row]) -> Result<Self> {
        let text = text(rows, true)?;
        own::write(path, |draft| draft.write_all(&text)).context("the table of records")?;
        Ok(Table { path: path.to_path_buf(), length: text.len() as u64, rows: rows.len() })
    }

    /// Appends those of `rows`, all that there are, which it lacks.
    pub fn complete(&mut self, rows: &[Row]) -> Result<()> {
        let text = text(&rows[self.rows..], false)?;
        if !text.is_empty() {
            own::append(&self.path, self.length, &text).context("the table of records")?;
            self.length += text.len() as u64;
            self.rows = rows.len();
        }
        Ok(())
    }
}

fn text(rows: &[Row], heading: bool) -> Result<Vec<u8>> {
    let mut csv = csv::WriterBuilder::new().has_headers(heading).from_writer(Vec::new());
    rows.iter().try_for_each(|row| csv.serialize(row)).context("the table of records")?;
    csv.into_inner().context("the table of records")
}

/// Reads the rows of an earlier run; none where there is no file. A last line without its end, which a killed process was about to
/// write, is none.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    let bytes = match own::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error).with_context(|| path.display().to_string()),
    };
    let whole = bytes.iter().rposition(|&byte| byte == b'\n').map_or(0, |end| end + 1);
    csv::Reader::from_reader(&bytes[..whole])
        .deserialize()
        .collect::<Result<_, _>>()
        .with_context(|| format!("{} is damaged; delete it, and only the times in it are lost", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_read_back_bit_by_bit() {
        let row = Row {
            method: MethodName::PatOutput,
            chip_seed: 5,
            epoch: 3,
            learning_rate: 0.1 + 0.2,
            train_loss: 1.0 / 3.0,
            train_accuracy: 1e-300,
            test_loss: 2.1 / 0.9,
            test_accuracy: 1.0,
            chip_reads: u64::MAX,
            chip_injections: 0,
            control_writes: 7,
            digital_passes: 8,
            digital_backward_passes: 9,
            digital_flops: 10,
            wall_seconds: 0.1,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        assert_eq!(read(&path).unwrap(), []);
        Table::create(&path, &[row.clone(), row.clone()]).unwrap();
        assert_eq!(read(&path).unwrap(), [row.clone(), row]);
        std::fs::write(&path, "method,epoch\nat,one\n").unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("damaged"));
    }

    #[test]
    fn a_table_grows_by_what_is_new_and_loses_a_torn_row() {
        let row = |epoch| Row { epoch, ..Row::new(&record(), 0, 0.25) };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let rows: Vec<Row> = (1..=5).map(row).collect();
        let mut table = Table::create(&path, &rows[..1]).unwrap();
        let first = std::fs::read(&path).unwrap();
        table.complete(&rows[..3]).unwrap();
        table.complete(&rows[..3]).unwrap();
        assert!(std::fs::read(&path).unwrap().starts_with(&first));
        assert_eq!(read(&path).unwrap(), rows[..3]);
        // a process that was killed while it wrote row 4 left half of it
        std::fs::write(&path, [&std::fs::read(&path).unwrap()[..], b"at,4,0.1"].concat()).unwrap();
        assert_eq!(read(&path).unwrap(), rows[..3]);
        table.complete(&rows).unwrap();
        assert_eq!(read(&path).unwrap(), rows);
        std::fs::write(&path, "method,epo").unwrap();
        assert_eq!(read(&path).unwrap(), []);
    }

    fn record() -> Record {
        Record {
            method: MethodName::At,
            chip: 0,
            epoch: 0,
            learning_rate: 0.1,
            train_loss: 0.2,
            train_accuracy: 0.3,
            test_loss: 0.4,
            test_accuracy: 0.5,
            accesses: Default::default(),
            alignment: None,
        }
    }
}
