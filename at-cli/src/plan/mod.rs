//! Settings that have been understood: every word has its meaning, every number its range. Nothing has been run yet.

mod chip;
mod gain;
mod understood;

use crate::failure::{OrUsage, Outcome};
use crate::memory;
use crate::network_files::{FilesCache, NetworkFiles};
use crate::network_text::StageText;
use crate::settings::{LossGain, RunSettings, chips};
use crate::words::{initialization, optimizer, schedule, word};
use crate::{methods, network_text, notes};
use anyhow::{Context, Result, anyhow, ensure};
use at_core::data::{Dataset, Encoding, Scale, SplitRule};
use at_core::engine::Loss;
use at_core::imperfections::{Imperfections, Part};
use at_core::network::{Network, Stage};
use at_core::optics::angular_spectrum::length;
use at_core::stage::FreeSpace;
use at_core::training::{self, Estimation, Initialization, MethodName, MethodOptions, Score};

/// The largest share of a run of at-adaptive in which the chip is measured, unless the steps are given.
const MOST_MEASURING: f64 = 0.5;

/// What a run will do, up to what only its data can tell.
pub struct Plan {
    /// The settings with every spread of the chip made explicit.
    pub settings: RunSettings,
    /// How samples in one piece become two parts, where somebody says.
    pub split: Option<SplitRule>,
    /// How features are scaled.
    pub scale: Scale,
    /// How samples become signals.
    pub encoding: Encoding,
    /// The methods, each once, in the order of the table.
    pub methods: Vec<MethodName>,
    /// What is particular to some methods.
    pub options: MethodOptions,
    /// The statistics of the chip.
    pub imperfections: Imperfections,
    /// The first controls.
    pub initialization: Initialization,
    /// What results are judged by.
    pub score: Score,
    /// What all methods share; the loss's `classes` follow from the data.
    pub training: training::Settings,
    /// Which engine was asked for.
    pub engine: EngineChoice,
    /// `f32` or `f64`.
    pub precision: Precision,
    /// What ranks share.
    pub share: Share,
    /// What was read of the files that belong to the network; nothing before [`Plan::fit`].
    pub files: NetworkFiles,
    /// The gain of the loss where the program has chosen it, and why; after [`Plan::fit`].
    pub chosen_gain: Option<String>,
    /// What makes one doubt that the settings are meant, a sentence each.
    pub notes: Vec<String>,
}

/// Where to compute.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum EngineChoice {
    /// A GPU where there is one, else the CPU.
    Auto,
    /// The CPU.
    Cpu,
    /// A GPU, or an error.
    Gpu,
}

/// What ranks share.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Share {
    /// Samples: every rank has all controls.
    Batch,
    /// Dies of tiled layers: every rank has all samples.
    Tiles,
}

impl Share {
    /// As it is written on the command line and in files.
    pub fn as_str(self) -> &'static str {
        match self {
            Share::Batch => "batch",
            Share::Tiles => "tiles",
        }
    }
}

/// The scalars of the CPU engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// The value of a setting that no layer gave is an error that names it.
fn given<T: Clone>(name: &str, value: &Option<T>) -> Result<T> {
    value.clone().ok_or_else(|| anyhow!("{name} is not set; pass --{name} or start from a --preset"))
}

impl Plan {
    /// Checks everything that can be checked before the data are read.
    pub fn new(settings: RunSettings) -> Result<Self> {
        understood::known_dataset(&given("dataset", &settings.dataset)?)?;
        Self::of_any_data(settings)
    }

