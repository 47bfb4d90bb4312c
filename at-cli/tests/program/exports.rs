//! What a run has learned leaves the program, and means outside what it meant inside.

use crate::asyt::Bench;
use at_core::files::npz::Npz;
use serde_json::Value;
use std::collections::BTreeMap;

const MESH: [&str; 12] = [
    "train",
    "--network",
    "mesh:8x2",
    "--dataset",
    "iris",
    "--epochs",
    "3",
    "--engine",
    "cpu",
    "--quiet",
    "--out",
    "run",
];

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    let mut csv = csv::Reader::from_reader(text.as_bytes());
    csv.deserialize().collect::<Result<_, _>>().unwrap()
}

fn number(text: &str) -> f64 {
    text.parse().unwrap_or_else(|_| panic!("{text:?} is no number"))
}

fn results(bench: &Bench, run: &str) -> Vec<Value> {
    let summary: Value = serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap();
    summary["results"].as_array().unwrap().clone()
}

fn train(bench: &Bench, more: &[&str]) {
    bench.run(MESH.iter().chain(more).copied()).done();
}

#[test]
fn exported_phases_are_those_that_evaluate_and_mesh_read_in_every_convention() {
    let bench = Bench::new();
    train(&bench, &["--chip", "ideal", "--method", "ideal,at-adaptive"]);
    for convention in ["native", "neurophox", "dat-mpnn"] {
        bench.run(["export", "run", "--convention", convention, "--out", convention, "--quiet"]).done();
        for result in results(&bench, "run") {
            let method = result["method"].as_str().unwrap();
            let phases = format!("{convention}/{method}/phases.npz");
            let config = bench.read("run/config.toml");
            let encoding = config.lines().find_map(|line| line.strip_prefix("encoding = ")).unwrap().trim_matches('"');
            let words = ["evaluate", "--dataset", "iris", "--network", "mesh:8x2", "--encoding", encoding, "--json"];
            let words = words.into_iter().chain(["--engine", "cpu", "--phases", &phases]);
            let evaluated: Value = serde_json::from_str(&bench.run(words).done().stdout).unwrap();
            let (here, there) = (&evaluated["accuracy"], &result["final_test_accuracy"]);
            assert_eq!(here.as_f64().unwrap(), there.as_f64().unwrap(), "{method} in {convention}: {evaluated}");
            // the table holds what the archive holds
            let table = rows(&bench.read(&format!("{convention}/{method}/phases.csv")));
            let archive = Npz::open(&bench.path(&phases)).unwrap();
            let theta = archive.array("mesh1.theta").unwrap();
            let (pairs, values) = (theta.shape()[1], theta.reals().unwrap());
            let own = table.iter().filter(|row| row["mesh"] == "1" && row["phase"] == "theta");
            let mut count = 0;
            for row in own {
                let at = number(&row["column"]) as usize * pairs + number(&row["mode"]) as usize / 2;
                assert_eq!(number(&row["radians"]), values[at]);
                count += 1;
            }
            assert_eq!(count, 28);
        }
    }
    let matrix = ["mesh", "matrix", "native/ideal/phases.npz", "--mesh", "1", "--out", "U.npy"];
    bench.run(matrix).done();
    let operators = Npz::open(&bench.path("native/ideal/operators.npz")).unwrap();
    let own = operators.array("mesh1.design").unwrap().complexes().unwrap();
    let there = at_core::files::matrix_file::read_matrix(&bench.path("U.npy"), None).unwrap();
    let apart = own.iter().zip(there.iter()).map(|(a, b)| (a - b).norm()).fold(0.0, f64::max);
    assert!(apart < 1e-12, "{apart}");
    assert_eq!(operators.array("mesh1.chip").unwrap().complexes().unwrap(), own, "an ideal chip is its design");
}

