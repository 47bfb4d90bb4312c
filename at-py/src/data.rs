//! Samples: of a data set that has a name or lies in a folder, or of arrays.

use crate::arrays::table;
use crate::failure::Raised;
use at_cli::library::{Plan, load, parse, resolved};
use at_core::data::{Dataset, ImageShape, RealTargets, Samples};
use numpy::{PyArray1, PyArray2, PyReadonlyArray1, PyReadonlyArray2};
use pyo3::prelude::*;

/// Training and test samples.
#[pyclass(frozen, module = "asyt._asyt")]
pub struct Data(pub Dataset);

fn rows<T: numpy::Element + Copy>(array: &PyReadonlyArray2<'_, T>) -> (Vec<T>, usize) {
    let array = array.as_array();
    (array.iter().copied().collect(), array.ncols())
}

fn shape((channels, height, width): (usize, usize, usize)) -> ImageShape {
    ImageShape { channels, height, width }
}

#[pymethods]
impl Data {
    /// The samples that these settings (TOML) name.
    #[staticmethod]
    fn open(py: Python<'_>, settings: &str) -> PyResult<Self> {
        py.detach(|| {
            let given = parse(settings).map_err(at_cli::library::Failure::Usage)?;
            let plan = Plan::new(resolved(&given)?.0).map_err(at_cli::library::Failure::Usage)?;
            load(&plan)
        })
        .raised()
        .map(Data)
    }

    /// Samples of classes: features `[sample, feature]`, or pairs (re, im) of `complex` ones, labels from 0.
    #[staticmethod]
    fn of_classes(
        name: String,
        train: (PyReadonlyArray2<'_, f32>, PyReadonlyArray1<'_, u32>),
        test: (PyReadonlyArray2<'_, f32>, PyReadonlyArray1<'_, u32>),
        classes: usize,
        image: Option<(usize, usize, usize)>,
        complex: bool,
    ) -> PyResult<Self> {
        let samples = |(x, y): &(PyReadonlyArray2<'_, f32>, PyReadonlyArray1<'_, u32>)| {
            let (features, reals) = rows(x);
            let width = if complex { reals / 2 } else { reals };
            Samples { features: features.into(), width, complex, labels: y.as_array().to_vec(), real: None }
        };
        let (train, test) = (samples(&train), samples(&test));
        let data = Dataset { image: image.map(shape), ..Dataset::of(&name, classes, train, test) };
        data.check().raised()?;
        Ok(Data(data))
    }

    /// Samples of real targets `[sample, target]`.
    #[staticmethod]
    fn of_values(
        name: String,
        train: (PyReadonlyArray2<'_, f32>, PyReadonlyArray2<'_, f32>),
        test: (PyReadonlyArray2<'_, f32>, PyReadonlyArray2<'_, f32>),
        image: Option<(usize, usize, usize)>,
        complex: bool,
    ) -> PyResult<Self> {
        let samples = |(x, y): &(PyReadonlyArray2<'_, f32>, PyReadonlyArray2<'_, f32>)| {
            let ((features, reals), (values, targets)) = (rows(x), rows(y));
            let width = if complex { reals / 2 } else { reals };
            let features = features.into();
            Samples { features, width, complex, labels: Vec::new(), real: Some(RealTargets { values, width: targets }) }
        };
        let (train, test) = (samples(&train), samples(&test));
        let data = Dataset { image: image.map(shape), ..Dataset::of(&name, 0, train, test) };
        data.check().raised()?;
        Ok(Data(data))
    }

    /// The name in reports.
    #[getter]
    fn name(&self) -> &str {
        &self.0.name
    }

    /// Number of classes; 0 where targets are real.
    #[getter]
    fn classes(&self) -> usize {
        self.0.classes
    }

    /// What the classes are called, where they have names.
    #[getter]
    fn class_names(&self) -> Option<Vec<String>> {
        self.0.class_names.clone()
    }

    /// (channels, rows, columns) where a sample is an image.
    #[getter]
    fn image(&self) -> Option<(usize, usize, usize)> {
        self.0.image.map(|ImageShape { channels, height, width }| (channels, height, width))
    }

    /// Samples of the training and of the test part.
    #[getter]
    fn counts(&self) -> (usize, usize) {
        (self.0.train.len(), self.0.test.len())
    }

    /// Features stay in their files, and are read in parts.
    #[getter]
    fn stored(&self) -> bool {
        self.0.is_stored()
    }

    /// What makes one doubt the samples.
    #[getter]
    fn notes(&self) -> Vec<String> {
        self.0.notes.clone()
    }

    /// Features are complex.
    #[getter]
    fn complex(&self) -> bool {
        self.0.is_complex()
    }

    /// What a reader of a result must know of the samples.
    #[getter]
    fn note(&self) -> Option<&str> {
        self.0.note.as_deref()
    }

    /// The features of the training samples (`part` 0) or of the test samples (1); of complex ones pairs (re, im).
    fn features<'py>(&self, py: Python<'py>, part: usize) -> PyResult<Bound<'py, PyArray2<f32>>> {
        let samples = self.part(part);
        let features = py.detach(|| samples.features.all().map(|features| features.into_owned())).raised()?;
        table(py, features, [samples.len(), samples.stride()])
    }

    /// Their labels, or real targets.
    fn targets<'py>(&self, py: Python<'py>, part: usize) -> PyResult<Bound<'py, PyAny>> {
        let samples = self.part(part);
        Ok(match &samples.real {
            Some(real) => table(py, real.values.clone(), [samples.len(), real.width])?.into_any(),
            None => PyArray1::from_slice(py, &samples.labels).into_any(),
        })
    }
}

impl Data {
    fn part(&self, part: usize) -> &Samples {
        if part == 0 { &self.0.train } else { &self.0.test }
    }
}
