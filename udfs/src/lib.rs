//! Everything that Fusewire's SQL can call, one function a file.
//!
//! In reading order: [`register`] puts a [`planner`] into a session; it finds the function in [`FUNCTIONS`], parses its
//! [`arguments`] and lets it plan a logical node, which [`plan`] turns into an operator. Operators read rows through
//! [`frame`], the only place where Arrow becomes numbers, and take model files from the [`registry`]. What is known of
//! models beside their files is behind the interface of [`models`]. [`codec`] carries operators to other processes.

pub mod arguments;
pub mod codec;
pub mod context;
pub mod error;
pub mod fault;
pub mod frame;
pub mod models;
pub mod plan;
pub mod planner;
pub mod registry;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod shop;
pub mod table;
#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod testing;

pub use codec::FunctionCodec;
pub use context::{FunctionContext, Limits, Progress};
pub use error::{Error, Result};
pub use fault::Fault;
pub use frame::type_name;
pub use models::{MemoryModels, ModelRef, ModelVersion, Models, NewVersion};
pub use plan::register;
pub use planner::{FUNCTIONS, FunctionPlanner, TableFunction};
pub use registry::Registry;
