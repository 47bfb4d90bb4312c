//! What is sent to a chip in order to learn its imperfections: random controls and random inputs, which grow from light that passes
//! straight through to light that goes everywhere.
//!
//! At Haar-random controls every readout depends on every error, so that a model whose errors are far off shares no field with the
//! chip and has no slope. Near the bar state, θ = π, light stays in its mode but for what few MZIs leak, and the phase of what
//! leaks is that of the columns in front, which the first columns know and the later ones learn from them. Probes therefore have a
//! *reach* s from 0 to 1:
//!
//! ```text
//! θ = π − (1 − s)·δθ ± s·(θ_Haar − π)        δθ: the estimate, so that the bar state is that of the chip as far as it is known
//! |x| = |x_Gauss|^s                          moduli of the inputs: all alike at first
//! power of x = bright·5^(−s)         ten times the data's at first, twice at last, less where [`Probes::bright`] says so
//! ```
//!
//! Light that is alike in all modes, and bright, leaves nonlinearities that are dark at low power with readouts of one size; dim and
//! uneven light would leave a few bright modes to decide the misfit.
//!
//! Rings need no reach: light crosses each of their banks once, and every output depends on all of its row at once. What they need is to be
//! met on both sides of their resonance, where one setting answers alike, and outputs that one can read few rings from at a time:
//!
//! ```text
//! φ = ±φ_w, w uniform within ±0.95          φ_w: the phase at which a ring as designed has the weight w
//! x_i = z_i² or 0, z Gaussian          lit one wavelength in ten
//! ```
//!
//! The weights of most rings that stand anywhere are negative, so that with all wavelengths lit the units behind them would be dark.

use crate::Result;
use crate::engine::Engine;
use crate::network::{Network, Stage};
use crate::optics::Activation;
use crate::stage::{Estimable, RingBank};
use crate::training::{Initialization, initial_controls};
use num_complex::Complex64;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use std::f64::consts::PI;

/// Power of an input of reach 1 relative to the data's. Powers at which the chip's nonlinearities answer are learned from fastest; with
/// the electro-optic activation factors of 1 to 5 find the imperfections, 1 takes twice as long as 2, and 10 finds nothing.
const POWER: f64 = 2.0;

/// The same of reach 0, where all modes are alike: with the electro-optic activation 2 finds nothing. Less where a nonlinearity passes
/// less light for more: there at most [`BELOW`] of the power at which it passes most.
const BRIGHT: f64 = 10.0;
const BELOW: f64 = 0.43;

/// How much dimmer probes of reach 1 are than those of reach 0, and than any light that calibrates.
pub const FADES: f64 = BRIGHT / POWER;

/// Ratio of the powers among which that one is looked for.
const FINE: f64 = 1.02;

/// Steepness of all nonlinearities behind which amplitudes tell no more; roots bring what is beyond back to it. With three meshes amplitudes find chips sooner
/// than any lower root, with four they find none.
const STEEP: f64 = 9.0;

/// Samples of a probe per mode. A matrix of N modes has 2N² unknowns and a sample N readouts, so that this is four times what one
/// setting of the controls can tell; it is no matter of the task's batches.
const SAMPLES_PER_MODE: usize = 8;

/// The same of a network of rings, whose controls a probe meets once and whose misfits are compared with those of others: enough that
/// every wavelength is lit a dozen times.
const SAMPLES_OF_RINGS: std::ops::RangeInclusive<usize> = 128..=256;

/// Largest weight of either sign that a probe gives a ring as designed.
const GREATEST_WEIGHT: f64 = 0.95;

/// Share of the wavelengths that are lit; more where that would be fewer than [`FEWEST`], but no more than half.
const LIT: f64 = 0.1;
const FEWEST: f64 = 4.0;

/// Bytes 16..32 of the key, so that no other use of the same seed draws the same stream.
const STREAM: [u8; 16] = *b"at probe draws 2";

