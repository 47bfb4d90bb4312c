//! A stage of one's own: rings with a Kerr nonlinearity, each with a heater, trained between two meshes.
//!
//! A ring passes the field `z` as `t(ψ)·z`, with `t(ψ) = (r - a·e^{iψ})/(1 - r·a·e^{iψ})` and the round-trip phase
//! `ψ = θ + δ + κ|z|²`: the heater's θ is its control, the detuning δ an error that nobody knows, and κ tells how much its own light
//! shifts it.
//!
//! ```sh
//! cargo run --example own_stage
//! ```

use at_core::imperfections::{Draws, LARGEST_ERROR, Place};
use at_core::prelude::*;
use at_core::stage::{
    Beside, ControlRun, Controlled, Drawn, Element, ErrorVector, Estimable, Flops, Gain, Imperfect, Order, Signal,
    Sines, StageErrors, Start, slope_error,
};
use num_complex::Complex64;
use std::f64::consts::TAU;

/// Rings, one per mode.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct KerrRings {
    /// Number of modes.
    pub modes: usize,
    /// Field that the coupler keeps in the waveguide, r.
    pub coupling: f64,
    /// Field that is left after a round trip, a.
    pub roundtrip: f64,
    /// Phase per power, κ.
    pub kerr: f64,
    /// Standard deviation of the detuning δ (radians).
    pub spread: f64,
}

impl KerrRings {
    /// The transmission at the round-trip phase `psi`, and its derivative.
    fn transmission(&self, psi: f64) -> (Complex64, Complex64) {
        let (r, a, turn) = (self.coupling, self.roundtrip, Complex64::cis(psi));
        let below = 1.0 - r * a * turn;
        ((r - a * turn) / below, -Complex64::I * a * turn * (1.0 - r * r) / (below * below))
    }

    /// The round-trip phase in the ring of sample and mode number `index` with the field `z`.
    fn phase(&self, errors: &StageErrors, controls: &[f64], index: usize, z: &Complex64) -> f64 {
        let ring = index % self.modes;
        let detuning = errors.get(["detuning"]).map_or(0.0, |[own]| own[ring]);
        controls[ring] + detuning + self.kerr * z.norm_sqr()
    }
}

/// What light meets.
impl Element for KerrRings {
    fn input(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn output(&self) -> Signal {
        Signal::fields(self.modes)
    }

    fn signed(&self) -> bool {
        true
    }

    fn validate(&self) -> Result<()> {
        let shares = [("coupling", self.coupling), ("roundtrip", self.roundtrip)];
        match shares.into_iter().find(|(_, share)| !(0.0..1.0).contains(share)) {
            Some((name, share)) => Err(Error::invalid(name, share, "a ring keeps less than all of its field")),
            None => Ok(()),
        }
    }

    /// With all parameters: what has equal words is taken for equal.
    fn words(&self) -> String {
        let KerrRings { modes, coupling, roundtrip, kerr, spread } = self;
        format!("kerr-rings:{modes}(coupling {coupling}, roundtrip {roundtrip}, kerr {kerr}, spread {spread})")
    }

    fn description(&self) -> String {
        format!("Kerr rings on {} modes", self.modes)
    }

    fn flops(&self) -> Flops {
        Flops::NONE
    }

    fn controlled(&self) -> Option<&dyn Controlled> {
        Some(self)
    }

    fn imperfect(&self) -> Option<&dyn Imperfect> {
        Some(self)
    }

    /// Nobody has worked it out, so parameter-shift refuses it.
    fn sines(&self) -> Option<Sines> {
        None
    }

    fn drawn(&self) -> Option<&dyn Drawn> {
        None
    }

    fn beside(&self, _: usize) -> Result<Option<Beside>> {
        Ok(None)
    }

    fn forward(&self, errors: &StageErrors, controls: &[f64], signal: &[f64]) -> Vec<f64> {
        let fields = signal.chunks_exact(2).map(|z| Complex64::new(z[0], z[1])).enumerate();
        let passed = fields.map(|(index, z)| self.transmission(self.phase(errors, controls, index, &z)).0 * z);
        passed.flat_map(|z| [z.re, z.im]).collect()
    }

    /// With `f = t·z` and the adjoint `a` of f: that of z is `(t + t'κ|z|²)*·a + t'κz²·a*`, and `dL/dθ = 2 Re(a*·t'·z)`.
    fn backward(
        &self,
        errors: &StageErrors,
        controls: &[f64],
        signal: &[f64],
        error: &[f64],
        gradient: &mut [f64],
    ) -> Vec<f64> {
        let mut carried = Vec::with_capacity(signal.len());
        for (index, (z, a)) in signal.chunks_exact(2).zip(error.chunks_exact(2)).enumerate() {
            let (z, a) = (Complex64::new(z[0], z[1]), Complex64::new(a[0], a[1]));
            let (t, slope) = self.transmission(self.phase(errors, controls, index, &z));
            gradient[index % self.modes] += 2.0 * (a.conj() * slope * z).re;
            let back = (t + slope * self.kerr * z.norm_sqr()).conj() * a + slope * self.kerr * z * z * a.conj();
            carried.extend([back.re, back.im]);
        }
        carried
    }
}

/// What is told to its heaters.
impl Controlled for KerrRings {
    fn runs(&self) -> Vec<ControlRun> {
        vec![ControlRun::phases(self.modes, TAU)]
    }

