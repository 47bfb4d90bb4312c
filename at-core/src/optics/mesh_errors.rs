//! The imperfections of one mesh: what its couplers and phase shifters do beside what they are told.

use super::Mesh;
use crate::{Result, error::same_size};

/// Static errors of every element of a mesh, in the native convention.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MeshErrors {
    /// Angle error δ1 (radians) of the coupler that light meets first, per MZI.
    pub first_coupler: Vec<f64>,
    /// Angle error δ2 (radians) of the second coupler, per MZI.
    pub second_coupler: Vec<f64>,
    /// Added to θ (radians), per MZI.
    pub theta: Vec<f64>,
    /// Added to φ (radians), per MZI.
    pub phi: Vec<f64>,
    /// Added to γ (radians), per mode.
    pub gamma: Vec<f64>,
}

impl MeshErrors {
    /// A perfect mesh.
    pub fn none(mesh: &Mesh) -> Self {
        let (mzis, modes) = (vec![0.0; mesh.mzis()], vec![0.0; mesh.modes()]);
        MeshErrors {
            first_coupler: mzis.clone(),
            second_coupler: mzis.clone(),
            theta: mzis.clone(),
            phi: mzis,
            gamma: modes,
        }
    }

    /// Errs unless every list has one entry per element of `mesh`.
    pub fn validate(&self, mesh: &Mesh) -> Result<()> {
        same_size("errors of the first couplers", mesh.mzis(), self.first_coupler.len())?;
        same_size("errors of the second couplers", mesh.mzis(), self.second_coupler.len())?;
        same_size("errors of theta", mesh.mzis(), self.theta.len())?;
        same_size("errors of phi", mesh.mzis(), self.phi.len())?;
        same_size("errors of gamma", mesh.modes(), self.gamma.len())
    }

    /// Adds the errors of `other`, entry by entry. Errs where the two belong to meshes of different size.
    pub fn add(&mut self, other: &MeshErrors) -> Result<()> {
        let pairs = [
            (&mut self.first_coupler, &other.first_coupler),
            (&mut self.second_coupler, &other.second_coupler),
            (&mut self.theta, &other.theta),
            (&mut self.phi, &other.phi),
            (&mut self.gamma, &other.gamma),
        ];
        for (own, more) in &pairs {
            same_size("errors to add", own.len(), more.len())?;
        }
        for (own, more) in pairs {
            own.iter_mut().zip(more).for_each(|(own, more)| *own += more);
        }
        Ok(())
    }

    /// The phases (radians) that stand in the mesh when it is told `controls`: `[θ+δθ, φ+δφ, γ+δγ]`.
    pub fn distort(&self, mesh: &Mesh, controls: &[f64]) -> Result<Vec<f64>> {
        self.validate(mesh)?;
        same_size("controls of the mesh", mesh.controls(), controls.len())?;
        let errors = self.theta.iter().chain(&self.phi).chain(&self.gamma);
        Ok(controls.iter().zip(errors).map(|(control, error)| control + error).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_add_entry_by_entry_and_sizes_are_checked() {
        let mesh = Mesh::rectangular(3).unwrap();
        let mut errors = MeshErrors::none(&mesh);
        errors.phi[1] = 0.25;
        errors.gamma[2] = 0.5;
        let copy = errors.clone();
        errors.add(&copy).unwrap();
        assert_eq!(errors.distort(&mesh, &[1.0; 9]).unwrap(), [1.0, 1.0, 1.0, 1.0, 1.5, 1.0, 1.0, 1.0, 2.0]);
        let before = errors.clone();
        assert!(errors.add(&MeshErrors::none(&Mesh::triangular(4).unwrap())).is_err());
        assert_eq!(errors, before);
        assert!(errors.distort(&Mesh::rectangular(4).unwrap(), &[0.0; 16]).is_err());
    }
}
