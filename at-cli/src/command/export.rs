//! `asyt export`: what a run has learned, as files for other programs.

use crate::activity;
use crate::failure::{OrUsage, Outcome};
use crate::notes::Notes;
use crate::results::{self, Learned, Piece, Selection};
use crate::trained::{RunFiles, TrainedChip, TrainedRun};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::files::create_folders;
use at_core::optics::Convention;
use at_core::training::MethodName;
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
Every method has a folder of its own: OUT/METHOD. numpy.load reads the npz files, anything the csv.
  phases       phases.npz, phases.csv: the meshes' phases (radians); asyt mesh and asyt evaluate take the npz
  controls     controls.csv: every control with its name, its value, the voltage of its heater as a share of full
               scale, and the converter's code, where the chip has them
  operators    operators.npz: the matrix of every mesh, bank and matrix, as designed and as this chip does it
  samples      samples.npz: chosen test samples: fields behind every layer of the digital model, the chip's readout
  predictions  predictions.csv: the chip's answer to every test sample and its logits; confusion.csv: the counts

Examples:
  asyt export runs/digits-1
  asyt export runs/mesh-1 --method at-adaptive --convention neurophox --out for-the-lab
  asyt export runs/mesh-1 --only samples --samples 0-9,40";

/// More samples than this at once are no selection.
const MOST_SAMPLES: usize = 100_000;

/// `asyt export`.
#[derive(Debug, Args)]
pub struct ExportArguments {
    /// Run folder of asyt train, or of a cell of asyt compare and sweep (RUN/cells/CELL)
    #[arg(value_name = "RUN")]
    pub run: PathBuf,
    /// Method whose result is taken out [default: all of the run]
    #[arg(long)]
    pub method: Option<String>,
    /// Folder for the files, made where it is missing [default: export in the run's folder]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Only these pieces, comma-separated [default: all]
    #[arg(long, value_name = "A,B,…", value_delimiter = ',')]
    pub only: Vec<Piece>,
    /// Convention of the phases: native, neurophox, dat-mpnn
    #[arg(long, value_name = "C", default_value = "native")]
    pub convention: Convention,
    /// Test samples whose way is shown: numbers from 0 and ranges [default: the first ten]
    #[arg(long, value_name = "N,A-B,…")]
    pub samples: Option<String>,
    /// Folder that holds the data set's files, if not where the run found them
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Print a JSON object with the files instead of a list
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the command.
pub fn export(arguments: &ExportArguments) -> Outcome {
    let chosen = arguments.samples.as_deref().map(samples).transpose().or_usage()?;
    if RunFiles::settings_file(&arguments.run).is_none() {
        return Err(anyhow!(
            "{} is no run: it has neither config.toml nor a cell's cell.toml",
            arguments.run.display()
        ))
        .or_usage();
    }
    activity::watch(arguments.quiet);
    activity::now("loading the run");
    let files = RunFiles::read(&arguments.run)?;
    let run = TrainedRun::load(&arguments.run, &files, arguments.data_dir.as_deref())?;
    let mut notes = Notes::default();
    let (run, chip) = if run.plan.settings.has_outside_chip() {
        notes.say(["the chip came from outside: voltages, and what depends on its inside, are left out".to_string()]);
        (run, None)
    } else {
        let TrainedChip { run, fabrication, .. } = TrainedChip::of(run)?;
        (run, Some(fabrication))
    };
    let methods: Vec<&(MethodName, Vec<f64>)> = match &arguments.method {
        Some(name) => vec![run.chosen(Some(name)).or_usage()?],
        None => run.controls.iter().collect(),
    };
    if methods.is_empty() {
        return Err(anyhow!("{} has no checkpoint", arguments.run.display()).into());
    }
    let samples = chosen.unwrap_or_else(|| (0..run.data.test.len().min(10)).collect());
    let there = run.data.test.len();
    if let Some(beyond) = samples.iter().find(|&&sample| sample >= there) {
        return Err(anyhow!("--samples {beyond} is not there: the test samples are 0 to {}", there.saturating_sub(1)))
            .or_usage();
    }
    let all = <Piece as clap::ValueEnum>::value_variants();
    let pieces = if arguments.only.is_empty() { all } else { &arguments.only[..] };
    let selection = Selection { pieces, convention: arguments.convention, samples: &samples };
    let out = arguments.out.clone().unwrap_or_else(|| arguments.run.join("export"));
    let (mut listed, mut lines) = (Vec::new(), Vec::new());
    for (method, controls) in methods {
        let folder = out.join(method.as_str());
        create_folders(&folder).with_context(|| format!("cannot create {}", folder.display()))?;
        activity::now(format!("taking out {method}"));
        let learned = Learned { run: &run, chip: chip.as_ref(), controls };
        let (written, missing) = results::write(&learned, &selection, &folder)?;
        notes.say(missing.into_iter().map(|why| format!("not written: {why}")));
        for own in written {
            let path = folder.join(own.file).display().to_string();
            lines.push(format!("{path}\n    {}", own.what));
            listed.push(serde_json::json!({ "method": method, "file": path, "what": own.what }));
        }
    }
    let mut stdout = std::io::stdout().lock();
    if arguments.json {
        let object =
            serde_json::json!({ "folder": out.display().to_string(), "files": listed, "notes": notes.texts() });
        writeln!(stdout, "{object:#}")?;
    } else {
        lines.iter().try_for_each(|line| writeln!(stdout, "{line}"))?;
    }
    stdout.flush()?;
    Ok(())
}

/// `0-9,40`, in the order and as often as written.
fn samples(text: &str) -> Result<Vec<usize>> {
    let number = |text: &str| {
        text.trim().parse::<usize>().map_err(|_| anyhow!("--samples: {text:?} is no number; write it as 0-9,40"))
    };
    let mut all = Vec::new();
    for part in text.split(',') {
        let (first, last) = match part.split_once('-') {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(part)?, number(part)?),
        };
        ensure!(first <= last, "--samples: {part} runs backwards; write it as {last}-{first}");
        let count = all.len().saturating_add(last - first).saturating_add(1);
        ensure!(count <= MOST_SAMPLES, "--samples: these are more than {MOST_SAMPLES} samples; take fewer");
        all.extend(first..=last);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_numbers_and_ranges() {
        assert_eq!(samples("0-2,7, 1").unwrap(), [0, 1, 2, 7, 1]);
        for (text, words) in [("", "no number"), ("3-1", "1-3"), ("0-99999999999", "100000"), ("-1", "no number")] {
            assert!(samples(text).unwrap_err().to_string().contains(words), "{text}");
        }
    }
}
