//! Line plots with bands: one mean and one interval per point of a line.

use super::columns::si;
use super::look::Look;
use super::thin;
use crate::terminal::visible;
use anyhow::{Result, anyhow};
use at_core::training::MethodName;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::text_anchor::{HPos, VPos};

/// Width and height without title and legend, in units of the picture: texts stay legible on a phone.
const SIZE: (u32, u32) = (560, 380);
/// Height of a line of text.
const LINE: u32 = 23;
const FONT: (&str, i32) = ("sans-serif", 16);
/// Characters of a title's line, and names side by side in the legend.
const TITLE: usize = 64;
const NAMES: usize = 3;

/// A point of a line.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Mark {
    /// Where.
    pub x: f64,
    /// The mean.
    pub y: f64,
    /// The interval's ends.
    pub band: (f64, f64),
}

/// One line.
pub struct Line {
    /// Gives the look, and the name in the legend.
    pub method: MethodName,
    /// From left to right.
    pub marks: Vec<Mark>,
}

/// The horizontal axis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Horizontal {
    /// From 0, numbers as they are.
    Linear,
    /// Powers of ten with this unit; marks at 0 are left out.
    Logarithmic(&'static str),
    /// One place for each of the names.
    Names,
}

/// A picture.
pub struct Figure<'a> {
    /// Above it.
    pub title: &'a str,
    /// Below it.
    pub x: &'a str,
    /// Beside it.
    pub y: &'a str,
    /// The horizontal axis.
    pub horizontal: Horizontal,
    /// Names at 0, 1, … for [`Horizontal::Names`].
    pub names: &'a [String],
    /// The vertical axis.
    pub range: (f64, f64),
    /// A band around the line, or a bar at every mark.
    pub bars: bool,
    /// The lines, the last one on top.
    pub lines: &'a [Line],
}

