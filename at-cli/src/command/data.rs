//! `asyt data`: which data sets there are, and downloads of those that can be had.

use crate::export::columns::wrapped;
use crate::failure::{OrUsage, Outcome};
use crate::fetch::{Event, Fetched, Patience, cache_folder, fetch, published};
use crate::names;
use crate::progress::{Download, say};
use crate::terminal::visible;
use crate::{activity, interrupt};
use anyhow::{Result, anyhow};
use at_core::data::{DatasetName, Location, Source, locate};
use std::io::Write;
use std::path::PathBuf;

/// Columns of a data set's name.
const NAME: usize = 15;

/// `asyt data`.
#[derive(Debug, clap::Subcommand)]
pub enum DataCommand {
    /// List the data sets that have a name, and where they are
    List(ListArguments),
    /// Download a data set of the MNIST family or CIFAR-10, with checksums
    Fetch(FetchArguments),
}

/// `asyt data list`.
#[derive(Debug, clap::Args)]
pub struct ListArguments {
    /// Folder to look into, as in `asyt train --data-dir`
    #[arg(long, value_name = "DIR")]
    pub data_dir: Option<PathBuf>,
    /// Folder of downloads [default: this user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    pub json: bool,
}

/// `asyt data fetch`.
#[derive(Debug, clap::Args)]
pub struct FetchArguments {
    /// mnist, fashion-mnist, kmnist or cifar-10
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Folder of downloads, in which NAME becomes a folder [default: this user's cache folder]
    #[arg(long, value_name = "DIR")]
    pub cache_dir: Option<PathBuf>,
    /// Address of a folder with the files, instead of the known ones; several are tried in order
    #[arg(long, value_name = "URL")]
    pub mirror: Vec<String>,
    /// Print what was fetched as JSON, and nothing else, on stdout
    #[arg(long)]
    pub json: bool,
    /// No progress on stderr
    #[arg(long)]
    pub quiet: bool,
}

/// Runs the command.
pub fn data(command: &DataCommand) -> Outcome {
    match command {
        DataCommand::List(arguments) => list(arguments),
        DataCommand::Fetch(arguments) => fetch_one(arguments),
    }
}

fn list(arguments: &ListArguments) -> Outcome {
    let cache_dir = arguments.cache_dir.clone().or_else(cache_folder);
    let source = Source { data_dir: arguments.data_dir.clone(), cache_dir };
    let mut out = std::io::stdout().lock();
    let sets = DatasetName::ALL.map(|name| (name, locate(name, &source).ok()));
    if arguments.json {
        let sets = sets.map(|(name, location)| {
            let place = location.map(|location| match location {
                Location::Embedded => "embedded".to_string(),
                Location::Folder(folder) => folder.display().to_string(),
            });
            serde_json::json!({ "name": name, "summary": name.summary(), "location": place })
        });
        writeln!(out, "{}", serde_json::to_string_pretty(&sets)?)?;
        return Ok(());
    }
    for (name, location) in sets {
        let place = match location {
            Some(Location::Embedded) => "part of asyt".to_string(),
            Some(Location::Folder(folder)) => format!("in {}", folder.display()),
            None if name.is_downloadable() => format!("not here: asyt data fetch {name}"),
            None => {
                format!("not here: pass --data-dir with the folder that holds {name}/train.csv and {name}/test.csv")
            }
        };
        let text = format!("{name:<NAME$}{}\n{:<NAME$}{}", name.summary(), "", visible(&place));
        write!(out, "{}", wrapped(&text, NAME))?;
    }
    Ok(())
}

fn fetch_one(arguments: &FetchArguments) -> Outcome {
    let known = DatasetName::ALL.into_iter().filter(|name| name.is_downloadable());
    let name = known_name(&arguments.name).or_usage()?;
    let published = published(name)
        .ok_or_else(|| {
            let known = known.map(DatasetName::as_str).collect::<Vec<_>>().join(", ");
            match name.is_embedded() {
                true => anyhow!("{name} is part of asyt and needs no download; downloads: {known}"),
                false => anyhow!("{name} has no known mirror; pass its folder with --data-dir; downloads: {known}"),
            }
        })
        .or_usage()?;
    let cache = arguments.cache_dir.clone().or_else(cache_folder);
    let cache = cache.ok_or_else(|| anyhow!("this user has no cache folder; name one with --cache-dir")).or_usage()?;
    let folder = cache.join(name.as_str());
    let mirrors = match &arguments.mirror[..] {
        [] => published.mirrors.iter().map(|&mirror| mirror.to_string()).collect(),
        given => given.to_vec(),
    };

    let quiet = arguments.quiet;
    activity::watch(quiet);
    let _keeping = interrupt::kept_so_far("files that came whole stay; the same command goes on".to_string());
    let mut download = Download::new(quiet);
    let fetched = fetch(&published.files, &mirrors, &folder, &Patience::default(), &mut |event| match event {
        Event::Asking(url) => download.begin(url),
        Event::Received(bytes, total) => download.received(bytes, total),
        Event::Ready(file, refusals) => {
            download.end();
            refusals.iter().for_each(|refusal| say(quiet, refusal));
            say(quiet, &ready(file));
        }
    })?;

    let mut out = std::io::stdout().lock();
    if arguments.json {
        let report = serde_json::json!({ "dataset": name, "folder": folder, "files": fetched });
        writeln!(out, "{}", serde_json::to_string_pretty(&report)?)?;
    } else {
        let data_dir: Option<&PathBuf> = arguments.cache_dir.as_ref();
        let data_dir = data_dir.map_or(String::new(), |folder| format!(" --data-dir {}", folder.display()));
        let place = folder.display().to_string();
        writeln!(out, "{name} is in {}, whole, with the published checksums", visible(&place))?;
        let network = match name {
            DatasetName::Cifar10 => "--encoding pool:8 --network mesh:inx2",
            _ => "--preset asyt-demo",
        };
        writeln!(out, "train on it: asyt train {network} --dataset {name}{}", visible(&data_dir))?;
    }
    out.flush()?;
    Ok(())
}

fn ready(file: &Fetched) -> String {
    let from = file.from.as_deref().map_or("there already".to_string(), |url| format!("from {url}"));
    format!("{:<27} {:>9} bytes  {from}", file.file, file.bytes)
}

fn known_name(text: &str) -> Result<DatasetName> {
    let known = DatasetName::ALL.map(DatasetName::as_str);
    text.parse().map_err(|_| anyhow!(names::unknown("dataset", text, known)))
}
