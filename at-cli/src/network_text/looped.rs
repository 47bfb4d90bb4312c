//! Loops in a word: `bank:in-32-out,sequence=8`, `mesh:64x2,repeat=5`. All layers but the last are crossed again and again, and the last
//! reads out.

use super::stage::StageText;
use super::word::size;
use anyhow::{Context, Result, bail, ensure};
use at_core::network::Feedback;

/// The options of a loop in a word, and the word without them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LoopWord {
    pub rest: String,
    entry: Option<(Name, usize, Option<usize>)>,
    feedback: Option<Feedback>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Name {
    Repeat,
    Hold,
    Sequence,
}

impl Name {
    const ALL: [(&str, Name); 3] = [("repeat", Name::Repeat), ("hold", Name::Hold), ("sequence", Name::Sequence)];

    fn name(self) -> &'static str {
        Self::ALL.iter().find(|own| own.1 == self).map_or("", |own| own.0)
    }
}

impl LoopWord {
    /// Whether a word has any such option.
    pub fn is_in(text: &str) -> bool {
        text.split(',').any(|part| part.split_once('=').is_some_and(|(name, _)| name == "feedback" || is_entry(name)))
    }

    /// Parts of the sample that the loop in a word takes one after the other; 1 where there is none, or none that can be read.
    pub fn parts_in(text: &str) -> usize {
        match LoopWord::of(text).ok().and_then(|own| own.entry) {
            Some((Name::Sequence, parts, _)) => parts,
            Some((Name::Repeat | Name::Hold, ..)) | None => 1,
        }
    }

    /// Takes the options of a loop out of a word.
    pub fn of(text: &str) -> Result<Self> {
        let mut own = LoopWord::default();
        let mut rest = Vec::new();
        for part in text.split(',') {
            match part.split_once('=') {
                Some((name, value)) if is_entry(name) => {
                    let Some(&(_, name)) = Name::ALL.iter().find(|known| known.0 == name) else { continue };
                    ensure!(own.entry.is_none(), "{part}: a network has one loop, of repeat=, hold= or sequence=");
                    let (steps, modes) = value.split_once('x').map_or((value, None), |(s, m)| (s, Some(m)));
                    let read = || -> Result<_> { Ok((size(steps)?, modes.map(size).transpose()?)) };
                    let (steps, modes) = read().with_context(|| format!("option {part}"))?;
                    ensure!(
                        name != Name::Repeat || modes.is_none(),
                        "{part}: with repeat= the whole sample enters once; write repeat={steps}, or hold= or sequence="
                    );
                    own.entry = Some((name, steps, modes));
                }
                Some(("feedback", "analogue")) => own.feedback = Some(Feedback::Analogue),
                Some(("feedback", "converted")) => own.feedback = Some(Feedback::Converted),
                Some(("feedback", other)) => bail!("feedback={other}: known: analogue, converted"),
                _ => rest.push(part),
            }
        }
        own.rest = rest.join(",");
        ensure!(
            own.entry.is_some() || own.feedback.is_none(),
            "feedback= is that of a loop; add repeat=, hold= or sequence="
        );
        Ok(own)
    }

    /// Closes the loop around all of `layers` but the last.
    pub fn close(&self, mut layers: Vec<Vec<StageText>>) -> Result<Vec<Vec<StageText>>> {
        let Some((name, steps, modes)) = self.entry else { return Ok(layers) };
        let option = name.name();
        let looped = layers.len() - 1;
        ensure!(
            looped > 0,
            "{option}= loops all layers but the last, which reads out, and here is one: as in bank:in-32-out or mesh:16x2"
        );
        let state = layers[looped - 1].iter().rev().find_map(outputs);
        let first = layers[0].first_mut();
        let modes = match (name, first) {
            (Name::Repeat, _) => None,
            // what is linear and of any size grows by the state
            (
                Name::Hold | Name::Sequence,
                Some(
                    StageText::Matrix { inputs, .. }
                    | StageText::WeightBank { inputs, .. }
                    | StageText::RingBank { inputs, .. }
                    | StageText::PhaseChange { inputs, .. },
                ),
            ) => {
                let parts = if name == Name::Hold { 1 } else { steps };
                ensure!(
                    inputs.is_multiple_of(parts),
                    "{option}={steps}: {inputs} inputs are not {steps} equal parts; the number of steps must divide them"
                );
                let own = *inputs / parts;
                ensure!(
                    modes.is_none_or(|modes| modes == own),
                    "{option}: {inputs} inputs are {parts} x {own}; write {option}={steps}"
                );
                *inputs = own + state.context("what leaves the loop")?;
                Some(own)
            }
            (Name::Hold | Name::Sequence, _) => Some(modes.with_context(|| {
                format!(
                    "{option}={steps}: as many modes leave these layers as enter; say how many of them the sample takes at a \
                     time, as in {option}={steps}x8, and the state has the others"
                )
            })?),
        };
        let (held, parts) = if name == Name::Hold { (modes, None) } else { (None, modes) };
        let own = StageText::Loop { steps, layers: looped, held, parts, feedback: self.feedback.unwrap_or_default() };
        layers[0].insert(0, own);
        Ok(layers)
    }
}

fn is_entry(name: &str) -> bool {
    Name::ALL.iter().any(|own| own.0 == name)
}

/// Values that leave a stage that says so.
fn outputs(stage: &StageText) -> Option<usize> {
    match *stage {
        StageText::Matrix { outputs, .. }
        | StageText::WeightBank { outputs, .. }
        | StageText::RingBank { outputs, .. }
        | StageText::PhaseChange { outputs, .. } => Some(outputs),
        _ => None, // takes what is in front of it, or is none of a word with a state beside its inputs
    }
}
