//! Fusewire's learning algorithms: plain vectors in, numbers out.
//!
//! In reading order: [`options`] are validated once; [`fit::fit`] takes a [`table`] of named columns, brings its rows
//! into an order that depends on their values alone, splits them, encodes columns into features ([`encode`]), hands
//! them to a solver ([`solve`]) as a problem over sparse matrices, and returns a [`model`] with the [`metrics`] of its
//! evaluation. A model predicts, ranks ([`rank`]), is evaluated on other rows ([`evaluate`]) and turns into bytes and
//! back.
//!
//! Nothing here knows Arrow, DataFusion, tokio or files; a test in the engine keeps it so.

mod bytes;
mod calendar;
mod cells;
mod choose;
pub mod control;
pub mod encode;
pub mod error;
pub mod evaluate;
pub mod factors;
pub mod fit;
mod hash;
pub mod linalg;
pub mod metrics;
pub mod model;
pub mod options;
pub mod parallel;
mod predict;
mod prepare;
pub mod random;
pub mod rank;
mod refold;
mod score;
mod sides;
pub mod solve;
pub mod sparse;
mod split;
pub mod table;
mod target;
mod train;

pub use control::{Control, Unattended};
pub use error::{Error, Result};
pub use fit::{Fitted, Report, fit};
pub use metrics::Metric;
pub use model::{Column, Embeddings, HeldOutUsers, Model, Role, Target, TargetKind};
pub use options::{HYPERPARAMETERS, Hyperparameter, Objective, Options, Split, ValidOptions};
pub use rank::{Candidates, Event, Recommendation, Request};
pub use table::{Dictionary, NULL, Table, UNSEEN, Values};

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
