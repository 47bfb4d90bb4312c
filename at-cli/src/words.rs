//! Small notations inside settings: `adam:0.9:0.999:1e-8`, `step:10:0.5`, `cross-entropy`.

use anyhow::{Context, Result, anyhow, ensure};
use at_core::engine::{Optimizer, Schedule};
use at_core::training::Initialization;
use serde::de::DeserializeOwned;
use serde::de::value::{Error, StrDeserializer};

/// A word that stands for a variant of `T`.
pub fn word<T: DeserializeOwned>(name: &str, text: &str) -> Result<T> {
    T::deserialize(StrDeserializer::<Error>::new(text)).map_err(|error| anyhow!("{name} = {text:?}: {error}"))
}

/// `sgd`, `momentum[:KEEP]`, `adam[:BETA1:BETA2:EPSILON]`.
pub fn optimizer(text: &str) -> Result<Optimizer> {
    let (kind, numbers) = numbers("optimizer", text)?;
    let optimizer = match (kind, &numbers[..]) {
        ("sgd", []) => Optimizer::Sgd,
        ("momentum", []) => Optimizer::Momentum { momentum: 0.9 },
        ("momentum", &[momentum]) => Optimizer::Momentum { momentum },
        ("adam", []) => Optimizer::ADAM,
        ("adam", &[beta1, beta2, epsilon]) => Optimizer::Adam { beta1, beta2, epsilon },
        _ => return Err(anyhow!("optimizer = {text:?}: write sgd, momentum[:KEEP] or adam[:BETA1:BETA2:EPSILON]")),
    };
    optimizer.validate().with_context(|| format!("optimizer = {text:?}"))?;
    Ok(optimizer)
}

/// `constant`, `cosine`, `step:EVERY:FACTOR`.
pub fn schedule(text: &str) -> Result<Schedule> {
    let (kind, numbers) = numbers("schedule", text)?;
    match (kind, &numbers[..]) {
        ("constant", []) => Ok(Schedule::Constant),
        ("cosine", []) => Ok(Schedule::Cosine),
        ("step", &[every, factor]) => {
            ensure!(every >= 1.0 && every.fract() == 0.0, "schedule = {text:?}: EVERY is a number of epochs, from 1");
            ensure!(factor > 0.0 && factor.is_finite(), "schedule = {text:?}: FACTOR must be positive");
            Ok(Schedule::Step { every: every as usize, factor })
        }
        _ => Err(anyhow!("schedule = {text:?}: write constant, cosine or step:EVERY:FACTOR")),
    }
}

/// `fan-in`, `normal:WEIGHT:BIAS`, `demonstration`.
pub fn initialization(text: &str) -> Result<Initialization> {
    let initialization = match numbers("initialization", text)? {
        ("fan-in", numbers) if numbers.is_empty() => Initialization::FanIn,
        ("demonstration", numbers) if numbers.is_empty() => Initialization::Demonstration,
        ("normal", numbers) if numbers.len() == 2 => Initialization::Normal { weight: numbers[0], bias: numbers[1] },
        _ => return Err(anyhow!("initialization = {text:?}: write fan-in, normal:WEIGHT:BIAS or demonstration")),
    };
    initialization.validate().with_context(|| format!("initialization = {text:?}"))?;
    Ok(initialization)
}

/// `word:1:2.5` as a word and its numbers.
fn numbers<'a>(name: &str, text: &'a str) -> Result<(&'a str, Vec<f64>)> {
    let mut parts = text.split(':');
    let kind = parts.next().unwrap_or_default();
    let number = |part: &str| part.parse().with_context(|| format!("{name} = {text:?}: {part:?} is no number"));
    Ok((kind, parts.map(number).collect::<Result<_>>()?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use at_core::engine::Reduction;

    #[test]
    fn notations_mean_what_they_say() {
        assert_eq!(optimizer("adam").unwrap(), Optimizer::ADAM);
        assert_eq!(optimizer("momentum:0.5").unwrap(), Optimizer::Momentum { momentum: 0.5 });
        assert_eq!(schedule("step:10:0.5").unwrap(), Schedule::Step { every: 10, factor: 0.5 });
        assert_eq!(word::<Reduction>("loss-reduction", "sum").unwrap(), Reduction::Sum);
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in ["adamw", "adam:0.9", "adam:2:0.9:1e-8", "momentum:x", "sgd:1", ""] {
            assert!(optimizer(text).is_err(), "{text}");
        }
        for text in ["step", "step:0:0.5", "step:2.5:0.5", "step:2:-1", "step:2:NaN", "cosin"] {
            assert!(schedule(text).is_err(), "{text}");
        }
        let error = word::<Reduction>("loss-reduction", "total").unwrap_err().to_string();
        assert!(error.contains("loss-reduction") && error.contains("mean"), "{error}");
    }
}
