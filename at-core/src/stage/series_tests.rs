//! Series and residual connections against the stages by themselves, and patches that cross any linear element.

use super::super::{Estimable, FreeSpace, Order, Patches, Start, Transmission, slope_error};
use super::*;
use crate::fabrication::Fabrication;
use crate::image_shape::ImageShape;
use crate::imperfections::{Imperfections, Place};
use crate::network::{Detection, Network, singular_value_stages};
use crate::optics::{AngularSpectrum, Layout, Mesh};
use crate::stage::Initialization;

fn numbers(count: usize, seed: f64) -> Vec<f64> {
    (0..count).map(|k| (1.7 * k as f64 + seed).sin()).collect()
}

fn singular(inputs: usize, outputs: usize) -> Vec<Stage> {
    let meshes = singular_value_stages(inputs, outputs, Layout::Rectangular).unwrap();
    let ends = (Stage::modulation(inputs), Stage::detection(outputs, Detection::Homodyne { phase: 0.2 }));
    [vec![ends.0], meshes.into(), vec![ends.1]].concat()
}

/// What patches of 2 × 2 over two channels can cross: every linear element between numbers.
pub fn elements() -> Vec<Stage> {
    let grid = |mask| {
        let spectrum =
            AngularSpectrum { rows: 2, columns: 4, pitch_um: 400.0, distance_um: 250.0, wavelength_um: 750.0 };
        let space = Stage::FreeSpace(FreeSpace { spectrum });
        vec![Stage::modulation(8), space.clone(), mask, space, Stage::regions(2, 4, 2, 1)]
    };
    vec![
        Stage::matrix(8, 3),
        Stage::weight_bank(8, 3),
        Stage::ring_bank(8, 3, 3, 12.0),
        Stage::phase_change(8, 3),
        Stage::series(singular(8, 3)),
        Stage::series(vec![
            Stage::modulation(8),
            Stage::Mesh(Mesh::rectangular(8).unwrap()),
            Stage::detection(8, Detection::Balanced),
        ]),
        Stage::series(grid(Stage::mask(2, 4, Transmission::Complex))),
    ]
}

fn patches() -> Patches {
    Patches { image: ImageShape::new(2, 4, 3), kernel: [2, 2], stride: 1, padding: 1 }
}

fn errors_of(stage: &Stage) -> StageErrors {
    let kind = Imperfections {
        splitter_angle: 0.1,
        phase: 0.2,
        loss_db: 0.5,
        parameter_spread: 0.3,
        response_amplitude: 0.3,
        response_offset: 0.1,
        ..Imperfections::NONE
    };
    let own = stage.element().imperfect().unwrap();
    StageErrors::new(own, own.draw(&Draws::new(&kind, stage, 3, 5)))
}

fn first(stage: &Stage) -> Vec<f64> {
    let random = ChaCha8Rng::seed_from_u64(3);
    let start = Start { initialization: &Initialization::FanIn, seed: 3, earlier: 0, random };
    stage.element().controlled().unwrap().first(start).unwrap()
}

/// Each patch is written down by hand, and sent through the element alone.
#[test]
fn a_convolution_is_its_element_on_every_patch_whatever_it_is() {
    let patches = patches();
    for element in elements() {
        let stage = Stage::convolution(patches, element.clone());
        stage.element().validate().unwrap();
        let (errors, controls, x) = (errors_of(&stage), first(&stage), numbers(24, 0.3));
        let found = stage.element().forward(&errors, &controls, &x);
        let [rows, columns] = [5, 4];
        let outputs = element.output().modes;
        assert_eq!(found.len(), outputs * rows * columns);
        for (i, j) in (0..rows).flat_map(|i| (0..columns).map(move |j| (i, j))) {
            let mut patch = Vec::new();
            for (c, u, v) in (0..8).map(|k| (k / 4, k / 2 % 2, k % 2)) {
                let (row, column) = ((i + u).wrapping_sub(1), (j + v).wrapping_sub(1));
                patch.push(if row < 4 && column < 3 { x[(c * 4 + row) * 3 + column] } else { 0.0 });
            }
            let alone = element.element().forward(&errors, &controls, &patch);
            for (output, value) in alone.iter().enumerate() {
                assert!((found[(output * rows + i) * columns + j] - value).abs() < 1e-12, "{element:?}");
            }
        }
        let found = slope_error(stage.element(), &errors, &controls, &numbers(48, 0.1));
        assert!(found < 1e-8, "{stage:?}: {found}");
    }
}

#[test]
fn a_series_is_its_stages_one_behind_the_other() {
    let stages = singular(4, 3);
    let series = Stage::series(stages.clone());
    let (errors, controls) = (errors_of(&series), first(&series));
    let Stage::Series(page) = &series else { panic!("a series") };
    let x = numbers(8, 0.7);
    let (mut signal, mut offset) = (x.clone(), 0);
    for (stage, errors) in stages.iter().zip(page.errors_of_stages(&errors)) {
        signal = stage.element().forward(&errors, &controls[offset..offset + stage.controls()], &signal);
        offset += stage.controls();
    }
    assert_eq!((offset, signal), (controls.len(), series.element().forward(&errors, &controls, &x)));
    // the same stages without a series are a network of the same controls, arrays and imperfections
    let network = Network::new(vec![stages]).unwrap();
    let inside = Network::new(vec![vec![series.clone()]]).unwrap();
    let names = |network: &Network| network.control_arrays().into_iter().map(|array| array.name).collect::<Vec<_>>();
    let prefixed: Vec<String> = names(&network).iter().map(|name| format!("series0.{name}")).collect();
    assert_eq!(names(&inside), prefixed);
    assert_eq!((network.controls(), network.imperfections()), (inside.controls(), inside.imperfections()));
    assert!(matches!(series.estimable(), Estimable::ByProbes(_)));
}

