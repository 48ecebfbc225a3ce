//! Every error that reaches a person, and the only place that knows SQLSTATEs.
//!
//! Each layer has a typed error of its own that says its [`Fault`]; [`Error`] widens them and [`Error::report`] is what a
//! client is shown. What the query engine says is read in `query` and told in PostgreSQL's words.

use std::any::Any;

use datafusion::{common::DataFusionError, sql::sqlparser::tokenizer::Location};

use crate::{catalog, fault::Fault, source};

mod convert;

mod query;

mod said;
mod words;

mod kernels;
mod planner;
mod stores;

mod spelling;

mod elsewhere;
mod hints;
mod names;

mod place;
mod sqlstate;

pub(crate) use elsewhere::function_hint;
use hints::query_hint;
use names::table_hint;
use query::{missing_table, query_fault, query_message};
pub use sqlstate::{ConnectionFault, notice_sqlstate, sqlstate};

/// The result of the engine's functions.
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// An error of the engine, with the layer's own error as its source.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Raised by the engine itself.
    #[error("{message}")]
    Statement {
        /// Whose fault it is.
        fault: Fault,
        /// What, where and what was expected.
        message: String,
        /// What to do, where that is known.
        hint: Option<String>,
    },
    /// Raised by the catalog.
    #[error(transparent)]
    Catalog(#[from] catalog::Error),
    /// Raised by a file, a bucket or a secret.
    #[error(transparent)]
    Source(#[from] source::Error),
    /// Raised by a function.
    #[error(transparent)]
    Function(#[from] fusewire_udfs::Error),
    /// Raised while planning or running a query.
    #[error(transparent)]
    Query(DataFusionError),
    /// Any of the others, with the place in the SQL that it is about.
    #[error("{error}")]
    Located {
        /// What happened.
        error: Box<Error>,
        /// Where: a position in characters, from 1.
        position: usize,
    },
    /// Any of the others, with its line and column, which are not yet a position in a text.
    #[error("{error}")]
    Placed {
        /// What happened.
        error: Box<Error>,
        /// Where.
        place: (u64, u64),
    },
    /// Any of the others, with what was being done: which line was read, and which column.
    #[error("{error}")]
    Within {
        /// What happened.
        error: Box<Error>,
        /// Where in what was read.
        context: String,
    },
    /// An error of the parser, whose place is not yet a position in a text.
    #[error("syntax error: {message}")]
    Syntax {
        /// What was found and what was expected.
        message: String,
        /// Line and column.
        location: Option<(u64, u64)>,
    },
}

/// What a client is shown of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The five characters of the SQLSTATE.
    pub code: &'static str,
    /// What happened.
    pub message: String,
    /// More about it.
    pub detail: Option<String>,
    /// What to do.
    pub hint: Option<String>,
    /// Where in the SQL: a position in characters, from 1.
    pub position: Option<usize>,
    /// What was being done.
    pub context: Option<String>,
}

impl Error {
    /// An error without a hint.
    pub fn new(fault: Fault, message: impl Into<String>) -> Self {
        Self::Statement { fault, message: message.into(), hint: None }
    }

    /// A syntax error at a place of a text.
    pub(crate) fn syntax(message: String, source: Option<&str>, location: Option<Location>) -> Self {
        let error = Self::Syntax { message, location: location.map(|location| (location.line, location.column)) };
        match source {
            Some(source) => error.located(source),
            None => error,
        }
    }

    /// The error about a place of the text that it was found in.
    pub(crate) fn at(self, place: Location) -> Self {
        Self::Placed { error: Box::new(self), place: (place.line, place.column) }
    }

    /// The error with what was being done.
    pub(crate) fn within(self, context: impl Into<String>) -> Self {
        Self::Within { error: Box::new(self), context: context.into() }
    }

    /// The error with its place as a position in `source`, where it knows its place.
    pub(crate) fn located(self, source: &str) -> Self {
        match self.location().and_then(|location| place::position(source, location)) {
            Some(position) => Self::Located { error: Box::new(self), position },
            None => self,
        }
    }

    /// The error without its place, where that is in another text than the client's.
    pub(crate) fn without_place(self) -> Self {
        match self {
            Self::Located { error, .. } | Self::Placed { error, .. } => error.without_place(),
            Self::Syntax { message, .. } => Self::Syntax { message, location: None },
            other => other,
        }
    }

    /// The error of the query of this view.
    pub(crate) fn within_view(self, view: &catalog::QualifiedName) -> Self {
        let Report { message, hint, .. } = self.report();
        Self::Statement { fault: self.fault(), message: format!("{message}; in the view {view}"), hint }
    }

    /// The error with the table that may have been meant, where it is about one that does not exist.
    pub(crate) fn suggesting_table<'a>(self, known: impl Iterator<Item = &'a str>) -> Self {
        let Self::Query(error) = &self else { return self };
        let hint = missing_table(error).and_then(|missing| table_hint(missing, known));
        let (Some(hint), place) = (hint, self.location()) else { return self };
        let error = Self::Statement { fault: self.fault(), message: self.report().message, hint: Some(hint) };
        match place {
            Some(place) => error.at(place),
            None => error,
        }
    }

    /// What a panic said, as our own bug.
    pub(crate) fn panicked(panic: &(dyn Any + Send)) -> Self {
        let said = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
        let said = said.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "without a word".into());
        Self::Statement {
            fault: Fault::Internal,
            message: format!("internal error: the statement panicked: {said}"),
            hint: Some("this is a bug in Fusewire: please report it with the statement; the server goes on".into()),
        }
    }

    /// Whose fault it is.
    pub fn fault(&self) -> Fault {
        match self {
            Self::Statement { fault, .. } => *fault,
            Self::Catalog(error) => error.fault(),
            Self::Source(error) => error.fault(),
            Self::Function(error) => error.fault(),
            Self::Query(error) => query_fault(error),
            Self::Located { error, .. } | Self::Placed { error, .. } | Self::Within { error, .. } => error.fault(),
            Self::Syntax { .. } => Fault::Syntax,
        }
    }

    /// What a client is shown.
    pub fn report(&self) -> Report {
        let (hint, position) = match self {
            Self::Placed { error, .. } => return error.report(),
            Self::Within { error, context } => return Report { context: Some(context.clone()), ..error.report() },
            Self::Located { error, position } => return Report { position: Some(*position), ..error.report() },
            Self::Statement { hint, .. } => (hint.clone(), None),
            Self::Source(error) => (error.hint(), None),
            Self::Query(error) => (query_hint(error).map(|hint| hint.replace(MARK, "")), None),
            _ => (None, None),
        };
        let message = match self {
            Self::Query(error) => query_message(error).replace(MARK, ""),
            other => other.to_string(),
        };
        Report { code: sqlstate(self.fault()), message, detail: None, hint, position, context: None }
    }

    /// The line and column that the error is about.
    fn location(&self) -> Option<Location> {
        match self {
            Self::Placed { place: (line, column), .. } | Self::Syntax { location: Some((line, column)), .. } => {
                Some(Location { line: *line, column: *column })
            }
            Self::Query(error) => {
                let start = error.diagnostic()?.span?.start;
                Some(Location { line: start.line, column: start.column })
            }
            _ => None,
        }
    }
}

/// Ends a column's name that is not the only one, two for the second, and a relation's that a column has too. It is
/// invisible (INVISIBLE SEPARATOR), because EXPLAIN shows it, and no SQL writes it.
pub(crate) const MARK: char = '\u{2063}';
