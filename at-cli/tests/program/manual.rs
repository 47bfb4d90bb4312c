//! What is told of the command line: short and whole help, topics, completions, manual pages.

use crate::asyt::Bench;

#[test]
fn short_help_is_short_and_every_setting_stands_in_the_whole_one() {
    let bench = Bench::new();
    for command in ["train", "compare", "sweep"] {
        let [short, whole] = ["-h", "--help"].map(|flag| bench.run([command, flag]).done().stdout);
        assert!(short.lines().count() < 60, "{command}: {short}");
        assert!(whole.lines().count() > 200, "{command}");
        assert!(
            short.contains("--network") && short.contains("--help") && !short.contains("--thermal-noise"),
            "{short}"
        );
        assert!(whole.contains("--thermal-noise"));
    }
}

#[test]
fn every_topic_and_every_command_has_its_help() {
    let bench = Bench::new();
    let all = bench.run(["help"]).done().stdout;
    assert_eq!(all, bench.run(["--help"]).done().stdout);
    for (topic, word) in [
        ("networks", "mesh:64x3"),
        ("chips", "silicon"),
        ("methods", "at-adaptive"),
        ("presets", "asyt-demo"),
        ("data", "--label-column"),
    ] {
        assert!(bench.run(["help", topic]).done().stdout.contains(word), "{topic}");
        assert!(all.contains(topic), "{topic} is not named by asyt help");
    }
    assert_eq!(
        bench.run(["help", "chip", "check"]).done().stdout,
        bench.run(["chip", "check", "--help"]).done().stdout
    );
    bench.run(["help", "network"]).refused(2, &["unknown topic", "did you mean networks"]);
}

#[test]
fn completions_and_manual_pages_know_every_command_and_flag() {
    let bench = Bench::new();
    for shell in ["bash", "zsh", "fish"] {
        let script = bench.run(["completions", shell]).done().stdout;
        assert!(["reproduce", "thermal-noise", "label-column"].iter().all(|word| script.contains(word)), "{shell}");
    }
    bench.run(["man", "pages"]).done();
    let pages = bench.entries("pages");
    assert!(
        ["asyt.1", "asyt-train.1", "asyt-chip-serve.1", "asyt-export.1"]
            .iter()
            .all(|page| pages.contains(&page.to_string())),
        "{pages:?}"
    );
    assert!(bench.read("pages/asyt-train.1").contains("thermal"));
}

#[test]
fn topics_and_lists_keep_to_the_width_of_a_terminal() {
    let bench = Bench::new();
    let topics = ["networks", "chips", "methods", "presets", "data"].map(|topic| ["help", topic]);
    for words in topics.into_iter().chain([["data", "list"], ["devices", "--"]]) {
        let words = words.into_iter().filter(|word| *word != "--");
        let said = bench.run(words).done().stdout;
        for line in said.lines() {
            // a stage by itself is a table in a line, which TOML does not break
            let stage = line.trim_start().trim_start_matches('[').starts_with("{ kind = \"");
            assert!(line.chars().count() <= 80 || stage, "{line}");
        }
    }
    assert_eq!(bench.run(["help", "datas"]).stderr.matches(" data,").count(), 1, "a topic is named once");
}
