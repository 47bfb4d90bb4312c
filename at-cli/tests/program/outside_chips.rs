//! Chips that another process drives: trained, served, looked at, and left where somebody wants them.

use crate::asyt::{Bench, Ended};
use at_core::link::{Access, Description, Driven, Limits, serve};
use at_core::training::Checkpoint;
use ndarray_npy::WriteNpyExt;
use std::io::{BufRead, BufReader, BufWriter};
use std::net::TcpListener;
use std::process::{Child, ChildStderr, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

/// A small mesh, of which the data say the ends.
const CHIP: &str =
    "--network mesh:4x2 --dataset iris --encoding raw --chip mesh --loss-normalization none --engine cpu";
/// How it is trained.
const TRAINING: &str = "--train-limit 60 --batch-size 20 --epochs 3";

fn asyt() -> String {
    assert_cmd::cargo::cargo_bin!("asyt").display().to_string()
}

/// `asyt train` of the chip into `out`, with `more`, whose flags win.
fn training<'a>(out: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let base: Vec<&str> = CHIP.split(' ').chain(TRAINING.split(' ')).collect();
    let own = base.chunks(2).filter(|pair| !more.contains(&pair[0])).flatten().copied();
    ["train", "--quiet", "--out", out].into_iter().chain(own).chain(more.iter().copied()).collect()
}

impl Bench {
    fn trained(&self, out: &str, more: &[&str]) -> Ended {
        self.run(training(out, more))
    }

    /// The scores of a run without the times, and the controls of `methods`.
    fn numbers(&self, out: &str, methods: &[&str]) -> (String, Vec<Vec<f64>>) {
        let controls = methods.iter().map(|method| {
            let checkpoint = Checkpoint::of_any_run(&self.path(&format!("{out}/{method}.safetensors"))).unwrap();
            checkpoint.controls().unwrap().to_vec()
        });
        let table = self.read(&format!("{out}/metrics.csv"));
        let wall = table.lines().next().unwrap().split(',').position(|name| name == "wall_seconds").unwrap();
        let rows = table.lines().map(|line| {
            let cells = line.split(',').enumerate().filter(|(column, _)| *column != wall).map(|(_, cell)| cell);
            cells.collect::<Vec<_>>().join(",") + "\n"
        });
        (rows.collect(), controls.collect())
    }

