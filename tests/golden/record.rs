//! Vectors by name, each as a checksum of its bits beside two numbers that say by how much it moved, and their comparison with
//! what was recorded.

use super::platform;
use md5::{Digest, Md5};
use serde::{Deserialize, Serialize};
use std::path::PathBuf;

/// Where another instruction set may end up: how far from the recorded numbers, relative to the vector's norm.
///
/// With AVX2 instead of AVX-512 a tenth of the numbers differ in their last bits; the largest distance is 8e-11 in double precision and
/// 1e-3 in single, after ten steps of Adam, which turns rounding of small gradients into whole steps.
const DOUBLE: f64 = 1e-8;
const SINGLE: f64 = 1e-2;

/// Most differences that a failure lists.
const LISTED: usize = 20;

const RECORD: &str = "AT_RECORD_GOLDEN";

/// How exact a vector is on another instruction set.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Precision {
    /// Counts and indices.
    Exact,
    /// `f64`.
    Double,
    /// `f32`.
    Single,
}

/// One vector x.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Entry {
    name: String,
    precision: Precision,
    count: usize,
    /// `√Σx²`.
    norm: f64,
    /// `Σ x_k cos k`, which changes when entries change places.
    projection: f64,
    /// MD5 of the entries as little-endian `f64`.
    md5: String,
}

impl Entry {
    fn new(name: &str, precision: Precision, values: &[f64]) -> Self {
        assert!(values.iter().all(|value| value.is_finite()), "{name} is not finite");
        let mut digest = Md5::new();
        values.iter().for_each(|value| digest.update(value.to_le_bytes()));
        Entry {
            name: name.to_string(),
            precision,
            count: values.len(),
            norm: values.iter().map(|x| x * x).sum::<f64>().sqrt(),
            projection: values.iter().enumerate().map(|(k, x)| x * (k as f64).cos()).sum(),
            md5: digest.finalize().iter().map(|byte| format!("{byte:02x}")).collect(),
        }
    }

    /// Why `now` is not this, if it is not.
    fn difference(&self, now: &Entry, bit_for_bit: bool) -> Option<String> {
        let name = &self.name;
        if self.count != now.count {
            return Some(format!("{name}: {} values, were {}", now.count, self.count));
        }
        let moved = [(self.norm, now.norm), (self.projection, now.projection)];
        let scale = if self.norm == 0.0 { 1.0 } else { self.norm };
        let by = moved.iter().map(|(was, is)| (was - is).abs() / scale).fold(0.0, f64::max);
        let tolerance = match self.precision {
            Precision::Exact => 0.0,
            Precision::Double => DOUBLE,
            Precision::Single => SINGLE,
        };
        let same = if bit_for_bit || tolerance == 0.0 { self.md5 == now.md5 } else { by <= tolerance };
        let [(norm, now_norm), (projection, now_projection)] = moved;
        (!same).then(|| {
            format!(
                "{name}: norm {now_norm:e}, was {norm:e}; projection {now_projection:e}, was {projection:e}; \
                 moved by {by:.1e} of the norm"
            )
        })
    }
}

/// Everything that one test pins, in order.
#[derive(Clone, Debug, Default)]
pub struct Record {
    entries: Vec<Entry>,
}

impl Record {
    /// Adds counts or indices.
    pub fn exact(&mut self, name: &str, values: &[f64]) {
        self.add(name, Precision::Exact, values);
    }

    /// Adds reals that were worked out in double precision.
    pub fn double(&mut self, name: &str, values: &[f64]) {
        self.add(name, Precision::Double, values);
    }

    /// Adds reals of an engine whose precision is `precision`: `f64` or `f32`.
    pub fn of(&mut self, precision: &str, name: &str, values: &[f64]) {
        let kind = match precision {
            "f64" => Precision::Double,
            "f32" => Precision::Single,
            other => panic!("no precision {other}"),
        };
        self.add(&format!("{name}, {precision}"), kind, values);
    }

    fn add(&mut self, name: &str, precision: Precision, values: &[f64]) {
        assert!(self.entries.iter().all(|entry| entry.name != name), "{name} is recorded twice");
        self.entries.push(Entry::new(name, precision, values));
    }

    /// What differs in `now`, a line each: bit for bit, or only what no rounding explains.
    pub fn differences(&self, now: &Record, bit_for_bit: bool) -> Vec<String> {
        let find = |record: &Record, name: &str| record.entries.iter().find(|entry| entry.name == name).cloned();
        let moved = self.entries.iter().filter_map(|was| match find(now, &was.name) {
            Some(is) => was.difference(&is, bit_for_bit),
            None => Some(format!("{}: is no longer there", was.name)),
        });
        let new = now.entries.iter().filter(|is| find(self, &is.name).is_none());
        moved.chain(new.map(|is| format!("{}: is not recorded", is.name))).collect()
    }

    /// Compares with the recorded numbers, and panics with what has moved and how to record anew. Of an instruction set, or
    /// mathematical functions, that nothing was recorded on, the comparison bears rounding and says so.
    pub fn check(&self, section: &str) {
        let here = platform::instruction_set();
        if std::env::var_os(RECORD).is_some() {
            self.write(&path(section, &here));
            return eprintln!("recorded {section} on {here}");
        }
        let own = path(section, &here);
        let (file, known) = if own.exists() { (own, true) } else { (path(section, "x86_64-avx512"), false) };
        let (recorded, functions) = Record::read(&file);
        let bit_for_bit = known && functions == platform::mathematical_functions();
        if !bit_for_bit {
            eprintln!(
                "{section}: compared up to rounding only, since nothing was recorded for {here} with this system's \
                 mathematical functions"
            );
        }
        let differences = recorded.differences(self, bit_for_bit);
        let more = differences.len().saturating_sub(LISTED);
        let listed = differences.iter().take(LISTED).map(|line| format!("\n  {line}")).collect::<String>();
        assert!(
            differences.is_empty(),
            "{} of {} numbers have moved on {here}:{listed}{}\nIf they were meant to, record them anew with\n  \
             {RECORD}=1 cargo test --workspace --test golden\nand say why in the commit (tests/golden/README.md).",
            differences.len(),
            recorded.entries.len(),
            if more > 0 { format!("\n  and {more} more") } else { String::new() },
        );
    }

    fn write(&self, path: &PathBuf) {
        let mut writer = csv::Writer::from_writer(Vec::new());
        self.entries.iter().for_each(|entry| writer.serialize(entry).expect("entries are flat"));
        let table = writer.into_inner().expect("memory");
        let mut text = format!("# mathematical functions {}\n", platform::mathematical_functions()).into_bytes();
        text.extend(table);
        std::fs::write(path, text).expect("the folder of the golden numbers can be written to");
    }

    fn read(path: &PathBuf) -> (Record, String) {
        let text = std::fs::read_to_string(path).unwrap_or_else(|failure| panic!("{}: {failure}", path.display()));
        let functions = text.lines().next().and_then(|line| line.strip_prefix("# mathematical functions "));
        let functions = functions.expect("a file begins with the mathematical functions").to_string();
        let mut reader = csv::ReaderBuilder::new().comment(Some(b'#')).from_reader(text.as_bytes());
        let entries = reader.deserialize().map(|entry| entry.expect("a table of entries")).collect();
        (Record { entries }, functions)
    }
}

fn path(section: &str, instruction_set: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/numbers");
    folder.join(format!("{section}.{instruction_set}.csv"))
}
