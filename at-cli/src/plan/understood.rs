//! Words and numbers of settings that have been understood, each by itself.

use crate::settings::RunSettings;
use crate::{methods, names};
use anyhow::{Result, anyhow, bail, ensure};
use at_core::data::{DatasetName, own_files};
use at_core::training::methods::Transfer;
use at_core::training::methods::dat::DatOptions;
use at_core::training::{MethodName, Score};

/// What results are judged by: of real targets R² unless another score is asked for.
pub fn score(settings: &RunSettings) -> Result<Score> {
    let real = settings.target_columns.is_some();
    ensure!(
        !real || settings.label_column.is_none(),
        "target-columns are real values and label-column holds classes: a table is learned for one of them; drop the other"
    );
    let Some(text) = &settings.score else { return Ok(if real { Score::RSquared } else { Score::Accuracy }) };
    let score: Score = text.parse()?;
    ensure!(
        score.is_of_classes() != real,
        "score = {score} is not valid: {}",
        if real {
            "it counts classes, but --target-columns are real; choose r-squared or mean-square-error"
        } else {
            "it judges real targets; name their columns with --target-columns, or choose accuracy"
        }
    );
    Ok(score)
}

/// What is particular to dual adaptive training.
pub fn dat(settings: &RunSettings) -> Result<DatOptions> {
    let mut options = DatOptions::default();
    if let Some(maps) = &settings.dat_maps {
        options.maps =
            maps[..].try_into().map_err(|_| anyhow!("dat-maps = {maps:?}: write three numbers, as 4,8,16"))?;
    }
    options.warm_up = settings.dat_warm_up.unwrap_or(options.warm_up);
    options.rate = settings.dat_rate.unwrap_or(options.rate);
    options.joint = settings.dat_joint.unwrap_or(options.joint);
    Ok(options)
}

/// How the fast array of `tiki-taka` goes into the slow one.
pub fn transfer(settings: &RunSettings) -> Transfer {
    let usual = Transfer::default();
    Transfer {
        every: settings.transfer_every.unwrap_or(usual.every),
        rate: settings.transfer_rate.unwrap_or(usual.rate),
        decay: settings.fast_decay.unwrap_or(usual.decay),
        threshold: settings.transfer_threshold.unwrap_or(usual.threshold),
    }
}

/// Files and folders are looked at when they are opened; what is neither a name nor a path is a typing error.
pub fn known_dataset(text: &str) -> Result<()> {
    let known = DatasetName::ALL.map(DatasetName::as_str);
    if known.contains(&text) || own_files::is_path(text) {
        return Ok(());
    }
    ensure!(!own_files::ends_like_a_file(text), "dataset {text}: there is no such file");
    bail!(
        "{}; or a path of your own: a table, npz, npy, or a folder with train.csv and test.csv",
        names::unknown("dataset", text, known)
    )
}

/// Methods, none of them twice.
pub fn each_once(texts: &[String]) -> Result<Vec<MethodName>> {
    let mut each = Vec::new();
    for text in texts {
        let method = methods::find(text)?;
        ensure!(!each.contains(&method), "method {text} is named twice");
        each.push(method);
    }
    let known = MethodName::ALL;
    let known: Vec<&str> = known.iter().map(MethodName::as_str).collect();
    ensure!(!each.is_empty(), "method is empty; known: {}", known.join(", "));
    Ok(each)
}
