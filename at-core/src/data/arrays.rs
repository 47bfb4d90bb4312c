//! Samples in NumPy arrays: what the axes of features and the elements of labels mean.

use super::label_column::TargetColumns;
use super::parts::{Labels, Piece};
use super::table::{MOST_CLASSES, Wanted, is_label};
use crate::error::{Error, Result};
use crate::files::npy::{Kind, NpyArray};
use crate::files::whole::shown;
use std::collections::HashMap;
use std::path::Path;

/// An array with the place that an error names.
pub(crate) struct Named<'a> {
    /// The array.
    pub array: NpyArray,
    /// Its file.
    pub path: &'a Path,
    /// Its name in an archive.
    pub name: Option<String>,
}

impl Named<'_> {
    /// What it is called in a sentence.
    pub fn called(&self) -> String {
        match &self.name {
            Some(name) => format!("'{name}'"),
            None => self.path.file_name().unwrap_or(self.path.as_os_str()).to_string_lossy().into_owned(),
        }
    }

    /// An error about it.
    pub fn malformed(&self, reason: &str) -> Error {
        let named = self.name.as_ref().map_or(String::new(), |name| format!("array {}: ", shown(name)));
        Error::malformed(self.path, format!("{named}{reason}"))
    }
}

/// The samples of features `x` and labels or targets `y`, and what of their shape makes one doubt. `names` are those of the classes.
pub(crate) fn piece<'a>(
    x: &Named<'a>,
    y: &Named,
    wanted: Wanted,
    names: Option<Vec<String>>,
) -> Result<(Piece<'a>, Option<String>)> {
    let Shape { samples, width, image, doubt } = shape(x.array.shape()).map_err(|reason| x.malformed(&reason))?;
    let others = y.array.shape().first().copied().unwrap_or(0);
    if others != samples {
        let reason = format!("it holds {others} samples, and {} holds {samples}", x.called());
        return Err(y.malformed(&reason));
    }
    let complex = x.array.kind() == Kind::Complex;
    let read = if complex { x.array.complex_singles() } else { x.array.singles() };
    let features = read.map_err(|reason| x.malformed(&reason))?;
    let reals = if complex { 2 } else { 1 };
    let place = |at: usize| format!("sample {}, feature {}", at / (reals * width), at % (reals * width) / reals);
    finite(&features, place).map_err(|reason| x.malformed(&reason))?;
    let (labels, targets) = match wanted {
        Wanted::Classes(_) => (classes(&y.array).map_err(|reason| y.malformed(&reason))?, 0),
        Wanted::Real(columns) => values(&y.array, columns).map_err(|reason| y.malformed(&reason))?,
    };
    let path = x.path;
    Ok((Piece { features, width, complex, labels, targets, image, names, by_column: false, path }, doubt))
}

fn finite(values: &[f32], place: impl Fn(usize) -> String) -> std::result::Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("{}: {} is not a finite number of f32", place(at), values[at])),
        None => Ok(()),
    }
}

/// What the axes of features say.
struct Shape {
    samples: usize,
    width: usize,
    image: Option<(usize, usize)>,
    doubt: Option<String>,
}

/// N × width, N × H × W, and N × 1 × H × W or N × H × W × 1; images of several channels are features without an image.
fn shape(axes: &[usize]) -> std::result::Result<Shape, String> {
    let (samples, image, width, doubt) = match *axes {
        [samples, width] => (samples, None, Some(width), None),
        [samples, rows, columns] | [samples, 1, rows, columns] | [samples, rows, columns, 1] => {
            (samples, Some((rows, columns)), rows.checked_mul(columns), None)
        }
        [samples, a, b, c] => {
            let width = a.checked_mul(b).and_then(|product| product.checked_mul(c));
            let doubt = format!(
                "features of shape {axes:?} are taken as {} features each and as no images, because images have one channel here",
                width.unwrap_or_default()
            );
            (samples, None, width, Some(doubt))
        }
        [samples] => {
            return Err(format!(
                "it has one axis of {samples}; features have the shape [sample, feature]: of one feature save x.reshape(-1, 1)"
            ));
        }
        _ => {
            return Err(format!(
                "it has shape {axes:?}; features are [sample, feature], or images [sample, row, column]: save x.reshape(len(x), -1)"
            ));
        }
    };
    match width {
        Some(width) if width > 0 && samples > 0 => Ok(Shape { samples, width, image, doubt }),
        Some(_) | None => Err(format!("it has shape {axes:?}: there is no sample with a feature in it")),
    }
}

/// Classes: whole numbers from 0 of any kind, truths, or words.
fn classes(y: &NpyArray) -> std::result::Result<Labels, String> {
    let axes = y.shape();
    match axes {
        [_] | [_, 1] => {}
        [_, columns] => {
            return Err(format!(
                "it has shape {axes:?}, and classes are one number or word for every sample; where a row marks one of {columns} \
                 classes, save y.argmax(axis=1); where it holds real values to be met, pass `target-columns` all"
            ));
        }
        _ => {
            return Err(format!(
                "it has shape {axes:?}, and labels are one for every sample, or real targets [sample, target]"
            ));
        }
    }
    match y.kind() {
        Kind::Text => words(y.texts()?),
        Kind::Complex => Err("its elements are complex, and neither classes nor targets are".into()),
        Kind::Boolean | Kind::Whole | Kind::Float => {
            let numbers = y.reals()?;
            if let Some(at) = numbers.iter().position(|&number| !is_label(number)) {
                let value = numbers[at];
                let remedy = match y.kind() {
                    Kind::Float => "; where these are real values to be met, pass `target-columns` all",
                    Kind::Boolean | Kind::Whole | Kind::Complex | Kind::Text => "",
                };
                return Err(format!(
                    "class {value} of sample {at} is not a whole number from 0 to {}{remedy}",
                    MOST_CLASSES - 1
                ));
            }
            Ok(Labels::Numbers(numbers.into_iter().map(|number| number as u32).collect()))
        }
    }
}

fn words(texts: Vec<String>) -> std::result::Result<Labels, String> {
    if let Some(at) = texts.iter().position(String::is_empty) {
        return Err(format!("there is no class of sample {at}"));
    }
    let (mut known, mut names, mut ids) = (HashMap::new(), Vec::new(), Vec::with_capacity(texts.len()));
    for text in texts {
        let id = *known.entry(text.clone()).or_insert_with(|| {
            names.push(text);
            names.len() as u32 - 1
        });
        if id >= MOST_CLASSES {
            return Err(format!("there are more than {MOST_CLASSES} different classes"));
        }
        ids.push(id);
    }
    Ok(Labels::Words(names, ids))
}

/// Real targets of these columns, and how many.
fn values(y: &NpyArray, columns: &TargetColumns) -> std::result::Result<(Labels, usize), String> {
    let width = match *y.shape() {
        [_] => 1,
        [_, width] if width > 0 => width,
        ref axes => return Err(format!("it has shape {axes:?}, and real targets are [sample, target]")),
    };
    let columns = columns.of_array(width)?;
    if y.kind() == Kind::Complex {
        return Err("its elements are complex, and targets are real".into());
    }
    let all = y.singles()?;
    finite(&all, |at| format!("sample {}, target {}", at / width, at % width))?;
    let values = all.chunks_exact(width).flat_map(|row| columns.iter().map(|&column| row[column])).collect();
    Ok((Labels::Real(values), columns.len()))
}
