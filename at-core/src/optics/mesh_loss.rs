//! The loss of a mesh, split for stable propagation: one common factor, and what differs between waveguides.

use crate::optics::Mesh;
use crate::{Error, Result};

/// A mesh's total loss above this (dB of power) leaves nothing that a 32-bit real can hold, and a gain above it is none of an amplifier.
pub const MAX_LOSS_DB: f64 = 600.0;

/// Nepers of the field in a dB of power: `ln 10 / 20`.
pub const NEPERS: f64 = std::f64::consts::LN_10 / 20.0;

/// Insertion losses as field transmissions.
#[derive(Clone, Debug, PartialEq)]
pub struct MeshLoss {
    /// Of all columns together: the product of `10^(-mean/20)` over the columns' mean losses.
    pub transmission: f64,
    /// Of each column: `10^(-mean/20)`.
    pub columns: Vec<f64>,
    /// `[column, mode]`, relative to the column's mean; none where all waveguides of every column lose the same.
    pub imbalance: Option<Vec<f64>>,
}

impl MeshLoss {
    /// From the losses `loss_db [column, mode]` (dB of power). Negative where an amplifier makes up for more than is lost. Errs where their
    /// mean leaves no light.
    pub fn new(mesh: &Mesh, loss_db: &[f64]) -> Result<Self> {
        let modes = mesh.modes();
        let mut total = 0.0;
        let mut columns = Vec::new();
        let mut differs = false;
        let mut imbalance = Vec::with_capacity(loss_db.len());
        for column in loss_db.chunks_exact(modes) {
            let mean = column.iter().sum::<f64>() / modes as f64;
            total += mean;
            columns.push(10f64.powf(-mean / 20.0));
            differs |= column.iter().any(|loss| (loss - mean).abs() > 1e-12);
            imbalance.extend(column.iter().map(|loss| 10f64.powf((mean - loss) / 20.0)));
        }
        if !(-MAX_LOSS_DB..=MAX_LOSS_DB).contains(&total) {
            let value = format!("{total} dB in {} columns", mesh.columns().len());
            let reason =
                format!("a mesh's mean loss is at most {MAX_LOSS_DB} dB in all; choose `amplified`, or fewer columns");
            return Err(Error::invalid("loss-db", value, reason));
        }
        Ok(MeshLoss { transmission: 10f64.powf(-total / 20.0), columns, imbalance: differs.then_some(imbalance) })
    }
}
