//! Optical elements: formulas and their derivatives, side by side. Nothing here runs a batch.

pub mod activation;
pub mod angular_spectrum;
pub mod convention;
pub mod decomposition;
pub mod fit;
pub mod haar;
pub mod layout;
pub mod mesh;
pub mod mesh_errors;
pub mod mesh_loss;
pub mod mzi;
pub mod plane_position;
mod quasi_newton;
pub mod singular_value;
pub mod transfer;
pub mod waveguide_phases;

pub use activation::Activation;
pub use angular_spectrum::AngularSpectrum;
pub use convention::Convention;
pub use decomposition::{decompose, decompose_onto, embedded_in_diamond};
pub use layout::Layout;
pub use mesh::{Column, Mesh};
pub use mesh_errors::MeshErrors;
pub use mesh_loss::{MAX_LOSS_DB, MeshLoss, NEPERS};
pub use plane_position::PlanePosition;
pub use singular_value::{SingularValues, singular_value_controls, singular_values};
pub use transfer::{imperfect_transfer_matrix, transfer_matrix};
