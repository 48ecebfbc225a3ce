//! Errors of the query engine: whose fault they are, and what a person is told.

use arrow::error::ArrowError;
use datafusion::common::{DataFusionError, SchemaError};

use super::{
    Fault,
    names::column_hint,
    words::{Said, said},
};
use crate::source;

/// The engine's plan errors are texts; these beginnings are pinned by tests.
const PLAN_FAULTS: &[(&str, Fault)] = &[
    ("table '", Fault::UndefinedTable),
    ("Function '", Fault::UndefinedFunction),
    ("Internal error: Function '", Fault::UndefinedFunction),
    ("failed to resolve schema", Fault::UndefinedSchema),
    ("failed to resolve catalog", Fault::UndefinedSchema),
    ("ANY and ALL compare", Fault::DatatypeMismatch),
    ("Projections require unique expression names", Fault::DuplicateColumn),
    ("Schema contains duplicate", Fault::DuplicateColumn),
    ("column reference", Fault::AmbiguousColumn),
    ("Inconsistent data type", Fault::DatatypeMismatch),
    ("There is no registered file format", Fault::InvalidArgument),
    ("Unsupported", Fault::FeatureNotSupported),
    ("Cannot coerce", Fault::DatatypeMismatch),
    ("Cannot infer common", Fault::DatatypeMismatch),
    ("Cannot automatically convert", Fault::DatatypeMismatch),
    ("Error during planning: Cannot", Fault::DatatypeMismatch),
];

/// What failed in a filter that the Parquet reader evaluates; it tells the error as debugging text alone.
fn filter_failure(error: &DataFusionError) -> Option<(Fault, String)> {
    let text = error.to_string();
    let (_, failed) = text.split_once(source::FILTER_FAILED)?;
    if failed.contains("DivideByZero") {
        return Some((Fault::DivisionByZero, "division by zero".into()));
    }
    let known = [
        ("CastError(\"", Fault::InvalidText),
        ("ParseError(\"", Fault::InvalidText),
        ("ArithmeticOverflow(\"", Fault::NumericOutOfRange),
        ("ComputeError(\"", Fault::InvalidData),
        ("Execution(\"", Fault::InvalidData),
    ];
    let (fault, message) = known.iter().find_map(|(start, fault)| {
        let (_, rest) = failed.split_once(start)?;
        Some((*fault, rest.split_once("\")")?.0))
    })?;
    let told = said(&message.replace("\\\"", "\"").replace("\\'", "'"));
    Some((told.fault.unwrap_or(fault), told.message))
}

pub(super) fn query_fault(error: &DataFusionError) -> Fault {
    if let Some((fault, _)) = filter_failure(error) {
        return fault;
    }
    if let Some(fault) = told(error).fault {
        return fault;
    }
    match error.find_root() {
        DataFusionError::SQL(..) => Fault::Syntax,
        DataFusionError::SchemaError(error, _) => match **error {
            SchemaError::FieldNotFound { .. } => Fault::UndefinedColumn,
            SchemaError::AmbiguousReference { .. } => Fault::AmbiguousColumn,
            _ => Fault::DuplicateColumn,
        },
        DataFusionError::NotImplemented(_) => Fault::FeatureNotSupported,
        DataFusionError::ResourcesExhausted(_) => Fault::OutOfMemory,
        DataFusionError::Plan(text) => {
            let known = PLAN_FAULTS.iter().find(|(start, _)| text.starts_with(start));
            known.map_or(Fault::Syntax, |(_, fault)| *fault)
        }
        DataFusionError::Configuration(_) => Fault::InvalidArgument,
        DataFusionError::ArrowError(error, _) => match **error {
            ArrowError::DivideByZero => Fault::DivisionByZero,
            ArrowError::InvalidArgumentError(_) if null_column(error).is_some() => Fault::NotNullViolation,
            ArrowError::ArithmeticOverflow(_) => Fault::NumericOutOfRange,
            ArrowError::CastError(_) | ArrowError::ParseError(_) => Fault::InvalidText,
            ArrowError::CsvError(_) | ArrowError::JsonError(_) | ArrowError::ParquetError(_) => Fault::InvalidData,
            ArrowError::NotYetImplemented(_) => Fault::FeatureNotSupported,
            ArrowError::ComputeError(_) | ArrowError::InvalidArgumentError(_) => Fault::InvalidData,
            _ => Fault::Internal,
        },
        DataFusionError::ParquetError(_) => Fault::InvalidData,
        DataFusionError::Execution(_) => Fault::InvalidData,
        DataFusionError::ObjectStore(error) => match **error {
            object_store::Error::NotFound { .. } => Fault::UndefinedFile,
            object_store::Error::PermissionDenied { .. } | object_store::Error::Unauthenticated { .. } => {
                Fault::PermissionDenied
            }
            _ => Fault::Io,
        },
        DataFusionError::IoError(error) if error.kind() == std::io::ErrorKind::StorageFull => Fault::DiskFull,
        DataFusionError::IoError(_) => Fault::Io,
        _ => Fault::Internal,
    }
}

