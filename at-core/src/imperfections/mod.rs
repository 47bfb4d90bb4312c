//! What chips of a kind can have wrong, as statistics: the table of all imperfections, and how one chip's are drawn from them.

mod draws;
mod imperfection;
mod place;
mod process;
pub mod random;
mod table;
mod together;

pub use draws::Draws;
pub(crate) use draws::normal_draws;
pub use imperfection::{Acts, Imperfection, Part, Range, Scope, Unit, Value};
pub use place::{FloorPlan, Place};
pub use table::{Control, Drift, Imperfections, Memory, Noise, Passive, Planes, Process, Rings};

/// Largest angle (radians), relative deviation or factor. In single precision neighbouring angles of this size are 0.06 rad apart.
pub const LARGEST_ERROR: f64 = 1e6;

/// How far a heater's gain strays, in standard deviations, before it would have been sorted out.
pub(crate) const TRUNCATION: f64 = 3.0;
