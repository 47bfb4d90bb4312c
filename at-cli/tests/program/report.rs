//! `asyt report` from outside: what is on the page, and how a browser takes it.

use crate::asyt::{Bench, Ended};
use std::path::{Path, PathBuf};
use std::process::Command;

/// A run of two small meshes in the folder `run`.
fn mesh_run(bench: &Bench) {
    let network = ["--dataset", "iris", "--network", "mesh:4x2", "--chip", "mesh", "--batch-size", "10"];
    let rest = ["--method", "at,ideal", "--epochs", "2", "--engine", "cpu", "--out", "run", "--quiet"];
    bench.run(["train"].iter().chain(&network).chain(&rest).copied()).done();
}

/// A preparation's score was written by a name that was not read again: no run that was prepared had pictures, a page or a view.
#[test]
fn a_run_that_was_prepared_is_read_again() {
    let bench = Bench::new();
    let data = ["train", "--dataset", "iris", "--network", "bank:in-6-out", "--method", "at", "--batch-size", "10"];
    let rest = ["--prepare", "in-silico:1", "--epochs", "2", "--engine", "cpu", "--out", "run"];
    let trained = bench.run(data.iter().chain(&rest).copied()).done();
    assert!(!trained.stderr.contains("warning"), "{}", trained.stderr);
    report(&bench, &[]).done();
    assert!(bench.read("run/report.html").contains("in-silico"));
}

/// A comparison of two chips in the folder `run`.
fn comparison(bench: &Bench) {
    let network = ["compare", "--dataset", "iris", "--network", "bank:in-6-out", "--batch-size", "10", "--chips", "2"];
    let rest = ["--method", "at,in-silico,ideal", "--epochs", "2", "--engine", "cpu", "--out", "run", "--quiet"];
    bench.run(network.iter().chain(&rest).copied()).done();
}

/// A sweep of two points, one chip each, in the folder `run`.
fn sweep(bench: &Bench) {
    let network = ["sweep", "--dataset", "iris", "--network", "bank:in-6-out", "--batch-size", "10", "--chips", "1"];
    let rest = ["--method", "at,ideal", "--epochs", "2", "--engine", "cpu", "--out", "run", "--quiet"];
    bench.run(network.iter().chain(&rest).chain(&["--vary", "response-slope=0.1,0.4"]).copied()).done();
}

fn report(bench: &Bench, arguments: &[&str]) -> Ended {
    bench.run(["report", "run"].iter().chain(arguments).copied())
}

#[test]
fn the_page_shows_the_run_and_every_picture_is_a_file_too() {
    let bench = Bench::new();
    mesh_run(&bench);
    let shown = report(&bench, &["--sample", "3"]).done();
    assert_eq!(shown.stdout.replace('\\', "/"), "run/report.html\n");
    let page = bench.read("run/report.html");
    let texts = [
        "What was trained",
        "iris",
        "splitter-angle 0.02",
        "which knows every imperfection",
        "test accuracy of the chip (%)",
        "training loss",
        "values read from and written into the chip",
        "recognised as class",
        "Optical power in mesh 2, test sample 3",
        "Internal phases θ",
        "Error of the first couplers",
        "controls written",
        "Cost model bench",
        "Cost model integrated",
        "propagation",
        "holding",
        "learning-rate = ",
    ];
    texts.iter().for_each(|text| assert!(page.contains(text), "{text}"));
    let pictures = bench.entries("run/report");
    let svgs = pictures.iter().filter(|name| name.ends_with(".svg")).count();
    assert_eq!((svgs, pictures.len()), (page.matches("<figure").count(), 2 * svgs));
    // the confusion matrices repeat the accuracies of the run on a chip made anew
    let summary: serde_json::Value = serde_json::from_str(&bench.read("run/summary.json")).unwrap();
    for result in summary["results"].as_array().unwrap() {
        let accuracy = 100.0 * result["final_test_accuracy"].as_f64().unwrap();
        let title = format!("{}: {accuracy:.2} % right", result["method"].as_str().unwrap());
        assert!(page.contains(&title), "{title}");
    }
}

