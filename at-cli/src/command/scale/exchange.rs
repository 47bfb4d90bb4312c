//! `asyt scale --exchange`: sums over ranks, by themselves.

use super::ScaleArguments;
use super::cases::asked_ranks;
use crate::export::columns::align;
use crate::failure::{OrUsage, Outcome};
use crate::progress::results_in;
use crate::ranks::world;
use crate::run_folder::RunFolder;
use crate::scale::exchange::{Interconnect, Sum};
use crate::scale::measure::Care;
use crate::scale::{ranks, table};
use crate::{activity, memory, terminal};
use anyhow::Context;
use serde::Serialize;
use std::io::Write;
/// Sums over ranks, by themselves.
#[derive(Serialize)]
struct Exchanges {
    version: &'static str,
    effort: Care,
    ranks: Vec<OfRanks>,
}

/// Those of one number of ranks.
#[derive(Serialize)]
struct OfRanks {
    ranks: usize,
    /// By MPI, or threads of one process.
    by: &'static str,
    sums: Vec<Sum>,
    /// What fits them best.
    fit: Option<Interconnect>,
    /// The greatest relative distance of a time to it.
    greatest_deviation: Option<f64>,
}

/// Measures sums over ranks.
pub(super) fn exchange(arguments: &ScaleArguments) -> Outcome {
    let mut asked = asked_ranks(arguments).or_usage()?;
    if arguments.ranks.is_empty() && world().is_none() {
        asked = vec![2];
    }
    let one = "--exchange is between ranks: choose 2 or more --ranks, or start several by mpirun";
    asked.iter().all(|&ranks| ranks > 1).then_some(()).context(one).or_usage()?;
    let most = asked[asked.len() - 1] as f64 * arguments.exchange.iter().copied().max().unwrap_or(0) as f64;
    // its own values, their bytes on the way, and what comes back, with each of all ranks
    let (need, available) = (5.0 * 8.0 * most, memory::allowed().or_usage()?);
    let large = format!("the sums need about {}; {} are free", memory::size(need), memory::size(available));
    (need <= available).then_some(()).context(large).or_usage()?;
    let folder = RunFolder::create(arguments.out.as_deref(), "exchange")?;
    let effort = Care { warm_up: arguments.warm_up, repeats: arguments.repeats };
    activity::watch(arguments.quiet);
    let mut all = Exchanges { version: env!("CARGO_PKG_VERSION"), effort, ranks: Vec::new() };
    for &ranks in &asked {
        activity::now(format!("sums over {ranks} ranks"));
        let sums = ranks::sums(ranks, &arguments.exchange, &effort)?;
        let (fit, greatest_deviation) = Interconnect::fit(ranks, &sums).unzip();
        let by = if world().is_some() { "MPI" } else { "threads" };
        all.ranks.push(OfRanks { ranks, by, sums, fit, greatest_deviation });
        let json = serde_json::to_string_pretty(&all).context("times are numbers")? + "\n";
        folder.write("exchange.json", &json)?;
    }
    if arguments.json {
        let json = serde_json::to_string_pretty(&all).context("times are numbers")? + "\n";
        std::io::stdout().lock().write_all(json.as_bytes())?;
    } else {
        terminal::print_table(&table_of_sums(&all))?;
    }
    results_in(arguments.quiet, &format!("{} (exchange.json)", folder.path().display()));
    Ok(())
}

fn table_of_sums(all: &Exchanges) -> String {
    let mut rows = vec![["ranks", "values", "time", "shortest", "longest", "GB/s"].map(str::to_string).to_vec()];
    let mut footing = String::new();
    for own in &all.ranks {
        for sum in &own.sums {
            let times = [sum.seconds, sum.shortest_seconds, sum.longest_seconds].map(table::time);
            // through every rank, each way
            let bytes = 2.0 * (own.ranks as f64 - 1.0) / own.ranks as f64 * 8.0 * sum.values as f64;
            let numbers = [own.ranks.to_string(), sum.values.to_string()].into_iter().chain(times);
            rows.push(numbers.chain([format!("{:.2}", 1e-9 * bytes / sum.seconds)]).collect());
        }
        if let (Some(Interconnect { latency, rate, .. }), Some(off)) = (&own.fit, own.greatest_deviation) {
            footing += &format!(
                "{} ranks by {}: latency {:.1} us, rate {:.2} GB/s; no time is more than {:.0} % off\n",
                own.ranks,
                own.by,
                1e6 * latency,
                1e-9 * rate,
                100.0 * off
            );
        } else {
            let (ranks, by) = (own.ranks, own.by);
            footing += &format!("{ranks} ranks by {by}: no rate fits these times; measure more sizes and --repeats\n");
        }
    }
    align(&rows, 0) + "\n" + &footing
}
