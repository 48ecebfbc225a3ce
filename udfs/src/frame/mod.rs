//! The only place where Arrow becomes numbers, and categories become Arrow again.
//!
//! In reading order: [`ColumnKind`] says what a type can be to a model; [`table`] turns collected rows into a table to
//! train on, with dictionaries of its own; [`bind`] finds a model's columns in an input and [`Scorer`] turns its batches
//! into tables coded by the model's dictionaries; [`keys`] goes back. Nothing here knows
//! SQL.

mod category;
mod kind;
mod output;
mod read;
mod score;
mod training;

pub use category::{Lookup, category};
pub use kind::type_name;
pub use kind::{CategoryType, ColumnKind, trained_type};
pub use output::keys;
pub use score::{BoundColumn, Scorer, bind};
pub use training::table;

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests;
