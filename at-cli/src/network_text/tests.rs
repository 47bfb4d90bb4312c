//! What the notation means, and what it refuses.

use super::*;
use at_core::network::{Network, Signal, Stage};
use serde::Deserialize;
use std::collections::BTreeSet;

fn network(text: &str) -> Result<Network> {
    build(&NetworkText::Short(text.to_string()).layers(64, 10)?)
}

#[test]
fn the_notation_makes_the_network_it_names() {
    for (text, layers, inputs, outputs, controls) in [
        ("matrix:784-256-256-10", 3, Signal::reals(784), 10, 785 * 256 + 257 * 256 + 257 * 10),
        ("bank:in-48-out", 2, Signal::reals(64), 10, 65 * 48 + 49 * 10),
        ("rings:10x64", 1, Signal::reals(64), 10, 65 * 10),
        ("rings:in-48-out,channels=32,finesse=200", 2, Signal::reals(64), 10, 65 * 48 + 49 * 10),
        ("pcm:outxin", 1, Signal::reals(64), 10, 65 * 10),
        ("pcm:64-16-10", 2, Signal::reals(64), 10, 65 * 16 + 17 * 10),
        ("mesh:64x3", 3, Signal::fields(64), 64, 3 * 64 * 64),
        ("mesh:8", 1, Signal::fields(8), 8, 64),
        ("mesh:8x2,triangular,activation=none,detection=balanced", 2, Signal::fields(8), 4, 128),
        ("tiles:32x64/16", 1, Signal::fields(64), 32, 32 * 64),
        ("tiles:64xin/8x3,activation=none", 3, Signal::fields(64), 64, 3 * 64 * 64),
        ("tiles:16x16/16,triangular", 1, Signal::fields(16), 16, 256),
        ("tiles:8x12/4,depth=3", 1, Signal::fields(12), 8, 6 * (2 * 5 + 4)),
        ("mesh:8x2,butterfly", 2, Signal::fields(8), 8, 2 * (2 * 12 + 8)),
        ("mesh:8,layout=benes", 1, Signal::fields(8), 8, 2 * 20 + 8),
        ("mesh:6,diamond", 1, Signal::fields(6), 6, 2 * 9 + 6),
        ("mesh:8,depth=12", 1, Signal::fields(8), 8, 2 * (6 * 4 + 6 * 3) + 8),
        ("mesh:4x2,columns=0-1.2-3/1-2,activation=none", 2, Signal::fields(4), 4, 2 * (2 * 3 + 4)),
        ("tiles:8x8/4,columns=0-2.1-3", 1, Signal::fields(8), 8, 4 * (2 * 2 + 4)),
        ("svd:6x4", 1, Signal::fields(4), 6, 16 + 36 + 5),
        ("svd:outxin", 1, Signal::fields(64), 10, 64 * 64 + 100 + 11),
        ("svd:8x8x3,triangular,activation=none", 3, Signal::fields(8), 8, 3 * (2 * 64 + 9)),
        ("svd:8x12/4", 1, Signal::fields(12), 8, 6 * 2 * 16 + 25),
        ("svd:8x8/4x2", 2, Signal::fields(8), 8, 2 * (4 * 2 * 16 + 17)),
        ("bank:in-32-out,sequence=8", 2, Signal::reals(64), 10, (8 + 32 + 1) * 32 + 33 * 10),
        ("matrix:64-12-7-out,hold=5", 3, Signal::reals(64), 10, (64 + 7 + 1) * 12 + 13 * 7 + 8 * 10),
        ("rings:in-48-out,channels=32,finesse=200,sequence=16", 2, Signal::reals(64), 10, 53 * 48 + 49 * 10),
        ("pcm:64-16-10,sequence=4,feedback=converted", 2, Signal::reals(64), 10, 33 * 16 + 17 * 10),
        ("bank:64-64-10,repeat=3", 2, Signal::reals(64), 10, 65 * 64 + 65 * 10),
        ("mesh:16x2,sequence=8x8", 2, Signal::fields(64), 16, 2 * 256),
        ("mesh:16x3,hold=5x4,butterfly", 3, Signal::fields(4), 16, 3 * (2 * 32 + 16)),
        ("mesh:inx2,repeat=5,feedback=analogue", 2, Signal::fields(64), 64, 2 * 4096),
        ("tiles:8x8/4x2,repeat=3", 2, Signal::fields(8), 8, 2 * 64),
        ("svd:8x8x2,sequence=3x2", 2, Signal::fields(6), 8, 2 * (2 * 64 + 9)),
        ("mesh:inx1,depth=4", 1, Signal::fields(64), 64, 2 * (2 * 32 + 2 * 31) + 64),
    ] {
        let network = network(text).unwrap();
        let found = (network.layers().len(), network.input(), network.outputs(), network.controls());
        assert_eq!(found, (layers, inputs, outputs, controls), "{text}");
    }
}