    fn first(&self, _: Start) -> Result<Vec<f64>> {
        Ok(vec![0.0; self.modes])
    }

    fn places(&self) -> Vec<Option<Place>> {
        (0..self.modes).map(|mode| Some(Place::on_one_die(0, mode))).collect()
    }

    fn rest(&self) -> f64 {
        0.0
    }

    fn shares(&self, other: &Stage, _: usize) -> Option<Vec<usize>> {
        (other.as_own() == Some(self)).then(|| (0..self.modes).collect())
    }
}

/// What a fabricated one has that nobody meant. It draws from nothing but `draws`, so that a digital model gets the mean, 0.
impl Imperfect for KerrRings {
    fn errors(&self) -> Vec<ErrorVector> {
        vec![ErrorVector {
            name: "detuning",
            what: "detuning",
            unit: "rad",
            length: self.modes,
            most: LARGEST_ERROR,
            order: Order::Controls,
            stretches: false,
            sheet: None,
        }]
    }

    fn draw(&self, draws: &Draws) -> Vec<Vec<f64>> {
        vec![draws.normal(1, self.modes, 0.0, self.spread)]
    }

    fn estimable(&self) -> Estimable {
        Estimable::Nothing
    }

    fn estimated(&self, known: &StageErrors, _: &[f64]) -> StageErrors {
        known.clone()
    }

    fn gain(&self, _: usize, _: &StageErrors, _: bool) -> Result<Gain> {
        Ok(Gain::default())
    }
}

fn main() -> Result<()> {
    let rings = KerrRings { modes: 6, coupling: 0.8, roundtrip: 0.9, kerr: 0.4, spread: 0.6 };
    // a page is right where its way back is the derivative of its way there
    let wrong = slope_error(&rings, &StageErrors::NONE, &[0.3; 6], &[0.5; 12]);
    assert!(wrong < 1e-7, "{wrong}");

    // four classes: where the light enters, once in phase and once out of phase, which powers alone cannot tell
    let mesh = || -> Result<Stage> { Ok(Stage::Mesh(Mesh::rectangular(6)?)) };
    let detection = Stage::detection(6, Detection::Intensity);
    let network = Network::new(vec![vec![mesh()?, Stage::own(rings)], vec![mesh()?, detection]])?;
    let kind = Imperfections { phase: 0.3, ..Imperfections::NONE };
    let (engine, fabrication) = (Cpu::<f32>::new(), kind.fabricate(&network, 1)?);
    let labels: Vec<u32> = (0..80).map(|sample| sample % 4).collect();
    let field = |sample: usize, mode: usize| match (sample % 4 / 2 == mode / 2 % 2, sample % 2) {
        (true, odd) if odd == mode % 2 => 1.2,
        (true, _) => 0.8 * (sample as f32).cos(),
        (false, _) => 0.2 * ((sample + 3 * mode) as f32).sin(),
    };
    let signals: Vec<f32> = (0..80 * 6).flat_map(|entry| [field(entry / 6, entry % 6), 0.0]).collect();
    let split = Split::new(&engine, &signals, &labels)?;
    let (schedule, optimizer, loss) = (Schedule::Cosine, Optimizer::ADAM, Loss::cross_entropy(4));
    let settings = Settings { epochs: 40, batch_size: 10, learning_rate: 0.05, schedule, optimizer, loss, seed: 1 };
    let trainer = Trainer { engine: &engine, settings: &settings, train: &split, test: &split };
    let initial = initial_controls(&network, 2, &Initialization::FanIn)?;
    for name in [MethodName::At, MethodName::InSilico, MethodName::Ideal] {
        let mut chip = AnyChip::new(Chip::new(&engine, &network, &fabrication)?);
        let (options, meter) = (MethodOptions::default(), chip.meter().clone());
        let mut method = build(name, &engine, &network, &fabrication, &initial, &settings, &options, &meter)?;
        let outcome = trainer.run(&mut chip, &mut *method, None, None, &mut ())?;
        println!("{name}: loss {:.3} to {:.3}", outcome.records[0].train_loss, outcome.test.loss);
    }
    Ok(())
}
