//! Numbers that a person can type and no machine can do: what does not fit, and what cannot end.

use crate::asyt::{Bench, Ended};

/// Arguments, and what the message is about: the number, and what to lower.
const TOO_LARGE: &[(&[&str], &[&str])] = &[
    (
        &["train", "--share-model", "10000000", "--method", "at"],
        &["GB", "chips that share a model", "--share-model up to "],
    ),
    (
        &["train", "--network", "mesh:64x3", "--chip", "mesh", "--encoding", "fourier-crop:8", "--method", "dat"],
        &["EB", "error-prediction networks", "--dat-maps"],
    ),
    (&["train", "--network", "bank:in-9999999-9999999-out"], &["PB", "--network"]),
    (&["compare", "--chips", "1000000", "--epochs", "100000"], &["TB", "results of all cells", "--chips up to "]),
    (&["sweep", "--vary", "seed=1,2", "--epochs", "1000000000"], &["TB", "results of all cells", "--epochs up to "]),
    (&["scale", "--modes", "1000000", "--engine", "cpu"], &["TB", "--modes"]),
];

#[test]
fn what_does_not_fit_is_refused_with_its_size_and_what_would() {
    let bench = Bench::new();
    for (arguments, parts) in TOO_LARGE {
        println!("{arguments:?}");
        let maps = ["--dat-maps", "100000000000,1,1"].into_iter().filter(|_| arguments.contains(&"dat"));
        bench.run(arguments.iter().copied().chain(maps).chain(["--quiet"])).refused(2, parts);
    }
    assert!(!bench.path("runs").exists());
}

/// Arguments, and what the message is about: how long, and what to lower.
const ENDLESS: &[(&[&str], &[&str])] = &[
    (&["train", "--epochs", "9000000000000000000"], &["years", "epochs = 9000000000000000000", "at most "]),
    (&["train", "--method", "spsa", "--probe-draws", "1000000000000"], &["years", "probe-draws = 1000000000000"]),
    (&["train", "--method", "zeroth-order", "--probe-draws", "100000000000000"], &["years", "probe-draws"]),
    (&["compare", "--chips", "1000", "--epochs", "90000000000", "--method", "at"], &["years", "epochs = 90000000000"]),
    (&["sweep", "--vary", "seed=1,2", "--epochs", "9000000000000"], &["years", "epochs"]),
    (&["scale", "--engine", "cpu", "--modes", "8", "--repeats", "9000000000000000000"], &["years", "repeats = 9"]),
    (&["scale", "--engine", "cpu", "--modes", "8", "--warm-up", "9000000000000000000"], &["years", "warm-up = 9"]),
];

#[test]
fn what_cannot_end_in_a_year_is_refused_with_the_number_to_lower() {
    let bench = Bench::new();
    for (arguments, parts) in ENDLESS {
        println!("{arguments:?}");
        bench.run(arguments.iter().copied().chain(["--quiet"])).refused(2, parts);
    }
    assert!(!bench.path("runs").exists());
}

#[test]
fn a_grid_beyond_all_measure_is_refused_with_its_points() {
    let bench = Bench::new();
    let many = |name: &str| {
        (1..=400).map(|k| k.to_string()).collect::<Vec<_>>().join(",").replacen("", &format!("{name}="), 1)
    };
    let (seeds, epochs) = (many("seed"), many("epochs"));
    bench.run(["sweep", "--vary", &seeds, "--vary", &epochs, "--quiet"]).refused(2, &["160000 points", "--vary"]);
}

#[test]
fn more_coordinates_than_there_are_controls_are_all_of_them_and_that_is_noted() {
    let bench = Bench::new();
    let run = |subset: &str, out: &str| {
        bench
            .train(&["--method", "coordinate", "--coordinate-subset", subset, "--epochs", "1", "--out", out, "--quiet"])
            .done()
    };
    let absurd = run("1000000000000", "absurd");
    assert!(
        absurd.stderr.contains("note: coordinate-subset = 1000000000000, but there are 650 controls"),
        "{absurd:?}"
    );
    assert!(!run("650", "all").stderr.contains("coordinate-subset"));
    let controls = |run: &str| {
        bench.read(&format!("{run}/metrics.csv")).lines().nth(1).unwrap().rsplit_once(',').unwrap().0.to_string()
    };
    assert_eq!(controls("absurd"), controls("all"));
}