impl Figure<'_> {
    /// As an SVG picture.
    pub fn svg(&self) -> Result<String> {
        let mut svg = String::new();
        self.draw(&mut svg).map_err(|error| anyhow!("a plot: {error}"))?;
        Ok(visible(&svg).into_owned()) // XML has no control characters
    }

    /// Where a mark lies on the axis, if it does.
    fn place(&self, x: f64) -> Option<f64> {
        let place = match self.horizontal {
            Horizontal::Logarithmic(_) => x.log10(),
            Horizontal::Linear | Horizontal::Names => x,
        };
        let there = self.horizontal != Horizontal::Names || (-0.5..=self.names.len() as f64 - 0.5).contains(&place);
        (place.is_finite() && there).then_some(place)
    }

    fn ends(&self) -> (f64, f64) {
        let places = || self.lines.iter().flat_map(|line| &line.marks).filter_map(|mark| self.place(mark.x));
        let (first, last) = (places().fold(f64::INFINITY, f64::min), places().fold(f64::NEG_INFINITY, f64::max));
        match self.horizontal {
            _ if first > last => (0.0, 1.0),
            Horizontal::Logarithmic(_) => (first.floor(), (last + 1e-9).ceil().max(first.floor() + 1.0)),
            Horizontal::Linear if first >= 0.0 => (0.0, if last > 0.0 { 1.02 * last } else { 1.0 }),
            Horizontal::Linear => (first - 0.02 * (last - first), last + 0.02 * (last - first)),
            Horizontal::Names => (-0.5, self.names.len() as f64 - 0.5),
        }
    }

    fn draw(&self, svg: &mut String) -> Result<(), Box<dyn std::error::Error>> {
        let title = lines(self.title);
        let (above, below) = (LINE * title.len() as u32 + 8, LINE * self.lines.len().div_ceil(NAMES) as u32 + 8);
        let area = SVGBackend::with_string(svg, (SIZE.0, above + SIZE.1 + below)).into_drawing_area();
        area.fill(&WHITE)?;
        let (heading, area) = area.split_vertically(above);
        let centre = plotters::style::text_anchor::Pos::new(HPos::Center, VPos::Top);
        for (row, line) in title.into_iter().enumerate() {
            let place = (SIZE.0 as i32 / 2, 6 + (LINE as usize * row) as i32);
            heading.draw(&Text::new(line, place, FONT.into_text_style(&heading).pos(centre)))?;
        }
        let (area, legend) = area.split_vertically(SIZE.1);
        self.draw_legend(&legend)?;
        let (left, right) = self.ends();
        let mut chart = ChartBuilder::on(&area)
            .margin(10)
            .margin_right(30) // half of the last label
            .x_label_area_size(48)
            .y_label_area_size(64)
            .build_cartesian_2d(left..right, self.range.0..self.range.1)?;
        let name = |place: &f64| match self.horizontal {
            Horizontal::Linear => format!("{}", (place * 1e6).round() / 1e6),
            Horizontal::Logarithmic(unit) if place.fract().abs() < 1e-9 => power(*place, unit),
            Horizontal::Logarithmic(_) => String::new(),
            Horizontal::Names if place.fract().abs() < 1e-9 && *place >= 0.0 => {
                self.names.get(*place as usize).cloned().unwrap_or_default()
            }
            Horizontal::Names => String::new(),
        };
        let labels = match self.horizontal {
            Horizontal::Linear => 7,
            Horizontal::Logarithmic(_) => (right - left) as usize + 1,
            Horizontal::Names => 2 * self.names.len() + 1,
        };
        chart
            .configure_mesh()
            .x_desc(self.x)
            .y_desc(self.y)
            .x_labels(labels)
            .x_label_formatter(&name)
            .y_label_formatter(&|y| format!("{}", (y * 1e3).round() / 1e3))
            .label_style(FONT)
            .axis_desc_style(FONT)
            .light_line_style(TRANSPARENT)
            .bold_line_style(BLACK.mix(0.12))
            .draw()?;
        let (low, high) = self.range;
        for Line { method, marks } in self.lines {
            let marks: Vec<Mark> =
                marks.iter().filter_map(|mark| Some(Mark { x: self.place(mark.x)?, ..*mark })).collect();
            let marks = if self.bars { marks } else { thinned(marks, (left, right)) };
            let look = Look::from(*method);
            let colour = look.colour;
            if self.bars {
                for mark in &marks {
                    let ends = [(mark.x, mark.band.0.clamp(low, high)), (mark.x, mark.band.1.clamp(low, high))];
                    chart.draw_series([PathElement::new(ends, colour.stroke_width(2))])?;
                }
                chart.draw_series(marks.iter().map(|mark| look.mark((mark.x, mark.y), true)))?;
            } else if marks.iter().any(|mark| mark.band.0 < mark.band.1) {
                let upper = marks.iter().map(|mark| (mark.x, mark.band.1.clamp(low, high)));
                let lower = marks.iter().rev().map(|mark| (mark.x, mark.band.0.clamp(low, high)));
                chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), colour.mix(0.18))])?;
            }
            if let (Some(mark), false) = (marks.last(), self.bars) {
                chart.draw_series([look.mark((mark.x, mark.y), true)])?;
            }
            chart.draw_series([look.line(marks.iter().map(|mark| (mark.x, mark.y)).collect(), 2)])?;
        }
        area.present()?;
        Ok(())
    }

    /// The lines' names, below the plot, where they hide nothing.
    fn draw_legend<B: DrawingBackend>(&self, area: &DrawingArea<B, Shift>) -> Result<(), Box<dyn std::error::Error>>
    where
        B::ErrorType: 'static,
    {
        for (row, Line { method, .. }) in self.lines.iter().enumerate() {
            let (x, y) = (70 + 160 * (row % NAMES) as i32, 10 + (LINE as usize * (row / NAMES)) as i32);
            let look = Look::from(*method);
            area.draw(&look.line(vec![(x, y), (x + 26, y)], 3))?;
            area.draw(&look.mark((x + 13, y), true))?;
            area.draw(&Text::new(method.as_str(), (x + 34, y - 8), FONT))?;
        }
        Ok(())
    }
}

