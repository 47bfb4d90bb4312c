//! `asyt scale`: how time, rate and memory grow with the size of a network, on the engines asked for.

mod cases;
mod exchange;

use crate::export::figures::FigureArguments;
use crate::export::picture::Format;
use crate::failure::{OrUsage, Outcome};
use crate::gpu::{self, Gpu, taken_memory};
use crate::notes::Notes;
use crate::progress::{results_in, say};
use crate::ranks::world;
use crate::run_folder::RunFolder;
use crate::scale::case::{Case, EngineName, Pass};
use crate::scale::depth::Depth;
use crate::scale::earlier::Earlier;
use crate::scale::exchange::Interconnect;
use crate::scale::measure::{Care, Measurement, measure};
use crate::scale::output::{Results, Row};
use crate::scale::predict::{self, Prediction};
use crate::scale::table;
use crate::scale::{peak, plots, ranks};
use crate::terminal;
use crate::work::say_expected;
use crate::{activity, interrupt};
use anyhow::{Context, Result, bail};
use at_core::cpu::Cpu;
use at_core::engine::Engine;
use cases::{asked_ranks, cases, check, engines, passes, split, work};
use clap::Args;
use std::io::Write;
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
Measured is one step: the median of --repeats after --warm-up, with the controls
set anew in every step. `step` is a whole step of asymmetrical training: chip and
model forward, two errors back, two updates. Effective operations are those of
the plain algorithm, 28 per MZI and sample forward and 76 back. The device's own
peak is the rate of its matrix products, measured at the start: real f32 with the
engine's own kernel. Memory is what a step needs beside the samples: the program's
own allocations at their peak, or what is taken from a GPU. `population` is --chips chips of one design at once, made, set to the
same controls and judged. Curves run along the first of modes, depth, layers,
batch, chips and ranks that has several values; grey lines in the pictures are
what the device's matrix products and copies allow the heaviest pass.

--ranks shares each batch among ranks: threads of this process, or the processes
that mpirun has started; the columns exchange and copies are parts of the time,
the efficiency is that of one rank over ranks times that of several. --exchange
measures sums over ranks by themselves, with the latency and the rate that fit
them. --predict computes what --ranks would take that an interconnect joins, from
the measured time of a rank's share: 10-gigabit-ethernet, hdr-infiniband,
ndr-infiniband, or a latency in us and a rate in GB/s (docs/scaling.md).

The folder gets scale.csv, scale.json and the pictures time, samples, rate and
memory as SVG and PNG, or as --figures says.

Examples:
  asyt scale
  asyt scale --modes 64,256,1024 --layers 3 --batch 256 --pass step
  asyt scale --modes 256 --depth 16,64,256,1024 --pass backpropagate
  asyt scale --modes 16 --chips 1,10,100,1000
  asyt scale --compare runs/scale-1
  asyt scale --modes 256 --pass step --ranks 1,2,4
  mpirun -n 2 asyt scale --exchange
  asyt scale --modes 256 --batch 8192 --pass step --ranks 8,64,512 \
             --predict hdr-infiniband,10-gigabit-ethernet
  asyt scale --engine cpu,gpu --adapter nvidia --json";

