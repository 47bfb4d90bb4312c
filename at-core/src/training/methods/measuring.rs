//! How far the measuring of a chip is, and what its misfits decide: numbers alone, which a checkpoint keeps.
//!
//! Every probe has new controls and new light, so that the misfit before anything is learned from it is that on samples which were not
//! fitted. Its running mean decides:
//!
//! ```text
//! growing     reach s and rate κ follow a course g from 0 to 1, three times as fast while the misfit is small
//! calibrating where the misfit has not fallen while the reach grew to a half: columns one by one; then growing once more, and calibrating again, if
//!             it has not
//! polishing   at full reach, as long as that brings the misfit down to the trust
//! training    with the estimate, where it explains the readouts, or the chip's own loss falls; with the data sheet's model alone where neither is so
//! ```

use std::f64::consts::PI;

/// The vector of a checkpoint that keeps the state.
pub const MEASURING: &str = "measuring";

/// Probes of a course.
pub const COURSE: usize = 400;

/// Reach at the beginning of a course, and the share of it after which the reach is 1.
const FIRST_REACH: f64 = 0.1;
const GROWTH: f64 = 0.8;

/// Share of the rate that a course ends with.
pub const FINAL_RATE: f64 = 0.05;

/// Misfit below which the course is three times as fast.
const QUICK: f64 = 0.05;

/// Misfit above which the course is slower behind calibrating, and how much: estimates are lost again where the reach grows faster than they become
/// better.
const UNSURE: f64 = 0.2;
const SLOW: f64 = 0.3;

/// How often a chip is calibrated, each time by other light, as long as probes miss it afterwards: where power splits are 0.2 off one of five is lost the first time.
const ATTEMPTS: usize = 3;

/// Where in the course calibrated probes begin: from nearer the bar state they take some of what calibrating has found away again.
const AGAIN: f64 = 0.3;

/// Shares of the course at which a lost estimate is known, each with the share of the first probes' misfit that it keeps: estimates that
/// find the chip are at 0.8 to 0.9 and below 0.3 of it by then, others at 1.1 (three meshes of 64 modes).
const LOOKS: [(f64, f64); 2] = [(0.35, 0.97), (0.6, 0.5)];
const FIRST_PROBES: u64 = 10;

/// Misfit at the end of all measuring above which no estimate is trained with, and that above which none is which calibrating has found: training tells in a few steps whether it
/// is as good as none.
const USELESS: f64 = 0.1;
const HOPELESS: f64 = 0.3;

/// Misfit of batches with which no estimate goes on training for more than so many steps: an estimate can be near the chip where probes are, and far from
/// it where training begins. One that calibrating has found must be as good there as for probes.
const ASTRAY: f64 = 0.5;
const PATIENCE: f64 = 100.0;

/// Share of the loss without light, or of the chip's at the beginning of training if that was greater, below which it learns, whatever its model misses: runs that were given up at a
/// misfit of 0.1 had come to 95 %, some of them before training began.
const LEARNS: f64 = 0.8;

/// Where in the course polishing begins, and what share of the misfit it must take away to be worth another time.
const POLISH: f64 = 0.6;
const WORTH: f64 = 0.05;

/// Share of the trust down to which measuring goes on while that helps: what is found by then trains well.
const FIRM: f64 = 0.1;

/// Weight of a probe in the running mean.
const WEIGHT: f64 = 0.2;

/// What the next step does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Phase {
    /// A probe of growing reach.
    Growing,
    /// Two columns of a chip whose errors may be anything.
    Calibrating,
    /// The batch at the trained controls, and the estimate learns along.
    Training,
    /// The batch at the trained controls, without an estimate.
    OutputOnly,
}

impl Phase {
    const ALL: [Phase; 4] = [Phase::Growing, Phase::Calibrating, Phase::Training, Phase::OutputOnly];
}

/// How an estimate of a chip stands, as a checkpoint tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// The chip is still measured, and much of the estimate is not begun.
    Measuring,
    /// The controls train with it.
    InUse,
    /// It was put away.
    GivenUp,
}

