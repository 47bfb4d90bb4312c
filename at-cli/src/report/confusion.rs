//! Which class is taken for which.

use crate::export::heat_map::{Colours, HeatMap};

/// Shares of every class's samples (%), as a heat map of `[label, answer]` counts.
pub fn map(title: String, counts: &[u64], classes: usize) -> HeatMap {
    let row = |index: usize| &counts[index / classes * classes..][..classes];
    let share = |(index, &count): (usize, &u64)| {
        let all: u64 = row(index).iter().sum();
        (all > 0).then(|| 100.0 * count as f64 / all as f64)
    };
    HeatMap {
        title,
        x_label: "recognised as class".into(),
        y_label: "true class".into(),
        scale_label: "share of the class (%)".into(),
        rows: classes,
        columns: classes,
        values: counts.iter().enumerate().map(share).collect(),
        colours: Colours::Sequential { low: 0.0, high: 100.0 },
        numbers: classes <= 12,
    }
}

/// Share of the samples that were recognised.
pub fn accuracy(counts: &[u64], classes: usize) -> f64 {
    let correct: u64 = counts.iter().step_by(classes + 1).sum();
    correct as f64 / counts.iter().sum::<u64>() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_of_the_true_class() {
        let counts = [3, 1, 0, 2];
        assert_eq!(map(String::new(), &counts, 2).values, [75.0, 25.0, 0.0, 100.0].map(Some));
        assert_eq!(accuracy(&counts, 2), 5.0 / 6.0);
        assert_eq!(map(String::new(), &[1, 0, 0, 0], 2).values[2], None);
    }
}
