//! The program on several ranks, started by `mpirun`: the numbers of one rank, the same bits each time, and an end that loses nothing.
//! Skipped where there is no `mpirun`, unless `AT_REQUIRE_MPI` is set.

#[path = "program/asyt.rs"]
#[allow(dead_code, reason = "tests of one process need more")]
mod asyt;

use asyt::{Bench, Ended};
use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

/// A few steps on the default chip and on one with noise and a model that learns from it.
const TASK: [&str; 12] = [
    "train",
    "--train-limit",
    "130",
    "--test-limit",
    "50",
    "--epochs",
    "3",
    "--batch-size",
    "30",
    "--quiet",
    "--figures",
    "svg",
];

/// Whether there is an `mpirun`. Says that a test is skipped; errs where it must not be.
fn there_is_mpi() -> bool {
    let found = Command::new("mpirun").arg("--version").output().is_ok_and(|ended| ended.status.success());
    assert!(found || std::env::var_os("AT_REQUIRE_MPI").is_none(), "there is no mpirun, and AT_REQUIRE_MPI is set");
    if !found {
        eprintln!("skipped: there is no mpirun");
    }
    found
}

/// `mpirun -n RANKS asyt ARGUMENTS`, with more ranks than cores where need be.
fn mpirun<'a>(bench: &Bench, ranks: usize, arguments: impl IntoIterator<Item = &'a str>) -> Command {
    let mut command = bench.command("mpirun");
    command.args(["-n", &ranks.to_string()]).arg(assert_cmd::cargo::cargo_bin!("asyt")).args(arguments);
    with_settings(&mut command);
    command
}

fn with_settings(command: &mut Command) {
    let of_open_mpi = ["OMPI_ALLOW_RUN_AS_ROOT", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM", "OMPI_MCA_rmaps_base_oversubscribe"];
    of_open_mpi.iter().for_each(|name| {
        command.env(name, "1");
    });
    command.env("PRTE_MCA_rmaps_default_mapping_policy", ":oversubscribe");
}

fn run<'a>(bench: &Bench, ranks: usize, arguments: impl IntoIterator<Item = &'a str>) -> Ended {
    Ended::new(mpirun(bench, ranks, arguments).output().unwrap())
}

/// The lines of `metrics.csv` without their times.
fn metrics(bench: &Bench, run: &str) -> Vec<String> {
    let text = bench.read(&format!("{run}/metrics.csv"));
    text.lines().map(|line| line.rsplit_once(',').unwrap().0.to_string()).collect()
}

/// Everything of a run that must be the same bits each time.
fn bits(bench: &Bench, run: &str, methods: &[&str]) -> (Vec<String>, Vec<Vec<u8>>) {
    let checkpoint = |method: &&str| std::fs::read(bench.path(&format!("{run}/{method}.safetensors"))).unwrap();
    (metrics(bench, run), methods.iter().map(checkpoint).collect())
}

/// Field by field the same words, and numbers that differ by `tolerance` of their size at most.
#[track_caller]
fn assert_near(one: &[String], other: &[String], tolerance: f64) {
    assert_eq!(one.len(), other.len(), "{one:?} {other:?}");
    for (one, other) in one.iter().zip(other) {
        assert_eq!(one.split(',').count(), other.split(',').count(), "{one} and {other}");
        for (a, b) in one.split(',').zip(other.split(',')) {
            let same = match (a.parse::<f64>(), b.parse::<f64>()) {
                (Ok(a), Ok(b)) => (a - b).abs() <= tolerance * (1.0 + a.abs()),
                (Ok(_), Err(_)) | (Err(_), Ok(_)) | (Err(_), Err(_)) => a == b,
            };
            assert!(same, "{a} and {b} in\n{one}\n{other}");
        }
    }
}

