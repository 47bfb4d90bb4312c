//! Everything that a run needs to go on: as exact as if it had never stopped.
//!
//! The file is a safetensors file. Its metadata entry `asyt-checkpoint` is JSON (format version, the network, method, epochs done,
//! the chip's state, records, the caller's fingerprint, step counts, what computed); vectors are F64, to which every engine's reals
//! widen without loss: the chip's controls cut into the arrays of [`Network::control_arrays`] (`mesh0.theta`), those of a digital
//! model likewise (`model.mesh0.theta`), a method's other vectors whole (`NAME`), `NAME.moment.K`, `chip.drifted`, and
//! `chip.K.drifted` of further chips that share a model. The tensor `checksum` is the MD5 of all of that, against damage. The records
//! of a long run lie in a file beside it ([`super::journal`]). Format version 3 has the controls whole, version 2 all records in the
//! checkpoint; both are read as well.

mod file;

use super::methods::{Method, MethodName};
use super::{Parameters, Record};
use crate::chip::{Accesses, State};
use crate::engine::{Engine, OptimizerState};
use crate::error::same_size;
use crate::files::own;
use crate::files::whole::read_whole;
use crate::network::{Identity, Network};
use crate::propagator::Propagator;
use crate::stage::ControlArray;
use crate::{Error, Result};
use std::path::Path;

/// The vector of the chip's controls, and that of a digital model's.
const CONTROLS: &str = "controls";
const MODEL: &str = "model";
/// Longest file (bytes): eight vectors for each of as many controls as the largest meshes have.
const LARGEST_FILE: u64 = 1 << 36;

/// The state of a run between two epochs.
#[derive(Clone, Debug, PartialEq)]
pub struct Checkpoint {
    /// What the caller wants to be the same when the run goes on.
    pub fingerprint: String,
    /// The network whose controls, estimate and optimizer these are; none in files of earlier versions.
    pub network: Option<Identity>,
    /// How the controls are cut into arrays in the file; not at all in files of earlier versions.
    pub arrays: Vec<ControlArray>,
    /// The method.
    pub method: MethodName,
    /// Epochs done.
    pub epoch: usize,
    /// The chip's own state.
    pub chip: State,
    /// Those of the other chips, where several share the method's model.
    pub others: Vec<State>,
    /// What that model has cost them all.
    pub shared: Accesses,
    /// One record per epoch done and chip.
    pub records: Vec<Record>,
    /// What computed the epochs ([`Engine::arithmetic`]), in order; one after the other where a run went on elsewhere.
    pub arithmetic: Vec<String>,
    /// Ranks that shared the batches ([`Engine::ranks`]); a run goes on with as many.
    pub ranks: usize,
    /// The method's vectors.
    pub parameters: Vec<SavedParameters>,
}

/// One [`super::Parameters`] in memory.
#[derive(Clone, Debug, PartialEq)]
pub struct SavedParameters {
    /// Its name in [`Method::parameters`].
    pub name: String,
    /// The values.
    pub values: Vec<f64>,
    /// The optimizer's steps done.
    pub step: u64,
    /// The optimizer's moments.
    pub moments: Vec<Vec<f64>>,
}

impl Checkpoint {
    /// Copies the state of `method` after `epoch` epochs, without records.
    pub fn take<C: Propagator>(
        engine: &C::Engine,
        method: &dyn Method<C>,
        chip: State,
        epoch: usize,
        fingerprint: &str,
        network: &Network,
    ) -> Result<Self> {
        let mut state = Self::state(engine, method, chip)?;
        state.epoch = epoch;
        state.belongs_to(network, fingerprint);
        Ok(state)
    }

    /// The state of `method` alone, without what it belongs to. Where ranks have a part each, all of them ask for it.
    pub(super) fn state<C: Propagator>(engine: &C::Engine, method: &dyn Method<C>, chip: State) -> Result<Self> {
        let save = |(name, parameters): (&str, _)| SavedParameters::of(engine, name.to_string(), parameters);
        let parameters = method.parameters().into_iter().map(save).collect::<Result<_>>()?;
        Ok(Checkpoint { chip, parameters, ..Self::of(method.name(), engine.ranks()) })
    }

    /// Of a run with `method` on so many ranks, in which nothing is done yet.
    pub(super) fn of(method: MethodName, ranks: usize) -> Self {
        Checkpoint {
            fingerprint: String::new(),
            network: None,
            arrays: Vec::new(),
            method,
            epoch: 0,
            chip: State::default(),
            others: Vec::new(),
            shared: Accesses::default(),
            records: Vec::new(),
            arithmetic: Vec::new(),
            ranks,
            parameters: Vec::new(),
        }
    }

    /// Says whose it is.
    pub(super) fn belongs_to(&mut self, network: &Network, fingerprint: &str) {
        self.fingerprint = fingerprint.to_string();
        self.network = Some(network.identity());
        self.arrays = network.control_arrays();
    }

