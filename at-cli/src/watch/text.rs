//! One snapshot in lines, for a log file, a mail or a terminal that is none.

use super::snapshot::{Snapshot, State, Training};
use crate::export::columns::{TERMINAL, align, fitting, percent, wrapped};
use crate::export::scores::shown;
use crate::terminal::visible;
use crate::work::duration;
use at_core::training::Score;

/// The columns of the table and their ranks: what matters most has the lowest. Those of what is done and of its pace are named after the unit.
const COLUMNS: [(&str, u8); 8] =
    [("method", 0), ("", 0), ("test", 0), ("loss", 2), ("best", 4), ("misfit", 3), ("", 1), ("curve", 5)];

/// Characters of a curve in a line.
const CURVE: usize = 16;

/// The snapshot.
pub fn text(snapshot: &Snapshot) -> String {
    let rows = rows(snapshot, CURVE);
    let (rows, _) = fitting(&rows, &COLUMNS.map(|column| column.1), TERMINAL);
    let mut text = heading(snapshot) + "\n" + &progress(snapshot) + "\n\n" + &align(&rows, 1);
    for note in &snapshot.notes {
        text += &wrapped(&format!("note: {note}"), 2);
    }
    visible(&text).into_owned()
}

/// What it is and whether it goes on.
pub fn heading(snapshot: &Snapshot) -> String {
    let silent = match (snapshot.state, snapshot.silent) {
        (State::Running | State::Interrupted, Some(seconds)) => format!(", last written {} ago", duration(seconds)),
        (State::Finished, _) | (_, None) => String::new(),
    };
    format!("{}: {}{silent}", snapshot.title, snapshot.state.as_str())
}

/// How far it is.
pub fn progress(snapshot: &Snapshot) -> String {
    let (done, all) = snapshot.done;
    let share = if all == 0 { 0.0 } else { 100.0 * done as f64 / all as f64 };
    let left = snapshot.left.map_or(String::new(), |seconds| format!(", about {} left", duration(seconds)));
    format!("{done} of {all} {} ({share:.0} %){left}", snapshot.unit)
}

/// The table: a heading, and a row per training with a curve of so many characters.
pub fn rows(snapshot: &Snapshot, curve: usize) -> Vec<Vec<String>> {
    let mut rows = vec![COLUMNS.map(|column| column.0.to_string()).to_vec()];
    rows[0][1] = snapshot.unit.to_string();
    rows[0][6] = format!("per {}", snapshot.unit.trim_end_matches('s'));
    rows.extend(snapshot.trainings.iter().map(|training| row(snapshot, training, curve)));
    rows
}

/// The ranks of the columns of [`rows`].
pub fn ranks() -> [u8; 8] {
    COLUMNS.map(|column| column.1)
}

fn row(snapshot: &Snapshot, training: &Training, curve: usize) -> Vec<String> {
    let or_dash = |text: Option<String>| text.unwrap_or("-".to_string());
    let score = |value: Option<f64>| or_dash(value.map(|value| shown(snapshot.score, value)));
    let (done, all) = training.done;
    vec![
        training.label.clone(),
        format!("{done}/{all}"),
        score(training.test),
        or_dash(training.loss.map(|loss| format!("{loss:.4}"))),
        score(training.best),
        or_dash(training.misfit.map(percent)),
        or_dash(training.pace.map(pace)),
        format!("{:<curve$}", spark(snapshot.score, &training.scores, curve)),
    ]
}

/// Seconds for one: `0.12 s`, `3.4 s`, `5 min`.
fn pace(seconds: f64) -> String {
    match seconds {
        s if s < 10.0 => format!("{s:.2} s"),
        s => duration(s),
    }
}

/// A curve of so many characters at the most, from its lowest to its highest value; an accuracy that hardly moves is flat.
pub fn spark(score: Score, points: &[(f64, f64)], most: usize) -> String {
    const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
    let values: Vec<f64> = points.iter().map(|point| point.1).filter(|value| value.is_finite()).collect();
    let low = values.iter().copied().fold(f64::INFINITY, f64::min);
    let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let least = if score.is_of_classes() { 0.02 } else { 1e-12 };
    let span = (high - low).max(least);
    let count = values.len().min(most);
    let place = |index: usize| index * (values.len() - 1) / (count - 1).max(1);
    let level = |value: f64| LEVELS[((value - low) / span * 7.0).round().clamp(0.0, 7.0) as usize];
    (0..count).map(|index| level(values[place(index)])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_in_a_line_goes_from_its_lowest_to_its_highest_value() {
        let points: Vec<(f64, f64)> = (0..100).map(|k| (f64::from(k), f64::from(k) / 100.0)).collect();
        assert_eq!(spark(Score::Accuracy, &points, 8), "▁▂▃▄▅▆▇█");
        assert_eq!(spark(Score::Accuracy, &points[..1], 8), "▁");
        assert_eq!(spark(Score::Accuracy, &[], 8), "");
        assert_eq!(spark(Score::Accuracy, &[(1.0, 0.9), (2.0, 0.901)], 8), "▁▁", "a tenth of a point is nothing");
    }
}
