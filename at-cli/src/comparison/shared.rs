//! A run that several processes train, each a shard of it, in one folder.

use super::request::{GridArguments, Request};
use crate::cells::Shard;
use crate::failure::{OrUsage, Outcome};
use crate::run_folder::RunFolder;
use anyhow::{Context, Result, anyhow};
use std::path::Path;

/// The command that goes on.
pub fn again(name: &str, folder: &RunFolder, shard: Option<Shard>) -> String {
    let shard = shard.map_or(String::new(), |shard| format!(" --shard {shard}"));
    format!("asyt {name} --resume {}{shard}", folder.path().display())
}

/// The folder that all shards name.
pub fn shared_place(arguments: &GridArguments) -> Result<&Path> {
    arguments.out.as_deref().context("--shard needs the folder that all parts share: add --out DIR")
}

/// Begins a run that other processes may begin too: the first one's request counts, and all others must be it.
pub fn begin_together(folder: &RunFolder, request: &Request) -> Outcome {
    let place = folder.path();
    let begun = || Request::path(place).exists();
    if !begun() {
        // another process may begin it between these looks
        folder.require_empty().or_else(|error| if begun() { Ok(()) } else { Err(error) })?;
        folder.write_first("request.json", &request.to_json())?;
    }
    let begun = Request::any(place)?;
    let (config, contents) = (request.config.clone().or(begun.config.clone()), request.contents.clone());
    let noted = begun.contents.is_some(); // by all versions but early ones
    let asked = Request { config, contents: contents.filter(|_| noted), ..request.clone() };
    if asked != begun {
        let why = "was begun with other settings, data, --vary, --chips, --target or --cost-model, and all of its shards have the same";
        return Err(anyhow!("{} {why}; choose another --out, or change a run without --shard", place.display()))
            .or_usage();
    }
    match &begun.config {
        Some(config) => Ok(folder.write_first("config.toml", config)?),
        None => Ok(()),
    }
}
