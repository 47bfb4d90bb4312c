//! Axes of charts: linear, logarithmic, or names in a row.

use super::columns::si;
use std::f64::consts::PI;

/// More labels than round numbers on an axis; whatever its ends are.
const MOST_TICKS: u32 = 20;

/// Fewer labels than this do not show how a logarithmic axis goes on.
const FEWEST: usize = 3;

/// Angles on an axis are written as multiples of π from this range on.
const ANGLES: f64 = PI / 2.0;

/// Values whose ends are so far apart belong on a logarithmic axis.
const DECADES: f64 = 30.0;

/// One axis.
#[derive(Clone, Debug, Default)]
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
    /// Values that have a label, where these are chosen: sizes that were measured.
    pub labelled: Vec<f64>,
    /// Its numbers are angles (radians).
    pub angle: bool,
    /// What it counts has no parts: labels are whole numbers.
    pub whole: bool,
}

impl Axis {
    /// A linear axis.
    pub fn linear(label: impl Into<String>) -> Self {
        Axis { label: label.into(), ..Axis::default() }
    }

    /// A logarithmic axis; values that are not positive are left out.
    pub fn logarithmic(label: impl Into<String>) -> Self {
        Axis { logarithmic: true, ..Axis::linear(label) }
    }

    /// An axis for these values: logarithmic where all are positive and span more than a decade and a half.
    pub fn spanning(label: impl Into<String>, values: &[f64]) -> Self {
        let low = values.iter().copied().fold(f64::INFINITY, f64::min);
        let high = values.iter().copied().fold(0.0, f64::max);
        Axis { logarithmic: low > 0.0 && high / low > DECADES, ..Axis::linear(label) }
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

    /// The same with labels at these values, as far as there is room.
    pub fn labelled(self, values: Vec<f64>) -> Self {
        Axis { labelled: values, ..self }
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
            && low < high
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
        if !self.labelled.is_empty() {
            let mut places: Vec<f64> = self.labelled.iter().filter_map(|&value| self.place(value)).collect();
            places.retain(|place| (low..=high).contains(place));
            places.sort_by(f64::total_cmp);
            places.dedup();
            return places;
        }
        if self.logarithmic {
            let decades = low.floor() as i32..=high.ceil() as i32;
            const STEPS: [&[f64]; 4] =
                [&[1.0], &[1.0, 3.0], &[1.0, 2.0, 5.0], &[1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 9.0]];
            let every = if high - low > 6.0 { ((high - low) / 5.0).ceil() as i32 } else { 1 };
            let ticks = |steps: &[f64]| -> Vec<f64> {
                let decades = decades.clone().filter(|decade| decade.rem_euclid(every) == 0);
                let of = |decade: i32| steps.iter().map(move |step| f64::from(decade) + step.log10());
                let is_number = |tick: &f64| (low..=high).contains(tick) && 10_f64.powf(*tick).is_normal();
                decades.flat_map(of).filter(is_number).collect()
            };
            let coarsest = match high - low {
                span if span > 3.0 => 0,
                span if span > 1.2 => 1,
                span if span > 0.5 => 2,
                _ => 3,
            };
            let all = STEPS[coarsest..].iter().map(|steps| ticks(steps));
            return all.reduce(|coarse, fine| if coarse.len() < FEWEST { fine } else { coarse }).unwrap_or_default();
        }
        let step = self.step(high - low);
        let first = (low / step - 1e-9).ceil();
        let ticks = (0..MOST_TICKS).map(|k| (first + f64::from(k)) * step);
        ticks.take_while(|tick| *tick <= high + 1e-9 * step).collect()
    }

    /// From label to label of a linear axis: four to seven of them.
    fn step(&self, span: f64) -> f64 {
        let raw = span / 6.0;
        if self.angle && span >= ANGLES {
            let steps = (0..).map(|power| PI / 8.0 * 2_f64.powi(power));
            return steps.take(40).find(|&step| step >= raw).unwrap_or(raw);
        }
        let power = 10_f64.powf(raw.log10().floor());
        let step = power * [1.0, 2.0, 5.0, 10.0].into_iter().find(|step| step * power >= raw).unwrap_or(10.0);
        if self.whole { step.max(1.0) } else { step }
    }

    /// The label at a place, on an axis of this span.
    pub(super) fn text(&self, place: f64, span: f64) -> String {
        if let Some(name) = self.names.get(place.round().max(0.0) as usize) {
            return name.clone();
        }
        let value = if self.logarithmic { 10_f64.powf(place) } else { place };
        if self.angle && !self.logarithmic && span >= ANGLES {
            return angle(value);
        }
        self.unit.map_or_else(|| number(value), |unit| prefixed(value, unit))
    }
}

/// `0.01`, `20`, `10⁶`, `−3`.
fn number(value: f64) -> String {
    if value == 0.0 || (1e-3..1e5).contains(&value.abs()) {
        return format!("{}", (value * 1e6).round() / 1e6).replace('-', "−");
    }
    let exponent = value.abs().log10().floor();
    let digits = (value / 10_f64.powf(exponent) * 10.0).round() / 10.0;
    let raised = |letter| match letter {
        '-' => '⁻',
        '1' => '¹',
        '2' => '²',
        '3' => '³',
        digit => char::from_u32('⁰' as u32 + digit as u32 - '0' as u32).unwrap_or(digit),
    };
    let power = format!("10{}", format!("{exponent}").chars().map(raised).collect::<String>());
    match digits {
        1.0 => power,
        digits => format!("{digits}·{power}").replace('-', "−"),
    }
}

/// `0`, `π/4`, `−3π/2`, `2π`; as a number where it is no multiple of π/8.
pub fn angle(value: f64) -> String {
    let eighths = (8.0 * value / PI).round();
    if (8.0 * value / PI - eighths).abs() > 1e-6 || eighths.abs() > 1e6 {
        return number(value);
    }
    let (mut over, mut under) = (eighths as i64, 8);
    while over % 2 == 0 && under > 1 {
        (over, under) = (over / 2, under / 2);
    }
    let turns = match over.abs() {
        0 => return "0".to_string(),
        1 => "π".to_string(),
        many => format!("{many}π"),
    };
    let sign = if over < 0 { "−" } else { "" };
    if under == 1 { format!("{sign}{turns}") } else { format!("{sign}{turns}/{under}") }
}

/// `10 ms`, `1.5 s`: [`si`] without zeros at the end.
fn prefixed(value: f64, unit: &str) -> String {
    let text = si(value, unit);
    match text.split_once(' ') {
        Some((digits, unit)) if digits.contains('.') => {
            format!("{} {unit}", digits.trim_end_matches('0').trim_end_matches('.'))
        }
        Some(_) | None => text.trim_end().to_string(), // 0 of no unit
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
            ticks.into_iter().map(|tick| axis.text(tick, 1.0)).collect::<Vec<_>>()
        };
        assert_eq!(texts(9.0, 1100.0), ["10", "30", "100", "300", "1000"]);
        assert_eq!(texts(1e-6, 1e-1).first().map(String::as_str), Some("10⁻⁶"));
        assert_eq!(texts(14.0, 20.0), ["15", "20"]);
        // as far as from 3.5 to 60 kB, where 1 and 3 of every decade are two labels
        assert_eq!(texts(3.5e3, 6e4), ["5000", "10000", "20000", "50000"]);
        assert_eq!(texts(5e4, 9e5), ["50000", "10⁵", "2·10⁵", "5·10⁵"]);
        assert_eq!(texts(4e-3, 3.0).len(), 6);
        assert!(texts(1e-300, 1e300).len() <= 6);
    }

