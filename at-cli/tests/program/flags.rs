//! Every flag of the commands that train or evaluate: it changes the numbers of a small run that it applies to, or is refused with a
//! reason, or concerns no numbers. The flags are those of the program's own help, so that a new one without a row is found.

use crate::asyt::{Bench, Ended};
use at_core::files::phase_file::{ProgrammedMesh, write_errors, write_phases};
use at_core::imperfections::{Acts, Imperfection, Imperfections, Part, Unit};
use at_core::optics::{Convention, Mesh as Interferometers, MeshErrors};
use ndarray::{Array1, Array2};
use ndarray_npy::NpzWriter;
use std::collections::{BTreeSet, HashMap};
use std::fs::File;

/// What a flag does, and how to see it.
#[derive(Clone, Copy)]
enum Effect {
    /// The run of the base, with the words before `|`, has other numbers with those after it.
    Changes(Base, &'static str),
    /// The same run is refused without the words after `|`, for this reason, and done with them.
    Allows(Base, &'static str, &'static str),
    /// The words are refused, for this reason.
    Refused(Base, &'static str, &'static str),
    /// No numbers follow from it, because.
    NoNumbers(&'static str),
}

/// Small runs.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Base {
    /// One weight bank, by `at`.
    Bank,
    /// A ring bank, by `at`.
    Rings,
    /// A phase-change crossbar, by `at`.
    Cells,
    /// Two matrices, by `at`.
    Matrix,
    /// A mesh, by `ideal`: what the chip has is in the numbers.
    Mesh,
    /// The same with `in-situ`, which reads detectors inside the mesh.
    Inside,
    /// A mesh by `at-adaptive`.
    Estimate,
    /// A diffractive plane, by `ideal`.
    Planes,
    /// Phases of a mesh, for `asyt evaluate`.
    Phases,
}

use Base::{Bank, Cells, Estimate, Inside, Matrix, Mesh, Phases, Planes, Rings};
use Effect::{Allows, Changes, NoNumbers, Refused};

impl Base {
    fn words(self) -> &'static str {
        match self {
            Bank => {
                "--dataset digits --train-limit 60 --test-limit 30 --network bank:in-out --batch-size 20 --method at"
            }
            Rings => {
                "--dataset digits --train-limit 60 --test-limit 30 --network rings:in-out --batch-size 20 --chip ideal --method at"
            }
            Cells => {
                "--dataset digits --train-limit 60 --test-limit 30 --network pcm:in-out --batch-size 20 --chip ideal --method at"
            }
            Matrix => {
                "--dataset digits --train-limit 60 --test-limit 30 --network matrix:in-8-out --batch-size 20 --chip ideal \
                 --method at"
            }
            Mesh => {
                "--dataset iris --encoding raw --network mesh:4x2 --train-limit 40 --batch-size 20 --chip ideal \
                 --loss-normalization none --method ideal"
            }
            Inside => {
                "--dataset iris --encoding raw --network mesh:4x2 --train-limit 40 --batch-size 20 --chip mesh \
                 --loss-db 0.5 --method in-situ"
            }
            Estimate => {
                "--dataset iris --encoding raw --network mesh:4x2 --train-limit 40 --batch-size 20 --chip mesh \
                 --method at-adaptive --measuring-steps 1"
            }
            Planes => {
                "--dataset digits --encoding amplitude-image:8x8 --network diffractive:8x8,distance=3mm --train-limit 60 \
                 --test-limit 30 --batch-size 20 --chip ideal --loss-normalization none --method ideal"
            }
            Phases => "--dataset iris --encoding raw --network mesh:4x2 --phases phases.npz",
        }
    }
}