#[test]
fn only_the_last_layer_has_no_rectifier() {
    let network = network("matrix:4-3-2").unwrap();
    let stages: Vec<&Stage> = network.stages().collect();
    assert!(matches!(
        stages[..],
        [Stage::Matrix(_), Stage::Rectifier(at_core::stage::Rectifier { threshold: 0.0, .. }), Stage::Matrix(_)]
    ));
}

#[test]
fn what_makes_no_sense_is_named() {
    for (text, message) in [
        ("matrix", "write it as"),
        ("matrx:4-3", "did you mean matrix"),
        ("bank:10", "two widths"),
        ("bank:10-0", "\"0\" is no size"),
        ("matrix:in-20-out,channels=32", "matrix: has no options, and \"channels=32\" is one; rings: has it"),
        ("bank:64-10,levels=8", "bank: has no options, and \"levels=8\" is one"),
        ("matrix:10x64", "64-10 for 64 inputs"),
        ("rings:64", "OUTPUTSxINPUTS"),
        ("rings:10x0", "\"0\" is no size"),
        ("rings:10x64,channels=200", "0.50 linewidths apart"),
        ("rings:10x64,finesse=much", "\"much\" is no finesse"),
        ("rings:10x64,finesse=1", "between 2 and 1e5"),
        ("rings:10x64,levels=4", "known: channels=, finesse="),
        ("pcm:10x64,levels=16", "--pcm-levels"),
        ("pcm:10", "OUTPUTSxINPUTS"),
        ("mesh:8x0", "\"0\" is no size"),
        ("mesh:8x2,depht=3", "depht"),
        ("mesh:8x2,activation=relu", "mod-relu"),
        ("mesh:1x2", "modes"),
        ("mesh:8,triangular,depth=3", "rectangular"),
        ("mesh:7,detection=balanced", "pair up"),
        ("tiles:64/16", "OUTPUTSxINPUTS/TILE"),
        ("tiles:64x64", "OUTPUTSxINPUTS/TILE"),
        ("tiles:64x60/16", "tiles of 16 modes do not divide 60 inputs; use 48 or 64"),
        ("tiles:8x64/16", "tiles of 16 modes do not divide 8 outputs; use 16"),
        ("tiles:32x64/16x2", "2 layers of 32 outputs and 64 inputs do not follow on one another"),
        ("tiles:64x64/16x0", "\"0\" is no size"),
        ("tiles:64x64/16,triangular,depth=3", "rectangular"),
        ("mesh:12,butterfly", "2^k modes; use 8 or 16"),
        ("mesh:7,diamond", "use 6 or 8"),
        ("mesh:8,butterfly,depth=2", "only a rectangular mesh can have a depth"),
        ("mesh:8,layout=round", "\"round\" is no layout and no file; known: rectangular, triangular, diamond"),
        ("mesh:8,layout=custom", "a custom mesh needs columns"),
        ("mesh:4,columns=0-1.1-2", "mode 1 is joined twice"),
        ("mesh:4,columns=0-1/2-4", "2-4 in column 1"),
        ("mesh:4,columns=0:1", "\"0:1\" is no pair of modes"),
        ("mesh:4,columns=0-1,depth=2", "no depth"),
        ("svd:8", "OUTPUTSxINPUTS"),
        ("svd:8x4x2", "do not follow on one another"),
        ("svd:8x6/4", "tiles of 4 modes do not divide 6 inputs; use 4 or 8"),
        ("svd:8x8,depth=3", "no depth="),
        ("svd:8x8,butterfly", "meshes of svd"),
        ("bank:64-10,repeat=3", "loops all layers but the last"),
        ("bank:64-32-10,sequence=7", "64 inputs are not 7 equal parts"),
        ("bank:64-32-10,sequence=8x9", "64 inputs are 8 x 8"),
        ("bank:64-32-10,repeat=3", "32 real numbers leave it, 64 real numbers enter"),
        ("bank:64-32-10,repeat=3,hold=2", "one loop"),
        ("bank:64-32-10,repeat=0", "\"0\" is no size"),
        ("bank:64-32-10,repeat=3x4", "enters once"),
        ("bank:64-32-10,feedback=converted", "add repeat="),
        ("bank:64-32-10,repeat=3,feedback=optical", "known: analogue, converted"),
        ("bank:64-64-10,repeat=99999999", "from 1 to 65536"),
        ("mesh:16x2,sequence=8", "as in sequence=8x8"),
        ("mesh:16x2,sequence=8x16", "from 1 to 15"),
        ("conv:4@3,bank:out,repeat=3", "has no loop"),
        ("diffractive:16x16x2,repeat=3", "has no loop"),
        ("own:kerr-rings:6", "own:kerr-rings:6 is an element whose page is not in this library"),
    ] {
        let error = format!("{:#}", network(text).unwrap_err());
        assert!(error.contains(message), "{text}: {error}");
    }
}

