//! What to do about an error of the query engine.

use datafusion::common::{DataFusionError, SchemaError};

use super::{names::column_hint, query::told};

/// What to do, where that is known.
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
