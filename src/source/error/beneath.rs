//! Errors from those that lie beneath: of the query engine, its readers, the stores and the operating system.

use std::{
    error::Error as StdError,
    io::{self, ErrorKind},
    sync::Arc,
};

use arrow::error::ArrowError;
use datafusion::common::DataFusionError;

use super::Error;

/// What values of a type are, behind the words "and not all its values are": objects and maps have no type to be named.
pub(super) fn of_type(expected: &str) -> String {
    if expected.starts_with("a ") || expected.starts_with("an ") {
        return format!("{expected} as the table has it");
    }
    format!("of type {expected}")
}

/// What follows the words "and not all its values are of type …", if the reader said which value is none.
pub(in super::super) fn misfit(expected: &str, error: &ArrowError) -> Box<str> {
    let (ArrowError::CastError(reason) | ArrowError::ParseError(reason)) = error else { return Box::default() };
    match reason.strip_suffix(&format!(" of type {expected}")) {
        Some(value) => format!(": {value}").into(),
        None => format!(": {reason}").into(),
    }
}

impl Error {
    /// The typed error inside any chain of errors, for example inside what a query's stream yields.
    pub fn find(error: &(dyn StdError + 'static)) -> Option<Self> {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(found) = error.downcast_ref::<Self>() {
                return Some(found.clone());
            }
            if let Some(shared) = error.downcast_ref::<Arc<DataFusionError>>() {
                next = Some(shared.as_ref());
                continue;
            }
            // An input-output error passes over what it wraps when asked for its source.
            let wrapped = error.downcast_ref::<io::Error>().and_then(io::Error::get_ref);
            next = match wrapped {
                Some(wrapped) => Some(wrapped),
                None => error.source(),
            };
        }
        None
    }

    /// From what a reader of the query engine said when it gave up on a file.
    pub(in super::super) fn unreadable(format: &str, file: &str, error: DataFusionError) -> Self {
        if let Some(found) = Self::find(&error) {
            return found;
        }
        if let DataFusionError::ObjectStore(error) = error {
            return Self::store(file, *error);
        }
        let root = error.find_root().to_string();
        let reason = root.rsplit_once("error: ").map_or(root.as_str(), |(_, reason)| reason).trim().to_owned();
        Self::Unreadable { file: file.to_owned(), format: format.to_owned(), reason, source: Arc::new(error) }
    }

    pub(in super::super) fn engine(location: &str, error: DataFusionError) -> Self {
        match Self::find(&error) {
            Some(found) => found,
            None => Self::Engine { location: location.to_owned(), source: Arc::new(error) },
        }
    }

    pub(in super::super) fn io(file: &str, error: io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound => Self::NoSuchFile { location: file.to_owned() },
            ErrorKind::PermissionDenied => Self::FileRefused { file: file.to_owned(), source: Arc::new(error) },
            _ => Self::Io { file: file.to_owned(), reason: error.to_string(), source: Arc::new(error) },
        }
    }

    pub(in super::super) fn unwritable(file: &str, error: io::Error) -> Self {
        let reason = match error.kind() {
            ErrorKind::PermissionDenied => "permission denied by the operating system".to_owned(),
            ErrorKind::NotADirectory => "it is a file, and a directory is needed".to_owned(),
            ErrorKind::IsADirectory => "it is a directory, and a file is needed".to_owned(),
            _ => error.to_string(),
        };
        Self::CannotWrite { file: file.to_owned(), reason, kind: error.kind() }
    }

    /// From a store's error; one that went through an S3 store holds the typed error already.
    pub(in super::super) fn store(file: &str, error: object_store::Error) -> Self {
        if let Some(found) = Self::find(&error) {
            return found;
        }
        if let object_store::Error::NotFound { .. } = error {
            return Self::NoSuchFile { location: file.to_owned() };
        }
        let mut root: &(dyn StdError + 'static) = &error;
        while let Some(source) = root.source() {
            root = source;
        }
        let reason = root.to_string();
        match root.downcast_ref::<io::Error>().map(io::Error::kind) {
            Some(ErrorKind::PermissionDenied) => Self::FileRefused { file: file.to_owned(), source: Arc::new(error) },
            _ => Self::Io { file: file.to_owned(), reason, source: Arc::new(error) },
        }
    }
}
