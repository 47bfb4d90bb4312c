//! What a comparison shows, in words; every word follows from the numbers of the table, and there are none where numbers show nothing.

use super::summary::Summary;
use crate::methods;
use at_core::data::Chance;
use at_core::statistics::Estimate;
use at_core::training::{MethodName, Score};

/// Fewer test samples than this say nothing of two methods: one sample more or less is more than three points.
const FEW: usize = 30;

/// Fewer samples than this that one method gets right and the other wrong are luck: by the sign test 6 of 6 are one in 32.
const APART: f64 = 6.0;

/// One sentence per method on its distance to `ideal`; nothing where there is no `ideal` to compare with.
pub fn verdict(summary: &Summary) -> String {
    let (ideal, others): (Vec<_>, Vec<_>) =
        summary.results.iter().partition(|result| result.method == MethodName::Ideal);
    let [ideal] = ideal[..] else { return String::new() };
    // of chips that share a model, the one that the others were trained on
    let same: Vec<_> = others.into_iter().filter(|result| result.chip_seed == ideal.chip_seed).collect();
    if same.is_empty() {
        return String::new();
    }
    let Summary { judged_by: by, chance, test_samples, .. } = summary;
    if let Some(why) = nothing(*by, ideal.final_test_score, chance.as_ref(), *test_samples) {
        return why + "\n";
    }
    let mut text = String::new();
    for (index, result) in same.into_iter().enumerate() {
        let method = result.method;
        let first = index == 0;
        let (score, best) = (result.final_test_score, ideal.final_test_score);
        let ends = level(*by, score, best, chance.as_ref(), *test_samples, first)
            .unwrap_or_else(|| ends(*by, score, best, chance.as_ref(), first));
        text += &format!("{method} {}, and {ends}.\n", methods::facts(method).manner);
    }
    text
}

/// Why nothing is said of any method: too few samples, or a best one that learns nothing.
pub fn nothing(by: Score, ideal: f64, chance: Option<&Chance>, samples: usize) -> Option<String> {
    if samples < FEW {
        return Some(format!("No verdict: {samples} test samples tell no method from another."));
    }
    let guess = chance.filter(|_| lucky(by, ideal, chance))?.guess;
    Some(format!(
        "No verdict: ideal{} ends at chance itself (guessing gives {:.1} %), so that nothing can be learned here.",
        who(true),
        100.0 * guess
    ))
}

/// That a method is level with `ideal`, where what is between them is a few samples, and it is not at chance.
fn level(
    by: Score,
    score: f64,
    ideal: f64,
    chance: Option<&Chance>,
    samples: usize,
    introduced: bool,
) -> Option<String> {
    if lucky(by, score, chance) {
        return None;
    }
    let count = ((score - ideal) * samples as f64).abs().round();
    let who = who(introduced).trim_end_matches(',');
    (by.is_of_classes() && count < APART).then(|| match count {
        0.0 => format!("ends level with ideal{who}"),
        1.0 => format!("ends level with ideal{who}, one of {samples} test samples apart"),
        _ => format!("ends level with ideal{who}, {count} of {samples} test samples apart"),
    })
}

fn lucky(by: Score, score: f64, chance: Option<&Chance>) -> bool {
    by.is_of_classes() && chance.is_some_and(|chance| chance.explains(score))
}

fn who(said: bool) -> &'static str {
    if said { ", which knows every imperfection," } else { "" }
}

/// Where a method ends: at chance, which is level with nothing and below everything, or so far from `ideal`, of which is said `who` it is.
pub fn ends(by: Score, score: f64, ideal: f64, chance: Option<&Chance>, introduced: bool) -> String {
    if lucky(by, score, chance) {
        return format!("ends at chance (guessing gives {:.1} %)", 100.0 * chance.map_or(0.0, |chance| chance.guess));
    }
    let who = who(introduced).trim_end_matches(',');
    format!("ends {} ideal{who}", distance(by, score, ideal))
}

