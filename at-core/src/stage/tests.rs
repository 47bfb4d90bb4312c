//! What every page must keep to. A new kind is here by its example in the table of stages.

use super::*;
use crate::fabrication::Fabrication;
use crate::imperfections::{Draws, Imperfections, Memory, Planes, Rings};
use crate::network::{Network, singular_value_stages};
use crate::optics::Layout;
use crate::reference::Reference;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use std::f64::consts::FRAC_PI_2;

/// One of every kind, none left out.
fn every_stage() -> Vec<Stage> {
    Stage::examples().into_iter().chain([own::tests::electronic()]).collect()
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
fn every_kind_of_the_table_has_an_example_of_itself() {
    assert!(every_stage().iter().map(Stage::kind).eq(Stage::KINDS.iter().copied()));
    let all: Vec<_> = Stage::examples().into_iter().map(|stage| Network::new(vec![vec![stage]])).collect();
    let detect = "must detect"; // alone, those that let fields out are no network, and all others are
    assert!(all.iter().all(|network| network.as_ref().err().is_none_or(|error| error.to_string().contains(detect))));
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
fn every_control_has_a_name_of_its_own() {
    for stage in every_stage() {
        let names = stage.element().controlled().map_or(Vec::new(), Controlled::names);
        assert_eq!(names.len(), stage.controls(), "{stage:?}");
        let distinct: std::collections::BTreeSet<&String> = names.iter().collect();
        assert_eq!(distinct.len(), names.len(), "{stage:?}");
    }
    let mesh = Mesh::rectangular(4).unwrap();
    let names = Controlled::names(&mesh);
    assert_eq!((&names[0][..], &names[2][..], &names[8][..]), ("theta[0,0]", "theta[1,1]", "phi[1,1]"));
    assert_eq!(names.last().unwrap(), "gamma[3]");
}

#[test]
fn the_arrays_of_files_are_all_controls_under_their_names() {
    for stage in every_stage() {
        let names = stage.element().controlled().map_or(Vec::new(), Controlled::names);
        let mut names = names.iter();
        for array in stage.control_arrays() {
            let word = |name: &String| name.split('[').next() == Some(&array.name);
            let count = array.count().unwrap();
            assert!(
                count > 0 && names.by_ref().take(count).filter(|name| word(name)).count() == count,
                "{stage:?}: {array:?}"
            );
        }
        assert_eq!(names.next(), None, "{stage:?}");
    }
    let layers = vec![
        vec![Stage::Mesh(Mesh::rectangular(4).unwrap()), Stage::detection(4, Detection::Balanced)],
        vec![Stage::weight_bank(2, 3)],
        vec![Stage::weight_bank(3, 1)],
    ];
    let arrays = Network::new(layers).unwrap().control_arrays();
    let named: Vec<(&str, &[usize])> = arrays.iter().map(|array| (&array.name[..], &array.shape[..])).collect();
    let [theta, phi, gamma] = [("mesh0.theta", &[6][..]), ("mesh0.phi", &[6]), ("mesh0.gamma", &[4])];
    let [one, other] = [("weight-bank0.weight", &[3, 2][..]), ("weight-bank1.weight", &[1, 3])];
    assert_eq!(named, [theta, phi, gamma, one, ("weight-bank0.bias", &[3]), other, ("weight-bank1.bias", &[1])]);
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
        rings: Rings { ring_offset: 0.1, ring_linewidth: 0.2, ring_leak: 0.05, ring_loss_db: 0.5 },
        memory: Memory { pcm_contrast: 0.1, pcm_offset: 0.05, ..Memory::NONE },
        planes: Planes { pixel_phase: 0.2, plane_shift: 30.0, plane_distance: 40.0, plane_tilt: 0.02, ..Planes::NONE },
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
        assert!(found < 1e-8, "{stage:?}: {found}");
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
    let others = [(6, Layout::Diamond), (8, Layout::Butterfly), (8, Layout::Benes)]
        .map(|(modes, layout)| Stage::Mesh(Mesh::universal(modes, layout).unwrap()));
    let svd = singular_value_stages(4, 3, Layout::Rectangular).unwrap();
    for stage in meshes.iter().chain(&others).chain(&every_stage()).chain(&svd) {
        let heaters: Vec<Place> = stage.places().into_iter().flatten().collect();
        let distance = |a: Place, b: Place| (a.at[0] - b.at[0]).hypot(a.at[1] - b.at[1]);
        let pairs = (0..heaters.len()).flat_map(|i| (0..i).map(move |j| (i, j)));
        let pairs = pairs.filter(|&(i, j)| heaters[i].die == heaters[j].die);
        let nearest = pairs.map(|(i, j)| distance(heaters[i], heaters[j])).min_by(f64::total_cmp);
        assert!(nearest.is_none_or(|nearest| nearest == 1.0), "{stage:?}: {nearest:?}"); // one heater alone has none
    }
}

/// Every page of the library knows what it makes of them, and where it lets them be, two readouts give the slope of each control.
#[test]
fn readouts_are_sines_of_every_control_where_a_page_says_so() {
    let mut kept = 0;
    for stage in every_stage() {
        let Some(sines) = stage.element().sines() else {
            assert_eq!(stage.kind(), "Own", "a page of the library knows");
            continue;
        };
        let (modes, outputs) = (stage.input().modes, stage.output());
        let mesh = |modes| Stage::Mesh(Mesh::rectangular(modes).unwrap());
        let in_front = if stage.input().complex { vec![mesh(modes)] } else { Vec::new() };
        let detectors = || vec![mesh(outputs.modes), Stage::detection(outputs.modes, Detection::Intensity)];
        let behind = if outputs.complex { detectors() } else { Vec::new() };
        if sines.broken_by(in_front.is_empty(), behind.is_empty()).is_some() {
            continue;
        }
        kept += 1;
        let network = Network::new(vec![[in_front, vec![stage.clone()], behind].concat()]).unwrap();
        let controls: Vec<f64> = (0..network.controls()).map(|k| (0.9 * k as f64).sin()).collect();
        let (fields, error) = (signal(network.input().width()), signal(network.outputs()));
        let chip = Fabrication::ideal();
        let reference = Reference { network: &network, fabrication: &chip, first_controls: &controls, drift: &[] };
        let slopes = reference.gradient(&controls, &fields, &error).unwrap();
        for (k, slope) in slopes.into_iter().enumerate() {
            let loss = |shift: f64| {
                let mut controls = controls.clone();
                controls[k] += shift;
                let read = reference.propagate(&controls, &fields).unwrap();
                read.iter().zip(&error).map(|(r, e)| r * e).sum::<f64>()
            };
            let found = 0.5 * (loss(FRAC_PI_2) - loss(-FRAC_PI_2));
            assert!((found - slope).abs() < 1e-10, "control {k} with {stage:?}: {found} for {slope}");
        }
    }
    assert!(kept >= 5, "meshes, splitters, combiners, detections, modulations");
}

#[test]
fn what_is_drawn_of_a_stage_fills_the_cells_of_its_grid() {
    for stage in every_stage() {
        let Some(drawn) = stage.element().drawn() else { continue };
        let (imperfect, controls) = (stage.element().imperfect(), first(&stage));
        let errors = imperfect.map_or(StageErrors::NONE, StageErrors::zeros);
        let [ideal, real] = [StageErrors::NONE, errors].map(|errors| drawn.maps(&errors, &controls));
        assert!(!ideal.is_empty() && real[..ideal.len()] == ideal, "{stage:?}");
        assert_eq!(real.len() > ideal.len(), imperfect.is_some(), "{stage:?}");
        let fills = |map: &Map| match drawn.grid() {
            Grid::Weights { inputs, outputs } => map.values.len() == inputs * outputs,
            Grid::Pixels { rows, columns } => map.values.len() == rows * columns,
            Grid::Mesh(mesh) => [0, mesh.modes()].iter().any(|last| map.values.len() == mesh.mzis() + last),
        };
        assert!(real.iter().all(fills), "{stage:?}");
        let named: std::collections::BTreeSet<_> = real.iter().map(|map| map.name).collect();
        assert_eq!(named.len(), real.len(), "{stage:?}");
    }
}
