//! How lines of methods look: colour, dashes and marks are the method's own, so that pictures can be compared.

use at_core::training::MethodName;
use at_core::training::methods::{Dash, Marker};
use plotters::element::{DashedPathElement, DynElement, EmptyElement, IntoDynElement};
use plotters::prelude::*;

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
        let facts = method.facts();
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
    pub fn line<'a, B: DrawingBackend + 'a, P: Clone + 'a>(&self, points: Vec<P>, width: u32) -> DynElement<'a, B, P> {
        let style = self.colour.stroke_width(width);
        let (stroke, gap) = match self.dash {
            Dash::Solid => return PathElement::new(points, style).into_dyn(),
            Dash::Dashed => (9, 5),
            Dash::Dotted => (2, 4),
        };
        DashedPathElement::new(points.into_iter(), stroke, gap, style).into_dyn()
    }

    /// A mark at `place`, filled or hollow.
    pub fn mark<'a, B: DrawingBackend + 'a, P: Clone + 'a>(&self, place: P, filled: bool) -> DynElement<'a, B, P> {
        let style = ShapeStyle { color: self.colour.to_rgba(), filled, stroke_width: 2 };
        let at = EmptyElement::at(place);
        let corners: &[(i32, i32)] = match self.marker {
            Marker::Circle => return (at + Circle::new((0, 0), HALF, style)).into_dyn(),
            Marker::Cross => return (at + Cross::new((0, 0), HALF, style)).into_dyn(),
            Marker::Square => &[(-HALF, -HALF), (HALF, -HALF), (HALF, HALF), (-HALF, HALF)],
            Marker::Triangle => &[(0, -HALF - 1), (HALF + 1, HALF), (-HALF - 1, HALF)],
            Marker::Wedge => &[(0, HALF + 1), (HALF + 1, -HALF), (-HALF - 1, -HALF)],
            Marker::Diamond => &[(0, -HALF - 1), (HALF + 1, 0), (0, HALF + 1), (-HALF - 1, 0)],
        };
        if filled {
            return (at + Polygon::new(corners.to_vec(), style)).into_dyn();
        }
        let closed: Vec<(i32, i32)> = corners.iter().chain(&corners[..1]).copied().collect();
        (at + PathElement::new(closed, style)).into_dyn()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::figure::{Figure, Horizontal, Line, Mark};

    /// Where lines and bands are the same, what is left is how they look.
    fn picture(method: MethodName, bars: bool) -> String {
        let marks = [1.0, 2.0].map(|x| Mark { x, y: 10.0 * x, band: (10.0 * x, 10.0 * x) }).to_vec();
        let figure = Figure {
            title: "title",
            x: "x",
            y: "y",
            horizontal: Horizontal::Linear,
            names: &[],
            range: (0.0, 100.0),
            bars,
            lines: &[Line { method, marks }],
        };
        let svg = figure.svg().unwrap();
        svg.replace(method.as_str(), "method")
    }

    /// In black and white.
    fn grey(svg: &str, method: MethodName) -> String {
        let [red, green, blue] = method.facts().colour;
        svg.replace(&format!("#{red:02X}{green:02X}{blue:02X}"), "#000000")
    }

    #[test]
    fn every_method_has_a_picture_of_its_own() {
        let all = MethodName::ALL;
        for bars in [false, true] {
            let pictures = all.map(|method| picture(method, bars));
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
            let [one_picture, other_picture] = [one, other].map(|method| grey(&picture(method, false), method));
            assert_ne!(one_picture, other_picture, "{one} and {other}");
        }
    }
}
