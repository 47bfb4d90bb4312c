//! `metrics.csv`: one row per method and epoch.

use crate::export::scores;
use crate::methods;
use crate::work::seconds;
use anyhow::{Context, Result, anyhow};
use at_core::chip::Accesses;
use at_core::files::own;
use at_core::training::{MethodName, Record, Score};
use serde::{Deserialize, Serialize};
use std::io::Write;
use std::path::{Path, PathBuf};

/// Longest table (bytes), of some ten million rows.
const LARGEST_TABLE: u64 = 1 << 32;

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
    pub train_score: f64,
    /// Of the chip, after the epoch.
    pub test_loss: f64,
    /// Of the chip, after the epoch.
    pub test_score: f64,
    /// What the scores are; in the file their columns have its name.
    #[serde(skip)]
    pub judged_by: Score,
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
    /// The chip was measured in this epoch: training loss and score are those of the model.
    #[serde(default)]
    pub measuring: bool,
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
            train_score: record.train_score,
            test_loss: record.test_loss,
            test_score: record.test_score,
            judged_by: record.judged_by,
            chip_reads: record.accesses.reads,
            chip_injections: record.accesses.injections,
            control_writes: record.accesses.control_writes,
            digital_passes: record.accesses.digital_passes,
            digital_backward_passes: record.accesses.digital_backward_passes,
            digital_flops: record.accesses.digital_flops,
            wall_seconds,
            measuring: record.measuring,
        }
    }
}

