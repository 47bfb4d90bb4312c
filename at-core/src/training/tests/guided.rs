//! Guided zeroth-order training: what it is without guidance, where it looks, and what it finds there.

use super::fixture::{CALM, ERRORS, Fixture, losses, matrices, meshes, settings, weight_banks};
use crate::cpu::Cpu;
use crate::engine::Optimizer;
use crate::imperfections::Imperfections;
use crate::training::MethodName;

const RATE: f64 = 0.5;

const BOTH: [MethodName; 2] = [MethodName::Guided, MethodName::GuidedModel];

fn dot(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| a * b).sum()
}

/// What the first step of plain descent says of the gradient.
fn gradient(fixture: &Fixture<Cpu<f64>>, name: MethodName) -> Vec<f64> {
    let after = &fixture.trajectory(name, 1)[0];
    fixture.initial.iter().zip(after).map(|(start, end)| (start - end) / RATE).collect()
}

#[test]
fn without_guidance_it_is_zeroth_order_bit_for_bit() {
    for network in [matrices(&[4, 5, 3]), weight_banks(&[4, 5, 3]), meshes(4)] {
        let mut fixture = Fixture::new(Cpu::<f32>::new(), network, &ERRORS, settings(3, 1, 0.1, Optimizer::ADAM));
        let plain = fixture.trajectory(MethodName::ZerothOrder, 6);
        for name in BOTH {
            fixture.options.guide_share = 0.5;
            assert_ne!(fixture.trajectory(name, 6), plain, "{name}");
            fixture.options.guide_share = 0.0;
            assert_eq!(fixture.trajectory(name, 6), plain, "{name}");
        }
    }
}

/// One guide and nothing across it: u = √D·w·ĝ, so that the estimate is ∇L·mean w² along a guide that is right.
#[test]
fn along_a_model_that_is_right_alone_it_finds_the_gradient_itself() {
    for network in [weight_banks(&[4, 5, 3]), meshes(4)] {
        let settings = settings(3, 1, RATE, Optimizer::Sgd);
        let mut fixture = Fixture::new(Cpu::<f64>::new(), network, &Imperfections::default(), settings);
        (fixture.options.guide_share, fixture.options.guide_directions) = (1.0, 1);
        (fixture.options.probe_draws, fixture.options.probe_step) = (400, 1e-6);
        let (truth, found) = (gradient(&fixture, MethodName::Ideal), gradient(&fixture, MethodName::GuidedModel));
        let factor = dot(&found, &truth) / dot(&truth, &truth);
        assert!((factor - 1.0).abs() < 0.25, "the mean of 400 squares is {factor}");
        let largest = truth.iter().fold(0.0_f64, |most, slope| most.max(slope.abs()));
        assert!(found.iter().zip(&truth).all(|(found, truth)| (found - factor * truth).abs() < 1e-4 * largest));
    }
}

/// The model of an imperfect chip is wrong; along its proposal the chip's own slope is found all the same.
#[test]
fn along_a_model_that_is_wrong_it_finds_the_slope_of_the_chip() {
    let settings = settings(3, 1, RATE, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&[4, 5, 3]), &CALM, settings);
    (fixture.options.guide_share, fixture.options.guide_directions) = (0.5, 1);
    (fixture.options.probe_draws, fixture.options.probe_step) = (10_000, 1e-4);
    let [truth, guide, found] =
        [MethodName::Ideal, MethodName::PatOutput, MethodName::GuidedModel].map(|name| gradient(&fixture, name));
    let length = dot(&guide, &guide).sqrt();
    let along = |vector: &[f64]| dot(vector, &guide) / length;
    let size = dot(&truth, &truth).sqrt();
    let apart: Vec<f64> = guide.iter().zip(&truth).map(|(guide, truth)| guide - truth).collect();
    assert!(dot(&apart, &apart).sqrt() > 0.1 * size, "they are told apart");
    assert!((along(&found) - along(&truth)).abs() < 0.05 * size, "{} for {}", along(&found), along(&truth));
}

/// D guides that are orthonormal leave nothing outside: the whole space, in which every estimate is one of plain zeroth order.
#[test]
fn as_many_guides_as_controls_are_the_whole_space() {
    let settings = settings(3, 1, 0.05, Optimizer::Sgd);
    let mut fixture = Fixture::new(Cpu::<f64>::new(), matrices(&[2, 3]), &CALM, settings);
    (fixture.options.guide_share, fixture.options.guide_directions) = (1.0, 100);
    (fixture.options.probe_draws, fixture.options.probe_step) = (2_000, 1e-5);
    let steps = fixture.trajectory(MethodName::Guided, 2);
    // after the first step there is one guide, and the second moves along it alone
    let first: Vec<f64> = fixture.initial.iter().zip(&steps[0]).map(|(a, b)| a - b).collect();
    let second: Vec<f64> = steps[0].iter().zip(&steps[1]).map(|(a, b)| a - b).collect();
    let cosine = dot(&first, &second) / (dot(&first, &first) * dot(&second, &second)).sqrt();
    assert!((cosine.abs() - 1.0).abs() < 1e-9, "{cosine}");
    fixture.options.guide_share = 0.5;
    let (guided, ideal) = (fixture.trajectory(MethodName::Guided, 12), fixture.trajectory(MethodName::Ideal, 12));
    let moved = |steps: &[Vec<f64>]| -> Vec<f64> {
        steps[10].iter().zip(&steps[11]).map(|(before, after)| before - after).collect()
    };
    let (guided, ideal) = (moved(&guided), moved(&ideal));
    let cosine = dot(&guided, &ideal) / (dot(&guided, &guided) * dot(&ideal, &ideal)).sqrt();
    assert!(cosine > 0.9, "{cosine}");
}

#[test]
fn with_a_guide_the_same_draws_learn_more() {
    let mut fixture =
        Fixture::new(Cpu::<f32>::new(), weight_banks(&[4, 8, 3]), &CALM, settings(3, 10, 0.3, Optimizer::Sgd));
    fixture.options.probe_draws = 1;
    let [(_, plain), (_, model)] =
        [MethodName::ZerothOrder, MethodName::GuidedModel].map(|name| losses(&fixture, name));
    assert!(model < plain, "{model} with, {plain} without");
}
