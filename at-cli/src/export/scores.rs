//! How scores are written: in the unit of their kind, and under its name in files.

use at_core::training::Score;
use serde_json::{Map, Value};

/// Two digits and the unit of an accuracy, four digits of the others: `93.10 %`, `0.9310`.
pub fn shown(score: Score, value: f64) -> String {
    match score {
        Score::Accuracy => format!("{:.2} %", score.in_unit(value)),
        Score::RSquared | Score::MeanSquareError => digits(score, value),
    }
}

/// The same without the unit.
pub fn digits(score: Score, value: f64) -> String {
    match score {
        Score::Accuracy => format!("{:.2}", score.in_unit(value)),
        Score::RSquared => format!("{value:.4}"),
        Score::MeanSquareError if value != 0.0 && value.abs() < 0.01 => format!("{value:.3e}"),
        Score::MeanSquareError => format!("{value:.4}"),
    }
}

/// An interval: `91.20 to 94.60`.
pub fn range(score: Score, (low, high): (f64, f64)) -> String {
    format!("{} to {}", digits(score, low), digits(score, high))
}

/// The name with its unit, for the head of a column: `test accuracy (%)`, `test R²`.
pub fn headed(score: Score, what: &str) -> String {
    let unit = if score.unit().is_empty() { String::new() } else { format!(" ({})", score.unit()) };
    [what, score.symbol()].join(" ").trim_start().to_string() + &unit
}

/// The name at the head of a sentence.
pub fn title(score: Score) -> &'static str {
    match score {
        Score::Accuracy => "Accuracy",
        Score::RSquared => "R²",
        Score::MeanSquareError => "Mean square error",
    }
}

/// What is called a score becomes what it is, at every depth but in `settings`: `final_test_score` becomes `final_test_accuracy`.
pub fn named(value: Value, score: Score) -> Value {
    match value {
        Value::Object(map) => {
            let renamed = map.into_iter().map(|(key, value)| match key.as_str() {
                "settings" => (key, value), // there a score is a setting
                _ => (name(&key, score), named(value, score)),
            });
            Value::Object(renamed.collect::<Map<_, _>>())
        }
        Value::Array(values) => Value::Array(values.into_iter().map(|value| named(value, score)).collect()),
        other => other,
    }
}

/// The name in files of what is called `key` here.
pub fn name(key: &str, score: Score) -> String {
    let one = score.key();
    let all = if score.is_of_classes() { "accuracies".to_string() } else { format!("{one}_by_chip") };
    match key.strip_suffix("score") {
        Some("") => one.to_string(),
        Some(before) if before.ends_with('_') => format!("{before}{one}"),
        Some(_) | None if key == "scores" => all,
        Some(_) | None => key.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_have_the_name_and_the_unit_of_their_kind() {
        assert_eq!((shown(Score::Accuracy, 0.931), shown(Score::RSquared, 0.931)), ("93.10 %".into(), "0.9310".into()));
        assert_eq!(
            (headed(Score::Accuracy, "test"), headed(Score::RSquared, "")),
            ("test accuracy (%)".into(), "R²".into())
        );
        assert_eq!(digits(Score::MeanSquareError, 0.000_123_4), "1.234e-4");
        let value =
            serde_json::json!({"score": 1, "points": [{"best_score": 2, "scores": [3]}], "settings": {"score": 4}});
        let text = named(value.clone(), Score::Accuracy).to_string();
        assert_eq!(text, r#"{"accuracy":1,"points":[{"best_accuracy":2,"accuracies":[3]}],"settings":{"score":4}}"#);
        assert!(named(value, Score::RSquared).to_string().contains(r#""best_r_squared":2,"r_squared_by_chip":[3]"#));
    }
}
