//! Many chips of one design as a single wide network, so that a device that small meshes leave idle carries all of them at once.
//!
//! K networks of N modes become one of K·N modes: chip k has the modes kN to kN + N - 1. A rectangular mesh becomes the one with as
//! many columns and K·N modes, in which the MZIs between two chips, one per boundary in every second column, stand at θ = φ = π,
//! where an ideal MZI is the identity up to rounding: an amplitude of 1e-16, in 32 bits of 4e-8, of one chip's light leaks into the
//! next. Every stage thus stays a stage that engines know, and costs one dispatch for all chips.
//!
//! Not every chip can be laid beside others: N must be even, so that columns meet; meshes rectangular and on one die; and nothing
//! may act that depends on the individual's seed while it works, or that joins all modes of a layer (noise, drift, perturbations).

use super::control::Shifter;
use super::coupling::Coupling;
use super::{ControlPath, Fabrication};
use crate::imperfections::Noise;
use crate::network::{Network, Stage};
use crate::stage::{Beside, ErrorVector, Order, StageErrors};
use crate::{Error, Result};
use std::f64::consts::PI;
use std::sync::Arc;

/// Chips laid side by side.
pub struct SideBySide {
    /// The wide design.
    pub network: Network,
    /// All chips' imperfections.
    pub fabrication: Fabrication,
    /// Per control of the wide network: chip and control there; none for what keeps two chips apart.
    places: Vec<Option<(usize, usize)>>,
}

/// Whether chips of `network` can be laid side by side, as far as the design decides.
pub fn fits(network: &Network) -> bool {
    network.recurrence().is_none() && network.stages().all(|stage| matches!(stage.element().beside(1), Ok(Some(_))))
}

/// Whether nothing about this chip changes while it works or joins all modes of a layer.
pub fn is_still(chip: &Fabrication) -> bool {
    chip.noise == Noise { adc_range: chip.noise.adc_range, ..Noise::NONE }
        && chip.drift.is_none()
        && chip.perturbation.is_empty()
}

impl SideBySide {
    /// The `chips` of `network` as one. Errs unless they fit and stand still.
    pub fn new(network: &Network, chips: &[Fabrication]) -> Result<Self> {
        let same = |chip: &Fabrication| {
            let (own, first) = (&chip.control, &chips[0].control);
            own.quartic == first.quartic && own.levels == first.levels
        };
        if chips.is_empty() || !fits(network) || !chips.iter().all(|chip| is_still(chip) && same(chip)) {
            return Err(Error::Unsupported {
                what: "laying these chips side by side".into(),
                instead: "run them one after the other".into(),
            });
        }
        chips.iter().try_for_each(|chip| chip.check(network))?;
        let mut layout = Wide { places: Vec::new(), stages: Vec::new() };
        let (mut layers, mut offset, mut index) = (Vec::new(), 0, 0);
        for layer in network.layers() {
            let mut wide = Vec::new();
            for stage in layer {
                wide.push(layout.lay(stage, index, offset, chips)?);
                offset += stage.controls();
                index += 1;
            }
            layers.push(wide);
        }
        let Wide { places, stages } = layout;
        let control = control(&places, network.controls(), chips);
        let first = |place: &Option<(usize, usize)>| {
            place.and_then(|(chip, own)| chips[chip].update_error.get(own).copied()).unwrap_or(0.0)
        };
        let update_error = match chips.iter().any(|chip| !chip.update_error.is_empty()) {
            true => places.iter().map(first).collect(),
            false => Vec::new(),
        };
        debug_assert!(places.iter().flatten().count() == chips.len() * network.controls());
        let network = Network::new(layers)?;
        Ok(SideBySide {
            network,
            fabrication: Fabrication {
                stages,
                update_error,
                amplified: chips.iter().any(|chip| chip.amplified),
                control,
                ..Fabrication::ideal()
            },
            places,
        })
    }

    /// The wide network's controls, from those of every chip: `own(chip)[control]`.
    pub fn controls<'a>(&self, own: impl Fn(usize) -> &'a [f64]) -> Vec<f64> {
        self.places.iter().map(|place| place.map_or(PI, |(chip, control)| own(chip)[control])).collect()
    }
}