/// Those of the marks that make the line and its band.
fn thinned(marks: Vec<Mark>, ends: (f64, f64)) -> Vec<Mark> {
    let all = |value: fn(&Mark) -> f64| marks.iter().map(value).collect::<Vec<f64>>();
    let [places, heights, low, high] =
        [all(|mark| mark.x), all(|mark| mark.y), all(|mark| mark.band.0), all(|mark| mark.band.1)];
    thin::kept(&places, ends, &[&heights, &low, &high]).into_iter().map(|at| marks[at]).collect()
}

/// A title's lines, broken between words.
fn lines(title: &str) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in title.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + word.chars().count() < TITLE => *line += &format!(" {word}"),
            _ => lines.push(word.to_string()),
        }
    }
    lines
}

/// `10 ms` for −2.
fn power(exponent: f64, unit: &str) -> String {
    let text = si(10_f64.powf(exponent.round()), unit);
    let (_, unit) = text.split_once(' ').unwrap_or_default();
    format!("{} {unit}", ["1", "10", "100"][(exponent.round() as i64).rem_euclid(3) as usize])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(marks: &[(f64, f64)]) -> Vec<Line> {
        let marks = marks.iter().map(|&(x, y)| Mark { x, y, band: (y - 1.0, y + 1.0) }).collect();
        vec![Line { method: MethodName::At, marks }]
    }

    #[test]
    fn long_titles_are_broken_between_words() {
        assert_eq!(lines("short"), ["short"]);
        let long = lines(&"word ".repeat(20));
        assert_eq!(long.len(), 2);
        assert!(long.iter().all(|line| line.chars().count() <= TITLE));
    }

    #[test]
    fn powers_of_ten_are_named() {
        let cases = [(-3.0, "1 ms"), (-2.0, "10 ms"), (2.0, "100 s"), (0.0, "1 s"), (4.0, "10 ks")];
        cases.into_iter().for_each(|(exponent, text)| assert_eq!(power(exponent, "s"), text));
    }

    #[test]
    fn a_line_of_very_many_epochs_makes_no_picture_of_as_many_marks() {
        let of = |epochs: u32| {
            let marks: Vec<(f64, f64)> = (1..=epochs).map(|k| (f64::from(k), f64::from(k % 90))).collect();
            let lines = line(&marks);
            let figure = Figure {
                title: "title",
                x: "epoch",
                y: "accuracy",
                horizontal: Horizontal::Linear,
                names: &[],
                range: (0.0, 100.0),
                bars: false,
                lines: &lines,
            };
            figure.svg().unwrap()
        };
        let [long, endless] = [of(100_000), of(300_000)];
        assert!(
            endless.len() < long.len() + 5000 && long.len() < 150_000,
            "{} and {} bytes",
            long.len(),
            endless.len()
        );
    }

    #[test]
    fn pictures_have_their_axes_and_lines_and_survive_odd_marks() {
        let names = ["small".to_string(), "large".to_string()];
        let figure = |horizontal, lines, bars| Figure {
            title: "title",
            x: "below",
            y: "beside (%)",
            horizontal,
            names: &names,
            range: (0.0, 100.0),
            bars,
            lines,
        };
        let lines = line(&[(0.0, 10.0), (1.0, 20.0)]);
        let endless = line(&[(1.0, 10.0), (f64::INFINITY, 20.0), (f64::NAN, 30.0)]);
        let odd =
            [line(&[]), line(&[(0.0, 0.0)]), line(&[(5e-9, 50.0)]), endless, line(&[(1e-300, 1.0), (1e300, 2.0)])];
        for horizontal in [Horizontal::Linear, Horizontal::Logarithmic("s"), Horizontal::Names] {
            for bars in [false, true] {
                let svg = figure(horizontal, &lines, bars).svg().unwrap();
                for part in ["title", "below", "beside (%)", "at", "</svg>"] {
                    assert!(svg.contains(part), "{part} is not in {svg}");
                }
                odd.iter().for_each(|lines| drop(figure(horizontal, lines, bars).svg().unwrap()));
            }
        }
        assert!(figure(Horizontal::Names, &lines, true).svg().unwrap().contains("large"));
    }
}
