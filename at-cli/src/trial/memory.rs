//! What a training needs at the least, from the sizes of its network, its data and its settings alone.

use crate::memory::Need;
use crate::methods;
use crate::plan::{Plan, Precision};
use at_core::cpu::Held;
use at_core::fabrication::Fabrication;
use at_core::fabrication::control::Shifter;
use at_core::imperfections::Part;
use at_core::network::{Detection, Network, Stage};
use at_core::optics::Mesh;
use at_core::stage::{Meaning, Transmission};
use at_core::training::MethodName;
use at_core::training::methods::hybrid;
use at_core::training::methods::learned_model::Design;
use at_core::training::methods::{Model, Reach, Seen, dat, probe_samples};

/// Samples whose pixels lie together in the error-prediction networks of `dat`, and the bytes of that.
const TILE: (f64, f64) = (16.0, 128.0);

/// Bytes of every number of a checkpoint: in double precision, as it is taken and as it is written.
const CHECKPOINT: f64 = 16.0;

/// Bytes that a chip keeps of a pair of phase-change cells, and numbers of it in a checkpoint.
const PAIR: (f64, f64) = (56.0, 3.0);

/// Copies of what a data sheet tells of crosstalk at a time: the model's, with room for as many entries again while they are put together.
const DRAWN_AGAIN: f64 = 2.0;

/// Modes of a mesh whose heaters have about as many neighbours as those of a larger one.
const SMALL: usize = 64;

/// What chips of a kind are like.
struct Kind {
    /// An individual.
    chip: Traits,
    /// What digital models know.
    sheet: Traits,
}

/// What of a chip costs memory where it is there.
struct Traits {
    /// Couplers of meshes have angles of their own.
    couplers: bool,
    /// Waveguides lose differently.
    uneven: bool,
    /// Shifters do not follow as they are told.
    shifters: bool,
    /// Updates are not followed as told.
    updates: bool,
    /// Bytes per control of the heaters that warm it.
    crosstalk: f64,
}

impl Kind {
    /// As a small chip of the kind has it, with what stands in `network` beside meshes and is set in steps.
    fn of(plan: &Plan, network: &Network) -> Self {
        let mesh = Stage::Mesh(Mesh::rectangular(SMALL).expect("a mesh of so many modes"));
        let mask = network.has(Part::Masks).then(|| Stage::mask(1, SMALL, Transmission::Phase));
        let cells = network.has(Part::PhaseChange).then(|| Stage::phase_change(SMALL, 1));
        let lit = [mesh].into_iter().chain(mask).chain([Stage::detection(SMALL, Detection::Intensity)]);
        let small = Network::new(vec![lit.chain(cells).collect()]).expect("a network of it");
        let chip = plan.imperfections.fabricate(&small, 1).map(|own| Traits::of(&own)).unwrap_or(Traits::ALL);
        let sheet = plan.options.known(&small).map(|own| Traits::of(&own)).unwrap_or(Traits::ALL);
        Kind { chip: if plan.settings.has_chip_files() { Traits::ALL } else { chip }, sheet }
    }
}

impl Traits {
    /// Everything: of what is not known.
    const ALL: Traits = Traits { couplers: true, uneven: true, shifters: true, updates: true, crosstalk: 0.0 };

    fn of(fabrication: &Fabrication) -> Self {
        let errors = fabrication.stage(0).get(["first_coupler", "second_coupler", "loss_db"]);
        let [couplers, uneven] = errors.map_or([false; 2], |[first, second, losses]| {
            let own = first.iter().chain(second).any(|&angle| angle != 0.0);
            [own, losses.iter().any(|&loss| loss != losses[0])]
        });
        let (shifters, updates) = (!fabrication.control.shifters.is_empty(), !fabrication.update_error.is_empty());
        let coupling = &fabrication.control.coupling;
        let rows = coupling.starts.len().saturating_sub(1).max(1);
        let crosstalk = (coupling.neighbours.len() * (size_of::<u32>() + size_of::<f64>())) as f64 / rows as f64;
        Traits { couplers, uneven, shifters, updates, crosstalk }
    }

    /// Bytes per control that are drawn of the way to it.
    fn drawn(&self) -> f64 {
        let shifter = if self.shifters { size_of::<Shifter>() as f64 } else { 0.0 };
        shifter + self.crosstalk + if self.updates { 8.0 } else { 0.0 }
    }

    /// Bytes per control of an engine that goes this way: shifters, heat, where they stand and how they follow.
    fn followed(&self, real: f64) -> f64 {
        let shifters = if self.shifters { size_of::<Shifter>() as f64 + 8.0 } else { 0.0 };
        let both = if self.shifters || self.updates { 2.0 * real } else { 0.0 };
        shifters + both + if self.updates { 2.0 * real } else { 0.0 }
    }
}

/// Errors of all stages of a chip, in numbers.
fn errors_of(network: &Network) -> f64 {
    let of_stage = |stage: &Stage| {
        let own = stage.element().imperfect().map(|own| own.errors().iter().map(|own| own.length).sum::<usize>());
        own.unwrap_or(0) as f64
    };
    network.stages().map(of_stage).sum()
}

