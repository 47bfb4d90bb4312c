//! The gain of the loss where it is left to the program.

use super::Plan;
use crate::memory::Need;
use crate::settings::LossGain;
use anyhow::{Context, Result};
use at_core::cpu::Cpu;
use at_core::data::{Dataset, epoch_order};
use at_core::engine::LossKind;
use at_core::imperfections::Imperfections;
use at_core::network::Network;
use at_core::training::gain::{SAMPLES, first_logits, unsaturated_gain};
use at_core::training::initial_controls;

/// The number of the chip that stands for its kind, beside those that people count from 1 on.
const TYPICAL: u64 = i64::MAX as u64;

impl Plan {
    /// Puts a number in the place of `auto`, the same for all methods and chips: by the first samples of the first epoch, through the
    /// model of the data sheet and through one chip of the kind, not the one that is trained. Controls are the first ones of the run's seed, also
    /// where a training starts from a file: those were trained at such a gain. Errors of real targets are as large as targets are:
    /// there it is 1.
    pub(super) fn choose_gain(&mut self, network: &Network, data: &Dataset) -> Result<()> {
        if self.settings.loss_gain != Some(LossGain::Auto) {
            return Ok(());
        }
        let loss = self.training.loss;
        let gain = match loss.kind {
            LossKind::MeanSquare => 1.0,
            LossKind::CrossEntropy => {
                let mut need = Need::default();
                need.fixed("the first logits (loss-gain auto)", bytes(network));
                need.check_or("choose a smaller --network, or pass --loss-gain as a number")?;
                let mut first = epoch_order(data.train.len(), self.training.seed, 0);
                first.truncate(SAMPLES);
                let encoded = self.encoding.encode(&data.train.select(&first), data.image)?;
                let encoded = if network.input().complex { encoded.into_complex() } else { encoded };
                let controls = initial_controls(network, self.training.seed, &self.initialization)?;
                let known = self.options.known(network)?;
                // what is mixed on the way is no matter of a kind: a chip that is read from a file gets the gain with which it was drawn
                let kind = Imperfections { perturbation: 0.0, ..self.imperfections };
                let built = kind.fabricate(network, TYPICAL)?;
                let all = [&known, &built];
                unsaturated_gain(&Cpu::<f64>::new(), network, &all, &controls, &encoded.signals, &loss)
                    .context("loss-gain auto")?
            }
        };
        self.training.loss.gain = gain;
        self.settings.loss_gain = Some(LossGain::Number(gain));
        self.chosen_gain = Some(match loss.kind {
            LossKind::CrossEntropy if gain < 1.0 => {
                let size = first_logits(network);
                format!("{gain}, at which the first logits have a root mean square of {size:.2} (loss-gain auto)")
            }
            LossKind::CrossEntropy => format!("{gain}: the first logits are small (loss-gain auto)"),
            LossKind::MeanSquare => format!("{gain}: values are met as they are (loss-gain auto)"),
        });
        Ok(())
    }
}

/// What a chip in f64 takes beside its controls, where it is drawn and where it is computed.
fn bytes(network: &Network) -> f64 {
    8.0 * (4.0 * network.controls() as f64 + 2.0 * network.imperfections() as f64)
}
