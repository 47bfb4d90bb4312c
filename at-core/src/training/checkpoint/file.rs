//! The form of a checkpoint's file, both ways.

use super::{CONTROLS, Checkpoint, MODEL, SavedParameters};
use crate::chip::{Accesses, State};
use crate::files::own;
use crate::network::Identity;
use crate::stage::ControlArray;
use crate::training::Record;
use crate::training::journal::Earlier;
use crate::training::methods::MethodName;
use crate::{Error, Result};
use md5::{Digest, Md5};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde::{Deserialize, Serialize};
use std::borrow::Cow;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

const VERSION: u32 = 4;
const OLDEST: u32 = 2;
const METADATA: &str = "asyt-checkpoint";
const CHECKSUM: &str = "checksum";

/// The file's metadata.
#[derive(Serialize, Deserialize)]
struct Header {
    version: u32,
    fingerprint: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    network: Option<Identity>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arrays: Vec<ControlArray>,
    method: MethodName,
    epoch: usize,
    chip: State,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    others: Vec<State>,
    #[serde(default)]
    shared: Accesses,
    /// Whether there is a tensor of every chip's drift.
    drifted: bool,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    arithmetic: Vec<String>,
    #[serde(default = "alone", skip_serializing_if = "is_alone")]
    ranks: usize,
    /// Records that lie beside this file, if there are any.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    earlier: Option<Earlier>,
    /// Those after them.
    records: Vec<Record>,
    parameters: Vec<Entry>,
}

fn alone() -> usize {
    1
}

fn is_alone(ranks: &usize) -> bool {
    *ranks == 1
}

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    step: u64,
    moments: usize,
    /// Its values are cut into the header's arrays.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    cut: bool,
}

impl Header {
    /// Errs where a number is none that a run leaves.
    fn validate(&self) -> std::result::Result<(), String> {
        self.records.iter().try_for_each(Record::validate)?;
        self.shared.validate()?;
        let most = Accesses::MOST;
        for State { accesses, passes, programmings, .. } in std::iter::once(&self.chip).chain(&self.others) {
            accesses.validate()?;
            if *passes.max(programmings) > most {
                return Err(format!("{passes} passes and {programmings} programmings are not valid: at most {most}"));
            }
        }
        let wrong = self.parameters.iter().find(|entry| entry.step > most);
        wrong.map_or(Ok(()), |entry| Err(format!("{}: {} steps are not valid: at most {most}", entry.name, entry.step)))
    }
}

impl Checkpoint {
    /// The states of all chips.
    fn chips(&self) -> impl Iterator<Item = &State> {
        std::iter::once(&self.chip).chain(&self.others)
    }

