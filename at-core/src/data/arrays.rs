//! Samples in NumPy arrays: what the axes of features and the elements of labels mean.

use super::features::Features;
use super::label_column::TargetColumns;
use super::parts::{Labels, Piece};
use super::stored::{Arrangement, Block, Bytes, Stored};
use super::table::{MOST_CLASSES, Wanted, is_label};
use crate::error::{Error, Result};
use crate::files::npy::{BYTE, Element, Kind, NpyArray, NpyHead};
use crate::files::whole::shown;
use crate::image_shape::ImageShape;
use std::collections::HashMap;
use std::path::Path;

/// Features, in memory or to be read in parts.
pub(crate) enum Table {
    /// All of them.
    Held(NpyArray),
    /// Where they lie, and from which byte on.
    Stored(NpyHead, Bytes, u64),
}

impl Table {
    fn shape(&self) -> &[usize] {
        match self {
            Table::Held(array) => array.shape(),
            Table::Stored(head, ..) => &head.shape,
        }
    }

    fn element(&self) -> Element {
        match self {
            Table::Held(array) => array.element(),
            Table::Stored(head, ..) => head.element,
        }
    }
}

/// An array with the place that an error names.
pub(crate) struct Named<'a, A = NpyArray> {
    /// The array.
    pub array: A,
    /// Its file.
    pub path: &'a Path,
    /// Its name in an archive.
    pub name: Option<String>,
}

impl<A> Named<'_, A> {
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

/// The samples of features `x` and labels or targets `y`, how features lay, and what of their shape makes one doubt. `names` are those of the classes.
pub(crate) fn piece<'a>(
    x: Named<'a, Table>,
    y: &Named,
    wanted: Wanted,
    names: Option<Vec<String>>,
) -> Result<(Piece<'a>, Arrangement, Option<String>)> {
    let element = x.array.element();
    let shape = shape(x.array.shape(), element).map_err(|reason| x.malformed(&reason))?;
    let others = y.array.shape().first().copied().unwrap_or(0);
    if others != shape.samples {
        let reason = format!("it holds {others} samples, and {} holds {}", x.called(), shape.samples);
        return Err(y.malformed(&reason));
    }
    let (labels, targets) = match wanted {
        Wanted::Classes(_) => (classes(&y.array).map_err(|reason| y.malformed(&reason))?, 0),
        Wanted::Real(columns) => values(&y.array, columns).map_err(|reason| y.malformed(&reason))?,
    };
    let Shape { width, image, arrangement, ref doubt, .. } = shape;
    let (doubt, path) = (doubt.clone(), x.path);
    let features = features(x, shape)?;
    let complex = element.kind() == Kind::Complex;
    Ok((Piece { features, width, complex, labels, targets, image, names, by_column: false, path }, arrangement, doubt))
}

/// The features of `x`, channels first, all of which are finite.
fn features(x: Named<Table>, shape: Shape) -> Result<Features> {
    let Shape { samples, width, arrangement, .. } = shape;
    let Named { array, path, name } = x;
    let named = |reason: &str| Named { array: (), path, name: name.clone() }.malformed(reason);
    let element = array.element();
    let reals = element.reals().max(1);
    let place = |at: usize| format!("sample {}, feature {}", at / (reals * width), at % (reals * width) / reals);
    match array {
        Table::Held(array) => {
            let read = if element.kind() == Kind::Complex { array.complex_singles() } else { array.singles() };
            let mut values = read.map_err(|reason| named(&reason))?;
            drop(array);
            finite(&values, place).map_err(|reason| named(&reason))?;
            arrangement.arrange(&mut values, width, reals);
            Ok(Features::Held(values))
        }
        Table::Stored(head, bytes, start) => {
            if head.fortran && head.shape.len() > 1 {
                return Err(named(
                    "it is in column-major order, and samples that are read in parts lie one behind the other; save it in C order",
                ));
            }
            if u32::try_from(samples).is_err() {
                return Err(named(&format!("it holds {samples} samples, and fewer than 2^32 are read")));
            }
            let step = width * element.bytes();
            let path = path.to_path_buf();
            let block = Block { path, bytes, start, step, samples, elements: width, element, arrangement };
            let features = Features::Stored(Stored::new(vec![block]));
            if !matches!(element.kind(), Kind::Whole | Kind::Boolean) {
                let (mut sample, mut fault) = (0, None);
                features.for_each(reals * width, |values| {
                    let first = sample * reals * width;
                    fault = fault.take().or_else(|| finite(values, |at| place(first + at)).err());
                    sample += 1;
                })?;
                fault.map_or(Ok(()), |reason| Err(named(&reason)))?;
            }
            Ok(features)
        }
    }
}

fn finite(values: &[f32], place: impl Fn(usize) -> String) -> std::result::Result<(), String> {
    match values.iter().position(|value| !value.is_finite()) {
        Some(at) => Err(format!("{}: {} is not a finite number of f32", place(at), values[at])),
        None => Ok(()),
    }
}

/// The shape of the images whose features have this head.
pub(crate) fn image_of(head: &NpyHead) -> Option<ImageShape> {
    shape(&head.shape, head.element).ok()?.image
}

/// Most channels of images that have them last; of more, as deeper layers have, they come first.
const MOST_COLOURS: usize = 4;

/// What the axes of features say.
struct Shape {
    samples: usize,
    width: usize,
    image: Option<ImageShape>,
    arrangement: Arrangement,
    doubt: Option<String>,
}

/// N × width; N × H × W; N × C × H × W, or N × H × W × C where the last axis is of a colour's length and the second is not.
fn shape(axes: &[usize], element: Element) -> std::result::Result<Shape, String> {
    let mut doubt = None;
    let (samples, image, last) = match *axes {
        [samples, _] => (samples, None, None),
        [samples, height, width] => (samples, Some(ImageShape::single(height, width)), None),
        [samples, 1, height, width] | [samples, height, width, 1] => {
            (samples, Some(ImageShape::single(height, width)), None)
        }
        [samples, height, width, channels] if channels <= MOST_COLOURS && height > MOST_COLOURS => {
            (samples, Some(ImageShape { channels, height, width }), Some(channels))
        }
        [samples, channels, height, width] => {
            if width <= MOST_COLOURS {
                doubt = Some(format!(
                    "images of shape {axes:?} are taken as [sample, channel, row, column]; if the last axis holds channels, save \
                     np.moveaxis(x, -1, 1)"
                ));
            }
            (samples, Some(ImageShape { channels, height, width }), None)
        }
        [samples] => {
            return Err(format!(
                "it has one axis of {samples}; features have the shape [sample, feature]: of one feature save x.reshape(-1, 1)"
            ));
        }
        _ => {
            return Err(format!(
                "it has shape {axes:?}; features are [sample, feature], or images [sample, row, column] or [sample, channel, row, \
                 column]: save x.reshape(len(x), -1)"
            ));
        }
    };
    let width = axes[1..].iter().try_fold(1usize, |product, &length| product.checked_mul(length));
    let arrangement = Arrangement { channels_last: last, pixels: image.is_some() && element == BYTE };
    match width {
        Some(width) if width > 0 && samples > 0 => Ok(Shape { samples, width, image, arrangement, doubt }),
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
