//! How lines of methods look: colour, dashes and marks are the method's own, so that pictures can be compared.

use super::canvas::{Canvas, Colour, Stroke};
use crate::methods;
use at_core::training::MethodName;
use at_core::training::methods::{Dash, Marker};

/// Half the width of a mark (points).
const HALF: f64 = 2.1;

/// How a line and its marks are drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Look {
    /// Of line and marks.
    pub colour: Colour,
    /// Of the line.
    pub dash: Dash,
    /// Of the marks.
    pub marker: Marker,
}

impl From<MethodName> for Look {
    fn from(method: MethodName) -> Self {
        let facts = methods::facts(method);
        Look { colour: facts.colour, dash: facts.dash, marker: facts.marker }
    }
}

/// What is no method: a solid line and discs.
impl From<Colour> for Look {
    fn from(colour: Colour) -> Self {
        Look { colour, dash: Dash::Solid, marker: Marker::Circle }
    }
}

impl Look {
    /// The look of number `index` of things that have none of their own: each combination of colour, dashes and marks once.
    pub fn numbered(index: usize) -> Self {
        use super::canvas::PALETTE;
        let markers = [Marker::Circle, Marker::Square, Marker::Triangle, Marker::Diamond, Marker::Wedge, Marker::Cross];
        let dashes = [Dash::Solid, Dash::Dashed, Dash::Dotted];
        Look {
            colour: PALETTE[index % PALETTE.len()],
            dash: dashes[index / PALETTE.len() % dashes.len()],
            marker: markers[index % markers.len()],
        }
    }

    /// The dashes and marks of number `index` of things of one colour, which is black here.
    pub fn nth(index: usize) -> Self {
        let dash = [Dash::Solid, Dash::Dashed, Dash::Dotted][index % 3];
        Look { colour: super::canvas::INK, dash, marker: Look::numbered(index).marker }
    }

    /// How its line is drawn.
    pub fn stroke(self, width: f64) -> Stroke {
        let dashes: &[f64] = match self.dash {
            Dash::Solid => &[],
            Dash::Dashed => &[4.5, 2.2],
            Dash::Dotted => &[1.2, 1.6],
            Dash::DashDotted => &[4.5, 1.6, 1.2, 1.6],
        };
        Stroke { colour: self.colour, width, dashes }
    }

    /// Draws a mark, filled or hollow.
    pub fn mark(self, canvas: &mut Canvas, (x, y): (f64, f64), filled: bool) {
        let (h, more) = (HALF, HALF * 1.25);
        let stroke = Stroke::solid(self.colour, 1.0);
        let corners: &[(f64, f64)] = match self.marker {
            Marker::Circle => return canvas.circle((x, y), h, self.colour, filled, 1.0),
            Marker::Cross => {
                canvas.line(&[(x - h, y - h), (x + h, y + h)], &stroke);
                return canvas.line(&[(x - h, y + h), (x + h, y - h)], &stroke);
            }
            Marker::Square => &[(-0.9, -0.9), (0.9, -0.9), (0.9, 0.9), (-0.9, 0.9)],
            Marker::Triangle => &[(0.0, -1.0), (1.0, 0.8), (-1.0, 0.8)],
            Marker::Wedge => &[(0.0, 1.0), (1.0, -0.8), (-1.0, -0.8)],
            Marker::Diamond => &[(0.0, -1.0), (1.0, 0.0), (0.0, 1.0), (-1.0, 0.0)],
        };
        let size = if self.marker == Marker::Square { h } else { more };
        let corners: Vec<(f64, f64)> = corners.iter().map(|(dx, dy)| (x + size * dx, y + size * dy)).collect();
        match filled {
            true => canvas.polygon(&corners, self.colour, 1.0),
            false => canvas.hollow(&corners, &stroke),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
    use crate::export::sheet::Sheet;
    use crate::export::svg::hex;

    /// Where lines and intervals are the same, what is left is how they look.
    fn picture(method: MethodName, mark: Mark) -> String {
        let points = vec![(1.0, 10.0), (2.0, 20.0)];
        let label = "method".to_string();
        let curves = vec![Curve { label, look: method.into(), mark, points, interval: Interval::None }];
        let y = Axis::linear("y").within(0.0, 100.0);
        Chart { x: Axis::linear("x"), y, curves, ..Chart::default() }.picture(Sheet::default()).svg()
    }

    /// In black and white.
    fn grey(svg: &str, method: MethodName) -> String {
        svg.replace(&hex(methods::facts(method).colour), "#000000")
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
