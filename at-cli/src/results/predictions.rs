//! The chip's answers to all test samples, and which class is taken for which.

use super::{Learned, Written, table};
use anyhow::Result;
use std::path::Path;

/// More classes make no table that anybody reads: their square is its size.
const MOST_CLASSES: usize = 2000;

/// `predictions.csv` and `confusion.csv`.
pub fn write(learned: &Learned, folder: &Path, written: &mut Vec<Written>, missing: &mut Vec<String>) -> Result<()> {
    let Some(chip) = learned.chip else {
        missing.push("predictions: the chip came from outside and is not here to be asked".into());
        return Ok(());
    };
    let run = learned.run;
    let (data, loss) = (&run.data, &run.plan.training.loss);
    let answers = run.readouts(chip, learned.controls)?;
    let compared = answers.chunks(run.network.outputs()).map(|readout| loss.compared(readout));
    let text = |values: &[f32]| values.iter().map(f32::to_string).collect::<Vec<_>>();
    if let Some(real) = &data.test.real {
        let columns = |word: &str| (0..real.width).map(|k| format!("{word}[{k}]")).collect::<Vec<_>>();
        let heading = [vec!["sample".into()], columns("target"), columns("predicted")].concat();
        let rows = compared.enumerate().map(|(sample, values)| {
            let targets = &real.values[sample * real.width..][..real.width];
            [vec![sample.to_string()], text(targets), text(&values)].concat()
        });
        table(&folder.join("predictions.csv"), &heading, rows)?;
        let what = format!("all {} test samples: targets, and what the chip gives for them", data.test.len());
        written.push(Written { file: "predictions.csv", what });
        return Ok(());
    }
    let classes = data.classes;
    let names: Vec<String> = (0..classes).map(|class| data.class_name(class)).collect();
    let mut counts = vec![0_u64; if classes <= MOST_CLASSES { classes * classes } else { 0 }];
    let mut heading: Vec<String> = ["sample", "class", "predicted"].map(str::to_string).to_vec();
    heading.extend(names.iter().map(|name| format!("logit[{name}]")));
    let rows = compared.zip(&data.test.labels).enumerate().map(|(sample, (logits, &label))| {
        let answer = (0..logits.len()).rev().max_by(|&a, &b| logits[a].total_cmp(&logits[b])).unwrap_or(0);
        if let Some(count) = counts.get_mut(label as usize * classes + answer) {
            *count += 1;
        }
        let named = [sample.to_string(), names[label as usize].clone(), names[answer].clone()];
        named.into_iter().chain(text(&logits)).collect()
    });
    table(&folder.join("predictions.csv"), &heading, rows)?;
    let what =
        format!("all {} test samples: class, predicted class, and the logits of the chip's readout", data.test.len());
    written.push(Written { file: "predictions.csv", what });
    if counts.is_empty() {
        missing.push(format!("confusion: {classes} classes are more than {MOST_CLASSES}"));
        return Ok(());
    }
    let heading: Vec<String> = std::iter::once("class".to_string()).chain(names.iter().cloned()).collect();
    let rows = names
        .iter()
        .zip(counts.chunks(classes))
        .map(|(name, counts)| std::iter::once(name.clone()).chain(counts.iter().map(u64::to_string)).collect());
    table(&folder.join("confusion.csv"), &heading, rows)?;
    written.push(Written {
        file: "confusion.csv",
        what: "a row per class, a column per predicted class: numbers of test samples".into(),
    });
    Ok(())
}