/// The wide network's stages as they come about.
struct Wide {
    places: Vec<Option<(usize, usize)>>,
    stages: Vec<StageErrors>,
}

impl Wide {
    /// Lays stage number `index`, whose controls begin at `offset`, of all chips side by side.
    fn lay(&mut self, stage: &Stage, index: usize, offset: usize, chips: &[Fabrication]) -> Result<Stage> {
        let Some(Beside { stage: wide, controls }) = stage.element().beside(chips.len())? else {
            return Err(Error::invalid("stage", format!("{stage:?}"), "cannot be laid beside others"));
        };
        let errors = wide.element().imperfect().map_or(StageErrors::NONE, |own| {
            let vectors = own.errors().into_iter().zip(stage.errors());
            let vectors = vectors.map(|(wide, own)| laid(&wide, &own, index, &controls, chips));
            StageErrors::new(own, vectors.collect())
        });
        self.stages.push(errors);
        self.places.extend(controls.iter().map(|place| place.map(|(chip, control)| (chip, offset + control))));
        Ok(wide)
    }
}

/// One vector of the `wide` stage's errors from those of stage number `index` of every chip; zero for what keeps chips apart.
fn laid(
    wide: &ErrorVector,
    own: &ErrorVector,
    index: usize,
    controls: &[Option<(usize, usize)>],
    chips: &[Fabrication],
) -> Vec<f64> {
    let mut values = vec![0.0; wide.length];
    for (chip, fabrication) in chips.iter().enumerate() {
        let Some([drawn]) = fabrication.stage(index).get([own.name]) else { continue };
        match (wide.order, own.order) {
            (Order::Controls, _) => {
                for (slot, place) in values.iter_mut().zip(controls) {
                    if let Some((_, control)) = place.filter(|place| place.0 == chip) {
                        *slot = drawn[control];
                    }
                }
            }
            (Order::Waveguides { modes: all, .. }, Order::Waveguides { modes, .. }) => {
                for (column, own) in values.chunks_exact_mut(all).zip(drawn.chunks_exact(modes)) {
                    column[chip * modes..][..modes].copy_from_slice(own);
                }
            }
            (Order::ControlsFrom(_), _) => unreachable!("a series of stages is not laid side by side"),
            (Order::Stage, _) => unreachable!("what is of a stage as a whole is not of several side by side"),
            (Order::Waveguides { .. }, Order::Controls | Order::ControlsFrom(_) | Order::Stage) => {
                unreachable!("a wide stage has the schema of its parts")
            }
        }
    }
    values
}

/// The way of every control to its phase: what keeps chips apart follows as told and heats nobody.
fn control(places: &[Option<(usize, usize)>], controls: usize, chips: &[Fabrication]) -> ControlPath {
    let ControlPath { quartic, levels, .. } = chips[0].control;
    if chips.iter().all(|chip| chip.control.is_direct()) {
        return ControlPath::default();
    }
    let shifter = |&(chip, own): &(usize, usize)| chips[chip].control.shifters.get(own).copied();
    let shifters = places.iter().map(|place| place.as_ref().and_then(shifter).unwrap_or(Shifter::AS_TOLD)).collect();
    let mut coupling = Coupling::default();
    if chips.iter().any(|chip| !chip.control.coupling.is_empty()) {
        let mut wide = vec![0_u32; controls * chips.len()]; // where a chip's control lies
        for (slot, place) in places.iter().enumerate() {
            if let Some((chip, own)) = place {
                wide[chip * controls + own] = slot as u32;
            }
        }
        coupling.starts.push(0);
        for place in places {
            if let Some((chip, own)) = *place {
                let from = &chips[chip].control.coupling;
                if !from.is_empty() {
                    let entries = from.starts[own] as usize..from.starts[own + 1] as usize;
                    let neighbours = from.neighbours[entries.clone()].iter();
                    coupling.neighbours.extend(neighbours.map(|&other| wide[chip * controls + other as usize]));
                    coupling.strengths.extend_from_slice(&from.strengths[entries]);
                }
            }
            coupling.starts.push(coupling.neighbours.len() as u32);
        }
    }
    ControlPath { shifters, quartic, levels, coupling: Arc::new(coupling) }
}