/// What takes long, but not for ever, begins, and says so first.
#[test]
fn work_of_more_than_a_day_is_said_before_it_begins() {
    let bench = Bench::new();
    let train: &[&str] = &["train", "--network", "bank:in-out", "--epochs", "30000000000", "--out", "long", "--quiet"];
    let scale: &[&str] = &["scale", "--engine", "cpu", "--modes", "64", "--repeats", "2000000000", "--quiet"];
    // far below the bound of all computers, and within one step, so that no pace of steps tells it
    let draws: &[&str] =
        &["train", "--method", "spsa", "--probe-draws", "4000000", "--out", "draws", "--quiet", "--engine", "cpu"];
    for arguments in [train, scale, draws] {
        let mut child = bench.asyt(arguments.iter().copied()).stderr(std::process::Stdio::piped()).spawn().unwrap();
        let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(line.starts_with("note: this takes about "), "{line}");
        assert!(line.contains("days") || line.contains("years"), "{line}");
    }
}

/// The program in an address space of so many kilobytes, and in as few threads as it can be.
#[cfg(target_os = "linux")]
fn bounded(bench: &Bench, arguments: &[&str], kilobytes: usize) -> Ended {
    let script = format!("ulimit -v {kilobytes} && exec \"$0\" \"$@\"");
    let mut command = bench.command("sh");
    command.args(["-c", &script]).arg(assert_cmd::cargo::cargo_bin!("asyt")).args(arguments);
    command.envs([("RAYON_NUM_THREADS", "2"), ("MALLOC_ARENA_MAX", "2")]);
    Ended::new(command.output().unwrap())
}

#[cfg(target_os = "linux")]
#[test]
fn a_limit_of_the_process_is_what_there_is() {
    let bench = Bench::new();
    let wide = ["train", "--engine", "cpu", "--quiet", "--method"];
    let cases: [(&[&str], &[&str]); 5] = [
        (&["at", "--network", "bank:in-10000-10000-out"], &["GB", "--network"]),
        (
            &["at", "--network", "mesh:64x1,depth=1000000", "--chip", "mesh", "--encoding", "fourier-crop:8"],
            &["GB", "--network"],
        ),
        (
            &["spsa", "--network", "matrix:in-100000-out", "--chip", "demo", "--batch-size", "1400"],
            &["batch", "--batch-size up to "],
        ),
        (
            &["at", "--network", "tiles:64x64/16,depth=1000000", "--chip", "mesh", "--encoding", "fourier-crop:8"],
            &["GB", "--network"],
        ),
        (
            &[
                "ffm",
                "--network",
                "mesh:64x20",
                "--chip",
                "mesh",
                "--encoding",
                "fourier-crop:8",
                "--batch-size",
                "1400",
            ],
            &["ffm", "--batch-size up to "],
        ),
    ];
    for (arguments, parts) in cases {
        println!("{arguments:?}");
        let all: Vec<&str> = wide.iter().chain(arguments).copied().collect();
        bounded(&bench, &all, 900_000).refused(2, parts);
    }
    assert!(!bench.path("runs").exists());
}

