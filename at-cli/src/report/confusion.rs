//! Which class is taken for which.

use crate::export::heat_map::{Colours, HeatMap, block};
use crate::trained::TrainedChip;
use anyhow::Result;
use at_core::data::Dataset;

/// Answers to samples, counted. Where there are too many classes for a picture, neighbours are counted together.
#[derive(Clone, Debug, PartialEq)]
pub struct Confusion {
    /// Classes that are counted together; 1 where each is by itself.
    pub block: usize,
    blocks: usize,
    /// `[label, answer]`, in blocks.
    counts: Vec<u64>,
    correct: u64,
    samples: u64,
}

impl Confusion {
    /// Of so many classes, without a sample.
    pub fn new(classes: usize) -> Self {
        let block = block(classes, classes);
        let blocks = classes.div_ceil(block);
        Confusion { block, blocks, counts: vec![0; blocks * blocks], correct: 0, samples: 0 }
    }

    /// What `trained`, programmed with `controls`, answers to all test samples.
    pub fn of(trained: &TrainedChip, controls: &[f64]) -> Result<Self> {
        let (run, classes) = (&trained.run, trained.run.data.classes);
        let mut confusion = Confusion::new(classes);
        let readouts = trained.readouts(controls)?;
        for (read, &label) in readouts.chunks(run.network.outputs()).zip(&run.data.test.labels) {
            // of equals the first, as where a training counts
            let answer = (0..classes).rev().max_by(|&a, &b| read[a].total_cmp(&read[b])).unwrap_or(0);
            confusion.add(label as usize, answer);
        }
        Ok(confusion)
    }

    /// Counts a sample of class `label` that was taken for class `answer`.
    pub fn add(&mut self, label: usize, answer: usize) {
        self.counts[label / self.block * self.blocks + answer / self.block] += 1;
        self.correct += u64::from(label == answer);
        self.samples += 1;
    }

    /// Share of the samples that were recognised.
    pub fn accuracy(&self) -> f64 {
        self.correct as f64 / self.samples as f64
    }

    /// Shares of every class's samples (%), as a heat map.
    pub fn map(&self, title: String, data: &Dataset) -> HeatMap {
        let row = |index: usize| &self.counts[index / self.blocks * self.blocks..][..self.blocks];
        let share = |(index, &count): (usize, &u64)| {
            let all: u64 = row(index).iter().sum();
            (all > 0).then(|| 100.0 * count as f64 / all as f64)
        };
        HeatMap {
            title,
            x_label: "recognised as class".into(),
            y_label: "true class".into(),
            scale_label: "share of the class (%)".into(),
            rows: self.blocks,
            columns: self.blocks,
            values: self.counts.iter().enumerate().map(share).collect(),
            colours: Colours::Sequential { low: 0.0, high: 100.0 },
            numbers: self.blocks <= 12,
            names: data.class_names.clone().filter(|_| self.block == 1),
            block: self.block,
            frames: Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::export::sheet::Sheet;
    use at_core::data::{Source, open};

    fn counted(classes: usize, answers: &[(usize, usize)]) -> Confusion {
        let mut confusion = Confusion::new(classes);
        answers.iter().for_each(|&(label, answer)| confusion.add(label, answer));
        confusion
    }

    #[test]
    fn shares_are_of_the_true_class() {
        let data = open("iris", &Source::default()).unwrap();
        let confusion = counted(2, &[(0, 0), (0, 0), (0, 0), (0, 1), (1, 1), (1, 1)]);
        assert_eq!(confusion.map(String::new(), &data).values, [75.0, 25.0, 0.0, 100.0].map(Some));
        assert_eq!(confusion.accuracy(), 5.0 / 6.0);
        assert_eq!(counted(2, &[(0, 0)]).map(String::new(), &data).values[2], None);
    }

    #[test]
    fn very_many_classes_are_counted_in_blocks() {
        let confusion = counted(65_536, &[(0, 0), (1, 0), (65_535, 65_535), (65_535, 3)]);
        assert_eq!((confusion.block, confusion.blocks), (128, 512));
        assert_eq!((confusion.counts[0], confusion.accuracy()), (2, 0.5));
        let data = open("iris", &Source::default()).unwrap();
        let map = confusion.map(String::new(), &data);
        assert_eq!((map.values[0], map.values.last().copied().flatten()), (Some(100.0), Some(50.0)));
        assert!(map.picture(Sheet::default()).svg().len() < 1 << 17);
    }
}
