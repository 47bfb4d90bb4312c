//! The program `asyt`; all of it is the library `at_cli`.

use std::process::ExitCode;

#[global_allocator]
static ALLOCATOR: at_cli::Counted = at_cli::Counted;

fn main() -> ExitCode {
    at_cli::main()
}
