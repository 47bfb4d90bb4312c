//! The program `asyt`: words become settings, settings a run, a run files and a table. No numerics here.
//!
//! Rooms use those below them and never one above (`tests/program/rooms.rs`):
//!
//! ```text
//! library                          what another program may use, as at-py does
//! follow                           what a process does that rank 0 leads
//! args, command                    the command line; one file per command, with its arguments
//! reproduce, report, scale, watch  what is made of many runs
//! comparison, session              compare and sweep; train
//! cells                            trainings side by side, kept for good
//! trial                            the one way from settings to results
//! ranks                            one training or many cells on several processes, by MPI
//! engines, plan, settings          which device, what the words mean, where they come from
//! network_text, export, memory, …  notation, pictures and columns, sizes
//! ```
//!
//! The program itself is [`main`]; [`library`] is for programs that go its way without a command line.

mod activity;
mod allocations;
mod args;
mod cells;
mod command;
mod comparison;
mod dry_run;
mod engines;
mod eta;
mod events;
mod export;
mod failure;
mod fetch;
mod flags;
#[cfg(feature = "mpi")]
mod follow;
mod gpu;
mod interrupt;
mod intervals;
pub mod library;
mod listener;
mod manual;
mod measured;
mod memory;
mod methods;
mod names;
mod network_files;
mod network_text;
mod notes;
mod phase_source;
mod plan;
mod progress;
mod ranks;
mod report;
mod reproduce;
mod results;
mod run_folder;
mod scale;
mod session;
mod settings;
mod terminal;
mod trained;
mod trial;
mod watch;
mod words;
mod work;

pub use allocations::Counted;

use args::{Arguments, Command};
use failure::{Failure, OrUsage, Outcome};
use std::ffi::OsString;
use std::process::ExitCode;

#[cfg(test)]
#[global_allocator]
static ALLOCATOR: Counted = Counted;

/// Mesa's Vulkan drivers look for a Wayland display although no window is wanted, and where this variable leads nowhere, as for a
/// service or over ssh, they print `error: XDG_RUNTIME_DIR is invalid` among this program's own messages.
#[cfg(unix)]
fn name_a_runtime_folder() {
    const RUNTIME: &str = "XDG_RUNTIME_DIR";
    if !std::env::var_os(RUNTIME).is_some_and(|folder| std::path::Path::new(&folder).is_dir()) {
        // SAFETY: called first of all, while there is no other thread that could read the environment.
        unsafe { std::env::set_var(RUNTIME, std::env::temp_dir()) };
    }
}

/// The program `asyt` with this process's own arguments, from the start of a process with one thread to its exit code.
pub fn main() -> ExitCode {
    #[cfg(unix)]
    name_a_runtime_folder();
    let seat = match ranks::begin() {
        Ok(seat) => seat,
        Err(error) => return failure::exit_code(Err(Failure::Usage(error))),
    };
    #[cfg(feature = "mpi")]
    if let Some(world) = ranks::world().filter(|world| world.rank() > 0) {
        return seat.end(follow::follow(world));
    }
    let code = match Arguments::try_read(std::env::args_os()) {
        Ok(arguments) => failure::code(run(arguments.command)),
        Err(error) => {
            let _ = error.print();
            u8::try_from(error.exit_code()).unwrap_or(2)
        }
    };
    seat.end(code)
}

/// The program with these arguments, of which the first is its own name, in a process that another program has begun: it ends the
/// process where `--help` or wrong arguments do, and takes over its Ctrl-C.
pub fn main_with(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    failure::exit_code(run(Arguments::read(arguments).command))
}

fn run(command: Command) -> Outcome {
    if let Some(world) = ranks::world() {
        command.require_sharing(world.ranks()).or_usage()?;
    }
    match &command {
        Command::Work(_) | Command::Watch(_) => interrupt::listen_quietly()?,
        _ => interrupt::listen()?,
    }
    match command {
        Command::Train(arguments) => command::train::train(&arguments),
        Command::Compare(arguments) => command::compare::compare(&arguments),
        Command::Sweep(arguments) => command::sweep::sweep(&arguments),
        Command::Watch(arguments) => command::watch::watch(&arguments),
        Command::Evaluate(arguments) => command::evaluate::evaluate(&arguments),
        Command::Export(arguments) => command::export::export(&arguments),
        Command::Help { words } => manual::help(&words),
        Command::Completions { shell } => manual::completions(shell),
        Command::Man { folder } => manual::pages(&folder),
        Command::Mesh(arguments) => command::mesh::mesh(&arguments),
        Command::Chip(command) => command::chip::chip(&command),
        Command::Data(command) => command::data::data(&command),
        Command::Work(arguments) => command::work::work(&arguments),
        Command::Report(arguments) => command::report::report(&arguments),
        Command::Reproduce(arguments) => command::reproduce::reproduce(&arguments),
        Command::Scale(arguments) => command::scale::scale(&arguments),
        Command::Devices(arguments) => command::devices::devices(&arguments),
    }
}
