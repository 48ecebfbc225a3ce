//! Errors of the layers as the engine's, and the engine's through the query engine and back, whole.

use std::{error::Error as StdError, sync::Arc};

use arrow::error::ArrowError;
use datafusion::{common::DataFusionError, sql::sqlparser::parser::ParserError};

use super::{
    Error, Report,
    hints::query_hint,
    place,
    query::{query_fault, query_message},
};
use crate::{
    catalog,
    fault::{Failure, Fault},
    source,
};

impl From<DataFusionError> for Error {
    /// Takes our own errors back out of the query engine's, whole.
    fn from(error: DataFusionError) -> Self {
        match error {
            DataFusionError::External(inner) => from_external(inner),
            DataFusionError::Diagnostic(diagnostic, inner) => match Self::from(*inner) {
                Self::Query(inner) => Self::Query(DataFusionError::Diagnostic(diagnostic, Box::new(inner))),
                other => other,
            },
            DataFusionError::Context(context, inner) => match Self::from(*inner) {
                Self::Query(inner) => Self::Query(DataFusionError::Context(context, Box::new(inner))),
                other => other,
            },
            DataFusionError::Shared(shared) => match Arc::try_unwrap(shared) {
                Ok(inner) => Self::from(inner),
                Err(shared) => from_shared(&shared),
            },
            DataFusionError::ArrowError(inner, backtrace) => match *inner {
                ArrowError::ExternalError(inner) => from_external(inner),
                other => Self::Query(DataFusionError::ArrowError(Box::new(other), backtrace)),
            },
            DataFusionError::SQL(error, _) => Self::from(*error),
            DataFusionError::Collection(mut errors) if !errors.is_empty() => Self::from(errors.swap_remove(0)),
            other => Self::Query(other),
        }
    }
}

impl From<Failure> for Error {
    fn from(failure: Failure) -> Self {
        let hint = failure.hint().map(str::to_owned);
        Self::Statement { fault: failure.fault(), message: failure.to_string(), hint }
    }
}

impl From<ParserError> for Error {
    fn from(error: ParserError) -> Self {
        if error == ParserError::RecursionLimitExceeded {
            return Self::new(Fault::TooComplex, "the statement is nested too deeply");
        }
        let (message, location) = place::parser_error(&error);
        Self::syntax(message, None, location)
    }
}

impl From<Error> for DataFusionError {
    fn from(error: Error) -> Self {
        match error {
            Error::Query(error) => error,
            other => Self::External(Box::new(other)),
        }
    }
}

impl From<catalog::Error> for DataFusionError {
    fn from(error: catalog::Error) -> Self {
        Error::from(error).into()
    }
}

fn from_external(error: Box<dyn StdError + Send + Sync>) -> Error {
    let error = match error.downcast::<Error>() {
        Ok(error) => return *error,
        Err(error) => error,
    };
    let error = match error.downcast::<Failure>() {
        Ok(failure) => return Error::from(*failure),
        Err(error) => error,
    };
    let error = match error.downcast::<fusewire_udfs::Error>() {
        Ok(error) => return from_function(*error),
        Err(error) => error,
    };
    let error = match error.downcast::<source::Error>() {
        Ok(error) => return Error::Source(*error),
        Err(error) => error,
    };
    match error.downcast::<DataFusionError>() {
        Ok(error) => Error::from(*error),
        Err(error) => Error::Query(DataFusionError::External(error)),
    }
}

fn from_function(error: fusewire_udfs::Error) -> Error {
    match error {
        fusewire_udfs::Error::Catalog { fault, source } => match source.downcast::<Error>() {
            Ok(error) => *error,
            Err(source) => Error::Function(fusewire_udfs::Error::Catalog { fault, source }),
        },
        other => Error::Function(other),
    }
}

/// An error that several readers of one stream share: it cannot be taken apart, so what a person needs is copied.
fn from_shared(error: &DataFusionError) -> Error {
    let mut cause: Option<&(dyn StdError + 'static)> = Some(error);
    while let Some(current) = cause {
        if let Some(found) = current.downcast_ref::<Error>() {
            let Report { message, hint, context, .. } = found.report();
            let error = Error::Statement { fault: found.fault(), message, hint };
            return match context {
                Some(context) => error.within(context),
                None => error,
            };
        }
        if let Some(found) = current.downcast_ref::<Failure>() {
            return Error::from(found.clone());
        }
        if let Some(found) = current.downcast_ref::<fusewire_udfs::Error>() {
            return Error::new(found.fault(), found.to_string());
        }
        cause = current.source();
    }
    Error::Statement { fault: query_fault(error), message: query_message(error), hint: query_hint(error) }
}
