//! Networks that light crosses again and again: what leaves some layers is fed back to where it entered.
//!
//! The chip exists once, with its controls, errors and heaters; a sample crosses its looped layers F in T steps. With the sample x, its part
//! x_t and the state s,
//!
//! ```text
//! once    s_1 = F(x),           s_{t+1} = F(s_t)                x enters at the first step
//! held    s_{t+1} = F(x ⊕ S s_t),    s_0 = 0                    x enters at every step beside the state
//! parts   s_{t+1} = F(x_t ⊕ S s_t),  s_0 = 0                    part t of x enters at step t
//! ```
//!
//! ⊕ puts what enters on the first modes and the state on the others. Of the modes that leave F, S feeds the last ones back, as many as
//! are free beside what enters; the others are lost but at the last step, which leads on.
//!
//! Sources: recurrence through a photonic core step by step: Bueno et al., Optica 5, 756 (2018); Hughes et al., Sci. Adv. 5, eaay6946 (2019);
//! to a fixed point: Bai et al., NeurIPS (2019).

use super::{Layer, Network, Signal, Stage};
use crate::{Error, Result};
use serde::{Deserialize, Serialize};
use std::fmt;
use std::ops::Range;

/// Most steps: more are a mistake.
pub const MOST_STEPS: usize = 1 << 16;

/// Which layers are crossed how often.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recurrence {
    /// The looped layers.
    pub layers: Range<usize>,
    /// How often a sample crosses them, T.
    pub steps: usize,
    /// When the sample enters them.
    pub entry: Entry,
    /// How the state comes back.
    pub feedback: Feedback,
}

/// When a sample enters the looped layers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Entry {
    /// At the first step, as a whole; then the state takes its place.
    Once,
    /// At every step, as a whole of so many modes, beside the state.
    Held(usize),
    /// Part by part of so many modes, a step each, beside the state.
    Parts(usize),
}

/// How what leaves the looped layers comes back to where it enters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Feedback {
    /// As it is: light through a delay line, detected signals through analogue electronics.
    #[default]
    Analogue,
    /// Read by converters and written again.
    Converted,
}

impl Feedback {
    /// The names, as written.
    pub const NAMES: [&str; 2] = ["analogue", "converted"];
}

/// One crossing of one layer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Visit {
    /// The layer.
    pub layer: usize,
    /// The step, from 0; 0 outside the loop.
    pub step: usize,
    /// The looped layers begin here anew: what the visit before left was fed back.
    pub again: bool,
    /// Which part of the sample enters here beside the state, which at step 0 is dark.
    pub part: Option<usize>,
}

impl Recurrence {
    /// Modes of the sample that enter at a time beside the state; none where it enters once.
    pub fn entering(&self) -> Option<usize> {
        match self.entry {
            Entry::Once => None,
            Entry::Held(modes) | Entry::Parts(modes) => Some(modes),
        }
    }

    /// Modes of a sample, of which so many enter a network without the loop.
    pub(super) fn sample_modes(&self, plain: usize) -> usize {
        match self.entry {
            Entry::Once => plain,
            Entry::Held(modes) => modes,
            Entry::Parts(modes) => modes * self.steps,
        }
    }

    /// For fingerprints: files carry it.
    pub(super) fn words(&self) -> String {
        let Recurrence { layers, steps, entry, feedback } = self;
        let entry = match entry {
            Entry::Once => "once".to_string(),
            Entry::Held(modes) => format!("held={modes}"),
            Entry::Parts(modes) => format!("parts={modes}"),
        };
        let feedback = Feedback::NAMES[*feedback as usize];
        format!("loop:{}-{}x{steps},{entry},{feedback}", layers.start, layers.end - 1)
    }
}

impl fmt::Display for Recurrence {
    /// For people: `layer 0 crossed in 8 steps; 8 modes of a sample enter at each; what leaves is fed back as it is`.
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        let Recurrence { layers, steps, entry, feedback } = self;
        match layers.len() {
            1 => write!(text, "layer {}", layers.start)?,
            _ => write!(text, "layers {} to {}", layers.start, layers.end - 1)?,
        }
        write!(text, " crossed in {steps} steps; ")?;
        match entry {
            Entry::Once => write!(text, "a sample enters once")?,
            Entry::Held(modes) => write!(text, "the {modes} modes of a sample enter at every one")?,
            Entry::Parts(modes) => write!(text, "{modes} modes of a sample enter at each")?,
        }
        let how = match feedback {
            Feedback::Analogue => "as it is",
            Feedback::Converted => "by converters",
        };
        write!(text, "; what leaves is fed back {how}")
    }
}

