//! `asyt chip serve`: a simulated chip for whoever speaks the protocol, over the standard streams or TCP.

use crate::activity;
use crate::engines::{self, Device};
use crate::failure::{OrUsage, Outcome};
use crate::plan::{Plan, Precision};
use crate::progress::say;
use crate::settings::{self, RunSettings};
use crate::terminal::visible;
use crate::trial::{Task, Tasks};
use anyhow::{Context, Result};
use at_core::chip::Chip;
use at_core::cpu::Cpu;
use at_core::link::{self, Access, Simulated};
use at_core::propagator::Simulator;
use std::io::{BufRead, BufReader, BufWriter, Write};
use std::net::{TcpListener, TcpStream};
use std::path::PathBuf;

/// What `--help` adds.
pub const HELP: &str = "\
The protocol is docs/chip-protocol.md. The chip is the one that asyt train with
the same flags would simulate (network, chip, seed; of the data only the sizes
count): trained over the link it gives the same numbers. Whoever connects meets
it as it was made; they are served one after the other.

Examples:
  asyt train --network mesh:4 --dataset iris --chip mesh --method at-adaptive \\
             --chip-command 'asyt chip serve --network mesh:4 --dataset iris'
  asyt chip serve --network mesh:64x3 --chip silicon --listen 127.0.0.1:7070";

/// `asyt chip serve`.
#[derive(Debug, clap::Args)]
pub struct ServeArguments {
    /// RunSettings file; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Serve whoever connects to this address instead of the standard streams; port 0 takes a free one
    #[arg(long, value_name = "HOST:PORT")]
    pub listen: Option<String>,
    /// What is offered, comma-separated: output, taps, layers, state
    #[arg(long, value_delimiter = ',', value_name = "A,B,…", default_value = "output,taps,layers,state", value_parser = access)]
    pub access: Vec<Access>,
    /// No word on stderr
    #[arg(long)]
    pub quiet: bool,
    /// The chip, with the settings of asyt train.
    #[command(flatten)]
    pub settings: RunSettings,
}

fn access(text: &str) -> Result<Access, String> {
    let all = [Access::Output, Access::Taps, Access::Layers, Access::State];
    all.into_iter().find(|access| access.name() == text).ok_or("must be output, taps, layers or state".to_string())
}

/// Runs the command.
pub fn serve(arguments: &ServeArguments) -> Outcome {
    let (settings, _) = settings::explained(arguments.config.as_deref(), &arguments.settings, None).or_usage()?;
    let outside = "chip serve serves a simulated chip; drop --chip-command and --chip-address";
    (!settings.has_outside_chip()).then_some(()).context(outside).or_usage()?;
    let one = "chip serve serves one chip; drop --share-model";
    settings.share_model.is_none_or(|chips| chips == 1).then_some(()).context(one).or_usage()?;
    activity::watch(arguments.quiet);
    let plan = Plan::new(settings).or_usage()?;
    let device = engines::choose(&plan)?;
    let task = Tasks::default().complete(plan)?;
    match device {
        Device::Gpu(gpu) => Server { arguments, task: &task }.run(&gpu),
        Device::Cpu(Precision::F32) => {
            Cpu::<f32>::new().install(|| Server { arguments, task: &task }.run(&Cpu::<f32>::new()))
        }
        Device::Cpu(Precision::F64) => {
            Cpu::<f64>::new().install(|| Server { arguments, task: &task }.run(&Cpu::<f64>::new()))
        }
    }?;
    Ok(())
}

struct Server<'a> {
    arguments: &'a ServeArguments,
    task: &'a Task,
}

impl Server<'_> {
    fn name(&self) -> String {
        let Task { plan, network, .. } = self.task;
        let seed = plan.settings.chip_seed.unwrap_or_default();
        format!("simulated {} {seed} of {}", plan.chip(), network.identity())
    }

    /// The chip as it was made.
    fn chip<E: Simulator>(&self, engine: &E) -> Result<Simulated<E>> {
        let Task { plan, network, .. } = self.task;
        let seed = plan.settings.chip_seed.unwrap_or_default();
        let chip = Chip::new(engine, network, &plan.fabricate(network, seed)?)?.with_tap_noise(plan.tap_noise(seed))?;
        Ok(Simulated::new(engine, network, chip, &self.name(), &self.arguments.access))
    }

    fn run<E: Simulator>(&self, engine: &E) -> Result<()> {
        let Task { network, imperfections, .. } = self.task;
        let say = |line: &str| say(self.arguments.quiet, &visible(line));
        say(&format!("chip     {}, {} controls: {imperfections}", self.name(), network.controls()));
        let Some(address) = &self.arguments.listen else {
            let (from, to) = (std::io::stdin().lock(), std::io::stdout().lock());
            return self.talk(engine, &mut BufReader::new(from), &mut BufWriter::new(to));
        };
        let listener = TcpListener::bind(address).with_context(|| format!("cannot listen at {address}"))?;
        say(&format!("listens  {}; Ctrl-C ends it", listener.local_addr()?));
        loop {
            let (stream, peer) = listener.accept().context("a connection")?;
            say(&format!("{peer} connected"));
            match self.meet(engine, stream) {
                Ok(()) => say(&format!("{peer} said the end")),
                Err(error) => say(&format!("{peer}: {error:#}")),
            }
        }
    }

    fn meet<E: Simulator>(&self, engine: &E, stream: TcpStream) -> Result<()> {
        stream.set_nodelay(true)?;
        let from = stream.try_clone()?;
        self.talk(engine, &mut BufReader::new(from), &mut BufWriter::new(stream))
    }

    fn talk<E: Simulator>(&self, engine: &E, from: &mut impl BufRead, to: &mut impl Write) -> Result<()> {
        link::serve(from, to, &mut self.chip(engine)?).map_err(anyhow::Error::msg)
    }
}
