//! The comparison table on stdout.

use super::summary::Summary;
use crate::export::columns::count;
use std::fmt::Write;

/// The methods side by side, one per line.
pub fn table(summary: &Summary) -> String {
    let width = summary.results.iter().map(|result| result.label().len()).fold(11, usize::max);
    let mut text = format!(
        "{:<width$} {:>9} {:>9} {:>9} {:>7} {:>9} {:>11} {:>11} {:>13}\n",
        "method", "test", "best", "train", "epochs", "time", "chip reads", "injections", "control writes"
    );
    for result in &summary.results {
        let percent = |accuracy: f64| format!("{:.2} %", 100.0 * accuracy);
        let _ = writeln!(
            text,
            "{:<width$} {:>9} {:>9} {:>9} {:>7} {:>7.1} s {:>11} {:>11} {:>14}",
            result.label(),
            percent(result.final_test_accuracy),
            percent(result.best_test_accuracy),
            percent(result.final_train_accuracy),
            result.epochs,
            result.wall_seconds,
            count(result.chip_reads),
            count(result.chip_injections),
            count(result.control_writes),
        );
    }
    text
}
