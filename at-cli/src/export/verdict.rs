//! What a comparison shows, in words; every word follows from the numbers of the table.

use super::summary::Summary;
use at_core::training::MethodName;

/// One sentence per method on its distance to `ideal`; nothing where there is no `ideal` to compare with.
pub fn verdict(summary: &Summary) -> String {
    let (ideal, others): (Vec<_>, Vec<_>) =
        summary.results.iter().partition(|result| result.method == MethodName::Ideal);
    let [ideal] = ideal[..] else { return String::new() };
    let mut text = String::new();
    // of chips that share a model, the one that the others were trained on
    let same = others.into_iter().filter(|result| result.chip_seed == ideal.chip_seed);
    for (index, result) in same.enumerate() {
        let method = result.method;
        let distance = distance(result.final_test_accuracy, ideal.final_test_accuracy);
        let who = if index == 0 { ", which knows every imperfection" } else { "" };
        text += &format!("{method} {}, and ends {distance} ideal{who}.\n", method.facts().manner);
    }
    text
}

/// In points, to the two digits of the table.
pub fn distance(accuracy: f64, ideal: f64) -> String {
    let points = 100.0 * (accuracy - ideal);
    match points {
        points if points.abs() < 0.005 => "level with".to_string(),
        points if points < 0.0 => format!("{:.2} points below", -points),
        points => format!("{points:.2} points above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_say_which_is_better() {
        assert_eq!(distance(0.9361, 0.9639), "2.78 points below");
        assert_eq!(distance(0.5, 0.25), "25.00 points above");
        assert_eq!(distance(0.9, 0.9), "level with");
    }
}