/// The settings: flags of train, compare and sweep alike.
const SETTINGS: &[(&str, Effect)] = &[
    ("preset", Changes(Bank, "| --preset asyt-demo")),
    ("dataset", Changes(Bank, "--test-limit 20 | --dataset iris")),
    (
        "label-column",
        Changes(Bank, "--dataset four --train-limit 8 --test-limit 4 --batch-size 4 | --label-column first"),
    ),
    (
        "target-columns",
        Changes(Bank, "--dataset four --train-limit 8 --test-limit 4 --batch-size 4 | --target-columns c,d"),
    ),
    ("split", Changes(Bank, "--dataset four.csv --train-limit 8 --test-limit 2 --batch-size 4 | --split 0.8:3")),
    ("scale", Changes(Bank, "| --scale standard")),
    (
        "score",
        Changes(
            Bank,
            "--dataset four --train-limit 8 --test-limit 4 --batch-size 4 --target-columns c,d | --score mean-square-error",
        ),
    ),
    ("data-dir", NoNumbers("where the same data lie")),
    ("data-memory", NoNumbers("how much of the same data is held")),
    ("encoding", Changes(Bank, "| --encoding l2")),
    ("train-limit", Changes(Bank, "| --train-limit 40")),
    ("test-limit", Changes(Bank, "| --test-limit 20")),
    ("network", Changes(Bank, "| --network bank:in-6-out")),
    ("chip", Changes(Bank, "| --chip ideal")),
    ("chip-seed", Changes(Bank, "| --chip-seed 5")),
    ("chip-file", Changes(Bank, "| --chip-file bank.npz")),
    ("chip-errors", Changes(Mesh, "| --chip-errors errors.npz --chip-errors-convention native")),
    (
        "chip-errors-convention",
        Allows(
            Mesh,
            "--chip-errors bare-errors.npz | --chip-errors-convention neurophox",
            "does not record a convention",
        ),
    ),
    (
        "chip-of-other-network",
        Allows(Mesh, "--network mesh:4x3 --chip-file mesh.npz | --chip-of-other-network", "--chip-of-other-network"),
    ),
    ("data-sheet", Allows(Mesh, "--chip-file mesh.npz --chip mesh --loss-db 0.4 | --data-sheet", "--data-sheet")),
    ("chip-park", Refused(Bank, "| --chip-park zero", "chip-park is about a chip from outside")),
    ("chip-timeout", Refused(Bank, "| --chip-timeout 5", "chip-timeout is about a chip from outside")),
    ("method", Changes(Bank, "| --method pat")),
    ("epochs", Changes(Bank, "| --epochs 3")),
    ("batch-size", Changes(Bank, "| --batch-size 30")),
    ("learning-rate", Changes(Bank, "| --learning-rate 0.05")),
    ("schedule", Changes(Bank, "| --schedule constant")),
    ("optimizer", Changes(Bank, "| --optimizer adam")),
    ("loss", Changes(Bank, "| --loss mean-square")),
    ("loss-normalization", Changes(Mesh, "| --loss-normalization total")),
    ("loss-gain", Changes(Bank, "| --loss-gain 2")),
    ("loss-reduction", Changes(Bank, "--learning-rate 0.001 --loss-reduction mean | --loss-reduction sum")),
    ("digital-weight", Changes(Bank, "| --digital-weight 0.4")),
    ("physical-weight", Changes(Bank, "| --physical-weight 0.4")),
    ("tether", Changes(Bank, "| --tether 1")),
    ("share-model", Changes(Bank, "| --share-model 2")),
    ("digital-step", Changes(Bank, "--digital-step matched | --digital-step as-published")),
    ("digital-model", Changes(Inside, "--method at --tether 50 | --digital-model perfect")),
    ("measuring-steps", Changes(Estimate, "| --measuring-steps 2")),
    ("estimate-rate", Changes(Estimate, "| --estimate-rate 0.03")),
    ("estimate-trust", Changes(Estimate, "| --estimate-trust 1e-6")),
    ("estimate-prior", Changes(Estimate, "| --estimate-prior 0.5")),
    ("probe-draws", Changes(Bank, "--method spsa | --probe-draws 3")),
    ("probe-step", Changes(Bank, "--method spsa | --probe-step 0.1")),
    ("coordinate-subset", Changes(Bank, "--method coordinate | --coordinate-subset 4")),
    ("redraw-every", Changes(Bank, "--method noise-aware | --redraw-every 4")),
    ("dat-maps", Changes(Inside, "--method dat --dat-maps 2,2,2 --dat-warm-up 0 | --dat-maps 3,2,2")),
    ("dat-warm-up", Changes(Inside, "--method dat --dat-maps 2,2,2 --dat-warm-up 0 | --dat-warm-up 0.5")),
    ("dat-rate", Changes(Inside, "--method dat --dat-maps 2,2,2 --dat-warm-up 0 | --dat-rate 30")),
    ("dat-joint", Changes(Inside, "--method dat --dat-maps 2,2,2 --dat-warm-up 0 | --dat-joint 0")),
    ("in-situ-subtraction", Changes(Inside, "| --in-situ-subtraction toggled")),
    ("subspace-calibration", Changes(Inside, "--network svd:4x4 --method subspace | --subspace-calibration 2")),
    ("subspace-mapping", Changes(Inside, "--network svd:4x4 --method subspace | --subspace-mapping 2")),
    ("sharpness-radius", Changes(Bank, "--method sat | --sharpness-radius 2")),
    ("guide-directions", Changes(Bank, "--method guided | --guide-directions 1")),
    ("guide-share", Changes(Bank, "--method guided-model | --guide-share 0.2")),
    ("transfer-every", Changes(Bank, "--method tiki-taka --transfer-every 2 | --transfer-every 1")),
    ("transfer-rate", Changes(Bank, "--method tiki-taka --transfer-every 2 | --transfer-rate 2")),
    ("fast-decay", Changes(Bank, "--method tiki-taka --transfer-every 2 | --fast-decay 0.9")),
    ("transfer-threshold", Changes(Bank, "--method tiki-taka --transfer-every 2 | --transfer-threshold 0.05")),
    ("prepare", Changes(Bank, "--epochs 3 | --prepare in-silico:1")),
    ("tap-noise", Changes(Inside, "| --tap-noise 5")),
    ("initialization", Changes(Bank, "| --initialization normal:0.1:0.1")),
    ("start-from", Changes(Bank, "| --start-from bank/at.safetensors")),
    (
        "start-from-other-network",
        Allows(
            Matrix,
            "--start-from bank/at.safetensors --network matrix:64-10 | --start-from-other-network",
            "--start-from-other-network",
        ),
    ),
    ("seed", Changes(Bank, "| --seed 5")),
    ("engine", NoNumbers("where the same numbers are computed; their last digits are those of the engine")),
    ("precision", Changes(Bank, "| --precision f64")),
    ("adapter", Refused(Bank, "| --engine cpu --adapter 0", "--adapter chooses a GPU")),
    ("share", Refused(Bank, "| --share tiles", "--share tiles is about several ranks")),
];