/// Where the controls and the imperfections of a mesh stand among all.
#[derive(Clone, Copy, Debug)]
struct Thetas {
    first_control: usize,
    first_error: usize,
    count: usize,
}

/// The bank of `stage`, patches of which may cross it.
fn ring_bank(stage: &Stage) -> Option<&RingBank> {
    if let Stage::RingBank(bank) = stage.crossed() { Some(bank) } else { None }
}

/// Where the controls of a ring bank stand among all.
#[derive(Clone, Copy, Debug)]
struct Rings {
    first_control: usize,
    bank: RingBank,
}

/// Draws probes: probe k of a reach, around an estimate, is the same whenever it is drawn.
pub struct Probes {
    network: Network,
    seed: u64,
    thetas: Vec<Thetas>,
    rings: Vec<Rings>,
}

/// Samples of a probe of `at-adaptive` through a chip of `network`.
pub fn probe_samples(network: &Network) -> usize {
    Probes::new(network, 0).samples()
}

impl Probes {
    /// Probes for a chip of `network`.
    pub fn new(network: &Network, seed: u64) -> Self {
        let (mut controls, mut errors, mut thetas, mut rings) = (0, 0, Vec::new(), Vec::new());
        for stage in network.stages().flat_map(Stage::parts) {
            if let Stage::Mesh(mesh) = stage {
                let first_error = errors + 2 * mesh.mzis();
                thetas.push(Thetas { first_control: controls, first_error, count: mesh.mzis() });
            }
            rings.extend(ring_bank(stage).map(|bank| Rings { first_control: controls, bank: *bank }));
            controls += stage.controls();
            errors += stage.imperfections();
        }
        Probes { network: network.clone(), seed, thetas, rings }
    }

    /// Probes are worth keeping: what they ask depends on their number alone, and one setting does not tell what it asks.
    pub fn kept(&self) -> bool {
        let mut stages = self.network.stages().map(Stage::estimable);
        self.thetas.is_empty() && stages.any(|own| matches!(own, Estimable::BySettings(_)))
    }

    /// Samples of a probe: of images so many that their patches are more.
    pub fn samples(&self) -> usize {
        if self.kept() {
            return (2 * self.network.input().modes).clamp(*SAMPLES_OF_RINGS.start(), *SAMPLES_OF_RINGS.end());
        }
        let entering = self.network.stages().next().map_or(0, |first| first.crossed().input().modes);
        SAMPLES_PER_MODE * entering
    }

    /// Controls and inputs of probe number `index` with reach `reach`, around the `estimate` of the imperfections, for data of
    /// `power` per sample.
    ///
    /// Haar-random controls are drawn like those from which training starts: every MZI is met in many states and every output
    /// depends on every MZI. Inputs are isotropic: images excite few directions only, and leave the others unlearned.
    pub fn draw<E: Engine>(
        &self,
        engine: &E,
        index: u64,
        reach: f64,
        estimate: &[f64],
        power: f64,
    ) -> Result<(E::Buffer, E::Buffer)> {
        let mut random = self.random(index);
        let mut controls = initial_controls(&self.network, random.random(), &Initialization::FanIn)?;
        for own in &self.thetas {
            for mzi in 0..own.count {
                let theta = &mut controls[own.first_control + mzi];
                let side = if random.random() { reach } else { -reach };
                *theta = PI - (1.0 - reach) * estimate[own.first_error + mzi] + side * (*theta - PI);
            }
        }
        for own in &self.rings {
            for control in &mut controls[own.first_control..][..own.bank.rings_in_all()] {
                let phase = own.bank.phase_of(GREATEST_WEIGHT * (2.0 * random.random::<f64>() - 1.0));
                *control = if random.random() { phase } else { -phase };
            }
        }
        if self.lights_rings() {
            return Ok((engine.upload(&controls)?, engine.upload(&self.powers(&mut random, self.samples(), power))?));
        }
        let bright = self.bright(power);
        // as far below it as where no nonlinearity bounds it
        let power = (bright * POWER / BRIGHT).powf(reach) * bright.powf(1.0 - reach);
        let fields = self.fields(&mut random, self.samples(), reach, power);
        Ok((engine.upload(&controls)?, engine.upload(&fields)?))
    }