/// `asyt scale`.
#[derive(Debug, Args)]
pub struct ScaleArguments {
    /// Waveguides of each mesh
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "16,32,64,128,256", value_parser = size)]
    pub modes: Vec<usize>,
    /// Columns of each mesh; `modes` makes them universal
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "modes")]
    pub depth: Vec<Depth>,
    /// Meshes, with electro-optic activations between them
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "3", value_parser = size)]
    pub layers: Vec<usize>,
    /// Samples per step
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", default_value = "256", value_parser = size)]
    pub batch: Vec<usize>,
    /// Chips at once, each with errors of its own: the pass population [default there: 50]
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", value_parser = size)]
    pub chips: Vec<usize>,
    /// Ranks that share each batch [default: 1, or those of mpirun]
    #[arg(long, value_delimiter = ',', value_name = "N,N,…", value_parser = size)]
    pub ranks: Vec<usize>,
    /// Measure sums over ranks, of so many values each, and nothing else [default: 1000 to 10000000]
    #[arg(
        long,
        value_delimiter = ',',
        value_name = "N,N,…",
        value_parser = size,
        num_args = 0..=1,
        default_missing_value = "1000,10000,100000,1000000,10000000",
        conflicts_with_all = ["modes", "depth", "layers", "batch", "chips", "pass", "engine", "adapter", "compare", "predict"]
    )]
    pub exchange: Vec<usize>,
    /// Interconnects by which --ranks are computed in the place of measured: names, or LATENCY:RATE in us and GB/s
    #[arg(long, value_delimiter = ',', value_name = "NAME,…")]
    pub predict: Vec<Interconnect>,
    /// What a step does [default: propagate,backpropagate,step; with --chips population]
    #[arg(long, value_delimiter = ',')]
    pub pass: Vec<Pass>,
    /// cpu, gpu, or auto: the CPU, and a GPU where there is one
    #[arg(long, value_delimiter = ',', default_value = "auto")]
    pub engine: Vec<EngineWord>,
    /// The GPU, by index or part of its name, as `asyt devices` lists them
    #[arg(long, value_name = "NAME|INDEX")]
    pub adapter: Option<String>,
    /// Times to measure
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = size)]
    pub repeats: usize,
    /// Steps before that
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = size)]
    pub warm_up: usize,
    /// Folder for the results, new or empty [default: runs/scale-N]
    #[arg(long, value_name = "DIR")]
    pub out: Option<PathBuf>,
    /// An earlier run beside this one, in table and pictures: its folder or scale.json
    #[arg(long, value_name = "FILE")]
    pub compare: Option<PathBuf>,
    /// Print scale.json instead of the table
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
}

/// An engine as asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum EngineWord {
    /// The CPU, and a GPU where there is one.
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU, or an error.
    Gpu,
}

fn size(text: &str) -> Result<usize, &'static str> {
    text.parse().ok().filter(|&size| size > 0).ok_or("must be a whole number from 1")
}

/// Runs the command.
pub fn scale(arguments: &ScaleArguments) -> Outcome {
    if !arguments.exchange.is_empty() {
        return exchange::exchange(arguments);
    }
    let engines = engines(arguments).or_usage()?;
    let passes = passes(arguments).or_usage()?;
    let earlier = arguments.compare.as_deref().map(Earlier::read).transpose().or_usage()?;
    let cases = cases(arguments, &engines, &passes, &asked_ranks(arguments).or_usage()?);
    let (cases, predicted) = split(arguments, cases).or_usage()?;
    check(&cases).or_usage()?;
    let work = work(arguments, &cases);
    work.check().or_usage()?;
    work.say(&mut Notes::default());
    activity::watch(arguments.quiet);
    activity::now("opening the engines");
    let gpu = match engines.contains(&EngineName::Gpu) {
        true => Some(gpu::open(arguments.adapter.as_deref(), world().map(|world| world.on_this_machine().0))?),
        false => None,
    };
    let folder = RunFolder::create(arguments.out.as_deref(), "scale")?;
    let _keeping = interrupt::kept_so_far(format!("what was measured is in {}", folder.path().display()));
    let results = sweep(arguments, &cases, &predicted, earlier, gpu.as_ref(), &folder)?;
    let figures = arguments.drawn.or(&[Format::Svg, Format::Png]);
    let pictures = plots::write(folder.path(), &results, &figures)?;
    if arguments.json {
        let mut out = std::io::stdout().lock();
        out.write_all(results.to_json().as_bytes())?;
        out.flush()?;
    } else {
        terminal::print_table(&table::table(&results, arguments.wide))?;
    }
    let (place, pictures, formats) = (folder.path().display(), pictures.join(", "), figures.words());
    results_in(arguments.quiet, &format!("{place} (scale.csv, scale.json; as {formats}: {pictures})"));
    Ok(())
}