/// Imperfections that show with other words than [`imperfections`] finds.
const IMPERFECTIONS: &[(&str, Effect)] = &[
    ("crossing-db", Changes(Mesh, "--network mesh:4x2,butterfly | --crossing-db 1")),
    ("loss-spread-db", Changes(Mesh, "--loss-db 1 | --loss-spread-db 0.5")),
    ("path-imbalance", Changes(Mesh, "--propagation-db-cm 20 | --path-imbalance 0.5")),
    ("amplified", Changes(Mesh, "--loss-db 1 | --amplified")),
    ("pitch", Changes(Mesh, "--crosstalk 0.1 | --pitch 300")),
    ("module", Changes(Bank, "| --module 4")),
    ("control-bits", Changes(Mesh, "--control-range 7 | --control-bits 3")),
    ("heater-quartic", Changes(Mesh, "--control-range 7 --control-bits 3 | --heater-quartic 0.3")),
    ("crosstalk", Changes(Mesh, "| --crosstalk 0.1")),
    ("crosstalk-length", Changes(Mesh, "--crosstalk 0.1 | --crosstalk-length 200")),
    ("drift-step", Changes(Mesh, "--method pat | --drift-step 0.1")),
    ("drift-common", Changes(Mesh, "--method pat | --drift-common 0.1")),
    ("drift-return", Changes(Mesh, "--method pat --drift-step 0.1 | --drift-return 0.5")),
    ("adc-range", Changes(Mesh, "--adc-bits 3 | --adc-range 0.001")),
];

