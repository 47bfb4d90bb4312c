//! `asyt help`, `asyt completions`, `asyt man`: what can be told of the command line beside running it.

use crate::args;
use crate::export::columns::wrapped;
use crate::failure::{OrUsage, Outcome};
use crate::names::unknown;
use crate::settings::{chips, presets};
use crate::{methods, network_text};
use anyhow::{Context, anyhow};
use at_core::files::create_folders;
use std::io::Write;
use std::path::Path;

/// Columns in front of what a kind of chip is.
const KIND: usize = 15;

const DATA: &str = "\
--dataset is one of
  digits, iris          part of the program
  mnist, fashion-mnist, kmnist, cifar-10
                        in --data-dir, or after `asyt data fetch NAME`
  vowel                 in --data-dir
  FILE.csv, .tsv, .txt  one table: a sample a line, the classes in the last
                        column, or
    --label-column NAME|INDEX|first|last
                        where they are; words are classes too
    --target-columns A,B
                        columns of real values to be met instead (of arrays:
                        all)
  FILE.npz              arrays x and y (or data and target, features and
                        labels), or x_train, y_train, x_test, y_test
  X.npy,Y.npy           features and labels; X.npy alone has its labels in
                        X_labels.npy or y.npy
  a folder              with both parts: train.csv and test.csv, train.npz and
                        test.npz, or x_train.npy, y_train.npy, x_test.npy,
                        y_test.npy
Arrays are [sample, feature] or images: [sample, row, column], [sample, channel,
row, column] or [sample, row, column, channel]; those of unsigned bytes are
divided by 255. What is larger than --data-memory stays in its files and is read
batch by batch.
One table and one pair of arrays are split:
  --split SHARE[:SEED]  share of the training samples, of every class
                        [default: 0.8]
Features, real or complex, stay as they are, or are scaled as the training
samples measure them:
  --scale standard|unit
docs/data.md has examples. `asyt data list` says what is there. How samples
become signals: --encoding raw, l2, amplitude[:N], phase[:N], fourier-crop:N,
pool:N (asyt train --help).
";

/// A topic and its text.
fn topics() -> [(&'static str, String); 5] {
    [
        ("networks", format!("--network is one of\n{}{}", network_text::HELP, network_text::STAGES)),
        ("chips", format!("--chip is one of these kinds; flags change it\n{}", wrapped(&chips::help(), KIND))),
        ("methods", format!("--method is a list of\n{}", methods::help())),
        ("presets", format!("--preset is one of\n{}\n", presets::help())),
        ("data", DATA.to_string()),
    ]
}

/// A topic, a command, or the program itself.
pub fn help(words: &[String]) -> Outcome {
    let mut out = std::io::stdout().lock();
    if let [topic] = words
        && let Some((_, text)) = topics().into_iter().find(|(name, _)| name == topic)
    {
        out.write_all(text.as_bytes()).and_then(|()| out.flush())?;
        return Ok(());
    }
    let mut command = args::command();
    let mut at = &command;
    for word in words {
        let found = at.get_subcommands().find(|own| own.get_name() == word && !own.is_hide_set());
        at = found
            .ok_or_else(|| {
                let commands = at.get_subcommands().filter(|own| !own.is_hide_set()).map(clap::Command::get_name);
                let topics = topics().map(|(name, _)| name);
                let commands = commands.filter(|name| !topics.contains(name));
                anyhow!(unknown("topic", word, topics.into_iter().chain(commands)))
            })
            .or_usage()?;
    }
    let line = ["asyt"].into_iter().chain(words.iter().map(String::as_str)).chain(["--help"]);
    match command.try_get_matches_from_mut(line) {
        Err(help) if !help.use_stderr() => Ok(help.print()?),
        Err(error) => Err(error.into()),
        Ok(_) => Err(anyhow!("there is no help").into()),
    }
}

/// Completions of commands and flags, on stdout.
pub fn completions(shell: clap_complete::Shell) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut args::command(), "asyt", &mut script);
    let mut out = std::io::stdout().lock();
    out.write_all(&script).and_then(|()| out.flush())?;
    Ok(())
}

/// Manual pages of the program and of every command, in `folder`.
pub fn pages(folder: &Path) -> Outcome {
    create_folders(folder).with_context(|| format!("cannot create {}", folder.display()))?;
    clap_mangen::generate_to(args::command(), folder)
        .with_context(|| format!("cannot write to {}", folder.display()))?;
    writeln!(std::io::stdout(), "{}", folder.join("asyt.1").display())?;
    Ok(())
}