/// The table of what `at-adaptive` has found in the run's page: cells of every row.
fn found(page: &str) -> Vec<Vec<String>> {
    let section = page.split_once("What at-adaptive says of the chip").expect("a section").1;
    let table = section.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0;
    let rows = table.lines().filter(|line| line.contains("<td>"));
    let cells = |row: &str| row.split("<td>").skip(1).map(|cell| cell.split('<').next().unwrap().to_string()).collect();
    rows.map(cells).collect()
}

/// The number at the start of a cell.
fn first_number(cell: &str) -> f64 {
    cell.split(' ').next().unwrap().parse().unwrap()
}

/// Of meshes, also inside others, of cells, and of planes; of a chip that was estimated, and not of one that was not.
#[test]
fn what_at_adaptive_has_found_stands_beside_the_true_errors() {
    let of = |network: &str, chip: &str, more: &[&str]| {
        let bench = Bench::new();
        let words = ["train", "--network", network, "--chip", chip, "--batch-size", "20"];
        let rest = ["--method", "at-adaptive", "--engine", "cpu", "--out", "run", "--quiet"];
        bench.run(words.iter().chain(&rest).chain(more).copied()).done();
        report(&bench, &["--quiet"]).done();
        (bench.read("run/report.html"), bench.entries("run/report"))
    };
    let short = ["--train-limit", "200", "--epochs", "4"];
    let shown = |pictures: &[String], name: &str| {
        assert!(pictures.iter().any(|own| own == name), "{name}: {pictures:?}");
    };
    let (page, pictures) = of("mesh:4x2", "silicon", &["--dataset", "iris", "--epochs", "80"]);
    let rows = found(&page);
    for stage in ["1", "3"] {
        let couplers = rows.iter().find(|row| row[0] == stage && row[1] == "first coupler error").unwrap();
        let [truth, off] = [2, 4].map(|column| first_number(&couplers[column]));
        assert!(truth > 0.01 && off < 0.5 * truth, "{couplers:?}");
        for name in ["couplers", "phases", "losses", "gains"] {
            shown(&pictures, &format!("stage-{stage}-estimate-{name}.svg"));
        }
    }
    assert!(rows.iter().any(|row| row[1] == "gain of a heater"), "{rows:?}");
    assert!(page.contains("estimated = true"));
    let (_, pictures) = of("bank:in-8-out", "weight-bank", &short);
    ["held", "amplitude", "slope", "offset"]
        .iter()
        .for_each(|name| shown(&pictures, &format!("stage-1-estimate-{name}.svg")));
    let (page, pictures) = of("diffractive:16x16x2", "planes", &short);
    shown(&pictures, "stage-2-estimate-phase.svg");
    assert!(found(&page).iter().any(|row| row[1] == "shift of a plane" && row[3].ends_with(" µm")), "{page}");
    let (_, pictures) = of("conv:2@3,svd,stride=2,bank:out", "mesh", &["--train-limit", "400", "--epochs", "15"]);
    shown(&pictures, "stage-1-2-estimate-phases.svg");
    let bench = Bench::new();
    mesh_run(&bench);
    report(&bench, &[]).done();
    assert!(!bench.read("run/report.html").contains("says of the chip"));
}

