//! The comparison table on stdout.

use super::summary::Summary;
use crate::export::columns::{TERMINAL, align, count, fitting, percent, wrapped};
use crate::export::scores::shown;
use std::fmt::Write;

/// The columns and their ranks: what matters most has the lowest.
const COLUMNS: [(&str, u8); 10] = [
    ("method", 0),
    ("test", 0),
    ("best", 7),
    ("train", 5),
    ("misfit", 4),
    ("epochs", 8),
    ("time", 3),
    ("reads", 1),
    ("injected", 6),
    ("writes", 2),
];

/// The methods side by side, one per line: all columns where it is `wide`, else those that fit a terminal.
pub fn table(summary: &Summary, wide: bool) -> String {
    let mut rows = vec![COLUMNS.map(|column| column.0.to_string()).to_vec()];
    let mut ranks = COLUMNS.map(|column| column.1).to_vec();
    for result in &summary.results {
        let shown = |score: f64| shown(summary.judged_by, score);
        rows.push(vec![
            result.label(),
            shown(result.final_test_score),
            shown(result.best_test_score),
            shown(result.final_train_score),
            result.misfit.map_or("-".to_string(), percent),
            result.epochs.to_string(),
            format!("{:.1} s", result.wall_seconds),
            count(result.chip_reads),
            count(result.chip_injections),
            count(result.control_writes),
        ]);
    }
    let known = summary.results.iter().any(|result| result.misfit.is_some());
    if !known {
        let misfit = COLUMNS.iter().position(|column| column.0 == "misfit").unwrap_or_default();
        ranks.remove(misfit);
        rows.iter_mut().for_each(|row| drop(row.remove(misfit)));
    }
    let (rows, left_out) = fitting(&rows, &ranks, if wide { usize::MAX } else { TERMINAL });
    let mut notes = String::new();
    if !summary.judged_by.is_of_classes() {
        let _ = writeln!(notes, "test, best and train are {} of the chip", summary.judged_by.symbol());
    }
    if known {
        notes += "misfit: how far the readouts of a method's model lie from the chip's at the end\n";
    }
    if !left_out.is_empty() {
        let _ = writeln!(notes, "more with --wide: {}", left_out.join(", "));
    }
    align(&rows, 1) + &wrapped(&notes, 2)
}

#[cfg(test)]
mod tests {
    use super::super::summary::Summary;
    use super::*;

    fn summary(labels: &[&str]) -> Summary {
        let results: Vec<serde_json::Value> = labels
            .iter()
            .map(|method| {
                serde_json::json!({
                    "method": method, "final_test_accuracy": 1.0, "best_test_accuracy": 1.0, "final_train_accuracy": 1.0,
                    "epochs": 100_000, "wall_seconds": 123_456.7, "engine": "cpu", "chip_reads": 123_456_789_u64,
                    "chip_injections": 123_456_789_u64, "control_writes": 123_456_789_u64, "digital_passes": 0,
                    "digital_backward_passes": 0, "digital_flops": 0, "misfit": 1.234, "share_model": 2, "chip_seed": 12345,
                })
            })
            .collect();
        let summary = serde_json::json!({
            "version": "0", "preset": "digits", "dataset": "digits", "dataset_note": null, "train_samples": 1, "test_samples": 1,
            "chip": "x", "controls": 1, "seed": 1, "chip_seed": 1, "results": results,
        });
        serde_json::from_value(summary).unwrap()
    }

    #[test]
    fn the_table_fits_a_terminal_whatever_is_in_it_and_wide_has_all() {
        let summary = summary(&["parameter-shift", "at-adaptive", "in-silico"]);
        let narrow = table(&summary, false);
        assert!(narrow.lines().all(|line| line.chars().count() <= 80), "{narrow}");
        for part in ["method", "test", "reads", "writes", "more with --wide: best"] {
            assert!(narrow.contains(part), "{part}: {narrow}");
        }
        let wide = table(&summary, true);
        let head = wide.lines().next().unwrap();
        assert!(COLUMNS.iter().all(|column| head.contains(column.0)) && !wide.contains("--wide"), "{wide}");
    }

    #[test]
    fn methods_without_a_model_have_no_misfit() {
        let mut summary = summary(&["spsa", "at"]);
        summary.results[0].misfit = None;
        let text = table(&summary, true);
        let line = text.lines().find(|line| line.starts_with("spsa")).unwrap();
        assert!(text.contains("123.4 %") && line.contains(" - "), "{text}");
        summary.results[1].misfit = None;
        assert!(!table(&summary, true).contains("misfit"));
    }
}