/// An npy file of zeros of which most is a hole, or of the identity as booleans.
fn square(bench: &Bench, name: &str, modes: usize, identity: bool) {
    let kind = if identity { "|b1" } else { "<c16" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': ({modes}, {modes}), }}");
    let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
    bytes.extend((header.len() as u16 + 1).to_le_bytes());
    bytes.extend(header.into_bytes());
    bytes.push(b'\n');
    let whole = bytes.len() + modes * modes * if identity { 1 } else { 16 };
    if identity {
        bytes.extend((0..modes * modes).map(|at| u8::from(at / modes == at % modes)));
    }
    bench.write(name, "");
    let file = std::fs::File::options().write(true).open(bench.path(name)).unwrap();
    std::io::Write::write_all(&mut &file, &bytes).unwrap();
    file.set_len(whole as u64).unwrap();
}

#[cfg(target_os = "linux")]
#[test]
fn a_matrix_that_does_not_fit_is_refused_before_it_is_read_or_multiplied() {
    use at_core::files::phase_file::{ProgrammedMesh, write_phases};
    use at_core::optics::{Convention, Mesh};
    let bench = Bench::new();
    square(&bench, "U.npy", 5000, false);
    square(&bench, "I.npy", 6000, true);
    let mesh = Mesh::truncated(20_000, 1).unwrap();
    let controls = vec![0.0; mesh.controls()];
    write_phases(&bench.path("wide.npz"), Convention::Native, &[ProgrammedMesh { mesh, controls }]).unwrap();
    let decompose = |file| ["mesh", "decompose", file, "--out", "F.npz"];
    // a file that fits is read, and what follows is refused
    let cases: [(usize, &[&str], &[&str]); 4] = [
        (700_000, &decompose("U.npy"), &["U.npy", "800.0 MB", "the file and what is in it"]),
        (1_100_000, &decompose("U.npy"), &["U.npy", "1.4 GB", "the matrices"]),
        (900_000, &decompose("I.npy"), &["I.npy", "2.0 GB", "the matrices"]),
        (900_000, &["mesh", "matrix", "wide.npz", "--out", "U.npy"], &["12.8 GB", "run it where more is free"]),
    ];
    for (limit, arguments, parts) in cases {
        println!("{arguments:?} with {limit} kB");
        bounded(&bench, arguments, limit).refused(2, parts);
        assert!(!bench.path("F.npz").exists());
    }
}

#[test]
fn a_decomposition_that_takes_long_says_how_long() {
    let bench = Bench::new();
    square(&bench, "I.npy", 2500, true);
    let arguments = ["mesh", "decompose", "I.npy", "--out", "F.npz"];
    let mut child = bench.asyt(arguments).stderr(std::process::Stdio::piped()).spawn().unwrap();
    let mut line = String::new();
    let mut stderr = std::io::BufReader::new(child.stderr.take().unwrap());
    std::io::BufRead::read_line(&mut stderr, &mut line).unwrap();
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(
        line.starts_with("decomposing a matrix of 2500 modes, about ") && line.contains(" or more in all"),
        "{line}"
    );
}

/// No estimate knows everything; what is beyond it is one line, and neither an abort nor a panic.
#[cfg(target_os = "linux")]
#[test]
fn memory_that_the_system_refuses_ends_the_program_with_one_line_and_a_way_on() {
    let bench = Bench::new();
    // the directions that this method guesses are not counted
    let arguments = ["train", "--engine", "cpu", "--quiet", "--method", "guided", "--network", "bank:in-20000-out"];
    let rest = ["--epochs", "1", "--train-limit", "100", "--test-limit", "50", "--optimizer", "adam"];
    let all: Vec<&str> = arguments.into_iter().chain(rest).collect();
    // what the program itself takes
    let tiny = ["train", "--engine", "cpu", "--quiet", "--epochs", "1", "--out", "tiny"];
    let mut limit = 100_000;
    while bounded(&bench, &[&tiny[..], &crate::asyt::TINY].concat(), limit).code != Some(0) {
        let _ = std::fs::remove_dir_all(bench.path("tiny"));
        limit += 50_000;
        assert!(limit < 2_000_000, "the program takes {limit} kB for nothing");
    }
    let (mut refused, mut ran_out) = (0, 0);
    loop {
        let ended = bounded(&bench, &all, limit);
        match ended.code {
            Some(0) => break,
            Some(2) => refused += 1,
            _ => {
                assert_eq!(ended.code, Some(1), "{ended:#?}");
                // once the results are there, with their notes, only pictures are lost
                let finished = !ended.stdout.is_empty();
                let said = if finished { ended.beside_notes() } else { ended.stderr.clone() };
                assert!(said.starts_with("error: memory ran out: "), "{ended:#?}");
                assert_eq!(said.lines().count(), 1, "{ended:#?}");
                assert_eq!(said.contains("draws the pictures"), finished, "{ended:#?}");
                ran_out += usize::from(ended.stderr.contains("asyt train --resume runs/digits-"));
            }
        }
        limit += 20_000;
        assert!(limit < 4_000_000, "{ended:#?}");
    }
    assert!(refused > 0, "the estimate refused nothing");
    assert!(ran_out > 0, "memory never ran out");
}