#[test]
fn exported_voltages_drive_the_heaters_to_the_phases_that_were_trained() {
    let bench = Bench::new();
    train(&bench, &["--chip", "silicon", "--control-bits", "8", "--dead-shifters", "0.05", "--method", "at"]);
    bench.run(["export", "run", "--quiet"]).done();
    let controls = rows(&bench.read("run/export/at/controls.csv"));
    assert_eq!(controls.len(), 2 * 64);
    assert_eq!((&controls[0]["name"][..], &controls[0]["unit"][..]), ("theta[0,0]", "rad"));
    assert_eq!((&controls[127]["name"][..], &controls[64]["stage"][..]), ("gamma[7]", "2"));
    let config = bench.read("run/config.toml");
    let range =
        config.lines().find_map(|line| line.strip_prefix("control-range = ")).map_or(std::f64::consts::TAU, number);
    let mut told = 0;
    for row in controls.iter().filter(|row| !row["voltage"].is_empty()) {
        let (voltage, code) = (number(&row["voltage"]), number(&row["code"]));
        assert!((voltage - code / 255.0).abs() < 1e-12 && (0.0..=255.0).contains(&code), "{row:?}");
        let turn = std::f64::consts::TAU;
        let apart = (range * voltage * voltage - number(&row["value"])).rem_euclid(turn);
        // a step of the converter near full scale is 2/255 of the range
        assert!(apart.min(turn - apart) <= 1.01 * range / 255.0, "{row:?}: {apart}");
        told += 1;
    }
    assert!((100..128).contains(&told), "dead ones have no voltage: {told}");
}

#[test]
fn exported_answers_are_those_that_the_run_counted() {
    let bench = Bench::new();
    train(&bench, &["--chip", "mesh", "--method", "at-adaptive,ideal"]);
    let ended = bench.run(["export", "run", "--method", "ideal", "--samples", "3,0-1", "--quiet", "--json"]).done();
    let listed: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(listed["files"].as_array().unwrap().len(), 7, "{listed}");
    assert_eq!(bench.entries("run/export"), ["ideal"]);
    let result = results(&bench, "run").into_iter().find(|result| result["method"] == "ideal").unwrap();
    let accuracy = result["final_test_accuracy"].as_f64().unwrap();
    let predictions = rows(&bench.read("run/export/ideal/predictions.csv"));
    let right = predictions.iter().filter(|row| row["class"] == row["predicted"]).count();
    assert_eq!(right as f64 / predictions.len() as f64, accuracy);
    let confusion = rows(&bench.read("run/export/ideal/confusion.csv"));
    let diagonal: f64 = confusion.iter().map(|row| number(&row[&row["class"]])).sum();
    assert_eq!(diagonal, right as f64);
    let samples = Npz::open(&bench.path("run/export/ideal/samples.npz")).unwrap();
    assert_eq!(samples.array("sample").unwrap().reals().unwrap(), [3.0, 0.0, 1.0]);
    assert_eq!(samples.array("model.layer0").unwrap().shape(), [3, 8]);
    let [chip, model] = ["chip.readout", "model.readout"].map(|name| samples.array(name).unwrap().reals().unwrap());
    assert!(chip.len() == 24 && chip != model, "a chip with errors is not its model");
    for (samples, words) in [("999", "the test samples are 0 to"), ("5-2", "write it as 2-5")] {
        bench.run(["export", "run", "--samples", samples]).refused(2, &[words]);
    }
}

#[test]
fn a_weight_bank_is_exported_as_its_weights_and_says_that_it_has_no_mesh() {
    let bench = Bench::new();
    bench.train(&["--method", "ideal", "--epochs", "2", "--quiet", "--out", "run"]).done();
    let ended = bench.run(["export", "run", "--quiet"]).done();
    assert!(ended.stderr.contains("note: not written: phases: the network has no mesh"), "{}", ended.stderr);
    let operators = Npz::open(&bench.path("run/export/ideal/operators.npz")).unwrap();
    for kind in ["design", "chip"] {
        assert_eq!(operators.array(&format!("weight-bank0.{kind}.weight")).unwrap().shape(), [10, 64]);
        assert_eq!(operators.array(&format!("weight-bank0.{kind}.bias")).unwrap().shape(), [10]);
    }
    let controls = rows(&bench.read("run/export/ideal/controls.csv"));
    let weights = operators.array("weight-bank0.design.weight").unwrap().reals().unwrap();
    let row = controls.iter().position(|row| row["name"] == "weight[7,20]").unwrap();
    assert!((weights[7 * 64 + 20] - number(&controls[row]["value"]).sin()).abs() < 1e-12, "w = sin θ");
}

