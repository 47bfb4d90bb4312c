//! What a stage makes of readouts that are sines of every control: what methods that rest on that curve ask of its page.

/// Behind meshes and one detection a readout is `A + B cos φ + C sin φ` of every phase φ that light meets once. This is what a stage on
/// the way makes of it; a page that does not know says so with `None`, and is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sines {
    /// They stay: what leaves is linear in the fields that enter, and its own controls are such phases.
    Kept,
    /// They stay where it is the first stage, so that no control lies in front of it. Elsewhere it breaks them, in these words.
    KeptByTheFirst(&'static str),
    /// They stay where it is the last stage. Elsewhere it breaks them, in these words.
    KeptByTheLast(&'static str),
    /// It breaks them wherever it stands, in these words: `a nonlinearity`.
    Broken(&'static str),
}

impl Sines {
    /// By what they are broken where the stage is the `first`, the `last`, both or neither.
    pub fn broken_by(self, first: bool, last: bool) -> Option<&'static str> {
        match self {
            Sines::Kept => None,
            Sines::KeptByTheFirst(what) => (!first).then_some(what),
            Sines::KeptByTheLast(what) => (!last).then_some(what),
            Sines::Broken(what) => Some(what),
        }
    }
}