/// Every imperfection of the library's table: it changes the numbers of a run whose network has the part on which it acts, by itself or
/// with the imperfection whose detail it is.
fn imperfections() -> Vec<(&'static str, Effect)> {
    let own = |name: &str| IMPERFECTIONS.iter().find(|row| row.0 == name).copied();
    let words = |imperfection: &Imperfection| {
        let name = imperfection.name;
        match imperfection.unit {
            Unit::Switch => format!("--{name}"),
            Unit::Bit | Unit::Level => format!("--{name} 3"),
            Unit::Cell | Unit::Decibel | Unit::DecibelPerCentimetre => format!("--{name} 1"),
            Unit::Micrometre => format!("--{name} 200"),
            Unit::Radian | Unit::Fraction | Unit::Signal => format!("--{name} 0.2"),
        }
    };
    let base = |acts: Acts| match acts {
        Acts::On(Part::WeightBanks) => Bank,
        Acts::On(Part::RingBanks) => Rings,
        Acts::On(Part::PhaseChange) => Cells,
        Acts::On(Part::Masks | Part::Planes) => Planes,
        Acts::On(Part::Matrices | Part::Hidden) => Matrix,
        Acts::On(Part::Meshes | Part::Crossings | Part::Shifters) | Acts::OnAll => Mesh,
        Acts::With(other) => panic!("{other} acts with others too"),
    };
    let row = |imperfection: &'static Imperfection| {
        own(imperfection.name).unwrap_or_else(|| {
            let (with, acts) = match imperfection.acts {
                Acts::With(other) => {
                    let other = Imperfections::TABLE.iter().find(|own| own.name == other).expect("a name of the table");
                    (words(other), other.acts)
                }
                acts @ (Acts::On(_) | Acts::OnAll) => (String::new(), acts),
            };
            (imperfection.name, Changes(base(acts), format!("{with} | {}", words(imperfection)).leak()))
        })
    };
    let unknown = IMPERFECTIONS.iter().find(|row| Imperfections::TABLE.iter().all(|own| own.name != row.0));
    assert!(unknown.is_none(), "{:?} is no imperfection", unknown.map(|row| row.0));
    Imperfections::TABLE.iter().map(row).collect()
}

const TRAIN: &[(&str, Effect)] = &[
    ("chip-command", Refused(Bank, "| --chip-command false", "chip behind 'false': it ended")),
    ("chip-address", Refused(Bank, "| --chip-address 127.0.0.1:1", "nobody answers there")),
    ("config", Changes(Bank, "| --config three.toml")),
    ("out", NoNumbers("where the results lie")),
    ("resume", NoNumbers("goes on with the numbers of a run")),
    ("save-chip", NoNumbers("writes the chip as it is")),
    ("print-config", NoNumbers("prints the settings and trains nothing")),
    ("long", Refused(Bank, "| --long", "--print-config")),
    ("dry-run", NoNumbers("trains nothing that is kept")),
    ("json", NoNumbers("how results are printed")),
    ("log-dir", NoNumbers("where the same curves are written once more")),
    ("wide", NoNumbers("how results are printed")),
    ("figures", NoNumbers("how pictures are written")),
    ("figure-width", NoNumbers("how pictures are written")),
    ("quiet", NoNumbers("what is said besides")),
    ("help", NoNumbers("runs nothing")),
];

const GRID: &[(&str, Effect)] = &[
    ("chip-command", Refused(Bank, "| --chip-command false", "would share the one chip")),
    ("chip-address", Refused(Bank, "| --chip-address 127.0.0.1:1", "would share the one chip")),
    ("chips", Changes(Bank, "| --chips 2")),
    ("target", Changes(Bank, "--target 0 | --target 1")),
    ("cost-model", Changes(Bank, "| --cost-model integrated")),
    ("jobs", NoNumbers("how many train side by side")),
    ("shard", NoNumbers("which of the same cells are trained here")),
    ("log-dir", NoNumbers("where the same curves are written once more")),
    ("dry-run", NoNumbers("trains nothing that is kept")),
    ("config", Changes(Bank, "| --config three.toml")),
    ("out", NoNumbers("where the results lie")),
    ("resume", NoNumbers("goes on with the numbers of a run")),
    ("json", NoNumbers("how results are printed")),
    ("wide", NoNumbers("how results are printed")),
    ("figures", NoNumbers("how pictures are written")),
    ("figure-width", NoNumbers("how pictures are written")),
    ("quiet", NoNumbers("what is said besides")),
    ("help", NoNumbers("runs nothing")),
];

const SWEEP: &[(&str, Effect)] = &[("vary", Changes(Bank, "| --vary tether=0,1"))];

