//! Functions that stand where a table may, one a file, and what several of them share: how an input is bound to a model,
//! the table of metrics, and long work.

pub mod embeddings;
pub mod evaluate;
pub mod predict;
pub mod recommend;
pub mod train;

mod binding;
pub mod metrics;
mod work;
