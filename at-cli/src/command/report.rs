//! `asyt report`: a page about runs.

use crate::activity;
use crate::export::figures::FigureArguments;
use crate::export::picture::Format;
use crate::failure::{OrUsage, Outcome};
use crate::notes::Notes;
use crate::progress::say;
use crate::report::page::Page;
use crate::report::{Choice, section, together};
use crate::terminal;
use crate::trained::RunFiles;
use anyhow::{Context, anyhow};
use at_core::files::{atomic_write, create_folders, own};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
The page is one HTML file that needs no network; its pictures also lie beside it
in a folder of the page's name, as SVG and PNG or as --figures says. Several runs
have a picture together. A run that is not finished is shown as far as it is.

Examples:
  asyt report runs/digits-1
  asyt report runs/dat-1 --method at --sample 7
  asyt report runs/compare-digits-1
  asyt report runs/digits-1 --figures pdf --figure-width 89mm
  asyt report runs/digits-1 runs/digits-2 --out both.html";

/// `asyt report`.
#[derive(Debug, Args)]
pub struct ReportArguments {
    /// Run folders of asyt train, compare, sweep, of their cells (RUN/cells/CELL), or of the trainings of asyt reproduce
    #[arg(required = true, value_name = "RUN")]
    pub runs: Vec<PathBuf>,
    /// The page [default: report.html in the run's folder, or here for several runs]
    #[arg(long, value_name = "FILE")]
    pub out: Option<PathBuf>,
    /// Test sample whose light is shown, from 0
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub sample: usize,
    /// Method whose chip is shown [default: the run's first]
    #[arg(long)]
    pub method: Option<String>,
    /// Folder that holds the data set's files, if not where the run found them
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
    /// How its pictures are written.
    #[command(flatten)]
    pub drawn: FigureArguments,
}

/// Runs the command.
pub fn report(arguments: &ReportArguments) -> Outcome {
    let out = arguments.out.clone().unwrap_or_else(|| match &arguments.runs[..] {
        [run] => run.join("report.html"),
        _ => PathBuf::from("report.html"),
    });
    if let Some(run) = arguments.runs.iter().find(|run| RunFiles::settings_file(run).is_none()) {
        let lacks = "it has neither config.toml nor a cell's cell.toml";
        return Err(anyhow!("{} is no run: {lacks}", run.display())).or_usage();
    }
    if out.extension().is_none() {
        return Err(anyhow!("--out {} names no file; write it as page.html", out.display())).or_usage();
    }
    let title = arguments.runs.iter().map(|run| run.display().to_string()).collect::<Vec<_>>().join(", ");
    let figures = arguments.drawn.or(&[Format::Svg, Format::Png]);
    let mut page = Page::new(&format!("asyt report: {title}"), out.with_extension(""), figures.clone());
    let in_run = arguments.out.is_none() && arguments.runs.len() == 1;
    if in_run {
        let pictures = out.with_extension("");
        own::is_folder(&pictures).with_context(|| pictures.display().to_string())?;
    }
    let choice = Choice {
        sample: arguments.sample,
        method: arguments.method.as_deref(),
        data_dir: arguments.data_dir.as_deref(),
    };
    activity::watch(arguments.quiet);
    if arguments.runs.len() > 1 {
        activity::now("drawing all runs together");
        together(&mut page, &arguments.runs, choice.data_dir)?;
    }
    for run in &arguments.runs {
        activity::now(format!("making the page of {}", run.display()));
        let missing = section(&mut page, run, &choice).with_context(|| run.display().to_string())?;
        missing.inspect(|why| terminal::say(terminal::DOUBTFUL, "warning: ", &format!("{}: {why}", run.display())));
    }
    if let Some(folder) = out.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        create_folders(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    }
    Notes::default().say(page.notes().iter().cloned());
    let html = page.html();
    let earlier = std::fs::read_to_string(&out).unwrap_or_default(); // none, or none of ours
    if in_run {
        own::write(&out, |draft| draft.write_all(html.as_bytes())).context("the page")?;
    } else {
        atomic_write(&out, |draft| draft.write_all(html.as_bytes())).context("the page")?;
    }
    page.remove_others(&earlier)?;
    let (folder, count) = page.pictures();
    say(arguments.quiet, &format!("{count} pictures as {} in {}", figures.words(), folder.display()));
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{}", out.display())?;
    stdout.flush()?;
    Ok(())
}