#[test]
fn a_run_is_taken_where_a_phase_file_is() {
    let bench = Bench::new();
    train(&bench, &["--chip", "mesh", "--method", "ideal,at-adaptive", "--save-chip", "chip.npz"]);
    bench.run(["export", "run", "--method", "ideal", "--quiet"]).done();
    let matrix = |source: &[&str], out: &str| {
        bench.run(["mesh", "matrix", "--mesh", "1", "--out", out].iter().chain(source).copied()).done();
        std::fs::read(bench.path(out)).unwrap()
    };
    let from_file = matrix(&["run/export/ideal/phases.npz"], "a.npy");
    assert_eq!(matrix(&["run", "--method", "ideal"], "b.npy"), from_file);
    assert_eq!(matrix(&["run/ideal.safetensors"], "c.npy"), from_file);
    bench.run(["mesh", "convert", "run/ideal.safetensors", "--to", "neurophox", "--out", "theirs.npz"]).done();
    assert_ne!(matrix(&["run/at-adaptive.safetensors"], "d.npy"), from_file);
    assert_eq!(matrix(&["theirs.npz"], "e.npy").len(), from_file.len());

    // on the run's own chip, made again or from its file, the run's own accuracy
    let result = results(&bench, "run").into_iter().find(|result| result["method"] == "ideal").unwrap();
    let accuracy = result["final_test_accuracy"].as_f64().unwrap();
    let evaluated = |more: &[&str]| {
        let words = ["evaluate", "--phases", "run", "--method", "ideal", "--json"];
        let ended = bench.run(words.iter().chain(more).copied()).done();
        serde_json::from_str::<Value>(&ended.stdout).unwrap()
    };
    assert_eq!(evaluated(&["--chips", "1"])["accuracies"][0].as_f64().unwrap(), accuracy);
    assert_eq!(evaluated(&["--chip-file", "chip.npz"])["accuracy"].as_f64().unwrap(), accuracy);
    let [built, perfect] =
        [&["--chip-file", "chip.npz"][..], &[]].map(|chip| evaluated(chip)["loss"].as_f64().unwrap());
    assert_ne!(perfect, built, "phases that were trained for a chip with errors");

    bench
        .run(["mesh", "matrix", "run", "--out", "f.npy"])
        .refused(1, &["choose one with --method", "ideal, at-adaptive"]);
    bench.run(["evaluate", "--phases", "chip.npz", "--method", "at"]).refused(2, &["--method chooses one of a run's"]);
    std::fs::copy(bench.path("run/ideal.safetensors"), bench.path("alone.safetensors")).unwrap();
    bench
        .run(["mesh", "matrix", "alone.safetensors", "--out", "f.npy"])
        .refused(1, &["a checkpoint outside its run", "config.toml", "beside it"]);
    bench
        .run(["evaluate", "--phases", "run/ideal.safetensors", "--network", "mesh:8x3"])
        .refused(1, &["the run has trained"]);
}

#[test]
fn a_weight_bank_is_evaluated_from_its_run_although_it_has_no_phase_file() {
    let bench = Bench::new();
    bench.train(&["--method", "at,ideal", "--epochs", "3", "--quiet", "--out", "run"]).done();
    for result in results(&bench, "run") {
        let (method, accuracy) = (result["method"].as_str().unwrap(), &result["final_test_accuracy"]);
        let words = ["evaluate", "--phases", "run", "--method", method, "--chips", "1", "--json"];
        let evaluated: Value = serde_json::from_str(&bench.run(words).done().stdout).unwrap();
        assert_eq!(evaluated["accuracies"][0].as_f64(), accuracy.as_f64(), "{method}: {evaluated}");
    }
    bench.run(["mesh", "matrix", "run/at.safetensors", "--out", "U.npy"]).refused(1, &["no mesh"]);
}