#[test]
fn stages_can_be_spelled_out() {
    #[derive(Deserialize)]
    struct File {
        network: NetworkText,
    }
    let text = r#"network = [
        [{ kind = "singular-value", inputs = 6, outputs = 4 }, { kind = "activation", activation = { kind = "spm", gain = 0.5 } }],
        [{ kind = "mesh", modes = 4, layout = "triangular" }, { kind = "detection", detection = { kind = "homodyne", phase = 0.1 } }],
        [{ kind = "rectifier" }, { kind = "weight-bank", inputs = 4, outputs = 3 }, { kind = "modulation" }],
        [{ kind = "tiles", inputs = 3, outputs = 6, tile = 3, depth = 2 }, { kind = "detection", detection = { kind = "intensity" } }],
    ]"#;
    let file: File = toml::from_str(text).unwrap();
    let network = build(&file.network.layers(6, 3).unwrap()).unwrap();
    assert_eq!((network.input(), network.outputs(), network.layers().len()), (Signal::fields(6), 6, 4));
    assert!(toml::from_str::<File>("network = 3").is_err());
}

/// The words of networks in a text: those that are written out, no forms as `tiles:OUTPUTSxINPUTS`.
fn words(text: &str) -> BTreeSet<String> {
    let kinds = ["mesh:", "bank:", "matrix:", "rings:", "pcm:", "tiles:", "svd:", "image:", "conv:", "pool:"];
    let signs = |sign: char| sign.is_ascii_lowercase() || sign.is_ascii_digit() || ":-,=/@".contains(sign);
    let all = text.split(|sign: char| !signs(sign)).map(|word| word.trim_matches(|sign| ":-,=/".contains(sign)));
    all.filter(|word| kinds.iter().any(|kind| word.starts_with(kind) && word.len() > kind.len()))
        .map(String::from)
        .collect()
}

#[test]
fn the_long_form_of_every_network_that_is_named_anywhere_is_the_same_network() {
    #[derive(Deserialize, Serialize)]
    struct File {
        network: NetworkText,
    }
    let readme = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../README.md")).unwrap_or_default();
    let mut known = words(&readme);
    known.extend(words(HELP));
    known.extend(images::NAMED.map(|own| own.0.to_string()));
    let presets = std::fs::read_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/presets")).unwrap();
    let presets = presets.map(|entry| entry.unwrap().path()).filter(|path| path.is_file());
    let networks: Vec<BTreeSet<String>> = presets.map(|path| words(&std::fs::read_to_string(path).unwrap())).collect();
    assert!(
        networks.len() >= 3 && networks.iter().all(|own| !own.is_empty()),
        "every preset has a network: {networks:?}"
    );
    known.extend(networks.into_iter().flatten());
    known.extend(
        ["mesh:8x2,triangular,activation=saturable,detection=amplitude", "mesh:6,depth=3,detection=homodyne"]
            .map(String::from),
    );
    known.extend(
        ["mesh:4x2,columns=0-2.1-3/1-2", "svd:8x12/4,triangular", "svd:6x4", "tiles:8x8/4,butterfly"].map(String::from),
    );
    known.extend(
        ["mesh:8x3,activation=spm,detection=balanced", "tiles:8x12/4,depth=3,activation=mod-relu"].map(String::from),
    );
    assert!(known.len() >= 12, "{known:?}");
    for word in known {
        let short = NetworkText::Short(word.clone());
        let (inputs, outputs) = (if images::is_of_images(&word) { 784 } else { 64 }, 10);
        let Ok(layers) = short.layers(inputs, outputs) else { panic!("{word} is none") };
        let long = short.long(inputs, outputs).unwrap();
        let text = toml::to_string(&File { network: long.clone() }).unwrap();
        let read: File = toml::from_str(&text).unwrap_or_else(|error| panic!("{word}: {error}"));
        assert_eq!(read.network, long, "{word}");
        let again = build(&read.network.layers(1, 1).unwrap()).unwrap();
        assert_eq!(again.identity(), build(&layers).unwrap().identity(), "{word}");
    }
    // every kind of stage
    let mut kinds = BTreeSet::new();
    for example in STAGES.split("  network = ").skip(1) {
        let text = format!("network = {}", example.split("\n\n").next().unwrap());
        let first: File = toml::from_str(&text).unwrap();
        let second: File = toml::from_str(&toml::to_string(&first).unwrap()).unwrap();
        let layers = [&first, &second].map(|file| file.network.layers(1, 1).unwrap());
        kinds.extend(layers[0].iter().flatten().map(StageText::kind));
        let [one, other] = layers.map(|layers| build(&layers).unwrap().identity());
        assert_eq!(one, other, "{text}");
    }
    assert_eq!(kinds.len() + 1, long::KINDS.len(), "all but those of somebody's own: {kinds:?}");
}