/// Where a method ends on the mean of chips, of which its `scores` and those of `ideal` are the same ones in order.
pub fn ends_on_chips(by: Score, scores: &[f64], ideal: &[f64], chance: Option<&Chance>) -> Option<String> {
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let plain = || ends(by, mean(scores), mean(ideal), chance, false);
    if scores.len() != ideal.len() || scores.len() < 2 || lucky(by, mean(scores), chance) {
        return Some(plain()).filter(|_| !scores.is_empty() && !ideal.is_empty());
    }
    let differences: Vec<f64> = scores.iter().zip(ideal).map(|(own, best)| own - best).collect();
    let (low, high) = Estimate::of(&differences)?.interval();
    let apart = by.in_unit(1.0);
    Some(if low <= 0.0 && high >= 0.0 {
        let unit = if by.is_of_classes() { "points" } else { by.symbol() };
        let digits = if by.is_of_classes() { 2 } else { 4 };
        let [low, high] = [low, high].map(|end| format!("{:+.digits$}", apart * end));
        format!("ends level with ideal, as far as {} chips can tell: {low} to {high} {unit}", scores.len())
    } else {
        plain()
    })
}

/// To the digits of the table: accuracies in points, other scores as they are.
fn distance(by: Score, score: f64, ideal: f64) -> String {
    let apart = by.in_unit(score - ideal);
    let (least, size) = match by {
        Score::Accuracy => (0.005, format!("{:.2} points", apart.abs())),
        Score::RSquared | Score::MeanSquareError => (0.00005, format!("{} of {:.4}", by.symbol(), apart.abs())),
    };
    match apart {
        apart if apart.abs() < least => "level with".to_string(),
        apart if apart < 0.0 => format!("{size} below"),
        _ => format!("{size} above"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANCE: Chance = Chance { guess: 0.1, limit: 0.15 };

    #[test]
    fn nothing_at_chance_is_level_with_anything() {
        let of = |score, ideal| ends(Score::Accuracy, score, ideal, Some(&CHANCE), false);
        assert_eq!(of(0.11, 0.9), "ends at chance (guessing gives 10.0 %)");
        assert_eq!(of(0.9, 0.9), "ends level with ideal");
        let none = nothing(Score::Accuracy, 0.11, Some(&CHANCE), 1000).unwrap();
        assert!(none.starts_with("No verdict: ideal, which knows every imperfection, ends at chance"), "{none}");
        assert_eq!(ends(Score::Accuracy, 0.11, 0.11, None, false), "ends level with ideal", "a run of before");
    }

    #[test]
    fn ten_samples_and_a_handful_of_others_are_no_verdict() {
        assert!(nothing(Score::Accuracy, 0.9, Some(&CHANCE), 10).unwrap().contains("10 test samples tell no method"));
        assert_eq!(nothing(Score::Accuracy, 0.9, Some(&CHANCE), 360), None);
        let of = |score: f64, samples| level(Score::Accuracy, score, 0.9, Some(&CHANCE), samples, false);
        assert_eq!(of(0.9, 100).as_deref(), Some("ends level with ideal"));
        assert_eq!(of(0.89, 100).as_deref(), Some("ends level with ideal, one of 100 test samples apart"));
        assert_eq!(of(0.95, 100).as_deref(), Some("ends level with ideal, 5 of 100 test samples apart"));
        assert_eq!(of(0.84, 100), None);
        assert_eq!(of(0.89, 10_000), None, "a hundred samples are a difference");
        let few = Chance { guess: 0.5, limit: 0.6 };
        assert_eq!(level(Score::Accuracy, 0.57, 0.7, Some(&few), 30, false), None, "at chance, as the note has it");
    }

    #[test]
    fn chips_that_differ_more_than_methods_are_no_verdict() {
        let of = |scores: &[f64]| ends_on_chips(Score::Accuracy, scores, &[0.9, 0.92, 0.94], Some(&CHANCE)).unwrap();
        assert_eq!(of(&[0.8, 0.82, 0.84]), "ends 10.00 points below ideal");
        let level = of(&[0.95, 0.8, 0.94]);
        assert!(level.starts_with("ends level with ideal, as far as 3 chips can tell: -"), "{level}");
        assert_eq!(of(&[0.1, 0.11, 0.1]), "ends at chance (guessing gives 10.0 %)");
    }

    #[test]
    fn distances_say_which_is_better() {
        assert_eq!(distance(Score::Accuracy, 0.9361, 0.9639), "2.78 points below");
        assert_eq!(distance(Score::Accuracy, 0.5, 0.25), "25.00 points above");
        assert_eq!(distance(Score::Accuracy, 0.9, 0.9), "level with");
    }
}