#[test]
fn two_and_four_ranks_train_as_one_does_and_repeat_themselves_bit_for_bit() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let cases: [&[&str]; 2] = [
        &["--engine", "cpu", "--precision", "f64"],
        &[
            "--engine",
            "cpu",
            "--precision",
            "f64",
            "--encoding",
            "fourier-crop:4",
            "--network",
            "mesh:16x2",
            "--laser-noise",
            "0.01",
            "--drift-step",
            "0.001",
        ],
    ];
    for (case, more) in cases.into_iter().enumerate() {
        let arguments = |out: &'static str| {
            TASK.iter().chain(more).copied().chain(["--method", "at,at-adaptive,ideal", "--out", out])
        };
        let methods = ["at", "at-adaptive", "ideal"];
        let [one, again, two, four] = [["one0", "again0", "two0", "four0"], ["one1", "again1", "two1", "four1"]][case];
        bench.run(arguments(one)).done();
        let ended = run(&bench, 2, arguments(two)).done();
        assert_eq!(ended.stdout.matches("misfit: how far").count(), 1, "more than one rank prints: {ended:#?}");
        run(&bench, 4, arguments(four)).done();
        assert_near(&metrics(&bench, one), &metrics(&bench, two), 1e-6);
        assert_near(&metrics(&bench, one), &metrics(&bench, four), 1e-6);
        run(&bench, 2, arguments(again)).done();
        assert_eq!(bits(&bench, again, &methods), bits(&bench, two, &methods));
        assert_ne!(bits(&bench, four, &methods).1, bits(&bench, two, &methods).1, "four ranks add up as two do");
        let summary: serde_json::Value = serde_json::from_str(&bench.read(&format!("{two}/summary.json"))).unwrap();
        assert!(summary["results"][0]["engine"].as_str().unwrap().contains("on each of 2 ranks"), "{summary}");
    }
}

#[test]
fn two_and_four_ranks_train_on_a_gpu_as_one_does() {
    if !there_is_mpi() || at_gpu::testing::require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let arguments = |out: &'static str| {
        let gpu = [
            "--engine",
            "gpu",
            "--adapter",
            "any",
            "--encoding",
            "fourier-crop:4",
            "--network",
            "mesh:16x2",
            "--method",
            "at-adaptive,ideal",
            "--out",
            out,
        ];
        TASK.into_iter().chain(gpu)
    };
    bench.run(arguments("one")).done();
    several_are_as_one_and_repeat_themselves(&bench, &["at-adaptive", "ideal"], arguments);
}

/// Two and four ranks on a GPU each train twice, to the same bits, and to the numbers of the run `one`.
#[track_caller]
fn several_are_as_one_and_repeat_themselves<I: Iterator<Item = &'static str>>(
    bench: &Bench,
    methods: &[&str],
    arguments: impl Fn(&'static str) -> I,
) {
    for (ranks, first, again) in [(2, "two", "two-again"), (4, "four", "four-again")] {
        run(bench, ranks, arguments(first)).done();
        run(bench, ranks, arguments(again)).done();
        assert_near(&metrics(bench, "one"), &metrics(bench, first), 1e-3);
        assert_eq!(bits(bench, first, methods), bits(bench, again, methods), "{ranks} ranks");
    }
}

/// The process of rank `rank` below the `mpirun` of this number.
#[cfg(target_os = "linux")]
fn process_of(mpirun: u32, rank: usize) -> Option<u32> {
    let own = format!("OMPI_COMM_WORLD_RANK={rank}");
    let is_it = |pid: &u32| {
        let read = |file: &str| std::fs::read(format!("/proc/{pid}/{file}")).unwrap_or_default();
        let environment = String::from_utf8_lossy(&read("environ")).into_owned();
        let parent = String::from_utf8_lossy(&read("stat"))
            .rsplit(')')
            .next()
            .unwrap_or_default()
            .split_whitespace()
            .nth(1)
            .map(str::to_string);
        environment.split('\0').any(|entry| entry == own) && parent == Some(mpirun.to_string())
    };
    let processes =
        std::fs::read_dir("/proc").unwrap().filter_map(|entry| entry.unwrap().file_name().to_str()?.parse().ok());
    processes.collect::<Vec<u32>>().into_iter().find(is_it)
}

