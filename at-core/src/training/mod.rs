//! Losses, optimizers, methods, and the one loop that runs them.

pub mod alignment;
pub mod checkpoint;
pub mod digital;
pub mod draws;
pub mod evaluation;
mod fleet_run;
pub mod gain;
pub mod initial;
pub mod journal;
pub mod methods;
pub mod outlook;
pub mod parameters;
pub mod record;
pub mod score;
pub mod task;
pub mod trainer;

pub use alignment::{Alignment, Oracle};
pub use checkpoint::Checkpoint;
pub use digital::Digital;
pub use evaluation::{Evaluation, Workspace, evaluate};
pub use initial::{Initialization, initial_controls};
pub use methods::{DigitalStep, Estimation, Method, MethodFacts, MethodName, MethodOptions};
pub use outlook::Outlook;
pub use parameters::Parameters;
pub use record::{Observer, Record, Step};
pub use score::{Judge, Score};
pub use task::{Batch, Order, Signals, Split};
pub use trainer::{Checkpoints, Outcome, Settings, Trainer};

#[cfg(test)]
pub(crate) mod tests;
