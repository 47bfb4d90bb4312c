//! The chip lit mesh by mesh in both directions, with the noise of the detectors at its phase shifters.

use super::Chip;
use crate::network::Network;
use crate::propagator::{Bidirectional, Buffer, Direction, Monitor, Simulator};
use crate::{Error, Result};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

/// Noise of the power detectors at the phase shifters. It grows as that of shot: a detector that adds up the power p over a
/// batch reads `p + spread·√p·N(0, 1)`, in the units of the fields' squares.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct TapNoise {
    /// Standard deviation at unit power.
    pub spread: f64,
    /// Which draws.
    pub seed: u64,
}

impl TapNoise {
    /// Errs where the spread is negative or not finite.
    pub fn validate(&self) -> Result<()> {
        if self.spread.is_finite() && self.spread >= 0.0 {
            Ok(())
        } else {
            Err(Error::invalid("tap-noise", self.spread, "must be finite and not negative"))
        }
    }

    /// What the detectors read in the send that is the `round`-th turn at the chip's interface.
    fn disturb(&self, powers: &mut [f64], round: u64) {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(round);
        for power in powers {
            let draw: f64 = StandardNormal.sample(&mut random);
            *power += self.spread * power.max(0.0).sqrt() * draw;
        }
    }
}

/// Modes and controls of a mesh.
pub(super) type MeshSize = (usize, usize);

/// The sizes of all meshes, as light meets them.
pub(super) fn mesh_sizes(network: &Network) -> Vec<MeshSize> {
    network.all_meshes().map(|mesh| (mesh.modes(), mesh.controls())).collect()
}

impl<E: Simulator> Chip<E> {
    /// The same chip with noisy detectors at its shifters. Errs as [`TapNoise::validate`].
    pub fn with_tap_noise(mut self, noise: TapNoise) -> Result<Self> {
        noise.validate()?;
        self.tap_noise = noise;
        Ok(self)
    }
}

/// Every send is a pass of a batch through one mesh and a turn at the interface. Complex values count twice. What enters the
/// first mesh in front counts as input, whatever it is; everything else that is sent is an injection. Of a mesh that patches of images
/// cross in turn the batch is of patches.
impl<E: Simulator> Bidirectional for Chip<E> {
    fn send(
        &mut self,
        mesh: usize,
        direction: Direction,
        fields: &Buffer<Self>,
        batch: usize,
        mut output: Option<&mut Buffer<Self>>,
        monitor: Monitor<'_, Buffer<Self>>,
    ) -> Result<()> {
        let round = self.counter.meter().read().rounds;
        let mut watched = 0;
        match monitor {
            Monitor::Nothing => {
                self.inside.send(mesh, direction, fields, batch, output.as_deref_mut(), Monitor::Nothing)?;
            }
            Monitor::Fields(seen) => {
                self.inside.send(mesh, direction, fields, batch, output.as_deref_mut(), Monitor::Fields(seen))?;
                watched = batch * 2 * self.meshes[mesh].1;
            }
            Monitor::Powers(seen) => {
                self.inside.send(mesh, direction, fields, batch, output.as_deref_mut(), Monitor::Powers(seen))?;
                watched = self.meshes[mesh].1;
                if self.tap_noise.spread > 0.0 {
                    let mut powers = self.engine.download(seen)?;
                    self.tap_noise.disturb(&mut powers[..watched], round);
                    *seen = self.engine.upload(&powers)?;
                }
            }
        }
        let values = batch * 2 * self.meshes[mesh].0;
        let read = watched + if output.is_some() { values } else { 0 };
        let enters = mesh == 0 && direction == Direction::Forward;
        self.counter.mesh(batch, values, read, enters);
        Ok(())
    }
}