impl Standing {
    /// From the vector [`MEASURING`] of a checkpoint. None where it is none.
    pub fn of(saved: &[f64]) -> Option<Self> {
        (saved.len() == Progress::LEN).then(|| match Progress::restored(saved).phase {
            Phase::Growing | Phase::Calibrating => Standing::Measuring,
            Phase::Training => Standing::InUse,
            Phase::OutputOnly => Standing::GivenUp,
        })
    }
}

/// The state.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// What the next step does.
    pub phase: Phase,
    /// g, from 0 to 1.
    pub course: f64,
    /// Probes that were sent.
    pub probes: u64,
    /// Steps that measured before training, and those before the present course.
    pub spent: usize,
    began: usize,
    /// Steps that calibrated.
    pub calibrated: usize,
    /// Running mean of the misfit: of probes.
    pub misfit: f64,
    /// The misfit that the present course began with; in training the chip's loss at its beginning, or that without light.
    first: f64,
    /// The misfit that the last polishing began with; in training the running mean of the chip's loss; none yet.
    before: Option<f64>,
    /// Misfit between two readouts of the same probe: what noise makes of it.
    pub noise: f64,
}

/// What a run can spend.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Steps that measure, at most.
    pub steps: usize,
    /// Steps that calibrating takes; none where columns of the network cannot be read.
    pub calibration: Option<usize>,
    /// τ.
    pub trust: f64,
}

impl Budget {
    /// Steps that probes take before calibrating can begin, and those that it leaves them.
    fn probes(&self) -> [usize; 2] {
        let course = COURSE.min(self.steps);
        [(LOOKS[0].0 * course as f64) as usize, course / 4]
    }

    /// How often there is time to calibrate, which takes so many `steps`, at most.
    pub fn calibrations(&self, steps: usize) -> usize {
        self.steps.saturating_sub(self.probes().iter().sum()).checked_div(steps).unwrap_or_default().min(ATTEMPTS)
    }

    /// Whether there is no time to calibrate, which takes so many `steps`.
    pub fn is_short_of(&self, steps: usize) -> bool {
        self.probes().iter().sum::<usize>() + steps > self.steps
    }
}

impl Progress {
    /// Reals of the saved form.
    pub const LEN: usize = 10;

    /// At the beginning of a run that measures with `budget`.
    pub fn new(budget: &Budget) -> Self {
        Progress {
            phase: if budget.steps == 0 { Phase::Training } else { Phase::Growing },
            course: 0.0,
            probes: 0,
            spent: 0,
            began: 0,
            calibrated: 0,
            misfit: 0.0,
            first: 0.0,
            before: None,
            noise: 0.0,
        }
    }

    /// As a checkpoint keeps it.
    pub fn saved(&self) -> [f64; Self::LEN] {
        let phase = Phase::ALL.iter().position(|phase| *phase == self.phase).unwrap_or_default();
        let counts = [phase, self.spent, self.began, self.calibrated].map(|count| count as f64);
        let [phase, spent, began, calibrated] = counts;
        let before = self.before.unwrap_or(-1.0);
        [phase, self.course, self.probes as f64, spent, began, calibrated, self.misfit, self.first, before, self.noise]
    }

    /// From the saved form.
    pub fn restored(saved: &[f64]) -> Self {
        Progress {
            phase: Phase::ALL[(saved[0] as usize).min(Phase::ALL.len() - 1)],
            course: saved[1],
            probes: saved[2] as u64,
            spent: saved[3] as usize,
            began: saved[4] as usize,
            calibrated: saved[5] as usize,
            misfit: saved[6],
            first: saved[7],
            before: (saved[8] >= 0.0).then_some(saved[8]),
            noise: saved[9],
        }
    }

    /// The next step measures.
    pub fn measures(&self) -> bool {
        matches!(self.phase, Phase::Growing | Phase::Calibrating)
    }

    /// s of the next probe.
    pub fn reach(&self) -> f64 {
        (FIRST_REACH + (1.0 - FIRST_REACH) * self.course / GROWTH).min(1.0)
    }

    /// κ of the next probe as a share of the first.
    pub fn rate(&self) -> f64 {
        FINAL_RATE + (1.0 - FINAL_RATE) * 0.5 * (1.0 + (PI * self.course.min(1.0)).cos())
    }

