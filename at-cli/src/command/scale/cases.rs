//! What is asked of `asyt scale`, as cases that are measured or computed.

use super::{EngineWord, ScaleArguments};
use crate::ranks::world;
use crate::scale::case::{Case, EngineName, Pass};
use crate::scale::predict;
use crate::work::Work;
use crate::{gpu, memory};
use anyhow::{Context, Result, ensure};

/// Chips of a population where no number is asked for.
const USUAL_CHIPS: usize = 50;
/// The engines asked for, each once.
pub(super) fn engines(arguments: &ScaleArguments) -> Result<Vec<EngineName>> {
    let mut engines = Vec::new();
    for word in &arguments.engine {
        let hardware = || arguments.adapter.is_some() || gpu::has_hardware();
        engines.extend(match word {
            EngineWord::Cpu => vec![EngineName::Cpu],
            EngineWord::Gpu => vec![EngineName::Gpu],
            EngineWord::Auto if hardware() => vec![EngineName::Cpu, EngineName::Gpu],
            EngineWord::Auto => vec![EngineName::Cpu],
        });
    }
    engines.sort_by_key(|engine| engine.as_str());
    engines.dedup();
    let gpu = engines.contains(&EngineName::Gpu);
    ensure!(gpu || arguments.adapter.is_none(), "--adapter chooses a GPU; add --engine gpu");
    Ok(engines)
}

/// The passes asked for.
pub(super) fn passes(arguments: &ScaleArguments) -> Result<Vec<Pass>> {
    let (asked, chips) = (&arguments.pass, !arguments.chips.is_empty());
    ensure!(
        !chips || asked.is_empty() || asked.contains(&Pass::Population),
        "--chips counts the chips of the pass population; add it to --pass"
    );
    Ok(match (asked.is_empty(), chips) {
        (false, _) => asked.clone(),
        (true, true) => vec![Pass::Population],
        (true, false) => vec![Pass::Propagate, Pass::Backpropagate, Pass::Step],
    })
}

/// The numbers of ranks. Errs where `mpirun` has started another one.
pub(super) fn asked_ranks(arguments: &ScaleArguments) -> Result<Vec<usize>> {
    let mut asked = arguments.ranks.clone();
    asked.sort_unstable();
    asked.dedup();
    let Some(world) = world() else { return Ok(if asked.is_empty() { vec![1] } else { asked }) };
    let there = world.ranks();
    ensure!(arguments.predict.is_empty(), "--predict computes on one process; start it without mpirun");
    ensure!(
        asked.iter().all(|&ranks| ranks == 1 || ranks == there),
        "--ranks {}: mpirun has started {there} ranks; choose 1, {there}, or both",
        words(&asked)
    );
    Ok(if asked.is_empty() { vec![there] } else { asked })
}

fn words(numbers: &[usize]) -> String {
    numbers.iter().map(usize::to_string).collect::<Vec<_>>().join(",")
}

/// What is measured, and what is computed from that.
pub(super) fn split(arguments: &ScaleArguments, cases: Vec<Case>) -> Result<(Vec<Case>, Vec<Case>)> {
    for case in &cases {
        ensure!(
            case.ranks == 1 || case.pass != Pass::Population,
            "--ranks share a batch, and the pass population has chips; leave --ranks out, or population out of --pass"
        );
        predict::share(case)?;
    }
    if arguments.predict.is_empty() {
        return Ok((cases, Vec::new()));
    }
    let several = cases.iter().any(|case| case.ranks > 1);
    ensure!(several, "--predict computes what several ranks would take; say how many: --ranks 8,64,512");
    let mut measured: Vec<Case> = Vec::new();
    for case in &cases {
        for own in [Case { ranks: 1, ..*case }, predict::share(case)?] {
            if !measured.contains(&own) {
                measured.push(own);
            }
        }
    }
    Ok((measured, cases.into_iter().filter(|case| case.ranks > 1).collect()))
}

/// Every combination, small networks first on each curve.
pub(super) fn cases(arguments: &ScaleArguments, engines: &[EngineName], passes: &[Pass], ranks: &[usize]) -> Vec<Case> {
    let sorted = |sizes: &[usize]| {
        let mut sizes = sizes.to_vec();
        sizes.sort_unstable();
        sizes
    };
    let modes = sorted(&arguments.modes);
    let population = if arguments.chips.is_empty() { vec![USUAL_CHIPS] } else { sorted(&arguments.chips) };
    let mut cases = Vec::new();
    for &engine in engines {
        for &pass in passes {
            let chips = if pass == Pass::Population { &population[..] } else { &[1] };
            for &layers in &arguments.layers {
                for &batch in &arguments.batch {
                    for depth in &arguments.depth {
                        let of = |modes: usize, chips: usize| Case {
                            engine,
                            pass,
                            modes,
                            depth: depth.of(modes),
                            layers,
                            batch,
                            chips,
                            ranks: 1,
                        };
                        let all = chips.iter().flat_map(|&chips| modes.iter().map(move |&modes| of(modes, chips)));
                        cases.extend(all.flat_map(|case| ranks.iter().map(move |&ranks| Case { ranks, ..case })));
                    }
                }
            }
        }
    }
    let mut unique: Vec<Case> = Vec::new();
    for case in cases {
        if !unique.contains(&case) {
            unique.push(case);
        }
    }
    unique
}

/// The steps of all cases.
pub(super) fn work(arguments: &ScaleArguments, cases: &[Case]) -> Work {
    let [repeats, warm_up] = [arguments.repeats, arguments.warm_up].map(|count| count as f64);
    let all = cases.iter().map(|case| Work::of_step(case.operations())).reduce(Work::and).unwrap_or_default();
    let (name, most) = if repeats >= warm_up { ("repeats", repeats) } else { ("warm-up", warm_up) };
    all.times(name, most)
}

/// Errs, with all their sizes, where cases make no network or do not fit into memory.
pub(super) fn check(cases: &[Case]) -> Result<()> {
    let available = memory::allowed()?;
    let large: Vec<String> = cases
        .iter()
        .filter(|case| case.bytes() > available)
        .map(|case| format!("{} needs about {}", case.describe(), memory::size(case.bytes())))
        .collect();
    ensure!(
        large.is_empty(),
        "{}; {} are free: choose fewer --modes, --depth, --layers, --chips or a smaller --batch",
        large.join("; "),
        memory::size(available)
    );
    cases.iter().try_for_each(|case| case.network().map(drop).with_context(|| case.describe()))
}
