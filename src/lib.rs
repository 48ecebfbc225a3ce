//! Fusewire: a SQL engine that joins scattered data, learns models from it and serves both over the PostgreSQL protocol.
//!
//! In reading order: [`pgtype`] has PostgreSQL's types, [`config`] and [`error`] serve all, and `print` writes values
//! wherever that is done. Rows come from a [`source`], and what persists is in the [`catalog`]; a session reads one snapshot
//! of it, [`statement`]s act on a session, and the [`engine`] hands sessions to its clients: the [`server`], the [`shell`]
//! and the [`demo`].

pub mod pgtype;

pub mod config;
pub mod error;

mod print;

mod planning;

pub mod catalog;
pub mod source;

mod session;
pub mod statement;

pub mod engine;

pub mod demo;
pub mod server;
pub mod shell;

pub use config::Config;
pub use engine::{Engine, Session};
pub use error::{Error, Fault, Result};
