//! What the table of imperfections must keep to.

use super::*;
use crate::network::{Detection, Network, Stage};
use crate::optics::Mesh;
use std::collections::BTreeSet;

/// Names and values in the serialised form.
fn leaves(value: &serde_json::Value, found: &mut Vec<(String, serde_json::Value)>) {
    for (name, value) in value.as_object().unwrap() {
        match value.is_object() {
            true => leaves(value, found),
            false => found.push((name.clone(), value.clone())),
        }
    }
}

/// Every imperfection at another value than by default.
fn all_changed() -> Imperfections {
    let mut kind = Imperfections::NONE;
    let mut text = serde_json::to_value(kind).unwrap();
    fn change(value: &mut serde_json::Value) {
        for value in value.as_object_mut().unwrap().values_mut() {
            match value {
                serde_json::Value::Bool(on) => *on = true,
                serde_json::Value::Number(number) if number.is_f64() => *value = 0.1.into(),
                serde_json::Value::Number(_) => *value = 3.into(),
                _ => change(value),
            }
        }
    }
    change(&mut text);
    kind = serde_json::from_value(text).unwrap();
    kind
}

#[test]
fn every_number_of_a_kind_of_chip_has_one_row_under_its_name_in_files() {
    let (mut none, mut changed) = (Vec::new(), Vec::new());
    leaves(&serde_json::to_value(Imperfections::NONE).unwrap(), &mut none);
    leaves(&serde_json::to_value(all_changed()).unwrap(), &mut changed);
    let names: BTreeSet<&str> = Imperfections::TABLE.iter().map(|own| own.name).collect();
    assert_eq!(names, none.iter().map(|(name, _)| name.as_str()).collect());
    assert_eq!(names.len(), Imperfections::TABLE.len(), "a name has two rows");
    for own in Imperfections::TABLE {
        let mut one = Imperfections::NONE;
        own.copy(&mut one, &all_changed());
        let mut found = Vec::new();
        leaves(&serde_json::to_value(one).unwrap(), &mut found);
        let differing: Vec<&str> =
            found.iter().zip(&none).filter(|(own, none)| own != none).map(|(own, _)| own.0.as_str()).collect();
        assert_eq!(differing, [own.name], "its row is that of another field");
        assert_ne!(own.of(&one), own.default(), "{}", own.name);
    }
}

#[test]
fn every_range_is_that_of_its_field_and_named() {
    for own in Imperfections::TABLE {
        assert!((own.range.least..=own.range.most).contains(&own.default().number()), "{}", own.name);
        let Value::Number(_) = own.default() else { continue };
        for outside in [f64::NAN, own.range.least.next_down(), 2.0 * own.range.most] {
            let mut text = serde_json::to_value(Imperfections::NONE).unwrap();
            if !outside.is_finite() {
                assert!(own.range.check(own.name, outside.into()).is_err(), "{}", own.name);
                continue;
            }
            let place = |text: &mut serde_json::Value| {
                let parts = text.as_object_mut().unwrap();
                match parts.contains_key(own.name) {
                    true => drop(parts.insert(own.name.into(), outside.into())),
                    false => {
                        let part = parts.values_mut().filter_map(serde_json::Value::as_object_mut);
                        part.filter(|part| part.contains_key(own.name))
                            .for_each(|part| drop(part.insert(own.name.into(), outside.into())));
                    }
                }
            };
            place(&mut text);
            let kind: Imperfections = serde_json::from_value(text).unwrap();
            let error = kind.validate().unwrap_err().to_string();
            assert!(error.contains(own.name) && error.contains(own.range.demand), "{error}");
        }
    }
}

#[test]
fn what_acts_only_with_another_names_one_that_acts_by_itself() {
    for own in Imperfections::TABLE {
        if let With(name) = own.acts {
            let other = Imperfections::TABLE.iter().find(|other| other.name == name).unwrap();
            assert!(!matches!(other.acts, With(_)), "{} acts with {name}, which does not act", own.name);
        }
    }
}

#[test]
fn only_what_is_the_kinds_is_in_its_data_sheet_and_only_the_chip_has_what_is_its_alone() {
    let kind = all_changed();
    let (sheet, drawn) = (kind.data_sheet(), kind.modelled());
    for own in Imperfections::TABLE {
        let told = own.of(&sheet) == own.of(&kind);
        assert_eq!(told, own.scope == Scope::Kind, "{} in the data sheet", own.name);
        assert_eq!(own.of(&drawn) == own.of(&kind), own.scope != Scope::Chip, "{} in models that are drawn", own.name);
        assert!(told || own.of(&sheet) == own.default(), "{}", own.name);
    }
}

#[test]
fn parts_are_those_of_networks() {
    let names = |network: &Network| {
        let parts = [
            Part::Meshes,
            Part::Crossings,
            Part::Matrices,
            Part::WeightBanks,
            Part::Masks,
            Part::Planes,
            Part::Shifters,
            Part::Hidden,
        ];
        parts.into_iter().filter(|part| network.has(*part)).map(Part::name).collect::<Vec<_>>()
    };
    let of = |layers: Vec<Vec<Stage>>| names(&Network::new(layers).unwrap());
    let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
    let detection = Stage::detection(4, Detection::Intensity);
    assert_eq!(of(vec![vec![Stage::weight_bank(4, 2)]]), ["weight banks", "phase shifters"]);
    assert_eq!(of(vec![vec![Stage::matrix(4, 4)], vec![Stage::matrix(4, 2)]]), ["matrices", "hidden layers"]);
    let butterfly = Stage::Mesh(Mesh::butterfly(4).unwrap());
    assert_eq!(of(vec![vec![butterfly, detection.clone()]]), ["meshes", "crossing waveguides", "phase shifters"]);
    assert_eq!(of(vec![vec![mesh, detection]]), ["meshes", "phase shifters"]);
}