#[test]
fn a_cell_of_a_comparison_is_taken_home_like_a_run() {
    let bench = Bench::new();
    let words =
        ["compare", "--network", "mesh:4x1", "--dataset", "iris", "--chip", "mesh", "--method", "at-adaptive,ideal"];
    let more = ["--epochs", "3", "--chips", "2", "--engine", "cpu", "--quiet", "--out", "run"];
    bench.run(words.iter().chain(&more).copied()).done();
    let cells = bench.entries("run/cells");
    assert_eq!(cells.len(), 4);
    for cell in &cells {
        let method = if cell.starts_with("ideal") { "ideal" } else { "at-adaptive" };
        let (folder, checkpoint) = (format!("run/cells/{cell}"), format!("run/cells/{cell}/{method}.safetensors"));
        let files = ["cell.toml".to_string(), "result.json".to_string(), format!("{method}.safetensors")];
        let kept = bench.entries(&folder);
        assert!(kept.len() == 3 && files.iter().all(|file| kept.contains(file)), "{kept:?}");
        let result: Value = serde_json::from_str(&bench.read(&format!("{folder}/result.json"))).unwrap();
        let accuracy = result["test"]["accuracy"].as_f64().unwrap();

        let words = ["evaluate", "--phases", &checkpoint, "--chips", "1", "--json"];
        let evaluated: Value = serde_json::from_str(&bench.run(words).done().stdout).unwrap();
        assert_eq!(evaluated["accuracies"][0].as_f64().unwrap(), accuracy, "{cell}: {evaluated}");
        bench.run(["export", &folder, "--quiet"]).done();
        let predictions = rows(&bench.read(&format!("{folder}/export/{method}/predictions.csv")));
        let right = predictions.iter().filter(|row| row["class"] == row["predicted"]).count();
        assert_eq!(right as f64 / predictions.len() as f64, accuracy);
        let page = bench.run(["report", &folder, "--quiet"]).done();
        assert!(page.beside_notes().is_empty(), "{page:?}");
        let html = bench.read(&format!("{folder}/report.html"));
        assert!(html.contains("cell.toml") && html.contains("Inside the chip"), "{cell}");
        let train = ["train", "--network", "mesh:4x1", "--dataset", "iris", "--method", "ideal", "--epochs", "1"];
        bench.run(train.into_iter().chain(["--quiet", "--start-from", &checkpoint])).done();
    }
    // a cell that is not done has nothing to take home
    std::fs::remove_file(bench.path(&format!("run/cells/{}/result.json", cells[0]))).unwrap();
    bench.run(["export", &format!("run/cells/{}", cells[0])]).refused(1, &["is not done", "--resume"]);
}

#[test]
fn a_measured_chip_makes_the_matrix_that_its_errors_make() {
    let bench = Bench::new();
    train(&bench, &["--chip", "ideal", "--method", "ideal"]);
    bench.run(["export", "run", "--quiet"]).done();
    let couplers: Vec<String> = (0..28).map(|k| format!("{}", 0.01 * f64::from(k))).collect();
    bench.write("chip.toml", format!("[mesh1]\nfirst_coupler = [{}]\n[shifters]\ndead = [64]\n", couplers.join(", ")));
    let matrix = |words: &[&str]| {
        let ended = bench.run(["mesh", "matrix", "--mesh", "1", "--out", "U.npy"].iter().chain(words).copied()).done();
        (at_core::files::matrix_file::read_matrix(&bench.path("U.npy"), None).unwrap(), ended.stderr)
    };
    let (of_run, said) = matrix(&["run", "--chip-file", "chip.toml"]);
    assert!(said.contains("note: what was not measured in chip.toml is taken as designed"), "{said}");
    // the same from a phase file, of which only meshes are known
    let (of_file, _) = matrix(&["run/export/ideal/phases.npz", "--chip-file", "chip.toml"]);
    assert_eq!(of_run, of_file);
    let (perfect, _) = matrix(&["run"]);
    let apart = |other: &ndarray::Array2<num_complex::Complex64>| {
        (other - &of_run).mapv(|z| z.norm()).fold(0.0, |a: f64, b| a.max(*b))
    };
    assert!(apart(&perfect) > 0.05);
    // independently: the errors in the formula of a mesh, and a dead shifter told 0
    let phases = at_core::files::phase_file::read_phases(&bench.path("run/export/ideal/phases.npz"), None).unwrap();
    let mut own = phases[1].clone();
    own.controls[0] = 0.0;
    let mut errors = at_core::optics::MeshErrors::none(&own.mesh);
    errors.first_coupler = (0..28).map(|k| 0.01 * f64::from(k)).collect();
    let expected = at_core::optics::imperfect_transfer_matrix(&own.mesh, &own.controls, &errors).unwrap();
    assert!(apart(&expected) < 1e-12, "{}", apart(&expected));
    bench
        .run(["mesh", "matrix", "run", "--chip-of-other-network", "--out", "U.npy"])
        .refused(2, &["is about --chip-file or --chip-errors"]);
}
