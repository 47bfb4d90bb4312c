//! Published phases, trained without errors, on published chips: the "direct" columns of dual adaptive training's tables.

use super::finding::{Finding, Reproduction};
use super::trainings::Request;
use crate::command::train::load;
use crate::export::chart::{Axis, Chart, Curve, Mark};
use crate::export::picture::PALETTE;
use crate::failure::{OrUsage, Outcome};
use crate::layers;
use crate::plan::Plan;
use crate::progress::say;
use crate::run_folder::RunFolder;
use crate::settings::Settings;
use anyhow::{Context, anyhow};
use at_core::cpu::Cpu;
use at_core::deployment::deploy;
use at_core::files::phase_file::{read_chip, read_phases};
use at_core::optics::{Convention, Mesh};
use at_core::training::Split;
use std::path::PathBuf;

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

/// Deploys the phases on every chip. With `quick`, on every other one.
pub fn run(dataset: &str, request: &Request) -> Outcome<Reproduction> {
    let missing = "needs --reference DIR, the folder with ideal-*.npz, splitter-error-*.npz and phase-error-*.npz";
    let reference = request.reference.as_ref().ok_or_else(|| anyhow!("dat-{dataset} {missing}")).or_usage()?;
    let settings = Settings {
        preset: Some("dat".into()),
        dataset: Some(dataset.into()),
        data_dir: request.data_dir.clone(),
        engine: Some("cpu".into()),
        ..Settings::default()
    };
    let mut plan = layers::resolve(None, &settings).and_then(Plan::new).or_usage()?;
    let phases = read_phases(&reference.join(format!("ideal-{dataset}.npz")), Some(Convention::DatMpnn))?;
    let meshes: Vec<&Mesh> = phases.iter().map(|own| &own.mesh).collect();
    let data = load(&plan)?;
    let network = plan.fit(&data)?;
    let fields = plan.encoding.encode(&data.test, data.image)?;
    let engine = Cpu::<f32>::new();
    let split = Split::new(&engine, &fields.signals, &data.test.labels).context("test samples")?;
    let folder = RunFolder::create(Some(&request.folder(&format!("dat-{dataset}"))), "dat")?;

    let cases: &[Case] = if dataset == "mnist" { &MNIST } else { &FASHION };
    let mut findings = Vec::new();
    for &(splitter, phase, published) in cases.iter().step_by(if request.quick { 2 } else { 1 }) {
        let place = format!("splitter {splitter}, phase {phase}");
        say(request.quiet, &place);
        let of = |(kind, level): (&str, &str)| reference.join(format!("{kind}-error-{level}.npz"));
        let levels = [("splitter", splitter), ("phase", phase)].into_iter().filter(|level| level.1 != "0");
        let files: Vec<PathBuf> = levels.map(of).collect();
        let chip = read_chip(&files, Some(Convention::DatMpnn), &meshes)?;
        let found = 100.0 * deploy(&engine, &network, &phases, &chip, &split, &plan.training.loss)?.accuracy;
        let range = (published - TOLERANCE, published + TOLERANCE);
        findings.push(Finding::new("phases trained without errors, deployed", place, range, found, "%", SOURCE));
    }
    Ok(Reproduction {
        title: format!("Published phases on published chips, {dataset}"),
        quick: request.quick,
        notes: vec!["Deployment only: nothing is trained here.".into()],
        chart: chart(dataset, &findings, request.quick),
        findings,
        folder,
    })
}

fn chart(dataset: &str, findings: &[Finding], quick: bool) -> Chart {
    let curve = |label: &str, colour, mark, of: fn(&Finding) -> f64| Curve {
        label: label.into(),
        colour: PALETTE[colour],
        mark,
        points: findings.iter().enumerate().map(|(rank, finding)| (rank as f64, of(finding))).collect(),
    };
    let verdict = if findings.iter().all(|finding| finding.pass) { "PASS" } else { "FAIL" };
    let reduced = if quick { " (every other chip)" } else { "" };
    let names =
        findings.iter().map(|finding| finding.place.replace("splitter ", "").replace(", phase ", "/")).collect();
    Chart {
        title: format!("Published phases on published chips, {dataset}{reduced}: {verdict}"),
        x: Axis::names("level of splitter errors / phase errors (rad)", names),
        y: Axis::linear("test accuracy of the chip (%)").within(0.0, 100.0),
        curves: vec![
            curve("published", 4, Mark::Hollow, |finding| 0.5 * (finding.low + finding.high)),
            curve("found", 1, Mark::Filled, |finding| finding.found),
        ],
        levels: Vec::new(),
    }
}
