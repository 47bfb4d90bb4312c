//! Tables of samples as people have them: column of the classes, headings, words, doubts; the examples of docs/data.md.

use crate::asyt::Bench;
use ndarray::{Array1, Array2, Array3, Array4};
use ndarray_npy::{NpzWriter, WriteNpyExt};
use num_complex::Complex64;
use std::fs::File;

/// Writes both tables of the folder `name`.
fn tables(bench: &Bench, name: &str, table: &str) {
    bench.write(&format!("{name}/train.csv"), table);
    bench.write(&format!("{name}/test.csv"), table);
}

/// The fenced blocks of a text in Markdown: language and content.
fn blocks(text: &str) -> Vec<(&str, &str)> {
    let fenced = text.split("```").skip(1).step_by(2);
    fenced.map(|block| block.split_once('\n').expect("a block begins with its language")).collect()
}

#[test]
fn the_examples_of_the_documentation_say_what_it_says() {
    let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/data.md")).unwrap();
    let bench = Bench::new();
    let (mut table, mut code, mut said, mut runs) = ("", "", String::new(), 0);
    for (language, content) in blocks(&text) {
        match language {
            "csv" => table = content,
            "sh" => {
                let words: Vec<&str> = content.split_whitespace().skip(1).collect();
                let dataset = words[words.iter().position(|word| *word == "--dataset").unwrap() + 1];
                match dataset.rsplit_once('.') {
                    Some((_, "csv")) => drop(bench.write(dataset, table)),
                    Some((_, "npz" | "npy")) => arrays(&bench, code, dataset),
                    Some((_, other)) => panic!("what is a file of {other}?"),
                    None => tables(&bench, dataset, table),
                }
                let network = if words.contains(&"--network") { &[][..] } else { &["--network", "bank:in-out"] };
                let more = ["--epochs", "1", "--method", "ideal", "--engine", "cpu"];
                said = bench.run(words.into_iter().chain(network.iter().copied()).chain(more)).done().stderr;
                runs += 1;
            }
            "python" => code = content,
            "text" => {
                let lines: Vec<&str> = content.lines().collect();
                for line in &lines {
                    assert!(said.lines().any(|other| other.trim() == *line), "not said: {line}\nbut: {said}");
                }
                let doubts = |lines: &mut dyn Iterator<Item = &str>| {
                    lines.filter(|line| line.starts_with("note: ") && !line.contains("ends at chance")).count()
                };
                let documented = doubts(&mut lines.iter().copied());
                if documented == 0 {
                    assert_eq!(doubts(&mut said.lines()), 0, "{said}");
                }
            }
            other => panic!("what is a block of {other}?"),
        }
    }
    assert!(runs >= 14, "{runs} examples");
}

