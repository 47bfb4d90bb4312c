//! Phase conventions of other simulators, and their exact conversion to and from ours.
//!
//! neurophox (Bloch basis, beamsplitter convention) and the DAT mesh network send row vectors through `V U`: light meets γ at
//! the input, then per MZI `diag(e^{iφ},1)·B(δ2)·diag(e^{iθ/2},e^{-iθ/2})·B(δ1)`, so φ stands on the upper OUTPUT. A place of
//! the column's grid that holds no MZI is a bar state with factor -i on its two rails.
//!
//! Conversion moves screens of phases towards the outputs: `diag(e^{ia},e^{ib})` in front of an MZI is our `φ = a - b` and a
//! phase b that both outputs share, for any couplers; so coupler errors stay as they are, and what reaches the end is our γ.

use super::decomposition::wrap;
use super::mzi::{angle_of_split, split_of_angle};
use super::{Mesh, MeshErrors};
use crate::{Error, Result, error::same_size};
use serde::{Deserialize, Serialize};
use std::f64::consts::{FRAC_PI_2, FRAC_PI_4, TAU};
use std::fmt::{Display, Formatter};
use std::str::FromStr;

/// Whose phases and coupler errors a list of numbers holds. Always `[θ, φ, γ]` in the order of [`Mesh`], radians.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Convention {
    /// Ours: φ on the upper input, γ at the outputs, `diag(e^{iθ},1)` inside. Coupler errors are angles (radians).
    Native,
    /// neurophox with its defaults: φ on the upper output, γ at the inputs, ±θ/2 inside. Coupler errors are angles (radians).
    Neurophox,
    /// Zheng et al., Nat. Mach. Intell. (2023): neurophox's phases with power-split errors e, coupler powers (1±e)/2.
    DatMpnn,
}

/// Every convention.
pub const CONVENTIONS: [Convention; 3] = [Convention::Native, Convention::Neurophox, Convention::DatMpnn];

impl Convention {
    /// The name in files and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Convention::Native => "native",
            Convention::Neurophox => "neurophox",
            Convention::DatMpnn => "dat-mpnn",
        }
    }

    /// Errs where it does not know meshes of this layout: only ours does.
    fn check(self, mesh: &Mesh) -> Result<()> {
        if self == Convention::Native || mesh.layout().is_universal() {
            return Ok(());
        }
        let reason =
            format!("it has no {} meshes, only rectangular and triangular ones; use native", mesh.layout().name());
        Err(Error::invalid("convention", self.name(), reason))
    }

    /// Native controls of the mesh whose phases in this convention are `phases`: the same matrix, global phase included.
    pub fn to_native(self, mesh: &Mesh, phases: &[f64]) -> Result<Vec<f64>> {
        same_size("phases of the mesh", mesh.controls(), phases.len())?;
        self.check(mesh)?;
        Ok(match self {
            Convention::Native => phases.to_vec(),
            Convention::Neurophox | Convention::DatMpnn => push_forward(mesh, phases, -FRAC_PI_2),
        })
    }

    /// Phases in this convention, in [0, 2π), of the mesh with native `controls`. Inverse of [`Convention::to_native`].
    pub fn from_native(self, mesh: &Mesh, controls: &[f64]) -> Result<Vec<f64>> {
        same_size("controls of the mesh", mesh.controls(), controls.len())?;
        self.check(mesh)?;
        Ok(match self {
            Convention::Native => controls.to_vec(),
            Convention::Neurophox | Convention::DatMpnn => {
                // θ is reduced first: theirs counts half of it. The screen's sums would grow with the depth and lose digits.
                let (theta, rest) = controls.split_at(mesh.mzis());
                let reduced: Vec<f64> = theta.iter().map(|&angle| wrap(angle)).chain(rest.iter().copied()).collect();
                let phases = pull_back(mesh, &reduced, FRAC_PI_2, |phase| phase % TAU);
                phases.into_iter().map(wrap).collect()
            }
        })
    }

    /// Native errors of a mesh whose errors in this convention are `errors`.
    ///
    /// The conversion of phases is linear but for constants, so phase errors are carried by the same recursion.
    /// Errs where a length is not the mesh's or a power-split error lies outside [-1, 1].
    pub fn errors_to_native(self, mesh: &Mesh, errors: &MeshErrors) -> Result<MeshErrors> {
        errors.validate(mesh)?;
        self.check(mesh)?;
        if self == Convention::Native {
            return Ok(errors.clone());
        }
        let phases = push_forward(mesh, &phase_errors(errors), 0.0);
        let couplers = [self.coupler_angles(&errors.first_coupler)?, self.coupler_angles(&errors.second_coupler)?];
        Ok(mesh_errors(mesh, couplers, &phases))
    }

    /// Errors in this convention of a mesh with the native `errors`. Inverse of [`Convention::errors_to_native`].
    ///
    /// A power-split error tells angles in [-π/4, π/4] only; `dat-mpnn` errs on angles beyond, and where a length is not the
    /// mesh's.
    pub fn errors_from_native(self, mesh: &Mesh, errors: &MeshErrors) -> Result<MeshErrors> {
        errors.validate(mesh)?;
        self.check(mesh)?;
        if self == Convention::Native {
            return Ok(errors.clone());
        }
        let phases = pull_back(mesh, &phase_errors(errors), 0.0, |phase| phase);
        let couplers = [self.coupler_errors(&errors.first_coupler)?, self.coupler_errors(&errors.second_coupler)?];
        Ok(mesh_errors(mesh, couplers, &phases))
    }

    /// Errors in this convention of couplers with angle errors `angles` (radians).
    fn coupler_errors(self, angles: &[f64]) -> Result<Vec<f64>> {
        if self != Convention::DatMpnn {
            return Ok(angles.to_vec());
        }
        let split = |&angle: &f64| {
            let reason = "a power-split error stands for an angle error from -π/4 to π/4";
            if angle.abs() <= FRAC_PI_4 {
                Ok(split_of_angle(angle))
            } else {
                Err(Error::invalid("angle error", angle, reason))
            }
        };
        angles.iter().map(split).collect()
    }

    /// Angle errors (radians) of couplers whose errors in this convention are `errors`.
    fn coupler_angles(self, errors: &[f64]) -> Result<Vec<f64>> {
        if self != Convention::DatMpnn {
            return Ok(errors.to_vec());
        }
        let angle = |&split: &f64| match angle_of_split(split) {
            angle if angle.is_finite() => Ok(angle),
            _ => Err(Error::invalid("power-split error", split, "the powers (1±e)/2 need e in [-1, 1]")),
        };
        errors.iter().map(angle).collect()
    }
}