/// Measures all cases; every one is in the table as soon as it is done.
fn sweep(
    arguments: &ScaleArguments,
    cases: &[Case],
    predicted: &[Case],
    earlier: Option<Earlier>,
    gpu: Option<&Gpu>,
    folder: &RunFolder,
) -> Result<Results> {
    let effort = Care { warm_up: arguments.warm_up, repeats: arguments.repeats };
    let cpu = Cpu::<f32>::new();
    let mut results = Results {
        version: env!("CARGO_PKG_VERSION"),
        effort,
        depths: arguments.depth.clone(),
        memory: Vec::new(),
        peaks: Vec::new(),
        rows: Vec::new(),
        fits: Vec::new(),
        predictions: Vec::new(),
        earlier,
    };
    if cases.iter().any(|case| case.engine == EngineName::Cpu) {
        say(arguments.quiet, &format!("{}: measuring its peak", cpu.describe()));
        results.peaks.push((EngineName::Cpu, cpu.install(|| peak::cpu(cpu.describe()))?));
        results.memory.push("memory on cpu: the program's own allocations, at their peak".to_string());
    }
    if let Some(gpu) = gpu {
        say(arguments.quiet, &format!("{}: measuring its peak", gpu.describe()));
        results.peaks.push((EngineName::Gpu, peak::gpu(gpu)?));
        let counted = "memory on gpu: taken from the device, after the steps";
        let unknown = "memory on gpu: its driver does not say";
        let memory = if taken_memory(gpu).is_some() { counted } else { unknown };
        results.memory.push(memory.to_string());
    }
    let seconds: f64 = cases.iter().map(|case| effort.seconds(case.operations() / peak_of(&results, case))).sum();
    say_expected(seconds, &mut Notes::default());
    for (number, case) in cases.iter().enumerate() {
        say(arguments.quiet, &format!("{:>3}/{} {}", number + 1, cases.len(), case.describe()));
        activity::now(case.describe());
        let measured = one(arguments, case, &effort, &cpu, gpu).with_context(|| case.describe())?;
        let peak = results.peaks.iter().find(|peak| peak.0 == case.engine).map(|peak| &peak.1);
        let mut row = Row::new(*case, measured, peak);
        row.earlier_seconds = results.earlier.as_ref().and_then(|earlier| earlier.seconds(&row));
        say(arguments.quiet, &format!("        {} per step", table::time(row.measured.seconds)));
        results.rows.push(row);
        results.fit();
        results.write_csv(&folder.path().join("scale.csv"))?;
        folder.write("scale.json", &results.to_json())?;
    }
    for case in predicted {
        let measured = |case: &Case| {
            let row = results.rows.iter().find(|row| row.case == *case);
            row.map(|row| &row.measured).with_context(|| format!("{} was not measured", case.describe()))
        };
        let (whole, share) = (measured(&Case { ranks: 1, ..*case })?, measured(&predict::share(case)?)?);
        let of = |network| Prediction::new(case, network, whole, share);
        let new: Vec<Prediction> = arguments.predict.iter().map(of).collect();
        results.predictions.extend(new);
        folder.write("scale.json", &results.to_json())?;
    }
    Ok(results)
}

/// Operations per second that the engine of a case does not exceed.
fn peak_of(results: &Results, case: &Case) -> f64 {
    let own = results.peaks.iter().find(|peak| peak.0 == case.engine);
    own.map_or(f64::INFINITY, |(_, peak)| peak.matrix_product_flops)
}

fn one(
    arguments: &ScaleArguments,
    case: &Case,
    effort: &Care,
    cpu: &Cpu<f32>,
    gpu: Option<&Gpu>,
) -> Result<Measurement> {
    // Threads that are ranks need the whole pool, so they are not started from one of its own. A rank alone, too, where it stands for one of
    // several: with the copies that they would make.
    if case.ranks > 1 || !arguments.predict.is_empty() {
        return ranks::case(case, effort, gpu, arguments.adapter.as_deref());
    }
    match (case.engine, gpu) {
        (EngineName::Gpu, Some(gpu)) => {
            let taken = || taken_memory(gpu);
            measure(gpu, case, effort, Some(&taken), None)
        }
        (EngineName::Gpu, None) => bail!("a case for a GPU, and there is none"),
        (EngineName::Cpu, _) => cpu.install(|| measure(cpu, case, effort, None, None)),
    }
}
