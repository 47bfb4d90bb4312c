//! Published phases, trained without errors, on published chips: the "direct" columns of dual adaptive training's tables,
//! and trainings on the same chips beside the published ones.

use super::ReproduceArguments;
use super::adapted::{self, REACHES};
use super::finding::{Finding, Reproduction};
use super::published::Published;
use crate::export::canvas::PALETTE;
use crate::export::chart::{Axis, Chart, Curve, Interval, Mark};
use crate::failure::{OrUsage, Outcome};
use crate::progress::say;
use crate::run_folder::RunFolder;
use crate::session::plot;
use crate::settings::{RunSettings, resolve};
use crate::trial::{Tasks, split};
use anyhow::{Context, anyhow};
use at_core::cpu::Cpu;
use at_core::deployment::deploy;
use at_core::files::phase_file::{read_chip, read_phases};
use at_core::network::Owner;
use at_core::optics::{Convention, Mesh};
use at_core::training::Score;

const SOURCE: &str =
    "Zheng et al., Nat. Mach. Intell. 5, 1119 (2023), logs and phases of the published code (DAT_MPNN)";

/// Levels of the errors of splitters and phases, "0" for none, and the accuracy in percent.
type Case = (&'static str, &'static str, f64);

/// Computed anew from the published phases, four digits.
const MNIST: [Case; 11] = [
    ("0", "0", 96.77),
    ("0.02", "0", 96.31),
    ("0.04", "0", 93.73),
    ("0.06", "0", 89.41),
    ("0.08", "0", 85.55),
    ("0.1", "0", 72.79),
    ("0", "0.04", 88.73),
    ("0", "0.08", 69.11),
    ("0", "0.1", 59.66),
    ("0.04", "0.04", 86.35),
    ("0.06", "0.06", 66.56),
];

/// Published with three digits.
const FASHION: [Case; 7] = [
    ("0", "0", 86.0),
    ("0.04", "0", 75.8),
    ("0.1", "0", 55.5),
    ("0", "0.06", 70.0),
    ("0", "0.1", 41.4),
    ("0.04", "0.06", 61.3),
    ("0.08", "0.02", 68.0),
];

/// Half a unit of the third digit, and what `f32` may change.
const TOLERANCE: f64 = 0.06;

/// Deploys the phases on every chip and trains on some. With `quick`, deploys on every other one and trains on one.
pub fn run(dataset: &str, arguments: &ReproduceArguments) -> Outcome<Reproduction> {
    let missing = "needs --reference DIR, the folder with ideal-*.npz, splitter-error-*.npz and phase-error-*.npz";
    let reference = arguments.reference.as_ref().ok_or_else(|| anyhow!("dat-{dataset} {missing}")).or_usage()?;
    let settings = RunSettings {
        preset: Some("dat".into()),
        dataset: Some(dataset.into()),
        data_dir: arguments.data_dir.clone(),
        engine: Some("cpu".into()),
        ..RunSettings::default()
    };
    let phases = read_phases(&reference.join(format!("ideal-{dataset}.npz")), Some(Convention::DatMpnn))?;
    let meshes: Vec<&Mesh> = phases.iter().map(|own| &own.mesh).collect();
    let mut tasks = Tasks::default();
    let task = tasks.of(resolve(None, &settings).or_usage()?)?;
    let (plan, network, engine) = (&task.plan, &task.network, Cpu::<f32>::new());
    let data = tasks.data(plan)?;
    let test = split(&engine, plan, network, data, &data.test).context("test samples")?;
    let (dataset, reference) = (dataset.to_string(), reference.clone());
    let mut published = Published { dataset: dataset.clone(), settings, engine, tasks, reference };
    let folder = RunFolder::create(Some(&arguments.folder()), "dat")?;

    let cases: &[Case] = if dataset == "mnist" { &MNIST } else { &FASHION };
    let mut findings = Vec::new();
    for &(splitter, phase, accuracy) in cases.iter().step_by(if arguments.quick { 2 } else { 1 }) {
        let place = format!("splitter {splitter}, phase {phase}");
        say(arguments.quiet, &place);
        let chip =
            read_chip(&published.error_files(splitter, phase), Some(Convention::DatMpnn), &meshes, Owner::ThisNetwork)?;
        let found = 100.0 * deploy(&published.engine, network, &phases, &chip, &test, &plan.training.loss)?.score;
        let range = (accuracy - TOLERANCE, accuracy + TOLERANCE);
        findings.push(Finding::new(DEPLOYED, place, range, found, "%", SOURCE));
    }
    findings.extend(adapted::findings(&mut published, arguments)?);
    Ok(Reproduction {
        title: format!("Published phases on published chips, and trainings on them, {dataset}"),
        quick: arguments.quick,
        notes: vec![NOTE.into()],
        charts: vec![chart(&dataset, &findings, arguments.quick)],
        findings,
        folder,
    })
}

const DEPLOYED: &str = "phases trained without errors, deployed";
const NOTE: &str = "Phases are deployed without training; at-adaptive is trained with 960 steps of 500 samples, at most 480 \
                    of them measuring, of the 6000 that the published methods had, and judged after the last epoch.";

fn chart(dataset: &str, findings: &[Finding], quick: bool) -> Chart {
    let mut places: Vec<&str> = Vec::new();
    for finding in findings {
        if !places.contains(&finding.place.as_str()) {
            places.push(&finding.place);
        }
    }
    let rank = |finding: &Finding| places.iter().position(|place| *place == finding.place).unwrap_or_default() as f64;
    let curve = |label: &str, claim: &str, colour: usize, mark, of: fn(&Finding) -> f64| {
        let own = findings.iter().filter(|finding| finding.claim == claim);
        let mut points: Vec<(f64, f64)> = own.map(|finding| (rank(finding), of(finding))).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        Curve { label: label.into(), look: PALETTE[colour].into(), mark, points, interval: Interval::None }
    };
    let verdict = if findings.iter().all(|finding| finding.pass) { "PASS" } else { "FAIL" };
    let reduced = if quick { " (reduced size)" } else { "" };
    let names = places.iter().map(|place| place.replace("splitter ", "").replace(", phase ", " / ")).collect();
    let published: fn(&Finding) -> f64 = |finding| 0.5 * (finding.low + finding.high);
    let curves = vec![
        curve("phases deployed, published", DEPLOYED, 1, Mark::Hollow, published),
        curve("phases deployed, found", DEPLOYED, 1, Mark::Filled, |finding| finding.found),
        curve("dual adaptive training, output only, published", REACHES, 0, Mark::Hollow, |finding| finding.low),
        curve("at-adaptive, found", REACHES, 6, Mark::Filled, |finding| finding.found),
    ];
    Chart {
        title: format!("Published chips, {dataset}{reduced}: {verdict}"),
        x: Axis::names("level of splitter errors / phase errors (rad)", names),
        y: plot::axis(Score::Accuracy, curves.iter().flat_map(|curve| &curve.points).map(|point| point.1)),
        curves,
        ..Chart::default()
    }
}