#[test]
fn an_element_of_somebodys_own_is_named_and_not_taken_for_another() {
    #[derive(Deserialize)]
    struct File {
        network: NetworkText,
    }
    let text = r#"network = [[{ kind = "mesh", modes = 6 }, { kind = "own", name = "kerr-rings:6" }, { kind = "modulation" }]]"#;
    let file: File = toml::from_str(text).unwrap();
    let failure = build(&file.network.layers(6, 3).unwrap()).unwrap_err().to_string();
    assert!(
        failure.starts_with("own:kerr-rings:6 is an element whose page is not in this library; train it"),
        "{failure}"
    );
    let nameless = text.replace(", name = \"kerr-rings:6\"", "");
    assert!(nameless.len() < text.len() && toml::from_str::<File>(&nameless).is_err());
}

/// The columns of a file go into what is recorded, so that a run needs the file no more.
#[test]
fn a_file_of_columns_is_the_same_network_as_its_columns() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("own.txt");
    std::fs::write(&path, "0-2 1-3\n1-2 # crossing\n").unwrap();
    let text = format!("mesh:4x2,layout={},activation=none", path.display());
    let short = NetworkText::Short(text);
    let explicit = short.explicit(64, None, 10);
    assert_eq!(explicit, NetworkText::Short("mesh:4x2,columns=0-2.1-3/1-2,activation=none".into()));
    let identity = |text: &NetworkText| build(&text.layers(64, 10).unwrap()).unwrap().identity();
    assert_eq!(identity(&short), identity(&explicit));
    assert!(identity(&short).description.contains("mesh:4,columns=0-2.1-3/1-2"));
    let svd = NetworkText::Short("svd:outxin/4x1,triangular".into()).explicit(64, None, 8);
    assert_eq!(svd, NetworkText::Short("svd:8x64/4x1,triangular".into()));
}

#[test]
fn absurd_sizes_are_counted_without_being_built() {
    let layers = |text: &str| NetworkText::Short(text.to_string()).layers(1, 1).unwrap();
    assert!(controls(&layers("matrix:99999999999999-99999999999999")) > 1e27);
    assert!(controls(&layers("mesh:1000000x3")) > 1e12);
    assert!(controls(&layers("tiles:16000000x16000000/16")) > 1e14);
    assert_eq!(controls(&layers("mesh:8x3")), 192.0);
    assert_eq!(controls(&layers("tiles:32x64/16")), 2048.0);
}

#[test]
fn meshes_of_as_many_modes_as_inputs_are_written_with_and_without_a_hyphen() {
    let layers = |text: &str| NetworkText::Short(text.to_string()).layers(4, 3).unwrap();
    let same = |one: &str, other: &str| {
        let identity = |text| build(&layers(text)).unwrap().identity();
        assert_eq!(identity(one), identity(other), "{one} and {other}");
    };
    same("mesh:in-x2", "mesh:4x2");
    same("mesh:inx2", "mesh:4x2");
    same("mesh:in-x2,depth=3", "mesh:4x2,depth=3");
    same("mesh:8-x3", "mesh:8x3");
    same("mesh:in", "mesh:4");
    for wrong in ["mesh:-x2", "mesh:in--x2", "mesh:in-2", "mesh:8-"] {
        assert!(NetworkText::Short(wrong.to_string()).layers(4, 3).is_err(), "{wrong}");
    }
}
