//! Chips of which only the errors of their meshes are given.

use super::Fabrication;
use crate::Result;
use crate::error::same_size;
use crate::network::Network;
use crate::optics::MeshErrors;
use crate::stage::StageErrors;

impl Fabrication {
    /// The chip whose meshes have `errors`, in the order in which light meets them; all else is as designed.
    pub fn of_meshes(network: &Network, errors: &[MeshErrors]) -> Result<Fabrication> {
        same_size("meshes with errors, as many as the network has", network.meshes().count(), errors.len())?;
        let mut stages = vec![StageErrors::NONE; network.stages().count()];
        for ((number, mesh), own) in network.placed_meshes().zip(errors) {
            own.validate(mesh)?;
            let mut vectors = StageErrors::zeros(mesh);
            vectors.get_mut("first_coupler").clone_from(&own.first_coupler);
            vectors.get_mut("second_coupler").clone_from(&own.second_coupler);
            *vectors.get_mut("phases") = own.distort(mesh, &vec![0.0; mesh.controls()])?;
            stages[number] = vectors;
        }
        Ok(Fabrication { stages, ..Fabrication::ideal() })
    }
}
