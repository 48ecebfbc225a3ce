//! A result as comma-separated values (RFC 4180, newlines as on Unix), each as a client of the network gets it, but times with
//! all their digits.

use std::{borrow::Cow, io::Write};

use arrow::{
    array::{Array, RecordBatch},
    datatypes::SchemaRef,
    error::ArrowError,
};

use super::{RenderError, cell::shell_form};
use crate::print;

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
        let form = shell_form(batch);
        let columns = batch.columns().iter().map(|array| print::texts(array, form)).collect::<Result<Vec<_>, _>>();
        let columns = columns.map_err(|error| ArrowError::from_external_error(Box::new(error)))?;
        for row in 0..batch.num_rows() {
            let fields = columns.iter().map(|texts| match texts.is_valid(row) {
                true => quoted(texts.value(row)),
                false => Cow::Borrowed(""),
            });
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