    /// [`Plan::new`] for samples that a program has, whatever they are called.
    pub fn of_any_data(mut settings: RunSettings) -> Result<Self> {
        let imperfections = chips::imperfections(&mut settings)?;
        let defaults = MethodOptions::default();
        settings.probe_draws.get_or_insert(defaults.probe_draws);
        settings.probe_step.get_or_insert(defaults.probe_step);
        settings.coordinate_subset.get_or_insert(defaults.coordinate_subset);
        settings.subspace_calibration.get_or_insert(defaults.subspace_calibration);
        settings.subspace_mapping.get_or_insert(defaults.subspace_mapping);
        settings.redraw_every.get_or_insert(defaults.redraw_every);
        let RunSettings { chip_file, chip_errors, start_from, chip_park, .. } = &mut settings;
        for file in chip_file.iter_mut().chain(chip_errors.iter_mut().flatten()).chain(start_from) {
            *file = std::path::absolute(&file).context(file.display().to_string())?; // a run may be resumed from anywhere
        }
        if let Some(file) = chip_park.as_mut().filter(|park| !["last", "zero"].contains(&&park[..])) {
            *file = std::path::absolute(&file).context(file.clone())?.display().to_string();
        }
        let s = &settings;
        let mut plan = Plan {
            split: s.split.as_deref().map(str::parse).transpose()?,
            scale: s.scale.as_deref().map(str::parse).transpose()?.unwrap_or_default(),
            encoding: given("encoding", &s.encoding)?.parse()?,
            methods: understood::each_once(&given("method", &s.method)?)?,
            options: MethodOptions {
                digital_weight: given("digital-weight", &s.digital_weight)?,
                physical_weight: given("physical-weight", &s.physical_weight)?,
                tether: s.tether.unwrap_or_default(),
                digital_step: word("digital-step", &given("digital-step", &s.digital_step)?)?,
                estimation: Estimation {
                    measuring_steps: s.measuring_steps,
                    rate: s.estimate_rate,
                    trust: s.estimate_trust,
                    prior: s.estimate_prior,
                },
                probe_draws: given("probe-draws", &s.probe_draws)?,
                probe_step: given("probe-step", &s.probe_step)?,
                coordinate_subset: given("coordinate-subset", &s.coordinate_subset)?,
                subspace_calibration: given("subspace-calibration", &s.subspace_calibration)?,
                subspace_mapping: given("subspace-mapping", &s.subspace_mapping)?,
                sharpness_radius: s.sharpness_radius.unwrap_or(defaults.sharpness_radius),
                guide_directions: s.guide_directions.unwrap_or(defaults.guide_directions),
                guide_share: s.guide_share.unwrap_or(defaults.guide_share),
                transfer: understood::transfer(s),
                prepare: s.prepare.as_deref().map(str::parse).transpose()?,
                redraw_every: given("redraw-every", &s.redraw_every)?,
                imperfections,
                digital_model: match &s.digital_model {
                    Some(text) => word("digital-model", text)?,
                    None => Default::default(),
                },
                dat: understood::dat(s)?,
                subtraction: match &s.in_situ_subtraction {
                    Some(text) => word("in-situ-subtraction", text)?,
                    None => Default::default(),
                },
            },
            score: understood::score(s)?,
            initialization: initialization(&given("initialization", &s.initialization)?)?,
            training: training::Settings {
                epochs: given("epochs", &s.epochs)?,
                batch_size: given("batch-size", &s.batch_size)?,
                learning_rate: given("learning-rate", &s.learning_rate)?,
                schedule: schedule(&given("schedule", &s.schedule)?)?,
                optimizer: optimizer(&given("optimizer", &s.optimizer)?)?,
                loss: Loss {
                    kind: word("loss", &given("loss", &s.loss)?)?,
                    normalization: word("loss-normalization", &given("loss-normalization", &s.loss_normalization)?)?,
                    gain: match given("loss-gain", &s.loss_gain)? {
                        LossGain::Auto => 1.0, // until there are data: Plan::choose_gain
                        LossGain::Number(gain) => gain,
                    },
                    classes: 1,
                    reduction: word("loss-reduction", &given("loss-reduction", &s.loss_reduction)?)?,
                },
                seed: given("seed", &s.seed)?,
            },
            engine: word("engine", &given("engine", &s.engine)?)?,
            precision: word("precision", &given("precision", &s.precision)?)?,
            share: word("share", s.share.as_deref().unwrap_or("batch"))?,
            imperfections,
            files: NetworkFiles::default(),
            chosen_gain: None,
            notes: Vec::new(),
            settings,
        };
        let draws = plan.methods.contains(&MethodName::NoiseAware);
        plan.notes.extend(chips::beside_files(&plan.settings, &imperfections, draws)?);
        plan.check_fleet()?;
        plan.check_outside()?;
        plan.check_share()?;
        let gain = plan.training.loss.gain;
        ensure!(gain.is_finite() && gain > 0.0, "loss-gain = {gain} is not valid: must be positive");
        plan.training.validate()?;
        plan.check_preparation()?;
        if !plan.score.is_of_classes() {
            plan.training.loss.check_real()?;
        }
        plan.tap_noise(0).validate()?;
        plan.options.validate()?;
        let cpu = plan.engine == EngineChoice::Cpu;
        ensure!(
            !cpu || plan.settings.adapter.is_none(),
            "--adapter chooses a GPU, but engine is cpu; drop one of the two"
        );
        let fits = plan.precision == Precision::F32 || plan.engine != EngineChoice::Gpu;
        ensure!(fits, "precision f64 is not supported on a GPU; pass --engine cpu or --precision f32");
        if !given("network", &plan.settings.network)?.leaves_its_images_open() {
            let parts = plan.settings.network.as_ref().map_or(1, network_text::NetworkText::parts);
            refuse_absurd_sizes(&given("network", &plan.settings.network)?.layers(parts, 1)?)?; // else once the data tell their shape
        }
        Ok(plan)
    }