impl Network {
    /// A network some of whose layers are crossed again and again. Errs where stages do not fit together, or what is fed back does not fit
    /// what enters.
    pub fn recurrent(layers: Vec<Layer>, recurrence: Recurrence) -> Result<Self> {
        let plain = Network::new(layers)?;
        recurrence.check(&plain)?;
        Ok(Network { recurrence: Some(recurrence), ..plain })
    }

    /// Which layers are crossed again and again.
    pub fn recurrence(&self) -> Option<&Recurrence> {
        self.recurrence.as_ref()
    }

    /// Crosses every layer once: the chip's design without its loop.
    pub fn without_loop(&self) -> Network {
        Network { recurrence: None, ..self.clone() }
    }

    /// Errs where there is a loop: for what crosses every layer once.
    pub fn require_no_loop(&self) -> Result<()> {
        match self.recurrence {
            None => Ok(()),
            Some(_) => Err(Error::Unsupported {
                what: "a network whose output is fed back, crossed once".into(),
                instead: "build it by its engine, which follows the loop".into(),
            }),
        }
    }

    /// All crossings of layers, in order. What propagators call layers are these ([`crate::propagator::Layered`]): a looped layer counts
    /// once per step.
    pub fn visits(&self) -> Vec<Visit> {
        let plain = |layer| Visit { layer, step: 0, again: false, part: None };
        let Some(Recurrence { layers, steps, entry, .. }) = &self.recurrence else {
            return (0..self.layers.len()).map(plain).collect();
        };
        let looped = (0..*steps).flat_map(|step| {
            layers.clone().map(move |layer| {
                let first = layer == layers.start;
                let part = match entry {
                    Entry::Held(_) if first => Some(0),
                    Entry::Parts(_) if first => Some(step),
                    Entry::Once | Entry::Held(_) | Entry::Parts(_) => None,
                };
                Visit { layer, step, again: first && step > 0, part }
            })
        });
        (0..layers.start).map(plain).chain(looped).chain((layers.end..self.layers.len()).map(plain)).collect()
    }

    /// All stages as often as light crosses them, in order.
    pub fn crossed_stages(&self) -> impl Iterator<Item = &Stage> {
        self.visits().into_iter().flat_map(|visit| &self.layers[visit.layer])
    }

    /// What leaves every visit, in order.
    pub fn visited_outputs(&self) -> impl Iterator<Item = Signal> {
        self.visits().into_iter().map(|visit| self.layer_output(visit.layer))
    }

    /// Whether converters stand in front of a visit, because what comes there is fed back by them.
    pub(crate) fn converts(&self, visit: Visit) -> bool {
        visit.again && self.recurrence.as_ref().is_some_and(|own| own.feedback == Feedback::Converted)
    }

    /// The state that is fed back.
    pub(crate) fn state(&self, recurrence: &Recurrence) -> Signal {
        let enters = self.layers[recurrence.layers.start][0].input();
        Signal { modes: enters.modes - recurrence.entering().unwrap_or(0), ..enters }
    }
}

/// Whether there is a loop, for methods that cannot train one: an error that says so.
pub(crate) fn refuse_loops(network: &Network, method: &str, reason: &str) -> Result<()> {
    match network.recurrence {
        None => Ok(()),
        Some(_) => Err(Error::Unsupported {
            what: format!("{method} on a network whose output is fed back: {reason}"),
            instead: "choose at, at-adaptive, pat, dfa, spsa or zeroth-order, or a `network` without a loop".into(),
        }),
    }
}