/// A frame for patches through light, with a box for everything inside, and one for a residual connection.
#[test]
fn stages_inside_others_are_shown_in_their_frames() {
    let bench = Bench::new();
    let word = "conv:2@3,svd,stride=2,split,conv:2@3,padding=1,add,bank:out";
    let network = ["train", "--network", word, "--chip", "mesh", "--train-limit", "40", "--batch-size", "10"];
    let rest = ["--method", "ideal", "--epochs", "1", "--engine", "cpu", "--out", "run", "--quiet"];
    bench.run(network.iter().chain(&rest).copied()).done();
    report(&bench, &[]).done();
    let (page, pictures) = (bench.read("run/report.html"), bench.entries("run/report"));
    assert_eq!(page.matches("<div class=\"frame\">").count(), 2);
    for heading in ["<h3>Stage 1: ", "<h4>Stage 1.1: ", "<h4>Stage 1.5: ", "<h3>Stage 3: ", "<h4>Stage 3.1: "] {
        assert!(page.contains(heading), "{heading}");
    }
    for picture in ["stage-1-2-theta.svg", "stage-1-4-theta.svg", "stage-3-1-weights.svg"] {
        assert!(pictures.iter().any(|name| name == picture), "{picture}: {pictures:?}");
    }
}

/// Light on every mask and on the detectors, whose regions are framed; errors of chips of rings and of phase-change cells.
#[test]
fn other_families_show_light_and_errors_of_their_chips() {
    let of = |network: &str, chip: &str| {
        let bench = Bench::new();
        let words = ["train", "--network", network, "--chip", chip, "--train-limit", "40", "--batch-size", "10"];
        let rest = ["--method", "ideal", "--epochs", "1", "--engine", "cpu", "--out", "run", "--quiet"];
        bench.run(words.iter().chain(&rest).copied()).done();
        report(&bench, &["--sample", "2", "--quiet"]).done();
        let (page, pictures) = (bench.read("run/report.html"), bench.entries("run/report"));
        (bench, page, pictures)
    };
    let (bench, page, pictures) = of("diffractive:24x24x2", "planes");
    for text in [
        "Light on plane 1, test sample 2",
        "Light on plane 2, test sample 2",
        "Light on the detectors",
        "meets one of them",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let plane = pictures.iter().filter(|name| name.ends_with("-power.svg"));
    let framed: Vec<usize> =
        plane.map(|name| bench.read(&format!("run/report/{name}")).matches("#ff3c3c").count()).collect();
    assert_eq!(framed.iter().filter(|&&count| count == 10).count(), 1, "{framed:?}");
    assert_eq!(framed.iter().filter(|&&count| count == 0).count(), 2, "{framed:?}");
    for (network, chip, shown) in [
        ("rings:in-8-out", "ring-bank", ["offset-error", "linewidth-error"]),
        ("pcm:in-8-out", "phase-change", ["positive-error", "negative-error"]),
        ("bank:in-8-out", "weight-bank", ["amplitude-error", "slope-error"]),
        ("svd:16x16/4", "mesh", ["transmission", "theta-error"]),
    ] {
        let (_, _, pictures) = of(network, chip);
        for part in shown {
            assert!(
                pictures.iter().any(|name| name.ends_with(&format!("-{part}.svg"))),
                "{network}: {part} in {pictures:?}"
            );
        }
    }
}

#[test]
fn comparisons_and_sweeps_have_pages_with_the_numbers_of_their_tables() {
    let bench = Bench::new();
    comparison(&bench);
    report(&bench, &["--quiet"]).done();
    let page = bench.read("run/report.html");
    let json: serde_json::Value = serde_json::from_str(&bench.read("run/compare.json")).unwrap();
    for method in json["points"][0]["methods"].as_array().unwrap() {
        let mean = format!("<td>{:.2}</td>", 100.0 * method["accuracy"]["mean"].as_f64().unwrap());
        assert!(page.contains(&mean), "{mean}");
    }
    let texts = ["numbers 1 to 2", "95 % interval", "cosine of step", "Cost model integrated", "settling", "an oracle"];
    texts.iter().for_each(|text| assert!(page.contains(text), "{text}"));
    assert!(!page.contains("have no result"));
    // a cell that is gone is missed, not passed over
    let cells = bench.entries("run/cells");
    let cell = cells.iter().find(|cell| cell.starts_with("at-1-")).unwrap();
    std::fs::remove_file(bench.path(&format!("run/cells/{cell}/result.json"))).unwrap();
    let ended = report(&bench, &["--quiet"]).done();
    assert!(ended.stderr.contains("1 of 6 cells have no result"), "{}", ended.stderr);

    let bench = Bench::new();
    sweep(&bench);
    report(&bench, &["--quiet"]).done();
    let page = bench.read("run/report.html");
    let texts = ["response-slope = 0.1, 0.4", "response-slope (relative)", "0.4 at", "Cost model bench"];
    texts.iter().for_each(|text| assert!(page.contains(text), "{text}"));
}

#[test]
fn nothing_on_the_page_is_fetched() {
    let bench = Bench::new();
    bench.train(&["--epochs", "1", "--out", "run", "--quiet"]).done();
    report(&bench, &["--quiet"]).done();
    let page = bench.read("run/report.html");
    assert!(page.contains("Weights that the chip holds"));
    fetches_nothing(&page);
    let bench = Bench::new();
    comparison(&bench);
    report(&bench, &["--quiet"]).done();
    fetches_nothing(&bench.read("run/report.html"));
}

fn fetches_nothing(page: &str) {
    for word in ["<script", "src=", "@import", "url("] {
        assert!(!page.contains(word), "{word}");
    }
    let links = page.split("href=\"").skip(1).filter(|link| !link.starts_with("data:"));
    assert_eq!(links.count(), 0);
    let addresses = page.replace("http://www.w3.org/", "");
    assert!(!addresses.contains("http:") && !addresses.contains("https:"));
}

#[test]
fn what_cannot_be_shown_is_said() {
    let bench = Bench::new();
    report(&bench, &[]).refused(2, &["run", "config.toml"]);
    mesh_run(&bench);
    report(&bench, &["--sample", "9999"]).refused(1, &["--sample 9999", "0 to"]);
    report(&bench, &["--method", "idael"]).refused(1, &["idael", "did you mean ideal?"]);
    std::fs::remove_file(bench.path("run/metrics.csv")).unwrap();
    report(&bench, &[]).refused(1, &["has not finished an epoch", "asyt train --resume run"]);
}

#[test]
fn a_run_that_was_interrupted_is_shown_as_far_as_it_is() {
    let bench = Bench::new();
    mesh_run(&bench);
    // the second method has done one epoch of two, and no method has a result
    std::fs::remove_file(bench.path("run/summary.json")).unwrap();
    let rows = bench.read("run/metrics.csv");
    let kept: Vec<&str> = rows.lines().take(4).collect();
    bench.write("run/metrics.csv", kept.join("\n") + "\n");
    let shown = report(&bench, &["--quiet"]).done();
    let page = bench.read("run/report.html");
    for text in ["The run is not finished", "ideal has done 1 of 2 epochs", "asyt train --resume run", "ideal, so far"]
    {
        assert!(page.contains(text), "{text}");
    }
    assert!(shown.stderr.contains("warning: run: The run is not finished"), "{}", shown.stderr);
    for said in [&page, &shown.stderr] {
        assert!(!said.contains("os error"), "{said}");
    }
    // what the page advises is accepted, and makes it whole
    bench.run(["train", "--resume", "run", "--quiet"]).done();
    report(&bench, &["--quiet"]).done();
    assert!(!bench.read("run/report.html").contains("not finished"));
    // a comparison without any cell
    let bench = Bench::new();
    comparison(&bench);
    for cell in bench.entries("run/cells") {
        std::fs::remove_file(bench.path(&format!("run/cells/{cell}/result.json"))).unwrap();
    }
    report(&bench, &[]).refused(1, &["none of its cells has a result yet", "continue with: asyt compare --resume run"]);
}

#[test]
fn the_command_that_a_page_advises_repeats_the_run() {
    for (make, result) in [(mesh_run as fn(&Bench), "metrics.csv"), (comparison, "compare.csv"), (sweep, "sweep.csv")] {
        let bench = Bench::new();
        make(&bench);
        report(&bench, &["--quiet"]).done();
        let page = bench.read("run/report.html");
        let advice = page.split("The run is repeated by: ").nth(1).and_then(|rest| rest.split("</summary>").next());
        let advice =
            advice.unwrap().replace("&quot;", "\"").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&");
        let words = shlex::split(&advice).unwrap();
        assert_eq!(words[0], "asyt");
        let more = ["--out", "again", "--quiet"];
        bench.run(words[1..].iter().map(String::as_str).chain(more)).done();
        let without_times = |run: &str| {
            let mut csv = csv::Reader::from_path(bench.path(&format!("{run}/{result}"))).unwrap();
            let heads = csv.headers().unwrap().clone();
            let timed = |head: &str| head == "wall_seconds";
            let rows = csv.records().map(|row| {
                let row = row.unwrap();
                let cells = heads.iter().zip(&row).filter(|(head, _)| !timed(head)).map(|(_, cell)| cell.to_string());
                cells.collect::<Vec<_>>()
            });
            rows.collect::<Vec<_>>()
        };
        assert_eq!(without_times("again"), without_times("run"), "{advice}");
    }
}

#[test]
fn several_runs_have_a_picture_together() {
    let bench = Bench::new();
    mesh_run(&bench);
    std::fs::rename(bench.path("run"), bench.path("first")).unwrap();
    comparison(&bench);
    bench.run(["report", "first", "run", "--out", "both.html", "--quiet"]).done();
    let page = bench.read("both.html");
    assert!(page.contains("All runs together") && page.contains("first: at") && page.contains("run: in-silico"));
    let svg = bench.read("both/together-accuracy.svg");
    for label in ["first: at", "first: ideal", "run: at", "run: ideal", "run: in-silico"] {
        assert!(svg.contains(label), "{label}");
    }
    report(&bench, &["--quiet"]).done();
    assert!(!bench.read("run/report.html").contains("All runs together"));
}

#[test]
fn very_many_epochs_make_no_page_of_as_many_points() {
    let bench = Bench::new();
    mesh_run(&bench);
    report(&bench, &["--quiet"]).done();
    let short = bench.read("run/report.html").len();
    let rows = bench.read("run/metrics.csv");
    let (heading, first) = (rows.lines().next().unwrap(), rows.lines().nth(1).unwrap());
    let (before, after) = first.split_once(",1,").unwrap();
    let row = |epoch: usize| format!("{before},{epoch},{after}\n");
    let many: String = (1..=50_000).map(row).collect();
    bench.write("run/metrics.csv", format!("{heading}\n{many}"));
    report(&bench, &["--quiet"]).done();
    let long = bench.read("run/report.html").len();
    assert!(long < short + 100_000, "{short} bytes become {long}");
}

#[test]
fn very_many_classes_are_drawn_in_blocks_which_is_said() {
    let bench = Bench::new();
    let rows: String = (0..3000).map(|row| format!("{},0.5,{row}\n", row % 7)).collect();
    bench.write("many/train.csv", rows);
    bench.write("many/test.csv", "1,0.25,2999\n0,0.5,0\n");
    let flags = ["train", "--dataset", "many", "--network", "bank:in-out", "--batch-size", "1000", "--epochs", "1"];
    bench.run(flags.into_iter().chain(["--method", "ideal", "--engine", "cpu", "--out", "run", "--quiet"])).done();
    let shown = report(&bench, &["--quiet"]).done();
    assert!(shown.stderr.contains("note: 3000 classes are drawn in blocks of 6"), "{}", shown.stderr);
    assert!(shown.stderr.contains("stage 1: no picture"), "{}", shown.stderr);
    let page = bench.read("run/report.html");
    assert!(page.contains("3000 classes are drawn in blocks of 6") && page.len() < 2 << 20, "{} bytes", page.len());
}

#[test]
fn a_large_image_is_drawn_in_fewer_cells_which_is_said() {
    let bench = Bench::new();
    let idx = |shape: &[u32], bytes: Vec<u8>| {
        let sizes = shape.iter().flat_map(|size| size.to_be_bytes());
        [0, 0, 8, shape.len() as u8].into_iter().chain(sizes).chain(bytes).collect::<Vec<u8>>()
    };
    for part in ["train", "t10k"] {
        let pixels = (0..2 * 1024 * 1024).map(|index: usize| (index % 251) as u8).collect();
        bench.write(&format!("data/{part}-images-idx3-ubyte"), idx(&[2, 1024, 1024], pixels));
        bench.write(&format!("data/{part}-labels-idx1-ubyte"), idx(&[2], vec![0, 1]));
    }
    let flags =
        ["train", "--dataset", "mnist", "--data-dir", "data", "--encoding", "fourier-crop:4", "--network", "mesh:16x1"];
    let rest = ["--chip", "mesh", "--method", "ideal", "--epochs", "1", "--batch-size", "2", "--engine", "cpu"];
    bench.run(flags.into_iter().chain(rest).chain(["--out", "run", "--quiet"])).done();
    let shown = report(&bench, &["--quiet"]).done();
    let said = "sample: 1024 × 1024 cells are drawn in squares of 2 × 2";
    assert!(shown.stderr.contains(said), "{}", shown.stderr);
    let page = bench.read("run/report.html");
    assert!(page.contains(said) && page.len() < 8 << 20, "{} bytes", page.len());
}

/// A browser without a window, where there is one.
fn browser() -> Option<PathBuf> {
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let folders: Vec<PathBuf> = std::env::split_paths(&std::env::var_os("PATH")?).collect();
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

/// Opens a page in a window of this width; gives its final text and what the browser had to complain about.
fn open(browser: &Path, bench: &Bench, page: &Path, width: u32) -> (String, String) {
    let profile = bench.path(&format!("profile-{width}"));
    let output = Command::new(browser)
        .args(["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"])
        .args(["--disable-background-networking", "--disable-component-update", "--disable-sync"])
        .args(["--enable-logging=stderr", "--dump-dom", "--virtual-time-budget=2000"])
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg(format!("--window-size={width},900"))
        .arg(format!("file://{}", page.display()))
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    let complaints = text(output.stderr);
    (text(output.stdout), complaints.lines().filter(|line| line.contains("CONSOLE")).collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_browser_opens_every_kind_of_page_from_disk_without_complaint_and_without_scrolling_sideways() {
    let Some(browser) = browser() else {
        eprintln!("skipped: no chromium or chrome in PATH");
        return;
    };
    for (kind, make) in [("train", mesh_run as fn(&Bench)), ("compare", comparison), ("sweep", sweep)] {
        let bench = Bench::new();
        make(&bench);
        report(&bench, &["--quiet"]).done();
        // a copy whose title tells what the browser fetched and how wide the page became
        let probe = "<script>addEventListener('load', () => { const page = document.documentElement; document.title = \
                     [performance.getEntriesByType('resource').length, page.scrollWidth <= innerWidth, \
                     document.querySelectorAll('figure svg').length].join(' ') })</script></body>";
        let page = bench.read("run/report.html").replace("</body>", probe);
        let figures = page.matches("<figure").count();
        assert!(figures > 1, "{kind}");
        let copy = bench.write("probed.html", page);
        for width in [500, 1400] {
            let (dom, complaints) = open(&browser, &bench, Path::new(&copy), width);
            assert_eq!(complaints, "", "{kind}");
            let title = dom.split("<title>").nth(1).and_then(|rest| rest.split('<').next()).unwrap_or_default();
            assert_eq!(title, format!("0 true {figures}"), "{kind} at a width of {width}");
        }
    }
}