const EVALUATE: &[(&str, Effect)] = &[
    ("preset", Changes(Phases, "| --preset digits")),
    ("phases", Changes(Phases, "| --phases other.npz")),
    ("convention", Allows(Phases, "--phases bare.npz | --convention native", "does not record a convention")),
    ("method", Refused(Phases, "| --method at", "--method chooses one of a run's")),
    ("chip-file", Changes(Phases, "| --chip-file mesh.npz")),
    ("chip-errors", Changes(Phases, "| --chip-errors errors.npz")),
    (
        "errors-convention",
        Allows(Phases, "--chip-errors bare-errors.npz | --errors-convention neurophox", "does not record a convention"),
    ),
    (
        "chip-of-other-network",
        Allows(Phases, "--chip-errors one.npz | --chip-of-other-network", "--chip-of-other-network"),
    ),
    ("chips", Changes(Phases, "| --chips 3")),
    ("chip", Changes(Phases, "--chips 6 --chip mesh | --chip silicon-raw")),
    ("chip-seed", Changes(Phases, "--chips 6 --chip silicon-raw | --chip-seed 50")),
    ("good", Changes(Phases, "--chips 2 --chip silicon | --good 0.1")),
    ("dataset", Changes(Phases, "| --dataset four")),
    ("label-column", Changes(Phases, "--dataset four | --label-column first")),
    ("target-columns", Changes(Phases, "--dataset four --encoding amplitude:4 | --target-columns c,d")),
    ("split", Changes(Phases, "--dataset four.csv | --split 0.5")),
    ("scale", Changes(Phases, "| --scale standard")),
    (
        "score",
        Changes(Phases, "--dataset four --encoding amplitude:4 --target-columns c,d | --score mean-square-error"),
    ),
    ("data-dir", NoNumbers("where the same data lie")),
    ("encoding", Changes(Phases, "| --encoding l2")),
    ("network", Changes(Phases, "| --network mesh:4x2,activation=none")),
    ("test-limit", Changes(Phases, "| --test-limit 10")),
    ("engine", NoNumbers("where the same numbers are computed")),
    ("precision", Changes(Phases, "| --precision f64")),
    ("adapter", Refused(Phases, "| --engine cpu --adapter 0", "--adapter chooses a GPU")),
    ("json", NoNumbers("how results are printed")),
    ("help", NoNumbers("runs nothing")),
];

/// Words by flag, in order; later values of a flag take the place of earlier ones.
fn merged<'a>(parts: &[&'a str]) -> Vec<&'a str> {
    let mut flags: Vec<Vec<&str>> = Vec::new();
    for word in parts.iter().flat_map(|part| part.split_whitespace()) {
        match word.strip_prefix("--") {
            Some(_) => {
                flags.retain(|flag| flag[0] != word);
                flags.push(vec![word]);
            }
            None => flags.last_mut().expect("words begin with a flag").push(word),
        }
    }
    flags.concat()
}