/// Two meshes of one series differ, as those of a network do, and equal series on one module do not.
#[test]
fn stages_inside_are_individuals() {
    let two = Stage::series(singular(4, 4));
    let errors = errors_of(&two);
    let vectors: Vec<_> = errors.iter().collect();
    let of =
        |name: &str| vectors.iter().find(|(own, _)| *own == name).unwrap_or_else(|| panic!("{name}: {vectors:?}")).1;
    let name = |mesh: usize| vectors.iter().find(|(own, _)| own.starts_with(&format!("mesh{mesh}."))).unwrap().0;
    let rest = |name: &str| name.split_once('.').unwrap().1.to_string();
    assert_eq!(rest(name(0)), rest(name(1)));
    assert_ne!(of(name(0)), of(name(1)));
    let conv = || {
        Stage::convolution(
            Patches { image: ImageShape::new(4, 2, 2), kernel: [1; 2], stride: 1, padding: 0 },
            two.clone(),
        )
    };
    let network = Network::new(vec![vec![conv()], vec![conv()]]).unwrap();
    let kind = Imperfections { splitter_angle: 0.1, phase: 0.2, ..Imperfections::NONE };
    let [apart, shared] = [0, 4].map(|module| Imperfections { module, ..kind }.fabricate(&network, 1).unwrap());
    assert_ne!(apart.stages[0], apart.stages[1]);
    assert_eq!(shared.stages[0], shared.stages[1]);
    assert_eq!(Fabrication { stages: Vec::new(), ..apart.clone() }.stage(0), &StageErrors::NONE);
}

#[test]
fn places_and_orders_tell_stages_apart() {
    let stage = Stage::series(vec![Stage::weight_bank(4, 3), Stage::ring_bank(3, 2, 3, 12.0)]);
    let dies: std::collections::BTreeSet<usize> =
        stage.places().into_iter().flatten().map(|place: Place| place.die).collect();
    assert_eq!(dies.len(), 2);
    let orders: Vec<usize> = stage.errors().iter().map(|vector| vector.order.first_control()).collect();
    assert_eq!((orders[0], orders[orders.len() - 1]), (0, 15));
    assert!(stage.errors().iter().all(|vector| !matches!(vector.order, Order::Controls)));
}

/// `y = x + F(x)` of numbers, and `(x + F(x))/2` of light where F is linear: an empty mesh between equal arms passes all light.
#[test]
fn a_residual_connection_adds_what_it_left_aside() {
    let numbers_stage = Stage::residual(vec![Stage::weight_bank(3, 3)]);
    let (controls, x) = (first(&numbers_stage), numbers(6, 0.2));
    let branch = Stage::weight_bank(3, 3).element().forward(&StageErrors::NONE, &controls, &x);
    let found = numbers_stage.element().forward(&StageErrors::NONE, &controls, &x);
    assert!(found.iter().zip(branch.iter().zip(&x)).all(|(y, (f, x))| (y - f - x).abs() < 1e-15));

    let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
    let light = Stage::residual(vec![mesh.clone()]);
    let (controls, x) = (first(&light), numbers(16, 0.4));
    let branch = mesh.element().forward(&StageErrors::NONE, &controls, &x);
    let found = light.element().forward(&StageErrors::NONE, &controls, &x);
    assert!(found.iter().zip(branch.iter().zip(&x)).all(|(y, (f, x))| (y - 0.5 * (f + x)).abs() < 1e-14));

    for stages in [
        vec![mesh.clone(), Stage::activation(4, crate::optics::Activation::Spm { gain: 0.7 })],
        vec![mesh, Stage::attenuators(4, 4)],
    ] {
        let stage = Stage::residual(stages);
        let found = slope_error(stage.element(), &errors_of(&stage), &first(&stage), &numbers(16, 0.9));
        assert!(found < 1e-8, "{stage:?}: {found}");
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let said = |stage: Stage| stage.element().validate().unwrap_err().to_string();
    assert!(said(Stage::series(vec![])).contains("at least one stage"));
    assert!(said(Stage::series(vec![Stage::weight_bank(3, 4), Stage::modulation(3)])).contains("expected 3, got 4"));
    assert!(said(Stage::series(vec![Stage::modulation(3), Stage::weight_bank(3, 3)])).contains("needs real numbers"));
    assert!(said(Stage::residual(vec![Stage::weight_bank(3, 4)])).contains("expected 3, got 4"));
    let detected = vec![Stage::detection(3, Detection::Intensity)];
    assert!(said(Stage::residual(detected)).contains("light is added to light"));
    let conv = |element| Stage::convolution(patches(), element);
    assert!(said(conv(Stage::attenuators(8, 8))).contains("put modulation in front"));
    let between = Stage::series(vec![Stage::weight_bank(8, 3), Stage::rectifier(3, 0.0)]);
    assert!(said(conv(between)).contains("element = rectifier"));
}
