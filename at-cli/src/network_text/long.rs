//! The long form of a network, read so that an error names the layer, the stage and the key.

use super::NetworkText;
use super::stage::{CrossedInTurn, StageText};
use crate::names::unknown;
use at_core::data::ImageShape;
use at_core::network::Feedback;
use at_core::optics::layout::{Columns, Layout, NAMED};
use at_core::stage::Pool;
use serde::de::Error;
use serde::{Deserialize, Deserializer};
use toml::{Table, Value};

/// Keys of one kind: those that it needs, and those that it may have.
type Keys = (&'static str, &'static [&'static str], &'static [&'static str]);

/// The kinds of stages.
pub(super) const KINDS: [Keys; 20] = [
    ("mesh", &["modes"], &["layout", "depth", "columns"]),
    ("singular-value", &["inputs", "outputs"], &["layout", "tile"]),
    ("tiles", &["inputs", "outputs", "tile"], &["layout", "depth", "columns"]),
    ("matrix", &["inputs", "outputs"], &[]),
    ("weight-bank", &["inputs", "outputs"], &[]),
    ("ring-bank", &["inputs", "outputs"], &["channels", "finesse"]),
    ("phase-change", &["inputs", "outputs"], &[]),
    ("mask", &["rows", "columns"], &["transmission"]),
    ("free-space", &["rows", "columns", "pitch-um", "distance-um", "wavelength-um"], &[]),
    ("regions", &["rows", "columns", "count", "side"], &[]),
    ("activation", &["activation"], &[]),
    ("detection", &["detection"], &[]),
    ("modulation", &[], &[]),
    ("rectifier", &[], &["threshold"]),
    (
        "convolution",
        &["image", "outputs", "kernel"],
        &["stride", "padding", "element", "channels", "finesse", "tile", "detection"],
    ),
    ("residual", &["stages"], &[]),
    ("normalization", &["image"], &["groups"]),
    ("pooling", &["image", "size"], &["stride", "pool"]),
    ("loop", &["steps"], &["layers", "held", "parts", "feedback"]),
    ("own", &["name"], &[]),
];

/// What the key `activation` of a stage holds.
const ACTIVATIONS: [Keys; 4] = [
    ("electro-optic", &["tap", "gain", "bias"], &[]),
    ("saturable", &["depth", "saturation"], &[]),
    ("mod-relu", &["bias"], &[]),
    ("spm", &["gain"], &[]),
];

/// What the key `detection` of a stage holds.
const DETECTIONS: [Keys; 4] =
    [("intensity", &[], &[]), ("amplitude", &[], &[]), ("balanced", &[], &[]), ("homodyne", &["phase"], &[])];

const FORM: &str = "a network is a word such as \"matrix:64-32-10\", or a list of layers, each a list of stages: \
                    [[{ kind = \"mesh\", modes = 16 }, …]]";

impl<'de> Deserialize<'de> for NetworkText {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Value::deserialize(deserializer)? {
            Value::String(word) => Ok(NetworkText::Short(word)),
            Value::Array(layers) => layers_of(layers).map(NetworkText::Long).map_err(D::Error::custom),
            other => Err(D::Error::custom(format!("{} is no network: {FORM}", shown(&other)))),
        }
    }
}

fn layers_of(layers: Vec<Value>) -> Result<Vec<Vec<StageText>>, String> {
    let layer = |(number, layer)| match layer {
        Value::Array(stages) => {
            let stage =
                |(place, stage)| stage_of(stage).map_err(|reason| format!("layer {number}, stage {place}{reason}"));
            stages.into_iter().enumerate().map(stage).collect()
        }
        other => Err(format!("layer {number} is {} and no list of stages: {FORM}", shown(&other))),
    };
    layers.into_iter().enumerate().map(layer).collect()
}

/// A stage, or the end of a sentence that begins with its place.
fn stage_of(value: Value) -> Result<StageText, String> {
    let Value::Table(table) = value else {
        return Err(format!(" is {} and no stage, as {{ kind = \"modulation\" }}", shown(&value)));
    };
    let kind = kind_of(&table, "kind of stage", &KINDS).map_err(|reason| format!(": {reason}"))?;
    let within = |reason| format!(" ({}): {reason}", kind.0);
    check_keys(&table, kind).map_err(within)?;
    for (key, value) in table.iter().filter(|(key, _)| *key != "kind") {
        check_value(key, value).map_err(|reason| within(format!("key {key}: {reason}")))?;
    }
    StageText::deserialize(Value::Table(table)).map_err(|error| within(error.message().to_string()))
}

fn kind_of(table: &Table, what: &str, known: &'static [Keys]) -> Result<&'static Keys, String> {
    let names = || known.iter().map(|kind| kind.0);
    match table.get("kind") {
        Some(Value::String(name)) => {
            known.iter().find(|kind| kind.0 == name).ok_or_else(|| unknown(what, name, names()))
        }
        Some(other) => {
            Err(format!("key kind: {} is no {what}; known: {}", shown(other), names().collect::<Vec<_>>().join(", ")))
        }
        None => Err(format!("key kind is missing; known: {}", names().collect::<Vec<_>>().join(", "))),
    }
}

fn check_keys(table: &Table, (kind, needed, more): &Keys) -> Result<(), String> {
    let known = || needed.iter().chain(*more).copied();
    for key in table.keys().filter(|key| *key != "kind") {
        if !known().any(|own| own == key) {
            return Err(match known().next() {
                Some(_) => unknown("key", key, known()),
                None => format!("key {key} is unknown: {kind} has no other key than kind"),
            });
        }
    }
    match needed.iter().find(|key| !table.contains_key(**key)) {
        Some(key) => Err(format!("key {key} is missing")),
        None => Ok(()),
    }
}

/// Keys of one name mean the same in every kind.
fn check_value(key: &str, value: &Value) -> Result<(), String> {
    let nested = |known: &'static [Keys]| {
        let Value::Table(table) = value else {
            let example = known[0].0;
            return Err(format!("{} is none; write it as {{ kind = \"{example}\", … }}", shown(value)));
        };
        let kind = kind_of(table, key, known)?;
        check_keys(table, kind)?;
        let wrong = table.iter().find(|(key, value)| *key != "kind" && number(value).is_none());
        wrong.map_or(Ok(()), |(key, value)| Err(format!("key {key}: {} is no number", shown(value))))
    };
    match key {
        "columns" if matches!(value, Value::Integer(1..)) => Ok(()), // of a grid
        "modes" | "inputs" | "outputs" | "tile" | "depth" | "channels" | "size" | "stride" | "groups" | "rows"
        | "count" | "side" | "steps" | "layers" | "held" | "parts" => match value {
            Value::Integer(1..) => Ok(()),
            other => Err(format!("{} is no size; a size is a whole number from 1", shown(other))),
        },
        "padding" => match value {
            Value::Integer(0..) => Ok(()),
            other => Err(format!("{} is no number of rows; it is a whole number from 0", shown(other))),
        },
        "image" => match value {
            Value::String(word) => word.parse::<ImageShape>().map(drop).map_err(|error| error.to_string()),
            other => Err(format!("{} is no image; write it as \"CHANNELSxHEIGHTxWIDTH\"", shown(other))),
        },
        "kernel" => match value {
            Value::Array(sides) if sides.len() == 2 && sides.iter().all(|side| matches!(side, Value::Integer(1..))) => {
                Ok(())
            }
            other => Err(format!("{} is no kernel; write rows and columns as [5, 5]", shown(other))),
        },
        "stages" => match value {
            Value::Array(stages) if !stages.is_empty() => {
                let inside = |(place, stage): (usize, &Value)| {
                    stage_of(stage.clone()).map(drop).map_err(|reason| format!("stage {place}{reason}"))
                };
                stages.iter().enumerate().try_for_each(inside)
            }
            other => {
                Err(format!("{} is no list of stages; write [{{ kind = \"mesh\", modes = 16 }}, …]", shown(other)))
            }
        },
        "element" => one_of(value, "element", CrossedInTurn::NAMES),
        "feedback" => one_of(value, "feedback", Feedback::NAMES),
        "pool" => one_of(value, "pooling", Pool::ALL.map(Pool::name)),
        "layout" => match Layout::deserialize(value.clone()) {
            Ok(_) => Ok(()),
            Err(_) => {
                Err(format!("{} is no layout; known: {}, custom", shown(value), NAMED.map(Layout::name).join(", ")))
            }
        },
        "columns" => match Columns::deserialize(value.clone()) {
            Ok(_) => Ok(()),
            Err(_) => Err(format!(
                "{} are no columns; write a list of pairs each: [[[0, 1], [2, 3]], [[1, 2]]]",
                shown(value)
            )),
        },
        "threshold" | "finesse" | "pitch-um" | "distance-um" | "wavelength-um" => {
            number(value).map(drop).ok_or_else(|| format!("{} is no number", shown(value)))
        }
        "activation" => nested(&ACTIVATIONS),
        "detection" => nested(&DETECTIONS),
        _ => Ok(()), // read as what it is
    }
}

fn one_of<const N: usize>(value: &Value, what: &str, known: [&'static str; N]) -> Result<(), String> {
    match value {
        Value::String(name) if known.contains(&name.as_str()) => Ok(()),
        Value::String(name) => Err(unknown(what, name, known)),
        other => Err(format!("{} is no {what}; known: {}", shown(other), known.join(", "))),
    }
}

fn number(value: &Value) -> Option<f64> {
    match value {
        Value::Float(number) => Some(*number),
        Value::Integer(number) => Some(*number as f64),
        Value::String(_) | Value::Boolean(_) | Value::Datetime(_) | Value::Array(_) | Value::Table(_) => None,
    }
}

/// The start of a value, for an error.
fn shown(value: &Value) -> String {
    at_core::files::whole::shown(&value.to_string())
}

#[cfg(test)]
mod tests {
    use super::super::{STAGES, build};
    use super::*;
    use std::collections::BTreeSet;

    #[derive(Deserialize, Debug)]
    struct File {
        network: NetworkText,
    }

    fn refused(network: &str) -> String {
        let said = toml::from_str::<File>(&format!("network = {network}"))
            .map(|file| file.network.layers(6, 3).and_then(|layers| build(&layers)));
        match said {
            Err(error) => error.message().to_string(),
            Ok(built) => format!("{:#}", built.unwrap_err()),
        }
    }

    #[test]
    fn what_is_wrong_in_a_long_form_names_layer_stage_and_key() {
        let detection = "{ kind = 'detection', detection = { kind = 'intensity' } }";
        for (network, parts) in [
            ("3", &["3 is no network", "list of layers"][..]),
            ("[3]", &["layer 0 is 3", "list of stages"]),
            ("[[3]]", &["layer 0, stage 0 is 3"]),
            ("[[{ modes = 3 }]]", &["layer 0, stage 0: key kind is missing; known: mesh, singular-value"]),
            (
                "[[{ kind = 'mehs', modes = 3 }]]",
                &["layer 0, stage 0: unknown kind of stage \"mehs\"; did you mean mesh?"],
            ),
            (
                "[[{ kind = 'mesh', mode = 3 }]]",
                &["layer 0, stage 0 (mesh): unknown key \"mode\"; did you mean modes?"],
            ),
            ("[[{ kind = 'mesh' }]]", &["layer 0, stage 0 (mesh): key modes is missing"]),
            ("[[{ kind = 'mesh', modes = 'x' }]]", &["layer 0, stage 0 (mesh): key modes: \"x\" is no size"]),
            ("[[{ kind = 'mesh', modes = 0 }]]", &["(mesh): key modes: 0 is no size"]),
            ("[[{ kind = 'mesh', modes = 4, layout = 'round' }]]", &["(mesh): key layout: \"round\" is no layout"]),
            ("[[{ kind = 'modulation', modes = 4 }]]", &["(modulation): key modes is unknown"]),
            (
                "[[{ kind = 'detection', detection = 'intensity' }]]",
                &["stage 0 (detection): key detection: \"intensity\" is none; write it as"],
            ),
            (
                "[[{ kind = 'detection', detection = { kind = 'homodyne' } }]]",
                &["(detection): key detection: key phase is missing"],
            ),
            (
                "[[{ kind = 'activation', activation = { kind = 'spm', gain = 'much' } }]]",
                &["key activation: key gain: \"much\" is no number"],
            ),
            (
                "[[{ kind = 'activation', activation = { kind = 'smp', gain = 1 } }]]",
                &["unknown activation \"smp\"; did you mean spm?"],
            ),
            (
                "[[{ kind = 'rectifier', threshold = true }]]",
                &["stage 0 (rectifier): key threshold: true is no number"],
            ),
            (
                "[[{ kind = 'ring-bank', inputs = 4, outputs = 2, finesse = 'high' }]]",
                &["stage 0 (ring-bank): key finesse: \"high\" is no number"],
            ),
            (
                "[[{ kind = 'pooling', image = '1x0x4', size = 2 }]]",
                &["(pooling): key image: image = \"1x0x4\" is not valid"],
            ),
            (
                "[[{ kind = 'pooling', image = '4x4', size = 2, pool = 'mx' }]]",
                &["unknown pooling \"mx\"; did you mean max?"],
            ),
            (
                "[[{ kind = 'convolution', image = '1x4x4', outputs = 2, kernel = 3 }]]",
                &["(convolution): key kernel: 3 is no kernel; write rows and columns as [5, 5]"],
            ),
            (
                "[[{ kind = 'convolution', image = '1x4x4', outputs = 2, kernel = [3, 3], element = 'mehs' }]]",
                &["unknown element \"mehs\"; did you mean mesh?"],
            ),
            (
                "[[{ kind = 'convolution', image = '1x4x4', outputs = 2, kernel = [3, 3], padding = -1 }]]",
                &["key padding: -1 is no number of rows"],
            ),
            (
                "[[{ kind = 'residual', stages = [{ kind = 'rectifier' }, { kind = 'mesh', mode = 4 }] }]]",
                &["layer 0, stage 0 (residual): key stages: stage 1 (mesh): unknown key \"mode\""],
            ),
            ("[[{ kind = 'residual', stages = [] }]]", &["(residual): key stages: [] is no list of stages"]),
            // what is well written and cannot be built
            (
                "[[{ kind = 'residual', stages = [{ kind = 'weight-bank', inputs = 4, outputs = 3 }] }]]",
                &["layer 0, stage 0 (residual): ", "expected 4, got 3"],
            ),
            (
                "[[{ kind = 'residual', stages = [{ kind = 'mesh', modes = 4 }, { kind = 'mesh', modes = 3 }] }]]",
                &["layer 0, stage 0 (residual): stage 1 of the branch (mesh): it takes 3 modes, and 4 leave"],
            ),
            (
                "[[{ kind = 'ring-bank', inputs = 4, outputs = 2, channels = 64, finesse = 32 }]]",
                &["layer 0, stage 0 (ring-bank): ", "0.50 linewidths", "finesse of 64"],
            ),
            (
                "[[{ kind = 'convolution', image = '1x4x4', outputs = 2, kernel = [5, 5] }]]",
                &["layer 0, stage 0 (convolution): kernel = 5x5", "at most 4"],
            ),
            ("[[{ kind = 'modulation' }]]", &["layer 0, stage 0 (modulation): a network begins with"]),
            ("[[{ kind = 'mesh', modes = 1 }]]", &["layer 0, stage 0 (mesh): ", "modes"]),
            ("[[{ kind = 'mesh', modes = 4 }], []]", &["layer 1 has no stage"]),
            ("[[{ kind = 'mesh', modes = 4 }]]", &["layer 0, stage 0 (mesh): ", "must detect"]),
        ] {
            let said = refused(network);
            assert!(parts.iter().all(|part| said.contains(part)), "{network}: {said}");
        }
        let second = |stage: &str| refused(&format!("[[{{ kind = 'mesh', modes = 4 }}], [{stage}, {detection}]]"));
        let said = second("{ kind = 'mesh', modes = 6 }");
        assert!(said.contains("layer 1, stage 0 (mesh): it takes 6 modes, and 4 leave the stage before"), "{said}");
        let said = second("{ kind = 'matrix', inputs = 4, outputs = 2 }");
        assert!(said.contains("layer 1, stage 0 (matrix): it takes real numbers, and complex fields leave"), "{said}");
        let said = second(
            "{ kind = 'activation', activation = { kind = 'spm', gain = -1.0 } }, { kind = 'tiles', inputs = 4, outputs = 4, tile = 3 }",
        );
        assert!(said.contains("layer 1, stage 1 (tiles): ") && said.contains("tiles of 3 modes"), "{said}");
    }

    #[test]
    fn every_kind_of_stage_has_an_example_in_the_help_that_can_be_built() {
        let mut kinds = BTreeSet::new();
        let mut inner = BTreeSet::new();
        let mut count = 0;
        for example in STAGES.split("  network = ").skip(1) {
            let text = example.split("\n\n").next().unwrap();
            let file: File =
                toml::from_str(&format!("network = {text}")).unwrap_or_else(|error| panic!("{text}: {error}"));
            let NetworkText::Long(layers) = &file.network else { panic!("{text} is short") };
            build(layers).unwrap_or_else(|error| panic!("{text}: {error:#}"));
            for stage in layers.iter().flatten() {
                let Value::Table(table) = Value::try_from(stage).unwrap() else { panic!("{stage:?}") };
                kinds.insert(table["kind"].as_str().unwrap().to_string());
                for key in ["activation", "detection"] {
                    inner.extend(table.get(key).map(|value| value["kind"].as_str().unwrap().to_string()));
                }
            }
            count += 1;
        }
        assert!(count >= 4, "{count} examples");
        let expected: BTreeSet<String> =
            KINDS.iter().map(|kind| kind.0.to_string()).filter(|kind| kind != "own").collect();
        assert_eq!(kinds, expected);
        let expected: BTreeSet<String> = ACTIVATIONS.iter().chain(&DETECTIONS).map(|kind| kind.0.to_string()).collect();
        assert_eq!(inner, expected);
        assert!(
            KINDS.iter().all(|kind| kind.1.iter().chain(kind.2).all(|key| STAGES.contains(key))),
            "a key is not told"
        );
    }
}