    /// `asyt chip serve` at a free port, or at `address`; gives the address.
    fn server(&self, address: &str, more: &[&str]) -> Server {
        let words = ["chip", "serve", "--listen", address].into_iter().chain(CHIP.split(' '));
        let mut process =
            self.asyt(words.chain(more.iter().copied())).stderr(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let mut said = BufReader::new(process.stderr.take().unwrap());
        let mut line = String::new();
        while !line.starts_with("listens") {
            line.clear();
            assert!(said.read_line(&mut line).unwrap() > 0, "the server ended");
        }
        let address = line.split_whitespace().nth(1).unwrap().trim_end_matches(';').to_string();
        Server { process, _said: said, address }
    }
}

struct Server {
    process: Child,
    /// Kept, so that what it says later finds a reader.
    _said: BufReader<ChildStderr>,
    address: String,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[test]
fn a_served_chip_trains_to_the_numbers_of_the_chip_inside_over_streams_and_tcp() {
    let bench = Bench::new();
    let methods = ["at", "at-adaptive", "pat-output", "spsa", "pat"];
    let list = methods.join(",");
    let train = |out: &str, more: &[&str]| {
        bench.trained(out, &[&["--method", &list], more].concat()).done();
        bench.numbers(out, &methods)
    };
    let inside = train("inside", &[]);
    let command = format!("'{}' chip serve --quiet {CHIP}", asyt());
    assert_eq!(train("streams", &["--chip-command", &command]), inside);
    let server = bench.server("127.0.0.1:0", &[]);
    assert_eq!(train("tcp", &["--chip-address", &server.address]), inside);
    let summary: serde_json::Value = serde_json::from_str(&bench.read("tcp/summary.json")).unwrap();
    let result = &summary["results"][0];
    assert!(result["chip_times"]["batches"].as_u64().unwrap() > 0 && result["chip_reads"].as_u64().unwrap() > 0);
    assert!(summary["outside_chip"].as_str().unwrap().starts_with("simulated mesh 1"));
    let said = bench.run(["report", "tcp", "--out", "page.html"]).done().stderr;
    assert!(said.contains("came from outside, and nobody knows its inside"), "{said}");
    assert!(bench.read("page.html").contains("on simulated mesh 1"));
}

/// Nobody knows the true errors there: the maps are of the estimate, which is the one of the same chip inside.
#[test]
fn what_at_adaptive_has_found_of_a_chip_from_outside_is_drawn_by_itself() {
    let bench = Bench::new();
    let command = format!("'{}' chip serve --quiet {CHIP}", asyt());
    let more = ["--method", "at-adaptive", "--epochs", "100"];
    bench.trained("inside", &more).done();
    bench.trained("outside", &[&more[..], &["--chip-command", &command]].concat()).done();
    let estimated = |run: &str, column: usize| -> Vec<String> {
        bench.run(["report", run, "--quiet"]);
        let page = bench.read(&format!("{run}/report.html"));
        let section = page.split_once("What at-adaptive says of the chip").unwrap_or_else(|| panic!("{page}")).1;
        let rows = section.split_once("<tbody>").unwrap().1.split_once("</tbody>").unwrap().0.lines();
        let cell = |row: &str| row.split("<td>").nth(column).map(|cell| cell.split('<').next().unwrap().to_string());
        rows.filter_map(cell).filter(|cell| cell.ends_with("rad")).collect()
    };
    let (inside, outside) = (estimated("inside", 4), estimated("outside", 3));
    assert_eq!(outside.len(), 10, "{outside:?}");
    // couplers, whose errors are no phases that turn
    assert_eq!((&outside[..2], &outside[5..7]), (&inside[..2], &inside[5..7]));
    let pictures = bench.entries("outside/report");
    for name in ["stage-1-estimate-theta-error.svg", "stage-1-estimate-coupler-1.svg", "stage-3-estimate-phi-error.svg"]
    {
        assert!(pictures.iter().any(|own| own == name), "{name}: {pictures:?}");
    }
    assert!(!pictures.iter().any(|own| own.contains("estimate-phases")), "{pictures:?}");
}

#[test]
fn a_run_whose_driver_was_killed_goes_on_after_its_driver_is_back() {
    let bench = Bench::new();
    let more = ["--method", "spsa", "--epochs", "400", "--batch-size", "10"];
    bench.trained("inside", &more).done();
    let mut server = bench.server("127.0.0.1:0", &[]);
    let address = server.address.clone();
    let folder = bench.path("cut");
    let killer = thread::spawn(move || {
        while !folder.join("spsa.safetensors").exists() {
            thread::sleep(Duration::from_millis(1));
        }
        server.process.kill().unwrap();
        drop(server);
    });
    let ended = bench.trained("cut", &[&more[..], &["--chip-address", &address]].concat());
    killer.join().unwrap();
    ended.refused(1, &["chip at 127.0.0.1", "before it answered", "last written: all 32 controls", "--resume cut"]);
    let epochs = bench.read("cut/metrics.csv").lines().count();
    assert!(epochs < 400, "it was not cut short");
    bench.run(["train", "--resume", "cut", "--quiet"]).refused(1, &["nobody answers there", "start its driver first"]);
    let other = bench.server(&address, &["--chip-seed", "9"]);
    let another_chip = ["begun with other contents", &address[..], "it holds another chip"];
    bench.run(["train", "--resume", "cut", "--quiet"]).refused(1, &another_chip);
    drop(other);
    let server = bench.server(&address, &[]);
    bench.run(["train", "--resume", "cut", "--quiet"]).done();
    assert_eq!(bench.numbers("cut", &["spsa"]), bench.numbers("inside", &["spsa"]));
    drop(server);
}

#[test]
fn a_run_goes_on_with_its_chip_at_another_address_or_behind_a_command_and_with_no_other_chip() {
    let bench = Bench::new();
    let whole = ["--method", "at,spsa"];
    bench.trained("inside", &whole).done();
    let settings = |run: &str| bench.read(&format!("{run}/config.toml"));
    let resume = |run: &str, more: &[&str]| bench.run([&["train", "--quiet", "--resume", run], more].concat());
    // of a run that ended, one method is taken away again
    let mut server = bench.server("127.0.0.1:0", &[]);
    let old = server.address.clone();
    bench.trained("run", &[&whole[..], &["--chip-address", &old]].concat()).done();
    server.process.kill().unwrap();
    server.process.wait().unwrap();
    std::fs::remove_file(bench.path("run/spsa.safetensors")).unwrap();
    resume("run", &[]).refused(1, &["nobody answers there"]);

    let another = bench.server("127.0.0.1:0", &["--chip-seed", "9"]);
    resume("run", &["--chip-address", &another.address]).refused(1, &["it holds another chip", &another.address]);
    assert!(settings("run").contains(&old), "another chip changed the settings");

    let server = bench.server("127.0.0.1:0", &[]);
    let said = resume("run", &["--chip-address", &server.address, "--chip-timeout", "7"]).done().stderr;
    let noted = format!("note: the chip was reached as {old} before and is as {} from here on", server.address);
    assert!(said.contains(&noted), "{said}");
    assert_eq!(bench.numbers("run", &["at", "spsa"]), bench.numbers("inside", &["at", "spsa"]));
    let now = settings("run");
    assert!(now.contains(&server.address) && !now.contains(&old) && now.contains("chip-timeout = 7"), "{now}");
    let said = resume("run", &["--chip-park", "zero"]).done().stderr;
    assert!(!said.contains("was reached as"), "{said}");

    std::fs::remove_file(bench.path("run/spsa.safetensors")).unwrap();
    let command = format!("'{}' chip serve --quiet {CHIP}", asyt());
    resume("run", &["--chip-command", &command]).done();
    assert_eq!(bench.numbers("run", &["at", "spsa"]), bench.numbers("inside", &["at", "spsa"]));
    let now = settings("run");
    assert!(now.contains("chip serve --quiet") && !now.contains("chip-address") && now.contains("chip-park"), "{now}");

    let simulated = ["the chip of inside is simulated", "--chip-address", "drop them"];
    resume("inside", &["--chip-address", &server.address]).refused(2, &simulated);
    resume("run", &["--epochs", "9"]).refused(2, &["continues a run with its own settings"]);
}

#[test]
fn what_does_not_go_together_with_a_chip_from_outside_is_refused_by_name() {
    let bench = Bench::new();
    let command = format!("'{}' chip serve --quiet --access output {CHIP}", asyt());
    let outside = ["--chip-command", &command];
    let cases: [(&[&str], i32, &[&str]); 11] = [
        (&["--method", "ideal"], 2, &["ideal on simulated mesh 1", "only a simulator knows"]),
        (&["--method", "at,in-situ"], 2, &["in-situ on simulated mesh 1", "outputs, taps and layers"]),
        (&["--method", "pat"], 2, &["pat on simulated mesh 1", "offers output, and not layers"]),
        (&["--method", "at", "--network", "mesh:4x3"], 2, &["it has 32 controls, the network 48"]),
        (&["--method", "at", "--chip-address", "127.0.0.1:1"], 2, &["--chip-address"]),
        (&["--method", "at", "--save-chip", "c.npz"], 2, &["save-chip", "comes from outside"]),
        (&["--method", "at", "--share-model", "2"], 2, &["share-model", "one comes from outside"]),
        (&["--method", "at", "--phase", "0.3"], 2, &["comes from outside", "phase 0.3 would change nothing"]),
        (&["--method", "at", "--chip-park", "nowhere.npy"], 1, &["chip-park", "nowhere.npy", "no file"]),
        (&["--method", "at", "--chip-timeout", "0"], 1, &["chip-timeout = 0", "seconds"]),
        (&["--method", "at", "--digital-step", "as-published"], 2, &["as-published", "choose matched"]),
    ];
    for (index, (more, code, parts)) in cases.into_iter().enumerate() {
        let out = format!("out-{index}");
        let ended = bench.trained(&out, &[&outside[..], more].concat());
        let usage_of_clap = ended.stderr.contains("cannot be used with");
        if !usage_of_clap {
            ended.refused(code, parts);
        }
        assert!(!bench.path(&out).exists(), "{more:?} left a folder");
    }
    bench.write("three.npy", npy(&[0.0; 3]));
    let ended = bench.trained("three", &[&outside[..], &["--method", "at", "--chip-park", "three.npy"]].concat());
    ended.refused(1, &["chip-park", "32", "3"]);
    assert!(!bench.path("three").exists(), "a chip that cannot be parked there left a folder");
    let default = bench.trained("default", &outside).done();
    assert!(!default.stdout.contains("ideal"), "{}", default.stdout);
    for mute in ["--chip-command ''", "--chip-command '\"open'"] {
        let words = shlex::split(mute).unwrap();
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        bench.trained("mute", &words).refused(1, &["chip-command", "no command line"]);
    }
}

/// An array as NumPy keeps it.
fn npy(values: &[f64]) -> Vec<u8> {
    let mut bytes = Vec::new();
    ndarray::Array1::from(values.to_vec()).write_npy(&mut bytes).unwrap();
    bytes
}

#[test]
fn a_look_at_a_served_chip_names_its_dead_shifters_and_its_noise() {
    let bench = Bench::new();
    let look = |more: &str| {
        let command = format!("'{}' chip serve --quiet {CHIP} {more}", asyt());
        bench
            .run(["chip", "check", "--quiet", "--json", "--picture", "look.svg", "--chip-command", &command])
            .done()
            .stdout
    };
    let found = |more: &str| serde_json::from_str::<serde_json::Value>(&look(more)).unwrap()["found"].clone();
    let silent = |found: &serde_json::Value| -> Vec<u64> {
        found["silent"].as_array().unwrap().iter().map(|value| value.as_u64().unwrap()).collect()
    };
    let calm = found("");
    assert_eq!(silent(&calm), [28, 29, 30, 31], "only the phases in front of the detectors are not seen");
    assert_eq!(calm["noise"], 0.0);
    let noisy = found("--thermal-noise 0.001 --dead-shifters 0.2 --chip-seed 3");
    let noise = noisy["absolute-noise"].as_f64().unwrap();
    assert!((0.0008..0.0012).contains(&noise), "{noise}");
    // with noise all that are dead are named, and of the others only what answers less than noise lets one see
    let still = found("--dead-shifters 0.2 --chip-seed 3");
    let (dead, least) = (silent(&still), noisy["least-response"].as_f64().unwrap());
    assert!(dead.len() >= 6 && dead.iter().all(|control| silent(&noisy).contains(control)), "{dead:?}: {noisy}");
    for control in silent(&noisy) {
        let response = still["responses"][control as usize][1].as_f64().unwrap();
        assert!(response < 1.5 * least && least < 0.05, "{control}: {response}, {least}");
    }
    let layered = |more: &str| {
        let served = format!(
            "'{}' chip serve --quiet --network mesh:8x2 --dataset iris --chip mesh --chip-seed 2 {more}",
            asyt()
        );
        let words = ["chip", "check", "--quiet", "--json", "--chip-command", &served];
        serde_json::from_str::<serde_json::Value>(&bench.run(words).done().stdout).unwrap()["found"].clone()
    };
    let (still, noisy) = (layered("--dead-shifters 0.03"), layered("--dead-shifters 0.03 --thermal-noise 0.001"));
    assert!(silent(&still).len() >= 10 && silent(&still) == silent(&noisy), "{still} {noisy}");
    assert!(noisy["noise"].as_f64().unwrap() < 0.1 * noisy["signal"].as_f64().unwrap(), "{noisy}");
    // light that the noise hides is said to be that
    let hidden = format!("'{}' chip serve --quiet {CHIP} --thermal-noise 1", asyt());
    // lines keep to the width of a terminal; here they are one again
    let words = |stdout: String| {
        assert!(stdout.lines().all(|line| line.chars().count() <= 80), "{stdout}");
        stdout.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let said =
        words(bench.run(["chip", "check", "--quiet", "--input-power", "0.1", "--chip-command", &hidden]).done().stdout);
    assert!(said.contains("more than the signal") && said.contains("which noise hides"), "{said}");
    assert!(bench.read("look.svg").starts_with("<svg"));
    let command = format!("'{}' chip serve --quiet {CHIP}", asyt());
    let said = words(bench.run(["chip", "check", "--quiet", "--chip-command", &command]).done().stdout);
    let words = ["32 controls (rad, any value)", "4 complex inputs", "move nothing that is seen: 28, 29, 30, 31"];
    assert!(words.iter().all(|part| said.contains(part)), "{said}");
    bench
        .run(["chip", "check", "--picture", "look.gif", "--quiet", "--chip-command", &command])
        .refused(1, &["look.gif", "a pdf"]);
    bench.run(["chip", "check", "--quiet"]).code.filter(|&code| code == 2).unwrap();
}

/// A chip that tells what is written to it; it reads what would train for ever.
struct Told {
    tell: std::sync::mpsc::Sender<Vec<f32>>,
}

impl Driven for Told {
    fn description(&self) -> Description {
        Description {
            protocol: 1,
            name: "told".to_string(),
            controls: 32,
            unit: "rad".to_string(),
            limits: Limits::All([-1.0, 7.0]),
            period: None,
            inputs: 8,
            complex: true,
            outputs: 4,
            layers: Vec::new(),
            largest_batch: 1000,
            settle_ms: 0.0,
            access: vec![Access::Output],
        }
    }

    fn program(&mut self, controls: &[f32], _counted: bool) -> at_core::Result<()> {
        let _ = self.tell.send(controls.to_vec());
        Ok(())
    }

    fn send(&mut self, fields: &[f32], batch: usize, _counted: bool) -> at_core::Result<Vec<f32>> {
        thread::sleep(Duration::from_millis(5));
        let power = |field: &[f32]| field.iter().map(|value| value * value).sum::<f32>();
        assert_eq!(fields.len(), 8 * batch);
        Ok(fields.chunks(2).map(power).collect())
    }
}

/// Where it listens, and what was written.
fn told() -> (String, Receiver<Vec<f32>>) {
    let (tell, told) = channel();
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let (from, to) = (stream.try_clone().unwrap(), stream);
        serve(&mut BufReader::new(from), &mut BufWriter::new(to), &mut Told { tell }).unwrap();
    });
    (address, told)
}

#[cfg(unix)]
#[test]
fn ctrl_c_leaves_a_chip_where_it_is_to_be_parked() {
    for (park, expected) in [(&["--chip-park", "zero"][..], Some(0.0)), (&[], None)] {
        let bench = Bench::new();
        let (address, told) = told();
        let more = [&["--method", "spsa", "--epochs", "100000", "--chip-address", &address], park].concat();
        let mut process = bench.asyt(training("run", &more)).stderr(Stdio::null()).spawn().unwrap();
        let begun = || bench.path("run/spsa.safetensors").exists();
        while !begun() {
            assert!(process.try_wait().unwrap().is_none(), "it ended before it was asked to");
            thread::sleep(Duration::from_millis(5));
        }
        let id = process.id().to_string();
        assert!(std::process::Command::new("kill").args(["-INT", &id]).status().unwrap().success());
        assert!(!process.wait().unwrap().success());
        let last = told.iter().last().unwrap(); // the driver has ended with its link
        match expected {
            Some(value) => assert_eq!(last, vec![value; 32]),
            None => assert!(last.iter().any(|&control| control != 0.0)),
        }
    }
}