/// The files that the rows name.
fn files(bench: &Bench) {
    bench.write("three.toml", "epochs = 3\n");
    let samples = |shift: usize| {
        let row = |k: usize| {
            let class = (k + shift) % 2;
            format!("{class},{},{},{},{class}\n", k % 3, (k * k) % 5, k % 4)
        };
        "a,b,c,d,e\n".to_string() + &(0..12).map(row).collect::<String>()
    };
    bench.write("four.csv", samples(0));
    bench.write("four/train.csv", samples(0));
    bench.write("four/test.csv", samples(1));
    let base = |base: Base, out: &[&'static str]| {
        let words = merged(&[base.words(), "--epochs 1"]);
        bench.run(["train", "--quiet"].into_iter().chain(words).chain(out.iter().copied())).done();
    };
    base(Bank, &["--chip-seed", "9", "--save-chip", "bank.npz", "--out", "bank"]);
    base(Mesh, &["--splitter-angle", "0.2", "--save-chip", "mesh.npz", "--out", "mesh"]);
    let programmed = |index: usize| {
        let mesh = Interferometers::rectangular(4).unwrap();
        let controls = (0..mesh.controls()).map(|k| ((k + 7 * index) as f64).sqrt() % 6.2).collect();
        ProgrammedMesh { mesh, controls }
    };
    write_phases(&bench.path("phases.npz"), Convention::Native, &[programmed(0), programmed(1)]).unwrap();
    write_phases(&bench.path("other.npz"), Convention::Native, &[programmed(2), programmed(3)]).unwrap();
    let mesh = programmed(0).mesh;
    let errors = |index: usize| MeshErrors {
        theta: (0..mesh.mzis()).map(|k| 0.3 * ((k + index) as f64).cos()).collect(),
        ..MeshErrors::none(&mesh)
    };
    let (first, second) = (errors(0), errors(1));
    write_errors(&bench.path("errors.npz"), Convention::Native, &[(&mesh, &first), (&mesh, &second)]).unwrap();
    write_errors(&bench.path("one.npz"), Convention::Native, &[(&mesh, &first)]).unwrap();
    // files that do not say in which convention they are
    let angles = |index: usize| Array2::from_shape_fn((4, 2), |(i, j)| 0.1 * (1 + i + 2 * j + index) as f64);
    for (file, names) in [("bare.npz", &["theta", "phi", "gamma"][..]), ("bare-errors.npz", &["theta"])] {
        let mut archive = NpzWriter::new(File::create(bench.path(file)).unwrap());
        for mesh in 0..2 {
            for name in names {
                let name = format!("mesh{mesh}.{name}");
                match name.ends_with("gamma") {
                    true => archive.add_array(name, &Array1::<f64>::zeros(4)).unwrap(),
                    false => archive.add_array(name, &angles(mesh)).unwrap(),
                }
            }
        }
        archive.finish().unwrap();
    }
}

/// A command whose flags are walked.
struct Walk {
    command: &'static str,
    bench: Bench,
    /// The numbers of runs that were needed before.
    known: HashMap<Vec<&'static str>, String>,
    runs: usize,
}

impl Walk {
    fn new(command: &'static str) -> Self {
        let bench = Bench::new();
        files(&bench);
        Walk { command, bench, known: HashMap::new(), runs: 0 }
    }

    /// The flags that the program's help lists.
    fn flags(&self) -> BTreeSet<String> {
        let help = self.bench.run([self.command, "--help"]).done().stdout;
        // flags are indented by six columns, texts by more
        let flag = |line: &str| {
            let name = line.strip_prefix("      --").or(line.strip_prefix("  -h, --"))?;
            Some(name.split([' ', '=']).next()?.trim_end_matches("...").to_string())
        };
        help.lines().filter_map(flag).collect()
    }