#[cfg(target_os = "linux")]
#[test]
fn kill_9_of_one_rank_ends_all_and_the_run_goes_on_to_the_same_bits_on_as_many() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let arguments = |out: &'static str| {
        let long = [
            "--network",
            "bank:in-64-out",
            "--epochs",
            "60",
            "--engine",
            "cpu",
            "--method",
            "at,ideal",
            "--optimizer",
            "adam",
        ];
        let data = ["train", "--train-limit", "600", "--test-limit", "50", "--batch-size", "20", "--out", out];
        data.into_iter().chain(long)
    };
    run(&bench, 2, arguments("whole")).done();
    let mut child = mpirun(&bench, 2, arguments("cut")).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let mut stderr = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("epoch 1/60") {
        assert_ne!(stderr.read_line(&mut said).unwrap(), 0, "{said}");
    }
    let victim = process_of(child.id(), 1);
    let victim = victim.unwrap_or_else(|| panic!("there is no rank 1 below mpirun {}", child.id()));
    assert!(Command::new("sh").args(["-c", &format!("kill -9 {victim}")]).status().unwrap().success());
    assert!(!child.wait().unwrap().success());
    stderr.read_to_string(&mut said).unwrap();
    assert!(said.contains("rank 1"), "{said}");
    assert_eq!(said.matches("error: ").count(), 1, "{said}");
    assert!(said.contains("continue with: asyt train --resume"), "{said}");
    assert!(!bench.path("cut/summary.json").exists(), "the kill came too late: {said}");

    // on one rank or on three it is another run
    let alone = bench.run(["train", "--resume", "cut", "--quiet"]);
    alone.refused(1, &["ranks = 1", "begun on 2"]);
    let three = run(&bench, 3, ["train", "--resume", "cut", "--quiet"]);
    assert!(three.code != Some(0) && three.stderr.contains("ranks = 3"), "{three:#?}");
    assert_eq!(three.stderr.matches("error: ").count(), 1, "{three:#?}");
    run(&bench, 2, ["train", "--resume", "cut", "--quiet"]).done();
    assert_eq!(bits(&bench, "cut", &["at", "ideal"]), bits(&bench, "whole", &["at", "ideal"]));
}

#[test]
fn what_ranks_cannot_share_is_refused_once_and_a_rank_that_fails_alone_is_named() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let refused = |arguments: &[&str], parts: &[&str]| {
        let ended = run(&bench, 2, arguments.iter().copied());
        assert!(ended.code != Some(0) && ended.stderr.matches("error: ").count() == 1, "{arguments:?}: {ended:#?}");
        assert!(parts.iter().all(|part| ended.stderr.contains(part)), "{arguments:?}: {ended:#?}");
    };
    refused(&["devices"], &["asyt devices is nothing that 2 ranks share"]);
    refused(&["train", "--epochs", "0"], &["epochs = 0"]);
    refused(
        &["train", "--network", "mesh:4", "--dataset", "iris", "--chip-command", "true"],
        &["a chip from outside is one"],
    );
    assert!(bench.entries(".").is_empty(), "something was written: {:?}", bench.entries("."));

    // rank 1 starts in a folder where the data are others
    let line = |k: usize, by: f64| format!("{},{},{}\n", (k as f64 * by).sin(), (k as f64).cos(), k % 2);
    for (folder, by) in [("first", 1.0), ("second", 2.0)] {
        bench.write(&format!("{folder}/own.csv"), (0..40).map(|k| line(k, by)).collect::<String>());
    }
    bench.write("third/empty", "");
    for (place, part) in [("second", "every machine must see the same files"), ("third", "own.csv")] {
        let mut command = bench.command("mpirun");
        let asyt = assert_cmd::cargo::cargo_bin!("asyt");
        let train = [
            "train",
            "--dataset",
            "own.csv",
            "--network",
            "mesh:2",
            "--method",
            "ideal",
            "--epochs",
            "2",
            "--batch-size",
            "8",
            "--quiet",
            "--engine",
            "cpu",
        ];
        command.args(["-n", "1", "-wdir"]).arg(bench.path("first")).arg(asyt).args(train);
        command.args([":", "-n", "1", "-wdir"]).arg(bench.path(place)).arg(asyt).args(train);
        with_settings(&mut command);
        let ended = Ended::new(command.output().unwrap());
        assert!(
            ended.code != Some(0) && ended.stderr.contains("error: rank 1: ") && ended.stderr.contains(part),
            "{place}: {ended:#?}"
        );
    }
}

#[test]
fn cells_are_dealt_out_to_ranks_and_give_what_one_gives() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let few = [
        "--train-limit",
        "100",
        "--test-limit",
        "50",
        "--network",
        "bank:in-out",
        "--epochs",
        "2",
        "--batch-size",
        "20",
        "--quiet",
        "--engine",
        "cpu",
    ];
    let compare =
        |out: &'static str| ["compare", "--chips", "3", "--method", "at,ideal", "--out", out].into_iter().chain(few);
    bench.run(compare("one")).done();
    run(&bench, 2, compare("two")).done();
    assert_eq!(bench.read("one/epochs.csv"), bench.read("two/epochs.csv"));
    assert_eq!(bench.entries("one/cells"), bench.entries("two/cells"));
    let sweep = |out: &'static str| {
        ["sweep", "--vary", "seed=1,2", "--chips", "1", "--method", "at", "--out", out].into_iter().chain(few)
    };
    bench.run(sweep("alone")).done();
    let ended = run(&bench, 3, sweep("three")).done();
    assert_eq!(bench.read("alone/epochs.csv"), bench.read("three/epochs.csv"), "{ended:#?}");
    // what is done is not done again
    run(&bench, 2, ["sweep", "--resume", "three", "--quiet"]).done();
}