impl Row {
    /// Errs where a number is none that a run writes.
    fn validate(&self) -> Result<(), String> {
        let accesses = Accesses {
            reads: self.chip_reads,
            injections: self.chip_injections,
            control_writes: self.control_writes,
            digital_passes: self.digital_passes,
            digital_backward_passes: self.digital_backward_passes,
            digital_flops: self.digital_flops,
            ..Accesses::default()
        };
        let record = Record {
            method: self.method,
            chip: 0,
            epoch: self.epoch,
            learning_rate: self.learning_rate,
            train_loss: self.train_loss,
            judged_by: self.judged_by,
            train_score: self.train_score,
            test_loss: self.test_loss,
            test_score: self.test_score,
            accesses,
            alignment: None,
            measuring: self.measuring,
        };
        methods::known(self.method)?;
        record.validate()?;
        seconds("wall_seconds", self.wall_seconds)
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

/// The rows of an `earlier` part of a run by methods that have none among `rows`.
pub fn later(rows: &[Row], earlier: &[Row]) -> Vec<Row> {
    earlier.iter().filter(|row| rows.iter().all(|own| own.method != row.method)).cloned().collect()
}

fn text(rows: &[Row], heading: bool) -> Result<Vec<u8>> {
    let mut csv = csv::WriterBuilder::new().has_headers(heading).from_writer(Vec::new());
    rows.iter().try_for_each(|row| csv.serialize(row)).context("the table of records")?;
    let text = csv.into_inner().context("the table of records")?;
    match rows.first().filter(|_| heading) {
        Some(row) => Ok(with_heading(text, row.judged_by)),
        None => Ok(text),
    }
}

/// The names of the columns of a score, generally and as they are in the file.
fn columns(score: Score) -> [(&'static str, String); 2] {
    ["train_score", "test_score"].map(|general| (general, scores::name(general, score)))
}

/// The table with its scores called by their name.
fn with_heading(text: Vec<u8>, score: Score) -> Vec<u8> {
    let end = text.iter().position(|&byte| byte == b'\n').unwrap_or(text.len());
    let mut heading = String::from_utf8_lossy(&text[..end]).into_owned();
    columns(score).into_iter().for_each(|(general, own)| heading = heading.replace(general, &own));
    [heading.as_bytes(), &text[end..]].concat()
}

/// Reads the rows of an earlier run; none where there is no file. A last line without its end, which a killed process was about to
/// write, is none.
pub fn read(path: &Path) -> Result<Vec<Row>> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let text = own::read_text(path, LARGEST_TABLE)?;
    let whole = text.rfind('\n').map_or(0, |end| end + 1);
    let mut csv = csv::Reader::from_reader(&text.as_bytes()[..whole]);
    let own = csv.headers().context(path.display().to_string())?.clone();
    let has = |score: &Score| own.iter().any(|name| name == columns(*score)[1].1);
    let score = Score::ALL.into_iter().find(has).unwrap_or_default();
    let general = |name: &str| columns(score).into_iter().find(|(_, own)| own == name).map(|(general, _)| general);
    let heading: csv::StringRecord = own.iter().map(|name| general(name).unwrap_or(name)).collect();
    let rows = csv.records().map(|row: csv::Result<csv::StringRecord>| {
        let row = Row { judged_by: score, ..row?.deserialize(Some(&heading))? };
        row.validate().map_err(|reason| anyhow!(reason))?;
        Ok(row)
    });
    rows.collect::<Result<_>>()
        .with_context(|| format!("{} is damaged; delete it, and only the times in it are lost", path.display()))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    #[test]
    fn rows_read_back_bit_by_bit() {
        let row = Row {
            method: MethodName::PatOutput,
            chip_seed: 5,
            epoch: 3,
            learning_rate: 0.1 + 0.2,
            train_loss: 1.0 / 3.0,
            judged_by: Score::Accuracy,
            train_score: 1e-300,
            test_loss: 2.1 / 0.9,
            test_score: 1.0,
            chip_reads: Accesses::MOST,
            chip_injections: 0,
            control_writes: 7,
            digital_passes: 8,
            digital_backward_passes: 9,
            digital_flops: 10,
            wall_seconds: 0.1,
            measuring: true,
        };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        assert_eq!(read(&path).unwrap(), []);
        Table::create(&path, &[row.clone(), row.clone()]).unwrap();
        assert_eq!(read(&path).unwrap(), [row.clone(), row.clone()]);
        std::fs::write(&path, "method,epoch\nat,one\n").unwrap();
        assert!(format!("{:#}", read(&path).unwrap_err()).contains("damaged"));
        type Edit<'a> = &'a dyn Fn(&mut Row);
        let edits: [(Edit, &str); 6] = [
            (&|row| row.test_score = 7.0, "test_accuracy = 7"),
            (&|row| row.train_score = f64::NAN, "train_accuracy = NaN"),
            (&|row| row.test_loss = f64::INFINITY, "test_loss = inf"),
            (&|row| row.epoch = usize::MAX, "epoch 18446744073709551615"),
            (&|row| row.chip_reads = u64::MAX, "reads"),
            (&|row| row.wall_seconds = 1e300, "wall_seconds"),
        ];
        for (edit, part) in edits {
            let mut edited = row.clone();
            edit(&mut edited);
            Table::create(&path, &[row.clone(), edited]).unwrap();
            let error = format!("{:#}", read(&path).unwrap_err());
            assert!(error.contains("damaged") && error.contains(part), "{error}");
        }
    }

    #[test]
    fn a_table_with_a_loss_that_is_no_number_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("metrics.csv");
        let heading = "method,epoch,learning_rate,train_loss,train_accuracy,test_loss,test_accuracy,chip_reads,\
                       chip_injections,control_writes,digital_passes,digital_backward_passes,digital_flops,wall_seconds";
        for (loss, right) in [("0.5", true), ("NaN", false), ("inf", false)] {
            std::fs::write(&path, format!("{heading}\nat,1,0.1,{loss},0.5,0.5,0.5,0,0,0,0,0,0,1.0\n")).unwrap();
            assert_eq!(read(&path).is_ok(), right, "{loss}: {:?}", read(&path));
        }
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

    /// A run of two methods that was killed in the second, resumed, and killed again before that one's turn.
    #[test]
    fn rows_of_methods_whose_turn_is_still_to_come_stay_in_the_table() {
        let row = |method, epoch| Row { method, epoch, ..Row::new(&record(), 0, 0.25) };
        let earlier = [row(MethodName::At, 1), row(MethodName::At, 2), row(MethodName::Pat, 1)];
        assert_eq!(later(&earlier[..2], &earlier), earlier[2..]);
        assert_eq!(later(&earlier, &earlier), []);
        let again = [row(MethodName::At, 1), row(MethodName::Pat, 1)];
        assert_eq!(later(&again, &earlier), [], "at begins anew: its second epoch is trained again");
    }

    /// Of an epoch.
    pub fn record() -> Record {
        Record {
            method: MethodName::At,
            chip: 0,
            epoch: 0,
            learning_rate: 0.1,
            train_loss: 0.2,
            judged_by: Score::Accuracy,
            train_score: 0.3,
            test_loss: 0.4,
            test_score: 0.5,
            accesses: Default::default(),
            alignment: None,
            measuring: false,
        }
    }
}
