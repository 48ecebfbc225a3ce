//! A result as one JSON array with one object a row and a line; NULL is null; NaN and the infinities, for which
//! JSON has no numbers, are written by their names, as files of `COPY` have them.

use std::io::Write;

use arrow::{array::RecordBatch, error::ArrowError, json::writer::JsonFormat};

use super::RenderError;
use crate::print;

/// Writes a result as a JSON array.
pub(crate) struct Json {
    started: bool,
}

/// Objects on lines of their own, without the commas and brackets, which depend on what came before.
#[derive(Debug, Default)]
struct Lines;

impl JsonFormat for Lines {
    fn start_row<W: Write>(&self, writer: &mut W, is_first_row: bool) -> Result<(), ArrowError> {
        let separator: &[u8] = if is_first_row { b"" } else { b",\n" };
        writer.write_all(separator)?;
        Ok(())
    }
}

impl Json {
    pub(super) fn new() -> Self {
        Self { started: false }
    }

    pub(super) fn write(&mut self, batch: &RecordBatch, out: &mut dyn Write) -> Result<(), RenderError> {
        if batch.num_rows() == 0 {
            return Ok(());
        }
        out.write_all(if self.started { b",\n" } else { b"[" })?;
        self.started = true;
        let mut writer = print::json_writers().build::<_, Lines>(&mut *out);
        writer.write(batch)?;
        writer.finish()?;
        Ok(())
    }

    pub(super) fn finish(self, out: &mut dyn Write) -> Result<(), RenderError> {
        out.write_all(if self.started { b"]\n" } else { b"[]\n" })?;
        Ok(())
    }
}