/// Two tiled layers on iris: singular values in 2 × 2 tiles of 2 modes.
const TILES: [&str; 18] = [
    "train",
    "--dataset",
    "iris",
    "--encoding",
    "raw",
    "--network",
    "svd:4x4/2x2",
    "--chip",
    "mesh",
    "--epochs",
    "3",
    "--batch-size",
    "30",
    "--share",
    "tiles",
    "--quiet",
    "--figures",
    "svg",
];

#[test]
fn tiles_are_shared_as_batches_are_and_what_was_exchanged_is_in_the_summary() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let methods = ["at", "ideal", "in-silico", "pat"];
    let arguments = |out: &'static str| {
        let more = ["--engine", "cpu", "--precision", "f64", "--method", "at,ideal,in-silico,pat", "--out", out];
        TILES.into_iter().chain(more)
    };
    let alone = arguments("one").filter(|word| !["--share", "tiles"].contains(word));
    bench.run(alone).done();
    run(&bench, 2, arguments("two")).done();
    run(&bench, 4, arguments("four")).done();
    run(&bench, 2, arguments("again")).done();
    assert_near(&metrics(&bench, "one"), &metrics(&bench, "two"), 1e-6);
    assert_near(&metrics(&bench, "one"), &metrics(&bench, "four"), 1e-6);
    assert_eq!(bits(&bench, "again", &methods), bits(&bench, "two", &methods));

    let summary =
        |run: &str| -> serde_json::Value { serde_json::from_str(&bench.read(&format!("{run}/summary.json"))).unwrap() };
    assert!(summary("one")["results"][0].get("exchange").is_none());
    let exchange = &summary("four")["results"][0]["exchange"];
    assert_eq!((exchange["ranks"].as_u64(), exchange["share"].as_str()), (Some(4), Some("tiles")), "{exchange}");
    assert!(
        exchange["values"].as_u64() > Some(1000) && exchange["exchange_seconds"].as_f64() > Some(0.0),
        "{exchange}"
    );

    // the run goes on by tiles on as many ranks, and on no others
    run(&bench, 2, ["train", "--resume", "two", "--quiet"]).done();
    assert_eq!(bits(&bench, "again", &methods), bits(&bench, "two", &methods));
    bench.run(["train", "--resume", "two", "--quiet"]).refused(2, &["--share tiles is about several ranks"]);
}

#[test]
fn tiles_are_shared_by_two_and_four_on_a_gpu_too() {
    if !there_is_mpi() || at_gpu::testing::require_gpu().is_none() {
        return;
    }
    let bench = Bench::new();
    let arguments = |out: &'static str| {
        let gpu = ["--engine", "gpu", "--adapter", "any", "--method", "at,ideal", "--out", out];
        TILES.into_iter().chain(gpu)
    };
    bench.run(arguments("one").filter(|word| !["--share", "tiles"].contains(word))).done();
    several_are_as_one_and_repeat_themselves(&bench, &["at", "ideal"], arguments);
}

#[test]
fn what_cannot_be_shared_by_tiles_is_refused() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let refused = |ranks: usize, more: &[&'static str], parts: &[&str]| {
        let ended = run(&bench, ranks, TILES.into_iter().chain(["--engine", "cpu"]).chain(more.iter().copied()));
        assert!(ended.code != Some(0) && ended.stderr.matches("error: ").count() == 1, "{more:?}: {ended:#?}");
        assert!(parts.iter().all(|part| ended.stderr.contains(part)), "{more:?}: {ended:#?}");
    };
    refused(2, &["--method", "at-adaptive"], &["at-adaptive on ranks that share tiles", "share batches"]);
    refused(2, &["--method", "in-situ"], &["in-situ", "lights single meshes"]);
    refused(5, &["--method", "at"], &["4 tiles at most", "5 ranks"]);
}

