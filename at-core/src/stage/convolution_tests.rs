//! Convolutions and pooling against plain loops over channels, rows and columns that share nothing with the pages.

use super::super::{Patches, Pool, Stage, StageErrors, slope_error};
use crate::image_shape::ImageShape;

fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|k| (1.7 * k as f64 + seed).sin()).collect()
}

/// Image, kernel, stride, padding, outputs.
type Shape = ([usize; 3], [usize; 2], usize, usize, usize);

/// Odd, even, one patch, one pixel, overlapping and not.
const SHAPES: [Shape; 6] = [
    ([1, 5, 5], [3, 3], 1, 0, 2),
    ([2, 5, 4], [3, 2], 2, 1, 3),
    ([3, 6, 7], [2, 5], 1, 1, 1),
    ([2, 4, 4], [4, 4], 1, 0, 5),
    ([4, 3, 3], [1, 1], 1, 0, 2),
    ([1, 8, 9], [3, 3], 3, 2, 4),
];

fn patches(image: [usize; 3], kernel: [usize; 2], stride: usize, padding: usize) -> Patches {
    Patches { image: ImageShape::new(image[0], image[1], image[2]), kernel, stride, padding }
}

/// `y[n, o, i, j] = b[o] + Σ_cuv w[o, c, u, v]·x[n, c, s·i − p + u, s·j − p + v]`, of real weights `[w, b]`.
fn plain(patches: &Patches, outputs: usize, weights: &[f64], batch: usize, x: &[f64]) -> Vec<f64> {
    let Patches { image: ImageShape { channels, height, width }, kernel: [kh, kw], stride, padding } = *patches;
    let [rows, columns] = [(height + 2 * padding - kh) / stride + 1, (width + 2 * padding - kw) / stride + 1];
    let mut y = vec![0.0; batch * outputs * rows * columns];
    for n in 0..batch {
        for o in 0..outputs {
            for i in 0..rows {
                for j in 0..columns {
                    let mut sum = weights[outputs * channels * kh * kw + o];
                    for c in 0..channels {
                        for u in 0..kh {
                            for v in 0..kw {
                                let row = (stride * i + u) as i64 - padding as i64;
                                let column = (stride * j + v) as i64 - padding as i64;
                                if (0..height as i64).contains(&row) && (0..width as i64).contains(&column) {
                                    let place = ((n * channels + c) * height + row as usize) * width + column as usize;
                                    sum += weights[((o * channels + c) * kh + u) * kw + v] * x[place];
                                }
                            }
                        }
                    }
                    y[((n * outputs + o) * rows + i) * columns + j] = sum;
                }
            }
        }
    }
    y
}

#[test]
fn a_convolution_is_the_plain_loop_over_channels_rows_and_columns() {
    for (image, kernel, stride, padding, outputs) in SHAPES {
        let patches = patches(image, kernel, stride, padding);
        let count = outputs * (patches.entries() + 1);
        let (angles, x) = (numbers(count, 0.2), numbers(3 * patches.image.features(), 0.9));
        for (element, weights) in [
            (Stage::matrix(patches.entries(), outputs), angles.clone()),
            (Stage::weight_bank(patches.entries(), outputs), angles.iter().map(|angle| angle.sin()).collect()),
        ] {
            let stage = Stage::convolution(patches, element);
            stage.element().validate().unwrap();
            let found = stage.element().forward(&StageErrors::NONE, &angles, &x);
            let expected = plain(&patches, outputs, &weights, 3, &x);
            assert_eq!(found.len(), 3 * stage.output().modes);
            assert_eq!(found.len(), expected.len());
            let far = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
            assert!(far < 1e-13, "{stage:?}: {far}");
        }
    }
}

#[test]
fn the_way_back_of_any_shape_is_its_derivative() {
    for (image, kernel, stride, padding, outputs) in SHAPES {
        let patches = patches(image, kernel, stride, padding);
        let bank = Stage::weight_bank(patches.entries(), outputs);
        let stage = Stage::convolution(patches, bank);
        let controls = numbers(stage.controls(), 0.4);
        let x = numbers(2 * patches.image.features(), 0.1);
        let found = slope_error(stage.element(), &StageErrors::NONE, &controls, &x);
        assert!(found < 1e-8, "{stage:?}: {found}");
    }
}