    /// Takes `misfit` into the running mean, which begins with it.
    pub fn hear(&mut self, misfit: f64) {
        self.misfit = if self.misfit == 0.0 { misfit } else { (1.0 - WEIGHT) * self.misfit + WEIGHT * misfit };
    }

    fn probes_of_course(&self) -> u64 {
        (self.spent - self.began) as u64
    }

    /// The misfit that does not speak against the estimate.
    pub fn bearable(&self, trust: f64) -> f64 {
        trust.max(3.0 * self.noise)
    }

    /// A probe has missed by `misfit`. `noise` asks how far two readouts of it lie apart, where that matters.
    pub fn probed<Error>(
        &mut self,
        misfit: f64,
        budget: &Budget,
        noise: impl FnOnce() -> Result<f64, Error>,
    ) -> Result<(), Error> {
        self.hear(misfit);
        self.probes += 1;
        self.spent += 1;
        let length = COURSE.min(budget.steps - self.began) as f64;
        if self.probes_of_course() <= FIRST_PROBES {
            self.first = self.misfit;
        }
        let before = self.course;
        let pace = match self.misfit {
            misfit if misfit < QUICK => 3.0,
            misfit if misfit > UNSURE && self.calibrated > 0 => SLOW,
            _ => 1.0,
        };
        self.course += pace / length;
        let look = LOOKS.into_iter().find(|(at, _)| before < *at && self.course >= *at);
        let ended = self.course > 1.0 - 0.5 / length || self.spent >= budget.steps;
        if look.is_none() && !ended {
            return Ok(());
        }
        if self.misfit > FIRM * budget.trust {
            self.noise = noise()?;
        }
        let kept = look.map_or(0.0, |(_, kept)| kept);
        let lost = self.misfit > (kept * self.first).max(self.bearable(budget.trust)).max(self.useless());
        let fits =
            |steps| self.calibrated < ATTEMPTS * steps && self.spent + steps + budget.probes()[1] <= budget.steps;
        if lost && budget.calibration.is_some_and(fits) {
            self.phase = Phase::Calibrating;
        } else if ended {
            self.judge(budget);
        }
        Ok(())
    }

    /// The misfit of probes above which an estimate is of no use.
    fn useless(&self) -> f64 {
        if self.calibrated > 0 { HOPELESS } else { USELESS }
    }

    /// The course is over, or the budget.
    fn judge(&mut self, budget: &Budget) {
        let good = self.misfit <= self.bearable(FIRM * budget.trust);
        let useful = self.misfit < self.useless().max(self.bearable(budget.trust));
        let better = self.before.is_none_or(|before| self.misfit < (1.0 - WORTH) * before);
        if !good && better && self.misfit < 0.5 * self.first.max(2.0 * USELESS) && self.spent < budget.steps {
            self.before = Some(self.misfit);
            self.course = POLISH;
            return;
        }
        (self.phase, self.course) = (if useful { Phase::Training } else { Phase::OutputOnly }, 0.0);
        (self.first, self.before) = (0.0, None);
    }

    /// A batch was missed by `misfit` in training, of which the chip had so much `loss`. Its course counts the steps with an estimate that has gone astray, after which it is given
    /// up, while the chip does not learn. `dark` asks for the loss of readouts without light, where that matters.
    pub fn trained<Error>(
        &mut self,
        misfit: f64,
        loss: f64,
        budget: &Budget,
        dark: impl FnOnce() -> Result<f64, Error>,
    ) -> Result<(), Error> {
        self.hear(misfit);
        if self.before.is_none() {
            self.first = loss.max(dark()?);
        }
        let mean = self.before.map_or(loss, |mean| (1.0 - WEIGHT) * mean + WEIGHT * loss);
        self.before = Some(mean);
        let most = if self.calibrated > 0 { USELESS } else { ASTRAY };
        let astray = self.misfit > most.max(self.bearable(budget.trust));
        let learns = mean < LEARNS * self.first;
        self.course = if astray && !learns { self.course + 1.0 } else { 0.0 };
        if self.course > PATIENCE && budget.steps > 0 {
            self.phase = Phase::OutputOnly;
        }
        Ok(())
    }