    /// Rings are the first that inputs meet, which are powers of wavelengths then.
    fn lights_rings(&self) -> bool {
        self.network.stages().next().is_some_and(|first| ring_bank(first).is_some())
    }

    /// `samples` inputs of which few wavelengths are lit, with the mean sum of squares `power`.
    fn powers(&self, random: &mut ChaCha8Rng, samples: usize, power: f64) -> Vec<f64> {
        let width = self.network.input().width();
        let share = LIT.max(FEWEST / width as f64).min(0.5);
        let mut powers: Vec<f64> = (0..samples * width)
            .map(|_| {
                let lit = random.random::<f64>() < share;
                let field: f64 = StandardNormal.sample(random);
                if lit { field * field } else { 0.0 }
            })
            .collect();
        let mean = powers.iter().map(|x| x * x).sum::<f64>() / samples as f64;
        if mean > 0.0 {
            powers.iter_mut().for_each(|x| *x *= (power / mean).sqrt());
        }
        powers
    }

    /// Power of an input of reach 0 where the data have `power`, both per sample.
    pub fn bright(&self, power: f64) -> f64 {
        let modes = self.network.input().modes as f64;
        let wanted = BRIGHT * power / modes;
        let passes = |own: &Activation, power: f64| own.value(Complex64::new(power.sqrt(), 0.0)).norm();
        let most = |own: &Activation| {
            let mut at = 0.01 * wanted;
            while at < wanted / BELOW && passes(own, FINE * at) >= passes(own, at) {
                at *= FINE;
            }
            BELOW * at
        };
        let lit = |stage: &Stage| if let Stage::Activation(own) = stage { Some(most(&own.activation)) } else { None };
        modes * self.network.stages().flat_map(Stage::parts).filter_map(lit).fold(wanted, f64::min)
    }

    /// The root of the powers of readouts, ½ or less, at which a misfit of probes weighs alike what nonlinearities set apart, for data of `power` per sample:
    /// amplitudes behind two that are dark at low power, where readouts grow as the ninth power of fields, and less behind more.
    pub fn root(&self, power: f64) -> f64 {
        let mut modulus = (self.bright(power) / self.network.input().modes as f64).sqrt();
        let parts = self.network.stages().flat_map(Stage::parts);
        let lit = parts.filter_map(|stage| if let Stage::Activation(own) = stage { Some(own) } else { None });
        let steepness: f64 = lit.map(|own| own.activation.steepness(&mut modulus)).product();
        if steepness > STEEP { 0.5 * STEEP / steepness } else { 0.5 }
    }

    /// The random numbers of probe number `index`.
    pub fn random(&self, index: u64) -> ChaCha8Rng {
        let mut key = [0; 32];
        key[..8].copy_from_slice(&self.seed.to_le_bytes());
        key[8..16].copy_from_slice(&index.to_le_bytes());
        key[16..].copy_from_slice(&STREAM);
        ChaCha8Rng::from_seed(key)
    }