/// Writes the arrays that these lines in Python write, which name every file of the data set.
fn arrays(bench: &Bench, code: &str, dataset: &str) {
    let count = |k: usize| k as f64;
    for file in dataset.split(',') {
        assert!(code.contains(&format!("(\"{file}\",")), "{file} is not written by {code}");
        let path = bench.path(file);
        let archive = || NpzWriter::new(File::create(&path).unwrap());
        match file {
            "waves.npz" => {
                let mut archive = archive();
                let x = Array2::from_shape_fn((20, 4), |(k, f)| Complex64::cis(count(k) * 0.1 * count(f + 1)));
                archive.add_array("x", &x).unwrap();
                archive.add_array("y", &Array1::from_iter((0..20).map(|k| k % 2_i64))).unwrap();
                archive.finish().unwrap();
            }
            "sums.npz" => {
                let mut archive = archive();
                let x = Array2::from_shape_fn((20, 3), |(k, f)| (count(k + 1) * [0.7, 1.3, 2.9][f]).sin());
                let y = Array2::from_shape_fn((20, 2), |(k, f)| (count(k + 1) * [0.5, 0.25][f]).cos());
                archive.add_array("x", &x).unwrap();
                archive.add_array("y", &y).unwrap();
                archive.finish().unwrap();
            }
            "colours.npz" => {
                let mut archive = archive();
                let pixel = |(k, row, column, channel)| ((((k * 6 + row) * 5 + column) * 3 + channel) % 251) as u8;
                archive.add_array("images", &Array4::from_shape_fn((15, 6, 5, 3), pixel)).unwrap();
                archive.add_array("labels", &Array1::from_iter((0..15).map(|k| k % 3_i64))).unwrap();
                archive.finish().unwrap();
            }
            "images.npy" => {
                let x = Array3::from_shape_fn((20, 2, 3), |(k, ..)| count(k) / 20.0);
                x.write_npy(File::create(&path).unwrap()).unwrap();
            }
            "kinds.npy" => {
                let header = "{'descr': '<U4', 'fortran_order': False, 'shape': (20,), }\n";
                let mut bytes =
                    [b"\x93NUMPY\x01\x00", &(header.len() as u16).to_le_bytes()[..], header.as_bytes()].concat();
                for k in 0..20 {
                    let mut word: Vec<char> = ["even", "odd"][k % 2].chars().collect();
                    word.resize(4, '\0');
                    bytes.extend(word.into_iter().flat_map(|sign| u32::from(sign).to_le_bytes()));
                }
                std::fs::write(&path, bytes).unwrap();
            }
            other => panic!("what is in {other}?"),
        }
    }
}

const TRAIN: [&str; 11] = [
    "train",
    "--dataset",
    "mine",
    "--batch-size",
    "2",
    "--epochs",
    "1",
    "--network",
    "bank:in-out",
    "--method",
    "ideal",
];

fn train<'a>(more: &[&'a str]) -> Vec<&'a str> {
    TRAIN.into_iter().chain(["--quiet"]).chain(more.iter().copied()).collect()
}

#[test]
fn the_column_of_the_classes_is_part_of_the_run() {
    let bench = Bench::new();
    tables(&bench, "mine", "kind,x,y\n1,0.5,2\n0,1.5,3\n1,0.25,1\n0,2,1.5\n");
    bench.run(train(&["--label-column", "kind", "--out", "run"])).done();
    assert!(bench.read("run/config.toml").contains("label-column = \"kind\""));
    bench.run(["train", "--resume", "run", "--quiet"]).done();
    bench.run(["report", "run", "--quiet"]).done();
    for (column, part) in [("kimd", "no column is called 'kimd'"), ("3", "the columns are 0 to 2")] {
        bench.run(train(&["--label-column", column])).refused(1, &["mine", "train.csv", part]);
    }
    bench.run(train(&["--label-column", ""])).refused(2, &["label-column"]);
    bench.run(["train", "--label-column", "first"]).refused(2, &["label-column = first", "digits"]);
    // two cells of one sweep, not one
    let sweep = ["sweep", "--vary", "label-column=kind,last", "--chips", "1", "--out", "swept"];
    bench.run(sweep.into_iter().chain(train(&[]).into_iter().skip(1))).refused(1, &["class '1.5'", "label-column"]);
    tables(&bench, "mine", "kind,x,y\n1,0.5,2\n0,1.5,3\n1,0.25,1\n0,2,0\n");
    bench.run(sweep.into_iter().chain(train(&[]).into_iter().skip(1))).done();
    assert_eq!(bench.entries("swept/cells").len(), 2);
}

#[test]
fn words_that_are_classes_stand_in_the_summary_and_on_the_page() {
    let bench = Bench::new();
    tables(&bench, "mine", "x,y,kind\n0.5,2,b<1>\n1.5,3,\u{1b}[31ma\n0.25,1,b<1>\n2,1.5,\u{1b}[31ma\n");
    bench.run(train(&["--out", "run"])).done();
    let summary: serde_json::Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    assert_eq!(summary["class_names"], serde_json::json!(["\u{1b}[31ma", "b<1>"]));
    bench.run(["report", "run", "--quiet"]).done();
    let page = bench.read("run/report.html");
    assert!(page.contains("0 \\u{1b}[31ma, 1 b&lt;1&gt;"), "the names are listed");
    assert!(page.matches("b&lt;1&gt;").count() >= 3, "and stand on both sides of the confusion matrix");
    assert!(!page.contains('\u{1b}'));
}