pub(super) fn query_message(error: &DataFusionError) -> String {
    if let Some((_, message)) = filter_failure(error) {
        return message;
    }
    if let DataFusionError::SchemaError(error, _) = error.find_root()
        && let SchemaError::AmbiguousReference { field } = error.as_ref()
    {
        return format!("column reference \"{}\" is ambiguous; name its table", field.flat_name().replace('"', ""));
    }
    if let DataFusionError::SchemaError(error, _) = error.find_root()
        && let SchemaError::FieldNotFound { field, valid_fields } = error.as_ref()
    {
        let columns: Vec<String> = valid_fields.iter().map(|column| column.name.clone()).collect();
        let known = if columns.is_empty() { String::new() } else { format!("; columns: {}", columns.join(", ")) };
        return format!("column \"{}\" does not exist{known}", field.flat_name().replace('"', ""));
    }
    let root = error.find_root();
    let Said { fault, message, .. } = told(error);
    match root {
        _ if fault.is_some() => message,
        DataFusionError::ResourcesExhausted(_) => format!("out of memory: {message}"),
        DataFusionError::NotImplemented(_) if !message.contains("not supported") => format!("not supported: {message}"),
        DataFusionError::Internal(_) => format!("internal error: {message}"),
        _ => table_not_found(&message).unwrap_or(message),
    }
}

/// The error's own text in PostgreSQL's words.
fn told(error: &DataFusionError) -> Said {
    match error.find_root() {
        DataFusionError::Plan(text)
        | DataFusionError::Execution(text)
        | DataFusionError::Internal(text)
        | DataFusionError::Configuration(text)
        | DataFusionError::NotImplemented(text)
        | DataFusionError::ResourcesExhausted(text) => said(text),
        DataFusionError::ArrowError(error, _) => said(&arrow_message(error)),
        DataFusionError::External(error) => said(&error.to_string()),
        other => said(&other.strip_backtrace()),
    }
}

/// PostgreSQL's words for NULL in a column that may hold none.
pub(crate) fn null_violation(column: &str) -> String {
    format!("null value in column \"{column}\" violates not-null constraint")
}

/// The column that may hold no NULL and was given one; Arrow says so in words, which are pinned by a test.
pub(super) fn null_column(error: &ArrowError) -> Option<&str> {
    let ArrowError::InvalidArgumentError(text) = error else { return None };
    let (column, _) = text.strip_prefix("Column '")?.split_once("' is declared as non-nullable")?;
    Some(column)
}

/// Arrow's own words without the name of its error.
fn arrow_message(error: &ArrowError) -> String {
    if let Some(column) = null_column(error) {
        return null_violation(column);
    }
    match error {
        ArrowError::DivideByZero => "division by zero".into(),
        ArrowError::CastError(text) | ArrowError::ParseError(text) | ArrowError::ArithmeticOverflow(text) => {
            text.clone()
        }
        other => other.to_string(),
    }
}

/// PostgreSQL's words for a missing table.
fn table_not_found(text: &str) -> Option<String> {
    not_found(text).map(|name| format!("relation \"{name}\" does not exist"))
}

fn not_found(text: &str) -> Option<&str> {
    let name = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    let name = name.strip_prefix("fusewire.").unwrap_or(name);
    Some(name.strip_prefix("public.").unwrap_or(name))
}

/// The table that does not exist, if that is what happened.
pub(super) fn missing_table(error: &DataFusionError) -> Option<&str> {
    match error.find_root() {
        DataFusionError::Plan(text) => not_found(text),
        _ => None,
    }
}

pub(super) fn query_hint(error: &DataFusionError) -> Option<String> {
    match error.find_root() {
        DataFusionError::ResourcesExhausted(_) => Some(
            "give the server more memory (--set memory_limit_bytes=8GB), or make the statement smaller; hash joins do not spill"
                .into(),
        ),
        DataFusionError::Plan(text) if text.starts_with("table '") => {
            Some("SELECT * FROM fusewire.sources lists the tables; a file is read with FROM 'path/to/file.csv'".into())
        }
        DataFusionError::SchemaError(error, _) => match error.as_ref() {
            SchemaError::FieldNotFound { field, valid_fields } => column_hint(field, valid_fields),
            _ => None,
        },
        DataFusionError::Internal(_) if told(error).fault.is_none() => {
            Some("this is a bug in Fusewire: please report it with the statement".into())
        }
        _ => told(error).hint,
    }
}
