//! Where settings come from, and what is said of those that are wrong.

use crate::asyt::Bench;

#[test]
fn flags_win_over_the_file_and_the_file_over_the_preset() {
    let bench = Bench::new();
    let file = bench.write("mine.toml", "epochs = 2\nlearning-rate = 0.125\nmethod = ['ideal']\n");
    bench.train(&["--config", &file, "--learning-rate", "0.5", "--out", "mine", "--quiet"]).done();
    let config = bench.read("mine/config.toml");
    for line in ["epochs = 2", "learning-rate = 0.5", "method = [\"ideal\"]", "optimizer = \"sgd\"", "batch-size = 20"]
    {
        assert!(config.lines().any(|found| found == line), "{line} is not in {config}");
    }
    // the file of a run repeats it
    bench.run(["train", "--config", "mine/config.toml", "--out", "again", "--quiet"]).done();
    assert_eq!(bench.read("again/config.toml"), config);
    let curve = |run: &str| bench.read(&format!("{run}/metrics.csv")).lines().map(without_time).collect::<Vec<_>>();
    assert_eq!(curve("mine"), curve("again"));
    assert_eq!(curve("mine").len(), 3);
}

fn without_time(line: &str) -> String {
    line.rsplit_once(',').unwrap().0.to_string()
}

#[test]
fn settings_files_that_make_no_sense_are_refused_with_line_or_key() {
    let bench = Bench::new();
    let cases = [
        ("learning_rate = 0.1\n", "did you mean learning-rate?"),
        ("quiet = true\n", "--quiet"),
        ("epochs = 'many'\n", "line 1"),
        ("epochs = 2.5\n", "line 1"),
        ("epochs = -1\n", "line 1"),
        ("epochs = 1\nepochs = 2\n", "line 2"),
        ("epochs = \n", "line 1"),
        ("seed = 1\n[network\n", "line 2"),
        ("network = [[{ kind = 'mseh', modes = 4 }]]\n", "mseh"),
        ("network = [[{ kind = 'mesh', modes = 'four' }]]\n", "line 1"),
        ("network = []\n", "network"),
        ("network = [[]]\n", "network"),
        ("method = []\n", "method is empty"),
        ("preset = 'digit'\n", "did you mean digits?"),
        ("loss-gain = 'automatic'\n", "write auto or a positive number"),
        ("learning-rate = nan\n", "learning-rate = NaN"),
        ("learning-rate = -inf\n", "learning-rate = -inf"),
        ("seed = 99999999999999999999\n", "line 1"),
        ("\u{0}\u{1}\u{2}", "line 1"),
    ];
    for (text, part) in cases {
        let file = bench.write("mine.toml", text);
        let ended = bench.run(["train", "--config", &file, "--quiet"]);
        assert!(ended.stderr.contains(part), "{text:?}: {}", ended.stderr);
        ended.refused(2, &[]);
    }
    let file = bench.write("mine.toml", b"epochs = 2 # \xff\n");
    bench.run(["train", "--config", &file]).refused(2, &["mine.toml", "UTF-8"]);
    bench.run(["train", "--config", "none.toml"]).refused(2, &["none.toml"]);
    bench.run(["train", "--config", "."]).refused(2, &["settings file: .: is a folder"]);
    assert!(!bench.path("runs").exists());
}

#[test]
fn a_misspelt_flag_is_answered_with_the_nearest() {
    let bench = Bench::new();
    let help = bench.run(["train", "--help"]).stdout;
    let flags =
        help.split_whitespace().filter(|word| word.starts_with("--") && word[2..].contains(char::is_alphabetic));
    let flags: std::collections::BTreeSet<_> =
        flags.map(|flag| flag.trim_matches(|c: char| ",;`".contains(c))).collect();
    assert!(flags.len() > 30, "{flags:?}");
    for flag in flags {
        let typo = format!("--{}", flag[2..].replacen(|c: char| c.is_alphabetic(), "", 1));
        let ended = bench.run(["train", &typo, "1"]);
        let said =
            ended.stderr.contains("a similar argument exists") || ended.stderr.contains("similar arguments exist");
        assert!(ended.code == Some(2) && said, "{flag}: {ended:?}");
    }
}