impl Recurrence {
    fn check(&self, plain: &Network) -> Result<()> {
        let wrong = |value: String, reason: String| Err(Error::invalid("loop", value, reason));
        let Recurrence { layers, steps, entry, .. } = self;
        if layers.is_empty() || layers.end > plain.layers.len() {
            let reason = format!("must be some of the network's {} layers", plain.layers.len());
            return wrong(format!("layers {}..{}", layers.start, layers.end), reason);
        }
        if !(1..=MOST_STEPS).contains(steps) {
            return wrong(format!("{steps} steps"), format!("must be from 1 to {MOST_STEPS}"));
        }
        let (enters, leaves) = (plain.layers[layers.start][0].input(), plain.layer_output(layers.end - 1));
        let named = |signal: Signal| {
            format!("{} {}", signal.modes, if signal.complex { "complex fields" } else { "real numbers" })
        };
        if enters.complex != leaves.complex {
            let instead = match enters.complex {
                true => "; a modulation at the head of the loop makes fields of them",
                false => "; detect them at its end",
            };
            return wrong("feedback".into(), format!("{} leave it, {} enter{instead}", named(leaves), named(enters)));
        }
        let modes = match entry {
            Entry::Once if enters == leaves => return Ok(()),
            Entry::Once => {
                let reason = format!("{} leave it, {} enter: as many must", named(leaves), named(enters));
                return wrong("feedback".into(), reason);
            }
            Entry::Held(modes) | Entry::Parts(modes) => *modes,
        };
        if layers.start > 0 {
            let reason = "a sample that enters beside the state enters the first layer: the loop must begin there";
            return wrong(format!("from layer {} on", layers.start), reason.into());
        }
        if !(1..enters.modes).contains(&modes) {
            let reason =
                format!("must be from 1 to {}: {} enter, and the state needs some", enters.modes - 1, named(enters));
            return wrong(format!("{modes} modes of the sample at a time"), reason);
        }
        let state = enters.modes - modes;
        if state > leaves.modes {
            let reason = format!(
                "beside {modes} of the sample {state} modes are free for the state, and {} leave",
                named(leaves)
            );
            return wrong("feedback".into(), reason);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::Detection;
    use crate::optics::Mesh;

    fn bank(inputs: usize, state: usize) -> Vec<Layer> {
        vec![vec![Stage::weight_bank(inputs, state), Stage::rectifier(state, 0.0)], vec![Stage::weight_bank(state, 3)]]
    }

    fn looped(entry: Entry, steps: usize) -> Recurrence {
        Recurrence { layers: 0..1, steps, entry, feedback: Feedback::Analogue }
    }

    #[test]
    fn what_enters_is_the_sample_and_visits_follow_the_light() {
        let parts = Network::recurrent(bank(7, 5), looped(Entry::Parts(2), 3)).unwrap();
        assert_eq!((parts.input(), parts.outputs(), parts.controls()), (Signal::reals(6), 3, 7 * 5 + 5 + 5 * 3 + 3));
        let visits = parts.visits();
        assert_eq!(visits.iter().map(|own| own.layer).collect::<Vec<_>>(), [0, 0, 0, 1]);
        assert_eq!(visits.iter().map(|own| own.part).collect::<Vec<_>>(), [Some(0), Some(1), Some(2), None]);
        assert_eq!(visits.iter().map(|own| own.again).collect::<Vec<_>>(), [false, true, true, false]);
        let held = Network::recurrent(bank(7, 5), looped(Entry::Held(2), 3)).unwrap();
        assert_eq!(held.input(), Signal::reals(2));
        assert_eq!(held.visits().iter().map(|own| own.part).collect::<Vec<_>>(), [Some(0), Some(0), Some(0), None]);
        let once = Network::recurrent(bank(5, 5), looped(Entry::Once, 3)).unwrap();
        assert_eq!((once.input(), once.crossed_stages().count()), (Signal::reals(5), 7));
        assert_eq!(once.without_loop(), Network::new(bank(5, 5)).unwrap());
        let single = once.single_stages().unwrap();
        assert_eq!(single.visits().iter().map(|own| own.layer).collect::<Vec<_>>(), [0, 1, 0, 1, 0, 1, 2]);
    }

    #[test]
    fn loops_have_fingerprints_of_their_own() {
        let own = |entry, steps| Network::recurrent(bank(7, 5), looped(entry, steps)).unwrap().identity();
        let all = [own(Entry::Parts(2), 3), own(Entry::Parts(2), 4), own(Entry::Held(2), 3)];
        assert_eq!(all[0].description, "bank:7-5 > rectifier | bank:5-3 | loop:0-0x3,parts=2,analogue");
        assert!(!all[0].is(&all[1]) && !all[0].is(&all[2]));
        assert!(!all[0].is(&Network::new(bank(7, 5)).unwrap().identity()));
    }

    #[test]
    fn loops_that_do_not_close_are_refused_with_what_would_fit() {
        let refused = |layers: Vec<Layer>, own: Recurrence, part: &str| {
            let error = Network::recurrent(layers, own).unwrap_err().to_string();
            assert!(error.contains(part), "{error}");
        };
        refused(bank(7, 5), looped(Entry::Once, 3), "5 real numbers leave it, 7 real numbers enter");
        refused(bank(7, 5), looped(Entry::Once, 0), "from 1 to");
        refused(bank(7, 5), looped(Entry::Parts(7), 3), "from 1 to 6");
        refused(bank(7, 5), looped(Entry::Held(1), 3), "6 modes are free");
        refused(bank(7, 5), Recurrence { layers: 1..3, ..looped(Entry::Once, 3) }, "2 layers");
        refused(bank(7, 5), Recurrence { layers: 1..2, ..looped(Entry::Parts(2), 3) }, "begin there");
        let mesh = Stage::Mesh(Mesh::rectangular(4).unwrap());
        let lit = vec![vec![mesh, Stage::detection(4, Detection::Intensity)]];
        refused(lit.clone(), looped(Entry::Once, 3), "a modulation");
        let mut closed = lit;
        closed[0].insert(0, Stage::modulation(4));
        Network::recurrent(closed, looped(Entry::Once, 3)).unwrap();
    }
}