    /// A step of all that `budget` has for it has calibrated; behind the last probes grow once more.
    pub fn calibrated(&mut self, budget: &Budget) {
        self.calibrated += 1;
        self.spent += 1;
        if budget.calibration.is_none_or(|steps| self.calibrated.is_multiple_of(steps)) {
            (self.phase, self.course, self.began, self.misfit) = (Phase::Growing, AGAIN, self.spent, 0.0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::convert::Infallible;

    const BUDGET: Budget = Budget { steps: 480, calibration: Some(96), trust: 0.01 };

    /// The phases in their order, and the steps in each, of a run whose probes miss by what `misfit` says.
    fn course(budget: &Budget, noise: f64, misfit: impl Fn(&Progress) -> f64) -> Vec<(Phase, usize)> {
        let mut progress = Progress::new(budget);
        let mut phases: Vec<(Phase, usize)> = vec![];
        for _ in 0..2 * budget.steps {
            match phases.last_mut() {
                Some((phase, steps)) if *phase == progress.phase => *steps += 1,
                _ => phases.push((progress.phase, 1)),
            }
            match progress.phase {
                Phase::Growing => {
                    let now = misfit(&progress);
                    progress.probed(now, budget, || Ok::<_, Infallible>(noise)).unwrap();
                }
                Phase::Calibrating => progress.calibrated(budget),
                Phase::Training | Phase::OutputOnly => break,
            }
            assert_eq!(Progress::restored(&progress.saved()), progress);
        }
        phases
    }

    #[test]
    fn how_an_estimate_stands_is_read_from_a_checkpoint() {
        let standing = |phase| Standing::of(&Progress { phase, ..Progress::new(&BUDGET) }.saved());
        let standings = Phase::ALL.map(|phase| standing(phase).unwrap());
        assert_eq!(standings, [Standing::Measuring, Standing::Measuring, Standing::InUse, Standing::GivenUp]);
        assert_eq!(Standing::of(&[1.0]), None);
    }

    #[test]
    fn what_is_found_is_trained_with_and_sooner_where_it_is_found_sooner() {
        let at_once = course(&BUDGET, 0.0, |_| 0.001);
        assert_eq!(at_once, [(Phase::Growing, 134), (Phase::Training, 1)]);
        let late =
            course(&BUDGET, 0.0, |progress| if progress.course < 0.5 { 0.5 - 0.2 * progress.course } else { 0.001 });
        assert!(matches!(late[..], [(Phase::Growing, 230..350), (Phase::Training, 1)]), "{late:?}");
    }

    #[test]
    fn what_is_not_found_is_calibrated_as_often_as_there_is_time_and_then_given_up() {
        let never = course(&BUDGET, 0.0, |_| 0.9);
        let [
            (Phase::Growing, 140),
            (Phase::Calibrating, 96),
            (Phase::Growing, between),
            (Phase::Calibrating, 96),
            (Phase::Growing, after),
            (Phase::OutputOnly, 1),
        ] = never[..]
        else {
            panic!("{never:?}")
        };
        assert!(140 + 96 + between + 96 + after <= BUDGET.steps);
        let attempts = course(&Budget { steps: 9600, ..BUDGET }, 0.0, |_| 0.9);
        let calibrating = |own: &&(Phase, usize)| own.0 == Phase::Calibrating;
        assert_eq!(attempts.iter().filter(calibrating).count(), ATTEMPTS, "{attempts:?}");
        let long = course(
            &Budget { steps: 960, ..BUDGET },
            0.0,
            |progress| {
                if progress.calibrated > 96 { 0.005 } else { 0.9 }
            },
        );
        assert_eq!(long.iter().filter(calibrating).count(), 2, "the second time it is found: {long:?}");
        assert!(Budget { steps: 200, ..BUDGET }.is_short_of(96) && !BUDGET.is_short_of(96));
        let short = course(&Budget { steps: 200, ..BUDGET }, 0.0, |_| 0.9);
        assert_eq!(short, [(Phase::Growing, 200), (Phase::OutputOnly, 1)], "no time for all columns");
        let found = course(&BUDGET, 0.0, |progress| if progress.calibrated > 0 { 0.005 } else { 0.9 });
        assert_eq!(found.last(), Some(&(Phase::Training, 1)));
        let none = course(&Budget { calibration: None, ..BUDGET }, 0.0, |_| 0.9);
        assert_eq!(none, [(Phase::Growing, 400), (Phase::OutputOnly, 1)]);
    }

    #[test]
    fn noise_is_no_fault_of_the_estimate() {
        assert_eq!(course(&BUDGET, 0.4, |_| 0.8), [(Phase::Growing, 400), (Phase::Training, 1)]);
    }

    #[test]
    fn polishing_goes_on_while_it_helps() {
        let ends = |misfit: fn(&Progress) -> f64| {
            let phases = course(&Budget { calibration: None, steps: 2000, ..BUDGET }, 0.0, misfit);
            assert_eq!(phases.last(), Some(&(Phase::Training, 1)), "{phases:?}");
            phases[0].1
        };
        assert_eq!(ends(|_| 0.08), 400 + 160, "once more in vain");
        let helped = ends(|progress| 0.29 * 0.996f64.powi(progress.probes as i32));
        assert!((481..2000).contains(&helped), "{helped}");
    }

    #[test]
    fn an_estimate_that_misses_what_it_trains_is_given_up_and_noise_is_not_its_fault() {
        let given_up = |calibrated: usize, noise: f64, misfit: fn(usize) -> f64| {
            let mut progress = Progress { phase: Phase::Training, noise, calibrated, ..Progress::new(&BUDGET) };
            (0..300)
                .for_each(|step| progress.trained(misfit(step), 2.3, &BUDGET, || Ok::<_, Infallible>(2.3)).unwrap());
            progress.phase == Phase::OutputOnly
        };
        assert!(given_up(0, 0.0, |_| 0.6) && !given_up(0, 0.3, |_| 0.6) && !given_up(0, 0.0, |_| 0.4));
        assert!(given_up(96, 0.0, |_| 0.4) && !given_up(96, 0.2, |_| 0.4) && !given_up(96, 0.0, |_| 0.05));
        assert!(!given_up(0, 0.0, |step| if step % 50 < 10 { 0.1 } else { 0.9 }), "it comes back");
    }

    #[test]
    fn an_estimate_with_which_the_chip_learns_is_kept_whatever_it_misses() {
        let given_up = |loss: fn(usize) -> f64| {
            let mut progress = Progress { phase: Phase::Training, calibrated: 96, ..Progress::new(&BUDGET) };
            for step in 0..600 {
                progress.trained(0.15, loss(step), &BUDGET, || Ok::<_, Infallible>(2.3)).unwrap();
                assert_eq!(Progress::restored(&progress.saved()), progress);
            }
            progress.phase == Phase::OutputOnly
        };
        assert!(!given_up(|step| 2.3 - 0.02 * step.min(100) as f64), "it learns in time");
        assert!(given_up(|step| 2.3 + 0.1 * (step % 3) as f64), "it does not");
        assert!(!given_up(|_| 1.5), "it had learned before, as a run at 94.95 % had that was given up");
        assert!(given_up(|step| if (50..200).contains(&step) { 0.5 } else { 2.3 }), "it did");
    }

    #[test]
    fn without_steps_to_measure_training_begins_at_once() {
        assert_eq!(Progress::new(&Budget { steps: 0, ..BUDGET }).phase, Phase::Training);
    }

    #[test]
    fn reach_grows_to_one_and_the_rate_falls() {
        let at = |course: f64| Progress { course, ..Progress::new(&BUDGET) };
        assert!((at(0.0).reach() - FIRST_REACH).abs() < 1e-12 && at(GROWTH).reach() == 1.0 && at(1.0).reach() == 1.0);
        assert!((at(0.0).rate() - 1.0).abs() < 1e-12 && (at(1.0).rate() - FINAL_RATE).abs() < 1e-12);
        assert!(at(0.4).reach() < at(0.5).reach() && at(0.4).rate() > at(0.5).rate());
    }
}
