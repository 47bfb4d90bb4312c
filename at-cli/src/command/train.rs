//! `asyt train`: from the command line to a run and its table.

use crate::comparison::Request;
use crate::export::columns::wrapped;
use crate::export::figures::FigureArguments;
use crate::export::picture::Format;
use crate::failure::{OrUsage, Outcome, in_a_line};
use crate::listener::Audience;
use crate::progress::results_in;
use crate::session::{self, Finished, Prepared, RunPlace, Start, plot, table, times, verdict};
use crate::settings::{self, RunSettings, chips, presets};
use crate::terminal::visible;
use crate::trial::{self, Task, Tasks};
use crate::{activity, dry_run, interrupt, methods, network_text, notes, report, terminal};
use anyhow::{Context, Result, bail, ensure};
use std::io::Write;
use std::path::{Path, PathBuf};

/// `asyt train`.
#[derive(Debug, clap::Args)]
pub struct TrainArguments {
    /// Settings file; flags win over it (same names: learning-rate = 0.1)
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Folder for the results, new or empty [default: runs/PRESET-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// Continue the run in this folder with its own settings
    #[arg(long, value_name = "RUN", conflicts_with = "config")]
    pub resume: Option<PathBuf>,
    /// Write the chip to this file (npz), for --chip-file
    #[arg(long, value_name = "FILE")]
    pub save_chip: Option<PathBuf>,
    /// Write curves to DIR/RUN as event files too, for tensorboard --logdir DIR
    #[arg(long, value_name = "DIR", hide_short_help = true)]
    pub log_dir: Option<PathBuf>,
    /// Print all settings as config.toml would hold them, and end
    #[arg(long, conflicts_with = "resume")]
    pub print_config: bool,
    /// With --print-config: the network stage by stage
    #[arg(long, requires = "print_config")]
    pub long: bool,
    /// Say what would run, and for how long, and end; nothing is written
    #[arg(long, conflicts_with_all = ["resume", "print_config"])]
    pub dry_run: bool,
    /// Print summary.json instead of the table, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// All columns of the table; without, those that fit into 80 characters
    #[arg(long, hide_short_help = true)]
    pub wide: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
    /// How pictures are written.
    #[command(flatten)]
    pub drawn: FigureArguments,
    /// The settings that the file may hold too.
    #[command(flatten)]
    pub settings: RunSettings,
}

/// What `--help` adds.
pub fn help() -> String {
    format!(
        "Presets:\n{}\n\nMethods:\n{}\nNetworks:\n{}\nChips:\n{}\n\n{EXAMPLES}",
        presets::help(),
        methods::help(),
        network_text::HELP,
        chips::help()
    )
}

const EXAMPLES: &str = "\
The run folder gets config.toml (all settings; --config with it repeats the
run), metrics.csv, summary.json, accuracy.svg, one checkpoint per method, and in
figures all pictures that asyt report shows (--figures svg,png,pdf for their
formats, --figure-width 89mm for a journal's column).
Ctrl-C ends the run within a second; --resume goes on after its last epoch.
asyt watch RUN shows it from elsewhere, and --log-dir DIR writes its curves for
tensorboard --logdir DIR too, in DIR/RUN/METHOD-chip-SEED. Their step counts
epochs; that of loss/step and learning-rate/step counts steps of the training,
all of them, or 2000 of a longer one.

Examples:
  asyt train --method at,pat,ideal --chip-seed 7
  asyt train --dataset iris --network bank:in-12-out --batch-size 10
  asyt train --preset asyt-demo --epochs 30 --update-error 0.3
  asyt train --config mine.toml --out runs/mine
  asyt train --network mesh:4 --dataset iris --chip-command 'python3 lab.py'
  asyt train --network mesh:16x2 --print-config --long   every setting, the network stage by stage
  asyt train --preset dat --dry-run                      what would run, and for how long
  asyt train --resume runs/mine";

/// Runs the command.
pub fn train(arguments: &TrainArguments) -> Outcome {
    let (settings, followed) = match &arguments.resume {
        Some(run) => (resumed_settings(run, &arguments.settings, arguments.out.as_deref()).or_usage()?, None),
        None => settings::explained(arguments.config.as_deref(), &arguments.settings, None).or_usage()?,
    };
    if arguments.print_config {
        return print(&config(settings, arguments.long)?);
    }
    if arguments.dry_run {
        return print(&rehearsal(settings, followed, arguments.quiet)?);
    }
    let place = match &arguments.resume {
        Some(run) => RunPlace::Earlier(run),
        None => RunPlace::New(arguments.out.as_deref()),
    };
    let audience = Audience::Terminal { quiet: arguments.quiet };
    let (save_chip, log_dir) = (arguments.save_chip.as_deref(), arguments.log_dir.as_deref());
    let Finished { summary, folder, score } =
        session::start(Start { settings, followed, data: None, chip: None, place, save_chip, log_dir, audience })?;

    let figures = arguments.drawn.or(&[Format::Svg]);
    let name = plot::file(score).trim_end_matches(".svg");
    if arguments.drawn.any() {
        report::redraw(&folder, name, &figures)?;
    }
    let times = times::times(&summary)?;
    let words = wrapped(&(times + &verdict::verdict(&summary)), 2);
    let printed = match arguments.json {
        true => written(&summary.to_json()),
        false => terminal::print_table(&format!("{}\n{words}", table::table(&summary, arguments.wide))),
    };
    printed.with_context(|| format!("the results are in {}, but could not be written to stdout", folder.display()))?;
    let pictures = folder.join("figures");
    let place = folder.display();
    // a picture of the chip's inside takes about what the training took
    let _keeping =
        interrupt::kept_so_far(format!("the results are in {place}; asyt report {place} draws the pictures"));
    activity::now("drawing the pictures");
    let drawn = report::pictures(&folder, pictures, &figures);
    activity::over();
    let more = match drawn {
        Ok(count) => format!("; {count} pictures as {} in {}", figures.words(), folder.join("figures").display()),
        Err(error) => {
            terminal::say(
                terminal::DOUBTFUL,
                "warning: ",
                &format!("not all pictures are drawn: {}", in_a_line(&error)),
            );
            String::new()
        }
    };
    let files: Vec<String> = figures.formats.iter().map(|format| format!("{name}.{}", format.extension())).collect();
    results_in(arguments.quiet, &format!("{place} ({}, metrics.csv, summary.json){more}", files.join(", ")));
    Ok(())
}

fn print(text: &str) -> Outcome {
    Ok(written(text)?)
}

fn written(text: &str) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    out.write_all(text.as_bytes()).and_then(|()| out.flush())
}

