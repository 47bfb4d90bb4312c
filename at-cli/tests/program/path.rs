//! The way of a user: samples in a table and a chip that was measured go in, and voltages come out that drive that chip.

use crate::asyt::Bench;
use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::data::{Source, open};
use at_core::fabrication::control::{ControlPath, Shifter};
use at_core::files::chip_file::read_chip;
use at_core::files::npz::Npz;
use at_core::network::{Detection, Network, Owner, Stage};
use at_core::optics::Mesh;
use at_core::propagator::Propagator;
use std::collections::BTreeMap;

/// The irises as somebody's table: a heading, words for classes, features as they were measured.
fn table() -> String {
    let data = open("iris", &Source::default()).unwrap();
    let kinds = ["setosa", "versicolor", "virginica"];
    let mut text = "kind,sepal length,sepal width,petal length,petal width\n".to_string();
    for part in [&data.train, &data.test] {
        for (sample, label) in part.labels.iter().enumerate() {
            let features: Vec<String> = part.row(sample).unwrap().iter().map(f32::to_string).collect();
            text += &format!("{},{}\n", kinds[*label as usize], features.join(","));
        }
    }
    text
}

fn rows(text: &str) -> Vec<BTreeMap<String, String>> {
    csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>().unwrap()
}

#[test]
fn a_table_and_a_measured_chip_become_voltages_that_drive_that_chip_to_the_same_accuracy() {
    let bench = Bench::new();
    bench.write("flowers.csv", table());
    let chip = "[mesh0]\nfirst_coupler = [0.06, -0.04, nan, 0.02, 0.05, -0.03]\ntheta = [0.3, -0.2, 0.1, nan, 0.4, 0.2]\n\
                [shifters]\ndead = [9]\n";
    bench.write("chip.toml", chip);
    let data = "--dataset flowers.csv --label-column kind --split 0.8 --scale unit --encoding phase:4";
    let chip =
        "--network mesh:4 --chip-file chip.toml --chip silicon --control-bits 12 --crosstalk 0 --save-chip chip.npz";
    let training =
        "--method at-adaptive,ideal --engine cpu --epochs 100 --learning-rate 0.02 --batch-size 10 --out run --quiet";
    let train = ["train"].into_iter().chain([data, chip, training].into_iter().flat_map(str::split_whitespace));
    bench.run(train).done();
    bench.run(["export", "run", "--samples", "0-29", "--quiet"]).done();
    let summary: serde_json::Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["class_names"], serde_json::json!(["setosa", "versicolor", "virginica"]));

    let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
    let network = Network::new(vec![vec![mesh, Stage::detection(4, Detection::Intensity)]]).unwrap();
    let kept = read_chip(&bench.path("chip.npz"), &network, None, Owner::ThisNetwork).unwrap().chip;
    for result in summary["results"].as_array().unwrap() {
        let method = result["method"].as_str().unwrap();
        let controls = rows(&bench.read(&format!("run/export/{method}/controls.csv")));
        assert_eq!(controls.len(), network.controls());
        // what a laboratory does: voltages to the heaters, and each heater follows its own law
        let phase = |(row, shifter): (&BTreeMap<String, String>, &Shifter)| {
            let volts: f64 = row["voltage"].parse().unwrap_or(0.0);
            let square = volts * volts;
            shifter.base + shifter.range * square * (shifter.gain + kept.control.quartic * square)
        };
        let phases: Vec<f64> = controls.iter().zip(&kept.control.shifters).map(phase).collect();
        assert!(controls[9]["voltage"].is_empty(), "a dead one has none");
        let wired = at_core::fabrication::Fabrication { control: ControlPath::default(), ..kept.clone() };
        let mut chip = Chip::new(&Cpu::<f64>::new(), &network, &wired).unwrap();
        chip.program(&phases).unwrap();
        let samples = Npz::open(&bench.path(&format!("run/export/{method}/samples.npz"))).unwrap();
        let input = samples.array("input").unwrap();
        let fields: Vec<f64> = input.complexes().unwrap().iter().flat_map(|z| [z.re, z.im]).collect();
        let mut readout = vec![0.0; 30 * 4];
        chip.propagate(&fields, 30, &mut readout).unwrap();
        let predictions = rows(&bench.read(&format!("run/export/{method}/predictions.csv")));
        let best = |readout: &[f64]| (0..3).max_by(|&a, &b| readout[a].total_cmp(&readout[b])).unwrap();
        let names = ["setosa", "versicolor", "virginica"];
        let right =
            readout.chunks(4).zip(&predictions).filter(|(readout, row)| names[best(readout)] == row["class"]).count();
        assert_eq!(right as f64 / 30.0, result["final_test_accuracy"].as_f64().unwrap(), "{method}");
        assert!(right >= 18, "{method}: {right} of 30, where guessing gives 10");
    }
}