    /// The network and the loss that fit `data`; replaces `in` and `out` in the settings' network, and `auto` in their loss-gain, and
    /// reads the files that belong to the network.
    pub fn fit(&mut self, data: &Dataset) -> Outcome<Network> {
        self.fit_with(data, &mut FilesCache::default())
    }

    /// The same with files that may have been read before.
    pub fn fit_with(&mut self, data: &Dataset, cache: &mut FilesCache) -> Outcome<Network> {
        let network = self.fit_network(data).or_usage()?;
        self.files = cache.read(&self.settings, &network)?;
        notes::merge(&mut self.notes, self.files.notes.clone());
        let doubt = self.disagreement(&network)?;
        notes::merge(&mut self.notes, doubt);
        self.choose_gain(&network, data).or_usage()?;
        Ok(network)
    }

    /// Reads the files that belong to `network`, for which no data are.
    pub fn read_files(&mut self, network: &Network) -> Outcome {
        self.files = FilesCache::default().read(&self.settings, network)?;
        notes::merge(&mut self.notes, self.files.notes.clone());
        Ok(())
    }

    fn fit_network(&mut self, data: &Dataset) -> Result<Network> {
        if data.is_complex() {
            self.encoding.takes_complex().with_context(|| data.name.clone())?;
        }
        let modes = self
            .encoding
            .modes(data.width(), data.image)
            .with_context(|| format!("encoding {} of {}", self.encoding, data.name))?;
        let image = self.encoding.image(data.width(), data.image);
        let (wanted, what) = (data.outputs(), if data.real_targets().is_some() { "real targets" } else { "classes" });
        let text = given("network", &self.settings.network)?;
        let layers = text.layers_for(modes, image, wanted)?;
        refuse_absurd_sizes(&layers)?;
        let network = network_text::build(&layers).context("network")?;
        self.settings.network = Some(text.explicit(modes, image, wanted));
        if !self.settings.has_individual() {
            self.imperfections.check_room(&network)?;
        }
        let input = network.input();
        let hint = format!("{} with encoding {} gives {modes} signals", data.name, self.encoding);
        ensure!(
            input.modes == modes,
            "the network takes {} inputs, but {hint}; choose another --network (`in` fits the data) or --encoding",
            input.modes
        );
        ensure!(
            input.complex || !data.is_complex(),
            "the network takes real numbers, but the features of {} are complex; choose a network that takes fields, as mesh:in, \
             or save real features",
            data.name
        );
        ensure!(
            input.complex || !self.encoding.is_complex(),
            "the network takes real numbers, but encoding {} makes complex fields; choose --encoding raw or l2",
            self.encoding
        );
        ensure!(
            network.outputs() >= wanted,
            "the readout has {} outputs, but {} has {wanted} {what}; choose a --network with at least as many outputs",
            network.outputs(),
            data.name,
        );
        for &method in &self.methods {
            let facts = methods::facts(method);
            (facts.check)(&network)?;
            if facts.needs_classes && data.real_targets().is_some() {
                return Err(facts.refuse_real_targets().into());
            }
        }
        self.measure_in_time(&network, data.train.len());
        if network.has(Part::Meshes) && self.methods.contains(&MethodName::At) && self.options.tether == 0.0 {
            let advice = "on imperfect meshes plain at seldom learns; try --method at-adaptive, or at with --tether 50";
            self.notes.push(advice.to_string());
        }
        self.notes.extend(planes_that_do_not_mix(&network));
        let (subset, controls) = (self.options.coordinate_subset, network.controls());
        if subset > controls && self.methods.contains(&MethodName::Coordinate) {
            let tried =
                format!("coordinate-subset = {subset}, but there are {controls} controls: all are tried in every step");
            self.notes.push(tried);
        }
        self.training.loss.classes = wanted;
        self.training.loss.check(network.outputs())?;
        let samples = data.train.len();
        let batch = self.training.batch_size;
        ensure!(batch <= samples, "batch-size = {batch} is not valid: there are {samples} training samples");
        Ok(network)
    }

