//! How long work still takes: a time that counts down, and does not jump with every step that was faster or slower.

/// The pace follows what was measured within so many seconds.
const PACE: f64 = 20.0;

/// What the pace says may differ from the time that counts down by this share before that one follows.
const TRUST: f64 = 0.25;

/// It follows within this share of itself, and within no less than so many seconds.
const FOLLOWS: f64 = 0.2;
const AT_ONCE: f64 = 2.0;

/// Before so many steps the pace is hardly known, and what it says is told as it is.
const FEW: f64 = 10.0;

/// Work in steps of about the same size.
#[derive(Clone, Copy, Debug, Default)]
pub struct Eta {
    /// Seconds and steps measured, older ones with less and less weight.
    measured: (f64, f64),
    /// Steps measured, all with the same.
    steps: f64,
    /// When a step was last known to be over (seconds), and the steps that were left then.
    over: Option<(f64, f64)>,
    /// When it was last asked.
    asked: f64,
    /// The seconds that were told then.
    told: Option<f64>,
}

impl Eta {
    /// The seconds that are left at the time `now`, when `steps` are. None before anything has been measured.
    pub fn left(&mut self, now: f64, steps: f64) -> Option<f64> {
        let elapsed = (now - std::mem::replace(&mut self.asked, now)).max(0.0);
        let (then, before) = *self.over.get_or_insert((now, steps));
        let (taken, done) = (now - then, before - steps);
        if done > 0.0 && taken > 0.0 {
            self.over = Some((now, steps));
            let kept = (-taken / PACE).exp();
            self.measured = (kept * self.measured.0 + taken, kept * self.measured.1 + done);
            self.steps += done;
        }
        let (seconds, measured) = self.measured;
        if measured == 0.0 {
            return None;
        }
        let since = self.over.map_or(0.0, |(then, _)| now - then);
        let expected = (seconds / measured * steps.max(0.0) - since).max(0.0);
        let told = match self.told {
            Some(told) if self.steps >= FEW => {
                let counted = (told - elapsed).max(0.0);
                let apart = expected - counted;
                if apart.abs() <= TRUST * counted {
                    counted
                } else {
                    counted + (1.0 - (-elapsed / (FOLLOWS * expected + AT_ONCE)).exp()) * apart
                }
            }
            Some(_) | None => expected,
        };
        let told = if steps <= 0.0 { 0.0 } else { told };
        self.told = Some(told);
        Some(told)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is told after each of so many steps that take as long as `seconds` says.
    fn told(steps: usize, seconds: impl Fn(usize) -> f64) -> Vec<f64> {
        let (mut eta, mut now) = (Eta::default(), 0.0);
        assert_eq!(eta.left(now, steps as f64), None);
        let step = |k| {
            now += seconds(k);
            eta.left(now, (steps - 1 - k) as f64)
        };
        (0..steps).filter_map(step).collect()
    }

    #[test]
    fn steps_of_uneven_length_count_down_and_never_up() {
        let told = told(200, |k| if k % 2 == 0 { 1.0 } else { 3.0 });
        let ups = told.windows(2).skip(20).filter(|pair| pair[1] > pair[0] + 1e-9).count();
        assert_eq!(ups, 0, "{told:?}");
        assert!(told.windows(2).skip(20).all(|pair| pair[0] - pair[1] < 10.0), "it jumps: {told:?}");
        assert_eq!(told.last(), Some(&0.0));
    }

    #[test]
    fn who_asks_between_steps_learns_the_time_of_a_whole_step() {
        let mut eta = Eta::default();
        let mut told = Vec::new();
        for second in 0..=40 {
            // a step every ten seconds, asked every second
            told.extend(eta.left(f64::from(second), f64::from(10 - second / 10)));
        }
        assert_eq!(told.first(), Some(&90.0), "{told:?}");
        assert!(
            told.windows(2).all(|pair| pair[1] <= pair[0]) && (told.last().unwrap() - 60.0).abs() < 1e-6,
            "{told:?}"
        );
    }

    #[test]
    fn one_slow_step_is_no_news_and_a_lasting_change_is() {
        let one = told(300, |k| if k == 100 { 6.0 } else { 1.0 });
        assert!((one[100] - one[99] + 6.0).abs() < 10.0 && one[105] < 1.3 * 200.0, "{} {}", one[99], one[105]);
        let slower = told(300, |k| if k < 100 { 1.0 } else { 3.0 });
        assert!((slower[200] / (3.0 * 99.0) - 1.0).abs() < 0.35, "{}", slower[200]);
        assert!(slower.windows(2).all(|pair| pair[1] - pair[0] < 60.0), "it jumps: {slower:?}");
    }
}
