//! The program `asyt`: words become settings, settings a run, a run files and a table. No numerics here.

mod args;
mod chips;
mod command;
mod engines;
mod export;
mod failure;
mod fetch;
mod interrupt;
mod layers;
mod memory;
mod names;
mod network_text;
mod plan;
mod presets;
mod progress;
mod run_folder;
mod session;
mod settings;
mod words;

use args::{Arguments, Command};
use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments = Arguments::read();
    failure::exit_code(match arguments.command {
        Command::Train(arguments) => command::train::train(&arguments),
        Command::Evaluate(arguments) => command::evaluate::evaluate(&arguments),
        Command::Mesh(arguments) => command::mesh::mesh(&arguments),
        Command::Data(command) => command::data::data(&command),
        Command::Devices(arguments) => command::devices::devices(&arguments),
    })
}
