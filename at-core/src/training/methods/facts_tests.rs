//! Methods can be told apart in words and in pictures, by colour-blind eyes too.

use super::super::registry::FACTS;
use super::*;

/// How dichromats see a linear colour: Machado, Oliveira & Fernandes, IEEE Trans. Vis. Comput. Graph. 15, 1291 (2009), severity 1.
const NORMAL: [[f64; 3]; 3] = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]];
const PROTANOPIA: [[f64; 3]; 3] =
    [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]];
const DEUTERANOPIA: [[f64; 3]; 3] =
    [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]];

/// CIE 1976 distance below which two colours of thin lines are taken for one; 2.3 is just noticeable side by side.
const APART: f64 = 15.0;

fn times(matrix: [[f64; 3]; 3], vector: [f64; 3]) -> [f64; 3] {
    matrix.map(|row| row.iter().zip(vector).map(|(a, b)| a * b).sum())
}

/// L*, a*, b* of an sRGB colour (D65) for eyes that see it through `vision`.
fn lab(colour: [u8; 3], vision: [[f64; 3]; 3]) -> [f64; 3] {
    let linear = colour.map(|value| {
        let value = f64::from(value) / 255.0;
        if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
    });
    let seen = times(vision, linear).map(|value| value.clamp(0.0, 1.0));
    let [x, y, z] = times([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]], seen);
    let f = |t: f64| if t > 216.0 / 24389.0 { t.cbrt() } else { (24389.0 / 27.0 * t + 16.0) / 116.0 };
    let [x, y, z] = [f(x / 0.95047), f(y), f(z / 1.08883)];
    [116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)]
}

fn distance(one: [u8; 3], other: [u8; 3], vision: [[f64; 3]; 3]) -> f64 {
    let [one, other] = [one, other].map(|colour| lab(colour, vision));
    one.iter().zip(other).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn pairs() -> impl Iterator<Item = (&'static MethodFacts, &'static MethodFacts)> {
    let all = FACTS;
    (0..all.len()).flat_map(move |k| (0..k).map(move |j| (all[j], all[k])))
}

#[test]
fn no_two_methods_look_alike() {
    for (one, other) in pairs() {
        let what = |vision: &str| format!("{} and {} for {vision} eyes", one.name, other.name);
        assert!(distance(one.colour, other.colour, NORMAL) > APART, "{}", what("most"));
        if one.dash == other.dash || one.marker == other.marker {
            for (vision, matrix) in [("protanopic", PROTANOPIA), ("deuteranopic", DEUTERANOPIA)] {
                assert!(distance(one.colour, other.colour, matrix) > APART, "{}", what(vision));
            }
        }
        assert!(one.dash != other.dash || one.marker != other.marker, "{}", what("dichromatic"));
    }
}

/// The simulation itself: what is red and green to most is alike to them, what is blue and yellow is not.
#[test]
fn colour_blind_eyes_confuse_what_they_are_known_to_confuse() {
    let (brown, green) = ([135, 95, 0], [85, 107, 0]);
    assert!(distance(brown, green, NORMAL) > 30.0);
    assert!(distance(brown, green, DEUTERANOPIA) < 15.0);
    for vision in [NORMAL, PROTANOPIA, DEUTERANOPIA] {
        assert!(distance([0, 0, 255], [255, 255, 0], vision) > 100.0);
        assert!((lab([255, 255, 255], vision)[0] - 100.0).abs() < 0.1, "white remains white");
    }
}

#[test]
fn lines_are_dark_enough_for_white_paper() {
    for facts in FACTS {
        assert!(lab(facts.colour, NORMAL)[0] < 76.0, "{}", facts.name);
    }
}

#[test]
fn no_two_methods_are_said_to_be_the_same() {
    for (one, other) in pairs() {
        assert_ne!(one.name, other.name);
        assert_ne!(one.title, other.title, "{} and {}", one.name, other.name);
        assert_ne!((one.summary, one.uses), (other.summary, other.uses), "{} and {}", one.name, other.name);
    }
}
