//! How lines of methods look: colour, dashes and marks are the method's own, so that pictures can be compared.

use crate::methods;
use at_core::training::MethodName;
use at_core::training::methods::{Dash, Marker};
use plotters::element::{DashedPathElement, Drawable, PointCollection};
use plotters::prelude::*;
use plotters_backend::{BackendCoord, DrawingErrorKind};

/// Half the width of a mark, in units of the picture.
const HALF: i32 = 4;

/// How a line and its marks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Of line and marks.
    pub colour: RGBColor,
    /// Of the line.
    pub dash: Dash,
    /// Of the marks.
    pub marker: Marker,
}

impl From<MethodName> for Look {
    fn from(method: MethodName) -> Self {
        let facts = methods::facts(method);
        let [red, green, blue] = facts.colour;
        Look { colour: RGBColor(red, green, blue), dash: facts.dash, marker: facts.marker }
    }
}

/// What is no method: a solid line and discs.
impl From<RGBColor> for Look {
    fn from(colour: RGBColor) -> Self {
        Look { colour, dash: Dash::Solid, marker: Marker::Circle }
    }
}

impl Look {
    /// A line through `points`.
    pub fn line<P>(self, points: Vec<P>, width: u32) -> LineElement<P> {
        LineElement { points, look: self, width }
    }

    /// A mark at `place`, filled or hollow.
    pub fn mark<P>(self, place: P, filled: bool) -> MarkElement<P> {
        MarkElement { place: [place], look: self, filled }
    }
}

/// A line to be drawn.
pub struct LineElement<P> {
    points: Vec<P>,
    look: Look,
    width: u32,
}

impl<'a, P> PointCollection<'a, P> for &'a LineElement<P> {
    type Point = &'a P;
    type IntoIter = &'a [P];

    fn point_iter(self) -> &'a [P] {
        &self.points
    }
}

impl<P, B: DrawingBackend> Drawable<B> for LineElement<P> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        points: I,
        backend: &mut B,
        size: (u32, u32),
    ) -> Result<(), DrawingErrorKind<B::ErrorType>> {
        let style = self.look.colour.stroke_width(self.width);
        let (stroke, gap) = match self.look.dash {
            Dash::Solid => return backend.draw_path(points, &style),
            Dash::Dashed => (9, 5),
            Dash::Dotted => (2, 4),
        };
        let points: Vec<BackendCoord> = points.collect();
        DashedPathElement::new(points.iter().copied(), stroke, gap, style).draw(points.iter().copied(), backend, size)
    }
}

/// A mark to be drawn.
pub struct MarkElement<P> {
    place: [P; 1],
    look: Look,
    filled: bool,
}

impl<'a, P> PointCollection<'a, P> for &'a MarkElement<P> {
    type Point = &'a P;
    type IntoIter = &'a [P];

    fn point_iter(self) -> &'a [P] {
        &self.place
    }
}

impl<P, B: DrawingBackend> Drawable<B> for MarkElement<P> {
    fn draw<I: Iterator<Item = BackendCoord>>(
        &self,
        places: I,
        backend: &mut B,
        _: (u32, u32),
    ) -> Result<(), DrawingErrorKind<B::ErrorType>> {
        let style = ShapeStyle { color: self.look.colour.to_rgba(), filled: self.filled, stroke_width: 2 };
        for (x, y) in places {
            let corners = match self.look.marker {
                Marker::Circle => {
                    backend.draw_circle((x, y), HALF as u32, &style, self.filled)?;
                    continue;
                }
                Marker::Cross => {
                    backend.draw_path([(x - HALF, y - HALF), (x + HALF, y + HALF)], &style)?;
                    backend.draw_path([(x - HALF, y + HALF), (x + HALF, y - HALF)], &style)?;
                    continue;
                }
                Marker::Square => vec![(-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF)],
                Marker::Triangle => vec![(0, -HALF - 1), (HALF + 1, HALF), (-HALF - 1, HALF)],
                Marker::Wedge => vec![(0, HALF + 1), (HALF + 1, -HALF), (-HALF - 1, -HALF)],
                Marker::Diamond => vec![(0, -HALF - 1), (HALF + 1, 0), (0, HALF + 1), (-HALF - 1, 0)],
            };
            let corners: Vec<BackendCoord> = corners.into_iter().map(|(dx, dy)| (x + dx, y + dy)).collect();
            match self.filled {
                true => backend.fill_polygon(corners, &style)?,
                false => backend.draw_path(corners.iter().chain(&corners[..1]).copied(), &style)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};

    /// Where lines and intervals are the same, what is left is how they look.
    fn picture(method: MethodName, mark: Mark) -> String {
        let points = vec![(1.0, 10.0), (2.0, 20.0)];
        let label = "method".to_string();
        let chart = Chart {
            title: String::new(),
            x: Axis::linear("x"),
            y: Axis::linear("y").within(0.0, 100.0),
            curves: vec![Curve { label, look: method.into(), mark, points, interval: Interval::None }],
            levels: Vec::new(),
        };
        chart.svg().unwrap()
    }

    /// In black and white.
    fn grey(svg: &str, method: MethodName) -> String {
        let [red, green, blue] = methods::facts(method).colour;
        svg.replace(&format!("#{red:02X}{green:02X}{blue:02X}"), "#000000")
    }

    #[test]
    fn every_method_has_a_picture_of_its_own() {
        let all = MethodName::ALL;
        for mark in [Mark::Last, Mark::Filled] {
            let pictures = all.map(|method| picture(method, mark));
            for k in 0..all.len() {
                assert!((0..k).all(|j| pictures[j] != pictures[k]), "{} looks like another method", all[k]);
            }
        }
    }

    #[test]
    fn dashes_and_marks_are_seen_without_colour() {
        for (one, other) in [
            (MethodName::At, MethodName::NoiseAware),
            (MethodName::At, MethodName::InSilico),
            (MethodName::NoiseAware, MethodName::Spsa),
            (MethodName::Pat, MethodName::PatOutput),
        ] {
            let [one_picture, other_picture] = [one, other].map(|method| grey(&picture(method, Mark::Last), method));
            assert_ne!(one_picture, other_picture, "{one} and {other}");
        }
    }
}