    /// Writes the file with these records in the place of its own.
    pub(in crate::training) fn write(&self, path: &Path, earlier: Option<Earlier>, records: &[Record]) -> Result<()> {
        let header = serde_json::to_string(&Header {
            version: VERSION,
            fingerprint: self.fingerprint.clone(),
            network: self.network.clone(),
            arrays: self.arrays.clone(),
            method: self.method,
            epoch: self.epoch,
            chip: self.chip.clone(),
            others: self.others.clone(),
            shared: self.shared,
            drifted: !self.chip.drifted.is_empty(),
            arithmetic: self.arithmetic.clone(),
            ranks: self.ranks,
            earlier,
            records: records.to_vec(),
            parameters: self.parameters.iter().map(|saved| saved.entry(&self.arrays)).collect(),
        })
        .map_err(|failure| Error::file(path, failure.into()))?;
        let mut tensors: Vec<(ControlArray, Cow<'_, [u8]>)> = Vec::new();
        for saved in &self.parameters {
            let (entry, mut rest) = (saved.entry(&self.arrays), &saved.values[..]);
            for Tensor { name, shape } in entry.values(&self.arrays) {
                let shape = shape.unwrap_or_else(|| vec![rest.len()]);
                let (own, others) = rest.split_at(shape.iter().product());
                tensors.push((ControlArray { name, shape }, to_bytes(own)));
                rest = others;
            }
            let moments = entry.moments().zip(&saved.moments);
            tensors.extend(
                moments.map(|(tensor, moment)| (ControlArray::new(&tensor.name, [moment.len()]), to_bytes(moment))),
            );
        }
        for (index, chip) in self.chips().enumerate().filter(|(_, chip)| !chip.drifted.is_empty()) {
            tensors.push((ControlArray::new(&drifted(index), [chip.drifted.len()]), to_bytes(&chip.drifted)));
        }
        let checksum = checksum(&header, tensors.iter().map(|(_, bytes)| &bytes[..]));
        let views = tensors
            .iter()
            .map(|(array, bytes)| (array.name.clone(), Dtype::F64, array.shape.clone(), &bytes[..]))
            .chain([(CHECKSUM.to_string(), Dtype::U8, vec![checksum.len()], checksum.as_slice())])
            .map(|(name, kind, shape, bytes)| TensorView::new(kind, shape, bytes).map(|view| (name, view)))
            .collect::<std::result::Result<Vec<_>, _>>();
        let file = views
            .and_then(|views| safetensors::serialize(views, Some(HashMap::from([(METADATA.to_string(), header)]))))
            .map_err(|failure| Error::malformed(path, format!("cannot be written: {failure}")))?;
        own::write(path, |draft| draft.write_all(&file))
    }

    /// The file's own content, and what it says of the file beside it.
    pub(super) fn parts(file: &[u8]) -> std::result::Result<(Self, Option<Earlier>), String> {
        let foreign = |failure: safetensors::SafeTensorError| format!("is no whole checkpoint: {failure}");
        let (_, metadata) = SafeTensors::read_metadata(file).map_err(foreign)?;
        let text = metadata.metadata().as_ref().and_then(|entries| entries.get(METADATA));
        let text = text.ok_or_else(|| format!("is no checkpoint: has no entry {METADATA}"))?;
        let version: Version = serde_json::from_str(text).map_err(|failure| format!("{METADATA}: {failure}"))?;
        if !(OLDEST..=VERSION).contains(&version.version) {
            return Err(format!("has format version {}, this program reads {OLDEST} to {VERSION}", version.version));
        }
        let header: Header = serde_json::from_str(text).map_err(|failure| format!("{METADATA}: {failure}"))?;
        let tensors = SafeTensors::deserialize(file).map_err(foreign)?;
        let tensor = |Tensor { name, shape }: &Tensor, kind: Dtype| match tensors.tensor(name) {
            Ok(view)
                if view.dtype() == kind
                    && shape.as_ref().map_or(view.shape().len() == 1, |shape| view.shape() == shape) =>
            {
                Ok(view.data())
            }
            Ok(view) => {
                let shape = shape.as_ref().map_or("of one dimension".to_string(), |shape| format!("{shape:?}"));
                Err(format!("{name}: {:?} {:?} where {kind:?} {shape} belongs", view.dtype(), view.shape()))
            }
            Err(_) => Err(format!("has no tensor {name}")),
        };
        let chips = 1 + header.others.len();
        let values: Vec<Vec<Tensor>> = header.parameters.iter().map(|entry| entry.values(&header.arrays)).collect();
        let moments = header.parameters.iter().map(|entry| entry.moments().collect::<Vec<_>>());
        let drifts = (0..if header.drifted { chips } else { 0 }).map(|index| Tensor::whole(drifted(index)));
        let names: Vec<Tensor> = values
            .iter()
            .cloned()
            .zip(moments)
            .flat_map(|(own, moments)| own.into_iter().chain(moments))
            .chain(drifts)
            .collect();
        let vectors = names.iter().map(|name| tensor(name, Dtype::F64)).collect::<std::result::Result<Vec<_>, _>>()?;
        if tensor(&Tensor::whole(CHECKSUM.to_string()), Dtype::U8)? != checksum(text, vectors.iter().copied()) {
            return Err("is damaged: its checksum does not fit".to_string());
        }
        let beside = header.earlier.as_ref().map_or(0, |earlier| earlier.records);
        let records = header.records.len().checked_add(beside);
        if records.is_none() || header.epoch.checked_mul(chips) != records {
            return Err(format!("has {} + {beside} records of {} epochs", header.records.len(), header.epoch));
        }
        header.validate()?;
        for (Tensor { name, .. }, bytes) in names.iter().zip(&vectors) {
            let (numbers, _) = bytes.as_chunks::<8>();
            // a squared slope may have left the range of f32, and then its control rests
            let wrong = |value: f64| value.is_nan() || (value.is_infinite() && !name.contains(".moment."));
            let mut values = numbers.iter().map(|number| f64::from_le_bytes(*number)).enumerate();
            if let Some((at, value)) = values.find(|(_, value)| wrong(*value)) {
                return Err(format!("{name}: entry {at} is {value}, which no training leaves"));
            }
        }
        let mut vectors = vectors.into_iter().map(from_bytes);
        let parameters =
            header.parameters.into_iter().zip(values).map(|(Entry { name, step, moments, .. }, own)| SavedParameters {
                name,
                step,
                values: vectors.by_ref().take(own.len()).flatten().collect(),
                moments: vectors.by_ref().take(moments).collect(),
            });
        let parameters = parameters.collect();
        let mut with_drift = |state: State| State { drifted: vectors.next().unwrap_or_default(), ..state };
        let checkpoint = Checkpoint {
            parameters,
            chip: with_drift(header.chip),
            others: header.others.into_iter().map(with_drift).collect(),
            shared: header.shared,
            fingerprint: header.fingerprint,
            network: header.network,
            arrays: header.arrays,
            method: header.method,
            epoch: header.epoch,
            records: header.records,
            arithmetic: header.arithmetic,
            ranks: header.ranks,
        };
        Ok((checkpoint, header.earlier))
    }
}

/// What every version of the format begins with.
#[derive(Deserialize)]
struct Version {
    version: u32,
}

/// More moments than any optimizer has; a greater number is damage.
const MOST_MOMENTS: usize = 8;

/// A tensor of the file.
#[derive(Clone)]
struct Tensor {
    name: String,
    /// None: of one dimension.
    shape: Option<Vec<usize>>,
}

impl Tensor {
    fn whole(name: String) -> Self {
        Tensor { name, shape: None }
    }
}

impl Entry {
    /// The tensors of its values.
    fn values(&self, arrays: &[ControlArray]) -> Vec<Tensor> {
        if !self.cut {
            return vec![Tensor::whole(self.name.clone())];
        }
        let prefix = if self.name == CONTROLS { String::new() } else { format!("{}.", self.name) };
        let named =
            |array: &ControlArray| Tensor { name: format!("{prefix}{}", array.name), shape: Some(array.shape.clone()) };
        arrays.iter().map(named).collect()
    }

