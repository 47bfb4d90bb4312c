//! The chips of a plan: which they are, what is known of them, where their controls start.

use super::{Plan, Share};
use crate::methods;
use crate::settings::chips;
use anyhow::{Result, anyhow, ensure};
use at_core::chip::TapNoise;
use at_core::fabrication::{Fabrication, demonstration, disagreements};
use at_core::network::Network;
use at_core::ranks::require_tiles;
use at_core::training::methods::DigitalModel;
use at_core::training::{DigitalStep, MethodName, initial_controls};
use at_core::turns::turn_first;

impl Plan {
    /// Chips that are trained with one digital model by `at`; 1 where the chip is alone.
    pub fn fleet(&self) -> usize {
        self.settings.share_model.unwrap_or(1)
    }

    pub(super) fn check_fleet(&self) -> Result<()> {
        let chips = self.fleet();
        ensure!(chips > 0, "share-model = 0 is not valid: must be at least 1");
        let last = self.settings.chip_seed.unwrap_or_default().checked_add(chips as u64 - 1);
        ensure!(
            last.is_some_and(|last| i64::try_from(last).is_ok()),
            "share-model = {chips}: no seeds for so many chips"
        );
        if chips == 1 || !self.methods.contains(&MethodName::At) {
            return Ok(());
        }
        ensure!(
            !self.settings.has_chip_files(),
            "share-model trains chips --chip-seed on, but a file holds one; drop --chip-file or --chip-errors"
        );
        ensure!(
            self.options.digital_step == DigitalStep::Matched,
            "digital-step = as-published follows one chip's update errors, but share-model has {chips}; choose matched"
        );
        Ok(())
    }

    /// What trains the first epochs leaves some to the methods, and is another one than they.
    pub(super) fn check_preparation(&self) -> Result<()> {
        let Some(preparation) = self.options.prepare else { return Ok(()) };
        preparation.check(self.training.epochs)?;
        self.methods.iter().try_for_each(|&method| preparation.admits(method))?;
        ensure!(
            self.fleet() == 1 || !self.methods.contains(&MethodName::At),
            "prepare = {preparation} prepares one chip, but share-model trains {} with one model; drop one of the two, or --start-from \
             what another run has trained",
            self.fleet()
        );
        Ok(())
    }

    /// What ranks cannot share by tiles.
    pub(super) fn check_share(&self) -> Result<()> {
        if self.share == Share::Batch {
            return Ok(());
        }
        ensure!(self.fleet() == 1, "share-model trains several chips, and ranks share the tiles of one; drop --share");
        self.methods.iter().try_for_each(|&name| Ok(require_tiles(methods::facts(name))?))
    }

    /// What a chip from outside does not go together with.
    pub(super) fn check_outside(&self) -> Result<()> {
        let settings = &self.settings;
        if !settings.has_outside_chip() {
            let about =
                [("chip-park", settings.chip_park.is_some()), ("chip-timeout", settings.chip_timeout.is_some())];
            let remedy = "is about a chip from outside; pass --chip-command or --chip-address, or drop it";
            return about.into_iter().filter(|about| about.1).try_for_each(|(name, _)| Err(anyhow!("{name} {remedy}")));
        }
        ensure!(!settings.has_chip_files(), "the chip comes from outside, and from files too; drop one of the two");
        ensure!(self.fleet() == 1, "share-model trains several chips, and one comes from outside; drop --share-model");
        ensure!(
            self.options.digital_step == DigitalStep::Matched,
            "digital-step = as-published follows the chip's update errors, which nobody knows of a chip from outside; choose \
             matched"
        );
        Ok(())
    }

    /// The noise of the detectors at the phase shifters of chip number `seed`.
    pub fn tap_noise(&self, seed: u64) -> TapNoise {
        TapNoise { spread: self.settings.tap_noise.unwrap_or_default(), seed }
    }

    /// The kind of chip.
    pub fn chip(&self) -> &str {
        self.settings.chip.as_deref().unwrap_or_default()
    }

    /// What the chip has of imperfections, for people, and a note where some of its elements have none; errs where a kind of chip would be ideal without anybody having asked.
    pub fn imperfections_of(&self, network: &Network) -> Result<(String, Option<String>)> {
        if self.settings.has_outside_chip() {
            return Ok(("as it is".to_string(), None));
        }
        let files = self.settings.chip_errors.as_deref().unwrap_or_default().iter().chain(&self.settings.chip_file);
        let files: Vec<String> = files.map(|file| file.display().to_string()).collect();
        if let Some(file) = self.settings.measured_chip() {
            let (rest, _) = chips::effective(self.chip(), &self.imperfections, network)?;
            return Ok((format!("what was measured in {}; of the rest {rest}", file.display()), None));
        }
        match files.is_empty() {
            false => Ok((format!("as in {}", files.join(", ")), None)),
            true => chips::effective(self.chip(), &self.imperfections, network),
        }
    }

    /// The controls from which every method starts.
    pub fn initial_controls(&self, network: &Network) -> at_core::Result<Vec<f64>> {
        let Some(kept) = &self.files.controls else {
            return initial_controls(network, self.training.seed, &self.initialization);
        };
        let mut controls = kept.to_vec();
        let first = self.settings.chip_seed.unwrap_or_default();
        let chips = (first..first + self.fleet() as u64).map(|seed| self.fabricate(network, seed));
        let models = [self.options.known(network), self.imperfections.fabricate(network, first)];
        let all = chips.chain(models).collect::<at_core::Result<Vec<_>>>()?;
        turn_first(network, &all.iter().collect::<Vec<_>>(), &mut controls).map_err(|error| {
            let file = self.settings.start_from.clone().unwrap_or_default();
            at_core::Error::malformed(file, error.to_string())
        })?;
        Ok(controls)
    }

    /// The chip number `seed`, or the one of a file; of one from outside, what is known of its kind.
    pub fn fabricate(&self, network: &Network, seed: u64) -> at_core::Result<Fabrication> {
        if self.settings.has_outside_chip() {
            return self.options.known(network);
        }
        if let Some(chip) = &self.files.chip {
            return Ok(Fabrication::clone(chip));
        }
        let mut chip = match self.chip() {
            chips::DEMONSTRATION => demonstration(&self.imperfections, network, seed),
            _ => self.imperfections.fabricate(network, seed),
        }?;
        self.files.measured.as_ref().map_or(Ok(()), |measured| measured.put_on(network, &mut chip))?;
        Ok(chip)
    }

    /// Where the data sheet that digital models know says other things than the chip of files.
    pub(super) fn disagreement(&self, network: &Network) -> Result<Option<String>> {
        let Some(chip) = &self.files.chip else { return Ok(None) };
        let informed = self.options.digital_model == DigitalModel::DataSheet;
        if !(informed && self.methods.iter().any(|&method| methods::facts(method).model.knows_the_kind())) {
            return Ok(None);
        }
        let columns = network.meshes().map(|mesh| mesh.columns().len()).max().unwrap_or(1);
        let differing = disagreements(network, &self.options.known(network)?, chip, columns);
        let kind = self.chip();
        let remedy = "choose the --chip that it is of, or describe it with --data-sheet";
        Ok((!differing.is_empty()).then(|| {
            format!(
                "digital models know the data sheet of chip {kind}, and the chip from files has {}; {remedy}",
                differing.join(", ")
            )
        }))
    }
}
