//! How much `at-adaptive` sends to a chip while it measures: bounds that are known before, of what only misfits decide.

use super::MethodOptions;
use super::learned_model::Design;
use super::measuring::{Budget, Phase, Progress};
use super::probes::Probes;
use crate::Result;
use crate::imperfections::Imperfections;
use crate::network::Network;
use std::convert::Infallible;

/// Samples with which a column is calibrated at every setting, and most settings at which it is: where all heaters answer, and where some may be dead
/// (`calibration/`).
const SAMPLES: usize = 40;
const SETTINGS: usize = 18 + 5 * 24;
const WITH_DEAD: usize = SETTINGS + 36 + 72;

/// Probes that are read twice, at most: of every course, for every attempt to calibrate, and one of so many besides.
const TWICE: usize = 3;
const ONE_OF: usize = 50;

/// What the steps of a run are, as far as the chip sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Measured {
    /// Steps that send probes.
    pub probes: usize,
    /// Probes that are sent once more.
    pub again: usize,
    /// Settings at which columns are read, each with [`Measures::calibrating`] samples.
    pub settings: usize,
    /// Steps that calibrate.
    pub calibrating: usize,
    /// Steps that send batches.
    pub batches: usize,
}

/// What measuring a chip can come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Measures {
    /// Samples of a probe.
    pub samples: usize,
    /// Samples of a setting that calibrates.
    pub calibrating: usize,
    /// Ways a run can go between which every way lies: the chip is found at once, never, or never though it is calibrated as often as there is time.
    pub ways: Vec<Measured>,
}

impl Measures {
    /// Of a run of so many `steps` on a chip of `network`. None where nothing is measured first.
    pub fn of(network: &Network, options: &MethodOptions, steps: usize) -> Result<Option<Self>> {
        let most = options.estimation.measures(network);
        if most == 0 {
            return Ok(None);
        }
        let design = Design::of(network, options)?;
        let calibration = design.steps_of_calibration();
        let budget = Budget { steps: most, calibration, trust: options.estimation.trust_of(network) };
        let probes = Probes::new(&design.network, 0);
        let mut ways = vec![quickest(&budget, steps)];
        let times = calibration.map_or(0, |own| budget.calibrations(own));
        let Imperfections { control, .. } = options.imperfections;
        let settings = if control.dead_shifters > 0.0 { WITH_DEAD } else { SETTINGS };
        for times in [0, times] {
            let calibrating = (times * calibration.unwrap_or_default()).min(steps);
            let probes = most.min(steps) - calibrating.min(most);
            let again = TWICE * (1 + times) + most / ONE_OF;
            let settings = 2 * settings * calibrating;
            ways.push(Measured {
                probes,
                again: again.min(probes),
                settings,
                calibrating,
                batches: steps - probes - calibrating,
            });
        }
        Ok(Some(Measures { samples: probes.samples(), calibrating: SAMPLES, ways }))
    }
}

/// A run whose chip is as its model from the first probe on.
fn quickest(budget: &Budget, steps: usize) -> Measured {
    let mut progress = Progress::new(budget);
    let mut own = Measured::default();
    while progress.phase == Phase::Growing && own.probes < steps {
        let probed = progress.probed(0.0, budget, || Ok::<_, Infallible>(0.0));
        let Ok(()) = probed;
        own.probes += 1;
    }
    own.batches = steps - own.probes;
    own
}
