//! What a picture is made of, in points of print: every format of a file is written from these marks.

use super::canvas::{Anchor, Colour, Stroke};
use super::sheet::Sheet;

/// A finished picture.
#[derive(Clone, Debug)]
pub struct Picture {
    /// Width and height (points).
    pub size: (f64, f64),
    /// What it is drawn for.
    pub sheet: Sheet,
    /// From the lowest to the uppermost.
    pub marks: Vec<Mark>,
}

/// One thing that is drawn. x grows to the right, y downwards.
#[derive(Clone, Debug)]
pub enum Mark {
    /// A filled rectangle: left, top, width, height.
    Rectangle([f64; 4], Fill),
    /// A filled polygon.
    Polygon(Vec<(f64, f64)>, Fill),
    /// A line through points, back to the first where it is closed.
    Line {
        /// Its corners.
        points: Vec<(f64, f64)>,
        /// Back to the first.
        closed: bool,
        /// How it is drawn.
        stroke: Stroke,
    },
    /// A disc, with a line around it where one is asked for.
    Circle {
        /// Where it is.
        centre: (f64, f64),
        /// How large (points).
        radius: f64,
        /// Of what colour inside.
        fill: Colour,
        /// The colour of the line and its width.
        ring: Option<(Colour, f64)>,
    },
    /// Rectangles of many colours, in units of their own.
    Cells {
        /// Where their origin lies.
        origin: (f64, f64),
        /// Points per unit, across and down.
        scale: (f64, f64),
        /// Of each colour its rectangles: left, top, width, height.
        cells: Vec<(Colour, Vec<[f64; 4]>)>,
    },
    /// A text of size [`super::canvas::SIZE`] that stands on its point.
    Text {
        /// The point.
        at: (f64, f64),
        /// Where it lies from there.
        anchor: Anchor,
        /// Its colour.
        colour: Colour,
        /// What it says, no control characters among it.
        text: String,
        /// It is written from below to above.
        upwards: bool,
    },
}

/// How a surface is filled.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fill {
    /// Its colour.
    pub colour: Colour,
    /// From 0 to 1.
    pub opacity: f64,
}

impl From<Colour> for Fill {
    fn from(colour: Colour) -> Self {
        Fill { colour, opacity: 1.0 }
    }
}

/// A step of an outline.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Segment {
    /// Begins here.
    Move((f64, f64)),
    /// Straight to here.
    Line((f64, f64)),
    /// A cubic curve by two points to a third.
    Curve([(f64, f64); 3]),
    /// Straight back to where it began.
    Close,
}

/// The outline of a line or a polygon.
pub fn polygon(points: &[(f64, f64)], closed: bool) -> Vec<Segment> {
    let step = |(index, &point)| if index == 0 { Segment::Move(point) } else { Segment::Line(point) };
    points.iter().enumerate().map(step).chain(closed.then_some(Segment::Close)).collect()
}

/// The outline of a rectangle.
pub fn rectangle([left, top, width, height]: [f64; 4]) -> Vec<Segment> {
    let (right, bottom) = (left + width, top + height);
    polygon(&[(left, top), (right, top), (right, bottom), (left, bottom)], true)
}

/// The outline of a circle: four cubic curves, whose radius is 0.03 % too large at most.
pub fn circle((x, y): (f64, f64), radius: f64) -> Vec<Segment> {
    /// From the end of a quarter to the points between, in radii: 4/3 (√2 - 1).
    const REACH: f64 = 0.552_284_749_830_793_4;
    let at = |across: f64, down: f64| (x + radius * across, y + radius * down);
    let quarter = |(a, b): (f64, f64)| {
        // from (a, b) to (-b, a)
        Segment::Curve([at(a - REACH * b, b + REACH * a), at(-b + REACH * a, a + REACH * b), at(-b, a)])
    };
    let quarters = [(1.0, 0.0), (0.0, 1.0), (-1.0, 0.0), (0.0, -1.0)].map(quarter);
    [Segment::Move(at(1.0, 0.0))].into_iter().chain(quarters).chain([Segment::Close]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_circle_is_round() {
        let (centre, radius) = ((3.0, -2.0), 5.0);
        let mut from = (0.0, 0.0);
        for segment in circle(centre, radius) {
            match segment {
                Segment::Move(to) => from = to,
                Segment::Curve([first, second, to]) => {
                    for t in [0.0, 0.2, 0.5, 0.9, 1.0] {
                        let s: f64 = 1.0 - t;
                        let of = |a: f64, b: f64, c: f64, d: f64| {
                            s * s * s * a + 3.0 * s * s * t * b + 3.0 * s * t * t * c + t * t * t * d
                        };
                        let x = of(from.0, first.0, second.0, to.0) - centre.0;
                        let y = of(from.1, first.1, second.1, to.1) - centre.1;
                        assert!((x.hypot(y) / radius - 1.0).abs() < 3e-4, "{t}: {x} {y}");
                    }
                    from = to;
                }
                Segment::Line(_) | Segment::Close => {}
            }
        }
    }
}