    /// The tensors of its moments.
    fn moments(&self) -> impl Iterator<Item = Tensor> + '_ {
        (0..self.moments.min(MOST_MOMENTS)).map(|k| Tensor::whole(format!("{}.moment.{k}", self.name)))
    }
}

/// The tensor of the drift of chip number `index`.
fn drifted(index: usize) -> String {
    if index == 0 { "chip.drifted".to_string() } else { format!("chip.{index}.drifted") }
}

impl SavedParameters {
    /// What the header says of it where the network's controls are cut into `arrays`.
    fn entry(&self, arrays: &[ControlArray]) -> Entry {
        let count = arrays.iter().try_fold(0_usize, |sum, array| sum.checked_add(array.count()?));
        let is_theirs = [CONTROLS, MODEL].contains(&self.name.as_str()) && !arrays.is_empty();
        let cut = is_theirs && count == Some(self.values.len());
        Entry { name: self.name.clone(), step: self.step, moments: self.moments.len(), cut }
    }
}

fn checksum<'a>(header: &'a str, tensors: impl Iterator<Item = &'a [u8]>) -> [u8; 16] {
    let mut digest = Md5::new();
    for part in std::iter::once(header.as_bytes()).chain(tensors) {
        digest.update((part.len() as u64).to_le_bytes());
        digest.update(part);
    }
    digest.finalize().into()
}

/// As they lie in memory, where that is as they lie in files.
fn to_bytes(values: &[f64]) -> Cow<'_, [u8]> {
    match cfg!(target_endian = "little") {
        true => Cow::Borrowed(bytemuck::cast_slice(values)),
        false => values.iter().flat_map(|value| value.to_le_bytes()).collect(),
    }
}

fn from_bytes(bytes: &[u8]) -> Vec<f64> {
    bytes.chunks_exact(8).map(|eight| f64::from_le_bytes(eight.try_into().expect("eight bytes"))).collect()
}
