//! A result as comma-separated values (RFC 4180, newlines as on Unix), each as a client of the network gets it.

use std::{borrow::Cow, io::Write};

use arrow::{array::RecordBatch, datatypes::SchemaRef, error::ArrowError};

use super::RenderError;
use crate::server::text_rows;

/// Writes a result as CSV; the header comes with the first rows or at the end.
pub(crate) struct Delimited {
    schema: SchemaRef,
    started: bool,
}

impl Delimited {
    pub(super) fn new(schema: SchemaRef) -> Self {
        Self { schema, started: false }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), RenderError> {
        self.start(out)?;
        let rows = text_rows(batch).map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
        for values in rows {
            let fields = values.iter().map(|value| value.as_deref().map_or(Cow::Borrowed(""), quoted));
            writeln!(out, "{}", fields.collect::<Vec<_>>().join(","))?;
        }
        Ok(())
    }

    pub(super) fn finish(mut self, out: &mut dyn Write) -> Result<(), RenderError> {
        self.start(out)
    }

    fn start(&mut self, out: &mut dyn Write) -> Result<(), RenderError> {
        if !self.started {
            self.started = true;
            let names: Vec<Cow<'_, str>> = self.schema.fields().iter().map(|field| quoted(field.name())).collect();
            writeln!(out, "{}", names.join(","))?;
        }
        Ok(())
    }
}

/// The empty text is quoted, because NULL is the field without anything.
fn quoted(text: &str) -> Cow<'_, str> {
    if text.is_empty() || text.contains([',', '"', '\n', '\r']) {
        Cow::Owned(format!("\"{}\"", text.replace('"', "\"\"")))
    } else {
        Cow::Borrowed(text)
    }
}
