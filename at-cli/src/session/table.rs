//! The comparison table on stdout.

use super::summary::Summary;
use crate::export::columns::count;
use crate::export::scores::shown;
use std::fmt::Write;

/// The methods side by side, one per line.
pub fn table(summary: &Summary) -> String {
    let width = summary.results.iter().map(|result| result.label().len()).fold(11, usize::max);
    let mut text = format!(
        "{:<width$} {:>9} {:>9} {:>9} {:>7} {:>9} {:>11} {:>11} {:>13}\n",
        "method", "test", "best", "train", "epochs", "time", "chip reads", "injections", "control writes"
    );
    for result in &summary.results {
        let shown = |score: f64| shown(summary.judged_by, score);
        let _ = writeln!(
            text,
            "{:<width$} {:>9} {:>9} {:>9} {:>7} {:>7.1} s {:>11} {:>11} {:>14}",
            result.label(),
            shown(result.final_test_score),
            shown(result.best_test_score),
            shown(result.final_train_score),
            result.epochs,
            result.wall_seconds,
            count(result.chip_reads),
            count(result.chip_injections),
            count(result.control_writes),
        );
    }
    if !summary.judged_by.is_of_classes() {
        let _ = writeln!(text, "test, best and train are {} of the chip", summary.judged_by.symbol());
    }
    text
}
