//! What a data sheet says of a kind of chip: what all its individuals have in common, and so what a digital model may know.
//!
//! A designer knows the mean loss of an MZI, of a waveguide and of a facet, the gain of amplifiers, the mean split of a coupler,
//! how far a heater reaches in how many steps, and where heaters lie, from which follows how much of one's phase another gets.
//! Nobody knows an individual without measuring it: spreads, phase errors, heaters' own gains and bends, dead shifters,
//! the way updates are followed, perturbations, noise and drift are not in a data sheet.

use super::Fabrication;
use crate::Result;
use crate::imperfections::{Draws, Imperfections, Scope};
use crate::network::Network;

impl Imperfections {
    /// These imperfections without all that differs between individuals: loss, splits and shifters as they are on average, and
    /// crosstalk as the floor plan gives it. What its row does not call the kind's is not there.
    pub fn data_sheet(&self) -> Self {
        self.of_scopes(|scope| match scope {
            Scope::Kind => true,
            Scope::Individual | Scope::Chip => false,
        })
    }

    /// These imperfections without those that no model has: from what is left, digital models may be drawn.
    pub fn modelled(&self) -> Self {
        self.of_scopes(|scope| match scope {
            Scope::Kind | Scope::Individual => true,
            Scope::Chip => false,
        })
    }

    /// Nothing but the imperfections that `taken` takes.
    fn of_scopes(&self, taken: fn(Scope) -> bool) -> Self {
        let mut some = Imperfections::NONE;
        Imperfections::TABLE.iter().filter(|own| taken(own.scope)).for_each(|own| own.copy(&mut some, self));
        some
    }

    /// The chip of `network` that the data sheet describes: no individual, so that it needs no seed.
    pub fn typical(&self, network: &Network) -> Result<Fabrication> {
        let sheet = self.data_sheet();
        sheet.build(network, 0, |stage, index| Draws::typical(&sheet, stage, index))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::imperfections::{Control, Passive};
    use crate::network::{Detection, Stage};
    use crate::optics::Mesh;

    fn network() -> Network {
        let mesh = Mesh::rectangular(16).unwrap();
        let detection = Stage::detection(16, Detection::Intensity);
        Network::new(vec![vec![Stage::Mesh(mesh), detection]]).unwrap()
    }

    /// The mean over many individuals is the typical chip, for everything that a chip of this kind has.
    #[test]
    fn the_typical_chip_is_the_mean_of_its_kind() {
        let network = network();
        let passive = Passive {
            splitter_mean: 0.03,
            splitter_split: 0.02,
            propagation_db_cm: 2.0,
            path_imbalance: 0.2,
            facet_db: 1.5,
            ..Passive::NONE
        };
        let control = Control { control_range: 10.0, heater_spread: 0.02, crosstalk: 0.01, ..Control::NONE };
        let kind = Imperfections {
            splitter_angle: 0.02,
            phase: 0.05,
            loss_db: 0.4,
            loss_spread_db: 0.1,
            update_error: 0.1,
            passive,
            control,
            ..Imperfections::NONE
        };
        let typical = kind.typical(&network).unwrap();
        let means = |fabrication: &Fabrication| {
            let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
            let vectors = fabrication.stages[0].get(["first_coupler", "second_coupler", "phases", "loss_db"]);
            let [first_coupler, second_coupler, phases, loss_db] = vectors.unwrap();
            let gains: Vec<f64> = fabrication.control.shifters.iter().map(|shifter| shifter.gain).collect();
            [mean(first_coupler), mean(second_coupler), mean(phases), mean(loss_db), mean(&gains)]
        };
        let mut average = [0.0; 5];
        for seed in 0..40 {
            let individual = kind.fabricate(&network, seed).unwrap();
            assert_eq!(individual.control.coupling, typical.control.coupling, "the floor plan is the design's");
            average.iter_mut().zip(means(&individual)).for_each(|(sum, mean)| *sum += mean / 40.0);
        }
        for (found, expected) in average.iter().zip(means(&typical)) {
            assert!((found - expected).abs() < 2e-3, "{average:?} for {:?}", means(&typical));
        }
        let [loss_db] = typical.stages[0].get(["loss_db"]).unwrap();
        assert!(loss_db.iter().all(|loss| (loss - (0.4 + 0.04 + 3.0 / 16.0)).abs() < 1e-12), "nobody's own");
        assert!(typical.update_error.is_empty());
        assert_eq!(typical, Imperfections { splitter_angle: 0.2, phase: 1.0, ..kind }.typical(&network).unwrap());
    }

    #[test]
    fn an_amplifier_makes_up_for_the_nominal_loss_and_not_for_the_individual_one() {
        let passive = Passive { propagation_db_cm: 2.0, facet_db: 1.5, amplified: true, ..Passive::NONE };
        let kind = Imperfections { loss_db: 0.4, loss_spread_db: 0.1, passive, ..Imperfections::NONE };
        let losses = |fabrication: Fabrication| fabrication.stages[0].get(["loss_db"]).unwrap()[0].to_vec();
        assert!(losses(kind.typical(&network()).unwrap()).iter().all(|loss| loss.abs() < 1e-12));
        let own = losses(kind.fabricate(&network(), 3).unwrap());
        let deviation = (own.iter().map(|loss| loss * loss).sum::<f64>() / own.len() as f64).sqrt();
        assert!((deviation - 0.1).abs() < 0.02, "{deviation}");
    }
}
