//! What a comparison shows, in words; every word follows from the numbers of the table.

use super::summary::Summary;
use crate::methods;
use at_core::data::Chance;
use at_core::training::{MethodName, Score};

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
        let [own, best] = [result, ideal].map(|result| result.final_test_score);
        let ends = ends(summary.judged_by, own, best, summary.chance.as_ref(), index == 0);
        text += &format!("{method} {}, and {ends}.\n", methods::facts(method).manner);
    }
    text
}

/// Where a method ends: at chance, which is level with nothing, or so far from `ideal`, of which is said `who` it is.
pub fn ends(by: Score, score: f64, ideal: f64, chance: Option<&Chance>, who: bool) -> String {
    let lucky = |score| by.is_of_classes() && chance.is_some_and(|chance| chance.explains(score));
    let guess = || 100.0 * chance.map_or(0.0, |chance| chance.guess);
    let who = if who { ", which knows every imperfection" } else { "" };
    let far = distance(by, score, ideal);
    match (lucky(score), lucky(ideal)) {
        (true, true) => format!("ends at chance (guessing gives {:.1} %), as does ideal{who}", guess()),
        (true, false) => format!("ends at chance (guessing gives {:.1} %), {far} ideal{who}", guess()),
        (false, true) => format!("ends {far} ideal{who}, and ends at chance (guessing gives {:.1} %)", guess()),
        (false, false) => format!("ends {far} ideal{who}"),
    }
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

    #[test]
    fn nothing_at_chance_is_level_with_anything() {
        let chance = Chance { guess: 0.1, limit: 0.15 };
        assert_eq!(
            ends(Score::Accuracy, 0.11, 0.11, Some(&chance), false),
            "ends at chance (guessing gives 10.0 %), as does ideal"
        );
        assert_eq!(
            ends(Score::Accuracy, 0.11, 0.9, Some(&chance), false),
            "ends at chance (guessing gives 10.0 %), 79.00 points below ideal"
        );
        let above = ends(Score::Accuracy, 0.9, 0.11, Some(&chance), true);
        let ideal = "ideal, which knows every imperfection, and ends at chance (guessing gives 10.0 %)";
        assert_eq!(above, format!("ends 79.00 points above {ideal}"));
        assert_eq!(ends(Score::Accuracy, 0.9, 0.9, Some(&chance), false), "ends level with ideal");
        assert_eq!(ends(Score::Accuracy, 0.11, 0.11, None, false), "ends level with ideal", "a run of before");
    }

    #[test]
    fn distances_say_which_is_better() {
        assert_eq!(distance(Score::Accuracy, 0.9361, 0.9639), "2.78 points below");
        assert_eq!(distance(Score::Accuracy, 0.5, 0.25), "25.00 points above");
        assert_eq!(distance(Score::Accuracy, 0.9, 0.9), "level with");
    }
}
