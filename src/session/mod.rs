//! One client's session: its state, and the scopes of its statements.
//!
//! A statement is analysed and run in a [`Scope`], which the providers, the system tables and the models show the planner;
//! what changes the session goes to the [`Client`]. It knows no statement and no protocol.

mod action;
mod assignments;
mod builtins;
mod callable;
mod cancel_key;
mod circumstances;
mod client;
pub(crate) mod compaction;
mod dialect;
mod files;
pub(crate) mod functions;
mod in_memory;
mod information_schema;
mod interrupt;
mod masked;
mod missing;
mod models;
mod modes;
mod nth_value;
mod outcome;
mod pg_catalog;
mod plans;
mod portal;
mod prepared;
mod providers;
mod reading;
mod reads;
mod registry;
mod rewrite;
mod scope;
mod sealed;
mod search_path;
mod settings;
mod shapes;
mod shared;
mod shift;
mod sliding;
pub(crate) mod storage;
mod system;
mod temporary;
mod ticket;
mod transaction;
mod turns;
mod verification;
mod watched;

use std::{panic::AssertUnwindSafe, sync::Arc};

use datafusion::{
    common::DataFusionError,
    execution::runtime_env::RuntimeEnv,
    physical_plan::ExecutionPlan,
    sql::{
        parser::{DFParserBuilder, Statement as SqlStatement},
        sqlparser::tokenizer::{Token, TokenWithSpan, Tokenizer},
    },
};
use futures::FutureExt;

pub(crate) use action::{Action, Analysis, Running, analyze, describe, execute, new_identity};
pub use circumstances::Circumstances;
pub(crate) use client::{Announcement, AtCommit, Client, Physical, Seen, Staged, Working, text_rows};
pub(crate) use dialect::{PostgreSql, keyword, of_catalog, within_attempts};
pub(crate) use files::{Given, request as request_named, with_options};
pub(crate) use interrupt::{asking_analyzers, asking_optimizers};
pub(crate) use models::publication;
pub(crate) use modes::{Isolation, Mode, Modes};
pub use outcome::{Description, Notice, Notification, Origin, Outcome, RowsTag, SessionOptions, TransactionStatus};
pub(crate) use pg_catalog::objects::Objects;
pub(crate) use plans::{Kept, Known};
pub use portal::Portal;
pub(crate) use portal::{Direction, Options as PortalOptions, Scroll};
pub use prepared::{Parameter, PreparedStatement};
pub(crate) use reading::Reading;
pub(crate) use reads::Reads;
pub(crate) use registry::{Seat, Sessions};
pub(crate) use rewrite::{ArrowTypes, assign, call, joins_by_name, query_from, query_of, written};
pub(crate) use scope::Scope;
pub(crate) use sealed::Sealed;
pub(crate) use search_path::Name;
pub(crate) use settings::{engine_zone, spelled, takes_several};
pub(crate) use shapes::{Blanked, Shape};
pub(crate) use shared::Shared;
pub(crate) use ticket::{Stop, Ticket};

use crate::{Error, Fault, Result};

/// The database that clients see.
pub(crate) const DATABASE: &str = "fusewire";
/// The names that it is known by; tools connect to the second before they know another.
pub(crate) const DATABASES: [&str; 2] = [DATABASE, "postgres"];
/// The schema that is there from the start.
pub(crate) const DEFAULT_SCHEMA: &str = "public";
/// The schema of the functions and types of PostgreSQL, which is looked into first unless a path says when.
pub(crate) const CATALOG_SCHEMA: &str = "pg_catalog";
/// What the query engine takes for the schema of names without one: those on the path, and files. Nobody calls one so.
pub(crate) const PATH_SCHEMA: &str = "\u{1}";

/// A file's error, as one that names the file and the line; any other as it is.
pub(crate) async fn explain_failure(
    plan: &Arc<dyn ExecutionPlan>,
    runtime: &Arc<RuntimeEnv>,
    error: DataFusionError,
) -> Error {
    match crate::source::diagnose(plan, runtime, &error).await {
        Some(found) => Error::from(found),
        None => Error::from(error),
    }
}

/// The work's result; a panic is an error as well, for which a damaged file may be to blame.
pub(crate) async fn caught<T>(
    work: impl Future<Output = std::result::Result<T, DataFusionError>>,
) -> std::result::Result<T, DataFusionError> {
    let finished = AssertUnwindSafe(work).catch_unwind().await;
    finished.unwrap_or_else(|panic| Err(Error::panicked(panic.as_ref()).into()))
}

/// What a statement that takes longer than it may ends with.
pub(crate) fn timed_out() -> Error {
    crate::interrupt::timed_out().into()
}

/// Parses the text of a view as it is kept: one query, which needs no further reading.
fn parse_query(sql: &str, max_depth: usize) -> Result<SqlStatement> {
    let tokens = Tokenizer::new(&PostgreSql, sql).tokenize();
    let tokens =
        tokens.map_err(|error| Error::new(Fault::Corrupt, format!("the text of a view: {}", error.message)))?;
    // No place in it is one in the text of a client.
    let tokens: Vec<TokenWithSpan> = tokens.into_iter().map(TokenWithSpan::wrap).collect();
    let mut parser = DFParserBuilder::new(tokens).with_dialect(&PostgreSql).with_recursion_limit(max_depth).build()?;
    let mut parsed = parser.parse_statement()?;
    let rest = parser.parser.peek_token();
    if rest.token != Token::EOF {
        return Err(Error::new(Fault::Syntax, format!("expected the end of the view's query, found {}", rest.token)));
    }
    fusewire_udfs::arguments::rewrite(&mut parsed, None)?;
    Ok(parsed)
}
