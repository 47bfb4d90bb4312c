//! Several runs in one picture, above the sections of each.

use super::page::Page;
use crate::comparison::{self, Request};
use crate::export::chart::{Chart, Curve, Interval, Mark};
use crate::export::look::Look;
use crate::export::scores::{self, headed, shown};
use crate::session::plot;
use crate::trained::RunFiles;
use anyhow::Result;
use at_core::training::{MethodName, Score};
use std::path::{Path, PathBuf};

/// The scores of one method over the epochs: of a run of `asyt train`, or the mean over the chips of a comparison.
struct Course {
    run: String,
    /// Which of the runs.
    index: usize,
    method: MethodName,
    judged_by: Score,
    points: Vec<(f64, f64)>,
}

/// Adds a picture and a table of all `runs` that are judged alike, for each score that at least two of them have.
pub fn together(page: &mut Page, runs: &[PathBuf], data_dir: Option<&Path>) -> Result<()> {
    let mut courses = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        courses.extend(of(index, run, data_dir)?);
    }
    let mut headed_once = false;
    for by in Score::ALL {
        let own: Vec<&Course> = courses.iter().filter(|course| course.judged_by == by).collect();
        if own.iter().all(|course| course.index == own[0].index) {
            continue;
        }
        if !headed_once {
            page.heading(1, "All runs together");
            headed_once = true;
        }
        let last = own.iter().flat_map(|course| &course.points).map(|point| point.0).fold(1.0, f64::max);
        let chart = Chart {
            x: plot::epochs(last as usize),
            y: plot::axis(by, own.iter().flat_map(|course| &course.points).map(|point| point.1)),
            curves: own.iter().map(|course| course.curve()).collect(),
            ..Chart::default()
        };
        let caption = format!("{} on the test samples after every epoch, run by run.", scores::title(by));
        page.figure(&format!("together-{by}"), &chart.picture(page.sheet()), &caption)?;
        let row = |course: &&Course| {
            let (epoch, score) = course.points.last().copied().unwrap_or_default();
            vec![course.label(), shown(by, score / by.in_unit(1.0)), format!("{epoch}")]
        };
        page.table(&["run and method", &headed(by, "test"), "epochs"], &own.iter().map(row).collect::<Vec<_>>());
    }
    Ok(())
}

impl Course {
    fn label(&self) -> String {
        format!("{}: {}", self.run, self.method)
    }

    /// The method by its colour, the run by dashes and marks.
    fn curve(&self) -> Curve {
        let look = Look { colour: Look::from(self.method).colour, ..Look::nth(self.index) };
        let points = self.points.clone();
        Curve { label: self.label(), look, mark: Mark::Last, points, interval: Interval::None }
    }
}

fn of(index: usize, run: &Path, data_dir: Option<&Path>) -> Result<Vec<Course>> {
    let name = run.file_name().map_or_else(|| run.display().to_string(), |name| name.to_string_lossy().into_owned());
    let mut courses = Vec::new();
    if Request::path(run).exists() {
        let finished = comparison::read(run, data_dir).map_err(crate::failure::Failure::into_error)?;
        let (true, [results]) = (finished.report.vary.is_empty(), &finished.results[..]) else {
            return Ok(courses); // a sweep has a picture over what varies, and no course of its own
        };
        let by = finished.report.judged_by;
        for method in finished.report.points.iter().flat_map(|point| &point.methods) {
            let own: Vec<_> = results.iter().filter(|result| result.method == method.method).collect();
            let epochs = own.iter().map(|result| result.records.len()).min().unwrap_or(0);
            let mean = |epoch: usize| {
                let sum: f64 = own.iter().map(|result| result.records[epoch].test_score).sum();
                ((epoch + 1) as f64, by.in_unit(sum / own.len() as f64))
            };
            let points = (0..epochs).map(mean).collect();
            courses.push(Course { run: name.clone(), index, method: method.method, judged_by: by, points });
        }
        return Ok(courses);
    }
    let files = RunFiles::begun(run, data_dir)?;
    let by = files.summary.judged_by;
    for method in files.methods() {
        // of chips that share a model, the first
        let first = files.rows.iter().find(|row| row.method == method).map(|row| row.chip_seed);
        let own = files.rows.iter().filter(|row| row.method == method && Some(row.chip_seed) == first);
        let points = own.map(|row| (row.epoch as f64, by.in_unit(row.test_score))).collect();
        courses.push(Course { run: name.clone(), index, method, judged_by: by, points });
    }
    Ok(courses)
}