/// What `config.toml` of these settings would hold; with the network in its `long` form.
fn config(settings: RunSettings, long: bool) -> Outcome<String> {
    let Task { plan, network, .. } = Tasks::default().of(settings)?;
    let mut settings = plan.settings;
    if long && let Some(text) = &settings.network {
        // what follows from the data is in the text already
        settings.network = Some(text.long(network.input().modes, network.outputs())?);
    }
    Ok(settings::config(&settings)?)
}

/// What would run, in lines.
fn rehearsal(settings: RunSettings, followed: Option<String>, quiet: bool) -> Outcome<String> {
    activity::watch(quiet);
    let Prepared { mut tasks, task, device, bytes, .. } = session::prepare(settings, None)?;
    let data = tasks.data(&task.plan)?;
    let mut lines: Vec<String> = followed.into_iter().collect();
    lines.extend(dry_run::described(&task, data, &device));
    lines.push(dry_run::memory_line(bytes)?);
    activity::now("rehearsing the methods");
    let all = dry_run::rehearse(&task, data, &device)?;
    lines.extend(all.iter().map(dry_run::line));
    let whole = dry_run::time(dry_run::together(&all));
    lines.push(format!("time     about {whole}, told from a few steps of each method"));
    let mut doubts = data.notes.clone();
    notes::merge(&mut doubts, task.plan.notes.clone());
    notes::merge(&mut doubts, trial::before(&task.plan, &task.network, data)?);
    lines.extend(doubts.into_iter().map(|doubt| format!("note: {doubt}")));
    lines.push(String::new());
    Ok(visible(&lines.join("\n")).into_owned())
}

/// The settings of an earlier run. Only where its data lie, and how a chip from outside is reached, may have changed.
pub fn resumed_settings(run: &Path, flags: &RunSettings, out: Option<&Path>) -> Result<RunSettings> {
    if let Some(command) = Request::begun(run) {
        bail!("{} was begun by asyt {command}; continue it with: asyt {command} --resume {0}", run.display());
    }
    let config = run.join("config.toml");
    ensure!(
        config.is_file(),
        "{} is no run to resume: it has no config.toml; what has not begun starts with --out",
        run.display()
    );
    let changes = RunSettings { data_dir: None, ..flags.clone() }.without_way();
    ensure!(
        changes == RunSettings::default(),
        "--resume continues a run with its own settings; drop the other flags, or start a new run with --config {}",
        config.display()
    );
    if let Some(out) = out {
        let same = out == run || matches!((out.canonicalize(), run.canonicalize()), (Ok(out), Ok(run)) if out == run);
        ensure!(same, "--resume {} writes there and not to --out {}; drop --out", run.display(), out.display());
    }
    let kept = settings::read_own(&config)?;
    ensure!(
        kept.has_outside_chip() || flags.clone().without_way() == *flags,
        "the chip of {} is simulated, and --chip-command, --chip-address, --chip-park and --chip-timeout are about one from outside; \
         drop them, or start a new run with --config {}",
        run.display(),
        config.display()
    );
    let settings = settings::resolve_own(&config, flags)?.of_a_kept_run();
    if !flags.has_outside_chip() {
        return Ok(settings);
    }
    // one way takes the place of the other
    let RunSettings { chip_command, chip_address, .. } = flags.clone();
    Ok(RunSettings { chip_command, chip_address, ..settings })
}
