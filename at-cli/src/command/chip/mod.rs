//! `asyt chip`: chips from outside, from both sides of the link.

mod check;
mod picture;
mod serve;
mod table;

use crate::failure::Outcome;

/// `asyt chip`.
#[derive(Debug, clap::Subcommand)]
pub enum ChipCommand {
    /// Serve a simulated chip over the protocol, for software that drives chips
    #[command(after_help = serve::HELP)]
    Serve(Box<serve::ServeArguments>),
    /// Look at an unknown chip with a few hundred batches
    #[command(after_help = check::HELP)]
    Check(check::CheckArguments),
}

/// Runs the command.
pub fn chip(command: &ChipCommand) -> Outcome {
    match command {
        ChipCommand::Serve(arguments) => serve::serve(arguments),
        ChipCommand::Check(arguments) => check::check(arguments),
    }
}