    #[test]
    fn what_is_counted_has_whole_labels_and_zero_of_no_unit_is_a_digit() {
        let epochs = Axis { whole: true, ..Axis::linear("epoch") };
        assert_eq!(epochs.ticks((0.0, 2.04)), [0.0, 1.0, 2.0]);
        assert_eq!(epochs.ticks((0.0, 1.02)), [0.0, 1.0]);
        assert_eq!(epochs.ticks((0.0, 102.0)), Axis::linear("").ticks((0.0, 102.0)));
        assert_eq!(Axis::linear("").in_unit("").text(0.0, 4e3), "0");
    }

    #[test]
    fn numbers_with_a_unit_have_its_prefixes() {
        let axis = Axis::logarithmic("").in_unit("s");
        let cases = [(-3.0, "1 ms"), (-2.0, "10 ms"), (2.0, "100 s"), (0.0, "1 s"), (4.0, "10 ks"), (0.1761, "1.5 s")];
        cases.into_iter().for_each(|(place, text)| assert_eq!(axis.text(place, 1.0), text));
    }

    #[test]
    fn angles_are_multiples_of_pi_and_other_numbers_are_not() {
        let axis = Axis { angle: true, ..Axis::linear("") };
        let texts = |low: f64, high: f64| {
            axis.ticks((low, high)).into_iter().map(|tick| axis.text(tick, high - low)).collect::<Vec<_>>()
        };
        assert_eq!(texts(0.0, 2.0 * PI), ["0", "π/2", "π", "3π/2", "2π"]);
        assert_eq!(texts(-PI, PI), ["−π", "−π/2", "0", "π/2", "π"]);
        assert_eq!(texts(0.0, 0.4).last().map(String::as_str), Some("0.4"));
        assert_eq!(angle(0.3), "0.3");
        assert_eq!(Axis::linear("").text(PI, 10.0), "3.141593");
    }

    #[test]
    fn values_that_span_decades_have_a_logarithmic_axis() {
        assert!(Axis::spanning("", &[1e-3, 1.0]).logarithmic);
        for values in [&[0.0, 1.0][..], &[1.0, 10.0], &[], &[-1.0, 1e6]] {
            assert!(!Axis::spanning("", values).logarithmic, "{values:?}");
        }
    }

    #[test]
    fn measured_sizes_are_labelled_and_nothing_between_them() {
        let axis = Axis::logarithmic("").labelled(vec![64.0, 16.0, 16.0, 4096.0]);
        let ticks = axis.ticks((1.0, 2.0));
        assert_eq!(ticks.iter().map(|&tick| axis.text(tick, 1.0)).collect::<Vec<_>>(), ["16", "64"]);
    }
}