#[test]
fn ranks_measure_steps_and_sums_together() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let scale = |more: &[&'static str]| {
        let words = ["scale", "--repeats", "2", "--warm-up", "1", "--json", "--quiet"];
        let ended = run(&bench, 2, words.into_iter().chain(more.iter().copied())).done();
        serde_json::from_str::<serde_json::Value>(&ended.stdout).unwrap()
    };
    let network = ["--engine", "cpu", "--modes", "4", "--layers", "2", "--batch", "5", "--pass", "step"];
    let steps = scale(&[&network[..], &["--ranks", "1,2", "--out", "steps"]].concat());
    let [one, two] = [0, 1].map(|row| &steps["rows"][row]);
    assert!(one.get("exchange_seconds").is_none() && one.get("efficiency").is_none(), "{one}");
    assert_eq!(two["exchanged_values"].as_f64(), two["controls"].as_f64().map(|controls| 2.0 * controls));
    let [alone, together] = [one, two].map(|row| row["seconds"].as_f64().unwrap());
    assert!((two["efficiency"].as_f64().unwrap() / (alone / (2.0 * together)) - 1.0).abs() < 1e-9, "{two}");
    let sums = scale(&["--exchange", "100,1000,100000", "--out", "sums"]);
    assert_eq!((sums["ranks"][0]["ranks"].as_u64(), sums["ranks"][0]["by"].as_str()), (Some(2), Some("MPI")));
    let values: Vec<_> =
        sums["ranks"][0]["sums"].as_array().unwrap().iter().map(|sum| sum["values"].as_u64()).collect();
    assert_eq!(values, [Some(100), Some(1000), Some(100_000)]);
    let three = run(&bench, 2, ["scale", "--ranks", "3", "--quiet"]);
    assert!(three.code != Some(0) && three.stderr.contains("mpirun has started 2 ranks"), "{three:#?}");
}

#[test]
fn a_network_that_is_larger_than_the_memory_of_one_rank_trains_on_several_by_tiles() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let large = |out: &'static str| {
        let data =
            "train --dataset digits --train-limit 60 --test-limit 30 --batch-size 30 --epochs 2 --quiet --figures svg";
        let network =
            "--network svd:512x64/64 --chip mesh --engine cpu --method at --optimizer sgd --share tiles --out";
        data.split(' ').chain(network.split(' ')).chain([out])
    };
    let batches = |out: &'static str| large(out).filter(|word| !["--share", "tiles"].contains(word));
    let with = |mut command: Command| Ended::new(command.env("AT_MEMORY", MEMORY).output().unwrap());
    with(bench.asyt(batches("alone"))).refused(2, &["needs at least", "of memory"]);
    let ended = with(mpirun(&bench, 4, batches("batches")));
    assert!(ended.code != Some(0) && ended.stderr.contains("needs at least"), "{ended:#?}");
    assert!(bench.entries(".").is_empty(), "something was written: {:?}", bench.entries("."));
    with(mpirun(&bench, 4, large("tiles"))).done();
    bench.run(batches("alone")).done();
    assert_near(&metrics(&bench, "alone"), &metrics(&bench, "tiles"), 1e-3);
}

/// GB that a rank with its tiles needs, and one with all of them does not get by with.
const MEMORY: &str = "0.009";

#[cfg(target_os = "linux")]
#[test]
fn a_rank_that_runs_out_of_memory_says_its_number_and_ends_all_with_one_error() {
    if !there_is_mpi() {
        return;
    }
    let bench = Bench::new();
    let asyt = assert_cmd::cargo::cargo_bin!("asyt");
    let train = "train --engine cpu --method guided --network bank:in-20000-out --epochs 1 --train-limit 100 --test-limit 50 --batch-size 20 --optimizer adam";
    let mut said = Vec::new();
    for limit in (200_000..3_000_000).step_by(60_000) {
        let mut command = bench.command("mpirun");
        command.args(["-n", "1"]).arg(asyt).args(train.split(' ')).args([":", "-n", "1", "sh", "-c"]);
        command.arg(format!("ulimit -v {limit}; exec \"$0\" \"$@\"")).arg(asyt).args(train.split(' '));
        with_settings(&mut command);
        let ended = Ended::new(command.env("RAYON_NUM_THREADS", "2").output().unwrap());
        if ended.code == Some(0) {
            break;
        }
        said.push(ended.stderr);
    }
    let ran_out: Vec<_> = said.iter().filter(|said| said.contains("rank 1: memory ran out: ")).collect();
    assert!(!ran_out.is_empty(), "memory never ran out: {said:#?}");
    for said in ran_out {
        assert_eq!(said.matches("error: ").count(), 1, "{said}");
    }
}