impl Display for Convention {
    fn fmt(&self, f: &mut Formatter<'_>) -> std::fmt::Result {
        f.pad(self.name())
    }
}

impl FromStr for Convention {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let known = CONVENTIONS.map(Convention::name).join(", ");
        let unknown = || Error::invalid("convention", name, format!("known conventions: {known}"));
        CONVENTIONS.into_iter().find(|convention| convention.name() == name).ok_or_else(unknown)
    }
}

/// Whether their grid has a place, empty of an MZI, on `rail` of `column`: for odd N one rail per column has no partner.
fn is_bounce(mesh: &Mesh, column: usize, rail: usize) -> bool {
    let (modes, rail) = (mesh.die_modes(), rail % mesh.die_modes());
    let alone = if column.is_multiple_of(2) { modes - 1 } else { 0 };
    let place = mesh.columns()[column];
    let inside = (place.first_row..place.first_row + 2 * place.per_die).contains(&rail);
    !inside && (modes.is_multiple_of(2) || rail != alone)
}

/// Their phases → ours; `bounce` is the phase of a place without an MZI (0 where errors are carried).
fn push_forward(mesh: &Mesh, phases: &[f64], bounce: f64) -> Vec<f64> {
    let (theta, phi, gamma) = mesh.split(phases);
    let mut screen = gamma.to_vec();
    let mut native_phi = phi.to_vec();
    for (index, column) in mesh.columns().iter().enumerate() {
        for pair in 0..column.count {
            let ([row, _], mzi) = (mesh.rows(column, pair), column.first_mzi + pair);
            native_phi[mzi] = screen[row] - screen[row + 1];
            screen[row + 1] -= theta[mzi] / 2.0;
            screen[row] = screen[row + 1] + phi[mzi];
        }
        for (rail, phase) in screen.iter_mut().enumerate() {
            if is_bounce(mesh, index, rail) {
                *phase += bounce;
            }
        }
    }
    theta.iter().chain(&native_phi).chain(&screen).copied().collect()
}

/// Our phases → theirs, from the outputs back to the inputs, the inverse of [`push_forward`] where `reduce` is the identity.
fn pull_back(mesh: &Mesh, controls: &[f64], bounce: f64, reduce: impl Fn(f64) -> f64) -> Vec<f64> {
    let (theta, phi, gamma) = mesh.split(controls);
    let mut screen = gamma.to_vec();
    let mut their_phi = phi.to_vec();
    for (index, column) in mesh.columns().iter().enumerate().rev() {
        for pair in 0..column.count {
            let ([row, _], mzi) = (mesh.rows(column, pair), column.first_mzi + pair);
            their_phi[mzi] = screen[row] - screen[row + 1];
            screen[row + 1] += theta[mzi] / 2.0;
            screen[row] = screen[row + 1] + phi[mzi];
        }
        for (rail, phase) in screen.iter_mut().enumerate() {
            if is_bounce(mesh, index, rail) {
                *phase += bounce;
            }
            *phase = reduce(*phase);
        }
    }
    theta.iter().chain(&their_phi).chain(&screen).copied().collect()
}

/// `[δθ, δφ, δγ]`.
fn phase_errors(errors: &MeshErrors) -> Vec<f64> {
    errors.theta.iter().chain(&errors.phi).chain(&errors.gamma).copied().collect()
}

fn mesh_errors(mesh: &Mesh, [first_coupler, second_coupler]: [Vec<f64>; 2], phases: &[f64]) -> MeshErrors {
    let (theta, phi, gamma) = mesh.split(phases);
    MeshErrors { first_coupler, second_coupler, theta: theta.to_vec(), phi: phi.to_vec(), gamma: gamma.to_vec() }
}

#[cfg(test)]
#[path = "convention_tests.rs"]
mod tests;