    /// Runs the base with these words. Gives the folder of the results too.
    fn run(&mut self, base: Base, words: &[&'static str]) -> (Ended, String) {
        self.runs += 1;
        let out = format!("run-{}", self.runs);
        // of a settings file nothing may win over its epochs
        let epochs = if words.iter().any(|words| words.contains("--config")) { "" } else { "--epochs 2" };
        let own = match self.command {
            "train" => [epochs, "--engine cpu"],
            "compare" => [epochs, "--engine cpu --chips 1 --jobs 1"],
            "sweep" => [epochs, "--engine cpu --chips 1 --jobs 1 --vary engine=cpu"],
            "evaluate" => ["", "--engine cpu"],
            other => panic!("{other} is not walked"),
        };
        let mut line = vec![self.command];
        line.extend(merged(&[&[base.words()][..], &own, words].concat()));
        if self.command == "evaluate" {
            line.push("--json");
        } else {
            line.extend(["--quiet", "--out", &out]);
        }
        (self.bench.run(line), out)
    }

    /// What a run that is done leaves of numbers.
    fn numbers(&mut self, base: Base, words: Vec<&'static str>) -> String {
        let key = [vec![base.words()], words.clone()].concat();
        if let Some(known) = self.known.get(&key) {
            return known.clone();
        }
        let (ended, out) = self.run(base, &words);
        let ended = match ended.code {
            Some(0) => ended,
            _ => panic!("asyt {} {} {words:?}: {ended:#?}", self.command, base.words()),
        };
        let files: &[&str] = match self.command {
            "train" => &["metrics.csv"],
            "compare" => &["epochs.csv", "compare.csv"],
            "sweep" => &["epochs.csv", "sweep.csv"],
            _ => &[],
        };
        let mut numbers: String =
            files.iter().map(|file| without_times(&self.bench.read(&format!("{out}/{file}")))).collect();
        if self.command == "evaluate" {
            numbers = figures(&ended.stdout);
        }
        self.known.insert(key, numbers.clone());
        numbers
    }

    /// Errs, in words, where the flag does not do what its row says.
    fn check(&mut self, flag: &str, effect: Effect) -> Result<(), String> {
        let named = |words: &str| words.split_whitespace().any(|word| word == format!("--{flag}"));
        let halves = |words: &'static str| words.split_once('|').expect("words before and after a bar");
        match effect {
            NoNumbers(because) => (!because.is_empty()).then_some(()).ok_or("no reason is given".to_string()),
            Changes(base, words) => {
                let (before, after) = halves(words);
                assert!(named(after), "{flag}: {words}");
                let (without, with) = (self.numbers(base, vec![before]), self.numbers(base, vec![before, after]));
                (without != with).then_some(()).ok_or(format!("--{flag} changes nothing: {words}"))
            }
            Allows(base, words, reason) => {
                let (before, after) = halves(words);
                assert!(named(after), "{flag}: {words}");
                self.refused(base, &[before], reason)?;
                self.numbers(base, vec![before, after]);
                Ok(())
            }
            Refused(base, words, reason) => {
                let (before, after) = halves(words);
                assert!(named(after), "{flag}: {words}");
                self.refused(base, &[before, after], reason)
            }
        }
    }

    fn refused(&mut self, base: Base, words: &[&'static str], reason: &str) -> Result<(), String> {
        let (ended, _) = self.run(base, words);
        let refused = ended.code.is_some_and(|code| code > 0) && ended.stderr.contains(reason);
        refused.then_some(()).ok_or(format!("{words:?} is not refused for {reason:?}: {ended:#?}"))
    }

    /// Walks every flag of the command by its row in `tables`.
    fn every_flag(mut self, tables: &[&[(&str, Effect)]]) {
        let rows: Vec<(&str, Effect)> = tables.iter().flat_map(|table| table.iter().copied()).collect();
        let named: BTreeSet<String> = rows.iter().map(|row| row.0.to_string()).collect();
        assert_eq!(named.len(), rows.len(), "a flag has two rows");
        assert_eq!(self.flags(), named, "left: flags of asyt {}, right: rows", self.command);
        let faults: Vec<String> =
            rows.into_iter().filter_map(|(flag, effect)| self.check(flag, effect).err()).collect();
        assert!(faults.is_empty(), "asyt {}:\n{}", self.command, faults.join("\n"));
    }
}

/// A table without the columns that tell how long the simulation took.
fn without_times(table: &str) -> String {
    let mut csv = csv::Reader::from_reader(table.as_bytes());
    let kept: Vec<usize> = csv
        .headers()
        .unwrap()
        .iter()
        .enumerate()
        .filter(|(_, name)| *name != "wall_seconds")
        .map(|column| column.0)
        .collect();
    let rows = csv.records().map(|row| {
        let row = row.unwrap();
        kept.iter().map(|&column| row[column].to_string()).collect::<Vec<_>>().join(",") + "\n"
    });
    rows.collect()
}

/// The numbers of an evaluation, not what it was made of.
fn figures(json: &str) -> String {
    let object: serde_json::Value = serde_json::from_str(json).unwrap();
    let names = ["accuracy", "r_squared", "mean_square_error", "correct", "samples", "loss", "accuracies", "yields"];
    names.map(|name| format!("{name} {}\n", object[name])).concat()
}

#[test]
fn every_flag_of_train_does_something_or_says_why_not() {
    Walk::new("train").every_flag(&[SETTINGS, &imperfections(), TRAIN]);
}

#[test]
fn every_flag_of_compare_does_something_or_says_why_not() {
    Walk::new("compare").every_flag(&[SETTINGS, &imperfections(), GRID]);
}

#[test]
fn every_flag_of_sweep_does_something_or_says_why_not() {
    Walk::new("sweep").every_flag(&[SETTINGS, &imperfections(), GRID, SWEEP]);
}

#[test]
fn every_flag_of_evaluate_does_something_or_says_why_not() {
    Walk::new("evaluate").every_flag(&[EVALUATE]);
}