    /// `samples` inputs of reach `reach`, each of `power`.
    pub fn fields(&self, random: &mut ChaCha8Rng, samples: usize, reach: f64, power: f64) -> Vec<f64> {
        let input = self.network.input();
        let (width, reals) = (input.width(), input.width() / input.modes);
        let mut fields: Vec<f64> = (0..samples * width).map(|_| StandardNormal.sample(random)).collect();
        for mode in fields.chunks_exact_mut(reals) {
            let modulus = mode.iter().map(|x| x * x).sum::<f64>().sqrt();
            if modulus > 0.0 {
                mode.iter_mut().for_each(|x| *x *= modulus.powf(reach - 1.0));
            }
        }
        for sample in fields.chunks_exact_mut(width) {
            let scale = (power / sample.iter().map(|x| x * x).sum::<f64>()).sqrt();
            sample.iter_mut().for_each(|x| *x *= scale);
        }
        fields
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cpu::Cpu;
    use crate::network::Detection;
    use crate::optics::{Layout, Mesh};

    fn probes() -> (Probes, Mesh) {
        let mesh = Mesh::universal(4, Layout::Rectangular).unwrap();
        let network =
            Network::new(vec![vec![Stage::Mesh(mesh.clone()), Stage::detection(4, Detection::Intensity)]]).unwrap();
        (Probes::new(&network, 3), mesh)
    }

    #[test]
    fn without_reach_light_passes_straight_through_the_chip_as_it_is_estimated() {
        let (probes, mesh) = probes();
        let estimate: Vec<f64> = (0..3 * mesh.mzis() + 20).map(|k| (k as f64).sin()).collect();
        let (controls, fields) = probes.draw(&Cpu::<f64>::new(), 7, 0.0, &estimate, 4.0).unwrap();
        for mzi in 0..mesh.mzis() {
            assert!((controls[mzi] + estimate[2 * mesh.mzis() + mzi] - PI).abs() < 1e-12);
        }
        assert_eq!(fields.len(), 8 * probes.samples());
        for mode in fields.chunks_exact(2) {
            assert!((mode[0].powi(2) + mode[1].powi(2) - 10.0).abs() < 1e-9, "every mode has a quarter of the power");
        }
    }

    #[test]
    fn no_nonlinearity_is_lit_beyond_what_it_passes_most_of() {
        let activation = Stage::activation(4, Activation::ELECTRO_OPTIC);
        let network = Network::new(vec![vec![activation, Stage::detection(4, Detection::Intensity)]]).unwrap();
        let probes = Probes::new(&network, 3);
        assert!((probes.bright(4.0 * 0.5) - 4.0 * 5.0).abs() < 1e-9, "dim data");
        let bright = probes.bright(4.0 * 50.0) / 4.0;
        assert!((bright / 10.06 - 1.0).abs() < 0.03, "{bright}");
    }

    #[test]
    fn the_root_falls_with_the_nonlinearities_that_are_dark_at_low_power() {
        let (probes, _) = probes();
        assert_eq!(probes.root(4.0), 0.5);
        let of = |count: usize| {
            let mut stages = vec![Stage::activation(4, Activation::ELECTRO_OPTIC); count];
            stages.push(Stage::detection(4, Detection::Intensity));
            Probes::new(&Network::new(vec![stages]).unwrap(), 3).root(4.0)
        };
        assert!([1, 2].map(of).iter().all(|root| (root - 0.5).abs() < 0.01), "{}", of(2));
        assert!((of(3) - 0.5 / 3.0).abs() < 0.01 && (of(4) - 0.5 / 9.0).abs() < 0.01, "{} {}", of(3), of(4));
    }

    #[test]
    fn with_full_reach_the_estimate_does_not_matter_and_moduli_differ() {
        let (probes, mesh) = probes();
        let engine = Cpu::<f64>::new();
        let draw = |index, error: f64| {
            let estimate = vec![error; 3 * mesh.mzis() + 20];
            probes.draw(&engine, index, 1.0, &estimate, 4.0).unwrap()
        };
        assert_eq!(draw(7, 0.0), draw(7, 0.3));
        assert_ne!(draw(7, 0.0), draw(8, 0.0));
        let (_, fields) = draw(7, 0.0);
        for sample in fields.chunks_exact(8) {
            assert!((sample.iter().map(|x| x * x).sum::<f64>() - 4.0 * POWER).abs() < 1e-9);
        }
        let moduli: Vec<f64> = fields.chunks_exact(2).map(|z| z[0].hypot(z[1])).collect();
        assert!(moduli.iter().any(|&m| m > 2.0) && moduli.iter().any(|&m| m < 0.5));
    }
}