/// Memory of the training of `network` by `plan`, of which this process has `own`, on so many `samples` of both splits; on a GPU (`device`) what stays in
/// the computer's own. Methods come one after the other, so that the one counts that needs most.
pub fn memory(plan: &Plan, whole: &Network, own: Option<&Network>, samples: usize, device: bool) -> Need {
    let (network, kind) = (own.unwrap_or(whole), Kind::of(plan, whole));
    if device {
        let mut need = Need::default();
        perturbed(&mut need, plan, network);
        let (all, samples, width) = (whole.controls() as f64, samples as f64, network.input().width() as f64);
        let drawn = errors_of(whole) * 8.0 + all * kind.chip.drawn();
        need.fixed("the first controls and the errors of the chip", all * 8.0 + drawn);
        need.growing("the encoded samples", samples * width * 4.0, "train-limit", samples);
        return need;
    }
    let needs = plan.methods.iter().map(|&method| on_cpu(plan, method, &kind, whole, network, samples as f64));
    needs.max_by(|one, other| one.bytes().total_cmp(&other.bytes())).unwrap_or_default()
}

/// What mixes signals between layers.
fn perturbed(need: &mut Need, plan: &Plan, network: &Network) {
    if plan.imperfections.perturbation > 0.0 {
        let hidden = 0..network.layers().len() - 1;
        let entries: f64 = hidden.map(|layer| (network.layer_output(layer).width() as f64).powi(2)).sum();
        need.fixed("the perturbation between layers", entries * 8.0);
    }
}

