//! Fusewire: a SQL engine that joins scattered data, learns models from it and serves both over the PostgreSQL protocol.
//!
//! In reading order: every error says its [`fault`], [`pgtype`] has PostgreSQL's types, `interrupt` says whether what
//! computes is to go on, and `print` writes values wherever that is done. Rows come from a [`source`], and what persists is
//! in the [`catalog`]; an [`error`] is what becomes of any of theirs, [`config`] serves all above, and `copy` makes bytes of
//! rows and rows of bytes. A session reads one snapshot of the catalog, [`statement`]s act on a session, and the [`engine`]
//! hands sessions to its clients: the [`server`], the [`shell`] and the [`demo`].

pub mod fault;

pub mod pgtype;

mod interrupt;

mod print;

mod functions;
mod planning;

pub mod catalog;
pub mod source;

pub mod error;

pub mod config;

mod copy;

mod session;
pub mod statement;

pub mod engine;

pub mod demo;
pub mod server;
pub mod shell;

pub use config::Config;
pub use engine::{Engine, Session};
pub use error::{Error, Result};
pub use fault::Fault;
