//! How the program ends: exit codes, and an error that is said once.

use crate::flags;
use crate::terminal;
use std::process::ExitCode;

/// Why a command did not finish.
#[derive(Debug)]
pub enum Failure {
    /// The request makes no sense: exit code 2.
    Usage(anyhow::Error),
    /// The request was tried and failed: exit code 1.
    Run(anyhow::Error),
}

/// What a command gives back.
pub type Outcome<T = ()> = Result<T, Failure>;

impl Failure {
    /// The same kind of failure with another error.
    pub fn map(self, change: impl FnOnce(anyhow::Error) -> anyhow::Error) -> Self {
        match self {
            Failure::Usage(error) => Failure::Usage(change(error)),
            Failure::Run(error) => Failure::Run(change(error)),
        }
    }

    /// What went wrong.
    pub fn into_error(self) -> anyhow::Error {
        match self {
            Failure::Usage(error) | Failure::Run(error) => error,
        }
    }
}

impl<E: Into<anyhow::Error>> From<E> for Failure {
    fn from(error: E) -> Self {
        Failure::Run(error.into())
    }
}

/// Marks an error as wrong usage.
pub trait OrUsage<T> {
    /// The same result with [`Failure::Usage`].
    fn or_usage(self) -> Outcome<T>;
}

impl<T, E: Into<anyhow::Error>> OrUsage<T> for Result<T, E> {
    fn or_usage(self) -> Outcome<T> {
        self.map_err(|error| Failure::Usage(error.into()))
    }
}

/// Says the error on stderr as one line of causes. A reader that closed our stdout wanted no more: that is success.
pub fn exit_code(outcome: Outcome) -> ExitCode {
    ExitCode::from(code(outcome))
}

/// [`exit_code`] as a number.
pub fn code(outcome: Outcome) -> u8 {
    let (code, error) = match outcome {
        Ok(()) => return 0,
        Err(Failure::Usage(error)) => (2, error),
        Err(Failure::Run(error)) if is_broken_pipe(&error) => return 0,
        Err(Failure::Run(error)) => (1, error),
    };
    terminal::say(terminal::WRONG, "error: ", &in_a_line(&error));
    code
}

/// The error and its causes, with the flags of what the libraries name; a cause that the text before it ends with already is not said twice.
pub fn in_a_line(error: &anyhow::Error) -> String {
    let mut line = String::new();
    for cause in error.chain().map(|cause| cause.to_string().split_whitespace().collect::<Vec<_>>().join(" ")) {
        if !line.ends_with(&cause) {
            let colon = if line.is_empty() { "" } else { ": " };
            line += &format!("{colon}{cause}");
        }
    }
    flags::named(&line)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    let is = |io: &std::io::Error| io.kind() == std::io::ErrorKind::BrokenPipe;
    error.chain().any(|cause| cause.downcast_ref().is_some_and(is))
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::Context;

    #[test]
    fn causes_are_said_once_and_on_one_line() {
        let cause = std::io::Error::other("disk\nfull");
        let error = anyhow::Error::new(at_core::Error::file("a.csv", cause)).context("the table");
        assert_eq!(in_a_line(&error), "the table: a.csv: disk full");
        let error = Err::<(), _>(std::io::Error::other("cut")).context("x").unwrap_err();
        assert_eq!(in_a_line(&error), "x: cut");
    }
}