/// The errors of the bank are one set, which every patch meets: two equal patches give equal values whatever they are.
#[test]
fn all_patches_meet_the_errors_of_the_one_bank() {
    let patches = patches([1, 4, 4], [2, 2], 2, 0);
    let stage = Stage::convolution(patches, Stage::weight_bank(4, 2));
    let mut errors = StageErrors::zeros(stage.element().imperfect().unwrap());
    assert_eq!(errors.get_mut("offset").len(), 10);
    errors.get_mut("offset")[0] = 0.3;
    let controls = numbers(10, 0.5);
    let same = [1.0, 2.0, 1.0, 2.0, 3.0, 4.0, 3.0, 4.0].repeat(2);
    let y = stage.element().forward(&errors, &controls, &same);
    assert!(y[..4].iter().all(|&value| value == y[0]) && y[4..].iter().all(|&value| value == y[4]));
    let ideal = stage.element().forward(&StageErrors::NONE, &controls, &same);
    assert!(y[0] != ideal[0] && y[4] == ideal[4]);
}

#[test]
fn pooling_is_the_plain_loop() {
    for (pool, size, stride) in
        [(Pool::Average, 2, 2), (Pool::Max, 2, 2), (Pool::Max, 3, 2), (Pool::Average, 3, 1), (Pool::Detectors, 2, 3)]
    {
        let image = ImageShape::new(2, 5, 7);
        let stage = Stage::Pooling(super::super::Pooling { image, size, stride, pool });
        let x = numbers(2 * image.features(), 0.3);
        let y = stage.element().forward(&StageErrors::NONE, &[], &x);
        let [rows, columns] = [(5 - size) / stride + 1, (7 - size) / stride + 1];
        assert_eq!(y.len(), 4 * rows * columns);
        for (k, value) in y.iter().enumerate() {
            let (channel, i, j) = (k / (rows * columns), k / columns % rows, k % columns);
            let mut seen = Vec::new();
            for u in 0..size {
                for v in 0..size {
                    seen.push(x[(channel * 5 + stride * i + u) * 7 + stride * j + v]);
                }
            }
            let expected = match pool {
                Pool::Average | Pool::Detectors => seen.iter().sum::<f64>() / seen.len() as f64,
                Pool::Max => seen.iter().copied().fold(f64::MIN, f64::max),
            };
            assert!((value - expected).abs() < 1e-15, "{stage:?}");
        }
        let found = slope_error(stage.element(), &StageErrors::NONE, &[], &x);
        assert!(found < 1e-8, "{stage:?}: {found}");
    }
}

#[test]
fn of_equal_maxima_the_first_takes_the_error_and_nan_stays() {
    let stage = Stage::pooling(ImageShape::new(1, 2, 2), 2, Pool::Max);
    let back = stage.element().backward(&StageErrors::NONE, &[], &[1.0, 3.0, 3.0, 3.0], &[5.0], &mut []);
    assert_eq!(back, [0.0, 5.0, 0.0, 0.0]);
    for place in 0..4 {
        let mut x = [1.0, 4.0, 2.0, 3.0];
        x[place] = f64::NAN;
        assert!(stage.element().forward(&StageErrors::NONE, &[], &x)[0].is_nan());
    }
}

#[test]
fn what_makes_no_convolution_is_named() {
    let said = |stage: Stage| stage.element().validate().unwrap_err().to_string();
    let three = || patches([2, 5, 5], [3, 3], 1, 0);
    assert!(said(Stage::convolution(three(), Stage::weight_bank(9, 2))).contains("expected 18, got 9"));
    assert!(said(Stage::convolution(three(), Stage::rectifier(18, 0.0))).contains("element = rectifier"));
    let nested = Stage::convolution(three(), Stage::weight_bank(18, 2));
    assert!(said(Stage::convolution(three(), nested)).contains("element = convolution"));
    let large = Stage::convolution(patches([1, 2, 5], [3, 3], 1, 0), Stage::weight_bank(9, 2));
    assert!(said(large).contains("kernel = 3x3"));
}
