//! Axes of charts: linear, logarithmic, or names in a row.

use super::columns::si;
use plotters::coord::ranged1d::{DefaultFormatting, KeyPointHint, Ranged};

/// More labels than round numbers on an axis; whatever its ends are.
const MOST_TICKS: u32 = 20;

/// One axis.
#[derive(Clone, Debug)]
pub struct Axis {
    /// What it shows, with its unit.
    pub label: String,
    /// Equal factors are equally far apart.
    pub logarithmic: bool,
    /// Its ends; by default just around the values.
    pub range: Option<(f64, f64)>,
    /// Names at 0, 1, … instead of numbers.
    pub names: Vec<String>,
    /// Unit of the numbers, which are then written with its prefixes.
    pub unit: Option<&'static str>,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis { label: label.into(), logarithmic: false, range: None, names: Vec::new(), unit: None }
    }

    /// A logarithmic axis; values that are not positive are left out.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Axis { label: label.into(), logarithmic: true, range: None, names: Vec::new(), unit: None }
    }

    /// An axis with a place for each of these names.
    pub fn names(label: impl Into<String>, names: Vec<String>) -> Self {
        let range = Some((-0.5, names.len() as f64 - 0.5));
        Axis { range, names, ..Axis::linear(label) }
    }

    /// The same with these ends.
    pub fn within(self, low: f64, high: f64) -> Self {
        Axis { range: Some((low, high)), ..self }
    }

    /// The same with numbers as `10 ms`.
    pub fn in_unit(self, unit: &'static str) -> Self {
        Axis { unit: Some(unit), ..self }
    }

    /// Where a value lies; none where the axis does not show it.
    pub(super) fn place(&self, value: f64) -> Option<f64> {
        let place = if self.logarithmic { value.log10() } else { value };
        place.is_finite().then_some(place)
    }

    /// The ends as places.
    pub(super) fn ends(&self, values: impl Iterator<Item = f64>) -> (f64, f64) {
        if let Some((low, high)) = self.range
            && let (Some(low), Some(high)) = (self.place(low), self.place(high))
        {
            return (low, high);
        }
        let start = (f64::INFINITY, f64::NEG_INFINITY);
        let places = values.filter_map(|value| self.place(value));
        let (low, high) = places.fold(start, |(low, high), place| (low.min(place), high.max(place)));
        if low > high {
            return (0.0, 1.0);
        }
        let margin = match high - low {
            span if span > 1e-9 => 0.05 * span,
            _ if self.logarithmic => 0.2,
            _ => (0.1 * high.abs()).max(0.1),
        };
        (low - margin, high + margin)
    }

    /// Places of the labels between two ends.
    pub(super) fn ticks(&self, (low, high): (f64, f64)) -> Vec<f64> {
        if !self.names.is_empty() {
            return (0..self.names.len()).map(|rank| rank as f64).collect();
        }
        if self.logarithmic {
            let decades = low.floor() as i32..=high.ceil() as i32;
            let steps: &[f64] = match high - low {
                span if span > 3.0 => &[1.0],
                span if span > 1.2 => &[1.0, 3.0],
                span if span > 0.5 => &[1.0, 2.0, 5.0],
                _ => &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0],
            };
            let every = if high - low > 12.0 { 3 * ((high - low) / 36.0).ceil() as i32 } else { 1 };
            let of = |decade: i32| steps.iter().map(move |step| f64::from(decade) + step.log10());
            let ticks = decades.filter(|decade| decade % every == 0).flat_map(of);
            let is_number = |tick: &f64| (low..=high).contains(tick) && 10_f64.powf(*tick).is_normal();
            return ticks.filter(is_number).collect();
        }
        let raw = (high - low) / 5.0;
        let power = 10_f64.powf(raw.log10().floor());
        let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= raw).unwrap_or(10.0);
        let first = (low / step).ceil();
        let ticks = (0..MOST_TICKS).map(|k| (first + f64::from(k)) * step);
        ticks.take_while(|tick| *tick <= high + 1e-9 * step).collect()
    }

    /// The label at a place.
    pub(super) fn text(&self, place: f64) -> String {
        if let Some(name) = self.names.get(place.round().max(0.0) as usize) {
            return name.clone();
        }
        let value = if self.logarithmic { 10_f64.powf(place) } else { place };
        self.unit.map_or_else(|| number(value), |unit| prefixed(value, unit))
    }
}

/// `0.01`, `20`, `1e6`.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        return format!("{}", (value * 1e6).round() / 1e6);
    }
    let exponent = value.abs().log10().floor();
    let digits = (value / 10_f64.powf(exponent) * 10.0).round() / 10.0;
    format!("{digits}e{exponent}")
}

/// `10 ms`, `1.5 s`: [`si`] without zeros at the end.
fn prefixed(value: f64, unit: &str) -> String {
    let text = si(value, unit);
    match text.split_once(' ') {
        Some((digits, unit)) if digits.contains('.') => {
            format!("{} {unit}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        Some(_) | None => text,
    }
}

/// Places on an axis, with those that have a label.
pub(super) struct Places {
    pub ends: (f64, f64),
    pub ticks: Vec<f64>,
}

impl Ranged for Places {
    type FormatOption = DefaultFormatting;
    type ValueType = f64;

    fn map(&self, place: &f64, (first, last): (i32, i32)) -> i32 {
        let share = (place - self.ends.0) / (self.ends.1 - self.ends.0);
        first + (share * f64::from(last - first)).round() as i32
    }

    fn key_points<Hint: KeyPointHint>(&self, _: Hint) -> Vec<f64> {
        self.ticks.clone()
    }

    fn range(&self) -> std::ops::Range<f64> {
        self.ends.0..self.ends.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_lie_on_the_axis() {
        let linear = |low, high| Axis::linear("").ticks((low, high));
        assert_eq!(linear(0.0, 100.0), [0.0, 20.0, 40.0, 60.0, 80.0, 100.0]);
        assert_eq!(linear(-1.0, 1.4).len(), 5);
        for (low, high) in [(0.0, f64::INFINITY), (1e300, 1.01e300), (-1.7e308, 1.7e308), (0.0, 0.0), (0.0, f64::NAN)] {
            assert!(linear(low, high).len() <= MOST_TICKS as usize, "{low} to {high}");
        }
        let axis = Axis::logarithmic("");
        let texts = |low: f64, high: f64| {
            let ticks = axis.ticks((low.log10(), high.log10()));
            ticks.into_iter().map(|tick| axis.text(tick)).collect::<Vec<_>>()
        };
        assert_eq!(texts(9.0, 1100.0), ["10", "30", "100", "300", "1000"]);
        assert_eq!(texts(1e-6, 1e-1).first().map(String::as_str), Some("1e-6"));
        assert_eq!(texts(14.0, 20.0), ["15", "20"]);
    }

    #[test]
    fn numbers_with_a_unit_have_its_prefixes() {
        let axis = Axis::logarithmic("").in_unit("s");
        let cases = [(-3.0, "1 ms"), (-2.0, "10 ms"), (2.0, "100 s"), (0.0, "1 s"), (4.0, "10 ks"), (0.1761, "1.5 s")];
        cases.into_iter().for_each(|(place, text)| assert_eq!(axis.text(place), text));
    }
}
