//! Which network a file belongs to: a description for people, and a checksum of the whole of it for programs.
//!
//! ```text
//! mesh:64x3     2 x (mesh:64 > electro-optic) | mesh:64 > intensity
//! bank:64-8-10  bank:64-8 > rectifier | bank:8-10
//! ```
//!
//! `>` leads from stage to stage, `|` from layer to layer, equal layers in a row are counted. Every parameter is in the words, so
//! networks with equal words are equal; a description leaves out the end of long ones, a fingerprint nothing.

use super::{Layer, Network, Recurrence};
use crate::checksum::md5_hex;
use crate::optics::Mesh;
use crate::stage::Element;
use serde::{Deserialize, Serialize};
use std::fmt;

/// More different layers than this are counted and not described.
const MOST_LAYERS: usize = 8;

/// Whose a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Identity {
    /// For people.
    pub description: String,
    /// The same for equal networks and for no others: 32 hexadecimal digits.
    pub fingerprint: String,
}

/// Whose files are taken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Owner {
    /// This network's own.
    #[default]
    ThisNetwork,
    /// Any network's, as far as the sizes fit: only where somebody asked for that.
    AnyNetwork,
}

impl Network {
    /// What files that belong to this network carry.
    pub fn identity(&self) -> Identity {
        Identity::of(self.layers.iter().map(layer_words).chain(self.recurrence.iter().map(Recurrence::words)).collect())
    }

    /// What files carry that know the meshes of this network and nothing else of it.
    pub fn mesh_identity(&self) -> Identity {
        Identity::of_meshes(self.meshes())
    }
}

impl Identity {
    /// Of meshes in the order in which light meets them.
    pub fn of_meshes<'a>(meshes: impl IntoIterator<Item = &'a Mesh>) -> Self {
        Self::of(meshes.into_iter().map(Element::words).collect())
    }

    fn of(layers: Vec<String>) -> Self {
        let mut runs: Vec<(usize, &String)> = Vec::new();
        for layer in &layers {
            match runs.last_mut() {
                Some((count, last)) if *last == layer => *count += 1,
                _ => runs.push((1, layer)),
            }
        }
        let shown = runs.iter().take(MOST_LAYERS).map(|(count, layer)| match count {
            1 => (*layer).clone(),
            count => format!("{count} x ({layer})"),
        });
        let mut description = shown.collect::<Vec<_>>().join(" | ");
        let rest: usize = runs.iter().skip(MOST_LAYERS).map(|(count, _)| count).sum();
        if rest > 0 {
            description += &format!(" | {rest} more layers");
        }
        Identity { description, fingerprint: md5_hex(layers.join(" | ").as_bytes()) }
    }

    /// Whether both are of one network.
    pub fn is(&self, other: &Identity) -> bool {
        self.fingerprint == other.fingerprint
    }
}

impl fmt::Display for Identity {
    /// The description and the first digits of the fingerprint, which differ where long descriptions do not.
    fn fmt(&self, text: &mut fmt::Formatter) -> fmt::Result {
        let digits: String = self.fingerprint.chars().take(8).collect();
        write!(text, "{} [{digits}]", self.description)
    }
}

fn layer_words(layer: &Layer) -> String {
    layer.iter().map(|stage| stage.element().words()).collect::<Vec<_>>().join(" > ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::network::{Detection, Stage, singular_value_stages};
    use crate::optics::{Activation, Layout};
    use crate::tiled::tiled_stages;

    fn meshes(count: usize, mesh: &Mesh, activation: Activation) -> Network {
        let modes = mesh.modes();
        let behind = |last| match last {
            true => Stage::detection(modes, Detection::Intensity),
            false => Stage::activation(modes, activation),
        };
        Network::new((1..=count).map(|k| vec![Stage::Mesh(mesh.clone()), behind(k == count)]).collect()).unwrap()
    }

    /// Files carry these: a change of the words would make everybody's files another network's.
    #[test]
    fn descriptions_and_fingerprints_stay_what_they_are() {
        let identity = meshes(3, &Mesh::rectangular(64).unwrap(), Activation::ELECTRO_OPTIC).identity();
        assert_eq!(identity.description, "2 x (mesh:64 > electro-optic) | mesh:64 > intensity");
        let whole = "mesh:64 > electro-optic | mesh:64 > electro-optic | mesh:64 > intensity";
        assert_eq!(identity.fingerprint, md5_hex(whole.as_bytes()));
        let banks = [(64, 8), (8, 10)].map(|(inputs, outputs)| vec![Stage::weight_bank(inputs, outputs)]);
        assert_eq!(Network::new(banks.into()).unwrap().identity().description, "bank:64-8 | bank:8-10");
    }

    #[test]
    fn networks_that_differ_in_anything_have_other_fingerprints_and_descriptions() {
        let mesh = Mesh::rectangular(8).unwrap();
        let spm = |gain| Activation::Spm { gain };
        let detected = |mut stages: Vec<Stage>, detection| {
            let modes = stages.last().unwrap().output().modes;
            stages.push(Stage::detection(modes, detection));
            Network::new(vec![stages]).unwrap()
        };
        let one = |stage| Network::new(vec![vec![stage]]).unwrap();
        let tiles = tiled_stages(8, 8, &Mesh::rectangular(4).unwrap()).unwrap();
        let svd = singular_value_stages(8, 8, Layout::Rectangular).unwrap().to_vec();
        let mut rectified = vec![Stage::weight_bank(4, 4)];
        rectified.push(Stage::rectifier(4, 0.25));
        let networks = [
            meshes(1, &mesh, Activation::ELECTRO_OPTIC),
            meshes(2, &mesh, Activation::ELECTRO_OPTIC),
            meshes(2, &mesh, spm(0.1)),
            meshes(2, &mesh, spm(0.1 + 1e-16 + 1e-17)),
            meshes(2, &Mesh::triangular(8).unwrap(), Activation::ELECTRO_OPTIC),
            meshes(2, &Mesh::truncated(8, 5).unwrap(), Activation::ELECTRO_OPTIC),
            meshes(2, &Mesh::rectangular(4).unwrap().on_dies(2).unwrap(), Activation::ELECTRO_OPTIC),
            detected(vec![Stage::Mesh(mesh.clone())], Detection::Balanced),
            detected(vec![Stage::Mesh(mesh.clone())], Detection::Homodyne { phase: 0.0 }),
            detected(tiles, Detection::Intensity),
            detected(svd, Detection::Intensity),
            one(Stage::weight_bank(4, 4)),
            one(Stage::matrix(4, 4)),
            Network::new(vec![rectified.clone()]).unwrap(),
            Network::new(rectified.into_iter().map(|stage| vec![stage]).collect()).unwrap(),
        ];
        for (index, network) in networks.iter().enumerate() {
            for other in &networks[..index] {
                let (one, other) = (network.identity(), other.identity());
                assert!(!one.is(&other) && one.description != other.description, "{one} and {other}");
            }
            assert!(network.identity().is(&network.clone().identity()));
        }
    }

    #[test]
    fn long_networks_are_told_apart_by_their_fingerprints() {
        let stack = |last: usize| {
            let widths = (4..40).chain([last]);
            let banks = widths.clone().zip(widths.skip(1));
            let layers = banks.map(|(inputs, outputs)| vec![Stage::weight_bank(inputs, outputs)]);
            Network::new(layers.collect()).unwrap().identity()
        };
        let (one, other) = (stack(40), stack(41));
        assert!(one.description == other.description && one.description.ends_with("| 28 more layers"), "{one}");
        assert!(!one.is(&other) && one.to_string() != other.to_string());
    }
}