    /// Errs unless it was saved by as many ranks as `engine` has: others add up a batch in other parts, which ends with other numbers.
    pub(super) fn require_ranks<E: Engine>(&self, engine: &E) -> Result<()> {
        if self.ranks == engine.ranks() {
            return Ok(());
        }
        let reason = format!("the run was begun on {}; continue it on as many, or start a new run", self.ranks);
        Err(Error::invalid("ranks", engine.ranks(), reason))
    }

    /// Puts the state back into `method`. Errs where it was saved by another method or has other sizes.
    pub fn restore<C: Propagator>(&self, engine: &C::Engine, method: &mut dyn Method<C>) -> Result<()> {
        if self.method != method.name() {
            let reason = format!("the checkpoint was saved by {}", self.method);
            return Err(Error::invalid("method", method.name(), reason));
        }
        let targets = method.parameters_mut();
        self.restore_parameters(engine, targets.into_iter().map(|(name, own)| (name.to_string(), own)).collect())
    }

    /// Puts every vector back into the one of its name; all must be there, in this order.
    pub(super) fn restore_parameters<E: Engine>(
        &self,
        engine: &E,
        targets: Vec<(String, &mut Parameters<E>)>,
    ) -> Result<()> {
        same_size("vectors in the checkpoint", targets.len(), self.parameters.len())?;
        for ((name, parameters), saved) in targets.into_iter().zip(&self.parameters) {
            if name != saved.name {
                return Err(Error::invalid("checkpoint", &saved.name, format!("{name} was expected")));
            }
            same_size(&format!("{name} in the checkpoint"), parameters.len(), saved.values.len())?;
            same_size(&format!("moments of {name}"), parameters.memory.moments.len(), saved.moments.len())?;
            parameters.values = engine.upload(&saved.values)?;
            let moments = saved.moments.iter().map(|moment| engine.upload(moment)).collect::<Result<_>>()?;
            parameters.memory = OptimizerState { step: saved.step, moments };
        }
        Ok(())
    }

    /// Writes the file, all records in it, whole or not at all.
    pub fn save(&self, path: &Path) -> Result<()> {
        self.write(path, None, &self.records)
    }

    /// Reads a file of any run, to start from it. Records that lie beside it are not read.
    pub fn of_any_run(path: &Path) -> Result<Self> {
        let remedy = "choose a checkpoint of a run, RUN/METHOD.safetensors";
        let file = read_whole(path, LARGEST_FILE)?;
        Self::parse(&file).map_err(|reason| Error::malformed(path, format!("{reason}; {remedy}")))
    }

    /// Reads a file of a run that goes on, whatever its fingerprint, and the records beside it.
    pub fn open(path: &Path) -> Result<Self> {
        let remedy = "put back a good copy of the checkpoint, or delete it to train its method anew";
        let file = own::read(path, LARGEST_FILE)?;
        let parts = Self::parts(&file).map_err(|reason| Error::malformed(path, format!("{reason}; {remedy}")));
        let (mut checkpoint, earlier) = parts?;
        if let Some(earlier) = earlier {
            let last = std::mem::take(&mut checkpoint.records);
            checkpoint.records = earlier.read(path)?;
            checkpoint.records.extend(last);
        }
        Ok(checkpoint)
    }

    /// Reads a file. Errs with [`Error::Malformed`] unless it is whole, of this format, and of a run with `fingerprint`.
    pub fn load(path: &Path, fingerprint: &str) -> Result<Self> {
        let checkpoint = Self::open(path)?;
        if checkpoint.fingerprint != fingerprint {
            let reason = "belongs to a run with other settings; resume with those, or start a new run";
            return Err(Error::malformed(path, reason));
        }
        Ok(checkpoint)
    }

    /// The same without the optimizer's moments: to look at and to start from; no run goes on from it.
    pub fn without_moments(mut self) -> Self {
        self.parameters.iter_mut().for_each(|saved| saved.moments.clear());
        self
    }

    /// The controls: those of the first chip where several share a model.
    pub fn controls(&self) -> Option<&[f64]> {
        self.vector(CONTROLS)
    }

    /// The method's vector `name`, where it has one.
    pub fn vector(&self, name: &str) -> Option<&[f64]> {
        self.parameters.iter().find(|saved| saved.name == name).map(|saved| saved.values.as_slice())
    }

    /// Reads the content of a file, without the records beside it; the error is the reason alone.
    pub fn parse(file: &[u8]) -> std::result::Result<Self, String> {
        Ok(Self::parts(file)?.0)
    }
}

impl SavedParameters {
    /// A copy of `parameters`.
    pub(super) fn of<E: Engine>(engine: &E, name: String, parameters: &Parameters<E>) -> Result<Self> {
        let moments = parameters.memory.moments.iter().map(|moment| engine.download(moment));
        Ok(SavedParameters {
            name,
            values: engine.download(&parameters.values)?,
            step: parameters.memory.step,
            moments: moments.collect::<Result<_>>()?,
        })
    }
}
