//! The program `asyt`: words become settings, settings a run, a run files and a table. No numerics here.

mod activity;
mod allocations;
mod args;
mod cells;
mod chips;
mod command;
mod comparison;
mod doubts;
mod engines;
mod export;
mod failure;
mod families;
mod fetch;
mod fingerprint;
mod flags;
mod gpu;
mod interrupt;
mod layers;
mod memory;
mod methods;
mod names;
mod network_files;
mod network_text;
mod network_word;
mod notes;
mod plan;
mod presets;
mod progress;
mod report;
mod reproduce;
mod run_folder;
mod scale;
mod session;
mod settings;
mod terminal;
mod words;
mod work;

use args::{Arguments, Command};
use failure::Outcome;
use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: allocations::Counted = allocations::Counted;

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

fn main() -> ExitCode {
    #[cfg(unix)]
    name_a_runtime_folder();
    failure::exit_code(run(Arguments::read().command))
}

fn run(command: Command) -> Outcome {
    match &command {
        Command::Work(_) => interrupt::listen_quietly()?,
        _ => interrupt::listen()?,
    }
    match command {
        Command::Train(arguments) => command::train::train(&arguments),
        Command::Compare(arguments) => command::compare::compare(&arguments),
        Command::Sweep(arguments) => command::sweep::sweep(&arguments),
        Command::Evaluate(arguments) => command::evaluate::evaluate(&arguments),
        Command::Mesh(arguments) => command::mesh::mesh(&arguments),
        Command::Data(command) => command::data::data(&command),
        Command::Work(arguments) => cells::worker::work(&arguments.folder),
        Command::Report(arguments) => command::report::report(&arguments),
        Command::Reproduce(arguments) => command::reproduce::reproduce(&arguments),
        Command::Scale(arguments) => command::scale::scale(&arguments),
        Command::Devices(arguments) => command::devices::devices(&arguments),
    }
}
