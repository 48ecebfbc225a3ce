//! Errors of the query engine: whose fault they are, and what a person is told.

use datafusion::common::{DataFusionError, SchemaError};

use super::{
    kernels::{arrow_fault, arrow_message},
    planner::{plan_fault, sign},
    said::Said,
    stores::{io_fault, store_fault},
    words::said,
};
use crate::{fault::Fault, source};

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

/// Whose fault the error is.
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
        DataFusionError::Plan(text) => plan_fault(text),
        DataFusionError::Configuration(_) => Fault::InvalidArgument,
        DataFusionError::ArrowError(error, _) => arrow_fault(error),
        DataFusionError::ParquetError(_) => Fault::InvalidData,
        DataFusionError::Execution(_) => Fault::InvalidData,
        DataFusionError::ObjectStore(error) => store_fault(error),
        DataFusionError::IoError(error) => io_fault(error),
        _ => Fault::Internal,
    }
}

/// What a person is told of the error.
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
pub(super) fn told(error: &DataFusionError) -> Said {
    if let Some(said) = error.diagnostic().and_then(|diagnostic| sign(&diagnostic.message)) {
        return said;
    }
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

/// PostgreSQL's words for a missing table.
fn table_not_found(text: &str) -> Option<String> {
    not_found(text).map(|name| format!("relation \"{name}\" does not exist"))
}

fn not_found(text: &str) -> Option<&str> {
    let name = text.strip_prefix("table '")?.strip_suffix("' not found")?;
    let name = name.strip_prefix("fusewire.").unwrap_or(name);
    let on_path = name.strip_prefix("\u{1}.").or_else(|| name.strip_prefix("public."));
    Some(on_path.unwrap_or(name))
}

/// The table that does not exist, if that is what happened.
pub(super) fn missing_table(error: &DataFusionError) -> Option<&str> {
    match error.find_root() {
        DataFusionError::Plan(text) => not_found(text),
        _ => None,
    }
}