    /// Measuring takes at most [`MOST_MEASURING`] of a run of at-adaptive unless its steps are given; says so, and where they are
    /// given, that there is no step left.
    fn measure_in_time(&mut self, network: &Network, samples: usize) {
        if !self.methods.contains(&MethodName::AtAdaptive) {
            return;
        }
        let training = &self.training;
        let prepared = self.options.prepare.map_or(0, |preparation| preparation.epochs);
        let epochs = training.epochs.saturating_sub(prepared);
        let steps = epochs.saturating_mul(samples.div_ceil(training.batch_size));
        let estimation = &mut self.options.estimation;
        let usual = estimation.measures(network);
        let most = (MOST_MEASURING * steps as f64) as usize;
        if usual == 0 {
            return;
        }
        let given = estimation.measuring_steps.is_some();
        // it ends as soon as the chip is found
        estimation.measuring_steps.get_or_insert(most);
        if !given && most < usual {
            self.notes.push(format!(
                "at-adaptive measures the chip in {most} of the {steps} steps of this run at most, where {usual} are usual: measuring \
                 takes at most half of a run; pass more --epochs, or --measuring-steps"
            ));
        } else if given && usual >= steps {
            self.notes.push(format!(
                "at-adaptive measures the chip in all {steps} steps of this run and never trains on it; pass \
                 --measuring-steps below {steps}, or more --epochs"
            ));
        }
    }
}

fn refuse_absurd_sizes(layers: &[Vec<StageText>]) -> Result<()> {
    let controls = network_text::controls(layers);
    memory::check(controls).with_context(|| format!("a network of {controls:.0} controls"))
}

/// A doubt about planes so near that every pixel sees little but the one in front of it.
fn planes_that_do_not_mix(network: &Network) -> Option<String> {
    network.stages().find_map(|stage| {
        let Stage::FreeSpace(FreeSpace { spectrum }) = stage else { return None };
        let reach = spectrum.reach_um().into_iter().fold(0.0, f64::max);
        (reach < spectrum.pitch_um).then(|| {
            let [reach, pitch, distance] = [reach, spectrum.pitch_um, spectrum.distance_um].map(length);
            format!(
                "light goes {reach} aside between planes that are {distance} apart, less than their pitch of {pitch}: pixels \
                 hardly mix; take a longer distance="
            )
        })
    })
}
