//! What a comparison or a sweep would run, with nothing on the disk.

use super::grid::{Vary, points};
use super::request::{GridArguments, Request};
use super::run::{individual, jobs, results, work};
use super::sources::Sources;
use crate::dry_run::{described, line, memory_line, rehearse, time, together};
use crate::failure::{OrUsage, Outcome};
use crate::notes::{self, Notes};
use crate::terminal::visible;
use crate::trial::Tasks;
use crate::{activity, engines};

/// The points and cells, what the first point is, and what all of them take.
pub fn dry_run(name: &str, vary: Vec<Vary>, arguments: &GridArguments) -> Outcome<String> {
    activity::watch(arguments.quiet);
    activity::now("understanding the settings");
    let config = arguments.config.as_deref();
    let mut request = Request::new(name, vary, arguments, None).or_usage()?;
    if arguments.chips.is_none() && individual(config, arguments, &request.vary).or_usage()? {
        request.chips = 1;
    }
    let mut sources = Sources::Same(Vec::new());
    let points = points(config, &arguments.settings, &request.vary, request.chips, &mut sources)?;
    let all = work(&points, &request);
    all.check().and_then(|()| results(&points, &request).check()).or_usage()?;
    let Some(first) = points.first() else { return Ok(String::new()) };

    let mut tasks = Tasks::default();
    let task = tasks.of(first.settings.clone())?;
    let device = engines::choose(&task.plan)?;
    let data = tasks.data(&task.plan)?;
    let cells: usize = points.iter().map(|point| point.cells.len()).sum();
    let (count, chips, methods) = (points.len(), request.chips, task.plan.methods.len());
    let mut lines: Vec<String> =
        request.vary.iter().map(|vary| format!("vary     {} = {}", vary.name(), vary.values.join(", "))).collect();
    if count > 1 {
        lines.push(format!("points   {count}; the first of them:"));
    }
    lines.extend(described(&task, data, &device));
    lines.push(format!("cells    {cells} trainings: {count} points, {methods} methods, {chips} chips"));
    let most = points.iter().map(|point| point.bytes).fold(0.0, f64::max);
    let mut said = Notes::default();
    let side_by_side = jobs(arguments, &points, &mut said);
    lines.push(format!("{} for each of {side_by_side} side by side", memory_line(most)?));
    activity::now("rehearsing the methods");
    let expected = rehearse(&task, data, &device)?;
    lines.push("interface, of one chip:".to_string());
    lines.extend(expected.iter().map(line));
    // points grow as their least times do
    let of_points = points.iter().map(|point| point.work.seconds).sum::<f64>() / first.work.seconds;
    let whole = time(together(&expected).map(|seconds| seconds * chips as f64 * of_points));
    lines.push(format!("time     about {whole} of one training after the other, told from a few steps of each method"));
    let mut doubts = Vec::new();
    for point in &points {
        notes::merge(&mut doubts, point.notes.clone());
    }
    lines.extend(doubts.into_iter().map(|doubt| format!("note: {doubt}")));
    lines.push(String::new());
    Ok(visible(&lines.join("\n")).into_owned())
}
