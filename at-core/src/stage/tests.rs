//! What every page must keep to. A new kind is asked for here: [`every_stage`] does not compile without it.

use super::*;
use crate::chip::{Draws, Imperfections};
use crate::network::singular_value_stages;
use crate::optics::{Activation, Layout};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// One of every kind, none left out: each names the next.
fn every_stage() -> Vec<Stage> {
    let next = |stage: &Stage| match stage {
        Stage::Mesh(_) => Some(Stage::attenuators(4, 6)),
        Stage::Attenuators(_) => Some(Stage::splitter(4, 3)),
        Stage::Splitter(_) => Some(Stage::combiner(6, 2, 3)),
        Stage::Combiner(_) => Some(Stage::activation(4, Activation::Spm { gain: 0.7 })),
        Stage::Activation(_) => Some(Stage::detection(4, Detection::Balanced)),
        Stage::Detection(_) => Some(Stage::modulation(4)),
        Stage::Modulation(_) => Some(Stage::rectifier(4, 0.1)),
        Stage::Rectifier(_) => Some(Stage::matrix(4, 3)),
        Stage::Matrix(_) => Some(Stage::weight_bank(4, 3)),
        Stage::WeightBank(_) => Some(own::tests::electronic()),
        Stage::Own(_) => None,
    };
    let first = Stage::Mesh(Mesh::rectangular(4).unwrap());
    std::iter::successors(Some(first), next).collect()
}

fn signal(reals: usize) -> Vec<f64> {
    (0..reals).map(|k| (1.3 * k as f64 + 0.4).sin()).collect()
}

fn first(stage: &Stage) -> Vec<f64> {
    let random = ChaCha8Rng::seed_from_u64(3);
    let start = Start { initialization: &Initialization::FanIn, seed: 3, earlier: 0, random };
    stage.element().controlled().map_or(Vec::new(), |own| own.first(start).unwrap())
}

#[test]
fn every_control_has_a_first_value_and_a_place_and_shares_its_own_hardware() {
    for stage in every_stage() {
        let Some(own) = stage.element().controlled() else {
            assert_eq!(stage.controls(), 0, "{stage:?}");
            continue;
        };
        let count = stage.controls();
        assert!(count > 0 && first(&stage).len() == count && own.places().len() == count, "{stage:?}");
        let cells = own.shares(&stage, 2).expect("its own hardware");
        assert!(cells.len() == count && cells.iter().enumerate().all(|(k, &cell)| cell <= k && cells[cell] == cell));
        assert!(every_stage().iter().filter(|other| own.shares(other, 2).is_some()).count() == 1, "{stage:?}");
    }
}

#[test]
fn an_individual_has_the_vectors_of_the_schema_and_all_of_them_act() {
    let kind = Imperfections {
        splitter_angle: 0.1,
        phase: 0.2,
        loss_db: 0.5,
        parameter_spread: 0.3,
        response_amplitude: 0.3,
        response_slope: 0.2,
        response_offset: 0.1,
        ..Imperfections::NONE
    };
    for stage in every_stage() {
        let (element, controls) = (stage.element(), first(&stage));
        let input = signal(stage.input().width());
        let ideal = element.forward(&StageErrors::NONE, &controls, &input);
        assert_eq!(ideal.len(), stage.output().width(), "{stage:?}");
        let Some(own) = element.imperfect() else { continue };
        let drawn = own.draw(&Draws::new(&kind, &stage, 0, 5));
        assert!(drawn.iter().map(Vec::len).eq(own.errors().iter().map(|vector| vector.length)), "{stage:?}");
        assert_eq!(element.forward(&StageErrors::zeros(own), &controls, &input), ideal, "zero errors are none");
        for (vector, values) in own.errors().iter().zip(drawn) {
            let mut errors = StageErrors::zeros(own);
            *errors.get_mut(vector.name) = values;
            assert_ne!(element.forward(&errors, &controls, &input), ideal, "{} of {stage:?}", vector.name);
        }
    }
}

#[test]
fn the_way_back_is_the_derivative_of_the_way_there() {
    for stage in every_stage() {
        let found = slope_error(stage.element(), &StageErrors::NONE, &first(&stage), &signal(stage.input().width()));
        assert!(found < 1e-7, "{stage:?}: {found}");
    }
}

#[test]
fn every_stage_has_words_of_its_own_and_a_description() {
    let words: Vec<String> = every_stage().iter().map(|stage| stage.element().words()).collect();
    assert!(words.iter().enumerate().all(|(k, own)| !own.is_empty() && !words[..k].contains(own)), "{words:?}");
    assert!(every_stage().iter().all(|stage| stage.element().description().len() > 5));
}

#[test]
fn stages_side_by_side_do_what_each_does() {
    for stage in every_stage() {
        let Some(Beside { stage: wide, controls: places }) = stage.element().beside(3).unwrap() else { continue };
        let own: Vec<Vec<f64>> = (0..3).map(|k| first(&stage).iter().map(|c| c + k as f64).collect()).collect();
        let told = |place: &Option<(usize, usize)>| place.map_or(std::f64::consts::PI, |(stage, k)| own[stage][k]);
        let controls: Vec<f64> = places.iter().map(told).collect();
        let width = stage.input().width();
        let input = signal(3 * width);
        let together = wide.element().forward(&StageErrors::NONE, &controls, &input);
        let alone = own.iter().zip(input.chunks_exact(width));
        let alone = alone.flat_map(|(own, input)| stage.element().forward(&StageErrors::NONE, own, input));
        assert!(together.iter().zip(alone).all(|(a, b)| (a - b).abs() < 1e-12), "{stage:?}");
    }
}

#[test]
fn nearest_heaters_are_one_pitch_apart() {
    let meshes = [(6, Layout::Rectangular, 1), (5, Layout::Triangular, 1), (5, Layout::Rectangular, 3)]
        .map(|(modes, layout, dies)| Stage::Mesh(Mesh::universal(modes, layout).unwrap().on_dies(dies).unwrap()));
    let svd = singular_value_stages(4, 3, Layout::Rectangular).unwrap();
    for stage in meshes.iter().chain(&every_stage()).chain(&svd) {
        let heaters: Vec<Place> = stage.places().into_iter().flatten().collect();
        let distance = |a: Place, b: Place| (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
        let pairs = (0..heaters.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let pairs = pairs.filter(|&(i, j)| heaters[i].die == heaters[j].die);
        let nearest = pairs.map(|(i, j)| distance(heaters[i], heaters[j])).fold(f64::MAX, f64::min);
        assert!(heaters.is_empty() || nearest == 1.0, "{stage:?}: {nearest}");
    }
}