#[test]
fn doubts_about_a_table_reach_the_terminal_the_summary_and_the_page() {
    let bench = Bench::new();
    tables(&bench, "mine", "x,y,kind\n0.5,2,1\n1.5,3,2\n0.25,1,1\n2,1.5,2\n");
    let run = bench.run(train(&["--out", "run"])).done();
    assert!(run.stderr.starts_with("note: 1 of 3 classes"), "{}", run.stderr);
    let summary: serde_json::Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    assert!(summary["notes"][0].as_str().unwrap().starts_with("1 of 3 classes"), "{summary}");
    bench.run(["report", "run", "--quiet"]).done();
    assert!(bench.read("run/report.html").contains("1 of 3 classes have no training sample"));
}

#[test]
fn labels_that_make_more_classes_than_samples_are_refused_before_anything_is_written() {
    let bench = Bench::new();
    tables(&bench, "mine", "0.5,1,1\n0.25,2,65535\n");
    bench.run(train(&[])).refused(1, &["mine", "label 65535 makes 65536 classes", "2 training samples"]);
    assert!(!bench.path("runs").exists());
}

#[test]
fn escape_characters_of_files_do_not_reach_the_terminal() {
    let bench = Bench::new();
    let escape = "\u{1b}]0;title\u{7}";
    tables(&bench, "mine", &format!("x,y,kind\n0.5,{escape},1\n"));
    let refused = bench.run(train(&[]));
    assert_eq!(refused.code, Some(1));
    bench.write(
        "settings.toml",
        format!("{:?} = 1\n", format!("key{escape}")).replace("\\u{1b}", "\\u001b").replace("\\u{7}", "\\u0007"),
    );
    let key = bench.run(["train", "--config", "settings.toml"]);
    tables(&bench, &format!("name{escape}"), "x,y,kind\n0.5,2,1\n1.5,3,0\n0.25,1,1\n2,1.5,0\n");
    let name = format!("name{escape}");
    let named = ["train", "--dataset", &name, "--batch-size", "2", "--epochs", "1", "--network", "bank:in-out"];
    let trained = bench.run(named.into_iter().chain(["--out", "run"])).done();
    let reported = bench.run(["report", "run"]).done();
    for ended in [&refused, &key, &trained, &reported] {
        assert!(!ended.stderr.contains('\u{1b}') && !ended.stdout.contains('\u{1b}'), "{ended:?}");
    }
    assert!(refused.stderr.contains("\\u{1b}]0;title\\u{7}") && key.stderr.contains("\\u{1b}"), "{refused:?} {key:?}");
    assert!(trained.stderr.contains("name\\u{1b}"), "{trained:?}");
}

#[test]
fn one_class_is_what_is_wrong_and_not_the_light_or_the_rate() {
    let bench = Bench::new();
    // labels in the first column, as Kaggle has them, in front of a pixel that is 0; the words of one kind; a single number
    let cases = [
        "label,p0,p1,p2\n1,7,8,0\n2,9,3,0\n0,4,4,0\n1,200,3,0\n",
        "x,y,kind\n0.5,2,cat\n1.5,3,cat\n0.25,1,cat\n2,1.5,cat\n",
        "x,y,kind\n1e-9,1e-9,0\n1e-9,1e-9,0\n1e-9,2e-9,0\n1e-9,1e-9,0\n",
    ];
    for (number, table) in cases.into_iter().enumerate() {
        tables(&bench, "mine", table);
        let run = bench.run(train(&["--out", &format!("run-{number}")])).done();
        assert!(run.stderr.contains("so that nothing can be told apart"), "{}", run.stderr);
        assert!(run.stderr.contains("ends at chance: 100.0 %"), "{}", run.stderr);
        for wrong in ["dark", "gradient", "--learning-rate"] {
            assert!(!run.stderr.contains(wrong), "{}", run.stderr);
        }
    }
}