/// The same of one method on the CPU, of whose `whole` network this process has `network`.
fn on_cpu(plan: &Plan, method: MethodName, kind: &Kind, whole: &Network, network: &Network, samples: f64) -> Need {
    let mut need = Need::default();
    perturbed(&mut need, plan, network);
    let [all, controls] = [whole, network].map(|network| network.controls() as f64);
    let width = network.input().width() as f64;
    let facts = methods::facts(method);
    let real = match plan.precision {
        Precision::F32 => 4.0,
        Precision::F64 => 8.0,
    };
    let moments = plan.training.optimizer.moments() as f64;
    let sets = 1.0 + moments;
    let batch = plan.training.batch_size as f64;
    // samples with their own and with a wrong label
    let passed = if method == MethodName::Phyll { 2.0 * batch } else { batch };
    let widths: Vec<f64> = network.crossed_stages().map(|stage| stage.output().width() as f64).collect();
    let (widest, outputs) = (widths.iter().copied().fold(width, f64::max), network.outputs() as f64);

    need.growing("the encoded samples", samples * width * real, "train-limit", samples);
    let held = |traits: &Traits, back: bool, batch: f64| Held {
        real: real as usize,
        errors: traits.couplers,
        uneven: traits.uneven,
        back,
        estimated: false,
        batch: batch as usize,
        still: if back { batch as usize } else { samples.max(batch) as usize },
    };
    let standing = |network: &Network, held: &Held| {
        network.stages().map(|stage| at_core::cpu::bytes(stage, held) as f64).sum::<f64>()
    };
    let drawn = errors_of(whole) * 8.0 + all * kind.chip.drawn();
    let chip = standing(network, &held(&kind.chip, false, passed)) + controls * (real + kind.chip.followed(real));
    let pairs = network.stages().flat_map(Stage::runs).filter(|run| run.meaning == Meaning::Cells);
    let pairs: f64 = pairs.map(|run| run.count as f64).sum();
    need.fixed("the first controls and the chip", all * 8.0 + drawn + chip + pairs * PAIR.0);
    let seen = match facts.reach {
        Reach::BothEnds(seen) => Some(seen),
        Reach::Output | Reach::Taps | Reach::Layers | Reach::Powers => None,
    };
    let lights_meshes = seen.is_some();
    let modelled = facts.model != Model::None && !lights_meshes;
    // with an estimate, drawn or known whole, or as the data sheet has it
    let (mut capacity, mut estimated) = (batch, 0.0);
    let model = if method == MethodName::AtAdaptive {
        let [losses, heaters] = Design::asks(network, &plan.options);
        let design = if losses { network.with_unknown_losses() } else { network.clone() };
        estimated = design.imperfections() as f64 + if heaters { controls } else { 0.0 };
        if plan.options.estimation.measures(network) > 0 {
            capacity = batch.max(probe_samples(network) as f64);
        }
        let model = Held { errors: true, estimated: true, ..held(&kind.sheet, true, capacity) };
        standing(&design, &model)
            + if heaters { controls * (size_of::<Shifter>() as f64 + 8.0 + 3.0 * real) } else { 0.0 }
    } else if matches!(facts.model, Model::Oracle | Model::Statistics) {
        standing(network, &held(&kind.chip, true, batch))
    } else {
        standing(network, &held(&kind.sheet, true, batch))
    };
    // it, its controls and its gradient
    let (followed, again) = match facts.model {
        Model::Oracle => (kind.chip.followed(real), 0.0), // as the chip was drawn
        Model::None | Model::Electronics | Model::DataSheet | Model::Statistics => {
            (kind.sheet.followed(real), DRAWN_AGAIN * kind.sheet.crosstalk)
        }
    };
    let model = model + controls * (2.0 * real + followed + again);
    need.fixed("the digital model and its gradient", if modelled { model } else { 0.0 });
    // `at` trains its model beside the chip
    let vectors = if method == MethodName::At { 2.0 } else { 1.0 };
    let values = sets * vectors;
    let (trained, kept) = (controls * values + 3.0 * estimated, all * values + 3.0 * estimated);
    need.fixed(
        "what is trained and a checkpoint of it",
        trained * real + (kept + pairs * PAIR.1) * CHECKPOINT + controls * real,
    );
    let others = (plan.fleet() - 1) as f64;
    if method == MethodName::At && others > 0.0 {
        let fleet = plan.fleet() as f64;
        let each = chip + drawn + controls * sets * (real + CHECKPOINT);
        need.growing("chips that share a model", others * each, "share-model", fleet);
    }

    let traced: f64 = if modelled { widths.iter().sum() } else { 0.0 };
    // batches to train and to judge, readouts and errors, and what enters and leaves a stage of chip and model, with room for the widest
    let passing = if modelled { 4.0 } else { 2.0 } * widest;
    let signals = capacity * real * (2.0 * width + 4.0 * outputs + passing + traced);
    need.growing("the signals of a batch", signals, "batch-size", batch);
    if let Some(seen) = seen {
        let [chip, sheet] = [&kind.chip, &kind.sheet].map(|traits| held(traits, false, batch));
        let room = hybrid::room(network, seen, &chip, &sheet).unwrap_or_default(); // else it is refused
        // the computer's stages have controls of their own
        let own = controls * (3.0 * real + kind.sheet.followed(real) + DRAWN_AGAIN * kind.sheet.crosstalk);
        need.fixed("the meshes that are lit and what stands between them", room.fixed + own);
        // gradients come and go in double precision; no checkpoint is taken meanwhile
        let passing = (room.passing + 16.0 * controls - kept * CHECKPOINT).max(0.0);
        let signals = match seen {
            Seen::Fields => "the fields at all phase shifters and the signals between meshes (ffm)",
            Seen::Nothing | Seen::Powers => "the signals between meshes",
        };
        need.growing(signals, room.of_batch + passing, "batch-size", batch);
        if plan.options.subspace_calibration + plan.options.subspace_mapping > 0 && method == MethodName::Subspace {
            let squares: f64 = network.all_meshes().map(|mesh| (mesh.modes() as f64).powi(2)).sum();
            need.fixed("the matrices of all meshes (subspace)", 32.0 * squares);
        }
    }
    if method == MethodName::AtAdaptive {
        // its gradient and a copy of it; the first controls, and those of a probe; two readouts and their difference in double precision
        let estimate = estimated * (real + 8.0) + controls * (2.0 * real + 16.0);
        need.fixed("the estimate (at-adaptive)", estimate + capacity * (3.0 * 8.0 * outputs + real * width));
    }
    if method == MethodName::Dfa || method == MethodName::DfaModel {
        let hidden = network.visits().len() - 1;
        let entries: f64 = network.visited_outputs().take(hidden).map(|own| own.width() as f64 * outputs).sum();
        need.fixed("the feedback (dfa)", entries * real);
    }
    if method == MethodName::Phyll {
        let entries: f64 = network.visited_outputs().map(|own| (own.width() as f64).powi(2)).sum();
        let most = network.visited_outputs().map(|own| own.width() as f64).fold(0.0, f64::max);
        // in double precision on the host: entries, their gradient and that of a layer, or all of it as it goes back; or a checkpoint of all
        let step = entries * 16.0 + (8.0 * most * most).max(entries * real);
        let maps = entries * sets * real + step.max(entries * sets * CHECKPOINT);
        need.fixed("the maps between layers (phyll)", maps);
        // the samples, overlaid twice; what a layer reads, as mapped, its errors, and what enters and leaves it
        let passing = batch * 24.0 * width + passed * most * (24.0 + 2.0 * real);
        need.growing("the signals between layers (phyll)", passing, "batch-size", batch);
    }
    if method == MethodName::Dat || method == MethodName::DatInternal {
        prediction(&mut need, plan, network, real, moments);
    }
    need
}

/// The error-prediction networks of `dat`: their parameters, and their maps of a batch.
fn prediction(need: &mut Need, plan: &Plan, network: &Network, real: f64, moments: f64) {
    let batch = plan.training.batch_size as f64;
    let (mut parameters, mut pixels) = (0.0, 0.0);
    for mesh in network.meshes() {
        let (own, maps) = dat::size(mesh.modes(), plan.options.dat.maps);
        parameters += own;
        pixels += maps;
    }
    let most = plan.options.dat.maps.into_iter().max().unwrap_or(1) as f64;
    let bytes = parameters * ((real + 8.0) * (1.0 + moments) + 2.0 * real + 4.0);
    need.growing_squared("the error-prediction networks (dat)", bytes, "dat-maps", most);
    need.growing("their maps of a batch (dat)", (batch / TILE.0).ceil() * TILE.1 * pixels, "batch-size", batch);
}
